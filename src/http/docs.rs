//! The documentation as the server shows it: the pages of `ui/docs` and the reference of the API, as plain HTML.
//!
//! Owns which pages there are, their order and their frame. They hold no script and nothing of any request, so each is
//! made once, when it is first asked for. What they say stands in `ui/docs` and `openapi`.

mod api_reference;
mod markdown;

use std::io::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::html::escaped;
use super::openapi;
use crate::model::Sha256;

/// The address of all pages; the first one has it for its own.
const ROOT: &str = "/docs";
/// What every page looks like: the interface's colours and sizes, then what is special here.
const STYLE: &str = concat!(
    include_str!("../../ui/src/styles/tokens.css"),
    include_str!("../../ui/src/styles/base.css"),
    include_str!("docs/style.css"),
);
const FRAME: &str = include_str!("docs/frame.html");

/// A page.
struct Page {
    /// Its last path segment, and its file in `ui/docs`.
    name: &'static str,
    /// What lists of pages call it.
    title: &'static str,
    source: Source,
    made: OnceLock<Result<Content, String>>,
}

enum Source {
    Markdown(&'static str),
    /// The API's description of itself.
    OpenApi,
}

/// A file in both forms, each with its digest.
#[derive(Debug, Clone)]
pub struct Content {
    /// As it is.
    pub plain: (Bytes, Sha256),
    /// Compressed with gzip.
    pub gzip: (Bytes, Sha256),
}

static PAGES: [Page; 10] = [
    Page::text("", "Overview", include_str!("../../ui/docs/README.md")),
    Page::text("publishing", "Publishing", include_str!("../../ui/docs/publishing.md")),
    Page::text("updates", "Updates for applications", include_str!("../../ui/docs/updates.md")),
    Page::text("operations", "Operations", include_str!("../../ui/docs/operations.md")),
    Page::text("security", "Security", include_str!("../../ui/docs/security.md")),
    Page::text("commands", "Commands", include_str!("../../ui/docs/commands.md")),
    Page::new("api", "API", Source::OpenApi),
    Page::text("index-format", "Index format", include_str!("../../ui/docs/index-format.md")),
    Page::text("data-directory", "Data directory", include_str!("../../ui/docs/data-directory.md")),
    Page::text("why-not", "Why not something else", include_str!("../../ui/docs/why-not.md")),
];

impl Page {
    const fn new(name: &'static str, title: &'static str, source: Source) -> Self {
        Self { name, title, source, made: OnceLock::new() }
    }

    const fn text(name: &'static str, title: &'static str, markdown: &'static str) -> Self {
        Self::new(name, title, Source::Markdown(markdown))
    }
}

/// The page of this name, `""` for the first; nothing if there is none.
///
/// # Errors
/// If the API's description does not fit together, which a test rules out.
#[must_use]
pub fn page(name: &str) -> Option<Result<Content, &'static str>> {
    let page = PAGES.iter().find(|page| page.name == name)?;
    Some(page.made.get_or_init(|| make(page).map(|html| pack(html.into()))).as_ref().cloned().map_err(String::as_str))
}

/// What all pages look like.
#[must_use]
pub fn style() -> Content {
    static PACKED: OnceLock<Content> = OnceLock::new();
    PACKED.get_or_init(|| pack(Bytes::from_static(STYLE.as_bytes()))).clone()
}

fn pack(plain: Bytes) -> Content {
    let mut gzip = GzEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::best());
    // Writing into memory does not fail.
    let gzip = gzip.write_all(&plain).and_then(|()| gzip.finish()).unwrap_or_default();
    let with_digest = |bytes: Bytes| {
        let digest = Sha256::of(&bytes);
        (bytes, digest)
    };
    Content { plain: with_digest(plain), gzip: with_digest(gzip.into()) }
}

/// The text of a page, before its frame.
struct Article {
    html: String,
    /// The headings of its sections: their anchors and texts, both as HTML.
    sections: Vec<(String, String)>,
}

fn make(page: &Page) -> Result<String, String> {
    let article = match page.source {
        Source::Markdown(text) => markdown::article(text),
        Source::OpenApi => {
            let document = openapi::document()?;
            let document = serde_json::from_slice(&document).map_err(|error| error.to_string())?;
            api_reference::article(&document)
        }
    };
    let mut pages = String::new();
    for other in &PAGES {
        let current = if other.name == page.name { " aria-current=\"page\"" } else { "" };
        pages += &format!("<li><a href=\"{}\"{current}>{}</a></li>\n", address(other.name), escaped(other.title));
    }
    let sections = article.sections.iter();
    let sections: String =
        sections.map(|(anchor, text)| format!("<li><a href=\"#{anchor}\">{text}</a></li>\n")).collect();
    Ok(FRAME
        .replace("{{title}}", &escaped(page.title))
        .replace("{{pages}}", &pages)
        .replace("{{sections}}", &sections)
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{article}}", &article.html))
}

fn address(name: &str) -> String {
    if name.is_empty() { ROOT.to_owned() } else { format!("{ROOT}/{name}") }
}

#[cfg(test)]
mod tests;
