//! The serial clock: one strictly rising number for the changes of all views.
//!
//! Pure: the caller reads the wall clock and remembers the last serial.

use std::fmt;
use std::str::FromStr;

/// When a view last changed, in microseconds since the Unix epoch; opaque to clients.
///
/// Never the same for two changes, and never falling, even where the wall clock stands still or is set back. As a
/// JSON number it stays exact in a double (below 2^53) until the year 2255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Serial(pub u64);

impl Serial {
    /// The serial of a change at `now_us` by the wall clock when `last` was given out before: the time, or the next
    /// number where the clock has not moved on.
    #[must_use]
    pub fn next(now_us: u64, last: Self) -> Self {
        Self(now_us.max(last.0.saturating_add(1)))
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Serial {
    type Err = InvalidSerial;

    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        text.parse().map(Self).map_err(|_| InvalidSerial)
    }
}

/// A text that is no serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSerial;

impl fmt::Display for InvalidSerial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a serial is a whole number of at most 19 digits, as registry.gz has it in its field serial")
    }
}

impl std::error::Error for InvalidSerial {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn follows_the_clock_when_it_moves_on() {
        assert_eq!(Serial::next(2_000, Serial(1_000)), Serial(2_000));
    }

    #[test]
    fn counts_on_when_the_clock_stands_or_falls() {
        assert_eq!(Serial::next(1_000, Serial(1_000)), Serial(1_001));
        assert_eq!(Serial::next(5, Serial(1_000)), Serial(1_001));
    }

    #[test]
    fn reads_what_it_writes() {
        assert_eq!(Serial(1_763_715_301_000_123).to_string().parse(), Ok(Serial(1_763_715_301_000_123)));
        assert!("-1".parse::<Serial>().is_err());
        assert!("".parse::<Serial>().is_err());
    }

    proptest! {
        #[test]
        fn rises_whatever_the_clock_does(times in prop::collection::vec(0..u64::MAX / 2, 1..50)) {
            let mut last = Serial::default();
            for now_us in times {
                let next = Serial::next(now_us, last);
                prop_assert!(next > last && next.0 >= now_us);
                last = next;
            }
        }
    }
}
