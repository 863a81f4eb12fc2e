//! The user interface: its one page and its files, embedded in the binary.
//!
//! Owns how they are cached and compressed, and the policy that the page runs under. What the page shows is its own
//! matter; it gets told who asks, so that it need not ask before it can show anything.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::HeaderValue;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap};
use rust_embed::RustEmbed;
use serde_json::json;

use crate::http::app::{Answer, Ask};
use crate::http::conditional::Validators;
use crate::http::etag::ETag;
use crate::http::file_response::{self, FileHead};
use crate::http::html::escaped;
use crate::http::problem::Problem;
use crate::model::Sha256;

#[derive(RustEmbed)]
#[folder = "ui/dist"]
struct Files;

/// Nothing from elsewhere, nothing inline, no frame around it, and forms that lead home.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// For names that carry the hash of their content.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For what has to be asked for again each time, and mostly is unchanged.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// The same for what depends on who asks.
const ASK_AGAIN_ALONE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Where the page is told what it starts with.
const STATE_GAP: &str = "{{state}}";

/// The page, whichever view the address names.
pub(super) fn page(ask: &Ask) -> Answer {
    let file =
        Files::get("index.html").ok_or_else(|| Problem::internal_because(&"the user interface was not built"))?;
    let is_open = ask.registry().setup_token().map_err(|error| Problem::internal(&error))?.is_some();
    let user = ask.registry().session(&ask.caller).ok().map(|session| session.user);
    let state = json!({ "user": user, "open": is_open, "origin": &*ask.caller.origin });
    let text = String::from_utf8_lossy(&file.data).replace(STATE_GAP, &escaped(&state.to_string()));
    let bytes = Bytes::from(text);
    let head = FileHead {
        validators: validators(Sha256::of(&bytes))?,
        content_type: HeaderValue::from_static("text/html; charset=utf-8"),
        cache_control: ASK_AGAIN_ALONE,
        vary: None,
        content_headers: HeaderMap::from_iter([(CONTENT_SECURITY_POLICY, POLICY)]),
    };
    Ok(file_response::respond(&bytes, head, &ask.method, &ask.headers))
}

/// A file beside the page. One that is stored compressed is unpacked for clients that do not take it so.
pub(super) fn asset(ask: &Ask, name: &str) -> Answer {
    let is_own = !name.ends_with(".html") && !name.ends_with(".gz");
    let unknown = || Problem::not_found("there is nothing at this path");
    let packed = Files::get(&format!("{name}.gz")).filter(|_| is_own);
    let mut content_headers = HeaderMap::from_iter([(CONTENT_SECURITY_POLICY, POLICY)]);
    let (bytes, digest) = match packed {
        Some(packed) if takes_gzip(&ask.headers) => {
            content_headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            (packed.data, Sha256::from_bytes(packed.metadata.sha256_hash()))
        }
        Some(packed) => {
            let mut plain = Vec::new();
            // It is the server's own file, so it is as long as it is.
            GzDecoder::new(&*packed.data).read_to_end(&mut plain).map_err(|error| Problem::internal(&error))?;
            let digest = Sha256::of(&plain);
            (plain.into(), digest)
        }
        None => {
            let file = Files::get(name).filter(|_| is_own).ok_or_else(unknown)?;
            (file.data, Sha256::from_bytes(file.metadata.sha256_hash()))
        }
    };
    let cache = if name.starts_with("assets/") { FOREVER } else { ASK_AGAIN };
    let head = FileHead {
        validators: validators(digest)?,
        content_type: content_type(name),
        cache_control: cache,
        vary: Some(HeaderValue::from_static("accept-encoding")),
        content_headers,
    };
    Ok(file_response::respond(&Bytes::from(bytes.into_owned()), head, &ask.method, &ask.headers))
}

pub(super) fn validators(digest: Sha256) -> Result<Validators, Problem> {
    let etag = ETag::strong(digest).map_err(|error| Problem::internal(&error))?;
    Ok(Validators { etag: Some(etag), last_modified: None })
}

fn content_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}

/// Whether `Accept-Encoding` (RFC 9110, section 12.5.3) names gzip and does not rule it out.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
        is_gzip && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_gzip_says_so() {
        for (value, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate,gzip", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("x-gzip-like", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(takes_gzip(&headers), takes, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
