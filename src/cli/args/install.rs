//! Flags of `install`.

use std::path::PathBuf;

use crate::client::solve::Root;
use crate::model::{ChannelName, FullName, PlatformName};

flags! {
    #[argh(
        subcommand,
        name = "install",
        description = "Install packages and what they need: choose versions, fetch the archives and verify them.",
        example = "{command_name} omni.app@^1.2 --into ./packages --index ./index --url https://packages.example.com\n{command_name} --into ./packages --index ./index --url https://packages.example.com",
        note = "Each archive goes to a folder NAME-ID. What is there already is not fetched again. DIR/packhouse.lock says exactly what is installed: with it, the same packages give the same archives, and no packages mean those of the lock file.",
        note = "A package is written NAME or NAME@REQUIREMENT, a requirement as ^1.2, ~1.2.3, =1.2.3, '>=0.3, <0.5' or *.",
        note = "The local copy of the index does not keep the address it came from, so --url and --channel say it as for `packhouse sync`."
    )]
    /// Flags of `install`.
    pub struct InstallArgs {
        /// packages wanted; none for those of the lock file
        #[argh(positional)]
        pub packages: Vec<Root>,

        /// folder to install into
        #[argh(option, arg_name = "dir")]
        pub into: PathBuf,

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

        /// package whose archive is taken as it comes where the index gives no SHA-256; may be given several times
        #[argh(option, arg_name = "package")]
        pub allow_unverified: Vec<FullName>,

        /// unpack archives that end with .zip, .tar.gz or .tgz
        #[argh(switch)]
        pub unpack: bool,

        /// lock file (packhouse.lock in the folder to install into)
        #[argh(option, arg_name = "file")]
        pub lock: Option<PathBuf>,
    } with index, token_file, ca_file, json
}
