//! The files of the index, from memory: one snapshot or the next, never a mixture.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::HeaderMap;

use crate::http::app::{Answer, Ask, Reply};
use crate::http::conditional::Validators;
use crate::http::etag::ETag;
use crate::http::file_response::{self, FileHead};
use crate::http::problem::Problem;
use crate::model::{ChannelName, Crc32, FullName};
use crate::service::{IndexChanges, IndexView, KnownState, Rendered, SeenView, Serial, ViewName};

/// Longest time that an answer about changes is waited for, in seconds: proxies give up after a minute or more.
const WAIT_S_MAX: u64 = 60;

pub(super) fn registry(ask: Box<Ask>, channel: Option<ChannelName>) -> Reply {
    whole(ask, channel, |view| view.registry().rendered(), |view| view.registry().render()).into()
}

pub(super) fn summaries(ask: Box<Ask>, channel: Option<ChannelName>) -> Reply {
    whole(ask, channel, |view| view.summaries().rendered(), |view| view.summaries().render()).into()
}

/// A file about all packages: as it is at hand, or made first.
fn whole(
    ask: Box<Ask>,
    channel: Option<ChannelName>,
    at_hand: fn(&IndexView) -> Option<Arc<Rendered>>,
    render: fn(&IndexView) -> Arc<Rendered>,
) -> Result<Reply, Problem> {
    let seen = ask.registry().seen_view(&ask.caller, &view_name(channel))?;
    if let Some(rendered) = at_hand(&seen.view) {
        return Ok(send(&ask, &rendered, seen.public).into());
    }
    Ok(Reply::later(move || async move {
        let rendered = deflate(&seen, render).await?;
        send(&ask, &rendered, seen.public)
    }))
}

pub(super) fn package(ask: Box<Ask>, channel: Option<ChannelName>, name: FullName) -> Reply {
    package_lines(ask, channel, name).into()
}

fn package_lines(ask: Box<Ask>, channel: Option<ChannelName>, name: FullName) -> Result<Reply, Problem> {
    let view = view_name(channel);
    let (file, public) = ask.registry().seen_package(&ask.caller, &view, &name)?;
    if let Some(rendered) = file.rendered() {
        return Ok(send(&ask, &rendered, public).into());
    }
    Ok(Reply::later(move || async move {
        let (registry, caller) = (Arc::clone(ask.registry()), ask.caller.clone());
        let lines = move || registry.package_lines(&caller, &view, &name);
        let rendered = tokio::task::spawn_blocking(lines).await.map_err(|error| Problem::internal(&error))??;
        send(&ask, &rendered, public)
    }))
}

/// What the lines of a package do not say.
pub(super) async fn releases(ask: Ask, channel: Option<ChannelName>, name: FullName) -> Answer {
    let (registry, caller) = (Arc::clone(ask.registry()), ask.caller.clone());
    let read = move || registry.view_releases(&caller, &view_name(channel), &name);
    let releases = tokio::task::spawn_blocking(read).await.map_err(|error| Problem::internal(&error))??;
    let text = bytes::Bytes::from(serde_json::to_vec(&releases).map_err(|error| Problem::internal(&error))?);
    let etag = format!("{}-{}", Crc32::of(&text), text.len());
    let etag = ETag::strong(etag).map_err(|error| Problem::internal(&error))?;
    let head = head(etag, "application/json", releases.is_public());
    Ok(file_response::respond(&text, head, &ask.method, &ask.headers))
}

/// What changed since a serial; with `registry`, the checksum of the `registry.gz` that has it, also where private
/// packages are seen. With `wait`, a number of seconds up to 60, the answer comes as soon as something did. With
/// `packages=true`, the texts of packages that changed are in it.
pub(super) async fn changes(ask: Ask, channel: Option<ChannelName>) -> Answer {
    let since: Option<Serial> = ask.query.parsed("since")?;
    let serial = since.ok_or_else(|| {
        Problem::unprocessable(
            "since",
            "since is the serial of the state that you have, from registry.gz or the last answer",
        )
    })?;
    let known = KnownState { serial, registry: ask.query.parsed("registry")? };
    let wait_s: u64 = ask.query.parsed("wait")?.unwrap_or(0);
    if wait_s > WAIT_S_MAX {
        return Err(Problem::unprocessable("wait", format!("wait is a number of seconds up to {WAIT_S_MAX}")));
    }
    let wait = Duration::from_secs(wait_s);
    let texts = ask.query.parsed("packages")?.unwrap_or(false);
    let seen = ask.registry().index_changes(&ask.caller, &view_name(channel), known, wait, texts).await?;
    let IndexChanges { serial: now, registry, .. } = &seen.changes;
    let etag = ETag::strong(format!("{now}-{registry}-{serial}{}", if texts { "-packages" } else { "" }))
        .map_err(|error| Problem::internal(&error))?;
    let text = serde_json::to_vec(&seen.changes).map_err(|error| Problem::internal(&error))?;
    let head = head(etag, "application/json", seen.public);
    Ok(file_response::respond(&bytes::Bytes::from(text), head, &ask.method, &ask.headers))
}

pub(super) fn view_name(channel: Option<ChannelName>) -> ViewName {
    match channel {
        None => ViewName::Default,
        Some(channel) => ViewName::Channel(channel),
    }
}

/// Compresses what changed since it was last read. It takes milliseconds, so not on the threads that serve.
async fn deflate(seen: &SeenView, work: fn(&IndexView) -> Arc<Rendered>) -> Result<Arc<Rendered>, Problem> {
    let view = Arc::clone(&seen.view);
    tokio::task::spawn_blocking(move || work(&view)).await.map_err(|error| Problem::internal(&error))
}

pub(super) fn send(ask: &Ask, rendered: &Arc<Rendered>, public: bool) -> Answer {
    let etag = ETag::quoted(rendered.etag()).map_err(|error| Problem::internal(&error))?;
    let head = head(etag, "application/gzip", public);
    Ok(file_response::respond(rendered.parts(), head, &ask.method, &ask.headers))
}

/// Asked for again each time: what is on a view may change at any moment.
fn head(etag: ETag, content_type: &'static str, public: bool) -> FileHead {
    let cache = if public { "no-cache" } else { "private, no-cache" };
    FileHead {
        validators: Validators { etag: Some(etag), last_modified: None },
        content_type: HeaderValue::from_static(content_type),
        cache_control: HeaderValue::from_static(cache),
        vary: None,
        content_headers: HeaderMap::new(),
    }
}
