//! What an operator sets: flags, environment and file, what is printed of it, and what a running server takes over.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Cli, PASSWORD, Ran, TestServer, file_path};

struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("packhouse.toml")
    }

    fn text(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn server(&self) -> TestServer {
        TestServer::with().flags(&["--config", &self.text()]).start()
    }

    fn serve(&self) -> Cli {
        Cli::new(&["serve", "--config", &self.text()])
    }
}

/// The value of a setting in a printed configuration, and where it comes from.
fn printed(ran: &Ran, key: &str) -> String {
    let line = ran.out.lines().find(|line| line.trim_start_matches('#').starts_with(&format!("{key} = ")));
    line.unwrap_or_else(|| panic!("{key} is missing\n{ran}")).to_owned()
}

#[test]
fn flags_count_before_the_environment_and_that_before_the_file() {
    let file = File::new(
        "log = \"warn\"\nmax_file_size = \"1MiB\"\nlisten = [\"127.0.0.1:1\", \"[::1]:2\"]\nmax_connections = 7\n",
    );
    let ran = file.serve().and(&["--log=error", "--print-config"]).env("PACKHOUSE_MAX_FILE_SIZE", "2MiB").exits(0);
    for (key, line) in [
        ("log", "log = \"error\" # flag".to_owned()),
        ("max_file_size", "max_file_size = \"2MiB\" # environment".to_owned()),
        ("listen", format!("listen = [\"127.0.0.1:1\", \"[::1]:2\"] # {}, line 3", file.text())),
        ("max_connections", format!("max_connections = 7 # {}, line 4", file.text())),
        ("header_timeout", "header_timeout = \"15s\" # default".to_owned()),
        ("tls_cert", "#tls_cert = \"\" # not set".to_owned()),
    ] {
        assert_eq!(printed(&ran, key), line);
    }
    // The file may be named by the environment; other commands don't know it.
    let ran = Cli::new(&["serve", "--print-config"]).env("PACKHOUSE_CONFIG", &file.text()).exits(0);
    assert!(printed(&ran, "log").starts_with("log = \"warn\" # /"), "{ran}");
    Cli::new(&["user", "list", "--config", &file.text()]).exits(2);
    assert!(!Path::new("packhouse-data").exists(), "printing makes nothing");
}

#[test]
fn what_is_printed_can_be_fed_back() {
    let words = ["--user-quota", "1500KB", "--trusted-proxy=::1", "--statistics-days", "9", "--idle-timeout", "90s"];
    let first = Cli::new(&["serve", "--print-config"]).and(&words).exits(0);
    let file = File::new(&first.out);
    let second = file.serve().and(&["--print-config"]).exits(0);
    let values = |ran: &Ran| -> Vec<String> {
        ran.out.lines().map(|line| line.rsplit_once(" # ").map_or(line, |(value, _)| value).to_owned()).collect()
    };
    assert_eq!(values(&first), values(&second));
    assert!(!second.out.contains("# default") && !second.out.contains("# flag"), "{second}");
    let server = file.server();
    assert!(server.log().is_empty() || !server.log().contains("ERROR"));
    let found = server.user("root").get("/api/v1/admin/settings").is(200).json();
    assert_eq!(setting(&found, "user-quota"), json!({ "name": "user-quota", "value": "1500KB", "source": "file" }));
}

