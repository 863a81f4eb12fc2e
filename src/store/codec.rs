//! The one place where records become bytes and bytes become records.
//!
//! Owns the encoding (bincode 2, variable-length integers, little endian) and its limit. A record is an enum of
//! versions (`V1`, `V2`, …) whose variants are never changed or reordered: the first byte is the version.
//! Knows no table and no record of its own.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::DecodeError;
use bincode::{Decode, Encode};

/// The most memory one record may claim while it is read. A damaged length must not take the process down, and the
/// largest honest record, the layout of a blob of 64 GiB, claims about 2 MiB.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

const CONFIG: Configuration<LittleEndian, Varint, Limit<RECORD_BYTES_MAX>> =
    bincode::config::standard().with_limit::<RECORD_BYTES_MAX>();

/// Why bytes are not a record, or a record cannot become bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The record's version is not known here: a newer Packhouse wrote it.
    #[error("a record of {table} has version {version}, which only a newer Packhouse can read")]
    NewerVersion {
        /// The table that holds the record.
        table: &'static str,
        /// The version found, counted from 1.
        version: u32,
    },
    /// The bytes are no record at all.
    #[error("a record of {table} is damaged: {detail}")]
    Malformed {
        /// The table that holds the record.
        table: &'static str,
        /// What the decoder found.
        detail: String,
    },
    /// The record claims more than [`RECORD_BYTES_MAX`].
    #[error("a record of {table} is larger than {RECORD_BYTES_MAX} bytes")]
    TooLarge {
        /// The table that was to hold the record.
        table: &'static str,
    },
}

/// The bytes of `record`, to be kept in `table` (named for the error only).
///
/// # Errors
/// [`CodecError::TooLarge`] when [`decode`] would refuse the result.
pub fn encode<T: Encode>(table: &'static str, record: &T) -> Result<Vec<u8>, CodecError> {
    let bytes = bincode::encode_to_vec(record, CONFIG)
        .map_err(|error| CodecError::Malformed { table, detail: error.to_string() })?;
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(CodecError::TooLarge { table });
    }
    Ok(bytes)
}

/// The record that `bytes` of `table` are. Every byte must belong to it.
///
/// # Errors
/// [`CodecError`], where an unknown enum variant is taken for a newer version only if it is the record's own.
pub fn decode<T: Decode<()>>(table: &'static str, bytes: &[u8]) -> Result<T, CodecError> {
    let (record, read_bytes) =
        bincode::decode_from_slice(bytes, CONFIG).map_err(|error| refine(table, bytes, error))?;
    if read_bytes != bytes.len() {
        let detail = format!("{} bytes follow the record", bytes.len() - read_bytes);
        return Err(CodecError::Malformed { table, detail });
    }
    Ok(record)
}

fn refine(table: &'static str, bytes: &[u8], error: DecodeError) -> CodecError {
    match error {
        // Versions are few, so that the record's own variant is its first byte.
        DecodeError::UnexpectedVariant { found, .. } if bytes.first().is_some_and(|b| u32::from(*b) == found) => {
            CodecError::NewerVersion { table, version: found.saturating_add(1) }
        }
        DecodeError::LimitExceeded => CodecError::TooLarge { table },
        error => CodecError::Malformed { table, detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    enum Old {
        V1 { name: String },
    }

    #[derive(Debug, PartialEq, Encode, Decode)]
    enum New {
        V1 { name: String },
        V2 { name: String, sizes: Vec<u32> },
    }

    #[test]
    fn an_old_record_opens_and_a_newer_is_named() {
        let old = encode("names", &Old::V1 { name: "a".into() }).unwrap();
        assert_eq!(old, [0, 1, b'a']);
        assert_eq!(decode::<New>("names", &old), Ok(New::V1 { name: "a".into() }));
        let new = encode("names", &New::V2 { name: "a".into(), sizes: vec![1] }).unwrap();
        assert_eq!(decode::<Old>("names", &new), Err(CodecError::NewerVersion { table: "names", version: 2 }));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        assert!(matches!(decode::<Old>("names", &[0, 1, b'a', 0]), Err(CodecError::Malformed { .. })));
        assert!(matches!(decode::<Old>("names", &[0, 2, b'a']), Err(CodecError::Malformed { .. })));
        assert!(matches!(decode::<Old>("names", &[]), Err(CodecError::Malformed { .. })));
        // A length of 2^60 must fail before anything of that size is allocated.
        let mut huge = vec![1, 1, b'a', 253];
        huge.extend((1u64 << 60).to_le_bytes());
        assert_eq!(decode::<New>("names", &huge), Err(CodecError::TooLarge { table: "names" }));
    }
}
