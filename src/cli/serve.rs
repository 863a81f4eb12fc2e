//! `packhouse serve`: flags into a checked configuration, then the server from its first line to its clean end.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::args::ServeArgs;
use super::log::{self, Log, LogChoice};
use super::supervisor::{self, Supervisor};
use super::units::human_bytes;
use super::{Failure, settings};
use crate::http::access_log::AccessLog;
use crate::http::app::{App, AppConfig};
use crate::http::forwarded::{Network, TrustedProxies};
use crate::http::front::Front;
use crate::http::server::Stopped;
use crate::http::tls::{Tls, TlsFiles};
use crate::http::{Limits, Server, ServerConfig, Workers};
use crate::service::{
    Background, Clock, DataDirectory, Registry, RegistryConfig, STATISTICS_DAYS_MAX, ScheduledBackups, is_inside,
};

/// Where the server listens unless it is told otherwise: for this machine alone, until its operator decides.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// What the head of a request may be limited to: browsers need some room, and it is memory for each connection.
const HEADER_BYTES: std::ops::RangeInclusive<usize> = 8 * 1024..=256 * 1024;

/// How often the supervisor is told how far the opening is.
const OPENING_TOLD_EVERY: Duration = Duration::from_secs(1);
/// How often it is told how the server is.
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// How often the server backs itself up, if it does.
const BACKUP_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// More often is no use.
const BACKUP_EVERY_MIN: Duration = Duration::from_secs(1);
/// How many of those backups are kept.
const BACKUP_KEEP: usize = 7;

/// A configuration that fits together.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) data: PathBuf,
    pub(super) listen: Vec<SocketAddr>,
    tls: Option<TlsFiles>,
    pub(super) limits: Limits,
    pub(super) registry: RegistryConfig,
    app: AppConfig,
    pub(super) log: String,
    pub(super) log_format: LogChoice,
}

impl Config {
    pub(super) fn check(args: &ServeArgs) -> Result<Self, Failure> {
        let usage = |text: &str| Failure::Usage(text.to_owned());
        let tls = match (&args.tls_cert, &args.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert: cert.clone(), key: key.clone() }),
            (None, None) => None,
            _ => return Err(usage("--tls-cert and --tls-key belong together: give both, or none for plain HTTP")),
        };
        let mut limits = Limits::DEFAULT;
        let count = |flag: &str, value: usize| {
            u32::try_from(value)
                .ok()
                .filter(|value| *value > 0)
                .ok_or_else(|| usage(&format!("{flag} is a number from 1 on")))
        };
        if let Some(value) = args.max_connections {
            limits.connections_max = count("--max-connections", value)?;
            limits.connections_per_address_max = limits.connections_per_address_max.min(limits.connections_max);
        }
        if let Some(value) = args.max_connections_per_address {
            limits.connections_per_address_max = count("--max-connections-per-address", value)?;
        }
        if let Some(size) = args.max_header_size {
            let fits = usize::try_from(size.0).ok().filter(|bytes| HEADER_BYTES.contains(bytes));
            limits.header_bytes_max = fits.ok_or_else(|| usage("--max-header-size is from 8KiB to 256KiB"))?;
        }
        limits.header_timeout = args.header_timeout.map_or(limits.header_timeout, |span| span.0);
        limits.idle_timeout = args.idle_timeout.map_or(limits.idle_timeout, |span| span.0);
        limits.body_window = args.body_timeout.map_or(limits.body_window, |span| span.0);
        limits.shutdown_timeout = args.shutdown_timeout.map_or(limits.shutdown_timeout, |span| span.0);
        let mut registry = RegistryConfig::default();
        registry.file_bytes_max = args.max_file_size.map_or(registry.file_bytes_max, |size| size.0);
        registry.upload_expiry = args.upload_expiry.map_or(registry.upload_expiry, |span| span.0);
        if let Some(days) = args.statistics_days {
            if !(1..=STATISTICS_DAYS_MAX).contains(&days) {
                return Err(usage(&format!("--statistics-days is a number from 1 to {STATISTICS_DAYS_MAX}")));
            }
            registry.statistics_days = days;
        }
        registry.quota_bytes = args.user_quota.map(|size| size.0);
        if let Some(value) = args.max_audit_entries {
            registry.audit_entries_max = count("--max-audit-entries", value)?.into();
        }
        registry.backups = check_backups(args)?;
        let networks =
            args.trusted_proxy.iter().map(|text| Network::from_str(text).map_err(|error| usage(&error.to_string())));
        let app = AppConfig {
            public_url: args.public_url.as_deref().map(check_public_url).transpose()?,
            trusted_proxies: TrustedProxies::new(networks.collect::<Result<_, Failure>>()?),
            file_bytes_max: registry.file_bytes_max,
            tls: tls.is_some(),
            ..AppConfig::default()
        };
        let listen = if args.listen.is_empty() { vec![LISTEN_DEFAULT] } else { args.listen.clone() };
        Ok(Self {
            data: args.data.clone(),
            listen,
            tls,
            limits,
            registry,
            app,
            log: args.log.clone(),
            log_format: args.log_format,
        })
    }
}

