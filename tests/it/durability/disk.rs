//! What a data directory takes of the disk, and content too large to be held.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use packhouse::model::Sha256;

/// How long space may take to come back, or anything else to happen that nobody is told of.
const PATIENCE: Duration = Duration::from_secs(30);

/// The bytes that are allocated on the disk for all files of a folder.
pub(crate) fn allocated_bytes(folder: &Path) -> u64 {
    let mut total = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        // A file may go while its folder is read.
        let Ok(metadata) = entry.as_ref().map_err(|_| ()).and_then(|entry| entry.metadata().map_err(|_| ())) else {
            continue;
        };
        total += if metadata.is_dir() { allocated_bytes(&entry.unwrap().path()) } else { metadata.blocks() * 512 };
    }
    total
}

/// Waits until something is so; what it is called is told if it never is.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    begin.elapsed()
}

/// Bytes that do not compress and are made as they are read; the same seed makes the same.
pub(crate) struct Generated {
    pool: Vec<u8>,
    at: u64,
    len: u64,
}

/// The pool is prime in length, so that no two chunks of any size are alike for long.
const POOL_BYTES: usize = 1_048_573;

impl Generated {
    pub(crate) fn new(seed: u64, len: u64) -> Self {
        Self { pool: super::reference::content(seed, POOL_BYTES).to_vec(), at: 0, len }
    }

    /// The digest of all of it.
    pub(crate) fn sha256(seed: u64, len: u64) -> Sha256 {
        digest(Self::new(seed, len)).unwrap().0
    }
}

impl Read for Generated {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let start = (self.at % POOL_BYTES as u64) as usize;
        if start == 0 {
            // Every round of the pool begins with its number.
            let round = self.at / POOL_BYTES as u64;
            self.pool[..8].copy_from_slice(&round.to_le_bytes());
        }
        let left = usize::try_from(self.len - self.at).unwrap_or(usize::MAX);
        let count = out.len().min(POOL_BYTES - start).min(left);
        out[..count].copy_from_slice(&self.pool[start..start + count]);
        self.at += count as u64;
        Ok(count)
    }
}

/// The digest and the length of what is read, which is not kept.
pub(crate) fn digest(mut reader: impl Read) -> io::Result<(Sha256, u64)> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let (mut buffer, mut len) = (vec![0; 256 << 10], 0);
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok((Sha256::from_ring(&context.finish()), len));
        }
        context.update(&buffer[..count]);
        len += count as u64;
    }
}
