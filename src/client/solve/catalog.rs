//! The versions of one package that a platform can have, read from the package's file.
//!
//! Reading the file looks at the ids of its lines alone. What a line says beyond that is parsed when somebody asks, and
//! the catalog does not remember it.
//!
//! The places of versions: from 1 on the releases, the lowest first, then the prereleases, the lowest first. So a
//! requirement that prereleases interrupt is still one run of places. Place 0 stands for having none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;

use super::platform::{self, Reading};
use super::version_set::{Place, VersionSet};
use crate::model::version_requirement::is_set;
use crate::model::{
    Dependency, PackageId, PlatformName, Sha256, Version, VersionRequirement, VersionScheme, dependency,
};

/// The place that stands for not having the package.
pub(super) const ABSENT: Place = 0;

/// A package's versions.
pub(super) struct Catalog {
    text: String,
    candidates: Vec<Candidate>,
    releases: Place,
}

struct Candidate {
    id: PackageId,
    semver: Option<semver::Version>,
    /// Where in the text its JSON is.
    line: Range<usize>,
}

/// What the index says about an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    /// Path relative to the view's root, or an address.
    pub path: Option<String>,
    /// Its size.
    pub size_bytes: Option<u64>,
    /// Its digest.
    pub sha256: Option<Sha256>,
}

impl Archive {
    /// What a line says under `package`.
    fn of(package: &Value) -> Self {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        Self {
            path: text("archivePath").map(str::to_owned),
            size_bytes: package.get("size").and_then(Value::as_u64),
            sha256: text("sha256").and_then(|text| text.parse().ok()),
        }
    }

    /// The archive with this id in the text of a package's file, yanked or not; nothing if it is not there.
    #[must_use]
    pub fn find(lines: &str, id: &str) -> Option<Self> {
        let json = lines.lines().find_map(|line| line.strip_prefix(id)?.strip_prefix(' '))?;
        let wire: Wire = serde_json::from_str(json).ok()?;
        Some(Self::of(&wire.package))
    }
}

/// A line, parsed.
#[derive(Debug)]
pub(super) struct Line {
    /// What the version needs, or why that cannot be known.
    pub(super) dependencies: Result<Vec<Dependency>, String>,
    pub(super) archive: Archive,
    pub(super) is_yanked: bool,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    dependencies: Option<Value>,
    #[serde(default)]
    package: Value,
}

