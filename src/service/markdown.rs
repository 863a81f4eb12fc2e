//! Markdown to HTML that is safe to show: raw HTML becomes text, and links lead only where links may lead.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, html};

use crate::model::Markdown;

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
