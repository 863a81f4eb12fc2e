//! Setup and sessions.

use http::header::SET_COOKIE;
use http::{Response, StatusCode};
use serde::Deserialize;

use super::{SMALL_JSON_BYTES_MAX, no_content};
use crate::http::Body;
use crate::http::app::{Answer, Ask, SESSION_COOKIE};
use crate::http::cookie::SetCookie;
use crate::http::json;
use crate::http::problem::Problem;
use crate::service::{NewSession, SESSION_S};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupBody {
    token: String,
    name: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInBody {
    name: String,
    password: String,
}

pub(super) async fn set_up(ask: Ask) -> Answer {
    refuse_foreign(&ask)?;
    let body: SetupBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let name = json::parse("name", &body.name)?;
    let password = json::parse("password", &body.password)?;
    let begun = ask.app.registry.set_up(&ask.caller, &body.token, name, password).await?;
    signed_in(StatusCode::CREATED, &begun, ask.outside.https)
}

pub(super) async fn sign_in(ask: Ask) -> Answer {
    refuse_foreign(&ask)?;
    let body: SignInBody = json::read(ask.body, SMALL_JSON_BYTES_MAX).await?;
    let begun = ask.app.registry.sign_in(&ask.caller, ask.outside.client, &body.name, body.password).await?;
    signed_in(StatusCode::OK, &begun, ask.outside.https)
}

/// Another site must not sign a browser in, be it with a name of its own.
pub(super) fn refuse_foreign(ask: &Ask) -> Result<(), Problem> {
    let from_browser = ask.headers.contains_key("origin") || ask.headers.contains_key("sec-fetch-site");
    if from_browser && !crate::http::same_origin::allows(&ask.method, &ask.headers, &ask.outside) {
        return Err(Problem::forbidden("this is only for this site's own pages"));
    }
    Ok(())
}

pub(super) fn signed_in(status: StatusCode, begun: &NewSession, https: bool) -> Answer {
    let mut response = json::respond(status, &begun.view)?;
    set_session_cookie(&mut response, &begun.secret, SESSION_S.unsigned_abs(), https)?;
    Ok(response)
}

/// Has the browser keep a session's secret, or forget it after no time at all.
fn set_session_cookie(
    response: &mut Response<Body>,
    secret: &str,
    max_age_seconds: u64,
    https: bool,
) -> Result<(), Problem> {
    let cookie = SetCookie { name: SESSION_COOKIE, value: secret, max_age_seconds, secure: https };
    let value = cookie.header_value().map_err(|error| Problem::internal(&error))?;
    response.headers_mut().append(SET_COOKIE, value);
    Ok(())
}

pub(super) async fn sign_out(ask: Ask) -> Answer {
    ask.registry().sign_out(&ask.caller).await?;
    let mut response = no_content();
    set_session_cookie(&mut response, "", 0, ask.outside.https)?;
    Ok(response)
}

pub(super) fn session(ask: &Ask) -> Answer {
    json::respond(StatusCode::OK, &ask.registry().session(&ask.caller)?)
}
