//! The pages of the user interface, embedded in the binary, and the form of the first one.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use rust_embed::RustEmbed;

use super::accounts::{refuse_foreign, set_session_cookie};
use super::{NO_STORE, SMALL_JSON_BYTES_MAX};
use crate::http::Body;
use crate::http::app::{Answer, Ask};
use crate::http::conditional::Validators;
use crate::http::etag::ETag;
use crate::http::file_response::{self, FileHead};
use crate::http::json;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::service::SESSION_S;

#[derive(RustEmbed)]
#[folder = "ui/dist"]
struct Pages;

/// Nothing from elsewhere, no script, no frame around it, and forms that lead home.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn landing(ask: &Ask) -> Answer {
    let message = if is_open(ask)? {
        "This server has no account yet. Where it was started, it printed the link that makes the first one."
    } else {
        ""
    };
    page("index.html", StatusCode::OK, &[("{{origin}}", &ask.caller.origin), ("{{message}}", message)])
}

pub(super) fn setup(ask: &Ask) -> Answer {
    let token = ask.query.exact("token").unwrap_or_default();
    let message = if is_open(ask)? { "" } else { "This server is set up already." };
    page("setup.html", StatusCode::OK, &[("{{token}}", token), ("{{message}}", message)])
}

/// Whether the first account is still to be made.
fn is_open(ask: &Ask) -> Result<bool, Problem> {
    Ok(ask.registry().setup_token().map_err(|error| Problem::internal(&error))?.is_some())
}

/// The form without script: what the API's setup does, answered with a page.
pub(super) async fn submit_setup(ask: Ask) -> Answer {
    refuse_foreign(&ask)?;
    let bytes = ask.body.collect_limited(SMALL_JSON_BYTES_MAX).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::bad_request("a form is UTF-8"))?;
    let form = Query::parse(text)?;
    let field = |name| form.text(name).unwrap_or_default();
    let made = async {
        let name = json::parse("name", field("name").trim())?;
        let password = json::parse("password", field("password"))?;
        Ok::<_, Problem>(ask.app.registry.set_up(&ask.caller, field("token"), name, password).await?)
    };
    match made.await {
        Ok(begun) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
            set_session_cookie(&mut response, &begun.secret, SESSION_S.unsigned_abs(), ask.outside.https)?;
            Ok(response)
        }
        Err(problem) => {
            let replacements = [("{{token}}", field("token")), ("{{message}}", problem.detail())];
            page("setup.html", problem.status(), &replacements)
        }
    }
}

/// A page with its gaps filled in, as text and never as markup.
fn page(name: &str, status: StatusCode, replacements: &[(&str, &str)]) -> Answer {
    let file = Pages::get(name).ok_or_else(|| Problem::not_found("there is nothing at this path"))?;
    let template = String::from_utf8_lossy(&file.data).into_owned();
    let text = replacements.iter().fold(template, |text, (gap, value)| text.replace(gap, &escaped(value)));
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    Ok(response)
}

pub(super) fn asset(ask: &Ask, name: &str) -> Answer {
    let file = Pages::get(name).filter(|_| !name.ends_with(".html"));
    let file = file.ok_or_else(|| Problem::not_found("there is nothing at this path"))?;
    let etag = ETag::strong(crate::model::Sha256::from_bytes(file.metadata.sha256_hash()));
    let content_type = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    let head = FileHead {
        validators: Validators { etag: Some(etag.map_err(|error| Problem::internal(&error))?), last_modified: None },
        content_type: HeaderValue::from_static(content_type),
        cache_headers: HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]),
        content_headers: HeaderMap::from_iter([(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY))]),
    };
    let bytes = bytes::Bytes::from(file.data.into_owned());
    Ok(file_response::respond(&bytes, head, &ask.method, &ask.headers))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_a_gap_is_text() {
        assert_eq!(escaped(r#"<a href="x">'&'"#), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
    }
}
