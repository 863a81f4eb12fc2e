//! Fetching a backup of a running server.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;

use super::body::Body;
use super::connection::{Client, Request};
use super::error::RequestError;
use super::url::Url;
use crate::model::Sha256;

/// A backup that is coming.
pub struct IncomingBackup {
    /// Its length, where the server says it.
    pub len_bytes: Option<u64>,
    /// Its bytes.
    pub body: Body,
}

/// Asks the server at `root` for a backup, without the sealed volumes that are in `known` with their digests.
///
/// # Errors
/// If there is no answer, or the server refuses.
pub async fn fetch_backup(
    client: &Client,
    root: &Url,
    known: &BTreeMap<u32, Sha256>,
) -> Result<IncomingBackup, RequestError> {
    let url = root.join("api/v1/admin/backup");
    let request = if known.is_empty() {
        Request::get(url)
    } else {
        let volumes = known.iter().map(|(number, sha256)| json!({ "number": number, "sha256": sha256.to_string() }));
        Request::new(Method::POST, url).json(&json!({ "volumes": volumes.collect::<Vec<_>>() }))
    };
    let response = client.ask(&request).await?;
    let len_bytes = response.header(http::header::CONTENT_LENGTH).and_then(|text| text.parse().ok());
    Ok(IncomingBackup { len_bytes, body: response.body })
}
