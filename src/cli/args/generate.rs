//! Flags of `completions` and `man`, which tell of all the others.

use argh::{ArgsInfo, FromArgs};

use crate::cli::completions::Shell;

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "completions",
    description = "Print what completes command lines in a shell: bash, zsh or fish.",
    example = "source <({command_name} bash)\n{command_name} zsh > /usr/local/share/zsh/site-functions/_packhouse\n{command_name} fish > ~/.config/fish/completions/packhouse.fish"
)]
/// Flags of `completions`.
pub struct CompletionsArgs {
    /// bash, zsh or fish
    #[argh(positional)]
    pub shell: Shell,
}

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(
    subcommand,
    name = "man",
    description = "Print the manual page.",
    example = "{command_name} | man -l -\n{command_name} > /usr/local/share/man/man1/packhouse.1"
)]
/// Flags of `man`.
pub struct ManArgs {}
