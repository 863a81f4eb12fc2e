//! Runs every command of the README in its order, as a reader would, then those of the pages that go on from there, and
//! checks what comes of them.
//!
//! Replaces only what a reader replaces as well: the port, the setup token, and the folder of the system's own files.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::{project, skip_installable};

/// Pages whose commands a reader of the README may go on with.
const PAGES: [&str; 4] = ["publishing", "updates", "operations", "security"];

/// A command block that the test itself is part of.
const TESTS: &str = "bash tests/run\n";

fn text_of(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap()
}

fn page(name: &str) -> String {
    text_of(&format!("ui/docs/{name}.md"))
}

#[test]
fn every_command_works() {
    let blocks = blocks_of(&text_of("README.md"), "sh");
    let (start, rest) = blocks.split_first().unwrap();
    assert_eq!(rest[0], TESTS, "the second command runs the tests");
    let house = House::new();
    let server = house.start_server(start);
    for block in &rest[1..] {
        house.run(&server.fill_in(block));
    }
    let more: Vec<String> = PAGES.iter().flat_map(|name| blocks_of(&page(name), "sh")).collect();
    assert!(more.len() > 9, "{more:?}");
    for block in more {
        house.run(&server.fill_in(&block));
    }
    let read = |path: &str| fs::read_to_string(house.dir.path().join(path)).unwrap();
    assert_eq!(read("downloaded.sh"), "echo hello\n");
    assert!(read("registry/registry.json").contains("\"packages/omni.hello.gz\""));
    assert_eq!(read("newest.sh"), "echo hello again\n");
    for directory in ["restored-data", "moved-data", "restored", "moved"] {
        assert!(house.dir.path().join(directory).join("packhouse.redb").exists(), "{directory}");
    }
    assert!(house.system("usr/local/bin/packhouse").exists());
    for unit in ["packhouse.service", "packhouse.socket"] {
        assert!(house.system("etc/systemd/system").join(unit).exists(), "{unit}");
    }
    let asked = read("systemctl.log");
    for call in ["reload packhouse", "stop packhouse", "enable --now packhouse.socket packhouse"] {
        assert!(asked.lines().any(|line| line == call), "{call} is missing in:\n{asked}");
    }
}

