//! Changed step by step equals built from nothing, whatever happens to packages, channels and owners.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::fixture::{channel, release, source, text};
use super::*;
use crate::model::{Channel, Crc32, Visibility};

/// All files of a view by their paths, checked against each other.
fn files(view: &View) -> BTreeMap<String, String> {
    let registry = text(&view.registry().render());
    let parsed: Value = serde_json::from_str(&registry).unwrap();
    let hashes = parsed["files"].as_object().unwrap();
    assert_eq!(parsed["serial"].to_string(), view.serial().to_string());
    let names: Vec<_> = hashes.keys().cloned().collect();
    assert!(names.is_sorted() && names.last().unwrap() == "summaries.gz", "{names:?}");

    let mut files = BTreeMap::from([("summaries.gz".to_owned(), text(&view.summaries().render()))]);
    for package in view.packages() {
        let found = view.package(package.full_name()).unwrap();
        assert!(Arc::ptr_eq(found, package));
        files.insert(format!("packages/{}.gz", package.full_name()), text(&package.render().unwrap()));
    }
    assert_eq!(files.len(), view.package_count() + 1);
    assert!(names.iter().eq(files.keys()), "{names:?}");
    for (name, text) in &files {
        assert_eq!(hashes[name], Crc32::of(text.as_bytes()).to_string(), "{name}");
    }
    let summaries: Value = serde_json::from_str(&files["summaries.gz"]).unwrap();
    assert!(summaries.as_object().unwrap().keys().is_sorted());
    files
}

fn all_files(index: &Index) -> BTreeMap<ViewName, BTreeMap<String, String>> {
    index.snapshot().views().map(|(name, view)| (name, files(view))).collect()
}

fn view(index: &Index, name: &str) -> Option<Arc<View>> {
    let name = match name {
        "" => ViewName::Default,
        channel => ViewName::Channel(channel.parse().unwrap()),
    };
    index.snapshot().view(&name).cloned()
}

/// A package with a release of each of these versions on `stable`, in a line each.
fn versions(key: u64, full_name: &str, versions: &[&str]) -> (PackageKey, Option<PackageSource>) {
    let mut source = source(key, full_name);
    let ids = 1_u64..;
    source.releases = ids.zip(versions).map(|(id, version)| release(id, 1, version).with(1, "a.zip", None)).collect();
    (PackageKey(key), Some(source))
}

