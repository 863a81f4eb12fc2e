//! Releases.

use http::StatusCode;
use serde::Deserialize;

use super::{TEXT_JSON_BYTES_MAX, condition, no_content, with_mark};
use crate::http::app::{Answer, Ask};
use crate::http::problem::Problem;
use crate::http::{RequestBody, json};
use crate::model::FullName;
use crate::service::{ReleaseName, ReleasePatch};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {
    active: Option<bool>,
    published: Option<String>,
    #[serde(default, deserialize_with = "json::present")]
    publish_at: Option<Option<String>>,
    #[serde(default, deserialize_with = "json::present")]
    yanked: Option<Option<String>>,
    description: Option<String>,
}

pub(super) fn list(ask: &Ask, name: &FullName) -> Answer {
    let channel = ask.query.parsed("channel")?;
    let (cursor, limit) = (ask.query.exact("cursor"), ask.query.limit()?);
    let page = ask.registry().releases(&ask.caller, name, channel.as_ref(), cursor, limit)?;
    json::respond(StatusCode::OK, &page)
}

/// What each platform is offered.
pub(super) fn offers(ask: &Ask, name: &FullName) -> Answer {
    let channel = ask.query.parsed("channel")?;
    json::respond(StatusCode::OK, &ask.registry().offers(&ask.caller, name, channel.as_ref())?)
}

pub(super) fn get(ask: &Ask, name: &ReleaseName) -> Answer {
    let view = ask.registry().release(&ask.caller, name)?;
    with_mark(json::respond(StatusCode::OK, &view)?, &view.mark)
}

pub(super) async fn put(ask: Ask, name: ReleaseName) -> Answer {
    let condition = condition(&ask)?;
    let patch = read_patch(ask.body).await?;
    let (view, is_new) = ask.app.registry.put_release(&ask.caller, name, patch, condition).await?;
    with_mark(json::respond(if is_new { StatusCode::CREATED } else { StatusCode::OK }, &view)?, &view.mark)
}

pub(super) async fn change(ask: Ask, name: ReleaseName) -> Answer {
    let condition = condition(&ask)?;
    let patch = read_patch(ask.body).await?;
    let view = ask.app.registry.change_release(&ask.caller, name, patch, condition).await?;
    with_mark(json::respond(StatusCode::OK, &view)?, &view.mark)
}

pub(super) async fn delete(ask: Ask, name: ReleaseName) -> Answer {
    let condition = condition(&ask)?;
    ask.registry().delete_release(&ask.caller, name, condition).await?;
    Ok(no_content())
}

/// No body at all changes nothing: `PUT` alone makes a draft.
async fn read_patch(body: RequestBody) -> Result<ReleasePatch, Problem> {
    let body: ReleaseBody = match body.expected_bytes() {
        Some(0) => ReleaseBody::default(),
        _ => json::read(body, TEXT_JSON_BYTES_MAX).await?,
    };
    Ok(ReleasePatch {
        active: body.active,
        published: json::parse_some("published", body.published.as_deref())?,
        publish_at: parse_present("publish_at", body.publish_at)?,
        yanked: parse_present("yanked", body.yanked)?,
        description: json::parse_some("description", body.description.as_deref())?,
    })
}

/// Parses a field that may be absent, and may be `null`.
fn parse_present<T>(field: &'static str, value: Option<Option<String>>) -> Result<Option<Option<T>>, Problem>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    value.map(|value| json::parse_some(field, value.as_deref())).transpose()
}
