//! The flags of every command as plain data, and the help that goes with them: one file for each command.
//!
//! A value here has the right form by itself; whether values fit each other is for the command's configuration.

use std::path::PathBuf;

use argh::{ArgsInfo, CommandInfoWithArgs, FromArgs};

use super::connect::TOKEN_VARIABLE;
use super::prepass::{self, Completed, Origins};
use crate::model::nearest;

/// The flags of one command: its own, then those that it shares with others, which are written here once.
///
/// `data`: a stopped server's directory. `new_data`: one to be made. `url`: a running server instead of that. `index`: a
/// local copy of an index. `token_file`, `ca_file`: for those who speak to a server. `json`: for those who answer.
macro_rules! flags {
    ($(#[$($attribute:tt)*])* pub struct $name:ident { $($own:tt)* } with $($shared:ident),+) => {
        flags!(@ [$(#[$($attribute)*])* pub struct $name] [$($own)*] $($shared)+);
    };
    (@ [$($head:tt)*] [$($fields:tt)*]) => {
        #[derive(argh::FromArgs, argh::ArgsInfo, Debug, PartialEq)]
        $($head)* { $($fields)* }
    };
    (@ $head:tt [$($fields:tt)*] url $($rest:ident)*) => {
        flags!(@ $head [
            $($fields)*
            /// address of a running server; without it, --data is meant
            #[argh(option, arg_name = "url")]
            pub url: Option<String>,
        ] $($rest)*);
    };
    (@ $head:tt [$($fields:tt)*] data $($rest:ident)*) => {
        flags!(@ $head [
            $($fields)*
            /// folder of a stopped server (./packhouse-data)
            #[argh(option, arg_name = "dir", default = "super::default_data()")]
            pub data: std::path::PathBuf,
        ] $($rest)*);
    };
    (@ $head:tt [$($fields:tt)*] new_data $($rest:ident)*) => {
        flags!(@ $head [
            $($fields)*
            /// folder to make, which is empty or missing (./packhouse-data)
            #[argh(option, arg_name = "dir", default = "super::default_data()")]
            pub data: std::path::PathBuf,
        ] $($rest)*);
    };
    (@ $head:tt [$($fields:tt)*] index $($rest:ident)*) => {
        flags!(@ $head [
            $($fields)*
            /// folder of the local copy of the index (./packhouse-index)
            #[argh(option, arg_name = "dir", default = "super::default_index()")]
            pub index: std::path::PathBuf,
        ] $($rest)*);
    };
    (@ $head:tt [$($fields:tt)*] token_file $($rest:ident)*) => {
        flags!(@ $head [
            $($fields)*
            /// file with the token, which otherwise comes from PACKHOUSE_TOKEN
            #[argh(option, arg_name = "file")]
            pub token_file: Option<std::path::PathBuf>,
        ] $($rest)*);
    };
    (@ $head:tt [$($fields:tt)*] ca_file $($rest:ident)*) => {
        flags!(@ $head [
            $($fields)*
            /// certificate authorities to trust besides the system's, in PEM form
            #[argh(option, arg_name = "file")]
            pub ca_file: Option<std::path::PathBuf>,
        ] $($rest)*);
    };
    (@ $head:tt [$($fields:tt)*] json $($rest:ident)*) => {
        flags!(@ $head [
            $($fields)*
            /// answer in JSON
            #[argh(switch)]
            pub json: bool,
        ] $($rest)*);
    };
}

mod backup;
mod check;
mod compact;
mod export;
mod generate;
mod health;
mod import;
mod install;
mod migrate;
mod publish;
mod resolve;
mod search;
mod serve;
mod sync;
mod token;
mod updates;
mod user;

pub use backup::{BackupArgs, RestoreArgs};
pub use check::CheckArgs;
pub use compact::CompactArgs;
pub use export::ExportArgs;
pub use generate::{CompletionsArgs, ManArgs};
pub use health::HealthArgs;
pub use import::ImportArgs;
pub use install::InstallArgs;
pub use migrate::MigrateArgs;
pub use publish::PublishArgs;
pub use resolve::ResolveArgs;
pub use search::SearchArgs;
pub use serve::ServeArgs;
pub use sync::SyncArgs;
pub use token::{TokenAddArgs, TokenArgs, TokenCommand};
pub use updates::{UpdateMode, UpdatesArgs};
pub use user::{UserAddArgs, UserArgs, UserCommand, UserListArgs, UserPasswordArgs};

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    description = "Packhouse, a package registry and update server.",
    example = "{command_name} serve --data /srv/packhouse\n{command_name} publish https://packages.example.com foo.zip --package omni.foo --version 1.0.0\n{command_name} sync https://packages.example.com ./index",
    note = "`{command_name} COMMAND --help` tells about a command, `{command_name} --version` which version this is.",
    note = "Flags are written --flag VALUE or --flag=VALUE.",
    error_code(0, "done"),
    error_code(1, "failed"),
    error_code(2, "wrong usage")
)]
/// Everything on the command line.
pub struct Args {
    /// what to do
    #[argh(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
#[expect(clippy::large_enum_variant, reason = "a process has one, and the parser knows no boxes")]
pub enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Publish a file.
    Publish(PublishArgs),
    /// Keep a local copy of the index.
    Sync(SyncArgs),
    /// Find packages in a local copy.
    Search(SearchArgs),
    /// Choose versions that fit together.
    Resolve(ResolveArgs),
    /// Install packages.
    Install(InstallArgs),
    /// Ask for updates.
    Updates(UpdatesArgs),
    /// Write a view as static files.
    Export(ExportArgs),
    /// Publish what is in static files, or in another registry.
    Import(ImportArgs),
    /// Back up a server.
    Backup(BackupArgs),
    /// Make a data directory of a backup.
    Restore(RestoreArgs),
    /// Move a stopped server to another directory.
    Migrate(MigrateArgs),
    /// Check a stopped server's directory.
    Check(CheckArgs),
    /// Make a stopped server's directory small.
    Compact(CompactArgs),
    /// Ask whether a server is ready.
    Health(HealthArgs),
    /// Work on the accounts of a stopped server.
    User(UserArgs),
    /// Work on the tokens of a stopped server.
    Token(TokenArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page.
    Man(ManArgs),
}

/// What ends the program before it does anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Early {
    /// A help or version text that was asked for (exit status 0).
    Text(String),
    /// The command line makes no sense (exit status 2).
    Usage {
        /// What is wrong with it.
        problem: String,
        /// Where it is said what would be right.
        hint: String,
    },
}

/// Reads a command line without the program's own name, completed from the environment and from the file that it names.
///
/// # Errors
/// [`Early`].
pub fn parse(words: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Result<(Args, Origins), Early> {
    if matches!(words, [word] if word == "--version" || word == "-V") {
        return Err(Early::Text(format!("packhouse {}\n", env!("CARGO_PKG_VERSION"))));
    }
    let program = Args::get_args_info();
    let usage = |problem: &str| {
        let command = prepass::command_words(words, &program).iter().map(|word| format!("{word} ")).collect::<String>();
        Early::Usage { problem: problem.trim_end().to_owned(), hint: format!("see `packhouse {command}--help`") }
    };
    let Completed { words: completed, origins } =
        prepass::complete(words, &program, environment).map_err(|problem| usage(&problem))?;
    let completed: Vec<&str> = completed.iter().map(String::as_str).collect();
    match Args::from_args(&["packhouse"], &completed) {
        Ok(args) => Ok((args, origins)),
        Err(exit) if exit.status.is_ok() => {
            Err(Early::Text(with_variables(exit.output, prepass::command(words, &program))))
        }
        Err(exit) => {
            let problem = origins.reword(&exit.output);
            let meant = unrecognized(&problem).and_then(|word| meant(word, prepass::command(words, &program)));
            let hint = meant.map_or_else(String::new, |meant| format!(". Did you mean {meant}?"));
            Err(usage(&format!("{}{hint}", problem.trim_end())))
        }
    }
}

/// The word of a command line that the parser does not know, by its message.
fn unrecognized(problem: &str) -> Option<&str> {
    problem.lines().find_map(|line| line.strip_prefix("Unrecognized argument: ")).map(str::trim)
}

/// The flag or command that a misspelt word was probably meant to be.
fn meant(word: &str, command: &CommandInfoWithArgs) -> Option<String> {
    let flags = command.flags.iter().map(|flag| flag.long.to_owned());
    let commands = command.commands.iter().map(|command| command.name.to_owned());
    let known: Vec<String> = if word.starts_with('-') { flags.collect() } else { commands.collect() };
    nearest(word, known.iter().map(String::as_str)).map(str::to_owned)
}

/// A command's help, and at its end which variables of the environment count for it.
fn with_variables(mut help: String, command: &CommandInfoWithArgs) -> String {
    let mut variables: Vec<String> =
        command.flags.iter().filter_map(|flag| prepass::variable(prepass::long_name(flag))).collect();
    if variables.is_empty() {
        return help;
    }
    if command.flags.iter().any(|flag| flag.long == "--token-file") {
        variables.insert(0, TOKEN_VARIABLE.to_owned());
    }
    // Notes are the last part of a command's help.
    if command.notes.is_empty() {
        help.push_str("\nNotes:\n");
    }
    help.push_str(&format!("  In the environment: {}. What is on the command line wins.\n", variables.join(", ")));
    help
}

fn default_data() -> PathBuf {
    PathBuf::from("./packhouse-data")
}

fn default_index() -> PathBuf {
    PathBuf::from("./packhouse-index")
}

#[cfg(test)]
mod tests;
