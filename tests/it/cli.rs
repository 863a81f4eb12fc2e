//! The commands, against a real server and on a stopped server's directory.

mod accounts;
mod publish;
mod sync;
mod usage;
