//! What strangers see while private packages come, change and go: the same bytes as before, and no sooner or later.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, TestServer, file_path};

/// Everything that a stranger may look at and that should not move: paths, each with a status.
const WINDOWS: &[(&str, u16)] = &[
    ("/v2/registry.gz", 200),
    ("/v2/summaries.gz", 200),
    ("/v2/packages/omni.kit.gz", 200),
    ("/v2/packages/omni.safe.gz", 404),
    ("/v2/changes?since=1", 410),
    ("/v2/archives/omni.safe/omni.safe-1.0.0.json", 404),
    ("/v2/archives/omni.safe/omni.safe-1.0.0/a.zip", 404),
    ("/channels/stable/v2/registry.gz", 200),
    ("/channels/beta/v2/registry.gz", 200),
    // Only private packages are on this one.
    ("/channels/secret/v2/registry.gz", 404),
    ("/channels/secret/v2/changes?since=1", 404),
    ("/channels/secret/kit/v2/registry.gz", 404),
    ("/kit/v2/registry.gz", 200),
    ("/kit/v2/summaries.gz", 200),
    ("/kit/v2/packages/omni.safe.gz", 404),
    ("/readyz", 200),
    ("/api/v1/packages", 200),
    ("/api/v1/packages?limit=1", 200),
    ("/api/v1/packages?owner=omni&search=s", 200),
    ("/api/v1/packages/omni/safe", 404),
    ("/api/v1/packages/omni/safe/releases", 404),
    ("/api/v1/packages/omni/safe/releases/stable/1.0.0", 404),
    ("/api/v1/packages/omni/safe/releases/stable/1.0.0/files/any/a.zip", 404),
    ("/api/v1/packages/omni/safe/releases/stable/1.0.0/files/any/a.zip/manifest", 404),
    ("/api/v1/search?search=s", 200),
    ("/api/v1/search?search=&channel=secret", 200),
    ("/api/v1/updates?id=omni.safe", 404),
    ("/api/v1/requirements?id=omni.safe", 404),
    ("/download/omni/safe/stable/latest/any", 404),
    ("/download/omni/safe/stable/1.0.0/any/a.zip", 404),
];

/// What can be seen of an answer, apart from its time of day: status, headers, content.
type Seen = (u16, Vec<(String, String)>, Vec<u8>);

fn seen(client: &Client, method: &str, path: &str) -> Seen {
    let answer = client.request(method, path).send();
    let headers = answer.headers.iter().filter(|(name, _)| name != "date" && name != "x-request-id").cloned().collect();
    (answer.status, headers, answer.body)
}

fn look(client: &Client) -> Vec<Seen> {
    ["GET", "HEAD"].iter().flat_map(|method| WINDOWS.iter().map(|(path, _)| seen(client, method, path))).collect()
}

/// The gauges; the counters of requests move with those who look.
fn gauges(client: &Client) -> String {
    let text = client.get("/metrics").is(200).text();
    text.lines().filter(|line| !line.contains("packhouse_request")).collect::<Vec<_>>().join("\n")
}

fn make(server: &TestServer) -> Client {
    let omni = server.omni();
    omni.post("/api/v1/channels").json(&json!({ "name": "secret" })).is(201);
    for name in ["kit", "kat"] {
        omni.make_package(name, "public");
        omni.publish(&format!("omni/{name}"), "stable/1.0.0", "any/a.zip", "one");
    }
    omni
}

/// Lets a private package come, change in every way and go, and calls `check` after each step.
fn live(omni: &Client, mut check: impl FnMut(&str)) {
    omni.make_package("safe", "private");
    check("made");
    omni.publish("omni/safe", "stable/1.0.0", "any/a.zip", "private");
    check("published");
    omni.publish("omni/safe", "secret/1.0.0", "any/a.zip", "private");
    check("published on a channel");
    let path = format!("{}/manifest", file_path("omni/safe", "secret/1.0.0", "any/a.zip"));
    omni.put(&path).json(&json!({ "package": { "title": "Safe" } })).is(200);
    check("described");
    omni.patch("/api/v1/packages/omni/safe/releases/stable/1.0.0").json(&json!({ "yanked": "wrong" })).is(200);
    check("yanked");
    omni.put("/api/v1/packages/omni/safe/members/rita").json(&json!({ "role": "reader" })).is(201);
    check("shared");
    omni.post("/api/v1/packages/omni/safe/tokens/access").is(201);
    check("given a new token");
}

