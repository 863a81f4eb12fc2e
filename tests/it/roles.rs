//! Every call as every role, on a public and on a private package: who may, who may not, and what nobody is told.
//!
//! [`table`] says what is expected, [`world`] makes the registry it is about. After a call that changed something, the
//! next role gets a fresh copy of that registry.

mod table;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::Read;

use http::Method;
use packhouse::http::route::route;

use crate::support::{Answer, Client, Part, TestServer};
use table::{CALLS, Call, Content, ROLES, Role};
use world::{HIDDEN_DRAFT, HIDDEN_PACKAGE, WORLD, World};

#[test]
fn every_route_is_called() {
    let called: BTreeSet<&str> = CALLS.iter().map(|call| call.route).collect();
    for call in CALLS {
        let path = world::fill(call.path, "kit", "1", "1");
        let method: Method = call.method.parse().unwrap();
        let found = route(&method, path.split('?').next().unwrap()).expect(call.path);
        assert_eq!(found.name(), call.route, "{} {}", call.method, call.path);
    }
    let source = include_str!("../../src/http/route.rs");
    let (_, names) = source.split_once("pub fn name(&self)").expect("routes have names");
    let (names, _) = names.split_once("\n    }\n").expect("the function ends");
    let names: BTreeSet<&str> = names.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 50, "the names are where they were looked for");
    assert_eq!(names.difference(&called).collect::<Vec<_>>(), [&""; 0], "routes that no call of the table is for");
}

#[test]
fn public_packages() {
    check("kit", |call| call.public);
}

#[test]
fn private_packages() {
    check("safe", |call| call.private);
}

