//! A simulated disk that loses power or fails at a chosen moment, for tests of what the store promises.
//!
//! Owns a model of what a disk may keep: only what was synced, or that and an arbitrary part of what was not. Every
//! clone is the same disk. Never used by a running server.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::{Backend, CachedFile, Media, OpenMode};

const PAGE_BYTES: usize = 4096;

type Page = Arc<[u8; PAGE_BYTES]>;

/// An error that the simulated disk answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `ENOSPC`: no space is left.
    DiskFull,
    /// `EIO`: the device failed.
    Device,
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::DiskFull => io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error()),
            Self::Device => io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()),
        }
    }
}

/// A simulated disk that holds one data directory in memory.
///
/// Writes count one each; a sync of a file, the making of a file, its renaming and its removal count one sync each.
#[derive(Debug, Clone, Default)]
pub struct FaultMedia {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    inodes: HashMap<u64, Inode>,
    next_inode: u64,
    writes: u64,
    syncs: u64,
    /// Syncs after this many persist nothing.
    freeze_at: Option<u64>,
    /// What was unsynced when power failed.
    lost: Option<HashMap<u64, Unsynced>>,
    write_fault: Option<Planned>,
    sync_fault: Option<Planned>,
    free_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Planned {
    at: u64,
    repeats: bool,
    fault: Fault,
}

impl Planned {
    fn strikes(plan: Option<Self>, count: u64) -> io::Result<()> {
        match plan {
            Some(plan) if count == plan.at || (plan.repeats && count > plan.at) => Err(plan.fault.error()),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Default, Clone)]
struct Inode {
    live: Image,
    durable: Image,
    dirty: BTreeSet<u64>,
}

#[derive(Debug, Default, Clone)]
struct Image {
    len: u64,
    pages: HashMap<u64, Page>,
}

#[derive(Debug, Clone)]
struct Unsynced {
    len: u64,
    pages: BTreeMap<u64, Option<Page>>,
}

impl FaultMedia {
    /// An empty disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // A panicking test thread leaves plain data behind, which the other threads may still use.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many syncs there were.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.disk().syncs
    }

    /// How many writes there were.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.disk().writes
    }

    /// Lets power fail at the sync after the next `syncs`: from then on everything seems to work, but nothing lasts.
    pub fn freeze_after(&self, syncs: u64) {
        let mut disk = self.disk();
        disk.freeze_at = Some(disk.syncs + syncs);
    }

    /// Whether power has failed since [`Self::freeze_after`].
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.disk().lost.is_some()
    }

    /// Fails the write after the next `writes` with `fault`, and all that follow if `repeats`.
    pub fn fail_write_after(&self, writes: u64, fault: Fault, repeats: bool) {
        let mut disk = self.disk();
        disk.write_fault = Some(Planned { at: disk.writes + writes + 1, repeats, fault });
    }

    /// Fails the sync after the next `syncs` with `fault`, and all that follow if `repeats`.
    pub fn fail_sync_after(&self, syncs: u64, fault: Fault, repeats: bool) {
        let mut disk = self.disk();
        disk.sync_fault = Some(Planned { at: disk.syncs + syncs + 1, repeats, fault });
    }

    /// Ends all failures.
    pub fn heal(&self) {
        let mut disk = self.disk();
        disk.write_fault = None;
        disk.sync_fault = None;
    }

    /// Sets what [`Media::free_bytes`] says; without it, there is room for ever.
    pub fn set_free_bytes(&self, free_bytes: u64) {
        self.disk().free_bytes = Some(free_bytes);
    }

    /// The disk as it is after the power failed: only what was durable.
    #[must_use]
    pub fn crash_image(&self) -> Self {
        self.crash(None)
    }

    /// Like [`Self::crash_image`], but an arbitrary part of the unsynced pages, chosen by `seed`, made it too.
    #[must_use]
    pub fn torn_image(&self, seed: u64) -> Self {
        self.crash(Some(seed))
    }

    fn crash(&self, seed: Option<u64>) -> Self {
        let disk = self.disk();
        let unsynced = disk.lost.clone().unwrap_or_else(|| disk.unsynced());
        let mut coin = Coin(seed.unwrap_or_default());
        let mut inodes = HashMap::new();
        for inode in disk.durable_names.values() {
            let Some(file) = disk.inodes.get(inode) else { continue };
            let mut image = file.durable.clone();
            if let (Some(_), Some(unsynced)) = (seed, unsynced.get(inode)) {
                image.tear(unsynced, &mut coin);
            }
            inodes.insert(*inode, Inode { live: image.clone(), durable: image, dirty: BTreeSet::new() });
        }
        let names = disk.durable_names.clone();
        let next_inode = disk.next_inode;
        let image = Disk { durable_names: names.clone(), names, inodes, next_inode, ..Disk::default() };
        Self { disk: Arc::new(Mutex::new(image)) }
    }

    /// All bytes of the file `name` as a reader would see them now, or nothing if it is missing.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.disk();
        let image = &disk.inodes.get(disk.names.get(name)?)?.live;
        let mut bytes = vec![0; usize::try_from(image.len).ok()?];
        image.read(0, &mut bytes).ok()?;
        Some(bytes)
    }

    /// Turns over every bit of one byte of the file `name`, as a decaying disk might.
    pub fn damage(&self, name: &str, offset: u64) {
        let mut disk = self.disk();
        let Some(inode) = disk.names.get(name).copied() else { return };
        if let Some(file) = disk.inodes.get_mut(&inode) {
            for image in [&mut file.live, &mut file.durable] {
                let mut byte = [0];
                if image.read(offset, &mut byte).is_ok() {
                    image.write(offset, &[!byte[0]], |_| {});
                }
            }
        }
    }
}