#[test]
fn an_empty_index_has_a_default_view() {
    let index = Index::new(Serial(7));
    let view = view(&index, "").unwrap();
    assert_eq!(text(&view.registry().render()), r#"{"files":{"summaries.gz":"a3a6bf43"},"serial":7}"#);
    assert_eq!(text(&view.summaries().render()), "{}");
    assert_eq!(index.snapshot().views().count(), 1);
    assert!(view.package("omni.bar").is_none());
}

#[test]
fn a_publish_is_in_every_view_at_once() {
    let index = Index::new(Serial(7));
    let applied = index.apply(&[versions(1, "omni.bar", &["1.0.0"])], 1_000);
    let default = view(&index, "").unwrap();
    let [hash, summaries] = [default.package("omni.bar").unwrap().crc32(), default.summaries().crc32()];
    let registry =
        format!(r#"{{"files":{{"packages/omni.bar.gz":"{hash}","summaries.gz":"{summaries}"}},"serial":1000}}"#);
    assert_eq!(text(&default.registry().render()), registry);

    let names = ["", "alpha", "beta", "stable"];
    assert!(names.iter().all(|name| Arc::ptr_eq(&default, &view(&index, name).unwrap())), "held more than once");
    let change = ViewChange {
        views: index.snapshot().views().map(|(name, _)| name).collect::<BTreeSet<_>>().into_iter().collect(),
        files: vec![("omni.bar".into(), Some(hash))],
        summaries: Some(summaries),
    };
    assert_eq!(applied, Applied { serial: Serial(1_000), changes: vec![change] });
    assert!(view(&index, "nightly").is_none());
}

#[test]
fn what_changes_nothing_changes_no_byte() {
    let index = Index::new(Serial(7));
    let many: Vec<_> = (0..2_000).map(|version| format!("1.{version}.0")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    index.apply(&[versions(1, "omni.bar", &["1.0.0"]), versions(2, "omni.long", &many)], 1_000);
    let before = view(&index, "").unwrap();
    let (registry, long) = (before.registry().render(), before.package("omni.long").unwrap().render().unwrap());

    let again = [versions(1, "omni.bar", &["1.0.0"]), versions(2, "omni.long", &many), (PackageKey(3), None)];
    assert_eq!(index.apply(&again, 2_000), Applied { serial: Serial(1_000), changes: Vec::new() });
    assert!(Arc::ptr_eq(&before, &view(&index, "").unwrap()));

    let applied = index.apply(&[versions(1, "omni.bar", &["1.0.0", "1.0.1"])], 2_000);
    assert_eq!(applied.serial, Serial(2_000));
    let after = view(&index, "").unwrap();
    assert!(Arc::ptr_eq(&long, &after.package("omni.long").unwrap().render().unwrap()));
    assert_eq!(before.registry().render().parts(), registry.parts(), "an old state changed");
}

#[test]
fn a_release_on_beta_leaves_stable_alone() {
    let index = Index::new(Serial(7));
    index.apply(&[versions(1, "omni.bar", &["1.0.0"]), versions(2, "omni.foo", &["1.0.0"])], 1_000);
    let [default, beta] = ["", "beta"].map(|name| view(&index, name).unwrap());
    let (key, mut changed) = versions(1, "omni.bar", &["1.0.0"]);
    changed.as_mut().unwrap().releases.push(release(9, 2, "2.0.0").with(1, "a.zip", None));
    let applied = index.apply(&[(key, changed)], 2_000);
    assert_eq!(applied.changes.len(), 1, "alpha and beta change alike");
    assert_eq!(applied.changes[0].views.len(), 2);
    assert!(Arc::ptr_eq(&default, &view(&index, "").unwrap()));
    assert!(Arc::ptr_eq(&default, &view(&index, "stable").unwrap()));
    let after = view(&index, "beta").unwrap();
    assert!(Arc::ptr_eq(&after, &view(&index, "alpha").unwrap()));
    assert_eq!((beta.serial(), after.serial()), (Serial(1_000), Serial(2_000)));
    assert!(Arc::ptr_eq(beta.package("omni.foo").unwrap(), after.package("omni.foo").unwrap()));
}

#[test]
fn a_release_in_a_long_file_compresses_a_part_of_it() {
    let index = Index::new(Serial(7));
    let many: Vec<_> = (0..2_000).map(|version| format!("1.{version}.0")).collect();
    let mut many: Vec<_> = many.iter().map(String::as_str).collect();
    index.apply(&[versions(1, "omni.long", &many)], 1_000);
    let old = view(&index, "").unwrap().package("omni.long").unwrap().render().unwrap();
    many.push("2.0.0");
    index.apply(&[versions(1, "omni.long", &many)], 2_000);
    let file = Arc::clone(view(&index, "").unwrap().package("omni.long").unwrap());
    assert!(file.rendered().is_none());
    let new = file.render().unwrap();
    assert_eq!(text(&new).lines().count(), 2_001);
    let shared = new.parts().iter().filter(|part| old.parts().iter().any(|old| old.as_ptr() == part.as_ptr())).count();
    assert!(old.parts().len() > 4);
    assert_eq!(shared, old.parts().len() - 3, "all but the last segment, head and tail");

    let fast = new.len_bytes();
    assert_eq!(index.improve(100), 0, "improved at once");
    assert!(index.improve(2) <= 2);
    assert!(index.improve(100) > 0);
    assert_eq!(index.improve(100), 0);
    assert!(file.render().unwrap().len_bytes() < fast);
    assert_eq!(text(&file.render().unwrap()), text(&new));
}

#[test]
fn lines_can_be_filled_in_later() {
    let index = Index::new(Serial(7));
    let (key, source) = versions(1, "omni.bar", &["1.0.0"]);
    let rendered = render(&source.unwrap());
    let mut unfilled = rendered.clone();
    for content in &mut unfilled.contents {
        let file = &content.file;
        content.file = Arc::new(PackageFile::unfilled("omni.bar".into(), file.crc32(), file.text_len_bytes()));
    }
    index.merge(vec![(key, Some(unfilled))], 1_000);
    let before = view(&index, "").unwrap();
    let file = before.package("omni.bar").unwrap();
    assert!(file.render().is_none() && file.rendered().is_none());
    let other = render(&versions(1, "omni.bar", &["1.0.1"]).1.unwrap());
    assert!(!file.fill(&other.contents[0].file), "filled with another state's lines");

    // The same package again changes nothing but that its lines are there.
    assert!(index.merge(vec![(key, Some(rendered))], 2_000).changes.is_empty());
    assert!(Arc::ptr_eq(&before, &view(&index, "").unwrap()));
    assert!(text(&file.render().unwrap()).starts_with("1.0.0 {"));
}

#[test]
fn a_name_may_pass_from_one_package_to_another_in_one_step() {
    for order in [[0, 1], [1, 0]] {
        let index = Index::new(Serial(7));
        index.apply(&[versions(1, "omni.bar", &["1.0.0"])], 1_000);
        let [old, new] = [(PackageKey(1), None), versions(2, "omni.bar", &["2.0.0"])];
        let changes = [&old, &new];
        index.apply(&order.map(|at| changes[at].clone()), 2_000);
        assert!(files(&view(&index, "").unwrap())["packages/omni.bar.gz"].starts_with("2.0.0 "));
    }
}

/// What a test does to the registry; numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Op {
    Publish { package: usize, channel: usize, version: usize, files: usize },
    Yank { package: usize, release: usize },
    Delete { package: usize, release: usize },
    Hide { package: usize, hidden: bool },
    Drop { package: usize },
    Include { owner: usize, channel: usize, includes: Option<usize> },
    Default { owner: usize, channel: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let at = 0..1_000_usize;
    prop_oneof![
        8 => (at.clone(), at.clone(), at.clone(), 0..4_usize)
            .prop_map(|(package, channel, version, files)| Op::Publish { package, channel, version, files }),
        2 => (at.clone(), at.clone()).prop_map(|(package, release)| Op::Yank { package, release }),
        2 => (at.clone(), at.clone()).prop_map(|(package, release)| Op::Delete { package, release }),
        1 => (at.clone(), any::<bool>()).prop_map(|(package, hidden)| Op::Hide { package, hidden }),
        1 => at.clone().prop_map(|package| Op::Drop { package }),
        1 => (at.clone(), at.clone(), prop::option::of(at.clone()))
            .prop_map(|(owner, channel, includes)| Op::Include { owner, channel, includes }),
        1 => (at.clone(), at).prop_map(|(owner, channel)| Op::Default { owner, channel }),
    ]
}

/// A registry of two owners with twelve packages, as a store would have it.
struct Registry {
    owners: [Vec<Channel>; 2],
    packages: Vec<PackageSource>,
    gone: Vec<bool>,
    next_release: u64,
}

impl Registry {
    fn new() -> Self {
        let first =
            vec![channel(1, "stable", true, &[]), channel(2, "beta", false, &[1]), channel(3, "alpha", false, &[2])];
        let second =
            vec![channel(4, "main", true, &[]), channel(5, "beta", false, &[]), channel(6, "lab", false, &[4, 5])];
        let package = |key: usize| source(key as u64, &format!("{}.p{}", ["omni", "acme"][key % 2], key / 2));
        Self {
            owners: [first, second],
            packages: (0..12).map(package).collect(),
            gone: vec![false; 12],
            next_release: 1,
        }
    }

    /// Performs an operation and returns the packages it may have changed.
    fn perform(&mut self, op: &Op) -> Vec<usize> {
        let count = self.packages.len();
        match *op {
            Op::Publish { package, channel, version, files } => {
                let at = package % count;
                self.gone[at] = false;
                let channels = &self.owners[at % 2];
                let channel = channels[channel % channels.len()].id;
                let version = ["0.1.0", "1.0.0-rc.1", "1.0.0", "1.0.0+a", "1.10.0", "2"][version % 6];
                let releases = &mut self.packages[at].releases;
                releases.retain(|old| old.release.channel != channel || old.release.version.as_str() != version);
                let mut new = release(self.next_release, channel.0, version);
                self.next_release += 1;
                for platform in [100, 1, 102, 1].iter().take(files) {
                    let name = format!("f{}", new.files.len());
                    let manifest = format!(r#"{{"dependencies":{{"filter:platform":{{}},"omni.p1":"{files}"}}}}"#);
                    new = new.with(*platform, &name, (files > 1).then_some(&manifest));
                }
                releases.push(new);
                vec![at]
            }
            Op::Yank { package, release } => {
                let releases = &mut self.packages[package % count].releases;
                let at = release % releases.len().max(1);
                if let Some(release) = releases.get_mut(at) {
                    let yanked = release.release.yanked.take();
                    release.release.yanked = yanked.is_none().then(|| "broken".parse().unwrap());
                }
                vec![package % count]
            }
            Op::Delete { package, release } => {
                let releases = &mut self.packages[package % count].releases;
                if !releases.is_empty() {
                    releases.swap_remove(release % releases.len());
                }
                vec![package % count]
            }
            Op::Hide { package, hidden } => {
                let visibility = if hidden { Visibility::Private } else { Visibility::Public };
                self.packages[package % count].package.visibility = visibility;
                vec![package % count]
            }
            Op::Drop { package } => {
                self.packages[package % count].releases.clear();
                self.gone[package % count] = true;
                vec![package % count]
            }
            Op::Include { owner, channel, includes } => {
                let channels = &mut self.owners[owner % 2];
                let at = channel % channels.len();
                // Only those before it, so that there are no cycles.
                let included = includes.filter(|_| at > 0).map(|include| channels[include % at].id);
                channels[at].includes = included.into_iter().collect();
                (0..count).filter(|at| at % 2 == owner % 2).collect()
            }
            Op::Default { owner, channel } => {
                let channels = &mut self.owners[owner % 2];
                let chosen = channel % channels.len();
                for (at, channel) in channels.iter_mut().enumerate() {
                    channel.default = at == chosen;
                }
                (0..count).filter(|at| at % 2 == owner % 2).collect()
            }
        }
    }

    fn source(&self, at: usize) -> (PackageKey, Option<PackageSource>) {
        let source = PackageSource { channels: self.owners[at % 2].as_slice().into(), ..self.packages[at].clone() };
        (PackageKey(at as u64), (!self.gone[at]).then_some(source))
    }

    fn rebuilt(&self) -> Index {
        let index = Index::new(Serial(0));
        index.apply(&(0..self.packages.len()).map(|at| self.source(at)).collect::<Vec<_>>(), 1);
        index
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_step_by_step_equals_built_from_nothing(
        steps in prop::collection::vec(prop::collection::vec(op(), 1..4), 1..30),
    ) {
        let mut registry = Registry::new();
        let index = Index::new(Serial(0));
        let mut served: HashMap<ViewName, (Arc<View>, BTreeMap<String, String>)> = HashMap::new();
        for (step, ops) in steps.iter().enumerate() {
            let changed: Vec<_> = ops.iter().flat_map(|op| registry.perform(op)).collect();
            let last = index.snapshot().views().map(|(_, view)| view.serial()).max().unwrap();
            let changes: Vec<_> = changed.iter().map(|at| registry.source(*at)).collect();
            let applied = index.apply(&changes, step as u64 / 3 * 3);

            let present = all_files(&index);
            prop_assert_eq!(&present, &all_files(&registry.rebuilt()));
            let snapshot = index.snapshot();
            let reported = |name: &ViewName| applied.changes.iter().find(|change| change.views.contains(name));
            for (name, files) in &present {
                let view = snapshot.view(name).unwrap();
                let known: BTreeMap<String, String> = served.get(name).map(|(_, files)| files.clone()).unwrap_or_default();
                if known == *files || (known.is_empty() && view.is_empty()) {
                    prop_assert!(reported(name).is_none());
                    prop_assert!(served.get(name).is_none_or(|(old, _)| Arc::ptr_eq(old, view)));
                    continue;
                }
                prop_assert!(view.serial() > last && view.serial() == applied.serial);
                let change = reported(name).unwrap();
                let text_of = |path: &str| (known.get(path), files.get(path));
                let mut expected: Vec<_> = known.keys().chain(files.keys()).filter(|path| path.starts_with('p')).collect();
                expected.sort();
                expected.dedup();
                expected.retain(|path| text_of(path).0 != text_of(path).1);
                let told: Vec<_> = change.files.iter().map(|(name, _)| format!("packages/{name}.gz")).collect();
                prop_assert!(told.iter().eq(expected));
                for (path, (_, hash)) in told.iter().zip(&change.files) {
                    prop_assert_eq!(files.get(path).map(|text| Crc32::of(text.as_bytes())), *hash);
                }
                let (old, new) = text_of("summaries.gz");
                prop_assert_eq!(change.summaries.is_some(), old.map_or("{}", String::as_str) != new.unwrap());
            }
            served = present
                .into_iter()
                .map(|(name, files)| (name.clone(), (Arc::clone(snapshot.view(&name).unwrap()), files)))
                .collect();
        }
    }
}

/// The file that the environment names, with a JSON object a line: `{"name", "versions": [{"version", "dependencies",
/// "yanked"?}]}`.
const REAL_PACKAGES: &str = "PACKHOUSE_TEST_PACKAGES";

#[test]
fn real_packages_are_all_there() {
    let Some(path) = std::env::var_os(REAL_PACKAGES) else {
        eprintln!("skipped: {REAL_PACKAGES} names no file");
        return;
    };
    let mut text = String::new();
    let mut file = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
    std::io::Read::read_to_string(&mut file, &mut text).unwrap();
    let parsed: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sources: Vec<_> =
        (1..).zip(&parsed).map(|(key, package)| (PackageKey(key), Some(real(key, package)))).collect();

    let index = Index::new(Serial(0));
    for batch in sources.chunks(700) {
        index.apply(batch, 1_000);
    }
    let view = view(&index, "").unwrap();
    let files = files(&view);
    assert_eq!(view.package_count(), parsed.len());
    for package in &parsed {
        let name = format!("cargo.{}", package["name"].as_str().unwrap());
        let mut expected: Vec<_> = package["versions"].as_array().unwrap().iter().collect();
        expected.sort_by_key(|version| version["version"].as_str().unwrap().parse::<crate::model::Version>().unwrap());
        let lines: Vec<_> = files[&format!("packages/{name}.gz")].lines().collect();
        assert_eq!(lines.len(), expected.len(), "{name}");
        for (line, expected) in lines.iter().zip(expected) {
            let (id, fields) = line.split_once(' ').unwrap();
            let fields: Value = serde_json::from_str(fields).unwrap();
            assert_eq!(id, expected["version"].as_str().unwrap());
            assert_eq!(fields["dependencies"], expected["dependencies"]);
            assert_eq!(fields["package"].get("yanked"), expected.get("yanked").filter(|yanked| **yanked == true));
        }
    }
}

/// A package of that file.
fn real(key: u64, package: &Value) -> PackageSource {
    let mut source = source(key, &format!("cargo.{}", package["name"].as_str().unwrap()));
    for (id, version) in (1..).zip(package["versions"].as_array().unwrap()) {
        let manifest = format!(r#"{{"dependencies":{}}}"#, version["dependencies"]);
        let new = release(id, 1, version["version"].as_str().unwrap()).with(1, "a.crate", Some(&manifest));
        source.releases.push(if version["yanked"] == true { new.yanked() } else { new });
    }
    source
}

#[test]
fn short_lines_are_compressed_when_they_are_read_or_last() {
    let index = Index::new(Serial(0));
    let publish = |version: &str, now_us| {
        let mut source = source(1, "omni.a");
        source.releases.push(release(1, 1, version).with(1, "a.zip", None));
        index.apply(&[(source.package.id, Some(source))], now_us);
        Arc::clone(index.snapshot().view(&ViewName::Default).unwrap().package("omni.a").unwrap())
    };
    let read = publish("1.0.0", 1);
    assert!(read.rendered().is_none());
    let text_of = text(&read.render().unwrap());
    assert!(text_of.starts_with("1.0.0 "));
    assert_eq!(Crc32::of(text_of.as_bytes()), read.crc32());
    assert!(read.rendered().is_some());

    let lasted = publish("2.0.0", 2);
    assert!(lasted.rendered().is_none());
    assert_eq!(index.improve(0), 0);
    assert!(lasted.rendered().is_none());
    index.improve(100);
    assert!(lasted.rendered().is_some());
}
