//! The log: lines on standard error, for people on a terminal and for programs elsewhere.
//!
//! Owns their form, and what of them is wanted, which may change while the server runs. Lines about requests have the
//! same form and are written by `http::access_log`.

use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::http::access_log::{self, LogFormat};
use crate::service::Clock;

/// The form of the log that an operator asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogChoice {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Text.
    Text,
    /// JSON.
    Json,
}

impl FromStr for LogChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("the log's format is auto, text or json"),
        }
    }
}

impl LogChoice {
    /// How it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// What it comes to on this standard error.
    #[must_use]
    pub fn format(self) -> LogFormat {
        match self {
            Self::Text => LogFormat::Text,
            Self::Auto if std::io::stderr().is_terminal() => LogFormat::Text,
            Self::Auto | Self::Json if is_journal() => LogFormat::Journal,
            Self::Auto | Self::Json => LogFormat::Json,
        }
    }
}

/// Whether standard error goes to systemd's journal, which says so in the environment (systemd.exec(5)).
fn is_journal() -> bool {
    let Ok(told) = std::env::var("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(std::io::stderr()).is_ok_and(|stat| told == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// Reads what is to be logged.
///
/// # Errors
/// Wrong usage.
pub fn parse_filter(text: &str) -> Result<Targets, String> {
    // A word alone is a level: the parser takes any other for the name of a part, and logs all of that.
    let are_levels = text.split(',').all(|part| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok());
    let filter = text.parse().ok().filter(|_| are_levels);
    filter.ok_or_else(|| format!("--log is error, warn, info, debug or trace, not {text:?}"))
}

/// The running log.
#[derive(Debug)]
pub struct Log(reload::Handle<Targets, Registry>);

impl Log {
    /// Begins to write the log to standard error.
    #[must_use]
    pub fn start(filter: Targets, format: LogFormat) -> Self {
        let (filter, handle) = reload::Layer::new(filter);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let log = tracing_subscriber::registry().with(filter);
        // Set already where a test runs the command in its own process.
        let _ = match format {
            LogFormat::Text => {
                let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                log.with(lines.with_ansi(std::io::stderr().is_terminal() && !no_color)).try_init()
            }
            LogFormat::Json | LogFormat::Journal => {
                log.with(lines.event_format(JsonLines { weighted: format == LogFormat::Journal })).try_init()
            }
        };
        Self(handle)
    }

    /// Changes what is logged.
    pub fn change(&self, filter: Targets) {
        // Fails only when nothing is logged any more.
        let _ = self.0.reload(filter);
    }

    /// Whether lines about requests are wanted.
    #[must_use]
    pub fn wants_requests() -> bool {
        tracing::enabled!(target: access_log::TARGET, Level::INFO)
    }
}

/// Events as JSON objects, one in a line.
struct JsonLines {
    /// Whether a line begins with its weight, as the journal reads it.
    weighted: bool,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let mut fields = Map::new();
        fields.insert("time".to_owned(), Clock::System.now().to_string().into());
        fields.insert("level".to_owned(), level.as_str().into());
        fields.insert("target".to_owned(), target.into());
        event.record(&mut Fields(&mut fields));
        if self.weighted {
            writer.write_str(match level {
                Level::ERROR => "<3>",
                Level::WARN => "<4>",
                Level::INFO => "<6>",
                _ => "<7>",
            })?;
        }
        writeln!(writer, "{}", Value::Object(fields))
    }
}

/// Takes the fields of an event.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.0.insert(field.name().to_owned(), text.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_a_json_object_in_one_line() {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .event_format(JsonLines { weighted: true });
        let error = std::io::Error::other("no\nroom");
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(%error, count = 3, is = true, name = "a \"b\"", "it\nfailed");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let line = text.strip_prefix("<4>").unwrap().strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        let found: Value = serde_json::from_str(line).unwrap();
        assert!(found["time"].as_str().unwrap().parse::<crate::model::Timestamp>().is_ok(), "{line}");
        assert_eq!((&found["level"], &found["message"]), (&"WARN".into(), &"it\nfailed".into()));
        assert_eq!((&found["error"], &found["name"]), (&"no\nroom".into(), &"a \"b\"".into()));
        assert_eq!((&found["count"], &found["is"]), (&3.into(), &true.into()));
    }
}
