//! Markdown texts that people write: descriptions and release notes.

use super::limits::MARKDOWN_BYTES_MAX;

/// A Markdown text of at most 256 KiB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Markdown(Box<str>);

/// Why a text is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text has at most 262144 bytes (256 KiB) and no NUL characters")]
pub struct InvalidMarkdown;

impl Markdown {
    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first line that is not a heading mark or empty, as plain as a summary can be; at most 200 characters.
    #[must_use]
    pub fn first_line(&self) -> String {
        let lines = self.0.lines().map(|line| line.trim().trim_start_matches(['#', '>', '*', '-', ' ']));
        let line = lines.into_iter().find(|line| !line.is_empty()).unwrap_or_default();
        line.chars().take(200).collect()
    }
}

impl std::str::FromStr for Markdown {
    type Err = InvalidMarkdown;

    fn from_str(text: &str) -> Result<Self, InvalidMarkdown> {
        if text.len() > MARKDOWN_BYTES_MAX || text.contains('\0') {
            return Err(InvalidMarkdown);
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_a_size() {
        assert!("a".repeat(MARKDOWN_BYTES_MAX).parse::<Markdown>().is_ok());
        assert!("a".repeat(MARKDOWN_BYTES_MAX + 1).parse::<Markdown>().is_err());
        assert!("a\0".parse::<Markdown>().is_err());
    }

    #[test]
    fn the_first_line_is_a_summary() {
        let text: Markdown = "\n# Window\n\nMore.".parse().unwrap();
        assert_eq!(text.first_line(), "Window");
        assert_eq!(Markdown::default().first_line(), "");
    }
}
