//! Syncs against scripted registries, honest and hostile, on disks that work and disks that fail.
//!
//! What every failure must leave behind is the same: the state that was there, whole.

mod changes;
mod faults;
mod hostile;
mod local;
mod runs;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::super::progress::Silent;
use super::super::test_server::{Reply, Seen, TestServer};
use super::*;

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// One state of a scripted registry: paths and texts.
#[derive(Clone, Default)]
pub(super) struct Script {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) serial: u64,
}

impl Script {
    /// A registry of packages with one line each, and matching summaries.
    pub(super) fn of(serial: u64, packages: &[(&str, &str)]) -> Self {
        let mut files = BTreeMap::new();
        let mut summaries = serde_json::Map::new();
        for (name, version) in packages {
            files.insert(format!("packages/{name}.gz"), format!("{version} {{\"dependencies\":{{}}}}\n").into_bytes());
            summaries.insert((*name).to_owned(), serde_json::json!({"package": {"version": version}}));
        }
        files.insert("summaries.gz".to_owned(), Value::Object(summaries).to_string().into_bytes());
        Self { files, serial }
    }

    pub(super) fn registry(&self) -> Vec<u8> {
        let hashes: BTreeMap<_, _> =
            self.files.iter().map(|(path, text)| (path, Crc32::of(text).to_string())).collect();
        serde_json::json!({"files": hashes, "serial": self.serial}).to_string().into_bytes()
    }

    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.serial)
    }

    /// Answers as a server does.
    pub(super) fn answer(&self, seen: &Seen) -> Reply {
        let Some(path) = seen.target.strip_prefix("/v2/") else { return Reply::status(404) };
        if path == "registry.gz" {
            if seen.field("if-none-match") == Some(&self.etag()) {
                return Reply::Http(304, vec![("etag", self.etag())], vec![]);
            }
            return Reply::Http(200, vec![("etag", self.etag())], gzip(&self.registry()));
        }
        self.files.get(path).map_or_else(|| Reply::status(404), |text| Reply::ok(gzip(text)))
    }

    /// Whether the copy in `dir` is exactly this state, as a program sees it that knows nothing of how it is kept.
    pub(super) fn is_in(&self, dir: &Path) -> bool {
        self.check(dir).is_ok()
    }

    pub(super) fn check(&self, dir: &Path) -> Result<(), String> {
        let same = |path: &str, text: &[u8]| match std::fs::read(dir.join(path)) {
            Ok(found) if found == text => Ok(()),
            Ok(_) => Err(format!("{path} is another")),
            Err(error) => Err(format!("{path}: {error}")),
        };
        same("registry.json", &self.registry())?;
        for (path, text) in &self.files {
            same(&path.replace(".gz", ".json"), text)?;
        }
        let packages = std::fs::read_dir(dir.join("packages")).map_err(|error| error.to_string())?.count();
        if packages != self.files.len() - 1 {
            return Err(format!("{packages} files in packages"));
        }
        Ok(())
    }
}

/// What changed from one state to another, as a server tells it.
pub(super) fn changes_between(old: &Script, new: &Script) -> Value {
    let summaries = |script: &Script| -> Value { serde_json::from_slice(&script.files["summaries.gz"]).unwrap() };
    let summaries = summaries(new);
    let (mut files, mut entries) = (serde_json::Map::new(), serde_json::Map::new());
    for path in old.files.keys().chain(new.files.keys()) {
        if old.files.get(path) == new.files.get(path) {
            continue;
        }
        files.insert(path.clone(), new.files.get(path).map(|text| Crc32::of(text).to_string()).into());
        if let Some(name) = path.strip_prefix("packages/").and_then(|path| path.strip_suffix(".gz")) {
            entries.insert(name.to_owned(), summaries.get(name).cloned().unwrap_or_default());
        }
    }
    if !files.is_empty() {
        files.insert("summaries.gz".to_owned(), Crc32::of(&new.files["summaries.gz"]).to_string().into());
    }
    serde_json::json!({"serial": new.serial, "files": files, "summaries": entries})
}

