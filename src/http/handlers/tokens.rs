//! A user's own API tokens, and what a token opens.

use http::StatusCode;
use serde::Deserialize;

use super::{SMALL_JSON_BYTES_MAX, no_content};
use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::{ApiTokenId, Scope};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTokenBody {
    name: String,
    scopes: Vec<String>,
    #[serde(default)]
    expires: Option<String>,
}

pub(super) fn list(ask: &Ask) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().tokens(&ask.caller)?)
}

pub(super) async fn create(ask: Ask) -> Answer {
    let body: NewTokenBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let name = json::parse("name", &body.name)?;
    let scopes =
        body.scopes.iter().map(|scope| json::parse("scopes", scope)).collect::<Result<Vec<Scope>, Problem>>()?;
    let expires = json::parse_some("expires", body.expires.as_deref())?;
    let view = ask.app.registry.create_token(&ask.caller, name, scopes, expires).await?;
    json::respond(StatusCode::CREATED, &view)
}

pub(super) async fn delete(ask: Ask, id: ApiTokenId) -> Answer {
    ask.registry().delete_token(&ask.caller, id).await?;
    Ok(no_content())
}

pub(super) fn opened_packages(ask: &Ask) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().opened_packages(&ask.caller)?)
}
