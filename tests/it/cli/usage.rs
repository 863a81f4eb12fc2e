//! Help, wrong usage, exit statuses, and flags from the environment.

use crate::support::{Cli, Scope, TestServer};

#[test]
fn help_and_version_are_no_failures() {
    let help = Cli::new(&["--help"]).exits(0).out;
    for command in ["serve", "publish", "sync", "updates", "user", "token"] {
        assert!(help.contains(command), "{help}");
        assert!(Cli::new(&[command, "--help"]).exits(0).out.contains("Usage"), "{command}");
    }
    assert!(Cli::new(&["token", "add", "--help"]).exits(0).out.contains("--scope"));
    assert_eq!(Cli::new(&["--version"]).exits(0).out, format!("packhouse {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_has_a_status_of_its_own() {
    for words in [
        &[][..],
        &["nothing"],
        &["serve", "--nothing"],
        &["serve", "--listen", "here"],
        &["serve", "--tls-cert", "a.pem"],
        &["serve", "--max-file-size", "many"],
        &["publish"],
        &["publish", "http://127.0.0.1:1", "Cargo.toml", "--package", "no-dot", "--version", "1"],
        &["publish", "http://127.0.0.1:1", "Cargo.toml", "--package", "omni.kit", "--version", "1"],
        &["sync", "ftp://x", "dir"],
        &["updates", "http://127.0.0.1:1", "--id", "omni.kit", "--mode", "3"],
        &["user", "add", "Not A Name"],
        &["token", "add", "omni", "--scope", "everything"],
    ] {
        let ran = Cli::new(words).exits(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{ran}");
    }
}

#[test]
fn what_cannot_be_done_is_told_in_words() {
    let server = TestServer::start();
    let secret = server.secret("omni", Scope::Publish);
    let closed = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", free.local_addr().unwrap())
    };
    let publish = |url: &str, file: &str| {
        Cli::new(&["publish", url, file, "--package", "omni.kit", "--version", "1"]).token(secret).exits(1)
    };
    assert!(publish(&server.origin(), "no/such/file").err.contains("no/such/file"));
    assert!(publish(&server.origin(), "Cargo.toml").err.contains("there is no package omni.kit"));
    assert!(publish(&closed, "Cargo.toml").err.contains("127.0.0.1"));
    let json = Cli::new(&["updates", &server.origin(), "--id", "omni.kit", "--json"]).exits(1);
    assert!(json.json()["error"]["message"].as_str().unwrap().contains("there is no package omni.kit"), "{json}");
    let taken = Cli::new(&["serve", "--listen", &server.address().to_string(), "--data"]);
    let folder = tempfile::tempdir().unwrap();
    let taken = taken.and(&[folder.path().to_str().unwrap()]).exits(1);
    assert!(taken.err.contains("cannot listen on"), "{taken}");
}

#[test]
fn flags_come_from_the_environment_and_the_command_line_wins() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for release in ["stable/1.0.0", "beta/2.0.0"] {
        omni.publish("omni/kit", release, "any/a", release);
    }
    let updates = || Cli::new(&["updates", &server.origin(), "--id=omni.kit"]).env("PACKHOUSE_JSON", "true");
    let version = |cli: Cli| cli.exits(0).json()["updates"][0]["version"].as_str().unwrap().to_owned();
    assert_eq!(version(updates()), "1.0.0");
    assert_eq!(version(updates().env("PACKHOUSE_CHANNEL", "beta")), "2.0.0");
    assert_eq!(version(updates().env("PACKHOUSE_CHANNEL", "beta").and(&["--channel", "stable"])), "1.0.0");
    // What belongs to one call is not taken from there.
    assert_eq!(version(updates().env("PACKHOUSE_VERSION", "5.0")), "1.0.0");
    let wrong = updates().env("PACKHOUSE_CHANNEL", "no channel").exits(2);
    assert!(wrong.err.contains("channel"), "{wrong}");
}
