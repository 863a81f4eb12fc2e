//! Speaks to a registry from outside: publishing, syncing the index, asking for updates.
//!
//! Knows the wire formats and `model`, and nothing of the server's inside. It draws on no terminal and reads no
//! environment: it reports to a [`progress::Progress`] and answers typed values; the command line does the rest.

pub(crate) mod archive;
pub mod backup;
pub mod body;
pub mod connection;
pub mod error;
pub mod export;
pub mod gzip;
pub mod import;
pub mod install;
pub mod json_depth;
pub mod limits;
pub mod problem;
pub mod progress;
pub mod proxy;
pub mod publish;
mod resume;
pub mod search;
pub mod solve;
pub mod sync;
pub mod tls;
pub mod token;
pub mod transport;
pub mod tree;
pub mod updates;
pub mod upload;
pub mod url;

#[cfg(test)]
pub(crate) mod test_server;

pub use connection::{Client, ClientOptions, Traffic};
pub use error::RequestError;
pub use limits::Limits;
pub use proxy::Proxies;
pub use token::Token;
pub use url::Url;
