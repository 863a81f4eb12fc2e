//! What happens to the command line before it is parsed: `--x=y` becomes `--x y`, and flags that are missing come from
//! the environment, then from the file that `--config` names.
//!
//! Which flags there are is read from the parser's own description of itself, so nothing is listed twice. [`Origins`]
//! remembers where each value comes from, so that what is said of it can name what its writer wrote.

use std::fmt;
use std::path::{Path, PathBuf};

use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};

use super::args::ServeArgs;
use super::config_file;
use super::connect::TOKEN_VARIABLE;
use crate::model::nearest;

/// Flags besides those of the server that can be set as `PACKHOUSE_FLAG`: those that belong to a machine or a pipeline.
/// Those that belong to one call cannot: a forgotten `PACKHOUSE_VERSION` would publish the wrong thing.
const FROM_ENVIRONMENT: [&str; 7] = ["channel", "platform", "index", "url", "token-file", "ca-file", "json"];
/// The flag that names the file.
const CONFIG: &str = "config";

/// The variable for a flag, if it has one.
#[must_use]
pub fn variable(flag: &str) -> Option<String> {
    let is_of_server = || {
        let flags = ServeArgs::get_args_info().flags;
        flags.iter().any(|of_server| long_name(of_server) == flag && !is_switch(of_server))
    };
    let has_one = FROM_ENVIRONMENT.contains(&flag) || is_of_server();
    has_one.then(|| format!("PACKHOUSE_{}", flag.to_ascii_uppercase().replace('-', "_")))
}

/// The variables of these names that no command reads, each with the known one that it is nearest to. They are mostly
/// misspelt, and a setting that its operator counts on does not hold.
#[must_use]
pub fn unknown_variables(
    names: impl Iterator<Item = String>,
    program: &CommandInfoWithArgs,
) -> Vec<(String, Option<String>)> {
    let mut known = vec![TOKEN_VARIABLE.to_owned()];
    let mut commands = vec![program];
    while let Some(command) = commands.pop() {
        known.extend(command.flags.iter().filter_map(|flag| variable(long_name(flag))));
        commands.extend(command.commands.iter().map(|sub| &sub.command));
    }
    let unknown = names.filter(|name| name.starts_with("PACKHOUSE_") && !known.contains(name));
    unknown
        .map(|name| {
            let meant = nearest(&name, known.iter().map(String::as_str)).map(str::to_owned);
            (name, meant)
        })
        .collect()
}

/// Where the value of a flag comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was not given.
    Default,
    /// The command line.
    Flag,
    /// A variable of the environment.
    Environment,
    /// This line of the file.
    File(usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Origin {
    /// Its name in one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File(_) => "file",
        }
    }
}

/// Where the values of all flags come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// The file that was read.
    pub file: Option<PathBuf>,
    given: Vec<(String, Origin)>,
}

impl Origins {
    /// Where the value of a flag comes from.
    #[must_use]
    pub fn of(&self, flag: &str) -> Origin {
        self.given.iter().find(|(name, _)| name == flag).map_or(Origin::Default, |(_, origin)| *origin)
    }

    /// A text about flags in the words of those who set them otherwise: `--log` is `PACKHOUSE_LOG` in the environment,
    /// and `log` with its place in the file.
    #[must_use]
    pub fn reword(&self, text: &str) -> String {
        let is_of_name = |c: char| c.is_ascii_lowercase() || c == '-';
        let mut parts = text.split("--");
        let mut named = vec![(parts.next().unwrap_or_default(), "")];
        named.extend(
            parts
                .map(|part| part.split_at(part.find(|c| !is_of_name(c)).unwrap_or(part.len())))
                .map(|(name, rest)| (rest, name)),
        );
        let place = named.iter().find_map(|(_, name)| match self.of(name) {
            Origin::File(line) => Some(format!("{}:{line}: ", self.file.as_deref().unwrap_or(Path::new("")).display())),
            _ => None,
        });
        let mut reworded = place.clone().unwrap_or_default();
        for (at, (rest, name)) in named.into_iter().enumerate() {
            match self.of(name) {
                _ if at == 0 => {}
                Origin::Environment => reworded.extend(variable(name)),
                Origin::File(_) => reworded.push_str(&config_file::key(name)),
                Origin::Default if place.is_some() && !name.is_empty() => reworded.push_str(&config_file::key(name)),
                Origin::Flag | Origin::Default => reworded.extend(["--", name]),
            }
            reworded.push_str(rest);
        }
        reworded
    }
}

/// A command line as it is parsed.
#[derive(Debug)]
pub struct Completed {
    /// Its words.
    pub words: Vec<String>,
    /// Where its flags come from.
    pub origins: Origins,
}

