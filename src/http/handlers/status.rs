//! What operators and their programs ask: does it live, is it ready, what has it done.
//!
//! Metrics for everyone say what everyone may know. Admins, by whichever of their tokens, see all of them: even sums
//! tell of what is private.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::NO_STORE;
use crate::http::app::{Answer, Ask};
use crate::http::metrics::Exposition;
use crate::http::{Body, json};
use crate::service::{Figures, Refusal};

pub(super) fn healthz() -> Answer {
    json::respond(StatusCode::OK, &json!({ "alive": true }))
}

/// Whoever asks before the index is loaded is answered by `http::front`.
pub(super) fn readyz(ask: &Ask) -> Answer {
    let status = ask.registry().status();
    json::respond(StatusCode::OK, &json!({ "ready": true, "serial": status.serial, "packages": status.packages }))
}

pub(super) fn metrics(ask: &Ask) -> Answer {
    let registry = ask.registry();
    let status = registry.status();
    let mut page = Exposition::default();
    page.begin("packhouse_build_info", "gauge", "Which version this is.");
    page.sample("", concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""), 1);
    ask.app.metrics.write_to(&mut page);
    page.single("packhouse_index_serial", "gauge", "Serial of the public index, in microseconds.", status.serial);
    page.single("packhouse_packages", "gauge", "Public packages in the index.", status.packages);
    let listeners = registry.listeners();
    page.single("packhouse_event_listeners", "gauge", "Clients that listen to events.", listeners);
    match registry.figures(&ask.caller) {
        Ok(figures) => write_figures(&mut page, ask, &figures),
        Err(Refusal::NotSignedIn(_) | Refusal::Forbidden(_)) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let mut response = Response::new(Body::full(page.into_text()));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    Ok(response)
}

/// What admins alone may know.
fn write_figures(page: &mut Exposition, ask: &Ask, figures: &Figures) {
    let traffic = &ask.app.config.traffic;
    let (uploads, upload_bytes) = figures.unfinished_uploads;
    for (name, help, value) in [
        ("packhouse_downloads_total", "Downloads that came to their end.", figures.downloads),
        ("packhouse_update_checks_total", "Update checks that were answered.", figures.update_checks),
        ("packhouse_uploads_total", "Files that were published with their content.", figures.uploads),
        ("packhouse_upload_bytes_total", "Bytes of these files.", figures.upload_bytes),
        (
            "packhouse_retention_removed_releases_total",
            "Releases that retention rules removed.",
            figures.retention_removed,
        ),
        ("packhouse_retention_removed_bytes_total", "Bytes of their files.", figures.retention_removed_bytes),
        ("packhouse_scrub_bytes_total", "Bytes of content that were read again and verified.", figures.scrub.bytes),
        ("packhouse_received_bytes_total", "Bytes that came, with all of the protocols.", traffic.received_bytes()),
        ("packhouse_sent_bytes_total", "Bytes that went, with all of the protocols.", traffic.sent_bytes()),
    ] {
        page.single(name, "counter", help, value);
    }
    page.begin("packhouse_commit_duration_seconds", "histogram", "Time of a commit, with the jobs that share it.");
    page.durations("", &figures.commits);
    page.begin("packhouse_queue_jobs", "gauge", "Jobs that wait for a commit.");
    for (lane, jobs) in ["small", "bulk"].iter().zip(figures.waiting) {
        page.sample("", &format!("lane=\"{lane}\""), jobs);
    }
    for (name, help, value) in [
        ("packhouse_connections", "Connections that are open.", traffic.connections()),
        ("packhouse_uploads_unfinished", "Resumable uploads that are not finished.", uploads),
        ("packhouse_uploads_unfinished_bytes", "Bytes kept of them.", upload_bytes),
        ("packhouse_blob_volumes", "Files that hold content.", figures.volumes),
        ("packhouse_blob_volume_bytes", "What they take on the disk.", figures.volume_bytes),
        ("packhouse_blob_live_bytes", "What of it is referred to.", figures.live_bytes),
        ("packhouse_entities_bytes", "What the file with everything but content takes.", figures.entities_bytes),
        ("packhouse_disk_free_bytes", "What the disk has left.", figures.disk_free_bytes),
        ("packhouse_disk_bytes", "What the disk has.", figures.disk_bytes),
        ("packhouse_start_time_seconds", "When the server started, in seconds since 1970.", ask.app.started_s()),
    ] {
        page.single(name, "gauge", help, value);
    }
    let damaged = figures.scrub.damaged.len();
    page.single("packhouse_scrub_damaged_blobs", "gauge", "Contents that are not what was stored.", damaged);
    for (name, help, at) in [
        (
            "packhouse_retention_last_run_timestamp_seconds",
            "When retention rules were last kept, in seconds since 1970.",
            figures.retention_run,
        ),
        (
            "packhouse_scrub_last_round_timestamp_seconds",
            "When all content had been verified, in seconds since 1970; 0 if not since the start.",
            figures.scrub.finished,
        ),
        (
            "packhouse_backup_last_success_timestamp_seconds",
            "When the last backup was complete, in seconds since 1970; 0 if none was since the start.",
            figures.backup.finished,
        ),
        (
            "packhouse_backup_last_failure_timestamp_seconds",
            "When the last backup failed, in seconds since 1970; 0 if none did since the last success or the start.",
            figures.backup.failed,
        ),
    ] {
        page.single(name, "gauge", help, at.map_or(0, |at| at.as_seconds()));
    }
}
