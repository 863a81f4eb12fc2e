//! Addresses of registries: [`Url`], parsed once, joined safely, and shown without the token it may carry.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The longest address accepted, in bytes.
const URL_BYTES_MAX: usize = 8 << 10;

/// Whom a connection is made to. Tokens and connections never pass from one origin to another (RFC 6454 section 4).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// HTTPS rather than HTTP.
    pub tls: bool,
    /// Name or address; an IPv6 address without its brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Origin {
    /// Whether the other side is this machine, so that nothing crosses a network.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }

    /// The `Host` field: name and port, the port only where it is not the scheme's own (RFC 9110 section 7.2).
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.tls) { host } else { format!("{host}:{}", self.port) }
    }
}

const fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

/// An absolute `http` or `https` address. `Display` and `Debug` show a `/t/TOKEN` in its path as `/t/…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    origin: Origin,
    /// Path and query as they are sent; begins with a slash.
    target: String,
}

/// Why a text is not an address the client can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// No `http://` or `https://` at its beginning.
    #[error("an address begins with http:// or https://, as in https://packages.example.com/")]
    Scheme,
    /// Characters or a form that no address has.
    #[error(
        "this is not a well-formed address; one looks like https://packages.example.com/ or http://127.0.0.1:8080/"
    )]
    Malformed,
    /// `user:password@` before the host.
    #[error("an address holds no user and password; give the token in PACKHOUSE_TOKEN or with --token-file")]
    Userinfo,
    /// A query or fragment after a registry's address.
    #[error("a registry's address has no ? or # part")]
    Query,
    /// A path that leaves its root.
    #[error("the path of an address has no . or .. segments and no backslash")]
    Dots,
    /// Over 8 KiB.
    #[error("the address is longer than 8 KiB")]
    Long,
}

impl FromStr for Url {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if text.len() > URL_BYTES_MAX {
            return Err(InvalidUrl::Long);
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let tls = match scheme.as_deref() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(InvalidUrl::Scheme),
        };
        // A fragment is never sent (RFC 9110 section 7.1).
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::Malformed)?;
        let authority = uri.authority().ok_or(InvalidUrl::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::Userinfo);
        }
        let host = host(authority.host()).ok_or(InvalidUrl::Malformed)?;
        let named_port = authority.as_str().len() > authority.host().len();
        let port = match authority.port_u16() {
            Some(port) => port,
            None if named_port => return Err(InvalidUrl::Malformed),
            None => default_port(tls),
        };
        if port == 0 {
            return Err(InvalidUrl::Malformed);
        }
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let url = Self { origin: Origin { tls, host, port }, target };
        if url.path().split('/').any(is_dots) || url.path().contains('\\') {
            return Err(InvalidUrl::Dots);
        }
        Ok(url)
    }
}

/// A host as it is looked up: a name or address in lower case, an IPv6 address without brackets. Names outside of ASCII
/// are given in their `xn--` form.
fn host(text: &str) -> Option<String> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let address: std::net::Ipv6Addr = bracketed.strip_suffix(']')?.parse().ok()?;
        return Some(address.to_string());
    }
    let is_name = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    is_name.then(|| text.to_ascii_lowercase())
}

/// `.` and `..`, also percent-encoded: proxies and servers resolve them before anybody compares paths.
fn is_dots(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

impl Url {
    /// The address of a registry or view: like any other, but without query, and ending with a slash so that
    /// [`Url::join`] appends to it.
    ///
    /// # Errors
    /// As parsing, and for a query or fragment.
    pub fn parse_base(text: &str) -> Result<Self, InvalidUrl> {
        if text.contains(['?', '#']) {
            return Err(InvalidUrl::Query);
        }
        let mut url: Self = text.parse()?;
        if !url.target.ends_with('/') {
            url.target.push('/');
        }
        Ok(url)
    }

    /// Whom to connect to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Path and query, as they are sent.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// This address with `more` appended as it stands, which is already encoded.
    #[must_use]
    pub fn join(&self, more: &str) -> Self {
        Self { origin: self.origin.clone(), target: format!("{}{more}", self.target) }
    }

    /// The root of a view (the folder of `registry.gz`), given either itself or the base in front of its `v2/`; the
    /// base may already lead into a channel or carry a token.
    #[must_use]
    pub fn view_root(&self) -> Self {
        if self.target.ends_with("/v2/") { self.clone() } else { self.join("v2/") }
    }

    /// Resolves the `Location` of a redirect (RFC 3986 section 5.2 for absolute addresses, paths and `//host/path`;
    /// paths relative to this one are resolved against its folder).
    ///
    /// # Errors
    /// If the result is not an address the client can use.
    pub fn resolve(&self, location: &str) -> Result<Self, InvalidUrl> {
        let scheme = if self.origin.tls { "https" } else { "http" };
        if location.contains("://") {
            location.parse()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}").parse()
        } else {
            let authority = self.origin.authority();
            let folder = self.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = if location.starts_with('/') { location.to_owned() } else { format!("{folder}/{location}") };
            format!("{scheme}://{authority}{path}").parse()
        }
    }

    /// The whole text, token included: for comparing and hashing, never for showing.
    #[must_use]
    pub fn exposed(&self) -> String {
        let scheme = if self.origin.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.origin.authority(), self.target)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.origin.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.origin.authority())?;
        let (path, query) =
            self.target.split_once('?').map_or((self.path(), None), |(path, query)| (path, Some(query)));
        let mut after_t = false;
        for segment in path.split('/').skip(1) {
            write!(f, "/{}", if after_t && !segment.is_empty() { "…" } else { segment })?;
            after_t = segment == "t";
        }
        let Some(query) = query else { return Ok(()) };
        let mut separator = '?';
        for pair in query.split('&') {
            let shown = if pair.starts_with("token=") { "token=…" } else { pair };
            write!(f, "{separator}{shown}")?;
            separator = '&';
        }
        Ok(())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

