//! Flags of `health`.

use std::net::SocketAddr;

use crate::cli::listening::listen_address;
use crate::cli::units::Span;

flags! {
    #[argh(
        subcommand,
        name = "health",
        description = "Ask a server whether it is ready: exit status 0 if it is, 1 if it is not or does not answer.",
        example = "{command_name}\n{command_name} https://packages.example.com --timeout 2s"
    )]
    /// Flags of `health`.
    pub struct HealthArgs {
        /// address of the server; without it, the one on this machine is asked
        #[argh(positional)]
        pub url: Option<String>,

        /// address and port where the server on this machine listens; of several, the first is asked (127.0.0.1:8080)
        #[argh(option, arg_name = "addr:port", from_str_fn(listen_address))]
        pub listen: Vec<SocketAddr>,

        /// how long to wait for the answer (5s)
        #[argh(option, arg_name = "time", default = "Span(std::time::Duration::from_secs(5))")]
        pub timeout: Span,
    } with ca_file, json
}
