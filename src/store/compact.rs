//! Makes the files of a store as small as they can be, while nobody else uses it.
//!
//! The content of volumes with anything dead in them moves together first; then redb moves the pages inside each file to
//! its beginning and cuts the rest off. At any moment the files are a whole store: it may be interrupted.

use std::sync::Arc;

use super::blobs::volumes_of_backup::number_of_file;
use super::file::{StorageError, database_on};
use super::media::{Media, OpenMode};
use super::open::{ENTITIES, Nobody, Store};
use super::{OpenError, StoreOptions};

/// Page cache while a file is compacted, in bytes.
const CACHE_BYTES: usize = 64 << 20;
/// Rounds of moving pages in one file; each leaves less to do.
const ROUNDS_MAX: usize = 8;

/// What became smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes that the files took on the disk.
    pub before_bytes: u64,
    /// Bytes that they take now.
    pub after_bytes: u64,
}

/// Compacts the store on a medium. Blocks, for about as long as it takes to copy it.
///
/// # Errors
/// If it cannot be opened, is damaged, or the disk has no room for one volume.
pub fn compact(media: &Arc<dyn Media>, options: StoreOptions) -> Result<Compacted, OpenError> {
    let before_bytes = taken_bytes(&**media)?;
    let store = Store::open_media(Arc::clone(media), options, Nobody)?;
    let moved = store.blobs().move_together();
    store.close();
    drop(store);
    moved?;
    for name in files(&**media)? {
        compact_file(&**media, &name)?;
    }
    Ok(Compacted { before_bytes, after_bytes: taken_bytes(&**media)? })
}

fn compact_file(media: &dyn Media, name: &str) -> Result<(), StorageError> {
    let file = media.open(name, OpenMode::Existing).map_err(|error| StorageError::from_io(&error))?;
    let mut database = database_on(file, name, CACHE_BYTES)?;
    for _ in 0..ROUNDS_MAX {
        let compacted = database.compact().map_err(|error| match error {
            redb::CompactionError::Storage(error) => error.into(),
            error => StorageError::Internal { detail: error.to_string() },
        });
        if !compacted? {
            break;
        }
    }
    Ok(())
}

/// The names of the files of a store.
fn files(media: &dyn Media) -> Result<Vec<String>, StorageError> {
    let volumes = media.list("blobs").map_err(|error| StorageError::from_io(&error))?;
    let volumes = volumes.into_iter().map(|name| format!("blobs/{name}"));
    let mut names: Vec<String> = volumes.filter(|name| number_of_file(name).is_some()).collect();
    names.sort_unstable();
    names.push(ENTITIES.to_owned());
    Ok(names)
}

fn taken_bytes(media: &dyn Media) -> Result<u64, StorageError> {
    let mut bytes = 0;
    for name in files(media)? {
        bytes += media.file_bytes(&name).map_err(|error| StorageError::from_io(&error))?;
    }
    Ok(bytes)
}
