//! The stored form of a member.

use bincode::{Decode, Encode};

use super::{Record, time};
use crate::model::{Member, PackageKey, Role, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    role: RoleV1,
    created: i64,
    changed: i64,
}

#[derive(Encode, Decode)]
enum RoleV1 {
    Reader,
    Maintainer,
    Owner,
}

impl Record for Member {
    const NAME: &'static str = "member";
    type Key = (PackageKey, UserId);

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let role = match self.role {
            Role::Reader => RoleV1::Reader,
            Role::Maintainer => RoleV1::Maintainer,
            Role::Owner => RoleV1::Owner,
        };
        let stored = Stored::V1(V1 { role, created: self.created.as_micros(), changed: self.changed.as_micros() });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes((package, user): Self::Key, bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        let role = match v1.role {
            RoleV1::Reader => Role::Reader,
            RoleV1::Maintainer => Role::Maintainer,
            RoleV1::Owner => Role::Owner,
        };
        Ok(Self { package, user, role, created: time(v1.created), changed: time(v1.changed) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let (package, user) = (PackageKey(1), UserId(2));
        let member = Member { package, user, role: Role::Maintainer, created: time(3), changed: time(4) };
        assert_pinned((package, user), &member, "00010608");
    }
}
