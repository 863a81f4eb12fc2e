//! The stored form of a user.

use bincode::{Decode, Encode};

use super::{Record, parse, time};
use crate::model::{PasswordHash, User, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    name: String,
    password_rounds: u32,
    password_salt: [u8; 16],
    password_hash: [u8; 32],
    admin: bool,
    disabled: bool,
    created: i64,
    changed: i64,
}

impl Record for User {
    const NAME: &'static str = "user";
    type Key = UserId;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let stored = Stored::V1(V1 {
            name: self.name.to_string(),
            password_rounds: self.password.rounds,
            password_salt: self.password.salt,
            password_hash: self.password.hash,
            admin: self.admin,
            disabled: self.disabled,
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes(id: UserId, bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        Ok(Self {
            id,
            name: parse(Self::NAME, &v1.name)?,
            password: PasswordHash { rounds: v1.password_rounds, salt: v1.password_salt, hash: v1.password_hash },
            admin: v1.admin,
            disabled: v1.disabled,
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
        let user = User {
            id: UserId(1),
            name: "omni".parse().unwrap(),
            password: PasswordHash { rounds: 600_000, salt: [1; 16], hash: [2; 32] },
            admin: true,
            disabled: false,
            created: time(1),
            changed: time(2),
        };
        assert_pinned(
            user.id,
            &user,
            "00046f6d6e69fcc027090001010101010101010101010101010101020202020202020202020202020202020202020202020202020202020202020201000204",
        );
    }
}
