//! Where entries of an archive go: paths that stay inside, each once, and no more of anything than is bearable.
//!
//! Makes plain files and folders and nothing else, in a folder that was empty: so no path can lead through a link.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::UnpackError;

/// Bytes copied at a time.
const BUFFER_BYTES: usize = 64 << 10;
/// The longest name of one file.
const SEGMENT_BYTES_MAX: usize = 255;

/// What one archive may become.
#[derive(Debug, Clone)]
pub struct UnpackLimits {
    /// Files and folders.
    pub entries_max: usize,
    /// Bytes of all files.
    pub bytes_max: u64,
    /// Bytes of all files for each byte of the archive, beyond the first `ratio_free_bytes`. Deflate reaches 1032; what
    /// people pack reaches 20.
    pub ratio_max: u64,
    /// So much may come out of the smallest archive.
    pub ratio_free_bytes: u64,
    /// The longest path.
    pub path_bytes_max: usize,
    /// Folders in folders.
    pub depth_max: usize,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self {
            entries_max: 500_000,
            bytes_max: 64 << 30,
            ratio_max: 200,
            ratio_free_bytes: 64 << 20,
            path_bytes_max: 1024,
            depth_max: 64,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Made {
    File,
    Folder,
}

/// A folder being filled.
pub(super) struct Sink<'a> {
    folder: &'a Path,
    pub(super) limits: &'a UnpackLimits,
    bytes_left: u64,
    made: HashMap<String, Made>,
    buffer: Box<[u8]>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(folder: &'a Path, limits: &'a UnpackLimits, archive_bytes: u64) -> Self {
        let by_ratio = archive_bytes.saturating_mul(limits.ratio_max).max(limits.ratio_free_bytes);
        Self {
            folder,
            limits,
            bytes_left: by_ratio.min(limits.bytes_max),
            made: HashMap::new(),
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
        }
    }

    /// Makes a folder and those around it. One that is there already is fine.
    pub(super) fn folder(&mut self, name: &str) -> Result<(), UnpackError> {
        let segments = self.segments(name)?;
        self.folders(name, &segments)
    }

    /// Makes a file of all that `content` has, which must be `size_bytes`.
    pub(super) fn file(
        &mut self,
        name: &str,
        executable: bool,
        size_bytes: u64,
        content: &mut dyn Read,
    ) -> Result<(), UnpackError> {
        let segments = self.segments(name)?;
        let Some((_, parents)) = segments.split_last().filter(|_| !name.ends_with('/')) else {
            return Err(UnpackError::refused("a file without a name", name));
        };
        self.folders(name, parents)?;
        let path = segments.join("/");
        if self.made.insert(path.clone(), Made::File).is_some() {
            return Err(UnpackError::refused("two entries of one name", name));
        }
        self.count_entries()?;
        if size_bytes > self.bytes_left {
            return Err(self.too_many_bytes());
        }
        let mode = if executable { 0o755 } else { 0o644 };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(self.path(&path))?;
        let mut left = size_bytes;
        loop {
            let read = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(UnpackError::malformed(format!("{name:?} is damaged ({error})"))),
            };
            left = left.checked_sub(read as u64).ok_or_else(|| lying(name))?;
            file.write_all(&self.buffer[..read])?;
        }
        if left > 0 {
            return Err(lying(name));
        }
        self.bytes_left -= size_bytes;
        Ok(())
    }

    fn folders(&mut self, name: &str, segments: &[&str]) -> Result<(), UnpackError> {
        for depth in 1..=segments.len() {
            let path = segments[..depth].join("/");
            match self.made.get(&path) {
                Some(Made::Folder) => continue,
                Some(Made::File) => return Err(UnpackError::refused("a file that is a folder too", name)),
                None => {}
            }
            fs::create_dir(self.path(&path))?;
            self.made.insert(path, Made::Folder);
            self.count_entries()?;
        }
        Ok(())
    }

    /// The parts of a path, if it leads nowhere but inside.
    fn segments<'n>(&self, name: &'n str) -> Result<Vec<&'n str>, UnpackError> {
        if name.is_empty() || name.len() > self.limits.path_bytes_max {
            return Err(UnpackError::refused("a path that is empty or too long", name));
        }
        if name.starts_with('/') || name.contains(['\\', '\0']) || name.chars().any(char::is_control) {
            return Err(UnpackError::refused("a path that is no relative path", name));
        }
        let segments: Vec<&str> = name.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
        if segments.contains(&"..") {
            return Err(UnpackError::refused("a path that leads outside", name));
        }
        if segments.len() > self.limits.depth_max || segments.iter().any(|part| part.len() > SEGMENT_BYTES_MAX) {
            return Err(UnpackError::refused("a path that is too deep or too long", name));
        }
        Ok(segments)
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside)
    }

    fn count_entries(&self) -> Result<(), UnpackError> {
        let entries_max = self.limits.entries_max;
        if self.made.len() > entries_max {
            return Err(UnpackError::TooMuch(format!("more than {entries_max} files and folders")));
        }
        Ok(())
    }

    fn too_many_bytes(&self) -> UnpackError {
        UnpackError::TooMuch("far more bytes than an archive of its size should".to_owned())
    }
}

fn lying(name: &str) -> UnpackError {
    UnpackError::malformed(format!("{name:?} has another size than it says"))
}
