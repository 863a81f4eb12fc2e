//! The integration tests: the real binary and the whole library from outside, in one test binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

mod readme;
mod solve;
mod tidy;
