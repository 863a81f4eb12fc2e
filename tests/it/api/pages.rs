//! The user interface as it is served: the page at every address of its own, its files, and what caches may do.

use serde_json::{Value, json};

use crate::support::{Answer, TestServer};

/// What the page is told it starts with.
fn state(page: &Answer) -> Value {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"packhouse\" content=\"").expect("the page carries its state");
    let (state, _) = rest.split_once('"').expect("the state ends");
    serde_json::from_str(&state.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")).unwrap()
}

/// Addresses of the page's files, as its text names them.
fn files(page: &Answer) -> Vec<String> {
    let text = page.text();
    let names = text.split('"').filter(|part| part.starts_with("/assets/"));
    names.map(str::to_owned).collect()
}

#[test]
fn every_view_is_the_same_page() {
    let server = TestServer::start();
    let anonymous = server.anonymous();
    let first = anonymous.get("/").is(200);
    assert!(first.header("content-type").starts_with("text/html"));
    assert!(first.text().contains("<noscript>"), "it says what it is without script too");
    for path in
        ["/setup?token=x", "/omni", "/p/omni/hush", "/p/a/b/releases/stable/1.0.0+r", "/account/tokens", "/admin"]
    {
        assert_eq!(anonymous.get(path).is(200).text(), first.text(), "{path}");
    }
    let policy = first.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
}

#[test]
fn the_page_knows_who_asks_and_is_kept_only_for_them() {
    let server = TestServer::start();
    let omni = server.omni();
    let (mine, theirs) = (omni.get("/").is(200), server.anonymous().get("/").is(200));
    assert_eq!(state(&mine)["user"], json!({ "name": "omni", "admin": false }));
    assert_eq!(state(&theirs)["user"], Value::Null);
    assert_eq!((&state(&theirs)["open"], &state(&theirs)["origin"]), (&json!(false), &json!(server.origin())));
    assert_eq!(mine.header("cache-control"), "private, no-cache");
    assert_ne!(mine.header("etag"), theirs.header("etag"));
    omni.get("/").header("if-none-match", mine.header("etag")).is(304);
    // A link whose token was replaced shows the page, which says so, and not a document for programs.
    assert_eq!(state(&server.anonymous().get("/t/ph_acc_gone/p/omni/hush").is(200))["user"], Value::Null);
}

#[test]
fn a_server_without_accounts_says_so() {
    let server = TestServer::with().empty().start();
    assert_eq!(state(&server.anonymous().get("/").is(200))["open"], true);
    let hostile = server.anonymous().get("/setup?token=%22%3E%3Cscript%3Ealert(1)").is(200).text();
    assert!(!hostile.contains("alert(1)"), "nothing of the address is in the page");
}

#[test]
fn files_are_kept_for_ever_and_sent_compressed_to_those_who_take_it() {
    let server = TestServer::start();
    let anonymous = server.anonymous();
    let files = files(&anonymous.get("/").is(200));
    assert!(files.iter().any(|path| path.ends_with(".js")) && files.iter().any(|path| path.ends_with(".css")));
    for path in &files {
        let plain = anonymous.get(path).is(200);
        let packed = anonymous.get(path).header("accept-encoding", "gzip, br").is(200);
        for answer in [&plain, &packed] {
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(answer.header("vary"), "accept-encoding");
        }
        assert!(plain.find("content-encoding").is_none());
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert!(packed.body.len() < plain.body.len(), "{path}");
        assert_ne!(plain.header("etag"), packed.header("etag"));
    }
    let icon = anonymous.get("/favicon.svg").is(200);
    assert_eq!((icon.header("content-type"), icon.header("cache-control")), ("image/svg+xml", "no-cache"));
    for path in ["/index.html", "/assets/nothing.js", "/favicon.svg.gz", "/assets/..%2findex.html"] {
        anonymous.get(path).is(404);
    }
}
