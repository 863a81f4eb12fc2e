//! What admins ask about the server.

use http::StatusCode;
use serde::Serialize;

use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::service::{AuditQuery, StatusView};

pub(super) fn audit(ask: &Ask) -> Answer {
    let query = AuditQuery {
        user: ask.query.parsed("user")?,
        package: ask.query.parsed("package")?,
        cursor: ask.query.exact("cursor").map(str::to_owned),
        limit: ask.query.limit()?,
    };
    json::respond(StatusCode::OK, &ask.registry().audit(&ask.caller, &query)?)
}

#[derive(Serialize)]
struct ServerStatus {
    #[serde(flatten)]
    registry: StatusView,
    connections: u64,
    tls: bool,
}

pub(super) async fn storage(ask: Ask) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().storage(&ask.caller).await?)
}

pub(super) fn status(ask: &Ask) -> Answer {
    let status = ServerStatus {
        registry: ask.registry().status_view(&ask.caller)?,
        connections: ask.app.config.traffic.connections(),
        tls: ask.app.config.tls,
    };
    json::respond(StatusCode::OK, &status)
}

pub(super) fn settings(ask: &Ask) -> Answer {
    ask.registry().require_admin(&ask.caller)?;
    json::respond(StatusCode::OK, &ask.app.settings().all)
}
