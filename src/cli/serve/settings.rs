//! The settings with which a server runs: what each comes to, where it comes from, and when a change of it counts.
//!
//! One row for each flag that is a setting; what a flag means is said by the flags themselves. It makes the list for
//! those who administer the server, the configuration that `--print-config` prints, and what a reload changes.

use std::fmt::Write as _;

use argh::ArgsInfo;

use super::config::Config;
use crate::cli::args::ServeArgs;
use crate::cli::config_file::{self, key};
use crate::cli::prepass::{Origin, long_name};
use crate::cli::units::{ByteSize, Span};
use crate::service::{ScheduledBackups, Setting};

/// A setting.
pub(super) struct Row {
    /// Its flag, without dashes.
    pub(super) name: &'static str,
    counts: Counts,
    value: fn(&Config) -> Value,
}

/// When a change of a setting counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// As soon as the configuration is read again.
    Now,
    /// With the next start.
    AtStart,
    /// As soon as that, unless it turns HTTPS on or off.
    WithHttps,
}

/// What a setting comes to.
#[derive(PartialEq, Eq)]
enum Value {
    None,
    Text(String),
    Number(u64),
    List(Vec<String>),
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl Value {
    fn path(path: Option<&std::path::PathBuf>) -> Self {
        path.map_or(Self::None, |path| Self::Text(path.display().to_string()))
    }

    fn size(bytes: u64) -> Self {
        Self::Text(ByteSize(bytes).to_string())
    }

    fn span(span: std::time::Duration) -> Self {
        Self::Text(Span(span).to_string())
    }

    /// As it would be written on the command line; nothing where there is none.
    fn plain(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::List(items) => Some(items.join(", ")).filter(|text| !text.is_empty()),
        }
    }

    /// As it is written in TOML; nothing where there is none.
    fn toml(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Text(text) => Some(quoted(text)),
            Self::Number(number) => Some(number.to_string()),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                Some(format!("[{}]", items.join(", ")))
            }
        }
    }
}

/// A basic string: JSON's escapes are among TOML's, which wants one character more escaped.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\x7f', "\\u007f")
}

macro_rules! rows {
    ($($name:literal $counts:ident |$config:ident| $value:expr;)*) => {
        [$(Row { name: $name, counts: Counts::$counts, value: |$config: &Config| $value }),*]
    };
}

/// All settings.
pub(super) const ROWS: [Row; 24] = rows! {
    "data" AtStart |config| Value::path(Some(&config.data));
    "listen" AtStart |config| Value::List(config.listen.iter().map(ToString::to_string).collect());
    "tls-cert" WithHttps |config| Value::path(config.tls.as_ref().map(|files| &files.cert));
    "tls-key" WithHttps |config| Value::path(config.tls.as_ref().map(|files| &files.key));
    "public-url" Now |config| config.public_url.clone().map_or(Value::None, Value::Text);
    "trusted-proxy" Now |config| Value::List(config.proxies.clone());
    "max-file-size" Now |config| Value::size(config.registry.file_bytes_max);
    "upload-expiry" Now |config| Value::span(config.registry.upload_expiry);
    "release-open" Now |config| Value::span(config.registry.release_open);
    "statistics-days" Now |config| config.registry.statistics_days.into();
    "user-quota" Now |config| config.registry.quota_bytes.map_or(Value::None, Value::size);
    "max-audit-entries" Now |config| Value::Number(config.registry.audit_entries_max);
    "backup-to" Now |config| Value::path(backups(config).map(|backups| &backups.dir));
    "backup-every" Now |config| backups(config).map_or(Value::None, |backups| Value::span(backups.every));
    "backup-keep" Now |config| backups(config).map_or(Value::None, |backups| Value::Number(backups.keep as u64));
    "max-header-size" Now |config| Value::size(config.limits.header_bytes_max as u64);
    "max-connections" Now |config| config.limits.connections_max.into();
    "max-connections-per-address" Now |config| config.limits.connections_per_address_max.into();
    "header-timeout" Now |config| Value::span(config.limits.header_timeout);
    "idle-timeout" Now |config| Value::span(config.limits.idle_timeout);
    "body-timeout" Now |config| Value::span(config.limits.body_window);
    "shutdown-timeout" Now |config| Value::span(config.limits.shutdown_timeout);
    "log" Now |config| Value::Text(config.log.clone());
    "log-format" AtStart |config| Value::Text(config.log_format.as_str().to_owned());
};

