//! What installs the server and what stands before it: the Debian package, in a root directory of its own, and nginx.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Scope, TestServer, Wire, binary, file_path, is_there, project, skip};

const PATIENCE: Duration = Duration::from_secs(60);

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{command:?} ended with {}\n{said}", output.status);
    said
}

/// Makes the package of a binary.
fn package(binary: &Path, out: &Path) -> PathBuf {
    let mut deb = Command::new(project().join("packaging/deb"));
    let said = run(deb.arg(binary).arg(out).env("DEB_COMPRESSION", "none").env("SOURCE_DATE_EPOCH", "1"));
    let built = said.lines().find_map(|line| line.strip_prefix("built ")).unwrap();
    built.into()
}

/// A system that has nothing but a package database.
struct System(PathBuf);

impl System {
    fn new(root: PathBuf) -> Self {
        for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["status", "available"] {
            fs::write(root.join("var/lib/dpkg").join(file), "").unwrap();
        }
        Self(root)
    }

    /// The package's scripts run outside of that system and change it alone.
    fn dpkg(&self, action: &str, what: &Path) {
        let root = format!("--root={}", self.0.display());
        let forces = ["--force-script-chrootless", "--force-depends"];
        run(Command::new("dpkg").arg(root).args(forces).arg(action).arg(what));
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[test]
fn the_debian_package_installs_upgrades_and_purges() {
    if !is_there("dpkg-deb") || !is_there("deb-systemd-helper") || !is_there("systemd-sysusers") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    if fs::metadata(folder.path()).unwrap().uid() != 0 {
        skip("only root installs packages");
        return;
    }
    let system = System::new(folder.path().join("root"));
    let first = package(&binary(), folder.path());
    assert!(first.to_str().unwrap().contains(concat!("packhouse_", env!("CARGO_PKG_VERSION"), "_")), "{first:?}");
    system.dpkg("--install", &first);
    assert!(system.read("etc/passwd").contains("packhouse:"));
    assert!(system.read("usr/lib/systemd/system/packhouse.service").contains("ExecStart=/usr/bin/packhouse serve"));
    let wanted = system.path("etc/systemd/system/multi-user.target.wants/packhouse.service");
    assert!(wanted.is_symlink(), "it starts with the system");
    // The settings that come with it are ones, and those of the unit.
    let shipped = system.path("etc/packhouse/packhouse.toml");
    let mut print = Command::new(system.path("usr/bin/packhouse"));
    let printed = run(print.args(["serve", "--print-config", "--config"]).arg(&shipped));
    assert!(printed.contains("data = \"/var/lib/packhouse\" # "), "{printed}");
    assert!(
        system.read("usr/lib/systemd/system/packhouse.service").contains(" --config /etc/packhouse/packhouse.toml\n")
    );
    for generated in
        ["man/man1/packhouse.1.gz", "bash-completion/completions/packhouse", "zsh/vendor-completions/_packhouse"]
    {
        assert!(fs::metadata(system.path("usr/share").join(generated)).unwrap().len() > 1000, "{generated}");
    }
    // It runs from where it was installed, and its data stays through everything but a purge.
    let data = system.path("var/lib/packhouse");
    let serves = || {
        let mut command = Command::new(system.path("usr/bin/packhouse"));
        run(command.args(["user", "list", "--data"]).arg(&data))
    };
    let mut add = Command::new("sh");
    add.args(["-c", "echo 'correct horse battery' | \"$0\" user add ada --admin --create --data \"$1\""]);
    run(add.arg(system.path("usr/bin/packhouse")).arg(&data));
    assert!(serves().contains("ada"));
    // An upgrade keeps settings and data.
    let settings = "etc/packhouse/packhouse.toml";
    fs::write(system.path(settings), format!("{}\nlog = \"warn\"\n", system.read(settings))).unwrap();
    let next = folder.path().join("next");
    fs::write(
        &next,
        format!("#!/bin/sh\n[ \"$1\" = --version ] && echo packhouse 99.0.0 || exec {:?} \"$@\"\n", binary()),
    )
    .unwrap();
    run(Command::new("chmod").arg("755").arg(&next));
    let second = package(&next, folder.path());
    assert!(second.to_str().unwrap().contains("packhouse_99.0.0_"), "{second:?}");
    system.dpkg("--install", &second);
    assert_eq!(run(Command::new(system.path("usr/bin/packhouse")).arg("--version")), "packhouse 99.0.0\n");
    assert!(serves().contains("ada") && system.read(settings).contains("log = \"warn\""));
    // Removed, both stay; purged, nothing does.
    system.dpkg("--remove", Path::new("packhouse"));
    assert!(!system.path("usr/bin/packhouse").exists() && data.join("packhouse.redb").exists());
    assert!(system.read(settings).contains("log = \"warn\""));
    system.dpkg("--purge", Path::new("packhouse"));
    assert!(!data.exists() && !system.path("etc/packhouse").exists() && !wanted.is_symlink());
    let left = run(Command::new("find").arg(&system.0).args(["-not", "-type", "d", "-name", "*packhouse*"]));
    assert_eq!(left, "", "nothing of it is left");
    // The same binary makes the same package.
    let again = folder.path().join("again");
    fs::create_dir(&again).unwrap();
    assert!(fs::read(package(&next, &again)).unwrap() == fs::read(second).unwrap());
}

/// nginx with the project's example, which ends when this does.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // It ends its workers when it is told to, not when it is killed.
        run(Command::new("kill").arg(self.0.id().to_string()));
        let _ = self.0.wait();
    }
}

