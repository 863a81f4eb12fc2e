//! Downloads: release files by their names, by links, and by their places in the index.

use std::ops::Range;

use futures_util::StreamExt;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, HeaderMap, HeaderName, LOCATION};
use http::{HeaderValue, Method, Response, StatusCode};

use super::NO_STORE;
use crate::http::app::{Answer, Ask};
use crate::http::conditional::{Validators, http_date};
use crate::http::etag::ETag;
use crate::http::file_response::{self, FileHead, RangeSource};
use crate::http::problem::Problem;
use crate::http::route::DownloadLink;
use crate::http::{Body, content_disposition, digest, security_headers};
use crate::model::{ChannelName, Crc32, DisplayName, FullName};
use crate::service::{BlobSource, CountedFile, Download, DownloadSource, FileName};

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

pub(super) fn file(ask: &Ask, name: &FileName) -> Answer {
    send(ask, ask.registry().download(&ask.caller, name)?)
}

/// A place in the API is where a link leads; the token of the path goes along.
pub(super) fn link(ask: &Ask, link: &DownloadLink) -> Answer {
    let DownloadLink { package, channel, version, platform, display_name } = link;
    let path =
        ask.registry().resolve_download(&ask.caller, package, channel, version, platform, display_name.as_ref())?;
    redirect(&format!("{}{path}", ask.path_token_prefix()))
}

pub(super) fn archive(
    ask: &Ask,
    view: Option<&ChannelName>,
    name: &FullName,
    id: &str,
    display_name: &DisplayName,
) -> Answer {
    send(ask, ask.registry().archive(&ask.caller, view, name, id, display_name)?)
}

pub(super) fn archive_manifest(ask: &Ask, view: Option<&ChannelName>, name: &FullName, id: &str) -> Answer {
    let manifest = ask.registry().archive_manifest(&ask.caller, view, name, id)?;
    // A manifest may still be added to a published file, so it is asked for again each time.
    let cache = if manifest.public { "no-cache" } else { "private, no-cache" };
    let text = bytes::Bytes::from(manifest.text);
    let etag =
        ETag::strong(format!("{}-{}", Crc32::of(&text), text.len())).map_err(|error| Problem::internal(&error))?;
    let head = FileHead {
        validators: Validators { etag: Some(etag), last_modified: None },
        content_type: HeaderValue::from_static("application/json"),
        cache_control: HeaderValue::from_static(cache),
        vary: None,
        content_headers: HeaderMap::new(),
    };
    Ok(file_response::respond(&text, head, &ask.method, &ask.headers))
}

fn send(ask: &Ask, download: Download) -> Answer {
    let source = match download.source {
        DownloadSource::External(url) => {
            if ask.method == Method::GET {
                download.counted.count();
            }
            return redirect(&url);
        }
        DownloadSource::Blob(source) => Counted { source, file: download.counted },
    };
    let file = download.file;
    let etag = ETag::strong(file.sha256).map_err(|error| Problem::internal(&error))?;
    let cache = match (download.public, download.immutable) {
        (true, true) => "public, max-age=31536000, immutable",
        (true, false) => "no-cache",
        (false, true) => "private, max-age=31536000, immutable",
        (false, false) => "private, no-cache",
    };
    let mut content_headers = HeaderMap::new();
    content_headers.insert(CONTENT_DISPOSITION, content_disposition::attachment(file.display_name.as_str()));
    content_headers.insert(REPR_DIGEST, digest::format(&file.sha256));
    security_headers::set_untrusted_content(&mut content_headers);
    let head = FileHead {
        validators: Validators { etag: Some(etag), last_modified: Some(http_date(file.changed)) },
        content_type: HeaderValue::try_from(file.mime_type.as_str())
            .unwrap_or(HeaderValue::from_static("application/octet-stream")),
        cache_control: HeaderValue::from_static(cache),
        vary: None,
        content_headers,
    };
    Ok(file_response::respond(&source, head, &ask.method, &ask.headers))
}

fn redirect(location: &str) -> Answer {
    let location = HeaderValue::try_from(location).map_err(|error| Problem::internal(&error))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    Ok(response)
}

/// The content of a file whose downloads are counted.
#[derive(Clone)]
struct Counted {
    source: BlobSource,
    file: CountedFile,
}

impl RangeSource for Counted {
    fn len_bytes(&self) -> u64 {
        self.source.size_bytes()
    }

    fn read(&self, range: Range<u64>) -> Body {
        let len_bytes = range.end - range.start;
        let counted = (range.end == self.len_bytes()).then(|| self.file.clone());
        if len_bytes == 0 {
            self.file.count();
        }
        match self.source.reader(range) {
            Ok(reader) => {
                let mut left_bytes = len_bytes;
                let told = reader.inspect(move |chunk| {
                    left_bytes -= chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                    if left_bytes == 0
                        && chunk.is_ok()
                        && let Some(file) = &counted
                    {
                        file.count();
                    }
                });
                Body::stream(Some(len_bytes), told.map(|chunk| chunk.map_err(Into::into)))
            }
            Err(error) => {
                Body::stream(Some(len_bytes), futures_util::stream::once(std::future::ready(Err(error.into()))))
            }
        }
    }
}
