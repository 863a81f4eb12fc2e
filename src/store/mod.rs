//! Keeps entities and blobs in redb.

pub mod codec;
mod records;
