//! One connection: TLS if it is to be, then HTTP/1 or HTTP/2 to its end.
//!
//! Owns the settings of the protocols. Time is watched over in `supervise`, requests are answered in `dispatch`.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::activity::{Activity, Phase, Protocol};
use super::dispatch;
use super::supervise::{self, Ended, Order};
use super::tls::Tls;
use super::traffic::Traffic;
use super::watched_io::WatchedIo;
use super::{Body, Limits, Peer, RequestBody};

/// What all connections of a server have in common.
pub(super) struct Connections<H> {
    handler: Arc<H>,
    limits: Limits,
    tls: Option<Arc<Tls>>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    orders: watch::Receiver<Order>,
    traffic: Arc<Traffic>,
}

impl<H, F> Connections<H>
where
    H: Fn(Request<RequestBody>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    pub(super) fn new(
        handler: H,
        limits: Limits,
        tls: Option<Arc<Tls>>,
        orders: watch::Receiver<Order>,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self::of(Arc::new(handler), limits, tls, orders, traffic)
    }

    fn of(
        handler: Arc<H>,
        limits: Limits,
        tls: Option<Arc<Tls>>,
        orders: watch::Receiver<Order>,
        traffic: Arc<Traffic>,
    ) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_header_size(limits.header_bytes_max)
            .max_buf_size(limits.buffer_bytes_max);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.http2_streams_max)
            .max_pending_accept_reset_streams(limits.http2_pending_resets_max)
            .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
            .initial_stream_window_size(limits.http2_window_bytes)
            .initial_connection_window_size(limits.http2_window_bytes)
            .max_send_buf_size(limits.http2_send_buffer_bytes_max)
            .keep_alive_interval(limits.http2_ping_interval)
            .keep_alive_timeout(limits.http2_ping_timeout);
        Self { handler, limits, tls, http1, http2, orders, traffic }
    }

    /// The same with other limits.
    pub(super) fn with(&self, limits: Limits) -> Self {
        let (tls, orders) = (self.tls.clone(), self.orders.clone());
        Self::of(Arc::clone(&self.handler), limits, tls, orders, Arc::clone(&self.traffic))
    }

    /// Whether connections are plain HTTP.
    pub(super) fn is_plain(&self) -> bool {
        self.tls.is_none()
    }

    /// Serves a connection until it ends, for whatever reason.
    pub(super) async fn serve(&self, stream: TcpStream, address: SocketAddr) {
        // Without it, the last packet of an answer would wait for the peer to acknowledge the one before.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::default());
        let io = WatchedIo::new(stream, Arc::clone(&activity), Arc::clone(&self.traffic), self.limits.linger_bytes_max);
        let ended = match &self.tls {
            None => self.serve_http1(io, Peer { address, tls: false }, &activity).await,
            // On the heap, so that a plain connection does not pay for the size of a handshake and of HTTP/2.
            Some(tls) => Box::pin(self.serve_tls(tls, io, address, &activity)).await,
        };
        tracing::debug!(%address, "connection {ended}");
    }

    async fn serve_tls(
        &self,
        tls: &Tls,
        io: WatchedIo<TcpStream>,
        address: SocketAddr,
        activity: &Arc<Activity>,
    ) -> Ended {
        let mut orders = self.orders.clone();
        let handshake = tokio::select! {
            handshake = timeout(self.limits.tls_handshake_timeout, tls.acceptor().accept(io)) => handshake,
            // Nothing was asked yet, but is about to be.
            () = supervise::last_request(&mut orders) => return Ended::Aborted,
        };
        let stream = match handshake {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Ended::NoHandshake(error),
            Err(_) => return Ended::TimedOut(Phase::Handshake),
        };
        let peer = Peer { address, tls: true };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.serve_http2(stream, peer, activity).await
        } else {
            self.serve_http1(stream, peer, activity).await
        }
    }

    async fn serve_http1<S>(&self, stream: S, peer: Peer, activity: &Arc<Activity>) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let service = service_fn(|request| dispatch::answer(&*self.handler, peer, activity, &self.limits, request));
        let connection = self.http1.serve_connection(TokioIo::new(stream), service);
        supervise::run(connection, activity, Protocol::Http1, &self.limits, self.orders.clone()).await
    }

    async fn serve_http2<S>(&self, stream: S, peer: Peer, activity: &Arc<Activity>) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let service = service_fn(|request| dispatch::answer(&*self.handler, peer, activity, &self.limits, request));
        let connection = self.http2.serve_connection(TokioIo::new(stream), service);
        supervise::run(connection, activity, Protocol::Http2, &self.limits, self.orders.clone()).await
    }
}
