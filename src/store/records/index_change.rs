//! The stored form of what one step of the index changed.

use bincode::{Decode, Encode};

use super::Record;
use crate::store::codec::{self, CodecError};

/// The name of a view; the default one has none.
pub type StoredView = Option<Box<str>>;

/// What one step of the public index changed in some views, without hashes: those are looked up when it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexChange {
    /// For each set of views that changed alike: the views and the full names of the packages whose files came, went
    /// or changed.
    pub parts: Vec<IndexChangePart>,
}

/// Views that changed alike, and the packages.
pub(super) type IndexChangePart = (Vec<StoredView>, Vec<Box<str>>);

#[derive(Encode, Decode)]
enum Stored {
    V1(Vec<IndexChangePart>),
}

impl Record for IndexChange {
    const NAME: &'static str = "index change";
    type Key = ();

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(Self::NAME, &Stored::V1(self.parts.clone()))
    }

    fn from_bytes((): (), bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(parts) = codec::decode(Self::NAME, bytes)?;
        Ok(Self { parts })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let parts = vec![(vec![None, Some("stable".into())], vec!["omni.kit".into()])];
        assert_pinned((), &IndexChange { parts }, "000102000106737461626c6501086f6d6e692e6b6974");
    }
}
