//! Integration tests: the real binary, driven from outside.

#![cfg(test)]

mod regression;
mod support;
mod tidy;
