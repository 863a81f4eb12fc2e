//! Headers that tell browsers how little to do with a response.
//!
//! Two sets: one for everything, one more for content that strangers uploaded. The page's own policy is with the page.

use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, HeaderMap, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

/// For every response: no guessing of types, and no address of ours (it may hold a token) told to other sites.
pub fn set_common(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

/// For uploaded content, beside `Content-Disposition: attachment`: should a browser show it all the same, then without
/// scripts, forms, or this site's origin.
pub fn set_untrusted_content(headers: &mut HeaderMap) {
    set_common(headers);
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploaded_content_gets_both_sets() {
        let mut headers = HeaderMap::new();
        set_untrusted_content(&mut headers);
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[REFERRER_POLICY], "same-origin");
        assert!(headers[CONTENT_SECURITY_POLICY].to_str().unwrap().contains("sandbox"));
    }
}
