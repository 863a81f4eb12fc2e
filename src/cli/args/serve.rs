//! Flags of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use crate::cli::listening::listen_address;
use crate::cli::log::LogChoice;
use crate::cli::units::{ByteSize, Span};

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "serve",
    description = "Run the server until it is told to stop (SIGTERM or Ctrl-C).",
    example = "{command_name} --data /srv/packhouse --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key key.pem",
    note = "Sizes are written as 4GiB or 500MB, times as 30s, 5m or 1h.",
    note = "In the environment, several values of one flag are separated by commas; in the file, they stand in brackets: listen = [\"127.0.0.1:8080\", \"[::1]:8080\"].",
    note = "Flags count before the environment, and that before the file. SIGHUP has the server read the file again: what is wrong in it changes nothing, and the log says what needs a restart."
)]
/// Flags of `serve`.
pub struct ServeArgs {
    /// file with settings in TOML, whose keys are the names of these flags with _ for - (none)
    #[argh(option, arg_name = "file")]
    pub config: Option<PathBuf>,

    /// print the configuration as it holds, as such a file that says where each value comes from, and end
    #[argh(switch)]
    pub print_config: bool,

    /// folder with everything the server keeps (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "super::default_data()")]
    pub data: PathBuf,

    /// address and port to listen on; may be given several times (127.0.0.1:8080)
    #[argh(option, arg_name = "addr:port", from_str_fn(listen_address))]
    pub listen: Vec<SocketAddr>,

    /// certificate chain for HTTPS, in PEM form; read again when it changes
    #[argh(option, arg_name = "file")]
    pub tls_cert: Option<PathBuf>,

    /// private key for HTTPS, in PEM form
    #[argh(option, arg_name = "file")]
    pub tls_key: Option<PathBuf>,

    /// address under which clients reach the server, if it stands behind a proxy
    #[argh(option, arg_name = "url")]
    pub public_url: Option<String>,

    /// address or network (10.0.0.0/8) of a proxy whose X-Forwarded fields count; may be given several times
    #[argh(option, arg_name = "net")]
    pub trusted_proxy: Vec<String>,

    /// largest file that may be uploaded
    #[argh(option, arg_name = "size")]
    pub max_file_size: Option<ByteSize>,

    /// how long an unfinished upload is kept after its last byte came
    #[argh(option, arg_name = "time")]
    pub upload_expiry: Option<Span>,

    /// how long after its first activation files may be added to a release; owners may do it later by asking (24h)
    #[argh(option, arg_name = "time")]
    pub release_open: Option<Span>,

    /// how many days downloads and update checks are kept by day, up to 400
    #[argh(option, arg_name = "days")]
    pub statistics_days: Option<u32>,

    /// what the files of one user's packages may have together, unless an admin grants the user another quota (unlimited)
    #[argh(option, arg_name = "size")]
    pub user_quota: Option<ByteSize>,

    /// entries of the audit trail that are kept (100000)
    #[argh(option, arg_name = "n")]
    pub max_audit_entries: Option<usize>,

    /// folder for backups that the server makes by itself (none)
    #[argh(option, arg_name = "dir")]
    pub backup_to: Option<PathBuf>,

    /// time from one such backup to the next (24h)
    #[argh(option, arg_name = "time")]
    pub backup_every: Option<Span>,

    /// how many such backups are kept (7)
    #[argh(option, arg_name = "n")]
    pub backup_keep: Option<usize>,

    /// largest head of a request, all its fields together
    #[argh(option, arg_name = "size")]
    pub max_header_size: Option<ByteSize>,

    /// connections open at the same time
    #[argh(option, arg_name = "n")]
    pub max_connections: Option<usize>,

    /// connections open at the same time from one address
    #[argh(option, arg_name = "n")]
    pub max_connections_per_address: Option<usize>,

    /// time for the head of a request
    #[argh(option, arg_name = "time")]
    pub header_timeout: Option<Span>,

    /// time between two requests on one connection
    #[argh(option, arg_name = "time")]
    pub idle_timeout: Option<Span>,

    /// time between two pieces of a request's body
    #[argh(option, arg_name = "time")]
    pub body_timeout: Option<Span>,

    /// time for requests under way when the server is told to stop
    #[argh(option, arg_name = "time")]
    pub shutdown_timeout: Option<Span>,

    /// what to log: error, warn, info, debug or trace (info)
    #[argh(option, arg_name = "level", default = "\"info\".to_owned()")]
    pub log: String,

    /// how to log: text, json, or auto: text on a terminal and json elsewhere (auto)
    #[argh(option, arg_name = "format", default = "LogChoice::Auto")]
    pub log_format: LogChoice,
}
