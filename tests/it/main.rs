//! Integration tests: the real binary, driven from outside.

#![cfg(test)]

mod durability;
mod real_data;
mod regression;
mod roles;
mod support;
mod tidy;
