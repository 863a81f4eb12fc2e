//! Sends a large file so that a break costs little (tus 1.0.0): within one run, and from one run to the next.
//!
//! What the registry has of the file is asked of the registry itself, where unfinished uploads are found by what they
//! are to become and by their digest. So nothing is remembered here, and a run on another machine goes on as well.

use std::path::PathBuf;
use std::sync::Arc;

use http::header::{CONTENT_LOCATION, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;

use super::body::Response;
use super::connection::{Client, Request};
use super::error::{Failure, RequestError};
use super::progress::Progress;
use super::upload::{FilePayload, Payload};
use super::url::{Url, encode};
use crate::model::Sha256;

/// Files from this size on are sent so, in bytes: for smaller ones it would only be more requests.
pub(super) const RESUMABLE_BYTES_MIN: u64 = 8 << 20;

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const OUTCOME: HeaderName = HeaderName::from_static("packhouse-outcome");
const WARNING: HeaderName = HeaderName::from_static("packhouse-warning");
const TUS_VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

/// A file to send, and what it is to become.
pub(super) struct Sendable<'a> {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
    pub(super) sha256: Sha256,
    /// `package`, `channel`, `version`, `platform`, `filename`, `filetype` and `create`.
    pub(super) said: Vec<(&'static str, &'a str)>,
    pub(super) progress: Arc<dyn Progress>,
}

/// What came of it.
pub(super) struct Sent {
    /// Whether the file is new.
    pub(super) is_new: bool,
    /// Where it can be downloaded, if the registry said so.
    pub(super) url: Option<String>,
    /// What the registry has to say about where the version sorts.
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Unfinished {
    items: Vec<UnfinishedUpload>,
}

#[derive(Deserialize)]
struct UnfinishedUpload {
    id: u64,
    package: String,
    channel: String,
    version: String,
    platform: String,
    filename: String,
    size: u64,
    sha256: Option<String>,
}

/// Sends a file, going on where an earlier run or request was cut off. Answers nothing where the registry, an older
/// one, cannot do this.
///
/// # Errors
/// If it is refused, or the connection breaks too often without getting on.
pub(super) async fn send(client: &Client, base: &Url, file: &Sendable<'_>) -> Result<Option<Sent>, RequestError> {
    let uploads = base.join("api/v1/uploads");
    let listed = client.send(&Request::get(uploads.clone())).await?;
    if matches!(listed.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        return Ok(None);
    }
    let unfinished: Unfinished = listed.or_refusal().await?.json().await?;
    let mut place = match unfinished.items.iter().find(|upload| file.is(upload)) {
        Some(upload) => uploads.join(&format!("/{}", upload.id)),
        None => begin(client, &uploads, file).await?,
    };
    let limits = client.limits();
    let (mut attempt, mut best) = (0, 0);
    loop {
        let (error, cure) = match go_on(client, &place, file, &mut best, &mut attempt).await {
            Ok(sent) => return Ok(Some(sent)),
            Err(broken) => broken,
        };
        attempt += 1;
        if cure == Cure::None || attempt >= limits.attempts_max {
            return Err(error);
        }
        tokio::time::sleep(limits.backoff_before(attempt)).await;
        if cure == Cure::BeginAgain {
            place = begin(client, &uploads, file).await?;
        }
    }
}

/// What may help after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cure {
    None,
    GoOn,
    /// The upload expired, or was given up.
    BeginAgain,
}

impl Cure {
    fn of(error: &RequestError) -> Self {
        match error.status().map(|status| status.as_u16()) {
            Some(423 | 429 | 502..=504) => Self::GoOn,
            Some(410) => Self::BeginAgain,
            None if error.is_connection() => Self::GoOn,
            _ => Self::None,
        }
    }
}