#[test]
fn strangers_see_the_same_bytes_before_and_after() {
    let mut server = TestServer::start();
    let omni = make(&server);
    for stranger in [server.anonymous(), server.user("uma")] {
        for (path, status) in WINDOWS {
            stranger.get(path).is(*status);
        }
    }
    let (anonymous, uma) = (server.anonymous(), server.user("uma"));
    let before = (look(&anonymous), look(&uma), gauges(&anonymous));
    live(&omni, |step| {
        for (stranger, before) in [(&anonymous, &before.0), (&uma, &before.1)] {
            for ((now, before), (path, _)) in look(stranger).iter().zip(before).zip(WINDOWS.iter().cycle()) {
                assert_eq!(now, before, "{path} after a private package was {step}");
            }
        }
        assert_eq!(gauges(&anonymous), before.2, "after a private package was {step}");
    });
    // Nor does a start tell.
    server.kill();
    server.restart();
    let anonymous = server.anonymous();
    for ((now, before), (path, _)) in look(&anonymous).iter().zip(&before.0).zip(WINDOWS.iter().cycle()) {
        assert_eq!(now, before, "{path} after a start");
    }
    assert_eq!(gauges(&anonymous), before.2);
}

/// The serial of an empty registry used to be 0 until a start made it that of the last private change.
#[test]
fn a_registry_with_private_packages_alone_looks_empty_and_untouched() {
    let mut server = TestServer::start();
    let registry = |server: &TestServer| server.anonymous().get("/v2/registry.gz").is(200).body;
    let before = registry(&server);
    live(&make_channel(&server), |step| assert_eq!(registry(&server), before, "{step}"));
    server.kill();
    server.restart();
    assert_eq!(registry(&server), before, "after a start");
    server.also(&server.omni()).publish_new("omni/first");
    assert_ne!(registry(&server), before);
}

fn make_channel(server: &TestServer) -> Client {
    let omni = server.omni();
    omni.post("/api/v1/channels").json(&json!({ "name": "secret" })).is(201);
    omni
}

impl Client {
    fn publish_new(&self, name: &str) {
        self.make_package(name.split_once('/').unwrap().1, "public");
        self.publish(name, "stable/1.0.0", "any/a.zip", "one");
    }
}

/// `changes` used to hold a serial against the clock of all views: whoever tried out serials found the time of the last
/// private change, to the microsecond.
#[test]
fn the_clock_of_private_changes_cannot_be_found_by_trying() {
    let server = TestServer::start();
    let omni = make(&server);
    let anonymous = server.anonymous();
    let registry: Value = serde_json::from_str(&anonymous.get("/v2/registry.gz").is(200).gunzip()).unwrap();
    let serial = registry["serial"].as_u64().unwrap();
    let ask = |since: u64| anonymous.get(&format!("/v2/changes?since={since}")).send().status;
    live(&omni, |step| {
        assert_eq!(ask(serial), 200, "{step}");
        for ahead in [1, 1_000, 1_000_000, 10_000_000, 1 << 40] {
            assert_eq!(ask(serial + ahead), 410, "{ahead} ahead after {step}");
        }
    });
}

#[test]
fn who_waits_for_changes_is_not_woken_by_private_ones() {
    let server = TestServer::start();
    let omni = make(&server);
    let registry: Value = serde_json::from_str(&server.anonymous().get("/v2/registry.gz").is(200).gunzip()).unwrap();
    let path = format!("/v2/changes?since={}&wait=60", registry["serial"]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let answer = server.anonymous().get(&path).is(200).json();
            (Instant::now(), answer)
        });
        live(&omni, |step| assert!(!waiting.is_finished(), "woken by a package that was {step}"));
        // A wake-up that is late would come now.
        std::thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished());
        let published = Instant::now();
        omni.publish("omni/kit", "stable/2.0.0", "any/a.zip", "two");
        let (woken, answer) = waiting.join().unwrap();
        assert!(woken >= published);
        let files: Vec<&String> = answer["files"].as_object().unwrap().keys().collect();
        assert_eq!(files, ["packages/omni.kit.gz", "summaries.gz"]);
    });
}

/// The text for a private package is that for one that is not there, in every byte but its name.
#[test]
fn a_private_package_is_refused_like_an_unknown_one() {
    let server = TestServer::start();
    let omni = make(&server);
    live(&omni, |_| ());
    for stranger in [server.anonymous(), server.user("uma")] {
        for (path, _) in WINDOWS.iter().filter(|(path, _)| path.contains("safe")) {
            for method in ["GET", "HEAD", "DELETE", "PUT", "PATCH", "POST"] {
                let unknown = path.replace("safe", "none");
                let (status, headers, body) = seen(&stranger, method, path);
                let body = String::from_utf8_lossy(&body).replace("safe", "none");
                let (unknown_status, unknown_headers, unknown_body) = seen(&stranger, method, &unknown);
                assert_eq!((status, headers), (unknown_status, unknown_headers), "{method} {path}");
                assert_eq!(body, String::from_utf8_lossy(&unknown_body), "{method} {path}");
            }
        }
        // A hash that somebody guesses right opens nothing and is not confirmed.
        let hash = packhouse::model::Sha256::of(b"private");
        let file = "/api/v1/packages/omni/safe/releases/stable/1.0.0/files/any/a.zip";
        for tag in [format!("\"{hash}\""), "*".to_owned()] {
            stranger.get(file).header("if-none-match", &tag).is(404);
            stranger.get("/v2/packages/omni.safe.gz").header("if-none-match", &tag).is(404);
            stranger.get(file).header("if-match", &tag).is(404);
        }
        stranger.get(file).header("range", "bytes=0-0").is(404);
    }
}

