//! Tells cargo to rebuild when a file of the user interface comes or goes; `rust-embed` alone does not see new files.

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=packaging/build.rs");
}
