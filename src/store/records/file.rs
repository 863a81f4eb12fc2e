//! The stored form of a release file. Its manifest is kept in a table of its own, for most reads do not want it.

use bincode::{Decode, Encode};

use super::{Record, parse, time};
use crate::model::{Content, Crc32, FileId, FileRole, PlatformId, ReleaseFile, ReleaseId, Requirement, Sha256};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
    V2(V2),
}

#[derive(Encode, Decode)]
struct V1 {
    platform: u64,
    display_name: String,
    size: u64,
    sha256: [u8; 32],
    content: ContentV1,
    mime_type: String,
    has_manifest: bool,
    requirements: Vec<RequirementV1>,
    created: i64,
    changed: i64,
}

/// As [`V1`], with the role that somebody chose.
#[derive(Encode, Decode)]
struct V2 {
    common: V1,
    chosen_role: Option<FileRoleV2>,
}

#[derive(Encode, Decode)]
pub(super) enum FileRoleV2 {
    Archive,
    Attachment,
}

impl FileRoleV2 {
    pub(super) fn of(role: FileRole) -> Self {
        match role {
            FileRole::Archive => Self::Archive,
            FileRole::Attachment => Self::Attachment,
        }
    }

    pub(super) fn role(self) -> FileRole {
        match self {
            Self::Archive => FileRole::Archive,
            Self::Attachment => FileRole::Attachment,
        }
    }
}

#[derive(Encode, Decode)]
enum ContentV1 {
    Blob { crc32: u32 },
    External { url: String },
    // Since format 5.
    Unseen { url: String },
}

#[derive(Encode, Decode)]
struct RequirementV1 {
    kind: String,
    name: String,
    version: String,
}

impl Record for ReleaseFile {
    const NAME: &'static str = "release file";
    type Key = (ReleaseId, FileId);

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let requirements = self.requirements.iter().map(|requirement| RequirementV1 {
            kind: requirement.kind.as_str().to_owned(),
            name: requirement.name.as_str().to_owned(),
            version: requirement.version.as_str().to_owned(),
        });
        let common = V1 {
            platform: self.platform.0,
            display_name: self.display_name.to_string(),
            size: self.size,
            sha256: *self.sha256.as_bytes(),
            content: match &self.content {
                Content::Blob { crc32 } => ContentV1::Blob { crc32: crc32.0 },
                Content::External { url } => ContentV1::External { url: url.as_str().to_owned() },
                Content::Unseen { url } => ContentV1::Unseen { url: url.as_str().to_owned() },
            },
            mime_type: self.mime_type.as_str().to_owned(),
            has_manifest: self.has_manifest,
            requirements: requirements.collect(),
            created: self.created.as_micros(),
            changed: self.changed.as_micros(),
        };
        let stored = Stored::V2(V2 { common, chosen_role: self.chosen_role.map(FileRoleV2::of) });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes((release, id): Self::Key, bytes: &[u8]) -> Result<Self, CodecError> {
        let (v1, chosen_role) = match codec::decode(Self::NAME, bytes)? {
            Stored::V1(v1) => (v1, None),
            Stored::V2(v2) => (v2.common, v2.chosen_role),
        };
        let requirements = v1.requirements.into_iter().map(|requirement| {
            Ok(Requirement {
                kind: parse(Self::NAME, &requirement.kind)?,
                name: parse(Self::NAME, &requirement.name)?,
                version: parse(Self::NAME, &requirement.version)?,
            })
        });
        Ok(Self {
            id,
            release,
            platform: PlatformId(v1.platform),
            display_name: parse(Self::NAME, &v1.display_name)?,
            chosen_role: chosen_role.map(FileRoleV2::role),
            size: v1.size,
            sha256: Sha256::from_bytes(v1.sha256),
            content: match v1.content {
                ContentV1::Blob { crc32 } => Content::Blob { crc32: Crc32(crc32) },
                ContentV1::External { url } => Content::External { url: parse(Self::NAME, &url)? },
                ContentV1::Unseen { url } => Content::Unseen { url: parse(Self::NAME, &url)? },
            },
            mime_type: parse(Self::NAME, &v1.mime_type)?,
            has_manifest: v1.has_manifest,
            requirements: requirements.collect::<Result<_, CodecError>>()?,
            created: time(v1.created),
            changed: time(v1.changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_pinned, unhex};
    use super::*;

    fn file(content: Content) -> ReleaseFile {
        ReleaseFile {
            id: FileId(2),
            release: ReleaseId(1),
            platform: PlatformId(3),
            display_name: "a.zip".parse().unwrap(),
            chosen_role: None,
            size: 70_000,
            sha256: Sha256::from_bytes([4; 32]),
            content,
            mime_type: "application/zip".parse().unwrap(),
            has_manifest: true,
            requirements: vec![Requirement {
                kind: "os".parse().unwrap(),
                name: "linux".parse().unwrap(),
                version: "6".parse().unwrap(),
            }],
            created: time(5),
            changed: time(6),
        }
    }

    /// The bytes of a file here and of one elsewhere, as format 4 and those before it have them.
    const V1: [&str; 2] = [
        "000305612e7a6970fc70110100040404040404040404040404040404040404040404040404040404040404040400070f6170706c69636174696f6e2f7a69700101026f73056c696e757801360a0c",
        "000305612e7a6970fc701101000404040404040404040404040404040404040404040404040404040404040404011968747470733a2f2f6578616d706c652e6f72672f612e7a69700f6170706c69636174696f6e2f7a69700101026f73056c696e757801360a0c",
    ];

    #[test]
    fn bytes_are_pinned() {
        let here = file(Content::Blob { crc32: Crc32(7) });
        assert_pinned((here.release, here.id), &here, &format!("01{}00", &V1[0][2..]));
        let elsewhere = file(Content::External { url: "https://example.org/a.zip".parse().unwrap() });
        assert_pinned((elsewhere.release, elsewhere.id), &elsewhere, &format!("01{}00", &V1[1][2..]));
        for (role, byte) in [(FileRole::Archive, "00"), (FileRole::Attachment, "01")] {
            let chosen = ReleaseFile { chosen_role: Some(role), ..here.clone() };
            assert_pinned((chosen.release, chosen.id), &chosen, &format!("01{}01{byte}", &V1[0][2..]));
        }
        for (file, bytes) in [here, elsewhere].iter().zip(V1) {
            assert_eq!(&ReleaseFile::from_bytes((file.release, file.id), &unhex(bytes)).unwrap(), file);
        }
    }
}
