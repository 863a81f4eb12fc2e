//! Where an import reads from: a folder, or an address, each with the same files in it, none of which is trusted.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use serde::Deserialize;

use super::target::Target;
use super::{ImportError, blocking};
use crate::client::archive::{ArchiveError, fetch_archive, measure, sha256_of_file};
use crate::client::gzip::gunzip;
use crate::client::json_depth::JsonDepth;
use crate::client::sync::{IndexFile, Registry, SyncError, SyncLimits};
use crate::client::tree::{
    ArchiveLine, MANIFEST_BYTES_MAX, REGISTRY, RELEASES_BYTES_MAX, Releases, local_path, manifest_path, parse_lines,
    releases_path,
};
use crate::client::url::encode;
use crate::client::{Client, Url};
use crate::model::{Crc32, FullName, Manifest, PlatformName, Sha256};

/// The most text that the lines of one package may have, in bytes: of a million versions. They are held in memory.
const PACKAGE_BYTES_MAX: u64 = 256 << 20;

/// The largest archive that is fetched to compute its size and digest, in bytes.
const ARCHIVE_BYTES_MAX: u64 = 256 << 30;

/// Where a tree is.
#[derive(Clone)]
pub enum Tree {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// At an address: the folder of `registry.gz`, or one in which that is `v2/registry.gz`.
    Remote {
        /// For its origin.
        client: Client,
        /// The address.
        url: Url,
    },
}

/// A tree, open for reading.
pub(super) struct Source {
    tree: Tree,
    limits: SyncLimits,
    /// As it was read last.
    registry: Mutex<Registry>,
    platforms: BTreeSet<PlatformName>,
    incoming: Incoming,
}

/// What there is of a package.
pub(super) struct Found {
    pub(super) lines: Vec<ArchiveLine>,
    /// Missing where the tree is not of a Packhouse.
    pub(super) releases: Option<Releases>,
}

/// An archive's bytes, verified or still to be verified by who takes them.
pub(super) struct ArchiveFile {
    pub(super) path: PathBuf,
    is_temporary: bool,
}

