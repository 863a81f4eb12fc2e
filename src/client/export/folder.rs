//! The folder of a tree: what is there already, how a file gets there in one step, and what is removed.
//!
//! Only files whose names an export gives are ever removed; whatever else somebody keeps in the folder stays.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::ExportError;
use crate::client::gzip::Gunzip;
use crate::client::sync::engine::{Arrivals, Disk, LocalDisk};
use crate::client::sync::{IndexFile, Registry, SyncLimits};
use crate::client::tree::REGISTRY;
use crate::model::{Crc32, FullName};

/// Where files are until they are whole. While it is there, an export is at work or was cut off.
const WORK: &str = ".packhouse-export";
/// What an export makes in the folder.
const NAMES: [&str; 5] = [REGISTRY, "summaries.gz", "packages", "releases", "archives"];
/// Bytes behind the compressed data of a gzip member: checksum and length (RFC 1952 section 2.3.1).
const TRAILER_BYTES: i64 = 8;
/// The compression of all files, always the same, so that the same text is the same file.
const LEVEL: u32 = 6;

/// The folder, held by this process.
pub(super) struct Folder {
    dir: PathBuf,
    work: PathBuf,
    disk: Arc<dyn Disk>,
    next_part: AtomicU64,
    _lock: File,
}

impl Folder {
    /// Takes hold of a folder, which is made if it is not there, and removes what a run that was cut off left half
    /// written.
    pub(super) fn open(dir: &Path) -> Result<Self, ExportError> {
        fs::create_dir_all(dir).map_err(ExportError::disk(dir))?;
        let lock = File::open(dir).map_err(ExportError::disk(dir))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ExportError::Busy { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(ExportError::disk(dir)(error)),
        }
        let work = dir.join(WORK);
        if !work.is_dir() && !is_tree(dir) {
            let found = NAMES.iter().map(|name| dir.join(name)).find(|path| path.symlink_metadata().is_ok());
            if let Some(path) = found {
                return Err(ExportError::Foreign { path });
            }
        }
        fs::create_dir_all(&work).map_err(ExportError::disk(&work))?;
        for path in entries(&work)?.filter(|path| name_of(path).starts_with("part-")) {
            fs::remove_file(&path).map_err(ExportError::disk(&path))?;
        }
        Ok(Self { dir: dir.to_owned(), work, disk: Arc::new(LocalDisk), next_part: AtomicU64::new(0), _lock: lock })
    }

    /// Where index files arrive.
    pub(super) fn arrivals(&self) -> Arrivals {
        Arrivals { folder: self.work.clone(), disk: Arc::clone(&self.disk) }
    }

