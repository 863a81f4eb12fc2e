//! Reading one small entry out of a ZIP archive that lies elsewhere (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16).
//!
//! Looks at the directory at the archive's end and at that entry, within limits; extracts nothing. An archive that is
//! none, is damaged, encrypted or needs ZIP64 has no entries here.

use std::io::Read;
use std::ops::Range;

use flate2::read::DeflateDecoder;

/// Largest directory that is looked through, in bytes: some hundred thousand entries.
const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
/// The record at the end, and the longest comment behind it.
const END_BYTES: u64 = 22;
const COMMENT_BYTES_MAX: u64 = 65_535;
const LOCAL_HEADER_BYTES: u64 = 30;
const ENTRY_BYTES: usize = 46;

/// The first of `names` that the archive has, at most `limit_bytes` long. `read` reads a range of its `size` bytes.
///
/// # Errors
/// Those of `read`.
pub(super) fn read_entry<E>(
    size: u64,
    names: &[&str],
    limit_bytes: u64,
    read: impl Fn(Range<u64>) -> Result<Vec<u8>, E>,
) -> Result<Option<Vec<u8>>, E> {
    if size < END_BYTES || read(0..4)? != b"PK\x03\x04" {
        return Ok(None);
    }
    let tail_start = size.saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
    let tail = read(tail_start..size)?;
    let Some((end, directory)) = directory(&tail) else { return Ok(None) };
    let fits = directory.end <= tail_start + end && directory.end - directory.start <= DIRECTORY_BYTES_MAX;
    if !fits {
        return Ok(None);
    }
    let directory = read(directory)?;
    let found = names.iter().find_map(|name| find(&directory, name.as_bytes()));
    let Some(entry) = found.filter(|entry| entry.len <= limit_bytes && entry.packed_len <= limit_bytes) else {
        return Ok(None);
    };
    if entry.at + LOCAL_HEADER_BYTES > size {
        return Ok(None);
    }
    let header = read(entry.at..entry.at + LOCAL_HEADER_BYTES)?;
    let (Some(name_len), Some(extra_len)) = (u16_at(&header, 26), u16_at(&header, 28)) else { return Ok(None) };
    let start = entry.at + LOCAL_HEADER_BYTES + u64::from(name_len) + u64::from(extra_len);
    if !header.starts_with(b"PK\x03\x04") || start + entry.packed_len > size {
        return Ok(None);
    }
    let packed = read(start..start + entry.packed_len)?;
    let mut content = Vec::new();
    let unpacked = match entry.method {
        0 => packed.as_slice().read_to_end(&mut content),
        8 => DeflateDecoder::new(&packed[..]).take(limit_bytes + 1).read_to_end(&mut content),
        _ => return Ok(None),
    };
    let is_sound = unpacked.is_ok() && content.len() as u64 == entry.len && crc32fast::hash(&content) == entry.crc32;
    Ok(is_sound.then_some(content))
}

/// Where the record at the end is in the tail, and where the directory is in the archive.
fn directory(tail: &[u8]) -> Option<(u64, Range<u64>)> {
    let latest = tail.len().checked_sub(END_BYTES as usize)?;
    let is_end = |at: &usize| {
        tail[*at..].starts_with(b"PK\x05\x06")
            && u16_at(tail, at + 20).is_some_and(|comment| at + END_BYTES as usize + usize::from(comment) == tail.len())
    };
    let at = (0..=latest).rev().find(is_end)?;
    let (len, start) = (u64::from(u32_at(tail, at + 12)?), u64::from(u32_at(tail, at + 16)?));
    Some((at as u64, start..start + len))
}

/// What the directory says of an entry.
struct Entry {
    method: u16,
    crc32: u32,
    packed_len: u64,
    len: u64,
    at: u64,
}

fn find(directory: &[u8], name: &[u8]) -> Option<Entry> {
    let mut rest = directory;
    while rest.starts_with(b"PK\x01\x02") {
        let name_len = usize::from(u16_at(rest, 28)?);
        let behind = name_len + usize::from(u16_at(rest, 30)?) + usize::from(u16_at(rest, 32)?);
        let is_encrypted = u16_at(rest, 8)? & 1 == 1;
        if rest.get(ENTRY_BYTES..ENTRY_BYTES + name_len)? == name && !is_encrypted {
            return Some(Entry {
                method: u16_at(rest, 10)?,
                crc32: u32_at(rest, 16)?,
                packed_len: u32_at(rest, 20)?.into(),
                len: u32_at(rest, 24)?.into(),
                at: u32_at(rest, 42)?.into(),
            });
        }
        rest = rest.get(ENTRY_BYTES + behind..)?;
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `config/extension.toml` with `x = 1\n` deflated and `b` with `bb` stored, by Python's `zipfile`.
    fn archive() -> Vec<u8> {
        let digits = include_str!("zip_entry_example.hex").trim();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }

    fn entry(archive: &[u8], names: &[&str], limit_bytes: u64) -> Option<Vec<u8>> {
        let read = |range: Range<u64>| {
            let range = range.start as usize..range.end as usize;
            Ok::<_, ()>(archive.get(range).expect("only what is there is read").to_vec())
        };
        read_entry(archive.len() as u64, names, limit_bytes, read).unwrap()
    }

    #[test]
    fn entries_are_found_by_name() {
        let archive = archive();
        let text = "x = 1\n".repeat(100);
        assert_eq!(entry(&archive, &["none", "config/extension.toml"], 1000).unwrap(), text.as_bytes());
        assert_eq!(entry(&archive, &["b"], 1000).unwrap(), b"bb");
        assert_eq!(entry(&archive, &["extension.toml"], 1000), None);
        assert_eq!(entry(&archive, &["config/extension.toml"], 599), None);
        assert_eq!(entry(b"", &["b"], 1000), None);
        assert_eq!(entry(&[0; 100], &["b"], 1000), None);
    }

    proptest! {
        #[test]
        fn damage_is_no_entry_and_no_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut archive = archive();
            for (at, byte) in changes {
                let at = at.index(archive.len());
                archive[at] = byte;
            }
            let cut = cut.index(archive.len() + 1);
            for bytes in [&archive[..], &archive[..cut], &archive[cut..]] {
                for name in ["config/extension.toml", "b"] {
                    if let Some(content) = entry(bytes, &[name], 1000) {
                        prop_assert!(content.len() <= 1000);
                    }
                }
            }
        }
    }
}
