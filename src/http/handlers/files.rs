//! Release files: uploading, describing and deleting them.

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, TRANSFER_ENCODING};
use serde::Deserialize;

use super::{condition, no_content};
use crate::http::app::{Answer, Ask};
use crate::http::problem::Problem;
use crate::http::{digest, json};
use crate::model::limits::{MANIFEST_BYTES_MAX, REQUIREMENTS_MAX};
use crate::model::{FileRole, Manifest, MimeType, Requirement, VersionRequirement};
use crate::service::{Create, ExternalArchive, FileName, Outcome, PutOptions};

/// Most bytes of a list of requirements.
const REQUIREMENTS_JSON_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementBody {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePatch {
    /// `null` leaves the role to the names of the files.
    #[serde(default, deserialize_with = "json::present")]
    role: Option<Option<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalBody {
    url: String,
    size: u64,
    sha256: String,
}

/// Everything that can be refused is refused before the first byte of the body is asked for.
pub(super) async fn put(ask: Ask, name: FileName) -> Answer {
    let (options, role) = (options(&ask)?, role(&ask)?);
    let expected = digest::parse(&ask.headers).map_err(|error| Problem::bad_request(error.to_string()))?;
    if ask.headers.contains_key(CONTENT_RANGE) {
        // RFC 9110, section 14.5: a server that does not write parts must say so.
        return Err(Problem::bad_request("a file is sent whole, without Content-Range"));
    }
    if ask.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Problem::unsupported_media_type("a file is sent as it is, without Content-Encoding"));
    }
    let said = match ask.headers.get(CONTENT_TYPE) {
        None => None,
        Some(value) => Some(json::parse("Content-Type", value.to_str().unwrap_or_default())?),
    };
    refuse_form(said.as_ref(), &name)?;
    refuse_without_body(&ask)?;
    let mut body = ask.body.limit(ask.app.settings().file_bytes_max)?;
    let mime_type = MimeType::of_file(said, &name.display_name);
    let size = body.expected_bytes();
    let mut upload = ask.app.registry.begin_upload(&ask.caller, name, options, mime_type, role, size)?;
    while let Some(bytes) = body.next_chunk().await? {
        upload.write(bytes).await?;
    }
    let (view, outcome) = upload.finish(expected).await?;
    json::respond(status(outcome), &view)
}

/// Changes what may be changed of a file itself: its role.
pub(super) async fn change(ask: Ask, name: FileName) -> Answer {
    let body: FilePatch = json::read(ask.body, super::SMALL_JSON_BYTES_MAX).await?;
    let Some(role) = body.role else {
        return Err(Problem::unprocessable("role", "say the role that the file is to have: archive or attachment"));
    };
    let role = json::parse_some("role", role.as_deref())?;
    json::respond(StatusCode::OK, &ask.app.registry.set_role(&ask.caller, name, role).await?)
}

/// Refuses a form: its envelope would be stored as the file.
fn refuse_form(said: Option<&MimeType>, name: &FileName) -> Result<(), Problem> {
    if said.is_some_and(|said| said.essence().eq_ignore_ascii_case("multipart/form-data")) {
        let file = &name.display_name;
        return Err(Problem::unsupported_media_type(format!(
            "the body is the file itself, not a form: send it with curl -T {file} in place of -F file=@{file}"
        )));
    }
    Ok(())
}

/// Refuses a request that has no body at all: an empty file says `Content-Length: 0` (RFC 9110, section 8.6).
fn refuse_without_body(ask: &Ask) -> Result<(), Problem> {
    let is_said = ask.headers.contains_key(CONTENT_LENGTH) || ask.headers.contains_key(TRANSFER_ENCODING);
    if is_said || ask.body.expected_bytes() != Some(0) {
        return Ok(());
    }
    Err(Problem::length_required(
        "the request has no body: send the file, as curl -T FILE does; an empty one has Content-Length: 0",
    ))
}

pub(super) async fn delete(ask: Ask, name: FileName) -> Answer {
    let condition = condition(&ask)?;
    ask.registry().delete_file(&ask.caller, name, condition).await?;
    Ok(no_content())
}

pub(super) fn manifest(ask: &Ask, name: &FileName) -> Answer {
    json::respond(StatusCode::OK, ask.registry().manifest(&ask.caller, name)?.fields())
}

pub(super) async fn put_manifest(ask: Ask, name: FileName) -> Answer {
    let condition = condition(&ask)?;
    let bytes = ask.body.collect_limited(MANIFEST_BYTES_MAX as u64).await?;
    let manifest = Manifest::parse(&bytes).map_err(|problem| match problem {
        crate::model::manifest::InvalidManifest::Syntax(_) => Problem::bad_request(problem.to_string()),
        _ => Problem::unprocessable("manifest", problem.to_string()),
    })?;
    json::respond(StatusCode::OK, &ask.app.registry.put_manifest(&ask.caller, name, manifest, condition).await?)
}

pub(super) async fn put_requirements(ask: Ask, name: FileName) -> Answer {
    let bodies: Vec<RequirementBody> = json::read(ask.body, REQUIREMENTS_JSON_BYTES_MAX).await?;
    if bodies.len() > REQUIREMENTS_MAX {
        let problem = format!("a file has at most {REQUIREMENTS_MAX} requirements");
        return Err(Problem::unprocessable("requirements", problem));
    }
    let requirements = bodies.iter().map(|body| {
        Ok(Requirement {
            kind: json::parse("type", &body.kind)?,
            name: json::parse("name", &body.name)?,
            version: {
                let _: VersionRequirement = json::parse("version", &body.version)?;
                json::parse("version", &body.version)?
            },
        })
    });
    let requirements = requirements.collect::<Result<Vec<_>, Problem>>()?;
    json::respond(StatusCode::OK, &ask.app.registry.put_requirements(&ask.caller, name, requirements).await?)
}

pub(super) async fn put_external(ask: Ask, name: FileName) -> Answer {
    let (options, role) = (options(&ask)?, role(&ask)?);
    let body: ExternalBody = json::read(ask.body, super::SMALL_JSON_BYTES_MAX).await?;
    let archive = ExternalArchive {
        url: json::parse("url", &body.url)?,
        size: body.size,
        sha256: json::parse("sha256", &body.sha256)?,
        role,
    };
    let (view, outcome) = ask.app.registry.put_external(&ask.caller, name, options, archive).await?;
    json::respond(status(outcome), &view)
}

fn options(ask: &Ask) -> Result<PutOptions, Problem> {
    Ok(PutOptions {
        release: create(ask.query.exact("create"))?,
        platform: ask.query.flag("create_platform")?,
        late: ask.query.flag("late")?,
        condition: condition(ask)?,
    })
}

/// What to do where the release is missing.
pub(super) fn create(text: Option<&str>) -> Result<Option<Create>, Problem> {
    match text {
        None => Ok(None),
        Some("inactive") => Ok(Some(Create::Inactive)),
        Some("active") => Ok(Some(Create::Active)),
        Some(_) => Err(Problem::unprocessable("create", "create is inactive or active")),
    }
}

fn role(ask: &Ask) -> Result<Option<FileRole>, Problem> {
    json::parse_some("role", ask.query.exact("role"))
}

pub(super) fn status(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Created => StatusCode::CREATED,
        Outcome::Replaced | Outcome::Unchanged => StatusCode::OK,
    }
}
