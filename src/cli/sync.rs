//! `packhouse sync`: flags into a sync, its report into words.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::SyncArgs;
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect};
use crate::client::Url;
use crate::client::problem::printable;
use crate::client::sync::{SyncError, SyncLimits, SyncOptions, SyncReport, SyncWay, sync};
use crate::model::ChannelName;

/// Names told one by one; more are told in numbers.
const NAMES_SHOWN_MAX: usize = 20;

/// Syncs.
///
/// # Errors
/// Wrong usage, or why the sync failed.
pub fn run(args: &SyncArgs, output: &Output) -> Result<(), Failure> {
    let options = configure(args)?;
    let token = connect::token(args.token_file.as_deref())?;
    let client = connect::client(&options.root, token, args.ca_file.as_deref(), output);
    let progress = output.progress();
    let report = connect::block_on(async {
        let missing = match sync(&client, &options, Arc::clone(&progress)).await {
            Err(error @ SyncError::NoRegistry(_)) => error,
            result => return result.map_err(Failure::of),
        };
        // Static files may stand at the address as it is.
        let Some(root) = plain_root(args).filter(|root| *root != options.root) else {
            return Err(Failure::of(missing));
        };
        match sync(&client, &SyncOptions { root, ..options }, progress).await {
            Err(SyncError::NoRegistry(_)) => Err(Failure::of(missing)),
            result => result.map_err(Failure::of),
        }
    })?;
    output.result(&words(&report), &value(&report))
}

fn configure(args: &SyncArgs) -> Result<SyncOptions, Failure> {
    let root = view_root(&args.url, args.channel.as_ref())?;
    Ok(SyncOptions { root, dir: args.dir.clone(), verify: args.verify, limits: SyncLimits::default() })
}

/// The address itself as the root of a view, where no channel is named.
fn plain_root(args: &SyncArgs) -> Option<Url> {
    Url::parse_base(&args.url).ok().filter(|_| args.channel.is_none())
}

/// The root of the view that an address and a channel name.
pub(super) fn view_root(url: &str, channel: Option<&ChannelName>) -> Result<Url, Failure> {
    let url = connect::registry_url(url)?;
    match channel {
        None => Ok(url.view_root()),
        Some(channel) => channel_root(&url, channel.as_str()),
    }
}

fn channel_root(url: &Url, channel: &str) -> Result<Url, Failure> {
    if url.path().ends_with("/v2/") || url.path().contains("/channels/") {
        return Err(Failure::Usage(format!(
            "{url} already names a view; give the server's address together with --channel {channel}"
        )));
    }
    Ok(url.join(&format!("channels/{channel}/v2/")))
}

fn words(report: &SyncReport) -> String {
    let mut text = String::new();
    let mut line = |text_of: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{text_of}");
    };
    let changes = [('+', &report.added), ('~', &report.changed), ('-', &report.removed)];
    if changes.iter().map(|(_, names)| names.len()).sum::<usize>() <= NAMES_SHOWN_MAX {
        for (sign, names) in changes {
            for name in names {
                line(format_args!("{sign} {name}"));
            }
        }
    }
    let serial =
        report.serial.as_deref().and_then(printable).map_or_else(String::new, |serial| format!(", serial {serial}"));
    if !report.is_new_state {
        line(format_args!("up to date{serial}"));
        return text;
    }
    let [added, changed, removed] = changes.map(|(_, names)| names.len());
    line(format_args!("{added} added, {changed} changed, {removed} removed{serial}"));
    let bytes = human_bytes(report.received_bytes);
    let requests = if report.requests == 1 { "request" } else { "requests" };
    line(format_args!("{bytes} received in {} {requests}", report.requests));
    if report.files_reused > 0 {
        line(format_args!("{} files were here from a run that had broken off", report.files_reused));
    }
    text
}

fn value(report: &SyncReport) -> Value {
    json!({
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "new_state": report.is_new_state,
        "serial": report.serial,
        "way": match report.way {
            SyncWay::Changes => "changes",
            SyncWay::Registry => "registry.gz",
        },
        "files_fetched": report.files_fetched,
        "files_reused": report.files_reused,
        "requests": report.requests,
        "received_bytes": report.received_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(url: &str, channel: Option<&str>) -> SyncArgs {
        SyncArgs {
            url: url.into(),
            dir: "d".into(),
            channel: channel.map(|name| name.parse().unwrap()),
            verify: false,
            token_file: None,
            ca_file: None,
            json: false,
        }
    }

    #[test]
    fn the_view_follows_from_address_and_channel() {
        for (url, channel, root) in [
            ("http://h", None, "http://h/v2/"),
            ("http://h/channels/beta/v2/", None, "http://h/channels/beta/v2/"),
            ("http://h/t/x/", Some("beta"), "http://h/t/x/channels/beta/v2/"),
        ] {
            assert_eq!(configure(&args(url, channel)).unwrap().root.exposed(), root);
        }
        for url in ["http://h/v2/", "http://h/channels/beta/"] {
            let Err(Failure::Usage(text)) = configure(&args(url, Some("beta"))) else { panic!() };
            assert!(text.contains("give the server's address"), "{text}");
        }
    }

    #[test]
    fn a_report_reads_well() {
        let report = SyncReport {
            added: vec!["omni.a".parse().unwrap()],
            changed: vec!["omni.b".parse().unwrap()],
            removed: vec![],
            is_new_state: true,
            serial: Some("7".into()),
            way: SyncWay::Changes,
            files_fetched: 3,
            files_reused: 0,
            requests: 4,
            received_bytes: 2048,
        };
        let expected = "+ omni.a\n~ omni.b\n1 added, 1 changed, 0 removed, serial 7\n2.0 KiB received in 4 requests\n";
        assert_eq!(words(&report), expected);
        assert_eq!(value(&report)["added"], json!(["omni.a"]));
        assert_eq!(value(&report)["way"], "changes");
        assert_eq!(value(&SyncReport { way: SyncWay::Registry, ..report.clone() })["way"], "registry.gz");
        let many = SyncReport { added: vec!["omni.a".parse().unwrap(); 21], ..report.clone() };
        assert!(words(&many).starts_with("21 added"));
        let same = SyncReport { added: vec![], changed: vec![], is_new_state: false, ..report };
        assert_eq!(words(&same), "up to date, serial 7\n");
    }
}
