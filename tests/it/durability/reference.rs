//! The reference: what a registry of one user should hold after some operations, in plain maps.
//!
//! Owns its own reading of the rules, so that it can disagree with the registry's.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex};

use bytes::Bytes;
use packhouse::model::{Sha256, Timestamp};
use serde_json::{Value, json};

/// The one user.
pub(crate) const USER: &str = "omni";

/// A registry's packages by their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    pub(crate) packages: BTreeMap<String, Package>,
    /// Published files that were deleted, by package, channel, version, platform and name: other bytes never take their
    /// names.
    pub(crate) deleted: BTreeMap<[String; 5], Sha256>,
}

/// A package.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) description: String,
    /// By channel and version.
    pub(crate) releases: BTreeMap<(String, String), Release>,
}

/// A release.
#[derive(Debug, Clone, Default)]
pub(crate) struct Release {
    pub(crate) active: bool,
    /// When it was first active, in microseconds.
    pub(crate) published: Option<i64>,
    pub(crate) yanked: Option<String>,
    /// In the order they were added.
    pub(crate) files: Vec<File>,
}

/// A file of a release.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) platform: String,
    pub(crate) name: String,
    /// Whether it is an attachment whatever the other files are: by its name, or since the archive that it stood beside
    /// was deleted from a published release.
    pub(crate) attachment: bool,
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    /// Nothing where the bytes are elsewhere.
    pub(crate) bytes: Option<Bytes>,
    pub(crate) external_url: Option<String>,
    pub(crate) manifest: Option<Value>,
}

/// One thing that a caller asks for. Packages, channels, versions, platforms and files are given by their names.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    CreatePackage { package: &'static str },
    Publish { file: FileRef, seed: u64, size: usize, active: bool },
    Manifest { file: FileRef, title: &'static str },
    Activate { release: ReleaseRef },
    Deactivate { release: ReleaseRef },
    Yank { release: ReleaseRef },
    Restore { release: ReleaseRef },
    DeleteFile { file: FileRef },
    DeleteRelease { release: ReleaseRef },
    DeletePackage { package: &'static str },
    Collect,
}

/// Names a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReleaseRef {
    pub(crate) package: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) version: &'static str,
}

/// Names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileRef {
    pub(crate) release: ReleaseRef,
    pub(crate) platform: &'static str,
    pub(crate) name: &'static str,
}

/// Why the rules refuse an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NotFound,
    Conflict,
    Invalid,
}

/// Bytes that no other seed has. They are made once, since the loops over all faults ask for them again and again.
pub(crate) fn content(seed: u64, len: usize) -> Bytes {
    static MADE: LazyLock<Mutex<HashMap<(u64, usize), Bytes>>> = LazyLock::new(Mutex::default);
    MADE.lock().unwrap().entry((seed, len)).or_insert_with(|| make_content(seed, len)).clone()
}

fn make_content(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes.into()
}

/// The manifest that [`Op::Manifest`] sets.
pub(crate) fn manifest(title: &str) -> Value {
    json!({
        "package": { "title": title, "description": format!("About {title}"), "keywords": ["a", title] },
        "dependencies": { "omni.base": { "version": "^1" } },
        "own": { "of": title },
    })
}

impl Reference {
    /// Does `op` at `now`, or says why the rules refuse it.
    pub(crate) fn apply(&mut self, op: &Op, now: i64) -> Result<(), Refused> {
        match op {
            Op::CreatePackage { package } => {
                if self.packages.contains_key(*package) {
                    return Err(Refused::Conflict);
                }
                let description = format!("# The package {package}\n\nMore about it.");
                self.packages.insert((*package).to_owned(), Package { description, releases: BTreeMap::new() });
                Ok(())
            }
            Op::Publish { file, seed, size, active } => self.publish(file, content(*seed, *size), *active, now),
            Op::Manifest { file, title } => {
                let release = self.release(&file.release)?;
                let published = release.published.is_some();
                let file = release.file(file)?;
                let manifest = manifest(title);
                match &file.manifest {
                    Some(former) if *former == manifest => {}
                    Some(_) if published => return Err(Refused::Conflict),
                    _ => file.manifest = Some(manifest),
                }
                Ok(())
            }
            Op::Activate { release } => {
                let release = self.release(release)?;
                release.active = true;
                release.published.get_or_insert(now);
                Ok(())
            }
            Op::Deactivate { release } => {
                self.release(release)?.active = false;
                Ok(())
            }
            Op::Yank { release } => {
                let release = self.release(release)?;
                if !release.active {
                    return Err(Refused::Invalid);
                }
                release.yanked = Some("broken".to_owned());
                Ok(())
            }
            Op::Restore { release } => {
                self.release(release)?.yanked = None;
                Ok(())
            }
            Op::DeleteFile { file } => {
                let release = self.release(&file.release)?;
                let at = release.position(file).ok_or(Refused::NotFound)?;
                let archive = release.files.iter().position(|f| f.platform == file.platform && !f.attachment);
                let deleted = release.files.remove(at);
                if archive == Some(at) && release.published.is_some() {
                    let others = release.files.iter_mut().filter(|other| other.platform == file.platform);
                    others.for_each(|other| other.attachment = true);
                }
                if release.published.is_some() {
                    self.bury(&file.release, [deleted]);
                }
                Ok(())
            }
            Op::DeleteRelease { release } => {
                self.release(release)?;
                let package = self.packages.get_mut(release.package).ok_or(Refused::NotFound)?;
                if let Some(gone) = package.releases.remove(&release.key()).filter(|gone| gone.published.is_some()) {
                    self.bury(release, gone.files);
                }
                Ok(())
            }
            Op::DeletePackage { package } => {
                let gone = self.packages.remove(*package).ok_or(Refused::NotFound)?;
                for ((channel, version), release) in gone.releases {
                    if release.published.is_some() {
                        self.bury_all(package, &channel, &version, release.files);
                    }
                }
                Ok(())
            }
            Op::Collect => Ok(()),
        }
    }

