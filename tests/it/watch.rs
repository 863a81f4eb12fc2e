//! What operators and their programs see of a running server: metrics, alerts, the dashboard, and the log.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Scope, TestServer, file_path, project, skip_installable};

fn packaged(name: &str) -> PathBuf {
    project().join("packaging/prometheus").join(name)
}

/// Runs Prometheus' own checker, where it is installed: what it says, if it finds fault.
fn promtool(words: &[&str], input: &str) -> Result<(), String> {
    let mut command = Command::new("promtool");
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut checker) = command.spawn() else {
        skip_installable("promtool is not installed here");
        return Ok(());
    };
    checker.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = checker.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// The value of a sample, written with its labels.
fn value(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{sample} is missing in:\n{metrics}")).parse().unwrap()
}

/// The names of the metrics on a page.
fn names(metrics: &str) -> BTreeSet<String> {
    let names = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    names.map(str::to_owned).collect()
}

/// All that a text calls like a metric.
fn named(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_name(c)).filter(|word| word.starts_with("packhouse_"));
    words.map(str::to_owned).collect()
}

#[test]
fn metrics_say_what_happened() {
    let server = TestServer::start();
    let watcher = server.token("root", Scope::Read);
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", vec![7; 100_000]);
    let path = file_path("omni/kit", "stable/1.0.0", "any/a.zip");
    for _ in 0..2 {
        assert_eq!(server.anonymous().get(&path).is(200).body.len(), 100_000);
    }
    server.anonymous().get(&format!("{path}x")).is(404);
    server.anonymous().get("/api/v1/updates?id=omni.kit").is(200);
    let metrics = watcher.get("/metrics").is(200).text();
    promtool(&["check", "metrics"], &metrics).unwrap();
    for (sample, expected) in [
        ("packhouse_requests_total{route=\"file\",status=\"200\"}", 2.0),
        ("packhouse_requests_total{route=\"file\",status=\"404\"}", 1.0),
        ("packhouse_request_duration_seconds_count{route=\"file\",status=\"2xx\"}", 2.0),
        ("packhouse_request_duration_seconds_bucket{route=\"file\",status=\"4xx\",le=\"+Inf\"}", 1.0),
        ("packhouse_downloads_total", 2.0),
        ("packhouse_update_checks_total", 1.0),
        ("packhouse_uploads_total", 1.0),
        ("packhouse_upload_bytes_total", 100_000.0),
        ("packhouse_retention_removed_releases_total", 0.0),
        ("packhouse_retention_removed_bytes_total", 0.0),
        ("packhouse_packages", 1.0),
        ("packhouse_blob_volumes", 1.0),
        ("packhouse_uploads_unfinished", 0.0),
        ("packhouse_event_listeners", 0.0),
        (concat!("packhouse_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ] {
        assert_eq!(value(&metrics, sample), expected, "{sample}\n{metrics}");
    }
    for (sample, least) in [
        ("packhouse_sent_bytes_total", 200_000.0),
        ("packhouse_received_bytes_total", 100_000.0),
        ("packhouse_blob_live_bytes", 100_000.0),
        ("packhouse_blob_volume_bytes", 100_000.0),
        ("packhouse_commit_duration_seconds_count", 2.0),
        ("packhouse_connections", 1.0),
        ("packhouse_disk_free_bytes", 1.0),
        ("packhouse_entities_bytes", 1.0),
        ("packhouse_index_serial", 1.0),
        ("packhouse_start_time_seconds", 1.7e9),
        ("packhouse_retention_last_run_timestamp_seconds", 1.7e9),
    ] {
        assert!(value(&metrics, sample) >= least, "{sample}\n{metrics}");
    }
    assert!(value(&metrics, "packhouse_sent_bytes_total") < 400_000.0, "{metrics}");
    // The server has work of its own, which may just be waiting.
    for lane in ["small", "bulk"] {
        assert!(value(&metrics, &format!("packhouse_queue_jobs{{lane=\"{lane}\"}}")) < 10.0, "{lane}\n{metrics}");
    }
    assert!(value(&metrics, "packhouse_disk_free_bytes") < value(&metrics, "packhouse_disk_bytes"));
}

#[test]
fn only_admins_see_what_tells_of_private_things() {
    let server = TestServer::start();
    let all = names(&server.token("root", Scope::Read).get("/metrics").is(200).text());
    let public = names(&server.anonymous().get("/metrics").is(200).text());
    let expected = [
        "packhouse_build_info",
        "packhouse_event_listeners",
        "packhouse_index_serial",
        "packhouse_packages",
        "packhouse_request_duration_seconds",
        "packhouse_requests_total",
    ];
    assert_eq!(public.iter().collect::<Vec<_>>(), expected);
    assert!(all.is_superset(&public) && all.len() > 15, "{all:?}");
    // Signed in as an admin in a browser it works too; as anybody else it does not.
    assert_eq!(names(&server.user("root").get("/metrics").is(200).text()), all);
    assert_eq!(names(&server.token("omni", Scope::Admin).get("/metrics").is(200).text()), public);
    server.expired_token().get("/metrics").is(401);
}

#[test]
fn labels_are_few_and_nobodys_words() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit-secret", "private");
    for n in 0..50 {
        server.anonymous().get(&format!("/p/omni/kit{n}")).send();
        server.anonymous().get(&format!("/v2/packages/omni.kit{n}.gz")).is(404);
        server.anonymous().request(&format!("METHOD{n}"), "/v2/registry.gz").is(405);
    }
    let metrics = server.token("root", Scope::Read).get("/metrics").is(200).text();
    assert!(!metrics.contains("kit") && !metrics.contains("omni") && !metrics.contains("METHOD"), "{metrics}");
    assert!(metrics.lines().count() < 250, "{metrics}");
}

#[test]
fn alerts_and_the_dashboard_name_metrics_that_there_are() {
    let server = TestServer::start();
    let known = names(&server.token("root", Scope::Read).get("/metrics").is(200).text());
    let rules = packaged("packhouse.rules.yml");
    promtool(&["check", "rules", rules.to_str().unwrap()], "").unwrap();
    let dashboard = std::fs::read_to_string(packaged("packhouse.dashboard.json")).unwrap();
    let panels: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = panels["panels"].as_array().unwrap();
    assert!(panels.iter().all(|panel| panel["targets"][0]["expr"].as_str().is_some_and(|expr| !expr.is_empty())));
    let mut shown = BTreeSet::new();
    for (what, text) in [("rules", std::fs::read_to_string(&rules).unwrap()), ("dashboard", dashboard)] {
        let used = named(&text);
        assert!(used.len() > 4, "{what}");
        for name in used {
            let whole = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
            let metric = whole.filter(|whole| known.contains(*whole)).unwrap_or(&name).to_owned();
            assert!(known.contains(&metric), "the {what} name {name}, which is no metric");
            shown.insert(metric);
        }
    }
    let unused: Vec<_> = known.difference(&shown).filter(|name| *name != "packhouse_index_serial").collect();
    assert!(unused.is_empty(), "nobody looks at {unused:?}");
}

#[test]
fn a_request_is_found_in_the_log_by_its_id() {
    let server = TestServer::with().flags(&["--log-format", "json", "--trusted-proxy", "127.0.0.1"]).start();
    let id = server.anonymous().get("/healthz").is(200).header("x-request-id").to_owned();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let other = server.anonymous().get("/no/such/thing").is(404).header("x-request-id").to_owned();
    assert_ne!(id, other);
    let chosen = server.omni().get("/api/v1/session").header("x-request-id", "from-the-proxy").is(200);
    assert_eq!(chosen.header("x-request-id"), "from-the-proxy");
    let secret = server.secret("omni", Scope::Publish);
    server.anonymous().get(&format!("/t/{secret}/v2/registry.gz?token={secret}")).is(200);
    server.wait_for_log("\"route\":\"index_registry\"");
    let log = server.log();
    assert!(!log.contains(secret), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let line = |id: &str| lines.iter().find(|line| line["id"] == id).unwrap_or_else(|| panic!("{id}\n{log}"));
    assert_eq!((&line(&id)["route"], &line(&id)["status"]), (&"healthz".into(), &200.into()));
    assert_eq!((&line(&other)["status"], &line(&other)["caller"]), (&404.into(), &"-".into()));
    let proxied = line("from-the-proxy");
    assert_eq!(
        (&proxied["caller"], &proxied["method"], &proxied["client"]),
        (&"omni".into(), &"GET".into(), &"127.0.0.1".into())
    );
    assert!(proxied["bytes"].as_u64().unwrap() > 10 && proxied["micros"].as_u64().is_some(), "{proxied}");
    for line in &lines {
        assert!(line["time"].as_str().unwrap().ends_with('Z') && line["level"].is_string(), "{line}");
    }
}