impl Catalog {
    /// Reads the text of a package's file. Of each version, the archive for `platform` counts, else that for any, which
    /// counts in a version without an archive for a specific platform. `known` tells which platforms the package has; it
    /// is asked only where an id leaves that open.
    pub(super) fn read<E>(
        text: String,
        platform: &PlatformName,
        known: impl FnOnce() -> Result<BTreeSet<PlatformName>, E>,
    ) -> Result<Self, E> {
        let mut ids = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if let Some((id, json)) = line.trim_end().split_once(' ') {
                let start = at + id.len() + 1;
                ids.push((id, start..start + json.len()));
            }
            at += line.len();
        }
        let known = if ids.iter().any(|(id, _)| platform::is_ambiguous(id)) { known()? } else { BTreeSet::new() };
        let scheme = ids.first().map_or_else(VersionScheme::default, |(_, line)| scheme(&text[line.clone()]));
        let mut by_version: BTreeMap<Version, Candidate> = BTreeMap::new();
        let mut specific: BTreeSet<Version> = BTreeSet::new();
        for (id, line) in ids {
            // What is no id here may be one to a later version of this program.
            let mut id = match platform::read_id(id, platform, &known) {
                None => continue,
                Some(Reading::Fitting(id)) => id,
                Some(Reading::Other(id)) => {
                    specific.insert(id.version.in_scheme(scheme));
                    continue;
                }
            };
            id.version = id.version.in_scheme(scheme);
            let better = |old: &Candidate| old.id.platform.is_any() || !id.platform.is_any();
            if by_version.get(&id.version).is_none_or(better) {
                let semver = scheme.is_default().then(|| semver::Version::parse(id.version.as_str()).ok()).flatten();
                by_version.insert(id.version.clone(), Candidate { id, semver, line });
            }
        }
        if !platform.is_any() {
            by_version.retain(|version, candidate| !candidate.id.platform.is_any() || !specific.contains(version));
        }
        let (mut candidates, prereleases): (Vec<_>, Vec<_>) =
            by_version.into_values().partition(|candidate| !candidate.id.version.is_prerelease());
        // A file of a synced index has at most 2 GiB, and a line at least two bytes.
        let releases = candidates.len() as Place;
        candidates.extend(prereleases);
        Ok(Self { text, candidates, releases })
    }

    /// The place behind the last one.
    pub(super) fn end(&self) -> Place {
        self.candidates.len() as Place + 1
    }

    /// All versions.
    pub(super) fn everything(&self) -> VersionSet {
        VersionSet::run(1, self.end())
    }

    /// The versions that meet `requirement`.
    pub(super) fn admitted(&self, requirement: &VersionRequirement, prereleases: bool) -> VersionSet {
        let admits =
            |candidate: &Candidate| requirement.admits(&candidate.id.version, candidate.semver.as_ref(), prereleases);
        VersionSet::of_places(1, self.candidates.iter().map(admits))
    }

    /// The place of `version`.
    pub(super) fn place_of(&self, version: &Version) -> Option<Place> {
        let at = self.candidates.iter().position(|candidate| candidate.id.version == *version)?;
        Some(at as Place + 1)
    }

    /// The places of `set`, that of the newest version first.
    pub(super) fn newest_first(&self, set: &VersionSet) -> impl Iterator<Item = Place> {
        NewestFirst {
            catalog: self,
            releases: set.descending(1, self.releases + 1).peekable(),
            prereleases: set.descending(self.releases + 1, self.end()).peekable(),
        }
    }

    /// Whether the version at `place` is a prerelease.
    pub(super) fn is_prerelease(&self, place: Place) -> bool {
        place > self.releases
    }

    /// The id at `place`. Asking for one that is not there is a mistake of the caller's.
    pub(super) fn id(&self, place: Place) -> &PackageId {
        &self.candidates[place as usize - 1].id
    }

    /// Parses the line at `place`.
    pub(super) fn line(&self, place: Place, platform: &PlatformName) -> Line {
        let range = self.candidates[place as usize - 1].line.clone();
        let wire: Wire = match serde_json::from_str(&self.text[range]) {
            Ok(wire) => wire,
            Err(error) => {
                let dependencies = Err(format!("its line in the index is no JSON ({error})"));
                return Line { dependencies, archive: Archive::default(), is_yanked: false };
            }
        };
        let dependencies = dependency::read(wire.dependencies.as_ref(), |name| platform::filter_names(name, platform))
            .map_err(|why| format!("its dependencies cannot be read: {why}"));
        Line {
            dependencies,
            archive: Archive::of(&wire.package),
            is_yanked: wire.package.get("yanked").is_some_and(is_set),
        }
    }
}

/// How a package's versions are read: each of its lines says it, where it is not the default.
fn scheme(line: &str) -> VersionScheme {
    let wire: Option<Wire> = serde_json::from_str(line).ok();
    let named = wire.and_then(|wire| wire.package.get("version_scheme")?.as_str()?.parse().ok());
    named.unwrap_or_default()
}

/// Two descending runs of places, merged by version.
struct NewestFirst<'a, R: Iterator<Item = Place>, P: Iterator<Item = Place>> {
    catalog: &'a Catalog,
    releases: Peekable<R>,
    prereleases: Peekable<P>,
}

