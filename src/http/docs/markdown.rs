//! The pages of `ui/docs` as HTML: Markdown with anchors at its headings and links that lead to the shown pages.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::{Article, address};
use crate::http::html::escaped;

/// The beginning of a block of code, which can be scrolled by keyboard.
pub(super) const CODE_BLOCK: &str = "<pre tabindex=\"0\">";

/// The text of a page. Raw HTML in it is text.
pub(super) fn article(text: &str) -> Article {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut sections = Vec::new();
    let mut anchors = Vec::new();
    // The text of the heading that is being read, and where it began.
    let mut heading: Option<(usize, String)> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                heading = Some((events.len(), String::new()));
                events.push(event);
            }
            Event::End(TagEnd::Heading(level)) => {
                let (at, text) = heading.take().unwrap_or_default();
                let anchor = unused(anchor(&text), &mut anchors);
                if level != HeadingLevel::H1 {
                    let link =
                        format!("<a class=\"anchor\" href=\"#{anchor}\" aria-label=\"Link to this section\">#</a>");
                    events.push(Event::InlineHtml(link.into()));
                }
                if level == HeadingLevel::H2 {
                    sections.push((anchor.clone(), escaped(&text)));
                }
                if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(at) {
                    *id = Some(anchor.into());
                }
                events.push(event);
            }
            Event::Text(ref part) | Event::Code(ref part) => {
                if let Some((_, text)) = &mut heading {
                    text.push_str(part);
                }
                events.push(event);
            }
            Event::Html(raw) | Event::InlineHtml(raw) => events.push(Event::Text(raw)),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                events.push(Event::Start(Tag::Link { link_type, dest_url: shown(dest_url), title, id }));
            }
            Event::Start(Tag::Table(_)) => {
                // A wide table scrolls alone, by keyboard too.
                events.push(Event::Html("<div class=\"table\" tabindex=\"0\" role=\"group\">".into()));
                events.push(event);
            }
            Event::End(TagEnd::Table) => events.extend([event, Event::Html("</div>\n".into())]),
            other => events.push(other),
        }
    }
    let mut html = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut html, events.into_iter());
    // Wide code scrolls alone as well. Nothing in the text can look like the tag: raw HTML in it was escaped.
    let html = html.replace("<pre>", CODE_BLOCK);
    // A corner with nothing in it is the head of nothing.
    let html = html.replace("<th></th>", "<td></td>");
    Article { html, sections }
}

/// A heading as an anchor: its letters and digits in lower case, with hyphens between its words.
pub(super) fn anchor(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<String>>().join("-")
}

/// The anchor, with a number behind it if another heading has it.
fn unused(anchor: String, taken: &mut Vec<String>) -> String {
    let mut candidates = std::iter::once(anchor.clone()).chain((2..).map(|number| format!("{anchor}-{number}")));
    let free = candidates.find(|candidate| !taken.contains(candidate)).unwrap_or(anchor);
    taken.push(free.clone());
    free
}

/// Where a link leads here: from one file to the next, as the files are read in a folder, becomes from page to page.
fn shown(url: CowStr<'_>) -> CowStr<'_> {
    let (file, anchor) = url.split_once('#').map_or((&*url, ""), |(file, anchor)| (file, anchor));
    let Some(name) = file.strip_suffix(".md").filter(|name| !name.contains('/')) else { return url };
    let page = address(if name == "README" { "" } else { name });
    if anchor.is_empty() { page.into() } else { format!("{page}#{anchor}").into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_anchors() {
        let article = article("# A\n\n## The `x` of it\n\n## The x of it\n");
        assert!(article.html.starts_with("<h1 id=\"a\">A</h1>\n<h2 id=\"the-x-of-it\">The <code>x</code> of it<a "));
        assert!(article.html.contains("<h2 id=\"the-x-of-it-2\">"), "{}", article.html);
        assert_eq!(article.sections[0], ("the-x-of-it".to_owned(), "The x of it".to_owned()));
        assert_eq!(article.sections.len(), 2);
    }

    #[test]
    fn links_lead_to_the_shown_pages() {
        for (from, to) in [
            ("operations.md", "/docs/operations"),
            ("operations.md#back-up", "/docs/operations#back-up"),
            ("README.md", "/docs"),
            ("#here", "#here"),
            ("https://example.org/a.md", "https://example.org/a.md"),
            ("api", "api"),
        ] {
            assert_eq!(&*shown(from.into()), to);
        }
    }

    #[test]
    fn raw_html_is_text_and_tables_and_code_scroll() {
        let article = article("<b>x</b>\n\n| a | |\n|---|---|\n| b | c |\n\n```\n<pre>\n```\n");
        assert!(article.html.contains("<th>a</th><td></td>"), "{}", article.html);
        assert!(article.html.contains("<pre tabindex=\"0\"><code>&lt;pre&gt;"), "{}", article.html);
        assert!(article.html.contains("&lt;b&gt;"), "{}", article.html);
        assert!(
            article.html.contains("<div class=\"table\" tabindex=\"0\" role=\"group\"><table>"),
            "{}",
            article.html
        );
    }
}
