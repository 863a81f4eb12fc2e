//! Real packages on their whole way: published to a server, synced by the program, and resolved from that copy as from
//! the packages themselves.
//!
//! Some packages with all that they need of each other; all 2,002 of them with `PACKHOUSE_TEST_FULL=1`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use packhouse::client::solve::SolveError;
use packhouse::client::sync::LocalIndex;
use semver::Version;
use serde_json::{Map, Value, json};

use super::real::{DATA, Run, judge, load, run_all};
use super::universe::{Release, Universe};
use crate::support::{Cli, Client, Part, TestServer, file_path, skip};

/// Packages that a part is made from: those that these need, and what these need, and so on.
const ROOTS: [&str; 3] = ["omni.hyper", "omni.clap", "omni.rand"];
const PART_PACKAGES: usize = 30;
const CLIENTS: usize = 4;

/// The nearest packages to the roots.
fn part(universe: &Universe) -> Universe {
    let mut names = BTreeSet::new();
    let mut left: VecDeque<&str> = ROOTS.into();
    while let Some(name) = left.pop_front().filter(|_| names.len() < PART_PACKAGES) {
        if names.insert(name.to_owned()) {
            let newest = universe.packages[name].values().next_back();
            left.extend(newest.into_iter().flat_map(|release| &release.requires).map(|(name, ..)| name.as_str()));
        }
    }
    universe.restricted(&names)
}

fn publish(omni: &Client, name: &str, version: &Version, release: &Release) {
    let requires = release.requires.iter();
    let requires: Map<String, Value> =
        requires.map(|(name, req, _)| (name.clone(), json!({ "version": req.to_string() }))).collect();
    let manifest = json!({ "dependencies": requires });
    let id = format!("{name}-{version}");
    if version.build.is_empty() {
        let manifest = manifest.to_string();
        let fields =
            [Part::field("package_id", &id), Part::field("metadata", &manifest), Part::file("archive", "a", &id)];
        omni.post("/registry/publish").form(&fields).is(201);
    } else {
        // Build metadata could be read as a platform.
        let (package, version) = (name.replacen('.', "/", 1), version.to_string().replace('+', "%2B"));
        if omni.get(&format!("/api/v1/packages/{package}")).send().status == 404 {
            omni.make_package(package.split_once('/').unwrap().1, "public");
        }
        omni.publish(&package, &format!("stable/{version}"), "any/a", id.as_str());
        let path = file_path(&package, &format!("stable/{version}"), "any/a");
        omni.put(&format!("{path}/manifest")).json(&manifest).is(200);
    }
    if release.yanked {
        omni.post("/registry/unpublish").form(&[Part::field("package_id", &id)]).is(200);
    }
}

/// What was chosen, or that nothing was.
fn outcome(run: &Run) -> Option<Vec<String>> {
    match &run.outcome {
        Ok(resolution) => Some(resolution.packages.iter().map(|one| format!("{} {}", one.name, one.id)).collect()),
        Err(SolveError::Conflict(_)) => None,
        Err(error) => panic!("{}: {error}", run.name),
    }
}

#[test]
fn what_was_published_and_synced_resolves_like_what_it_was_made_from() {
    let Some(all) = load("omni") else {
        skip(&format!("the real packages are not here ({})", DATA[0]));
        return;
    };
    let is_full = std::env::var_os("PACKHOUSE_TEST_FULL").is_some_and(|value| value == "1");
    let universe = if is_full { all } else { part(&all) };
    let server = TestServer::start();
    let omni = server.omni();
    // One client publishes all of a package: two would both find it missing, and one of them that the other made it.
    let packages: Vec<_> = universe.packages.iter().collect();
    let release_count: usize = packages.iter().map(|(_, versions)| versions.len()).sum();
    let begun = Instant::now();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some((name, versions)) = packages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    versions.iter().for_each(|(version, release)| publish(&omni, name, version, release));
                }
            });
        }
    });
    println!("{} packages, {} versions in {:.1?}", packages.len(), release_count, begun.elapsed());
    let folder = tempfile::tempdir().unwrap();
    let (synced, written) = (folder.path().join("synced"), folder.path().join("written"));
    Cli::new(&["sync", &server.origin(), synced.to_str().unwrap()]).exits(0);
    universe.write(&written);
    let runs = run_all(&universe, &LocalIndex::open(&synced).unwrap());
    judge(&universe, &runs);
    let expected = run_all(&universe, &LocalIndex::open(&written).unwrap());
    assert!(!runs.is_empty() && runs.len() == expected.len());
    for (run, expected) in runs.iter().zip(&expected) {
        assert_eq!(outcome(run), outcome(expected), "{}", run.name);
    }
}
