//! One package of an export: its manifests, archives and list of releases.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::folder::Folder;
use super::{ArchiveError, ExportError, ExportOptions, Step, blocking};
use crate::client::archive::{fetch_archive, sha256_of_file};
use crate::client::connection::is_gone;
use crate::client::gzip::gunzip;
use crate::client::sync::{IndexFile, SyncLimits};
use crate::client::tree::{
    ArchiveLine, Listed, MANIFEST_BYTES_MAX, RELEASES_BYTES_MAX, Releases, local_path, manifest_path, parse_lines,
    releases_path,
};
use crate::client::url::encode;
use crate::client::{Client, Url};
use crate::model::{Crc32, FullName, Sha256, Visibility};

/// A package to bring into the tree.
pub(super) struct Job<'a> {
    pub(super) client: &'a Client,
    pub(super) options: &'a ExportOptions,
    pub(super) folder: &'a Arc<Folder>,
    pub(super) name: &'a FullName,
    /// The checksum of its lines.
    pub(super) crc: Crc32,
    /// Whether its lines are among the arrivals; else they are in the tree.
    pub(super) has_arrived: bool,
}

/// What of a package is in the tree now, its lines left out.
#[derive(Debug, Default)]
pub(super) struct PackageFiles {
    pub(super) paths: Vec<PathBuf>,
    pub(super) is_private: bool,
    pub(super) written: u64,
    pub(super) kept: u64,
}

/// What the tree knew of a package before.
struct Before {
    archives: HashMap<String, ArchiveLine>,
    manifests: HashMap<String, Sha256>,
}

/// What of a file was there.
#[derive(Clone, Copy)]
enum Fetched {
    Kept,
    Written,
}

