//! Roles of the files of a release: which file is the archive of a platform, and which file a platform gets.
//!
//! A role follows from the other files of the release unless somebody chose it, so it does not depend on the order in
//! which files arrive. Every part of the program that picks a file for a platform asks [`archive_of`] or
//! [`archive_for`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use super::file::ReleaseFile;
use super::id::PlatformId;
use super::name::DisplayName;

/// The role of a file within its release and platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// The file that is the release for its platform. A platform has at most one.
    Archive,
    /// A file that stands beside an archive: a signature, a checksum, a block map.
    Attachment,
}

/// The error for a text that is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the role of a file is archive or attachment")]
pub struct InvalidFileRole;

impl FileRole {
    /// Its name in requests and responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Attachment => "attachment",
        }
    }
}

impl fmt::Display for FileRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for FileRole {
    type Err = InvalidFileRole;

    fn from_str(text: &str) -> Result<Self, InvalidFileRole> {
        match text {
            "archive" => Ok(Self::Archive),
            "attachment" => Ok(Self::Attachment),
            _ => Err(InvalidFileRole),
        }
    }
}

/// The archives among the files of a release, which are in the order in which they were added: of each platform the file
/// that was chosen to be it; else the first file that nobody made an attachment and whose name is not that of a sidecar.
#[must_use]
pub fn archives<T: AsRef<ReleaseFile>>(files: &[T]) -> BTreeMap<PlatformId, &T> {
    let chosen = files.iter().filter(|file| file.as_ref().chosen_role == Some(FileRole::Archive));
    let others = files.iter().filter(|file| file.as_ref().chosen_role.is_none());
    let mut archives = BTreeMap::new();
    for file in chosen.chain(others) {
        let found = file.as_ref();
        if let Entry::Vacant(place) = archives.entry(found.platform)
            && (found.chosen_role.is_some() || !is_sidecar(&found.display_name))
        {
            place.insert(file);
        }
    }
    archives
}

/// The archive of one platform among the files of a release, as [`archives`] has it.
#[must_use]
pub fn archive_of<T: AsRef<ReleaseFile>>(files: &[T], platform: PlatformId) -> Option<&T> {
    let own = || files.iter().filter(|file| file.as_ref().platform == platform);
    let chosen = own().find(|file| file.as_ref().chosen_role == Some(FileRole::Archive));
    let is_named = |file: &&T| file.as_ref().chosen_role.is_none() && !is_sidecar(&file.as_ref().display_name);
    chosen.or_else(|| own().find(is_named))
}

/// The file of a release that `platform` gets: its own archive; else the archive for any platform, which counts only in
/// a release without an archive for a specific platform.
#[must_use]
pub fn archive_for<T: AsRef<ReleaseFile>>(files: &[T], platform: PlatformId, any: Option<PlatformId>) -> Option<&T> {
    let others = || archive_for_others(files, any).filter(|_| any != Some(platform));
    archive_of(files, platform).or_else(others)
}

/// The file of a release that the platforms get which it has no archive for.
#[must_use]
pub fn archive_for_others<T: AsRef<ReleaseFile>>(files: &[T], any: Option<PlatformId>) -> Option<&T> {
    let any = any?;
    let archives = archives(files);
    if archives.keys().any(|other| *other != any) { None } else { archives.get(&any).copied() }
}

/// The role of a file among all files of its release.
#[must_use]
pub fn role_in<T: AsRef<ReleaseFile>>(files: &[T], file: &ReleaseFile) -> FileRole {
    role_if(archive_of(files, file.platform), file)
}

/// The role of a file of a release with these archives.
#[must_use]
pub fn role_among<T: AsRef<ReleaseFile>>(archives: &BTreeMap<PlatformId, &T>, file: &ReleaseFile) -> FileRole {
    role_if(archives.get(&file.platform).copied(), file)
}

fn role_if<T: AsRef<ReleaseFile>>(archive: Option<&T>, file: &ReleaseFile) -> FileRole {
    if archive.is_some_and(|archive| archive.as_ref().id == file.id) { FileRole::Archive } else { FileRole::Attachment }
}

