//! Packhouse: a package registry and update server in one static binary.
//!
//! The layers, each of which may use only those to its right:
//!
//! ```text
//! cli -> http -> service -> { store, index } -> model
//! cli -> client -> model
//! ```
//!
//! `model` knows the words and rules and does no I/O. `store` keeps them in redb. `index` turns them into
//! files. `service` holds the use cases. `http` translates requests to service calls and back. `client` speaks
//! to a registry from outside. `cli` starts one of the two. `ARCHITECTURE.md` is the map.

pub mod cli;
pub mod client;
pub mod http;
pub mod index;
pub mod model;
pub mod service;
pub mod store;
