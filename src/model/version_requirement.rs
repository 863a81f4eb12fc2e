//! What one package asks of another's version.
//!
//! Two ways to write it: as Cargo does (`^1.2`, `>=0.3, <0.5`), and as Registry 2.0 does, an object in a line's
//! `dependencies`. Both become bounds. A prerelease is within a requirement only if the requirement names a prerelease
//! of the same release, as `^1.2.0-rc.1` does with all of `1.2.0`'s, or if prereleases are wanted in general.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::version::Version;
use super::version_comparator::Comparator;

/// Longest requirement, in bytes.
const TEXT_BYTES_MAX: usize = 512;
/// Most bounds of one requirement.
const COMPARATORS_MAX: usize = 32;

/// A requirement. Its text is what its author wrote, or the same in Cargo's way.
#[derive(Debug, Clone)]
pub struct VersionRequirement {
    text: Box<str>,
    comparators: Vec<Comparator>,
    /// For versions that are SemVer, where the requirement is as well.
    semver: Option<semver::VersionReq>,
}

/// Why a text or JSON value is no requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a requirement looks like ^1.2, ~1.2.3, >=0.3, <0.5, =1.2.3 or *")]
pub struct InvalidVersionRequirement(String);

impl VersionRequirement {
    /// Any version.
    #[must_use]
    pub fn any() -> Self {
        Self { text: "*".into(), comparators: Vec::new(), semver: None }
    }

    /// `version` and nothing else; of several builds of it any, unless it names one.
    #[must_use]
    pub fn exact(version: Version) -> Self {
        Self { text: format!("={version}").into(), comparators: vec![Comparator::equal(version)], semver: None }
    }

    /// At least `version`, and of the same major version. A version that does not begin with a number has no major
    /// version, so this asks only that others are not below it.
    #[must_use]
    pub fn same_major(version: Version) -> Self {
        let below = Comparator::below_next_major(&version);
        let ceiling = below.as_ref().map_or_else(String::new, |below| format!(", {below}"));
        let text = format!(">={version}{ceiling}").into();
        let comparators = std::iter::once(Comparator::at_least(version)).chain(below).collect();
        Self { text, comparators, semver: None }
    }

    /// Reads the value of one dependency in a line: an object with `version` and `exact`, a text in Cargo's way, or
    /// nothing in particular for any version.
    ///
    /// # Errors
    /// If it is something else.
    pub fn from_json(value: &Value) -> Result<Self, InvalidVersionRequirement> {
        let object = match value {
            Value::Null => return Ok(Self::any()),
            Value::String(text) => return text.parse(),
            Value::Object(object) => object,
            other => return Err(InvalidVersionRequirement(format!("{other} is no requirement"))),
        };
        let text = match object.get("version") {
            None | Some(Value::Null) => return Ok(Self::any()),
            Some(Value::String(text)) => text.trim(),
            Some(other) => return Err(InvalidVersionRequirement(format!("\"version\": {other} is no text"))),
        };
        match text.parse::<Version>() {
            // `1.x` is a version by its characters, and a requirement to everyone who writes it.
            Ok(_) if Comparator::is_wildcard(text) => text.parse(),
            Ok(version) if object.get("exact").is_some_and(is_set) => Ok(Self::exact(version)),
            Ok(version) => Ok(Self::same_major(version)),
            Err(_) => text.parse(),
        }
    }

    /// Whether `version` meets it. `semver` is the same version as the crate of that name reads it, where it can;
    /// `prereleases` says that prereleases are wanted in general.
    #[must_use]
    pub fn admits(&self, version: &Version, semver: Option<&semver::Version>, prereleases: bool) -> bool {
        if let (Some(requirement), Some(semver), false) = (&self.semver, semver, prereleases) {
            return requirement.matches(semver);
        }
        let is_named = self.comparators.iter().any(|comparator| comparator.names_prerelease_of(version));
        (is_named || prereleases || !version.is_prerelease())
            && self.comparators.iter().all(|comparator| comparator.admits(version, is_named))
    }

    /// As it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether any release meets it.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.comparators.is_empty()
    }
}

