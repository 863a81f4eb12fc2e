//! What can go wrong in the store itself, as opposed to rules that a request breaks.

use super::codec::CodecError;

/// Why the store could not answer. Nothing that was acknowledged is lost by any of these.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed to read or write.
    #[error("the database failed: {0}")]
    Database(#[from] redb::Error),
    /// A record cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The tables contradict each other.
    #[error("the store is damaged: {what}: {problem}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// How.
        problem: String,
    },
}

impl StoreError {
    /// The tables contradict each other.
    pub(crate) fn damaged(what: &'static str, problem: impl Into<String>) -> Self {
        Self::Damaged { what, problem: problem.into() }
    }
}

macro_rules! from_redb {
    ($($error:ident),+) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Database(error.into())
            }
        }
    )+};
}

from_redb!(StorageError, TableError, TransactionError, CommitError, DatabaseError);
