//! Versions and the one total order over all of them.
//!
//! The order is that of [`Version::sort_key`], bytes that compare like the versions they stand for, so that a table
//! keyed by them lists versions in order. Where two versions are both SemVer, it is SemVer 2.0.0's precedence
//! (section 11); everything else falls in place by the same reading:
//!
//! 1. A `v` before a digit does not count. Behind the first `+` stands build metadata.
//! 2. Before the first `-` or `~`, or before a word such as `rc` or `beta`, stands the release: numbers and words,
//!    divided by `.`, `_` and the change between letters and digits. Zeros at its end do not count (`1.0` is `1.0.0`).
//!    Numbers compare as numbers, a word comes before any number, the end before both.
//! 3. What follows is a prerelease, which comes before none; its identifiers compare as SemVer's do.
//! 4. Versions that are equal so far are ordered by build metadata, then by their text: no two versions are equal.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::limits::VERSION_BYTES_MAX;

/// A version: 1 to 64 characters of `[0-9A-Za-z.+_~-]`, the first a letter or digit.
#[derive(Clone)]
pub struct Version {
    text: Box<str>,
    key: Box<[u8]>,
}

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

    /// Bytes that compare as the versions do. No two versions have the same; the text is their end.
    #[must_use]
    pub fn sort_key(&self) -> &[u8] {
        &self.key
    }

    /// Whether this version comes before the release it leads to.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !Parts::of(&self.text).prerelease.is_none()
    }

    /// Bytes that compare as the releases do that versions are or lead to: the same for `1.2.0-rc.1`, `1.2.0` and `1.2`.
    #[must_use]
    pub fn release_key(&self) -> &[u8] {
        &self.key[..after_list(&self.key, 0, NUMBER)]
    }

    /// Bytes that compare as the versions do without regard to build metadata and spelling: the same for `1.2` and
    /// `1.2.0+x`, and equal where SemVer's precedence is (section 10).
    #[must_use]
    pub fn precedence_key(&self) -> &[u8] {
        let release = self.release_key().len();
        let is_prerelease = self.key.get(release) == Some(&PRERELEASE);
        let end = if is_prerelease { after_list(&self.key, release + 1, IDENTIFIER_NUMBER) } else { release + 1 };
        &self.key[..end]
    }
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
        Ok(Self { text: text.into(), key: sort_key(text).into() })
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

/// Words that, behind a release's numbers, announce the release rather than extend it.
const PRERELEASE_WORDS: &[&str] = &["alpha", "beta", "canary", "dev", "nightly", "pre", "preview", "rc", "snapshot"];

/// A version's text taken apart; all parts are slices of it.
struct Parts<'a> {
    release: &'a str,
    prerelease: Prerelease<'a>,
    build: Option<&'a str>,
}

#[derive(Clone, Copy)]
enum Prerelease<'a> {
    None,
    /// Behind `-`: its identifiers are divided by dots alone, as SemVer has it.
    Dotted(&'a str),
    /// Behind `~` or run on (`1.0rc2`): letters and digits divide as well.
    Natural(&'a str),
}

impl Prerelease<'_> {
    fn is_none(self) -> bool {
        matches!(self, Self::None)
    }
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (head, build) = match text.split_once('+') {
            Some((head, build)) => (head, Some(build)),
            None => (text, None),
        };
        let head = match head.strip_prefix(['v', 'V']) {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
            _ => head,
        };
        let marked = head.find(['-', '~']).unwrap_or(head.len());
        if let Some(at) = announced(&head[..marked]) {
            return Self { release: &head[..at], prerelease: Prerelease::Natural(&head[at..]), build };
        }
        let prerelease = match head.as_bytes().get(marked) {
            Some(b'-') => Prerelease::Dotted(&head[marked + 1..]),
            Some(_) => Prerelease::Natural(&head[marked + 1..]),
            None => Prerelease::None,
        };
        Self { release: &head[..marked], prerelease, build }
    }
}

/// Where a prerelease word begins behind at least one number, if one does.
fn announced(release: &str) -> Option<usize> {
    let mut digits_seen = false;
    for (at, token) in tokens(release) {
        match token {
            Token::Number(_) => digits_seen = true,
            Token::Word(word) => {
                if digits_seen && PRERELEASE_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) {
                    return Some(at);
                }
            }
        }
    }
    None
}

#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    Number(&'a str),
    Word(&'a str),
}

