//! Versions and the one total order over all of them.
//!
//! The order is that of [`Version::sort_key`], bytes that compare like the versions they stand for, so that a table
//! keyed by them lists versions in order. Each [`VersionScheme`] has its own way to make the key: [`key`] has those of
//! SemVer and of calendars, [`debian`] that of Debian.
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

    /// Whether this version comes before the release it leads to.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        match self.scheme {
            VersionScheme::Debian => self.text.contains('~'),
            scheme => key::is_prerelease(&self.text, scheme),
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn real_versions_stand_in_their_order() {
        let ladders: &[&[&str]] = &[
            // SemVer 2.0.0, section 11.4.4.
            &[
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
            ],
            &["1.9", "1.10", "1.10.1", "2.0.0-rc.1", "2.0.0", "10.0.0"],
            &["1.2.3", "1.2.3.4", "1.2.3.5", "1.2.3.10", "1.2.4"],
            &["2025.12.31", "2026.1.5", "2026.11.21", "2026.11.21.1"],
            &["r9", "r812", "r1000"],
            &["20.04.1+dfsg-2", "20.04.1+dfsg-10", "20.4.2", "20.10"],
            &["1.0a", "1.0b", "1.0.1"],
            &["1.0~rc1", "1.0~rc10", "1.0"],
            &["1.0.dev3", "1.0rc2", "1.0rc10", "1.0", "1.0.1"],
            &["1.0.2", "1.0.2k", "1.0.3"],
            &["v1.9.0", "v1.10.0", "1.11.0"],
            &["1.0.0", "1.0.0+a", "1.0.0+b", "1.0.1"],
            &["0.0.0-nightly.20260101", "0.0.0-nightly.20261121", "0.0.0"],
            &["1", "1.0", "1.0.0", "1.0.0.1", "1.1"],
            &["6.1.0-18", "6.1.0"],
            // PEP 440 and Mozilla: a letter before a number announces the release, without one it is a patch.
            &["3.14.0.dev1", "3.14.0a1", "3.14.0b2", "3.14.0b10", "3.14.0rc1", "3.14.0", "3.14.0.post1", "3.14.1"],
            &["59.0a1", "59.0b5", "59.0", "59.0.1"],
            &["1.1.1", "1.1.1a", "1.1.1w", "1.1.2"],
            &["1.0c1", "1.0"],
            // Dates, whose months and days need no zeros.
            &["2023-12-31", "2024-9-5", "2024-09-30", "2024-10-04", "2024-10-04-1", "2024-10-04-10", "2024-11"],
            &["2024-10-04-rc1", "2024-10-04"],
            // git describe, and other numbers behind a dash, are prereleases to SemVer.
            &["1.2.3-14-gabc", "1.2.3", "1.2.4"],
            &["1.0.0-rc.7", "1.0.0-rc.11", "1.0.0-rc11", "1.0.0-rc7"],
        ];
        for ladder in ladders {
            for (low, high) in ladder.iter().zip(&ladder[1..]) {
                assert!(version(low) < version(high), "{low} comes before {high}");
                assert!(version(high) > version(low), "{high} comes behind {low}");
            }
        }
    }

    /// Someone who ran the beta of a version was never offered its final release, and someone who ran `1.2.3` was offered
    /// `v1.2.3` at each check, for ever.
    #[test]
    fn newer_means_higher_precedence() {
        for (newer, older) in [
            ("1.2.4", "v1.2.3"),
            ("3.14.0", "3.14.0b2"),
            ("2024-10-04", "2024-9-5"),
            ("1.3.0+20", "1.3.0+19"),
            ("1.3.0+100", "1.3.0+20"),
            ("1.3.1", "1.3.0+20"),
            ("1.1.1b", "1.1.1a"),
        ] {
            assert!(version(newer).is_newer_than(&version(older)), "{newer} is newer than {older}");
            assert!(!version(older).is_newer_than(&version(newer)), "{older} is not newer than {newer}");
        }
        for (one, other) in [
            ("v1.2.3", "1.2.3"),
            ("v1.2", "1.2.0"),
            ("1.3.0+20", "1.3.0"),
            ("1.3.0+x", "1.3.0+20"),
            ("1.3.0+1.2", "1.3.0+1"),
            ("1.3.0+020", "1.3.0+20"),
            ("3.14.0rc1", "3.14.0-rc.1"),
            ("2024-09-05", "2024-9-5"),
        ] {
            assert!(!version(one).is_newer_than(&version(other)), "{one} is not newer than {other}");
            assert!(!version(other).is_newer_than(&version(one)), "{other} is not newer than {one}");
        }
    }

    #[test]
    fn schemes_read_the_same_text_in_their_own_way() {
        let newer = |newer: &str, older: &str, scheme| version(newer).in_scheme(scheme).is_newer_than(&version(older));
        for (revised, plain) in [("2.36-9", "2.36"), ("1.2.3-1", "1.2.3")] {
            assert!(!newer(revised, plain, VersionScheme::Semver) && newer(plain, revised, VersionScheme::Semver));
            assert!(newer(revised, plain, VersionScheme::Debian) && newer(revised, plain, VersionScheme::Calver));
        }
        assert!(
            newer("24.04-2", "24.04-1", VersionScheme::Calver) && newer("24.04.1", "24.04-rc1", VersionScheme::Calver)
        );
        assert!(newer("24.04", "24.04-rc1", VersionScheme::Calver) && newer("24.04", "24.04b1", VersionScheme::Calver));
        assert!(newer("1.0", "1.0~rc1", VersionScheme::Debian) && newer("1.0a1", "1.0", VersionScheme::Debian));
        assert!(!newer("1.0-0", "1.0", VersionScheme::Debian) && !newer("1.0", "1.0-0", VersionScheme::Debian));
        let debian = version("1.0~rc1-3").in_scheme(VersionScheme::Debian);
        assert!(debian.is_prerelease() && !version("1.0-rc1").in_scheme(VersionScheme::Debian).is_prerelease());
        assert_eq!(debian.release_key(), version("1.0-2").in_scheme(VersionScheme::Debian).release_key());
        assert_eq!(debian.in_scheme(VersionScheme::Semver).sort_key(), version("1.0~rc1-3").sort_key());
    }

    #[test]
    fn some_versions_are_reserved() {
        for text in ["latest", "LATEST", "1.0.0.json", "1.0.JSON"] {
            assert!(version(text).reserved().is_some(), "{text}");
        }
        for text in ["1.0.0", "latest1", "json", "1.0json", "1.0.json5"] {
            assert!(version(text).reserved().is_none(), "{text}");
        }
    }

    #[test]
    fn only_versions_are_versions() {
        for good in ["1", "r812", "1.2.3-rc.1+x.y", "a_b", &"1".repeat(64), "1..2", "1-", "20.04.1+dfsg-2", "v"] {
            assert!(good.parse::<Version>().is_ok(), "{good}");
        }
        for bad in ["", ".1", "-1", "+1", "1/2", "1 2", "1%2", "é", "1\0", "latest!", &"1".repeat(65)] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn prereleases_are_known() {
        for text in ["1.0.0-rc.1", "1.0rc1", "2.0~1", "0.1.dev2", "3.14.0b2", "59.0a1", "1.2-14-gabc"] {
            assert!(version(text).is_prerelease(), "{text}");
        }
        for text in ["1.0.0", "1.0.0+rc.1", "r812", "beta", "1.0.2k", "1.1.1a", "2024-10-04", "a1", "1.0.post1"] {
            assert!(!version(text).is_prerelease(), "{text}");
        }
    }

    #[test]
    fn keys_leave_out_what_does_not_count() {
        let same_release = ["1.2", "1.2.0", "v1.2.0-rc.1", "1.2rc3", "1.2~1+x", "1.2.0+1.2"].map(version);
        let same_precedence = ["2.0.0-rc.1+a", "2.0.0-rc.1", "v2-rc.1"].map(version);
        for pair in same_release.windows(2) {
            assert_eq!(pair[0].release_key(), pair[1].release_key(), "{pair:?}");
        }
        for pair in same_precedence.windows(2) {
            assert_eq!(pair[0].precedence_key(), pair[1].precedence_key(), "{pair:?}");
        }
        assert_ne!(version("1.2.0-rc.1").precedence_key(), version("1.2.0").precedence_key());
        assert_ne!(version("1.2").release_key(), version("1.2k").release_key());
    }

    fn any_version() -> impl Strategy<Value = Version> {
        "[0-9a-cvrR][0-9ab.+_~rc-]{0,12}|2[0-9]{3}-[0-9]{1,2}(-[0-9]{1,2})?[a-c0-9.+-]{0,3}"
            .prop_map(|text| version(&text))
    }

    fn any_scheme() -> impl Strategy<Value = VersionScheme> {
        (0..3usize).prop_map(|at| [VersionScheme::Semver, VersionScheme::Calver, VersionScheme::Debian][at])
    }

    fn semver_text() -> impl Strategy<Value = String> {
        "(0|[1-9][0-9]?)\\.(0|[1-9])\\.(0|[1-9])(-(0|[1-9][0-9]?|[a-c-]{1,3}|[0-9]?rc[0-9]{1,2})(\\.(0|[1-9]|[a-c]{1,2})){0,2})?(\\+[a-c0-9-]{1,3})?"
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_order_is_total(a in any_version(), b in any_version(), c in any_version()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
            let mut sorted = [a, b, c];
            sorted.sort();
            prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
        }

        #[test]
        fn shorter_keys_keep_the_order(a in any_version(), b in any_version(), scheme in any_scheme()) {
            let (a, b) = (a.in_scheme(scheme), b.in_scheme(scheme));
            let expected = a.precedence_key().cmp(b.precedence_key());
            prop_assert!(expected == Ordering::Equal || expected == a.cmp(&b));
            let release = a.release_key().cmp(b.release_key());
            prop_assert!(release == Ordering::Equal || release == expected);
            prop_assert!(a.sort_key().starts_with(a.precedence_key()));
        }

        #[test]
        fn precedence_is_semvers(a in semver_text(), b in semver_text()) {
            let expected = semver_crate(&a).cmp_precedence(&semver_crate(&b));
            prop_assert_eq!(version(&a).precedence_key().cmp(version(&b).precedence_key()), expected);
        }

        #[test]
        fn it_is_semver_precedence_where_both_are_semver(a in semver_text(), b in semver_text()) {
            let (left, right) = (semver_crate(&a), semver_crate(&b));
            let expected = left.cmp_precedence(&right);
            let found = version(&a).cmp(&version(&b));
            prop_assert!(expected == found || expected == Ordering::Equal, "{} {} {:?} {:?}", a, b, expected, found);
        }
    }

    fn semver_crate(text: &str) -> semver::Version {
        semver::Version::parse(text).unwrap()
    }
}
