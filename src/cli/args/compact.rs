//! Flags of `compact`.

flags! {
    #[argh(
        subcommand,
        name = "compact",
        description = "Make a stopped server's directory as small as it can be: content that nobody refers to goes, the rest moves together.",
        example = "{command_name} --data /srv/packhouse",
        note = "A running server returns most of that space by itself. This needs room on the disk for one volume, 1 GiB at most, and may be interrupted. The next backup into a folder takes all volumes anew."
    )]
    /// Flags of `compact`.
    pub struct CompactArgs {} with data, json
}
