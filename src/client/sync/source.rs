//! Where a sync learns what there is now, whatever there was before: `registry.gz`, asked for only if it changed.

use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, StatusCode};

use super::SyncError;
use super::limits::SyncLimits;
use super::registry::Registry;
use crate::client::body::Response;
use crate::client::connection::Request;
use crate::client::gzip::gunzip;
use crate::client::json_depth::JsonDepth;
use crate::client::{Client, Url};

/// What a registry answers when it is asked what there is.
pub(crate) enum Answer {
    /// Nothing changed since the state whose tag was given.
    Unchanged,
    /// The view as it is now.
    View(Box<View>),
}

/// One state of a view.
pub(crate) struct View {
    pub(crate) registry: Registry,
    /// The text kept as `registry.json`.
    pub(crate) text: Vec<u8>,
    /// By which the server knows this state's `registry.gz` again.
    pub(crate) etag: Option<String>,
    /// Whether everybody gets this state.
    pub(crate) is_public: bool,
}

/// Reads `registry.gz`.
pub(crate) struct RegistryFile<'a> {
    pub(crate) client: &'a Client,
    pub(crate) root: &'a Url,
    pub(crate) limits: &'a SyncLimits,
}

impl RegistryFile<'_> {
    /// The latest state, or that it is still the one with the tag `known`.
    pub(crate) async fn latest(&self, known: Option<&str>) -> Result<Answer, SyncError> {
        let mut request = Request::get(self.root.join("registry.gz"));
        if let Some(value) = known.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            request = request.header(IF_NONE_MATCH, value);
        }
        let response = self.client.ask(&request).await.map_err(|error| match error.status() {
            Some(StatusCode::NOT_FOUND) => SyncError::NoRegistry(error),
            _ => SyncError::Request(error),
        })?;
        if response.status == StatusCode::NOT_MODIFIED && known.is_some() {
            return Ok(Answer::Unchanged);
        }
        let etag = response.header(ETAG).map(str::to_owned);
        let is_public = is_for_everybody(&response);
        let compressed = response.body.collect(self.limits.registry_gz_bytes_max).await?;
        let limits = self.limits.clone();
        let view = super::blocking(move || {
            let (text, _) = gunzip(&compressed, limits.registry_bytes_max)
                .map_err(|source| SyncError::File { file: "registry.gz".to_owned(), source })?;
            JsonDepth::default().pass(&text, limits.json_depth_max).map_err(SyncError::registry)?;
            let registry = Registry::parse(&text, limits.files_max).map_err(SyncError::registry)?;
            Ok(Box::new(View { registry, text, etag, is_public }))
        })
        .await?;
        Ok(Answer::View(view))
    }
}

/// Whether everybody gets this answer. What a token opens is told from that by `private` alone (RFC 9111 section
/// 5.2.2.7).
pub(crate) fn is_for_everybody(response: &Response) -> bool {
    let control = response.header(CACHE_CONTROL).unwrap_or_default().to_ascii_lowercase();
    !control.split(',').any(|directive| directive.trim().starts_with("private"))
}
