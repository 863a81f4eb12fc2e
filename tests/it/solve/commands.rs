//! The commands against a real server: publish, sync, search, resolve, install, and install again.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// A server in a folder of its own; it ends with this value.
struct House {
    dir: tempfile::TempDir,
    server: Child,
    url: String,
    token: String,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn packhouse(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
    command.current_dir(dir).env_clear().env("PACKHOUSE_DATA", dir.join("data"));
    command
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut add = packhouse(dir.path());
        let mut add = add.args(["user", "add", "omni", "--admin", "--create"]).stdin(Stdio::piped()).spawn().unwrap();
        add.stdin.take().unwrap().write_all(b"correct horse battery\n").unwrap();
        assert!(add.wait().unwrap().success());
        let token = packhouse(dir.path()).args(["token", "add", "omni", "--scope", "publish"]).output().unwrap();
        let token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
        let mut serve = packhouse(dir.path());
        serve.args(["serve", "--listen", "127.0.0.1:0", "--log", "error"]).stdout(Stdio::piped());
        let mut server = serve.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { dir, server, url, token }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = packhouse(self.dir.path());
        command.env("PACKHOUSE_INDEX", "index").env("PACKHOUSE_URL", &self.url).env("PACKHOUSE_PLATFORM", "linux-x64");
        command.args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; its JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn publish(&self, name: &str, version: &str, manifest: &Value) {
        fs::write(self.dir.path().join("manifest.json"), manifest.to_string()).unwrap();
        let file = format!("{name}.bin");
        fs::write(self.dir.path().join(&file), format!("{name} {version}")).unwrap();
        let mut command = packhouse(self.dir.path());
        command.env("PACKHOUSE_TOKEN", &self.token).args(["publish", &self.url, &file, "--package", name]);
        command.args(["--version", version, "--manifest", "manifest.json"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn sync(&self) {
        let output = packhouse(self.dir.path()).args(["sync", &self.url, "index"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn create_package(&self, name: &str) {
        let body = json!({"name": name, "description": "", "visibility": "public"}).to_string();
        let host = self.url.strip_prefix("http://").unwrap().trim_end_matches('/');
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        let head = format!(
            "POST /api/v1/packages HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
}

#[test]
fn packages_are_found_resolved_and_installed() {
    let house = House::new();
    for name in ["app", "core", "kit.window"] {
        house.create_package(name);
    }
    let needs = json!({"dependencies": {"omni.core": {"version": "1.0.0"}, "omni.kit.window": "^1"}});
    house.publish("omni.core", "1.0.0", &json!({}));
    house.publish("omni.core", "2.0.0", &json!({}));
    house.publish("omni.kit.window", "1.4.0", &json!({"package": {"title": "Windows", "keywords": ["ui"]}}));
    house.publish("omni.app", "1.0.0", &needs);
    house.sync();

    let found = house.json(&["search", "ui"]);
    assert_eq!((&found["packages"][0]["name"], &found["total"]), (&json!("omni.kit.window"), &json!(1)));
    let resolved = house.json(&["resolve", "omni.app@^1"]);
    let ids = |value: &Value| {
        let packages = value["packages"].as_array().unwrap().iter();
        packages.map(|p| format!("{} {}", p["name"].as_str().unwrap(), p["id"].as_str().unwrap())).collect::<Vec<_>>()
    };
    let expected = ["omni.app 1.0.0", "omni.core 1.0.0", "omni.kit.window 1.4.0"];
    assert_eq!(ids(&resolved), expected);
    assert_eq!((&resolved["files_read"], &resolved["lines_parsed"]), (&json!(3), &json!(3)));
    let text = house.run(&["resolve", "omni.app"]).stdout;
    assert!(String::from_utf8(text).unwrap().contains("omni.core 1.0.0 (for omni.app)"));

    let installed = house.json(&["install", "omni.app", "--into", "out"]);
    assert_eq!((ids(&installed), &installed["fetched"]), (expected.map(str::to_owned).to_vec(), &json!(3)));
    let read = |path: &str| fs::read_to_string(house.dir.path().join("out").join(path)).unwrap();
    assert_eq!(read("omni.core-1.0.0/omni.core.bin"), "omni.core 1.0.0");
    let lock = read("packhouse.lock");

    house.publish("omni.core", "1.5.0", &json!({}));
    house.sync();
    for arguments in [&["install", "--into", "out"][..], &["install", "omni.app", "--into", "out"]] {
        assert_eq!(house.json(arguments)["present"], 3, "{arguments:?}");
        assert_eq!(read("packhouse.lock"), lock);
    }
    let output = house.run(&["install", "--into", "out", "--update"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("~ omni.core 1.5.0 (was 1.0.0)\n3 packages: 1 fetched"), "{text}");
    // The old lock elsewhere gives what it gave here.
    fs::write(house.dir.path().join("old.lock"), &lock).unwrap();
    let there = house.json(&["install", "--into", "there", "--lock", "old.lock"]);
    assert_eq!(ids(&there), expected);

    let conflict = house.run(&["resolve", "omni.app", "omni.core@2"]);
    assert_eq!(conflict.status.code(), Some(1));
    let text = String::from_utf8(conflict.stderr).unwrap();
    assert!(text.contains("* omni.app 1.0.0 requires omni.core >=1.0.0, <2"), "{text}");
    for arguments in [&["resolve"][..], &["install", "--into", "empty"], &["resolve", "nodot"]] {
        assert_eq!(house.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let nowhere = house.run(&["search", "x", "--index", "nowhere"]);
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("run `packhouse sync URL"), "no copy, and what to do");
}
