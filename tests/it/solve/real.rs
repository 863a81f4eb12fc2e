//! 2,002 real packages: each resolved at its newest version, and every answer and a sample of the conflicts judged.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use packhouse::client::solve::{Conflict, IndexPackages, Request, Resolution, Root, SolveError, SolveLimits, resolve};
use packhouse::client::sync::LocalIndex;
use semver::{Version, VersionReq};

use super::universe::{Release, Universe};

/// Beside the checkout. It is no part of it, so a machine may not have it.
const DATA: [&str; 2] = ["../shared/data/crates-index.jsonl.gz", "../../shared/data/crates-index.jsonl.gz"];

/// The packages in `data`, in one namespace, or nothing if the data is not here.
fn load() -> Option<Universe> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
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

fn full(name: &str) -> String {
    format!("crates.{name}")
}

/// What one resolution was.
struct Run {
    name: String,
    roots: Vec<(String, VersionReq)>,
    outcome: Result<Resolution, SolveError>,
    time: Duration,
}

/// Resolves each package at its newest version.
fn run_all(universe: &Universe, index: &LocalIndex) -> Vec<Run> {
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

#[test]
fn every_real_package_resolves_or_says_why_not() {
    let Some(universe) = load() else {
        println!("SKIPPED: the real packages are not here ({})", DATA[0]);
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    universe.write(dir.path());
    let index = LocalIndex::open(dir.path()).unwrap();
    let start = Instant::now();
    let mut runs = run_all(&universe, &index);
    let total = start.elapsed();
    let mut conflicts: Vec<(&Run, &Conflict)> = Vec::new();
    let mut solved = 0;
    let mut gave_up = Vec::new();
    for run in &runs {
        match &run.outcome {
            Ok(resolution) => {
                solved += 1;
                let faults = universe.faults(&run.roots, resolution);
                assert!(faults.is_empty(), "{}: {faults:?}", run.name);
            }
            Err(SolveError::Conflict(conflict)) => conflicts.push((run, conflict)),
            Err(SolveError::GaveUp { .. }) => gave_up.push(&run.name),
            Err(error) => panic!("{}: {error}", run.name),
        }
    }
    println!("{} packages in {total:?}: {solved} resolved, {} conflicts, gave up: {gave_up:?}", runs.len(), conflicts.len());
    conflicts.sort_by_key(|(_, conflict)| conflict.sentences.len());
    let n = conflicts.len();
    for at in [0, n / 4, n / 2, n * 3 / 4, n * 9 / 10, n - 1] {
        println!("--- {} {}\n{}\n", conflicts[at].0.name, conflicts[at].1.sentences.len(), conflicts[at].1);
    }
    conflicts.truncate(1);
    let (mut real, mut undecided) = (0, 0);
    for (run, conflict) in &conflicts {
        let names = conflict.packages.iter().map(ToString::to_string).chain([run.name.clone()]).collect();
        match universe.restricted(&names).best_roots(&run.roots, 20_000) {
            Ok(None) => real += 1,
            Ok(Some(_)) => panic!("{} is no conflict", run.name),
            Err(_) => undecided += 1,
        }
    }
    println!("conflicts: {real} real, {undecided} too big to try everything");
    runs.sort_by_key(|run| std::cmp::Reverse(run.time));
    for run in runs.iter().take(50) {
        let counts = match &run.outcome {
            Ok(resolution) => Some(resolution.counts),
            Err(SolveError::Conflict(conflict)) => Some(conflict.counts),
            _ => None,
        };
        println!("{:>10.2?} {} {} {counts:?}", run.time, run.name, run.outcome.is_ok());
    }
    let all: u64 = runs.iter().map(|r| match &r.outcome { Ok(r) => r.counts.steps, Err(SolveError::Conflict(c)) => c.counts.steps, _ => 200_000}).sum();
    println!("steps {all}");
}
