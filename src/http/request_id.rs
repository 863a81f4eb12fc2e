//! [`RequestIds`]: a name for each request, by which its answer and its line in the log are found together.
//!
//! Owns the header `X-Request-Id`: a trusted proxy may have chosen the name already.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;
use http::header::{HeaderMap, HeaderName};
use ring::rand::{SecureRandom, SystemRandom};

/// The header, of a proxy's request and of every answer.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a proxy may choose, in bytes: twice a UUID.
const LEN_BYTES_MAX: usize = 72;

/// Makes names: the same for no two requests of a process, and hardly for two of different ones.
#[derive(Debug)]
pub(super) struct RequestIds {
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let mut first = [0; 8];
        // Without randomness, processes would begin with the same name; that is all.
        let _ = SystemRandom::new().fill(&mut first);
        Self { next: AtomicU64::new(u64::from_ne_bytes(first)) }
    }
}

impl RequestIds {
    /// The name of a request: what a trusted proxy said, if that is harmless, or a new one.
    pub(super) fn of(&self, headers: &HeaderMap, from_trusted_proxy: bool) -> HeaderValue {
        let chosen = if from_trusted_proxy { headers.get(X_REQUEST_ID) } else { None };
        chosen.filter(|value| is_harmless(value)).cloned().unwrap_or_else(|| self.make())
    }

    fn make(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut digits = [0; 16];
        for (at, digit) in digits.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(number >> (60 - 4 * at)) as usize & 15];
        }
        // Hexadecimal digits are a header's value.
        HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// Whether a name can stand in a log as it is.
fn is_harmless(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=LEN_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_names_of_their_own() {
        let ids = RequestIds { next: AtomicU64::new(0x0123_4567_89ab_cdef) };
        let mut headers = HeaderMap::new();
        assert_eq!(ids.of(&headers, true), "0123456789abcdef");
        assert_eq!(ids.of(&headers, false), "0123456789abcdf0");
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("proxy-1.a_b"));
        assert_eq!(ids.of(&headers, true), "proxy-1.a_b");
        assert_eq!(ids.of(&headers, false), "0123456789abcdf1", "not everybody may choose");
        for wrong in ["", "a b", "a\"b", &"x".repeat(73)] {
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(wrong).unwrap());
            assert_ne!(ids.of(&headers, true), wrong);
        }
    }
}