/// Splits `--x=y` and adds the flags that are set in the environment or the file and not on the command line.
///
/// # Errors
/// If a switch has a value that is neither yes nor no, or the file cannot be read or is wrong.
pub fn complete(
    words: &[String],
    program: &CommandInfoWithArgs,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Completed, String> {
    let (depth, command) = find_command(words, program);
    let mut completed = words[..depth].to_vec();
    let mut origins = Origins::default();
    let mut config = None;
    let mut rest = words[depth..].iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            completed.push(word.clone());
            completed.extend(rest.cloned());
            break;
        }
        if word == "-h" {
            completed.push("--help".to_owned());
            continue;
        }
        let (name, value) = match word.strip_prefix("--").map(|flag| flag.split_once('=').unzip()) {
            Some((Some(name), value)) => (name, value),
            Some((None, _)) => (&word[2..], None),
            None => {
                completed.push(word.clone());
                continue;
            }
        };
        origins.given.push((name.to_owned(), Origin::Flag));
        match (command.flags.iter().find(|flag| long_name(flag) == name), value) {
            (Some(flag), Some(value)) if is_switch(flag) => {
                if switched(&format!("--{name}"), value)? {
                    completed.push(format!("--{name}"));
                }
            }
            (_, Some(value)) => completed.extend([format!("--{name}"), value.to_owned()]),
            (Some(flag), None) if !is_switch(flag) => {
                // The next word is its value, whatever it looks like.
                completed.push(word.clone());
                completed.extend(rest.next().cloned());
            }
            _ => completed.push(word.clone()),
        }
        let is_value = |word: &&String| name == CONFIG && **word != "--config";
        config = completed.last().filter(is_value).cloned().or(config);
    }
    let mut added = from_environment(command, &mut origins, environment)?;
    if command.flags.iter().any(|flag| long_name(flag) == CONFIG) && !completed.iter().any(|word| word == "--help") {
        let named = added.iter().position(|word| *word == format!("--{CONFIG}")).map(|at| added[at + 1].clone());
        if let Some(path) = config.or(named).map(PathBuf::from) {
            added.extend(from_file(command, &mut origins, &path)?);
            origins.file = Some(path);
        }
    }
    // Before everything else, because behind `--` nothing is a flag.
    completed.splice(depth..depth, added);
    Ok(Completed { words: completed, origins })
}

/// The words that name the command, as `user add`.
#[must_use]
pub fn command_words<'a>(words: &'a [String], program: &CommandInfoWithArgs) -> &'a [String] {
    &words[..find_command(words, program).0]
}

/// The command that a command line names.
#[must_use]
pub fn command<'a>(words: &[String], program: &'a CommandInfoWithArgs) -> &'a CommandInfoWithArgs {
    find_command(words, program).1
}

/// How many words name the command, and the command that they name.
fn find_command<'a>(words: &[String], program: &'a CommandInfoWithArgs) -> (usize, &'a CommandInfoWithArgs) {
    let mut command = program;
    for (depth, word) in words.iter().enumerate() {
        match command.commands.iter().find(|sub| sub.name == word) {
            Some(sub) => command = &sub.command,
            None => return (depth, command),
        }
    }
    (words.len(), command)
}

fn from_environment(
    command: &CommandInfoWithArgs,
    origins: &mut Origins,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, String> {
    let mut added = Vec::new();
    for flag in command.flags {
        let name = long_name(flag);
        let Some(variable) = variable(name).filter(|_| origins.of(name) == Origin::Default) else { continue };
        // An empty variable is how many tools unset one.
        let Some(value) = environment(&variable).filter(|value| !value.is_empty()) else { continue };
        let written = format!("--{name}");
        if is_switch(flag) {
            added.extend(switched(&variable, &value)?.then_some(written));
        } else if flag.optionality == Optionality::Repeating {
            let values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
            added.extend(values.flat_map(|value| [written.clone(), value.to_owned()]));
        } else {
            added.extend([written, value]);
        }
        origins.given.push((name.to_owned(), Origin::Environment));
    }
    Ok(added)
}

fn from_file(command: &CommandInfoWithArgs, origins: &mut Origins, path: &Path) -> Result<Vec<String>, String> {
    let mut added = Vec::new();
    for entry in config_file::read(path, command)? {
        if origins.of(entry.flag) == Origin::Default {
            added.extend(entry.values.into_iter().flat_map(|value| [format!("--{}", entry.flag), value]));
            origins.given.push((entry.flag.to_owned(), Origin::File(entry.line)));
        }
    }
    Ok(added)
}

/// A flag's name without its dashes.
#[must_use]
pub fn long_name(flag: &FlagInfo<'static>) -> &'static str {
    flag.long.trim_start_matches("--")
}

fn is_switch(flag: &FlagInfo<'_>) -> bool {
    matches!(flag.kind, FlagInfoKind::Switch)
}

fn switched(what: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("{what} is on or off, so its value is true or false and not {value:?}\n")),
    }
}

#[cfg(test)]
mod tests {
    use argh::ArgsInfo;

