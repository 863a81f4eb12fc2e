//! `packhouse resolve`: packages into a request to the solver, its answer into lines.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::Failure;
use super::args::ResolveArgs;
use super::output::Output;
use crate::client::solve::{IndexPackages, Request, Resolution, SolveLimits, platform, resolve};
use crate::client::sync::LocalIndex;

/// Resolves.
///
/// # Errors
/// Wrong usage, a conflict, or an index that cannot be read.
pub fn run(args: &ResolveArgs, output: &Output) -> Result<(), Failure> {
    if args.packages.is_empty() {
        return Err(Failure::Usage("name at least one package, as in omni.foo or omni.foo@^1.2".to_owned()));
    }
    let index = LocalIndex::open(&args.index).map_err(Failure::of)?;
    let request = Request {
        roots: args.packages.clone(),
        platform: args.platform.clone().unwrap_or_else(platform::of_this_machine),
        prereleases: args.prerelease,
        preferred: BTreeMap::new(),
        limits: SolveLimits::default(),
    };
    let resolution = resolve(&IndexPackages::new(&index), &request).map_err(Failure::of)?;
    output.result(&words(&resolution), &value(&resolution))
}

fn words(resolution: &Resolution) -> String {
    let mut text = String::new();
    for package in &resolution.packages {
        let users = resolution.packages.iter().filter(|user| user.needs.contains(&package.name));
        let users: Vec<&str> = users.map(|user| user.name.as_str()).collect();
        let why = if package.root { String::new() } else { format!(" (for {})", users.join(", ")) };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {}{why}", package.name, package.id);
    }
    text
}

fn value(resolution: &Resolution) -> Value {
    let packages = resolution.packages.iter().map(|package| {
        json!({
            "name": package.name,
            "version": package.id.version,
            "platform": package.id.platform,
            "id": package.id.to_string(),
            "requested": package.root,
            "needs": package.needs,
            "archivePath": package.archive.path,
            "size": package.archive.size_bytes,
            "sha256": package.archive.sha256.map(|sha256| sha256.to_string()),
        })
    });
    json!({
        "packages": packages.collect::<Vec<_>>(),
        "files_read": resolution.counts.files_read,
        "lines_parsed": resolution.counts.lines_parsed,
    })
}
