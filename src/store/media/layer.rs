//! Files that are read and never written: what is written to them stays in memory, above them.
//!
//! Owns that layer, and a medium of such files, on which a whole store can be opened without a byte of it changing.
//! Meant for the little that is written at an opening.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::StorageBackend;

use super::{Backend, CachedFile, Media, OpenMode};

const PAGE_BYTES: usize = 4096;

/// A file under a layer that takes its writes. Frozen, it refuses further ones, by which redb's closing ends early.
/// Clones share the layer.
#[derive(Debug, Clone)]
pub struct Layer(Arc<Layered>);

#[derive(Debug)]
struct Layered {
    /// Nothing, where the file is made in the layer.
    file: Option<Backend>,
    overlay: RwLock<Overlay>,
    frozen: AtomicBool,
}

#[derive(Debug, Default)]
struct Overlay {
    len: Option<u64>,
    pages: BTreeMap<u64, Box<[u8; PAGE_BYTES]>>,
}

impl Layer {
    /// A layer over a file.
    #[must_use]
    pub fn over(file: Backend) -> Self {
        Self(Arc::new(Layered { file: Some(file), overlay: RwLock::default(), frozen: AtomicBool::new(false) }))
    }

    /// A file that is in memory alone.
    fn alone() -> Self {
        let overlay = RwLock::new(Overlay { len: Some(0), pages: BTreeMap::new() });
        Self(Arc::new(Layered { file: None, overlay, frozen: AtomicBool::new(false) }))
    }

    /// What freezes it.
    pub fn freezer(&self) -> impl FnOnce() + use<> {
        let layer = self.clone();
        move || layer.0.frozen.store(true, Ordering::Release)
    }
}

impl Layered {
    fn refuse_when_frozen(&self) -> io::Result<()> {
        match self.frozen.load(Ordering::Acquire) {
            true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            false => Ok(()),
        }
    }

    /// Fills `out` from the file, with zeros where the file has ended.
    fn read_below(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let Some(file) = &self.file else {
            out.fill(0);
            return Ok(());
        };
        let available = file.len()?.saturating_sub(offset);
        let count = usize::try_from(available).unwrap_or(usize::MAX).min(out.len());
        let (there, beyond) = out.split_at_mut(count);
        beyond.fill(0);
        if there.is_empty() { Ok(()) } else { file.read(offset, there) }
    }
}

impl Layered {
    fn len(&self) -> io::Result<u64> {
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        overlay.len.map_or_else(|| self.file.as_ref().map_or(Ok(0), Backend::len), Ok)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        let end = offset + out.len() as u64;
        if let Some(file) = self.file.as_ref().filter(|_| overlay.len.is_none() && overlay.pages.is_empty()) {
            return file.read(offset, out);
        }
        if overlay.len.is_some_and(|len| end > len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match &self.file {
            Some(file) if overlay.len.is_none() => file.read(offset, out)?,
            _ => self.read_below(offset, out)?,
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

impl StorageBackend for Layer {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.refuse_when_frozen()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

/// A medium under such a layer. One of its files may go by another name.
#[derive(Debug)]
pub struct ReadOnlyMedia {
    below: Arc<dyn Media>,
    /// The name by which a file is asked for, and the one that it has.
    alias: Option<(&'static str, &'static str)>,
    state: Mutex<BTreeMap<String, Option<Layer>>>,
}

impl ReadOnlyMedia {
    /// A layer over `below`, in which the file `alias.1` has the name `alias.0`.
    pub fn over(below: Arc<dyn Media>, alias: Option<(&'static str, &'static str)>) -> Self {
        Self { below, alias, state: Mutex::default() }
    }

    /// The files that were opened, and those that were removed, by their names.
    fn layers(&self) -> MutexGuard<'_, BTreeMap<String, Option<Layer>>> {
        // The map is valid between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn below_name<'a>(&self, name: &'a str) -> &'a str {
        self.alias.filter(|(shown, _)| *shown == name).map_or(name, |(_, real)| real)
    }
}

impl Media for ReadOnlyMedia {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Backend> {
        let mut layers = self.layers();
        let layer = match layers.get(name) {
            Some(Some(layer)) => layer.clone(),
            Some(None) if mode == OpenMode::Existing => return Err(io::ErrorKind::NotFound.into()),
            Some(None) => Layer::alone(),
            None if self.below.exists(self.below_name(name))? => {
                Layer::over(self.below.open(self.below_name(name), OpenMode::Existing)?)
            }
            None if mode == OpenMode::Existing => return Err(io::ErrorKind::NotFound.into()),
            None => Layer::alone(),
        };
        layers.insert(name.to_owned(), Some(layer.clone()));
        Ok(Backend::new(layer))
    }

    fn open_cached(&self, _: &str) -> io::Result<Arc<dyn CachedFile>> {
        // Below the layer the file may be another.
        Err(io::ErrorKind::Unsupported.into())
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        match self.layers().get(name) {
            Some(layer) => Ok(layer.is_some()),
            None if self.alias.is_some_and(|(_, real)| real == name) => Ok(false),
            None => self.below.exists(self.below_name(name)),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = self.below.list(folder)?;
        for (name, layer) in self.layers().iter() {
            let Some(name) = name.strip_prefix(folder).and_then(|name| name.strip_prefix('/')) else { continue };
            names.retain(|known| known != name);
            names.extend(layer.is_some().then(|| name.to_owned()));
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let opened = self.open(from, OpenMode::Existing)?;
        drop(opened);
        let mut layers = self.layers();
        let layer = layers.insert(from.to_owned(), None).flatten();
        layers.insert(to.to_owned(), layer);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.layers().insert(name.to_owned(), None);
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.below.free_bytes()
    }

    fn total_bytes(&self) -> io::Result<u64> {
        self.below.total_bytes()
    }

    fn file_bytes(&self, name: &str) -> io::Result<u64> {
        self.below.file_bytes(self.below_name(name))
    }
}
