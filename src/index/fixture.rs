//! Entities for tests, with as little said about them as a test needs.

use std::sync::Arc;

use super::source::{FileSource, LineMemory, PackageSource, ReleaseSource};
use crate::model::channel::{FIRST_CHANNELS, FIRST_PLATFORMS};
use crate::model::{
    Channel, ChannelId, Content, Crc32, FileId, FullName, Manifest, MimeType, Package, PackageKey, Platform,
    PlatformId, Release, ReleaseFile, ReleaseId, Sha256, Timestamp, TokenKind, TokenSecret, UserId, Visibility,
};

pub(super) fn time(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

pub(super) fn channel(id: u64, name: &str, default: bool, includes: &[u64]) -> Channel {
    Channel {
        id: ChannelId(id),
        owner: UserId(1),
        name: name.parse().unwrap(),
        short: name[..1].parse().unwrap(),
        default,
        includes: includes.iter().copied().map(ChannelId).collect(),
        retention: None,
        created: time(0),
        changed: time(0),
    }
}

/// What a new user has: `stable` (1, default), `beta` (2, includes stable), `alpha` (3, includes beta).
pub(super) fn first_channels() -> Arc<[Channel]> {
    let ids = 1_u64..;
    ids.zip(FIRST_CHANNELS)
        .map(|(id, (name, _, before))| {
            let includes: Vec<u64> = before.iter().map(|_| id - 1).collect();
            channel(id, name, id == 1, &includes)
        })
        .collect()
}

/// What a new user has, from `any` (1) on, and `wx64.r` (100), `a.b` (101) and `b` (102).
pub(super) fn platforms() -> Arc<[Platform]> {
    let first = (1_u64..).zip(FIRST_PLATFORMS);
    let more = (100_u64..).zip(["wx64.r", "a.b", "b"]);
    let platform = |(id, name): (u64, &str)| Platform {
        id: PlatformId(id),
        owner: UserId(1),
        name: name.parse().unwrap(),
        created: time(0),
        changed: time(0),
    };
    first.chain(more).map(platform).collect()
}

pub(super) fn package(key: u64, full_name: &str) -> Package {
    let full_name: FullName = full_name.parse().unwrap();
    Package {
        id: PackageKey(key),
        owner: UserId(1),
        namespace: full_name.namespace(),
        name: full_name.name(),
        description: "".parse().unwrap(),
        visibility: Visibility::Public,
        version_scheme: Default::default(),
        access_token: TokenSecret::from_random(TokenKind::Access, [0; 32]),
        private_token: None,
        created: time(0),
        changed: time(0),
    }
}

/// A public package of a new user without releases.
pub(super) fn source(key: u64, full_name: &str) -> PackageSource {
    PackageSource {
        package: package(key, full_name),
        channels: first_channels(),
        platforms: platforms(),
        releases: Vec::new(),
    }
}

/// An active release without files.
pub(super) fn release(id: u64, channel: u64, version: &str) -> ReleaseSource {
    let release = Release {
        id: ReleaseId(id),
        package: PackageKey(1),
        channel: ChannelId(channel),
        version: version.parse().unwrap(),
        active: true,
        published: Some(time(id as i64)),
        publish_at: None,
        yanked: None,
        description: "".parse().unwrap(),
        created: time(0),
        changed: time(0),
    };
    ReleaseSource { release, files: Vec::new() }
}

impl ReleaseSource {
    /// With one more file.
    pub(super) fn with(mut self, platform: u64, display_name: &str, manifest: Option<&str>) -> Self {
        let id = self.release.id.0 * 10 + self.files.len() as u64;
        let manifest = manifest.map(|text| Manifest::parse(text.as_bytes()).unwrap());
        let line = LineMemory::default();
        self.files.push(FileSource { file: file(id, platform, display_name), manifest, line });
        self
    }

    pub(super) fn yanked(mut self) -> Self {
        self.release.yanked = Some("broken".parse().unwrap());
        self
    }
}

/// A file whose size is its id.
pub(super) fn file(id: u64, platform: u64, display_name: &str) -> ReleaseFile {
    ReleaseFile {
        id: FileId(id),
        release: ReleaseId(1),
        platform: PlatformId(platform),
        display_name: display_name.parse().unwrap(),
        size: id,
        sha256: Sha256::of(&id.to_le_bytes()),
        content: Content::Blob { crc32: Crc32(0) },
        mime_type: MimeType::octet_stream(),
        chosen_role: None,
        has_manifest: false,
        requirements: Vec::new(),
        created: time(0),
        changed: time(0),
    }
}

pub(super) fn external(id: u64, platform: u64, url: &str) -> ReleaseFile {
    ReleaseFile { content: Content::External { url: url.parse().unwrap() }, ..file(id, platform, "a.zip") }
}

/// The text of a gzip file in parts.
pub(super) fn text(file: &super::segments::Rendered) -> String {
    use std::io::Read;
    let bytes = file.parts().concat();
    assert_eq!(bytes.len() as u64, file.len_bytes());
    let mut decoder = flate2::bufread::GzDecoder::new(&*bytes);
    let mut text = String::new();
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "bytes behind the member");
    text
}
