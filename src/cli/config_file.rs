//! The file with a command's settings: TOML whose keys are the names of its flags, with `_` for `-`.
//!
//! Owns reading it and telling where in it something is wrong. Which settings there are, and what a value may be, is the
//! flags' matter: a value of the file becomes the words that would stand on the command line.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use argh::{CommandInfoWithArgs, FlagInfo, Optionality};
use toml_span::value::ValueInner;

use super::prepass::{long_name, variable};
use crate::model::byte_order_mark::without_mark;

/// Nobody writes more settings than that.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// A name with more mistakes than this in it is another name.
const MISTAKES_MAX: usize = 3;

/// What a line of the file says of a flag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The flag, without dashes.
    pub(super) flag: &'static str,
    /// Its values: one, or any number of a flag that may be given several times.
    pub(super) values: Vec<String>,
    /// Where it is, from 1 on.
    pub(super) line: usize,
}

/// How the file writes the name of a flag.
pub(super) fn key(flag: &str) -> String {
    flag.replace('-', "_")
}

/// Reads the file.
///
/// # Errors
/// All that is wrong with it, each with its place and what would be right.
pub(super) fn read(path: &Path, command: &CommandInfoWithArgs) -> Result<Vec<Entry>, String> {
    let mut bytes = Vec::new();
    let unreadable = |error| format!("{}: the configuration cannot be read: {error}", path.display());
    // Opening a pipe would wait for its writer, and reading one again finds nothing.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{}: a configuration is a file, which can be read again", path.display()));
    }
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{}: a configuration has 1 MiB at most", path.display()));
    }
    let text = String::from_utf8(without_mark(&bytes).to_vec())
        .map_err(|_| format!("{}: a configuration is text in UTF-8", path.display()))?;
    parse(&text, command).map_err(|problems| {
        let lines = problems.iter().map(|(line, problem)| format!("{}:{line}: {problem}", path.display()));
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// Reads its text; what is wrong comes with the line it is in.
fn parse(text: &str, command: &CommandInfoWithArgs) -> Result<Vec<Entry>, Vec<(usize, String)>> {
    let line_at = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    let document = toml_span::parse(text).map_err(|error| vec![(line_at(error.span.start), error.to_string())])?;
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    // A document is a table, always.
    for (key, value) in document.as_table().into_iter().flatten() {
        let line = line_at(key.span.start);
        match entry(&key.name, value.as_ref(), line, command) {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.push((line, problem)),
        }
    }
    entries.sort_by_key(|entry| entry.line);
    problems.sort();
    if problems.is_empty() { Ok(entries) } else { Err(problems) }
}

fn entry(name: &str, value: &ValueInner<'_>, line: usize, command: &CommandInfoWithArgs) -> Result<Entry, String> {
    let flag = settings(command).find(|flag| key(long_name(flag)) == name).ok_or_else(|| unknown(name, command))?;
    let repeats = flag.optionality == Optionality::Repeating;
    let values = match value {
        ValueInner::Array(items) if repeats => items.iter().map(|item| word(item.as_ref())).collect(),
        one => word(one).map(|word| vec![word]),
    };
    let kinds = if repeats { "a text in quotes, or several in brackets" } else { "a number or a text in quotes" };
    let values = values.ok_or_else(|| format!("{name} is {kinds}: {}", flag.description))?;
    Ok(Entry { flag: long_name(flag), values, line })
}

/// A value as it would be written on the command line.
fn word(value: &ValueInner<'_>) -> Option<String> {
    match value {
        ValueInner::String(text) => Some(text.to_string()),
        ValueInner::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The flags that may be set in the file: those of the machine, and not the one that names the file.
pub(super) fn settings(command: &CommandInfoWithArgs) -> impl Iterator<Item = &'static FlagInfo<'static>> + use<> {
    command.flags.iter().filter(|flag| long_name(flag) != "config" && variable(long_name(flag)).is_some())
}

fn unknown(name: &str, command: &CommandInfoWithArgs) -> String {
    let known = settings(command).map(|flag| key(long_name(flag)));
    let near = known.map(|known| (mistakes(&name.to_ascii_lowercase().replace('-', "_"), &known), known)).min();
    match near {
        Some((mistakes, near)) if mistakes <= MISTAKES_MAX.min(near.len() / 2) => {
            format!("there is no setting {name}; there is {near}")
        }
        _ => format!("there is no setting {name}; the flags of `packhouse serve` are those there are, with _ for -"),
    }
}

/// How many letters must change, come, go or trade places with their neighbour until one word is the other.
fn mistakes(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().take(64).collect(), other.chars().collect());
    // Rows of the table of all beginnings of both words.
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for at in 1..=one.len() {
        let mut next = vec![at];
        for to in 1..=other.len() {
            let changed = row[to - 1] + usize::from(one[at - 1] != other[to - 1]);
            let mut least = changed.min(row[to] + 1).min(next[to - 1] + 1);
            if at > 1 && to > 1 && one[at - 1] == other[to - 2] && one[at - 2] == other[to - 1] {
                least = least.min(before[to - 2] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use argh::ArgsInfo;

    use super::super::args::ServeArgs;
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Entry>, Vec<(usize, String)>> {
        parse(text, &ServeArgs::get_args_info())
    }

    #[test]
    fn keys_are_flags() {
        let text = "# a comment\nmax_file_size = \"1GiB\"\n\nlisten = [\n  \"127.0.0.1:1\",\n  \"[::1]:2\",\n]\n\
            max_connections = 7\ntrusted_proxy = '10.0.0.0/8'\n";
        let found = parsed(text).unwrap();
        let found: Vec<_> = found.iter().map(|entry| (entry.flag, entry.values.join(" "), entry.line)).collect();
        let wanted = [
            ("max-file-size", "1GiB", 2),
            ("listen", "127.0.0.1:1 [::1]:2", 4),
            ("max-connections", "7", 8),
            ("trusted-proxy", "10.0.0.0/8", 9),
        ];
        assert_eq!(found, wanted.map(|(flag, values, line)| (flag, values.to_owned(), line)));
        assert_eq!(parsed("").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, hint) in [
            ("\nmax_file_siz = 1", 2, "there is max_file_size"),
            ("max-file-size = 1", 1, "there is max_file_size"),
            ("Listen = 1", 1, "there is listen"),
            ("lsiten = 1", 1, "there is listen"),
            ("colour = 1", 1, "there is no setting colour; the flags of `packhouse serve`"),
            ("config = \"x\"", 1, "there is no setting config"),
            ("print_config = true", 1, "there is no setting print_config"),
            ("[server]\nlisten = 1", 1, "there is no setting server"),
            ("data = true", 1, "data is a number or a text in quotes: folder with everything"),
            ("data = [\"x\"]", 1, "data is a number or a text in quotes"),
            ("\n\nlisten = [1.5]", 3, "or several in brackets"),
            ("log = info", 1, "quoted string"),
            ("data = \"a\"\ndata = \"b\"", 2, "duplicate key"),
            ("data = \"", 1, "unterminated"),
        ] {
            let problems = parsed(text).unwrap_err();
            assert_eq!(problems[0].0, line, "{text}: {problems:?}");
            assert!(problems[0].1.contains(hint), "{text}: {problems:?}");
        }
        assert_eq!(parsed("a = 1\nlog = 1\nb = 2").unwrap_err().len(), 2, "all are told at once");
        assert!(parsed(&format!("data = {}1{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    }

    #[test]
    fn mistakes_are_counted() {
        for (one, other, count) in
            [("", "", 0), ("listen", "listen", 0), ("lsiten", "listen", 1), ("", "ab", 2), ("log", "logs", 1)]
        {
            assert_eq!((mistakes(one, other), mistakes(other, one)), (count, count), "{one} {other}");
        }
    }
}
