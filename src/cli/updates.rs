//! `packhouse updates`: flags into an update check, its answer into words.

use serde_json::{Value, json};

use super::args::{UpdateMode, UpdatesArgs};
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect};
use crate::client::problem::printable;
use crate::client::updates::{Update, UpdateQuery, all, newest};

/// Asks. That nothing is newer is no failure.
///
/// # Errors
/// Wrong usage, or why there was no answer.
pub fn run(args: &UpdatesArgs, output: &Output) -> Result<(), Failure> {
    let url = connect::server_url(&args.url)?;
    let token = connect::token(args.token_file.as_deref())?;
    let client = connect::client(&url, token, args.ca_file.as_deref(), output);
    let query = UpdateQuery {
        id: args.id.clone(),
        channel: args.channel.clone(),
        platform: args.platform.clone(),
        version: args.version.clone(),
    };
    let found = connect::block_on(async {
        match args.mode {
            UpdateMode::Newest => newest(&client, &url, &query).await.map(|update| update.into_iter().collect()),
            UpdateMode::All => all(&client, &url, &query).await,
        }
        .map_err(Failure::of)
    })?;
    output.result(&words(args, &found), &value(&found))
}

fn words(args: &UpdatesArgs, found: &[Update]) -> String {
    if found.is_empty() {
        let installed = args.version.as_ref().map_or(String::new(), |version| format!(" newer than {version}"));
        return format!("there is nothing{installed} of {}\n", args.id);
    }
    found.iter().map(|update| one(args, update)).collect::<Vec<_>>().join("\n")
}

fn one(args: &UpdatesArgs, update: &Update) -> String {
    let released = update.released.as_deref().and_then(printable);
    let released = released.map_or(String::new(), |time| format!(", released {time}"));
    let size = update.size.map_or_else(|| "size unknown".to_owned(), human_bytes);
    let sha256 = update.sha256.map_or_else(|| "unknown".to_owned(), |sha256| sha256.to_string());
    let address = printable(&update.filename).unwrap_or_default();
    let mut text = format!("{} {}{released}, {size}\n{address}\nsha256 {}\n", args.id, update.version, sha256);
    for needed in &update.requirements {
        let parts = [Some(&needed.kind), Some(&needed.name), needed.version.as_ref()];
        let parts: Vec<_> = parts.into_iter().flatten().filter_map(|part| printable(part)).collect();
        text.push_str(&format!("needs {}\n", parts.join(" ")));
    }
    // Line by line, because only line ends may pass of what drives a terminal.
    for line in update.release_notes.iter().flat_map(|notes| notes.lines()) {
        let line = printable(line).unwrap_or_default();
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    text
}

fn value(found: &[Update]) -> Value {
    json!({ "newer": !found.is_empty(), "updates": found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> UpdatesArgs {
        UpdatesArgs {
            url: "http://h".into(),
            id: "omni.foo".parse().unwrap(),
            channel: None,
            platform: None,
            version: Some("1.0.0".parse().unwrap()),
            mode: UpdateMode::Newest,
            token_file: None,
            ca_file: None,
            json: false,
        }
    }

    #[test]
    fn an_answer_reads_well_and_drives_no_terminal() {
        assert_eq!(words(&args(), &[]), "there is nothing newer than 1.0.0 of omni.foo\n");
        let update: Update = serde_json::from_value(json!({
            "version": "1.1.0", "released": "2026-11-21T08:00:00Z", "size": 2048, "filename": "http://h/f\u{1b}[2J",
            "sha256": "ab".repeat(32), "releaseNotes": "# New\n\n\u{1b}[31mred",
            "requirements": [{"type": "os", "name": "linux", "version": "6"}],
        }))
        .unwrap();
        let expected = format!(
            "omni.foo 1.1.0, released 2026-11-21T08:00:00Z, 2.0 KiB\nhttp://h/f [2J\nsha256 {}\nneeds os linux 6\n  # New\n\n  [31mred\n",
            "ab".repeat(32)
        );
        assert_eq!(words(&args(), std::slice::from_ref(&update)), expected);
        let value = value(&[update]);
        assert_eq!((&value["newer"], &value["updates"][0]["version"]), (&json!(true), &json!("1.1.0")));
    }
}
