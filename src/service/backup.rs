//! Backups of a running registry: who may have one, one at a time, and what the last one was.
//!
//! The bytes are the store's; see `store::backup`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Registry;
use super::caller::Caller;
use super::deed::{About, Deed};
use super::refusal::Refusal;
use crate::model::{AuditAction, Sha256, Timestamp};
use crate::store::backup::{Backup, Manifest};
use crate::store::{StorageError, Store};

/// Backups at one time: each keeps the collector waiting.
const RUNNING_MAX: usize = 1;
/// How long a backup may be slow before it is judged.
const PATIENCE: Duration = Duration::from_secs(60);
/// The slowest pace at which a backup may be fetched, in bytes per second: what is deleted stays on the disk meanwhile.
const RATE_BYTES_MIN: u64 = 32 << 10;

/// The backups of a registry.
#[derive(Debug)]
pub(super) struct Backups {
    places: Arc<Semaphore>,
    last: Mutex<LastBackup>,
    scheduled: Mutex<Option<ScheduledBackup>>,
}

/// What there is to know of the backups.
#[derive(Debug, Clone, Serialize)]
pub(super) struct BackupsView {
    #[serde(flatten)]
    last: LastBackup,
    scheduled: Option<ScheduledBackup>,
}

/// The backups that the server makes by itself.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ScheduledBackup {
    /// When the newest one in their folder was made, by whichever run of the server.
    pub(super) newest: Option<Timestamp>,
    /// When the next one is made; nothing while one is.
    pub(super) next: Option<Timestamp>,
}

/// What the last backups were.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LastBackup {
    /// When the last one was complete that this run of the server made.
    pub finished: Option<Timestamp>,
    /// The serial of that one.
    pub serial: Option<u64>,
    /// When the last one failed, if none was complete since.
    pub failed: Option<Timestamp>,
    /// Why it failed.
    pub problem: Option<String>,
}

impl Default for Backups {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(RUNNING_MAX)), last: Mutex::default(), scheduled: Mutex::default() }
    }
}

impl Backups {
    fn last(&self) -> MutexGuard<'_, LastBackup> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last backups were.
    pub(super) fn told(&self) -> LastBackup {
        self.last().clone()
    }

    /// The same, with those that are to come.
    pub(super) fn view(&self) -> BackupsView {
        let scheduled = self.scheduled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        BackupsView { last: self.told(), scheduled }
    }

    /// Notes when the server is to make backups; nothing where it makes none by itself.
    pub(super) fn schedule(&self, scheduled: Option<ScheduledBackup>) {
        *self.scheduled.lock().unwrap_or_else(PoisonError::into_inner) = scheduled;
    }
}

/// A backup that is being given out.
pub struct RunningBackup {
    backup: Option<Backup>,
    manifest: Manifest,
    len_bytes: u64,
    given_bytes: u64,
    started: Instant,
    registry: Arc<Registry>,
    finished: bool,
    _place: OwnedSemaphorePermit,
}

impl Registry {
    /// Begins a backup of this moment. Sealed volumes that are in `known` with their digests are left out.
    ///
    /// # Errors
    /// If the caller is no admin, another backup is running, or there is no room for a copy of what changes meanwhile.
    pub async fn begin_backup(
        self: &Arc<Self>,
        caller: &Caller,
        known: BTreeMap<u32, Sha256>,
    ) -> Result<RunningBackup, Refusal> {
        caller.admin()?;
        self.begin_backup_as(self.deed(caller), known).await
    }

    /// Begins a backup for the server itself, or for its operator on the command line.
    ///
    /// # Errors
    /// As [`Registry::begin_backup`].
    pub async fn begin_own_backup(self: &Arc<Self>, known: BTreeMap<u32, Sha256>) -> Result<RunningBackup, Refusal> {
        self.begin_backup_as(self.own_deed(), known).await
    }

    async fn begin_backup_as(
        self: &Arc<Self>,
        deed: Deed,
        known: BTreeMap<u32, Sha256>,
    ) -> Result<RunningBackup, Refusal> {
        let place = Arc::clone(&self.backups.places).try_acquire_owned().map_err(|_| {
            Refusal::conflict("another backup is running, and there is one at a time; try again when it is done")
        })?;
        let (store, made) = (Arc::clone(&self.store), self.clock.now());
        let begun = tokio::task::spawn_blocking(move || begin(&store, &known, made)).await;
        let begun = begun.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))?;
        let (backup, len_bytes) = begun.map_err(|error| {
            self.note_failed_backup(&error);
            Refusal::from(error)
        })?;
        let manifest = backup.manifest().clone();
        let about = format!("serial {}, {len_bytes} bytes", manifest.serial);
        self.store
            .write(move |edit| {
                Ok::<_, Refusal>(deed.note(edit, AuditAction::BackupMade, About::default().detail(&about))?)
            })
            .await?;
        Ok(RunningBackup {
            backup: Some(backup),
            manifest,
            len_bytes,
            given_bytes: 0,
            started: Instant::now(),
            registry: Arc::clone(self),
            finished: false,
            _place: place,
        })
    }

    /// Remembers why there is no backup.
    pub(super) fn note_failed_backup(&self, problem: &dyn std::fmt::Display) {
        let problem = problem.to_string();
        tracing::error!(problem, "a backup failed");
        let mut last = self.backups.last();
        last.failed = Some(self.clock.now());
        last.problem = Some(problem);
    }
}

fn begin(store: &Store, known: &BTreeMap<u32, Sha256>, made: Timestamp) -> Result<(Backup, u64), StorageError> {
    let backup = store.begin_backup(known, made)?;
    let len_bytes = backup.len_bytes()?;
    Ok((backup, len_bytes))
}

impl RunningBackup {
    /// What is in it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bytes of the whole.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// The next bytes, or nothing at the end. Nothing is read before it is asked for.
    ///
    /// # Errors
    /// Those of the files, and [`Refusal::Unavailable`] if whoever fetches it is too slow.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let elapsed = self.started.elapsed();
        if elapsed > PATIENCE && self.given_bytes < RATE_BYTES_MIN.saturating_mul(elapsed.as_secs()) {
            return Err(Refusal::Unavailable(format!(
                "the backup was fetched more slowly than {RATE_BYTES_MIN} bytes a second, and was given up"
            )));
        }
        let Some(mut backup) = self.backup.take() else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            let piece = backup.next_piece();
            (backup, piece)
        });
        let (backup, piece) = read.await.map_err(|_| Refusal::Unavailable("the server is stopping".to_owned()))?;
        let piece = piece?;
        let Some(bytes) = &piece else { return Ok(None) };
        self.given_bytes += bytes.len() as u64;
        self.backup = Some(backup);
        // Whoever knows the length does not ask for more.
        if self.given_bytes == self.len_bytes {
            self.note_finished();
        }
        Ok(piece)
    }

    fn note_finished(&mut self) {
        self.finished = true;
        // What was kept for it may go.
        self.backup = None;
        let seconds = self.started.elapsed().as_secs_f64();
        tracing::info!(serial = self.manifest.serial, bytes = self.given_bytes, seconds, "a backup was made");
        *self.registry.backups.last() = LastBackup {
            finished: Some(self.registry.clock.now()),
            serial: Some(self.manifest.serial),
            failed: None,
            problem: None,
        };
    }
}

impl Drop for RunningBackup {
    fn drop(&mut self) {
        if !self.finished {
            let problem = format!("it was given up after {} of {} bytes", self.given_bytes, self.len_bytes);
            self.registry.note_failed_backup(&problem);
        }
    }
}
