//! What the store keeps of the index, so that a start need not render every package and clients can ask what changed.
//!
//! All of it follows from the entities: it is written in the commits that change those, and made anew where it is
//! missing or another version of the rendering wrote it.

use std::ops::ControlFlow;

use redb::{ReadableTable, ReadableTableMetadata};

use super::StorageError;
use super::file::Transaction;
use super::records::{IndexChange, IndexPackage, Record, StoredView};
use super::rows::{Rows, Source};
use super::tables;
use crate::model::PackageKey;

/// Most steps of the index that are remembered. A client that is further behind reads everything again.
const HISTORY_STEPS_MAX: u64 = 10_000;

impl<S: Source> Rows<S> {
    /// The version of the rendering that made what is stored here of the index, if anything is.
    pub fn index_rendering(&self) -> Result<Option<u64>, StorageError> {
        self.meta(tables::META_RENDERING)
    }

    /// The serial from which on the history is complete.
    pub fn history_from(&self) -> Result<u64, StorageError> {
        Ok(self.meta(tables::META_HISTORY_FROM)?.unwrap_or(0))
    }

    /// What the index has of a package.
    pub fn index_package(&self, id: PackageKey) -> Result<Option<IndexPackage>, StorageError> {
        self.record(tables::INDEX_PACKAGES, &id.0, id)
    }

    /// How many packages the index has anything of.
    pub fn index_package_count(&self) -> Result<u64, StorageError> {
        Ok(self.source.table(tables::INDEX_PACKAGES)?.len()?)
    }

    /// Hands what the index has of every package to `visit`.
    pub fn index_packages(
        &self,
        mut visit: impl FnMut(PackageKey, IndexPackage) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        for row in self.source.table(tables::INDEX_PACKAGES)?.iter()? {
            let (id, bytes) = row?;
            let id = PackageKey(id.value());
            visit(id, IndexPackage::from_bytes(id, bytes.value())?)?;
        }
        Ok(())
    }

    /// When each view last changed.
    pub fn index_views(&self) -> Result<Vec<(StoredView, u64)>, StorageError> {
        let table = self.source.table(tables::INDEX_VIEWS)?;
        let name = |name: &str| (!name.is_empty()).then(|| name.into());
        table
            .iter()?
            .map(|row| row.map(|(view, serial)| (name(view.value()), serial.value())).map_err(Into::into))
            .collect()
    }

    /// Hands the steps of the index behind `after`, up to `until`, oldest first, to `visit` until it says stop.
    pub fn index_changes(
        &self,
        after: u64,
        until: u64,
        mut visit: impl FnMut(IndexChange) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        if after >= until {
            return Ok(());
        }
        for row in self.source.table(tables::INDEX_CHANGES)?.range(after + 1..=until)? {
            if visit(IndexChange::from_bytes((), row?.1.value())?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// A commit that is being completed with what the index makes of it.
pub struct IndexEdit<'e, 't> {
    rows: Rows<&'e Transaction<'t>>,
}

impl<'e, 't> IndexEdit<'e, 't> {
    pub(super) fn new(tx: &'e Transaction<'t>) -> Self {
        Self { rows: Rows::new(tx) }
    }

    /// The entities as the commit will leave them.
    #[must_use]
    pub fn rows(&self) -> &Rows<&'e Transaction<'t>> {
        &self.rows
    }

    /// Notes what the index has of a package from now on.
    ///
    /// # Errors
    /// If the file fails; so for all that follow.
    pub fn put_package(&self, id: PackageKey, package: Option<&IndexPackage>) -> Result<(), StorageError> {
        let mut table = self.rows.source.open_table(tables::INDEX_PACKAGES)?;
        match package {
            Some(package) => table.insert(id.0, package.to_bytes()?.as_slice())?,
            None => table.remove(id.0)?,
        };
        Ok(())
    }

    /// Notes a step of the public index, and forgets the oldest where there are too many.
    pub fn put_step(&self, serial: u64, change: &IndexChange) -> Result<(), StorageError> {
        {
            let mut views = self.rows.source.open_table(tables::INDEX_VIEWS)?;
            for view in change.parts.iter().flat_map(|(views, _)| views) {
                views.insert(view.as_deref().unwrap_or_default(), serial)?;
            }
        }
        let mut steps = self.rows.source.open_table(tables::INDEX_CHANGES)?;
        steps.insert(serial, change.to_bytes()?.as_slice())?;
        while steps.len()? > HISTORY_STEPS_MAX {
            let Some(oldest) = steps.pop_first()?.map(|(serial, _)| serial.value()) else { break };
            self.rows.source.open_table(tables::META)?.insert(tables::META_HISTORY_FROM, oldest)?;
        }
        self.put_serial(serial)
    }

    /// Notes the last serial that was given.
    pub fn put_serial(&self, serial: u64) -> Result<(), StorageError> {
        self.rows.source.open_table(tables::META)?.insert(tables::META_SERIAL, serial)?;
        Ok(())
    }

    /// Forgets everything of the index, to be made anew. The history begins at `serial`. Until
    /// [`set_rendering`](Self::set_rendering) follows, the index counts as missing.
    pub fn clear(&self, serial: u64) -> Result<(), StorageError> {
        let tx = self.rows.source;
        tx.delete_table(tables::INDEX_PACKAGES)?;
        tx.delete_table(tables::INDEX_VIEWS)?;
        tx.delete_table(tables::INDEX_CHANGES)?;
        tx.open_table(tables::INDEX_PACKAGES)?;
        // The view that is always there has a serial of its own before anything public is on it, and keeps it.
        tx.open_table(tables::INDEX_VIEWS)?.insert("", serial)?;
        tx.open_table(tables::INDEX_CHANGES)?;
        let mut meta = tx.open_table(tables::META)?;
        meta.remove(tables::META_RENDERING)?;
        meta.insert(tables::META_HISTORY_FROM, serial)?;
        meta.insert(tables::META_SERIAL, serial)?;
        Ok(())
    }

    /// Notes that everything of the index is here, as this version of the rendering made it.
    pub fn set_rendering(&self, rendering: u64) -> Result<(), StorageError> {
        self.rows.source.open_table(tables::META)?.insert(tables::META_RENDERING, rendering)?;
        Ok(())
    }
}
