//! Server-sent events (the HTML standard, section 9.2): what changed, as it changes.

use std::fmt::Write;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response};

use crate::http::Body;
use crate::http::app::{Answer, Ask};
use crate::service::News;

/// How long a client waits before it comes back, in milliseconds.
const RETRY_MS: u32 = 2000;
const LAST_EVENT_ID: &str = "last-event-id";
/// Asks proxies in front not to hold answers back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Tells what changes until the client leaves. `Last-Event-ID`, or `since` in the query, is where it left before.
pub(super) fn events(ask: Ask) -> Answer {
    let header = ask.headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    // One that is no serial of ours is told to look at everything again.
    let since = header.or(ask.query.exact("since")).map(|text| text.parse().unwrap_or(0));
    let listener = ask.app.registry.listen(ask.credentials, &ask.caller, since)?;
    let told = stream::unfold((listener, true), |(mut listener, first)| async move {
        let news = listener.next().await?;
        Some((Ok(Bytes::from(text(&news, first))), (listener, false)))
    });
    let mut response = Response::new(Body::stream(None, told));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// The serial comes with the last event alone, so that whoever was cut off in between hears the others once more.
fn text(news: &News, first: bool) -> String {
    let mut text = if first { format!("retry: {RETRY_MS}\n\n") } else { String::new() };
    let last = news.events.len().saturating_sub(1);
    for (at, event) in news.events.iter().enumerate() {
        // Writing to a string does not fail. JSON without indentation has no line breaks.
        if at == last {
            let _ = writeln!(text, "id: {}", news.serial);
        }
        let _ = write!(text, "event: {}\ndata: {}\n\n", event.name, event.data);
    }
    if news.events.is_empty() {
        let _ = write!(text, ": still here\nid: {}\n\n", news.serial);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Event;

    #[test]
    fn the_serial_comes_last() {
        let event = |name| Event { name, data: json!({ "package": "omni.kit" }) };
        let news = News { serial: 7, events: vec![event("package"), event("release")] };
        assert_eq!(
            text(&news, true),
            "retry: 2000\n\nevent: package\ndata: {\"package\":\"omni.kit\"}\n\n\
             id: 7\nevent: release\ndata: {\"package\":\"omni.kit\"}\n\n"
        );
        assert_eq!(text(&News { serial: 8, events: Vec::new() }, false), ": still here\nid: 8\n\n");
    }
}