/// Whether a value is `true`, in the ways in which people write that into a manifest.
#[must_use]
pub fn is_set(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || value.as_str().is_some_and(|text| text == "true")
}

impl PartialEq for VersionRequirement {
    /// Whether they are written alike.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl FromStr for VersionRequirement {
    type Err = InvalidVersionRequirement;

    fn from_str(text: &str) -> Result<Self, InvalidVersionRequirement> {
        let text = text.trim();
        if text.len() > TEXT_BYTES_MAX {
            return Err(InvalidVersionRequirement(format!("a requirement has at most {TEXT_BYTES_MAX} bytes")));
        }
        if text.is_empty() {
            return Ok(Self::any());
        }
        let parts = text.split(',').map(Comparator::parse);
        let comparators: Vec<_> =
            parts.filter_map(Result::transpose).collect::<Result<_, _>>().map_err(InvalidVersionRequirement)?;
        if comparators.len() > COMPARATORS_MAX {
            return Err(InvalidVersionRequirement(format!("a requirement has at most {COMPARATORS_MAX} bounds")));
        }
        // Cargo leaves build metadata out of account, `=1.2.0+x` asks for it.
        let names_build = text.contains('+');
        let semver = if names_build { None } else { semver::VersionReq::parse(text).ok() };
        Ok(Self { text: text.into(), comparators, semver })
    }
}

