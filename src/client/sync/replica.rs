//! The local copy on disk, and how it passes from one state to the next in a single step.
//!
//! ```text
//! DIR/registry.json   -> .packhouse/current/registry.json     where programs read
//! DIR/summaries.json  -> .packhouse/current/summaries.json
//! DIR/packages        -> .packhouse/current/packages
//! DIR/.packhouse/current -> 7                                 the one link that a sync turns
//! DIR/.packhouse/7/                                           a state: whole, and never changed
//! DIR/.packhouse/6/                                           the state before, for whoever still reads it
//! DIR/.packhouse/next/                                        a state being made; worth nothing after a crash
//! DIR/.packhouse/arrivals/                                    verified files, kept until a sync ends well
//! DIR/.packhouse/lock                                         held by the sync that runs
//! ```
//!
//! A state is made beside the others, of hard links to files that did not change and to arrivals, is made durable,
//! gets its number, and then `current` is replaced by `rename`, which is atomic. Whatever ends the process before
//! leaves the old state, after it the new one. A folder with a number is complete by construction, so to remove one,
//! it is first renamed to `next`.
//!
//! The state before the last serves as the start of the next: two states differ in few files, so a sync costs file
//! operations in proportion to the change and not to the registry. A reader that wants one state for longer holds a
//! shared lock on its folder ([`super::local::LocalIndex`] does), and then the folder is left alone.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SyncError;
use super::changes::KnownState;
use super::disk::Disk;
use super::fetch::{Arrivals, crc_of_file};
use super::registry::{IndexFile, Registry};

/// The folder with everything that is not for other programs.
pub(crate) const HOME: &str = ".packhouse";
/// The link to the state that counts.
pub(crate) const CURRENT: &str = "current";
const NEXT: &str = "next";
const ARRIVALS: &str = "arrivals";
const LOCK: &str = "lock";
/// What a state knows about where it came from.
const ORIGIN: &str = "origin.json";
/// The names in `DIR`, all links into the current state.
const DOORS: [&str; 3] = ["registry.json", "summaries.json", "packages"];
/// How often to look whether another run has ended.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// Where a state came from: whose it is, and by which tag the server knows it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateOrigin {
    /// SHA-256 of the view's address, which may hold a token and so is not written down.
    pub(crate) view_sha256: String,
    pub(crate) etag: Option<String>,
    pub(crate) serial: Option<String>,
    /// Whether everybody gets this state.
    #[serde(default)]
    pub(crate) is_public: bool,
    /// The checksum of `registry.json`.
    #[serde(default)]
    pub(crate) registry: Option<String>,
}

impl StateOrigin {
    /// The state that the server can be asked for changes since. Of one that not everybody gets, the serial alone does
    /// not say enough: with another token, it would seem to be up to date.
    pub(crate) fn known_state(&self) -> Option<KnownState> {
        let registry = self.registry.as_ref().and_then(|crc| crc.parse().ok());
        let serial = self.serial.as_ref().filter(|_| self.is_public || registry.is_some())?.parse().ok()?;
        Some(KnownState { serial, registry })
    }
}

/// A complete state.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) number: u64,
    pub(crate) folder: PathBuf,
    /// Missing if unreadable: then the state is only good for comparing files.
    pub(crate) origin: Option<StateOrigin>,
}

/// The local copy in one folder, held by this process.
pub(crate) struct Replica {
    dir: PathBuf,
    home: PathBuf,
    disk: Arc<dyn Disk>,
    files_max: usize,
    _lock: File,
}

/// A state to be installed.
pub(crate) struct NewState<'a> {
    pub(crate) registry: &'a Registry,
    /// The text of `registry.json`.
    pub(crate) text: &'a [u8],
    pub(crate) origin: &'a StateOrigin,
}

