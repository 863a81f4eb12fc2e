//! Flags of `updates`.

use crate::model::{ChannelName, FullName, PlatformName, Version};

flags! {
    #[argh(
        subcommand,
        name = "updates",
        description = "Ask whether there is something newer than what is installed.",
        example = "{command_name} https://packages.example.com --id omni.foo --version 1.0.0 --platform linux-x64"
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
    } with token_file, ca_file, json
}

/// Which newer releases `updates` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateMode {
    /// The newest.
    Newest,
    /// All.
    All,
}

fn update_mode(text: &str) -> Result<UpdateMode, String> {
    match text {
        "1" => Ok(UpdateMode::Newest),
        "2" => Ok(UpdateMode::All),
        _ => Err("the mode is 1 for the newest release, or 2 for all newer ones".to_owned()),
    }
}
