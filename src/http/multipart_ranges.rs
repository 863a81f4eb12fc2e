//! `multipart/byteranges` (RFC 9110 section 14.6): several ranges of a representation in one body of known length.

use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::HeaderValue;
use http_body_util::BodyDataStream;

use super::Body;
use super::file_response::RangeSource;
use super::random::hex_id;

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

/// The body: each range with its headers, in the given order.
pub(super) fn body(source: &impl RangeSource, ranges: &[Range<u64>], part_type: &HeaderValue, boundary: &str) -> Body {
    let total_bytes = source.len_bytes();
    let mut len_bytes = 0;
    let mut parts = Vec::with_capacity(ranges.len());
    for range in ranges {
        let head = part_head(range, total_bytes, part_type, boundary, parts.is_empty());
        len_bytes += head.len() as u64 + (range.end - range.start);
        parts.push((head, source.read(range.clone())));
    }
    let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    len_bytes += end.len() as u64;
    let parts = stream::iter(parts)
        .flat_map(|(head, content)| stream::once(async { Ok(head) }).chain(BodyDataStream::new(content)));
    Body::stream(Some(len_bytes), parts.chain(stream::once(async { Ok(end) })))
}

fn part_head(range: &Range<u64>, total_bytes: u64, part_type: &HeaderValue, boundary: &str, first: bool) -> Bytes {
    let line_break = if first { "" } else { "\r\n" };
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
        let body = body(&source, &[7..9, 0..1], &HeaderValue::from_static("text/plain"), "XX");
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
