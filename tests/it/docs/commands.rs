//! `ui/docs/commands.md` is what the commands say of themselves. `PACKHOUSE_WRITE_DOCS=1` writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::support::project;

const INTRODUCTION: &str = "\
# Commands

What `packhouse --help` and `packhouse COMMAND --help` say, in one place. Exit status: 0 done, 1 failed, 2 wrong usage.
Progress and messages go to standard error, results to standard output; `--json` makes them JSON. Colours and progress bars
appear on terminals only, and never with `NO_COLOR`.
";

#[test]
fn the_page_of_commands_is_what_they_say() {
    let path = project().join("ui/docs/commands.md");
    let mut page = INTRODUCTION.to_owned();
    describe(&[], &mut page);
    if std::env::var_os("PACKHOUSE_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, page, "ui/docs/commands.md is old: PACKHOUSE_WRITE_DOCS=1 cargo test --test it docs::commands");
}

/// Adds what a command says of itself, or what those below it say.
fn describe(command: &[&str], page: &mut String) {
    let output = Command::new(env!("CARGO_BIN_EXE_packhouse")).args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "{command:?}");
    let help = String::from_utf8(output.stdout).unwrap();
    let parts = parts(&help);
    let below: Vec<(String, String)> =
        parts.iter().find(|(title, _)| title == "Commands").map(|(_, lines)| entries(lines)).unwrap_or_default();
    if below.is_empty() {
        write(command, &parts, page);
    }
    for (name, _) in below {
        describe(&[command, &[name.as_str()]].concat(), page);
    }
}

/// The parts of a help text: what stands before its first blank line, then by title.
fn parts(help: &str) -> Vec<(String, Vec<&str>)> {
    let mut parts: Vec<(String, Vec<&str>)> = vec![(String::new(), Vec::new())];
    for line in help.lines() {
        match line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            Some(title) => parts.push((title.to_owned(), Vec::new())),
            None => parts.last_mut().unwrap().1.push(line),
        }
    }
    parts
}

/// Names and meanings of two columns, whose lines may go on below.
fn entries(lines: &[&str]) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        let more = line.trim();
        match line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
            Some(rest) => {
                let (name, meaning) = rest
                    .split_once("  ")
                    .or(rest.split_once(' ').filter(|_| !rest.starts_with("--help")))
                    .unwrap_or((rest, ""));
                let name = if rest.starts_with("--help") { "--help" } else { name };
                let meaning = if name == "--help" { "tells all this" } else { meaning };
                entries.push((name.to_owned(), meaning.trim().to_owned()));
            }
            None => {
                let (_, meaning) = entries.last_mut().unwrap();
                let _ = write!(meaning, "{}{more}", if meaning.is_empty() { "" } else { " " });
            }
        }
    }
    entries
}

fn write(command: &[&str], parts: &[(String, Vec<&str>)], page: &mut String) {
    let (usage, meaning) = parts[0].1.split_first().unwrap();
    let usage = usage.strip_prefix("Usage: ").unwrap();
    let meaning = meaning.iter().filter(|line| !line.is_empty()).copied().collect::<Vec<&str>>().join(" ");
    let _ = write!(page, "\n## packhouse {}\n\n{meaning}\n\n```text\n{}\n```\n", command.join(" "), wrapped(usage));
    for (title, lines) in &parts[1..] {
        match title.as_str() {
            "Examples" => {
                let examples: Vec<&str> =
                    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
                let _ = write!(page, "\n```text\n{}\n```\n", examples.join("\n"));
            }
            "Notes" => {
                for note in lines.iter().filter(|line| !line.is_empty()) {
                    let _ = write!(page, "\n{}\n", note.trim());
                }
            }
            "Error codes" => {}
            _ => {
                let _ = write!(page, "\n| {} | |\n| --- | --- |\n", title.to_lowercase());
                for (name, meaning) in entries(lines) {
                    let _ = writeln!(page, "| `{name}` | {} |", meaning.replace('|', "\\|"));
                }
            }
        }
    }
}

/// Usage in lines that fit a page, each but the first indented.
fn wrapped(usage: &str) -> String {
    const WIDTH: usize = 76;
    // A bracket with what is in it stays on one line.
    let mut pieces: Vec<String> = Vec::new();
    let mut depth = 0_i32;
    for word in usage.split(' ') {
        if depth > 0 {
            let last = pieces.last_mut().unwrap();
            last.push(' ');
            last.push_str(word);
        } else {
            pieces.push(word.to_owned());
        }
        depth += word.matches('[').count() as i32 - word.matches(']').count() as i32;
    }
    let mut lines = vec![String::new()];
    for piece in pieces {
        let line = lines.last_mut().unwrap();
        if !line.is_empty() && line.len() + 1 + piece.len() > WIDTH {
            lines.push(format!("    {piece}"));
        } else {
            let space = if line.is_empty() { "" } else { " " };
            let _ = write!(line, "{space}{piece}");
        }
    }
    lines.join("\n")
}
