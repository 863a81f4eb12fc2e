//! Resumable uploads, as tus 1.0.0 says, and the list of those that are not finished.

use http::header::{CONTENT_LOCATION, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::{NO_STORE, no_content};
use crate::http::app::{Answer, Ask};
use crate::http::conditional::http_date;
use crate::http::problem::Problem;
use crate::http::tus::{self, TUS_RESUMABLE, UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, VERSION};
use crate::http::{Body, RequestBody, json};
use crate::model::{MimeType, UploadId};
use crate::service::{
    ContinueError, FileName, NewUpload, Outcome, PutOptions, Received, Receiving, ReleaseName, UploadState,
};

/// Says whether the file that an upload became was `created`, `replaced` another, or was there `unchanged`.
const OUTCOME: HeaderName = HeaderName::from_static("packhouse-outcome");

/// A sentence that the author of the release should read, as `warnings` of other answers has them.
const WARNING: HeaderName = HeaderName::from_static("packhouse-warning");

/// What the server can do.
pub(super) fn options(ask: &Ask) -> Answer {
    let mut response = no_content();
    tus::set_abilities(response.headers_mut(), ask.app.settings().file_bytes_max);
    Ok(response)
}

/// The caller's unfinished uploads.
pub(super) fn list(ask: &Ask) -> Answer {
    let items = ask.registry().unfinished_uploads(&ask.caller)?;
    json::respond(StatusCode::OK, &json!({ "items": items, "next": null }))
}

/// Begins an upload. Its first bytes may come along.
pub(super) async fn create(ask: Ask) -> Answer {
    answer(begin(ask).await)
}

async fn begin(ask: Ask) -> Answer {
    tus::check_version(&ask.headers)?;
    let size = tus::bytes(&ask.headers, &UPLOAD_LENGTH)?;
    let size = size.ok_or_else(|| Problem::bad_request("Upload-Length, the size of the file in bytes, is missing"))?;
    let new = new_upload(&tus::metadata(&ask.headers)?, size)?;
    let checksum = tus::checksum(&ask.headers)?;
    let brings_bytes = tus::has_upload_bytes(&ask.headers);
    let prefix = ask.path_token_prefix();
    let body = ask.body.limit(ask.app.settings().file_bytes_max)?;
    let registry = &ask.app.registry;
    let state = registry.create_upload(&ask.caller, new).await?;
    // Some clients take nothing but a whole address.
    let place = format!("{}{prefix}/api/v1/uploads/{}", ask.caller.origin, state.id.0);
    let location = HeaderValue::try_from(place).map_err(|error| Problem::internal(&error))?;
    let received = if brings_bytes || size == 0 {
        let len = if brings_bytes { body.expected_bytes() } else { Some(0) };
        let receiving = registry.continue_upload(&ask.caller, state.id, 0, len, checksum).await;
        let receiving = receiving.map_err(|error| problem(error).with_header(LOCATION, location.clone()))?;
        let received = receive(receiving, brings_bytes.then_some(body)).await;
        received.map_err(|problem| problem.with_header(LOCATION, location.clone()))?
    } else {
        Received { state, published: None }
    };
    let mut response = no_content();
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert(LOCATION, location);
    set_received(&mut response, &received)?;
    Ok(response)
}

/// How far an upload is: for tus by `HEAD`, for others by `GET`.
pub(super) fn get(ask: &Ask, id: UploadId) -> Answer {
    if ask.method != Method::HEAD {
        return json::respond(StatusCode::OK, &ask.registry().unfinished_upload(&ask.caller, id)?);
    }
    let found = tus::check_version(&ask.headers).and_then(|()| {
        let (state, metadata) = ask.registry().upload_state(&ask.caller, id)?;
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(UPLOAD_LENGTH, HeaderValue::from(state.size));
        let pairs: Vec<_> = metadata.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let metadata = HeaderValue::try_from(tus::format_metadata(&pairs));
        headers.insert(UPLOAD_METADATA, metadata.map_err(|error| Problem::internal(&error))?);
        set_state(&mut response, &state)?;
        Ok(response)
    });
    answer(found)
}

/// Brings the next bytes.
pub(super) async fn send(ask: Ask, id: UploadId) -> Answer {
    answer(go_on(ask, id).await)
}

async fn go_on(ask: Ask, id: UploadId) -> Answer {
    tus::check_version(&ask.headers)?;
    tus::check_content_type(&ask.headers)?;
    let offset = tus::bytes(&ask.headers, &UPLOAD_OFFSET)?;
    let offset = offset.ok_or_else(|| Problem::bad_request("Upload-Offset, where these bytes begin, is missing"))?;
    let checksum = tus::checksum(&ask.headers)?;
    let body = ask.body.limit(ask.app.settings().file_bytes_max)?;
    let len = body.expected_bytes();
    let receiving = ask.app.registry.continue_upload(&ask.caller, id, offset, len, checksum).await;
    let received = receive(receiving.map_err(problem)?, Some(body)).await?;
    let mut response = no_content();
    set_received(&mut response, &received)?;
    Ok(response)
}

/// Gives an upload up.
pub(super) async fn delete(ask: Ask, id: UploadId) -> Answer {
    let deleted = async {
        tus::check_version(&ask.headers)?;
        ask.app.registry.delete_upload(&ask.caller, id).await.map_err(problem)?;
        Ok(no_content())
    };
    answer(deleted.await)
}

/// Hands a body over. What came of one that breaks off is kept.
async fn receive(mut receiving: Receiving, body: Option<RequestBody>) -> Result<Received, Problem> {
    if let Some(mut body) = body {
        loop {
            let bytes = tokio::select! {
                bytes = body.next_chunk() => bytes?,
                () = receiving.stopped() => None,
            };
            let Some(bytes) = bytes else { break };
            if !receiving.write(bytes).await {
                break;
            }
        }
    }
    receiving.finish().await.map_err(problem)
}

/// Every answer says which version it is in.
fn answer(answer: Answer) -> Answer {
    match answer {
        Ok(mut response) => {
            response.headers_mut().insert(TUS_RESUMABLE, VERSION);
            response.headers_mut().insert(http::header::CACHE_CONTROL, NO_STORE);
            Ok(response)
        }
        Err(problem) => Err(problem.with_header(TUS_RESUMABLE, VERSION)),
    }
}

fn set_received(response: &mut Response<Body>, received: &Received) -> Result<(), Problem> {
    set_state(response, &received.state)?;
    if let Some((file, outcome)) = &received.published {
        let url = HeaderValue::try_from(file.url()).map_err(|error| Problem::internal(&error))?;
        response.headers_mut().insert(CONTENT_LOCATION, url);
        let outcome = match outcome {
            Outcome::Created => "created",
            Outcome::Replaced => "replaced",
            Outcome::Unchanged => "unchanged",
        };
        response.headers_mut().insert(OUTCOME, HeaderValue::from_static(outcome));
        for warning in file.warnings() {
            let warning = HeaderValue::try_from(warning).map_err(|error| Problem::internal(&error))?;
            response.headers_mut().append(WARNING, warning);
        }
    }
    Ok(())
}

fn set_state(response: &mut Response<Body>, state: &UploadState) -> Result<(), Problem> {
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(state.offset));
    let expires = HeaderValue::try_from(http_date(state.expires).to_string());
    headers.insert(UPLOAD_EXPIRES, expires.map_err(|error| Problem::internal(&error))?);
    Ok(())
}

