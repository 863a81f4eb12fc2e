//! What admins ask about the server as a whole: what it stores, how it runs, and with which settings.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use super::Registry;
use super::backup::{BackupsView, LastBackup};
use super::caller::Caller;
use super::refusal::Refusal;
use super::scrub::ScrubView;
use crate::model::{Durations, Scope, Timestamp, UserName};

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
    uploads: UnfinishedUploads,
    backup: BackupsView,
    scrub: ScrubView,
}

/// Resumable uploads that were begun and are not finished.
#[derive(Debug, Serialize)]
struct UnfinishedUploads {
    unfinished: u64,
    kept_bytes: u64,
}

/// What the server does and has, in numbers that are at hand.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Downloads that came to their end, since the start.
    pub downloads: u64,
    /// Update checks that were answered, since the start.
    pub update_checks: u64,
    /// Files that were published with their content, since the start.
    pub uploads: u64,
    /// Bytes of these.
    pub upload_bytes: u64,
    /// Releases that retention rules removed, since the start.
    pub retention_removed: u64,
    /// Bytes of their files.
    pub retention_removed_bytes: u64,
    /// When retention rules were last looked at.
    pub retention_run: Option<Timestamp>,
    /// The last backups.
    pub backup: LastBackup,
    /// What content was read again, and what was found.
    pub scrub: ScrubView,
    /// How long commits took, since the start.
    pub commits: Durations,
    /// Small jobs, and bulk, that wait for a commit.
    pub waiting: [usize; 2],
    /// Resumable uploads that are not finished, and the bytes kept of them.
    pub unfinished_uploads: (u64, u64),
    /// Files that hold blobs.
    pub volumes: u64,
    /// What they take on the disk, in bytes.
    pub volume_bytes: u64,
    /// What of it is referred to, in bytes.
    pub live_bytes: u64,
    /// What the file with everything but content takes, in bytes.
    pub entities_bytes: u64,
    /// What the disk has left, in bytes.
    pub disk_free_bytes: u64,
    /// What the disk has, in bytes.
    pub disk_bytes: u64,
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
        let usage = self.store.usage(true)?;
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

    /// What the server does and has. Blocks for moments. It tells of private packages too, if only sums, so it is for
    /// admins, by whichever of their tokens.
    ///
    /// # Errors
    /// If the caller is no admin, or a file cannot be read.
    pub fn figures(&self, caller: &Caller) -> Result<Figures, Refusal> {
        if !caller.user(Scope::Read)?.admin {
            return Err(Refusal::Forbidden("only admins may know all figures".to_owned()));
        }
        let usage = self.store.usage(false)?;
        let (commits, waiting) = self.store.pace();
        let totals = self.counters.totals();
        Ok(Figures {
            downloads: totals.downloads.load(Ordering::Relaxed),
            update_checks: totals.checks.load(Ordering::Relaxed),
            uploads: totals.uploads.load(Ordering::Relaxed),
            upload_bytes: totals.upload_bytes.load(Ordering::Relaxed),
            retention_removed: self.retention.removed.load(Ordering::Relaxed),
            retention_removed_bytes: self.retention.removed_bytes.load(Ordering::Relaxed),
            retention_run: self.store.read()?.retention_marks()?.map(|marks| marks.run),
            backup: self.backups.told(),
            scrub: self.scrub.told(),
            commits,
            waiting,
            unfinished_uploads: self.count_unfinished_uploads()?,
            volumes: usage.volumes.len() as u64,
            volume_bytes: usage.volumes.iter().map(|volume| volume.file_bytes).sum(),
            live_bytes: usage.volumes.iter().map(|volume| volume.live_bytes).sum(),
            entities_bytes: usage.entities_bytes,
            disk_free_bytes: usage.disk_free_bytes,
            disk_bytes: usage.disk_total_bytes,
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
        let rows = self.store.read()?;
        let (packages, releases, users) = rows.totals()?;
        let (unfinished, kept_bytes) = rows.unfinished_uploads()?;
        let uploads = UnfinishedUploads { unfinished, kept_bytes };
        let (serial, backup, scrub) = (self.index.serial().0, self.backups.view(), self.scrub.told());
        Ok(StatusView { ready: true, serial, packages, releases, users, uploads, backup, scrub })
    }
}
