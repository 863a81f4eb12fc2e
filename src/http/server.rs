//! [`Server`]: listens, accepts connections within their limits, and ends in good order.
//!
//! Owns the accept loop and shutdown. What happens on a connection is `connection`'s matter.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::connection::Connections;
use super::connection_slots::AddressSlots;
use super::forwarded::TrustedProxies;
use super::refuse::Refuser;
use super::supervise::Order;
use super::tls::Tls;
use super::traffic::{Counted, Traffic};
use super::{Body, Limits, RequestBody, Workers};

/// How long connections may take to go once they are told to end at once.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);

/// Whom a server takes, and what they may take of it.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Bounds on clients.
    pub limits: Limits,
    /// Addresses that may have any number of connections, since they bring many clients.
    pub trusted_proxies: TrustedProxies,
}

/// What a server is to be like.
pub struct ServerConfig {
    /// Certificate and key, if HTTPS (HTTP/2 and HTTP/1.1) is to be served and not plain HTTP/1.1.
    pub tls: Option<Arc<Tls>>,
    /// What bounds new connections; those that are there keep what they began with.
    pub bounds: watch::Receiver<Bounds>,
    /// The threads that serve connections. Several servers may share them.
    pub workers: Arc<Workers>,
    /// Where it is counted what goes on at the sockets.
    pub traffic: Arc<Traffic>,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its address; a proxy's, where there is one (see `forwarded`).
    pub address: SocketAddr,
    /// Whether it came through TLS that ends here.
    pub tls: bool,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that still had something running when the time for shutdown was over, and were cut.
    pub cut_connections: u32,
}

/// A server that is listening; connections wait until [`run`](Self::run) takes them.
pub struct Server {
    listener: TcpListener,
    config: ServerConfig,
}

impl Server {
    /// Begins to listen; port 0 takes a free one.
    ///
    /// # Errors
    /// If the address is taken, or not ours to take.
    pub async fn bind(address: SocketAddr, config: ServerConfig) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, config })
    }

    /// Serves on a socket that listens already, which others may go on with when this server has ended.
    ///
    /// # Errors
    /// If the system does not take it into an event loop.
    pub fn on(listener: std::net::TcpListener, config: ServerConfig) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener: TcpListener::from_std(listener)?, config })
    }

    /// Where it listens, with the port that was taken.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Has `handler` answer requests until `shutdown` is ready; then takes no more, and ends when running requests are
    /// finished or [`Limits::shutdown_timeout`] is over.
    ///
    /// A handler's future is dropped when its client leaves. A handler that panics answers 500.
    pub async fn run<H, F>(self, handler: H, shutdown: impl Future<Output = ()>) -> Stopped
    where
        H: Fn(Request<RequestBody>, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let Self { listener, mut config } = self;
        let Bounds { mut limits, mut trusted_proxies } = config.bounds.borrow_and_update().clone();
        let (order, orders) = watch::channel(Order::Run);
        let connections = Connections::new(handler, limits, config.tls, orders, Arc::clone(&config.traffic));
        let mut connections = Arc::new(connections);
        let places = Arc::new(Semaphore::new(limits.connections_max as usize));
        let by_address = AddressSlots::new(limits.connections_per_address_max);
        let refuser = Refuser::new();

        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                Ok(()) = config.bounds.changed() => {
                    let bounds = config.bounds.borrow_and_update().clone();
                    resize(&places, limits.connections_max, bounds.limits.connections_max);
                    by_address.set_max(bounds.limits.connections_per_address_max);
                    Bounds { limits, trusted_proxies } = bounds;
                    connections = Arc::new(connections.with(limits));
                    continue;
                }
                accepted = accept(&listener, &places, limits.accept_pause) => accepted,
            };
            let Some((stream, address, place)) = accepted else { break };
            let slot = by_address.take(address.ip());
            if slot.is_none() && !trusted_proxies.contains(address.ip()) {
                tracing::debug!(%address, "connection refused: too many from this address");
                if connections.is_plain() {
                    refuser.refuse(stream);
                }
                continue;
            }
            // It belongs to this thread's event loop so far.
            let Ok(stream) = stream.into_std() else { continue };
            let connections = Arc::clone(&connections);
            let counted = Counted::new(&config.traffic);
            config.workers.spawn(move || async move {
                match TcpStream::from_std(stream) {
                    Ok(stream) => connections.serve(stream, address).await,
                    Err(error) => tracing::error!(%error, "cannot serve a connection"),
                }
                drop((slot, place, counted));
            });
        }
        // New connections are refused from here on, not left waiting, unless somebody else holds the socket too.
        drop(listener);
        drain(&order, &places, &limits).await
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, as soon as there is a place for it. No error ends the loop: those of a single connection are
/// passed over, and when the process is out of descriptors or memory, others have to end first.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    pause: Duration,
) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return Some((stream, address, place)),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; trying again");
                sleep(pause).await;
            }
        }
    }
}

/// Makes more places, or fewer: those that are taken go when they are given back, and until then nobody gets one.
fn resize(places: &Arc<Semaphore>, from: u32, to: u32) {
    if from <= to {
        places.add_permits((to - from) as usize);
        return;
    }
    let places = Arc::clone(places);
    tokio::spawn(async move {
        // The semaphore is never closed.
        if let Ok(gone) = places.acquire_many_owned(from - to).await {
            gone.forget();
        }
    });
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Waits for the connections to end, and ends them when it takes too long.
async fn drain(order: &watch::Sender<Order>, places: &Semaphore, limits: &Limits) -> Stopped {
    // Having all places means that no connection has one.
    let all_ended = || async {
        let _all = places.acquire_many(limits.connections_max).await;
    };
    order.send_replace(Order::Drain);
    if timeout(limits.shutdown_timeout, all_ended()).await.is_ok() {
        return Stopped { cut_connections: 0 };
    }
    let cut_connections = limits.connections_max.saturating_sub(places.available_permits() as u32);
    tracing::warn!(cut_connections, "shutdown does not wait longer for running requests");
    order.send_replace(Order::Abort);
    let _ = timeout(ABORT_TIMEOUT, all_ended()).await;
    Stopped { cut_connections }
}
