//! Counters of requests, by route and status, as Prometheus reads them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

/// Counts what was answered. Routes and statuses are few, so the table is bounded by their number.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

impl Metrics {
    /// Counts one answer.
    pub(super) fn count(&self, route: &'static str, status: StatusCode) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((route, status.as_u16())).or_default() += 1;
    }

    /// All counters in Prometheus' text format.
    #[must_use]
    pub(super) fn to_text(&self) -> String {
        let mut text = String::from(
            "# HELP packhouse_requests_total Requests answered, by route and status.\n# TYPE packhouse_requests_total counter\n",
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((route, status), count) in requests.iter() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "packhouse_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted() {
        let metrics = Metrics::default();
        metrics.count("file", StatusCode::OK);
        metrics.count("file", StatusCode::OK);
        metrics.count("file", StatusCode::NOT_FOUND);
        let text = metrics.to_text();
        assert!(text.contains("packhouse_requests_total{route=\"file\",status=\"200\"} 2\n"));
        assert!(text.contains("packhouse_requests_total{route=\"file\",status=\"404\"} 1\n"));
    }
}
