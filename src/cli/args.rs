//! The flags of every command as plain data, and the help that goes with them.
//!
//! A value here has the right form by itself; whether values fit each other is for the command's configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::prepass;
use super::units::{ByteSize, Span};
use crate::client::solve::Root;
use crate::model::{ChannelName, FullName, Label, PlatformName, Scope, Timestamp, UserName, Version};

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    description = "Packhouse, a package registry and update server.",
    example = "{command_name} serve --data /srv/packhouse\n{command_name} publish https://packages.example.com foo.zip --package omni.foo --version 1.0.0\n{command_name} sync https://packages.example.com ./index",
    note = "`{command_name} COMMAND --help` tells about a command, `{command_name} --version` which version this is.",
    note = "Flags are written --flag VALUE or --flag=VALUE.",
    error_code(0, "done"),
    error_code(1, "failed"),
    error_code(2, "wrong usage")
)]
/// Everything on the command line.
pub struct Args {
    /// what to do
    #[argh(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
pub enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Publish a file.
    Publish(PublishArgs),
    /// Keep a local copy of the index.
    Sync(SyncArgs),
    /// Find packages in a local copy.
    Search(SearchArgs),
    /// Choose versions that fit together.
    Resolve(ResolveArgs),
    /// Install packages.
    Install(InstallArgs),
    /// Ask for updates.
    Updates(UpdatesArgs),
    /// Write a view as static files.
    Export(ExportArgs),
    /// Publish what is in static files, or in another registry.
    Import(ImportArgs),
    /// Work on the accounts of a stopped server.
    User(UserArgs),
    /// Work on the tokens of a stopped server.
    Token(TokenArgs),
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "serve",
    description = "Run the server until it is told to stop (SIGTERM or Ctrl-C).",
    example = "{command_name} --data /srv/packhouse --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key key.pem",
    note = "Sizes are written as 4GiB or 500MB, times as 30s, 5m or 1h.",
    note = "Each flag can be set in the environment instead: PACKHOUSE_DATA for --data, PACKHOUSE_TLS_CERT for --tls-cert and so on; several values of one flag are separated by commas. What is on the command line wins."
)]
/// Flags of `serve`.
pub struct ServeArgs {
    /// folder with everything the server keeps (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "default_data()")]
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

    /// how many days downloads and update checks are kept by day, up to 400
    #[argh(option, arg_name = "days")]
    pub statistics_days: Option<u32>,

    /// what the files of one user's packages may have together, unless an admin grants the user another quota (unlimited)
    #[argh(option, arg_name = "size")]
    pub user_quota: Option<ByteSize>,

    /// entries of the audit trail that are kept (100000)
    #[argh(option, arg_name = "n")]
    pub max_audit_entries: Option<usize>,

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
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "publish",
    description = "Publish a file as part of a release. The same again is a success.",
    example = "{command_name} https://packages.example.com foo-linux.tar.gz --package omni.foo --version 1.0.0 --platform linux-x64 --manifest foo.json --notes CHANGES.md",
    note = "The token comes from PACKHOUSE_TOKEN or --token-file. With a manifest or notes, the release becomes visible only when all is there.",
    note = "In the environment: PACKHOUSE_CHANNEL, PACKHOUSE_PLATFORM, PACKHOUSE_TOKEN_FILE, PACKHOUSE_CA_FILE, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `publish`.
pub struct PublishArgs {
    /// address of the server
    #[argh(positional)]
    pub url: String,

    /// what to publish
    #[argh(positional)]
    pub file: PathBuf,

    /// full name of the package, as in omni.foo
    #[argh(option, arg_name = "name")]
    pub package: FullName,

    /// version of the release
    #[argh(option, arg_name = "version")]
    pub version: Version,

    /// channel of the release (the owner's default)
    #[argh(option, arg_name = "name")]
    pub channel: Option<ChannelName>,

    /// platform of the file (any)
    #[argh(option, arg_name = "name", default = "PlatformName::any()")]
    pub platform: PlatformName,

