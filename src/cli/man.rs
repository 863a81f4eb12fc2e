//! `packhouse man`: the manual page, in the language of man(7).
//!
//! Owns its form. What commands and flags mean is read from the parser's own description of itself.

use std::fmt::Write as _;

use argh::{CommandInfoWithArgs, FlagInfoKind, Optionality};

use super::prepass::{long_name, variable};

/// The page.
#[must_use]
pub fn page(program: &CommandInfoWithArgs) -> String {
    let mut text = format!(".TH PACKHOUSE 1 \"\" \"Packhouse {}\"\n", env!("CARGO_PKG_VERSION"));
    // Writing to memory does not fail, here and below.
    let _ = write!(
        text,
        ".nh\n.ad l\n.SH NAME\npackhouse \\- a package registry and update server\n.SH SYNOPSIS\n.B packhouse\n.I COMMAND\n\
         .RI [ OPTIONS ]\n.SH DESCRIPTION\n{}\n",
        line(program.description)
    );
    examples("packhouse", program, &mut text);
    notes("packhouse", program, &mut text);
    text.push_str(".SH COMMANDS\n");
    for sub in &program.commands {
        command(&format!("packhouse {}", sub.name), &sub.command, &mut text);
    }
    text.push_str(".SH EXIT STATUS\n");
    for code in program.error_codes {
        let _ = write!(text, ".TP\n.B {}\n{}\n", code.code, line(code.description));
    }
    text.push_str(
        ".SH ENVIRONMENT\n.TP\n.B PACKHOUSE_TOKEN\nthe token that is shown to a server\n.PP\nOptions with the name of a \
         variable behind them are taken from it where they are not given. What is on the command line counts first, and \
         the configuration file of\n.B packhouse serve\nlast.\n",
    );
    text
}

fn command(name: &str, command_info: &CommandInfoWithArgs, text: &mut String) {
    if !command_info.commands.is_empty() {
        for sub in &command_info.commands {
            command(&format!("{name} {}", sub.name), &sub.command, text);
        }
        return;
    }
    let mut usage = escaped(name);
    for positional in command_info.positionals {
        let word = format!("\\fI{}\\fP", escaped(&positional.name.to_uppercase()));
        let _ = match positional.optionality {
            Optionality::Required => write!(usage, " {word}"),
            Optionality::Optional => write!(usage, " [{word}]"),
            Optionality::Repeating | Optionality::Greedy => write!(usage, " [{word} \\&...]"),
        };
    }
    let _ = write!(text, ".SS \"{usage}\"\n{}\n", line(command_info.description));
    for positional in command_info.positionals {
        let name = escaped(&positional.name.to_uppercase());
        let _ = write!(text, ".TP\n.I {name}\n{}\n", line(positional.description));
    }
    for flag in command_info.flags {
        let _ = write!(text, ".TP\n\\fB{}\\fP", escaped(flag.long));
        if let FlagInfoKind::Option { arg_name } = flag.kind {
            let _ = write!(text, " \\fI{}\\fP", escaped(arg_name));
        }
        let _ = write!(text, "\n{}\n", line(flag.description));
        if let Some(variable) = variable(long_name(flag)) {
            let _ = writeln!(text, "(\\fB{}\\fP)", escaped(&variable));
        }
    }
    examples(name, command_info, text);
    notes(name, command_info, text);
}

fn examples(name: &str, command: &CommandInfoWithArgs, text: &mut String) {
    for example in command.examples {
        let example: Vec<String> = example.replace("{command_name}", name).lines().map(line).collect();
        let _ = write!(text, ".PP\n.EX\n{}\n.EE\n", example.join("\n"));
    }
}

fn notes(name: &str, command: &CommandInfoWithArgs, text: &mut String) {
    for note in command.notes {
        let _ = write!(text, ".PP\n{}\n", line(&note.replace("{command_name}", name)));
    }
}

/// A text that is no request, whatever it begins with.
fn line(text: &str) -> String {
    let escaped = escaped(text);
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

/// A text as it is to be read, so that what is copied from the page is what was meant.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '`' => escaped.push_str("\\(ga"),
            '"' => escaped.push_str("\\(dq"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
