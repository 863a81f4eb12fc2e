//! Fills a registry with packages whose archives are elsewhere, many clients at once.

use std::io::BufRead;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::client::{Client, Server};
use crate::content::Random;
use crate::options::Options;
use crate::{Outcome, publish};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const JSON: &str = "application/json";

/// Packages numbered `--from` to before `--to`, with one version each.
pub(crate) fn packages(options: &Options) -> Outcome {
    let server = Server::of(options)?;
    let prefix = options.text("prefix")?;
    let (from, to): (usize, usize) = (options.number("from")?, options.number("to")?);
    let begun = Instant::now();
    each(&server, options.number("clients")?, to.saturating_sub(from), |client, at| {
        let name = format!("{prefix}{}", from + at);
        create(client, &name)?;
        external(client, &name, "1.0.0", (from + at) as u64)
    })?;
    Ok(format!(r#"{{"packages":{},"seconds":{:.3}}}"#, to.saturating_sub(from), begun.elapsed().as_secs_f64()))
}

/// The packages and versions of standard input. Versions that the server refuses are counted and left out: names
/// and versions of other registries need not be valid here.
pub(crate) fn index(options: &Options) -> Outcome {
    let server = Server::of(options)?;
    let clients = options.number("clients")?;
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let (Some(name), Some(version), Some(manifest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("not a name, a version and a manifest: {line}").into());
        };
        rows.push((name.to_owned(), version.to_owned(), manifest.to_owned()));
    }
    let mut names: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    names.dedup();
    let begun = Instant::now();
    each(&server, clients, names.len(), |client, at| create(client, names[at]))?;
    let refused = AtomicUsize::new(0);
    // One version after the other, package by package: those of one commit are of few packages.
    each(&server, clients, rows.len(), |client, at| {
        let (name, version, manifest) = &rows[at];
        // Where the build metadata of a version could be read as a platform, its parts go one by one.
        if !version.contains('+') {
            if form(client, name, version, manifest, at as u64)? >= 300 {
                refused.fetch_add(1, Ordering::Relaxed);
            }
            return Ok(());
        }
        if external(client, name, version, at as u64).is_err() {
            refused.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let path = format!("{}/manifest", publish::file_path(name, version));
        client.demand("PUT", &path, JSON, manifest.as_bytes())
    })?;
    Ok(format!(
        r#"{{"packages":{},"versions":{},"refused":{},"seconds":{:.3}}}"#,
        names.len(),
        rows.len(),
        refused.into_inner(),
        begun.elapsed().as_secs_f64()
    ))
}

/// Does `work` for every number below `count`, in order, by many clients.
pub(crate) fn each(
    server: &Server,
    clients: usize,
    count: usize,
    work: impl Fn(&mut Client<'_>, usize) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    server.with_clients(clients, |client, _| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return Ok(());
            }
            work(client, at)?;
        }
    })?;
    Ok(())
}

/// Makes a package if it is not there.
pub(crate) fn create(client: &mut Client<'_>, name: &str) -> Result<(), Failure> {
    let body = format!(r#"{{"name":"{name}","visibility":"public"}}"#);
    match client.send("POST", "/api/v1/packages", JSON, body.as_bytes())? {
        201 | 409 => Ok(()),
        status => Err(format!("making the package {name} was answered {status}").into()),
    }
}

/// Publishes a version in one call, and returns the status of the answer. `manifest` is an object.
fn form(client: &mut Client<'_>, name: &str, version: &str, manifest: &str, seed: u64) -> Result<u16, Failure> {
    let fields = manifest.trim().strip_prefix('{').ok_or("a manifest is an object")?;
    let comma = if fields.starts_with('}') { "" } else { "," };
    let sha256 = made_up_sha256(seed);
    let archive = format!("https://archives.example.org/{name}-{version}.zip");
    let package =
        format!(r#"{{"package":{{"archivePath":"{archive}","size":1000,"sha256":"{sha256}"}}{comma}{fields}"#);
    let mut body = String::new();
    for (field, value) in [("package_id", format!("bench.{name}-{version}")), ("metadata", package)] {
        body.push_str(&format!("--frontier\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str("--frontier--\r\n");
    client.send("POST", "/registry/publish", "multipart/form-data; boundary=frontier", body.as_bytes())
}

fn made_up_sha256(seed: u64) -> String {
    let mut random = Random::new(seed + 1);
    (0..4).map(|_| format!("{:016x}", random.next())).collect()
}

fn external(client: &mut Client<'_>, name: &str, version: &str, seed: u64) -> Result<(), Failure> {
    let sha256 = made_up_sha256(seed);
    let body =
        format!(r#"{{"url":"https://archives.example.org/{name}-{version}.zip","size":1000,"sha256":"{sha256}"}}"#);
    let path = format!("{}/external?create=active", publish::file_path(name, version));
    client.demand("POST", &path, JSON, body.as_bytes())
}
