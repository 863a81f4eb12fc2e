//! Large transfers: uploads, downloads, and the plain files that they are compared with.

use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::client::Server;
use crate::content::Pool;
use crate::options::Options;
use crate::{Outcome, fill, publish};

/// What is read of a plain file at a time.
const READ_BYTES: usize = 256 << 10;

/// `--bytes` bytes by each client, to a version of its own.
pub(crate) fn upload(options: &Options) -> Outcome {
    let server = Server::of(options)?;
    let clients: usize = options.number("clients")?;
    let (prefix, run): (&str, u64) = (options.text("prefix")?, options.number("run")?);
    let bytes: u64 = options.number("bytes")?;
    let name = format!("{prefix}0");
    fill::each(&server, 1, 1, |client, _| fill::create(client, &name))?;
    let pools: Vec<Pool> = (0..clients).map(|number| Pool::new(run + number as u64)).collect();
    let begun = Instant::now();
    server.with_clients(clients, |client, number| {
        let path = publish::file_path(&name, &format!("{run}.{number}.0"));
        client.upload(&format!("{path}?create=active"), bytes, pools[number].pieces(bytes))
    })?;
    Ok(speed(bytes * clients as u64, begun))
}

/// `--path` by each client.
pub(crate) fn download(options: &Options) -> Outcome {
    let server = Server::of(options)?;
    let path = options.text("path")?;
    let begun = Instant::now();
    let lens = server.with_clients(options.number("clients")?, |client, _| client.download(path))?;
    Ok(speed(lens.iter().sum(), begun))
}

/// The bytes of an upload into a new file, and its sync.
pub(crate) fn write(options: &Options) -> Outcome {
    let bytes: u64 = options.number("bytes")?;
    let pool = Pool::new(1);
    let begun = Instant::now();
    let mut file = File::create(options.text("file")?)?;
    for piece in pool.pieces(bytes) {
        file.write_all(piece)?;
    }
    file.sync_all()?;
    Ok(speed(bytes, begun))
}

/// As many small appended writes, each synced, as `--millis` allow: what one durable commit costs at least here.
pub(crate) fn sync(options: &Options) -> Outcome {
    let end = Instant::now() + Duration::from_millis(options.number("millis")?);
    let mut file = File::create(options.text("file")?)?;
    let mut micros = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        micros.push(u32::try_from(begun.elapsed().as_micros())?);
    }
    micros.sort_unstable();
    let at = |share: f64| micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0);
    Ok(format!(r#"{{"count":{},"p50_us":{},"p99_us":{}}}"#, micros.len(), at(0.5), at(0.99)))
}

/// All bytes of a file.
pub(crate) fn read(options: &Options) -> Outcome {
    let mut file = File::open(options.text("file")?)?;
    let mut buffer = vec![0; READ_BYTES];
    let mut bytes = 0;
    let begun = Instant::now();
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(speed(bytes, begun)),
            count => bytes += count as u64,
        }
    }
}

fn speed(bytes: u64, begun: Instant) -> String {
    let seconds = begun.elapsed().as_secs_f64();
    let mb_per_s = bytes as f64 / seconds / 1e6;
    format!(r#"{{"bytes":{bytes},"seconds":{seconds:.4},"mb_per_s":{mb_per_s:.1}}}"#)
}