impl Job<'_> {
    pub(super) async fn run(&self) -> Result<Step<PackageFiles>, ExportError> {
        let (lines, before) = self.read().await?;
        let path = releases_path(self.name);
        let Some(text) = self.get(&path, RELEASES_BYTES_MAX).await? else { return Ok(gone(&path)) };
        let releases =
            Releases::parse(&text).map_err(|error| ExportError::File { file: path.clone(), why: error.to_string() })?;
        if releases.lines != self.crc || !releases.are_of(lines.iter().map(|line| &*line.id)) {
            let why = format!("it belongs to the lines {}, and {} are listed", releases.lines, self.crc);
            return Ok(Step::Moved { file: path, why });
        }
        self.check_names(&lines)?;
        let mut files =
            PackageFiles { is_private: releases.package.visibility == Visibility::Private, ..PackageFiles::default() };
        for (line, listed) in lines.iter().zip(&releases.releases) {
            for step in
                [self.manifest(listed, &before, &mut files).await?, self.archive(line, &before, &mut files).await?]
            {
                if let Step::Moved { file, why } = step {
                    return Ok(Step::Moved { file, why });
                }
            }
        }
        let (folder, inside) = (Arc::clone(self.folder), PathBuf::from(path));
        files.paths.push(inside.clone());
        let is_new = blocking(move || folder.put(&inside, &text)).await?;
        files.note(if is_new { Fetched::Written } else { Fetched::Kept });
        Ok(Step::Done(files))
    }

    /// The package's lines, and what the tree knew before.
    async fn read(&self) -> Result<(Vec<ArchiveLine>, Before), ExportError> {
        let (folder, file) = (Arc::clone(self.folder), IndexFile::Package(self.name.clone()));
        let (crc, has_arrived, releases) = (self.crc, self.has_arrived, releases_path(self.name));
        blocking(move || {
            let in_tree = folder.path(file.wire_path());
            let wrong = |why: String| ExportError::File { file: file.wire_path(), why };
            let bytes_max = SyncLimits::default().file_bytes_max;
            let old = fs::read(&in_tree).ok().and_then(|bytes| gunzip(&bytes, bytes_max).ok()).map(|(text, _)| text);
            let new = if has_arrived {
                let arrived = folder.arrivals().path(&file, crc);
                Some(fs::read(&arrived).map_err(ExportError::disk(&arrived))?)
            } else {
                None
            };
            // What does not read well was no file of ours, and knows nothing.
            let old_lines = old.as_deref().and_then(|text| parse_lines(text).ok());
            let lines = match new {
                Some(text) => parse_lines(&text).map_err(wrong)?,
                None => old_lines
                    .clone()
                    .ok_or_else(|| wrong("it is damaged in the tree; --verify repairs it".to_owned()))?,
            };
            let archives = old_lines.into_iter().flatten().map(|line| (line.id.clone(), line)).collect();
            let releases = fs::read(folder.path(releases)).ok().and_then(|text| Releases::parse(&text).ok());
            let manifests = releases.into_iter().flat_map(|known| known.releases);
            let manifests = manifests.map(|listed| (listed.id, listed.manifest_sha256)).collect();
            Ok((lines, Before { archives, manifests }))
        })
        .await
    }

    /// Refuses ids of which one's folder would have to be another's manifest.
    fn check_names(&self, lines: &[ArchiveLine]) -> Result<(), ExportError> {
        let ids: HashSet<&str> = lines.iter().map(|line| &*line.id).collect();
        match lines.iter().find(|line| line.id.strip_suffix(".json").is_some_and(|stem| ids.contains(stem))) {
            None => Ok(()),
            Some(line) => Err(ExportError::File {
                file: format!("archives/{0}/{0}-{1}", self.name, line.id),
                why: "in static files, this folder and the manifest of another version have the same name".to_owned(),
            }),
        }
    }

    async fn manifest(
        &self,
        listed: &Listed,
        before: &Before,
        files: &mut PackageFiles,
    ) -> Result<Step<()>, ExportError> {
        let path = manifest_path(self.name, &listed.id);
        let inside = PathBuf::from(&path);
        files.paths.push(inside.clone());
        let (in_tree, verify, sha256) = (self.folder.path(&inside), self.options.verify, listed.manifest_sha256);
        let is_known = before.manifests.get(&listed.id) == Some(&sha256) && !verify;
        let is_there = blocking(move || {
            // One that the last run did not come to list has to be read.
            Ok(if is_known { in_tree.is_file() } else { sha256_of_file(&in_tree).is_ok_and(|is| is == sha256) })
        });
        if is_there.await? {
            files.note(Fetched::Kept);
            return Ok(Step::Done(()));
        }
        let encoded = format!("archives/{0}/{0}-{1}.json", self.name, encode(&listed.id));
        let Some(text) = self.get(&encoded, MANIFEST_BYTES_MAX).await? else { return Ok(gone(&path)) };
        if Sha256::of(&text) != sha256 {
            return Ok(Step::Moved { file: path, why: "it is another manifest than the one listed".to_owned() });
        }
        let folder = Arc::clone(self.folder);
        blocking(move || folder.put(&inside, &text)).await?;
        files.note(Fetched::Written);
        Ok(Step::Done(()))
    }

    async fn archive(
        &self,
        line: &ArchiveLine,
        before: &Before,
        files: &mut PackageFiles,
    ) -> Result<Step<()>, ExportError> {
        if line.archive_path.contains("://") {
            return Ok(Step::Done(()));
        }
        let own = PathBuf::from(format!("archives/{0}/{0}-{1}", self.name, line.id));
        let inside = local_path(&line.archive_path).filter(|inside| inside.parent() == Some(&own));
        let Some(inside) = inside else {
            let why = format!("{} is not where an archive of this id is", line.archive_path);
            return Err(ExportError::File { file: self.name.to_string(), why });
        };
        let known = before.archives.get(&line.id).filter(|old| old.sha256 == line.sha256);
        let is_known = known.is_some_and(|old| old.archive_path == line.archive_path) && !self.options.verify;
        let (in_tree, size_bytes, sha256) = (self.folder.path(&inside), line.size_bytes, line.sha256);
        let is_there = blocking(move || {
            let fits = fs::metadata(&in_tree).is_ok_and(|metadata| metadata.is_file() && metadata.len() == size_bytes);
            Ok(fits && (is_known || sha256_of_file(&in_tree).is_ok_and(|is| is == sha256)))
        });
        let is_there = is_there.await?;
        if is_there || self.options.archives {
            files.paths.push(inside.clone());
        }
        if is_there {
            files.note(Fetched::Kept);
        }
        if is_there || !self.options.archives {
            return Ok(Step::Done(()));
        }
        let part = self.folder.part();
        match fetch_archive(self.client, &self.address(&line.archive_path), &part, size_bytes, sha256).await {
            Ok(()) => {}
            Err(ArchiveError::Different(why)) => return Ok(Step::Moved { file: line.archive_path.clone(), why }),
            Err(ArchiveError::Disk(error)) => return Err(ExportError::disk(&part)(error)),
            Err(ArchiveError::Request(error)) if error.status().is_some_and(is_gone) => {
                return Ok(gone(&line.archive_path));
            }
            Err(ArchiveError::Request(error)) => return Err(error.into()),
        }
        let folder = Arc::clone(self.folder);
        blocking(move || folder.place(&part, &inside)).await?;
        files.note(Fetched::Written);
        Ok(Step::Done(()))
    }

    fn address(&self, encoded: &str) -> Url {
        self.options.root.join(encoded)
    }

    /// A small file of the server's; nothing if it does not have it any more.
    async fn get(&self, encoded: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, ExportError> {
        Ok(self.client.find(self.address(encoded), bytes_max).await?)
    }
}

impl PackageFiles {
    fn note(&mut self, fetched: Fetched) {
        match fetched {
            Fetched::Kept => self.kept += 1,
            Fetched::Written => self.written += 1,
        }
    }
}

fn gone<T>(file: &str) -> Step<T> {
    Step::Moved { file: file.to_owned(), why: "the server does not have it".to_owned() }
}
