//! The command line: words into checked configurations, results into words and exit statuses.
//!
//! [`args`] holds the flags as plain data, [`prepass`] what comes before parsing them. Each command's file turns its
//! flags into a configuration, runs it, and tells the outcome through [`output`]. No rule of a registry lives here.

pub mod args;
pub mod connect;
pub mod output;
pub mod prepass;
pub mod publish;
pub mod sync;
pub mod units;
pub mod updates;

use std::process::ExitCode;

use self::args::Command;
use self::output::Output;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Failure {
    /// It was asked for in a way that makes no sense; the text says which would (exit status 2).
    Usage(String),
    /// It could not be done (exit status 1).
    Failed(String),
}

impl Failure {
    /// A failure in an error's own words.
    #[must_use]
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs a command that speaks to a registry from outside; nothing if it is none of these.
#[must_use]
pub fn run_client(command: &Command) -> Option<ExitCode> {
    match command {
        Command::Publish(args) => Some(finish(Output::new(args.json), |output| publish::run(args, output))),
        Command::Sync(args) => Some(finish(Output::new(args.json), |output| sync::run(args, output))),
        Command::Updates(args) => Some(finish(Output::new(args.json), |output| updates::run(args, output))),
        Command::Serve(_) | Command::User(_) | Command::Token(_) => None,
    }
}

/// Does a command's work and tells how it failed, if it did.
pub fn finish(output: Output, work: impl FnOnce(&Output) -> Result<(), Failure>) -> ExitCode {
    match work(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failed(&failure),
    }
}
