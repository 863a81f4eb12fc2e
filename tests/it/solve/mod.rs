//! The solver from outside: against an independent checker, against brute force, and on real packages.

mod commands;
mod random;
mod real;
mod served;
mod universe;
