//! Integration tests: the real binary and the whole library, driven from outside.

#![cfg(test)]

mod api;
mod backup;
mod bad_input;
mod cli;
mod concurrency;
mod configuration;
mod debian_versions;
mod differential_clients;
mod docs;
mod durability;
mod formats;
mod installation;

mod packaging;
mod privacy;
mod readme;
mod real_data;
mod regression;
mod retention;
mod roles;
mod shutdown;
mod solve;
mod supervision;
mod support;
mod tidy;
mod tls;
mod transfer;
mod tus_clients;
mod watch;
