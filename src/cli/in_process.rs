//! A stopped server's directory, served inside of this process for the time of one command: so that a command speaks to
//! a directory as it does to a server, by the same code and under the same rules.
//!
//! It listens on a free port of the loopback address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::Failure;
use crate::client::Url;
use crate::http::app::{App, AppConfig, AppSettings};
use crate::http::{Server, ServerConfig, Workers};
use crate::model::{ApiTokenId, Scope, UserName};
use crate::service::{Clock, Registry, RegistryConfig};

/// What a token is called that a command makes for itself.
const TOKEN_NAME: &str = "command line, while it runs";
/// How long such a token holds at most, in seconds: one that was left behind by a crash soon opens nothing.
const TOKEN_S: i64 = 24 * 3600;

/// Does `work` with the address of a server on the directory, and with the directory's registry.
///
/// # Errors
/// The work's own, and if the directory is not there, is not one of a server, or is in use.
pub fn with_directory<T, W>(data: &Path, work: impl FnOnce(Url, Arc<Registry>) -> W) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Failure>>,
{
    with_registry(data, |registry| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::of)?;
        runtime.block_on(serve(&registry, work))
    })
}

/// Refuses what is no directory of a server, rather than to make one of it.
///
/// # Errors
/// Just that.
pub fn require_directory(data: &Path) -> Result<(), Failure> {
    if data.join("packhouse.redb").exists() {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{}: this is no directory of a server, and nothing was made there; say where it is with --data",
        data.display()
    )))
}

/// Does `work` with the registry of a directory.
///
/// # Errors
/// As [`with_directory`].
pub fn with_registry<T>(data: &Path, work: impl FnOnce(Arc<Registry>) -> Result<T, Failure>) -> Result<T, Failure> {
    require_directory(data)?;
    let registry = Registry::open(data, RegistryConfig::default(), Clock::System)
        .map_err(|error| Failure::Failed(format!("{error}\nA running server is reached with --url ADDRESS.")))?;
    let registry = Arc::new(registry);
    let done = work(Arc::clone(&registry));
    // What was accepted is on disk before the command tells of it.
    registry.close();
    done
}

async fn serve<T, W>(registry: &Arc<Registry>, work: impl FnOnce(Url, Arc<Registry>) -> W) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Failure>>,
{
    let settings = AppSettings { file_bytes_max: RegistryConfig::default().file_bytes_max, ..AppSettings::default() };
    let app = Arc::new(App::new(Arc::clone(registry), AppConfig::default(), settings));
    let config = ServerConfig {
        tls: None,
        bounds: watch::Sender::default().subscribe(),
        workers: Arc::new(Workers::start().map_err(Failure::of)?),
        traffic: Arc::default(),
    };
    let server = Server::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), config);
    let server = server.await.map_err(|error| Failure::Failed(format!("cannot listen on this machine: {error}")))?;
    let address = server.local_address().map_err(Failure::of)?;
    let url = Url::parse_base(&format!("http://{address}/")).map_err(Failure::of)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let handler = move |request, peer| app.answer(request, peer);
    let shutdown = async move {
        // Dropping the other end stops it as well.
        let _ = stopped.await;
    };
    let serving = tokio::spawn(server.run(handler, shutdown));
    let done = work(url, Arc::clone(registry)).await;
    drop(stop);
    serving.await.map_err(Failure::of)?;
    done
}

/// A token with which the command may do everything that `user` may, and its id, to be deleted with it.
///
/// # Errors
/// If there is no such user.
pub async fn borrow_token(registry: &Registry, user: &UserName) -> Result<(String, ApiTokenId), Failure> {
    let name = TOKEN_NAME.parse().map_err(Failure::of)?;
    let expires = Clock::System.now().plus_seconds(TOKEN_S);
    let made = registry.add_token_for(user, name, vec![Scope::Admin], Some(expires)).await;
    let made = made.map_err(|error| {
        Failure::Failed(format!("{error}; `packhouse user add {user}` makes an account, and so the namespace"))
    })?;
    let secret = made.secret.clone().ok_or_else(|| Failure::Failed("a token was made without a secret".to_owned()))?;
    Ok((secret, made.id()))
}
