//! The life of a registry in acts: each begins with a start and ends with a clean stop.
//!
//! Together they go through every operation that changes something, over several volumes.

use super::reference::{FileRef, Op, ReleaseRef};

const fn release(package: &'static str, channel: &'static str, version: &'static str) -> ReleaseRef {
    ReleaseRef { package, channel, version }
}

const fn file(release: ReleaseRef, platform: &'static str, name: &'static str) -> FileRef {
    FileRef { release, platform, name }
}

const APP_1: ReleaseRef = release("app", "stable", "1.0.0");
const APP_2: ReleaseRef = release("app", "beta", "2.0.0-rc.1");
const LIB_1: ReleaseRef = release("lib", "stable", "1.2.3");
const LIB_2: ReleaseRef = release("lib", "stable", "1.10.0");
const KIT_1: ReleaseRef = release("kit", "stable", "1.0.0");

fn publish(release: ReleaseRef, name: &'static str, seed: u64, size: usize, active: bool) -> Op {
    Op::Publish { file: file(release, "any", name), seed, size, active }
}

/// The acts.
pub(crate) fn acts() -> Vec<Vec<Op>> {
    vec![
        // Small files, a file of several chunks and one that runs over volumes.
        vec![
            Op::CreatePackage { package: "app" },
            publish(APP_1, "app.zip", 1, 5_000, true),
            Op::CreatePackage { package: "lib" },
            publish(LIB_1, "lib.zip", 2, 600_000, false),
            publish(APP_2, "app.zip", 3, 1_300_000, true),
        ],
        // The same bytes twice, a manifest, a replaced draft, a first activation.
        vec![
            Op::Publish { file: file(APP_1, "linux-x64", "app.tar.gz"), seed: 2, size: 600_000, active: true },
            Op::Manifest { file: file(APP_1, "any", "app.zip"), title: "App" },
            Op::Manifest { file: file(LIB_1, "any", "lib.zip"), title: "Lib" },
            publish(LIB_1, "lib.zip", 4, 300_000, false),
            Op::Activate { release: LIB_1 },
        ],
        // Withdrawn, restored, out of sight and back.
        vec![
            Op::Yank { release: APP_1 },
            publish(LIB_2, "lib.zip", 5, 40_000, true),
            publish(LIB_2, "lib.zip.sig", 6, 90, true),
            Op::Restore { release: APP_1 },
            Op::Deactivate { release: LIB_2 },
            Op::Activate { release: LIB_2 },
            Op::Yank { release: LIB_2 },
        ],
        // Files go, first one of two with the same bytes; the space comes back.
        vec![
            Op::DeleteFile { file: file(APP_1, "linux-x64", "app.tar.gz") },
            Op::DeleteRelease { release: APP_2 },
            Op::Collect,
            publish(APP_2, "app-2.zip", 7, 900_000, false),
            Op::Collect,
        ],
        // A volume that is mostly dead is rewritten, and another one started.
        vec![
            publish(APP_2, "app-2.zip", 8, 250_000, false),
            Op::DeletePackage { package: "lib" },
            Op::Collect,
            Op::CreatePackage { package: "lib" },
            publish(LIB_1, "lib-2.zip", 9, 1_500_000, true),
            Op::DeleteRelease { release: LIB_1 },
            publish(LIB_2, "lib.zip", 5, 40_000, true),
            Op::Collect,
        ],
        small_files(),
    ]
}

/// Small files that fill a pack, of which so many go that it is taken apart, and others that fill the next with the rest.
fn small_files() -> Vec<Op> {
    const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let put = |at: usize| publish(KIT_1, NAMES[at], 20 + at as u64, 32_000, false);
    let delete = |at: usize| Op::DeleteFile { file: file(KIT_1, "any", NAMES[at]) };
    let mut ops = vec![Op::CreatePackage { package: "kit" }];
    ops.extend((0..9).map(put));
    ops.push(Op::Collect);
    ops.extend((2..5).map(delete));
    ops.extend((9..12).map(put));
    ops.extend([Op::Collect, Op::DeletePackage { package: "kit" }, Op::Collect]);
    ops
}

/// The time of an operation, in microseconds.
pub(crate) fn time_of(act: usize, op: usize) -> i64 {
    (act as i64 * 1000 + op as i64 + 1) * 1_000_000
}
