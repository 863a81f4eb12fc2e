//! Publishes one file: its digest, the upload, what belongs to it, and only then the release becomes visible.
//!
//! Order matters. With a manifest or notes, a new release is made inactive, completed, and activated last, so that
//! nobody ever meets half of one. Every step states a result and not a change, so a run that broke, or that CI repeats,
//! is simply run again: equal bytes are a success, and a file that is there already is not sent a second time.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::connection::{Client, Request};
use super::error::RequestError;
use super::progress::{Progress, Task};
use super::resume::{self, RESUMABLE_BYTES_MIN, Sendable};
use super::upload::{FilePayload, Payload};
use super::url::{Url, encode};
use crate::model::{
    ChannelName, DisplayName, FileRole, FullName, Manifest, Markdown, MimeType, PlatformName, Sha256, Version,
};

/// RFC 9530 section 3.
pub(crate) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Bytes of the file read at a time for its digest.
const DIGEST_BYTES: usize = 256 << 10;

/// What to publish as what.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The package, which must exist.
    pub package: FullName,
    /// The version; its release is made if it is missing.
    pub version: Version,
    /// The channel, which must exist; the owner's default where none is named.
    pub channel: Option<ChannelName>,
    /// The platform.
    pub platform: PlatformName,
    /// The file.
    pub file: PathBuf,
    /// What it is called in the release.
    pub display_name: DisplayName,
    /// The archive's manifest.
    pub manifest: Option<Manifest>,
    /// The role of the file; without one, its name decides.
    pub role: Option<FileRole>,
    /// Release notes.
    pub notes: Option<Markdown>,
    /// Leave the release inactive.
    pub draft: bool,
    /// Make the platform if it is missing.
    pub create_platform: bool,
}

/// What a publication came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Whether the file is new; else the same bytes were there.
    pub is_new: bool,
    /// Whether the release is active now. A draft, or one whose time is set, is not.
    pub is_active: bool,
    /// The channel it is on.
    pub channel: ChannelName,
    /// Where the file can be downloaded.
    pub url: String,
    /// Digest of the file.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// What the registry has to say about where the version sorts.
    pub warnings: Vec<String>,
}

/// Why a publication failed. What was done up to then stays; running it again completes it.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// A request failed.
    #[error("{error}{}", advice(error, *uploaded))]
    Request {
        /// The request.
        error: RequestError,
        /// Whether the file itself had arrived.
        uploaded: bool,
    },
    /// Nobody says which channel is meant.
    #[error("the server does not say which channel is the default of {0}; name one with --channel")]
    NoChannel(FullName),
    /// A part of this program ended early.
    #[error("an internal task ended early: {0}")]
    Crashed(String),
}

fn advice(error: &RequestError, uploaded: bool) -> &'static str {
    match (error.status(), uploaded) {
        (Some(StatusCode::UNAUTHORIZED), _) => {
            "\nSet PACKHOUSE_TOKEN, or give --token-file, with a token that may publish"
        }
        (Some(StatusCode::NOT_FOUND), _) if error.to_string().contains("create_platform=true") => {
            "\nGive --create-platform if you mean a new platform"
        }
        (_, true) => "\nThe file itself has arrived; run the same command again to complete the release",
        _ => "",
    }
}

