//! The words of a registry and their rules: names, versions, ids, digests, entities.
//!
//! Everything here is plain data and pure functions. Nothing in this folder reads a clock, a file or a socket, and
//! nothing here knows how a value is stored or sent. A value of one of these types has passed its parser.

pub mod digest;

pub use digest::{Crc32, Sha256};
