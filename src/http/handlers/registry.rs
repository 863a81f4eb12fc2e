//! Publishing and withdrawing in one call, as Registry 2.0 clients do: forms with `package_id`, `metadata` and `archive`.
//!
//! Forms are multipart, or URL-encoded where they have no archive.

use http::StatusCode;

use crate::http::app::{Answer, Ask};
use crate::http::form::Form;
use crate::http::json;
use crate::http::multipart::PartHead;
use crate::http::problem::Problem;
use crate::model::limits::{MANIFEST_BYTES_MAX, YANK_REASON_BYTES_MAX};
use crate::model::manifest::InvalidManifest;
use crate::model::{Manifest, Visibility};
use crate::service::PublishOptions;

/// Longest full package id, in bytes: the longest names together fit.
const PACKAGE_ID_BYTES_MAX: usize = 512;
/// What of a form is not the archive, at most, in bytes.
const FORM_BYTES_MAX: u64 = MANIFEST_BYTES_MAX as u64 + (256 << 10);

/// Takes the fields in any order; the archive's bytes go to the disk as they come.
pub(super) async fn publish(ask: Ask) -> Answer {
    let options = PublishOptions {
        channel: ask.query.parsed("channel")?,
        visibility: ask.query.parsed::<Visibility>("visibility")?,
        late: ask.query.flag("late")?,
    };
    let mut publication = ask.app.registry.begin_publication(&ask.caller, options)?;
    let body = ask.body.limit(ask.app.settings().file_bytes_max.saturating_add(FORM_BYTES_MAX))?;
    let mut form = Form::new(&ask.headers, body, FORM_BYTES_MAX).await?;
    let mut seen = Seen::default();
    while let Some(part) = form.next_part().await? {
        seen.note(&part, &["package_id", "metadata", "archive"])?;
        match part.name.as_str() {
            "package_id" => publication.set_package_id(&package_id(&mut form).await?)?,
            "metadata" => {
                let bytes = form.collect(MANIFEST_BYTES_MAX).await?;
                publication.set_manifest(Manifest::parse(&bytes).map_err(|problem| match problem {
                    InvalidManifest::Syntax(_) => Problem::bad_request(problem.to_string()).with_field("metadata"),
                    _ => Problem::unprocessable("metadata", problem.to_string()),
                })?)?;
            }
            _ if !form.takes_files() => {
                if !form.collect(FORM_BYTES_MAX as usize).await?.is_empty() {
                    let advice = "a file is sent in multipart/form-data, such as curl --form archive=@FILE";
                    return Err(Problem::unprocessable("archive", advice));
                }
            }
            _ => {
                let mime_type = part.content_type.as_deref();
                let mime_type = mime_type.map(|text| json::parse("archive", text)).transpose()?;
                publication.begin_archive(part.filename.as_deref(), mime_type, form.left_bytes())?;
                while let Some(bytes) = form.next_chunk().await? {
                    publication.write(bytes).await?;
                }
            }
        }
    }
    let (published, outcome) = publication.finish().await?;
    json::respond(super::files::status(outcome), &published)
}

pub(super) async fn unpublish(ask: Ask) -> Answer {
    let channel = ask.query.parsed("channel")?;
    let body = ask.body.limit(FORM_BYTES_MAX)?;
    let mut form = Form::new(&ask.headers, body, FORM_BYTES_MAX).await?;
    let (mut id, mut reason) = (None, String::new());
    let mut seen = Seen::default();
    while let Some(part) = form.next_part().await? {
        seen.note(&part, &["package_id", "reason"])?;
        match part.name.as_str() {
            "package_id" => id = Some(package_id(&mut form).await?),
            _ => reason = text(&mut form, "reason", YANK_REASON_BYTES_MAX).await?,
        }
    }
    let package_id = id.ok_or_else(|| {
        Problem::unprocessable("package_id", "say what is to be withdrawn, such as omni.foo-1.0.0+wx64.r")
    })?;
    let reason = if reason.trim().is_empty() { "unpublished" } else { &reason };
    let reason = json::parse("reason", reason)?;
    let unpublished = ask.app.registry.unpublish(&ask.caller, package_id, channel, reason).await?;
    json::respond(StatusCode::OK, &unpublished)
}

/// The fields that came so far.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    /// Each field comes once, and none that nobody knows: a misspelt one would be lost for good in what is published.
    fn note(&mut self, part: &PartHead, known: &[&str]) -> Result<(), Problem> {
        if !known.contains(&part.name.as_str()) {
            let problem = format!("this form has the fields {}", known.join(", "));
            return Err(Problem::unprocessable(part.name.clone(), problem));
        }
        if self.0.contains(&part.name) {
            return Err(Problem::unprocessable(part.name.clone(), "a field comes once"));
        }
        self.0.push(part.name.clone());
        Ok(())
    }
}

/// The package id of a form. It has no spaces: in an encoded form, those are plus signs that were not escaped.
async fn package_id(form: &mut Form) -> Result<String, Problem> {
    Ok(text(form, "package_id", PACKAGE_ID_BYTES_MAX).await?.replace(' ', "+"))
}

async fn text(form: &mut Form, field: &'static str, limit_bytes: usize) -> Result<String, Problem> {
    let bytes = form.collect(limit_bytes).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::unprocessable(field, "a text is UTF-8"))?;
    Ok(text.trim().to_owned())
}
