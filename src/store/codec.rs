//! How records become bytes: bincode of versioned enums, with a limit, and nothing left over.
//!
//! Every record is an enum whose variants are its versions (`V1`, …) and whose structs never change once released.
//! Adding a field means adding a version. Only this file calls bincode.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};

/// The largest record: the layout of a blob of 64 GiB (a checksum for each of its 262,124-byte chunks) fits.
const RECORD_BYTES_MAX: usize = 2 * 1024 * 1024;

const CONFIG: Configuration<LittleEndian, Varint, Limit<RECORD_BYTES_MAX>> =
    bincode::config::standard().with_limit::<RECORD_BYTES_MAX>();

/// Why bytes in a table are not a record. The file is damaged, or a newer program wrote it.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The bytes are not the encoding of any version this program knows.
    #[error("a {record} record cannot be read: {source}")]
    Decode {
        /// What kind of record.
        record: &'static str,
        /// What is wrong with the bytes.
        source: Box<bincode::error::DecodeError>,
    },
    /// Bytes follow the record.
    #[error("a {record} record has {extra_bytes} bytes too many")]
    TrailingBytes {
        /// What kind of record.
        record: &'static str,
        /// How many bytes follow.
        extra_bytes: usize,
    },
    /// A field breaks the rules of the model.
    #[error("a {record} record breaks a rule: {problem}")]
    Invalid {
        /// What kind of record.
        record: &'static str,
        /// Which rule.
        problem: String,
    },
    /// The value is larger than any record may be.
    #[error("a {record} record cannot be written: {source}")]
    Encode {
        /// What kind of record.
        record: &'static str,
        /// Why not.
        source: Box<bincode::error::EncodeError>,
    },
}

/// The bytes of a value.
///
/// # Errors
/// If the value is larger than 2 MiB.
pub fn encode<T: bincode::Encode>(record: &'static str, value: &T) -> Result<Vec<u8>, CodecError> {
    bincode::encode_to_vec(value, CONFIG).map_err(|source| CodecError::Encode { record, source: Box::new(source) })
}

/// The value of which `bytes` are the encoding, to the last byte.
///
/// # Errors
/// If they are not. Lengths inside are checked against the limit before anything is allocated for them.
pub fn decode<T: bincode::Decode<()>>(record: &'static str, bytes: &[u8]) -> Result<T, CodecError> {
    let (value, length) = bincode::decode_from_slice(bytes, CONFIG)
        .map_err(|source| CodecError::Decode { record, source: Box::new(source) })?;
    if length != bytes.len() {
        return Err(CodecError::TrailingBytes { record, extra_bytes: bytes.len() - length });
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_to_its_last_byte() {
        let mut bytes = encode("test", &(7_u64, "seven".to_owned())).unwrap();
        assert_eq!(decode::<(u64, String)>("test", &bytes).unwrap(), (7, "seven".to_owned()));
        bytes.push(0);
        assert!(matches!(
            decode::<(u64, String)>("test", &bytes),
            Err(CodecError::TrailingBytes { extra_bytes: 1, .. })
        ));
        assert!(matches!(decode::<(u64, String)>("test", &bytes[..3]), Err(CodecError::Decode { .. })));
    }

    #[test]
    fn an_absurd_length_is_refused_before_memory_is_asked_for() {
        let bytes = encode("test", &u64::MAX).unwrap();
        assert!(matches!(decode::<Vec<u8>>("test", &bytes), Err(CodecError::Decode { .. })));
    }
}
