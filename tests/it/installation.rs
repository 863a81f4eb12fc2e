//! What brings the program onto a machine besides the Debian package: `packaging/install.sh` in a root of its own, the
//! image of a container as far as that goes without one, completions and the manual page.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{Cli, TestServer, binary, is_there, project};

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

/// Another system's root.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn install(&self, words: &[&str]) -> Output {
        let mut script = Command::new("sh");
        script.arg(project().join("packaging/install.sh")).args(words).env("DESTDIR", self.0.path());
        script.env_remove("PREFIX").stdin(Stdio::null()).output().unwrap()
    }

    fn does(&self, words: &[&str]) -> String {
        let output = self.install(words);
        assert!(output.status.success(), "{words:?}\n{}", said(&output));
        said(&output)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// All files, by their paths.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path.strip_prefix(self.0.path()).unwrap().to_str().unwrap().to_owned()),
                }
            }
        }
        found.sort();
        found
    }
}

/// A binary that says that it is of another version.
fn other_version(folder: &Path) -> PathBuf {
    let path = folder.join("next");
    let script = format!("#!/bin/sh\n[ \"$1\" = --version ] && echo packhouse 99.0.0 || exec {:?} \"$@\"\n", binary());
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn the_script_installs_upgrades_and_removes() {
    let (root, folder) = (Root::new(), tempfile::tempdir().unwrap());
    let first = binary();
    let first = first.to_str().unwrap();
    let told = root.does(&["--from", first]);
    assert!(told.contains(concat!("installed packhouse ", env!("CARGO_PKG_VERSION"))), "{told}");
    let files = [
        "etc/packhouse/packhouse.toml",
        "etc/systemd/system/packhouse.service",
        "etc/systemd/system/packhouse.socket",
        "etc/sysusers.d/packhouse.conf",
        "usr/local/bin/packhouse",
        "usr/local/share/bash-completion/completions/packhouse",
        "usr/local/share/fish/vendor_completions.d/packhouse.fish",
        "usr/local/share/man/man1/packhouse.1",
        "usr/local/share/zsh/site-functions/_packhouse",
    ];
    assert_eq!(root.files(), files);
    assert!(
        root.read("etc/systemd/system/packhouse.service")
            .contains("\nExecStart=/usr/local/bin/packhouse serve --config")
    );
    assert!(!root.read("etc/systemd/system/packhouse.service").contains("/usr/bin/packhouse"));
    assert!(root.read(files[7]).starts_with(".TH PACKHOUSE 1"));
    let run = Command::new(root.path("usr/local/bin/packhouse")).arg("--version").output().unwrap();
    assert!(run.status.success());
    // Settings and data stay, whatever comes.
    fs::write(root.path(files[0]), "log = \"warn\"\n").unwrap();
    fs::create_dir_all(root.path("var/lib/packhouse")).unwrap();
    fs::write(root.path("var/lib/packhouse/packhouse.redb"), "data").unwrap();
    let next = other_version(folder.path());
    root.does(&["--from", next.to_str().unwrap()]);
    root.does(&["--from", next.to_str().unwrap()]);
    assert_eq!(root.read("usr/local/bin/packhouse"), fs::read_to_string(&next).unwrap());
    assert_eq!(root.read(files[0]), "log = \"warn\"\n");
    let kept = ["etc/packhouse/packhouse.toml", "var/lib/packhouse/packhouse.redb"];
    for _ in 0..2 {
        assert!(root.does(&["--uninstall"]).contains("Settings and data stay"));
        assert_eq!(root.files(), kept);
    }
}

#[test]
fn the_script_takes_only_what_was_meant() {
    let (root, folder) = (Root::new(), tempfile::tempdir().unwrap());
    let next = other_version(folder.path());
    let next = next.to_str().unwrap();
    let digest = Command::new("sha256sum").arg(next).output().unwrap();
    let digest = String::from_utf8(digest.stdout).unwrap()[..64].to_owned();
    let wrong = "0".repeat(64);
    let stranger = folder.path().join("stranger");
    fs::write(&stranger, "#!/bin/sh\necho another program 1.0\n").unwrap();
    for (words, hint, status) in [
        (&["--from", next, "--sha256", &wrong][..], "has the SHA-256", 1),
        (&["--from", stranger.to_str().unwrap()], "does not run here as packhouse does", 1),
        (&["--from", "/no/such/file"], "there is no /no/such/file", 1),
        (&["--from", "http://127.0.0.1:9/packhouse"], "cannot be fetched", 1),
        (&["--from"], "needs a file or a URL", 2),
        (&["--nothing"], "unknown option", 2),
    ] {
        let output = root.install(words);
        assert!(output.status.code() == Some(status) && said(&output).contains(hint), "{words:?}\n{}", said(&output));
        assert!(root.files().is_empty(), "{:?}", root.files());
    }
    root.does(&["--from", next, "--sha256", &digest.to_uppercase()]);
    // From a server, such as this one.
    if is_there("curl") {
        let server = TestServer::start();
        let omni = server.omni();
        omni.make_package("tools", "public");
        omni.publish("omni/tools", "stable/1.0.0", "linux-x64/packhouse", fs::read(next).unwrap());
        let url = format!("{}/download/omni/tools/stable/latest/linux-x64", server.origin());
        let root = Root::new();
        root.does(&["--from", &url, "--sha256", &digest]);
        assert!(root.path("usr/local/bin/packhouse").exists());
    }
}

#[test]
fn scripts_are_plain_shell() {
    for script in ["install.sh", "debian/postinst", "debian/prerm", "debian/postrm"] {
        let path = project().join("packaging").join(script);
        let checked = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(checked.status.success() && checked.stderr.is_empty(), "{script}: {}", said(&checked));
    }
    if is_there("shellcheck") {
        let packaging = project().join("packaging");
        let names = [
            "install.sh",
            "build",
            "deb",
            "smoke",
            "boot",
            "booted",
            "debian/postinst",
            "debian/prerm",
            "debian/postrm",
        ];
        let checked = Command::new("shellcheck").args(names).current_dir(packaging).output().unwrap();
        assert!(checked.status.success(), "{}", said(&checked));
    }
}

#[test]
fn the_image_says_what_there_is() {
    let read = |path: &str| fs::read_to_string(project().join(path)).unwrap();
    let (file, build) = (read("packaging/Dockerfile"), read("packaging/build"));
    let all = |word: &str| -> Vec<String> {
        let lines = file.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(all("FROM"), ["scratch"]);
    let user = all("USER").remove(0);
    let numbers: Vec<u32> = user.split(':').map(|id| id.parse().unwrap()).collect();
    assert!(numbers.len() == 2 && !numbers.contains(&0), "{user}");
    // All that is copied is made by the build, and sent along.
    let ignored = read("packaging/Dockerfile.dockerignore");
    for copied in all("COPY") {
        let from = copied.split(' ').find(|word| !word.starts_with("--")).unwrap().trim_end_matches('/');
        let from = if from == "${BINARY}" {
            all("ARG")[0].strip_prefix("BINARY=").unwrap().to_owned()
        } else {
            from.to_owned()
        };
        assert!(build.contains(&format!("out={from}\n")) || build.contains(&format!(" {from}/data\n")), "{from}");
        assert!(ignored.contains(&format!("!{from}\n")), "{from}");
    }
    assert!(file.contains(&format!("COPY --chown={user} target/image/ /")) && file.contains("VOLUME /data"));
    // What it runs are command lines of the program that is in it.
    let words = |text: &str| -> Vec<String> { serde_json::from_str(&text[text.find('[').unwrap()..]).unwrap() };
    let check = file.lines().find(|line| line.starts_with("HEALTHCHECK ")).unwrap();
    let entry = words(&all("ENTRYPOINT")[0]);
    assert!(all("COPY")[0].ends_with(&format!(" {}", entry[0])));
    let serve = [&entry[1..], &words(&all("CMD")[0])].concat();
    let health = words(check);
    assert_eq!(health[0], entry[0]);
    let mut printed = Cli::new(&serve.iter().map(String::as_str).collect::<Vec<_>>()).and(&["--print-config"]);
    for setting in all("ENV")[0].split(' ') {
        let (name, value) = setting.split_once('=').unwrap();
        printed = printed.env(name, value);
    }
    let printed = printed.exits(0);
    for line in ["data = \"/data\" # environment", "listen = [\"0.0.0.0:8080\"] # environment"] {
        assert!(printed.out.contains(line), "{printed}");
    }
    Cli::new(&health[1..].iter().map(String::as_str).collect::<Vec<_>>()).and(&["--help"]).exits(0);
}

#[test]
fn health_is_asked_for() {
    let mut server = TestServer::start();
    let origin = server.origin();
    assert!(Cli::new(&["health", &origin]).exits(0).out.starts_with("ready: "));
    // The one on this machine is found where the server itself was told to listen.
    let everywhere = format!("0.0.0.0:{}", server.address().port());
    assert!(
        Cli::new(&["health"])
            .env("PACKHOUSE_LISTEN", &format!("{everywhere},[::1]:1"))
            .exits(0)
            .out
            .starts_with("ready: ")
    );
    Cli::new(&["health", "--listen", &everywhere]).exits(0);
    let url = format!("{origin}/");
    assert_eq!(Cli::new(&["health", &url, "--json"]).exits(0).json()["ready"], true);
    server.stop();
    let ran = Cli::new(&["health", &origin, "--timeout", "2s"]).exits(1);
    assert!(ran.out.is_empty() && ran.err.contains("is the server running there?"), "{ran}");
    // Who takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let ran = Cli::new(&["health", &url, "--timeout", "100ms"]).exits(1);
    assert!(ran.err.contains(&format!("{url}/ did not answer within 100ms")), "{ran}");
    Cli::new(&["health", "here"]).exits(2);
}

#[test]
fn bash_completes_command_lines() {
    let folder = tempfile::tempdir().unwrap();
    let script = Cli::new(&["completions", "bash"]).exits(0).out;
    fs::write(folder.path().join("completions"), script).unwrap();
    fs::create_dir(folder.path().join("some folder")).unwrap();
    fs::write(folder.path().join("some file"), "").unwrap();
    let complete = |line: &str| -> Vec<String> {
        let program = "set -eu; . ./completions; compopt() { :; }; \
            COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _packhouse; printf '%s\\n' \"${COMPREPLY[@]}\"";
        let words = line.split(' ').collect::<Vec<_>>();
        let output =
            Command::new("bash").args(["-c", program, "bash"]).args(&words).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{line}: {}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    for (line, found) in [
        ("packhouse se", &["serve", "search"][..]),
        ("packhouse user ", &["add", "password", "list", "--help"]),
        ("packhouse serve --max-conn", &["--max-connections", "--max-connections-per-address"]),
        ("packhouse user add --adm", &["--admin"]),
        ("packhouse serve --data so", &["some folder"]),
        ("packhouse serve --data = so", &["some folder"]),
        ("packhouse publish so", &["some file", "some folder"]),
        ("packhouse serve --config so", &["some file", "some folder"]),
        ("packhouse serve --log ", &[]),
        ("packhouse nothing --he", &["--help"]),
    ] {
        let mut completed = complete(line);
        let mut wanted: Vec<&str> = found.to_vec();
        completed.sort();
        wanted.sort_unstable();
        assert_eq!(completed, wanted, "{line}");
    }
}

#[test]
fn other_shells_take_their_completions() {
    let folder = tempfile::tempdir().unwrap();
    let script = |shell: &str| {
        let path = folder.path().join(shell);
        fs::write(&path, Cli::new(&["completions", shell]).exits(0).out).unwrap();
        path
    };
    if is_there("zsh") {
        let output = Command::new("zsh").arg("-n").arg(script("zsh")).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    }
    if is_there("fish") {
        let program = format!(
            "source {:?}; complete -C 'packhouse user '; complete -C 'packhouse serve --max-au'",
            script("fish")
        );
        let output =
            Command::new("fish").env("HOME", folder.path()).args(["--no-config", "-c", &program]).output().unwrap();
        let text = said(&output);
        for word in ["add\tMake an account.", "list\tTell which", "--max-audit-entries\t"] {
            assert!(output.status.success() && text.contains(word), "{word}: {text}");
        }
    }
    assert!(Cli::new(&["completions", "csh"]).exits(2).err.contains("bash, zsh or fish"));
}

#[test]
fn the_manual_page_reads_well() {
    let page = Cli::new(&["man"]).exits(0).out;
    for word in [".SS \"packhouse serve\"", "\\fB\\-\\-max\\-file\\-size\\fP \\fIsize\\fP", "PACKHOUSE_MAX_FILE_SIZE"] {
        assert!(page.contains(word), "{word}");
    }
    if !is_there("groff") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("packhouse.1"), &page).unwrap();
    let mut groff = Command::new("groff");
    groff.args(["-man", "-Tutf8", "-ww", "-rLL=100n", "-P-cbou"]).arg(folder.path().join("packhouse.1"));
    let output = groff.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["--max-file-size size", "packhouse publish URL FILE", "'>=0.3,", "EXIT STATUS"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
}
