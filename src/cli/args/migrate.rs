//! Flags of `migrate`.

use std::path::PathBuf;

flags! {
    #[argh(
        subcommand,
        name = "migrate",
        description = "Move a stopped server to another directory or disk: a verified copy of all of it. The old directory stays.",
        example = "{command_name} --from-dir ./packhouse-data --data /srv/packhouse",
        note = "To another machine: packhouse backup --to - | ssh MACHINE packhouse restore - --data DIR. From another registry, or from static files: packhouse import."
    )]
    /// Flags of `migrate`.
    pub struct MigrateArgs {
        /// folder of the stopped server
        #[argh(option, arg_name = "dir")]
        pub from_dir: PathBuf,
    } with new_data, json
}
