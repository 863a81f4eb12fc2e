//! [`Config`]: the flags of `serve` as a configuration that fits together.
//!
//! Pure but for what files there are: that values have the right form is the flags' matter, that a certificate can be
//! used is found out when it is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::filter::Targets;

use crate::cli::Failure;
use crate::cli::args::ServeArgs;
use crate::cli::listening::LISTEN_DEFAULT;
use crate::cli::log::{self, LogChoice};
use crate::cli::prepass::Origins;
use crate::http::Limits;
use crate::http::forwarded::{Network, TrustedProxies};
use crate::http::tls::TlsFiles;
use crate::service::{RegistryConfig, STATISTICS_DAYS_MAX, ScheduledBackups, is_inside};

/// What the head of a request may be limited to: browsers need some room, and it is memory for each connection.
const HEADER_BYTES: std::ops::RangeInclusive<usize> = 8 * 1024..=256 * 1024;

/// How often the server backs itself up, if it does.
const BACKUP_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// More often is no use.
const BACKUP_EVERY_MIN: Duration = Duration::from_secs(1);
/// How many of those backups are kept.
const BACKUP_KEEP: usize = 7;

/// A configuration that fits together.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) data: PathBuf,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) tls: Option<TlsFiles>,
    pub(super) public_url: Option<String>,
    /// The proxies as they were written, and as they are trusted.
    pub(super) proxies: Vec<String>,
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) limits: Limits,
    pub(super) registry: RegistryConfig,
    /// What is logged as it was written, and as it is filtered.
    pub(super) log: String,
    pub(super) log_filter: Targets,
    pub(super) log_format: LogChoice,
    /// Where each of its values comes from.
    pub(super) origins: Origins,
}

impl Config {
    /// What the flags come to.
    ///
    /// # Errors
    /// Wrong usage, in the words of those who set the values.
    pub(super) fn check(args: &ServeArgs, origins: &Origins) -> Result<Self, Failure> {
        Self::of(args, origins).map_err(|wrong| Failure::Usage(origins.reword(&wrong)))
    }

    fn of(args: &ServeArgs, origins: &Origins) -> Result<Self, String> {
        let tls = match (&args.tls_cert, &args.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert: cert.clone(), key: key.clone() }),
            (None, None) => None,
            _ => return Err("--tls-cert and --tls-key belong together: give both, or none for plain HTTP".to_owned()),
        };
        let networks = args
            .trusted_proxy
            .iter()
            .map(|text| Network::from_str(text).map_err(|error| format!("--trusted-proxy: {error}")));
        let public_url = args.public_url.as_deref().map(check_public_url).transpose()?;
        let trusted_proxies = TrustedProxies::new(networks.collect::<Result<_, String>>()?);
        Ok(Self {
            data: args.data.clone(),
            listen: if args.listen.is_empty() { vec![LISTEN_DEFAULT] } else { args.listen.clone() },
            tls,
            public_url,
            proxies: args.trusted_proxy.clone(),
            trusted_proxies,
            limits: check_limits(args)?,
            registry: check_registry(args)?,
            log: args.log.clone(),
            log_filter: log::parse_filter(&args.log)?,
            log_format: args.log_format,
            origins: origins.clone(),
        })
    }
}

fn count(flag: &str, value: usize) -> Result<u32, String> {
    let value = u32::try_from(value).ok().filter(|value| *value > 0);
    value.ok_or_else(|| format!("{flag} is a number from 1 on"))
}

fn check_limits(args: &ServeArgs) -> Result<Limits, String> {
    let mut limits = Limits::DEFAULT;
    if let Some(value) = args.max_connections {
        limits.connections_max = count("--max-connections", value)?;
        limits.connections_per_address_max = limits.connections_per_address_max.min(limits.connections_max);
    }
    if let Some(value) = args.max_connections_per_address {
        limits.connections_per_address_max = count("--max-connections-per-address", value)?;
    }
    if let Some(size) = args.max_header_size {
        let fits = usize::try_from(size.0).ok().filter(|bytes| HEADER_BYTES.contains(bytes));
        limits.header_bytes_max = fits.ok_or("--max-header-size is from 8KiB to 256KiB")?;
    }
    limits.header_timeout = args.header_timeout.map_or(limits.header_timeout, |span| span.0);
    limits.idle_timeout = args.idle_timeout.map_or(limits.idle_timeout, |span| span.0);
    limits.body_window = args.body_timeout.map_or(limits.body_window, |span| span.0);
    limits.shutdown_timeout = args.shutdown_timeout.map_or(limits.shutdown_timeout, |span| span.0);
    Ok(limits)
}

fn check_registry(args: &ServeArgs) -> Result<RegistryConfig, String> {
    let mut registry = RegistryConfig::default();
    registry.file_bytes_max = args.max_file_size.map_or(registry.file_bytes_max, |size| size.0);
    registry.upload_expiry = args.upload_expiry.map_or(registry.upload_expiry, |span| span.0);
    registry.release_open = args.release_open.map_or(registry.release_open, |span| span.0);
    if let Some(days) = args.statistics_days {
        if !(1..=STATISTICS_DAYS_MAX).contains(&days) {
            return Err(format!("--statistics-days is a number from 1 to {STATISTICS_DAYS_MAX}"));
        }
        registry.statistics_days = days;
    }
    registry.quota_bytes = args.user_quota.map(|size| size.0);
    if let Some(value) = args.max_audit_entries {
        registry.audit_entries_max = count("--max-audit-entries", value)?.into();
    }
    registry.backups = check_backups(args)?;
    Ok(registry)
}

/// The backups that the server is to make by itself.
fn check_backups(args: &ServeArgs) -> Result<Option<ScheduledBackups>, String> {
    let Some(dir) = args.backup_to.clone() else {
        let alone = match (args.backup_every, args.backup_keep) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => "--backup-every and --backup-keep need",
            (Some(_), None) => "--backup-every needs",
            (None, Some(_)) => "--backup-keep needs",
        };
        return Err(format!("{alone} --backup-to DIR"));
    };
    if is_inside(&dir, &args.data) {
        return Err("--backup-to is outside of --data: what takes the data takes a backup in it along".to_owned());
    }
    let every = args.backup_every.map_or(BACKUP_EVERY, |span| span.0);
    if every < BACKUP_EVERY_MIN {
        return Err("--backup-every is 1s or more, as in 24h".to_owned());
    }
    let keep = args.backup_keep.unwrap_or(BACKUP_KEEP);
    if keep == 0 {
        return Err("--backup-keep is a number from 1 on".to_owned());
    }
    Ok(Some(ScheduledBackups { dir, every, keep }))
}

fn check_public_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let host = rest.trim_end_matches('/');
    let well_formed = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    if !well_formed {
        return Err("--public-url is scheme and host, such as https://packages.example.org".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Command, parse};

    fn check(words: &[&str]) -> Result<Config, Failure> {
        let words: Vec<String> = std::iter::once("serve").chain(words.iter().copied()).map(str::to_owned).collect();
        let (args, origins) = parse(&words, &|_| None).unwrap();
        let Command::Serve(args) = args.command else { panic!("another command") };
        Config::check(&args, &origins)
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
            &["--log", "loud"],
        ] {
            assert!(matches!(check(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }
}
