//! What those who publish look at: counts of their packages, and what waits for them.

use std::sync::Arc;

use http::StatusCode;

use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::FullName;
use crate::service::STATISTICS_DAYS_MAX;

/// How many days are told of where nobody says how many.
const DAYS: u32 = 90;

/// Blocks for a while where there is much, so not on the threads that serve.
pub(super) async fn statistics(ask: Ask, name: FullName) -> Answer {
    let days = ask.query.parsed("days")?.unwrap_or(DAYS);
    if days == 0 || days > STATISTICS_DAYS_MAX {
        return Err(Problem::unprocessable("days", format!("days is a number from 1 to {STATISTICS_DAYS_MAX}")));
    }
    let (registry, caller) = (Arc::clone(ask.registry()), ask.caller.clone());
    let work = move || registry.statistics(&caller, &name, days);
    let view = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))??;
    json::respond(StatusCode::OK, &view)
}

pub(super) async fn attention(ask: Ask) -> Answer {
    let (registry, caller) = (Arc::clone(ask.registry()), ask.caller.clone());
    let work = move || registry.attention(&caller);
    let view = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))??;
    json::respond(StatusCode::OK, &view)
}
