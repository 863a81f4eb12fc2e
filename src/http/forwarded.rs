//! The request as the outside sees it: the client's address, the scheme and the host, through proxies that are trusted.
//!
//! Owns [`TrustedProxies`] and the reading of `X-Forwarded-*`. What may be done with the answer is the callers' matter.

use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use http::header::{HOST, HeaderMap, HeaderName};
use http::uri::{Authority, Uri};

use super::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How many addresses of `X-Forwarded-For` are looked at. No honest chain of proxies is longer.
const HOPS_MAX: usize = 16;

/// An address range in CIDR notation, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

/// Why a text is not a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a network such as 10.0.0.0/8")]
pub struct InvalidNetwork(String);

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => bits_max,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| invalid())?,
            Some(_) => return Err(invalid()),
        };
        if prefix_bits > bits_max {
            return Err(invalid());
        }
        Ok(Self { address, prefix_bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let ignored_bits = 32 - self.prefix_bits;
                (own.to_bits() ^ other.to_bits()).checked_shr(ignored_bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let ignored_bits = 128 - self.prefix_bits;
                (own.to_bits() ^ other.to_bits()).checked_shr(ignored_bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The proxies whose word about the client counts. By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Trusts these.
    #[must_use]
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether this is the address of a trusted proxy. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

/// A request as the client made it, before any proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Who made it: the nearest address that is not a trusted proxy.
    pub client: IpAddr,
    /// Whether the client used HTTPS.
    pub https: bool,
    /// Host, and port where it is not the scheme's own, as the client wrote it. `None` if it is missing or malformed.
    pub host: Option<Authority>,
}

impl Outside {
    /// Reads what the connection and, if it comes from a trusted proxy, its headers say.
    #[must_use]
    pub fn of(peer: Peer, uri: &Uri, headers: &HeaderMap, trusted: &TrustedProxies) -> Self {
        let direct = peer.address.ip().to_canonical();
        // HTTP/2 carries the host in the target, HTTP/1 in a header.
        let own_host = || uri.authority().cloned().or_else(|| only(headers, &HOST).and_then(host));
        if !trusted.contains(direct) {
            return Self { client: direct, https: peer.tls, host: own_host() };
        }
        Self {
            client: client(direct, headers, trusted),
            https: match last(headers, &X_FORWARDED_PROTO) {
                Some(scheme) => scheme.eq_ignore_ascii_case("https"),
                None => peer.tls,
            },
            host: match last(headers, &X_FORWARDED_HOST) {
                Some(forwarded) => host(forwarded),
                None => own_host(),
            },
        }
    }

    /// `https` or `http`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// `SCHEME://HOST`, which absolute URLs of this server begin with, if the host is known.
    #[must_use]
    pub fn base_url(&self) -> Option<Arc<str>> {
        let host = self.host.as_ref()?.as_str();
        Some(LAST_BASE_URL.with_borrow_mut(|last| {
            let is_same = last.strip_prefix(self.scheme()).and_then(|rest| rest.strip_prefix("://")) == Some(host);
            if !is_same {
                *last = [self.scheme(), "://", host].concat().into();
            }
            Arc::clone(last)
        }))
    }
}

// Most requests name the host that the one before them named. What it comes to is found out once for all of those.
thread_local! {
    static LAST_HOST: RefCell<Option<Authority>> = const { RefCell::new(None) };
    static LAST_BASE_URL: RefCell<Arc<str>> = RefCell::default();
}

/// Whether this is the host that was read last on this thread, which was well-formed then.
pub(super) fn was_read_last(host: &[u8]) -> bool {
    LAST_HOST.with_borrow(|last| last.as_ref().is_some_and(|last| last.as_str().as_bytes() == host))
}

/// Walks `X-Forwarded-For` from the right, each entry vouched for by the proxy that wrote it.
fn client(direct: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> IpAddr {
    let mut client = direct;
    let hops = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .rev()
        .map(|line| line.to_str().unwrap_or_default())
        .flat_map(|line| line.rsplit(','));
    for hop in hops.take(HOPS_MAX) {
        // An entry that cannot be read ends what is known.
        let Some(address) = address(hop.trim()) else { break };
        client = address;
        if !trusted.contains(client) {
            break;
        }
    }
    client
}

/// An address, which some proxies write with a port or with brackets.
fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    let unbracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.ok().or_else(unbracketed).map(|address| address.to_canonical())
}

/// The last of a header's values: the one that the nearest proxy wrote.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next().map(str::trim)
}

/// The value of a header that may be there only once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => line.to_str().ok(),
        _ => None,
    }
}

