//! Proxies between this client and a server: which one the settings name for an address, and how it is asked.
//!
//! Owns what `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` mean, as other programs read them; the command line
//! reads the environment. A proxy is spoken to in plain HTTP: for `https` addresses it opens a tunnel (RFC 9110, section
//! 9.3.6), for others it takes the whole address (RFC 9112, section 3.2.2).

use std::fmt;
use std::io;
use std::net::IpAddr;

use http::HeaderValue;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::error::Failure;
use super::url::{Origin, Url};

/// Longest head of a proxy's answer to a request for a tunnel, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// A proxy. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it listens.
    pub(crate) origin: Origin,
    /// Its user and password as it is shown them, where its address has them.
    pub(crate) authorization: Option<HeaderValue>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.origin.authority())
    }
}

/// Which proxy each address is reached by.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    direct: Vec<Direct>,
}

/// Hosts that are reached without a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Direct {
    /// All.
    All,
    /// A name and all names below it, at this port or at any.
    Domain(String, Option<u16>),
    /// Addresses that begin with these bits.
    Network(IpAddr, u8),
}

/// Why a setting names no proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is no address of a proxy: {why}; write http://[USER:PASSWORD@]HOST[:PORT]")]
pub struct InvalidProxy {
    variable: &'static str,
    why: String,
}

impl Proxies {
    /// Reads the settings by their names, `https_proxy` and the like; a name in capitals counts where the other is not
    /// set, and an empty value is none.
    ///
    /// # Errors
    /// If one of them is no address of a proxy.
    pub fn from_settings(get: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidProxy> {
        let value = |name: &str| {
            let value = get(name).or_else(|| get(&name.to_ascii_uppercase()))?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let proxy = |variable: &'static str| {
            let text = value(variable).map(|text| (variable, text));
            let text = text.or_else(|| value("all_proxy").map(|text| ("all_proxy", text)));
            text.map(|(variable, text)| Proxy::parse(variable, &text)).transpose()
        };
        let direct = value("no_proxy").unwrap_or_default();
        let direct = direct.split([',', ' ']).filter(|entry| !entry.is_empty()).map(Direct::parse).collect();
        Ok(Self { http: proxy("http_proxy")?, https: proxy("https_proxy")?, direct })
    }

    /// The proxy for an origin, if there is one.
    pub(crate) fn of(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.tls { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.direct.iter().any(|direct| direct.is_for(origin)))
    }
}

impl Proxy {
    fn parse(variable: &'static str, text: &str) -> Result<Self, InvalidProxy> {
        let invalid = |why: String| InvalidProxy { variable, why };
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => return Err(invalid(format!("proxies of the kind {scheme}:// are not supported"))),
            None => text,
        };
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        let url: Url = format!("http://{place}").parse().map_err(|why| invalid(format!("{why}")))?;
        let authorization = user.map(|user| {
            let mut value =
                HeaderValue::from_str(&format!("Basic {}", base64(&percent_decode_str(user).collect::<Vec<u8>>())))
                    .map_err(|_| invalid("its user and password cannot be sent".to_owned()))?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Self { origin: url.origin().clone(), authorization: authorization.transpose()? })
    }

    /// Asks for a tunnel to `origin` on a connection to the proxy.
    pub(crate) async fn tunnel(&self, stream: &mut TcpStream, origin: &Origin) -> Result<(), Failure> {
        let host = if origin.host.contains(':') { format!("[{}]", origin.host) } else { origin.host.clone() };
        let target = format!("{host}:{}", origin.port);
        let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(value) = &self.authorization {
            head.extend_from_slice(b"Proxy-Authorization: ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        let broken = |error: io::Error| self.failed(error.kind(), &error);
        stream.write_all(&head).await.map_err(broken)?;
        // Byte by byte: what follows the head is the tunnel's.
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() == HEAD_BYTES_MAX {
                return Err(self.failed(io::ErrorKind::InvalidData, &"its answer has no end"));
            }
            answer.push(stream.read_u8().await.map_err(broken)?);
        }
        let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
        let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)).unwrap_or_default();
        match status {
            status if status.len() == 3 && status.starts_with('2') => Ok(()),
            "407" => Err(Failure::Declined(format!(
                "the proxy {} asks for a user and password; write them into its address, http://USER:PASSWORD@HOST",
                self.origin.authority()
            ))),
            _ => {
                let line: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
                Err(self.failed(io::ErrorKind::ConnectionRefused, &format_args!("it answers {line:?}")))
            }
        }
    }

    /// A failure to reach a server by this proxy.
    pub(crate) fn failed(&self, kind: io::ErrorKind, why: &dyn fmt::Display) -> Failure {
        Failure::Connect(io::Error::new(kind, format!("by the proxy {}: {why}", self.origin.authority())))
    }
}

