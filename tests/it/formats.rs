//! Registries of earlier formats, as `tests/data/make` made them: each is restored, opened, and answers what it did.

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use packhouse::model::Sha256;
use serde_json::Value;

use crate::support::{Cli, TestServer, project};

/// Whether an item of a fixture's list has expired since the fixture was made.
fn has_expired(item: &Value) -> bool {
    let expires = item["expires"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    expires.is_some_and(|expires| expires <= jiff::Timestamp::now())
}

/// The text of a `registry.gz` up to its serial, which ends it.
fn without_serial(text: &str) -> String {
    text.split_once(",\"serial\":").expect("a registry has a serial").0.to_owned()
}

/// Everything that `made` says is still said, except for items that have expired since. More may be said now.
fn assert_says(now: &Value, made: &Value, at: &str) {
    match (now, made) {
        (Value::Object(now), Value::Object(made)) => {
            for (name, made) in made {
                assert_says(now.get(name).unwrap_or(&Value::Null), made, &format!("{at}.{name}"));
            }
        }
        (Value::Array(now), Value::Array(made)) => {
            // An unfinished upload is kept for a day: every fixture has one, and whether it is still there depends on when
            // the test runs.
            let made: Vec<&Value> = made.iter().filter(|item| !has_expired(item)).collect();
            assert_eq!(now.len(), made.len(), "{at}: {now:?}, not {made:?}");
            now.iter().zip(made).enumerate().for_each(|(n, (now, made))| assert_says(now, made, &format!("{at}[{n}]")));
        }
        // What was counted last was written after the answer, and this test downloads too.
        _ if at.ends_with(".downloads") => assert!(now.as_u64() >= made.as_u64(), "{at}: {now}, not {made}"),
        _ => assert_eq!(now, made, "{at}"),
    }
}

#[test]
fn registries_of_all_formats_open_with_all_that_is_in_them() {
    let folder = project().join("tests/data");
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let backups: Vec<_> = entries.filter(|path| path.extension().is_some_and(|extension| extension == "gz")).collect();
    assert!(!backups.is_empty());
    for path in backups {
        let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap();
        let temp = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        GzDecoder::new(fs::File::open(&path).unwrap()).read_to_end(&mut bytes).unwrap();
        let (file, data) = (temp.path().join("backup.tar"), temp.path().join("data"));
        fs::write(&file, bytes).unwrap();
        Cli::new(&["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap()]).exits(0);
        Cli::new(&["check", "--deep", "--data", data.to_str().unwrap()]).exits(0);
        let mut server = TestServer::with().on(&data).start();
        let told: Value = serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
        // Twice, since the first start may have changed what is stored.
        for _ in 0..2 {
            let client = server.bearer(told["token"].as_str().unwrap());
            for (path, made) in told["answers"].as_object().unwrap() {
                let made = made.as_str().unwrap().replace("URL", &server.origin());
                let is_index = path.ends_with(".gz");
                let answer = if is_index { server.anonymous().get(path).is(200) } else { client.get(path).is(200) };
                let now = if is_index { answer.gunzip() } else { answer.text() };
                // A later format renders the index anew, which is a change of the view.
                let (now, made) = match path.ends_with("registry.gz") {
                    true => (without_serial(&now), without_serial(&made)),
                    false => (now, made),
                };
                match (serde_json::from_str(&now), serde_json::from_str(&made)) {
                    (Ok(now), Ok(made)) if !is_index => assert_says(&now, &made, &format!("{name}: {path}")),
                    // A start that renders everything again gives the views new serials.
                    (Ok(Value::Object(mut now)), Ok(Value::Object(mut made))) => {
                        now.remove("serial");
                        made.remove("serial");
                        assert_eq!(now, made, "{name}: {path}");
                    }
                    _ => assert_eq!(now, made, "{name}: {path}"),
                }
            }
            let large: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
            for (path, bytes) in [
                ("kit.window/releases/stable/1.0.0/files/any/small.txt", "a small file"),
                ("kit.window/releases/stable/1.0.0/files/amiga/large.txt", &large),
                ("kit.window/releases/beta/1.1.0-rc.1/files/any/large.txt", &large),
                ("kit.window/releases/nightly/2.0.0/files/any/draft.txt", "a small file"),
                ("safe/releases/stable/1.0.0/files/any/secret.txt", &large),
            ] {
                let body = client.get(&format!("/api/v1/packages/omni/{path}")).is(200).body;
                assert_eq!(Sha256::of(&body), Sha256::of(bytes.as_bytes()), "{name}: {path}");
            }
            server.stop();
            server.restart();
        }
        let client = server.bearer(told["token"].as_str().unwrap());
        client.publish("omni/safe", "stable/2.0.0", "any/new.txt", "new");
        client.delete("/api/v1/packages/omni/safe/releases/stable/2.0.0").is(204);
    }
}
