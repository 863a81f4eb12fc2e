//! The index files that follow from a reference, rendered without the registry's own index.
//!
//! Knows a new user's channels alone: `stable`, which is the default, `beta` and `alpha`, each with those before it.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use packhouse::index::{Rendered, View, ViewName};
use packhouse::model::Timestamp;
use packhouse::service::{Caller, Identity, Registry};
use semver::Version;
use serde_json::{Map, Value, json};

use super::reference::{File, Package, Reference, Release, USER};

/// The channels, each of which reaches those before it.
const CHANNELS: [&str; 3] = ["stable", "beta", "alpha"];

/// The files of a view, decompressed.
#[derive(Debug, PartialEq)]
pub(crate) struct ViewFiles {
    /// `packages/FULLNAME.gz` by full name, to the byte.
    pub(crate) packages: BTreeMap<String, String>,
    pub(crate) summaries: Value,
}

/// The views that are not empty, by the names of their channels; the default view is ``.
pub(crate) type Views = BTreeMap<String, ViewFiles>;

/// All views of what `reference` holds.
pub(crate) fn render(reference: &Reference) -> Views {
    let mut views = Views::new();
    for (at, channel) in CHANNELS.iter().enumerate() {
        let reached: Vec<&str> = CHANNELS[..=at].iter().rev().copied().collect();
        let view = || render_view(reference, &reached);
        if *channel == "stable" {
            views.insert(String::new(), view());
        }
        let view = view();
        if !view.packages.is_empty() {
            views.insert((*channel).to_owned(), view);
        }
    }
    views
}

fn render_view(reference: &Reference, reached: &[&str]) -> ViewFiles {
    let mut packages = BTreeMap::new();
    let mut summaries = Map::new();
    for (name, package) in &reference.packages {
        let full_name = format!("{USER}.{name}");
        let releases = releases(package, reached);
        let lines: String = releases.iter().flat_map(|offer| lines(&full_name, offer)).collect();
        if lines.is_empty() {
            continue;
        }
        packages.insert(full_name.clone(), lines);
        let offered =
            releases.iter().rev().find(|offer| offer.release.yanked.is_none() && !offer.archives().is_empty());
        if let Some(offer) = offered {
            summaries.insert(full_name, summary(name, package, offer));
        }
    }
    ViewFiles { packages, summaries: Value::Object(summaries) }
}

/// A release as readers of a channel get it.
struct Offer<'a> {
    channel: &'a str,
    version: &'a str,
    release: &'a Release,
}

impl<'a> Offer<'a> {
    /// The first file of each platform that is no attachment, by platform.
    fn archives(&self) -> BTreeMap<&'a str, &'a File> {
        let mut archives = BTreeMap::new();
        for file in self.release.files.iter().filter(|file| !file.attachment) {
            archives.entry(file.platform.as_str()).or_insert(file);
        }
        archives
    }
}

/// The active releases of the nearest channels, lowest version first.
fn releases<'a>(package: &'a Package, reached: &[&'a str]) -> Vec<Offer<'a>> {
    let mut nearest: HashMap<&str, Offer<'a>> = HashMap::new();
    for channel in reached {
        for ((on, version), release) in &package.releases {
            if on == channel && release.active {
                nearest.entry(version).or_insert(Offer { channel: on, version, release });
            }
        }
    }
    let mut offers: Vec<Offer<'a>> = nearest.into_values().collect();
    offers.sort_by_cached_key(|offer| offer.version.parse::<Version>().unwrap());
    offers
}

fn package_id(version: &str, platform: &str) -> String {
    match platform {
        "any" => version.to_owned(),
        _ if version.contains('+') => format!("{version}.{platform}"),
        _ => format!("{version}+{platform}"),
    }
}

fn lines<'a>(full_name: &'a str, offer: &'a Offer<'_>) -> impl Iterator<Item = String> + use<'a> {
    offer.archives().into_iter().map(move |(platform, file)| {
        let id = package_id(offer.version, platform);
        let stored = || format!("archives/{full_name}/{full_name}-{id}/{}", file.name);
        let archive_path = file.external_url.clone().unwrap_or_else(stored);
        let mut fields = Map::new();
        for field in ["dependencies", "targets"] {
            if let Some(value) = file.manifest.as_ref().and_then(|manifest| manifest.get(field)) {
                fields.insert(field.to_owned(), value.clone());
            }
        }
        let mut package = json!({ "archivePath": archive_path, "size": file.size, "sha256": file.sha256.to_string() });
        if offer.release.yanked.is_some() {
            package["yanked"] = json!(true);
        }
        fields.insert("package".to_owned(), package);
        format!("{id} {}\n", Value::Object(fields))
    })
}

