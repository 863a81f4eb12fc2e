//! Tests of roles: names of sidecars, and the choice of a file against an obvious slow one.

use proptest::prelude::*;

use super::*;
use crate::model::{Content, Crc32, FileId, MimeType, ReleaseId, Sha256, Timestamp};

const ANY: PlatformId = PlatformId(1);

fn file(id: u64, platform: u64, name: &str, chosen_role: Option<FileRole>) -> ReleaseFile {
    ReleaseFile {
        id: FileId(id),
        release: ReleaseId(1),
        platform: PlatformId(platform),
        display_name: name.parse().unwrap(),
        chosen_role,
        size: 1,
        sha256: Sha256::of(b""),
        content: Content::Blob { crc32: Crc32(0) },
        mime_type: MimeType::octet_stream(),
        has_manifest: false,
        requirements: Vec::new(),
        created: Timestamp::from_micros(0),
        changed: Timestamp::from_micros(0),
    }
}

#[test]
fn names_of_sidecars() {
    for name in [
        "app.tar.gz.sig",
        "app.zip.asc",
        "app.exe.minisig",
        "app.sigstore",
        "app.whl.sigstore.json",
        "app.zip.SHA256",
        "app.zip.sha256.txt",
        "app.zip.sha512sum",
        "app.zip.sha1",
        "app.md5",
        "App-1.0.exe.blockmap",
        "App.AppImage.zsync",
        "key.pem",
        "signing.crt",
        "app.cdx.json",
        "app.spdx.json",
        "app.spdx",
        "app.sbom",
        "app.intoto.jsonl",
        "app.provenance",
        "chart.tgz.prov",
        "app.p7s",
        "app.sums",
        "SHA256SUMS",
        "SHA256SUMS.txt",
        "SHA256SUMS-linux",
        "SHA512SUMS.gpg",
        "sha256sums.txt",
        "sha256sums_linux.txt",
        "SHASUMS256.txt",
        "MD5SUMS",
        "CHECKSUMS",
        "CHECKSUMS-1.0.md",
        "checksums.txt",
        "app_1.0.0_checksums.txt",
        "app-1.0-SHA256SUMS",
        "RELEASES",
        "RELEASES-beta",
        "latest.yml",
        "latest-mac.yml",
        "latest-linux-arm64.yml",
        "beta-mac.yml",
        "latest.json",
        "releases.win.json",
        "releases.win-x64-stable.json",
        "assets.linux.json",
        "appcast.xml",
        "appcast-beta.xml",
        "App-1.0.1-delta.nupkg",
        "cosign.pub",
    ] {
        assert!(is_sidecar(&name.parse().unwrap()), "{name} is a sidecar");
    }
    for name in [
        "app.tar.gz",
        "app.zip",
        "app",
        "App.AppImage",
        "App-1.0.1-full.nupkg",
        "signature.zip",
        "checksums-1.0.zip",
        "sha256sums-1.0.tar.gz",
        "checksum.exe",
        "releases.zip",
        "releases.json",
        "assets.zip",
        "assets.json",
        "latest.zip",
        "latestnews.yml",
        "RELEASESX",
        "beta.zip",
        "data.json",
        "notes.txt",
        "README.md",
        "ä.zip",
        "äSHA256SUMSx",
        "pem",
        "sig",
    ] {
        assert!(!is_sidecar(&name.parse().unwrap()), "{name} is no sidecar");
    }
}

#[test]
fn a_choice_counts_more_than_a_name_and_a_name_more_than_the_order() {
    let archive = |files: &[ReleaseFile]| archive_of(files, ANY).map(|file| file.id.0);
    let (sig, app) = (file(1, 1, "app.zip.sig", None), file(2, 1, "app.zip", None));
    assert_eq!(archive(&[]), None);
    assert_eq!(archive(std::slice::from_ref(&sig)), None);
    assert_eq!(archive(&[sig.clone(), app.clone()]), Some(2));
    assert_eq!(archive(&[app.clone(), file(3, 1, "other.zip", None)]), Some(2));
    assert_eq!(archive(&[app.clone(), file(3, 1, "other.zip", Some(FileRole::Archive))]), Some(3));
    assert_eq!(archive(&[app.clone(), file(3, 1, "ca.pem", Some(FileRole::Archive))]), Some(3));
    assert_eq!(archive(&[file(2, 1, "app.zip", Some(FileRole::Attachment)), file(3, 1, "b.zip", None)]), Some(3));
    assert_eq!(archive(&[file(2, 1, "app.zip", Some(FileRole::Attachment))]), None);
    let files = [sig, app];
    assert_eq!(role_in(&files, &files[0]), FileRole::Attachment);
    assert_eq!(role_in(&files, &files[1]), FileRole::Archive);
}

fn files() -> impl Strategy<Value = Vec<ReleaseFile>> {
    let role = prop_oneof![
        4 => Just(None),
        1 => Just(Some(FileRole::Archive)),
        1 => Just(Some(FileRole::Attachment)),
    ];
    let names = prop::sample::select(vec!["a.zip", "b.zip", "a.zip.sig", "SHA256SUMS", "c.exe"]);
    prop::collection::vec((1..5_u64, names, role), 0..8)
        .prop_map(|all| (1..).zip(all).map(|(id, (platform, name, role))| file(id, platform, name, role)).collect())
}

/// The same as `archive_of`, said slowly.
fn slow_archive_of(files: &[ReleaseFile], platform: u64) -> Option<u64> {
    let own: Vec<&ReleaseFile> = files.iter().filter(|file| file.platform.0 == platform).collect();
    let chosen: Vec<u64> =
        own.iter().filter(|file| file.chosen_role == Some(FileRole::Archive)).map(|file| file.id.0).collect();
    let named: Vec<u64> = own
        .iter()
        .filter(|file| file.chosen_role.is_none())
        .filter(|file| !["a.zip.sig", "SHA256SUMS"].contains(&file.display_name.as_str()))
        .map(|file| file.id.0)
        .collect();
    if chosen.is_empty() { named.into_iter().min() } else { chosen.into_iter().min() }
}

proptest! {
    #[test]
    fn the_file_of_a_platform_is_that_of_the_slow_rule(files in files(), platform in 1..6_u64, has_any: bool) {
        let any = has_any.then_some(ANY);
        let found = archive_for(&files, PlatformId(platform), any).map(|file| file.id.0);
        let mut expected = slow_archive_of(&files, platform);
        let specific = (2..5).any(|other| slow_archive_of(&files, other).is_some());
        if expected.is_none() && has_any && !specific {
            expected = slow_archive_of(&files, ANY.0);
        }
        prop_assert_eq!(found, expected);
        for file in &files {
            let is_archive = slow_archive_of(&files, file.platform.0) == Some(file.id.0);
            prop_assert_eq!(role_in(&files, file) == FileRole::Archive, is_archive);
            prop_assert_eq!(role_among(&archives(&files), file), role_in(&files, file));
        }
    }
}
