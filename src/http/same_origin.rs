//! The check that a request with a cookie comes from our own pages and not from somebody else's.
//!
//! A browser attaches cookies to requests that other sites make it send. What it also attaches, and no page can forge,
//! is where the request came from (`Sec-Fetch-Site`, `Origin`). Requests with a token need no such check: nobody sends a
//! token unasked.

use http::Method;
use http::header::{HeaderMap, HeaderName, ORIGIN};
use http::uri::Uri;

use super::forwarded::Outside;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request that is authenticated by a cookie may be carried out.
///
/// A method that changes nothing always may. Else `Sec-Fetch-Site` decides where a browser sends it, and otherwise
/// `Origin` must be our own. A request with neither is refused: every browser sends at least one of them.
#[must_use]
pub fn allows(method: &Method, headers: &HeaderMap, outside: &Outside) -> bool {
    if method.is_safe() {
        return true;
    }
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()).is_some_and(|origin| is_own(origin, outside))
}

fn is_own(origin: &str, outside: &Outside) -> bool {
    let (Ok(origin), Some(own)) = (origin.parse::<Uri>(), &outside.host) else { return false };
    let (Some(scheme), Some(host)) = (origin.scheme_str(), origin.host()) else { return false };
    let default_port = if outside.https { 443 } else { 80 };
    scheme.eq_ignore_ascii_case(outside.scheme())
        && host.eq_ignore_ascii_case(own.host())
        && origin.port_u16().unwrap_or(default_port) == own.port_u16().unwrap_or(default_port)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn check(method: &Method, https: bool, host: &str, headers: &[(&'static str, &str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let outside = Outside { client: IpAddr::from([192, 0, 2, 1]), https, host: host.parse().ok() };
        allows(method, &headers, &outside)
    }

    #[test]
    fn safe_methods_pass() {
        assert!(check(&Method::GET, true, "a.example", &[("sec-fetch-site", "cross-site")]));
        assert!(!check(&Method::POST, true, "a.example", &[("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn where_a_request_comes_from_decides() {
        for (headers, allowed) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://a.example")], false),
            (&[("origin", "https://a.example")], true),
            (&[("origin", "https://A.example:443")], true),
            (&[("origin", "http://a.example")], false),
            (&[("origin", "https://a.example:8443")], false),
            (&[("origin", "https://a.example.evil")], false),
            (&[("origin", "https://b.a.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
        ] {
            for method in [Method::POST, Method::DELETE, Method::from_bytes(b"X").unwrap()] {
                assert_eq!(check(&method, true, "a.example", headers), allowed, "{headers:?}");
            }
        }
        assert!(check(&Method::PUT, false, "[::1]:8080", &[("origin", "http://[::1]:8080")]));
        assert!(!check(&Method::PUT, false, "", &[("origin", "http://a.example")]));
    }
}
