//! A preview of what somebody writes.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::TEXT_JSON_BYTES_MAX;
use crate::http::app::{Answer, Ask};
use crate::http::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreviewBody {
    text: String,
}

pub(super) async fn preview(ask: Ask) -> Answer {
    let body: PreviewBody = json::read(ask.body, TEXT_JSON_BYTES_MAX).await?;
    let text = json::parse("text", &body.text)?;
    let html = ask.app.registry.preview_markdown(&ask.caller, &text)?;
    json::respond(StatusCode::OK, &json!({ "html": html }))
}
