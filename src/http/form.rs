//! Forms, field by field: `multipart/form-data`, or `application/x-www-form-urlencoded` where no field is a file.
//!
//! Owns telling the two apart and reading the second (WHATWG URL, section 5.1). What the fields mean is for the handlers.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap};
use percent_encoding::percent_decode;

use super::multipart::{Multipart, PartHead};
use super::{Problem, RequestBody};

/// Most fields of a form without files.
const FIELDS_MAX: usize = 16;

/// A form that is being received.
pub(super) enum Form {
    /// Fields as they come.
    Multipart(Box<Multipart>),
    /// Fields that are all there.
    Encoded {
        /// Those that were not looked at yet.
        fields: VecDeque<(String, Bytes)>,
        /// The content of the last one.
        content: Option<Bytes>,
    },
}

impl Form {
    /// The form in a request's body. Without files, it has at most `limit_bytes`.
    ///
    /// # Errors
    /// If the headers say that it is none, or it is broken or too long.
    pub(super) async fn new(headers: &HeaderMap, mut body: RequestBody, limit_bytes: u64) -> Result<Self, Problem> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Multipart::new(headers, body).map(|form| Self::Multipart(Box::new(form)));
        }
        let mut text = BytesMut::new();
        while let Some(bytes) = body.next_chunk().await? {
            if (text.len() + bytes.len()) as u64 > limit_bytes {
                return Err(Problem::too_large(limit_bytes));
            }
            text.extend_from_slice(&bytes);
        }
        Ok(Self::Encoded { fields: decode(&text)?, content: None })
    }

    /// The next field, whatever is left of the one before; none at the end of the form.
    ///
    /// # Errors
    /// If the form or the body is broken.
    pub(super) async fn next_part(&mut self) -> Result<Option<PartHead>, Problem> {
        match self {
            Self::Multipart(form) => form.next_part().await,
            Self::Encoded { fields, content } => Ok(fields.pop_front().map(|(name, text)| {
                *content = Some(text);
                PartHead { name, filename: None, content_type: None }
            })),
        }
    }

    /// The next bytes of the field's content; none at its end.
    ///
    /// # Errors
    /// If the form or the body is broken.
    pub(super) async fn next_chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        match self {
            Self::Multipart(form) => form.next_chunk().await,
            Self::Encoded { content, .. } => Ok(content.take()),
        }
    }

    /// All of the field's content, for one that is small.
    ///
    /// # Errors
    /// 413 if it is longer than the limit, or if the form or the body is broken.
    pub(super) async fn collect(&mut self, limit_bytes: usize) -> Result<Bytes, Problem> {
        match self {
            Self::Multipart(form) => form.collect(limit_bytes).await.map(BytesMut::freeze),
            Self::Encoded { content, .. } => {
                let content = content.take().unwrap_or_default();
                if content.len() > limit_bytes { Err(Problem::too_large(limit_bytes as u64)) } else { Ok(content) }
            }
        }
    }

    /// Size of the rest of the body at most, where its length is known, in bytes.
    pub(super) fn left_bytes(&self) -> Option<u64> {
        match self {
            Self::Multipart(form) => form.left_bytes(),
            Self::Encoded { .. } => None,
        }
    }

    /// Whether a field can be a file.
    pub(super) fn takes_files(&self) -> bool {
        matches!(self, Self::Multipart(_))
    }
}

/// Names and values of a form without files.
fn decode(text: &[u8]) -> Result<VecDeque<(String, Bytes)>, Problem> {
    let mut fields = VecDeque::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if fields.len() == FIELDS_MAX {
            return Err(Problem::bad_request(format!("a form has at most {FIELDS_MAX} fields")));
        }
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (&pair[..equals], pair.get(equals + 1..).unwrap_or_default());
        let name = String::from_utf8(unescape(name)).map_err(|_| Problem::bad_request("names of fields are UTF-8"))?;
        fields.push_back((name, unescape(value).into()));
    }
    Ok(fields)
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let fields = decode(b"a=1%2B2+3&&b&c=%C3%A9=&%64=x%").unwrap();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
        let wanted: [(&str, &[u8]); 4] = [("a", b"1+2 3"), ("b", b""), ("c", "\u{e9}=".as_bytes()), ("d", b"x%")];
        assert_eq!(fields, wanted);
        assert!(decode(b"%ff=1").is_err());
        assert!(decode(&b"a=1&".repeat(FIELDS_MAX + 1)).is_err());
    }
}
