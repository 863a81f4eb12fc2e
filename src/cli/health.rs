//! `packhouse health`: one question to a server, for those who watch over it from a script or a container.

use http::StatusCode;
use serde::Deserialize;

use super::args::HealthArgs;
use super::listening::{LISTEN_DEFAULT, reachable};
use super::output::Output;
use super::{Failure, connect};
use crate::client::connection::Request;
use crate::client::{Client, ClientOptions, Limits, RequestError};

/// What `/readyz` says; another program may say anything.
#[derive(Deserialize)]
struct Ready {
    ready: bool,
    packages_loaded: Option<u64>,
    packages: u64,
}

/// Asks once.
///
/// # Errors
/// Wrong usage, or why the server is not ready as far as can be told.
pub fn run(args: &HealthArgs, output: &Output) -> Result<(), Failure> {
    let url = match &args.url {
        Some(url) => connect::server_url(url)?,
        None => {
            let address = reachable(args.listen.first().copied().unwrap_or(LISTEN_DEFAULT));
            connect::server_url(&format!("http://{address}"))?
        }
    };
    let patience = args.timeout.0;
    let limits = Limits { attempts_max: 1, ..Limits::default() };
    let mut options = ClientOptions { ca_file: args.ca_file.clone(), limits, ..ClientOptions::default() };
    if args.url.is_some() {
        options.proxies = connect::proxies();
    }
    let client = Client::new(&url, options);
    let (status, answer) = connect::block_on(async {
        let ask = async {
            let response = client.send(&Request::get(url.join("readyz"))).await?;
            Ok((response.status, response.json::<Ready>().await?))
        };
        match tokio::time::timeout(patience, ask).await {
            Ok(answer) => answer.map_err(|error: RequestError| Failure::of(error)),
            Err(_) => Err(Failure::Failed(format!("{url} did not answer within {}", args.timeout))),
        }
    })?;
    match (status, answer) {
        (StatusCode::OK, Ready { ready: true, packages, .. }) => {
            let value = serde_json::json!({ "ready": true, "packages": packages });
            output.result(&format!("ready: {packages} public packages\n"), &value)
        }
        (_, Ready { packages_loaded: Some(loaded), packages, .. }) => {
            Err(Failure::Failed(format!("{url} is starting: {loaded} of {packages} packages are loaded")))
        }
        (status, _) => Err(Failure::Failed(format!("{url} answered {status} and is not ready"))),
    }
}