    /// A file of the tree.
    pub(super) fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.dir.join(inside)
    }

    /// A name for a file that is being written, given once.
    pub(super) fn part(&self) -> PathBuf {
        self.work.join(format!("part-tree-{}", self.next_part.fetch_add(1, Ordering::Relaxed)))
    }

    /// Whether an index file with this checksum is there. Files come here in one step, so the checksum at a file's end
    /// says what is in it, unless that is to be verified.
    pub(super) fn has_index_file(&self, file: &IndexFile, crc: Crc32, verify: bool) -> bool {
        let path = self.path(file.wire_path());
        if verify {
            self.text_crc(&path).is_ok_and(|is| is == crc)
        } else {
            trailer_crc(&path).is_ok_and(|is| is == crc)
        }
    }

    fn text_crc(&self, path: &Path) -> io::Result<Crc32> {
        let mut file = BufReader::new(File::open(path)?);
        let mut gunzip = Gunzip::new(SyncLimits::default().file_bytes_max);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer)? {
                0 => return gunzip.finish().map(|whole| whole.crc).map_err(io::Error::other),
                n => gunzip.push(&buffer[..n], &mut io::sink()).map_err(io::Error::other)?,
            }
        }
    }

    /// Puts a small file into the tree, unless it is there as it is. Answers whether it was not.
    pub(super) fn put(&self, inside: &Path, bytes: &[u8]) -> Result<bool, ExportError> {
        let path = self.path(inside);
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == bytes.len() as u64)
            && fs::read(&path).is_ok_and(|there| there == bytes)
        {
            return Ok(false);
        }
        let part = self.part();
        fs::write(&part, bytes).map_err(ExportError::disk(&part))?;
        self.place(&part, inside)?;
        Ok(true)
    }

    /// Moves a whole file to its place in the tree.
    pub(super) fn place(&self, part: &Path, inside: &Path) -> Result<(), ExportError> {
        let path = self.path(inside);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(ExportError::disk(parent))?;
        }
        fs::rename(part, &path).map_err(ExportError::disk(&path))
    }

    /// Compresses an index file that has arrived into the tree.
    pub(super) fn take_arrival(&self, file: &IndexFile, crc: Crc32) -> Result<(), ExportError> {
        let arrived = self.arrivals().path(file, crc);
        let mut text = File::open(&arrived).map_err(ExportError::disk(&arrived))?;
        let part = self.part();
        self.compress(&part, &mut text)?;
        self.place(&part, Path::new(&file.wire_path()))
    }

    /// Puts `registry.gz` into the tree, unless it is there as it is, after everything before it is durable. Answers
    /// whether it was not there.
    pub(super) fn put_registry(&self, text: &[u8]) -> Result<bool, ExportError> {
        let part = self.part();
        self.compress(&part, &mut &*text)?;
        let bytes = fs::read(&part).map_err(ExportError::disk(&part))?;
        self.persist()?;
        let is_new = self.put(Path::new(REGISTRY), &bytes)?;
        self.persist()?;
        Ok(is_new)
    }

    fn compress(&self, part: &Path, text: &mut dyn Read) -> Result<(), ExportError> {
        let compressed = File::create(part).and_then(|file| {
            let mut encoder = GzEncoder::new(io::BufWriter::new(file), Compression::new(LEVEL));
            io::copy(text, &mut encoder)?;
            encoder.finish()?.flush()
        });
        compressed.map_err(ExportError::disk(part))
    }

    /// Makes all that was written durable.
    fn persist(&self) -> Result<(), ExportError> {
        let dir = File::open(&self.dir).map_err(ExportError::disk(&self.dir))?;
        #[cfg(target_os = "linux")]
        let done = rustix::fs::syncfs(dir).map_err(io::Error::from);
        #[cfg(not(target_os = "linux"))]
        let done = dir.sync_all();
        done.map_err(ExportError::disk(&self.dir))
    }

    /// Removes the files of exports that are not among `wanted`, and what is left of the work. Answers how many.
    pub(super) fn sweep(&self, wanted: &HashSet<PathBuf>) -> Result<u64, ExportError> {
        let mut removed = 0;
        let mut files = Vec::new();
        for (folder, suffix) in [("packages", ".gz"), ("releases", ".json")] {
            let is_ours = |name: &str| name.strip_suffix(suffix).is_some_and(|stem| stem.parse::<FullName>().is_ok());
            files.extend(self.inside(Path::new(folder))?.filter(|(inside, _)| is_ours(name_of(inside))));
        }
        files.extend(self.inside(Path::new(""))?.filter(|(inside, _)| name_of(inside) == "summaries.gz"));
        let mut folders = Vec::new();
        for (package, _) in self.inside(Path::new("archives"))?.filter(|(_, is_folder)| *is_folder) {
            let Ok(name) = name_of(&package).parse::<FullName>() else { continue };
            let prefix = format!("{name}-");
            for (inside, is_folder) in self.inside(&package)?.filter(|(inside, _)| name_of(inside).starts_with(&prefix))
            {
                if is_folder {
                    files.extend(self.inside(&inside)?);
                    folders.push(inside);
                } else if name_of(&inside).ends_with(".json") {
                    files.push((inside, false));
                }
            }
            folders.push(package);
        }
        for (inside, is_folder) in files {
            if !is_folder && !wanted.contains(&inside) {
                let path = self.path(&inside);
                fs::remove_file(&path).map_err(ExportError::disk(&path))?;
                removed += 1;
            }
        }
        for folder in folders {
            // One that still holds something stays.
            let _ = fs::remove_dir(self.path(folder));
        }
        fs::remove_dir_all(&self.work).map_err(ExportError::disk(&self.work))?;
        Ok(removed)
    }

    /// What is in a folder of the tree, and whether it is itself a folder. Links are not followed.
    fn inside(&self, folder: &Path) -> Result<impl Iterator<Item = (PathBuf, bool)> + use<>, ExportError> {
        let dir = self.dir.clone();
        let path = self.path(folder);
        let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) || folder == Path::new("");
        let found: Vec<PathBuf> = if is_folder { entries(&path)?.collect() } else { Vec::new() };
        Ok(found.into_iter().filter_map(move |path| {
            let is_folder = path.symlink_metadata().ok()?.is_dir();
            Some((path.strip_prefix(&dir).ok()?.to_owned(), is_folder))
        }))
    }
}

/// Whether the folder holds a tree.
fn is_tree(dir: &Path) -> bool {
    let limits = SyncLimits::default();
    let text = fs::read(dir.join(REGISTRY)).ok();
    let text = text.and_then(|bytes| crate::client::gzip::gunzip(&bytes, limits.registry_bytes_max).ok());
    text.is_some_and(|(text, _)| Registry::parse(&text, limits.files_max).is_ok())
}

/// The checksum that a gzip file says at its end.
fn trailer_crc(path: &Path) -> io::Result<Crc32> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-TRAILER_BYTES))?;
    let mut crc = [0; 4];
    file.read_exact(&mut crc)?;
    Ok(Crc32(u32::from_le_bytes(crc)))
}

fn entries(folder: &Path) -> Result<impl Iterator<Item = PathBuf> + use<>, ExportError> {
    let read = fs::read_dir(folder).map_err(ExportError::disk(folder))?;
    Ok(read.filter_map(|entry| Some(entry.ok()?.path())))
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
