//! What answers from the first moment on: until the registry is open, that it is not, and how far it is.

use std::future::ready;
use std::sync::{Arc, OnceLock};

use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::json;

use super::app::{Answering, App};
use super::problem::Problem;
use super::server::Peer;
use super::{Body, RequestBody, json, security_headers};
use crate::service::StartProgress;

/// Passes requests on to an app that comes later.
#[derive(Default)]
pub struct Front {
    app: OnceLock<Arc<App>>,
    progress: StartProgress,
}

impl Front {
    /// Whoever opens the registry tells here how far it is.
    #[must_use]
    pub fn progress(&self) -> &StartProgress {
        &self.progress
    }

    /// From now on this app answers.
    pub fn open(&self, app: Arc<App>) {
        // Only the first one counts.
        let _ = self.app.set(app);
    }

    /// Answers a request.
    pub fn answer(&self, request: Request<RequestBody>, peer: Peer) -> Answering {
        match self.app.get() {
            Some(app) => app.answer(request, peer),
            None => Answering::Left(ready(self.not_yet(&request))),
        }
    }

    /// What is said until the registry is open.
    fn not_yet(&self, request: &Request<RequestBody>) -> Response<Body> {
        let answer = match request.uri().path() {
            "/healthz" => json::respond(StatusCode::OK, &json!({ "alive": true })),
            "/readyz" => {
                let (loaded, packages) = self.progress.packages();
                let state = json!({ "ready": false, "packages_loaded": loaded, "packages": packages });
                json::respond(StatusCode::SERVICE_UNAVAILABLE, &state)
            }
            _ => Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "starting",
                "Not ready yet",
                "the server is starting; /readyz says how far it is",
            )),
        };
        let mut response = answer.unwrap_or_else(Problem::into_response);
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        security_headers::set_common(response.headers_mut());
        response
    }
}