impl Disk {
    fn unsynced(&self) -> HashMap<u64, Unsynced> {
        let of = |file: &Inode| Unsynced {
            len: file.live.len,
            pages: file.dirty.iter().map(|page| (*page, file.live.pages.get(page).cloned())).collect(),
        };
        self.inodes.iter().map(|(inode, file)| (*inode, of(file))).collect()
    }

    /// Counts a sync; answers whether what it covers becomes durable.
    fn sync(&mut self) -> io::Result<bool> {
        self.syncs += 1;
        Planned::strikes(self.sync_fault, self.syncs)?;
        let frozen = self.freeze_at.is_some_and(|at| self.syncs > at);
        if frozen && self.lost.is_none() {
            self.lost = Some(self.unsynced());
        }
        Ok(!frozen)
    }
}

impl Image {
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() as u64 > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        while done < out.len() {
            let (page, start) = position(offset + done as u64);
            let count = (PAGE_BYTES - start).min(out.len() - done);
            let target = &mut out[done..done + count];
            match self.pages.get(&page) {
                Some(bytes) => target.copy_from_slice(&bytes[start..start + count]),
                None => target.fill(0),
            }
            done += count;
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, data: &[u8], mut touched: impl FnMut(u64)) {
        let mut done = 0;
        while done < data.len() {
            let (page, start) = position(offset + done as u64);
            let count = (PAGE_BYTES - start).min(data.len() - done);
            let bytes = self.pages.entry(page).or_insert_with(|| Arc::new([0; PAGE_BYTES]));
            Arc::make_mut(bytes)[start..start + count].copy_from_slice(&data[done..done + count]);
            touched(page);
            done += count;
        }
        self.len = self.len.max(offset + data.len() as u64);
    }

    fn set_len(&mut self, len: u64, mut touched: impl FnMut(u64)) {
        if len < self.len {
            let (last, start) = position(len);
            self.pages.retain(|page, bytes| {
                if *page == last && start > 0 {
                    Arc::make_mut(bytes)[start..].fill(0);
                }
                let keep = *page < last || (*page == last && start > 0);
                if !keep || *page == last {
                    touched(*page);
                }
                keep
            });
        }
        self.len = len;
    }

    fn tear(&mut self, unsynced: &Unsynced, coin: &mut Coin) {
        if coin.toss() {
            self.set_len(unsynced.len, |_| {});
        }
        for (page, bytes) in &unsynced.pages {
            // A file system writes data inside the length it has recorded.
            if page * PAGE_BYTES as u64 >= self.len || !coin.toss() {
                continue;
            }
            match bytes {
                Some(bytes) => self.pages.insert(*page, Arc::clone(bytes)),
                None => self.pages.remove(page),
            };
        }
    }
}

fn position(offset: u64) -> (u64, usize) {
    // The remainder is below 4096.
    (offset / PAGE_BYTES as u64, (offset % PAGE_BYTES as u64) as usize)
}

/// A small generator (splitmix64), so that a torn disk can be had again from its seed.
struct Coin(u64);

impl Coin {
    fn toss(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) & 1 == 1
    }
}

impl Media for FaultMedia {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Backend> {
        let mut disk = self.disk();
        let inode = match (disk.names.get(name), mode) {
            (Some(inode), _) => *inode,
            (None, OpenMode::Existing) => return Err(io::ErrorKind::NotFound.into()),
            (None, OpenMode::Create) => {
                let durable = disk.sync()?;
                let inode = disk.next_inode;
                disk.next_inode += 1;
                disk.inodes.insert(inode, Inode::default());
                disk.names.insert(name.to_owned(), inode);
                if durable {
                    disk.durable_names.insert(name.to_owned(), inode);
                }
                inode
            }
        };
        drop(disk);
        Ok(Backend::new(FaultFile { media: self.clone(), inode }))
    }

