//! What admins ask about the server as a whole: what it stores, how it runs, and with which settings.

use std::sync::Arc;

use serde::Serialize;

use super::Registry;
use super::backup::LastBackup;
use super::caller::Caller;
use super::refusal::Refusal;
use crate::model::{Timestamp, UserName};

/// What is stored, and what room there is.
#[derive(Debug, Serialize)]
pub struct StorageView {
    disk_free_bytes: u64,
    disk_total_bytes: u64,
    entities_bytes: u64,
    volumes: Vec<VolumeView>,
    blobs: u64,
    blob_bytes: u64,
    users: Vec<UserStorage>,
}

/// A file of content.
#[derive(Debug, Serialize)]
struct VolumeView {
    number: u32,
    sealed: bool,
    size_bytes: u64,
    live_bytes: u64,
}

/// What the packages of a user hold.
#[derive(Debug, Serialize)]
struct UserStorage {
    name: UserName,
    stored_bytes: u64,
    quota_bytes: Option<u64>,
}

/// How the server runs.
#[derive(Debug, Serialize)]
pub struct StatusView {
    ready: bool,
    serial: u64,
    packages: u64,
    releases: u64,
    users: u64,
    backup: LastBackup,
}

/// A setting as it holds.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// Its name, that of its flag.
    pub name: &'static str,
    /// Its value, as it would be written; null where there is none.
    pub value: Option<String>,
    /// Where it comes from: `default`, `flag`, `environment` or `file`.
    pub source: &'static str,
}

/// The settings with which the server runs. None of them is secret.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// The server's version.
    pub version: &'static str,
    /// When it started.
    pub started: Timestamp,
    /// All of them.
    pub items: Vec<Setting>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { version: env!("CARGO_PKG_VERSION"), started: Timestamp::from_micros(0), items: Vec::new() }
    }
}

impl Registry {
    /// Counts what is stored.
    ///
    /// # Errors
    /// If the caller is no admin, or a file cannot be read.
    pub async fn storage(self: &Arc<Self>, caller: &Caller) -> Result<StorageView, Refusal> {
        caller.admin()?;
        let registry = Arc::clone(self);
        // About a second per million blobs.
        let counted = tokio::task::spawn_blocking(move || registry.count_storage()).await;
        counted.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))?
    }

    fn count_storage(&self) -> Result<StorageView, Refusal> {
        let usage = self.store.usage()?;
        let rows = self.store.read()?;
        let mut users = Vec::new();
        for user in rows.users_after("", usize::MAX)? {
            let stored_bytes = rows.stored_bytes(user.id)?;
            users.push(UserStorage { name: user.name, stored_bytes, quota_bytes: user.quota_bytes });
        }
        let volumes = usage.volumes.into_iter().map(|volume| VolumeView {
            number: volume.number,
            sealed: !volume.active,
            size_bytes: volume.file_bytes,
            live_bytes: volume.live_bytes,
        });
        Ok(StorageView {
            disk_free_bytes: usage.disk_free_bytes,
            disk_total_bytes: usage.disk_total_bytes,
            entities_bytes: usage.entities_bytes,
            volumes: volumes.collect(),
            blobs: usage.blobs,
            blob_bytes: usage.blob_bytes,
            users,
        })
    }

    /// Refuses whoever is no admin.
    ///
    /// # Errors
    /// Just that.
    pub fn require_admin(&self, caller: &Caller) -> Result<(), Refusal> {
        caller.admin().map(|_| ())
    }

    /// How the server runs, as far as the registry knows.
    ///
    /// # Errors
    /// If the caller is no admin.
    pub fn status_view(&self, caller: &Caller) -> Result<StatusView, Refusal> {
        caller.admin()?;
        let (packages, releases, users) = self.store.read()?.totals()?;
        let backup = self.backups.told();
        Ok(StatusView { ready: true, serial: self.index.serial().0, packages, releases, users, backup })
    }
}