    /// manifest of the file, a JSON file
    #[argh(option, arg_name = "file")]
    pub manifest: Option<PathBuf>,

    /// release notes, a Markdown file
    #[argh(option, arg_name = "file")]
    pub notes: Option<PathBuf>,

    /// leave the release invisible
    #[argh(switch)]
    pub draft: bool,

    /// file with the token
    #[argh(option, arg_name = "file")]
    pub token_file: Option<PathBuf>,

    /// certificate authorities to trust besides the system's, in PEM form
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<PathBuf>,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "sync",
    description = "Keep a local copy of a registry's index: fetch what changed, verify it, and switch to it in one step.",
    example = "{command_name} https://packages.example.com ./index\n{command_name} https://packages.example.com ./index --channel beta",
    note = "The copy is registry.json, summaries.json and packages/NAME.json in DIR. Until the new state is whole and verified, the old one stays as it is.",
    note = "In the environment: PACKHOUSE_TOKEN, PACKHOUSE_CHANNEL, PACKHOUSE_TOKEN_FILE, PACKHOUSE_CA_FILE, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `sync`.
pub struct SyncArgs {
    /// address of the server, or of a view of it, which ends in /v2/
    #[argh(positional)]
    pub url: String,

    /// folder for the copy
    #[argh(positional)]
    pub dir: PathBuf,

    /// channel to follow instead of each owner's default
    #[argh(option, arg_name = "name")]
    pub channel: Option<ChannelName>,

    /// read all local files again, and fetch those that are missing or damaged
    #[argh(switch)]
    pub verify: bool,

    /// file with the token, for private packages
    #[argh(option, arg_name = "file")]
    pub token_file: Option<PathBuf>,

    /// certificate authorities to trust besides the system's, in PEM form
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<PathBuf>,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "search",
    description = "Find packages by words in their names, titles, keywords and descriptions.",
    example = "{command_name} window ui --index ./index",
    note = "Searches a local copy of the index, which `packhouse sync` makes. All words must be found; the nearest to a name come first.",
    note = "In the environment: PACKHOUSE_INDEX, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `search`.
pub struct SearchArgs {
    /// what to look for; nothing lists all packages
    #[argh(positional)]
    pub words: Vec<String>,

    /// folder of the local copy (./packhouse-index)
    #[argh(option, arg_name = "dir", default = "default_index()")]
    pub index: PathBuf,

    /// how many packages to tell (20)
    #[argh(option, arg_name = "n", default = "20")]
    pub limit: usize,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "resolve",
    description = "Choose one version of each package that is needed, so that all requirements are met.",
    example = "{command_name} omni.app@^1.2 omni.extra --index ./index --platform linux-x64",
    note = "A package is written NAME or NAME@REQUIREMENT, a requirement as ^1.2, ~1.2.3, =1.2.3, '>=0.3, <0.5' or *.",
    note = "Works on a local copy of the index, which `packhouse sync` makes. Archives for any platform do where there are none for this one.",
    note = "In the environment: PACKHOUSE_INDEX, PACKHOUSE_PLATFORM, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `resolve`.
pub struct ResolveArgs {
    /// packages wanted
    #[argh(positional)]
    pub packages: Vec<Root>,

    /// folder of the local copy (./packhouse-index)
    #[argh(option, arg_name = "dir", default = "default_index()")]
    pub index: PathBuf,

    /// platform they will run on (that of this machine)
    #[argh(option, arg_name = "name")]
    pub platform: Option<PlatformName>,

