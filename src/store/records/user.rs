//! The stored form of a user.

use bincode::{Decode, Encode};

use super::{Record, parse, time};
use crate::model::{Invitation, PasswordHash, Sha256, User, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
    V2(V2),
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

#[derive(Encode, Decode)]
struct V2 {
    name: String,
    password: Option<PasswordV2>,
    admin: bool,
    disabled: bool,
    quota_bytes: Option<u64>,
    /// Digest of the secret, and the end.
    invitation: Option<([u8; 32], i64)>,
    created: i64,
    changed: i64,
}

#[derive(Encode, Decode)]
struct PasswordV2 {
    rounds: u32,
    salt: [u8; 16],
    hash: [u8; 32],
}

impl From<V1> for V2 {
    fn from(v1: V1) -> Self {
        let password = PasswordV2 { rounds: v1.password_rounds, salt: v1.password_salt, hash: v1.password_hash };
        Self {
            name: v1.name,
            password: Some(password),
            admin: v1.admin,
            disabled: v1.disabled,
            quota_bytes: None,
            invitation: None,
            created: v1.created,
            changed: v1.changed,
        }
    }
}

impl Record for User {
    const NAME: &'static str = "user";
    type Key = UserId;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let password = self.password.as_ref().map(|password| PasswordV2 {
            rounds: password.rounds,
            salt: password.salt,
            hash: password.hash,
        });
        let invitation = self.invitation.as_ref();
        let stored = Stored::V2(V2 {
            name: self.name.to_string(),
            password,
            quota_bytes: self.quota_bytes,
            invitation: invitation.map(|link| (*link.digest.as_bytes(), link.expires.as_micros())),
            admin: self.admin,
            disabled: self.disabled,
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes(id: UserId, bytes: &[u8]) -> Result<Self, CodecError> {
        let v2 = match codec::decode(Self::NAME, bytes)? {
            Stored::V1(v1) => V2::from(v1),
            Stored::V2(v2) => v2,
        };
        Ok(Self {
            id,
            name: parse(Self::NAME, &v2.name)?,
            password: v2.password.map(|p| PasswordHash { rounds: p.rounds, salt: p.salt, hash: p.hash }),
            quota_bytes: v2.quota_bytes,
            invitation: v2
                .invitation
                .map(|(digest, expires)| Invitation { digest: Sha256::from_bytes(digest), expires: time(expires) }),
            admin: v2.admin,
            disabled: v2.disabled,
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
        let user = User {
            id: UserId(1),
            name: "omni".parse().unwrap(),
            password: Some(PasswordHash { rounds: 600_000, salt: [1; 16], hash: [2; 32] }),
            admin: true,
            disabled: false,
            quota_bytes: None,
            invitation: None,
            created: time(1),
            changed: time(2),
        };
        // What version 1 wrote stays readable.
        let v1 = unhex(
            "00046f6d6e69fcc027090001010101010101010101010101010101020202020202020202020202020202020202020202020202020202020202020201000204",
        );
        assert_eq!(User::from_bytes(user.id, &v1).unwrap(), user);
        assert_pinned(
            user.id,
            &user,
            "01046f6d6e6901fcc0270900010101010101010101010101010101010202020202020202020202020202020202020202020202020202020202020202010000000204",
        );
        let invited = User {
            password: None,
            quota_bytes: Some(1000),
            invitation: Some(Invitation { digest: Sha256::from_bytes([3; 32]), expires: time(5) }),
            ..user
        };
        assert_pinned(
            invited.id,
            &invited,
            "01046f6d6e6900010001fbe8030103030303030303030303030303030303030303030303030303030303030303030a0204",
        );
    }
}
