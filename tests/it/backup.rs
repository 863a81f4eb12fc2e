//! Backups of the real server at work, by the program itself: each is restored, served, and compared.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use packhouse::model::Crc32;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Cli, Proxy, Scope, TestServer, binary, file_path};

/// Nothing in these tests takes that long unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than what sockets hold between a server and who does not read.
const LARGE_BYTES: usize = 24 << 20;

/// The bytes of the file of a version: other ones each time, and of many sizes.
fn content(n: usize) -> Vec<u8> {
    let mut state = n as u64 + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(100 + n * 7919 % 70_000).collect()
}

fn package_of(n: usize) -> String {
    format!("p{}", n % 3)
}

/// Restores a backup, which must work, and says where to.
fn restore(from: &Path, temp: &TempDir, name: &str) -> PathBuf {
    let data = temp.path().join(name);
    let words = ["restore", from.to_str().unwrap(), "--data", data.to_str().unwrap(), "--json"];
    let told = Cli::new(&words).exits(0).json();
    assert!(told["serial"].as_u64().unwrap() > 0, "{told}");
    let checked = Cli::new(&["check", "--deep", "--json", "--data", data.to_str().unwrap()]).exits(0).json();
    assert_eq!(checked["sound"], true);
    data
}

fn registry_text(server: &TestServer) -> String {
    server.anonymous().get("/v2/registry.gz").is(200).gunzip()
}

#[test]
fn backups_during_publishing_are_each_the_state_of_one_serial() {
    let server = TestServer::start();
    let omni = server.token("omni", Scope::Publish);
    (0..3).for_each(|n| omni.make_package(&package_of(n), "public"));
    omni.make_package("heavy", "private");
    // What was public after each serial, and how many versions that were.
    let states: Mutex<BTreeMap<u64, (String, usize)>> = Mutex::default();
    let heavy_done = Mutex::new(0);
    let record = |published: usize| {
        let text = registry_text(&server);
        let state: Value = serde_json::from_str(&text).unwrap();
        states.lock().unwrap().insert(state["serial"].as_u64().unwrap(), (text, published));
    };
    record(0);
    let stop = AtomicBool::new(false);
    let temp = tempfile::tempdir().unwrap();
    let mut backups = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let release = format!("stable/1.0.{n}");
                omni.publish(&format!("omni/{}", package_of(n)), &release, "any/a.bin", content(n));
                record(n + 1);
            }
        });
        // Drafts beside them change nothing that is public, and keep the volumes busy.
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let path = file_path("omni/heavy", &format!("stable/1.0.{n}"), "any/a.bin");
                let bytes = vec![n as u8; 1_500_000];
                omni.put(&format!("{path}?create=inactive")).body(bytes).is(201);
                *heavy_done.lock().unwrap() = n + 1;
            }
        });
        for n in 0..5 {
            let before = *states.lock().unwrap().last_key_value().unwrap().0;
            let heavy_before = *heavy_done.lock().unwrap();
            let to = if n % 2 == 0 { temp.path().join(format!("{n}.tar")) } else { temp.path().join("folder/") };
            let words = ["backup", "--url", &server.origin(), "--to", to.to_str().unwrap(), "--json"];
            let told = Cli::new(&words).token(server.secret("root", Scope::Admin)).exits(0).json();
            let place = PathBuf::from(told["to"].as_str().unwrap());
            backups.push((place, before, heavy_before));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let states = states.into_inner().unwrap();
    for (n, (place, before, heavy_before)) in backups.iter().enumerate() {
        let data = restore(place, &temp, &format!("restored-{n}"));
        let restored = TestServer::with().on(&data).start();
        let text = registry_text(&restored);
        let state: Value = serde_json::from_str(&text).unwrap();
        let serial = state["serial"].as_u64().unwrap();
        assert!(serial >= *before, "what was acknowledged before the backup is in it");
        let (expected, published) = states.get(&serial).expect("there was such a state");
        assert_eq!(text, *expected);
        let anonymous = restored.anonymous();
        for (path, hash) in state["files"].as_object().unwrap() {
            let text = anonymous.get(&format!("/v2/{path}")).is(200).gunzip();
            assert_eq!(Crc32::of(text.as_bytes()).to_string(), hash.as_str().unwrap(), "{path}");
        }
        for n in 0..*published {
            let path = file_path(&format!("omni/{}", package_of(n)), &format!("stable/1.0.{n}"), "any/a.bin");
            assert!(anonymous.get(&path).is(200).body == content(n), "{path}");
        }
        let next = format!("/api/v1/packages/omni/{}/releases/stable/1.0.{published}", package_of(*published));
        anonymous.get(&next).is(404);
        let omni = restored.token("omni", Scope::Publish);
        for n in 0..*heavy_before {
            let path = file_path("omni/heavy", &format!("stable/1.0.{n}"), "any/a.bin");
            assert!(omni.get(&path).is(200).body == vec![n as u8; 1_500_000], "{path}");
        }
        // It goes on from there.
        omni.publish("omni/p0", "stable/9.0.0", "any/a.bin", "more");
        assert!(registry_text(&restored) != text);
    }
}

