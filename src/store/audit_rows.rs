//! The audit trail in the store: a bounded history, newest last, that can be read by package.
//!
//! Entries are written in the commits of what they tell of. Who may read them is for `service` to say.

use std::ops::ControlFlow;

use redb::{ReadableTable, ReadableTableMetadata};

use super::StorageError;
use super::edit::Edit;
use super::records::Record;
use super::rows::{Rows, Source};
use super::tables;
use crate::model::{AuditEntry, PackageKey};

impl<S: Source> Rows<S> {
    /// Hands the entries numbered below `before`, newest first, to `visit` until it says stop.
    ///
    /// # Errors
    /// If the store is damaged or gone.
    pub fn audit_before(
        &self,
        before: u64,
        mut visit: impl FnMut(AuditEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        for row in self.source.table(tables::AUDIT)?.range(..before)?.rev() {
            let (id, bytes) = row?;
            if visit(AuditEntry::from_bytes(id.value(), bytes.value())?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The same of one package.
    ///
    /// # Errors
    /// If the store is damaged or gone.
    pub fn audit_of_package(
        &self,
        package: PackageKey,
        before: u64,
        mut visit: impl FnMut(AuditEntry) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        for row in self.source.table(tables::AUDIT_BY_PACKAGE)?.range((package.0, 0)..(package.0, before))?.rev() {
            let (_, id) = row?.0.value();
            if let Some(entry) = self.record(tables::AUDIT, &id, id)?
                && visit(entry).is_break()
            {
                break;
            }
        }
        Ok(())
    }
}

impl Edit<'_, '_> {
    /// Adds an entry, whose number is given here, and forgets the oldest beyond `entries_max`.
    ///
    /// # Errors
    /// If the file fails.
    pub fn add_audit(&mut self, entry: &AuditEntry, entries_max: u64) -> Result<(), StorageError> {
        let tx = self.tx();
        let mut entries = tx.open_table(tables::AUDIT)?;
        let mut by_package = tx.open_table(tables::AUDIT_BY_PACKAGE)?;
        let id = entries.last()?.map_or(0, |(id, _)| id.value()) + 1;
        entries.insert(id, entry.to_bytes()?.as_slice())?;
        if let Some((package, _)) = &entry.package {
            by_package.insert((package.0, id), ())?;
        }
        while entries.len()? > entries_max.max(1) {
            let Some((id, bytes)) = entries.pop_first()? else { break };
            let id = id.value();
            if let Some((package, _)) = AuditEntry::from_bytes(id, bytes.value())?.package {
                by_package.remove((package.0, id))?;
            }
        }
        Ok(())
    }
}