impl fmt::Display for VersionRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::VersionScheme;

    fn admits(requirement: &VersionRequirement, version: &str, prereleases: bool) -> bool {
        let semver = semver::Version::parse(version).ok();
        requirement.admits(&version.parse().unwrap(), semver.as_ref(), prereleases)
    }

    fn check(requirement: &VersionRequirement, inside: &[&str], outside: &[&str]) {
        for version in inside {
            assert!(admits(requirement, version, false), "{version} is within {requirement}");
        }
        for version in outside {
            assert!(!admits(requirement, version, false), "{version} is not within {requirement}");
        }
    }

    #[test]
    fn registry_requirements_mean_the_same_major() {
        let read = |value: Value| VersionRequirement::from_json(&value).unwrap();
        check(
            &read(json!({"version": "1.2.0"})),
            &["1.2.0", "1.2", "1.9.7", "1.2.0+x"],
            &["1.1.9", "2.0.0", "2.0.0-rc.1"],
        );
        check(&read(json!({"version": "0.2"})), &["0.2.0", "0.9.0"], &["0.1.9", "1.0.0", "0.3.0-rc.1"]);
        check(&read(json!({"version": "1.2.0-rc.1"})), &["1.2.0-rc.2", "1.2.0"], &["1.2.0-beta", "1.3.0-rc.1"]);
        check(&read(json!({"version": "r812"})), &["r812", "r1000"], &["r9"]);
        check(&read(json!({"version": "2026.11.21"})), &["2026.11.21.1", "2026.12.1"], &["2027.1.1", "2026.11.20"]);
        check(&read(json!({"version": "1.2.0", "exact": true})), &["1.2.0", "1.2.0+x"], &["1.2.1", "1.2.0-rc.1"]);
        check(&read(json!({"version": "1.2.0+x", "exact": true})), &["1.2.0+x"], &["1.2.0", "1.2.0+y"]);
        check(&read(json!({"version": "^1.2"})), &["1.9.0"], &["2.0.0"]);
        check(&read(json!({"version": "1.x"})), &["1.0.0", "1.9.0"], &["2.0.0", "0.9.0"]);
        check(&read(json!({"version": "1.2.X"})), &["1.2.0", "1.2.9"], &["1.3.0", "1.1.0"]);
        for any in [json!({}), json!(null), json!(""), json!("*"), json!({"optional": true}), json!({"version": null})]
        {
            check(&read(any), &["0.0.1", "r812", "9.9.9"], &["1.0.0-rc.1", "1.0rc1"]);
        }
        assert_eq!(read(json!({"version": "1.2.0"})).as_str(), ">=1.2.0, <2");
        for wrong in [json!(1), json!([]), json!({"version": 1}), json!(">=a b"), json!({"version": "a b"})] {
            assert!(VersionRequirement::from_json(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_that_are_not_semver_get_the_same_reading() {
        for (text, inside, outside) in [
            ("^1.2.3.4", &["1.2.3.4", "1.2.3.10", "1.9"][..], &["1.2.3", "2.0", "2"][..]),
            ("~1.2.3.4", &["1.2.3.5", "1.2.9"], &["1.3", "1.2.3.3"]),
            ("=1.2.3.4", &["1.2.3.4", "1.2.3.4.0"], &["1.2.3.5"]),
            ("=r812", &["r812"], &["r813", "r9"]),
            (">r9, <=r1000", &["r10", "r1000"], &["r9", "r1001"]),
            (">=2026.01.05", &["2026.1.5", "2026.2.1"], &["2026.1.4"]),
            ("1.2", &["1.2.0.1", "1.2", "1.9.9.9"], &["1.1.9.9", "2.0"]),
            ("1.2.*", &["1.2", "1.2.0.1"], &["1.3", "1.1.9.9"]),
            ("~1.2rc1", &["1.2rc2", "1.2", "1.2.0.5"], &["1.2rc0", "1.3", "1.2.1rc1"]),
            ("<2.0.0.0", &["1.9.9.9"], &["2.0rc1", "2.0"]),
            ("v1.2", &["v1.3", "1.2"], &["v2.0"]),
            ("^0.0", &["0.0.9.1"], &["0.1"]),
        ] {
            check(&text.parse().unwrap(), inside, outside);
        }
    }

    /// A packaging revision was read as a prerelease, so that `>=2.36` did not admit Debian's `2.36-9`. Later, `<2.36-9`
    /// did not admit `2.36-8`, since a bound looked at the release without its revision.
    #[test]
    fn a_version_is_compared_as_its_package_reads_it() {
        let debian = |text: &str| text.parse::<Version>().unwrap().in_scheme(VersionScheme::Debian);
        for (text, inside, outside) in [
            (">=2.36", &["2.36-9", "2.36", "2.37-1", "2.36+dfsg-1"][..], &["2.35-9", "2.36~rc1-1"][..]),
            ("^2.36", &["2.36-9", "2.99"], &["3-1", "3~rc1-1", "2.35"]),
            ("=2.36", &["2.36-9", "2.36"], &["2.37-1", "2.36.1-1", "2.36~rc1-1", "2.36+dfsg-1"]),
            ("=2.36-9", &["2.36-9"], &["2.36-10", "2.36"]),
            ("=1.2.3", &["1.2.3-4", "1.2.3", "1.2.3-0"], &["1.2.4-1", "1.2.3+dfsg-1"]),
            ("=2.36+dfsg", &["2.36+dfsg-1"], &["2.36-1", "2.36+dfsg1-1"]),
            ("2.36.*", &["2.36-9", "2.36.1-1"], &["2.37-1", "2.35-1"]),
            (">=2.36~rc1", &["2.36~rc1-1", "2.36-1"], &["2.36~beta1"]),
            // The order decides about revisions and `~` too, as dpkg --compare-versions does.
            ("<2.36-9", &["2.36-8", "2.36", "2.36-9~bpo12+1", "2.35-1"], &["2.36-9", "2.36-10"]),
            ("<=2.36-9", &["2.36-9", "2.36-8"], &["2.36-9+b1", "2.36-10"]),
            (">2.36-9", &["2.36-10", "2.36-10~bpo12+1", "2.36.1-1"], &["2.36-9", "2.36-9~bpo12+1"]),
            (">2.36", &["2.36-9", "2.36.1-1"], &["2.36", "2.36~rc1-1"]),
            ("<3", &["3~rc1", "2.99"], &["3", "3-1"]),
            ("~2.36", &["2.36-9", "2.36.7"], &["2.37~rc1", "2.37"]),
            ("*", &["0~20240101", "1.0~rc1-1"], &[]),
            (">2.36-8, <2.36-10", &["2.36-9"], &["2.36-8", "2.36-10"]),
        ] {
            let requirement: VersionRequirement = text.parse().unwrap();
            for version in inside {
                assert!(requirement.admits(&debian(version), None, false), "{version} is within {text}");
            }
            for version in outside {
                assert!(!requirement.admits(&debian(version), None, false), "{version} is not within {text}");
            }
        }
    }

    /// A requirement of the same major version, as registries write it, stays below what leads to the next one.
    #[test]
    fn the_same_major_ends_before_the_next_one_in_every_scheme() {
        let requirement = VersionRequirement::from_json(&json!({ "version": "2.36" })).unwrap();
        let admits = |text: &str| {
            let version = text.parse::<Version>().unwrap().in_scheme(VersionScheme::Debian);
            requirement.admits(&version, None, false)
        };
        assert!(admits("2.36-9") && admits("2.99-1") && !admits("2.36~rc1") && !admits("3~rc1-1") && !admits("3"));
    }

    #[test]
    fn prereleases_come_in_when_they_are_wanted() {
        let requirement: VersionRequirement = "^1.2".parse().unwrap();
        for (version, is_inside) in
            [("1.3.0-rc.1", true), ("1.2.0", true), ("1.2.0-rc.1", false), ("2.0.0-rc.1", false), ("1.4rc1", true)]
        {
            assert_eq!(admits(&requirement, version, true), is_inside, "{version}");
        }
        assert!(!admits(&"<2.0.0".parse().unwrap(), "2.0.0-rc.1", true));
        assert!(admits(&"<2.0.0-rc.2".parse().unwrap(), "2.0.0-rc.1", true));
    }

    #[test]
    fn what_is_no_requirement_is_refused() {
        for text in ["^", ">= ", "1.2 1.3", "a b", "^1.*", "1.2.3.*", "=>1", &"1,".repeat(300), "r.*", "latest!"] {
            assert!(text.parse::<VersionRequirement>().is_err(), "{text}");
        }
        let text = "1 2".parse::<VersionRequirement>().unwrap_err().to_string();
        assert!(text.contains("\"1 2\"") && text.contains("looks like ^1.2"), "{text}");
    }

    fn comparator() -> impl Strategy<Value = String> {
        "(|=|>|>=|<|<=|~|\\^)[0-3](\\.[0-3](\\.[0-3](-(a|rc\\.[1-3]))?)?)?|[0-3]\\.\\*|[0-2]\\.[0-2]\\.\\*|\\*"
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// The bounds are written for any version; the crate knows SemVer. Both must say the same, but where the crate
        /// contradicts itself: `<=0` is `<1` to it, except that it admits no prerelease even if another part names it.
        #[test]
        fn bounds_agree_with_the_semver_crate(
            text in proptest::collection::vec(comparator(), 1..3).prop_map(|parts| parts.join(", ")),
            version in "[0-3]\\.[0-3]\\.[0-4](-(0|a|b|rc\\.[1-3]))?(\\+x)?",
        ) {
            let Ok(oracle) = semver::VersionReq::parse(&text) else { return Ok(()) };
            let is_odd = |part: &semver::Comparator| {
                use semver::Op::{Exact, GreaterEq, LessEq, Wildcard};
                part.patch.is_none() && matches!(part.op, Exact | GreaterEq | LessEq | Wildcard)
            };
            if version.contains('-') && oracle.comparators.iter().any(is_odd) {
                return Ok(());
            }
            let requirement: VersionRequirement = text.parse().unwrap();
            let expected = oracle.matches(&semver::Version::parse(&version).unwrap());
            prop_assert_eq!(requirement.admits(&version.parse().unwrap(), None, false), expected, "{} {}", text, version);
        }

        #[test]
        fn noise_never_panics(text in "[0-9a-z^~<>=*.,+ -]{0,30}", version in "[0-9a-z.+~-]{1,20}") {
            if let (Ok(requirement), Ok(version)) = (text.parse::<VersionRequirement>(), version.parse()) {
                let _ = (requirement.admits(&version, None, false), requirement.admits(&version, None, true));
                prop_assert_eq!(requirement.as_str().parse::<VersionRequirement>().is_ok(), true);
            }
        }
    }
}
