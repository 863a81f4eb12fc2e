//! The stored form of a release.

use bincode::{Decode, Encode};

use super::version_scheme::SchemeV1;
use super::{Record, parse, time};
use crate::model::{ChannelId, PackageKey, Release, ReleaseId, Version};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
    /// The scheme is that of the package: with it, a version is read without reading the package.
    V2(V1, SchemeV1),
}

#[derive(Encode, Decode)]
struct V1 {
    package: u64,
    channel: u64,
    version: String,
    active: bool,
    published: Option<i64>,
    publish_at: Option<i64>,
    yanked: Option<String>,
    description: String,
    created: i64,
    changed: i64,
}

impl Record for Release {
    const NAME: &'static str = "release";
    type Key = ReleaseId;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let v1 = V1 {
            package: self.package.0,
            channel: self.channel.0,
            version: self.version.to_string(),
            active: self.active,
            published: self.published.map(|t| t.as_micros()),
            publish_at: self.publish_at.map(|t| t.as_micros()),
            yanked: self.yanked.as_ref().map(|reason| reason.as_str().to_owned()),
            description: self.description.as_str().to_owned(),
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        };
        codec::encode(Self::NAME, &Stored::V2(v1, self.version.scheme().into()))
    }

    fn from_bytes(id: ReleaseId, bytes: &[u8]) -> Result<Self, CodecError> {
        let (v1, scheme) = match codec::decode(Self::NAME, bytes)? {
            Stored::V1(v1) => (v1, SchemeV1::Semver),
            Stored::V2(v1, scheme) => (v1, scheme),
        };
        let version: Version = parse(Self::NAME, &v1.version)?;
        Ok(Self {
            id,
            package: PackageKey(v1.package),
            channel: ChannelId(v1.channel),
            version: version.in_scheme(scheme.into()),
            active: v1.active,
            published: v1.published.map(time),
            publish_at: v1.publish_at.map(time),
            yanked: v1.yanked.map(|reason| parse(Self::NAME, &reason)).transpose()?,
            description: parse(Self::NAME, &v1.description)?,
            created: time(v1.created),
            changed: time(v1.changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_pinned, unhex};
    use super::*;
    use crate::model::VersionScheme;

    #[test]
    fn bytes_are_pinned() {
        let release = Release {
            id: ReleaseId(1),
            package: PackageKey(2),
            channel: ChannelId(3),
            version: "1.0.0-rc.1".parse::<Version>().unwrap().in_scheme(VersionScheme::Calver),
            active: true,
            published: Some(time(4)),
            publish_at: None,
            yanked: Some("broken".parse().unwrap()),
            description: "Notes".parse().unwrap(),
            created: time(5),
            changed: time(6),
        };
        let v1 = "0002030a312e302e302d72632e3101010800010662726f6b656e054e6f7465730a0c";
        assert_pinned(release.id, &release, &format!("01{}01", &v1[2..]));
        let old = Release::from_bytes(release.id, &unhex(v1)).unwrap();
        assert_eq!((&old, old.version.scheme()), (&release, VersionScheme::Semver));
    }
}
