//! The stored form of a package.

use bincode::{Decode, Encode};

use super::version_scheme::SchemeV1;
use super::{Record, parse, time};
use crate::model::{Package, PackageKey, Sha256, UserId, Visibility};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
    V2(V1, SchemeV1),
}

#[derive(Encode, Decode)]
struct V1 {
    owner: u64,
    namespace: String,
    name: String,
    description: String,
    visibility: VisibilityV1,
    access_token: String,
    private_token: Option<[u8; 32]>,
    created: i64,
    changed: i64,
}

#[derive(Encode, Decode)]
enum VisibilityV1 {
    Public,
    Private,
}

impl Record for Package {
    const NAME: &'static str = "package";
    type Key = PackageKey;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let v1 = V1 {
            owner: self.owner.0,
            namespace: self.namespace.to_string(),
            name: self.name.to_string(),
            description: self.description.as_str().to_owned(),
            visibility: match self.visibility {
                Visibility::Public => VisibilityV1::Public,
                Visibility::Private => VisibilityV1::Private,
            },
            access_token: self.access_token.reveal().to_owned(),
            private_token: self.private_token.map(|digest| *digest.as_bytes()),
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        };
        codec::encode(Self::NAME, &Stored::V2(v1, self.version_scheme.into()))
    }

    fn from_bytes(id: PackageKey, bytes: &[u8]) -> Result<Self, CodecError> {
        let (v1, scheme) = match codec::decode(Self::NAME, bytes)? {
            Stored::V1(v1) => (v1, SchemeV1::Semver),
            Stored::V2(v1, scheme) => (v1, scheme),
        };
        Ok(Self {
            id,
            owner: UserId(v1.owner),
            namespace: parse(Self::NAME, &v1.namespace)?,
            name: parse(Self::NAME, &v1.name)?,
            description: parse(Self::NAME, &v1.description)?,
            visibility: match v1.visibility {
                VisibilityV1::Public => Visibility::Public,
                VisibilityV1::Private => Visibility::Private,
            },
            version_scheme: scheme.into(),
            access_token: parse(Self::NAME, &v1.access_token)?,
            private_token: v1.private_token.map(Sha256::from_bytes),
            created: time(v1.created),
            changed: time(v1.changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_pinned, unhex};
    use super::*;
    use crate::model::{TokenKind, TokenSecret, VersionScheme};

    #[test]
    fn bytes_are_pinned() {
        let package = Package {
            id: PackageKey(1),
            owner: UserId(2),
            namespace: "omni".parse().unwrap(),
            name: "kit.window".parse().unwrap(),
            description: "A *window*.".parse().unwrap(),
            visibility: Visibility::Private,
            version_scheme: VersionScheme::Debian,
            access_token: TokenSecret::from_random(TokenKind::Access, [5; 32]),
            private_token: Some(Sha256::from_bytes([6; 32])),
            created: time(3),
            changed: time(4),
        };
        let v1 = "0002046f6d6e690a6b69742e77696e646f770b41202a77696e646f772a2e014770685f6163635f303530353035303530353035303530353035303530353035303530353035303530353035303530353035303530353035303530353035303530353035303530350106060606060606060606060606060606060606060606060606060606060606060608";
        let v2 = format!("01{}02", &v1[2..]);
        assert_pinned(package.id, &package, &v2);
        let old = Package { version_scheme: VersionScheme::Semver, ..package };
        assert_eq!(Package::from_bytes(old.id, &unhex(v1)).unwrap(), old);
    }
}
