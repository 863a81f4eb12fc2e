//! A write transaction whose tables stay open from one job to the next.
//!
//! To open a table, redb looks its name up in a tree and compares types by their written names, which takes longer than
//! most of what is done with the table then; a publish uses some forty. So a table that is done with waits on a
//! shelf for the next one who wants it. Owns the list of the kinds of tables that there are.

use std::any::Any;
use std::borrow::Borrow;
use std::cell::{OnceCell, RefCell};
use std::ops::{Deref, DerefMut, RangeBounds};

use redb::{
    AccessGuard, Key, Range, ReadableTable, ReadableTableMetadata, Table, TableDefinition, TableHandle, TableStats,
    Value, WriteTransaction,
};

use super::StorageError;

/// See the module. Jobs get one; its tables are closed before the commit.
pub struct Transaction<'t> {
    raw: &'t WriteTransaction,
    shelves: Shelves<'t>,
    memory: OnceCell<Box<dyn Any>>,
}

/// A table that somebody uses. Nobody else can open it until this is dropped.
pub struct OpenTable<'s, 't, K: Shelved<V>, V: Value + 'static> {
    /// There until the drop.
    table: Option<Table<'t, K, V>>,
    shelf: &'s Shelf<'t, K, V>,
}

/// Tables of one kind that nobody uses at the moment.
type Shelf<'t, K, V> = RefCell<Vec<Table<'t, K, V>>>;

/// The type of the keys of a kind of tables that has a shelf, with `V` as the type of its values.
pub trait Shelved<V: Value + 'static>: Key + Sized + 'static {
    /// The shelf of this kind.
    fn shelf<'s, 't>(shelves: &'s Shelves<'t>) -> &'s Shelf<'t, Self, V>;
}

macro_rules! shelves {
    ($($name:ident: $key:ty => $value:ty,)*) => {
        /// The tables of a transaction that are open and not in use.
        #[derive(Default)]
        pub struct Shelves<'t> {
            $($name: Shelf<'t, $key, $value>,)*
        }

        $(impl Shelved<$value> for $key {
            fn shelf<'s, 't>(shelves: &'s Shelves<'t>) -> &'s Shelf<'t, Self, $value> {
                &shelves.$name
            }
        })*
    };
}

shelves! {
    unit_number: () => u64,
    id_nothing: u64 => (),
    id_day: u64 => u32,
    id_number: u64 => u64,
    id_bytes: u64 => &'static [u8],
    id_checked_bytes: u64 => (u32, &'static [u8]),
    id_part: u64 => (u64, u32, u32),
    number_sum: u32 => u64,
    number_digest: u32 => [u8; 32],
    name_number: &'static str => u64,
    name_digest: &'static str => [u8; 32],
    name_id_number: (&'static str, u64) => u64,
    bytes_bytes: &'static [u8] => &'static [u8],
    digest_number: [u8; 32] => u64,
    digest_token: [u8; 32] => (u8, u64, u64),
    digest_bytes: [u8; 32] => &'static [u8],
    pair_nothing: (u64, u64) => (),
    pair_number: (u64, u64) => u64,
    pair_bytes: (u64, u64) => &'static [u8],
    id_digest_nothing: (u64, [u8; 32]) => (),
    id_name_digest: (u64, &'static str) => [u8; 32],
    id_index_bytes: (u64, u32) => &'static [u8],
    id_index_run: (u64, u32) => (u32, u64),
    time_digest_nothing: (i64, [u8; 32]) => (),
    time_id_nothing: (i64, u64) => (),
    kind_pair_nothing: (u8, u64, u64) => (),
    day_id_bytes_number: (u32, u64, &'static [u8]) => u64,
    pair_bytes_number: (u64, u64, &'static [u8]) => u64,
}

impl<'t> Transaction<'t> {
    pub(super) fn new(raw: &'t WriteTransaction) -> Self {
        Self { raw, shelves: Shelves::default(), memory: OnceCell::new() }
    }

    /// Opens a table, which is made if it is missing.
    ///
    /// # Errors
    /// If the file fails, or the table is open already.
    pub fn open_table<K: Shelved<V>, V: Value + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<OpenTable<'_, 't, K, V>, StorageError> {
        let shelf = K::shelf(&self.shelves);
        let table = match self.take(shelf, definition.name()) {
            Some(table) => table,
            None => self.raw.open_table(definition)?,
        };
        Ok(OpenTable { table: Some(table), shelf })
    }

    /// What jobs have read and others need not read again; it begins empty and ends with the transaction. Whoever
    /// changes a row must see to it that nothing else is remembered. There is one kind of it for each file: none for
    /// who asks for another.
    pub fn memory<M: Default + 'static>(&self) -> Option<&M> {
        self.memory.get_or_init(|| Box::new(M::default())).downcast_ref()
    }

    /// Removes a table with all its rows; answers whether it was there.
    ///
    /// # Errors
    /// If the file fails, or the table is open.
    pub fn delete_table<K: Shelved<V>, V: Value + 'static>(
        &self,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<bool, StorageError> {
        drop(self.take(K::shelf(&self.shelves), definition.name()));
        Ok(self.raw.delete_table(definition)?)
    }

    fn take<K: Shelved<V>, V: Value + 'static>(&self, shelf: &Shelf<'t, K, V>, name: &str) -> Option<Table<'t, K, V>> {
        let mut shelf = shelf.borrow_mut();
        let at = shelf.iter().position(|table| table.name() == name)?;
        Some(shelf.swap_remove(at))
    }
}

impl<K: Shelved<V>, V: Value + 'static> Drop for OpenTable<'_, '_, K, V> {
    fn drop(&mut self) {
        self.shelf.borrow_mut().extend(self.table.take());
    }
}

#[expect(clippy::expect_used, reason = "only the drop takes the table away")]
impl<'t, K: Shelved<V>, V: Value + 'static> Deref for OpenTable<'_, 't, K, V> {
    type Target = Table<'t, K, V>;

    fn deref(&self) -> &Self::Target {
        self.table.as_ref().expect("it is there until the drop")
    }
}

#[expect(clippy::expect_used, reason = "only the drop takes the table away")]
impl<K: Shelved<V>, V: Value + 'static> DerefMut for OpenTable<'_, '_, K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.table.as_mut().expect("it is there until the drop")
    }
}

impl<K: Shelved<V>, V: Value + 'static> ReadableTableMetadata for OpenTable<'_, '_, K, V> {
    fn stats(&self) -> redb::Result<TableStats> {
        (**self).stats()
    }

    fn len(&self) -> redb::Result<u64> {
        (**self).len()
    }
}

impl<K: Shelved<V>, V: Value + 'static> ReadableTable<K, V> for OpenTable<'_, '_, K, V> {
    fn get<'a>(&self, key: impl Borrow<K::SelfType<'a>>) -> redb::Result<Option<AccessGuard<'_, V>>> {
        (**self).get(key)
    }

    fn range<'a, KR>(&self, range: impl RangeBounds<KR> + 'a) -> redb::Result<Range<'_, K, V>>
    where
        KR: Borrow<K::SelfType<'a>> + 'a,
    {
        (**self).range(range)
    }

    fn first(&self) -> redb::Result<Option<(AccessGuard<'_, K>, AccessGuard<'_, V>)>> {
        (**self).first()
    }

    fn last(&self) -> redb::Result<Option<(AccessGuard<'_, K>, AccessGuard<'_, V>)>> {
        (**self).last()
    }
}
