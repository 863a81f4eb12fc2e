//! `packhouse completions`: what completes command lines in bash, zsh and fish.
//!
//! Owns the form of the three scripts. Which commands and flags there are is read from the parser's own description of
//! itself. Names of flags and commands are letters and dashes, so they need no quotes in any shell; descriptions do.

use std::fmt::Write as _;
use std::str::FromStr;

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};

/// A shell that can be told how to complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// GNU bash, from 4.4 on.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

impl FromStr for Shell {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "bash" => Ok(Self::Bash),
            "zsh" => Ok(Self::Zsh),
            "fish" => Ok(Self::Fish),
            _ => Err("completions are for bash, zsh or fish"),
        }
    }
}

/// What may stand behind a flag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    File,
    Folder,
    Anything,
}

impl Takes {
    fn of(flag: &FlagInfo<'_>) -> Self {
        match flag.kind {
            FlagInfoKind::Switch => Self::Nothing,
            FlagInfoKind::Option { arg_name: "file" | "path" } => Self::File,
            FlagInfoKind::Option { arg_name: "dir" } => Self::Folder,
            FlagInfoKind::Option { .. } => Self::Anything,
        }
    }
}

/// The script for a shell.
#[must_use]
pub fn script(shell: Shell, program: &CommandInfoWithArgs) -> String {
    let mut text = String::new();
    // Writing to memory does not fail, here and below.
    match shell {
        Shell::Bash => bash(program, &mut text),
        Shell::Zsh => {
            text.push_str("#compdef packhouse\n");
            zsh(program, "_packhouse", &mut text);
            // Run as a function of the completion system, or sourced.
            text.push_str(
                "if [ \"$funcstack[1]\" = _packhouse ]; then _packhouse \"$@\"; else compdef _packhouse packhouse; fi\n",
            );
        }
        Shell::Fish => {
            text.push_str("complete -c packhouse -f\n");
            fish(program, &[], &mut text);
        }
    }
    text
}

/// All commands below one, each with the words that name it.
fn each<'a>(command: &'a CommandInfoWithArgs, path: &str, visit: &mut dyn FnMut(&str, &'a CommandInfoWithArgs)) {
    visit(path, command);
    for sub in &command.commands {
        each(&sub.command, &format!("{path}/{}", sub.name), visit);
    }
}

fn takes_words(command: &CommandInfoWithArgs) -> bool {
    !command.positionals.is_empty()
}

fn bash(program: &CommandInfoWithArgs, text: &mut String) {
    let (mut paths, mut flags, mut files, mut folders, mut others) = (vec![], String::new(), vec![], vec![], vec![]);
    each(program, "", &mut |path, command| {
        if !path.is_empty() {
            paths.push(path.to_owned());
        }
        let subs = command.commands.iter().map(|sub| sub.name.to_owned());
        let own = command.flags.iter().map(|flag| flag.long.to_owned());
        let words: Vec<String> = subs.chain(own).collect();
        let files_too = u8::from(takes_words(command));
        let _ = writeln!(flags, "        '{path}') words='{}'; files={files_too} ;;", words.join(" "));
        for flag in command.flags {
            let pattern = format!("{path}:{}", flag.long);
            match Takes::of(flag) {
                Takes::Nothing => {}
                Takes::File => files.push(pattern),
                Takes::Folder => folders.push(pattern),
                Takes::Anything => others.push(pattern),
            }
        }
    });
    let _ = write!(
        text,
        "# Completes command lines of packhouse in bash.
_packhouse() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} path= words= files= word
    COMPREPLY=()
    # --flag=value comes as three words.
    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
    for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do
        case $path/$word in
        {}) path=$path/$word ;;
        esac
    done
    case $path:$prev in
        {})
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")
            return ;;
        {})
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")
            return ;;
        {}) return ;;
    esac
    case $path in
{flags}    esac
    if [[ $cur != -* && $files == 1 ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")
    else
        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")
    fi
}}
complete -F _packhouse packhouse
",
        paths.join(" | "),
        files.join(" | "),
        folders.join(" | "),
        others.join(" | "),
    );
}