fn backups(config: &Config) -> Option<&ScheduledBackups> {
    config.registry.backups.as_ref()
}

impl Row {
    /// Whether two configurations differ in it.
    pub(super) fn differs(&self, one: &Config, other: &Config) -> bool {
        (self.value)(one) != (self.value)(other)
    }

    /// Whether such a change counts with the next start only.
    pub(super) fn waits_for_start(&self, one: &Config, other: &Config) -> bool {
        match self.counts {
            Counts::Now => false,
            Counts::AtStart => true,
            Counts::WithHttps => one.tls.is_some() != other.tls.is_some(),
        }
    }

    /// What it comes to, and where that comes from.
    pub(super) fn setting(&self, config: &Config) -> Setting {
        Setting { name: self.name, value: (self.value)(config).plain(), source: config.origins.of(self.name).as_str() }
    }
}

/// All settings as they hold.
pub(super) fn list(config: &Config) -> Vec<Setting> {
    ROWS.iter().map(|row| row.setting(config)).collect()
}

/// The configuration as a file that says the same, and where each value comes from.
pub(super) fn file(config: &Config) -> String {
    let mut text = concat!(
        "# The configuration of Packhouse ",
        env!("CARGO_PKG_VERSION"),
        " as it holds, for packhouse serve --config FILE.\n"
    )
    .to_owned();
    let flags = config_file::settings(&ServeArgs::get_args_info());
    for (row, flag) in ROWS.iter().zip(flags) {
        debug_assert_eq!(row.name, long_name(flag));
        let when = match row.counts {
            Counts::Now => "",
            Counts::AtStart => "; a change needs a restart",
            Counts::WithHttps => "; turning HTTPS on or off needs a restart",
        };
        let source = match (config.origins.of(row.name), &config.origins.file) {
            (Origin::File(line), Some(file)) => format!("{}, line {line}", file.display()),
            (origin, _) => origin.to_string(),
        };
        // Writing to memory does not fail.
        let _ = writeln!(text, "\n# {}{when}", flag.description);
        let _ = match (row.value)(config).toml() {
            Some(value) => writeln!(text, "{} = {value} # {source}", key(row.name)),
            None => writeln!(text, "#{} = \"\" # not set", key(row.name)),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Command, parse};

    fn config(words: &[&str]) -> Config {
        let words: Vec<String> = std::iter::once("serve").chain(words.iter().copied()).map(str::to_owned).collect();
        let (args, origins) = parse(&words, &|_| None).unwrap();
        let Command::Serve(args) = args.command else { panic!() };
        Config::check(&args, &origins).unwrap()
    }

    #[test]
    fn every_flag_is_a_setting() {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let flags = config_file::settings(&ServeArgs::get_args_info()).map(long_name);
        assert_eq!(flags.collect::<Vec<_>>(), names);
    }

    #[test]
    fn what_is_printed_is_a_configuration_that_comes_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("packhouse.toml");
        for words in [
            &[][..],
            &["--data", "a \"b\"\\c\u{7f}\n#", "--listen", "[::1]:0", "--listen", "1.2.3.4:5", "--user-quota", "1500"],
            &["--tls-cert", "a", "--tls-key", "b", "--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "::1"],
            &["--backup-to", "x", "--backup-every", "90m", "--header-timeout", "1500ms", "--log", "warn,a=debug"],
        ] {
            let first = config(words);
            std::fs::write(&path, file(&first)).unwrap();
            let second = config(&["--config", path.to_str().unwrap()]);
            assert!(ROWS.iter().all(|row| !row.differs(&first, &second)), "{}\n{}", file(&first), file(&second));
            let set = list(&second).into_iter().filter(|setting| setting.value.is_some());
            assert!(set.into_iter().all(|setting| setting.source == "file" || setting.name == "trusted-proxy"));
        }
    }
}