/// Runs the whole table before it says what is wrong with it.
fn check(package: &str, expected: impl Fn(&Call) -> [u16; ROLES.len()]) {
    let mut wrong = String::new();
    let mut server = None;
    for call in CALLS {
        for (role, expected) in ROLES.into_iter().zip(expected(call)) {
            let running = server.get_or_insert_with(|| TestServer::with().copy_of(&WORLD.files).start());
            let answer = ask(running, &WORLD, package, call, role);
            if let Some(problem) = judge(call, role, package, expected, &answer) {
                writeln!(wrong, "{} as {role:?} on {package}: {problem}", call.route).unwrap();
            }
            if answer.status < 400 && !matches!(call.method, "GET" | "HEAD") {
                server = None;
            }
        }
        // A token that is no longer valid opens nothing, not even what everybody may have: its holder is to know. The
        // pages are what tells them, so these come all the same.
        let expected = if matches!(call.route, "page" | "asset" | "docs" | "docs_style") { 200 } else { 401 };
        for stale in [&WORLD.expired, &WORLD.revoked, &WORLD.disabled] {
            let running = server.get_or_insert_with(|| TestServer::with().copy_of(&WORLD.files).start());
            let status = send(&running.also(stale), &WORLD, package, call).status;
            if status != expected {
                writeln!(wrong, "{} on {package} with a token that is not valid: {status}", call.route).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn ask(server: &TestServer, world: &World, package: &str, call: &Call, role: Role) -> Answer {
    send(&server.also(world.client(role, package)), world, package, call)
}

fn send(client: &Client, world: &World, package: &str, call: &Call) -> Answer {
    let request =
        client.request(call.method, &world::fill(call.path, package, &world.api_token_id, &world.uploads[package]));
    match call.content {
        Content::None => request.send(),
        Content::Json(text) => request.header("content-type", "application/json").body(text).send(),
        Content::Bytes(text) => request.body(text).send(),
        Content::Form(fields) => {
            let fields = fields.iter().map(|(name, value)| (*name, world::fill(value, package, "", "")));
            let fields: Vec<_> = fields.collect();
            let parts: Vec<Part<'_>> = fields.iter().map(|(name, value)| Part::field(name, value)).collect();
            request.form(&parts).send()
        }
        Content::Tus(text) => {
            let request = request.header("tus-resumable", "1.0.0").header("upload-offset", "0");
            let request = request.header("content-type", "application/offset+octet-stream");
            if text.is_empty() { request.send() } else { request.body(text).send() }
        }
        Content::Metadata(pairs) => {
            let request = request.header("tus-resumable", "1.0.0").header("upload-length", "3");
            request.header("upload-metadata", &world::metadata(pairs, package)).send()
        }
    }
}

fn judge(call: &Call, role: Role, package: &str, expected: u16, answer: &Answer) -> Option<String> {
    if expected != 0 && answer.status != expected {
        return Some(format!("{} instead of {expected}: {}", answer.status, answer.text()));
    }
    let body = readable(answer);
    let told: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>();
    let told = format!("{told}{body}");
    // What only members may know of a private package, wherever it might turn up.
    if !role.reads_private() && told.contains(HIDDEN_PACKAGE) {
        return Some(format!("tells of a private package: {told}"));
    }
    if !role.sees_drafts() && told.contains(HIDDEN_DRAFT) {
        return Some(format!("tells of a draft: {told}"));
    }
    // A package's tokens are for its owners; update checks and replaced tokens hand them to those who have or own them.
    let hands_out = matches!(call.route, "package" | "packages" | "change_package" | "replace_package_token");
    let has_it = matches!(role, Role::Access)
        || call.route == "updates" && role.reads_private()
        // Everything is in a backup, which is for admins alone.
        || call.route.starts_with("admin_backup") && answer.status == 200;
    for token in WORLD.tokens_of(package) {
        if told.contains(token) && !has_it && !(hands_out && role.owns()) {
            return Some(format!("tells a package's token: {told}"));
        }
    }
    None
}

/// The body as text, be it compressed.
fn readable(answer: &Answer) -> String {
    if answer.find("content-type") == Some("application/gzip") && !answer.body.is_empty() {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).expect("it is gzip");
        return text;
    }
    answer.text()
}

#[test]
fn a_cookie_alone_changes_nothing() {
    let server = TestServer::with().copy_of(&WORLD.files).start();
    let omni = server.also(WORLD.client(Role::Omni, "kit"));
    for call in CALLS.iter().filter(|call| !matches!(call.method, "GET" | "HEAD" | "OPTIONS")) {
        let path = world::fill(call.path, "kit", &WORLD.api_token_id, &WORLD.uploads["kit"]);
        let request = || omni.request(call.method, &path);
        for foreign in [
            request().without("origin"),
            request().header("origin", "http://evil.example"),
            request().header("origin", "null"),
            request().header("sec-fetch-site", "cross-site"),
            request().header("sec-fetch-site", "same-site"),
        ] {
            foreign.problem(403, "this site's own pages");
        }
    }
    omni.get("/api/v1/packages/omni/kit").is(200);
}

#[test]
fn a_token_may_come_in_every_way() {
    let server = TestServer::with().copy_of(&WORLD.files).start();
    let anonymous = server.anonymous();
    let token = &WORLD.access["safe"];
    let path = "/api/v1/packages/omni/safe";
    anonymous.get(path).problem(404, "if it is private, it needs its access token");
    server.bearer(token).get(path).is(200);
    anonymous.get(path).header("authorization", &format!("bearer {token}")).is(200);
    anonymous.get(path).header("authorization", &world::basic(token)).is(200);
    anonymous.get(&format!("/t/{token}{path}")).is(200);
    // Only update checks take it in the query, where it would end in the history of browsers.
    anonymous.get(&format!("{path}?token={token}")).is(404);
    anonymous.get(&format!("/api/v1/updates?id=omni.safe&token={token}")).is(200);
    anonymous.get(&format!("/api/v1/requirements?id=omni.safe&token={token}")).is(200);
    for (wrong, detail) in [
        ("Bearer", "Bearer TOKEN"),
        ("Bearer ph_acc_1", "64 hexadecimal digits"),
        ("Digest x", "Bearer TOKEN"),
        ("Basic %%%", "Bearer TOKEN"),
    ] {
        anonymous.get(path).header("authorization", wrong).problem(401, detail);
    }
    anonymous.get(&format!("/t/x{path}")).problem(401, "64 hexadecimal digits");
    assert!(!server.settled_log().contains(&token[..20]), "tokens are not logged\n{}", server.settled_log());
}
