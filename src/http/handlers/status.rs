//! What operators and their programs ask: does it live, is it ready, what has it done.

use std::fmt::Write;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::NO_STORE;
use crate::http::Body;
use crate::http::app::{Answer, Ask};
use crate::http::json;

pub(super) fn healthz() -> Answer {
    json::respond(StatusCode::OK, &json!({ "alive": true }))
}

/// Whoever asks before the index is loaded is answered by `http::front`.
pub(super) fn readyz(ask: &Ask) -> Answer {
    let status = ask.registry().status();
    json::respond(StatusCode::OK, &json!({ "ready": true, "serial": status.serial, "packages": status.packages }))
}

pub(super) fn metrics(ask: &Ask) -> Answer {
    let status = ask.registry().status();
    let mut text = ask.app.metrics.to_text();
    let (uploads, upload_bytes) = ask.registry().count_unfinished_uploads()?;
    for (name, help, value) in [
        ("packhouse_index_serial", "Serial of the public index, in microseconds.", status.serial),
        ("packhouse_packages", "Public packages in the index.", status.packages),
        ("packhouse_blob_volumes", "Files that hold blobs.", status.volumes),
        ("packhouse_event_listeners", "Clients that listen to events.", ask.registry().listeners() as u64),
        ("packhouse_uploads_unfinished", "Resumable uploads that are not finished.", uploads),
        ("packhouse_uploads_unfinished_bytes", "Bytes kept of them.", upload_bytes),
    ] {
        // Writing to a string does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    let mut response = Response::new(Body::full(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    Ok(response)
}
