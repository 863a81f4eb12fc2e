//! Everything that this project is built from, published, synced and downloaded again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use packhouse::model::Sha256;
use serde_json::Value;

use super::cargo::{Archive, archives};
use crate::durability::load::{check_index, make_token};
use crate::durability::reference::{File, Package, Reference, Release};
use crate::support::{Cli, Client, TestServer, skip};

const CLIENTS: usize = 8;
/// Fewer are a sign that they were looked for in the wrong place.
const ARCHIVES_MIN: usize = 100;

/// Does `work` with each item, [`CLIENTS`] at a time.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(item);
                }
            });
        }
    });
}

fn publish(omni: &Client, archive: &Archive, version: &str) {
    let release = format!("/api/v1/packages/omni/{}/releases/stable/{}", archive.name, version.replace('+', "%2B"));
    let file = format!("{}-{}.crate", archive.name, version.replace('+', "%2B"));
    let path = format!("{release}/files/any/{file}");
    let bytes = std::fs::read(&archive.path).expect("the archive can be read");
    let put = omni.put(&format!("{path}?create=inactive")).header("content-type", "application/gzip");
    let view = put.body(bytes).is(201).json();
    assert_eq!(view["sha256"], archive.sha256.to_string(), "{path}");
    omni.put(&format!("{path}/manifest")).json(&archive.manifest).is(200);
    omni.patch(&release).json(&serde_json::json!({ "active": true })).is(200);
}

fn add_to(reference: &mut Reference, archive: &Archive, version: &str) {
    let description = format!("About {}.", archive.name);
    let package = reference.packages.entry(archive.name.clone()).or_default();
    let file = File {
        platform: "any".to_owned(),
        name: format!("{}-{version}.crate", archive.name),
        attachment: false,
        sha256: archive.sha256,
        size: std::fs::metadata(&archive.path).unwrap().len(),
        bytes: None,
        external_url: None,
        manifest: Some(archive.manifest.clone()),
    };
    let release = Release { active: true, published: Some(1), yanked: None, files: vec![file] };
    package.releases.insert(("stable".to_owned(), version.to_owned()), release);
    *package = Package { description, releases: std::mem::take(&mut package.releases) };
}

/// Runs `packhouse sync` and answers its report.
fn sync(server: &TestServer, dir: &Path) -> Value {
    let dir = dir.to_str().expect("a temporary folder has a plain name");
    Cli::new(&["sync", &server.origin(), dir, "--json"]).exits(0).json()
}

/// The routes of requests in a part of the log that ask for index files, with how often each was answered how.
fn index_requests(log: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains("route=\"index_")) {
        let field = |name: &str| line.split(name).nth(1).and_then(|rest| rest.split([' ', '"']).next()).unwrap();
        *counts.entry(format!("{} {}", field("route=\""), field("status="))).or_default() += 1;
    }
    counts
}

/// Expects that since `log_before` these index files were asked for, each once.
fn expect_requests(server: &TestServer, log_before: usize, once: &[&str]) {
    let expected: BTreeMap<String, usize> = once.iter().map(|name| ((*name).to_owned(), 1)).collect();
    assert_eq!(index_requests(&server.settled_log()[log_before..]), expected);
}

/// Every line of the synced index: the archive's path and its digest.
fn lines(dir: &Path) -> Vec<(String, Sha256)> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(dir.join("packages")).unwrap() {
        for line in std::fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            let (_, fields) = line.split_once(' ').unwrap();
            let fields: Value = serde_json::from_str(fields).unwrap();
            let text = |name: &str| fields["package"][name].as_str().unwrap().to_owned();
            lines.push((text("archivePath"), text("sha256").parse().unwrap()));
        }
    }
    lines
}

#[test]
fn what_cargo_downloaded_is_published_synced_and_downloaded_again() {
    let Some((archives, missing)) = archives("omni") else {
        skip("cargo keeps no archives here");
        return;
    };
    println!("{} archives found, missing: {missing:?}", archives.len());
    assert!(archives.len() >= ARCHIVES_MIN, "only {} archives were found, missing: {missing:?}", archives.len());
    let server = TestServer::start();
    let omni = server.bearer(&make_token(&server));
    let names: BTreeSet<&str> = archives.iter().map(|archive| archive.name.as_str()).collect();
    let begin = Instant::now();
    in_parallel(&names.iter().collect::<Vec<_>>(), |name| omni.make_package(name, "public"));
    in_parallel(&archives, |archive| publish(&omni, archive, &archive.version));
    let bytes: u64 = archives.iter().map(|archive| std::fs::metadata(&archive.path).unwrap().len()).sum();
    println!("{} MB in {} packages published in {:.1?}", bytes / 1_000_000, names.len(), begin.elapsed());
    let mut reference = Reference::default();
    for archive in &archives {
        add_to(&mut reference, archive, &archive.version);
    }
    check_index(&server, &reference, "published");

    let copy = tempfile::tempdir().unwrap();
    let report = sync(&server, copy.path());
    assert_eq!(report["added"].as_array().unwrap().len(), names.len(), "{report}");
    assert_eq!(report["files_fetched"], names.len() + 1, "{report}");
    let mut expected: Vec<Sha256> = archives.iter().map(|archive| archive.sha256).collect();
    let lines_before = lines(copy.path());
    let mut listed: Vec<Sha256> = lines_before.iter().map(|(_, sha256)| *sha256).collect();
    expected.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, expected, "the index has the digests of the lock file");
    let anonymous = server.anonymous();
    in_parallel(&lines_before, |(path, sha256)| {
        let answer = anonymous.get(&format!("/v2/{path}")).is(200);
        assert_eq!(Sha256::of(&answer.body), *sha256, "{path}");
    });

    let changed = archives.iter().find(|archive| archive.name == "serde_json").unwrap_or(&archives[0]);
    publish(&omni, changed, "999.0.0+new");
    add_to(&mut reference, changed, "999.0.0+new");
    check_index(&server, &reference, "one more version");
    let log_before = server.settled_log().len();
    let report = sync(&server, copy.path());
    assert_eq!(report["changed"], serde_json::json!([format!("omni.{}", changed.name)]), "{report}");
    for (field, count) in [("added", 0), ("removed", 0)] {
        assert_eq!(report[field].as_array().unwrap().len(), count, "{report}");
    }
    assert_eq!((&report["files_fetched"], &report["requests"]), (&1.into(), &1.into()), "{report}");
    // The registry and the summaries are made from what the server says has changed.
    expect_requests(&server, log_before, &["index_changes 200"]);
    assert_eq!(lines(copy.path()).len(), archives.len() + 1);
    let log_before = server.settled_log().len();
    let report = sync(&server, copy.path());
    assert_eq!(report["new_state"], false, "{report}");
    expect_requests(&server, log_before, &["index_changes 200"]);
}
