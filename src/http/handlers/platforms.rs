//! A user's own platforms.

use http::StatusCode;
use serde::Deserialize;

use super::{SMALL_JSON_BYTES_MAX, no_content};
use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::model::PlatformName;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlatformBody {
    name: String,
}

pub(super) fn list(ask: &Ask) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().platforms(&ask.caller)?)
}

pub(super) async fn create(ask: Ask) -> Answer {
    let body: PlatformBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let name = json::parse("name", &body.name)?;
    let view = ask.app.registry.create_platform(&ask.caller, name).await?;
    json::respond(StatusCode::CREATED, &view)
}

pub(super) async fn rename(ask: Ask, name: PlatformName) -> Answer {
    let body: PlatformBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let new_name = json::parse("name", &body.name)?;
    let view = ask.app.registry.rename_platform(&ask.caller, name, new_name).await?;
    json::respond(StatusCode::OK, &view)
}

pub(super) async fn delete(ask: Ask, name: PlatformName) -> Answer {
    ask.registry().delete_platform(&ask.caller, name).await?;
    Ok(no_content())
}
