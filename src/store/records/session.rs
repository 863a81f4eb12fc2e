//! The stored form of a session.

use bincode::{Decode, Encode};

use super::{Record, time};
use crate::model::{Session, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    user: u64,
    created: i64,
    expires: i64,
}

impl Record for Session {
    const NAME: &'static str = "session";
    type Key = ();

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let stored =
            Stored::V1(V1 { user: self.user.0, created: self.created.as_micros(), expires: self.expires.as_micros() });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes((): (), bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        Ok(Self { user: UserId(v1.user), created: time(v1.created), expires: time(v1.expires) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let session = Session { user: UserId(300), created: time(1), expires: time(2) };
        assert_pinned((), &session, "00fb2c010204");
    }
}
