//! A registry with the packages and versions of a real one: its index against an independent rendering, and how long a
//! start takes.
//!
//! The data is `crates-index.jsonl.gz` beside the project, or what `PACKHOUSE_TEST_INDEX` names. A part of its packages
//! is taken; all of them with `PACKHOUSE_TEST_FULL=1`.

use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Instant;

use futures_util::StreamExt;
use packhouse::model::{Manifest, Scope, Sha256, Version, Visibility};
use packhouse::service::{
    Caller, Clock, Condition, Create, ExternalArchive, FileName, Identity, NewPackage, PutOptions, Registry,
    RegistryConfig, ReleaseName, ReleasePatch, SignedIn,
};
use serde_json::{Map, Value, json};

use crate::durability::expected_index;
use crate::durability::reference::{File, Package, Reference, Release, USER};
use crate::support::{project, skip};

/// Which packages are taken when not all are: every so many.
const STRIDE: usize = 16;
/// Requests under way at once.
const AT_ONCE: usize = 512;
/// The time at which everything is published, in microseconds.
const NOW: i64 = 1_700_000_000_000_000;

fn data() -> PathBuf {
    let beside = || project().join("../shared/data/crates-index.jsonl.gz");
    std::env::var_os("PACKHOUSE_TEST_INDEX").map_or_else(beside, PathBuf::from)
}

/// Reads what the registry should hold. Versions that are none here are left out and counted.
fn read(path: &Path, stride: usize) -> (Reference, usize) {
    let lines = BufReader::new(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())).lines();
    let (mut reference, mut left_out) = (Reference::default(), 0);
    for line in lines.step_by(stride) {
        let entry: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let name = entry["name"].as_str().unwrap();
        let mut package = Package::default();
        for version in entry["versions"].as_array().unwrap() {
            let text = version["version"].as_str().unwrap();
            if text.parse::<Version>().is_err() {
                left_out += 1;
                continue;
            }
            let dependencies = version["dependencies"].as_object().unwrap().iter();
            let dependencies: Map<String, Value> =
                dependencies.map(|(name, req)| (format!("{USER}.{name}"), json!({ "version": req }))).collect();
            let file = File {
                platform: "any".to_owned(),
                name: format!("{name}-{text}.crate"),
                attachment: false,
                sha256: Sha256::of(format!("{name}-{text}").as_bytes()),
                size: 1000 + text.len() as u64,
                bytes: None,
                external_url: Some(format!("https://archives.test/{name}/{text}.crate")),
                manifest: Some(json!({ "package": { "title": name }, "dependencies": dependencies })),
            };
            let yanked = (version["yanked"] == true).then(|| "yanked".to_owned());
            let release = Release { active: true, published: Some(NOW), yanked, files: vec![file] };
            package.releases.insert(("stable".to_owned(), text.to_owned()), release);
        }
        reference.packages.insert(name.to_owned(), package);
    }
    (reference, left_out)
}

fn open(folder: &Path) -> Registry {
    let config = RegistryConfig { password_rounds: NonZeroU32::new(1), ..RegistryConfig::default() };
    Registry::open(folder, config, Clock::Set(Arc::new(AtomicI64::new(NOW)))).unwrap()
}

async fn fill(registry: &Registry, reference: &Reference) {
    let user = registry.add_user(USER.parse().unwrap(), "correct horse".parse().unwrap(), true).await.unwrap();
    let signed_in = SignedIn { user, scope: Scope::Admin, session: None, token_name: None };
    let caller = &Caller { identity: Identity::User(Box::new(signed_in)), origin: "".into(), address: None };
    for name in reference.packages.keys() {
        let name = name.parse().unwrap();
        let new = NewPackage {
            name,
            description: Default::default(),
            visibility: Visibility::Public,
            version_scheme: Default::default(),
        };
        registry.create_package(caller, new).await.unwrap();
    }
    let releases = reference.packages.iter().flat_map(|(name, package)| {
        package.releases.iter().map(move |((channel, version), release)| (name, channel, version, release))
    });
    let publish = async |(name, channel, version, release): (&String, &String, &String, &Release)| {
        let file = &release.files[0];
        let release_name = ReleaseName {
            package: format!("{USER}.{name}").parse().unwrap(),
            channel: channel.parse().unwrap(),
            version: version.parse().unwrap(),
        };
        let file_name = FileName {
            release: release_name.clone(),
            platform: file.platform.parse().unwrap(),
            display_name: file.name.parse().unwrap(),
        };
        let url = file.external_url.as_ref().unwrap().parse().unwrap();
        let archive = ExternalArchive { url, size: file.size, sha256: file.sha256, role: None };
        let options = PutOptions { platform: true, ..PutOptions::creating(Create::Active) };
        registry.put_external(caller, file_name.clone(), options, archive).await.unwrap();
        let manifest = Manifest::parse(file.manifest.as_ref().unwrap().to_string().as_bytes()).unwrap();
        registry.put_manifest(caller, file_name, manifest, Condition::None).await.unwrap();
        if let Some(reason) = &release.yanked {
            let patch = ReleasePatch { yanked: Some(Some(reason.parse().unwrap())), ..ReleasePatch::default() };
            registry.change_release(caller, release_name, patch, Condition::None).await.unwrap();
        }
    };
    futures_util::stream::iter(releases).map(publish).buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[test]
fn a_real_index_is_rendered_and_comes_back_after_a_restart() {
    let path = data();
    if !path.exists() {
        skip(&format!("there is no {}", path.display()));
        return;
    }
    let full = std::env::var_os("PACKHOUSE_TEST_FULL").is_some_and(|value| value == "1");
    let (reference, left_out) = read(&path, if full { 1 } else { STRIDE });
    let versions: usize = reference.packages.values().map(|package| package.releases.len()).sum();
    let folder = tempfile::tempdir().unwrap();
    let registry = open(folder.path());
    let begin = Instant::now();
    tokio::runtime::Runtime::new().unwrap().block_on(fill(&registry, &reference));
    let packages = reference.packages.len();
    println!("{packages} packages, {versions} versions ({left_out} left out) filled in {:.1?}", begin.elapsed());
    let expected = expected_index::render(&reference);
    assert_eq!(expected[""].packages.len(), reference.packages.len());
    let is_same = |registry: &Registry, when: &str| {
        let found = expected_index::read(registry);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{when}");
        for (name, view) in &found {
            for (package, text) in &expected[name].packages {
                assert_eq!(view.packages.get(package), Some(text), "{when}: {package}");
            }
            assert!(*view == expected[name], "{when}: the view {name:?} has other packages or summaries");
        }
    };
    is_same(&registry, "filled");
    registry.close();
    drop(registry);
    let begin = Instant::now();
    let registry = open(folder.path());
    println!("ready {:.1?} after a clean stop", begin.elapsed());
    is_same(&registry, "restarted");
    registry.close();
}
