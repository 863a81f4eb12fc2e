//! [`Durations`]: how long things took, sorted into few classes, so that millions of them take some bytes.

use std::time::Duration;

/// The upper bounds of all classes but the last, which has none; in microseconds, rising. From an answer out of memory
/// to one that somebody has stopped waiting for.
pub const BOUNDS_MICROS: [u64; 13] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000];

/// How many things took how long.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Durations {
    counts: [u64; BOUNDS_MICROS.len() + 1],
    sum_micros: u64,
}

impl Durations {
    /// Counts one.
    pub fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.counts[BOUNDS_MICROS.partition_point(|bound| *bound < micros)] += 1;
        self.sum_micros = self.sum_micros.saturating_add(micros);
    }

    /// Counts all that another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (own, others) in self.counts.iter_mut().zip(other.counts) {
            *own += others;
        }
        self.sum_micros = self.sum_micros.saturating_add(other.sum_micros);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all took together, in microseconds.
    #[must_use]
    pub fn sum_micros(&self) -> u64 {
        self.sum_micros
    }

    /// How many took at most as long as each of [`BOUNDS_MICROS`], in their order.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut below = 0;
        BOUNDS_MICROS.iter().zip(self.counts).map(move |(bound, count)| {
            below += count;
            (*bound, below)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_where_it_belongs() {
        let mut durations = Durations::default();
        for micros in [0, 500, 501, 10_000_000, 10_000_001] {
            durations.add(Duration::from_micros(micros));
        }
        let cumulative: Vec<_> = durations.cumulative().collect();
        assert_eq!((cumulative[0], cumulative[1], cumulative[12]), ((500, 2), (1_000, 3), (10_000_000, 4)));
        assert_eq!((durations.count(), durations.sum_micros()), (5, 20_001_002));
        let mut twice = durations;
        twice.merge(&durations);
        assert_eq!((twice.count(), twice.sum_micros()), (10, 40_002_004));
        durations.add(Duration::MAX);
        assert_eq!(durations.sum_micros(), u64::MAX);
    }
}
