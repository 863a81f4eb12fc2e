//! Short cuts to a registry with something in it, by the same API that everyone uses.

use serde_json::json;

use super::answer::Answer;
use super::client::Client;

impl Client {
    /// Makes a package in the caller's namespace: `public` or `private`.
    #[track_caller]
    pub(crate) fn make_package(&self, name: &str, visibility: &str) {
        let body = json!({ "name": name, "description": format!("About {name}."), "visibility": visibility });
        self.post("/api/v1/packages").json(&body).is(201);
    }

    /// Publishes a file at `NS/NAME`, `CHANNEL/VERSION` and `PLATFORM/DISPLAYNAME`, making an active release and the
    /// platform where they are missing.
    #[track_caller]
    pub(crate) fn publish(&self, package: &str, release: &str, file: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        self.put(&format!("{}?create=active&create_platform=true", file_path(package, release, file)))
            .body(bytes)
            .is(201)
    }
}

/// The path of a file in the API, from the same parts.
pub(crate) fn file_path(package: &str, release: &str, file: &str) -> String {
    format!("/api/v1/packages/{package}/releases/{release}/files/{file}")
}
