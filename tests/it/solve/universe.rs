//! Packages for the solver to choose from, and two judges that share no code with it: a checker of answers, and a
//! search through everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use packhouse::client::solve::{Packages, Resolution};
use packhouse::client::sync::LocalError;
use packhouse::model::{FullName, PlatformName};
use semver::{Version, VersionReq};

/// A version: what it requires, and whether it is yanked.
#[derive(Debug, Clone, Default)]
pub(super) struct Release {
    pub(super) requires: Vec<(String, VersionReq, bool)>,
    pub(super) yanked: bool,
}

/// All packages by full name, each with its versions.
#[derive(Debug, Clone, Default)]
pub(super) struct Universe {
    pub(super) packages: BTreeMap<String, BTreeMap<Version, Release>>,
}

/// What is asked for.
pub(super) type Roots = [(String, VersionReq)];

impl Universe {
    /// The text of a package's file.
    pub(super) fn lines(&self, name: &str) -> Option<String> {
        let line = |(version, release): (&Version, &Release)| {
            let dependencies: serde_json::Map<_, _> = (release.requires.iter())
                .map(|(name, requirement, optional)| {
                    let value = serde_json::json!({"version": requirement.to_string(), "optional": optional});
                    (name.clone(), value)
                })
                .collect();
            let package = serde_json::json!({"size": 1, "sha256": "00".repeat(32), "yanked": release.yanked});
            format!("{version} {}\n", serde_json::json!({"dependencies": dependencies, "package": package}))
        };
        Some(self.packages.get(name)?.iter().map(line).collect())
    }

    /// Writes it as a synced index.
    pub(super) fn write(&self, dir: &Path) {
        let state = dir.join(".packhouse/1");
        std::fs::create_dir_all(state.join("packages")).unwrap();
        std::os::unix::fs::symlink("1", dir.join(".packhouse/current")).unwrap();
        for name in self.packages.keys() {
            std::fs::write(state.join(format!("packages/{name}.json")), self.lines(name).unwrap()).unwrap();
        }
        std::fs::write(state.join("registry.json"), "{\"files\":{}}").unwrap();
        std::fs::write(state.join("summaries.json"), "{}").unwrap();
    }

    /// Everything that is wrong with an answer.
    pub(super) fn faults(&self, roots: &Roots, resolution: &Resolution) -> Vec<String> {
        let mut chosen: BTreeMap<&str, Version> = BTreeMap::new();
        let mut faults = Vec::new();
        for package in &resolution.packages {
            let version = package.id.version.as_str().parse().unwrap();
            if chosen.insert(package.name.as_str(), version).is_some() {
                faults.push(format!("{} is there twice", package.name));
            }
        }
        let mut check = |who: &str, name: &str, requirement: &VersionReq, optional: bool| match chosen.get(name) {
            None if optional => {}
            None => faults.push(format!("{who} requires {name}, which is missing")),
            Some(version) if requirement.matches(version) => {}
            Some(version) => faults.push(format!("{who} requires {name} {requirement}, not {version}")),
        };
        for (name, requirement) in roots {
            check("the request", name, requirement, false);
        }
        for (name, version) in &chosen {
            let release = self.packages.get(*name).and_then(|versions| versions.get(version));
            for (needed, requirement, optional) in release.iter().flat_map(|release| &release.requires) {
                check(&format!("{name} {version}"), needed, requirement, *optional);
            }
        }
        for (name, version) in &chosen {
            match self.packages.get(*name).and_then(|versions| versions.get(version)) {
                None => faults.push(format!("there is no {name} {version}")),
                Some(release) if release.yanked => faults.push(format!("{name} {version} is yanked")),
                Some(_) => {}
            }
        }
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut left: Vec<&str> = roots.iter().map(|(name, _)| name.as_str()).collect();
        while let Some(name) = left.pop() {
            if reached.insert(name)
                && let Some(release) = chosen.get(name).and_then(|version| self.packages.get(name)?.get(version))
            {
                left.extend(
                    release.requires.iter().filter(|(_, _, optional)| !optional).map(|(name, ..)| name.as_str()),
                );
            }
        }
        faults.extend(chosen.keys().filter(|name| !reached.contains(*name)).map(|name| format!("nobody needs {name}")));
        faults
    }