impl Drop for ArchiveFile {
    fn drop(&mut self) {
        if self.is_temporary {
            // With its folder it goes at the latest.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Of an entry in the summaries, what it says about platforms.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    package: Fields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    platforms: Vec<String>,
}

impl Source {
    /// Reads what there is.
    pub(super) async fn open(tree: Tree, limits: SyncLimits) -> Result<Self, ImportError> {
        let mut source = Self {
            tree,
            limits,
            registry: Mutex::default(),
            platforms: BTreeSet::new(),
            incoming: Incoming::new().await?,
        };
        let found = match source.read_registry().await? {
            Some(registry) => registry,
            None => {
                // A server's address, or that of a tree which is served as it stands.
                if let Tree::Remote { url, .. } = &mut source.tree {
                    *url = url.view_root();
                }
                let place = source.place();
                source.read_registry().await?.ok_or(ImportError::NoTree { place })?
            }
        };
        source.platforms = source.read_platforms(&found).await?;
        *source.registry.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(source)
    }

    fn place(&self) -> String {
        match &self.tree {
            Tree::Folder(folder) => folder.display().to_string(),
            Tree::Remote { url, .. } => url.to_string(),
        }
    }

    /// The packages that there are.
    pub(super) fn packages(&self) -> BTreeSet<FullName> {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |file: &IndexFile| match file {
            IndexFile::Package(name) => Some(name.clone()),
            IndexFile::Summaries => None,
        };
        registry.files.keys().filter_map(name).collect()
    }

    /// Platforms that there are for certain, to tell them from what belongs to a version.
    pub(super) fn known_platforms(&self, target: &Target<'_>) -> BTreeSet<PlatformName> {
        self.platforms.iter().chain(target.platforms()).cloned().collect()
    }

    /// What there is of a package; nothing if it is gone.
    pub(super) async fn package(&self, name: &FullName) -> Result<Option<Found>, ImportError> {
        let file = IndexFile::Package(name.clone());
        let listed = |registry: &Registry| registry.files.get(&file).copied();
        let mut crc = listed(&self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        let mut round = 1;
        loop {
            let Some(listed_crc) = crc else { return Ok(None) };
            let (path, why) = match self.read_package(name, listed_crc).await? {
                Ok(found) => return Ok(Some(found)),
                Err(moved) => moved,
            };
            // It changed while it was read: what is listed now counts.
            if round >= self.limits.rounds_max {
                return Err(ImportError::Inconsistent { file: path, why, rounds: round });
            }
            tokio::time::sleep(self.limits.round_wait.saturating_mul(1 << (round - 1).min(16))).await;
            round += 1;
            let fresh = self.read_registry().await?.ok_or_else(|| ImportError::NoTree { place: self.place() })?;
            crc = listed(&fresh);
            *self.registry.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    /// Reads a package if it is the one that is listed; else which file is not, and how.
    async fn read_package(&self, name: &FullName, crc: Crc32) -> Result<Result<Found, (String, String)>, ImportError> {
        let path = IndexFile::Package(name.clone()).wire_path();
        let gone = || "it is not there".to_owned();
        let Some(compressed) = self.read(&path, self.limits.file_gz_bytes_max.min(PACKAGE_BYTES_MAX)).await? else {
            return Ok(Err((path, gone())));
        };
        let (limits, file) = (self.limits.clone(), path.clone());
        let lines = blocking(move || {
            let (text, actual) =
                gunzip(&compressed, PACKAGE_BYTES_MAX).map_err(|why| ImportError::file(&*file, why))?;
            if actual != crc {
                return Ok(Err(format!("listed {crc}, found {actual}")));
            }
            JsonDepth::default().pass(&text, limits.json_depth_max).map_err(|why| ImportError::file(&*file, why))?;
            parse_lines(&text).map(Ok).map_err(|why| ImportError::file(&*file, why))
        });
        let lines = match lines.await? {
            Ok(lines) => lines,
            Err(why) => return Ok(Err((path, why))),
        };
        let lines = self.measured(lines).await?;
        let path = releases_path(name);
        let Some(text) = self.read(&path, RELEASES_BYTES_MAX).await? else {
            return Ok(Ok(Found { lines, releases: None }));
        };
        let releases = Releases::parse(&text).map_err(|why| ImportError::file(&*path, why))?;
        if releases.lines != crc {
            return Ok(Err((path, format!("it belongs to the lines {}, and {crc} are listed", releases.lines))));
        }
        if !releases.are_of(lines.iter().map(|line| &*line.id)) {
            return Err(ImportError::file(path, "it does not list the archives that the package's lines list"));
        }
        Ok(Ok(Found { lines, releases: Some(releases) }))
    }

    /// The lines with size and digest of each archive, which are computed where the tree does not list them.
    async fn measured(&self, mut lines: Vec<ArchiveLine>) -> Result<Vec<ArchiveLine>, ImportError> {
        for line in lines.iter_mut().filter(|line| line.is_unseen) {
            let shown = printable(&line.archive_path);
            let unusable = |why: String| ImportError::file(shown.clone(), why);
            let inside = local_path(&line.archive_path);
            (line.size_bytes, line.sha256) = match (&self.tree, inside) {
                (Tree::Remote { client, url }, inside) => {
                    let url = match inside {
                        Some(_) => url.join(&line.archive_path),
                        None => line.archive_path.parse().map_err(|why| unusable(format!("{why}")))?,
                    };
                    measure(client, &url, ARCHIVE_BYTES_MAX).await.map_err(ImportError::request(shown))?
                }
                (Tree::Folder(folder), Some(inside)) => {
                    let folder = folder.clone();
                    let read = move || {
                        let Some(path) = real_path(&folder, &inside)? else { return Ok(None) };
                        let size = fs::metadata(&path).map_err(ImportError::disk(&path))?.len();
                        let sha256 = sha256_of_file(&path).map_err(ImportError::disk(&path))?;
                        Ok(Some((size, sha256)))
                    };
                    blocking(read).await?.ok_or_else(|| unusable("it is not there".to_owned()))?
                }
                (Tree::Folder(_), None) => {
                    return Err(unusable(
                        "its size and SHA-256 are not listed; import from the registry's address, so that they are computed"
                            .to_owned(),
                    ));
                }
            };
            line.is_unseen = false;
        }
        Ok(lines)
    }

    async fn read_registry(&self) -> Result<Option<Registry>, ImportError> {
        let Some(compressed) = self.read(REGISTRY, self.limits.registry_gz_bytes_max).await? else { return Ok(None) };
        let limits = self.limits.clone();
        blocking(move || {
            let wrong = |why: String| SyncError::Registry(why);
            let (text, _) = gunzip(&compressed, limits.registry_bytes_max).map_err(|why| wrong(why.to_string()))?;
            JsonDepth::default().pass(&text, limits.json_depth_max).map_err(|why| wrong(why.to_string()))?;
            let registry = Registry::parse(&text, limits.files_max).map_err(|why| wrong(why.to_string()))?;
            Ok(Some(registry))
        })
        .await
    }

    /// The platforms that the summaries name. They only help to read ids: without them, those are read as well.
    async fn read_platforms(&self, registry: &Registry) -> Result<BTreeSet<PlatformName>, ImportError> {
        let path = IndexFile::Summaries.wire_path();
        if !registry.files.contains_key(&IndexFile::Summaries) {
            return Ok(BTreeSet::new());
        }
        let Some(compressed) = self.read(&path, self.limits.file_gz_bytes_max).await? else {
            return Ok(BTreeSet::new());
        };
        let limits = self.limits.clone();
        blocking(move || {
            let (text, _) =
                gunzip(&compressed, limits.summaries_bytes_max).map_err(|why| ImportError::file(&*path, why))?;
            JsonDepth::default().pass(&text, limits.json_depth_max).map_err(|why| ImportError::file(&*path, why))?;
            let entries: HashMap<String, Entry> = serde_json::from_slice(&text).unwrap_or_default();
            let names = entries.into_values().flat_map(|entry| entry.package.platforms);
            Ok(names.filter_map(|name| name.parse().ok()).collect())
        })
        .await
    }

    /// A manifest as it was published: without the archive's path, where that was added at its end. Nothing if there is
    /// none, or none but that path.
    pub(super) async fn manifest(
        &self,
        name: &FullName,
        id: &str,
        sha256: Option<Sha256>,
    ) -> Result<Option<Manifest>, ImportError> {
        let shown = manifest_path(name, id);
        let text = match &self.tree {
            Tree::Folder(_) => self.read_local(&shown, MANIFEST_BYTES_MAX).await?,
            Tree::Remote { .. } => {
                let encoded = format!("archives/{name}/{name}-{}.json", encode(id));
                self.read(&encoded, MANIFEST_BYTES_MAX).await?
            }
        };
        let Some(text) = text else {
            return match sha256 {
                Some(_) => Err(ImportError::file(shown, "it is not there")),
                None => Ok(None),
            };
        };
        if let Some(listed) = sha256.filter(|listed| *listed != Sha256::of(&text)) {
            return Err(ImportError::file(
                shown,
                format!(
                    "its SHA-256 is {} instead of {listed}; if the tree is changing, run it again",
                    Sha256::of(&text)
                ),
            ));
        }
        let manifest = crate::client::import::plan::original_manifest(&text);
        manifest.map_err(|why| ImportError::file(shown, why))
    }

    /// The bytes of an archive of the tree; nothing if they are not there.
    pub(super) async fn archive(&self, line: &ArchiveLine) -> Result<Option<ArchiveFile>, ImportError> {
        let inside = local_path(&line.archive_path);
        let inside =
            inside.ok_or_else(|| ImportError::file(printable(&line.archive_path), "this is no path of a tree"))?;
        match &self.tree {
            Tree::Folder(folder) => {
                let (folder, size_bytes) = (folder.clone(), line.size_bytes);
                blocking(move || {
                    let Some(path) = real_path(&folder, &inside)? else { return Ok(None) };
                    match fs::metadata(&path) {
                        Err(error) => Err(ImportError::disk(&path)(error)),
                        Ok(metadata) if metadata.is_file() && metadata.len() == size_bytes => {
                            Ok(Some(ArchiveFile { path, is_temporary: false }))
                        }
                        Ok(metadata) => Err(ImportError::file(
                            path.display().to_string(),
                            format!("it has {} bytes instead of {size_bytes}", metadata.len()),
                        )),
                    }
                })
                .await
            }
            Tree::Remote { client, url } => {
                let file = ArchiveFile { path: self.incoming.next(), is_temporary: true };
                let url = url.join(&line.archive_path);
                match fetch_archive(client, &url, &file.path, line.size_bytes, line.sha256).await {
                    Ok(()) => Ok(Some(file)),
                    Err(ArchiveError::Different(why)) => Err(ImportError::file(printable(&line.archive_path), why)),
                    Err(ArchiveError::Disk(error)) => Err(ImportError::disk(&file.path)(error)),
                    Err(ArchiveError::Request(error)) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
                    Err(ArchiveError::Request(error)) => {
                        Err(ImportError::request(printable(&line.archive_path))(error))
                    }
                }
            }
        }
    }

    /// The address of an archive of the tree, if that has one.
    pub(super) fn address(&self, line: &ArchiveLine) -> Option<Url> {
        match &self.tree {
            Tree::Folder(_) => None,
            Tree::Remote { url, .. } => local_path(&line.archive_path).map(|_| url.join(&line.archive_path)),
        }
    }

    /// A file of the tree; nothing if it is not there.
    async fn read(&self, encoded: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, ImportError> {
        let (client, url) = match &self.tree {
            Tree::Folder(_) => return self.read_local(encoded, bytes_max).await,
            Tree::Remote { client, url } => (client, url),
        };
        client.find(url.join(encoded), bytes_max).await.map_err(ImportError::request(encoded))
    }

    /// A file of a folder, by a path that was made of checked names.
    async fn read_local(&self, inside: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, ImportError> {
        let Tree::Folder(folder) = &self.tree else { return Ok(None) };
        let (folder, shown) = (folder.clone(), inside.to_owned());
        blocking(move || {
            let Some(path) = real_path(&folder, Path::new(&shown))? else { return Ok(None) };
            let mut bytes = Vec::new();
            match File::open(&path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes)) {
                Ok(_) if bytes.len() as u64 > bytes_max => {
                    Err(ImportError::file(shown, format!("it has more than {bytes_max} bytes")))
                }
                Ok(_) => Ok(Some(bytes)),
                Err(error) => Err(ImportError::disk(&path)(error)),
            }
        })
        .await
    }
}

/// Where a file of a folder really is; nothing if it is not there. Links may not lead out of the tree: who made it does not
/// decide which of this machine's files are published.
fn real_path(folder: &Path, inside: &Path) -> Result<Option<PathBuf>, ImportError> {
    let path = folder.join(inside);
    match (fs::canonicalize(&path), fs::canonicalize(folder)) {
        (Ok(real), Ok(folder)) if real.starts_with(&folder) => Ok(Some(real)),
        (Ok(_), Ok(_)) => {
            Err(ImportError::file(inside.display().to_string(), "it is a link that leads out of the tree"))
        }
        (Err(error), _) | (_, Err(error))
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        (Err(error), _) | (_, Err(error)) => Err(ImportError::disk(&path)(error)),
    }
}

fn printable(text: &str) -> String {
    crate::client::problem::printable(text).unwrap_or_default()
}

/// A folder for archives that are on their way, which goes when this does.
struct Incoming {
    folder: PathBuf,
    next: AtomicU64,
}

impl Incoming {
    async fn new() -> Result<Self, ImportError> {
        blocking(|| {
            let base = std::env::temp_dir();
            let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
            for attempt in 0..1000 {
                let folder = base.join(format!("packhouse-import-{}-{attempt}", std::process::id()));
                match fs::DirBuilder::new().mode(0o700).create(&folder) {
                    Ok(()) => return Ok(Self { folder, next: AtomicU64::new(0) }),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                    Err(error) => return Err(ImportError::disk(&folder)(error)),
                }
            }
            Err(ImportError::disk(&base)(last))
        })
        .await
    }

    fn next(&self) -> PathBuf {
        self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What cannot be removed is the system's to remove.
        let _ = fs::remove_dir_all(Path::new(&self.folder));
    }
}