/// A server with more in it than fits between it and who does not read.
fn large_server() -> TestServer {
    let server = TestServer::start();
    let omni = server.token("omni", Scope::Publish);
    omni.make_package("kit", "public");
    let mut bytes = content(9).repeat(LARGE_BYTES / content(9).len() + 1);
    bytes.truncate(LARGE_BYTES);
    omni.publish("omni/kit", "stable/1.0.0", "any/a.bin", bytes);
    server
}

#[test]
fn who_reads_slowly_holds_up_nobody_and_gets_the_state_of_the_beginning() {
    let server = large_server();
    let (root, omni) = (server.token("root", Scope::Admin), server.token("omni", Scope::Admin));
    let (answer, mut body) = root.get("/api/v1/admin/backup").open();
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-tar"));
    root.get("/api/v1/admin/backup").problem(409, "another backup is running");
    // Everybody else goes on, even with what the backup has yet to read.
    let registry = registry_text(&server);
    omni.publish("omni/kit", "stable/2.0.0", "any/a.bin", "new");
    omni.delete("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(204);
    let temp = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).unwrap();
    let file = temp.path().join("slow.tar");
    fs::write(&file, &bytes).unwrap();
    let restored = TestServer::with().on(&restore(&file, &temp, "restored")).start();
    assert_eq!(registry_text(&restored), registry);
    let path = file_path("omni/kit", "stable/1.0.0", "any/a.bin");
    assert_eq!(restored.anonymous().get(&path).is(200).body.len(), LARGE_BYTES);
    let status = root.get("/api/v1/admin/status").is(200).json();
    assert!(status["backup"]["finished"].is_string() && status["backup"]["problem"].is_null(), "{status}");
    assert!(status["backup"]["scheduled"].is_null(), "none was asked for: {status}");
    let audit = root.get("/api/v1/admin/audit?limit=100").is(200).json();
    let told = audit["items"].as_array().unwrap().iter().find(|item| item["action"] == "backup_made").unwrap();
    assert_eq!((&told["actor"], &told["actor_kind"]), (&json!("root"), &json!("api_token")));
}

#[test]
fn a_backup_that_breaks_off_is_told_and_leaves_nothing() {
    let mut server = large_server();
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("backups/");
    let to_folder = |server: &TestServer| {
        Cli::new(&["backup", "--url", &server.origin(), "--to", folder.to_str().unwrap()])
            .token(server.secret("root", Scope::Admin))
    };
    to_folder(&server).exits(0);
    // A reader that stops in the middle, and a server that is killed there.
    let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
    command.args(["backup", "--url", &server.origin(), "--to", "-"]);
    command.env("PACKHOUSE_TOKEN", server.secret("root", Scope::Admin)).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut backup = command.spawn().unwrap();
    let mut out = backup.stdout.take().unwrap();
    let mut bytes = vec![0; 100_000];
    out.read_exact(&mut bytes).unwrap();
    server.kill();
    out.read_to_end(&mut bytes).unwrap();
    let ended = backup.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && told.contains("error:"), "{told}");
    assert!(bytes.len() < LARGE_BYTES);
    let file = temp.path().join("cut.tar");
    fs::write(&file, &bytes).unwrap();
    let data = temp.path().join("cut");
    let ran = Cli::new(&["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap()]).exits(1);
    assert!(ran.err.contains("not whole") && ran.err.contains("nothing was restored"), "{ran}");
    assert!(!data.exists());
    // No server, no backup, and no half file; those that were made stay.
    let words = ["backup", "--url", &server.origin(), "--to"];
    let file = temp.path().join("none.tar");
    Cli::new(&words).and(&[file.to_str().unwrap()]).token(server.secret("root", Scope::Admin)).exits(1);
    to_folder(&server).exits(1);
    let left: Vec<_> = fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "backups" || name == "cut.tar"), "{left:?}");
    restore(&folder, &temp, "restored");
    server.restart();
    let ran = to_folder(&server).and(&["--keep", "1"]).exits(0);
    assert!(ran.out.contains("1 backup kept, 1 removed"), "{ran}");
    restore(&folder, &temp, "restored again");
}

