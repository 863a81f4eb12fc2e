//! The documentation.

use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap};

use super::pages::{takes_gzip, validators};
use crate::http::app::{Answer, Ask};
use crate::http::docs::{self, Content};
use crate::http::file_response::{self, FileHead};
use crate::http::problem::Problem;

/// Text and its look, from here alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

pub(super) fn page(ask: &Ask, name: &str) -> Answer {
    let page = docs::page(name).ok_or_else(|| {
        Problem::not_found("there is no such page of the documentation; /docs lists those that there are")
    })?;
    let page = page.map_err(|problem| Problem::internal_because(&problem))?;
    respond(ask, page, HeaderValue::from_static("text/html; charset=utf-8"))
}

pub(super) fn style(ask: &Ask) -> Answer {
    respond(ask, docs::style(), HeaderValue::from_static("text/css; charset=utf-8"))
}

fn respond(ask: &Ask, content: Content, content_type: HeaderValue) -> Answer {
    let mut content_headers = HeaderMap::from_iter([(CONTENT_SECURITY_POLICY, POLICY)]);
    let (bytes, digest) = if takes_gzip(&ask.headers) {
        content_headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        content.gzip
    } else {
        content.plain
    };
    let head = FileHead {
        validators: validators(digest)?,
        content_type,
        cache_control: HeaderValue::from_static("no-cache"),
        vary: Some(HeaderValue::from_static("accept-encoding")),
        content_headers,
    };
    Ok(file_response::respond(&bytes, head, &ask.method, &ask.headers))
}
