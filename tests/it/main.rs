//! Integration tests: the real binary, driven from outside.

#![cfg(test)]

mod durability;
mod regression;
mod roles;
mod support;
mod tidy;
