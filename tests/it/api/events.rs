//! Server-sent events: who hears of what, and going on after a break.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, TestServer, file_path};

/// Somebody who listens.
struct Listening {
    lines: Box<dyn BufRead>,
    last_id: String,
}

impl Listening {
    fn begin(client: &Client, since: Option<&str>) -> Self {
        let mut request = client.get("/api/v1/events");
        if let Some(since) = since {
            request = request.header("last-event-id", since);
        }
        let (answer, body) = request.open();
        let answer = answer.is(200);
        assert_eq!(answer.header("content-type"), "text/event-stream");
        let mut listening = Self { lines: Box::new(BufReader::new(body)), last_id: String::new() };
        if since.is_none() {
            assert_eq!(listening.next(), None, "the first thing is the serial alone");
        }
        listening
    }

    /// The next event, or nothing where only the serial came.
    fn next(&mut self) -> Option<(String, Value)> {
        let (mut name, mut data, mut said) = (String::new(), None, false);
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).expect("it goes on"), 0, "it ended");
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => (self.last_id, said) = (id.to_owned(), true),
                Some(("event", text)) => name = text.to_owned(),
                Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
                Some(("retry", _)) => {}
                Some(_) => {}
                None if line.trim_end().is_empty() && (said || data.is_some()) => {
                    return data.map(|data| (name, data));
                }
                None => {}
            }
        }
    }

    /// The events up to one of this name, without those in between that say nothing.
    fn up_to(&mut self, name: &str) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        loop {
            let Some(event) = self.next() else { continue };
            let found = event.0 == name;
            events.push(event);
            if found {
                return events;
            }
        }
    }
}

fn event(name: &str, data: Value) -> (String, Value) {
    (name.to_owned(), data)
}

#[test]
fn everyone_hears_of_what_they_may_see() {
    let server = TestServer::start();
    let omni = server.omni();
    let mut anonymous = Listening::begin(&server.anonymous(), None);
    let mut owner = Listening::begin(&omni, None);
    omni.make_package("safe", "private");
    omni.make_package("kit", "public");
    let kit = json!({ "package": "omni.kit" });
    // Nothing of the private one, and nothing of a draft.
    assert_eq!(anonymous.next(), Some(event("package", kit.clone())));
    let told = owner.up_to("package");
    assert_eq!(told, [event("package", json!({ "package": "omni.safe" }))]);
    omni.put(&format!("{}?create=inactive", file_path("omni/kit", "stable/1.0.0", "any/a"))).body("a").is(201);
    let release = json!({ "package": "omni.kit", "channel": "stable", "version": "1.0.0" });
    assert!(owner.up_to("release").contains(&event("release", release.clone())));
    assert_eq!(anonymous.next(), Some(event("package", kit.clone())));
    let path = "/api/v1/packages/omni/kit/releases/stable/1.0.0";
    omni.patch(path).json(&json!({ "active": true })).is(200);
    assert!(anonymous.up_to("release").contains(&event("release", release.clone())));
    omni.patch(path).json(&json!({ "active": false })).is(200);
    assert!(anonymous.up_to("release_gone").contains(&event("release_gone", release)));
    // A package that is hidden from now on is gone for those who saw it.
    omni.patch("/api/v1/packages/omni/kit").json(&json!({ "visibility": "private" })).is(200);
    assert!(anonymous.up_to("package_gone").contains(&event("package_gone", kit.clone())));
    omni.delete("/api/v1/packages/omni/kit").is(204);
    assert!(owner.up_to("package_gone").contains(&event("package_gone", kit)));
    // What is a user's own is told to that user.
    omni.post("/api/v1/channels").json(&json!({ "name": "nightly" })).is(201);
    assert_eq!(owner.up_to("account").last(), Some(&event("account", json!({}))));
    let metrics = server.anonymous().get("/metrics").is(200).text();
    assert!(metrics.contains("packhouse_event_listeners 2\n"), "{metrics}");
}

#[test]
fn a_listener_goes_on_where_it_was() {
    let mut server = TestServer::start();
    let omni = server.omni();
    let listening = Listening::begin(&server.anonymous(), None);
    let last_id = listening.last_id.clone();
    drop(listening);
    omni.make_package("one", "public");
    omni.make_package("two", "public");
    let mut again = Listening::begin(&server.anonymous(), Some(&last_id));
    let told = [again.next(), again.next()];
    assert_eq!(told, ["omni.one", "omni.two"].map(|name| Some(event("package", json!({ "package": name })))));
    for unknown in ["1", "x", "99999999999999999"] {
        let mut lost = Listening::begin(&server.anonymous(), Some(unknown));
        assert_eq!(lost.next(), Some(event("reset", json!({}))), "{unknown}");
    }
    // A server that was started again remembers nothing, and says so. It ends in good time though somebody listens.
    let begun = Instant::now();
    assert!(server.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    server.restart();
    let mut back = Listening::begin(&server.anonymous(), Some(&again.last_id));
    assert_eq!(back.next(), Some(event("reset", json!({}))));
}

#[test]
fn rights_are_those_of_the_moment() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("safe", "private");
    let member = "/api/v1/packages/omni/safe/members/rita";
    omni.put(member).json(&json!({ "role": "reader" })).is(201);
    let rita = server.user("rita");
    let mut listening = Listening::begin(&rita, None);
    omni.patch("/api/v1/packages/omni/safe").json(&json!({ "description": "a" })).is(200);
    assert_eq!(listening.next(), Some(event("package", json!({ "package": "omni.safe" }))));
    omni.delete(member).is(204);
    assert_eq!(listening.next(), Some(event("account", json!({}))));
    omni.patch("/api/v1/packages/omni/safe").json(&json!({ "description": "b" })).is(200);
    omni.make_package("kit", "public");
    assert_eq!(listening.next(), Some(event("package", json!({ "package": "omni.kit" }))));
    // Who is signed out hears no more.
    rita.delete("/api/v1/session").is(204);
    omni.patch("/api/v1/packages/omni/kit").json(&json!({ "description": "c" })).is(200);
    let mut rest = String::new();
    assert_eq!(listening.lines.read_line(&mut rest).unwrap(), 0, "{rest}");
}
