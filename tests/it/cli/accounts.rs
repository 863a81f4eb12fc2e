//! Accounts and tokens of a stopped server.

use serde_json::json;

use crate::support::{Cli, TestServer};

#[test]
fn the_first_account_can_be_made_without_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let on = |words: &[&str]| Cli::new(words).and(&["--data", data]);
    on(&["user", "add", "omni", "--admin", "--create"]).input("0123456789\n").exits(0);
    assert!(on(&["user", "add", "omni"]).input("0123456789\n").exits(1).err.contains("omni is taken"));
    assert!(on(&["user", "add", "uma"]).input("short\n").exits(1).err.contains("at least 10"));
    assert!(on(&["user", "add", "uma"]).exits(1).err.contains("first line of standard input"));
    on(&["user", "add", "uma"]).input("abcdefghij").exits(0);
    let list = on(&["user", "list", "--json"]).exits(0).json();
    let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|user| (&user["name"], &user["admin"])).collect();
    assert_eq!(names, [(&json!("omni"), &json!(true)), (&json!("uma"), &json!(false))]);
    assert!(on(&["user", "list"]).exits(0).out.starts_with("omni (admin), made 20"));
    on(&["user", "password", "uma"]).input("another password\n").exits(0);
    assert!(on(&["user", "password", "nobody"]).input("another password\n").exits(1).err.contains("no user nobody"));
    let secret = on(&["token", "add", "omni", "--scope", "publish", "--name", "ci"]).exits(0).out;
    assert!(secret.starts_with("ph_api_") && secret.trim_end().len() == 71, "{secret:?}");
    let token =
        on(&["token", "add", "omni", "--scope", "read", "--expires", "2999-01-01T00:00:00Z", "--json"]).exits(0).json();
    assert_eq!((&token["scopes"], &token["expires"]), (&json!(["read"]), &json!("2999-01-01T00:00:00Z")));
    assert!(on(&["token", "add", "nobody"]).exits(1).err.contains("no user nobody"));

    let server = TestServer::with().on(folder.path().join("data").as_path()).start();
    server.bearer(secret.trim_end()).post("/api/v1/packages").json(&json!({ "name": "kit" })).is(201);
    let sign_in =
        |password| server.anonymous().post("/api/v1/session").json(&json!({ "name": "uma", "password": password }));
    sign_in("abcdefghij").is(401);
    sign_in("another password").is(200);
}

#[test]
fn a_running_server_keeps_its_directory() {
    let mut server = TestServer::start();
    let data = server.data().to_str().unwrap().to_owned();
    for words in
        [&["user", "list"][..], &["user", "add", "eve"], &["user", "password", "omni"], &["token", "add", "omni"]]
    {
        let ran = Cli::new(words).and(&["--data", &data]).input("0123456789\n").exits(1);
        assert!(ran.err.contains(&server.pid().to_string()), "it says who holds it\n{ran}");
        assert!(ran.err.contains("stopped server"), "{ran}");
    }
    let second = Cli::new(&["serve", "--listen", "127.0.0.1:0", "--data", &data]).exits(1);
    assert!(second.err.contains(&server.pid().to_string()), "{second}");
    server.omni().get("/api/v1/session").is(200);
    server.stop();
    Cli::new(&["user", "list", "--data", &data]).exits(0);
}

/// A wrong path made a data directory: `packhouse user add` said that all was well, and the account was in a server that
/// nobody runs. A `serve` that failed left a directory behind as well.
#[test]
fn a_data_directory_is_made_on_purpose_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let on = |words: &[&str]| Cli::new(words).and(&["--data", data.to_str().unwrap()]);
    for words in
        [&["user", "add", "omni"][..], &["user", "list"], &["user", "password", "omni"], &["token", "add", "omni"]]
    {
        let refused = on(words).input("0123456789\n").exits(1);
        assert!(refused.err.contains("nothing was made there"), "{refused}");
        assert!(!data.exists());
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(on(&["serve", "--listen", &address]).exits(1).err.contains("cannot listen on"));
    assert!(!data.exists(), "a failed start leaves nothing behind");
    on(&["user", "add", "omni", "--create"]).input("0123456789\n").exits(0);
    assert!(on(&["serve", "--listen", &address]).exits(1).err.contains("cannot listen on"));
    on(&["user", "list"]).exits(0);
}
