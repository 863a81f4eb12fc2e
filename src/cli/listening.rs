//! Where a server on this machine listens, and how it is reached there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Where the server listens unless it is told otherwise: for this machine alone, until its operator decides.
pub const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Reads an address and port.
///
/// # Errors
/// What would be right.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address and port looks like 127.0.0.1:8080, 0.0.0.0:443 or [::]:8080".to_owned())
}

/// An address to which a client on this machine can go: a server that listens everywhere listens here too.
#[must_use]
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// An address by which a browser on another machine can reach a server that listens here: of a server that listens on all
/// addresses, the one from which this machine reaches others.
#[must_use]
pub fn reachable_from_elsewhere(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    outward(address.ip().is_ipv6()).map_or_else(|| reachable(address), |ip| SocketAddr::new(ip, address.port()))
}

/// The address from which packets leave this machine. Nothing is sent: to connect a datagram socket only chooses a route.
/// The addresses are those of documentation (RFC 5737 and RFC 3849).
fn outward(v6: bool) -> Option<IpAddr> {
    let v4 = || route("0.0.0.0:0", "192.0.2.1:9");
    if v6 { route("[::]:0", "[2001:db8::1]:9").or_else(v4) } else { v4() }
}

fn route(from: &str, to: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified() && !ip.is_loopback()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The link that makes the first account named 0.0.0.0 or 127.0.0.1, which no browser elsewhere can open.
    #[test]
    fn a_link_names_an_address_that_can_be_opened() {
        for (listen, port) in [("0.0.0.0:8080", 8080), ("[::]:443", 443)] {
            let address = reachable_from_elsewhere(listen.parse().unwrap());
            assert!(!address.ip().is_unspecified() && address.port() == port, "{listen}: {address}");
        }
        let own: SocketAddr = "192.0.2.7:80".parse().unwrap();
        assert_eq!(reachable_from_elsewhere(own), own);
    }
}
