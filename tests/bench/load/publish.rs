//! Small publishes: each a new version with a file of its own, active at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, Server};
use crate::content::{Pool, Random};
use crate::options::Options;
use crate::{Outcome, fill};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What comes before this part of the time is not counted: connections, caches and clocks settle.
const WARM_UP_SHARE: u32 = 8;

/// Where in the API a version's only file is. The namespace is the one that `tests/bench/run` makes.
pub(crate) fn file_path(name: &str, version: &str) -> String {
    format!("/api/v1/packages/bench/{name}/releases/stable/{}/files/any/a.bin", version.replace('+', "%2B"))
}

/// As many publishes as the clients get done in `--millis`, by turns to `--packages` packages.
pub(crate) fn for_a_time(options: &Options) -> Outcome {
    let server = Server::of(options)?;
    let clients: usize = options.number("clients")?;
    let (sizes, work) = (sizes(options)?, Work::of(options)?);
    let time = Duration::from_millis(options.number("millis")?);
    make_packages(&server, &work)?;
    let begun = Instant::now();
    let counted_from = begun + time / WARM_UP_SHARE;
    let end = begun + time;
    let micros = server.with_clients(clients, |client, number| {
        let mut random = Random::new(number as u64 + 1);
        let (mut body, mut micros) = (Vec::new(), Vec::new());
        for at in (number..).step_by(clients) {
            let len = sizes.0 + usize::try_from(random.next() % (sizes.1 - sizes.0 + 1) as u64)?;
            let started = Instant::now();
            if started >= end {
                break;
            }
            work.publish(client, at, len, &mut body)?;
            if started >= counted_from {
                micros.push(u32::try_from(started.elapsed().as_micros())?);
            }
        }
        Ok(micros)
    })?;
    let mut micros = micros.concat();
    micros.sort_unstable();
    let at = |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0);
    let rate = micros.len() as f64 / (Instant::now() - counted_from).as_secs_f64();
    let (p50, p99, max) = (at(0.5), at(0.99), micros.last().copied().unwrap_or(0));
    Ok(format!(r#"{{"count":{},"rate":{rate:.1},"p50_us":{p50},"p99_us":{p99},"max_us":{max}}}"#, micros.len()))
}

/// `--count` publishes of `--bytes` bytes each.
pub(crate) fn a_number(options: &Options) -> Outcome {
    let server = Server::of(options)?;
    let work = Work::of(options)?;
    let (count, bytes): (usize, usize) = (options.number("count")?, options.number("bytes")?);
    make_packages(&server, &work)?;
    let begun = Instant::now();
    let next = AtomicUsize::new(0);
    server.with_clients(options.number("clients")?, |client, _| {
        let mut body = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return Ok(());
            }
            work.publish(client, at, bytes, &mut body)?;
        }
    })?;
    Ok(format!(r#"{{"count":{count},"bytes":{},"seconds":{:.3}}}"#, count * bytes, begun.elapsed().as_secs_f64()))
}

fn sizes(options: &Options) -> Result<(usize, usize), Failure> {
    let sizes = (options.number_or("bytes-min", 1024)?, options.number_or("bytes-max", 4096)?);
    if sizes.0 > sizes.1 { Err("--bytes-min is above --bytes-max".into()) } else { Ok(sizes) }
}

/// What is published where.
struct Work<'o> {
    prefix: &'o str,
    packages: usize,
    /// Makes versions and contents of one call differ from those of others.
    run: u64,
    pool: Pool,
    /// Whether the server is one that takes raw files where anyone likes, without packages.
    raw: bool,
}

impl<'o> Work<'o> {
    fn of(options: &'o Options) -> Result<Self, Failure> {
        let run = options.number("run")?;
        Ok(Self {
            prefix: options.text("prefix")?,
            packages: options.number("packages")?,
            run,
            pool: Pool::new(run + 1),
            raw: options.text("raw").is_ok(),
        })
    }

    /// Publishes the file with the number `at`.
    fn publish(&self, client: &mut Client<'_>, at: usize, len: usize, body: &mut Vec<u8>) -> Result<(), Failure> {
        self.pool.small(self.run << 32 | at as u64, len, body);
        let (name, version) = (format!("{}{}", self.prefix, at % self.packages), format!("{}.{at}.0", self.run));
        if self.raw {
            return client.demand("PUT", &format!("/raw/{name}/{version}/a.bin"), "application/octet-stream", body);
        }
        let path = file_path(&name, &version);
        client.demand("PUT", &format!("{path}?create=active"), "application/octet-stream", body)
    }
}

fn make_packages(server: &Server, work: &Work<'_>) -> Result<(), Failure> {
    if work.raw {
        return Ok(());
    }
    fill::each(server, 4, work.packages, |client, at| fill::create(client, &format!("{}{at}", work.prefix)))
}
