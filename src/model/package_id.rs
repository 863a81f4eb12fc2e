//! Package ids: `VERSION[+PLATFORM]`, the name of one archive among a package's.

use std::fmt;

use super::name::PlatformName;
use super::version::Version;

/// A version for a platform, written as one text such as `1.0.0+wx64.r`.
///
/// The platform `any` adds nothing. A version that has build metadata already joins its platform with a dot, so that
/// the id of a SemVer version is SemVer again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PackageId {
    /// The version.
    pub version: Version,
    /// What the archive runs on.
    pub platform: PlatformName,
}

impl PackageId {
    /// All readings of a text as a package id: the text does not say where a version with build metadata ends and a
    /// platform begins, so who knows which releases exist must choose. The longest platform comes first, `any` last.
    pub fn readings(text: &str) -> impl Iterator<Item = PackageId> {
        let metadata_at = text.find('+').unwrap_or(text.len());
        let joints = text[metadata_at..].match_indices(['+', '.']).map(move |(at, _)| metadata_at + at);
        let with_platform = joints.filter_map(|at| {
            let platform: PlatformName = text[at + 1..].parse().ok()?;
            (!platform.is_any()).then_some(())?;
            Some(PackageId { version: text[..at].parse().ok()?, platform })
        });
        let plain = text.parse().ok().map(|version| PackageId { version, platform: PlatformName::any() });
        with_platform.chain(plain)
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version.as_str())?;
        if self.platform.is_any() {
            return Ok(());
        }
        let joint = if self.version.as_str().contains('+') { '.' } else { '+' };
        write!(f, "{joint}{}", self.platform)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(version: &str, platform: &str) -> PackageId {
        PackageId { version: version.parse().unwrap(), platform: platform.parse().unwrap() }
    }

    #[test]
    fn ids_are_written_as_the_index_has_them() {
        assert_eq!(id("1.0.0", "wx64.r").to_string(), "1.0.0+wx64.r");
        assert_eq!(id("1.0.0", "any").to_string(), "1.0.0");
        assert_eq!(id("1.0.0+git.5", "linux-x64").to_string(), "1.0.0+git.5.linux-x64");
        assert_eq!(id("20.04.1+dfsg-2", "any").to_string(), "20.04.1+dfsg-2");
    }

    #[test]
    fn an_id_has_a_reading_for_each_joint() {
        let readings: Vec<PackageId> = PackageId::readings("1.0+a.b").collect();
        assert_eq!(readings, [id("1.0", "a.b"), id("1.0+a", "b"), id("1.0+a.b", "any")]);
        assert_eq!(PackageId::readings("1.0.0").collect::<Vec<_>>(), [id("1.0.0", "any")]);
        assert_eq!(PackageId::readings("").count(), 0);
        assert_eq!(PackageId::readings("../x").count(), 0);
        assert_eq!(PackageId::readings("1.0+any").collect::<Vec<_>>(), [id("1.0+any", "any")]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_among_the_readings(
            version in "[0-9a-z][0-9a-z.~-]{0,8}(\\+[0-9a-z.-]{1,6})?",
            platform in "[0-9a-z-]{1,4}(\\.[0-9a-z-]{1,3}){0,2}",
        ) {
            let id = id(&version, &platform);
            prop_assert!(PackageId::readings(&id.to_string()).any(|reading| reading == id), "{}", id);
        }
    }
}