/// The part of a release that matters here.
#[derive(Debug, Default, Deserialize)]
struct Release {
    #[serde(default)]
    active: bool,
    #[serde(default)]
    publish_at: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    files: Vec<ReleaseFile>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ReleaseFile {
    platform: String,
    display_name: String,
    role: Option<String>,
    size: Option<u64>,
    sha256: Option<String>,
    url: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

/// What sending a file came to.
struct FileSent {
    is_new: bool,
    url: Option<String>,
    warnings: Vec<String>,
}

/// Publishes.
///
/// # Errors
/// [`PublishError`].
pub async fn publish(
    client: &Client,
    base: &Url,
    publication: &Publication,
    progress: Arc<dyn Progress>,
) -> Result<Published, PublishError> {
    let (sha256, size_bytes) = digest(&publication.file, Arc::clone(&progress)).await?;
    let channel = match &publication.channel {
        Some(channel) => channel.clone(),
        None => default_channel(client, base, &publication.package).await?,
    };
    let addresses = Addresses::new(base, publication, &channel);
    let job = Job { client, base, addresses, publication, channel: &channel, progress };
    let before = job.release().await.map_err(|error| PublishError::Request { error, uploaded: false })?;
    let sent = job.send_file(before.as_ref(), sha256, size_bytes).await;
    let FileSent { is_new, url, warnings } = sent.map_err(|error| PublishError::Request { error, uploaded: false })?;
    let completed = job.complete(before.as_ref()).await;
    let (is_active, told) = completed.map_err(|error| PublishError::Request { error, uploaded: true })?;
    let url = url.unwrap_or_else(|| job.addresses.file.to_string());
    // Making a release and activating it may warn of the same.
    let warnings = if told.is_empty() { warnings } else { told };
    Ok(Published { is_new, is_active, channel, url, sha256, size_bytes, warnings })
}

/// The channel that a package's owner publishes to if nothing else is said.
async fn default_channel(client: &Client, base: &Url, package: &FullName) -> Result<ChannelName, PublishError> {
    #[derive(Deserialize)]
    struct Package {
        #[serde(default)]
        default_channel: Option<String>,
    }
    let (namespace, name) = (package.namespace(), package.name());
    let path = format!("api/v1/packages/{}/{}", encode(namespace.as_str()), encode(name.as_str()));
    let asked = client.ask_json(&Request::get(base.join(&path))).await;
    let found: Package = asked.map_err(|error| PublishError::Request { error, uploaded: false })?;
    let channel = found.default_channel.and_then(|name| name.parse().ok());
    channel.ok_or_else(|| PublishError::NoChannel(package.clone()))
}

struct Job<'a> {
    client: &'a Client,
    base: &'a Url,
    addresses: Addresses,
    publication: &'a Publication,
    channel: &'a ChannelName,
    progress: Arc<dyn Progress>,
}

struct Addresses {
    release: Url,
    file: Url,
    upload: Url,
    manifest: Url,
}

impl Addresses {
    fn new(base: &Url, publication: &Publication, channel: &ChannelName) -> Self {
        let Publication { package, version, platform, display_name, .. } = publication;
        let release = base.join(&format!(
            "api/v1/packages/{}/{}/releases/{}/{}",
            encode(package.namespace().as_str()),
            encode(package.name().as_str()),
            encode(channel.as_str()),
            encode(version.as_str()),
        ));
        let file = release.join(&format!("/files/{}/{}", encode(platform.as_str()), encode(display_name.as_str())));
        let create = if publication.is_made_inactive() { "inactive" } else { "active" };
        let platform = if publication.create_platform { "&create_platform=true" } else { "" };
        let role = publication.role.map(|role| format!("&role={role}")).unwrap_or_default();
        let upload = file.join(&format!("?create={create}{platform}{role}"));
        let manifest = file.join("/manifest");
        Self { release, file, upload, manifest }
    }
}

impl Publication {
    /// Whether the release, if it is missing, must not be visible before all is there.
    fn is_made_inactive(&self) -> bool {
        self.draft || self.manifest.is_some() || self.notes.is_some()
    }
}

impl Job<'_> {
    /// The release as it is, or nothing if it is missing. Whether its package is missing as well, the upload will tell.
    async fn release(&self) -> Result<Option<Release>, RequestError> {
        let response = self.client.send(&Request::get(self.addresses.release.clone())).await?;
        if response.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        response.or_refusal().await?.json().await.map(Some)
    }

    /// Sends the file, unless the same bytes are there. Answers whether they are new, and their address.
    async fn send_file(
        &self,
        before: Option<&Release>,
        sha256: Sha256,
        size_bytes: u64,
    ) -> Result<FileSent, RequestError> {
        let Publication { file: path, platform, display_name, .. } = self.publication;
        let files = before.map_or(&[][..], |release| &release.files);
        let same_place =
            files.iter().find(|file| file.platform == platform.as_str() && file.display_name == display_name.as_str());
        if let Some(there) = same_place
            && there.size == Some(size_bytes)
            && there.sha256.as_deref().and_then(|digest| digest.parse().ok()) == Some(sha256)
        {
            if let Some(role) = self.publication.role.filter(|role| there.role.as_deref() != Some(role.as_str())) {
                let request = Request::new(Method::PATCH, self.addresses.file.clone());
                self.client.ask(&request.json(&json!({ "role": role.as_str() })).repeatable()).await?;
            }
            return Ok(FileSent { is_new: false, url: there.url.clone(), warnings: Vec::new() });
        }
        self.progress.begin(Task::Upload { bytes: size_bytes });
        if size_bytes >= RESUMABLE_BYTES_MIN
            && let Some(sent) = resume::send(self.client, self.base, &self.sendable(sha256, size_bytes)).await?
        {
            return Ok(FileSent { is_new: sent.is_new, url: sent.url, warnings: sent.warnings });
        }
        let payload =
            FilePayload { path: path.clone(), offset_bytes: 0, size_bytes, progress: Arc::clone(&self.progress) };
        let request = Request::new(Method::PUT, self.addresses.upload.clone())
            .header(CONTENT_TYPE, header_text(MimeType::by_name(display_name).as_str()))
            .header(REPR_DIGEST, repr_digest(sha256))
            .payload(Payload::File(payload));
        let response = self.client.ask(&request).await?;
        let is_new = response.status == StatusCode::CREATED;
        let file: ReleaseFile = response.json().await?;
        Ok(FileSent { is_new, url: file.url, warnings: file.warnings })
    }

