//! `packhouse import`: flags into an import to a running server or into a stopped one's directory, its report into words.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::ImportArgs;
use super::export::count;
use super::output::Output;
use super::{Failure, connect, in_process};
use crate::client::import::{ImportLimits, ImportOptions, ImportReport, Tree, import};
use crate::client::{Token, Url};

/// Imports.
///
/// # Errors
/// Wrong usage, or why it failed and what was published before.
pub fn run(args: &ImportArgs, output: &Output) -> Result<(), Failure> {
    let tree = tree(args, output)?;
    let report = match &args.url {
        Some(url) => {
            let base = connect::server_url(url)?;
            let token = connect::token(args.token_file.as_deref())?;
            if token.is_none() && !base.path().contains("/t/") {
                let text = "publishing needs a token; set PACKHOUSE_TOKEN, or give --token-file FILE";
                return Err(Failure::Usage(text.to_owned()));
            }
            connect::block_on(work(args, base, tree, token, output))?
        }
        None => in_process::with_directory(&args.data, |base, registry| async move {
            let (secret, id) = in_process::borrow_token(&registry, &args.into).await?;
            let done = match secret.parse() {
                Ok(token) => work(args, base, tree, Some(token), output).await,
                Err(why) => Err(Failure::of(why)),
            };
            registry.remove_token_of(&args.into, id).await.map_err(Failure::of)?;
            done
        })?,
    };
    output.result(&words(&report), &value(&report))
}

/// What is imported: what begins as an address does is one.
fn tree(args: &ImportArgs, output: &Output) -> Result<Tree, Failure> {
    if !args.from.contains("://") {
        if args.link {
            let text = "--link leaves archives where they are, so it needs the address of the tree and not its folder";
            return Err(Failure::Usage(text.to_owned()));
        }
        return Ok(Tree::Folder(PathBuf::from(&args.from)));
    }
    let url = connect::registry_url(&args.from)?;
    if args.link && url.path().contains("/t/") {
        let text = "--link would publish the token in this address; give it with --from-token-file";
        return Err(Failure::Usage(text.to_owned()));
    }
    let token = args.from_token_file.as_deref().map(|path| connect::token(Some(path))).transpose()?.flatten();
    let client = connect::client(&url, token, args.ca_file.as_deref(), output);
    Ok(Tree::Remote { client, url })
}

async fn work(
    args: &ImportArgs,
    base: Url,
    tree: Tree,
    token: Option<Token>,
    output: &Output,
) -> Result<ImportReport, Failure> {
    let client = connect::client(&base, token, args.ca_file.as_deref(), output);
    let options = ImportOptions {
        base,
        namespace: args.into.clone(),
        channel: args.channel.clone(),
        link: args.link,
        private: args.private,
        limits: ImportLimits::default(),
    };
    import(&client, tree, &options, output.progress()).await.map_err(|failed| {
        let done = match failed.finished {
            0 => "Nothing was published by then".to_owned(),
            n => format!("{} had been published by then and will stay", count(n, "release")),
        };
        let advice = "no release is visible in parts. The same command goes on from there.";
        Failure::Failed(format!("{failed}\n{done}; {advice}"))
    })
}

fn words(report: &ImportReport) -> String {
    let ImportReport { packages, packages_made, published, changed, unchanged, .. } = report;
    let mut text = format!(
        "{} ({packages_made} new): {} published, {changed} changed, {unchanged} there already\n",
        count(*packages, "package"),
        count(*published, "release"),
    );
    let linked = report.archives_linked;
    text.push_str(&format!("{} sent, {linked} left elsewhere\n", count(report.archives_sent, "archive")));
    text
}

fn value(report: &ImportReport) -> Value {
    json!({
        "packages": report.packages,
        "packages_made": report.packages_made,
        "published": report.published,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "archives_sent": report.archives_sent,
        "archives_linked": report.archives_linked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_well() {
        let report = ImportReport { packages: 2, packages_made: 1, published: 1, ..ImportReport::default() };
        let expected =
            "2 packages (1 new): 1 release published, 0 changed, 0 there already\n0 archives sent, 0 left elsewhere\n";
        assert_eq!(words(&report), expected);
        assert_eq!(value(&report)["published"], 1);
    }
}
