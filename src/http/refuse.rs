//! The answer to a connection that is one too many from its address.
//!
//! Written without reading the request, in bounded time, and only to a few at once: the others are just closed.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many refused connections may be read an answer at once.
const REFUSALS_MAX: usize = 64;

/// How long a refusal may take altogether.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// What is read of a request that is not answered: enough to keep a reset from overtaking the answer.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

const BODY: &str = r#"{"type":"/problems/too-many-connections","title":"Too many connections","status":429,"detail":"this address has as many connections as it may have; close some, or use one for several requests"}"#;

/// Says no.
#[derive(Clone)]
pub(super) struct Refuser {
    places: Arc<Semaphore>,
    response: Arc<str>,
}

impl Refuser {
    pub(super) fn new() -> Self {
        let response = format!(
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\
             Retry-After: 5\r\nConnection: close\r\n\r\n{BODY}",
            BODY.len()
        );
        Self { places: Arc::new(Semaphore::new(REFUSALS_MAX)), response: response.into() }
    }

    /// Answers in the background, or closes at once if too many are being answered.
    pub(super) fn refuse(&self, stream: TcpStream) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let response = Arc::clone(&self.response);
        tokio::spawn(async move {
            // Whoever does not take the answer in time goes without.
            let _ = timeout(REFUSAL_TIMEOUT, say(stream, &response)).await;
            drop(place);
        });
    }
}

async fn say(mut stream: TcpStream, response: &str) -> std::io::Result<()> {
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(REQUEST_BYTES_MAX), &mut tokio::io::sink()).await?;
    Ok(())
}