fn setting(settings: &Value, name: &str) -> Value {
    settings["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap().clone()
}

#[test]
fn a_wrong_file_is_refused_with_its_lines() {
    let file = File::new("");
    for (text, hints) in [
        (
            "\nmax_file_siz = \"1GiB\"\n",
            &["packhouse.toml:2: there is no setting max_file_siz; there is max_file_size"][..],
        ),
        (
            "a = 1\nlog = [1]\n",
            &["toml:1: there is no setting a", "toml:2: log is a number or a text in quotes: what to log"],
        ),
        ("max_file_size = \"big\"", &["toml:1: ", "'max_file_size' with value 'big': a size is a number of bytes"]),
        ("\n\nlisten = \"8080\"", &["toml:3: ", "'listen' with value '8080'", "127.0.0.1:8080"]),
        ("log = \"loud\"", &["toml:1: log is error, warn, info, debug or trace, not \"loud\""]),
        ("max_header_size = 1", &["toml:1: max_header_size is from 8KiB to 256KiB"]),
        ("tls_cert = \"a.pem\"", &["toml:1: tls_cert and tls_key belong together"]),
        ("backup_keep = 3", &["toml:1: backup_keep needs backup_to DIR"]),
        ("trusted_proxy = [\"10.0.0.0/33\"]", &["toml:1: trusted_proxy: `10.0.0.0/33` is neither"]),
        ("max_connections = -1", &["toml:1: ", "'max_connections' with value '-1'"]),
        ("data = \"x", &["toml:1: unterminated string"]),
    ] {
        file.write(text);
        for words in [&["--print-config"][..], &[]] {
            let ran = file.serve().and(words).exits(2);
            assert!(ran.out.is_empty() && hints.iter().all(|hint| ran.err.contains(hint)), "{text}\n{hints:?}\n{ran}");
        }
    }
    // A value of the environment is called by its name there.
    let ran = Cli::new(&["serve"]).env("PACKHOUSE_MAX_FILE_SIZE", "big").exits(2);
    assert!(ran.err.contains("'PACKHOUSE_MAX_FILE_SIZE' with value 'big'"), "{ran}");
    std::fs::write(file.path(), b"log = \"\xff\"").unwrap();
    assert!(file.serve().exits(2).err.contains("text in UTF-8"));
    file.write(&" ".repeat((1 << 20) + 1));
    assert!(file.serve().exits(2).err.contains("1 MiB at most"));
    let ran = Cli::new(&["serve", "--config", file.folder.path().to_str().unwrap()]).exits(2);
    assert!(ran.err.contains("a configuration is a file"), "{ran}");
    assert!(
        Cli::new(&["serve", "--config", "no/such.toml"])
            .exits(2)
            .err
            .contains("no/such.toml: the configuration cannot")
    );
}

#[test]
fn a_running_server_takes_a_changed_file_over() {
    let file = File::new("max_file_size = \"1KiB\"\n");
    let mut server = file.server();
    let (root, omni) = (server.user("root"), server.omni());
    omni.make_package("kit", "public");
    let upload = |name: &str, bytes: usize| {
        let path = file_path("omni/kit", "stable/1.0.0", name);
        omni.put(&format!("{path}?create=inactive")).body(vec![7; bytes]).send()
    };
    upload("any/a", 2000).is(413);
    let before = root.get("/api/v1/admin/settings").is(200).json();
    assert!(server.settled_log().contains("route=\"put_file\""));

    file.write(
        "max_file_size = \"1MiB\"\ntrusted_proxy = [\"127.0.0.0/8\"]\npublic_url = \"https://a.example\"\nlog = \"debug\"\n\
         data = \"/elsewhere\"\nuser_quota = \"10KB\"\n",
    );
    server.reload();
    server.wait_for_log("the configuration was read again");
    let log = server.log();
    let line = log.lines().find(|line| line.contains("was read again")).unwrap();
    assert!(line.contains("changed=\"public-url, trusted-proxy, max-file-size, user-quota, log\""), "{line}");
    upload("any/a", 2000).is(201);
    upload("any/b", 9000).is(507);
    let address = server.address();
    let update = omni.get("/api/v1/attention").header("x-forwarded-for", "198.51.100.7").is(200);
    drop(update);
    assert!(server.settled_log().contains("client=198.51.100.7"), "{}", server.log());
    server.wait_for_log("DEBUG");
    let after = root.get("/api/v1/admin/settings").is(200).json();
    assert_eq!((&after["started"], server.address()), (&before["started"], address));
    let value = |name: &str| setting(&after, name)["value"].clone();
    assert_eq!((value("max-file-size"), value("user-quota")), (json!("1MiB"), json!("10KB")));
    // The data directory was given by a flag, which counts before the file.
    assert_eq!(setting(&after, "data"), setting(&before, "data"));

    // What is wrong changes nothing, and the server goes on.
    server.may_fail();
    file.write("max_file_size = \"5GiB\"\nlog_formatt = \"json\"\n");
    server.reload();
    server.wait_for_log("there is log_format");
    assert!(server.log().contains("packhouse.toml:2: "), "{}", server.log());
    assert_eq!(root.get("/api/v1/admin/settings").is(200).json(), after);
    upload("any/b", 9000).is(507);
    std::fs::remove_file(file.path()).unwrap();
    server.reload();
    server.wait_for_log("the configuration cannot be read");
    assert_eq!(root.get("/api/v1/admin/settings").is(200).json(), after);

    // Back to what there was, without lines about requests.
    file.write("log = \"warn\"\n");
    server.reload();
    let end = Instant::now() + Duration::from_secs(60);
    while setting(&root.get("/api/v1/admin/settings").is(200).json(), "log")["value"] != "warn" {
        assert!(Instant::now() < end, "{}", server.log());
    }
    root.get("/api/v1/admin/storage").is(200);
    upload("any/b", 9000).is(201);
    assert!(server.stop().success());
    assert!(!server.log().contains("route=\"admin_storage\""), "{}", server.log());
}

#[test]
fn what_needs_a_restart_is_told_by_name() {
    let file = File::new("");
    let server = TestServer::with().flags(&["--config", &file.text()]).start();
    let root = server.user("root");
    file.write("tls_cert = \"a.pem\"\ntls_key = \"b.pem\"\nmax_connections = 1000\n");
    for _ in 0..2 {
        server.reload();
    }
    server.wait_for_log("need a restart");
    let line = server.log().lines().find(|line| line.contains("need a restart")).unwrap().to_owned();
    assert!(line.contains("WARN") && line.contains("settings=\"tls-cert, tls-key\""), "{line}");
    assert!(server.log().contains("changed=\"max-connections\""), "{}", server.log());
    let settings = root.get("/api/v1/admin/settings").is(200).json();
    assert_eq!(setting(&settings, "tls-cert"), json!({ "name": "tls-cert", "value": null, "source": "default" }));
    assert_eq!(setting(&settings, "max-connections")["value"], "1000");
}

#[test]
fn limits_count_for_new_connections() {
    let file = File::new("idle_timeout = \"1h\"\nheader_timeout = \"1h\"\n");
    let server = file.server();
    let mut before = server.connect();
    let ask = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    before.write(ask).unwrap();
    assert_eq!(before.read_answer().unwrap().0.status, 200);
    file.write(
        "idle_timeout = \"100ms\"\nheader_timeout = \"100ms\"\nmax_connections = 5\nmax_connections_per_address = 2\n",
    );
    server.reload();
    server.wait_for_log("the configuration was read again");
    let mut after = server.connect();
    after.write(ask).unwrap();
    assert_eq!(after.read_answer().unwrap().0.status, 200);
    assert!(after.read_to_end().unwrap_or_default().is_empty(), "it is sent away when it says nothing");
    // The older one is still there, and is one of the two that its address may have.
    before.write(ask).unwrap();
    assert_eq!(before.read_answer().unwrap().0.status, 200);
    let mut second = server.connect();
    second.write(b"GET / HTTP/1.1\r\n").unwrap();
    let mut third = server.connect();
    let refused = third.read_to_end().unwrap();
    assert!(refused.starts_with(b"HTTP/1.1 429"), "{}", String::from_utf8_lossy(&refused));
    drop((second, third));
    file.write("max_connections = 3000\npublic_url = \"http://localhost\"\n");
    server.reload();
    server.wait_for_log("changed=\"public-url, max-connections, max-connections-per-address");
    let mut many: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for wire in &mut many {
        wire.write(ask).unwrap();
        assert_eq!(wire.read_answer().unwrap().0.status, 200);
    }
}

#[test]
fn backups_begin_with_a_reload() {
    let file = File::new("");
    let server = file.server();
    let backups = file.folder.path().join("backups");
    file.write(&format!("backup_to = {:?}\nbackup_every = \"1h\"\nbackup_keep = 2\n", backups));
    server.reload();
    server.wait_for_log("a scheduled backup was made");
    assert_eq!(std::fs::read_dir(&backups).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 1);
    // A folder inside of the data that the server has is none, whatever the file says of the data.
    let mut server = server;
    server.may_fail();
    file.write(&format!("backup_to = {:?}\n", server.data().join("backups")));
    server.reload();
    server.wait_for_log("outside of");
}

#[test]
fn the_supervisor_hears_of_a_reload() {
    let file = File::new("");
    let path = file.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut server =
        TestServer::with().flags(&["--config", &file.text()]).env("NOTIFY_SOCKET", path.to_str().unwrap()).start();
    let hear = |begin: &str| loop {
        let mut bytes = [0; 1000];
        let len = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("no {begin} came: {error}"));
        let told = String::from_utf8(bytes[..len].to_vec()).unwrap();
        if told.starts_with(begin) {
            return told;
        }
    };
    hear("READY=1");
    let monotonic = || {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        now.tv_sec * 1_000_000 + now.tv_nsec / 1000
    };
    let before = monotonic();
    server.reload();
    let told = hear("RELOADING=1");
    let micros = told.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap().parse::<i64>().unwrap();
    assert!((before..=monotonic()).contains(&micros), "{told}");
    assert!(hear("READY=1").contains("STATUS=0 public packages"));
    server.may_fail();
    file.write("nonsense");
    server.reload();
    hear("RELOADING=1");
    assert!(hear("READY=1").contains("the configuration is wrong and was not read again"));
    file.write("");
    server.reload();
    hear("RELOADING=1");
    assert!(!hear("READY=1").contains("wrong"));
}

#[test]
fn the_address_of_the_server_is_set_without_a_restart() {
    let file = File::new("");
    let server = file.server();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "a");
    let url = || {
        let update = server.anonymous().get("/api/v1/updates?id=omni.kit").is(200).json();
        update["filename"].as_str().unwrap().to_owned()
    };
    assert!(url().starts_with(&server.origin()), "{}", url());
    file.write("public_url = \"https://packages.example.com/\"\n");
    server.reload();
    server.wait_for_log("changed=\"public-url\"");
    assert!(url().starts_with("https://packages.example.com/api/v1/"), "{}", url());
    let signed =
        server.anonymous().post("/api/v1/session").json(&json!({ "name": "omni", "password": PASSWORD })).is(200);
    assert!(signed.header("set-cookie").starts_with("packhouse_session="));
}
