//! [`Part`]: forms as browsers and Registry 2.0 clients send them (RFC 7578).

use super::client::Request;

/// A field of a form.
pub(crate) struct Part<'a> {
    name: &'a str,
    filename: Option<&'a str>,
    content: &'a [u8],
}

impl<'a> Part<'a> {
    /// A field with a value.
    pub(crate) fn field(name: &'a str, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { name, filename: None, content: value.as_ref() }
    }

    /// A file.
    pub(crate) fn file(name: &'a str, filename: &'a str, content: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { name, filename: Some(filename), content: content.as_ref() }
    }

    /// What stands above and in the part, behind its boundary.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let filename = self.filename.map(|filename| format!("; filename=\"{filename}\"")).unwrap_or_default();
        let head = format!("Content-Disposition: form-data; name=\"{}\"{filename}\r\n\r\n", self.name);
        [head.as_bytes(), self.content].concat()
    }
}

impl Request {
    /// With a form of these fields as the body.
    pub(crate) fn form(self, parts: &[Part<'_>]) -> Self {
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(b"--a boundary\r\n");
            body.extend_from_slice(&part.bytes());
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--a boundary--\r\n");
        self.header("content-type", "multipart/form-data; boundary=\"a boundary\"").body(body)
    }
}
