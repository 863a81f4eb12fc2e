//! Backups: the state of the store at one moment as a stream of bytes, made while the store is written, and read back.
//!
//! A backup is a tar file: `backup.json`, the files of a data directory, `digests.json`. What changes
//! while it is read is copied first: the entities, and the volume that is written, which is sealed before when it is
//! large. Sealed volumes are sent as they are, since nothing writes them. No snapshot is held while a client is waited
//! for; the collector waits instead, so that nothing disappears that the backup still has to read.

mod folder;
mod manifest;
mod read;
pub(crate) mod restore;
mod spool;
mod tar;
mod write;

pub use folder::{BackupFolder, Kept, newest_backup, newest_made};
pub use manifest::{Digests, MANIFEST, Manifest, ManifestFile};
pub use read::{BackupReader, Sink, Whole, read_folder};
pub use restore::Restore;
pub use write::Backup;

use super::check::CheckReport;
use super::{OpenError, StorageError};

/// Why a backup could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is not what was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// Its end is missing.
    #[error("the backup is not whole: it ends in the middle of {0}")]
    Truncated(String),
    /// Something that is no backup.
    #[error("this is no backup: {0}")]
    NoBackup(String),
    /// A newer program made it.
    #[error("this backup has format {found}; this Packhouse reads up to {}: use a newer one", manifest::BACKUP_FORMAT)]
    Newer {
        /// The format found.
        found: u32,
    },
    /// A file outside of the store cannot be read or written.
    #[error("{place}: {source}")]
    File {
        /// Which.
        place: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is not to be written there.
    #[error("{0}")]
    Refused(String),
    /// What it holds is not sound.
    #[error(
        "what was backed up is damaged: {}; `tar` unpacks the backup all the same, and without {MANIFEST} it is a data directory whose other packages can be served",
        tell(.0)
    )]
    Unsound(Box<CheckReport>),
    /// The data directory in it cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl BackupError {
    /// A failure of the system at a file.
    pub(crate) fn file(place: impl std::fmt::Display, source: std::io::Error) -> Self {
        Self::File { place: place.to_string(), source }
    }
}

/// The first of what is wrong.
fn tell(report: &CheckReport) -> String {
    let Some(first) = report.damages.first() else { return "nothing is".to_owned() };
    let affects = first.affects.first().map_or_else(String::new, |file| format!(" ({file})"));
    match report.damages.len() as u64 + report.further_damages - 1 {
        0 => format!("{}{affects}", first.what),
        more => format!("{}{affects}, and {more} more", first.what),
    }
}
