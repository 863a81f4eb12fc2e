//! Resumable uploads with the clients that others wrote, over connections that break and through restarts.
//!
//! `tests/run` installs them into `target/clients` where it can; without them, the tests say that they were skipped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Proxy, Scope, TestServer, file_path, project, skip_installable};

const MIB: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(120);

fn installed(path: &str) -> Option<PathBuf> {
    let path = project().join("target/clients").join(path);
    if path.exists() {
        return Some(path);
    }
    skip_installable("target/clients has no such client");
    None
}

fn script(name: &str) -> PathBuf {
    project().join("tests/clients").join(name)
}

fn content(len: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 24) as u8
    });
    words.take(len).collect()
}

/// Has a client upload through a way that breaks, kills and restarts the server in between, and compares.
fn check(make: impl Fn(&str, &str, &Path, &str) -> Command, cuts: Vec<u64>, version: &str) {
    let mut server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.zip");
    let bytes = content(40 * MIB as usize + 4321);
    std::fs::write(&path, &bytes).unwrap();
    let cut_count = cuts.len();
    let proxy = Proxy::to(server.address(), cuts);
    let token = server.secret("omni", Scope::Publish);
    let mut client = make(&proxy.origin(), token, &path, version);
    let mut client = Running(client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client runs"));
    // After the second cut the server is killed, after the third it is stopped in good order.
    for (left, kill) in [(cut_count - 2, true), (cut_count - 3, false)] {
        client.wait_until(|| proxy.cuts_left() <= left);
        if kill {
            server.kill();
        } else {
            server.stop();
        }
        server.restart();
        proxy.moved_to(server.address());
    }
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = client.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "the client does not end");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{}\n{}", client.said(), server.log());
    assert_eq!(proxy.cuts_left(), 0, "the way broke as often as it was to");
    let got = server.anonymous().get(&file_path("omni/kit", &format!("stable/{version}"), "any/app.zip")).is(200);
    assert!(got.body == bytes, "what came is what was sent");
    assert_eq!(server.also(&omni).get("/api/v1/uploads").is(200).json()["items"], serde_json::json!([]));
    let begun = server.log().matches("route=\"create_upload\"").count();
    assert_eq!(begun, 1, "it went on, and did not begin again");
}

/// A client that does not outlive its test.
struct Running(Child);

impl Running {
    fn wait_until(&mut self, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            if let Some(status) = self.0.try_wait().unwrap() {
                panic!("the client ended early with {status}: {}", self.said());
            }
            assert!(Instant::now() < end, "it takes too long");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn said(&mut self) -> String {
        let mut text = String::new();
        for pipe in [
            self.0.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>),
            self.0.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>),
        ] {
            let _ = pipe.map(|mut pipe| pipe.read_to_string(&mut text));
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn tus_js_client() {
    let Some(modules) = installed("node_modules") else { return };
    for (chunk_bytes, cuts, version) in [
        ("0", vec![3 * MIB, 9 * MIB, 5 * MIB, MIB, 11 * MIB], "1.0.0"),
        ("3000000", vec![MIB, 2 * MIB, 500_000, 2 * MIB], "2.0.0"),
    ] {
        let node = |origin: &str, token: &str, path: &Path, version: &str| {
            let mut command = Command::new("node");
            command.arg(script("tus_upload.mjs")).arg(&modules).args([origin, token]).arg(path);
            command.args([version, chunk_bytes]);
            command
        };
        check(node, cuts, version);
    }
}

#[test]
fn tuspy() {
    let Some(python) = installed("venv/bin/python") else { return };
    let run = |origin: &str, token: &str, path: &Path, version: &str| {
        let mut command = Command::new(&python);
        command.arg(script("tus_upload.py")).args([origin, token]).arg(path).args([version, "3000000"]);
        command
    };
    check(run, vec![MIB, 2 * MIB, 1_500_000, 2 * MIB], "1.0.0");
}
