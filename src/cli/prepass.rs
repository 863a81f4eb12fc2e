//! What happens to the command line before it is parsed: `--x=y` becomes `--x y`, and flags that are missing come from
//! the environment.
//!
//! Which flags there are is read from the parser's own description of itself, so nothing is listed twice.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};

/// Flags that can be set as `PACKHOUSE_FLAG`: those that belong to a machine or a pipeline. Those that belong to one
/// call cannot: a forgotten `PACKHOUSE_VERSION` would publish the wrong thing.
const FROM_ENVIRONMENT: [&str; 26] = [
    "data",
    "listen",
    "tls-cert",
    "tls-key",
    "public-url",
    "trusted-proxy",
    "max-file-size",
    "upload-expiry",
    "statistics-days",
    "user-quota",
    "max-audit-entries",
    "max-header-size",
    "max-connections",
    "max-connections-per-address",
    "header-timeout",
    "idle-timeout",
    "body-timeout",
    "shutdown-timeout",
    "log",
    "channel",
    "platform",
    "index",
    "url",
    "token-file",
    "ca-file",
    "json",
];

/// The variable for a flag, if it has one.
#[must_use]
pub fn variable(flag: &str) -> Option<String> {
    let is_listed = FROM_ENVIRONMENT.contains(&flag);
    is_listed.then(|| format!("PACKHOUSE_{}", flag.to_ascii_uppercase().replace('-', "_")))
}

/// Where the value of a flag comes from: the command line, the environment, or nowhere.
#[must_use]
pub fn source(words: &[String], flag: &str, environment: &dyn Fn(&str) -> Option<String>) -> &'static str {
    let is_given = |word: &String| {
        word.strip_prefix("--").is_some_and(|word| word.split('=').next().is_some_and(|name| name == flag))
    };
    if words.iter().any(is_given) {
        "flag"
    } else if variable(flag).and_then(|name| environment(&name)).is_some_and(|value| !value.is_empty()) {
        "environment"
    } else {
        "default"
    }
}

/// Splits `--x=y` and adds the flags that are set in the environment and not on the command line.
///
/// # Errors
/// If a switch has a value that is neither yes nor no.
pub fn complete(
    words: &[String],
    program: &CommandInfoWithArgs,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, String> {
    let (depth, command) = find_command(words, program);
    let mut completed = words[..depth].to_vec();
    let mut given = Vec::new();
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
        given.push(name.to_owned());
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
    }
    // Before everything else, because behind `--` nothing is a flag.
    let added = from_environment(command, &given, environment)?;
    completed.splice(depth..depth, added);
    Ok(completed)
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
    given: &[String],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, String> {
    let mut added = Vec::new();
    for flag in command.flags {
        let name = long_name(flag);
        let Some(variable) = variable(name).filter(|_| !given.iter().any(|given| given == name)) else { continue };
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
        complete(&words, &Args::get_args_info(), &look_up).map(|words| words.join(" "))
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
        let words = ["serve", "--data=/x", "--listen", "1.2.3.4:5"].map(str::to_owned);
        let environment = |name: &str| (name != "PACKHOUSE_TLS_KEY").then(|| "x".to_owned());
        let of = |flag| source(&words, flag, &environment);
        assert_eq!((of("data"), of("listen"), of("log"), of("tls-key")), ("flag", "flag", "environment", "default"));
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
