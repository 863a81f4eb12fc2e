//! What a sync accepts from a registry, and how long it tries. A registry is not trusted with this machine's disk.

use std::time::Duration;

/// Bounds of one sync. The defaults are some ten times a registry of 100,000 packages.
#[derive(Debug, Clone)]
pub struct SyncLimits {
    /// Index files that a registry may list.
    pub files_max: usize,
    /// Compressed bytes of `registry.gz`, which is held in memory.
    pub registry_gz_bytes_max: u64,
    /// Decompressed bytes of `registry.gz`, which is held in memory.
    pub registry_bytes_max: u64,
    /// Bytes of an answer about changes, which is held in memory.
    pub changes_bytes_max: u64,
    /// Files, and summaries, that an answer about changes may tell of.
    pub changes_max: usize,
    /// How often changes are asked for in one run while files change as they are fetched; after that, `registry.gz` is
    /// read.
    pub changes_rounds_max: u32,
    /// Bytes of `summaries.json` that are read into memory to be changed; if there are more, the file is fetched.
    pub summaries_bytes_max: u64,
    /// Compressed bytes of any other index file.
    pub file_gz_bytes_max: u64,
    /// Decompressed bytes of any other index file.
    pub file_bytes_max: u64,
    /// Decompressed bytes of all files fetched by one run.
    pub run_bytes_max: u64,
    /// Nesting of JSON. Parsers here stop at 128.
    pub json_depth_max: usize,
    /// How often `registry.gz` is read when files do not match it.
    pub rounds_max: u32,
    /// Wait before the second round; it doubles with each further one.
    pub round_wait: Duration,
    /// How long to wait for another run on the same folder.
    pub lock_timeout: Duration,
    /// Index files fetched at the same time.
    pub parallel: usize,
}

impl Default for SyncLimits {
    fn default() -> Self {
        Self {
            files_max: 2_000_000,
            registry_gz_bytes_max: 128 << 20,
            registry_bytes_max: 512 << 20,
            changes_bytes_max: 64 << 20,
            changes_max: 100_000,
            changes_rounds_max: 100,
            summaries_bytes_max: 512 << 20,
            file_gz_bytes_max: 512 << 20,
            file_bytes_max: 2 << 30,
            run_bytes_max: 32 << 30,
            json_depth_max: 100,
            rounds_max: 5,
            round_wait: Duration::from_millis(100),
            lock_timeout: Duration::from_secs(60),
            parallel: 8,
        }
    }
}
