//! Reads ZIP (APPNOTE.TXT 6.3.10): stored and deflated files, ZIP64, by the central directory.
//!
//! Two programs that read an archive differently are a way around whoever looked at it first. So the central directory
//! must stand at the very end, and local headers must say what it says; entries share no bytes.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;

use flate2::bufread::DeflateDecoder;

use super::UnpackError;
use super::sink::Sink;

const END_SIGNATURE: u32 = 0x0605_4b50;
const END_BYTES: u64 = 22;
const COMMENT_BYTES_MAX: u64 = 0xffff;
const END64_LOCATOR_SIGNATURE: u32 = 0x0706_4b50;
const END64_LOCATOR_BYTES: u64 = 20;
const END64_SIGNATURE: u32 = 0x0606_4b50;
const END64_BYTES: u64 = 56;
const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
const CENTRAL_BYTES: usize = 46;
const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const LOCAL_BYTES: u64 = 30;
/// The tag of the extra field with 64-bit sizes.
const EXTRA_ZIP64: u16 = 1;
/// The central directory is held in memory.
const DIRECTORY_BYTES_MAX: u64 = 256 << 20;
/// "Version made by" whose upper byte says that the mode is Unix's.
const MADE_BY_UNIX: u8 = 3;
const FLAG_ENCRYPTED: u16 = 1;
const FLAG_PATCH: u16 = 1 << 5;
const METHOD_STORED: u16 = 0;
const METHOD_DEFLATED: u16 = 8;

/// Where the central directory is.
struct Directory {
    offset: u64,
    size_bytes: u64,
    entries: u64,
}

/// A file or folder as the central directory has it.
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed_bytes: u64,
    size_bytes: u64,
    offset: u64,
    mode: Option<u32>,
}

/// Unpacks a ZIP file of `size_bytes`.
pub(super) fn unpack(archive: &File, size_bytes: u64, sink: &mut Sink<'_>) -> Result<(), UnpackError> {
    let directory = find_directory(archive, size_bytes)?;
    let mut entries = read_directory(archive, &directory, sink.limits.entries_max)?;
    entries.sort_by_key(|entry| entry.offset);
    let mut free_from = 0;
    for entry in &entries {
        if entry.offset < free_from {
            return Err(UnpackError::refused("entries that share bytes", &entry.name));
        }
        free_from = unpack_entry(archive, entry, &directory, sink)?;
    }
    Ok(())
}

fn damaged() -> UnpackError {
    UnpackError::malformed("it is no ZIP file, or damaged")
}

fn read_at(archive: &File, offset: u64, size_bytes: u64) -> Result<Vec<u8>, UnpackError> {
    let mut bytes = vec![0; usize::try_from(size_bytes).map_err(|_| damaged())?];
    archive.read_exact_at(&mut bytes, offset).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(),
        _ => UnpackError::Disk(error),
    })?;
    Ok(bytes)
}

fn find_directory(archive: &File, size_bytes: u64) -> Result<Directory, UnpackError> {
    let tail_bytes = size_bytes.min(END_BYTES + COMMENT_BYTES_MAX);
    let tail_at = size_bytes - tail_bytes;
    let tail = read_at(archive, tail_at, tail_bytes)?;
    // The comment must reach exactly to the end; of several such places the last one counts.
    let is_end = |at: &usize| {
        let mut fields = Fields(&tail[*at..]);
        fields.u32() == Some(END_SIGNATURE) && {
            fields.skip(16);
            fields.u16().is_some_and(|comment| at + END_BYTES as usize + usize::from(comment) == tail.len())
        }
    };
    let at = (0..tail.len()).rev().find(is_end).ok_or_else(damaged)?;
    let end_at = tail_at + at as u64;
    let mut fields = Fields(&tail[at + 4..]);
    let disks = (fields.u16().ok_or_else(damaged)?, fields.u16().ok_or_else(damaged)?);
    fields.skip(2);
    let entries = u64::from(fields.u16().ok_or_else(damaged)?);
    let directory_bytes = u64::from(fields.u32().ok_or_else(damaged)?);
    let offset = u64::from(fields.u32().ok_or_else(damaged)?);
    if disks != (0, 0) && disks != (0xffff, 0xffff) {
        return Err(UnpackError::malformed("it is one of several parts"));
    }
    let is_zip64 = entries == 0xffff || directory_bytes == 0xffff_ffff || offset == 0xffff_ffff;
    let mut directory = Directory { offset, size_bytes: directory_bytes, entries };
    let mut directory_end = end_at;
    if is_zip64 && let Some((found, at)) = find_directory64(archive, end_at)? {
        (directory, directory_end) = (found, at);
    }
    if directory.offset.checked_add(directory.size_bytes) != Some(directory_end) {
        return Err(UnpackError::malformed("it is a ZIP file with something before or behind it"));
    }
    Ok(directory)
}

