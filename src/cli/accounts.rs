//! `packhouse user` and `packhouse token`: accounts of a stopped server, worked on in its directory.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::args::{TokenAddArgs, UserAddArgs, UserListArgs, UserPasswordArgs};
use super::in_process::require_directory;
use super::output::Output;
use super::{Failure, connect};
use crate::model::limits::PASSWORD_BYTES_MAX;
use crate::model::{Password, Scope, UserName};
use crate::service::{Clock, Registry, RegistryConfig};

/// Makes an account.
///
/// # Errors
/// If the name is taken, or a server works on the directory.
pub fn add_user(args: &UserAddArgs, output: &Output) -> Result<(), Failure> {
    let registry = open(&args.data, args.create)?;
    let password = ask_password(&args.name)?;
    let made = connect::block_on(async {
        registry.add_user(args.name.clone(), password, args.admin).await.map_err(Failure::of)
    });
    registry.close();
    made?;
    let what = if args.admin { "admin" } else { "user" };
    output.result(&format!("made the {what} {}", args.name), &json!({ "name": args.name, "admin": args.admin }))
}

/// Changes a password.
///
/// # Errors
/// If there is no such account, or a server works on the directory.
pub fn set_password(args: &UserPasswordArgs, output: &Output) -> Result<(), Failure> {
    let registry = open(&args.data, false)?;
    let password = ask_password(&args.name)?;
    let changed = connect::block_on(async { registry.reset_password(&args.name, password).await.map_err(Failure::of) });
    registry.close();
    changed?;
    output.result(&format!("changed the password of {}", args.name), &json!({ "name": args.name }))
}

/// Tells which accounts there are.
///
/// # Errors
/// If a server works on the directory.
pub fn list_users(args: &UserListArgs, output: &Output) -> Result<(), Failure> {
    let registry = open(&args.data, false)?;
    let users = registry.all_users().map_err(Failure::of);
    registry.close();
    let users = users?;
    let mut text = String::new();
    for user in &users {
        let kind = if user.admin { "admin" } else { "user" };
        let state = if user.disabled { ", disabled" } else { "" };
        text.push_str(&format!("{} ({kind}{state}), made {}\n", user.name, user.created));
    }
    if users.is_empty() {
        text.push_str("there are no users yet; `packhouse user add NAME --admin` makes one\n");
    }
    let items: Vec<_> = users
        .iter()
        .map(|user| {
            json!({ "name": user.name, "admin": user.admin, "disabled": user.disabled, "created": user.created })
        })
        .collect();
    output.result(&text, &json!({ "items": items }))
}

/// Makes an API token and tells its secret.
///
/// # Errors
/// If there is no such account, or a server works on the directory.
pub fn add_token(args: &TokenAddArgs, output: &Output) -> Result<(), Failure> {
    let registry = open(&args.data, false)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => "command line".parse().map_err(Failure::of)?,
    };
    let scopes = if args.scope.is_empty() { vec![Scope::Read] } else { args.scope.clone() };
    let made = connect::block_on(async {
        registry.add_token_for(&args.user, name, scopes, args.expires).await.map_err(Failure::of)
    });
    registry.close();
    let made = made?;
    let value = serde_json::to_value(&made).map_err(Failure::of)?;
    output.result(made.secret.as_deref().unwrap_or_default(), &value)
}

/// Opens the directory of a stopped server. A missing one is made only on request: without it, a missing directory is a
/// wrong path.
fn open(data: &Path, create: bool) -> Result<Registry, Failure> {
    if !create {
        require_directory(data)?;
    }
    Registry::open(data, RegistryConfig::default(), Clock::System).map_err(|error| {
        Failure::Failed(format!(
            "{error}\nThese commands work on a stopped server's directory; a running server has the same in its API."
        ))
    })
}

/// Asks for a password on a terminal, twice and unseen; otherwise reads the first line of standard input.
fn ask_password(name: &UserName) -> Result<Password, Failure> {
    let text = if std::io::stdin().is_terminal() {
        let first = read_unseen(&format!("password for {name}: "))?;
        if read_unseen("once more: ")? != first {
            return Err(Failure::Failed("the two passwords are not the same; nothing was changed".to_owned()));
        }
        first
    } else {
        read_line()?
    };
    text.parse().map_err(Failure::of)
}

fn read_unseen(prompt: &str) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).map_err(Failure::of)?;
    let mut unseen = before.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &unseen).map_err(Failure::of)?;
    let mut terminal = std::io::stderr().lock();
    // A prompt that cannot be shown is no reason not to read.
    let _ = write!(terminal, "{prompt}").and_then(|()| terminal.flush());
    let line = read_line();
    let restored = tcsetattr(&stdin, OptionalActions::Flush, &before);
    let _ = writeln!(terminal);
    restored.map_err(Failure::of)?;
    line
}

fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    let limited = std::io::Read::take(std::io::stdin().lock(), PASSWORD_BYTES_MAX as u64 + 3);
    std::io::BufReader::new(limited).read_line(&mut line).map_err(Failure::of)?;
    if line.is_empty() {
        return Err(Failure::Failed(
            "the password comes on the first line of standard input, which is empty".to_owned(),
        ));
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
