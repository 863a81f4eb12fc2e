//! Flags of `user`.

use argh::{ArgsInfo, FromArgs};

use crate::model::UserName;

#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand, name = "user", description = "Work on the accounts of a server that is stopped.")]
/// Flags of `user`.
pub struct UserArgs {
    /// what to do
    #[argh(subcommand)]
    pub command: UserCommand,
}

/// What to do with accounts.
#[derive(FromArgs, ArgsInfo, Debug, PartialEq)]
#[argh(subcommand)]
pub enum UserCommand {
    /// Make one.
    Add(UserAddArgs),
    /// Change a password.
    Password(UserPasswordArgs),
    /// Tell which there are.
    List(UserListArgs),
}

flags! {
    #[argh(
        subcommand,
        name = "add",
        description = "Make an account. The password is asked for, or read from standard input.",
        example = "{command_name} omni --admin --data /srv/packhouse"
    )]
    /// Flags of `user add`.
    pub struct UserAddArgs {
        /// name of the account, which is also the namespace of its packages
        #[argh(positional)]
        pub name: UserName,

        /// may manage all accounts and packages
        #[argh(switch)]
        pub admin: bool,

        /// make the data directory if it is not there
        #[argh(switch)]
        pub create: bool,
    } with data
}

flags! {
    #[argh(
        subcommand,
        name = "password",
        description = "Change the password of an account. It is asked for, or read from standard input."
    )]
    /// Flags of `user password`.
    pub struct UserPasswordArgs {
        /// name of the account
        #[argh(positional)]
        pub name: UserName,
    } with data
}

flags! {
    #[argh(
        subcommand,
        name = "list",
        description = "Tell which accounts there are."
    )]
    /// Flags of `user list`.
    pub struct UserListArgs {} with data, json
}
