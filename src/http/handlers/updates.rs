//! Update checks, what newer releases require, and the search over public packages.

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::PlatformName;
use crate::service::UpdateQuery;

/// Errors of an update check have two dialects in one document: problem+json, and `success` with `code` and `message`.
pub(in crate::http) fn in_both_dialects(problem: Problem) -> Problem {
    let (code, message) = (problem.status().as_u16(), problem.detail().to_owned());
    problem.with_member("success", false).with_member("code", code).with_member("message", message)
}

pub(super) fn updates(ask: &Ask) -> Answer {
    let query = update_query(ask)?;
    let all = match ask.query.exact("mode") {
        None | Some("" | "1") => false,
        Some("2") => true,
        Some(_) => return Err(Problem::unprocessable("mode", "mode is 1 (the newest) or 2 (all newer ones)")),
    };
    let updates = ask.registry().updates(&ask.caller, &query, all)?;
    let is_newer = !updates.is_empty();
    let mut answer = json!({ "success": true, "isNewer": is_newer });
    if all {
        answer["data"] = value(&updates)?;
    } else if let (Some(Value::Object(newest)), Value::Object(fields)) =
        (updates.first().map(value).transpose()?, &mut answer)
    {
        fields.extend(newest);
    }
    json::respond(StatusCode::OK, &answer)
}

pub(super) fn requirements(ask: &Ask) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().requirements(&ask.caller, &update_query(ask)?)?)
}

pub(super) fn search(ask: &Ask) -> Answer {
    let (channel, platform) = (ask.query.parsed("channel")?, ask.query.parsed("platform")?);
    let search = ask.query.text("search").unwrap_or_default();
    let page = ask.registry().search(search, channel.as_ref(), platform.as_ref(), ask.query.limit()?)?;
    json::respond(StatusCode::OK, &page)
}

fn update_query(ask: &Ask) -> Result<UpdateQuery, Problem> {
    let id = ask.query.parsed("id")?;
    Ok(UpdateQuery {
        id: id
            .ok_or_else(|| Problem::unprocessable("id", "id is the full name of a package, such as omni.kit.window"))?,
        channel: ask.query.parsed("channel")?,
        platform: ask.query.parsed("platform")?.unwrap_or_else(PlatformName::any),
        version: ask.query.parsed("version")?,
    })
}

fn value(value: &impl serde::Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::internal(&error))
}