/// Starts nginx before a server, on any free port, which a socket says that is let go at once.
fn nginx(folder: &Path, server: &TestServer) -> (Nginx, u16) {
    let example = fs::read_to_string(project().join("packaging/proxy/nginx.conf")).unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut site = example.clone();
        for (from, to) in [
            ("server 127.0.0.1:8080;", format!("server {};", server.address())),
            ("listen 443 ssl http2;", format!("listen 127.0.0.1:{port};")),
            ("    ssl_certificate /etc/letsencrypt/live/packages.example.com/fullchain.pem;\n", String::new()),
            ("    ssl_certificate_key /etc/letsencrypt/live/packages.example.com/privkey.pem;\n", String::new()),
        ] {
            assert!(site.contains(from), "the example has {from:?}");
            site = site.replace(from, &to);
        }
        let place = folder.display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {place}/{name};\n"))
            .concat();
        let whole = format!(
            "daemon off;\nworker_processes 1;\npid {place}/pid;\nerror_log {place}/error.log;\n\
             events {{}}\nhttp {{\naccess_log off;\n{temporary}{site}}}\n"
        );
        let path = folder.join("nginx.conf");
        fs::write(&path, whole).unwrap();
        let user = format!("user {};", if fs::metadata(folder).unwrap().uid() == 0 { "root" } else { "nobody" });
        let mut child =
            Command::new("nginx").arg("-c").arg(&path).args(["-g", &user]).stderr(Stdio::null()).spawn().unwrap();
        loop {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (Nginx(child), port);
            }
            let log = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
            assert!(Instant::now() < end, "nginx does not listen\n{log}");
            if child.try_wait().unwrap().is_some() {
                // Somebody else took the port.
                assert!(log.contains("Address already in use"), "{log}");
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn the_example_for_nginx_passes_everything_on() {
    if !is_there("nginx") {
        return;
    }
    let server = TestServer::with().flags(&["--trusted-proxy", "127.0.0.1"]).start();
    let folder = tempfile::tempdir().unwrap();
    let (_nginx, port) = nginx(folder.path(), &server);
    let connect = || Wire::connect(([127, 0, 0, 1], port).into());
    server.omni().make_package("kit", "public");
    let secret = server.secret("omni", Scope::Publish);
    let head = |method: &str, path: &str, more: &str| {
        format!("{method} {path} HTTP/1.1\r\nhost: packages.example.com\r\n{more}\r\n")
    };
    // Who listens to events hears at once what is published through the same proxy.
    let mut events = connect();
    events.write(head("GET", "/api/v1/events", "").as_bytes()).unwrap();
    events.read_until(b"200 OK");
    // The body is larger than nginx takes by itself, and half of it is there before the other half is sent.
    let bytes: Vec<u8> = (0..8_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let path = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    let mut upload = connect();
    let fields = format!("authorization: Bearer {secret}\r\ncontent-length: {}\r\n", bytes.len());
    upload.write(head("PUT", &format!("{path}?create=active"), &fields).as_bytes()).unwrap();
    upload.write(&bytes[..bytes.len() / 2]).unwrap();
    let watcher = server.token("root", Scope::Read);
    let received = || -> f64 {
        let metrics = watcher.get("/metrics").is(200).text();
        let line = metrics.lines().find_map(|line| line.strip_prefix("packhouse_received_bytes_total "));
        line.unwrap().parse().unwrap()
    };
    let end = Instant::now() + PATIENCE;
    while received() < 3.9 * f64::from(1 << 20) {
        assert!(Instant::now() < end, "nginx keeps the upload to itself");
        std::thread::sleep(Duration::from_millis(10));
    }
    upload.write(&bytes[bytes.len() / 2..]).unwrap();
    let (answer, body) = upload.read_answer().unwrap();
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&body));
    events.read_until(b"omni.kit");
    // Ranges, ids of requests, and who asks from where and how.
    let mut wire = connect();
    wire.write(head("GET", &path, "range: bytes=10-19\r\nx-forwarded-for: 192.0.2.66\r\n").as_bytes()).unwrap();
    let (answer, body) = wire.read_answer().unwrap();
    assert_eq!((answer.status, &body[..]), (206, &bytes[10..20]));
    wire.write(head("GET", "/api/v1/updates?id=omni.kit", "").as_bytes()).unwrap();
    let (answer, body) = wire.read_answer().unwrap();
    assert_eq!(answer.status, 200);
    let update: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let url = update["filename"].as_str().unwrap();
    assert!(url.starts_with("http://packages.example.com/"), "{url}");
    let log = server.settled_log();
    assert!(log.contains("status=206") && !log.contains("192.0.2.66"), "{log}");
    let line = log.lines().find(|line| line.contains("route=\"updates\"")).unwrap();
    let id = line.split("id=").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(id.len(), 32, "nginx names the request: {line}");
}
