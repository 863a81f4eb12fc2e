//! How results, progress and errors are told: to people in words, to programs in JSON.
//!
//! Results go to standard output, all else to standard error. Bars are drawn only on a terminal, colours only there and
//! without `NO_COLOR`.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::Failure;
use crate::client::progress::{Progress, Silent, Task};

/// Redraws per second.
const REDRAWS_HZ: u8 = 10;

/// Where a command tells its results.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    is_terminal: bool,
    color: bool,
}

impl Output {
    /// As the flags, the environment and the standard streams have it.
    #[must_use]
    pub fn new(json: bool) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_terminal = io::stderr().is_terminal() && !is_dumb;
        Self { json, is_terminal, color: is_terminal && !is_set("NO_COLOR") }
    }

    /// Tells a result: `text` to people, `value` to programs.
    ///
    /// # Errors
    /// If it cannot be written. A reader that has gone away is none.
    pub fn result(&self, text: &str, value: &Value) -> Result<(), Failure> {
        let shown = if self.json { value.to_string() } else { text.trim_end().to_owned() };
        let mut out = io::stdout().lock();
        match writeln!(out, "{shown}").and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::Failed(format!("standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Tells something that a person should know and a program need not.
    pub fn warn(&self, text: &str) {
        // There is nobody left to tell that it cannot be told.
        let _ = writeln!(io::stderr().lock(), "{} {text}", self.label("warning:", "33"));
    }

    /// Tells a result to people where standard output is taken by something else.
    pub fn note(&self, text: &str) {
        // There is nobody left to tell that it cannot be told.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Tells why the command failed; its exit status.
    #[must_use]
    pub fn failed(&self, failure: &Failure) -> ExitCode {
        let (text, code) = match failure {
            Failure::Usage(text) => (text, 2),
            Failure::Failed(text) => (text, 1),
            Failure::Told => return ExitCode::FAILURE,
        };
        if self.json {
            // The status says that it failed, whoever reads the output.
            let _ = self.result("", &json!({ "error": { "message": text } }));
        }
        let _ = writeln!(io::stderr().lock(), "{} {}", self.label("error:", "31"), text.trim_end());
        ExitCode::from(code)
    }

    /// Draws progress, if somebody watches.
    #[must_use]
    pub fn progress(&self) -> Arc<dyn Progress> {
        if !self.is_terminal || self.json {
            return Arc::new(Silent);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(REDRAWS_HZ));
        Arc::new(Bar { bar })
    }

    fn label(&self, text: &str, color: &str) -> String {
        if self.color { format!("\u{1b}[1;{color}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A bar on a terminal. It vanishes with its end.
struct Bar {
    bar: ProgressBar,
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, task: Task) {
        let (what, length, form) = match task {
            Task::Digest { bytes } => ("reading", Some(bytes), "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}"),
            Task::Upload { bytes } => {
                ("sending", Some(bytes), "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
            }
            Task::Copy { bytes } => {
                ("copying", Some(bytes), "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
            }
            Task::Compare => ("comparing", None, "{msg} {spinner}"),
            Task::Fetch { files } => ("fetching", Some(files), "{msg} {bar:30} {pos}/{len} files {eta}"),
            Task::Transfer { packages } => {
                ("transferring", Some(packages), "{msg} {bar:30} {pos}/{len} packages {eta}")
            }
            Task::Install { files } => ("installing", Some(files), "{msg} {bar:30} {pos}/{len} files"),
        };
        self.bar.reset();
        match length {
            Some(length) => self.bar.set_length(length),
            None => self.bar.unset_length(),
        }
        // The forms are constants; one that indicatif does not take would only look plain.
        if let Ok(style) = ProgressStyle::with_template(form) {
            self.bar.set_style(style);
        }
        self.bar.set_message(what);
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    fn reached(&self, done: u64) {
        self.bar.set_position(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_forms_that_are_taken() {
        let bar = Bar { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()) };
        for task in [
            Task::Digest { bytes: 9 },
            Task::Copy { bytes: 9 },
            Task::Upload { bytes: 9 },
            Task::Fetch { files: 9 },
            Task::Install { files: 9 },
        ] {
            bar.begin(task);
            bar.reached(7);
            assert_eq!((bar.bar.position(), bar.bar.length()), (7, Some(9)));
        }
        bar.begin(Task::Compare);
        assert_eq!((bar.bar.position(), bar.bar.length()), (0, None));
    }

    #[test]
    fn labels_are_coloured_only_where_that_is_wanted() {
        let plain = Output { json: false, is_terminal: false, color: false };
        assert_eq!(plain.label("error:", "31"), "error:");
        assert!(Output { color: true, ..plain }.label("error:", "31").contains("\u{1b}[1;31m"));
    }
}
