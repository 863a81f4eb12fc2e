//! Flags of `backup` and `restore`.

flags! {
    #[argh(
        subcommand,
        name = "backup",
        description = "Back up a server: all of it, as of one moment, while it runs.",
        example = "{command_name} --url https://packages.example.com --to backups/\n{command_name} --data /srv/packhouse --to packhouse.tar\n{command_name} --url https://packages.example.com --to - | ssh elsewhere packhouse restore - --data /srv/packhouse",
        note = "Works on a running server with --url and a token of an admin with the scope admin, else on a stopped server's directory.",
        note = "A folder (one that is there, or a name that ends with /) takes any number of backups, each complete in a folder of its own; what they have in common is fetched and stored once. Other names are those of a tar file, and - is standard output."
    )]
    /// Flags of `backup`.
    pub struct BackupArgs {
        /// folder or file to write, or - for standard output
        #[argh(option, arg_name = "path")]
        pub to: String,

        /// how many backups to keep in the folder; older ones are removed (all)
        #[argh(option, arg_name = "n")]
        pub keep: Option<usize>,
    } with url, data, token_file, ca_file, json
}

flags! {
    #[argh(
        subcommand,
        name = "restore",
        description = "Make a data directory of a backup. All of it is verified first: it is restored as a whole or not at all.",
        example = "{command_name} packhouse.tar --data /srv/packhouse\n{command_name} backups/ --data /srv/packhouse\n{command_name} - --data /srv/packhouse < packhouse.tar",
        note = "Of a folder of backups the newest is taken; one of the folders in it is that backup."
    )]
    /// Flags of `restore`.
    pub struct RestoreArgs {
        /// file, folder, or - for standard input
        #[argh(positional)]
        pub from: String,
    } with new_data, json
}