/// Numbers in a row let anyone with an account count what was made between two of them.
#[test]
fn numbers_that_are_shown_count_nothing() {
    let server = TestServer::start();
    let omni = make(&server);
    let uma = server.user("uma");
    let token = || {
        let made = uma.post("/api/v1/tokens").json(&json!({ "name": "a", "scopes": ["read"] })).is(201).json();
        made["id"].as_u64().unwrap()
    };
    let ids = [token(), token(), token()];
    assert!(ids[1].abs_diff(ids[0]) > 1_000 && ids[2].abs_diff(ids[1]) > 1_000, "{ids:?}");
    assert!(ids.iter().all(|id| *id < 1 << 53), "each is exact in a double: {ids:?}");
    uma.delete(&format!("/api/v1/tokens/{}", ids[0])).is(204);
    // Cursors name what the page showed.
    let page = server.anonymous().get("/api/v1/packages?limit=1").is(200).json();
    let next = page["next"].as_str().unwrap().to_owned();
    let name = page["items"][0]["full_name"].as_str().unwrap();
    assert_eq!(next.split_once('-').unwrap().1, name);
    let rest = server.anonymous().get(&format!("/api/v1/packages?limit=1&cursor={next}")).is(200).json();
    assert_eq!(rest["items"][0]["full_name"], if name == "omni.kit" { "omni.kat" } else { "omni.kit" });
    omni.publish("omni/kit", "beta/1.0.0", "any/a.zip", "beta");
    let releases = server.anonymous().get("/api/v1/packages/omni/kit/releases?limit=1").is(200).json();
    let next = releases["next"].as_str().unwrap();
    assert!(["stable:1.0.0", "beta:1.0.0"].contains(&next), "{next}");
    let rest = server.anonymous().get(&format!("/api/v1/packages/omni/kit/releases?limit=1&cursor={next}")).is(200);
    assert_ne!(rest.json()["items"][0]["channel"], releases["items"][0]["channel"]);
}

/// A reader's view follows its private packages and the public ones alike, whatever was kept of it.
#[test]
fn readers_see_every_change_to_what_is_theirs_at_once() {
    let mut server = TestServer::start();
    let omni = make(&server);
    live(&omni, |_| ());
    let check = |server: &TestServer, omni: &Client| {
        let omni = server.also(omni);
        let rita = server.user("rita");
        for n in 0..6 {
            let (package, version) = if n % 2 == 0 { ("safe", "private") } else { ("kit", "public") };
            omni.publish(&format!("omni/{package}"), &format!("stable/{}.{n}.0", server.pid()), "any/a.zip", version);
            for reader in [&omni, &rita] {
                let lines = reader.get(&format!("/v2/packages/omni.{package}.gz")).is(200).gunzip();
                assert!(lines.contains(&format!("{}.{n}.0", server.pid())), "{lines}");
                let registry = reader.get("/v2/registry.gz").is(200).gunzip();
                let hash = format!("{:08x}", crc32fast::hash(lines.as_bytes()));
                assert!(registry.contains(&format!("\"packages/omni.{package}.gz\":\"{hash}\"")), "{registry}");
            }
        }
        // Public, private again, and gone.
        let visibility =
            |value: &str| omni.patch("/api/v1/packages/omni/safe").json(&json!({ "visibility": value })).is(200);
        for value in ["public", "private"] {
            visibility(value);
            for reader in [&omni, &rita] {
                reader.get("/v2/packages/omni.safe.gz").is(200);
            }
            let status = if value == "public" { 200 } else { 404 };
            server.anonymous().get("/v2/packages/omni.safe.gz").is(status);
        }
        omni.delete("/api/v1/packages/omni/safe/members/rita").is(204);
        rita.get("/v2/packages/omni.safe.gz").is(404);
        omni.put("/api/v1/packages/omni/safe/members/rita").json(&json!({ "role": "reader" })).is(201);
        rita.get("/v2/packages/omni.safe.gz").is(200);
    };
    check(&server, &omni);
    server.kill();
    server.restart();
    check(&server, &omni);
    let omni = server.omni();
    omni.delete("/api/v1/packages/omni/safe").is(204);
    omni.get("/v2/packages/omni.safe.gz").is(404);
    assert!(!omni.get("/v2/registry.gz").is(200).gunzip().contains("omni.safe"));
}
