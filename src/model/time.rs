//! Points in time, as records keep them and as the API writes them. Reading a clock belongs to `service`.

use std::fmt;
use std::str::FromStr;

/// Microseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

/// Why a text is not a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as RFC 3339 has it, such as 2026-11-21T08:30:00Z, between the years 1970 and 9999")]
pub struct InvalidTimestamp;

/// 9999-12-30T21:59:59.999999Z: in every time zone this is still a year of four digits, as RFC 3339 needs.
const MICROS_MAX: i64 = 253_402_207_199_999_999;

impl Timestamp {
    /// The last time there is.
    pub const MAX: Self = Self(MICROS_MAX);

    /// The time that many microseconds after 1970; times outside of 1970 to 9999 become the nearest inside.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(0, MICROS_MAX))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0 / 1_000_000
    }

    /// The same time without fractions of a second.
    #[must_use]
    pub fn floor_seconds(self) -> Self {
        Self(self.0 - self.0 % 1_000_000)
    }

    /// The time that many seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            // Unreachable by the type's range; a number is still better than a panic.
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        let micros = time.as_microsecond();
        if (0..=MICROS_MAX).contains(&micros) { Ok(Self(micros)) } else { Err(InvalidTimestamp) }
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        let time: Timestamp = "2026-11-21T09:30:00.25+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-21T08:30:00.25Z");
        assert_eq!(time.floor_seconds().to_string(), "2026-11-21T08:30:00Z");
        assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "9999-12-30T21:59:59.999999Z");
        assert_eq!(Timestamp::from_micros(-5).to_string(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in ["", "yesterday", "2026-11-21", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
        }
    }
}
