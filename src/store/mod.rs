//! Keeps the words of [`crate::model`] in redb: one small file for entities, capped volumes for content.
//!
//! Owns everything that touches the data directory. It knows no HTTP, no permissions and no index; a rule that
//! needs the caller's identity belongs to the services above.

pub mod blobs;
pub mod codec;
pub mod file;
pub mod media;
