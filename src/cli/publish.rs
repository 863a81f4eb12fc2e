//! `packhouse publish`: flags and files into a publication, its outcome into words.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use super::args::PublishArgs;
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect};
use crate::client::problem::printable;
use crate::client::publish::{Publication, Published, publish};
use crate::model::byte_order_mark::without_mark;
use crate::model::limits::{MANIFEST_BYTES_MAX, MARKDOWN_BYTES_MAX};
use crate::model::{DisplayName, Manifest};

/// Publishes.
///
/// # Errors
/// Wrong usage, or why it failed.
pub fn run(args: &PublishArgs, output: &Output) -> Result<(), Failure> {
    let url = connect::server_url(&args.url)?;
    let publication = configure(args)?;
    let token = connect::token(args.token_file.as_deref())?;
    if token.is_none() && !url.path().contains("/t/") {
        let text = "publishing needs a token; set PACKHOUSE_TOKEN, or give --token-file FILE";
        return Err(Failure::Usage(text.to_owned()));
    }
    let client = connect::client(&url, token, args.ca_file.as_deref(), output);
    let progress = output.progress();
    let published =
        connect::block_on(async { publish(&client, &url, &publication, progress).await.map_err(Failure::of) })?;
    output.result(&words(&publication, &published), &value(&publication, &published))
}

fn configure(args: &PublishArgs) -> Result<Publication, Failure> {
    let file_name = args.file.file_name().and_then(|name| name.to_str());
    let file_name = file_name.ok_or_else(|| Failure::Usage(format!("{}: this names no file", args.file.display())))?;
    let display_name: DisplayName =
        file_name.parse().map_err(|why| Failure::Usage(format!("{}: {why}; rename it", args.file.display())))?;
    let manifest = args.manifest.as_deref().map(|path| {
        let text = read(path, MANIFEST_BYTES_MAX)?;
        Manifest::parse(&text).map_err(|why| Failure::Failed(format!("{}: {why}", path.display())))
    });
    let notes = args.notes.as_deref().map(|path| {
        let text = String::from_utf8(without_mark(&read(path, MARKDOWN_BYTES_MAX)?).to_vec());
        let text = text.map_err(|_| Failure::Failed(format!("{}: release notes are UTF-8 text", path.display())))?;
        text.parse().map_err(|why| Failure::Failed(format!("{}: {why}", path.display())))
    });
    Ok(Publication {
        package: args.package.clone(),
        version: args.version.clone(),
        channel: args.channel.clone(),
        platform: args.platform.clone(),
        file: args.file.clone(),
        display_name,
        manifest: manifest.transpose()?,
        role: args.role,
        notes: notes.transpose()?,
        draft: args.draft,
        create_platform: args.create_platform,
    })
}

/// A small file, and one byte more than it may have, so that its parser refuses it with its own words.
fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut text));
    read.map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    Ok(text)
}

fn words(publication: &Publication, published: &Published) -> String {
    let Publication { package, version, platform, display_name, .. } = publication;
    let channel = &published.channel;
    let verb = if published.is_new { "published" } else { "unchanged:" };
    let visible = if published.is_active { "" } else { ", not visible yet" };
    let url = printable(&published.url).unwrap_or_default();
    let size = human_bytes(published.size_bytes);
    let sha256 = published.sha256;
    let warnings = published.warnings.iter().filter_map(|warning| printable(warning));
    let warnings: String = warnings.map(|warning| format!("warning: {warning}\n")).collect();
    format!(
        "{warnings}{verb} {package} {version} on {channel} for {platform}{visible}\n{display_name}, {size}, sha256 {sha256}\n{url}\n"
    )
}

fn value(publication: &Publication, published: &Published) -> Value {
    json!({
        "outcome": if published.is_new { "created" } else { "unchanged" },
        "package": publication.package,
        "version": publication.version.as_str(),
        "channel": published.channel,
        "platform": publication.platform,
        "active": published.is_active,
        "url": published.url,
        "sha256": published.sha256.to_string(),
        "size": published.size_bytes,
        "warnings": published.warnings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PlatformName, Sha256};

    fn args(folder: &Path) -> PublishArgs {
        PublishArgs {
            url: "http://h/".into(),
            file: folder.join("a.zip"),
            package: "omni.foo".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            channel: None,
            platform: PlatformName::any(),
            manifest: None,
            role: None,
            notes: None,
            draft: false,
            create_platform: false,
            token_file: None,
            ca_file: None,
            json: false,
        }
    }

    #[test]
    fn manifest_and_notes_are_checked_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for (content, in_manifest, in_notes) in [
            (b"[]".to_vec(), Some("a manifest is a JSON object"), None),
            (b"{".to_vec(), Some("a manifest is JSON"), None),
            (b"{}".to_vec(), None, None),
            (vec![0xff], Some("a manifest is JSON"), Some("UTF-8")),
            (vec![b' '; MANIFEST_BYTES_MAX + 1], Some("1 MiB"), Some("256 KiB")),
        ] {
            std::fs::write(&path, content).unwrap();
            let with_manifest = PublishArgs { manifest: Some(path.clone()), ..args(folder.path()) };
            let with_notes = PublishArgs { notes: Some(path.clone()), ..args(folder.path()) };
            for (args, expected) in [(with_manifest, in_manifest), (with_notes, in_notes)] {
                match (configure(&args), expected) {
                    (Ok(_), None) => {}
                    (Err(Failure::Failed(text)), Some(why)) => assert!(text.contains(why), "{text}"),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_path_that_names_no_file_is_wrong_usage() {
        let args = PublishArgs { file: "..".into(), ..args(Path::new("/")) };
        assert!(matches!(configure(&args), Err(Failure::Usage(_))));
    }

    #[test]
    fn an_outcome_reads_well() {
        let folder = tempfile::tempdir().unwrap();
        let publication = configure(&args(folder.path())).unwrap();
        let published = Published {
            is_new: false,
            is_active: false,
            channel: "stable".parse().unwrap(),
            url: "http://h/x".into(),
            sha256: Sha256::of(b""),
            size_bytes: 7,
            warnings: vec!["1.0.0 sorts below 2.0.0".into()],
        };
        let text = words(&publication, &published);
        assert!(
            text.starts_with(
                "warning: 1.0.0 sorts below 2.0.0\nunchanged: omni.foo 1.0.0 on stable for any, not visible yet\na.zip, 7 bytes, sha256 e3b0"
            )
        );
        assert_eq!(value(&publication, &published)["outcome"], "unchanged");
    }
}