/// The backups that the server is to make by itself.
fn check_backups(args: &ServeArgs) -> Result<Option<ScheduledBackups>, Failure> {
    let usage = |text: &str| Failure::Usage(text.to_owned());
    let Some(dir) = args.backup_to.clone() else {
        let alone = args.backup_every.is_some() || args.backup_keep.is_some();
        return if alone { Err(usage("--backup-every and --backup-keep need --backup-to DIR")) } else { Ok(None) };
    };
    if is_inside(&dir, &args.data) {
        return Err(usage("--backup-to is outside of --data: what takes the data takes a backup in it along"));
    }
    let every = args.backup_every.map_or(BACKUP_EVERY, |span| span.0);
    if every < BACKUP_EVERY_MIN {
        return Err(usage("--backup-every is 1s or more, as in 24h"));
    }
    let keep = args.backup_keep.unwrap_or(BACKUP_KEEP);
    if keep == 0 {
        return Err(usage("--backup-keep is a number from 1 on"));
    }
    Ok(Some(ScheduledBackups { dir, every, keep }))
}

fn check_public_url(text: &str) -> Result<String, Failure> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let host = rest.trim_end_matches('/');
    let well_formed = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    if !well_formed {
        return Err(Failure::Usage("--public-url is scheme and host, such as https://packages.example.org".to_owned()));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Runs the server until it is told to stop. It listens from the start and answers how far it is; its line on standard
/// output says that it is ready. `source` says of a flag where its value comes from.
///
/// # Errors
/// Wrong usage, or why it could not start.
pub fn run(args: &ServeArgs, source: &dyn Fn(&str) -> &'static str) -> Result<(), Failure> {
    // Nobody else has opened or closed a descriptor yet.
    let sockets = supervisor::sockets()?;
    let supervisor = Supervisor::from_environment();
    let mut config = Config::check(args)?;
    config.app.settings = settings::list(args, &config, source);
    let format = config.log_format.format();
    let _log = Log::start(log::parse_filter(&config.log)?, format);
    if Log::wants_requests() {
        config.app.access_log = Arc::new(AccessLog::start(std::io::stderr(), format).map_err(Failure::of)?);
    }
    // A certificate that cannot be used is told before anything is opened.
    config.tls.as_ref().map(|files| Tls::load(files.clone())).transpose().map_err(Failure::of)?;
    raise_descriptor_limit(config.limits.connections_max);
    // Who holds the directory is told before anything else that two servers have in common.
    let directory = DataDirectory::hold(&config.data).map_err(Failure::of)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::of)?;
    let served = runtime.block_on(serve(&config, directory, sockets, &supervisor));
    config.app.access_log.close();
    served
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
    config: &Config,
    directory: DataDirectory,
    sockets: Vec<TcpListener>,
    supervisor: &Supervisor,
) -> Result<(), Failure> {
    let front = Arc::new(Front::default());
    let (stop, stopped) = watch::channel(false);
    let workers = Arc::new(Workers::start().map_err(Failure::of)?);
    // Whoever hands sockets over holds them as well: who connects waits in them until everything can be answered, and
    // a restart is a pause, seen from outside.
    let waits = !sockets.is_empty();
    let listening = listen(config, sockets, &workers).await?;
    let addresses = listening.iter().map(Server::local_address).collect::<Result<Vec<_>, _>>().map_err(Failure::of)?;
    let mut servers = JoinSet::new();
    let mut start = |listening: Vec<Server>| {
        for server in listening {
            let (front, mut stopped) = (Arc::clone(&front), stopped.clone());
            let shutdown = async move {
                // The sender lives until the servers have ended.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            servers.spawn(server.run(move |request, peer| Arc::clone(&front).answer(request, peer), shutdown));
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
    front.open(Arc::new(App::new(Arc::clone(&registry), config.app.clone())));
    start(later);
    let running = Running { config, registry: &registry, workers: &workers, supervisor };
    let served = running.until_told(&addresses, stop, servers).await;
    // Everything accepted is on disk before the process ends, whatever ended it.
    registry.close();
    tracing::info!("stopped");
    served
}

/// Listens where the configuration says, or on the sockets that were handed over.
async fn listen(config: &Config, sockets: Vec<TcpListener>, workers: &Arc<Workers>) -> Result<Vec<Server>, Failure> {
    let server_config = || {
        Ok(ServerConfig {
            tls: config.tls.as_ref().map(|files| Tls::load(files.clone())).transpose().map_err(Failure::of)?,
            limits: config.limits,
            trusted_proxies: config.app.trusted_proxies.clone(),
            workers: Arc::clone(workers),
            traffic: Arc::clone(&config.app.traffic),
        })
    };
    let mut servers = Vec::new();
    if sockets.is_empty() {
        for address in &config.listen {
            let server = Server::bind(*address, server_config()?).await;
            servers.push(server.map_err(|error| Failure::Failed(format!("cannot listen on {address}: {error}")))?);
        }
    } else {
        tracing::info!(
            sockets = sockets.len(),
            "listening on the sockets that were handed over, not on those of --listen"
        );
        for socket in sockets {
            servers.push(Server::on(socket, server_config()?).map_err(Failure::of)?);
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
    config: &'a Config,
    registry: &'a Arc<Registry>,
    workers: &'a Workers,
    supervisor: &'a Supervisor,
}

impl Running<'_> {
    /// Serves until the process is told to stop, and ends in good order.
    async fn until_told(
        &self,
        addresses: &[SocketAddr],
        stop: watch::Sender<bool>,
        mut servers: JoinSet<Stopped>,
    ) -> Result<(), Failure> {
        let background = Background::start(self.registry);
        // Whoever has read where the server listens may tell it to stop, so it is ready for that first.
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::of)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::of)?;
        announce(self.config, self.registry, addresses)?;
        self.supervisor.ready(&self.status());
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = self.tell() => {}
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
        let traffic = &self.config.app.traffic;
        format!(
            "{} public packages, {} connections; sent {}, received {}",
            self.registry.status().packages,
            traffic.connections(),
            human_bytes(traffic.sent_bytes()),
            human_bytes(traffic.received_bytes())
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
        let own = format!("{scheme}://{}", reachable(*address));
        let origin = config.app.public_url.as_ref().unwrap_or(&own);
        lines.push_str(&format!("setup at {origin}/setup?token={token}\n"));
    }
    let mut out = std::io::stdout().lock();
    out.write_all(lines.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Failed(format!("standard output: {error}")))
}

/// An address to which a browser on this machine can go: a server that listens everywhere listens here too.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Command, parse};

    fn check(words: &[&str]) -> Result<Config, Failure> {
        let words: Vec<String> = std::iter::once("serve").chain(words.iter().copied()).map(str::to_owned).collect();
        let Command::Serve(args) = parse(&words, &|_| None).unwrap().command else { panic!("another command") };
        Config::check(&args)
    }

    #[test]
    fn flags_must_fit_each_other() {
        assert_eq!(check(&[]).unwrap().listen, [LISTEN_DEFAULT]);
        let config = check(&["--listen", "[::1]:0", "--max-file-size", "1MiB", "--header-timeout", "2s"]).unwrap();
        assert_eq!((config.registry.file_bytes_max, config.limits.header_timeout.as_secs()), (1 << 20, 2));
        for wrong in [
            &["--tls-cert", "a.pem"][..],
            &["--max-connections", "0"],
            &["--backup-keep", "3"],
            &["--backup-to", "packhouse-data/backups"],
            &["--backup-to", "backups", "--backup-keep", "0"],
            &["--max-header-size", "1KiB"],
            &["--trusted-proxy", "not a network"],
            &["--public-url", "packages.example.org"],
            &["--public-url", "https://a/b"],
        ] {
            assert!(matches!(check(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }
}
