//! Downloads and update checks, counted by day and in sum.

use serde_json::{Value, json};

use crate::support::{Client, TestServer, file_path};

const STATISTICS: &str = "/api/v1/packages/omni/kit/statistics";

fn counts(list: &Value) -> Vec<(String, String, String, u64)> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let items = list.as_array().unwrap().iter();
    let mut counts: Vec<_> = items
        .map(|item| {
            let names = (text(item, "version"), text(item, "channel"), text(item, "platform"));
            (names.0, names.1, names.2, item["count"].as_u64().unwrap())
        })
        .collect();
    counts.sort();
    counts
}

fn count(version: &str, channel: &str, platform: &str, count: u64) -> (String, String, String, u64) {
    (version.to_owned(), channel.to_owned(), platform.to_owned(), count)
}

#[test]
fn whole_downloads_count_once() {
    let mut server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let content: Vec<u8> = (0..600_000_u32).map(|n| (n >> 3) as u8).collect();
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", content);
    omni.publish("omni/kit", "stable/1.0.0", "any/a.sig", "");
    omni.publish("omni/kit", "beta/2.0.0", "linux-x64/a.zip", "beta");
    let anonymous = server.anonymous();
    let (file, signature) =
        (file_path("omni/kit", "stable/1.0.0", "any/a.zip"), file_path("omni/kit", "stable/1.0.0", "any/a.sig"));
    let get = |client: &Client, range: &str| client.get(&file).header("range", range).send();
    // These count: the whole, by each of its addresses; the last of parts; a file without bytes.
    let etag = anonymous.get(&file).is(200).header("etag").to_owned();
    anonymous.get("/v2/archives/omni.kit/omni.kit-1.0.0/a.zip").is(200);
    assert_eq!(get(&anonymous, "bytes=0-").status, 206);
    for part in ["bytes=0-299999", "bytes=300000-599999"] {
        assert_eq!(get(&anonymous, part).status, 206);
    }
    anonymous.get(&signature).is(200);
    anonymous.get(&file_path("omni/kit", "beta/2.0.0", "linux-x64/a.zip")).is(200);
    // These do not.
    anonymous.head(&file).is(200);
    anonymous.get(&file).header("if-none-match", &etag).is(304);
    assert_eq!(get(&anonymous, "bytes=0-0").status, 206);
    assert_eq!(get(&anonymous, "bytes=900000-").status, 416);
    anonymous.get("/download/omni/kit/stable/latest/any").is(302);
    // An application that asks, with and without a version, and one that nobody ever made.
    for version in ["1.0.0", "1.0.0", "0.9", ""] {
        anonymous.get(&format!("/api/v1/updates?id=omni.kit&version={version}")).is(200);
    }
    anonymous.get("/api/v1/updates?id=omni.kit&channel=beta&platform=linux-x64").is(200);
    anonymous.get("/api/v1/updates?id=omni.kit&channel=nope").is(404);

    // What was counted is written when the server stops.
    assert!(server.stop().success());
    server.restart();
    let seen = omni.get(STATISTICS).is(200).json();
    assert_eq!(
        counts(&seen["downloads"]),
        [count("1.0.0", "stable", "any", 5), count("2.0.0", "beta", "linux-x64", 1)]
    );
    assert_eq!(
        counts(&seen["checks"]),
        [
            count("", "beta", "linux-x64", 1),
            count("", "stable", "any", 1),
            count("0.9", "stable", "any", 1),
            count("1.0.0", "stable", "any", 2)
        ]
    );
    let days: Vec<_> = ["from", "to"].map(|name| seen[name].as_str().unwrap().len()).into();
    assert_eq!(days, [10, 10]);
    let release = omni.get("/api/v1/packages/omni/kit/releases/stable/1.0.0").is(200).json();
    let by_file: Vec<_> = release["files"].as_array().unwrap().iter().map(|file| &file["downloads"]).collect();
    assert_eq!((by_file, &release["downloads"]), (vec![&json!(4), &json!(1)], &json!(5)));
    let package = omni.get("/api/v1/packages/omni/kit").is(200).json();
    assert_eq!(package["downloads"], 6);
    // The sum stays when a file goes.
    omni.delete(&signature).is(204);
    assert_eq!(omni.get("/api/v1/packages/omni/kit").is(200).json()["downloads"], 6);
    assert_eq!(omni.get(&format!("{STATISTICS}?days=0")).problem(422, "1 to 400")["field"], "days");
    omni.get(&format!("{STATISTICS}?days=400")).is(200);
}

#[test]
fn versions_that_nobody_made_are_not_told_apart_for_ever() {
    let mut server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let anonymous = server.anonymous();
    for version in 0..150 {
        anonymous.get(&format!("/api/v1/updates?id=omni.kit&version=0.{version}")).is(200);
    }
    server.stop();
    server.restart();
    omni.publish("omni/kit", "stable/7.0.0", "any/a.zip", "out");
    anonymous.get("/api/v1/updates?id=omni.kit&version=7.0.0").is(200);
    server.stop();
    server.restart();
    let seen = omni.get(STATISTICS).is(200).json();
    let checks = counts(&seen["checks"]);
    assert_eq!(checks.iter().map(|(.., count)| count).sum::<u64>(), 151);
    assert_eq!(checks.len(), 102);
    assert!(checks.contains(&count("other", "stable", "any", 50)), "{checks:?}");
    assert!(checks.contains(&count("7.0.0", "stable", "any", 1)), "{checks:?}");
}
