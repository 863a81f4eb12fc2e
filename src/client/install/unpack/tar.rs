//! Reads tar as POSIX has it (ustar and pax, IEEE 1003.1-2017, `pax`), and GNU tar's long names.

use std::fs::File;
use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::UnpackError;
use super::sink::Sink;

const BLOCK_BYTES: usize = 512;
/// An extended header holds a path or two; more is no header.
const EXTENDED_BYTES_MAX: u64 = 64 << 10;
/// Headers that stand for no file, one after the other.
const HEADERS_IN_A_ROW_MAX: u32 = 16;

/// What extended headers say about the entry that follows them.
#[derive(Default)]
struct Extended {
    path: Option<String>,
    size_bytes: Option<u64>,
}

/// Unpacks a compressed tar file.
pub(super) fn unpack(archive: &File, sink: &mut Sink<'_>) -> Result<(), UnpackError> {
    let mut tar = MultiGzDecoder::new(BufReader::new(archive));
    let mut block = [0; BLOCK_BYTES];
    let mut extended = Extended::default();
    let mut in_a_row = 0;
    loop {
        if !read_block(&mut tar, &mut block)? || block == [0; BLOCK_BYTES] {
            return Ok(());
        }
        let header = Header(&block);
        header.check()?;
        let own_size = header.size()?;
        in_a_row += 1;
        if in_a_row > HEADERS_IN_A_ROW_MAX {
            return Err(UnpackError::malformed("it has headers without end"));
        }
        match header.kind() {
            b'x' => {
                let text = read_extended(&mut tar, own_size)?;
                read_pax(&text, &mut extended)?;
                continue;
            }
            b'L' => {
                let text = read_extended(&mut tar, own_size)?;
                let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
                extended.path = Some(utf8(&text[..end])?);
                continue;
            }
            // What holds for all entries, and the target of a link, which is refused when it comes.
            b'g' | b'K' => {
                read_extended(&mut tar, own_size)?;
                continue;
            }
            _ => in_a_row = 0,
        }
        let Extended { path, size_bytes } = std::mem::take(&mut extended);
        let name = path.map_or_else(|| header.name(), Ok)?;
        let size_bytes = size_bytes.unwrap_or(own_size);
        match header.kind() {
            // Before POSIX, a folder was a file whose name ended with a slash.
            b'0' | 0 | b'7' if !name.ends_with('/') => {
                let mut content = tar.by_ref().take(size_bytes);
                sink.file(&name, header.is_executable()?, size_bytes, &mut content)?;
                skip_padding(&mut tar, size_bytes)?;
            }
            b'0' | 0 | b'5' if size_bytes == 0 => sink.folder(&name)?,
            b'1' | b'2' => return Err(UnpackError::refused("a link", &name)),
            b'3' | b'4' | b'6' => return Err(UnpackError::refused("a device", &name)),
            _ => return Err(UnpackError::refused("an entry of an unusual kind", &name)),
        }
    }
}

/// The next block; nothing at the end of the file.
fn read_block(tar: &mut impl Read, block: &mut [u8; BLOCK_BYTES]) -> Result<bool, UnpackError> {
    let mut filled = 0;
    while filled < BLOCK_BYTES {
        match tar.read(&mut block[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(UnpackError::malformed("it ends too early")),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(UnpackError::malformed(error.to_string())),
        }
    }
    Ok(true)
}

fn read_extended(tar: &mut impl Read, size_bytes: u64) -> Result<Vec<u8>, UnpackError> {
    if size_bytes > EXTENDED_BYTES_MAX {
        return Err(UnpackError::malformed("it has a header that is too large"));
    }
    let mut text = Vec::new();
    let read = tar.by_ref().take(size_bytes).read_to_end(&mut text);
    read.map_err(|error| UnpackError::malformed(error.to_string()))?;
    if (text.len() as u64) < size_bytes {
        return Err(UnpackError::malformed("it ends too early"));
    }
    skip_padding(tar, size_bytes)?;
    Ok(text)
}

fn skip_padding(tar: &mut impl Read, size_bytes: u64) -> Result<(), UnpackError> {
    let over = size_bytes % BLOCK_BYTES as u64;
    if over > 0 {
        let padding = BLOCK_BYTES as u64 - over;
        let skipped = io::copy(&mut tar.by_ref().take(padding), &mut io::sink());
        if skipped.map_err(|error| UnpackError::malformed(error.to_string()))? < padding {
            return Err(UnpackError::malformed("it ends too early"));
        }
    }
    Ok(())
}

/// Records `LENGTH KEY=VALUE\n`, where the length counts itself.
fn read_pax(mut text: &[u8], extended: &mut Extended) -> Result<(), UnpackError> {
    let malformed = || UnpackError::malformed("it has a pax header that makes no sense");
    while !text.is_empty() {
        let blank = text.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
        let length: usize = utf8(&text[..blank])?.parse().map_err(|_| malformed())?;
        let record = text.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(malformed)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(malformed)?;
        let value = || utf8(&record[equals + 1..]);
        match &record[..equals] {
            b"path" => extended.path = Some(value()?),
            b"size" => extended.size_bytes = Some(value()?.parse().map_err(|_| malformed())?),
            key if key.starts_with(b"GNU.sparse") => {
                return Err(UnpackError::malformed("it has a file with holes, which is not taken"));
            }
            _ => {}
        }
        text = &text[length..];
    }
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<String, UnpackError> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|_| UnpackError::malformed("it has a name that is not UTF-8"))
}

/// A header block.
struct Header<'a>(&'a [u8; BLOCK_BYTES]);

impl Header<'_> {
    fn check(&self) -> Result<(), UnpackError> {
        let summed: u64 = (self.0.iter().enumerate())
            .map(|(at, byte)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) })
            .sum();
        if self.number(148, 8)? == summed {
            Ok(())
        } else {
            Err(UnpackError::malformed("it is no tar file, or damaged"))
        }
    }

    fn kind(&self) -> u8 {
        self.0[156]
    }

    fn size(&self) -> Result<u64, UnpackError> {
        self.number(124, 12)
    }

    fn is_executable(&self) -> Result<bool, UnpackError> {
        Ok(self.number(100, 8)? & 0o111 != 0)
    }

    fn name(&self) -> Result<String, UnpackError> {
        let is_posix = &self.0[257..263] == b"ustar\0";
        let (prefix, name) = (utf8(self.text(345, 155))?, utf8(self.text(0, 100))?);
        Ok(if is_posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name })
    }

    fn text(&self, at: usize, length: usize) -> &[u8] {
        let field = &self.0[at..at + length];
        &field[..field.iter().position(|byte| *byte == 0).unwrap_or(length)]
    }

    /// Octal digits between blanks, or GNU tar's big-endian number behind the byte 0x80.
    fn number(&self, at: usize, length: usize) -> Result<u64, UnpackError> {
        let malformed = || UnpackError::malformed("it is no tar file, or damaged");
        let field = &self.0[at..at + length];
        if field[0] == 0x80 {
            let (high, low) = field[1..].split_at(length.saturating_sub(9));
            let is_small = high.iter().all(|byte| *byte == 0);
            return is_small.then(|| low.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))).ok_or_else(malformed);
        }
        let text = std::str::from_utf8(self.text(at, length)).map_err(|_| malformed())?.trim_matches(' ');
        if text.is_empty() { Ok(0) } else { u64::from_str_radix(text, 8).map_err(|_| malformed()) }
    }
}
