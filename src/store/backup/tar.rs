//! The headers of a tar file (POSIX.1-1988 ustar), as far as a backup has need of them: regular files with short names.
//!
//! Pure arithmetic. Sizes of 8 GiB and more are written in base 256, as GNU tar and all after it read them.

/// Everything in a tar file stands in blocks of this size.
pub(super) const BLOCK_BYTES: usize = 512;
/// Two blocks of zeros end it.
pub(super) const END_BYTES: usize = 2 * BLOCK_BYTES;

const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// Eleven octal digits.
const OCTAL_MAX: u64 = 0o777_7777_7777;

/// A file in a tar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) size_bytes: u64,
}

/// How many zeros follow a file of that size, up to the next block.
pub(super) fn padding(size_bytes: u64) -> usize {
    // The remainder is below 512.
    (BLOCK_BYTES - (size_bytes % BLOCK_BYTES as u64) as usize) % BLOCK_BYTES
}

/// What a file of that size takes with its header.
pub(super) fn taken(size_bytes: u64) -> u64 {
    BLOCK_BYTES as u64 + size_bytes + padding(size_bytes) as u64
}

impl Header {
    /// The block before the file. The name has less than 100 bytes.
    pub(super) fn block(&self, modified_s: i64) -> [u8; BLOCK_BYTES] {
        let mut block = [0; BLOCK_BYTES];
        let name = self.name.as_bytes();
        debug_assert!(name.len() < 100, "names of backups are short");
        block[..name.len().min(99)].copy_from_slice(&name[..name.len().min(99)]);
        block[100..108].copy_from_slice(b"0000600\0");
        block[108..116].copy_from_slice(b"0000000\0");
        block[116..124].copy_from_slice(b"0000000\0");
        if self.size_bytes <= OCTAL_MAX {
            block[SIZE].copy_from_slice(format!("{:011o}\0", self.size_bytes).as_bytes());
        } else {
            block[SIZE.start] = 0x80;
            block[SIZE.end - 8..SIZE.end].copy_from_slice(&self.size_bytes.to_be_bytes());
        }
        let modified_s = modified_s.clamp(0, OCTAL_MAX as i64);
        block[136..148].copy_from_slice(format!("{modified_s:011o}\0").as_bytes());
        block[156] = b'0';
        block[257..263].copy_from_slice(b"ustar\0");
        block[263..265].copy_from_slice(b"00");
        let sum = format!("{:06o}\0 ", checksum(&block));
        block[CHECKSUM].copy_from_slice(sum.as_bytes());
        block
    }

    /// Reads such a block, or one that another program wrote of such a file.
    pub(super) fn read(block: &[u8; BLOCK_BYTES]) -> Option<Self> {
        if octal(&block[CHECKSUM])? != u64::from(checksum(block)) || !matches!(block[156], b'0' | 0) {
            return None;
        }
        let name = &block[..100];
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let name = std::str::from_utf8(&name[..end]).ok()?.to_owned();
        let size = &block[SIZE];
        let size_bytes = if size[0] & 0x80 != 0 {
            let (high, low) = size.split_at(4);
            let low: [u8; 8] = low.try_into().ok()?;
            (high == [0x80, 0, 0, 0]).then_some(u64::from_be_bytes(low))?
        } else {
            octal(size)?
        };
        Some(Self { name, size_bytes })
    }
}

/// The sum of all bytes, with blanks in the place of the sum itself.
fn checksum(block: &[u8; BLOCK_BYTES]) -> u32 {
    let bytes = block.iter().enumerate();
    bytes.map(|(at, byte)| u32::from(if CHECKSUM.contains(&at) { b' ' } else { *byte })).sum()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(|c| c == '\0' || c == ' ');
    u64::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for size_bytes in [0, 511, 512, OCTAL_MAX, OCTAL_MAX + 1, 1 << 40] {
            let header = Header { name: "blobs/00000001.redb".to_owned(), size_bytes };
            let mut block = header.block(1_800_000_000);
            assert_eq!(Header::read(&block), Some(header));
            assert_eq!(taken(size_bytes) % 512, 0);
            for at in [0, 30, 130, 150, 300] {
                block[at] ^= 1;
                assert_eq!(Header::read(&block), None, "byte {at}");
                block[at] ^= 1;
            }
        }
        assert_eq!(Header::read(&[0; BLOCK_BYTES]), None);
    }
}
