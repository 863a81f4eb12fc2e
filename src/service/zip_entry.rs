//! Reading one small entry out of a ZIP archive that lies elsewhere (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.5.3).
//!
//! Looks at the directory at the archive's end and at that entry, within limits; extracts nothing. Content that is no ZIP
//! archive, or has no sound directory, has no entries here. An entry that is there and cannot be read is an error.

use std::io::Read;
use std::ops::Range;

use flate2::read::DeflateDecoder;

/// Largest directory that is looked through, in bytes: some hundred thousand entries.
const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
/// The record at the end, and the longest comment behind it.
const END_BYTES: u64 = 22;
const COMMENT_BYTES_MAX: u64 = 65_535;
/// The record at the end of an archive with 64-bit sizes, and the locator behind it that says where it is.
const END64_BYTES: u64 = 56;
const LOCATOR64_BYTES: usize = 20;
const LOCAL_HEADER_BYTES: u64 = 30;
const ENTRY_BYTES: usize = 46;
/// The tag of the extra field with 64-bit sizes.
const EXTRA_ZIP64: u16 = 1;
/// Stands for a size that the extra field says.
const IN_EXTRA: u64 = u32::MAX as u64;

/// Why an entry was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EntryError<E> {
    /// The archive could not be read.
    Read(E),
    /// The entry is there and cannot be unpacked; why.
    Unreadable(String),
}

impl<E> EntryError<E> {
    fn unreadable(why: impl Into<String>) -> Self {
        Self::Unreadable(why.into())
    }
}

/// The first of `names` that the archive has, at most `limit_bytes` long. `read` reads a range of its `size` bytes.
/// Names count with `\` for `/` and with `./` in front as well, as some programs write them.
///
/// # Errors
/// Those of `read`, and if the entry cannot be unpacked.
pub(super) fn read_entry<E>(
    size: u64,
    names: &[&str],
    limit_bytes: u64,
    read: impl Fn(Range<u64>) -> Result<Vec<u8>, E>,
) -> Result<Option<Vec<u8>>, EntryError<E>> {
    let read = |range: Range<u64>| read(range).map_err(EntryError::Read);
    if size < END_BYTES || read(0..4)? != b"PK\x03\x04" {
        return Ok(None);
    }
    let tail_start = size.saturating_sub(END_BYTES + COMMENT_BYTES_MAX + END64_BYTES + LOCATOR64_BYTES as u64);
    let tail = read(tail_start..size)?;
    let Some(end) = find_end(&tail) else { return Ok(None) };
    let mut found = directory32(&tail, end);
    if let Some(at) = locator64(&tail, end).filter(|at| at.saturating_add(END64_BYTES) <= size) {
        found = directory64(&read(at..at + END64_BYTES)?).or(found);
    }
    let is_sound = |directory: &Range<u64>| {
        directory.end <= tail_start + end as u64 && directory.end - directory.start <= DIRECTORY_BYTES_MAX
    };
    let Some(directory) = found.filter(is_sound) else { return Ok(None) };
    let directory = read(directory)?;
    let Some(entry) = names.iter().find_map(|name| find(&directory, name.as_bytes())) else { return Ok(None) };
    if entry.is_encrypted {
        return Err(EntryError::unreadable("it is encrypted"));
    }
    if entry.len > limit_bytes || entry.packed_len > limit_bytes {
        return Err(EntryError::unreadable(format!("it has more than {limit_bytes} bytes")));
    }
    let damaged = || EntryError::unreadable("the archive is damaged there");
    let header_end = entry.at.checked_add(LOCAL_HEADER_BYTES).filter(|end| *end <= size).ok_or_else(damaged)?;
    let header = read(entry.at..header_end)?;
    let (Some(name_len), Some(extra_len)) = (u16_at(&header, 26), u16_at(&header, 28)) else { return Err(damaged()) };
    let start = header_end + u64::from(name_len) + u64::from(extra_len);
    if !header.starts_with(b"PK\x03\x04") || start + entry.packed_len > size {
        return Err(damaged());
    }
    let packed = read(start..start + entry.packed_len)?;
    let mut content = Vec::new();
    let unpacked = match entry.method {
        0 => packed.as_slice().read_to_end(&mut content),
        8 => DeflateDecoder::new(&packed[..]).take(limit_bytes + 1).read_to_end(&mut content),
        method => {
            let method = method_name(method);
            return Err(EntryError::unreadable(format!("it is compressed by {method}; store or deflate it")));
        }
    };
    let is_sound = unpacked.is_ok() && content.len() as u64 == entry.len && crc32fast::hash(&content) == entry.crc32;
    if is_sound { Ok(Some(content)) } else { Err(damaged()) }
}

/// What a compression method is called (APPNOTE.TXT, section 4.4.5).
fn method_name(method: u16) -> String {
    let name = match method {
        9 => "Deflate64",
        12 => "bzip2",
        14 => "LZMA",
        93 => "Zstandard",
        95 => "XZ",
        98 => "PPMd",
        _ => return format!("method {method}"),
    };
    format!("{name} (method {method})")
}

/// Where the record at the end is in the tail.
fn find_end(tail: &[u8]) -> Option<usize> {
    let latest = tail.len().checked_sub(END_BYTES as usize)?;
    let is_end = |at: &usize| {
        tail[*at..].starts_with(b"PK\x05\x06")
            && u16_at(tail, at + 20).is_some_and(|comment| at + END_BYTES as usize + usize::from(comment) == tail.len())
    };
    (0..=latest).rev().find(is_end)
}

/// Where the directory is, by the record at the end.
fn directory32(tail: &[u8], end: usize) -> Option<Range<u64>> {
    let (len, start) = (u64::from(u32_at(tail, end + 12)?), u64::from(u32_at(tail, end + 16)?));
    Some(start..start + len)
}