#[test]
fn settings_that_are_shown_are_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packhouse.toml");
    let shown = [blocks_of(&text_of("README.md"), "toml"), blocks_of(&page("operations"), "toml")].concat();
    assert!(shown.len() > 2, "{shown:?}");
    for text in shown {
        fs::write(&path, &text).unwrap();
        let mut print = Command::new(env!("CARGO_BIN_EXE_packhouse"));
        let output = print.args(["serve", "--print-config", "--config"]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_updater_that_is_shown_updates() {
    let blocks = blocks_of(&page("updates"), "python");
    let server = crate::support::TestServer::start();
    let omni = server.omni();
    omni.make_package("hello", "public");
    omni.publish("omni/hello", "stable/2.0.0", "linux-x64/hello", "the new one");
    let folder = tempfile::tempdir().unwrap();
    let updater = blocks[0].replace("https://packages.example.com", &server.origin());
    let program = format!("{updater}\nprint(update('1.0.0', 'new'), update('2.0.0', 'none'))\n");
    let Ok(output) = Command::new("python3").args(["-c", &program]).current_dir(folder.path()).output() else {
        skip_installable("python3 is not installed here");
        return;
    };
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert_eq!(said, "2.0.0 None\n");
    assert_eq!(fs::read_to_string(folder.path().join("new")).unwrap(), "the new one");
    assert!(!folder.path().join("none").exists());
}

#[test]
fn the_readme_names_every_flag_of_the_server() {
    let readme = text_of("README.md");
    for command in [
        &["serve"][..],
        &["publish"],
        &["sync"],
        &["updates"],
        &["export"],
        &["import"],
        &["backup"],
        &["restore"],
        &["check"],
        &["compact"],
        &["migrate"],
        &["health"],
        &["user", "add"],
        &["token", "add"],
    ] {
        let help = Command::new(env!("CARGO_BIN_EXE_packhouse")).args(command).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let flags: Vec<&str> = help.lines().filter_map(|line| line.trim().strip_prefix("--")).collect();
        assert!(!flags.is_empty(), "{command:?} has flags");
        for flag in flags {
            let flag = format!("--{}", flag.split([' ', ',']).next().unwrap());
            assert!(flag == "--help" || readme.contains(&flag), "the README does not name {flag} of {command:?}");
        }
    }
}

/// The blocks of a Markdown text that are in a language.
fn blocks_of(text: &str, language: &str) -> Vec<String> {
    let begin = format!("```{language}");
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line) {
            (None, line) if line == begin => open = Some(String::new()),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

/// A folder that stands for a reader's checkout, with stand-ins for what would change the machine.
struct House {
    dir: TempDir,
}

impl House {
    fn new() -> Self {
        let house = Self { dir: tempfile::tempdir().unwrap() };
        let bin = house.dir.path().join("bin");
        for folder in ["bin", "target", "packaging"] {
            fs::create_dir_all(house.dir.path().join(folder)).unwrap();
        }
        let packaging = project().join("packaging");
        for file in ["install.sh", "packhouse.service", "packhouse.socket", "packhouse.sysusers", "packhouse.toml"] {
            fs::copy(packaging.join(file), house.dir.path().join("packaging").join(file)).unwrap();
        }
        let top = house.dir.path().display();
        let packhouse = env!("CARGO_BIN_EXE_packhouse");
        for (name, body) in [
            ("packhouse", format!("exec {packhouse} \"$@\"")),
            // `cargo run --release -- ARGUMENTS` without building a second time.
            ("cargo", format!("[ \"$1 $2 $3\" = 'run --release --' ] && shift 3 && exec {packhouse} \"$@\"")),
            // What is installed goes to a system of its own.
            ("sudo", format!("export DESTDIR={top}/system; exec \"$@\"")),
            ("systemctl", format!("echo \"$*\" >> {top}/systemctl.log")),
            ("journalctl", "[ \"$*\" = '-u packhouse' ]".to_owned()),
            // So has the package.
            ("../packaging/deb", format!("touch {top}/target/packhouse_0.1.0_amd64.deb")),
            ("apt", format!("[ \"$*\" = 'install ./target/packhouse_0.1.0_amd64.deb' ] && test -e {top}/\"$2\"")),
            // The build has a test of its own; here only its product counts.
            ("../packaging/build", format!("install -m 755 {packhouse} {top}/target/packhouse")),
        ] {
            let path = bin.join(name);
            fs::write(&path, format!("#!/bin/bash\nset -e\n{body}\n")).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(&path, mode).unwrap();
        }
        house
    }

    fn system(&self, path: &str) -> PathBuf {
        self.dir.path().join("system").join(path)
    }

    fn bash(&self) -> Command {
        let mut command = Command::new("bash");
        let path = format!("{}/bin:{}", self.dir.path().display(), std::env::var("PATH").unwrap());
        command.args(["-euo", "pipefail"]).current_dir(self.dir.path()).env("PATH", path).stdin(Stdio::null());
        command
    }

    fn start_server(&self, block: &str) -> Server {
        let mut child = self
            .bash()
            .args(["-c", &format!("exec {block}")])
            .env("PACKHOUSE_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(self.dir.path().join("server.log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = lines.next().and_then(|line| line.strip_prefix("listening on http://").map(str::to_owned));
        let token = lines.next().and_then(|line| line.split_once("token=").map(|(_, token)| token.to_owned()));
        let (Some(address), Some(token)) = (address, token) else {
            let _ = child.kill();
            panic!("the server did not start: {}", fs::read_to_string(self.dir.path().join("server.log")).unwrap());
        };
        Server { child, address, token }
    }

    /// Runs a block; what it exports, later blocks have too.
    fn run(&self, block: &str) {
        let script = format!("[ ! -e exported ] || . ./exported\n{block}\nexport -p > exported");
        let output = self.bash().args(["-c", &script]).output().unwrap();
        let log = fs::read_to_string(self.dir.path().join("server.log")).unwrap();
        assert!(
            output.status.success(),
            "{block}\nended with {}\n{}\n{}\nserver:\n{log}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.contains("\"status\":4") && !text.contains("\"status\":5"), "{block}\nwas refused:\n{text}");
    }
}

struct Server {
    child: Child,
    address: String,
    token: String,
}

impl Server {
    fn fill_in(&self, block: &str) -> String {
        let block = block.replace("127.0.0.1:8080", &self.address).replace("SETUP-TOKEN", &self.token);
        block.replace("--config /etc/", "--config system/etc/")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
