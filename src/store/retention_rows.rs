//! When retention rules were last kept, and which channels have one.

use redb::ReadableTable;

use super::StorageError;
use super::edit::Edit;
use super::records::Record;
use super::rows::{Rows, Source};
use super::tables;
use crate::model::{Channel, ChannelId, Timestamp, UserId};

/// What is remembered of the days on which retention rules were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionMarks {
    /// When they last were.
    pub run: Timestamp,
    /// How many more such days are to pass before they act again.
    pub waits: u32,
}

impl<S: Source> Rows<S> {
    /// When retention rules were last kept; nothing, if that never was.
    pub fn retention_marks(&self) -> Result<Option<RetentionMarks>, StorageError> {
        let Some(run) = self.meta(tables::META_RETENTION_RUN)? else { return Ok(None) };
        let run = Timestamp::from_micros(i64::try_from(run).unwrap_or(i64::MAX));
        let waits = self.meta(tables::META_RETENTION_WAITS)?.unwrap_or_default();
        Ok(Some(RetentionMarks { run, waits: u32::try_from(waits).unwrap_or(u32::MAX) }))
    }

    /// All channels that have a retention rule.
    pub fn channels_with_retention(&self) -> Result<Vec<Channel>, StorageError> {
        let table = self.source().table(tables::CHANNELS)?;
        let mut found = Vec::new();
        for row in table.iter()? {
            let (key, bytes) = row?;
            let (owner, id) = key.value();
            let channel = Channel::from_bytes((UserId(owner), ChannelId(id)), bytes.value())?;
            if channel.retention.is_some() {
                found.push(channel);
            }
        }
        Ok(found)
    }

    /// When the package that changed last did.
    pub fn last_change(&self) -> Result<Option<Timestamp>, StorageError> {
        let table = self.source().table(tables::PACKAGES_BY_CHANGE)?;
        Ok(table.last()?.map(|(key, _)| Timestamp::from_micros(key.value().0)))
    }
}

impl Edit<'_, '_> {
    /// Remembers when retention rules were kept.
    pub fn set_retention_marks(&mut self, marks: RetentionMarks) -> Result<(), StorageError> {
        let mut table = self.tx().open_table(tables::META)?;
        table.insert(tables::META_RETENTION_RUN, marks.run.as_micros().unsigned_abs())?;
        table.insert(tables::META_RETENTION_WAITS, u64::from(marks.waits))?;
        Ok(())
    }
}
