//! `packhouse serve`: the server from its first line to its clean end.
//!
//! `config` checks the flags, `settings` tells what they come to, and `reload` exchanges them while it runs.

mod config;
mod reload;
mod settings;

use std::io::{IsTerminal as _, Write};
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use argh::ArgsInfo as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use self::config::Config;
use self::reload::{Changeable, Parse};
use super::Failure;
use super::args::{Args, ServeArgs};
use super::listening::reachable_from_elsewhere;
use super::log::Log;
use super::prepass::{self, Origins};
use super::supervisor::{self, Supervisor};
use super::units::human_bytes;
use crate::http::access_log::AccessLog;
use crate::http::app::{App, AppConfig};
use crate::http::front::Front;
use crate::http::server::Stopped;
use crate::http::tls::Tls;
use crate::http::{Server, ServerConfig, Workers};
use crate::service::{Background, Clock, DataDirectory, Registry};
use crate::store::media::remove_unused;

/// How often the supervisor is told how far the opening is.
const OPENING_TOLD_EVERY: Duration = Duration::from_secs(1);
/// How often it is told how the server is.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// Prints the configuration as it holds.
///
/// # Errors
/// Wrong usage.
pub fn print_config(args: &ServeArgs, origins: &Origins) -> Result<(), Failure> {
    let config = Config::check(args, origins)?;
    let mut out = std::io::stdout().lock();
    out.write_all(settings::file(&config).as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| of_standard_output(&error))
}

/// Runs the server until it is told to stop. It listens from the start and answers how far it is; its line on standard
/// output says that it is ready. `parse` reads all flags again, for a reload.
///
/// # Errors
/// Wrong usage, or why it could not start.
pub fn run(args: &ServeArgs, origins: &Origins, parse: Parse<'_>) -> Result<(), Failure> {
    // Nobody else has opened or closed a descriptor yet.
    let sockets = supervisor::sockets()?;
    let supervisor = Supervisor::from_environment();
    let config = Config::check(args, origins)?;
    let format = config.log_format.format();
    let log = Log::start(config.log_filter.clone(), format);
    let access_log = Arc::new(AccessLog::start(std::io::stderr(), format).map_err(Failure::of)?);
    access_log.enable(Log::wants_requests());
    warn_of_unknown_variables();
    // A certificate that cannot be used is told before anything is opened.
    let tls = config.tls.clone().map(Tls::load).transpose().map_err(Failure::of)?.map(Arc::new);
    raise_descriptor_limit(config.limits.connections_max);
    // Who holds the directory is told before anything else that two servers have in common.
    let (data, was_there) = (config.data.clone(), config.data.exists());
    let directory = DataDirectory::hold(&config.data).map_err(Failure::of)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::of)?;
    let app = AppConfig { access_log: Arc::clone(&access_log), tls: tls.is_some(), ..AppConfig::default() };
    let changeable = Changeable::new(config, log, tls, app);
    let served = runtime.block_on(serve(&changeable, directory, sockets, &supervisor, parse));
    access_log.close();
    if served.is_err() && !was_there {
        // A wrong flag leaves no trace.
        remove_unused(&data);
    }
    served
}

/// Warns of variables that look like settings and are none.
fn warn_of_unknown_variables() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (name, meant) in prepass::unknown_variables(names, &Args::get_args_info()) {
        match meant {
            Some(meant) => tracing::warn!(%name, %meant, "the environment sets a variable that no command reads"),
            None => tracing::warn!(%name, "the environment sets a variable that no command reads"),
        }
    }
}

/// Takes as many file descriptors as the system lets us: each connection needs one, and shells start programs with few.
fn raise_descriptor_limit(connections_max: u32) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let have = if raised.is_ok() { limit.maximum } else { limit.current };
    if have.is_some_and(|have| have < u64::from(connections_max) + 64) {
        tracing::warn!(have, connections_max, "fewer file descriptors than connections may be open; raise LimitNOFILE");
    }
}

