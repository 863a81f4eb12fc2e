//! Fetches one archive into a file and verifies its size and digest on the way.

use std::path::Path;

use tokio::io::AsyncWriteExt;

use super::{InstallError, Locked};
use crate::client::connection::Request;
use crate::client::{Client, RequestError, Url};
use crate::model::Sha256;

/// One archive to fetch.
pub(super) struct Fetcher<'a> {
    pub(super) client: &'a Client,
    pub(super) locked: &'a Locked,
    pub(super) url: &'a Url,
}

/// How a try failed.
enum Failed {
    Request(RequestError),
    Install(InstallError),
}

impl From<RequestError> for Failed {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl Fetcher<'_> {
    /// Writes the archive to `path`, anew if something is there. Begins again where the connection breaks.
    pub(super) async fn fetch(&self, path: &Path) -> Result<(), InstallError> {
        let limits = self.client.limits();
        let mut attempt = 1;
        loop {
            match self.try_fetch(path).await {
                Ok(()) => return Ok(()),
                Err(Failed::Request(error)) if error.is_connection() && attempt < limits.attempts_max => {
                    tokio::time::sleep(limits.backoff_before(attempt)).await;
                    attempt += 1;
                }
                Err(Failed::Request(source)) => {
                    return Err(InstallError::Request { package: self.package(), source: Box::new(source) });
                }
                Err(Failed::Install(error)) => return Err(error),
            }
        }
    }

    async fn try_fetch(&self, path: &Path) -> Result<(), Failed> {
        let expected = self.locked.size_bytes;
        let mut body = self.client.ask(&Request::get(self.url.clone())).await?.body;
        if body.check_declared(expected).is_err() {
            return Err(self.different(format!("it has more than {expected} bytes")));
        }
        let disk = |error| Failed::Install(InstallError::disk(path)(error));
        let mut file = tokio::fs::File::create(path).await.map_err(disk)?;
        let mut sha256 = ring::digest::Context::new(&ring::digest::SHA256);
        while let Some(piece) = body.piece().await? {
            if body.received_bytes() > expected {
                return Err(self.different(format!("it has more than {expected} bytes")));
            }
            sha256.update(&piece);
            file.write_all(&piece).await.map_err(disk)?;
        }
        let (received, sha256) = (body.received_bytes(), Sha256::from_ring(&sha256.finish()));
        if received != expected {
            return Err(self.different(format!("it has {received} bytes instead of {expected}")));
        }
        if sha256 != self.locked.sha256 {
            return Err(self.different(format!("its SHA-256 is {sha256} instead of {}", self.locked.sha256)));
        }
        file.sync_all().await.map_err(disk)
    }

    fn different(&self, difference: String) -> Failed {
        let (package, url) = (self.package(), Box::new(self.url.clone()));
        Failed::Install(InstallError::Different { package, url, difference })
    }

    fn package(&self) -> String {
        format!("{} {}", self.locked.name, self.locked.id)
    }
}
