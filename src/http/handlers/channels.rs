//! A user's own channels.

use http::StatusCode;
use serde::Deserialize;

use super::{SMALL_JSON_BYTES_MAX, no_content};
use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::{ChannelName, RetentionRule};
use crate::service::{ChannelPatch, NewChannel, RetentionQuery};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChannelBody {
    name: String,
    short: Option<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    includes: Vec<String>,
    retention: Option<RetentionBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelPatchBody {
    name: Option<String>,
    short: Option<String>,
    default: Option<bool>,
    includes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "json::present")]
    retention: Option<Option<RetentionBody>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionBody {
    keep_newest: Option<i64>,
    keep_days: Option<i64>,
    keep_downloaded_days: Option<i64>,
}

impl RetentionBody {
    fn parse(self) -> Result<RetentionRule, Problem> {
        rule(self.keep_newest, self.keep_days, self.keep_downloaded_days)
    }
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
        retention: body.retention.map(RetentionBody::parse).transpose()?,
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
        retention: body.retention.map(|rule| rule.map(RetentionBody::parse).transpose()).transpose()?,
    };
    let view = ask.app.registry.change_channel(&ask.caller, name, patch).await?;
    json::respond(StatusCode::OK, &view)
}

pub(super) async fn delete(ask: Ask, name: ChannelName) -> Answer {
    ask.registry().delete_channel(&ask.caller, name).await?;
    Ok(no_content())
}

pub(super) async fn preview_retention(ask: Ask, name: ChannelName) -> Answer {
    // What is no number is as much out of range as zero.
    let number = |name| {
        let text = ask.query.exact(name).filter(|text| !text.is_empty());
        text.map(|text| text.parse().unwrap_or(0))
    };
    let numbers = (number("keep_newest"), number("keep_days"), number("keep_downloaded_days"));
    let query = RetentionQuery {
        rule: match numbers {
            (None, None, None) => None,
            (newest, days, downloaded_days) => Some(rule(newest, days, downloaded_days)?),
        },
        cursor: ask.query.exact("cursor").map(str::to_owned),
        limit: ask.query.limit()?,
    };
    json::respond(StatusCode::OK, &ask.app.registry.preview_retention(&ask.caller, &name, query).await?)
}

fn rule(newest: Option<i64>, days: Option<i64>, downloaded_days: Option<i64>) -> Result<RetentionRule, Problem> {
    let rule = RetentionRule::new(newest, days, downloaded_days);
    rule.map_err(|problem| Problem::unprocessable(problem.field(), problem.to_string()))
}

fn names(texts: &[String]) -> Result<Vec<ChannelName>, Problem> {
    texts.iter().map(|text| json::parse("includes", text)).collect()
}
