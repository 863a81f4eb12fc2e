//! The known word that a misspelt one is nearest to.

/// Longest word that is compared, in characters: names and flags are shorter.
const CHARS_MAX: usize = 64;

/// The one of `known` that `word` was probably meant to be: at most a third of its characters are wrong, missing, too
/// many or swapped. Case does not count.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    if word.len() > CHARS_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let chars: Vec<char> = candidate.to_lowercase().chars().collect();
        if chars.len() > CHARS_MAX {
            continue;
        }
        let distance = distance(&word, &chars);
        let is_near = distance <= word.len().max(chars.len()).div_ceil(3).min(4) && distance < chars.len();
        if is_near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many characters are to be replaced, added, removed or swapped with their neighbour (optimal string alignment).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, a) in one.iter().enumerate() {
        let mut now = vec![row + 1];
        for (column, b) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(a != b);
            let mut least = replaced.min(last[column + 1] + 1).min(now[column] + 1);
            if row > 0 && column > 0 && *a == other[column - 1] && one[row - 1] == *b {
                least = least.min(before[column - 1] + 1);
            }
            now.push(least);
        }
        before = std::mem::replace(&mut last, now);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_are_near() {
        let platforms = ["any", "linux-x64", "linux-arm64", "windows-x64", "macos-arm64"];
        for (typed, meant) in [
            ("linx-x64", Some("linux-x64")),
            ("linux-x46", Some("linux-x64")),
            ("Linux-X64", Some("linux-x64")),
            ("window-x64", Some("windows-x64")),
            ("amiga", None),
            ("", None),
            ("a", None),
            ("freebsd-riscv64", None),
        ] {
            assert_eq!(nearest(typed, platforms), meant, "{typed}");
        }
        assert_eq!(nearest("pubilsh", ["publish", "updates"]), Some("publish"));
        assert_eq!(nearest(&"x".repeat(100), ["x"]), None);
    }
}
