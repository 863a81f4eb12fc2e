//! One bound of a requirement, read for any version: `>=1.2`, `^0.3.1`, `=r812`.
//!
//! Where requirement and version are SemVer, the meaning is that of Cargo; other versions get the same reading over the
//! total order of [`Version`]. Whether a prerelease may be chosen at all is decided by the requirement. In Debian's scheme
//! there are no prereleases, and the order decides alone.

use std::borrow::Cow;
use std::fmt;

use super::version::{Version, VersionScheme};

/// How many numbers a complete version has; fewer stand for all versions that begin with them.
const NUMBERS_OF_SEMVER: usize = 3;

/// What a version is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    Above,
    Below,
    AtMost,
    Equal,
    Compatible,
    Patch,
}

/// The operators as they are written, longer ones first.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("=", Operator::Equal),
    ("^", Operator::Compatible),
    ("~", Operator::Patch),
];

/// One bound.
#[derive(Debug, Clone)]
pub(super) struct Comparator {
    operator: Operator,
    version: Version,
    /// Written with fewer numbers than a version has, and nothing else.
    is_partial: bool,
    /// Written with a `*` or `x` for further numbers.
    is_wildcard: bool,
    /// The first release that is too high, for operators that have a ceiling and versions that have numbers.
    ceiling: Option<Version>,
}

