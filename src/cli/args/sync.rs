//! Flags of `sync`.

use std::path::PathBuf;

use crate::model::ChannelName;

flags! {
    #[argh(
        subcommand,
        name = "sync",
        description = "Keep a local copy of a registry's index: fetch what changed, verify it, and switch to it in one step.",
        example = "{command_name} https://packages.example.com ./index\n{command_name} https://packages.example.com ./index --channel beta",
        note = "The copy is registry.json, summaries.json and packages/NAME.json in DIR. Until the new state is whole and verified, the old one stays as it is."
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
    } with token_file, ca_file, json
}
