//! The load generator of the measurements: plays many clients at once and prints one line of JSON about what it saw.
//!
//! Knows HTTP/1.1 as far as the server speaks it, and nothing but the standard library, so that `rustc` alone builds
//! it and its own cost stays small beside the server's. What is measured when, and what it means, is for
//! `tests/bench/run`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output is its purpose")]

mod client;
mod content;
mod fill;
mod options;
mod publish;
mod transfer;

use std::process::ExitCode;

use options::Options;

/// What a command ends with: its line of JSON, or what went wrong.
type Outcome = Result<String, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "usage: load COMMAND [--option VALUE]…

fill      makes packages with one external version each:   --url --token --prefix --from --to --clients
index     makes the packages and versions that standard input lists, a line each: name, version, manifest,
          divided by tabs:                                  --url --token --clients
publish   publishes small files, every one a new version:   --url --token --prefix --packages --clients --millis --run
          (--bytes-min --bytes-max; --raw yes: to a server that takes raw files)
files     publishes a number of files of one size:          --url --token --prefix --packages --clients --count
                                                            --bytes --run
upload    uploads large files, one per client:              --url --token --prefix --clients --bytes --run
download  downloads one file with each client:              --url --path --clients
write     writes and syncs a plain file like an upload:     --file --bytes
sync      writes and syncs 4 KiB again and again:            --file --millis
read      reads a plain file like a download:               --file";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let outcome = Options::parse(words).and_then(|options| match command.as_str() {
        "fill" => fill::packages(&options),
        "index" => fill::index(&options),
        "publish" => publish::for_a_time(&options),
        "files" => publish::a_number(&options),
        "upload" => transfer::upload(&options),
        "download" => transfer::download(&options),
        "write" => transfer::write(&options),
        "sync" => transfer::sync(&options),
        "read" => transfer::read(&options),
        _ => Err(USAGE.into()),
    });
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load {command}: {error}");
            ExitCode::FAILURE
        }
    }
}
