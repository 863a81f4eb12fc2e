//! The order of Debian's versions, pair by pair against dpkg itself.

use std::process::{Command, Stdio};

use packhouse::model::{Version, VersionScheme};

use crate::support::is_there;

/// How many pairs are compared.
const PAIRS: usize = 20_000;
/// How many of them one shell compares.
const PAIRS_PER_SHELL: usize = 2_500;

/// A stream of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A version as Debian's packages have them: an upstream version, with what repacking and snapshots add, and a revision.
fn made(numbers: &mut Numbers) -> String {
    let mut text = numbers.below(30).to_string();
    for _ in 0..numbers.below(4) {
        text += numbers.one_of(&[".", ".", ".", ".0", "a", "rc", "+", "~", ".g", "p"]);
        text += &numbers.below(40).to_string();
    }
    text += numbers.one_of(&[
        "",
        "",
        "",
        "+dfsg",
        "+dfsg1",
        "~rc1",
        "~beta2",
        "+git20240101.1a2b3c",
        "~bpo12",
        "+ds",
        "~",
        "a",
        "+really1.2",
        ".0",
    ]);
    match numbers.below(4) {
        0 => {}
        1 => text += &format!("-{}", numbers.below(12)),
        2 => {
            let suffix = numbers.one_of(&["+b1", "ubuntu1", ".1", "~exp1", "+deb12u3", "build2"]);
            text += &format!("-{}{suffix}", numbers.below(5));
        }
        _ => text += numbers.one_of(&["-0", "-1", "-1~bpo12+1", "-0ubuntu0.1", "-3+b1"]),
    }
    text
}

/// The versions of what is installed here, without epochs, which a version of ours cannot have.
fn installed() -> Vec<String> {
    let listed = Command::new("dpkg-query").args(["-W", "-f", "${Version}\\n"]).output();
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let versions = listed.lines().map(|line| line.split_once(':').map_or(line, |(_, rest)| rest).to_owned());
    versions.filter(|text| text.parse::<Version>().is_ok()).collect()
}

/// What dpkg says of pairs: -1, 0 or 1 for each.
fn dpkg_says(pairs: &[(String, String)]) -> Vec<i8> {
    let script = "while [ $# -gt 0 ]; do
        if dpkg --compare-versions \"$1\" lt \"$2\"; then echo -1
        elif dpkg --compare-versions \"$1\" eq \"$2\"; then echo 0
        else echo 1; fi
        shift 2
    done";
    let words = pairs.iter().flat_map(|(one, other)| [one, other]);
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).args(words).stdin(Stdio::null()).stderr(Stdio::null());
    let output = shell.output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn debian_versions_compare_as_dpkg_compares_them() {
    if !is_there("dpkg") {
        return;
    }
    let mut numbers = Numbers(7);
    let mut pool = installed();
    pool.extend((0..3000).map(|_| made(&mut numbers)));
    let pairs: Vec<(String, String)> = (0..PAIRS)
        .map(|at| {
            let one = pool[numbers.below(pool.len())].clone();
            // Near ones are the hard ones: every second pair differs in one character.
            let mut other = if at % 2 == 0 { one.clone() } else { pool[numbers.below(pool.len())].clone() };
            if at % 2 == 0 {
                let place = 1 + numbers.below(other.len());
                other.insert_str(place, numbers.one_of(&["0", "1", "~", "+", ".", "a", "Z", "-1"]));
            }
            (one, other)
        })
        .collect();
    let expected: Vec<i8> = std::thread::scope(|scope| {
        let shells: Vec<_> = pairs.chunks(PAIRS_PER_SHELL).map(|chunk| scope.spawn(|| dpkg_says(chunk))).collect();
        shells.into_iter().flat_map(|shell| shell.join().unwrap()).collect()
    });
    assert_eq!(expected.len(), pairs.len());
    let read = |text: &str| text.parse::<Version>().unwrap().in_scheme(VersionScheme::Debian);
    let differ: Vec<_> = pairs
        .iter()
        .zip(&expected)
        .filter(|((one, other), expected)| {
            let (one, other) = (read(one), read(other));
            let found = i8::from(one.is_newer_than(&other)) - i8::from(other.is_newer_than(&one));
            found != **expected
        })
        .collect();
    assert!(
        differ.is_empty(),
        "{} of {} pairs differ: {:?}",
        differ.len(),
        pairs.len(),
        &differ[..differ.len().min(20)]
    );
}
