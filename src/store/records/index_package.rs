//! The stored form of what a package contributes to the index.

use bincode::{Decode, Encode};

use super::{Record, StoredView};
use crate::model::{Crc32, PackageKey};
use crate::store::codec::{self, CodecError};

/// What a package contributes to the index, without its lines: those are rendered again when they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPackage {
    /// The package's full name.
    pub full_name: Box<str>,
    /// Whether everyone may read it.
    pub public: bool,
    /// When any of this last changed, by the clock of the index.
    pub serial: u64,
    /// What its views have of it, each at least in one view.
    pub contents: Vec<IndexContent>,
    /// The views that have anything of it, and which of the contents they have.
    pub views: Vec<(StoredView, u32)>,
}

/// What some views have of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexContent {
    /// The checksum of its lines.
    pub crc32: Crc32,
    /// Their length in bytes.
    pub text_len_bytes: u64,
    /// Its entry in `summaries.gz`, if a version of it is offered.
    pub summary: Option<Box<str>>,
}

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    full_name: Box<str>,
    public: bool,
    serial: u64,
    contents: Vec<ContentV1>,
    views: Vec<(StoredView, u32)>,
}

#[derive(Encode, Decode)]
struct ContentV1 {
    crc32: u32,
    text_len_bytes: u64,
    summary: Option<Box<str>>,
}

impl Record for IndexPackage {
    const NAME: &'static str = "index entry";
    type Key = PackageKey;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let contents = self.contents.iter().map(|content| ContentV1 {
            crc32: content.crc32.0,
            text_len_bytes: content.text_len_bytes,
            summary: content.summary.clone(),
        });
        let stored = Stored::V1(V1 {
            full_name: self.full_name.clone(),
            public: self.public,
            serial: self.serial,
            contents: contents.collect(),
            views: self.views.clone(),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes(_: PackageKey, bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        if v1.views.iter().any(|(_, at)| *at as usize >= v1.contents.len()) {
            return Err(super::invalid(Self::NAME, "a view has a content that is not there"));
        }
        let contents = v1.contents.into_iter().map(|content| IndexContent {
            crc32: Crc32(content.crc32),
            text_len_bytes: content.text_len_bytes,
            summary: content.summary,
        });
        Ok(Self {
            full_name: v1.full_name,
            public: v1.public,
            serial: v1.serial,
            contents: contents.collect(),
            views: v1.views,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let entry = IndexPackage {
            full_name: "omni.kit".into(),
            public: true,
            serial: 300,
            contents: vec![IndexContent {
                crc32: Crc32(7),
                text_len_bytes: 8,
                summary: Some("\"omni.kit\":{}".into()),
            }],
            views: vec![(None, 0), (Some("stable".into()), 0)],
        };
        assert_pinned(
            PackageKey(1),
            &entry,
            "00086f6d6e692e6b697401fb2c01010708010d226f6d6e692e6b6974223a7b7d0200000106737461626c6500",
        );
    }
}