    /// The newest versions that the roots can have together, the first root first, or nothing if there are none; found
    /// by trying everything. Gives up behind `steps_max` tries.
    pub(super) fn best_roots(&self, roots: &Roots, steps_max: u64) -> Result<Option<Vec<Version>>, Exhausted> {
        let mut search = Search { universe: self, roots, steps_left: steps_max, chosen: BTreeMap::new() };
        let order: Vec<&str> = roots.iter().map(|(name, _)| name.as_str()).collect();
        Ok(search.solve(&order)?.then(|| order.iter().map(|name| search.chosen[*name].clone()).collect()))
    }

    /// The same packages with the versions of their newest major alone.
    pub(super) fn without_old_majors(&self) -> Self {
        let mut packages = self.packages.clone();
        for versions in packages.values_mut() {
            let newest = versions.keys().next_back().map_or(0, |version| version.major);
            versions.retain(|version, _| version.major == newest);
        }
        Self { packages }
    }

    /// The same packages with requirements of these alone. What fits together here may not do so in the whole; what
    /// does not fit here does not fit there.
    pub(super) fn restricted(&self, names: &BTreeSet<String>) -> Self {
        let mut packages = self.packages.clone();
        packages.retain(|name, _| names.contains(name));
        for release in packages.values_mut().flat_map(BTreeMap::values_mut) {
            release.requires.retain(|(name, ..)| names.contains(name));
        }
        Self { packages }
    }
}

/// The search took too long.
#[derive(Debug)]
pub(super) struct Exhausted;

struct Search<'a> {
    universe: &'a Universe,
    roots: &'a Roots,
    steps_left: u64,
    chosen: BTreeMap<String, Version>,
}

impl Search<'_> {
    /// Chooses versions for `open` in this order and for all that they need, the newest first.
    fn solve(&mut self, open: &[&str]) -> Result<bool, Exhausted> {
        let universe = self.universe;
        let Some((name, rest)) = open.split_first() else { return Ok(true) };
        if self.chosen.contains_key(*name) {
            return self.solve(rest);
        }
        let Some(versions) = universe.packages.get(*name) else { return Ok(false) };
        for (version, release) in versions.iter().rev().filter(|(_, release)| !release.yanked) {
            self.steps_left = self.steps_left.checked_sub(1).ok_or(Exhausted)?;
            self.chosen.insert((*name).to_owned(), version.clone());
            if self.is_consistent() {
                let mut open = rest.to_vec();
                open.extend(
                    release.requires.iter().filter(|(_, _, optional)| !optional).map(|(name, ..)| name.as_str()),
                );
                if self.solve(&open)? {
                    return Ok(true);
                }
            }
            self.chosen.remove(*name);
        }
        Ok(false)
    }

    fn is_consistent(&self) -> bool {
        let fits = |(name, requirement): (&String, &VersionReq)| {
            self.chosen.get(name).is_none_or(|version| requirement.matches(version))
        };
        self.roots.iter().all(|(name, requirement)| fits((name, requirement)))
            && self.chosen.iter().all(|(name, version)| {
                let requires = &self.universe.packages[name][version].requires;
                requires.iter().all(|(name, requirement, _)| fits((name, requirement)))
            })
    }
}

impl Packages for Universe {
    fn lines(&self, name: &FullName) -> Result<Option<String>, LocalError> {
        Ok(Universe::lines(self, name.as_str()))
    }

    fn platforms(&self, _: &FullName) -> Result<BTreeSet<PlatformName>, LocalError> {
        Ok(BTreeSet::new())
    }
}