    /// Remembers published files that are gone.
    fn bury(&mut self, release: &ReleaseRef, files: impl IntoIterator<Item = File>) {
        self.bury_all(release.package, release.channel, release.version, files);
    }

    fn bury_all(&mut self, package: &str, channel: &str, version: &str, files: impl IntoIterator<Item = File>) {
        for file in files {
            let name = [package, channel, version, &file.platform, &file.name].map(str::to_owned);
            self.deleted.insert(name, file.sha256);
        }
    }

    fn publish(&mut self, file: &FileRef, bytes: Bytes, active: bool, now: i64) -> Result<(), Refused> {
        let package = self.packages.get_mut(file.release.package).ok_or(Refused::NotFound)?;
        let fresh = || Release { active, published: active.then_some(now), ..Release::default() };
        let existing = package.releases.get(&file.release.key());
        if let Some(release) = existing
            && let Some(at) = release.position(file)
        {
            let same = release.files[at].bytes.as_ref() == Some(&bytes);
            if !same && release.published.is_some() {
                return Err(Refused::Conflict);
            }
        }
        let FileRef { release: ReleaseRef { package: named, channel, version }, platform, name } = file;
        let deleted = self.deleted.get(&[*named, *channel, *version, *platform, *name].map(str::to_owned));
        if deleted.is_some_and(|deleted| *deleted != Sha256::of(&bytes)) {
            return Err(Refused::Conflict);
        }
        let release = package.releases.entry(file.release.key()).or_insert_with(fresh);
        let sha256 = Sha256::of(&bytes);
        let size = bytes.len() as u64;
        match release.position(file) {
            Some(at) => {
                let former = &mut release.files[at];
                (former.sha256, former.size, former.bytes) = (sha256, size, Some(bytes));
            }
            None => release.files.push(File {
                platform: file.platform.to_owned(),
                name: file.name.to_owned(),
                attachment: file.name.ends_with(".sig"),
                sha256,
                size,
                bytes: Some(bytes),
                external_url: None,
                manifest: None,
            }),
        }
        Ok(())
    }

    fn release(&mut self, name: &ReleaseRef) -> Result<&mut Release, Refused> {
        let package = self.packages.get_mut(name.package).ok_or(Refused::NotFound)?;
        package.releases.get_mut(&name.key()).ok_or(Refused::NotFound)
    }

    /// All files with their bytes.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.packages.values().flat_map(|package| package.releases.values()).flat_map(|release| &release.files)
    }

    /// Everything that a caller can see apart from the bytes of the files, in one value.
    pub(crate) fn dump(&self) -> Value {
        let packages = self.packages.iter().map(|(name, package)| {
            let releases = package.releases.iter().map(|((channel, version), release)| {
                let files: Vec<Value> = release.files.iter().map(File::dump).collect();
                let dumped = json!({
                    "active": release.active,
                    "published": release.published.map(|micros| Timestamp::from_micros(micros).to_string()),
                    "yanked": release.yanked,
                    "files": files,
                });
                (format!("{channel} {version}"), dumped)
            });
            let dumped = json!({ "description": package.description, "releases": Value::from_iter(releases) });
            (name.clone(), dumped)
        });
        Value::from_iter(packages)
    }
}

/// A release as the API shows it, in the form that [`Reference::dump`] has: its key and its value. `manifest` gets the
/// platform and the name of a file.
pub(crate) fn dump_release<E>(
    release: &Value,
    mut manifest: impl FnMut(&str, &str) -> Result<Value, E>,
) -> Result<(String, Value), E> {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
    let mut files = Vec::new();
    for file in release["files"].as_array().unwrap() {
        let (platform, display_name) = (text(file, "platform"), text(file, "display_name"));
        files.push(json!({
            "platform": platform,
            "display_name": display_name,
            "size": file["size"],
            "sha256": file["sha256"],
            "external_url": file["external_url"],
            "manifest": manifest(&platform, &display_name)?,
        }));
    }
    let dumped = json!({
        "active": release["active"],
        "published": release["published"],
        "yanked": release["yanked"],
        "files": files,
    });
    Ok((format!("{} {}", text(release, "channel"), text(release, "version")), dumped))
}

impl ReleaseRef {
    fn key(&self) -> (String, String) {
        (self.channel.to_owned(), self.version.to_owned())
    }
}

impl Release {
    fn position(&self, name: &FileRef) -> Option<usize> {
        self.files.iter().position(|file| file.platform == name.platform && file.name == name.name)
    }

    fn file(&mut self, name: &FileRef) -> Result<&mut File, Refused> {
        let at = self.position(name).ok_or(Refused::NotFound)?;
        Ok(&mut self.files[at])
    }
}

impl File {
    fn dump(&self) -> Value {
        json!({
            "platform": self.platform,
            "display_name": self.name,
            "size": self.size,
            "sha256": self.sha256.to_string(),
            "external_url": self.external_url,
            "manifest": self.manifest,
        })
    }
}
