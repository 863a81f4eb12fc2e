//! Flags of `check`.

flags! {
    #[argh(
        subcommand,
        name = "check",
        description = "Check a stopped server's directory: what is damaged, and which releases that affects. Nothing is written.",
        example = "{command_name} --data /srv/packhouse --deep",
        error_code(1, "something is damaged, or the directory cannot be read")
    )]
    /// Flags of `check`.
    pub struct CheckArgs {
        /// read all content too, and compare it with its digests
        #[argh(switch)]
        pub deep: bool,
    } with data, json
}
