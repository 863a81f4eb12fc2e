//! Sizes and durations as people write them: `4GiB`, `500MB`, `90s`, `1h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A span of time on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// Longer than any wait that makes sense; a larger number is a slip of the finger.
const SPAN_SECONDS_MAX: u64 = 366 * 24 * 3600;

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "a size is a number of bytes, or one with KB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 4GiB".to_owned();
        let (number, unit) = split(text).ok_or_else(wrong)?;
        let factor = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" => 1 << 10,
            "m" => 1 << 20,
            "g" => 1 << 30,
            "t" => 1 << 40,
            unit => BYTE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?.1,
        };
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a time is a number with ms, s, m, h or d, up to a year, as in 30s".to_owned();
        let (number, unit) = split(text).ok_or_else(wrong)?;
        let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
        let span = match unit {
            "ms" => Some(Duration::from_millis(number)),
            "" | "s" => seconds(1),
            "m" | "min" => seconds(60),
            "h" => seconds(3600),
            "d" => seconds(24 * 3600),
            _ => None,
        };
        span.filter(|span| span.as_secs() <= SPAN_SECONDS_MAX).map(Self).ok_or_else(wrong)
    }
}

/// Units of bytes, the largest first.
const BYTE_UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1000),
];

/// Exactly, in the largest unit that leaves no rest, so that reading it gives the same again.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match BYTE_UNITS.iter().find(|(_, factor)| self.0 > 0 && self.0.is_multiple_of(*factor)) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Exactly to the millisecond, in the largest unit that leaves no rest.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
        let (unit, factor) = units.into_iter().find(|(_, factor)| ms.is_multiple_of(*factor)).unwrap_or(("ms", 1));
        if ms == 0 { f.write_str("0s") } else { write!(f, "{}{unit}", ms / factor) }
    }
}

/// A whole number and what follows it, blanks between them left out.
fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..digits].parse().ok()?, text[digits..].trim_start()))
}

/// A number of bytes as people read it, to three digits: `1.5 MiB`.
#[must_use]
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be rounded up to 1024 is already one of the next.
    while size >= 1023.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let digits = if size < 9.95 { 1 } else { 0 };
    format!("{size:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in
            [("0", 0), ("7", 7), ("4GiB", 4 << 30), ("4g", 4 << 30), ("500MB", 500_000_000), ("1 kb", 1000)]
        {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "-1", "1.5GiB", "GiB", "4 giga", "99999999999999999999", "99999999TiB", "é"] {
            assert!(text.parse::<ByteSize>().unwrap_err().contains("as in 4GiB"), "{text}");
        }
    }

    #[test]
    fn times_are_read() {
        for (text, ms) in [("250ms", 250), ("30", 30_000), ("30s", 30_000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(ms))), "{text}");
        }
        for text in ["", "s", "-1s", "400d", "1y", "18446744073709551615d"] {
            assert!(text.parse::<Span>().unwrap_err().contains("as in 30s"), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for (bytes, text) in [(0, "0"), (1, "1"), (1000, "1KB"), (16 << 30, "16GiB"), (500_000_000, "500MB")] {
            assert_eq!((ByteSize(bytes).to_string().as_str(), text.parse()), (text, Ok(ByteSize(bytes))));
        }
        for (ms, text) in [(0, "0s"), (250, "250ms"), (15_000, "15s"), (90_000, "90s"), (86_400_000, "24h")] {
            let span = Span(Duration::from_millis(ms));
            assert_eq!((span.to_string().as_str(), text.parse()), (text, Ok(span)));
        }
    }

    #[test]
    fn sizes_are_shown() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (20 << 20, "20 MiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(human_bytes(bytes), text);
        }
    }
}
