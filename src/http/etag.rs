//! [`ETag`] and lists of them (RFC 9110 section 8.8.3).
//!
//! Owns their text forms and the two comparisons. What a comparison leads to is `conditional`'s and `range`'s matter.

use std::fmt;

use http::HeaderValue;

/// An entity tag. Ours are strong: equal tags mean equal bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ETag {
    /// The whole text: `"…"` or `W/"…"`.
    text: HeaderValue,
}

/// The tag that a server sends is not made of the characters that a tag may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entity tag has no spaces, quotes or control characters")]
pub struct InvalidETag;

impl ETag {
    /// The strong tag with this opaque text between its quotes, e.g. a hexadecimal digest.
    ///
    /// # Errors
    /// If the text has a character that no tag may have: a space, a quote, a control character.
    pub fn strong(opaque: impl fmt::Display) -> Result<Self, InvalidETag> {
        let text = format!("\"{opaque}\"");
        if !text[1..text.len() - 1].bytes().all(is_etag_character) {
            return Err(InvalidETag);
        }
        HeaderValue::try_from(text).map(|text| Self { text }).map_err(|_| InvalidETag)
    }

    /// The strong tag that is written so, with its quotes.
    ///
    /// # Errors
    /// If it is none.
    pub fn quoted(text: &str) -> Result<Self, InvalidETag> {
        let opaque = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(InvalidETag)?;
        // What else is no character of a tag is none of a header's value either.
        if memchr::memchr3(b'"', b' ', b'\t', opaque.as_bytes()).is_some() {
            return Err(InvalidETag);
        }
        HeaderValue::try_from(text).map(|text| Self { text }).map_err(|_| InvalidETag)
    }

    /// The value of the `ETag` header. Cloning it copies nothing.
    #[must_use]
    pub const fn header_value(&self) -> &HeaderValue {
        &self.text
    }

    /// Strong comparison (RFC 9110 section 8.8.3.2) with a tag that a client sent.
    #[must_use]
    pub fn equals_strongly(&self, other: &[u8]) -> bool {
        self.text == other && other.starts_with(b"\"")
    }

    /// Weak comparison (RFC 9110 section 8.8.3.2) with a tag that a client sent: `W/` makes no difference.
    #[must_use]
    pub fn equals_weakly(&self, other: &[u8]) -> bool {
        let own = self.text.as_bytes();
        own.strip_prefix(b"W/").unwrap_or(own) == other.strip_prefix(b"W/").unwrap_or(other)
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ETag({:?})", self.text)
    }
}

/// `etagc` of RFC 9110 section 8.8.3. A comma may stand inside a tag, so lists cannot be split at commas.
fn is_etag_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff)
}

/// Whether the one line of a header is exactly this tag, as it is where a client sends back what it got.
pub(super) fn is_only_line<'a>(tag: &ETag, lines: impl IntoIterator<Item = &'a HeaderValue>) -> bool {
    let mut lines = lines.into_iter();
    lines.next() == Some(&tag.text) && lines.next().is_none()
}

/// What `If-Match` and `If-None-Match` list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ETagList<'a> {
    /// `*`: any representation at all.
    Any,
    /// The tags, with their quotes and `W/`.
    Tags(Vec<&'a [u8]>),
}

/// Reads all lines of one header; `None` if they are not `"*"` or a list of tags.
///
/// Empty list elements are allowed, as RFC 9110 section 5.6.1.2 asks of a recipient.
pub(super) fn parse_list<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> Option<ETagList<'a>> {
    let mut tags = Vec::new();
    let mut lines = lines.into_iter().peekable();
    let first = lines.next()?;
    if first.as_bytes().trim_ascii() == b"*" {
        return lines.peek().is_none().then_some(ETagList::Any);
    }
    for line in std::iter::once(first).chain(lines) {
        let mut rest = line.as_bytes();
        let mut after_comma = true;
        loop {
            rest = rest.trim_ascii_start();
            match rest {
                [] => break,
                [b',', tail @ ..] => {
                    rest = tail;
                    after_comma = true;
                }
                _ if after_comma => {
                    let (tag, tail) = take_tag(rest)?;
                    tags.push(tag);
                    rest = tail;
                    after_comma = false;
                }
                _ => return None,
            }
        }
    }
    (!tags.is_empty()).then_some(ETagList::Tags(tags))
}

