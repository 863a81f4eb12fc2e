//! Markdown to HTML that is safe to show: raw HTML becomes text, and links lead only where links may lead.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

use super::Registry;
use super::caller::Caller;
use super::refusal::Refusal;
use crate::model::{Markdown, Scope};

/// The HTML of a text. It holds no script, no style, no attribute but those that Markdown itself makes, and no
/// address with a scheme other than `http`, `https` and `mailto`.
#[must_use]
pub(super) fn to_html(text: &Markdown) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(text.as_str(), options).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if link_type == LinkType::Email { dest_url } else { safe(dest_url) };
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Image { link_type, dest_url: safe(dest_url), title, id })
        }
        other => other,
    });
    let mut out = String::with_capacity(text.as_str().len() * 3 / 2);
    html::push_html(&mut out, events);
    out
}

/// What a text says first below its heading, or the heading where that is all: plain text, without the marks.
#[must_use]
pub(super) fn first_line(text: &Markdown) -> String {
    const CHARS_MAX: usize = 200;
    // Long texts say what they are at their beginning.
    const BYTES_READ_MAX: usize = 4096;
    let text = text.as_str();
    let end = (0..=text.len().min(BYTES_READ_MAX)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let (mut heading, mut line) = (None, String::new());
    for event in Parser::new_ext(&text[..end], Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(part) | Event::Code(part) | Event::Html(part) | Event::InlineHtml(part) => line.push_str(&part),
            Event::SoftBreak | Event::HardBreak => line.push(' '),
            Event::End(TagEnd::Heading(_)) if !line.trim().is_empty() => {
                heading.get_or_insert(std::mem::take(&mut line));
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock) => {
                if !line.trim().is_empty() {
                    break;
                }
                line.clear();
            }
            _ => {}
        }
    }
    let line = if line.trim().is_empty() { heading.unwrap_or_default() } else { line };
    line.trim().chars().take(CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Registry {
    /// The HTML of a text as descriptions and release notes are shown, for who is writing one.
    ///
    /// # Errors
    /// If the caller is no user.
    pub fn preview_markdown(&self, caller: &Caller, text: &Markdown) -> Result<String, Refusal> {
        caller.user(Scope::Read)?;
        Ok(to_html(text))
    }
}

/// The address if it may be followed, or one that leads nowhere. Browsers ignore control characters and white space
/// in a scheme, so an address with any of them is not followed either.
fn safe(url: CowStr<'_>) -> CowStr<'_> {
    let relative = !url.split(['/', '?', '#']).next().unwrap_or_default().contains(':');
    let lower = url.to_ascii_lowercase();
    let known = ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    let clean = !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if clean && (relative || known) { url } else { "#".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        to_html(&text.parse().unwrap())
    }

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(
            html("# T\n\n*a* [b](https://example.org)"),
            "<h1>T</h1>\n<p><em>a</em> <a href=\"https://example.org\">b</a></p>\n"
        );
        assert_eq!(html("[a](b/c?d:e#f:g)"), "<p><a href=\"b/c?d:e#f:g\">a</a></p>\n");
    }

    #[test]
    fn the_first_line_is_plain() {
        for (text, line) in [
            ("# Window\n\n*Windows* and `widgets`\n\nMore.", "Windows and widgets"),
            ("# *Windows* and `widgets`\n\n## More", "Windows and widgets"),
            ("\n\nOne\ntwo.\n\nThree.", "One two."),
            ("[Kit](https://example.org) <b>x</b>", "Kit <b>x</b>"),
            ("![](a.png)\n\nText.", "Text."),
            ("* first\n* second", "first"),
            ("", ""),
        ] {
            assert_eq!(first_line(&text.parse().unwrap()), line, "{text}");
        }
        assert_eq!(first_line(&"é".repeat(5000).parse().unwrap()).chars().count(), 200);
    }

    #[test]
    fn hostile_texts_are_harmless() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](&#106;avascript:alert(1))",
            "[a](<java\tscript:alert(1)>)",
            "[a](data:text/html,x)",
            "![a](javascript:alert(1))",
            "<javascript:alert(1)>",
            "[a]: javascript:alert(1)\n\n[a]",
            "<div\n onclick=alert(1)>",
            "[a](vbscript:x \"t\")",
        ] {
            let html = html(text);
            let lower = html.to_ascii_lowercase();
            assert!(!lower.contains("<script") && !lower.contains("<img src=x") && !lower.contains("<div"), "{html}");
            for attribute in ["href=\"", "src=\""] {
                for (at, _) in lower.match_indices(attribute) {
                    let url = &lower[at + attribute.len()..];
                    assert!(url.starts_with('#'), "{text} became {html}");
                }
            }
        }
    }
}