/// Everything but the unreserved characters of RFC 3986 section 2.3: right in a path segment and in a query value.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'!')
    .add(b'"')
    .add(b'#')
    .add(b'$')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Encodes a text as one path segment or one query value.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_are_taken_apart() {
        for (text, tls, host, port, target) in [
            ("http://127.0.0.1:8080", false, "127.0.0.1", 8080, "/"),
            ("HTTPS://Example.COM/a/", true, "example.com", 443, "/a/"),
            ("http://[::1]:81/x?y=1", false, "::1", 81, "/x?y=1"),
            ("http://h?x", false, "h", 80, "/?x"),
            ("http://h/a#b", false, "h", 80, "/a"),
        ] {
            let url = url(text);
            assert_eq!(*url.origin(), Origin { tls, host: host.into(), port }, "{text}");
            assert_eq!(url.target(), target, "{text}");
        }
        assert_eq!(url("http://[::1]:81/").origin().authority(), "[::1]:81");
        assert_eq!(url("https://h:443/").to_string(), "https://h/");
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        for (text, why) in [
            ("example.com", InvalidUrl::Scheme),
            ("ftp://h/", InvalidUrl::Scheme),
            ("", InvalidUrl::Scheme),
            ("http://", InvalidUrl::Malformed),
            ("http:///x", InvalidUrl::Malformed),
            ("http://h:99999/", InvalidUrl::Malformed),
            ("http://h:/", InvalidUrl::Malformed),
            ("http://a[]/", InvalidUrl::Malformed),
            ("http://[::1/", InvalidUrl::Malformed),
            ("http://[a]/", InvalidUrl::Malformed),
            ("http://a,b/", InvalidUrl::Malformed),
            ("http://h:0/", InvalidUrl::Malformed),
            ("http://h/a b", InvalidUrl::Malformed),
            ("http://user:pass@h/", InvalidUrl::Userinfo),
            ("http://h/a/../b", InvalidUrl::Dots),
            ("http://h/%2e%2E/b", InvalidUrl::Dots),
        ] {
            assert_eq!(text.parse::<Url>().unwrap_err(), why, "{text}");
        }
        assert_eq!(Url::parse_base("http://h/?a").unwrap_err(), InvalidUrl::Query);
        assert_eq!(format!("http://{}/", "h".repeat(9000)).parse::<Url>().unwrap_err(), InvalidUrl::Long);
    }

    #[test]
    fn views_follow_from_what_was_given() {
        for (given, root) in [
            ("http://h", "http://h/v2/"),
            ("http://h/v2", "http://h/v2/"),
            ("http://h/v2/", "http://h/v2/"),
            ("http://h/channels/beta/", "http://h/channels/beta/v2/"),
            ("http://h/t/SECRET", "http://h/t/SECRET/v2/"),
        ] {
            assert_eq!(Url::parse_base(given).unwrap().view_root().exposed(), root);
        }
    }

    #[test]
    fn tokens_are_not_shown() {
        let shown = |text: &str| url(text).to_string();
        assert_eq!(shown("http://h/t/SECRET/v2/a"), "http://h/t/…/v2/a");
        assert_eq!(shown("http://h/base/t/SECRET"), "http://h/base/t/…");
        assert_eq!(shown("http://h/a?id=x&token=SECRET"), "http://h/a?id=x&token=…");
        assert!(!format!("{:?}", url("http://h/t/SECRET")).contains("SECRET"));
        assert!(url("http://h/t/SECRET").exposed().contains("SECRET"));
    }

    #[test]
    fn redirects_resolve() {
        let from = url("http://h:81/a/b?c");
        for (location, to) in [
            ("https://other/x", "https://other/x"),
            ("//other/x", "http://other/x"),
            ("/x?y", "http://h:81/x?y"),
            ("x", "http://h:81/a/x"),
        ] {
            assert_eq!(from.resolve(location).unwrap().exposed(), to);
        }
        assert_eq!(from.resolve("ftp://h/").unwrap_err(), InvalidUrl::Scheme);
        assert_eq!(from.resolve("../../x").unwrap_err(), InvalidUrl::Dots);
    }

    #[test]
    fn names_are_encoded_as_one_segment() {
        assert_eq!(encode("a b/c+d%é-._~"), "a%20b%2Fc%2Bd%25%C3%A9-._~");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_what_parses_reparses(text in "\\PC*|https?://[a-z.:0-9\\[\\]@]{0,20}/[ -~]{0,20}") {
            if let Ok(url) = text.parse::<Url>() {
                prop_assert_eq!(url.exposed().parse::<Url>().unwrap(), url);
            }
        }
    }
}
