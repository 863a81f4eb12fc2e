//! All tables of a file with their types: to make them, and to copy them into another file.
//!
//! redb copies no table whose types it is not told, so whoever owns tables shows them to an [`EveryTable`]. What makes
//! them and what copies them is then one list, and no table can be forgotten by a backup.

use redb::{
    Database, Key, ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle, Value, WriteTransaction,
};

use super::StorageError;

/// About what one commit of a copy writes, in bytes.
const BATCH_BYTES: usize = 8 << 20;
/// What a row takes beside its key and value, in bytes, more or less.
const ROW_BYTES: usize = 16;

/// Is shown each table of a file.
pub(crate) trait EveryTable {
    /// Does its work on one table.
    ///
    /// # Errors
    /// Those of the file.
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StorageError>;
}

/// Makes the tables that it is shown.
pub(crate) struct Make<'a>(pub(crate) &'a WriteTransaction);

impl EveryTable for Make<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StorageError> {
        self.0.open_table(table)?;
        Ok(())
    }
}

/// Copies the tables that it is shown, as of one snapshot, row by row into a file that has none of them.
pub(crate) struct Copy<'a> {
    from: &'a ReadTransaction,
    to: &'a Database,
    open: Option<WriteTransaction>,
    open_bytes: usize,
    seen: Vec<String>,
}

impl<'a> Copy<'a> {
    /// A copy that has not begun.
    pub(crate) fn new(from: &'a ReadTransaction, to: &'a Database) -> Self {
        Self { from, to, open: None, open_bytes: 0, seen: Vec::new() }
    }

    /// Makes the copy durable.
    ///
    /// # Errors
    /// Those of the files; [`StorageError::Internal`] if there is a table that was not shown.
    pub(crate) fn finish(mut self) -> Result<(), StorageError> {
        for table in self.from.list_tables()? {
            if !self.seen.iter().any(|seen| seen == table.name()) {
                return Err(StorageError::Internal { detail: format!("table {} is not copied", table.name()) });
            }
        }
        self.commit()
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        self.open_bytes = 0;
        self.open.take().map_or(Ok(()), |transaction| Ok(transaction.commit()?))
    }

    fn transaction(&mut self) -> Result<&WriteTransaction, StorageError> {
        match &mut self.open {
            Some(transaction) => Ok(transaction),
            none => Ok(none.insert(self.to.begin_write()?)),
        }
    }
}

impl EveryTable for Copy<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), StorageError> {
        self.seen.push(table.name().to_owned());
        let rows = match self.from.open_table(table) {
            // A file that was not opened for writing since the table is known has none.
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            rows => rows?,
        };
        let mut rows = rows.iter()?;
        loop {
            let mut bytes = self.open_bytes;
            let mut ended = false;
            {
                let mut copy = self.transaction()?.open_table(table)?;
                while bytes < BATCH_BYTES {
                    let Some(row) = rows.next() else {
                        ended = true;
                        break;
                    };
                    let (key, value) = row?;
                    let (key, value) = (key.value(), value.value());
                    bytes += K::as_bytes(&key).as_ref().len() + V::as_bytes(&value).as_ref().len() + ROW_BYTES;
                    copy.insert(key, value)?;
                }
            }
            self.open_bytes = bytes;
            if ended {
                return Ok(());
            }
            self.commit()?;
        }
    }
}
