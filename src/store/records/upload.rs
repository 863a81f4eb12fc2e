//! The stored form of an unfinished upload. Its bytes are kept by the blobs.

use bincode::{Decode, Encode};

use super::file::FileRoleV2;
use super::{Record, parse, time};
use crate::model::{PackageKey, Sha256, UnfinishedUpload, UploadId, Uploader, UserId};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
    V2(V2),
}

#[derive(Encode, Decode)]
struct V1 {
    uploader: UploaderV1,
    package: String,
    channel: String,
    version: String,
    platform: String,
    display_name: String,
    mime_type: String,
    create_active: Option<bool>,
    sha256: Option<[u8; 32]>,
    size: u64,
    offset: u64,
    blob: Option<u64>,
    finished: bool,
    created: i64,
    expires: i64,
}

/// As [`V1`], with the role that the file is to have and what else may be made or passed over for it.
#[derive(Encode, Decode)]
struct V2 {
    common: V1,
    role: Option<FileRoleV2>,
    create_platform: bool,
    late: bool,
}

#[derive(Encode, Decode)]
enum UploaderV1 {
    User(u64),
    Package(u64),
}

impl Record for UnfinishedUpload {
    const NAME: &'static str = "unfinished upload";
    type Key = UploadId;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let common = V1 {
            uploader: match self.uploader {
                Uploader::User(user) => UploaderV1::User(user.0),
                Uploader::Package(package) => UploaderV1::Package(package.0),
            },
            package: self.package.to_string(),
            channel: self.channel.to_string(),
            version: self.version.to_string(),
            platform: self.platform.to_string(),
            display_name: self.display_name.to_string(),
            mime_type: self.mime_type.as_str().to_owned(),
            create_active: self.create_active,
            sha256: self.sha256.map(|sha256| *sha256.as_bytes()),
            size: self.size,
            offset: self.offset,
            blob: self.blob,
            finished: self.finished,
            created: self.created.as_micros(),
            expires: self.expires.as_micros(),
        };
        let stored = Stored::V2(V2 {
            common,
            role: self.role.map(FileRoleV2::of),
            create_platform: self.create_platform,
            late: self.late,
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes(id: UploadId, bytes: &[u8]) -> Result<Self, CodecError> {
        let V2 { common: v1, role, create_platform, late } = match codec::decode(Self::NAME, bytes)? {
            // A platform was made wherever a release was.
            Stored::V1(common) => {
                V2 { create_platform: common.create_active.is_some(), common, role: None, late: false }
            }
            Stored::V2(v2) => v2,
        };
        Ok(Self {
            id,
            uploader: match v1.uploader {
                UploaderV1::User(user) => Uploader::User(UserId(user)),
                UploaderV1::Package(package) => Uploader::Package(PackageKey(package)),
            },
            package: parse(Self::NAME, &v1.package)?,
            channel: parse(Self::NAME, &v1.channel)?,
            version: parse(Self::NAME, &v1.version)?,
            platform: parse(Self::NAME, &v1.platform)?,
            display_name: parse(Self::NAME, &v1.display_name)?,
            mime_type: parse(Self::NAME, &v1.mime_type)?,
            role: role.map(FileRoleV2::role),
            create_active: v1.create_active,
            create_platform,
            late,
            sha256: v1.sha256.map(Sha256::from_bytes),
            size: v1.size,
            offset: v1.offset,
            blob: v1.blob,
            finished: v1.finished,
            created: time(v1.created),
            expires: time(v1.expires),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_pinned, unhex};
    use super::*;
    use crate::model::FileRole;

    #[test]
    fn bytes_are_pinned() {
        let upload = UnfinishedUpload {
            id: UploadId(7),
            uploader: Uploader::User(UserId(300)),
            package: "omni.kit".parse().unwrap(),
            channel: "beta".parse().unwrap(),
            version: "1.0".parse().unwrap(),
            platform: "any".parse().unwrap(),
            display_name: "a.zip".parse().unwrap(),
            mime_type: "a/b".parse().unwrap(),
            role: None,
            create_active: Some(true),
            create_platform: true,
            late: false,
            sha256: None,
            size: 300,
            offset: 20,
            blob: Some(3),
            finished: false,
            created: time(1),
            expires: time(2),
        };
        let v1 = "0000fb2c01086f6d6e692e6b697404626574610\
                  3312e3003616e7905612e7a697003612f62010100fb2c01140103000204";
        assert_pinned(UploadId(7), &upload, &format!("01{}000100", &v1[2..]));
        assert_eq!(UnfinishedUpload::from_bytes(UploadId(7), &unhex(v1)).unwrap(), upload);
        let attachment = UnfinishedUpload { role: Some(FileRole::Attachment), ..upload.clone() };
        assert_pinned(UploadId(7), &attachment, &format!("01{}01010100", &v1[2..]));
        let by_token = UnfinishedUpload {
            uploader: Uploader::Package(PackageKey(2)),
            sha256: Some(Sha256::from_bytes([0; 32])),
            ..upload
        };
        let bytes = by_token.to_bytes().unwrap();
        assert_eq!(UnfinishedUpload::from_bytes(UploadId(7), &bytes).unwrap(), by_token);
    }
}
