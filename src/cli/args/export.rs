//! Flags of `export`.

use std::path::PathBuf;

use crate::model::ChannelName;

flags! {
    #[argh(
        subcommand,
        name = "export",
        description = "Write a view as static files for any web server or bucket: only what changed, registry.gz last.",
        example = "{command_name} ./site/v2 --url https://packages.example.com\n{command_name} ./site/v2 --data /srv/packhouse --channel beta",
        note = "Works on a running server with --url, else on a stopped server's directory. What is gone is removed at the end; other files in DIR stay.",
        note = "With a token the private packages that it opens are written too, for everybody who can read DIR."
    )]
    /// Flags of `export`.
    pub struct ExportArgs {
        /// folder for the files
        #[argh(positional)]
        pub dir: PathBuf,

        /// channel to export instead of each owner's default
        #[argh(option, arg_name = "name")]
        pub channel: Option<ChannelName>,

        /// leave out the archives themselves
        #[argh(switch)]
        pub no_archives: bool,

        /// read all files again that are there, and write those that are damaged
        #[argh(switch)]
        pub verify: bool,
    } with url, data, token_file, ca_file, json
}