/// The states that a scripted registry remembers, the one it has now last.
pub(super) type Past = Vec<Script>;

/// Answers as a server does that tells what changed.
pub(super) fn answer_with_changes(past: &Past, seen: &Seen) -> Reply {
    let now = past.last().unwrap();
    let Some(known) = seen.target.strip_prefix("/v2/changes?since=") else { return now.answer(seen) };
    let known = known.strip_suffix("&packages=true").unwrap_or(known);
    let is_known = |script: &&Script| known == format!("{}&registry={}", script.serial, Crc32::of(&script.registry()));
    match past.iter().rfind(is_known) {
        Some(then) => {
            let mut changes = changes_between(then, now);
            if seen.target.ends_with("&packages=true") {
                let texts = |(path, text): (&String, &Vec<u8>)| {
                    let name = path.strip_prefix("packages/")?.strip_suffix(".gz")?;
                    let has_changed = then.files.get(path) != Some(text);
                    has_changed.then(|| (name.to_owned(), String::from_utf8(text.clone()).unwrap().into()))
                };
                changes["packages"] = Value::Object(now.files.iter().filter_map(texts).collect());
            }
            Reply::json(200, &changes)
        }
        None => Reply::json(410, &serde_json::json!({"status": 410, "detail": "read registry.gz instead"})),
    }
}

/// A server whose state can be changed, and a folder for its copy.
pub(super) struct Stage {
    pub(super) server: TestServer,
    pub(super) past: Arc<Mutex<Past>>,
    pub(super) folder: tempfile::TempDir,
}

impl Stage {
    /// With a server of files alone.
    pub(super) async fn new(script: Script) -> Self {
        Self::with(script, |past, seen| past.last().unwrap().answer(seen)).await
    }

    /// With a server that tells what changed.
    pub(super) async fn telling(script: Script) -> Self {
        Self::with(script, answer_with_changes).await
    }

    pub(super) async fn with(script: Script, answer: impl Fn(&Past, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let past = Arc::new(Mutex::new(vec![script]));
        let shared = Arc::clone(&past);
        Self {
            server: TestServer::start(move |seen| answer(&shared.lock().unwrap(), seen)).await,
            past,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    pub(super) fn set(&self, script: &Script) {
        self.past.lock().unwrap().push(script.clone());
    }

    pub(super) fn options(&self) -> SyncOptions {
        options(&self.server, &self.dir())
    }

    pub(super) async fn sync(&self) -> Result<SyncReport, SyncError> {
        sync(&self.server.client(), &self.options(), Arc::new(Silent)).await
    }

    /// What was asked for since the last call, sorted.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut lines = self.asked_in_order();
        lines.sort();
        lines
    }

    /// What was asked for since it was last asked, without the checksums of the states that were named.
    pub(super) fn asked_in_order(&self) -> Vec<String> {
        let lines = self.server.take_lines().into_iter();
        let plain = |line: String| {
            line.replace("GET /v2/", "")
                .replace("&packages=true", "")
                .split("&registry=")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        lines.map(plain).collect()
    }
}

pub(super) fn options(server: &TestServer, dir: &Path) -> SyncOptions {
    let limits = SyncLimits {
        round_wait: Duration::from_millis(1),
        file_bytes_max: 1 << 20,
        file_gz_bytes_max: 1 << 16,
        registry_bytes_max: 1 << 20,
        registry_gz_bytes_max: 1 << 16,
        changes_bytes_max: 1 << 16,
        changes_max: 1000,
        ..SyncLimits::default()
    };
    SyncOptions { root: server.url.view_root(), dir: dir.into(), verify: false, limits }
}

pub(super) fn old() -> Script {
    Script::of(1, &[("omni.bar", "1.0.0"), ("omni.foo", "1.0.0"), ("omni.gone", "1.0.0")])
}

pub(super) fn new() -> Script {
    Script::of(2, &[("omni.bar", "1.0.0"), ("omni.foo", "2.0.0"), ("omni.fresh", "1.0.0")])
}
