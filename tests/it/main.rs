//! Integration tests: the real binary, driven from outside.

#![cfg(test)]

mod api;
mod bad_input;
mod regression;
mod roles;
mod support;
mod tidy;
