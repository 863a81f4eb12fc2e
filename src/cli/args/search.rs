//! Flags of `search`.

flags! {
    #[argh(
        subcommand,
        name = "search",
        description = "Find packages by words in their names, titles, keywords and descriptions.",
        example = "{command_name} window ui --index ./index",
        note = "Searches a local copy of the index, which `packhouse sync` makes. All words must be found; the nearest to a name come first."
    )]
    /// Flags of `search`.
    pub struct SearchArgs {
        /// what to look for; nothing lists all packages
        #[argh(positional)]
        pub words: Vec<String>,

        /// how many packages to tell (20)
        #[argh(option, arg_name = "n", default = "20")]
        pub limit: usize,
    } with index, json
}