impl Replica {
    /// Takes hold of the copy in `dir`, which is made if it is not there; waits for another process to let go of it.
    pub(crate) async fn open(
        dir: &Path,
        disk: Arc<dyn Disk>,
        files_max: usize,
        lock_timeout: Duration,
    ) -> Result<Self, SyncError> {
        let home = dir.join(HOME);
        fs::create_dir_all(&home).map_err(SyncError::disk(&home))?;
        for door in DOORS {
            let path = dir.join(door);
            let is_ours = || fs::read_link(&path).is_ok_and(|target| target == door_target(door));
            if path.symlink_metadata().is_ok() && !is_ours() {
                return Err(SyncError::Foreign { path });
            }
        }
        let path = home.join(LOCK);
        let opened = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let lock = opened.map_err(SyncError::disk(&path))?;
        let deadline = tokio::time::Instant::now() + lock_timeout;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(SyncError::disk(&path)(error)),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= deadline => {
                    return Err(SyncError::Busy { dir: dir.to_owned(), after: lock_timeout });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_POLL).await,
            }
        }
        Ok(Self { dir: dir.to_owned(), home, disk, files_max, _lock: lock })
    }

    /// The state that counts.
    pub(crate) fn current(&self) -> Option<State> {
        let number = fs::read_link(self.home.join(CURRENT)).ok()?.to_str()?.parse().ok()?;
        let folder = self.home.join(format!("{number}"));
        let origin = fs::read(folder.join(ORIGIN)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        folder.is_dir().then_some(State { number, folder, origin })
    }

    /// The registry of a state. An unreadable one counts as empty, so that everything is fetched anew.
    pub(crate) fn registry_of(&self, folder: &Path) -> Registry {
        let text = fs::read(folder.join("registry.json")).unwrap_or_default();
        Registry::parse(&text, self.files_max).unwrap_or_default()
    }

    /// The registry of a state without the files that are missing or damaged. Reads them all.
    pub(crate) fn verified_registry_of(&self, folder: &Path) -> Registry {
        let mut registry = self.registry_of(folder);
        registry.files.retain(|file, crc| crc_of_file(&folder.join(file.local_path())).is_ok_and(|is| is == *crc));
        registry
    }

    /// Removes what a run that was killed left half done, and the spare states if they are not to be trusted.
    pub(crate) fn tidy(&self, current: Option<&State>, without_spares: bool) -> Result<(), SyncError> {
        self.clear_next()?;
        if without_spares {
            for (_, spare, _) in self.spares(current) {
                self.discard(&spare)?;
            }
        }
        Ok(())
    }

    /// The folder of arrivals, made if it is not there.
    pub(crate) fn arrivals(&self) -> Result<Arrivals, SyncError> {
        let folder = self.home.join(ARRIVALS);
        if !folder.is_dir() {
            self.disk.create_folder(&folder).map_err(SyncError::disk(&folder))?;
        }
        // Parts without a checksum in their name are of no use to anybody.
        for path in entries(&folder).filter(|path| name_of(path).starts_with("part-")) {
            self.disk.remove_file(&path).map_err(SyncError::disk(&path))?;
        }
        Ok(Arrivals { folder, disk: Arc::clone(&self.disk) })
    }

    /// Makes the new state of `old` (whose folder may be missing files, but not those in `old`) and of arrivals, and
    /// switches to it.
    pub(crate) fn install(
        &self,
        new: &NewState<'_>,
        old: Option<(&State, &Registry)>,
        arrivals: &Arrivals,
        installed: &dyn Fn(u64),
    ) -> Result<PathBuf, SyncError> {
        let next = self.home.join(NEXT);
        let spare = self.reuse_spare(old.map(|(state, _)| state), &next)?;
        let (spare, lock) = spare.unzip();
        let spare = spare.as_ref();
        if spare.is_none() {
            for folder in [next.clone(), next.join("packages")] {
                self.disk.create_folder(&folder).map_err(SyncError::disk(&folder))?;
            }
        }
        let mut fresh = self.populate(&next, new.registry, spare, old, arrivals, installed)?;
        let origin = serde_json::to_vec(new.origin).map_err(|error| SyncError::disk(&next)(error.into()))?;
        for (name, text) in [("registry.json", new.text), (ORIGIN, &origin)] {
            let path = next.join(name);
            if spare.is_some() {
                self.remove_if_there(&path)?;
            }
            self.disk.create(&path).and_then(|mut file| file.write_all(text)).map_err(SyncError::disk(&path))?;
            fresh.push(path);
        }
        fresh.extend([next.join("packages"), next.clone()]);
        self.disk.persist(&fresh).map_err(SyncError::disk(&next))?;
        // Readers of the new state want to lock it as soon as the link is turned.
        drop(lock);
        let folder = self.switch(&next)?;
        self.clean_up(old.map(|(state, _)| state), arrivals);
        Ok(folder)
    }

    /// Makes `next` hold exactly the files of `registry`; answers those that may not be durable yet.
    fn populate(
        &self,
        next: &Path,
        registry: &Registry,
        spare: Option<&Registry>,
        old: Option<(&State, &Registry)>,
        arrivals: &Arrivals,
        installed: &dyn Fn(u64),
    ) -> Result<Vec<PathBuf>, SyncError> {
        let mut fresh = Vec::new();
        let in_spare = |file: &IndexFile| spare.and_then(|spare| spare.files.get(file));
        for (at, (file, crc)) in registry.files.iter().enumerate() {
            installed(at as u64 + 1);
            let has = in_spare(file);
            if has == Some(crc) {
                continue;
            }
            let path = next.join(file.local_path());
            if has.is_some() {
                self.remove_if_there(&path)?;
            }
            let kept = old.filter(|(_, registry)| registry.files.get(file) == Some(crc));
            let from = match kept {
                Some((state, _)) => state.folder.join(file.local_path()),
                None => {
                    fresh.push(path.clone());
                    arrivals.path(file, *crc)
                }
            };
            self.disk.link(&from, &path).map_err(SyncError::disk(&path))?;
        }
        for file in spare.iter().flat_map(|spare| spare.files.keys()).filter(|file| !registry.files.contains_key(file))
        {
            self.remove_if_there(&next.join(file.local_path()))?;
        }
        Ok(fresh)
    }

    /// Makes the names in `DIR` that are missing.
    pub(crate) fn hang_doors(&self) -> Result<(), SyncError> {
        for door in DOORS {
            let path = self.dir.join(door);
            if path.symlink_metadata().is_err() {
                self.disk.symlink(&door_target(door), &path).map_err(SyncError::disk(&path))?;
            }
        }
        Ok(())
    }

    /// Gives the finished state its number and turns the link to it.
    fn switch(&self, next: &Path) -> Result<PathBuf, SyncError> {
        let numbers = entries(&self.home).filter_map(|path| name_of(&path).parse::<u64>().ok());
        let number = numbers.max().unwrap_or(0) + 1;
        let folder = self.home.join(number.to_string());
        self.disk.rename(next, &folder).map_err(SyncError::disk(&folder))?;
        self.hang_doors()?;
        let (link, turned) = (self.home.join(CURRENT), self.home.join("current.new"));
        self.remove_if_there(&turned)?;
        self.disk.symlink(Path::new(&number.to_string()), &turned).map_err(SyncError::disk(&turned))?;
        // The number must be durable before the link that names it.
        self.disk.persist(&[self.home.clone(), self.dir.clone()]).map_err(SyncError::disk(&self.home))?;
        self.disk.rename(&turned, &link).map_err(SyncError::disk(&link))?;
        self.disk.persist(std::slice::from_ref(&self.home)).map_err(SyncError::disk(&self.home))?;
        Ok(folder)
    }

    /// Frees what the switch left behind: arrivals, and all states but the new one and the one before. The sync has
    /// succeeded by now, so what cannot be removed waits for the next.
    fn clean_up(&self, before: Option<&State>, arrivals: &Arrivals) {
        let cleaned = || -> Result<(), SyncError> {
            if arrivals.folder.is_dir() {
                self.disk.remove_folder(&arrivals.folder).map_err(SyncError::disk(&arrivals.folder))?;
            }
            for (number, folder, _lock) in self.spares(self.current().as_ref()) {
                if before.is_none_or(|before| before.number != number) {
                    self.discard(&folder)?;
                }
            }
            Ok(())
        };
        if let Err(error) = cleaned() {
            tracing::warn!(%error, "leftovers of the sync stay until the next");
        }
    }

    /// Complete states other than the current one that nobody reads, each with the lock that keeps readers out.
    fn spares(&self, current: Option<&State>) -> Vec<(u64, PathBuf, File)> {
        let number_of = |path: &PathBuf| name_of(path).parse::<u64>().ok();
        entries(&self.home)
            .filter_map(|path| Some((number_of(&path)?, path)))
            .filter(|(number, _)| current.is_none_or(|current| current.number != *number))
            .filter_map(|(number, path)| {
                let lock = File::open(&path).ok()?;
                lock.try_lock().is_ok().then_some((number, path, lock))
            })
            .collect()
    }

    /// Turns a spare state into `next`, to be changed there. Answers what it holds.
    fn reuse_spare(&self, current: Option<&State>, next: &Path) -> Result<Option<(Registry, File)>, SyncError> {
        self.clear_next()?;
        let Some((_, folder, lock)) = self.spares(current).into_iter().max_by_key(|(number, ..)| *number) else {
            return Ok(None);
        };
        let registry = self.registry_of(&folder);
        if registry.files.is_empty() {
            // It could be empty or unreadable; then it must not be built upon.
            self.discard(&folder)?;
            return Ok(None);
        }
        self.disk.rename(&folder, next).map_err(SyncError::disk(next))?;
        Ok(Some((registry, lock)))
    }

    fn discard(&self, folder: &Path) -> Result<(), SyncError> {
        let next = self.home.join(NEXT);
        self.disk.rename(folder, &next).map_err(SyncError::disk(folder))?;
        self.clear_next()
    }

    fn clear_next(&self) -> Result<(), SyncError> {
        let next = self.home.join(NEXT);
        match next.symlink_metadata() {
            Err(_) => Ok(()),
            Ok(_) => self.disk.remove_folder(&next).map_err(SyncError::disk(&next)),
        }
    }

    fn remove_if_there(&self, path: &Path) -> Result<(), SyncError> {
        match self.disk.remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SyncError::disk(path)(error)),
            _ => Ok(()),
        }
    }
}

/// What a name in `DIR` points to.
fn door_target(door: &str) -> PathBuf {
    Path::new(HOME).join(CURRENT).join(door)
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
