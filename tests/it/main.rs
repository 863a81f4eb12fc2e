//! Integration tests: the real binary and the whole library, driven from outside.

#![cfg(test)]

mod api;
mod durability;
mod readme;
mod regression;
mod roles;
mod support;
mod tidy;