async fn serve(
    changeable: &Changeable,
    directory: DataDirectory,
    sockets: Vec<TcpListener>,
    supervisor: &Supervisor,
    parse: Parse<'_>,
) -> Result<(), Failure> {
    // Told before it can read its configuration again, it does so when it is ready.
    let hangup = signal(SignalKind::hangup()).map_err(Failure::of)?;
    let front = Arc::new(Front::default());
    let (stop, stopped) = watch::channel(false);
    let workers = Arc::new(Workers::start().map_err(Failure::of)?);
    let config = changeable.config().clone();
    // Whoever hands sockets over holds them as well: who connects waits in them until everything can be answered, and
    // a restart is a pause, seen from outside.
    let waits = !sockets.is_empty();
    let listening = listen(&config, sockets, || ServerConfig {
        tls: changeable.tls.clone(),
        bounds: changeable.bounds.subscribe(),
        workers: Arc::clone(&workers),
        traffic: Arc::clone(&changeable.app.traffic),
    });
    let listening = listening.await?;
    let addresses = listening.iter().map(Server::local_address).collect::<Result<Vec<_>, _>>().map_err(Failure::of)?;
    if let Some(tls) = &changeable.tls {
        tokio::spawn(Arc::clone(tls).watch());
    }
    let mut servers = JoinSet::new();
    let mut start = |listening: Vec<Server>| {
        for server in listening {
            let (front, mut stopped) = (Arc::clone(&front), stopped.clone());
            let shutdown = async move {
                // The sender lives until the servers have ended.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            servers.spawn(server.run(move |request, peer| front.answer(request, peer), shutdown));
        }
    };
    let (now, later) = if waits { (Vec::new(), listening) } else { (listening, Vec::new()) };
    start(now);
    let opening = {
        let (config, front) = (config.registry.clone(), Arc::clone(&front));
        tokio::task::spawn_blocking(move || directory.open(config, Clock::System, front.progress()))
    };
    let opened = tell_while_opening(opening, &front, supervisor).await;
    let registry = Arc::new(opened.map_err(Failure::of)?.map_err(Failure::of)?);
    let app = Arc::new(App::new(Arc::clone(&registry), changeable.app.clone(), changeable.app_settings()));
    front.open(Arc::clone(&app));
    start(later);
    let running = Running { changeable, app: &app, registry: &registry, workers: &workers, supervisor, parse };
    let served = running.until_told(&addresses, stop, servers, hangup).await;
    // Everything accepted is on disk before the process ends, whatever ended it.
    registry.close();
    tracing::info!("stopped");
    served
}

/// Listens where the configuration says, or on the sockets that were handed over.
async fn listen(
    config: &Config,
    sockets: Vec<TcpListener>,
    server_config: impl Fn() -> ServerConfig,
) -> Result<Vec<Server>, Failure> {
    let mut servers = Vec::new();
    if sockets.is_empty() {
        for address in &config.listen {
            let server = Server::bind(*address, server_config()).await;
            servers.push(server.map_err(|error| Failure::Failed(format!("cannot listen on {address}: {error}")))?);
        }
    } else {
        tracing::info!(
            sockets = sockets.len(),
            "listening on the sockets that were handed over, not on those of --listen"
        );
        for socket in sockets {
            servers.push(Server::on(socket, server_config()).map_err(Failure::of)?);
        }
    }
    Ok(servers)
}

/// Waits for the registry to be open, and tells how far it is.
async fn tell_while_opening<T>(
    mut opening: JoinHandle<T>,
    front: &Front,
    supervisor: &Supervisor,
) -> Result<T, JoinError> {
    let mut ticks = tokio::time::interval(OPENING_TOLD_EVERY);
    loop {
        tokio::select! {
            opened = &mut opening => return opened,
            _ = ticks.tick() => match front.progress().packages() {
                (_, 0) => supervisor.starting("opening the data directory"),
                (loaded, packages) => supervisor.starting(&format!("loading the index: {loaded} of {packages} packages")),
            },
        }
    }
}

/// A server that serves.
struct Running<'a> {
    changeable: &'a Changeable,
    app: &'a App,
    registry: &'a Arc<Registry>,
    workers: &'a Workers,
    supervisor: &'a Supervisor,
    parse: Parse<'a>,
}

