//! `multipart/byteranges` (RFC 9110 section 14.6): several ranges of a representation in one body of known length.

use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::HeaderValue;
use http::header::{HeaderMap, USER_AGENT};
use http_body_util::BodyDataStream;

use super::Body;
use super::file_response::RangeSource;
use super::random::hex_id;

/// What stands before the first boundary. RFC 2046, section 5.1.1, lets a preamble stand there, and an empty one is a
/// line break. Clients disagree: electron-updater counts on none, zsync drops the first line unread, since Apache and
/// nginx send that line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preamble {
    /// The first boundary is the first line.
    None,
    /// The first line is empty.
    EmptyLine,
}

impl Preamble {
    /// What the client of a request counts on.
    pub(super) fn of(request: &HeaderMap) -> Self {
        let agent = request.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        if agent.starts_with(b"zsync/") { Self::EmptyLine } else { Self::None }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::EmptyLine => "\r\n",
        }
    }
}

/// A boundary that content does not contain by chance: 128 random bits.
pub(super) fn new_boundary() -> String {
    hex_id::<16>()
}

/// The `Content-Type` of the whole.
pub(super) fn content_type(boundary: &str) -> HeaderValue {
    // A boundary is hexadecimal digits, which every header can carry.
    HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}"))
        .unwrap_or_else(|_| HeaderValue::from_static("multipart/byteranges"))
}

/// The body: each range with its headers, in the given order and not merged. Head and content of a part are
/// made when its turn comes.
pub(super) fn body<S>(
    source: &S,
    ranges: Vec<Range<u64>>,
    part_type: &HeaderValue,
    boundary: &str,
    preamble: Preamble,
) -> Body
where
    S: RangeSource + Clone + Send + 'static,
{
    let total_bytes = source.len_bytes();
    let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    let heads = ranges.iter().enumerate();
    let heads = heads
        .map(|(at, range)| part_head(range, total_bytes, part_type, boundary, break_before(at, preamble)).len() as u64);
    let content: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let len_bytes = heads.sum::<u64>() + content + end.len() as u64;
    let (source, part_type, boundary) = (source.clone(), part_type.clone(), boundary.to_owned());
    let parts = stream::iter(ranges.into_iter().enumerate()).flat_map(move |(at, range)| {
        let head = part_head(&range, total_bytes, &part_type, &boundary, break_before(at, preamble));
        stream::once(async { Ok(head) }).chain(BodyDataStream::new(source.read(range)))
    });
    Body::stream(Some(len_bytes), parts.chain(stream::once(async { Ok(end) })))
}

/// What stands before the boundary of a part.
const fn break_before(part: usize, preamble: Preamble) -> &'static str {
    if part == 0 { preamble.text() } else { "\r\n" }
}

fn part_head(range: &Range<u64>, total_bytes: u64, part_type: &HeaderValue, boundary: &str, line_break: &str) -> Bytes {
    let mut head = format!("{line_break}--{boundary}\r\nContent-Type: ").into_bytes();
    head.extend_from_slice(part_type.as_bytes());
    head.extend_from_slice(
        format!("\r\nContent-Range: bytes {}-{}/{total_bytes}\r\n\r\n", range.start, range.end - 1).as_bytes(),
    );
    head.into()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn parts_and_length() {
        let source = Bytes::from_static(b"0123456789");
        let body = body(&source, vec![7..9, 0..1], &HeaderValue::from_static("text/plain"), "XX", Preamble::None);
        let promised = body.len_bytes();
        let bytes = body.collect().await.unwrap().to_bytes();
        assert_eq!(promised, Some(bytes.len() as u64));
        assert_eq!(
            bytes,
            "--XX\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-8/10\r\n\r\n78\
             \r\n--XX\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/10\r\n\r\n0\
             \r\n--XX--\r\n"
        );
    }
}
