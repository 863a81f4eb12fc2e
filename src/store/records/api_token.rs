//! The stored form of an API token.

use bincode::{Decode, Encode};

use super::{Record, invalid, parse, time};
use crate::model::{ApiToken, ApiTokenId, Scope, Sha256, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    user: u64,
    name: String,
    digest: [u8; 32],
    scopes: Vec<ScopeV1>,
    expires: Option<i64>,
    created: i64,
    last_used: Option<i64>,
}

#[derive(Encode, Decode)]
enum ScopeV1 {
    Read,
    Publish,
    Admin,
}

impl Record for ApiToken {
    const NAME: &'static str = "API token";
    type Key = ApiTokenId;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let scopes = self.scopes.iter().map(|scope| match scope {
            Scope::Read => ScopeV1::Read,
            Scope::Publish => ScopeV1::Publish,
            Scope::Admin => ScopeV1::Admin,
        });
        let stored = Stored::V1(V1 {
            user: self.user.0,
            name: self.name.as_str().to_owned(),
            digest: *self.digest.as_bytes(),
            scopes: scopes.collect(),
            expires: self.expires.map(|t| t.as_micros()),
            created: self.created.as_micros(),
            last_used: self.last_used.map(|t| t.as_micros()),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes(id: ApiTokenId, bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        if v1.scopes.is_empty() {
            return Err(invalid(Self::NAME, "it has no scope"));
        }
        let scopes = v1.scopes.iter().map(|scope| match scope {
            ScopeV1::Read => Scope::Read,
            ScopeV1::Publish => Scope::Publish,
            ScopeV1::Admin => Scope::Admin,
        });
        Ok(Self {
            id,
            user: UserId(v1.user),
            name: parse(Self::NAME, &v1.name)?,
            digest: Sha256::from_bytes(v1.digest),
            scopes: scopes.collect(),
            expires: v1.expires.map(time),
            created: time(v1.created),
            last_used: v1.last_used.map(time),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;

    #[test]
    fn bytes_are_pinned() {
        let token = ApiToken {
            id: ApiTokenId(1),
            user: UserId(2),
            name: "CI".parse().unwrap(),
            digest: Sha256::from_bytes([3; 32]),
            scopes: vec![Scope::Read, Scope::Publish, Scope::Admin],
            expires: Some(time(4)),
            created: time(5),
            last_used: None,
        };
        assert_pinned(
            token.id,
            &token,
            "000202434903030303030303030303030303030303030303030303030303030303030303030300010201080a00",
        );
    }
}
