//! Backups that the server makes by itself, into a folder on this machine, as often as its operator wants.
//!
//! Owns when the next one is due, which the newest one in the folder says, so that a restart neither repeats nor skips
//! one. A backup that fails is told in the log and the status, tried again, and harms nothing else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::Registry;
use super::backup::ScheduledBackup;
use crate::model::Timestamp;
use crate::store::backup::{BackupError, BackupFolder, BackupReader, newest_made};

/// How soon a backup is tried again that failed.
const RETRY: Duration = Duration::from_secs(15 * 60);
/// How often it is looked whether one is due, so that a clock that was set is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Backups as their operator wants them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledBackups {
    /// The folder that takes them.
    pub dir: PathBuf,
    /// From the beginning of one to that of the next.
    pub every: Duration,
    /// How many are kept; older ones are removed when a new one is whole.
    pub keep: usize,
}

impl ScheduledBackups {
    /// When the newest one was made. Without one, or where it cannot be read, the next one is due now.
    fn newest(&self) -> Option<Timestamp> {
        newest_made(&self.dir).ok().flatten()
    }

    /// How long it is until the next one is due, behind the newest one.
    fn due_in(&self, newest: Option<Timestamp>, now: Timestamp) -> Duration {
        let Some(made) = newest else { return Duration::ZERO };
        // One of the future is of a clock that was wrong.
        let next = made.min(now).plus(self.every);
        Duration::from_micros(u64::try_from(next.as_micros() - now.as_micros()).unwrap_or(0))
    }
}

/// Makes backups for ever, whenever the operator wants some.
pub(super) async fn make(registry: Arc<Registry>) {
    loop {
        let Some(scheduled) = registry.config().backups.clone() else {
            registry.backups.schedule(None);
            registry.reconfigured.notified().await;
            continue;
        };
        let (newest, now) = (scheduled.newest(), registry.clock.now());
        let wait = scheduled.due_in(newest, now);
        let next = (!wait.is_zero()).then(|| now.plus(wait));
        registry.backups.schedule(Some(ScheduledBackup { newest, next }));
        if !wait.is_zero() {
            let _ = tokio::time::timeout(wait.min(LOOK_EVERY), registry.reconfigured.notified()).await;
            continue;
        }
        let (for_work, to) = (Arc::clone(&registry), scheduled.clone());
        let runtime = Handle::current();
        // Its writes wait for the disk.
        let made = tokio::task::spawn_blocking(move || runtime.block_on(make_one(&for_work, &to))).await;
        let failed = match made {
            Ok(Ok(())) => continue,
            Ok(Err(problem)) => problem,
            Err(error) => error.to_string(),
        };
        registry.note_failed_backup(&failed);
        let wait = RETRY.min(scheduled.every);
        let next = Some(registry.clock.now().plus(wait));
        registry.backups.schedule(Some(ScheduledBackup { newest, next }));
        let _ = tokio::time::timeout(wait, registry.reconfigured.notified()).await;
    }
}

async fn make_one(registry: &Arc<Registry>, scheduled: &ScheduledBackups) -> Result<(), String> {
    let told = |error: BackupError| format!("{}: {error}", scheduled.dir.display());
    let folder = BackupFolder::open(&scheduled.dir).map_err(told)?;
    let mut backup = registry.begin_own_backup(folder.known()).await.map_err(|refusal| refusal.to_string())?;
    let mut reader = BackupReader::new(folder);
    while let Some(bytes) = backup.next().await.map_err(|refusal| refusal.to_string())? {
        reader.take(&bytes).map_err(told)?;
        if *registry.stopping.borrow() {
            return Err("the server is stopping".to_owned());
        }
    }
    let (folder, _) = reader.finish().map_err(told)?;
    let kept = folder.keep(Some(scheduled.keep)).map_err(told)?;
    let place = kept.backup.display();
    tracing::info!(%place, kept = kept.kept, removed = kept.removed, "a scheduled backup was made");
    Ok(())
}

/// Whether a folder for backups would be a part of what it backs up.
#[must_use]
pub fn is_inside(dir: &Path, data: &Path) -> bool {
    let real = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    real(dir).starts_with(real(data))
}