/// Runs of digits and runs of letters with their positions; everything else only divides.
fn tokens(text: &str) -> impl Iterator<Item = (usize, Token<'_>)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while bytes.get(at).is_some_and(|b| !b.is_ascii_alphanumeric()) {
            at += 1;
        }
        let start = at;
        let digits = bytes.get(start)?.is_ascii_digit();
        while bytes.get(at).is_some_and(|b| if digits { b.is_ascii_digit() } else { b.is_ascii_alphabetic() }) {
            at += 1;
        }
        let run = &text[start..at];
        Some((start, if digits { Token::Number(run) } else { Token::Word(run) }))
    })
}

// The marks of a key. Within a list the end comes first, so that fewer come before more.
const END: u8 = 1;
const WORD: u8 = 2;
const NUMBER: u8 = 3;
// In a prerelease SemVer puts numbers before words (section 11.4.3).
const IDENTIFIER_NUMBER: u8 = 2;
const IDENTIFIER_WORD: u8 = 3;
// A prerelease comes before none (section 11.3); build metadata comes behind none.
const PRERELEASE: u8 = 1;
const NO_PRERELEASE: u8 = 2;
const NO_BUILD: u8 = 1;
const BUILD: u8 = 2;

fn sort_key(text: &str) -> Vec<u8> {
    let parts = Parts::of(text);
    let mut key = Vec::with_capacity(text.len() * 3);

    let mut release: Vec<Token<'_>> = tokens(parts.release).map(|(_, token)| token).collect();
    while matches!(release.last(), Some(Token::Number(digits)) if digits.bytes().all(|b| b == b'0')) {
        release.pop();
    }
    for token in release {
        push_token(&mut key, token, NUMBER, WORD);
    }
    key.push(END);

    match parts.prerelease {
        Prerelease::None => key.push(NO_PRERELEASE),
        Prerelease::Dotted(identifiers) => {
            key.push(PRERELEASE);
            for identifier in identifiers.split('.') {
                let numeric = !identifier.is_empty() && identifier.bytes().all(|b| b.is_ascii_digit());
                let token = if numeric { Token::Number(identifier) } else { Token::Word(identifier) };
                push_token(&mut key, token, IDENTIFIER_NUMBER, IDENTIFIER_WORD);
            }
            key.push(END);
        }
        Prerelease::Natural(text) => {
            key.push(PRERELEASE);
            for (_, token) in tokens(text) {
                push_token(&mut key, token, IDENTIFIER_NUMBER, IDENTIFIER_WORD);
            }
            key.push(END);
        }
    }

    match parts.build {
        None => key.push(NO_BUILD),
        Some(build) => {
            key.push(BUILD);
            for (_, token) in tokens(build) {
                push_token(&mut key, token, NUMBER, WORD);
            }
            key.push(END);
        }
    }
    key.extend_from_slice(text.as_bytes());
    key
}

/// Where the list that begins at `at` ends; `number` is its mark of a number.
fn after_list(key: &[u8], mut at: usize, number: u8) -> usize {
    loop {
        match key.get(at) {
            None => return key.len(),
            Some(&END) => return at + 1,
            Some(mark) if *mark == number => at += 2 + key.get(at + 1).map_or(0, |digits| usize::from(*digits)),
            Some(_) => at += 1 + key[at..].iter().position(|byte| *byte == 0).unwrap_or(key.len()),
        }
    }
}

/// Numbers as their count of digits and the digits, words ended by a byte below all letters.
fn push_token(key: &mut Vec<u8>, token: Token<'_>, number: u8, word: u8) {
    match token {
        Token::Number(digits) => {
            let digits = digits.trim_start_matches('0');
            // A version has at most 64 characters.
            key.extend([number, digits.len() as u8]);
            key.extend_from_slice(digits.as_bytes());
        }
        Token::Word(text) => {
            key.push(word);
            key.extend_from_slice(text.as_bytes());
            key.push(0);
        }
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
        ];
        for ladder in ladders {
            for (low, high) in ladder.iter().zip(&ladder[1..]) {
                assert!(version(low) < version(high), "{low} comes before {high}");
                assert!(version(high) > version(low), "{high} comes behind {low}");
            }
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
        for text in ["1.0.0-rc.1", "1.0rc1", "2.0~1", "0.1.dev2"] {
            assert!(version(text).is_prerelease(), "{text}");
        }
        for text in ["1.0.0", "1.0.0+rc.1", "r812", "beta", "1.0.2k"] {
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
        "[0-9a-cvrR][0-9ab.+_~rc-]{0,12}".prop_map(|text| version(&text))
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
        fn shorter_keys_keep_the_order(a in any_version(), b in any_version()) {
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
