//! The header fields of tus 1.0.0, the protocol of resumable uploads.
//!
//! Owns their syntax and what a server must say about itself. What uploads are is for the services.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, Method, StatusCode};

use super::base64;
use super::problem::Problem;
use crate::service::{Checksum, ChecksumKind};

/// The version that client and server speak.
pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
pub(super) const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const METHOD_OVERRIDE: &str = "x-http-method-override";

pub(super) const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
/// The media type of the bytes of an upload.
const OFFSET_OCTET_STREAM: &str = "application/offset+octet-stream";
const EXTENSIONS: &str = "creation,creation-with-upload,termination,checksum,expiration";
const ALGORITHMS: &str = "sha256,sha1,crc32";
/// More pairs than there are names.
const PAIRS_MAX: usize = 32;

/// The method that is meant where a client's surroundings let it send `GET` and `POST` only.
pub(super) fn meant_method(method: &Method, path: &str, headers: &HeaderMap) -> Method {
    if *method != Method::POST || !path.starts_with("/api/v1/uploads/") {
        return method.clone();
    }
    match headers.get(METHOD_OVERRIDE).map(HeaderValue::as_bytes) {
        Some(b"PATCH") => Method::PATCH,
        Some(b"DELETE") => Method::DELETE,
        Some(b"HEAD") => Method::HEAD,
        _ => method.clone(),
    }
}

/// What the server can do.
pub(super) fn set_abilities(headers: &mut HeaderMap, file_bytes_max: u64) {
    headers.insert(TUS_RESUMABLE, VERSION);
    headers.insert(TUS_VERSION, VERSION);
    headers.insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
    headers.insert(TUS_MAX_SIZE, HeaderValue::from(file_bytes_max));
    headers.insert(TUS_CHECKSUM_ALGORITHM, HeaderValue::from_static(ALGORITHMS));
}

/// Requires that the client speaks this version, and says nothing that is not understood: an extension that is passed over,
/// such as the concatenation of parts, would make a part a file.
///
/// # Errors
/// 412 if it speaks another version or does not say which, 400 if a header field is not understood.
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(TUS_RESUMABLE) == Some(&VERSION) {
        return check_known(headers);
    }
    let detail = "Tus-Resumable must be 1.0.0: this server speaks tus 1.0.0";
    Err(Problem::precondition_failed(detail).with_header(TUS_VERSION, VERSION))
}

fn check_known(headers: &HeaderMap) -> Result<(), Problem> {
    const KNOWN: [HeaderName; 6] =
        [TUS_RESUMABLE, UPLOAD_OFFSET, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_CHECKSUM, UPLOAD_EXPIRES];
    let is_of_tus = |name: &HeaderName| name.as_str().starts_with("tus-") || name.as_str().starts_with("upload-");
    match headers.keys().find(|name| is_of_tus(name) && !KNOWN.contains(name)) {
        Some(name) => Err(Problem::bad_request(format!(
            "{name} is not understood here; this server has the extensions {EXTENSIONS}. Nothing was stored"
        ))),
        None => Ok(()),
    }
}

/// A number of bytes in a header field, if the field is there.
///
/// # Errors
/// 400 if it is no number.
pub(super) fn bytes(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = text.and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Problem::bad_request(format!("{name} is a number of bytes")))
}

/// Whether the body is bytes of an upload.
pub(super) fn has_upload_bytes(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value == OFFSET_OCTET_STREAM)
}

/// Requires that the body is bytes of an upload.
///
/// # Errors
/// 415 if it is something else.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    if has_upload_bytes(headers) {
        return Ok(());
    }
    Err(Problem::unsupported_media_type(format!("the Content-Type of these bytes is {OFFSET_OCTET_STREAM}")))
}

