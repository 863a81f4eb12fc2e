//! Fetches one archive into a file and verifies its size and digest on the way.

use std::io;
use std::path::Path;

use tokio::io::AsyncWriteExt;

use super::connection::Request;
use super::error::Failure;
use super::{Client, RequestError, Url};
use crate::model::Sha256;

/// Why an archive could not be had.
#[derive(Debug)]
pub(crate) enum ArchiveError {
    /// A request failed.
    Request(RequestError),
    /// What came is not what it should be; in what it differs.
    Different(String),
    /// The file could not be written.
    Disk(io::Error),
}

impl From<RequestError> for ArchiveError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

/// Writes what is at `url` to `path`, anew if something is there, if it is what was expected. Begins again where the
/// connection breaks. Durable when this returns.
///
/// # Errors
/// [`ArchiveError`]; what is at `path` then is worth nothing.
pub(crate) async fn fetch_archive(
    client: &Client,
    url: &Url,
    path: &Path,
    size_bytes: u64,
    sha256: Sha256,
) -> Result<(), ArchiveError> {
    let limits = client.limits();
    let mut attempt = 1;
    loop {
        match try_fetch(client, url, path, size_bytes, sha256).await {
            Err(ArchiveError::Request(error)) if error.is_connection() && attempt < limits.attempts_max => {
                tokio::time::sleep(limits.backoff_before(attempt)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Size and digest of the archive at `url`, of at most `bytes_max`, by fetching it. Begins again where the connection
/// breaks.
///
/// # Errors
/// If it cannot be fetched.
pub(crate) async fn measure(client: &Client, url: &Url, bytes_max: u64) -> Result<(u64, Sha256), RequestError> {
    let limits = client.limits();
    let mut attempt = 1;
    loop {
        match try_measure(client, url, bytes_max).await {
            Err(error) if error.is_connection() && attempt < limits.attempts_max => {
                tokio::time::sleep(limits.backoff_before(attempt)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn try_measure(client: &Client, url: &Url, bytes_max: u64) -> Result<(u64, Sha256), RequestError> {
    let mut body = client.ask(&Request::get(url.clone())).await?.body;
    body.check_declared(bytes_max)?;
    let mut sha256 = ring::digest::Context::new(&ring::digest::SHA256);
    while let Some(piece) = body.piece().await? {
        if body.received_bytes() > bytes_max {
            return Err(body.error(Failure::TooLarge { bytes_max }));
        }
        sha256.update(&piece);
    }
    Ok((body.received_bytes(), Sha256::from_ring(&sha256.finish())))
}

async fn try_fetch(
    client: &Client,
    url: &Url,
    path: &Path,
    expected: u64,
    expected_sha256: Sha256,
) -> Result<(), ArchiveError> {
    let mut body = client.ask(&Request::get(url.clone())).await?.body;
    if body.check_declared(expected).is_err() {
        return Err(ArchiveError::Different(format!("it has more than {expected} bytes")));
    }
    let mut file = tokio::fs::File::create(path).await.map_err(ArchiveError::Disk)?;
    let mut sha256 = ring::digest::Context::new(&ring::digest::SHA256);
    while let Some(piece) = body.piece().await? {
        if body.received_bytes() > expected {
            return Err(ArchiveError::Different(format!("it has more than {expected} bytes")));
        }
        sha256.update(&piece);
        file.write_all(&piece).await.map_err(ArchiveError::Disk)?;
    }
    let (received, sha256) = (body.received_bytes(), Sha256::from_ring(&sha256.finish()));
    if received != expected {
        return Err(ArchiveError::Different(format!("it has {received} bytes instead of {expected}")));
    }
    if sha256 != expected_sha256 {
        return Err(ArchiveError::Different(format!("its SHA-256 is {sha256} instead of {expected_sha256}")));
    }
    file.sync_all().await.map_err(ArchiveError::Disk)
}

/// The digest of a file's bytes.
pub(crate) fn sha256_of_file(path: &Path) -> io::Result<Sha256> {
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 256 << 10];
    let mut sha256 = ring::digest::Context::new(&ring::digest::SHA256);
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(Sha256::from_ring(&sha256.finish())),
            read => sha256.update(&buffer[..read]),
        }
    }
}
