//! The index: turns the state of packages into the files that Registry 2.0 clients read, kept in memory.
//!
//! Knows files, hashes and compression. Must not know where entities are stored or how a file is sent.

mod balance;
pub mod gzip;
pub mod segments;
pub mod serial;
