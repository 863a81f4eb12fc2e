//! `packhouse check`: a look at a stopped server's files, and what it found into words.

use std::sync::Arc;

use serde_json::json;

use super::args::CheckArgs;
use super::export::count;
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect};
use crate::client::progress::Task;
use crate::store::check::{CheckDepth, CheckReport, check};
use crate::store::media::DirMedia;

/// Checks a directory.
///
/// # Errors
/// If something is damaged, the directory is in use, or cannot be read.
pub fn run(args: &CheckArgs, output: &Output) -> Result<(), Failure> {
    super::in_process::require_directory(&args.data)?;
    let media = Arc::new(DirMedia::open(&args.data).map_err(Failure::of)?);
    let depth = if args.deep { CheckDepth::Files } else { CheckDepth::References };
    let progress = output.progress();
    let reached = |done, all| {
        if done == 0 {
            progress.begin(Task::Digest { bytes: all });
        }
        progress.reached(done);
    };
    let report = connect::block_on(async { check(media, None, depth, &reached).await.map_err(Failure::of) })?;
    drop(progress);
    if report.is_sound() {
        return output.result(&words(&report), &value(&report));
    }
    output.result(&words(&report), &value(&report))?;
    Err(Failure::Told)
}

fn words(report: &CheckReport) -> String {
    let mut text = String::new();
    for damage in &report.damages {
        text.push_str(&format!("damaged: {}\n", damage.what));
        for file in &damage.affects {
            text.push_str(&format!("    {file}\n"));
        }
    }
    if report.further_damages > 0 {
        text.push_str(&format!("and {} more\n", report.further_damages));
    }
    text.push_str(&format!(
        "{}, {}, {} ({}) {}\n",
        count(report.packages, "package"),
        count(report.files, "file"),
        count(report.blobs, "content"),
        human_bytes(report.blob_bytes),
        if report.read_all { "read" } else { "found; --deep reads them too" },
    ));
    if report.is_sound() {
        text.push_str("all is well\n");
    } else {
        text.push_str(
            "What is not named here can be served. Get the rest from a backup with `packhouse restore` into another \
             directory, or delete the releases that are named and publish them again.\n",
        );
    }
    text
}

fn value(report: &CheckReport) -> serde_json::Value {
    let damages = report.damages.iter().map(|damage| json!({ "what": damage.what, "affects": damage.affects }));
    json!({
        "sound": report.is_sound(),
        "packages": report.packages,
        "files": report.files,
        "blobs": report.blobs,
        "blob_bytes": report.blob_bytes,
        "read_all": report.read_all,
        "damages": damages.collect::<Vec<_>>(),
        "further_damages": report.further_damages,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::check::Damage;

    #[test]
    fn a_report_says_what_to_do() {
        let mut report = CheckReport { packages: 1, files: 2, blobs: 2, blob_bytes: 9, ..CheckReport::default() };
        let found = "1 package, 2 files, 2 contents (9 bytes) found; --deep reads them too\n";
        assert_eq!(words(&report), format!("{found}all is well\n"));
        assert_eq!(value(&report)["sound"], true);
        let affects = vec!["omni.a stable 1.0.0: a.zip (any)".to_owned()];
        report.damages.push(Damage { what: "content 00: it is missing".to_owned(), affects });
        let text = words(&report);
        assert!(
            text.starts_with("damaged: content 00: it is missing\n    omni.a stable 1.0.0: a.zip (any)\n"),
            "{text}"
        );
        assert!(text.contains("`packhouse restore`") && !text.contains("well"), "{text}");
        assert_eq!(value(&report)["damages"][0]["affects"][0], "omni.a stable 1.0.0: a.zip (any)");
    }
}