    /// take prereleases too
    #[argh(switch)]
    pub prerelease: bool,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "install",
    description = "Install packages and what they need: choose versions, fetch the archives and verify them.",
    example = "{command_name} omni.app@^1.2 --into ./packages --index ./index --url https://packages.example.com\n{command_name} --into ./packages --index ./index --url https://packages.example.com",
    note = "Each archive goes to a folder NAME-ID. What is there already is not fetched again. DIR/packhouse.lock says exactly what is installed: with it, the same packages give the same archives, and no packages mean those of the lock file.",
    note = "A package is written NAME or NAME@REQUIREMENT, a requirement as ^1.2, ~1.2.3, =1.2.3, '>=0.3, <0.5' or *.",
    note = "The local copy of the index does not keep the address it came from, so --url and --channel say it as for `packhouse sync`.",
    note = "In the environment: PACKHOUSE_INDEX, PACKHOUSE_URL, PACKHOUSE_CHANNEL, PACKHOUSE_PLATFORM, PACKHOUSE_TOKEN, PACKHOUSE_TOKEN_FILE, PACKHOUSE_CA_FILE, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `install`.
pub struct InstallArgs {
    /// packages wanted; none for those of the lock file
    #[argh(positional)]
    pub packages: Vec<Root>,

    /// folder to install into
    #[argh(option, arg_name = "dir")]
    pub into: PathBuf,

    /// folder of the local copy of the index (./packhouse-index)
    #[argh(option, arg_name = "dir", default = "default_index()")]
    pub index: PathBuf,

    /// address of the registry that the index is a copy of
    #[argh(option, arg_name = "url")]
    pub url: Option<String>,

    /// channel that the index is a copy of
    #[argh(option, arg_name = "name")]
    pub channel: Option<ChannelName>,

    /// platform they will run on (that of the lock file, or of this machine)
    #[argh(option, arg_name = "name")]
    pub platform: Option<PlatformName>,

    /// take prereleases too
    #[argh(switch)]
    pub prerelease: bool,

    /// choose versions anew, whatever the lock file says
    #[argh(switch)]
    pub update: bool,

    /// unpack archives that end with .zip, .tar.gz or .tgz
    #[argh(switch)]
    pub unpack: bool,

    /// lock file (packhouse.lock in the folder to install into)
    #[argh(option, arg_name = "file")]
    pub lock: Option<PathBuf>,

    /// file with the token, for private packages
    #[argh(option, arg_name = "file")]
    pub token_file: Option<PathBuf>,

    /// certificate authorities to trust besides the system's, in PEM form
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<PathBuf>,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "updates",
    description = "Ask whether there is something newer than what is installed.",
    example = "{command_name} https://packages.example.com --id omni.foo --version 1.0.0 --platform linux-x64",
    note = "In the environment: PACKHOUSE_TOKEN, PACKHOUSE_CHANNEL, PACKHOUSE_PLATFORM, PACKHOUSE_TOKEN_FILE, PACKHOUSE_CA_FILE, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `updates`.
pub struct UpdatesArgs {
    /// address of the server
    #[argh(positional)]
    pub url: String,

    /// full name of the package, as in omni.foo
    #[argh(option, arg_name = "name")]
    pub id: FullName,

    /// channel to follow (the owner's default)
    #[argh(option, arg_name = "name")]
    pub channel: Option<ChannelName>,

    /// platform it runs on (any)
    #[argh(option, arg_name = "name")]
    pub platform: Option<PlatformName>,

    /// version that is installed
    #[argh(option, arg_name = "version")]
    pub version: Option<Version>,

    /// which releases: 1 for the newest, 2 for all newer ones (1)
    #[argh(option, arg_name = "1|2", default = "UpdateMode::Newest", from_str_fn(update_mode))]
    pub mode: UpdateMode,

    /// file with the token, for a private package
    #[argh(option, arg_name = "file")]
    pub token_file: Option<PathBuf>,

    /// certificate authorities to trust besides the system's, in PEM form
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<PathBuf>,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "export",
    description = "Write a view as static files for any web server or bucket: only what changed, registry.gz last.",
    example = "{command_name} ./site/v2 --url https://packages.example.com\n{command_name} ./site/v2 --data /srv/packhouse --channel beta",
    note = "Works on a running server with --url, else on a stopped server's directory. What is gone is removed at the end; other files in DIR stay.",
    note = "With a token the private packages that it opens are written too, for everybody who can read DIR.",
    note = "In the environment: PACKHOUSE_URL, PACKHOUSE_DATA, PACKHOUSE_CHANNEL, PACKHOUSE_TOKEN, PACKHOUSE_TOKEN_FILE, PACKHOUSE_CA_FILE, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `export`.
pub struct ExportArgs {
    /// folder for the files
    #[argh(positional)]
    pub dir: PathBuf,

