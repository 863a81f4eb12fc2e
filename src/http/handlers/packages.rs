//! Packages, their tokens and members.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{SMALL_JSON_BYTES_MAX, TEXT_JSON_BYTES_MAX, condition, no_content, with_mark};
use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::{FullName, TokenKind, UserName};
use crate::service::{NewPackage, PackagePatch, PackageQuery, PackageSort, Share};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPackageBody {
    name: String,
    #[serde(default)]
    description: String,
    visibility: Option<String>,
    version_scheme: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackagePatchBody {
    description: Option<String>,
    visibility: Option<String>,
    version_scheme: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberBody {
    role: String,
}

pub(super) fn list(ask: &Ask) -> Answer {
    let query = PackageQuery {
        search: ask.query.text("search").map(str::to_owned),
        owner: ask.query.parsed("owner")?,
        share: match ask.query.exact("role") {
            None => Share::All,
            Some("member") => Share::Own,
            Some("none") => Share::Others,
            Some(_) => return Err(Problem::unprocessable("role", "role is member or none, or absent")),
        },
        brief: match ask.query.exact("view") {
            None | Some("full") => false,
            Some("brief") => true,
            Some(_) => return Err(Problem::unprocessable("view", "view is full or brief")),
        },
        sort: match ask.query.exact("sort") {
            None | Some("changed") => PackageSort::Changed,
            Some("name") => PackageSort::Name,
            Some("downloads") => PackageSort::Downloads,
            Some(_) => return Err(Problem::unprocessable("sort", "sort is changed, name or downloads")),
        },
        cursor: ask.query.exact("cursor").map(str::to_owned),
        limit: ask.query.limit()?,
    };
    json::respond(StatusCode::OK, &ask.registry().packages(&ask.caller, &query)?)
}

pub(super) async fn create(ask: Ask) -> Answer {
    let body: NewPackageBody = json::read(ask.body, TEXT_JSON_BYTES_MAX).await?;
    let new = NewPackage {
        name: json::parse("name", &body.name)?,
        description: json::parse("description", &body.description)?,
        visibility: json::parse("visibility", body.visibility.as_deref().unwrap_or("public"))?,
        version_scheme: json::parse_some("version_scheme", body.version_scheme.as_deref())?.unwrap_or_default(),
    };
    let view = ask.app.registry.create_package(&ask.caller, new).await?;
    with_mark(json::respond(StatusCode::CREATED, &view)?, &view.mark)
}

pub(super) fn get(ask: &Ask, name: &FullName) -> Answer {
    let view = ask.registry().package(&ask.caller, name)?;
    with_mark(json::respond(StatusCode::OK, &view)?, &view.mark)
}

pub(super) async fn change(ask: Ask, name: FullName) -> Answer {
    let condition = condition(&ask)?;
    let body: PackagePatchBody = json::read(ask.body, TEXT_JSON_BYTES_MAX).await?;
    let patch = PackagePatch {
        description: json::parse_some("description", body.description.as_deref())?,
        visibility: json::parse_some("visibility", body.visibility.as_deref())?,
        version_scheme: json::parse_some("version_scheme", body.version_scheme.as_deref())?,
    };
    let view = ask.app.registry.change_package(&ask.caller, name, patch, condition).await?;
    with_mark(json::respond(StatusCode::OK, &view)?, &view.mark)
}

pub(super) async fn delete(ask: Ask, name: FullName) -> Answer {
    let condition = condition(&ask)?;
    ask.registry().delete_package(&ask.caller, name, condition).await?;
    Ok(no_content())
}

pub(super) async fn replace_token(ask: Ask, name: FullName, kind: TokenKind) -> Answer {
    let token = ask.registry().replace_package_token(&ask.caller, name, kind).await?;
    json::respond(StatusCode::CREATED, &json!({ "token": token }))
}

pub(super) fn audit(ask: &Ask, name: &FullName) -> Answer {
    let (cursor, limit) = (ask.query.exact("cursor"), ask.query.limit()?);
    json::respond(StatusCode::OK, &ask.registry().package_audit(&ask.caller, name, cursor, limit)?)
}

pub(super) fn members(ask: &Ask, name: &FullName) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().members(&ask.caller, name)?)
}

pub(super) async fn put_member(ask: Ask, name: FullName, user: UserName) -> Answer {
    let body: MemberBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let role = json::parse("role", &body.role)?;
    let (view, is_new) = ask.app.registry.put_member(&ask.caller, name, user, role).await?;
    json::respond(if is_new { StatusCode::CREATED } else { StatusCode::OK }, &view)
}

pub(super) async fn delete_member(ask: Ask, name: FullName, user: UserName) -> Answer {
    ask.registry().delete_member(&ask.caller, name, user).await?;
    Ok(no_content())
}
