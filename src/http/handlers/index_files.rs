//! The files of the index, from memory: one snapshot or the next, never a mixture.

use std::sync::Arc;

use http::HeaderValue;
use http::header::{CACHE_CONTROL, HeaderMap};

use crate::http::app::{Answer, Ask};
use crate::http::conditional::Validators;
use crate::http::etag::ETag;
use crate::http::file_response::{self, FileHead};
use crate::http::problem::Problem;
use crate::model::{ChannelName, FullName};
use crate::service::{IndexView, Rendered, ViewName};

pub(super) async fn registry(ask: Ask, channel: Option<ChannelName>) -> Answer {
    let view = view(&ask, channel)?;
    let rendered = match view.registry().rendered() {
        Some(rendered) => rendered,
        None => deflate(move || Some(view.registry().render())).await?,
    };
    send(&ask, &rendered)
}

pub(super) async fn summaries(ask: Ask, channel: Option<ChannelName>) -> Answer {
    let view = view(&ask, channel)?;
    let rendered = match view.summaries().rendered() {
        Some(rendered) => rendered,
        None => deflate(move || Some(view.summaries().render())).await?,
    };
    send(&ask, &rendered)
}

pub(super) async fn package(ask: Ask, channel: Option<ChannelName>, name: FullName) -> Answer {
    let view = view(&ask, channel)?;
    let file = view.package(name.as_str()).cloned();
    let file = file.ok_or_else(|| Problem::not_found(format!("there is no package {name} in this index")))?;
    let rendered = match file.rendered() {
        Some(rendered) => rendered,
        None => deflate(move || file.render()).await?,
    };
    send(&ask, &rendered)
}

fn view(ask: &Ask, channel: Option<ChannelName>) -> Result<Arc<IndexView>, Problem> {
    let name = match channel {
        None => ViewName::Default,
        Some(channel) => ViewName::Channel(channel),
    };
    let snapshot = ask.registry().index();
    let view = snapshot.view(&name).cloned();
    view.ok_or_else(|| Problem::not_found("no package is on a channel of that name"))
}

/// Compresses what changed since it was last read. It takes milliseconds, so not on the threads that serve.
async fn deflate(work: impl FnOnce() -> Option<Arc<Rendered>> + Send + 'static) -> Result<Arc<Rendered>, Problem> {
    let rendered = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))?;
    rendered.ok_or_else(|| Problem::unavailable(1, &"the lines of this package are not there yet"))
}

fn send(ask: &Ask, rendered: &Arc<Rendered>) -> Answer {
    let etag = ETag::strong(rendered.etag().trim_matches('"')).map_err(|error| Problem::internal(&error))?;
    let head = FileHead {
        validators: Validators { etag: Some(etag), last_modified: None },
        content_type: HeaderValue::from_static("application/gzip"),
        cache_headers: HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]),
        content_headers: HeaderMap::new(),
    };
    Ok(file_response::respond(rendered.parts(), head, &ask.method, &ask.headers))
}