#[test]
fn a_client_that_is_killed_in_the_middle_harms_no_backup() {
    let mut server = large_server();
    // It tells of backups that nobody took to the end.
    server.may_fail();
    let temp = tempfile::tempdir().unwrap();
    let (folder, file) = (temp.path().join("backups"), temp.path().join("all.tar"));
    let targets = [format!("{}/", folder.display()), file.display().to_string()];
    let to = |target: &String| {
        let words = ["backup", "--url", &server.origin(), "--to", target];
        Cli::new(&words).token(server.secret("root", Scope::Admin)).exits(0)
    };
    targets.iter().for_each(|target| assert!(to(target).out.contains("serial ")));
    let before = fs::read(&file).unwrap();
    server.token("omni", Scope::Publish).publish("omni/kit", "stable/2.0.0", "any/a.bin", content(7));
    for (target, unfinished) in targets.iter().zip([folder.join("unfinished"), temp.path().join("all.tar.part")]) {
        let proxy = Proxy::stalling(server.address(), 8 << 20);
        let mut command = Command::new(binary());
        command.args(["backup", "--url", &proxy.origin(), "--to", target]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut client = command.env("PACKHOUSE_TOKEN", server.secret("root", Scope::Admin)).spawn().unwrap();
        wait_until("the client writes", || len_below(&unfinished) > 4 << 20);
        client.kill().unwrap();
        client.wait().unwrap();
        // The server is told by the connection, and is free for the next one.
        let root = server.token("root", Scope::Admin);
        let told = || root.get("/api/v1/admin/status").is(200).json()["backup"]["failed"].is_string();
        wait_until("the server has given it up", told);
        // What was there is there, and the next backup takes the place of what was begun.
        assert!(fs::read(&file).unwrap() == before, "a file is replaced when the new one is whole");
        restore(if unfinished.is_dir() { &folder } else { &file }, &temp, "restored");
        fs::remove_dir_all(temp.path().join("restored")).unwrap();
        to(target);
        assert!(!unfinished.exists() && !told());
    }
    let registry = registry_text(&server);
    for (from, name) in [(&folder, "from the folder"), (&file, "from the file")] {
        let restored = TestServer::with().on(&restore(from, &temp, name)).start();
        assert_eq!(registry_text(&restored), registry, "{name}");
    }
}

/// The bytes of a file, or of all files in a folder.
fn len_below(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.map(|entry| len_below(&entry.unwrap().path())).sum(),
        Err(_) => fs::metadata(path).map_or(0, |found| found.len()),
    }
}

