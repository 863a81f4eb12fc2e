//! The solver from outside: against an independent checker, against brute force, and on real packages.

mod real;
mod universe;
