//! Fetches one archive into a file and verifies its size and digest on the way.

use std::path::Path;

use super::{InstallError, Locked};
use crate::client::archive::{ArchiveError, fetch_archive};
use crate::client::{Client, Url};

/// One archive to fetch.
pub(super) struct Fetcher<'a> {
    pub(super) client: &'a Client,
    pub(super) locked: &'a Locked,
    pub(super) url: &'a Url,
}

impl Fetcher<'_> {
    /// Writes the archive to `path`, anew if something is there. Begins again where the connection breaks.
    pub(super) async fn fetch(&self, path: &Path) -> Result<(), InstallError> {
        let Self { client, locked, url } = self;
        let fetched = fetch_archive(client, url, path, locked.size_bytes, locked.sha256).await;
        let package = || format!("{} {}", locked.name, locked.id);
        fetched.map_err(|error| match error {
            ArchiveError::Request(source) => InstallError::Request { package: package(), source: Box::new(source) },
            ArchiveError::Different(difference) => {
                InstallError::Different { package: package(), url: Box::new((*url).clone()), difference }
            }
            ArchiveError::Disk(error) => InstallError::disk(path)(error),
        })
    }
}
