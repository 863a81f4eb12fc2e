//! The stored form of a channel.

use bincode::{Decode, Encode};

use super::{Record, parse, time};
use crate::model::retention::InvalidRetention;
use crate::model::{Channel, ChannelId, Retention, RetentionRule, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
    V2(V2),
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

#[derive(Encode, Decode)]
struct V2 {
    name: String,
    short: String,
    default: bool,
    includes: Vec<u64>,
    retention: Option<RetentionV2>,
    created: i64,
    changed: i64,
}

#[derive(Encode, Decode)]
struct RetentionV2 {
    keep_newest: Option<u32>,
    keep_days: Option<u32>,
    keep_downloaded_days: Option<u32>,
    since: i64,
}

impl From<V1> for V2 {
    fn from(v1: V1) -> Self {
        Self {
            name: v1.name,
            short: v1.short,
            default: v1.default,
            includes: v1.includes,
            retention: None,
            created: v1.created,
            changed: v1.changed,
        }
    }
}

impl From<Retention> for RetentionV2 {
    fn from(Retention { rule, since }: Retention) -> Self {
        Self {
            keep_newest: rule.newest(),
            keep_days: rule.days(),
            keep_downloaded_days: rule.downloaded_days(),
            since: since.as_micros(),
        }
    }
}

impl TryFrom<RetentionV2> for Retention {
    type Error = InvalidRetention;

    fn try_from(v2: RetentionV2) -> Result<Self, InvalidRetention> {
        let number = |number: Option<u32>| number.map(i64::from);
        let rule = RetentionRule::new(number(v2.keep_newest), number(v2.keep_days), number(v2.keep_downloaded_days))?;
        Ok(Self { rule, since: time(v2.since) })
    }
}

impl Record for Channel {
    const NAME: &'static str = "channel";
    type Key = (UserId, ChannelId);

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let stored = Stored::V2(V2 {
            name: self.name.to_string(),
            short: self.short.to_string(),
            default: self.default,
            includes: self.includes.iter().map(|id| id.0).collect(),
            retention: self.retention.map(RetentionV2::from),
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes((owner, id): Self::Key, bytes: &[u8]) -> Result<Self, CodecError> {
        let v2 = match codec::decode(Self::NAME, bytes)? {
            Stored::V1(v1) => V2::from(v1),
            Stored::V2(v2) => v2,
        };
        let malformed =
            |problem: InvalidRetention| CodecError::Malformed { table: Self::NAME, detail: problem.to_string() };
        Ok(Self {
            id,
            owner,
            name: parse(Self::NAME, &v2.name)?,
            short: parse(Self::NAME, &v2.short)?,
            default: v2.default,
            includes: v2.includes.into_iter().map(ChannelId).collect(),
            retention: v2.retention.map(Retention::try_from).transpose().map_err(malformed)?,
            created: time(v2.created),
            changed: time(v2.changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_pinned, unhex};
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
            retention: None,
            created: time(3),
            changed: time(4),
        };
        let key = (channel.owner, channel.id);
        // What version 1 wrote stays readable.
        let v1 = unhex("0004626574610142000201fb2c010608");
        assert_eq!(Channel::from_bytes(key, &v1).unwrap(), channel);
        assert_pinned(key, &channel, "0104626574610142000201fb2c01000608");
        let rule = RetentionRule::new(Some(10), None, Some(300)).unwrap();
        let ruled = Channel { retention: Some(Retention { rule, since: time(5) }), ..channel };
        assert_pinned(key, &ruled, "0104626574610142000201fb2c0101010a0001fb2c010a0608");
        let no_rule = unhex("0104626574610142000201fb2c01010000000a0608");
        assert!(Channel::from_bytes(key, &no_rule).unwrap_err().to_string().contains("damaged"));
    }
}
