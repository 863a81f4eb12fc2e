//! Real packages: an index of crates as another registry has it, imported, exported, imported and exported.
//!
//! `PACKHOUSE_TRANSFER_PACKAGES` says how many of them; all take minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::time::Instant;

use flate2::read::GzDecoder;
use packhouse::model::{PackageName, Sha256, Version};
use serde_json::{Value, json};

use super::tree::{assert_same, text, write_index};
use crate::support::{Cli, TestServer, project, skip};

/// Packages without being asked for more: some hundred versions.
const PACKAGES: usize = 25;

/// The lines of the first packages, with their archives elsewhere.
fn packages(count: usize) -> Option<BTreeMap<String, String>> {
    let top = project();
    let file = std::fs::File::open(top.join("../shared/data/crates-index.jsonl.gz"))
        .or_else(|_| std::fs::File::open(top.join("../../shared/data/crates-index.jsonl.gz")))
        .ok()?;
    let mut packages = BTreeMap::new();
    for line in BufReader::new(GzDecoder::new(file)).lines().take(count) {
        let package: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let name = package["name"].as_str().unwrap();
        if name.parse::<PackageName>().is_err() {
            continue;
        }
        let mut lines = BTreeMap::new();
        for release in package["versions"].as_array().unwrap() {
            let version = release["version"].as_str().unwrap();
            let Ok(key) = version.parse::<Version>() else { continue };
            let mut fields = json!({
                "archivePath": format!("https://example.com/{name}/{version}.crate"),
                "size": version.len(),
                "sha256": Sha256::of(format!("{name} {version}").as_bytes()).to_string(),
            });
            if release.get("yanked").is_some() {
                fields["yanked"] = true.into();
            }
            let text = json!({ "dependencies": release["dependencies"], "package": fields });
            lines.insert(key.sort_key().to_vec(), format!("{version} {text}\n"));
        }
        packages.insert(format!("omni.{name}"), lines.into_values().collect());
    }
    Some(packages)
}

#[test]
fn crates_come_back_to_the_byte() {
    let count = std::env::var("PACKHOUSE_TRANSFER_PACKAGES").ok().and_then(|count| count.parse().ok());
    let Some(packages) = packages(count.unwrap_or(PACKAGES)) else {
        skip("the shared data is not here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [origin, a, b] = ["origin", "a", "b"].map(|name| folder.path().join(name));
    write_index(&origin, &packages);
    let timed = |what: &str, words: &[&str]| {
        let begun = Instant::now();
        let report = Cli::new(words).and(&["--json"]).exits(0).json();
        println!("{what}: {:.1?}, {report}", begun.elapsed());
        report
    };
    let mut trees = [(origin, a.clone()), (a.clone(), b.clone())].into_iter();
    let mut trip = || {
        let (from, to) = trees.next().unwrap();
        let mut server = TestServer::start();
        server.stop();
        let data = server.data().to_str().unwrap().to_owned();
        let words = ["import", from.to_str().unwrap(), "--into", "omni", "--data", &data];
        timed("import", &words);
        assert_eq!(timed("import again", &words)["published"], 0);
        timed("export", &["export", to.to_str().unwrap(), "--data", &data]);
        assert_eq!(timed("export again", &["export", to.to_str().unwrap(), "--data", &data])["written"], 0);
        server.restart();
    };
    trip();
    trip();
    assert_same(&a, &b);
    for (name, lines) in &packages {
        // In a foreign index, `0.4.0+25.0` is an archive of 0.4.0 for a platform, whose place beside that for any platform
        // is another than that of build metadata.
        let ids =
            |text: &str| text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(ids(&text(&a, &format!("packages/{name}.gz"))), ids(lines), "{name}");
    }
}
