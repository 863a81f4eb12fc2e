//! [`Answer`]: what came back, and what a test may expect of it.

use std::fmt;
use std::io::Read;

use serde_json::Value;

use super::wire::Head;

/// How much of a body a failure prints.
const BODY_BYTES_SHOWN: usize = 4000;

/// The answer to a request.
pub(crate) struct Answer {
    request: String,
    /// Its status code.
    pub(crate) status: u16,
    /// Its headers, names in lower case, in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body, as far as it was read.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(super) fn new(request: String, head: Head) -> Self {
        Self { request, status: head.status, headers: head.headers, body: Vec::new() }
    }

    /// Expects a status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert!(self.status == status, "expected {status}\n{self}");
        self
    }

    /// Expects a problem document (RFC 9457) whose detail holds a text.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, detail: &str) -> Value {
        let answer = self.is(status);
        assert!(answer.header("content-type") == "application/problem+json", "expected a problem\n{answer}");
        let document = answer.json();
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        assert!(document["status"].as_u64() == Some(status.into()), "the status is told twice alike\n{answer}");
        assert!(!text("type").is_empty() && !text("title").is_empty(), "it has a type and a title\n{answer}");
        assert!(text("detail").contains(detail), "expected {detail:?} in the detail\n{answer}");
        document
    }

    /// Its body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("this is not JSON: {error}\n{self}"))
    }

    /// Its body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What its body is compressed from.
    #[track_caller]
    pub(crate) fn gunzip(&self) -> String {
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(&self.body[..]);
        decoder.read_to_string(&mut text).unwrap_or_else(|error| panic!("this is not gzip: {error}\n{self}"));
        assert!(decoder.into_inner().is_empty(), "it is one gzip member\n{self}");
        text
    }

    /// A header that must be there.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("there is no {name}\n{self}"))
    }

    /// A header, if it is there.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "--- request\n{}\n--- answer\n{}", self.request, self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        let shown = &self.body[..self.body.len().min(BODY_BYTES_SHOWN)];
        write!(f, "\n{}", String::from_utf8_lossy(shown))?;
        if shown.len() < self.body.len() { write!(f, "… ({} bytes)", self.body.len()) } else { Ok(()) }
    }
}
