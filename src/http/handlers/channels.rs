//! A user's own channels.

use http::StatusCode;
use serde::Deserialize;

use super::{SMALL_JSON_BYTES_MAX, no_content};
use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::ChannelName;
use crate::service::{ChannelPatch, NewChannel};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChannelBody {
    name: String,
    short: Option<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    includes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelPatchBody {
    name: Option<String>,
    short: Option<String>,
    default: Option<bool>,
    includes: Option<Vec<String>>,
}

pub(super) fn list(ask: &Ask) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().channels(&ask.caller)?)
}

pub(super) async fn create(ask: Ask) -> Answer {
    let body: NewChannelBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let new = NewChannel {
        name: json::parse("name", &body.name)?,
        short: json::parse_some("short", body.short.as_deref())?,
        default: body.default,
        includes: names(&body.includes)?,
    };
    let view = ask.app.registry.create_channel(&ask.caller, new).await?;
    json::respond(StatusCode::CREATED, &view)
}

pub(super) async fn change(ask: Ask, name: ChannelName) -> Answer {
    let body: ChannelPatchBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let patch = ChannelPatch {
        name: json::parse_some("name", body.name.as_deref())?,
        short: json::parse_some("short", body.short.as_deref())?,
        default: body.default,
        includes: body.includes.as_deref().map(names).transpose()?,
    };
    let view = ask.app.registry.change_channel(&ask.caller, name, patch).await?;
    json::respond(StatusCode::OK, &view)
}

pub(super) async fn delete(ask: Ask, name: ChannelName) -> Answer {
    ask.registry().delete_channel(&ask.caller, name).await?;
    Ok(no_content())
}

fn names(texts: &[String]) -> Result<Vec<ChannelName>, Problem> {
    texts.iter().map(|text| json::parse("includes", text)).collect()
}
