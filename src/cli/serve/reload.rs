//! [`Changeable`]: the configuration that counts, and all that follows from it while the server runs.
//!
//! A reload takes over a configuration as a whole or not at all: all that can be wrong is found out before the first
//! change. What counts with the next start only keeps the value that it has, and is told by name.

use std::cell::{Cell, Ref, RefCell};
use std::sync::Arc;

use tokio::sync::watch;

use super::config::Config;
use super::settings::{self, ROWS};
use crate::cli::Failure;
use crate::cli::args::{Args, Command, Early};
use crate::cli::log::Log;
use crate::cli::prepass::Origins;
use crate::http::Bounds;
use crate::http::app::{App, AppConfig, AppSettings};
use crate::http::tls::{Tls, TlsPair};
use crate::service::{Clock, Registry, Setting, Settings, is_inside};

/// Reads the command line, the environment and the file.
pub(super) type Parse<'a> = &'a dyn Fn() -> Result<(Args, Origins), Early>;

/// What a reload changes.
pub(super) struct Changeable {
    config: RefCell<Config>,
    settings: RefCell<Settings>,
    log: Log,
    is_wrong: Cell<bool>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) app: AppConfig,
    /// What the servers keep to.
    pub(super) bounds: watch::Sender<Bounds>,
}

impl Changeable {
    pub(super) fn new(config: Config, log: Log, tls: Option<Arc<Tls>>, app: AppConfig) -> Self {
        let items = settings::list(&config);
        let settings = Settings { version: env!("CARGO_PKG_VERSION"), started: Clock::System.now(), items };
        let bounds = watch::Sender::new(bounds(&config));
        Self { config: config.into(), settings: settings.into(), log, is_wrong: Cell::new(false), tls, app, bounds }
    }

    /// What counts at the moment. Not to be held across a reload.
    pub(super) fn config(&self) -> Ref<'_, Config> {
        self.config.borrow()
    }

    /// Whether the last reload found a configuration that is wrong.
    pub(super) fn is_wrong(&self) -> bool {
        self.is_wrong.get()
    }

    pub(super) fn app_settings(&self) -> AppSettings {
        let config = self.config.borrow();
        AppSettings {
            public_url: config.public_url.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            file_bytes_max: config.registry.file_bytes_max,
            all: self.settings.borrow().clone(),
        }
    }

    /// Takes over the configuration that there is now, and tells in the log what came of it.
    pub(super) fn reload(&self, parse: Parse<'_>, app: &App, registry: &Registry) {
        let read = self.read(parse);
        self.is_wrong.set(read.is_err());
        let (new, certificate) = match read {
            Ok(read) => read,
            Err(problem) => {
                tracing::error!(
                    problem,
                    "the configuration is wrong and was not read again; the one before still counts"
                );
                return;
            }
        };
        let old = self.config.replace(new);
        let (mut now, mut later) = (Vec::new(), Vec::new());
        let items: Vec<Setting> = {
            let mut new = self.config.borrow_mut();
            let before = self.settings.borrow();
            let items = ROWS.iter().zip(&before.items).map(|(row, item)| {
                if !row.differs(&old, &new) {
                    return row.setting(&new);
                }
                let waits = row.waits_for_start(&old, &new);
                if waits { &mut later } else { &mut now }.push(row.name);
                if waits { item.clone() } else { row.setting(&new) }
            });
            let items = items.collect();
            (new.data, new.listen, new.log_format) = (old.data, old.listen, old.log_format);
            if new.tls.is_some() != old.tls.is_some() {
                new.tls = old.tls;
            }
            items
        };
        self.settings.borrow_mut().items = items;
        if let (Some(tls), Some(pair)) = (&self.tls, certificate) {
            tls.set(pair);
        }
        let config = self.config.borrow();
        if now.contains(&"max-connections") {
            super::raise_descriptor_limit(config.limits.connections_max);
        }
        self.log.change(config.log_filter.clone());
        self.app.access_log.enable(Log::wants_requests());
        self.bounds.send_replace(bounds(&config));
        registry.reconfigure(config.registry.clone());
        app.set(self.app_settings());
        tracing::info!(changed = names(&now), "the configuration was read again");
        if !later.is_empty() {
            tracing::warn!(settings = names(&later), "these settings were changed too, and need a restart to count");
        }
    }

    /// All that can be wrong.
    fn read(&self, parse: Parse<'_>) -> Result<(Config, Option<TlsPair>), String> {
        let told = |failure| match failure {
            Failure::Usage(text) | Failure::Failed(text) => text,
            Failure::Told => String::new(),
        };
        let (args, origins) = parse().map_err(|early| match early {
            Early::Usage { problem: text, .. } | Early::Text(text) => text,
        })?;
        // The words are those that the process was started with.
        let Command::Serve(args) = args.command else { return Err("this is another command".to_owned()) };
        let config = Config::check(&args, &origins).map_err(told)?;
        if config.registry.backups.as_ref().is_some_and(|backups| is_inside(&backups.dir, &self.config().data)) {
            return Err(origins.reword("--backup-to is outside of --data, which stays where it is until a restart"));
        }
        let certificate = match (&self.tls, &config.tls) {
            (Some(tls), Some(files)) => Some(tls.read(files.clone()).map_err(|error| chain(&error))?),
            _ => None,
        };
        Ok((config, certificate))
    }
}

fn bounds(config: &Config) -> Bounds {
    Bounds { limits: config.limits, trusted_proxies: config.trusted_proxies.clone() }
}

fn names(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// An error and what is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
