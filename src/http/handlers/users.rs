//! Users: making, inviting, changing and deleting them.

use http::StatusCode;
use serde::Deserialize;

use super::accounts::{refuse_foreign, signed_in};
use super::{SMALL_JSON_BYTES_MAX, no_content};
use crate::http::app::{Answer, Ask};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::UserName;
use crate::service::{NewUser, OwnPackages, UserPatch};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUserBody {
    name: String,
    password: Option<String>,
    #[serde(default)]
    admin: bool,
    quota_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserPatchBody {
    password: Option<String>,
    old_password: Option<String>,
    admin: Option<bool>,
    disabled: Option<bool>,
    #[serde(default, deserialize_with = "json::present")]
    quota_bytes: Option<Option<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptBody {
    token: String,
    password: String,
}

pub(super) fn list(ask: &Ask) -> Answer {
    let page = ask.registry().users(&ask.caller, ask.query.exact("cursor"), ask.query.limit()?)?;
    json::respond(StatusCode::OK, &page)
}

pub(super) async fn create(ask: Ask) -> Answer {
    let body: NewUserBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let new = NewUser {
        name: json::parse("name", &body.name)?,
        password: json::parse_some("password", body.password.as_deref())?,
        admin: body.admin,
        quota_bytes: body.quota_bytes,
    };
    let view = ask.app.registry.create_user(&ask.caller, new).await?;
    json::respond(StatusCode::CREATED, &view)
}

pub(super) fn get(ask: &Ask, name: &UserName) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().user(&ask.caller, name)?)
}

pub(super) async fn change(ask: Ask, name: &UserName) -> Answer {
    let body: UserPatchBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let patch = UserPatch {
        password: json::parse_some("password", body.password.as_deref())?,
        old_password: body.old_password,
        admin: body.admin,
        disabled: body.disabled,
        quota_bytes: body.quota_bytes,
    };
    let view = ask.app.registry.change_user(&ask.caller, name, patch).await?;
    json::respond(StatusCode::OK, &view)
}

pub(super) async fn delete(ask: Ask, name: UserName) -> Answer {
    let packages = match ask.query.exact("packages") {
        None => OwnPackages::MustBeGone,
        Some("delete") => OwnPackages::Delete,
        Some(_) => return Err(Problem::unprocessable("packages", "packages is delete, or absent")),
    };
    ask.registry().delete_user(&ask.caller, name, packages).await?;
    Ok(no_content())
}

pub(super) async fn invite(ask: Ask, name: UserName) -> Answer {
    json::respond(StatusCode::CREATED, &ask.registry().invite(&ask.caller, name).await?)
}

pub(super) async fn accept_invitation(ask: Ask) -> Answer {
    refuse_foreign(&ask)?;
    let body: AcceptBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let password = json::parse("password", &body.password)?;
    let begun = ask.app.registry.accept_invitation(&ask.caller, &body.token, password).await?;
    signed_in(StatusCode::OK, &begun, ask.outside.https)
}
