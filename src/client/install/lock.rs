//! `packhouse.lock`: what was asked for and exactly what was installed for it, so that it can be installed again.
//!
//! JSON in one form: the same content is always the same bytes. A lock is read strictly, since what it says is installed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::client::solve::{Archive, Chosen, Request, Resolution, Root};
use crate::model::byte_order_mark::without_mark;
use crate::model::{FullName, PlatformName, Sha256, Version};

/// The form of the file.
const FORM: u32 = 1;
/// A lock is some hundred bytes for each package.
const LOCK_BYTES_MAX: u64 = 64 << 20;

/// Why a lock file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// It is no lock, or one of a later version.
    #[error("{}: {why}; remove it to choose versions anew", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// An archive that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The package.
    pub name: FullName,
    /// The version of it.
    pub version: Version,
    /// Version and platform, as the index has them.
    pub id: String,
    /// Digest of the archive.
    pub sha256: Sha256,
    /// Its size.
    pub size_bytes: u64,
    /// Its path relative to the view's root, or its address.
    pub archive_path: String,
    /// The packages in the lock that it needs.
    pub needs: Vec<FullName>,
}

/// What was asked for, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What it is for.
    pub platform: PlatformName,
    /// Whether prereleases were wanted.
    pub prereleases: bool,
    /// The packages asked for as they are written, in their order.
    pub roots: Vec<String>,
    /// All packages, in the order of their names.
    pub packages: Vec<Locked>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    platform: String,
    prereleases: bool,
    roots: Vec<String>,
    packages: Vec<WirePackage>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePackage {
    name: String,
    version: String,
    id: String,
    sha256: String,
    size: u64,
    #[serde(rename = "archivePath")]
    archive_path: String,
    needs: Vec<String>,
}

/// A chosen archive about which the index does not say enough to install it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} {id} cannot be installed: the index gives no {what} of its archive{}",
    if *.what == "path" { String::new() } else {
        format!(", so that nothing tells whether what comes is right; --allow-unverified {} takes it as it comes", .name)
    }
)]
pub struct Incomplete {
    /// The package.
    pub name: FullName,
    /// The id.
    pub id: String,
    /// What is missing.
    pub what: &'static str,
    /// Where the archive is.
    pub archive_path: Option<String>,
}

impl Lock {
    /// Locks an answer.
    ///
    /// # Errors
    /// If the index says too little about an archive.
    pub fn new(request: &Request, resolution: &Resolution) -> Result<Self, Incomplete> {
        let packages = resolution.packages.iter().map(Locked::new).collect::<Result<_, _>>()?;
        let roots = written(&request.roots);
        Ok(Self { platform: request.platform.clone(), prereleases: request.prereleases, roots, packages })
    }

    /// Whether it is the answer to `request`: then it is installed as it stands.
    #[must_use]
    pub fn answers(&self, request: &Request) -> bool {
        self.platform == request.platform
            && self.prereleases == request.prereleases
            && self.roots == written(&request.roots)
    }

    /// Its versions, for a request that keeps them where it can.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<FullName, Version> {
        self.packages.iter().map(|package| (package.name.clone(), package.version.clone())).collect()
    }

    /// What it was the answer to, as a request with the roots it has.
    ///
    /// # Errors
    /// If a root is none, which a lock written by this program does not have.
    pub fn parsed_roots(&self) -> Result<Vec<Root>, String> {
        self.roots.iter().map(|root| root.parse().map_err(|why| format!("{root:?}: {why}"))).collect()
    }

    /// Reads a lock; nothing if there is no such file.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn read(path: &Path) -> Result<Option<Self>, LockError> {
        let disk = |source| LockError::Disk { path: path.to_owned(), source };
        let unreadable = |why: String| LockError::Unreadable { path: path.to_owned(), why };
        match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk(error)),
            Ok(metadata) if metadata.len() > LOCK_BYTES_MAX => return Err(unreadable("it is too large".to_owned())),
            Ok(_) => {}
        }
        let text = std::fs::read(path).map_err(disk)?;
        Self::parse(&text).map(Some).map_err(unreadable)
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let wire = serde_json::from_slice(without_mark(text));
        let wire: Wire = wire.map_err(|error| format!("it is no lock file ({error})"))?;
        if wire.version != FORM {
            return Err(format!(
                "it is a lock file of version {}, and this program knows version {FORM}",
                wire.version
            ));
        }
        let platform = wire.platform.parse().map_err(|why| format!("{why}"))?;
        let packages: Vec<Locked> = wire.packages.iter().map(WirePackage::parse).collect::<Result<_, _>>()?;
        if !packages.is_sorted_by(|left, right| left.name < right.name) {
            return Err("its packages are not in order".to_owned());
        }
        let lock = Self { platform, prereleases: wire.prereleases, roots: wire.roots, packages };
        lock.parsed_roots()?;
        Ok(lock)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let names = |names: &[FullName]| names.iter().map(ToString::to_string).collect();
        let package = |package: &Locked| WirePackage {
            name: package.name.to_string(),
            version: package.version.to_string(),
            id: package.id.clone(),
            sha256: package.sha256.to_string(),
            size: package.size_bytes,
            archive_path: package.archive_path.clone(),
            needs: names(&package.needs),
        };
        let wire = Wire {
            version: FORM,
            platform: self.platform.to_string(),
            prereleases: self.prereleases,
            roots: self.roots.clone(),
            packages: self.packages.iter().map(package).collect(),
        };
        // Text keys and plain values always have a JSON form.
        serde_json::to_string_pretty(&wire).unwrap_or_default() + "\n"
    }

    /// Writes it in one step, if the file is not so already.
    ///
    /// # Errors
    /// If the file system fails; the file is then as it was.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let text = self.text();
        if std::fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
            return Ok(());
        }
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let written = std::fs::write(&new, text).and_then(|()| std::fs::File::open(&new)?.sync_all());
        written
            .and_then(|()| std::fs::rename(&new, path))
            .map_err(|source| LockError::Disk { path: path.to_owned(), source })
    }
}