/// Endings of the names that tools give to files beside a file, in lower case. `.txt` may follow each of them.
const SIDECAR_ENDINGS: [&str; 77] = [
    // Signatures, certificates, attestations.
    ".sig",
    ".sign",
    ".signature",
    ".asc",
    ".minisig",
    ".sigstore",
    ".sigstore.json",
    ".cosign.bundle",
    ".p7s",
    ".p7b",
    ".pem",
    ".crt",
    ".cer",
    ".tsr",
    ".idsig",
    ".prov",
    ".provenance",
    ".provenance.json",
    ".attestation",
    ".attestation.json",
    ".intoto",
    ".intoto.json",
    ".intoto.jsonl",
    ".slsa.json",
    // Checksums.
    ".crc32",
    ".md5",
    ".md5sum",
    ".md5sums",
    ".sha1",
    ".sha1sum",
    ".sha1sums",
    ".sha224",
    ".sha256",
    ".sha256sum",
    ".sha256sums",
    ".sha384",
    ".sha512",
    ".sha512sum",
    ".sha512sums",
    ".sha3-256",
    ".sha3-512",
    ".b2sum",
    ".b2sums",
    ".b3sum",
    ".b3sums",
    ".blake2b",
    ".blake2s",
    ".blake3",
    ".sums",
    ".checksum",
    ".checksums",
    // Bills of materials.
    ".sbom",
    ".sbom.json",
    ".sbom.xml",
    ".spdx",
    ".spdx.json",
    ".spdx.rdf",
    ".spdx.xml",
    ".spdx.yaml",
    ".spdx.yml",
    ".cdx.json",
    ".cdx.xml",
    ".bom.json",
    ".bom.xml",
    ".syft.json",
    ".buildinfo",
    // What updaters and downloaders read beside a file.
    ".blockmap",
    ".zsync",
    ".torrent",
    ".metalink",
    ".meta4",
    ".delta",
    "-delta.nupkg",
    // Symbols, and metadata of a package.
    ".dsym.zip",
    ".dsym.tar.gz",
    ".snupkg",
    ".whl.metadata",
];

/// Beginnings of names of checksum lists, in lower case.
const LISTS: [&str; 13] = [
    "sha1sums",
    "sha224sums",
    "sha256sums",
    "sha384sums",
    "sha512sums",
    "shasums",
    "shasums256",
    "md5sums",
    "b2sums",
    "b3sums",
    "blake2sums",
    "checksums",
    "checksum",
];

/// Names, in lower case, of files that describe a release to an updater, and of keys: how they begin and end. Between
/// the two stands nothing, or `-`, `.` or `_` and any text.
const NAMES: [(&str, &str); 13] = [
    ("latest", ".yml"),
    ("latest", ".yaml"),
    ("latest", ".json"),
    ("beta", ".yml"),
    ("alpha", ".yml"),
    ("releases.", ".json"),
    ("assets.", ".json"),
    ("appcast", ".xml"),
    ("app-update", ".yml"),
    ("builder-debug", ".yml"),
    ("builder-effective-config", ".yaml"),
    ("cosign", ".pub"),
    ("minisign", ".pub"),
];

/// Whether a name is one that tools give to files that stand beside a file, such as `app.zip.sig` or `SHA256SUMS`.
#[must_use]
pub fn is_sidecar(name: &DisplayName) -> bool {
    let name = name.as_str();
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".txt").unwrap_or(&lower);
    let ends = |ending: &&str| plain.ends_with(ending);
    SIDECAR_ENDINGS.iter().any(|ending| ends(ending) || lower.ends_with(ending))
        || is_checksum_list(name, plain)
        || NAMES.iter().any(|(start, end)| is_between(&lower, start, end))
        // Squirrel's list has this name in capitals; `releases.zip` is some file.
        || name.strip_prefix("RELEASES").is_some_and(begins_anew)
}

/// Whether a name is that of a list of checksums. A name in capitals may go on with anything. Another one is all of the
/// name or its last part, as in `app_1.0_checksums.txt`, or ends with `.txt`: the archive of a program called
/// `checksums` is no list.
fn is_checksum_list(name: &str, plain: &str) -> bool {
    let is_text = plain.len() < name.len();
    LISTS.iter().any(|list| {
        let is_first = || {
            let (Some(head), Some(rest)) = (name.get(..list.len()), name.get(list.len()..)) else { return false };
            let is_capital = !head.bytes().any(|byte| byte.is_ascii_lowercase());
            head.eq_ignore_ascii_case(list) && begins_anew(rest) && (is_capital || is_text)
        };
        let is_last =
            || plain.strip_suffix(list).is_some_and(|head| head.is_empty() || head.ends_with(['-', '_', '.']));
        is_first() || is_last()
    })
}

/// Whether a text is empty or begins with no letter and no digit.
fn begins_anew(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_alphanumeric())
}

fn is_between(name: &str, start: &str, end: &str) -> bool {
    let middle = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    middle.is_some_and(|middle| middle.is_empty() || start.ends_with('.') || middle.starts_with(['-', '.', '_']))
}

#[cfg(test)]
#[path = "file_role_tests.rs"]
mod tests;