/// The directory of a ZIP64 file and where its end record is, if this is one.
fn find_directory64(archive: &File, end_at: u64) -> Result<Option<(Directory, u64)>, UnpackError> {
    let Some(locator_at) = end_at.checked_sub(END64_LOCATOR_BYTES) else { return Ok(None) };
    let locator = read_at(archive, locator_at, END64_LOCATOR_BYTES)?;
    let mut fields = Fields(&locator);
    if fields.u32() != Some(END64_LOCATOR_SIGNATURE) {
        return Ok(None);
    }
    fields.skip(4);
    let at = fields.u64().ok_or_else(damaged)?;
    if at.checked_add(END64_BYTES) != Some(locator_at) {
        return Err(damaged());
    }
    let record = read_at(archive, at, END64_BYTES)?;
    let mut fields = Fields(&record);
    if fields.u32() != Some(END64_SIGNATURE) {
        return Err(damaged());
    }
    fields.skip(28);
    let entries = fields.u64().ok_or_else(damaged)?;
    let size_bytes = fields.u64().ok_or_else(damaged)?;
    let offset = fields.u64().ok_or_else(damaged)?;
    Ok(Some((Directory { offset, size_bytes, entries }, at)))
}

fn read_directory(archive: &File, directory: &Directory, entries_max: usize) -> Result<Vec<Entry>, UnpackError> {
    if directory.entries > entries_max as u64 || directory.size_bytes > DIRECTORY_BYTES_MAX {
        return Err(UnpackError::TooMuch(format!("more than {entries_max} files and folders")));
    }
    let text = read_at(archive, directory.offset, directory.size_bytes)?;
    let mut rest = text.as_slice();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, length) = read_entry(rest).ok_or_else(damaged)??;
        entries.push(entry);
        rest = rest.get(length..).ok_or_else(damaged)?;
    }
    if entries.len() as u64 != directory.entries {
        return Err(damaged());
    }
    Ok(entries)
}

/// The entry at the beginning of `text` and how long it is there.
fn read_entry(text: &[u8]) -> Option<Result<(Entry, usize), UnpackError>> {
    let mut fields = Fields(text);
    if fields.u32()? != CENTRAL_SIGNATURE {
        return None;
    }
    let made_by = fields.u16()?;
    fields.skip(2);
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.skip(4);
    let crc = fields.u32()?;
    let (packed, size) = (fields.u32()?, fields.u32()?);
    let (name_bytes, extra_bytes) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    let comment_bytes = usize::from(fields.u16()?);
    fields.skip(4);
    let attributes = fields.u32()?;
    let offset = fields.u32()?;
    let name = text.get(CENTRAL_BYTES..CENTRAL_BYTES + name_bytes)?;
    let extra = text.get(CENTRAL_BYTES + name_bytes..CENTRAL_BYTES + name_bytes + extra_bytes)?;
    let [size_bytes, packed_bytes, offset] = zip64_values(extra, [size, packed, offset])?;
    // Not all programs set the flag that says so. In another code page, a name is not readable here.
    let Ok(name) = std::str::from_utf8(name) else {
        return Some(Err(UnpackError::malformed("it has a name that is not UTF-8")));
    };
    if flags & (FLAG_ENCRYPTED | FLAG_PATCH) != 0 {
        return Some(Err(UnpackError::refused("an encrypted file", name)));
    }
    let mode = (made_by.to_be_bytes()[0] == MADE_BY_UNIX).then_some(attributes >> 16);
    let entry = Entry { name: name.to_owned(), method, crc, packed_bytes, size_bytes, offset, mode };
    Some(Ok((entry, CENTRAL_BYTES + name_bytes + extra_bytes + comment_bytes)))
}

