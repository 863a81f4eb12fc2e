//! One connection to an origin: found, opened, secured, and spoken HTTP/1.1 on, each step with its own timeout.

use std::io;
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::Failure;
use super::limits::Limits;
use super::proxy::Proxy;
use super::upload::Outgoing;
use super::url::Origin;

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 4;

/// Header fields in one answer.
const FIELDS_MAX: usize = 100;

/// How long a kept connection may take to say that it is ready for its next request; it normally is.
const READY_TIMEOUT: Duration = Duration::from_millis(250);

/// An open connection. Dropping it closes it at once, whatever it was doing.
pub(crate) struct Connection {
    sender: SendRequest<Outgoing>,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Opens a connection to `origin`, over TLS if there is a connector, and by a proxy if there is one.
    pub(crate) async fn open(
        origin: &Origin,
        tls: Option<&TlsConnector>,
        proxy: Option<&Proxy>,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let after = limits.connect_timeout;
        let mut stream = match proxy {
            None => connect(origin, after).await?,
            Some(proxy) => connect(&proxy.origin, after).await.map_err(|failure| match failure {
                Failure::Resolve(error) | Failure::Connect(error) => proxy.failed(error.kind(), &error),
                other => other,
            })?,
        };
        match tls {
            None => Self::start(stream, limits).await,
            Some(connector) => {
                if let Some(proxy) = proxy {
                    let late = |_| Failure::Timeout { waiting_for: "the proxy's tunnel", after };
                    timeout(after, proxy.tunnel(&mut stream, origin)).await.map_err(late)??;
                }
                let name = ServerName::try_from(origin.host.clone()).map_err(|e| Failure::Tls(io::Error::other(e)))?;
                let after = limits.handshake_timeout;
                let stream = timeout(after, connector.connect(name, stream))
                    .await
                    .map_err(|_| Failure::Timeout { waiting_for: "the TLS handshake", after })?
                    .map_err(Failure::Tls)?;
                Self::start(stream, limits).await
            }
        }
    }

    async fn start<S>(stream: S, limits: &Limits) -> Result<Self, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.max_headers(FIELDS_MAX).max_buf_size(limits.head_bytes_max);
        // Sends nothing yet, so there is nothing to wait for.
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|source| Failure::Broken { source, unsent: true })?;
        // Its error reaches the request under way; after that nobody needs it.
        let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Self { sender, driver })
    }

    /// Whether the connection, after its last exchange, can take another request.
    pub(crate) async fn is_usable(&mut self) -> bool {
        !self.sender.is_closed() && matches!(timeout(READY_TIMEOUT, self.sender.ready()).await, Ok(Ok(())))
    }

    /// Sends a request and waits for the head of its answer; how long to wait is the caller's to decide.
    pub(crate) async fn send(
        &mut self,
        request: http::Request<Outgoing>,
    ) -> Result<http::Response<hyper::body::Incoming>, Failure> {
        self.sender.try_send_request(request).await.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            let source = error.into_error();
            // Only the request's own body is the "user" of hyper here.
            if source.is_user() { Failure::Input(body_error(&source)) } else { Failure::Broken { source, unsent } }
        })
    }
}

/// What reading the request's body failed of.
fn body_error(error: &hyper::Error) -> io::Error {
    let cause = std::error::Error::source(error);
    match cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
        Some(cause) => io::Error::new(cause.kind(), cause.to_string()),
        None => io::Error::other(error.to_string()),
    }
}

async fn connect(origin: &Origin, after: Duration) -> Result<TcpStream, Failure> {
    let lookup = timeout(after, tokio::net::lookup_host((origin.host.as_str(), origin.port)));
    let addresses = lookup
        .await
        .map_err(|_| Failure::Timeout { waiting_for: "the host's address", after })?
        .map_err(Failure::Resolve)?;
    let mut last = Failure::Resolve(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
    for address in addresses.take(ADDRESSES_MAX) {
        match timeout(after, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Small requests must not wait for each other's acknowledgement; failing that, they are only slower.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = Failure::Connect(error),
            Err(_) => last = Failure::Timeout { waiting_for: "a connection", after },
        }
    }
    Err(last)
}
