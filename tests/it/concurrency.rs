//! Many at once: of each thing there is one winner, and nothing is half.

use serde_json::json;

use crate::support::{Answer, Client, TestServer, file_path};

const AT_ONCE: usize = 8;

/// Runs a request by each of several threads; the statuses, sorted.
fn race(client: &Client, send: impl Fn(&Client, usize) -> Answer + Sync) -> Vec<u16> {
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = &send;
        let racers: Vec<_> = (0..AT_ONCE).map(|n| scope.spawn(move || send(client, n).status)).collect();
        racers.into_iter().map(|racer| racer.join().expect("it was answered")).collect()
    });
    statuses.sort_unstable();
    statuses
}

#[test]
fn the_same_file_is_made_once() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for n in 0..10 {
        let file = file_path("omni/kit", &format!("stable/1.{n}"), &format!("p{n}/a"));
        let path = format!("{file}?create=active&create_platform=true");
        let statuses = race(&omni, |omni, _| omni.put(&path).body(vec![7; 100_000]).send());
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    }
}

#[test]
fn of_other_bytes_the_first_ones_stay() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for n in 0..10 {
        let path = file_path("omni/kit", &format!("stable/1.{n}"), "any/a");
        let put = |omni: &Client, n: usize| omni.put(&format!("{path}?create=active")).body(format!("{n}")).send();
        assert_eq!(race(&omni, put), [201, 409, 409, 409, 409, 409, 409, 409]);
        let stayed = omni.get(&path).is(200).text().parse::<usize>().unwrap();
        assert!(stayed < AT_ONCE);
    }
}

#[test]
fn a_name_is_taken_once() {
    let server = TestServer::start();
    let omni = server.omni();
    let make = |omni: &Client, n: usize| {
        let name = if n.is_multiple_of(2) { "kit" } else { "KIT" };
        omni.post("/api/v1/packages").json(&json!({ "name": name })).send()
    };
    assert_eq!(race(&omni, make), [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[test]
fn one_channel_is_the_default() {
    let server = TestServer::start();
    let omni = server.omni();
    let change = |omni: &Client, n: usize| {
        let name = ["stable", "beta", "alpha"][n % 3];
        omni.patch(&format!("/api/v1/channels/{name}")).json(&json!({ "default": true })).send()
    };
    assert_eq!(race(&omni, change), [200; AT_ONCE]);
    let list = omni.get("/api/v1/channels").is(200).json();
    assert_eq!(list["items"].as_array().unwrap().iter().filter(|channel| channel["default"] == true).count(), 1);
}

#[test]
fn readers_of_the_index_see_whole_states() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0", "any/a", "0");
    let publishing = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while publishing.load(std::sync::atomic::Ordering::Relaxed) {
                    let text = server.anonymous().get("/v2/summaries.gz").is(200).gunzip();
                    let summaries: serde_json::Value = serde_json::from_str(&text).expect("it is whole");
                    assert!(summaries["omni.kit"]["package"]["version"].is_string());
                    let lines = server.anonymous().get("/v2/packages/omni.kit.gz").is(200).gunzip();
                    assert!(lines.ends_with('\n') && lines.lines().all(|line| line.ends_with('}')), "{lines}");
                }
            });
        }
        for n in 1..100 {
            omni.publish("omni/kit", &format!("stable/1.{n}"), "any/a", format!("{n}"));
        }
        publishing.store(false, std::sync::atomic::Ordering::Relaxed);
    });
}