impl Running<'_> {
    /// Serves until the process is told to stop, and ends in good order.
    async fn until_told(
        &self,
        addresses: &[SocketAddr],
        stop: watch::Sender<bool>,
        mut servers: JoinSet<Stopped>,
        mut hangup: Signal,
    ) -> Result<(), Failure> {
        let background = Background::start(self.registry);
        // Whoever has read where the server listens may tell it to stop, so it is ready for that first.
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::of)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::of)?;
        let on_terminal = std::io::stderr().is_terminal();
        announce(&self.changeable.config(), self.registry, addresses)?;
        self.supervisor.ready(&self.status());
        let mut telling = pin!(self.tell());
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                // The signal is also that of a terminal which is gone: then nobody is left to stop the server.
                _ = hangup.recv() => if on_terminal && !std::io::stderr().is_terminal() { break } else { self.reload() },
                () = &mut telling => {}
            }
        }
        tracing::info!("stopping: running requests may finish");
        self.supervisor.stopping();
        self.registry.begin_stop();
        // Fails only if all servers have ended already.
        let _ = stop.send(true);
        while let Some(ended) = servers.join_next().await {
            let ended = ended.map_err(Failure::of)?;
            if ended.cut_connections > 0 {
                tracing::warn!(connections = ended.cut_connections, "requests that took too long were cut");
            }
        }
        background.stop().await;
        Ok(())
    }

    /// Takes over a configuration that was changed.
    fn reload(&self) {
        self.supervisor.reloading();
        self.changeable.reload(self.parse, self.app, self.registry);
        self.supervisor.ready(&self.status());
    }

    /// Tells the supervisor how the server is, for ever. It hears nothing while a thread that serves is stuck.
    async fn tell(&self) {
        if !self.supervisor.is_there() {
            return std::future::pending().await;
        }
        let watchdog = self.supervisor.watchdog();
        let every = watchdog.map_or(STATUS_EVERY, |watchdog| (watchdog / 3).min(STATUS_EVERY));
        loop {
            tokio::time::sleep(every).await;
            if self.workers.respond(every).await {
                self.supervisor.alive();
            } else {
                tracing::error!("a thread that serves connections does not respond");
            }
            self.supervisor.status(&self.status());
        }
    }

    /// The server in a line.
    fn status(&self) -> String {
        let traffic = &self.changeable.app.traffic;
        format!(
            "{} public packages, {} connections; sent {}, received {}{}",
            self.registry.status().packages,
            traffic.connections(),
            human_bytes(traffic.sent_bytes()),
            human_bytes(traffic.received_bytes()),
            if self.changeable.is_wrong() {
                "; the configuration is wrong and was not read again: see the log"
            } else {
                ""
            }
        )
    }
}

/// The lines by which people and programs find the server.
fn announce(config: &Config, registry: &Registry, addresses: &[SocketAddr]) -> Result<(), Failure> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let mut lines = String::new();
    for address in addresses {
        lines.push_str(&format!("listening on {scheme}://{address}\n"));
    }
    if let (Some(token), Some(address)) = (registry.setup_token().map_err(Failure::of)?, addresses.first()) {
        let own = format!("{scheme}://{}", reachable_from_elsewhere(*address));
        let origin = config.public_url.as_ref().unwrap_or(&own);
        lines.push_str(&format!("setup at {origin}/setup?token={token}\n"));
        if address.ip().is_loopback() && config.public_url.is_none() && std::env::var_os("SSH_CONNECTION").is_some() {
            let port = address.port();
            tracing::info!(
                "only this machine reaches {address}: to open the link on another one, run there `ssh -L \
                 {port}:127.0.0.1:{port} THIS-MACHINE` first"
            );
        }
    }
    let mut out = std::io::stdout().lock();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).map_err(|error| of_standard_output(&error))
}

fn of_standard_output(error: &std::io::Error) -> Failure {
    Failure::Failed(format!("standard output: {error}"))
}