impl Comparator {
    /// Reads an operator and a version; a version alone means `^`, and `1.2.*` means `=1.2`. Nothing for `*`.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if matches!(text, "*" | "x" | "X") {
            return Ok(None);
        }
        let written = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?.trim())));
        let (operator, rest) = written.unwrap_or((Operator::Compatible, text));
        let stem = stem(rest);
        let is_wildcard = stem.len() < rest.len();
        let operator = if is_wildcard && written.is_none() { Operator::Equal } else { operator };
        let version: Version = stem.parse().map_err(|why| format!("{text:?}: {why}"))?;
        let comparator = Self { is_wildcard, ..Self::new(operator, version) };
        if is_wildcard && !(comparator.is_partial && operator == Operator::Equal) {
            return Err(format!("{text:?}: a * stands behind one or two numbers, as in 1.2.*"));
        }
        Ok(Some(comparator))
    }

    /// Whether a text stands for several versions, as `1.*` and `1.x` do.
    pub(super) fn is_wildcard(text: &str) -> bool {
        stem(text).len() < text.len()
    }

    /// At least `version`.
    pub(super) fn at_least(version: Version) -> Self {
        Self::new(Operator::AtLeast, version)
    }

    /// `version` itself.
    pub(super) fn equal(version: Version) -> Self {
        Self { is_partial: false, ..Self::new(Operator::Equal, version) }
    }

    /// Below the major version that follows `version`'s, and below all that lead to it; nothing where a version does not
    /// begin with a number.
    pub(super) fn below_next_major(version: &Version) -> Option<Self> {
        let next = following(&Numbers::of(version).list, 0)?;
        Some(Self { ceiling: Some(next.clone()), ..Self::new(Operator::Below, next) })
    }

    fn new(operator: Operator, version: Version) -> Self {
        let numbers = Numbers::of(&version);
        let last = numbers.list.len().saturating_sub(1);
        let is_partial = numbers.is_all && numbers.list.len() < NUMBERS_OF_SEMVER;
        let ceiling = match operator {
            Operator::Compatible => {
                let first_that_counts = numbers.list.iter().position(|number| *number > 0).unwrap_or(last);
                following(&numbers.list, first_that_counts)
            }
            Operator::Patch => following(&numbers.list, last.min(1)),
            Operator::Equal | Operator::Above | Operator::AtMost if is_partial => following(&numbers.list, last),
            _ => None,
        };
        Self { operator, version, is_partial, is_wildcard: false, ceiling }
    }

    /// Whether it names a prerelease of the release that `version` is or leads to.
    pub(super) fn names_prerelease_of(&self, version: &Version) -> bool {
        let named = self.version.read_in(version.scheme());
        named.is_prerelease() && named.release_key() == version.release_key()
    }

    /// Whether `version` is within this bound. `is_named` says whether the requirement names a prerelease of its
    /// release; without that, a bound `<2.0.0` leaves out `2.0.0-rc.1` too.
    pub(super) fn admits(&self, version: &Version, is_named: bool) -> bool {
        let bound = self.version.read_in(version.scheme());
        if version.scheme() == VersionScheme::Debian {
            return self.admits_in_order(&bound, version);
        }
        let (ours, theirs) = (bound.precedence_key(), version.precedence_key());
        let under_ceiling = || self.is_under_ceiling(version);
        match self.operator {
            Operator::AtLeast => theirs >= ours,
            Operator::Above if self.is_partial => !under_ceiling(),
            Operator::Above => theirs > ours,
            Operator::AtMost if self.is_partial => under_ceiling(),
            Operator::AtMost => theirs <= ours,
            Operator::Below if is_named || bound.is_prerelease() => theirs < ours,
            Operator::Below => version.release_key() < bound.release_key(),
            Operator::Equal if self.is_partial => theirs >= ours && under_ceiling(),
            // Build metadata counts only for who asks for it.
            Operator::Equal if self.version.as_str().contains('+') => *version == self.version,
            Operator::Equal => theirs == ours,
            Operator::Compatible | Operator::Patch => theirs >= ours && under_ceiling(),
        }
    }

    /// Whether `version` is below the release that is too high, and does not lead to it.
    fn is_under_ceiling(&self, version: &Version) -> bool {
        let ceiling: Option<Cow<'_, Version>> = self.ceiling.as_ref().map(|c| c.read_in(version.scheme()));
        ceiling.is_none_or(|ceiling| version.release_key() < ceiling.release_key())
    }

    /// As [`Comparator::admits`], for a version in Debian's scheme: `<`, `<=`, `>` and `>=` are those of
    /// `dpkg --compare-versions`. `=2.36` admits every revision of 2.36, and `=2.36-9` that one.
    fn admits_in_order(&self, bound: &Version, version: &Version) -> bool {
        let (ours, theirs) = (bound.precedence_key(), version.precedence_key());
        match self.operator {
            Operator::AtLeast => theirs >= ours,
            Operator::Above => theirs > ours,
            Operator::AtMost => theirs <= ours,
            Operator::Below if self.ceiling.is_some() => self.is_under_ceiling(version),
            Operator::Below => theirs < ours,
            Operator::Equal if !self.is_wildcard => {
                let is_revision = || version.without_revision().is_some_and(|v| v.precedence_key() == ours);
                theirs == ours || bound.without_revision().is_none() && is_revision()
            }
            Operator::Equal | Operator::Compatible | Operator::Patch => {
                theirs >= ours && self.is_under_ceiling(version)
            }
        }
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("", |(sign, _)| sign);
        write!(f, "{sign}{}", self.version)
    }
}

/// A text without the `*` or `x` that stand for any number.
fn stem(text: &str) -> &str {
    let mut stem = text;
    while let Some(shorter) = [".*", ".x", ".X"].iter().find_map(|tail| stem.strip_suffix(tail)) {
        stem = shorter;
    }
    stem
}

/// The numbers at the beginning of a version.
struct Numbers {
    list: Vec<u64>,
    /// Whether the version is nothing but them.
    is_all: bool,
}

impl Numbers {
    fn of(version: &Version) -> Self {
        let text = version.as_str();
        let text = match text.strip_prefix(['v', 'V']) {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
            _ => text,
        };
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let mut list = Vec::new();
        for part in text[..end].split('.') {
            let Ok(number) = part.parse() else { return Self { list, is_all: false } };
            list.push(number);
        }
        Self { list, is_all: end == text.len() }
    }
}

/// The version after all that begin with the numbers up to `at`: the one there and one more.
fn following(numbers: &[u64], at: usize) -> Option<Version> {
    let mut parts: Vec<String> = numbers.get(..at)?.iter().map(u64::to_string).collect();
    parts.push(numbers.get(at)?.checked_add(1)?.to_string());
    parts.join(".").parse().ok()
}
