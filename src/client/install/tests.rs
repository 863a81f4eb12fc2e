//! Installs against a scripted registry: what is fetched, verified, kept and refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;

use super::*;
use crate::client::Token;
use crate::client::progress::Silent;
use crate::client::solve::{Packages, Request, Root, SolveLimits};
use crate::client::sync::LocalError;
use crate::client::test_server::{Reply, TestServer};
use crate::model::{FullName, PlatformName, Sha256};

/// An index and the registry that has its archives.
struct Stage {
    server: TestServer,
    lines: Mutex<BTreeMap<String, String>>,
    archives: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    dir: tempfile::TempDir,
}

impl Packages for Stage {
    fn lines(&self, name: &FullName) -> Result<Option<String>, LocalError> {
        Ok(self.lines.lock().unwrap().get(name.as_str()).cloned())
    }

    fn platforms(&self, _: &FullName) -> Result<BTreeSet<PlatformName>, LocalError> {
        Ok(BTreeSet::new())
    }
}

impl Stage {
    async fn new() -> Self {
        let archives: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let served = Arc::clone(&archives);
        let server = TestServer::start(move |seen| {
            served
                .lock()
                .unwrap()
                .get(&seen.target)
                .map_or_else(|| Reply::status(404), |bytes| Reply::ok(bytes.clone()))
        })
        .await;
        Self { server, lines: Mutex::default(), archives, dir: tempfile::tempdir().unwrap() }
    }

    /// Adds a version of a package that needs others, with a file of this name and content as its archive.
    fn publish(&self, name: &str, id: &str, needs: &str, (file, content): (&str, &[u8])) {
        let path = format!("archives/{name}/{name}-{id}/{file}");
        self.list(name, id, needs, &path, content);
        self.archives.lock().unwrap().insert(format!("/v2/{path}"), content.to_vec());
    }

    fn list(&self, name: &str, id: &str, needs: &str, path: &str, content: &[u8]) {
        let package =
            serde_json::json!({"archivePath": path, "size": content.len(), "sha256": Sha256::of(content).to_string()});
        let line = format!("{id} {{\"dependencies\":{needs},\"package\":{package}}}\n");
        self.lines.lock().unwrap().entry(name.to_owned()).or_default().push_str(&line);
    }

