//! Integration tests: the real binary, driven from outside.

#![cfg(test)]

mod api;
mod bad_input;
mod cli;
mod concurrency;
mod durability;
mod real_data;
mod regression;
mod roles;
mod shutdown;
mod support;
mod tidy;
mod tls;
