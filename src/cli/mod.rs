//! The command line: words into checked configurations, results into words and exit statuses.
//!
//! [`args`] holds the flags as plain data, [`prepass`] what comes before parsing them. Each command's file turns its
//! flags into a configuration, runs it, and tells the outcome through [`output`]. No rule of a registry lives here.

pub mod accounts;
pub mod args;
pub mod backup;
pub mod check;
pub mod compact;
pub mod completions;
mod config_file;
pub mod connect;
pub mod export;
pub mod health;
pub mod import;
pub mod in_process;
pub mod install;
pub mod listening;
pub mod log;
pub mod man;
pub mod migrate;
pub mod output;
pub mod prepass;
pub mod publish;
pub mod resolve;
pub mod restore;
pub mod search;
pub mod serve;
pub mod supervisor;
pub mod sync;
pub mod units;
pub mod updates;

use std::io::Write;
use std::process::ExitCode;

use argh::ArgsInfo as _;
use serde_json::Value;

use self::args::{Args, Command, CompletionsArgs, Early, ManArgs, TokenCommand, UserCommand};
use self::output::Output;
use self::prepass::Origins;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Failure {
    /// It was asked for in a way that makes no sense; the text says which would (exit status 2).
    Usage(String),
    /// It could not be done (exit status 1).
    Failed(String),
    /// The same, of which the result has told.
    Told,
}

impl Failure {
    /// A failure in an error's own words.
    #[must_use]
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// The same with something behind its words.
    #[must_use]
    pub fn and(self, words: &str) -> Self {
        match self {
            Self::Usage(text) => Self::Usage(text + words),
            Self::Failed(text) => Self::Failed(text + words),
            Self::Told => Self::Told,
        }
    }
}

/// Runs a command line without the program's own name.
#[must_use]
pub fn run(words: &[String]) -> ExitCode {
    let environment = |name: &str| std::env::var(name).ok();
    match args::parse(words, &environment) {
        Ok((args, origins)) => run_command(&args.command, &origins, &|| args::parse(words, &environment)),
        Err(Early::Text(text)) => {
            // A reader that has gone away has read enough.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(Early::Usage { problem, hint }) => Output::new(false).failed(&Failure::Usage(format!("{problem}\n{hint}"))),
    }
}

/// Runs a command. `origins` says where its flags come from, and `parse` reads all of them again.
fn run_command(command: &Command, origins: &Origins, parse: &dyn Fn() -> Result<(Args, Origins), Early>) -> ExitCode {
    match command {
        Command::Serve(args) if args.print_config => finish(Output::new(false), |_| serve::print_config(args, origins)),
        Command::Serve(args) => finish(Output::new(false), |_| serve::run(args, origins, parse)),
        Command::Publish(args) => finish(Output::new(args.json), |output| publish::run(args, output)),
        Command::Sync(args) => finish(Output::new(args.json), |output| sync::run(args, output)),
        Command::Search(args) => finish(Output::new(args.json), |output| search::run(args, output)),
        Command::Resolve(args) => finish(Output::new(args.json), |output| resolve::run(args, output)),
        Command::Install(args) => finish(Output::new(args.json), |output| install::run(args, output)),
        Command::Updates(args) => finish(Output::new(args.json), |output| updates::run(args, output)),
        Command::Export(args) => finish(Output::new(args.json), |output| export::run(args, output)),
        Command::Import(args) => finish(Output::new(args.json), |output| import::run(args, output)),
        Command::Backup(args) => finish(Output::new(args.json), |output| backup::run(args, output)),
        Command::Check(args) => finish(Output::new(args.json), |output| check::run(args, output)),
        Command::Compact(args) => finish(Output::new(args.json), |output| compact::run(args, output)),
        Command::Migrate(args) => finish(Output::new(args.json), |output| migrate::run(args, output)),
        Command::Restore(args) => finish(Output::new(args.json), |output| restore::run(args, output)),
        Command::Health(args) => finish(Output::new(args.json), |output| health::run(args, output)),
        Command::Completions(CompletionsArgs { shell }) => finish(Output::new(false), |output| {
            output.result(&completions::script(*shell, &Args::get_args_info()), &Value::Null)
        }),
        Command::Man(ManArgs {}) => {
            finish(Output::new(false), |output| output.result(&man::page(&Args::get_args_info()), &Value::Null))
        }
        Command::User(args) => match &args.command {
            UserCommand::Add(args) => finish(Output::new(false), |output| accounts::add_user(args, output)),
            UserCommand::Password(args) => finish(Output::new(false), |output| accounts::set_password(args, output)),
            UserCommand::List(args) => finish(Output::new(args.json), |output| accounts::list_users(args, output)),
        },
        Command::Token(args) => match &args.command {
            TokenCommand::Add(args) => finish(Output::new(args.json), |output| accounts::add_token(args, output)),
        },
    }
}

/// Does a command's work and tells how it failed, if it did.
fn finish(output: Output, work: impl FnOnce(&Output) -> Result<(), Failure>) -> ExitCode {
    match work(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failed(&failure),
    }
}