/// Whether `text` is exactly one tag, weak or strong.
pub(super) fn is_tag(text: &[u8]) -> bool {
    matches!(take_tag(text), Some((_, [])))
}

/// Splits the tag off that `text` begins with.
fn take_tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let prefix_len = if text.starts_with(b"W/") { 2 } else { 0 };
    let opaque = text[prefix_len..].strip_prefix(b"\"")?;
    let len = opaque.iter().position(|byte| !is_etag_character(*byte))?;
    (opaque[len] == b'"').then(|| text.split_at(prefix_len + len + 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(lines: &[&str]) -> Option<Vec<String>> {
        let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_str(line).unwrap()).collect();
        match parse_list(&lines)? {
            ETagList::Any => Some(vec!["*".to_owned()]),
            ETagList::Tags(tags) => Some(tags.iter().map(|tag| String::from_utf8(tag.to_vec()).unwrap()).collect()),
        }
    }

    #[test]
    fn comparisons() {
        // The table of RFC 9110 section 8.8.3.2.
        let tag = ETag::strong("1").unwrap();
        assert_eq!(tag.header_value(), "\"1\"");
        for (other, strongly, weakly) in [("W/\"1\"", false, true), ("\"1\"", true, true), ("\"2\"", false, false)] {
            assert_eq!(tag.equals_strongly(other.as_bytes()), strongly, "{other}");
            assert_eq!(tag.equals_weakly(other.as_bytes()), weakly, "{other}");
        }
        assert_eq!(ETag::quoted("\"1\"").as_ref(), Ok(&tag));
        for wrong in ["", "\"", "1", "\"1", "W/\"1\"", "\"a b\"", "\"a\tb\"", "\"a\"b\"", "\"a\"\"", "\"a\nb\""] {
            assert_eq!(ETag::quoted(wrong), Err(InvalidETag), "{wrong:?}");
        }
        assert_eq!(ETag::strong("a b"), Err(InvalidETag));
        assert_eq!(ETag::strong("a\"b"), Err(InvalidETag));
    }

    #[test]
    fn lists() {
        assert_eq!(list(&["*"]), Some(vec!["*".into()]));
        assert_eq!(list(&["\"a\""]), Some(vec!["\"a\"".into()]));
        let three = Some(vec!["\"a,b\"".to_owned(), "W/\"\"".to_owned(), "\"c\"".to_owned()]);
        assert_eq!(list(&[" ,\"a,b\" , ,W/\"\"", "\"c\","]), three);
        for lines in
            [&[""][..], &[","], &["a"], &["\"a"], &["\"a\"\"b\""], &["w/\"a\""], &["*", "*"], &["\"a\", *"], &[]]
        {
            assert_eq!(list(lines), None, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(lines in prop::collection::vec("[ -~\t]{0,20}", 0..4)) {
            let lines: Vec<_> = lines.iter().map(|line| HeaderValue::from_str(line).unwrap()).collect();
            if let Some(ETagList::Tags(tags)) = parse_list(&lines) {
                for tag in tags {
                    prop_assert!(is_tag(tag));
                }
            }
        }

        #[test]
        fn what_is_listed_is_found(opaques in prop::collection::vec("[!#-~]{0,8}", 1..6), separator in " {0,2},[ ,]{0,3}") {
            let tags: Vec<_> = opaques.iter().map(|opaque| format!("\"{opaque}\"")).collect();
            prop_assert_eq!(list(&[&tags.join(&separator)]), Some(tags));
        }
    }
}
