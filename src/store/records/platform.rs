//! The stored form of a platform.

use bincode::{Decode, Encode};

use super::{Record, parse, time};
use crate::model::{Platform, PlatformId, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    name: String,
    created: i64,
    changed: i64,
}

impl Record for Platform {
    const NAME: &'static str = "platform";
    type Key = (UserId, PlatformId);

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let stored = Stored::V1(V1 {
            name: self.name.to_string(),
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes((owner, id): Self::Key, bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        Ok(Self { id, owner, name: parse(Self::NAME, &v1.name)?, created: time(v1.created), changed: time(v1.changed) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let platform = Platform {
            id: PlatformId(2),
            owner: UserId(1),
            name: "wx64.r".parse().unwrap(),
            created: time(3),
            changed: time(4),
        };
        assert_pinned((platform.owner, platform.id), &platform, "0006777836342e720608");
    }
}
