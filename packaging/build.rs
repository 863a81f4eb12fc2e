//! What cargo cannot see by itself: that a file of the user interface came or went, which `rust-embed` alone does not
//! notice, and how the static binary copies memory.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=packaging/build.rs");
    println!("cargo::rerun-if-changed=packaging/memory/memory.c");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // Elsewhere, the C library does this as well as it can be done.
    if target("ENV") == "musl" && target("ARCH") == "x86_64" {
        link_memory();
    }
}

/// Puts `memory.c` into the binary. The linker looks into it before it looks into the C library.
fn link_memory() {
    cc::Build::new()
        .file("packaging/memory/memory.c")
        .opt_level(2)
        // Or the compiler makes a call to `memcpy` of what it takes for one.
        .flag("-ffreestanding")
        .flag("-fno-builtin")
        .flag("-fno-tree-loop-distribute-patterns")
        .compile("memory");
}