    fn request(&self, roots: &[&str]) -> Request {
        Request {
            roots: roots.iter().map(|root| root.parse::<Root>().unwrap()).collect(),
            platform: "linux-x64".parse().unwrap(),
            prereleases: false,
            preferred: BTreeMap::new(),
            limits: SolveLimits::default(),
        }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn options(&self, unpack: bool) -> InstallOptions {
        let root = Some(self.server.url.view_root());
        InstallOptions { root, out: self.out(), unpack, limits: InstallLimits::default() }
    }

    async fn install(&self, lock: &Lock, unpack: bool) -> Result<InstallReport, InstallError> {
        install(&self.server.client(), &self.options(unpack), lock, Arc::new(Silent)).await
    }

    fn file(&self, path: &str) -> String {
        fs::read_to_string(self.out().join(path)).unwrap()
    }

    /// What is in the folder besides our own.
    fn folders(&self) -> Vec<String> {
        let names = fs::read_dir(self.out()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != ".packhouse").collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn archives_are_fetched_once_and_mended_where_they_are_damaged() {
    let stage = Stage::new().await;
    stage.publish("omni.app", "1.0.0+linux-x64", "{\"omni.core\":{}}", ("a b.zip", b"app"));
    stage
        .archives
        .lock()
        .unwrap()
        .insert("/v2/archives/omni.app/omni.app-1.0.0+linux-x64/a%20b.zip".into(), b"app".into());
    stage.publish("omni.core", "2.0.0", "{}", ("core.bin", b"core"));
    let lock = plan(&stage, &stage.request(&["omni.app"]), None, &Measured::new()).unwrap();
    let report = stage.install(&lock, false).await.unwrap();
    assert_eq!((report.fetched, report.present, report.received_bytes), (2, 0, 7));
    assert_eq!(stage.folders(), ["omni.app-1.0.0+linux-x64", "omni.core-2.0.0"]);
    assert_eq!(stage.file("omni.app-1.0.0+linux-x64/a b.zip"), "app");
    stage.server.take_lines();
    let report = stage.install(&lock, false).await.unwrap();
    assert_eq!((report.fetched, report.present), (0, 2));
    assert!(stage.server.take_lines().is_empty());
    fs::write(stage.out().join("omni.core-2.0.0/core.bin"), "cord").unwrap();
    assert_eq!(stage.install(&lock, false).await.unwrap().fetched, 1);
    assert_eq!(stage.file("omni.core-2.0.0/core.bin"), "core");
    fs::remove_dir_all(stage.out().join("omni.core-2.0.0")).unwrap();
    assert_eq!(stage.install(&lock, false).await.unwrap().fetched, 1);
    assert!(!stage.out().join(".packhouse/incoming").exists());
}

#[tokio::test]
async fn a_lock_makes_an_install_repeatable() {
    let stage = Stage::new().await;
    stage.publish("omni.app", "1.0.0", "{\"omni.core\":\"^1\"}", ("a", b"1"));
    stage.publish("omni.core", "1.0.0", "{}", ("c", b"1"));
    let request = stage.request(&["omni.app"]);
    let lock = plan(&stage, &request, None, &Measured::new()).unwrap();
    stage.publish("omni.core", "1.1.0", "{}", ("c", b"2"));
    stage.publish("omni.other", "1.0.0", "{}", ("o", b"o"));
    let again = plan(&stage, &request, Some(&lock), &Measured::new()).unwrap();
    assert_eq!(again.text(), lock.text());
    // Something more is asked for: what is locked stays.
    let more = plan(&stage, &stage.request(&["omni.other", "omni.app"]), Some(&lock), &Measured::new()).unwrap();
    let ids = |lock: &Lock| lock.packages.iter().map(Locked::folder_name).collect::<Vec<_>>();
    assert_eq!(ids(&more), ["omni.app-1.0.0", "omni.core-1.0.0", "omni.other-1.0.0"]);
    assert_eq!(ids(&plan(&stage, &request, None, &Measured::new()).unwrap()), ["omni.app-1.0.0", "omni.core-1.1.0"]);
    // Yanked, it stays locked and is not chosen anew.
    let yank = |text: &mut String| *text = text.replacen("\"package\":{", "\"package\":{\"yanked\":true,", 1);
    stage.lines.lock().unwrap().get_mut("omni.core").map(yank).unwrap();
    assert_eq!(plan(&stage, &request, Some(&lock), &Measured::new()).unwrap(), lock);
    assert_eq!(
        ids(&plan(&stage, &stage.request(&["omni.core", "omni.app"]), Some(&lock), &Measured::new()).unwrap())[1],
        "omni.core-1.0.0"
    );
    // Removed or replaced, it is an error that says so.
    let mut lines = stage.lines.lock().unwrap().clone();
    stage.lines.lock().unwrap().remove("omni.core");
    let error = plan(&stage, &request, Some(&lock), &Measured::new()).unwrap_err().to_string();
    assert!(error.starts_with("omni.core 1.0.0 is in the lock file and not in the index any more"), "{error}");
    let replaced =
        lines.get_mut("omni.core").unwrap().replace(&Sha256::of(b"1").to_string(), &Sha256::of(b"9").to_string());
    stage.lines.lock().unwrap().insert("omni.core".into(), replaced);
    let error = plan(&stage, &request, Some(&lock), &Measured::new()).unwrap_err().to_string();
    assert!(error.contains("is not the archive that was locked"), "{error}");
}

#[tokio::test]
async fn what_is_not_the_listed_archive_is_not_installed() {
    let stage = Stage::new().await;
    stage.publish("omni.app", "1.0.0", "{}", ("a.zip", b"content"));
    let lock = plan(&stage, &stage.request(&["omni.app"]), None, &Measured::new()).unwrap();
    let path = "/v2/archives/omni.app/omni.app-1.0.0/a.zip".to_owned();
    for (sent, why) in
        [(&b"contenT"[..], "its SHA-256 is"), (b"conten", "6 bytes instead of 7"), (b"contents", "more than 7")]
    {
        stage.archives.lock().unwrap().insert(path.clone(), sent.to_vec());
        let error = stage.install(&lock, false).await.unwrap_err();
        assert!(matches!(&error, InstallError::Different { .. }) && error.to_string().contains(why), "{error}");
        assert!(stage.folders().is_empty());
        assert!(!stage.out().join(".packhouse/incoming").exists(), "what was refused stays behind");
    }
    stage.archives.lock().unwrap().clear();
    let error = stage.install(&lock, false).await.unwrap_err().to_string();
    assert!(error.starts_with("omni.app 1.0.0: GET http://127.0.0.1:") && error.contains("404"), "{error}");
    let limits = InstallLimits { archive_bytes_max: 6, ..InstallLimits::default() };
    let small = InstallOptions { limits, ..stage.options(false) };
    let error = install(&stage.server.client(), &small, &lock, Arc::new(Silent)).await.unwrap_err();
    assert!(matches!(error, InstallError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let broken = Arc::new(Mutex::new(2));
    let server = TestServer::start(move |_| {
        let mut left = broken.lock().unwrap();
        if *left == 0 {
            return Reply::ok("content");
        }
        *left -= 1;
        Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ncon".to_vec())
    })
    .await;
    let stage = Stage { server, ..Stage::new().await };
    stage.list("omni.app", "1.0.0", "{}", "a.bin", b"content");
    let lock = plan(&stage, &stage.request(&["omni.app"]), None, &Measured::new()).unwrap();
    assert_eq!(stage.install(&lock, false).await.unwrap().fetched, 1);
    assert_eq!(stage.file("omni.app-1.0.0/a.bin"), "content");
}

#[tokio::test]
async fn a_token_goes_to_the_registry_alone() {
    let stage = Stage::new().await;
    let elsewhere = TestServer::start(|_| Reply::ok("far")).await;
    stage.publish("omni.near", "1.0.0", "{}", ("n", b"near"));
    stage.list("omni.far", "1.0.0", "{}", &elsewhere.url.join("x/f.bin").exposed(), b"far");
    let lock = plan(&stage, &stage.request(&["omni.near", "omni.far"]), None, &Measured::new()).unwrap();
    let token: Token = "ph_acc_secret".parse().unwrap();
    let client = stage.server.client_with(|options| options.token = Some(token));
    install(&client, &stage.options(false), &lock, Arc::new(Silent)).await.unwrap();
    assert_eq!(stage.file("omni.far-1.0.0/f.bin"), "far");
    let authorizations = |server: &TestServer| {
        server.take_seen().iter().map(|seen| seen.field("authorization").is_some()).collect::<Vec<_>>()
    };
    assert_eq!(authorizations(&stage.server), [true]);
    assert_eq!(authorizations(&elsewhere), [false]);
}

#[tokio::test]
async fn content_is_unpacked_where_that_is_asked_for() {
    let stage = Stage::new().await;
    let tar = {
        let mut header = [0_u8; 512];
        header[..5].copy_from_slice(b"bin/a");
        header[124..135].copy_from_slice(b"00000000003");
        header[156] = b'0';
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let mut tar = header.to_vec();
        tar.extend(b"run");
        tar.resize(1024, 0);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gzip, &tar).unwrap();
        gzip.finish().unwrap()
    };
    stage.publish("omni.app", "1.0.0", "{}", ("app.tar.gz", &tar));
    stage.publish("omni.doc", "1.0.0", "{}", ("doc.pdf", b"pdf"));
    let lock = plan(&stage, &stage.request(&["omni.app", "omni.doc"]), None, &Measured::new()).unwrap();
    stage.install(&lock, true).await.unwrap();
    assert_eq!(stage.file("omni.app-1.0.0/bin/a"), "run");
    assert_eq!(stage.file("omni.doc-1.0.0/doc.pdf"), "pdf");
    assert_eq!(stage.install(&lock, true).await.unwrap().fetched, 0);
    // The other form takes the place of the first, and nothing of that stays.
    assert_eq!(stage.install(&lock, false).await.unwrap().fetched, 1);
    assert!(stage.out().join("omni.app-1.0.0/app.tar.gz").is_file());
    assert!(!stage.out().join("omni.app-1.0.0/bin").exists());
    // One that cannot be unpacked leaves what was there.
    stage.publish("omni.app", "1.1.0", "{}", ("app.zip", b"no zip"));
    let newer = plan(&stage, &stage.request(&["omni.app"]), None, &Measured::new()).unwrap();
    let error = stage.install(&newer, true).await.unwrap_err().to_string();
    assert!(error.starts_with("omni.app 1.1.0: it cannot be unpacked"), "{error}");
    assert!(!stage.out().join(".packhouse/incoming").exists(), "what was refused stays behind");
    assert_eq!(stage.folders(), ["omni.app-1.0.0", "omni.doc-1.0.0"]);
}

#[tokio::test]
async fn folders_of_others_are_left_alone() {
    let stage = Stage::new().await;
    stage.publish("omni.app", "1.0.0", "{}", ("a", b"1"));
    let lock = plan(&stage, &stage.request(&["omni.app"]), None, &Measured::new()).unwrap();
    fs::create_dir_all(stage.out().join("omni.app-1.0.0")).unwrap();
    fs::write(stage.out().join("omni.app-1.0.0/mine"), "mine").unwrap();
    let error = stage.install(&lock, false).await.unwrap_err();
    assert!(matches!(error, InstallError::Foreign { .. }), "{error}");
    assert_eq!(stage.file("omni.app-1.0.0/mine"), "mine");
    fs::remove_dir_all(stage.out().join("omni.app-1.0.0")).unwrap();
    let _held = OutFolder::open(&stage.out()).unwrap();
    assert!(matches!(stage.install(&lock, false).await.unwrap_err(), InstallError::Busy { .. }));
}

#[tokio::test]
async fn an_archive_of_which_too_little_is_known_is_not_installed() {
    let stage = Stage::new().await;
    let line = "1.0.0 {\"package\":{\"archivePath\":\"x\",\"size\":1}}\n".to_owned();
    stage.lines.lock().unwrap().insert("omni.app".into(), line);
    let error = plan(&stage, &stage.request(&["omni.app"]), None, &Measured::new()).unwrap_err().to_string();
    assert_eq!(
        error,
        "omni.app 1.0.0 cannot be installed: the index gives no SHA-256 digest of its archive, so that nothing tells whether \
         what comes is right; --allow-unverified omni.app takes it as it comes"
    );
}