impl<R: Iterator<Item = Place>, P: Iterator<Item = Place>> Iterator for NewestFirst<'_, R, P> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let version = |place: &Place| &self.catalog.id(*place).version;
        match (self.releases.peek(), self.prereleases.peek()) {
            (Some(release), Some(prerelease)) if version(prerelease) > version(release) => self.prereleases.next(),
            (Some(_), _) => self.releases.next(),
            (None, _) => self.prereleases.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn catalog(text: &str) -> Catalog {
        let read: Result<_, Infallible> =
            Catalog::read(text.to_owned(), &"linux-x64".parse().unwrap(), || Ok(BTreeSet::new()));
        read.unwrap()
    }

    fn ids(catalog: &Catalog, set: &VersionSet) -> Vec<String> {
        catalog.newest_first(set).map(|place| catalog.id(place).to_string()).collect()
    }

    #[test]
    fn the_archive_for_the_platform_comes_before_that_for_any() {
        let text = "1.0.0 {\"a\":1}\n1.0.0+linux-x64 {\"package\":{\"size\":7}}\n1.0.0+windows-x64 {}\n1.1.0+windows-x64 {}\n\
                    1.2.0 {}\r\n\n2.0.0\nno/version {}\n0.1.0 {}";
        let catalog = catalog(text);
        assert_eq!(ids(&catalog, &catalog.everything()), ["1.2.0", "1.0.0+linux-x64", "0.1.0"]);
        let place = catalog.place_of(&"1.0.0".parse().unwrap()).unwrap();
        assert_eq!(catalog.line(place, &PlatformName::any()).archive.size_bytes, Some(7));
        assert_eq!(catalog.place_of(&"1.1.0".parse().unwrap()), None);
    }

    /// `resolve` took an archive for any platform where the update check, by the other archives of the version, did not.
    #[test]
    fn an_archive_for_any_platform_counts_only_in_a_version_without_one_for_a_specific_platform() {
        let text = "1.0.0 {}\n2.0.0 {}\n2.0.0+windows-x64 {}\n3.0.0+windows-x64 {}\n";
        let catalog = catalog(text);
        assert_eq!(ids(&catalog, &catalog.everything()), ["1.0.0"]);
        let any: Result<_, Infallible> = Catalog::read(text.to_owned(), &PlatformName::any(), || Ok(BTreeSet::new()));
        let any = any.unwrap();
        assert_eq!(ids(&any, &any.everything()), ["2.0.0", "1.0.0"]);
    }

    #[test]
    fn prereleases_stand_apart_and_come_in_their_turn() {
        let catalog = catalog("1.0.0 {}\n1.1.0-rc.1 {}\n1.1.0 {}\n1.2.0-rc.1 {}\n1.2.0 {}\n");
        let requirement: VersionRequirement = "^1.0".parse().unwrap();
        assert_eq!(catalog.admitted(&requirement, false), VersionSet::run(1, 4));
        let all = ["1.2.0", "1.2.0-rc.1", "1.1.0", "1.1.0-rc.1", "1.0.0"];
        assert_eq!(ids(&catalog, &catalog.admitted(&requirement, true)), all);
        assert!(catalog.is_prerelease(4) && !catalog.is_prerelease(3));
        assert_eq!(
            ids(&catalog, &catalog.admitted(&">=1.1.0-rc.1".parse().unwrap(), false)),
            ["1.2.0", "1.1.0", "1.1.0-rc.1"]
        );
    }

    #[test]
    fn platforms_are_asked_for_only_where_an_id_leaves_them_open() {
        let read = |text: &str| {
            Catalog::read(text.to_owned(), &PlatformName::any(), || Err("asked")).map(|catalog| catalog.end())
        };
        assert_eq!(read("1.0.0 {}\n1.1.0 {}\n"), Ok(3));
        assert_eq!(read("1.0.0+x {}\n"), Err("asked"));
    }

    #[test]
    fn a_line_that_makes_no_sense_says_so() {
        let catalog =
            catalog("1.0.0 {\n1.1.0 {\"dependencies\":[]}\n1.2.0 {\"package\":{\"yanked\":true,\"sha256\":\"x\"}}\n");
        let line = |place| catalog.line(place, &PlatformName::any());
        assert!(line(1).dependencies.unwrap_err().contains("no JSON"));
        assert!(line(2).dependencies.unwrap_err().contains("no dictionary"));
        let last = line(3);
        assert!(last.is_yanked && last.archive == Archive::default() && last.dependencies.unwrap().is_empty());
    }
}