#[test]
fn a_stopped_servers_directory_is_backed_up_moved_and_checked() {
    let mut server = large_server();
    let registry = registry_text(&server);
    server.stop();
    let temp = tempfile::tempdir().unwrap();
    let data = server.data().to_str().unwrap().to_owned();
    let file = temp.path().join("all.tar");
    let to = file.to_str().unwrap();
    Cli::new(&["backup", "--data", &data, "--to", to]).exits(0);
    let restored = restore(&file, &temp, "restored");
    assert_eq!(registry_text(&TestServer::with().on(&restored).start()), registry);
    // Only into what is empty, and a server's directory is not taken for a backup, nor a backup for one.
    let again = ["restore", to, "--data", restored.to_str().unwrap()];
    assert!(Cli::new(&again).exits(1).err.contains("an empty directory"));
    assert!(Cli::new(&["restore", &data, "--data", "nowhere"]).exits(1).err.contains("no backup"));
    let folder = temp.path().join("folder/");
    Cli::new(&["backup", "--data", &data, "--to", folder.to_str().unwrap()]).exits(0);
    let one = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let ran = Cli::new(&["user", "list", "--data", one.to_str().unwrap()]).exits(1);
    assert!(ran.err.contains("this is a backup"), "{ran}");
    for wrong in [&["--to", to, "--keep", "2"][..], &["--to", folder.to_str().unwrap(), "--keep", "0"]] {
        assert!(Cli::new(&["backup", "--data", &data]).and(wrong).exits(2).err.contains("--keep"));
    }
    // A damaged content is told with the release that it is of, and nothing is written.
    let volume = Path::new(&data).join("blobs/00000001.redb");
    let sound = fs::read(&volume).unwrap();
    let mut damaged = sound.clone();
    let piece = &content(9)[..64];
    let at = sound.windows(64).rposition(|window| window == piece).unwrap();
    damaged[at] ^= 1;
    fs::write(&volume, &damaged).unwrap();
    let ran = Cli::new(&["check", "--deep", "--data", &data]).exits(1);
    assert!(ran.out.contains("omni.kit stable 1.0.0: a.bin (any)"), "{ran}");
    assert!(fs::read(&volume).unwrap() == damaged, "a check changes nothing");
    Cli::new(&["check", "--data", &data]).exits(0);
    let ran = Cli::new(&["backup", "--data", &data, "--to", to]).exits(0);
    assert!(ran.out.contains("all.tar"), "{ran}");
    let lost = temp.path().join("lost");
    let ran = Cli::new(&["restore", to, "--data", lost.to_str().unwrap()]).exits(1);
    assert!(ran.err.contains("omni.kit stable 1.0.0: a.bin (any)") && !lost.exists(), "{ran}");
    fs::remove_file(&volume).unwrap();
    let ran = Cli::new(&["check", "--data", &data]).exits(1);
    assert!(ran.out.contains("blob volume 1 is missing") || ran.out.contains("is missing"), "{ran}");
    fs::write(&volume, &sound).unwrap();
    assert_eq!(Cli::new(&["check", "--deep", "--json", "--data", &data]).exits(0).json()["damages"], json!([]));
    let entities = Path::new(&data).join("packhouse.redb");
    let sound = fs::read(&entities).unwrap();
    fs::write(&entities, &sound[..sound.len() / 2]).unwrap();
    Cli::new(&["check", "--data", &data]).exits(1);
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_server_backs_itself_up() {
    let temp = Arc::new(tempfile::tempdir().unwrap());
    let folder = temp.path().join("backups");
    let flags = ["--backup-to", folder.to_str().unwrap(), "--backup-every", "1s", "--backup-keep", "2"];
    let mut server = TestServer::with().flags(&flags).start();
    let omni = server.token("omni", Scope::Publish);
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.bin", "a");
    let backups = || {
        let names = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('2')).collect();
        names.sort();
        names
    };
    wait_until("there are two backups", || backups().len() == 2);
    let first = backups();
    wait_until("old ones go", || backups().iter().all(|name| !first.contains(name)));
    assert!(backups().len() <= 3);
    let status = server.user("root").get("/api/v1/admin/status").is(200).json();
    assert!(status["backup"]["finished"].is_string(), "{status}");
    assert!(status["backup"]["scheduled"]["newest"].is_string(), "{status}");
    let registry = registry_text(&server);
    server.stop();
    assert_eq!(registry_text(&TestServer::with().on(&restore(&folder, &temp, "restored")).start()), registry);
}

#[test]
fn a_scheduled_backup_that_fails_is_told_and_harms_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("a file");
    fs::write(&file, "is no folder").unwrap();
    let mut server = TestServer::with().flags(&["--backup-to", file.to_str().unwrap()]).start();
    server.may_fail();
    server.wait_for_log("a backup failed");
    let omni = server.token("omni", Scope::Publish);
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.bin", "a");
    let status = server.user("root").get("/api/v1/admin/status").is(200).json();
    let problem = status["backup"]["problem"].as_str().unwrap();
    assert!(problem.contains("a file") && status["backup"]["failed"].is_string(), "{status}");
    let scheduled = &status["backup"]["scheduled"];
    assert!(scheduled["newest"].is_null() && scheduled["next"].is_string(), "it is tried again: {status}");
    assert!(status["scrub"]["next"].is_string() && status["scrub"]["finished"].is_null(), "{status}");
}
