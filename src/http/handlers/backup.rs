//! Backups of the running server, as a stream.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Response};
use serde::Deserialize;

use super::{NO_STORE, TEXT_JSON_BYTES_MAX};
use crate::http::app::{Answer, Ask};
use crate::http::body::BoxError;
use crate::http::problem::Problem;
use crate::http::{Body, json};
use crate::model::Sha256;
use crate::service::RunningBackup;

/// What who asks has already.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    volumes: Vec<KnownVolume>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownVolume {
    number: u32,
    sha256: String,
}

pub(super) async fn whole(ask: Ask) -> Answer {
    ask.registry().require_admin(&ask.caller)?;
    if ask.method == Method::HEAD {
        // To know its length would be to begin it.
        return head(Body::empty(), None);
    }
    send(ask.registry().begin_backup(&ask.caller, BTreeMap::new()).await?)
}

pub(super) async fn further(ask: Ask) -> Answer {
    ask.registry().require_admin(&ask.caller)?;
    let known: Known = json::read(ask.body, TEXT_JSON_BYTES_MAX).await?;
    let known = known.volumes.into_iter().map(|volume| {
        let sha256: Sha256 = json::parse("sha256", &volume.sha256)?;
        Ok((volume.number, sha256))
    });
    let known = known.collect::<Result<_, Problem>>()?;
    send(ask.app.registry.begin_backup(&ask.caller, known).await?)
}

fn send(backup: RunningBackup) -> Answer {
    let name = format!("packhouse-{}.tar", backup.manifest().made.replace(':', ""));
    let len_bytes = backup.len_bytes();
    let pieces = stream::unfold(Some(backup), |backup| async move {
        let mut backup = backup?;
        match backup.next().await {
            Ok(Some(bytes)) => Some((Ok::<Bytes, BoxError>(bytes), Some(backup))),
            Ok(None) => None,
            // The connection breaks, by which the client knows.
            Err(refusal) => Some((Err(refusal.into()), None)),
        }
    });
    head(Body::stream(Some(len_bytes), pieces), Some(&name))
}

fn head(body: Body, name: Option<&str>) -> Answer {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Some(name) = name {
        let value = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
        headers.insert(CONTENT_DISPOSITION, value.map_err(|error| Problem::internal(&error))?);
    }
    Ok(response)
}
