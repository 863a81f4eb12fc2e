//! From flags and environment to a client: the address, the token, whom to trust.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Failure;
use super::output::Output;
use crate::client::proxy::InvalidProxy;
use crate::client::{Client, ClientOptions, Limits, Proxies, Token, Url};

/// The variable that holds the token itself.
pub const TOKEN_VARIABLE: &str = "PACKHOUSE_TOKEN";

/// A token file is one line; what is larger is another file.
const TOKEN_FILE_BYTES_MAX: u64 = 16 << 10;

/// Connections to a server on this machine.
const LOOPBACK_CONNECTIONS: usize = 32;

/// Reads the address of a registry.
///
/// # Errors
/// Wrong usage, with the reason.
pub fn registry_url(text: &str) -> Result<Url, Failure> {
    Url::parse_base(text).map_err(|why| Failure::Usage(format!("{text:?}: {why}")))
}

/// Reads the address of a server, which is not that of a view.
///
/// # Errors
/// As [`registry_url`], and for the address of a view.
pub fn server_url(text: &str) -> Result<Url, Failure> {
    let url = registry_url(text)?;
    if url.path().ends_with("/v2/") {
        let shown = url.to_string();
        let server = shown.trim_end_matches("v2/");
        return Err(Failure::Usage(format!(
            "{shown} is a view of the index; give the server's address, as in {server}"
        )));
    }
    Ok(url)
}

/// The token from `token_file`, or from the environment, or none.
///
/// # Errors
/// If the file cannot be read, or what is found is no token.
pub fn token(token_file: Option<&Path>) -> Result<Option<Token>, Failure> {
    let (text, place) = match token_file {
        Some(path) => {
            let mut text = String::new();
            let read = File::open(path).and_then(|file| file.take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text));
            read.map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
            (text.trim_start_matches('\u{feff}').to_owned(), path.display().to_string())
        }
        None => match std::env::var(TOKEN_VARIABLE) {
            Ok(text) if !text.trim().is_empty() => (text, TOKEN_VARIABLE.to_owned()),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::Failed(format!("{TOKEN_VARIABLE} is no text")));
            }
            _ => return Ok(None),
        },
    };
    text.parse().map(Some).map_err(|why| Failure::Failed(format!("{place}: {why}")))
}

/// A client for the registry at `url`.
pub fn client(url: &Url, token: Option<Token>, ca_file: Option<&Path>, output: &Output) -> Client {
    if token.is_some() && !url.origin().tls && !url.origin().is_loopback() {
        output.warn(&format!("the token goes to {} without encryption; use https:// if it can", url.origin().host));
    }
    let mut limits = Limits::default();
    if url.origin().is_loopback() {
        // They cost nothing here, and many changes at once share one wait for the disk.
        limits.connections = LOOPBACK_CONNECTIONS;
    }
    let options = ClientOptions { token, ca_file: ca_file.map(Path::to_owned), proxies: proxies(), limits };
    Client::new(url, options)
}

/// The proxies that the environment names.
pub(super) fn proxies() -> Result<Proxies, InvalidProxy> {
    Proxies::from_settings(|name| std::env::var(name).ok())
}

/// Runs a command's asynchronous work to its end.
///
/// # Errors
/// The work's own, and if the system gives no threads.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::of)?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_no_server() {
        let Err(Failure::Usage(text)) = server_url("http://h/t/SECRET/v2") else { panic!() };
        assert_eq!(text, "http://h/t/…/v2/ is a view of the index; give the server's address, as in http://h/t/…/");
        assert!(server_url("http://h/base").is_ok());
        let Err(Failure::Usage(text)) = registry_url("h") else { panic!() };
        assert!(text.contains("begins with http:// or https://"), "{text}");
    }

    #[test]
    fn a_token_file_is_read_and_faults_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "ph_api_x\n").unwrap();
        assert!(token(Some(&path)).unwrap().is_some());
        for wrong in ["", "two words", &"x".repeat(20_000)] {
            std::fs::write(&path, wrong).unwrap();
            let Err(Failure::Failed(text)) = token(Some(&path)) else { panic!() };
            assert!(text.contains("token: a token is"), "{text}");
        }
        assert!(token(Some(&folder.path().join("none"))).is_err());
    }
}