fn new_upload(metadata: &[(String, String)], size: u64) -> Result<NewUpload, Problem> {
    let value = |wanted: &str| {
        let found = metadata.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let needed = |wanted: &'static str| {
        value(wanted).ok_or_else(|| Problem::unprocessable(wanted, format!("Upload-Metadata must say the {wanted}")))
    };
    let flag = |name: &'static str| json::parse_flag(name, value(name));
    let options = PutOptions {
        release: super::files::create(value("create"))?,
        platform: flag("create_platform")?,
        late: flag("late")?,
        ..PutOptions::default()
    };
    let release = ReleaseName {
        package: json::parse("package", needed("package")?)?,
        channel: json::parse("channel", needed("channel")?)?,
        version: json::parse("version", needed("version")?)?,
    };
    let platform = json::parse("platform", needed("platform")?)?;
    let display_name = json::parse("filename", needed("filename")?)?;
    // Browsers and other clients say all kinds of things here.
    let mime_type = MimeType::of_file(value("filetype").and_then(|text| text.parse().ok()), &display_name);
    Ok(NewUpload {
        name: FileName { release, platform, display_name },
        options,
        mime_type,
        role: json::parse_some("role", value("role"))?,
        size,
        sha256: json::parse_some("sha256", value("sha256"))?,
    })
}

fn problem(error: ContinueError) -> Problem {
    match error {
        ContinueError::Refused(refusal) => refusal.into(),
        ContinueError::WrongOffset { offset } => {
            Problem::conflict(error.to_string()).with_header(UPLOAD_OFFSET, HeaderValue::from(offset))
        }
        ContinueError::Busy => Problem::new(StatusCode::LOCKED, "locked", "Locked", error.to_string())
            .with_header(RETRY_AFTER, HeaderValue::from_static("1")),
        ContinueError::ChecksumMismatch => tus::checksum_mismatch(error.to_string()),
    }
}
