//! `packhouse export`: flags into an export of a running server or of a stopped one's directory, its report into words.

use serde_json::{Value, json};

use super::args::ExportArgs;
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect, in_process};
use crate::client::export::{ExportOptions, ExportReport, export};
use crate::client::sync::SyncLimits;
use crate::client::{Token, Url};

/// Exports.
///
/// # Errors
/// Wrong usage, or why it failed.
pub fn run(args: &ExportArgs, output: &Output) -> Result<(), Failure> {
    let token = connect::token(args.token_file.as_deref())?;
    let report = match &args.url {
        Some(url) => {
            let root = super::sync::view_root(url, args.channel.as_ref())?;
            connect::block_on(work(args, root, token, output))?
        }
        None => in_process::with_directory(&args.data, |url, _| async move {
            let root = match &args.channel {
                None => url.view_root(),
                Some(channel) => url.join(&format!("channels/{channel}/v2/")),
            };
            work(args, root, token, output).await
        })?,
    };
    if report.private_packages > 0 {
        let packages = count(report.private_packages, "private package");
        output.warn(&format!("the files hold {packages}: whoever can read them can read those"));
    }
    output.result(&words(&report), &value(&report))
}

async fn work(args: &ExportArgs, root: Url, token: Option<Token>, output: &Output) -> Result<ExportReport, Failure> {
    let client = connect::client(&root, token, args.ca_file.as_deref(), output);
    let options = ExportOptions {
        root,
        dir: args.dir.clone(),
        archives: !args.no_archives,
        verify: args.verify,
        limits: SyncLimits::default(),
    };
    export(&client, &options, output.progress()).await.map_err(Failure::of)
}

/// A number of things.
pub(super) fn count(n: u64, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

fn words(report: &ExportReport) -> String {
    let ExportReport { packages, written, kept, removed, serial, .. } = report;
    format!(
        "{}: {} written, {kept} kept, {removed} removed, serial {serial}\n{} received in {}\n",
        count(*packages, "package"),
        count(*written, "file"),
        human_bytes(report.received_bytes),
        count(report.requests, "request"),
    )
}

fn value(report: &ExportReport) -> Value {
    json!({
        "packages": report.packages,
        "private_packages": report.private_packages,
        "written": report.written,
        "kept": report.kept,
        "removed": report.removed,
        "serial": report.serial,
        "requests": report.requests,
        "received_bytes": report.received_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_well() {
        let report = ExportReport { packages: 1, written: 4, serial: 7, requests: 2, ..ExportReport::default() };
        let expected = "1 package: 4 files written, 0 kept, 0 removed, serial 7\n0 bytes received in 2 requests\n";
        assert_eq!(words(&report), expected);
        assert_eq!(value(&report)["written"], 4);
    }
}
