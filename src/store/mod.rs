//! Keeps the words of [`crate::model`] in redb: one small file for entities, capped volumes for content.
//!
//! Owns everything that touches the data directory. It knows no HTTP, no permissions and no index; a rule that
//! needs the caller's identity belongs to the services above.

mod audit_rows;
pub mod backup;
pub mod blobs;
pub mod check;
pub mod codec;
pub mod compact;
mod edit;
pub mod file;
mod file_roles;
mod index_rows;
pub mod media;
mod notice;
mod open;
mod owners;
mod records;
mod retention_rows;
mod rows;
mod scrub;
mod statistics_rows;
mod stored_bytes;
mod tables;
mod tombstones;
mod upload_rows;
mod version_order;

pub use blobs::{
    BlobOptions, BlobReader, BlobWriter, Collected, LiveBlob, Mark, Packed, Part, ReadError, StoredBlob, Survey, Usage,
};
pub use edit::{Changes, Edit};
pub use file::StorageError;
pub use index_rows::IndexEdit;
pub use notice::Notice;
pub use open::{BlobSource, Follower, OpenError, Snapshot, Store, StoreOptions};
pub use records::{IndexChange, IndexContent, IndexPackage, StoredView};
pub use retention_rows::RetentionMarks;
pub use rows::{Rows, Source, TokenOwner};
pub use statistics_rows::{CountKey, CountKind, OTHER};
pub use tombstones::Tombstone;

impl StorageError {
    /// The tables contradict each other.
    pub(crate) fn damaged(what: &str, problem: impl std::fmt::Display) -> Self {
        Self::Corrupt { detail: format!("{what}: {problem}") }
    }
}
