//! The stored form of a channel.

use bincode::{Decode, Encode};

use super::{Record, parse, time};
use crate::model::{Channel, ChannelId, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    name: String,
    short: String,
    default: bool,
    includes: Vec<u64>,
    created: i64,
    changed: i64,
}

impl Record for Channel {
    const NAME: &'static str = "channel";
    type Key = (UserId, ChannelId);

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let stored = Stored::V1(V1 {
            name: self.name.to_string(),
            short: self.short.to_string(),
            default: self.default,
            includes: self.includes.iter().map(|id| id.0).collect(),
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes((owner, id): Self::Key, bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        Ok(Self {
            id,
            owner,
            name: parse(Self::NAME, &v1.name)?,
            short: parse(Self::NAME, &v1.short)?,
            default: v1.default,
            includes: v1.includes.into_iter().map(ChannelId).collect(),
            created: time(v1.created),
            changed: time(v1.changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let channel = Channel {
            id: ChannelId(2),
            owner: UserId(1),
            name: "beta".parse().unwrap(),
            short: "B".parse().unwrap(),
            default: false,
            includes: vec![ChannelId(1), ChannelId(300)],
            created: time(3),
            changed: time(4),
        };
        assert_pinned((channel.owner, channel.id), &channel, "0004626574610142000201fb2c010608");
    }
}
