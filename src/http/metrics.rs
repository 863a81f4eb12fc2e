//! What Prometheus reads: its text format, and the counts of requests, by route and status.
//!
//! Owns how a metric is written. Labels are routes and statuses alone, of which there are few: nothing of a request, and
//! no name that somebody chose.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

use super::workers::PerWorker;
use crate::model::Durations;

/// Counts what was answered, and how long that took. Routes and statuses are few, so the table is bounded.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: PerWorker<Mutex<BTreeMap<(&'static str, u16), Durations>>>,
}

impl Metrics {
    /// Counts one answer, which was there after `duration`.
    pub(super) fn count(&self, route: &'static str, status: StatusCode, duration: Duration) {
        let mut requests = self.requests.own().lock().unwrap_or_else(PoisonError::into_inner);
        requests.entry((route, status.as_u16())).or_default().add(duration);
    }

    /// Writes all counts.
    pub(super) fn write_to(&self, page: &mut Exposition) {
        let mut requests: BTreeMap<(&str, u16), Durations> = BTreeMap::new();
        for counted in self.requests.all() {
            for (key, durations) in &*counted.lock().unwrap_or_else(PoisonError::into_inner) {
                requests.entry(*key).or_default().merge(durations);
            }
        }
        page.begin("packhouse_requests_total", "counter", "Requests answered, by route and status.");
        let mut by_class: BTreeMap<(&str, u16), Durations> = BTreeMap::new();
        for ((route, status), durations) in &requests {
            page.sample("", &format!("route=\"{route}\",status=\"{status}\""), durations.count());
            by_class.entry((route, status / 100)).or_default().merge(durations);
        }
        page.begin(
            "packhouse_request_duration_seconds",
            "histogram",
            "Time from a request's head to its answer's, by route and class of status.",
        );
        for ((route, class), durations) in &by_class {
            page.durations(&format!("route=\"{route}\",status=\"{class}xx\""), durations);
        }
    }
}

/// A page of metrics in Prometheus' text format, version 0.0.4.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    name: &'static str,
}

impl Exposition {
    /// Begins a metric: what follows are its samples.
    pub(super) fn begin(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        // Writing to a string does not fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A value of the metric, of which `suffix` says which part of it and `labels` which one.
    pub(super) fn sample(&mut self, suffix: &str, labels: &str, value: impl Display) {
        let name = self.name;
        let _ = if labels.is_empty() {
            writeln!(self.text, "{name}{suffix} {value}")
        } else {
            writeln!(self.text, "{name}{suffix}{{{labels}}} {value}")
        };
    }

    /// A metric of one value.
    pub(super) fn single(&mut self, name: &'static str, kind: &str, help: &str, value: impl Display) {
        self.begin(name, kind, help);
        self.sample("", "", value);
    }

    /// The samples of a histogram in seconds.
    pub(super) fn durations(&mut self, labels: &str, durations: &Durations) {
        let comma = if labels.is_empty() { "" } else { "," };
        for (bound_micros, count) in durations.cumulative() {
            self.sample("_bucket", &format!("{labels}{comma}le=\"{}\"", seconds(bound_micros)), count);
        }
        self.sample("_bucket", &format!("{labels}{comma}le=\"+Inf\""), durations.count());
        self.sample("_sum", labels, seconds(durations.sum_micros()));
        self.sample("_count", labels, durations.count());
    }

    /// The page.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_and_timed() {
        let metrics = Metrics::default();
        metrics.count("file", StatusCode::OK, Duration::from_micros(700));
        metrics.count("file", StatusCode::PARTIAL_CONTENT, Duration::from_micros(1_500));
        metrics.count("file", StatusCode::NOT_FOUND, Duration::from_secs(60));
        let mut page = Exposition::default();
        metrics.write_to(&mut page);
        let text = page.into_text();
        for line in [
            "# TYPE packhouse_requests_total counter",
            "packhouse_requests_total{route=\"file\",status=\"200\"} 1",
            "packhouse_requests_total{route=\"file\",status=\"206\"} 1",
            "packhouse_requests_total{route=\"file\",status=\"404\"} 1",
            "# TYPE packhouse_request_duration_seconds histogram",
            "packhouse_request_duration_seconds_bucket{route=\"file\",status=\"2xx\",le=\"0.0005\"} 0",
            "packhouse_request_duration_seconds_bucket{route=\"file\",status=\"2xx\",le=\"0.001\"} 1",
            "packhouse_request_duration_seconds_bucket{route=\"file\",status=\"2xx\",le=\"+Inf\"} 2",
            "packhouse_request_duration_seconds_sum{route=\"file\",status=\"2xx\"} 0.0022",
            "packhouse_request_duration_seconds_count{route=\"file\",status=\"2xx\"} 2",
            "packhouse_request_duration_seconds_bucket{route=\"file\",status=\"4xx\",le=\"10\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in:\n{text}");
        }
    }
}
