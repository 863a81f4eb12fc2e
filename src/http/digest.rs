//! `Repr-Digest` (RFC 9530): the SHA-256 that a client says its upload has, and that we say a file has.
//!
//! Owns the field's syntax: a dictionary (RFC 9651 section 3.2) of byte sequences. Comparing digests is the caller's.

use http::HeaderValue;
use http::header::{HeaderMap, HeaderName};

use super::base64;
use crate::model::Sha256;

/// The field's name.
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Why a `Repr-Digest` cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReprDigest {
    /// The field is not a dictionary of byte sequences.
    #[error("Repr-Digest is not of the form `sha-256=:BASE64:`")]
    Malformed,
    /// `sha-256` is there, and is not 32 bytes.
    #[error("the sha-256 in Repr-Digest is not 32 bytes")]
    Length,
}

/// The field's value for content with this digest.
#[must_use]
pub fn format(sha256: &Sha256) -> HeaderValue {
    let text = format!("sha-256=:{}:", base64::encode(sha256.as_bytes()));
    // Base64 and punctuation: every header can carry them.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The SHA-256 that a request promises, or `None` if it promises none. Other algorithms are ignored.
///
/// # Errors
/// If the field is malformed, even in the part about other algorithms: whoever sends it wants it checked.
pub fn parse(headers: &HeaderMap) -> Result<Option<Sha256>, InvalidReprDigest> {
    let mut found = None;
    let mut lines = headers.get_all(REPR_DIGEST).iter().peekable();
    if lines.peek().is_none() {
        return Ok(None);
    }
    // Several lines are one list (RFC 9651 section 4.2), and the last of equal keys counts (section 4.2.2).
    for line in lines {
        let mut input = Input(line.to_str().map_err(|_| InvalidReprDigest::Malformed)?.trim_matches(' '));
        while !input.0.is_empty() {
            let (key, bytes) = input.member().ok_or(InvalidReprDigest::Malformed)?;
            if key == "sha-256" {
                let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| InvalidReprDigest::Length)?;
                found = Some(Sha256::from_bytes(bytes));
            }
            input.separator().ok_or(InvalidReprDigest::Malformed)?;
        }
    }
    Ok(found)
}

/// What is left to read. Each method reads one thing, or gives `None` if it is not there.
struct Input<'a>(&'a str);

impl<'a> Input<'a> {
    /// `key=:base64:` and parameters, which are skipped: none are defined.
    fn member(&mut self) -> Option<(&'a str, Vec<u8>)> {
        let key = self.key()?;
        self.literal('=')?;
        let bytes = self.byte_sequence()?;
        while self.literal(';').is_some() {
            self.0 = self.0.trim_start_matches(' ');
            self.key()?;
            if self.literal('=').is_some() {
                self.skip_bare_item()?;
            }
        }
        Some((key, bytes))
    }

    /// A comma with another member after it, or the end.
    fn separator(&mut self) -> Option<()> {
        self.0 = self.0.trim_start_matches([' ', '\t']);
        if self.0.is_empty() {
            return Some(());
        }
        self.literal(',')?;
        self.0 = self.0.trim_start_matches([' ', '\t']);
        (!self.0.is_empty()).then_some(())
    }

    fn literal(&mut self, expected: char) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !accept(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// RFC 9651 section 3.1.2.
    fn key(&mut self) -> Option<&'a str> {
        if !self.0.starts_with(|c: char| c.is_ascii_lowercase() || c == '*') {
            return None;
        }
        Some(self.take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c)))
    }

    fn byte_sequence(&mut self) -> Option<Vec<u8>> {
        self.literal(':')?;
        let text = self.take_while(|c| c != ':');
        self.literal(':')?;
        base64::decode(text).ok()
    }

    /// The bare items of RFC 9651 section 3.3, as far as a parameter may reasonably be one.
    fn skip_bare_item(&mut self) -> Option<()> {
        match self.0.chars().next()? {
            ':' => self.byte_sequence().map(drop),
            '"' => self.skip_string(),
            '?' => {
                self.literal('?')?;
                self.literal('0').or_else(|| self.literal('1'))
            }
            '-' | '0'..='9' => {
                let _ = self.literal('-');
                let digits = self.take_while(|c| c.is_ascii_digit() || c == '.');
                (digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.ends_with('.')).then_some(())
            }
            'a'..='z' | 'A'..='Z' | '*' => {
                self.take_while(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c));
                Some(())
            }
            _ => None,
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.literal('"')?;
        loop {
            self.take_while(|c| !matches!(c, '"' | '\\'));
            if self.literal('"').is_some() {
                return Some(());
            }
            self.literal('\\')?;
            self.literal('"').or_else(|| self.literal('\\'))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

    fn read(lines: &[&str]) -> Result<Option<Sha256>, InvalidReprDigest> {
        parse(&lines.iter().map(|line| (REPR_DIGEST, HeaderValue::from_str(line).unwrap())).collect())
    }

    #[test]
    fn formats() {
        assert_eq!(format(&Sha256::of(b"")), EMPTY);
    }

    #[test]
    fn found_among_others() {
        let digest = Ok(Some(Sha256::of(b"")));
        let other = "sha-512=:AAAA:";
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[""]), Ok(None));
        assert_eq!(read(&[other]), Ok(None));
        assert_eq!(read(&[EMPTY]), digest);
        assert_eq!(read(&[&format!("  {other} ,\t{EMPTY}  ")]), digest);
        assert_eq!(read(&[other, EMPTY]), digest);
        assert_eq!(read(&[&format!("{EMPTY};a;b=1.5;c=\"x\\\"y\"; d=?1;e=tok/en;f=:AA==:, {other}")]), digest);
        let last = base64::encode(Sha256::of(b"x").as_bytes());
        assert_eq!(read(&[&format!("{EMPTY}, sha-256=:{last}:")]), Ok(Some(Sha256::of(b"x"))));
    }

    #[test]
    fn malformed() {
        let hex = format!("sha-256={}", Sha256::of(b""));
        for line in [
            &hex,
            "sha-256",
            "sha-256=",
            "sha-256=:",
            "sha-256=:A:",
            "SHA-256=:AAAA:",
            "sha-512=:AAAA:,",
            ",",
            "sha-512=:AAAA: sha-512=:AAAA:",
            "sha-512=1",
            "=:AAAA:",
            "sha-512=:AAAA:;",
            "sha-512=:AAAA:;a=",
            "sha-512=:AAAA:;a=\"x",
            "sha-512=:AAAA:;a=\"\\x\"",
            "sha-512=:AAAA:;a=1.",
        ] {
            assert_eq!(read(&[line]), Err(InvalidReprDigest::Malformed), "{line}");
        }
        assert_eq!(read(&["sha-256=:AAAA:"]), Err(InvalidReprDigest::Length));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(line in "(sha-256|sha-512|[a-z*]{0,3})?[ -~]{0,40}") {
            let _ = read(&[&line]);
        }

        #[test]
        fn what_is_formatted_is_read(bytes: [u8; 32]) {
            let digest = Sha256::from_bytes(bytes);
            prop_assert_eq!(read(&[format(&digest).to_str().unwrap()]), Ok(Some(digest)));
        }
    }
}