fn summary(name: &str, package: &Package, offer: &Offer<'_>) -> Value {
    let archives = offer.archives();
    let (platform, file) = archives.first_key_value().unwrap();
    let mut fields = Map::new();
    let first_line = package.description.lines().next().unwrap_or_default().trim_start_matches("# ");
    fields.insert("title".to_owned(), json!(name));
    if !first_line.is_empty() {
        fields.insert("description".to_owned(), json!(first_line));
    }
    for field in ["title", "description", "icon", "keywords", "category", "authors", "repository"] {
        if let Some(value) = file.manifest.as_ref().and_then(|manifest| manifest["package"].get(field)) {
            fields.insert(field.to_owned(), value.clone());
        }
    }
    fields.insert("version".to_owned(), json!(offer.version));
    fields.insert("package_id".to_owned(), json!(package_id(offer.version, platform)));
    if let Some(published) = offer.release.published {
        fields.insert("published".to_owned(), json!(Timestamp::from_micros(published).to_string()));
    }
    fields.insert("channel".to_owned(), json!(offer.channel));
    fields.insert("platforms".to_owned(), archives.keys().copied().collect());
    json!({ "package": fields })
}

/// The files of all views of a snapshot, having checked that `registry.gz` of each names exactly its files by their
/// hashes and that every file is one gzip member.
pub(crate) fn read(registry: &Registry) -> Views {
    let mut views = Views::new();
    for (view_name, view) in registry.index().views() {
        let name = match &view_name {
            ViewName::Default => String::new(),
            ViewName::Channel(channel) => channel.to_string(),
        };
        views.insert(name, read_view(registry, &view_name, view));
    }
    views
}

fn read_view(registry: &Registry, view_name: &ViewName, view: &View) -> ViewFiles {
    let anyone = Caller { identity: Identity::Anonymous, origin: "".into(), address: None };
    let mut hashes = Map::new();
    let mut packages = BTreeMap::new();
    let path = |file: &&std::sync::Arc<packhouse::index::PackageFile>| format!("packages/{}.gz", file.full_name());
    let mut files: Vec<_> = view.packages().collect();
    files.sort_by_key(path);
    for file in files {
        let lines = registry.package_lines(&anyone, view_name, &file.full_name().parse().unwrap()).unwrap();
        let text = decompress(&lines);
        hashes.insert(format!("packages/{}.gz", file.full_name()), json!(crc32(&text)));
        packages.insert(file.full_name().to_owned(), text);
    }
    let summaries = decompress(&view.summaries().render());
    hashes.insert("summaries.gz".to_owned(), json!(crc32(&summaries)));
    let registry = decompress(&view.registry().render());
    // As text, so that the order counts as well.
    let expected = json!({ "files": hashes, "serial": view.serial().0 }).to_string();
    assert_eq!(registry, expected);
    ViewFiles { packages, summaries: serde_json::from_str(&summaries).unwrap() }
}

fn crc32(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

fn decompress(rendered: &Rendered) -> String {
    let member = rendered.parts().concat();
    let mut decoder = flate2::bufread::GzDecoder::new(&member[..]);
    let mut text = String::new();
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "bytes after the first member");
    text
}
