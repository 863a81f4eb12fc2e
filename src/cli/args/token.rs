//! Flags of `token`.

use argh::{ArgsInfo, FromArgs};

use crate::model::{Label, Scope, Timestamp, UserName};

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "token", description = "Work on the API tokens of a server that is stopped.")]
/// Flags of `token`.
pub struct TokenArgs {
    /// what to do
    #[argh(subcommand)]
    pub command: TokenCommand,
}

/// What to do with API tokens.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
pub enum TokenCommand {
    /// Make one.
    Add(TokenAddArgs),
}

flags! {
    #[argh(
        subcommand,
        name = "add",
        description = "Make an API token and print it. It cannot be shown again.",
        example = "{command_name} omni --scope publish --name ci --expires 2027-01-01T00:00:00Z"
    )]
    /// Flags of `token add`.
    pub struct TokenAddArgs {
        /// whose token it is
        #[argh(positional)]
        pub user: UserName,

        /// what it may do: read, publish or admin, each with those before; may be given several times (read)
        #[argh(option, arg_name = "scope")]
        pub scope: Vec<Scope>,

        /// what to call it (command line)
        #[argh(option, arg_name = "text")]
        pub name: Option<Label>,

        /// when it stops to work, as in 2027-01-01T00:00:00Z (never)
        #[argh(option, arg_name = "time")]
        pub expires: Option<Timestamp>,
    } with data, json
}
