//! Flags of `resolve`.

use crate::client::solve::Root;
use crate::model::PlatformName;

flags! {
    #[argh(
        subcommand,
        name = "resolve",
        description = "Choose one version of each package that is needed, so that all requirements are met.",
        example = "{command_name} omni.app@^1.2 omni.extra --index ./index --platform linux-x64",
        note = "A package is written NAME or NAME@REQUIREMENT, a requirement as ^1.2, ~1.2.3, =1.2.3, '>=0.3, <0.5' or *.",
        note = "Works on a local copy of the index, which `packhouse sync` makes. An archive for any platform does where its version has none for a specific one."
    )]
    /// Flags of `resolve`.
    pub struct ResolveArgs {
        /// packages wanted
        #[argh(positional)]
        pub packages: Vec<Root>,

        /// platform they will run on (that of this machine)
        #[argh(option, arg_name = "name")]
        pub platform: Option<PlatformName>,

        /// take prereleases too
        #[argh(switch)]
        pub prerelease: bool,
    } with index, json
}
