//! Versions and the one total order over all of them.
//!
//! The order is that of [`Version::sort_key`], bytes that compare like the versions they stand for, so that a table
//! keyed by them lists versions in order. Each [`VersionScheme`] has its own way to make the key: `key` has those of
//! SemVer and of calendars, `debian` that of Debian.
//!
//! The order's last tie-break tells spellings apart (`v1.2` and `1.2.0`), so that lists have one order.
//! [`Version::is_newer_than`] goes by precedence alone: no update leads from one spelling of a version to another.

mod debian;
mod key;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::limits::VERSION_BYTES_MAX;

/// How the versions of a package are read. The default is SemVer; a package may choose another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionScheme {
    /// SemVer 2.0.0 where a version is SemVer, and the same reading for everything else.
    #[default]
    Semver,
    /// As SemVer, but a number behind `-` is one more number of the release: `2026.11-2` comes after `2026.11`.
    Calver,
    /// As Debian compares versions (deb-version(7)): a revision stands behind the last `-`, `~` sorts before the end.
    /// An epoch cannot be written, for a version has no colon.
    Debian,
}

/// Why a text is not a version scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version scheme is semver, calver or debian")]
pub struct InvalidVersionScheme;

impl VersionScheme {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Semver => "semver",
            Self::Calver => "calver",
            Self::Debian => "debian",
        }
    }

    /// Whether it is the one of packages that chose none.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl FromStr for VersionScheme {
    type Err = InvalidVersionScheme;

    fn from_str(text: &str) -> Result<Self, InvalidVersionScheme> {
        [Self::Semver, Self::Calver, Self::Debian].into_iter().find(|s| s.as_str() == text).ok_or(InvalidVersionScheme)
    }
}

/// A version: 1 to 64 characters of `[0-9A-Za-z.+_~-]`, the first a letter or digit.
#[derive(Clone)]
pub struct Version {
    text: Box<str>,
    key: Box<[u8]>,
    /// How much of the key is that of the release, and how much decides about precedence. A word of a prerelease takes up
    /// to seven bytes.
    release_len: u16,
    precedence_len: u16,
    scheme: VersionScheme,
}

/// A key, and the lengths of its beginnings that compare by themselves.
struct SortKey {
    bytes: Vec<u8>,
    release_len: usize,
    precedence_len: usize,
}

const _: () = assert!(VERSION_BYTES_MAX * 16 <= u16::MAX as usize);

/// Why a text is not a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version has 1 to 64 characters of 0-9, A-Z, a-z and . + _ ~ -, and begins with a letter or digit")]
pub struct InvalidVersion;

impl Version {
    /// The version as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same version as a package of that scheme reads it. A version that was just parsed is read as SemVer.
    #[must_use]
    pub fn in_scheme(&self, scheme: VersionScheme) -> Self {
        self.read_in(scheme).into_owned()
    }

    /// As [`Version::in_scheme`], without a copy where the version is read so already.
    #[must_use]
    pub fn read_in(&self, scheme: VersionScheme) -> Cow<'_, Self> {
        if scheme == self.scheme { Cow::Borrowed(self) } else { Cow::Owned(Self::read(&self.text, scheme)) }
    }

    fn read(text: &str, scheme: VersionScheme) -> Self {
        let key = match scheme {
            VersionScheme::Debian => debian::sort_key(text),
            scheme => key::sort_key(text, scheme),
        };
        let (release_len, precedence_len) = (key.release_len as u16, key.precedence_len as u16);
        Self { text: text.into(), key: key.bytes.into(), release_len, precedence_len, scheme }
    }

    /// How it is read.
    #[must_use]
    pub fn scheme(&self) -> VersionScheme {
        self.scheme
    }

    /// Bytes that compare as the versions of one scheme do. No two versions have the same; the text is their end.
    #[must_use]
    pub fn sort_key(&self) -> &[u8] {
        &self.key
    }

    /// Whether this version comes before the release it leads to. Debian's versions know no prereleases, only an order:
    /// `1.0~rc1` leads to `1.0`, but `1.0-2~bpo12+1` is a finished build of `1.0`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        match self.scheme {
            VersionScheme::Debian => false,
            scheme => key::is_prerelease(&self.text, scheme),
        }
    }

    /// The same version without its revision; nothing where it has none, as in schemes other than Debian's.
    #[must_use]
    pub fn without_revision(&self) -> Option<Self> {
        match debian::split(&self.text) {
            (upstream, Some(_)) if self.scheme == VersionScheme::Debian => Some(Self::read(upstream, self.scheme)),
            _ => None,
        }
    }

    /// Bytes that compare as the releases do that versions are or lead to: the same for `1.2.0-rc.1`, `1.2.0` and `1.2`.
    #[must_use]
    pub fn release_key(&self) -> &[u8] {
        &self.key[..usize::from(self.release_len)]
    }

    /// Bytes that compare as the versions do without regard to build metadata and spelling: the same for `1.2` and
    /// `1.2.0+x`, and equal where SemVer's precedence is (section 10).
    #[must_use]
    pub fn precedence_key(&self) -> &[u8] {
        &self.key[..usize::from(self.precedence_len)]
    }

    /// Whether an application that runs `other` should be told of this version: it has a higher precedence, or the same
    /// one and build metadata that is a higher number, as Flutter and Android count their builds. Both are read in the
    /// scheme of this one.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        let other = other.read_in(self.scheme);
        match self.precedence_key().cmp(other.precedence_key()) {
            Ordering::Equal => match (self.build_number(), other.build_number()) {
                (Some(ours), Some(theirs)) => compare_digits(ours, theirs) == Ordering::Greater,
                _ => false,
            },
            order => order == Ordering::Greater,
        }
    }

    /// Build metadata that is a number. Debian's versions have none: `+` is a character as any other there.
    fn build_number(&self) -> Option<&str> {
        let (_, build) = self.text.split_once('+')?;
        let is_number = !build.is_empty() && build.bytes().all(|b| b.is_ascii_digit());
        (is_number && self.scheme != VersionScheme::Debian).then_some(build)
    }

    /// Why no new release may have this version, where none may: the version is a word of an address, or the index would
    /// have two files of one name. Releases that have such a version keep it.
    #[must_use]
    pub fn reserved(&self) -> Option<&'static str> {
        if self.text.eq_ignore_ascii_case("latest") {
            return Some("latest stands for the newest release in addresses, so it cannot be a version");
        }
        // `archives/NAME/NAME-1.0.json` is the manifest of 1.0, and the folder of the archive of `1.0.json`.
        let tail = self.text.len().checked_sub(5).and_then(|at| self.text.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(".json"))
            .then_some("a version cannot end with .json: the index has a file of that name for the version without it")
    }
}

/// Compares numbers of any length by their digits.
fn compare_digits(ours: &str, theirs: &str) -> Ordering {
    let (ours, theirs) = (ours.trim_start_matches('0'), theirs.trim_start_matches('0'));
    ours.len().cmp(&theirs.len()).then_with(|| ours.cmp(theirs))
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let bytes = text.as_bytes();
        let well_formed = (1..=VERSION_BYTES_MAX).contains(&bytes.len())
            && bytes[0].is_ascii_alphanumeric()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b".+_~-".contains(b));
        if !well_formed {
            return Err(InvalidVersion);
        }
        Ok(Self::read(text, VersionScheme::default()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({:?})", self.text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
