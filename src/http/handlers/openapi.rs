//! The API's own description.

use http::HeaderValue;
use http::header::HeaderMap;

use crate::http::app::{Answer, Ask};
use crate::http::conditional::Validators;
use crate::http::etag::ETag;
use crate::http::file_response::{self, FileHead};
use crate::http::openapi;
use crate::http::problem::Problem;
use crate::model::Crc32;

pub(super) fn document(ask: &Ask) -> Answer {
    let text = openapi::document().map_err(|problem| Problem::internal_because(&problem))?;
    let etag =
        ETag::strong(format!("{}-{}", Crc32::of(&text), text.len())).map_err(|error| Problem::internal(&error))?;
    let head = FileHead {
        validators: Validators { etag: Some(etag), last_modified: None },
        content_type: HeaderValue::from_static("application/json"),
        cache_control: HeaderValue::from_static("no-cache"),
        vary: None,
        content_headers: HeaderMap::new(),
    };
    Ok(file_response::respond(&text, head, &ask.method, &ask.headers))
}