impl Locked {
    fn new(chosen: &Chosen) -> Result<Self, Incomplete> {
        let id = chosen.id.to_string();
        let Archive { path, size_bytes, sha256 } = &chosen.archive;
        let missing = |what| Incomplete { name: chosen.name.clone(), id: id.clone(), what, archive_path: path.clone() };
        Ok(Self {
            name: chosen.name.clone(),
            version: chosen.id.version.clone(),
            sha256: sha256.ok_or_else(|| missing("SHA-256 digest"))?,
            size_bytes: size_bytes.ok_or_else(|| missing("size"))?,
            archive_path: path.clone().ok_or_else(|| missing("path"))?,
            needs: chosen.needs.clone(),
            id,
        })
    }

    /// The name of its folder: `FULLNAME-ID`.
    #[must_use]
    pub fn folder_name(&self) -> String {
        format!("{}-{}", self.name, self.id)
    }
}

impl WirePackage {
    fn parse(&self) -> Result<Locked, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("{:?}: {why}", self.name);
        let needs = self.needs.iter().map(|name| name.parse::<FullName>()).collect::<Result<_, _>>();
        // An id has the characters of a version, and so is safe in a path; its length is its platform's as well.
        let is_id = self.id.starts_with(&self.version) && PackageIds::may_hold(&self.id);
        if !is_id {
            return Err(wrong(&format!("{:?} is no package id of version {:?}", self.id, self.version)));
        }
        Ok(Locked {
            name: self.name.parse().map_err(|why| wrong(&why))?,
            version: self.version.parse().map_err(|why| wrong(&why))?,
            id: self.id.clone(),
            sha256: self.sha256.parse().map_err(|why| wrong(&why))?,
            size_bytes: self.size,
            archive_path: self.archive_path.clone(),
            needs: needs.map_err(|why| wrong(&why))?,
        })
    }
}

/// What texts can be package ids.
struct PackageIds;

impl PackageIds {
    fn may_hold(text: &str) -> bool {
        crate::model::PackageId::readings(text).next().is_some()
    }
}

/// Roots as a lock has them: each once, in their order as text.
fn written(roots: &[Root]) -> Vec<String> {
    let mut texts: Vec<String> = roots.iter().map(ToString::to_string).collect();
    texts.sort();
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let package = |name: &str, needs: &[&str]| Locked {
            name: name.parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            id: "1.0.0+linux-x64".to_owned(),
            sha256: Sha256::of(name.as_bytes()),
            size_bytes: 7,
            archive_path: format!("archives/{name}/{name}-1.0.0+linux-x64/x.zip"),
            needs: needs.iter().map(|name| name.parse().unwrap()).collect(),
        };
        Lock {
            platform: "linux-x64".parse().unwrap(),
            prereleases: false,
            roots: vec!["omni.app@^1".to_owned()],
            packages: vec![package("omni.app", &["omni.core"]), package("omni.core", &[])],
        }
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("packhouse.lock");
        assert_eq!(Lock::read(&path).unwrap(), None);
        lock().write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap(), Some(lock()));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, lock().text());
        assert!(text.starts_with("{\n  \"version\": 1,\n  \"platform\": \"linux-x64\",\n"), "{text}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        let text = lock().text();
        for (old, new, why) in [
            ("\"version\": 1,", "\"version\": 2,", "of version 2"),
            ("\"prereleases\"", "\"prerelease\"", "no lock file"),
            ("omni.core\",\n      \"version\"", "omni.aaa\",\n      \"version\"", "not in order"),
            ("\"id\": \"1.0.0+linux-x64\"", "\"id\": \"1.0.0/../../x\"", "no package id"),
            ("\"id\": \"1.0.0+linux-x64\"", "\"id\": \"2.0.0\"", "no package id"),
            ("omni.app@^1", "omni.app@x y", "looks like ^1.2"),
            ("\"size\": 7", "\"size\": -7", "no lock file"),
            ("\"name\": \"omni.app\"", "\"name\": \"../app\"", "../app"),
        ] {
            assert!(text.contains(old), "{old}");
            let error = Lock::parse(text.replacen(old, new, 1).as_bytes()).unwrap_err();
            assert!(error.contains(why), "{new}: {error}");
        }
        assert!(Lock::parse(b"").is_err());
    }
}