fn host(text: &str) -> Option<Authority> {
    let text = text.trim();
    LAST_HOST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|last| last.as_str() != text) {
            *last = read_host(text);
        }
        last.clone()
    })
}

fn read_host(text: &str) -> Option<Authority> {
    let host: Authority = text.parse().ok()?;
    (!host.as_str().contains('@') && !host.host().is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted() -> TrustedProxies {
        TrustedProxies::new(["10.0.0.0/8", "::1", "2001:db8::/32"].iter().map(|text| text.parse().unwrap()).collect())
    }

    fn outside(peer: &str, tls: bool, headers: &[(&'static str, &str)]) -> Outside {
        let peer = Peer { address: SocketAddr::new(peer.parse().unwrap(), 1), tls };
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        Outside::of(peer, &Uri::from_static("/"), &headers, &trusted())
    }

    #[test]
    fn networks() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.100"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("2001:db8::/32", "2001:db8:1::", "2001:db9::"),
            ("::/0", "::1", "1.2.3.4"),
        ] {
            let network = TrustedProxies::new(vec![network.parse().unwrap()]);
            assert!(network.contains(inside.parse().unwrap()), "{inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside}");
        }
        assert!(trusted().contains("::ffff:10.0.0.1".parse().unwrap()));
        for text in ["", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "::/129", "host", "10.0.0/8"] {
            assert_eq!(text.parse::<Network>(), Err(InvalidNetwork(text.to_owned())));
        }
    }

    #[test]
    fn the_client_is_the_rightmost_untrusted_address() {
        for (peer, forwarded, client) in [
            ("192.0.2.1", Some("198.51.100.1"), "192.0.2.1"),
            ("10.0.0.1", None, "10.0.0.1"),
            ("10.0.0.1", Some("198.51.100.1"), "198.51.100.1"),
            ("::ffff:10.0.0.1", Some("198.51.100.1"), "198.51.100.1"),
            ("10.0.0.1", Some("1.1.1.1, 198.51.100.1, 10.0.0.2"), "198.51.100.1"),
            ("10.0.0.1", Some("10.0.0.3, 10.0.0.2"), "10.0.0.3"),
            ("10.0.0.1", Some("1.1.1.1, nonsense, 10.0.0.2"), "10.0.0.2"),
            ("10.0.0.1", Some(""), "10.0.0.1"),
            ("::1", Some("[2001:db9::1]:443"), "2001:db9::1"),
            ("::1", Some("[2001:db9::1]"), "2001:db9::1"),
            ("::1", Some("192.0.2.1:80"), "192.0.2.1"),
        ] {
            let headers: Vec<_> = forwarded.map(|value| ("x-forwarded-for", value)).into_iter().collect();
            assert_eq!(
                outside(peer, false, &headers).client,
                client.parse::<IpAddr>().unwrap(),
                "{peer} {forwarded:?}"
            );
        }
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(outside("10.0.0.1", false, &lines).client, "198.51.100.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn scheme_and_host() {
        let forwarded = [("host", "inner:8080"), ("x-forwarded-proto", "HTTPS"), ("x-forwarded-host", "a.example")];
        assert_eq!(&*outside("10.0.0.1", false, &forwarded).base_url().unwrap(), "https://a.example");
        assert_eq!(&*outside("192.0.2.1", false, &forwarded).base_url().unwrap(), "http://inner:8080");
        assert_eq!(&*outside("192.0.2.1", true, &forwarded).base_url().unwrap(), "https://inner:8080");
        assert_eq!(&*outside("10.0.0.1", true, &[("host", "[::1]:1")]).base_url().unwrap(), "https://[::1]:1");
        let chain = [("x-forwarded-proto", "https, http"), ("x-forwarded-host", "evil.example, a.example")];
        assert_eq!(&*outside("10.0.0.1", true, &chain).base_url().unwrap(), "http://a.example");
        for headers in
            [&[][..], &[("host", "a b")], &[("host", "a"), ("host", "b")], &[("host", "u@a")], &[("host", "")]]
        {
            assert_eq!(outside("192.0.2.1", false, headers).host, None, "{headers:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(value in "[ -~]{0,30}") {
            let names = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
            let headers = names.map(|name| (name, value.as_str()));
            let _ = outside("10.0.0.1", true, &headers);
        }
    }
}
