//! What can go wrong with a file, however deep in redb it went wrong.
//!
//! Owns the translation of redb's and the system's errors. The variants are what a caller can act on.

use std::io;

use crate::store::codec::CodecError;

/// Why a file could not be read or written. The same error may answer many jobs, so it can be cloned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// No space, or no quota, is left. Nothing was damaged; the same call works when there is room again.
    #[error("the disk is full")]
    DiskFull,
    /// The file holds what was never written there.
    #[error("the data is damaged: {detail}")]
    Corrupt {
        /// Where, and what was found.
        detail: String,
    },
    /// The system failed to read or write.
    #[error("the disk failed: {detail}")]
    Io {
        /// The system's words.
        detail: String,
    },
    /// An earlier failure has made the handle useless; it is being reopened.
    #[error("the file is being reopened after a failure")]
    Latched,
    /// The file is closed, or takes no more work.
    #[error("the file is closed")]
    Closed,
    /// A job panicked or broke redb's rules: a bug. Its changes were undone.
    #[error("internal error: {detail}")]
    Internal {
        /// The panic's or redb's message.
        detail: String,
    },
}

impl StorageError {
    pub(crate) fn from_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            // Not a redb file, or one that was cut off.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Corrupt { detail: error.to_string() },
            _ => Self::Io { detail: error.to_string() },
        }
    }

    /// Whether the fault lies with one job, so that the others of its group may go on without it.
    pub(super) fn is_the_jobs_own(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::Internal { .. })
    }
}

impl From<redb::Error> for StorageError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => Self::from_io(&error),
            redb::Error::Corrupted(detail) => Self::Corrupt { detail },
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Self::Latched,
            redb::Error::UpgradeRequired(version) => {
                Self::Corrupt { detail: format!("redb file format {version} is not supported") }
            }
            redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableDoesNotExist(_) => Self::Corrupt { detail: error.to_string() },
            error => Self::Internal { detail: error.to_string() },
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StorageError {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        }

        impl<E> From<redb::$error> for WriteError<E> {
            fn from(error: redb::$error) -> Self {
                Self::Storage(error.into())
            }
        }
    )*};
}

from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError);

impl From<CodecError> for StorageError {
    fn from(error: CodecError) -> Self {
        Self::Corrupt { detail: error.to_string() }
    }
}

/// Why a job failed: by its own rule `E`, or by the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError<E> {
    /// A rule of the job was broken; nothing was changed.
    #[error("{0}")]
    Rule(E),
    /// The file failed; nothing may be assumed about the change unless the error says so.
    #[error(transparent)]
    Storage(StorageError),
}

impl<E> From<StorageError> for WriteError<E> {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl<E> From<CodecError> for WriteError<E> {
    fn from(error: CodecError) -> Self {
        Self::Storage(error.into())
    }
}

impl WriteError<std::convert::Infallible> {
    /// The storage error of a job that has no rules.
    #[must_use]
    pub fn into_storage(self) -> StorageError {
        match self {
            Self::Storage(error) => error,
            Self::Rule(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_seen_through_every_wrapper() {
        let full = || redb::StorageError::Io(io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error()));
        let quota = redb::StorageError::Io(io::Error::from_raw_os_error(rustix::io::Errno::DQUOT.raw_os_error()));
        assert_eq!(StorageError::from(full()), StorageError::DiskFull);
        assert_eq!(StorageError::from(quota), StorageError::DiskFull);
        assert_eq!(StorageError::from(redb::TableError::Storage(full())), StorageError::DiskFull);
        assert_eq!(StorageError::from(redb::CommitError::Storage(full())), StorageError::DiskFull);
        assert_eq!(StorageError::from(redb::TransactionError::Storage(full())), StorageError::DiskFull);
        assert_eq!(StorageError::from(redb::DatabaseError::Storage(full())), StorageError::DiskFull);
        assert_eq!(StorageError::from(redb::StorageError::PreviousIo), StorageError::Latched);
    }
}