/// A text between single quotes, where zsh's own functions read it too.
fn zsh_text(text: &str) -> String {
    let mut quoted = String::new();
    for letter in text.chars() {
        match letter {
            '\'' => quoted.push_str("'\\''"),
            '[' | ']' | ':' | '\\' => quoted.extend(['\\', letter]),
            _ => quoted.push(letter),
        }
    }
    quoted
}

fn zsh(command: &CommandInfoWithArgs, function: &str, text: &mut String) {
    let _ = write!(text, "{function}() {{\n    local line state\n    _arguments -s -S -C");
    for flag in command.flags {
        let many = if flag.optionality == Optionality::Repeating { "*" } else { "" };
        let value = match (Takes::of(flag), &flag.kind) {
            (Takes::Nothing, _) | (_, FlagInfoKind::Switch) => String::new(),
            (Takes::File, FlagInfoKind::Option { arg_name }) => format!(":{arg_name}:_files"),
            (Takes::Folder, FlagInfoKind::Option { arg_name }) => format!(":{arg_name}:_files -/"),
            (Takes::Anything, FlagInfoKind::Option { arg_name }) => format!(":{}: ", zsh_text(arg_name)),
        };
        let equals = if value.is_empty() { "" } else { "=" };
        let _ = write!(text, " \\\n        '{many}{}{equals}[{}]{value}'", flag.long, zsh_text(flag.description));
    }
    if command.commands.is_empty() {
        let more = if takes_words(command) { " \\\n        '*: :_files'" } else { "" };
        let _ = writeln!(text, "{more}\n}}");
        return;
    }
    let _ = write!(
        text,
        " \\\n        '1: :->command' '*:: :->words'\n    case $state in\n    command)\n        local -a commands=("
    );
    for sub in &command.commands {
        let _ = write!(text, "\n            '{}:{}'", sub.name, zsh_text(sub.command.description));
    }
    let _ = write!(text, ")\n        _describe command commands ;;\n    words)\n        case $line[1] in\n");
    for sub in &command.commands {
        let _ = writeln!(text, "        {}) {function}_{} ;;", sub.name, sub.name);
    }
    text.push_str("        esac ;;\n    esac\n}\n");
    for sub in &command.commands {
        zsh(&sub.command, &format!("{function}_{}", sub.name), text);
    }
}

/// A text between single quotes.
fn fish_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

fn fish(command: &CommandInfoWithArgs, path: &[&str], text: &mut String) {
    let seen: Vec<String> = path.iter().map(|word| format!("__fish_seen_subcommand_from {word}")).collect();
    let here = seen.join("; and ");
    for sub in &command.commands {
        let names: Vec<&str> = command.commands.iter().map(|sub| sub.name).collect();
        let when = match here.as_str() {
            "" => "__fish_use_subcommand".to_owned(),
            _ => format!("{here}; and not __fish_seen_subcommand_from {}", names.join(" ")),
        };
        let meaning = fish_text(sub.command.description);
        let _ = writeln!(text, "complete -c packhouse -n '{when}' -a {} -d '{meaning}'", sub.name);
        fish(&sub.command, &[path, &[sub.name]].concat(), text);
    }
    let when = if here.is_empty() { "__fish_use_subcommand" } else { &here };
    for flag in command.flags {
        let takes = match Takes::of(flag) {
            Takes::Nothing => "",
            Takes::File => " -r -F",
            Takes::Folder => " -x -a '(__fish_complete_directories)'",
            Takes::Anything => " -x",
        };
        let (name, meaning) = (flag.long.trim_start_matches("--"), fish_text(flag.description));
        let _ = writeln!(text, "complete -c packhouse -n '{when}' -l {name}{takes} -d '{meaning}'");
    }
    if takes_words(command) {
        let _ = writeln!(text, "complete -c packhouse -n '{when}' -F");
    }
}
