//! Sealed volumes: opened on demand, read, closed again, never written.
//!
//! Owns the few that are open, and a backend that keeps from the file whatever redb would write at opening and
//! closing it, so that reading an old volume costs no sync and a full disk cannot stop it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, StorageBackend};

use crate::store::file::{StorageError, database_on};
use crate::store::media::{Backend, Media, OpenMode};

const PAGE_BYTES: usize = 4096;

/// The open sealed volumes, the least recently used first.
#[derive(Debug)]
pub(super) struct SealedVolumes {
    media: Arc<dyn Media>,
    cache_bytes: usize,
    open_max: usize,
    open: Mutex<Vec<(u32, Arc<Sealed>)>>,
}

#[derive(Debug)]
struct Sealed(Database);

impl SealedVolumes {
    pub(super) fn new(media: Arc<dyn Media>, cache_bytes: usize, open_max: usize) -> Self {
        Self { media, cache_bytes, open_max, open: Mutex::new(Vec::new()) }
    }

    /// Runs `look` on volume `number`, and once more on a new handle if the first one fails.
    pub(super) fn view<T>(
        &self,
        number: u32,
        mut look: impl FnMut(&ReadTransaction) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut attempt = || {
            let volume = self.get(number)?;
            look(&volume.0.begin_read()?)
        };
        match attempt() {
            Err(StorageError::Latched | StorageError::Io { .. }) => {
                self.forget(number);
                attempt()
            }
            result => result,
        }
    }

    fn get(&self, number: u32) -> Result<Arc<Sealed>, StorageError> {
        let mut open = self.open();
        let volume = match open.iter().position(|(at, _)| *at == number) {
            Some(index) => open.remove(index).1,
            None => Arc::new(self.open_one(number)?),
        };
        while open.len() >= self.open_max.max(1) {
            open.remove(0);
        }
        open.push((number, Arc::clone(&volume)));
        Ok(volume)
    }

    fn open_one(&self, number: u32) -> Result<Sealed, StorageError> {
        let name = super::volumes::file_name(number);
        let file = self.media.open(&name, OpenMode::Existing).map_err(|error| StorageError::from_io(&error))?;
        let frozen = Arc::new(AtomicBool::new(false));
        let backend = Untouched { file, overlay: RwLock::default(), frozen: Arc::clone(&frozen) };
        let database = database_on(backend, &name, self.cache_bytes)?;
        frozen.store(true, Ordering::Release);
        Ok(Sealed(database))
    }

    /// Closes volume `number`, as soon as its last reader is done.
    pub(super) fn forget(&self, number: u32) {
        self.open().retain(|(at, _)| *at != number);
    }

    pub(super) fn close(&self) {
        self.open().clear();
    }

    fn open(&self) -> MutexGuard<'_, Vec<(u32, Arc<Sealed>)>> {
        // The list is valid between any two statements.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file under a layer that takes the few writes of an opening. Afterwards every write is refused, by which redb's
/// closing ends early.
#[derive(Debug)]
struct Untouched {
    file: Backend,
    overlay: RwLock<Overlay>,
    frozen: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Overlay {
    len: Option<u64>,
    pages: BTreeMap<u64, Box<[u8; PAGE_BYTES]>>,
}

impl Untouched {
    fn refuse_when_frozen(&self) -> io::Result<()> {
        match self.frozen.load(Ordering::Acquire) {
            true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            false => Ok(()),
        }
    }

    /// Fills `out` from the file, with zeros where the file has ended.
    fn read_below(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let available = self.file.len()?.saturating_sub(offset);
        let count = usize::try_from(available).unwrap_or(usize::MAX).min(out.len());
        let (there, beyond) = out.split_at_mut(count);
        beyond.fill(0);
        if there.is_empty() { Ok(()) } else { self.file.read(offset, there) }
    }
}

impl StorageBackend for Untouched {
    fn len(&self) -> io::Result<u64> {
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        overlay.len.map_or_else(|| self.file.len(), Ok)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        let end = offset + out.len() as u64;
        if overlay.len.is_none() && overlay.pages.is_empty() {
            return self.file.read(offset, out);
        }
        if overlay.len.is_some_and(|len| end > len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if overlay.len.is_some() {
            self.read_below(offset, out)?;
        } else {
            self.file.read(offset, out)?;
        }
        let pages = overlay.pages.range(offset / PAGE_BYTES as u64..end.div_ceil(PAGE_BYTES as u64));
        for (page, bytes) in pages {
            let start = page * PAGE_BYTES as u64;
            let (from, to) = (start.max(offset), (start + PAGE_BYTES as u64).min(end));
            // Both differences are within `out` and within the page.
            out[(from - offset) as usize..(to - offset) as usize]
                .copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.refuse_when_frozen()?;
        let mut overlay = self.overlay.write().unwrap_or_else(PoisonError::into_inner);
        overlay.len = Some(len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.refuse_when_frozen()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refuse_when_frozen()?;
        let mut overlay = self.overlay.write().unwrap_or_else(PoisonError::into_inner);
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let (page, start) = (at / PAGE_BYTES as u64, (at % PAGE_BYTES as u64) as usize);
            let count = (PAGE_BYTES - start).min(data.len() - done);
            let bytes = match overlay.pages.entry(page) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let mut bytes = Box::new([0; PAGE_BYTES]);
                    self.read_below(page * PAGE_BYTES as u64, &mut bytes[..])?;
                    entry.insert(bytes)
                }
            };
            bytes[start..start + count].copy_from_slice(&data[done..done + count]);
            done += count;
        }
        Ok(())
    }
}
