//! The stored form of every entity: frozen structs per version, and the way to and from the model.
//!
//! A record holds plain values. Reading one runs the model's parsers again, so that a damaged file cannot bring an
//! unchecked text into the program. The tests of each record pin its bytes.

mod api_token;
mod audit;
mod channel;
mod file;
mod index_change;
mod index_package;
mod member;
mod package;
mod platform;
mod release;
mod session;
mod upload;
mod user;
mod version_scheme;

pub use index_change::{IndexChange, StoredView};
pub use index_package::{IndexContent, IndexPackage};

use std::str::FromStr;

use super::codec::CodecError;
use crate::model::Timestamp;

/// An entity that can be stored under a key that holds its id.
pub(super) trait Record: Sized {
    /// What the record is called in messages.
    const NAME: &'static str;
    /// What of the entity its key holds.
    type Key: Copy;

    /// The record's bytes, in its newest version.
    fn to_bytes(&self) -> Result<Vec<u8>, CodecError>;

    /// Reads any version of the record.
    fn from_bytes(key: Self::Key, bytes: &[u8]) -> Result<Self, CodecError>;
}

/// Runs a parser of the model over a stored text.
fn parse<T: FromStr<Err: std::fmt::Display>>(record: &'static str, text: &str) -> Result<T, CodecError> {
    text.parse().map_err(|problem: T::Err| invalid(record, problem.to_string()))
}

fn invalid(record: &'static str, problem: impl Into<String>) -> CodecError {
    CodecError::Malformed { table: record, detail: problem.into() }
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// The bytes that hexadecimal digits stand for.
#[cfg(test)]
fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Asserts that an entity survives storing and that its bytes are what they have always been.
#[cfg(test)]
fn assert_pinned<R: Record + PartialEq + std::fmt::Debug>(key: R::Key, entity: &R, hex: &str) {
    let bytes = entity.to_bytes().unwrap();
    let found: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, hex, "the bytes of a stored {} must never change", R::NAME);
    assert_eq!(&R::from_bytes(key, &bytes).unwrap(), entity);
    for end in 0..bytes.len() {
        assert!(R::from_bytes(key, &bytes[..end]).is_err(), "{} cut at {end}", R::NAME);
    }
}
