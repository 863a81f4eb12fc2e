//! Which archives run on a platform: how the ids of a package's lines are read, and which `filter:platform` branch of a
//! line's dependencies counts.
//!
//! An id does not say where a version with build metadata ends and a platform begins. So a line is for the wanted
//! platform if its id ends with it; it is for another one if its id ends with what the package is known to have or with
//! what looks like a platform; otherwise all of the id is a version, for any platform.

use std::collections::BTreeSet;

use crate::model::{PackageId, PlatformName};

/// Words of which one is in the name of nearly every platform: systems and processors.
const PLATFORM_WORDS: [&str; 40] = [
    "aarch64",
    "amd64",
    "android",
    "any",
    "arm",
    "arm64",
    "armv6",
    "armv7",
    "armv7l",
    "darwin",
    "esp32",
    "freebsd",
    "i386",
    "i586",
    "i686",
    "ios",
    "la64",
    "linux",
    "lx64",
    "ma64",
    "mac",
    "macos",
    "mx64",
    "netbsd",
    "noarch",
    "openbsd",
    "osx",
    "powerpc64le",
    "ppc64le",
    "riscv64",
    "riscv64gc",
    "s390x",
    "universal2",
    "wasm32",
    "win",
    "win32",
    "win64",
    "windows",
    "wx64",
    "x64",
];

/// What an archive is for.
#[derive(Debug)]
pub(super) enum Reading {
    /// For the wanted platform or for any.
    Fitting(PackageId),
    /// For another platform.
    Other(PackageId),
}

/// How an id reads for a caller who wants `platform`. `known` are the platforms that the package is known to have.
/// Nothing if it is no id.
pub(super) fn read_id(id: &str, platform: &PlatformName, known: &BTreeSet<PlatformName>) -> Option<Reading> {
    let mut plain = None;
    for reading in PackageId::readings(id) {
        if reading.platform == *platform {
            return Some(Reading::Fitting(reading));
        }
        if reading.platform.is_any() {
            plain = Some(reading);
        } else if known.contains(&reading.platform) || looks_like_platform(reading.platform.as_str()) {
            // The reading with the wanted platform, if there is one, is shorter and would be part of this platform.
            return Some(Reading::Other(reading));
        }
    }
    plain.map(Reading::Fitting)
}

/// Whether an id could be read in more than one way.
pub(super) fn is_ambiguous(id: &str) -> bool {
    id.contains('+')
}

fn looks_like_platform(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or(name);
    first.split('-').any(|word| {
        let word = word.to_ascii_lowercase();
        PLATFORM_WORDS.contains(&word.as_str()) || word.starts_with("x86") || word.starts_with("wasm")
    })
}

/// Whether a key of a `filter:platform` dictionary means `platform`: they are equal, where `_` is as good as `-` and the
/// names that other tools have for a processor are as good as ours.
pub(super) fn filter_names(key: &str, platform: &PlatformName) -> bool {
    canonical(key) == canonical(platform.as_str())
}

fn canonical(name: &str) -> String {
    let plain = name.to_ascii_lowercase().replace('_', "-");
    plain.replace("x86-64", "x64").replace("amd64", "x64").replace("aarch64", "arm64")
}

/// The platform of this machine, named as a new registry names it.
#[must_use]
pub fn of_this_machine() -> PlatformName {
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let name = format!("{}-{}", std::env::consts::OS, processor.replace('_', "-"));
    name.parse().unwrap_or_else(|_| PlatformName::any())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(id: &str, platform: &str, known: &[&str]) -> Option<String> {
        let known = known.iter().map(|name| name.parse().unwrap()).collect();
        let Reading::Fitting(found) = read_id(id, &platform.parse().unwrap(), &known)? else { return None };
        Some(format!("{} {}", found.version, found.platform))
    }

    #[test]
    fn an_id_is_for_the_wanted_platform_for_another_or_for_any() {
        for (id, platform, known, expected) in [
            ("1.0.0", "linux-x64", &[][..], Some("1.0.0 any")),
            ("1.0.0+linux-x64", "linux-x64", &[], Some("1.0.0 linux-x64")),
            ("1.0.0+wx64.r", "wx64.r", &[], Some("1.0.0 wx64.r")),
            ("1.0.0+wx64.r", "linux-x64", &[], None),
            ("1.0.0+windows-arm64", "linux-x64", &[], None),
            ("1.0.0+git.5.linux-x64", "linux-x64", &[], Some("1.0.0+git.5 linux-x64")),
            ("1.0.0+git.5.wx64.d", "linux-x64", &[], None),
            ("1.0.0+zstd.1.5.5", "linux-x64", &[], Some("1.0.0+zstd.1.5.5 any")),
            ("1.0.0+gen2", "linux-x64", &[], Some("1.0.0+gen2 any")),
            ("1.0.0+gen2", "linux-x64", &["gen2"], None),
            ("1.0.0+gen2", "gen2", &["gen3"], Some("1.0.0 gen2")),
            ("20.04.1+dfsg-2", "linux-x64", &[], Some("20.04.1+dfsg-2 any")),
            ("1.0.0+wx64.r", "r", &[], None),
            ("", "any", &[], None),
        ] {
            assert_eq!(version_of(id, platform, known).as_deref(), expected, "{id} for {platform}");
        }
    }

    #[test]
    fn filters_know_the_names_of_other_tools() {
        let platform = |name: &str| name.parse::<PlatformName>().unwrap();
        assert!(filter_names("windows-x86_64", &platform("windows-x64")));
        assert!(filter_names("linux-aarch64", &platform("linux-arm64")));
        assert!(filter_names("wx64.r", &platform("wx64.r")));
        assert!(!filter_names("windows-x86_64", &platform("linux-x64")));
    }

    #[test]
    fn this_machine_has_a_platform() {
        assert!(looks_like_platform(of_this_machine().as_str()));
    }
}
