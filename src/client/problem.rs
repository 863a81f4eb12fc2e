//! What a server says when it refuses: problem details (RFC 9457), or a plain text, made fit for a terminal.

use serde::Deserialize;

/// Characters of a server's text that are shown; what is longer is no message to a person.
const SHOWN_CHARS_MAX: usize = 2000;

/// The part of `application/problem+json` that a person needs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What was wrong, in the server's words, without control characters.
    pub detail: Option<String>,
    /// The input at fault, where there is one.
    pub field: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    title: Option<String>,
    detail: Option<String>,
    field: Option<String>,
    message: Option<String>,
}

impl Problem {
    /// Reads the body of an error answer of the given `Content-Type`. Never fails: an unreadable body has no detail.
    #[must_use]
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Self {
        let media_type = content_type.unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/problem+json" | "application/json" => {
                let Ok(wire) = serde_json::from_slice::<Wire>(body) else { return Self::default() };
                let detail = wire.detail.or(wire.message).or(wire.title);
                Self { detail: detail.and_then(|text| printable(&text)), field: wire.field.and_then(|f| printable(&f)) }
            }
            "text/plain" => Self { detail: printable(&String::from_utf8_lossy(body)), field: None },
            _ => Self::default(),
        }
    }
}

/// `text` without control characters and at a bearable length, so that a server cannot drive the reader's terminal.
#[must_use]
pub fn printable(text: &str) -> Option<String> {
    let mut shown = String::new();
    for c in text.chars().take(SHOWN_CHARS_MAX) {
        // Bidirectional overrides reorder what a person reads.
        let harmless = !c.is_control()
            && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        shown.push(if harmless { c } else { ' ' });
    }
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detail_is_shown_first() {
        let body = br#"{"type":"about:blank","title":"Conflict","status":409,"detail":"1.0.0 is published","field":"version"}"#;
        let problem = Problem::read(Some("application/problem+json; charset=utf-8"), body);
        assert_eq!(problem.detail.as_deref(), Some("1.0.0 is published"));
        assert_eq!(problem.field.as_deref(), Some("version"));
        assert_eq!(Problem::read(Some("application/json"), br#"{"title":"No"}"#).detail.as_deref(), Some("No"));
        assert_eq!(Problem::read(Some("text/plain"), b"no\n").detail.as_deref(), Some("no"));
    }

    #[test]
    fn other_bodies_say_nothing() {
        for (kind, body) in [
            (Some("text/html"), &b"<h1>502</h1>"[..]),
            (None, b"x"),
            (Some("application/problem+json"), b"{"),
            (Some("application/json"), b"[1]"),
            (Some("text/plain"), b" \n"),
        ] {
            assert_eq!(Problem::read(kind, body), Problem::default());
        }
    }

    #[test]
    fn a_server_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\n").as_deref(), Some("a [2Jb c"));
        assert_eq!(printable(&"x".repeat(9999)).unwrap().len(), SHOWN_CHARS_MAX);
    }
}
