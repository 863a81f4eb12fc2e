//! Points in time, as records keep them and as the API writes them. Reading a clock belongs to `service`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

/// A day in UTC, counted from 1970. Written as RFC 3339 writes a date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Day(u32);

/// Why a text is not a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as RFC 3339 has it, such as 2026-11-21T08:30:00Z, between the years 1970 and 9999")]
pub struct InvalidTimestamp;

/// 9999-12-30T21:59:59.999999Z: in every time zone this is still a year of four digits, as RFC 3339 needs.
const MICROS_MAX: i64 = 253_402_207_199_999_999;
const DAY_SECONDS: i64 = 24 * 60 * 60;

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

    /// The time that much later, in whole microseconds.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The time that many seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The same time of a later day.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        self.plus_seconds(i64::from(days) * DAY_SECONDS)
    }

    /// The day that it is on.
    #[must_use]
    pub fn day(self) -> Day {
        // The last one there is has seven digits.
        Day(u32::try_from(self.as_seconds() / DAY_SECONDS).unwrap_or(u32::MAX))
    }
}

impl Day {
    /// The day of that number.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// How many days it is from 1970.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// That many days later.
    #[must_use]
    pub const fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// How many days it is until `later`; none if that was before.
    #[must_use]
    pub const fn days_until(self, later: Self) -> u32 {
        later.0.saturating_sub(self.0)
    }

    /// Its beginning.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_micros(0).plus_days(self.0)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.start().to_string();
        text.truncate("2026-11-21".len());
        f.write_str(&text)
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
    fn days_are_counted_and_written_as_dates() {
        assert_eq!(Day::default().to_string(), "1970-01-01");
        let time: Timestamp = "2026-11-21T23:59:59.999999Z".parse().unwrap();
        assert_eq!((time.day().number(), time.day().to_string().as_str()), (20_778, "2026-11-21"));
        assert_eq!(time.day().start().to_string(), "2026-11-21T00:00:00Z");
        assert_eq!(time.plus_days(10).to_string(), "2026-12-01T23:59:59.999999Z");
        assert_eq!(time.day().plus(10), time.plus_days(10).day());
        assert_eq!(time.day().days_until(time.day().plus(3)), 3);
        assert_eq!(time.day().plus(3).days_until(time.day()), 0);
        assert_eq!(time.plus(Duration::from_nanos(1_999)).to_string(), "2026-11-22T00:00:00Z");
        assert_eq!([Timestamp::MAX.plus_days(u32::MAX), time.plus(Duration::MAX)], [Timestamp::MAX; 2]);
        assert_eq!(Timestamp::MAX.day().to_string(), "9999-12-30");
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in ["", "yesterday", "2026-11-21", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
        }
    }
}