    fn open_cached(&self, name: &str) -> io::Result<Arc<dyn CachedFile>> {
        let inode = *self.disk().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultFile { media: self.clone(), inode }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        Ok(self.disk().names.contains_key(name))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let disk = self.disk();
        let in_folder = |name: &String| Some(name.strip_prefix(folder)?.strip_prefix('/')?.to_owned());
        Ok(disk.names.keys().filter_map(in_folder).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let durable = disk.sync()?;
        let inode = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), inode);
        if durable {
            disk.durable_names.remove(from);
            disk.durable_names.insert(to.to_owned(), inode);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        if disk.names.contains_key(name) {
            let durable = disk.sync()?;
            disk.names.remove(name);
            if durable {
                disk.durable_names.remove(name);
            }
        }
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(self.disk().free_bytes.unwrap_or(1 << 50))
    }

    fn total_bytes(&self) -> io::Result<u64> {
        Ok(1 << 50)
    }

    fn file_bytes(&self, name: &str) -> io::Result<u64> {
        if !self.exists(name)? {
            return Ok(0);
        }
        self.open(name, OpenMode::Existing)?.len()
    }
}

#[derive(Debug)]
struct FaultFile {
    media: FaultMedia,
    inode: u64,
}

impl FaultFile {
    fn with<T>(&self, work: impl FnOnce(&mut Inode) -> io::Result<T>) -> io::Result<T> {
        let mut disk = self.media.disk();
        work(disk.inodes.entry(self.inode).or_default())
    }
}

impl CachedFile for FaultFile {
    fn read_cached(&self, offset: u64, out: &mut [u8]) -> io::Result<bool> {
        self.with(|file| file.live.read(offset, out))?;
        Ok(true)
    }
}

impl StorageBackend for FaultFile {
    fn len(&self) -> io::Result<u64> {
        self.with(|file| Ok(file.live.len))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|file| file.live.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|file| {
            let Inode { live, dirty, .. } = file;
            live.set_len(len, |page| {
                dirty.insert(page);
            });
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let durable = self.media.disk().sync()?;
        self.with(|file| {
            if durable {
                for page in std::mem::take(&mut file.dirty) {
                    match file.live.pages.get(&page) {
                        Some(bytes) => file.durable.pages.insert(page, Arc::clone(bytes)),
                        None => file.durable.pages.remove(&page),
                    };
                }
                file.durable.len = file.live.len;
            }
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        {
            let mut disk = self.media.disk();
            disk.writes += 1;
            Planned::strikes(disk.write_fault, disk.writes)?;
        }
        self.with(|file| {
            let Inode { live, dirty, .. } = file;
            live.write(offset, data, |page| {
                dirty.insert(page);
            });
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_synced_writes_survive() {
        let media = FaultMedia::new();
        let file = media.open("a", OpenMode::Create).unwrap();
        file.set_len(10_000).unwrap();
        file.write(4090, b"0123456789").unwrap();
        file.sync_data().unwrap();
        file.write(0, b"lost").unwrap();
        media.freeze_after(0);
        file.sync_data().unwrap();
        file.write(0, b"later").unwrap();
        assert!(media.is_frozen());
        let after = media.crash_image();
        let bytes = after.content("a").unwrap();
        assert_eq!((bytes.len(), &bytes[4090..4100], &bytes[..5]), (10_000, &b"0123456789"[..], &[0; 5][..]));
        let torn: BTreeSet<Vec<u8>> =
            (0..20).map(|seed| media.torn_image(seed).content("a").unwrap()[..5].to_vec()).collect();
        assert_eq!(torn, BTreeSet::from([vec![0; 5], b"lost\0".to_vec()]));
    }

    #[test]
    fn names_made_or_removed_after_the_freeze_do_not_count() {
        let media = FaultMedia::new();
        drop(media.open("f/old", OpenMode::Create).unwrap());
        media.freeze_after(0);
        drop(media.open("f/new", OpenMode::Create).unwrap());
        media.remove("f/old").unwrap();
        assert_eq!(media.list("f").unwrap(), ["new"]);
        assert_eq!(media.crash_image().list("f").unwrap(), ["old"]);
    }

    #[test]
    fn planned_faults_strike_where_told() {
        let media = FaultMedia::new();
        let file = media.open("a", OpenMode::Create).unwrap();
        media.fail_write_after(1, Fault::DiskFull, false);
        file.write(0, b"a").unwrap();
        assert_eq!(file.write(0, b"a").unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.write(0, b"a").unwrap();
        media.fail_sync_after(0, Fault::Device, true);
        assert!(file.sync_data().is_err() && file.sync_data().is_err());
        media.heal();
        file.sync_data().unwrap();
    }
}
