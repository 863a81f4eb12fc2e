//! 2,002 real packages: each resolved at its newest version, and every answer and a sample of the conflicts judged.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use packhouse::client::solve::{Conflict, IndexPackages, Request, Resolution, Root, SolveError, SolveLimits, resolve};
use packhouse::client::sync::LocalIndex;
use semver::{Version, VersionReq};

use super::universe::{Release, Universe};

use crate::support::{project, skip};

/// Beside the checkout. It is no part of it, so a machine may not have it.
pub(super) const DATA: [&str; 2] = ["../shared/data/crates-index.jsonl.gz", "../../shared/data/crates-index.jsonl.gz"];

/// One of so many conflicts is judged.
const CONFLICTS_PER_SAMPLE: usize = 8;
/// How many of the slowest are timed together.
const HARDEST: usize = 50;

/// The packages in the data, in one namespace, or nothing if the data is not here.
pub(super) fn load(namespace: &str) -> Option<Universe> {
    let full = |name: &str| format!("{namespace}.{name}");
    let top = project();
    let path = DATA.iter().map(|path| top.join(path)).find(|path| path.exists())?;
    let mut universe = Universe::default();
    for line in BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())).lines() {
        let package: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let mut versions = BTreeMap::new();
        for version in package["versions"].as_array().unwrap() {
            let requires = version["dependencies"].as_object().unwrap().iter();
            let requires = requires.map(|(name, requirement)| {
                (full(name), requirement.as_str().unwrap().parse::<VersionReq>().unwrap(), false)
            });
            let release = Release { requires: requires.collect(), yanked: version.get("yanked").is_some() };
            versions.insert(version["version"].as_str().unwrap().parse::<Version>().unwrap(), release);
        }
        universe.packages.insert(full(package["name"].as_str().unwrap()), versions);
    }
    Some(universe)
}

/// What one resolution was.
pub(super) struct Run {
    pub(super) name: String,
    roots: Vec<(String, VersionReq)>,
    pub(super) outcome: Result<Resolution, SolveError>,
    time: Duration,
}

/// Resolves each package at its newest version.
pub(super) fn run_all(universe: &Universe, index: &LocalIndex) -> Vec<Run> {
    let mut runs = Vec::new();
    for (name, versions) in &universe.packages {
        let usable = || versions.iter().rev().filter(|(_, release)| !release.yanked);
        let newest = usable().find(|(version, _)| version.pre.is_empty()).or_else(|| usable().next());
        let Some((version, _)) = newest else { continue };
        let text = format!("={}", Version { build: semver::BuildMetadata::EMPTY, ..version.clone() });
        let root: Root = format!("{name}@{text}").parse().unwrap();
        let request = Request {
            roots: vec![root],
            platform: "linux-x64".parse().unwrap(),
            prereleases: false,
            preferred: BTreeMap::new(),
            limits: SolveLimits::default(),
        };
        let start = Instant::now();
        let outcome = resolve(&IndexPackages::new(index), &request);
        let roots = vec![(name.clone(), text.parse().unwrap())];
        runs.push(Run { name: name.clone(), roots, outcome, time: start.elapsed() });
    }
    runs
}

/// Judges every answer, and every n-th conflict by trying everything among the packages that it is about.
pub(super) fn judge(universe: &Universe, runs: &[Run]) {
    let mut conflicts: Vec<(&Run, &Conflict)> = Vec::new();
    for run in runs {
        match &run.outcome {
            Ok(resolution) => {
                let faults = universe.faults(&run.roots, resolution);
                assert!(faults.is_empty(), "{}: {faults:?}", run.name);
            }
            Err(SolveError::Conflict(conflict)) => conflicts.push((run, conflict)),
            Err(error) => panic!("{}: {error}", run.name),
        }
    }
    let (mut real, mut undecided) = (0, 0);
    for (run, conflict) in conflicts.iter().step_by(CONFLICTS_PER_SAMPLE) {
        assert!((1..=33).contains(&conflict.sentences.len()), "{}: {conflict}", run.name);
        let names = conflict.packages.iter().map(ToString::to_string).chain([run.name.clone()]).collect();
        match universe.restricted(&names).best_roots(&run.roots, 20_000) {
            Ok(None) => real += 1,
            Ok(Some(_)) => panic!("{} is no conflict:\n{conflict}", run.name),
            Err(_) => undecided += 1,
        }
    }
    let sample = real + undecided;
    println!(
        "{} conflicts; of {sample} looked at, {real} are real and {undecided} too big to try all",
        conflicts.len()
    );
    assert!(real > undecided || sample == 0, "most conflicts are small enough to be judged");
}

/// Tells how long the hardest took.
fn tell_times(runs: &[Run]) {
    let mut times: Vec<(Duration, &str)> = runs.iter().map(|run| (run.time, run.name.as_str())).collect();
    times.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let (total, hardest): (Duration, Duration) =
        (times.iter().map(|(time, _)| time).sum(), times.iter().take(HARDEST).map(|(time, _)| time).sum());
    println!(
        "{} packages in {total:.2?}; the hardest {HARDEST} in {hardest:.2?}, the hardest of all in {:.2?} ({})",
        times.len(),
        times[0].0,
        times[0].1,
    );
}

fn run_and_judge(universe: &Universe) -> Vec<Run> {
    let dir = tempfile::tempdir().unwrap();
    universe.write(dir.path());
    let index = LocalIndex::open(dir.path()).unwrap();
    let runs = run_all(universe, &index);
    tell_times(&runs);
    judge(universe, &runs);
    runs
}

#[test]
fn every_real_package_resolves_or_says_why_not() {
    let Some(universe) = load("crates") else {
        skip(&format!("the real packages are not here ({})", DATA[0]));
        return;
    };
    assert_eq!(universe.packages.len(), 2002);
    let runs = run_and_judge(&universe);
    let solved = |runs: &[Run]| runs.iter().filter(|run| run.outcome.is_ok()).count();
    assert!(solved(&runs) > 1600, "{} resolved", solved(&runs));
    for run in &runs {
        let counts = match &run.outcome {
            Ok(resolution) => resolution.counts,
            Err(SolveError::Conflict(conflict)) => conflict.counts,
            Err(error) => panic!("{error}"),
        };
        assert!(counts.files_read < 300 && counts.lines_parsed < 2000, "{}: {counts:?}", run.name);
    }
    let newest = universe.without_old_majors();
    let runs = run_and_judge(&newest);
    assert!(solved(&runs) > 300, "{} resolved", solved(&runs));
}
