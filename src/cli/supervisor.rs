//! [`Supervisor`]: what systemd is told while the server runs (sd_notify(3)), and the sockets that it hands over
//! (sd_listen_fds(3)).
//!
//! Telling never waits and never fails: without a supervisor, or with one that does not listen, nothing happens.

use std::env;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::Failure;

/// Sockets that are taken over; nobody listens at more addresses.
const SOCKETS_MAX: usize = 64;
/// How long a start may be silent before it counts as failed: each of its tellings asks for that much again.
const START_SILENCE: Duration = Duration::from_secs(60);

/// Whoever started the program and wants to know how it is.
#[derive(Debug, Default)]
pub struct Supervisor {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names.
    #[must_use]
    pub fn from_environment() -> Self {
        let Some(socket) = env::var_os("NOTIFY_SOCKET").and_then(|name| connect(name.as_bytes())) else {
            return Self::default();
        };
        let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
        let is_meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|micros| is_meant && *micros > 0).map(Duration::from_micros);
        Self { socket: Some(socket), watchdog }
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.socket.is_some()
    }

    /// Within which time the supervisor wants to hear [`alive`](Self::alive), if it does.
    #[must_use]
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The server is not ready yet, and how far it is.
    pub fn starting(&self, status: &str) {
        self.tell(&format!("EXTEND_TIMEOUT_USEC={}\nSTATUS={status}", START_SILENCE.as_micros()));
    }

    /// The server answers.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The server reads its configuration again, and says [`ready`](Self::ready) when it has.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=reading the configuration again"));
    }

    /// How the server is.
    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    /// The server still does its work.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// The server ends.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping: running requests may finish");
    }

    fn tell(&self, state: &str) {
        if let Some((socket, address)) = &self.socket {
            // Whoever does not listen does not hear.
            let _ = socket.send_to_addr(state.as_bytes(), address);
        }
    }
}

/// A way to the socket of that name, which begins with `@` where it is no file (unix(7), abstract).
fn connect(name: &[u8]) -> Option<(UnixDatagram, SocketAddr)> {
    let address = match name.split_first()? {
        (b'@', rest) => SocketAddr::from_abstract_name(rest),
        (b'/', _) => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)),
        _ => return None,
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    Some((socket, address.ok()?))
}

/// The sockets that the program was started with, listening. To be called once, before there are other threads.
///
/// # Errors
/// If one of them is not a listening TCP socket.
pub fn sockets() -> Result<Vec<TcpListener>, Failure> {
    if env::var("LISTEN_FDS").is_ok_and(|count| count.parse::<usize>().is_ok_and(|count| count > SOCKETS_MAX)) {
        return Err(Failure::Failed(format!("more than {SOCKETS_MAX} sockets are handed over")));
    }
    let handed = sd_listen_fds::get().map_err(|error| Failure::Failed(format!("LISTEN_FDS: {error}")))?;
    let mut sockets = Vec::new();
    for (_, descriptor) in handed {
        let socket = TcpListener::from(descriptor);
        socket.local_addr().map_err(|error| {
            Failure::Failed(format!(
                "what was handed over is no TCP socket ({error}); ListenStream= takes PORT or ADDRESS:PORT"
            ))
        })?;
        sockets.push(socket);
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 500];
        let len = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }

    #[test]
    fn a_supervisor_hears_by_both_kinds_of_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let abstract_name = format!("packhouse-test-{}", std::process::id());
        for (name, listening) in [
            (path.to_str().unwrap().to_owned(), UnixDatagram::bind(&path).unwrap()),
            (
                format!("@{abstract_name}"),
                UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&abstract_name).unwrap()).unwrap(),
            ),
        ] {
            let supervisor = Supervisor { socket: connect(name.as_bytes()), watchdog: None };
            supervisor.starting("1 of 2");
            assert_eq!(heard(&listening), "EXTEND_TIMEOUT_USEC=60000000\nSTATUS=1 of 2");
            supervisor.ready("fine");
            assert_eq!(heard(&listening), "READY=1\nSTATUS=fine");
            drop(listening);
            supervisor.alive();
        }
        assert!(connect(b"relative").is_none() && connect(b"").is_none());
    }
}