    use super::super::args::Args;
    use super::*;

    fn completed(line: &str, environment: &[(&str, &str)]) -> Result<String, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let look_up = |name: &str| environment.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        complete(&words, &Args::get_args_info(), &look_up).map(|completed| completed.words.join(" "))
    }

    #[test]
    fn values_may_stand_behind_an_equals_sign() {
        for (line, becomes) in [
            ("serve --data=/srv/x=y --listen 1.2.3.4:5", "serve --data /srv/x=y --listen 1.2.3.4:5"),
            ("publish u f --draft=true --json=no", "publish u f --draft"),
            ("publish u f --notes --a=b --version=1", "publish u f --notes --a=b --version 1"),
            ("sync u -- --a=b", "sync u -- --a=b"),
            ("serve --what=ever", "serve --what ever"),
            ("user add omni --data=x", "user add omni --data x"),
            ("", ""),
            ("--x=y", "--x y"),
            ("sync -h", "sync --help"),
        ] {
            assert_eq!(completed(line, &[]).unwrap(), becomes);
        }
        assert!(completed("publish u f --draft=maybe", &[]).unwrap_err().contains("true or false"));
    }

    #[test]
    fn it_is_known_where_a_value_comes_from() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, "log = \"warn\"\n\ntls_key = \"k\"\nlisten = [\"x\", \"--y\"]\n").unwrap();
        let words = ["serve", "--data=/x", "--config", file.to_str().unwrap()].map(str::to_owned);
        let environment = |name: &str| (name == "PACKHOUSE_LOG").then(|| "info".to_owned());
        let Completed { words, origins } = complete(&words, &Args::get_args_info(), &environment).unwrap();
        let wanted =
            format!("serve --log info --tls-key k --listen x --listen --y --data /x --config {}", file.display());
        assert_eq!(words.join(" "), wanted);
        let of = |flag| origins.of(flag);
        assert_eq!((of("data"), of("log"), of("tls-cert")), (Origin::Flag, Origin::Environment, Origin::Default));
        assert_eq!((of("tls-key"), of("listen")), (Origin::File(3), Origin::File(4)));
        for (text, becomes) in [
            ("--data is -- a folder", "--data is -- a folder"),
            ("--log is info, not --loud", "PACKHOUSE_LOG is info, not --loud"),
            ("--tls-cert and --tls-key", "FILE:3: tls_cert and tls_key"),
            ("Error '--tls-key'", "FILE:3: Error 'tls_key'"),
        ] {
            assert_eq!(origins.reword(text), becomes.replace("FILE", file.to_str().unwrap()));
        }
        // The environment may name it, and a file that is not there is no file without settings.
        let in_environment =
            |name: &str| (name == "PACKHOUSE_CONFIG").then(|| folder.path().join("none").display().to_string());
        let failed = complete(&["serve".to_owned()], &Args::get_args_info(), &in_environment).unwrap_err();
        assert!(failed.contains("none: the configuration cannot be read"), "{failed}");
        assert!(complete(&["check".to_owned()], &Args::get_args_info(), &in_environment).is_ok());
    }

    #[test]
    fn misspelt_variables_are_found() {
        let names = ["PACKHOUSE_LISTEN", "PACKHOUSE_TOKEN", "PACKHOUSE_LISTN", "PACKHOUSE_WHATEVER_ELSE", "HOME"];
        let found = unknown_variables(names.iter().map(|name| (*name).to_owned()), &Args::get_args_info());
        let listen = ("PACKHOUSE_LISTN".to_owned(), Some("PACKHOUSE_LISTEN".to_owned()));
        assert_eq!(found, [listen, ("PACKHOUSE_WHATEVER_ELSE".to_owned(), None)]);
    }

    #[test]
    fn what_is_missing_comes_from_the_environment() {
        let environment = [
            ("PACKHOUSE_DATA", "/d"),
            ("PACKHOUSE_LISTEN", "a, b,"),
            ("PACKHOUSE_VERSION", "9"),
            ("PACKHOUSE_JSON", "1"),
        ];
        for (line, becomes) in [
            ("serve", "serve --data /d --listen a --listen b"),
            ("serve --data=/x --listen c", "serve --data /x --listen c"),
            ("user list", "user list --data /d --json"),
            ("publish -- u f", "publish --json -- u f"),
            ("user", "user"),
        ] {
            assert_eq!(completed(line, &environment).unwrap(), becomes);
        }
        assert_eq!(completed("serve", &[("PACKHOUSE_DATA", "")]).unwrap(), "serve");
        assert_eq!(completed("user list", &[("PACKHOUSE_JSON", "0")]).unwrap(), "user list");
        assert!(
            completed("user list", &[("PACKHOUSE_JSON", "x")]).unwrap_err().starts_with("PACKHOUSE_JSON is on or off")
        );
    }
}