/// Replaces the values that do not fit 32 bits by those of the ZIP64 field, where they stand in the same order.
fn zip64_values(extra: &[u8], values: [u32; 3]) -> Option<[u64; 3]> {
    let mut rest = extra;
    let mut field = Fields(&[]);
    while rest.len() >= 4 {
        let mut head = Fields(rest);
        let (tag, length) = (head.u16()?, usize::from(head.u16()?));
        let value = rest.get(4..4 + length)?;
        if tag == EXTRA_ZIP64 {
            field = Fields(value);
            break;
        }
        rest = &rest[4 + length..];
    }
    let mut wide = [0; 3];
    for (wide, narrow) in wide.iter_mut().zip(values) {
        *wide = if narrow == u32::MAX { field.u64()? } else { u64::from(narrow) };
    }
    Some(wide)
}

/// Unpacks an entry; where the bytes end that it takes.
fn unpack_entry(archive: &File, entry: &Entry, directory: &Directory, sink: &mut Sink<'_>) -> Result<u64, UnpackError> {
    let name = entry.name.as_str();
    let head_end = entry.offset.checked_add(LOCAL_BYTES).filter(|end| *end <= directory.offset).ok_or_else(damaged)?;
    let head = read_at(archive, entry.offset, LOCAL_BYTES)?;
    let mut fields = Fields(&head);
    if fields.u32() != Some(LOCAL_SIGNATURE) {
        return Err(damaged());
    }
    fields.skip(4);
    let method = fields.u16().ok_or_else(damaged)?;
    fields.skip(16);
    let name_bytes = u64::from(fields.u16().ok_or_else(damaged)?);
    let extra_bytes = u64::from(fields.u16().ok_or_else(damaged)?);
    let start = head_end + name_bytes + extra_bytes;
    let end = start.checked_add(entry.packed_bytes).filter(|end| *end <= directory.offset).ok_or_else(damaged)?;
    if method != entry.method || read_at(archive, head_end, name_bytes)? != name.as_bytes() {
        return Err(UnpackError::refused("an entry that says two things about itself", name));
    }
    match entry.mode.map(|mode| mode & 0o170_000) {
        Some(0o120_000) => return Err(UnpackError::refused("a link", name)),
        Some(0o060_000 | 0o020_000 | 0o010_000 | 0o140_000) => return Err(UnpackError::refused("a device", name)),
        _ => {}
    }
    if name.ends_with('/') {
        if entry.size_bytes > 0 {
            return Err(UnpackError::refused("a folder that is a file too", name));
        }
        sink.folder(name)?;
        return Ok(end);
    }
    let packed = Section { archive, at: start, end };
    let mut content: Box<dyn Read> = match method {
        METHOD_STORED => Box::new(packed),
        METHOD_DEFLATED => Box::new(DeflateDecoder::new(BufReader::new(packed))),
        _ => return Err(UnpackError::refused("a file packed in an unusual way", name)),
    };
    let mut content = Summed { content: &mut content, crc: crc32fast::Hasher::new() };
    let executable = entry.mode.is_some_and(|mode| mode & 0o111 != 0);
    sink.file(name, executable, entry.size_bytes, &mut content)?;
    if content.crc.finalize() != entry.crc {
        return Err(UnpackError::malformed(format!("{name:?} is damaged")));
    }
    Ok(end)
}

/// Some bytes of the archive.
struct Section<'a> {
    archive: &'a File,
    at: u64,
    end: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The buffer is in memory, so its length fits.
        let wanted = (self.end - self.at).min(buffer.len() as u64) as usize;
        let read = self.archive.read_at(&mut buffer[..wanted], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Sums up what passes.
struct Summed<'a> {
    content: &'a mut dyn Read,
    crc: crc32fast::Hasher,
}

impl Read for Summed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.crc.update(&buffer[..read]);
        Ok(read)
    }
}

/// Little-endian numbers, one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn skip(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}
