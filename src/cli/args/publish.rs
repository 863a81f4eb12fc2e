//! Flags of `publish`.

use std::path::PathBuf;

use crate::model::{ChannelName, FileRole, FullName, PlatformName, Version};

flags! {
    #[argh(
        subcommand,
        name = "publish",
        description = "Publish a file as part of a release. The same again is a success.",
        example = "{command_name} https://packages.example.com foo-linux.tar.gz --package omni.foo --version 1.0.0 --platform linux-x64 --manifest foo.json --notes CHANGES.md",
        note = "The token comes from PACKHOUSE_TOKEN or --token-file. With a manifest or notes, the release becomes visible only when all is there."
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

        /// role of the file: archive or attachment (its name decides)
        #[argh(option, arg_name = "role")]
        pub role: Option<FileRole>,

        /// release notes, a Markdown file
        #[argh(option, arg_name = "file")]
        pub notes: Option<PathBuf>,

        /// make the platform if the owner has none of that name
        #[argh(switch)]
        pub create_platform: bool,

        /// leave the release invisible
        #[argh(switch)]
        pub draft: bool,
    } with token_file, ca_file, json
}