/// The pairs of `Upload-Metadata`: `name base64,name base64`. A name may stand alone, with an empty value.
///
/// # Errors
/// 400 if it is malformed, 422 if a value is not UTF-8.
pub(super) fn metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>, Problem> {
    let malformed =
        || Problem::bad_request("Upload-Metadata is a list of `name base64`, separated by commas, each name once");
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in headers.get_all(UPLOAD_METADATA) {
        let line = line.to_str().map_err(|_| malformed())?;
        for pair in line.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = base64::decode(value.trim()).map_err(|_| malformed())?;
            let value =
                String::from_utf8(value).map_err(|_| Problem::unprocessable(name, "metadata is UTF-8 in Base64"))?;
            if pairs.iter().any(|(known, _)| known == name) || pairs.len() == PAIRS_MAX {
                return Err(malformed());
            }
            pairs.push((name.to_owned(), value));
        }
    }
    Ok(pairs)
}

/// The field of these pairs.
pub(super) fn format_metadata(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{name} {}", base64::encode(value.as_bytes()))).collect();
    pairs.join(",")
}

/// What the bytes of a request must come to: `Upload-Checksum: ALGORITHM BASE64`.
///
/// # Errors
/// 400 if it is malformed or of an unknown kind.
pub(super) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Problem> {
    let Some(value) = headers.get(UPLOAD_CHECKSUM) else { return Ok(None) };
    let malformed =
        || Problem::bad_request(format!("Upload-Checksum is one of {ALGORITHMS}, a space, and the sum in Base64"));
    let (kind, sum) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    let expected = base64::decode(sum.trim()).map_err(|_| malformed())?;
    let (kind, len) = match kind {
        "sha256" => (ChecksumKind::Sha256, 32),
        "sha1" => (ChecksumKind::Sha1, 20),
        "crc32" => (ChecksumKind::Crc32, 4),
        _ => return Err(malformed()),
    };
    if expected.len() != len {
        return Err(malformed());
    }
    Ok(Some(Checksum { kind, expected }))
}

/// 460: the bytes of a request do not have its checksum (tus 1.0.0, checksum extension).
pub(super) fn checksum_mismatch(detail: impl Into<String>) -> Problem {
    // 460 is between 100 and 999.
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(status, "checksum-mismatch", "Checksum mismatch", detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn metadata_is_pairs() {
        let read = |text: &str| metadata(&headers(UPLOAD_METADATA, text));
        assert_eq!(read("").unwrap(), []);
        let pairs = read("package b21uaS5raXQ=,flag,  filename w6Q= ").unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("package", "omni.kit"), ("flag", ""), ("filename", "ä")]);
        assert_eq!(read(&format_metadata(&pairs)).unwrap().len(), 3);
        for wrong in ["a !", "a YQ", "a YQ==,a YQ==", "a b c"] {
            assert_eq!(read(wrong).unwrap_err().status(), 400, "{wrong}");
        }
        assert_eq!(read("a /w==").unwrap_err().status(), 422);
    }

    #[test]
    fn checksums_have_their_length() {
        let read = |text: &str| checksum(&headers(UPLOAD_CHECKSUM, text));
        assert_eq!(checksum(&HeaderMap::new()).unwrap(), None);
        let sum = read("crc32 y/Q5Jg==").unwrap().unwrap();
        assert_eq!((sum.kind, sum.expected), (ChecksumKind::Crc32, vec![0xcb, 0xf4, 0x39, 0x26]));
        for wrong in ["crc32", "crc32 !", "md5 YQ==", "sha1 YQ==", "sha256 YQ==", ""] {
            assert_eq!(read(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn only_uploads_are_asked_by_other_methods() {
        let patch = headers(HeaderName::from_static(METHOD_OVERRIDE), "PATCH");
        assert_eq!(meant_method(&Method::POST, "/api/v1/uploads/7", &patch), Method::PATCH);
        assert_eq!(meant_method(&Method::GET, "/api/v1/uploads/7", &patch), Method::GET);
        assert_eq!(meant_method(&Method::POST, "/api/v1/users/omni", &patch), Method::POST);
    }

    proptest! {
        #[test]
        fn no_field_panics(text in "[ -~]{0,60}") {
            let _ = metadata(&headers(UPLOAD_METADATA, &text));
            let _ = checksum(&headers(UPLOAD_CHECKSUM, &text));
            let _ = bytes(&headers(UPLOAD_OFFSET, &text), &UPLOAD_OFFSET);
        }
    }
}