    fn sendable(&self, sha256: Sha256, size_bytes: u64) -> Sendable<'_> {
        let Publication { package, version, platform, display_name, .. } = self.publication;
        let mut said = vec![
            ("package", package.as_str()),
            ("channel", self.channel.as_str()),
            ("version", version.as_str()),
            ("platform", platform.as_str()),
            ("filename", display_name.as_str()),
            ("create", if self.publication.is_made_inactive() { "inactive" } else { "active" }),
            ("create_platform", if self.publication.create_platform { "true" } else { "false" }),
        ];
        said.extend(self.publication.role.map(|role| ("role", role.as_str())));
        let path = self.publication.file.clone();
        Sendable { path, size_bytes, sha256, said, progress: Arc::clone(&self.progress) }
    }

    /// Adds manifest and notes, and makes the release active if it is to be. Answers whether it is, and what the
    /// registry says of its version.
    async fn complete(&self, before: Option<&Release>) -> Result<(bool, Vec<String>), RequestError> {
        let publication = self.publication;
        if let Some(manifest) = &publication.manifest {
            let request = Request::new(Method::PUT, self.addresses.manifest.clone())
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .payload(Payload::Bytes(manifest.to_text().into()));
            self.client.ask(&request).await?;
        }
        if let Some(notes) = &publication.notes
            && before.and_then(|release| release.description.as_deref()) != Some(notes.as_str())
        {
            self.change_release(&json!({ "description": notes.as_str() })).await?;
        }
        let is_active = match before {
            Some(release) => release.active,
            None => !publication.is_made_inactive(),
        };
        // A release whose time is set becomes active by itself, then and not now.
        let is_scheduled = before.is_some_and(|release| release.publish_at.is_some());
        if is_active || publication.draft || is_scheduled {
            return Ok((is_active, Vec::new()));
        }
        let release = self.change_release(&json!({ "active": true })).await?;
        Ok((true, release.warnings))
    }

    async fn change_release(&self, change: &serde_json::Value) -> Result<Release, RequestError> {
        let request = Request::new(Method::PATCH, self.addresses.release.clone()).json(change).repeatable();
        self.client.ask(&request).await?.json().await
    }
}

/// Digest and length of a file. It is read before it is sent, so that the server can verify it as it comes, and so that
/// nothing need be sent that is there.
async fn digest(path: &Path, progress: Arc<dyn Progress>) -> Result<(Sha256, u64), PublishError> {
    let failed = |path: &Path, source| PublishError::File { path: path.to_owned(), source };
    let owned = path.to_owned();
    let read = move || -> io::Result<(Sha256, u64)> {
        let mut file = File::open(&owned)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("this is no file; pack a folder into an archive first"));
        }
        progress.begin(Task::Digest { bytes: metadata.len() });
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        let mut buffer = vec![0; DIGEST_BYTES];
        let mut size_bytes = 0;
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                return Ok((Sha256::from_ring(&context.finish()), size_bytes));
            }
            context.update(&buffer[..n]);
            size_bytes += n as u64;
            progress.reached(size_bytes);
        }
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| PublishError::Crashed(error.to_string()))?;
    read.map_err(|source| failed(path, source))
}

/// A digest as a structured field of bytes (RFC 9530 section 3, RFC 9651 section 3.3.5).
pub(crate) fn repr_digest(sha256: Sha256) -> HeaderValue {
    let value = format!("sha-256=:{}:", base64(sha256.as_bytes()));
    // Only letters, digits and `=:+/-`: always a field value.
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

/// A text that is a field value; only letters, digits and signs are.
fn header_text(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// Base64 with padding (RFC 4648 section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize] as char;
            text.push(if at <= group.len() { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