    /// address of a running server; without it, --data is meant
    #[argh(option, arg_name = "url")]
    pub url: Option<String>,

    /// folder of a stopped server (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "default_data()")]
    pub data: PathBuf,

    /// channel to export instead of each owner's default
    #[argh(option, arg_name = "name")]
    pub channel: Option<ChannelName>,

    /// leave out the archives themselves
    #[argh(switch)]
    pub no_archives: bool,

    /// read all files again that are there, and write those that are damaged
    #[argh(switch)]
    pub verify: bool,

    /// file with the token, for private packages
    #[argh(option, arg_name = "file")]
    pub token_file: Option<PathBuf>,

    /// certificate authorities to trust besides the system's, in PEM form
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<PathBuf>,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "import",
    description = "Publish what is in a tree of static files, or in another registry, into a namespace. The same again publishes nothing.",
    example = "{command_name} ./site/v2 --into omni --data /srv/packhouse\n{command_name} https://old.example.com --into omni --url https://packages.example.com",
    note = "Works on a running server with --url and a token of the namespace, else on a stopped server's directory.",
    note = "omni.foo stays omni.foo in the namespace omni and becomes other.omni.foo in the namespace other. Releases become visible only when all of them has arrived and was verified.",
    note = "In the environment: PACKHOUSE_URL, PACKHOUSE_DATA, PACKHOUSE_CHANNEL, PACKHOUSE_TOKEN, PACKHOUSE_TOKEN_FILE, PACKHOUSE_CA_FILE, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `import`.
pub struct ImportArgs {
    /// folder of the tree, or its address, or that of a registry
    #[argh(positional)]
    pub from: String,

    /// namespace that the packages go to
    #[argh(option, arg_name = "user")]
    pub into: UserName,

    /// address of a running server; without it, --data is meant
    #[argh(option, arg_name = "url")]
    pub url: Option<String>,

    /// folder of a stopped server (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "default_data()")]
    pub data: PathBuf,

    /// channel of all releases (the one each was on, else the owner's default)
    #[argh(option, arg_name = "name")]
    pub channel: Option<ChannelName>,

    /// leave archives where they are, as archives elsewhere
    #[argh(switch)]
    pub link: bool,

    /// make new packages private
    #[argh(switch)]
    pub private: bool,

    /// file with the token that publishes
    #[argh(option, arg_name = "file")]
    pub token_file: Option<PathBuf>,

    /// file with the token that reads the registry to import from
    #[argh(option, arg_name = "file")]
    pub from_token_file: Option<PathBuf>,

    /// certificate authorities to trust besides the system's, in PEM form
    #[argh(option, arg_name = "file")]
    pub ca_file: Option<PathBuf>,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

/// Which newer releases `updates` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateMode {
    /// The newest.
    Newest,
    /// All.
    All,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "user", description = "Work on the accounts of a server that is stopped.")]
/// Flags of `user`.
pub struct UserArgs {
    /// what to do
    #[argh(subcommand)]
    pub command: UserCommand,
}

/// What to do with accounts.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
pub enum UserCommand {
    /// Make one.
    Add(UserAddArgs),
    /// Change a password.
    Password(UserPasswordArgs),
    /// Tell which there are.
    List(UserListArgs),
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "add",
    description = "Make an account. The password is asked for, or read from standard input.",
    example = "{command_name} omni --admin --data /srv/packhouse",
    note = "In the environment: PACKHOUSE_DATA. What is on the command line wins."
)]
/// Flags of `user add`.
pub struct UserAddArgs {
    /// name of the account, which is also the namespace of its packages
    #[argh(positional)]
    pub name: UserName,