async fn begin(client: &Client, uploads: &Url, file: &Sendable<'_>) -> Result<Url, RequestError> {
    let metadata = HeaderValue::try_from(file.metadata());
    let metadata = metadata.map_err(|error| {
        RequestError::new(&Method::POST, uploads, Failure::Declined(format!("the metadata cannot be sent: {error}")))
    })?;
    let request = tus(Method::POST, uploads.clone())
        .header(UPLOAD_LENGTH, HeaderValue::from(file.size_bytes))
        .header(UPLOAD_METADATA, metadata);
    let begun = client.ask(&request).await?;
    let id = begun.header(LOCATION).and_then(|place| place.rsplit('/').next()?.parse::<u64>().ok());
    let id = id.ok_or_else(|| unreadable(&Method::POST, uploads, "it does not say where the upload is"))?;
    Ok(uploads.join(&format!("/{}", encode(&id.to_string()))))
}

/// Sends what the registry does not have yet.
async fn go_on(
    client: &Client,
    place: &Url,
    file: &Sendable<'_>,
    best: &mut u64,
    attempt: &mut u32,
) -> Result<Sent, (RequestError, Cure)> {
    let with_cure = |error: RequestError| {
        let cure = Cure::of(&error);
        (error, cure)
    };
    let state = client.ask(&tus(Method::HEAD, place.clone())).await.map_err(|error| match error.status() {
        Some(StatusCode::NOT_FOUND) => (error, Cure::BeginAgain),
        _ => with_cure(error),
    })?;
    let offset = offset(&state).filter(|offset| *offset <= file.size_bytes);
    let unsaid = || (unreadable(&Method::HEAD, place, "it does not say how far the upload is"), Cure::None);
    let offset = offset.ok_or_else(unsaid)?;
    drop(state);
    if offset > *best {
        // It gets on, however often it breaks.
        (*best, *attempt) = (offset, 0);
    }
    if offset == file.size_bytes {
        // The answer to the last bytes was lost.
        return Ok(Sent { is_new: true, url: None, warnings: Vec::new() });
    }
    let payload = FilePayload {
        path: file.path.clone(),
        offset_bytes: offset,
        size_bytes: file.size_bytes,
        progress: Arc::clone(&file.progress),
    };
    let request = tus(Method::PATCH, place.clone())
        .header(UPLOAD_OFFSET, HeaderValue::from(offset))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/offset+octet-stream"))
        .payload(Payload::File(payload));
    let answer = client.send(&request).await.map_err(with_cure)?;
    // A conflict about the offset names the right one; any other is that of the file itself.
    let is_elsewhere = answer.status == StatusCode::CONFLICT && answer.header(UPLOAD_OFFSET).is_some();
    let answer = answer.or_refusal().await.map_err(|error| match is_elsewhere {
        true => (error, Cure::GoOn),
        false => with_cure(error),
    })?;
    let url = answer.header(CONTENT_LOCATION).map(str::to_owned);
    let warnings = answer.headers_of(&WARNING).map(str::to_owned).collect();
    Ok(Sent { is_new: answer.header(OUTCOME) == Some("created"), url, warnings })
}

fn tus(method: Method, url: Url) -> Request {
    Request::new(method, url).header(TUS_RESUMABLE, TUS_VERSION)
}

fn offset(answer: &Response) -> Option<u64> {
    answer.header(UPLOAD_OFFSET)?.parse().ok()
}

fn unreadable(method: &Method, url: &Url, why: &str) -> RequestError {
    RequestError::new(method, url, Failure::Unreadable(why.to_owned()))
}

impl Sendable<'_> {
    fn is(&self, upload: &UnfinishedUpload) -> bool {
        let said = |wanted: &str| self.said.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| *value);
        upload.package == said("package")
            && upload.channel == said("channel")
            && upload.version == said("version")
            && upload.platform == said("platform")
            && upload.filename == said("filename")
            && upload.size == self.size_bytes
            && upload.sha256.as_ref().and_then(|digest| digest.parse().ok()) == Some(self.sha256)
    }

    fn metadata(&self) -> String {
        let sha256 = self.sha256.to_string();
        let pairs = self.said.iter().copied().chain([("sha256", sha256.as_str())]);
        let pairs = pairs.map(|(name, value)| format!("{name} {}", super::publish::base64(value.as_bytes())));
        pairs.collect::<Vec<_>>().join(",")
    }
}
