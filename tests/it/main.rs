//! Integration tests: the real binary, driven from outside.

#[cfg(test)]
mod support;
mod tidy;
