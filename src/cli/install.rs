//! `packhouse install`: flags and lock file into a plan, the plan into an install, its report into words.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::args::InstallArgs;
use super::output::Output;
use super::units::human_bytes;
use super::{Failure, connect};
use crate::client::Url;
use crate::client::archive::measure;
use crate::client::install::{
    InstallLimits, InstallOptions, InstallReport, LOCK_FILE, Lock, Measured, PlanError, archive_url, install,
    is_address, plan,
};
use crate::client::solve::{IndexPackages, Request, SolveLimits, platform};
use crate::client::sync::LocalIndex;
use crate::model::FullName;

/// Installs.
///
/// # Errors
/// Wrong usage, a conflict, or why something could not be installed.
pub fn run(args: &InstallArgs, output: &Output) -> Result<(), Failure> {
    let root = args.url.as_ref().map(|url| super::sync::view_root(url, args.channel.as_ref())).transpose()?;
    let lock_path = args.lock.clone().unwrap_or_else(|| args.into.join(LOCK_FILE));
    let old = Lock::read(&lock_path).map_err(Failure::of)?;
    let request = request(args, old.as_ref())?;
    let index = LocalIndex::open(&args.index).map_err(Failure::of)?;
    let kept = old.as_ref().filter(|_| !args.update);
    let token = match &root {
        Some(_) => connect::token(args.token_file.as_deref())?,
        // There is nobody whom it belongs to.
        None => None,
    };
    let mut measured = Measured::new();
    let lock = loop {
        let incomplete = match plan(&IndexPackages::new(&index), &request, kept, &measured) {
            Err(PlanError::Incomplete(incomplete)) if args.allow_unverified.contains(&incomplete.name) => incomplete,
            result => break result.map_err(Failure::of)?,
        };
        let key = (incomplete.name.clone(), incomplete.id.clone());
        let path = incomplete.archive_path.clone().filter(|_| !measured.contains_key(&key));
        let path = path.ok_or_else(|| Failure::of(&incomplete))?;
        let url = archive_url(root.as_ref(), &path).map_err(Failure::of)?;
        output.warn(&format!("{} {} is not verified: the index gives no SHA-256 of it", key.0, key.1));
        let client = connect::client(root.as_ref().unwrap_or(&url), token.clone(), args.ca_file.as_deref(), output);
        let bytes_max = InstallLimits::default().archive_bytes_max;
        let found = connect::block_on(async { measure(&client, &url, bytes_max).await.map_err(Failure::of) })?;
        measured.insert(key, found);
    };
    let base = base(root.as_ref(), &lock)?;
    let client = connect::client(&base, token, args.ca_file.as_deref(), output);
    let options =
        InstallOptions { root, out: args.into.clone(), unpack: args.unpack, limits: InstallLimits::default() };
    let report =
        connect::block_on(async { install(&client, &options, &lock, output.progress()).await.map_err(Failure::of) })?;
    lock.write(&lock_path).map_err(Failure::of)?;
    output.result(&words(&lock, old.as_ref(), &report), &value(&lock, &report))
}

fn request(args: &InstallArgs, lock: Option<&Lock>) -> Result<Request, Failure> {
    let from_lock = lock.filter(|_| args.packages.is_empty());
    let roots = match from_lock {
        Some(lock) => lock.parsed_roots().map_err(Failure::of)?,
        None => args.packages.clone(),
    };
    if roots.is_empty() {
        let text = "name at least one package, as in omni.foo or omni.foo@^1.2; there is no lock file that would";
        return Err(Failure::Usage(text.to_owned()));
    }
    let platform = args.platform.clone().or_else(|| lock.map(|lock| lock.platform.clone()));
    Ok(Request {
        roots,
        platform: platform.unwrap_or_else(platform::of_this_machine),
        prereleases: args.prerelease || from_lock.is_some_and(|lock| lock.prereleases),
        preferred: BTreeMap::new(),
        limits: SolveLimits::default(),
    })
}

/// Whom the client is for: the registry, or where all archives are elsewhere, one of these places.
fn base(root: Option<&Url>, lock: &Lock) -> Result<Url, Failure> {
    if let Some(root) = root {
        return Ok(root.clone());
    }
    if let Some(package) = lock.packages.iter().find(|package| !is_address(&package.archive_path)) {
        return Err(Failure::Usage(format!(
            "{} is in the registry that the index is a copy of: give its address with --url, as for `packhouse sync`",
            package.name
        )));
    }
    let first = lock.packages.first().map_or("http://localhost/", |package| &package.archive_path);
    first.parse().map_err(|why| Failure::Failed(format!("{first:?}: {why}")))
}

fn words(lock: &Lock, old: Option<&Lock>, report: &InstallReport) -> String {
    let mut text = String::new();
    let old = |name: &FullName| old.and_then(|old| old.packages.iter().find(|package| package.name == *name));
    for package in &lock.packages {
        // Writing to a String cannot fail.
        let _ = match old(&package.name) {
            Some(old) if old.id == package.id => Ok(()),
            Some(old) => writeln!(text, "~ {} {} (was {})", package.name, package.id, old.id),
            None => writeln!(text, "+ {} {}", package.name, package.id),
        };
    }
    let count = lock.packages.len();
    let packages = if count == 1 { "package" } else { "packages" };
    let (fetched, bytes, present) = (report.fetched, human_bytes(report.received_bytes), report.present);
    let _ = writeln!(text, "{count} {packages}: {fetched} fetched ({bytes}), {present} already there");
    text
}

fn value(lock: &Lock, report: &InstallReport) -> Value {
    let packages = lock.packages.iter().map(|package| {
        json!({
            "name": package.name,
            "version": package.version,
            "id": package.id,
            "folder": package.folder_name(),
            "size": package.size_bytes,
            "sha256": package.sha256.to_string(),
        })
    });
    json!({
        "packages": packages.collect::<Vec<_>>(),
        "fetched": report.fetched,
        "present": report.present,
        "received_bytes": report.received_bytes,
    })
}
