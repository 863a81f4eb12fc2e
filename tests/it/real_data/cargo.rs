//! The archives that cargo has downloaded to build this project: real packages, with digests that somebody else made.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::model::Sha256;
use serde_json::{Map, Value, json};

use crate::support::project;

/// A downloaded package of the lock file.
pub(super) struct Archive {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: Sha256,
    pub(super) path: PathBuf,
    pub(super) manifest: Value,
}

/// All archives of the lock file that are here, and the names of those that are not. Nothing where cargo keeps no
/// archives at all.
pub(super) fn archives(namespace: &str) -> Option<(Vec<Archive>, Vec<String>)> {
    let caches = caches()?;
    let described = metadata();
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("the project has a lock file");
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (name, version, sha256) in locked(&lock) {
        let file = format!("{name}-{version}.crate");
        let Some(path) = caches.iter().map(|cache| cache.join(&file)).find(|path| path.exists()) else {
            missing.push(file);
            continue;
        };
        let described = described.get(&(name.clone(), version.clone()));
        let manifest = described.map_or_else(|| json!({}), |described| manifest(described, namespace));
        found.push(Archive { name, version, sha256, path, manifest });
    }
    Some((found, missing))
}

fn root() -> &'static Path {
    project()
}

/// The folders in which cargo keeps archives.
fn caches() -> Option<Vec<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let entries = std::fs::read_dir(home.join("registry/cache")).ok()?;
    let caches: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    (!caches.is_empty()).then_some(caches)
}

/// Name, version and digest of each package of a lock file that has a digest.
fn locked(lock: &str) -> impl Iterator<Item = (String, String, Sha256)> {
    lock.split("[[package]]").skip(1).filter_map(|entry| {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        Some((field("name")?, field("version")?, field("checksum")?.parse().expect("a digest")))
    })
}

/// What cargo knows of each package, without asking the network.
fn metadata() -> HashMap<(String, String), Value> {
    let run = |more: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["metadata", "--locked", "--offline", "--format-version", "1"]).args(more).current_dir(root());
        command.output().expect("cargo runs")
    };
    let mut output = run(&[]);
    if !output.status.success() {
        // Not everything that other platforms need was downloaded.
        let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        output = run(&["--filter-platform", &host]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
    let Value::Array(packages) = metadata["packages"].take() else { panic!("there are packages") };
    let key = |package: &Value, field: &str| package[field].as_str().expect("a text").to_owned();
    packages.into_iter().map(|package| ((key(&package, "name"), key(&package, "version")), package)).collect()
}

fn manifest(described: &Value, namespace: &str) -> Value {
    let mut dependencies = Map::new();
    for dependency in described["dependencies"].as_array().expect("a list") {
        if dependency["kind"].is_null() && dependency["optional"] == false {
            let name = format!("{namespace}.{}", dependency["name"].as_str().expect("a name"));
            dependencies.insert(name, json!({ "version": dependency["req"] }));
        }
    }
    let mut package = Map::from_iter([("title".to_owned(), described["name"].clone())]);
    for field in ["description", "authors", "keywords", "repository", "license", "rust_version"] {
        if !described[field].is_null() {
            package.insert(field.to_owned(), described[field].clone());
        }
    }
    let features: BTreeSet<&String> = described["features"].as_object().expect("a dictionary").keys().collect();
    json!({ "package": package, "dependencies": dependencies, "features": features })
}