impl Direct {
    fn parse(entry: &str) -> Self {
        if entry == "*" {
            return Self::All;
        }
        let bare = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        if let Some((address, bits)) = entry.split_once('/')
            && let (Some(address), Ok(bits)) = (bare(address), bits.parse())
        {
            return Self::Network(address, bits);
        }
        if let Some(address) = bare(entry) {
            return Self::Network(address, u8::MAX);
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
            _ => (entry, None),
        };
        let name = name.trim_start_matches("*.").trim_start_matches('.').trim_matches(['[', ']']);
        Self::Domain(name.to_ascii_lowercase(), port)
    }

    fn is_for(&self, origin: &Origin) -> bool {
        match self {
            Self::All => true,
            Self::Domain(name, port) => {
                let host = origin.host.to_ascii_lowercase();
                let is_below = || host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
                port.is_none_or(|port| port == origin.port) && !name.is_empty() && (host == *name || is_below())
            }
            Self::Network(network, bits) => match (network, origin.host.parse()) {
                (IpAddr::V4(network), Ok(IpAddr::V4(host))) => {
                    same_bits(u32::from(*network).into(), u32::from(host).into(), 32, *bits)
                }
                (IpAddr::V6(network), Ok(IpAddr::V6(host))) => same_bits((*network).into(), host.into(), 128, *bits),
                _ => false,
            },
        }
    }
}

/// Whether two addresses of `width` bits begin with the same `bits`.
fn same_bits(left: u128, right: u128, width: u32, bits: u8) -> bool {
    let ignored = width.saturating_sub(bits.into());
    (left ^ right).checked_shr(ignored).unwrap_or(0) == 0
}

/// Base64 (RFC 4648, section 4), for Basic credentials.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = ALPHABET[((bits >> (18 - 6 * place)) & 63) as usize];
            text.push(if place > group.len() { '=' } else { letter.into() });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(settings: &[(&str, &str)]) -> Result<Proxies, InvalidProxy> {
        Proxies::from_settings(|name| {
            settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn by(settings: &[(&str, &str)], url: &str) -> Option<String> {
        let url: Url = url.parse().unwrap();
        proxies(settings).unwrap().of(url.origin()).map(|proxy| proxy.origin.authority())
    }

    #[test]
    fn settings_name_the_proxy_of_an_address() {
        let both = [("HTTP_PROXY", "http://a:3128"), ("https_proxy", "b:8080"), ("HTTPS_PROXY", "c")];
        assert_eq!(by(&both, "http://h/").as_deref(), Some("a:3128"));
        assert_eq!(by(&both, "https://h/").as_deref(), Some("b:8080"));
        assert_eq!(by(&[("all_proxy", "http://a")], "https://h/").as_deref(), Some("a"));
        assert_eq!(by(&[("http_proxy", " "), ("HTTPS_PROXY", "http://a/")], "http://h/"), None);
        let proxies = proxies(&[("http_proxy", "http://us%40er:p%3Aw@[::1]:81")]).unwrap();
        let proxy = proxies.of(&Origin { tls: false, host: "h".into(), port: 80 }).unwrap();
        assert_eq!((proxy.origin.host.as_str(), proxy.origin.port), ("::1", 81));
        // `us@er:p:w`
        assert_eq!(proxy.authorization.as_ref().unwrap(), "Basic dXNAZXI6cDp3");
        assert!(!format!("{proxy:?}").contains("Basic"));
    }

    #[test]
    fn what_is_no_proxy_is_refused_with_its_variable() {
        for (text, why) in [("socks5://h", "socks5:// are not"), ("https://h", "https:// are not"), ("http://", "")] {
            let error = proxies(&[("https_proxy", text)]).unwrap_err().to_string();
            assert!(error.starts_with("https_proxy is no address of a proxy") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn some_hosts_are_reached_directly() {
        let through = |no_proxy: &str, url: &str| {
            by(&[("http_proxy", "p"), ("https_proxy", "p"), ("no_proxy", no_proxy)], url).is_some()
        };
        for (no_proxy, url, is_through) in [
            ("*", "http://h/", false),
            ("example.com", "http://example.com/", false),
            ("example.com", "http://a.Example.com/", false),
            (".example.com, other", "http://a.example.com/", false),
            ("*.example.com", "http://a.example.com/", false),
            ("example.com", "http://notexample.com/", true),
            ("a:81 example.com:8080", "http://example.com:8080/", false),
            ("example.com:8080", "http://example.com/", true),
            ("127.0.0.1", "http://127.0.0.1:81/", false),
            ("10.0.0.0/8", "https://10.1.2.3/", false),
            ("10.0.0.0/8", "https://11.1.2.3/", true),
            ("::1,fd00::/8", "http://[fd00::7]/", false),
            ("[::1]", "http://[::1]:8080/", false),
            ("0.0.0.0/0", "http://8.8.8.8/", false),
            ("", "http://h/", true),
            ("..", "http://h/", true),
        ] {
            assert_eq!(through(no_proxy, url), is_through, "{no_proxy} {url}");
        }
    }
}
