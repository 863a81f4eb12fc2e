//! Real packages and real sizes: what a registry meets once it is in use.

mod cargo;
mod crates;
mod large;
