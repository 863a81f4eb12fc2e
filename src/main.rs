//! The command `packhouse`: hands over to the library.
fn main() {}
