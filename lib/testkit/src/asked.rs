//! What the person who runs the tests asks for, and random numbers that can be had again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::time::Duration;

/// A number from the environment of the test command: `TIDEMARK_CRASHES=2000`, say.
///
/// # Panics
/// When it is set and not a number.
pub fn asked(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where tests are told how much to do"
    )]
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text}: write a number")),
    )
}

/// Random numbers from a seed: the same seed, the same numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// From that seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// From `TIDEMARK_SEED` where it is set, else from a new seed. The seed is printed: a failed test shows it.
    #[expect(
        clippy::print_stderr,
        reason = "the test harness shows it where the test fails"
    )]
    pub fn fresh() -> Self {
        let seed = asked("TIDEMARK_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
        eprintln!("TIDEMARK_SEED={seed} gives the same random numbers again");
        Self::new(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound.max(1)
    }

    /// A time within the range, in steps of a microsecond.
    pub fn duration(&mut self, range: Range<Duration>) -> Duration {
        let width = range.end.saturating_sub(range.start).as_micros();
        range.start + Duration::from_micros(self.below(u64::try_from(width).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        // The generator's published test vector for seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn durations_stay_in_their_range() {
        let mut random = Random::new(7);
        let range = Duration::from_millis(3)..Duration::from_millis(5);
        assert!((0..1000).all(|_| range.contains(&random.duration(range.clone()))));
        assert_eq!(random.duration(range.end..range.end), range.end);
    }
}
