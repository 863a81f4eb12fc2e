//! The harness: a real server on a directory of its own, users of every kind, and a small HTTP client.
//!
//! A test begins with [`TestServer::start`], takes users from it ([`TestServer::omni`], [`TestServer::anonymous`], …),
//! and asks: `omni.get("/api/v1/packages").is(200).json()`. What is not as expected prints the request, the answer and
//! the end of the server's log. Knows nothing of the project's own client.

mod answer;
mod cli;
mod client;
pub(crate) mod contract;
mod files;
mod form;
mod place;
mod prepared;
mod proxy;
mod publish;
mod server;
mod skip;
mod tests;
mod wire;

pub(crate) use answer::Answer;
pub(crate) use cli::{Cli, Ran};
pub(crate) use client::{Client, Request};
pub(crate) use files::Files;
pub(crate) use form::Part;
pub(crate) use place::project;
pub(crate) use prepared::{PASSWORD, Scope};
pub(crate) use proxy::Proxy;
pub(crate) use publish::file_path;
pub(crate) use server::{Start, TestServer, binary, free_of_flags};
pub(crate) use skip::{is_there, skip, skip_installable};
pub(crate) use wire::Wire;
