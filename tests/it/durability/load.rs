//! A client that works on a package of its own over HTTP, and knows what was acknowledged.
//!
//! Owns the one connection it talks over, so that it sees the server die.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use packhouse::model::Sha256;
use serde_json::{Value, json};

use super::reference::{FileRef, Op, Reference, ReleaseRef, content, dump_release, manifest};
use crate::support::{Client, TestServer, Wire, file_path};

const NAMESPACE: &str = "omni";
const VERSIONS: [&str; 8] = ["0.9.0", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-beta.3", "2.0.0"];
const CHANNELS: [&str; 2] = ["stable", "beta"];
const FILES: [(&str, &str); 3] = [("any", "a.zip"), ("any", "a.zip.sig"), ("linux-x64", "a.tar.gz")];
/// Sizes of what is published, one of which goes with each seed: from nothing to several commits of the blob writer.
const SIZES: [usize; 16] = [
    0, 1, 300, 5_000, 16_365, 20_000, 30_000, 31_000, 32_768, 70_000, 262_124, 300_000, 900_000, 2_500_000, 6_000_000,
    9_000_000,
];

/// A small generator (splitmix64): the same seed makes the same load.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// One client with its package.
pub(crate) struct Worker {
    pub(crate) package: &'static str,
    dice: Dice,
    /// What was acknowledged.
    pub(crate) before: Reference,
    /// The same and what was asked for last, if no answer came.
    pub(crate) after: Option<Reference>,
}

impl Worker {
    pub(crate) fn new(package: &'static str, seed: u64) -> Self {
        Self { package, dice: Dice(seed), before: Reference::default(), after: None }
    }

    /// Works until the connection ends, and counts the answers.
    pub(crate) fn work(&mut self, wire: &mut Wire, token: &str, answers: &AtomicU64) {
        assert!(self.after.is_none(), "what is in doubt was looked at");
        while self.step(wire, token).is_ok() {
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn step(&mut self, wire: &mut Wire, token: &str) -> io::Result<()> {
        let (op, after) = self.choose();
        self.after = Some(after);
        let (status, body) = ask(wire, token, &op)?;
        assert!((200..300).contains(&status), "{op:?}: {status} {}", String::from_utf8_lossy(&body));
        self.before = self.after.take().unwrap();
        Ok(())
    }

    /// An operation that the rules allow now, and what it leads to.
    fn choose(&mut self) -> (Op, Reference) {
        loop {
            let op = self.roll();
            let mut after = self.before.clone();
            if after.apply(&op, 1).is_ok() {
                return (op, after);
            }
        }
    }

    fn roll(&mut self) -> Op {
        let dice = &mut self.dice;
        let (version, channel) = (dice.pick(&VERSIONS), dice.pick(&CHANNELS));
        let release = ReleaseRef { package: self.package, channel, version };
        let (platform, name) = dice.pick(&FILES);
        let file = FileRef { release, platform, name };
        match dice.below(100) {
            0..4 => Op::CreatePackage { package: self.package },
            4..55 => {
                let seed = dice.below(4 * SIZES.len() as u64);
                Op::Publish { file, seed, size: SIZES[seed as usize % SIZES.len()], active: dice.below(3) == 0 }
            }
            55..63 => Op::Manifest { file, title: dice.pick(&["One", "Two"]) },
            63..69 => Op::Activate { release },
            69..73 => Op::Deactivate { release },
            73..80 => Op::Yank { release },
            80..84 => Op::Restore { release },
            84..92 => Op::DeleteFile { file },
            92..99 => Op::DeleteRelease { release },
            _ => Op::DeletePackage { package: self.package },
        }
    }

    /// Finds out whether what was asked for last was done, as a whole or not at all, and takes that for the truth.
    pub(crate) fn settle(&mut self, client: &Client, when: &str) {
        let dump = undated(dump(client, self.package));
        if let Some(after) = self.after.take()
            && dump == undated(after.dump())
        {
            self.before = after;
        }
        assert_eq!(dump, undated(self.before.dump()), "{when}: {}", self.package);
    }

    /// Downloads files, all of them or those that `wanted` picks, and compares them to the byte; answers their bytes.
    pub(crate) fn check_downloads(&self, client: &Client, mut wanted: impl FnMut() -> bool, when: &str) -> u64 {
        let mut total = 0;
        for (key, release) in self.before.packages.values().flat_map(|package| &package.releases) {
            for file in &release.files {
                if !wanted() {
                    continue;
                }
                let path = file_path(
                    &format!("{NAMESPACE}/{}", self.package),
                    &format!("{}/{}", key.0, key.1),
                    &format!("{}/{}", file.platform, file.name),
                );
                let answer = client.get(&path).is(200);
                assert_eq!(Sha256::of(&answer.body), file.sha256, "{when}: {path}");
                total += file.size;
            }
        }
        total
    }
}

/// A token with which a worker may do everything.
pub(crate) fn make_token(server: &TestServer) -> String {
    let wanted = json!({ "name": "load", "scopes": ["admin"], "expires": null });
    let made = server.omni().post("/api/v1/tokens").json(&wanted).is(201).json();
    made["secret"].as_str().unwrap().to_owned()
}

/// Says an operation over HTTP and waits for the answer.
fn ask(wire: &mut Wire, token: &str, op: &Op) -> io::Result<(u16, Vec<u8>)> {
    let package_path = |package: &str| format!("/api/v1/packages/{NAMESPACE}/{package}");
    let release_path = |release: &ReleaseRef| {
        format!("{}/releases/{}/{}", package_path(release.package), release.channel, release.version)
    };
    let path_of = |file: &FileRef| format!("{}/files/{}/{}", release_path(&file.release), file.platform, file.name);
    let json = |method, path, value: Value| (method, path, bytes::Bytes::from(value.to_string()));
    let (method, path, body) = match op {
        Op::CreatePackage { package } => {
            let description = format!("# The package {package}\n\nMore about it.");
            let body = json!({ "name": package, "description": description, "visibility": "public" });
            json("POST", "/api/v1/packages".to_owned(), body)
        }
        Op::Publish { file, seed, size, active } => {
            let create = if *active { "active" } else { "inactive" };
            ("PUT", format!("{}?create={create}", path_of(file)), content(*seed, *size))
        }
        Op::Manifest { file, title } => json("PUT", format!("{}/manifest", path_of(file)), manifest(title)),
        Op::Activate { release } => json("PATCH", release_path(release), json!({ "active": true })),
        Op::Deactivate { release } => json("PATCH", release_path(release), json!({ "active": false })),
        Op::Yank { release } => json("PATCH", release_path(release), json!({ "yanked": "broken" })),
        Op::Restore { release } => json("PATCH", release_path(release), json!({ "yanked": null })),
        Op::DeleteFile { file } => ("DELETE", path_of(file), bytes::Bytes::new()),
        Op::DeleteRelease { release } => ("DELETE", release_path(release), bytes::Bytes::new()),
        Op::DeletePackage { package } => ("DELETE", package_path(package), bytes::Bytes::new()),
        Op::Collect => unreachable!("nobody can ask for it over HTTP"),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: packages.test\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    wire.write(head.as_bytes())?;
    wire.write(&body)?;
    let (head, body) = wire.read_answer()?;
    Ok((head.status, body))
}

/// What the API shows of a package, as [`Reference::dump`] has it.
fn dump(client: &Client, package: &str) -> Value {
    let path = format!("/api/v1/packages/{NAMESPACE}/{package}");
    let answer = client.get(&path).send();
    if answer.status == 404 {
        return json!({});
    }
    let shown = answer.is(200).json();
    let releases = client.get(&format!("{path}/releases?limit=500")).is(200).json();
    let mut dumped = BTreeMap::new();
    for release in releases["items"].as_array().unwrap() {
        let place = format!("{}/{}", release["channel"].as_str().unwrap(), release["version"].as_str().unwrap());
        let (key, value) = dump_release(release, |platform, name| {
            let path = file_path(&format!("{NAMESPACE}/{package}"), &place, &format!("{platform}/{name}"));
            let answer = client.get(&format!("{path}/manifest")).send();
            Ok::<_, std::convert::Infallible>(match answer.status {
                404 => Value::Null,
                _ => answer.is(200).json(),
            })
        })
        .unwrap();
        dumped.insert(key, value);
    }
    json!({ package: { "description": shown["description"], "releases": dumped } })
}

/// Leaves of every time only whether there is one: the server's clock is its own.
pub(crate) fn undated(mut dump: Value) -> Value {
    for package in dump.as_object_mut().unwrap().values_mut() {
        for release in package["releases"].as_object_mut().unwrap().values_mut() {
            release["published"] = json!(!release["published"].is_null());
        }
    }
    dump
}

/// What all workers have together.
pub(crate) fn together(workers: &[Worker]) -> Reference {
    let packages = workers.iter().flat_map(|worker| worker.before.packages.clone());
    Reference { packages: packages.collect(), ..Reference::default() }
}

/// Checks that the index files of the default view are those of `reference`.
pub(crate) fn check_index(server: &TestServer, reference: &Reference, when: &str) {
    let client = server.anonymous();
    let mut views = super::expected_index::render(reference);
    let expected = views.remove("").unwrap();
    let registry: Value = serde_json::from_str(&client.get("/v2/registry.gz").is(200).gunzip()).unwrap();
    let hashes: HashMap<String, String> = serde_json::from_value(registry["files"].clone()).unwrap();
    assert_eq!(hashes.len(), expected.packages.len() + 1, "{when}: {registry}");
    for (name, text) in &expected.packages {
        let path = format!("packages/{name}.gz");
        assert_eq!(client.get(&format!("/v2/{path}")).is(200).gunzip(), *text, "{when}: {path}");
        assert_eq!(hashes[&path], format!("{:08x}", crc32fast::hash(text.as_bytes())), "{when}: {path}");
    }
    let summaries = client.get("/v2/summaries.gz").is(200).gunzip();
    assert_eq!(hashes["summaries.gz"], format!("{:08x}", crc32fast::hash(summaries.as_bytes())), "{when}");
    let undated = |mut summaries: Value| {
        for summary in summaries.as_object_mut().unwrap().values_mut() {
            summary["package"].as_object_mut().unwrap().remove("published");
        }
        summaries
    };
    assert_eq!(undated(serde_json::from_str(&summaries).unwrap()), undated(expected.summaries), "{when}");
}