    /// may manage all accounts and packages
    #[argh(switch)]
    pub admin: bool,

    /// folder of the server (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "default_data()")]
    pub data: PathBuf,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "password",
    description = "Change the password of an account. It is asked for, or read from standard input.",
    note = "In the environment: PACKHOUSE_DATA. What is on the command line wins."
)]
/// Flags of `user password`.
pub struct UserPasswordArgs {
    /// name of the account
    #[argh(positional)]
    pub name: UserName,

    /// folder of the server (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "default_data()")]
    pub data: PathBuf,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "list",
    description = "Tell which accounts there are.",
    note = "In the environment: PACKHOUSE_DATA, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `user list`.
pub struct UserListArgs {
    /// folder of the server (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "default_data()")]
    pub data: PathBuf,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "token", description = "Work on the API tokens of a server that is stopped.")]
/// Flags of `token`.
pub struct TokenArgs {
    /// what to do
    #[argh(subcommand)]
    pub command: TokenCommand,
}

/// What to do with API tokens.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
pub enum TokenCommand {
    /// Make one.
    Add(TokenAddArgs),
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "add",
    description = "Make an API token and print it. It cannot be shown again.",
    example = "{command_name} omni --scope publish --name ci --expires 2027-01-01T00:00:00Z",
    note = "In the environment: PACKHOUSE_DATA, PACKHOUSE_JSON. What is on the command line wins."
)]
/// Flags of `token add`.
pub struct TokenAddArgs {
    /// whose token it is
    #[argh(positional)]
    pub user: UserName,

    /// what it may do: read, publish or admin, each with those before; may be given several times (read)
    #[argh(option, arg_name = "scope")]
    pub scope: Vec<Scope>,

    /// what to call it (command line)
    #[argh(option, arg_name = "text")]
    pub name: Option<Label>,

    /// when it stops to work, as in 2027-01-01T00:00:00Z (never)
    #[argh(option, arg_name = "time")]
    pub expires: Option<Timestamp>,

    /// folder of the server (./packhouse-data)
    #[argh(option, arg_name = "dir", default = "default_data()")]
    pub data: PathBuf,

    /// answer in JSON
    #[argh(switch)]
    pub json: bool,
}

fn default_data() -> PathBuf {
    PathBuf::from("./packhouse-data")
}

fn default_index() -> PathBuf {
    PathBuf::from("./packhouse-index")
}

fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an address and port looks like 127.0.0.1:8080, 0.0.0.0:443 or [::]:8080".to_owned())
}

fn update_mode(text: &str) -> Result<UpdateMode, String> {
    match text {
        "1" => Ok(UpdateMode::Newest),
        "2" => Ok(UpdateMode::All),
        _ => Err("the mode is 1 for the newest release, or 2 for all newer ones".to_owned()),
    }
}

/// What ends the program before it does anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Early {
    /// A help or version text that was asked for (exit status 0).
    Text(String),
    /// The command line makes no sense (exit status 2).
    Usage(String),
}

/// Reads a command line without the program's own name, completed from the environment.
///
/// # Errors
/// [`Early`].
pub fn parse(words: &[String], environment: &dyn Fn(&str) -> Option<String>) -> Result<Args, Early> {
    if matches!(words, [word] if word == "--version" || word == "-V") {
        return Err(Early::Text(format!("packhouse {}\n", env!("CARGO_PKG_VERSION"))));
    }
    let program = Args::get_args_info();
    let usage = |problem: &str| {
        let command = prepass::command_words(words, &program).iter().map(|word| format!("{word} ")).collect::<String>();
        Early::Usage(format!("{}\nsee `packhouse {command}--help`", problem.trim_end()))
    };
    let completed = prepass::complete(words, &program, environment).map_err(|problem| usage(&problem))?;
    let completed: Vec<&str> = completed.iter().map(String::as_str).collect();
    Args::from_args(&["packhouse"], &completed).map_err(|exit| match exit.status {
        Ok(()) => Early::Text(exit.output),
        Err(()) => usage(&exit.output),
    })
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