/// Where the record with 64-bit sizes is, if there is one.
fn locator64(tail: &[u8], end: usize) -> Option<u64> {
    let at = end.checked_sub(LOCATOR64_BYTES)?;
    tail[at..].starts_with(b"PK\x06\x07").then(|| u64_at(tail, at + 8))?
}

/// Where the directory is, by the record with 64-bit sizes.
fn directory64(record: &[u8]) -> Option<Range<u64>> {
    let (len, start) = (u64_at(record, 40)?, u64_at(record, 48)?);
    Some(start..start.checked_add(len)?).filter(|_| record.starts_with(b"PK\x06\x06"))
}

/// What the directory says of an entry.
struct Entry {
    method: u16,
    crc32: u32,
    packed_len: u64,
    len: u64,
    at: u64,
    is_encrypted: bool,
}

fn find(directory: &[u8], name: &[u8]) -> Option<Entry> {
    let mut rest = directory;
    while rest.starts_with(b"PK\x01\x02") {
        let name_len = usize::from(u16_at(rest, 28)?);
        let extra_len = usize::from(u16_at(rest, 30)?);
        let behind = name_len + extra_len + usize::from(u16_at(rest, 32)?);
        if is_name(rest.get(ENTRY_BYTES..ENTRY_BYTES + name_len)?, name) {
            let mut entry = Entry {
                method: u16_at(rest, 10)?,
                crc32: u32_at(rest, 16)?,
                packed_len: u32_at(rest, 20)?.into(),
                len: u32_at(rest, 24)?.into(),
                at: u32_at(rest, 42)?.into(),
                is_encrypted: u16_at(rest, 8)? & 1 == 1,
            };
            widen(&mut entry, rest.get(ENTRY_BYTES + name_len..ENTRY_BYTES + name_len + extra_len)?);
            return Some(entry);
        }
        rest = rest.get(ENTRY_BYTES + behind..)?;
    }
    None
}

/// Whether an entry is called `wanted`, however its folders are joined.
fn is_name(found: &[u8], wanted: &[u8]) -> bool {
    let joined = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    let found = match found {
        [b'.', b'/' | b'\\', rest @ ..] => rest,
        found => found,
    };
    found.iter().map(joined).eq(wanted.iter().copied())
}

/// Takes sizes over from the extra fields where the entry has no room for them (APPNOTE.TXT, section 4.5.3).
fn widen(entry: &mut Entry, mut extra: &[u8]) -> Option<()> {
    while let (Some(tag), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let field = extra.get(4..4 + usize::from(len))?;
        if tag == EXTRA_ZIP64 {
            let narrow = [&mut entry.len, &mut entry.packed_len, &mut entry.at];
            for (n, size) in narrow.into_iter().filter(|size| **size == IN_EXTRA).enumerate() {
                *size = u64_at(field, n * 8)?;
            }
        }
        extra = extra.get(4 + usize::from(len)..)?;
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
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

    fn entry(archive: &[u8], names: &[&str], limit_bytes: u64) -> Result<Option<Vec<u8>>, EntryError<()>> {
        let read = |range: Range<u64>| {
            let range = range.start as usize..range.end as usize;
            Ok::<_, ()>(archive.get(range).expect("only what is there is read").to_vec())
        };
        read_entry(archive.len() as u64, names, limit_bytes, read)
    }

    fn refused(archive: &[u8], limit_bytes: u64) -> String {
        match entry(archive, &["config/extension.toml"], limit_bytes) {
            Err(EntryError::Unreadable(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    /// The archive with other bytes in the directory's entry of `config/extension.toml`, which is the first.
    fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut archive = archive();
        let entry = archive.windows(4).position(|signature| signature == b"PK\x01\x02").unwrap();
        archive[entry + at..entry + at + bytes.len()].copy_from_slice(bytes);
        archive
    }

    /// An entry called `config\extension.toml`, compressed by Zstandard or encrypted was not there at all.
    #[test]
    fn what_is_there_is_read_or_refused_with_the_reason() {
        let text = "x = 1\n".repeat(100);
        let windows = changed(ENTRY_BYTES, b"config\\extension.toml");
        assert_eq!(entry(&windows, &["config/extension.toml"], 1000).unwrap().unwrap(), text.as_bytes());
        let dotted = changed(ENTRY_BYTES, b"./nfig/extension.toml");
        assert_eq!(entry(&dotted, &["nfig/extension.toml"], 1000).unwrap().unwrap(), text.as_bytes());
        assert!(refused(&changed(10, &[93, 0]), 1000).contains("Zstandard (method 93); store or deflate it"));
        assert!(refused(&changed(8, &[1, 0]), 1000).contains("encrypted"));
        assert!(refused(&changed(16, &[0]), 1000).contains("damaged"));
        assert!(refused(&archive(), 599).contains("more than 599 bytes"));
    }

    #[test]
    fn entries_are_found_by_name() {
        let archive = archive();
        let text = "x = 1\n".repeat(100);
        assert_eq!(entry(&archive, &["none", "config/extension.toml"], 1000).unwrap().unwrap(), text.as_bytes());
        assert_eq!(entry(&archive, &["b"], 1000).unwrap().unwrap(), b"bb");
        assert_eq!(entry(&archive, &["extension.toml"], 1000), Ok(None));
        assert_eq!(entry(b"", &["b"], 1000), Ok(None));
        assert_eq!(entry(&[0; 100], &["b"], 1000), Ok(None));
    }

    proptest! {
        #[test]
        fn damage_never_panics(
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
                    if let Ok(Some(content)) = entry(bytes, &[name], 1000) {
                        prop_assert!(content.len() <= 1000);
                    }
                }
            }
        }
    }
}
