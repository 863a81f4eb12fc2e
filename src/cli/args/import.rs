//! Flags of `import`.

use std::path::PathBuf;

use crate::model::{ChannelName, UserName};

flags! {
    #[argh(
        subcommand,
        name = "import",
        description = "Publish what is in a tree of static files, or in another registry, into a namespace. The same again publishes nothing.",
        example = "{command_name} ./site/v2 --into omni --data /srv/packhouse\n{command_name} https://old.example.com --into omni --url https://packages.example.com",
        note = "Works on a running server with --url and a token of the namespace, else on a stopped server's directory.",
        note = "omni.foo stays omni.foo in the namespace omni and becomes other.omni.foo in the namespace other. Releases become visible only when all of them has arrived and was verified."
    )]
    /// Flags of `import`.
    pub struct ImportArgs {
        /// folder of the tree, or its address, or that of a registry
        #[argh(positional)]
        pub from: String,

        /// namespace that the packages go to
        #[argh(option, arg_name = "user")]
        pub into: UserName,

        /// channel of all releases (the one each was on, else the owner's default)
        #[argh(option, arg_name = "name")]
        pub channel: Option<ChannelName>,

        /// leave archives where they are, as archives elsewhere
        #[argh(switch)]
        pub link: bool,

        /// make new packages private
        #[argh(switch)]
        pub private: bool,

        /// file with the token that reads the registry to import from
        #[argh(option, arg_name = "file")]
        pub from_token_file: Option<PathBuf>,
    } with url, data, token_file, ca_file, json
}
