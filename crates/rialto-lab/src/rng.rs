//! Seeded random numbers that are the same on every machine.
//!
//! Holds one generator and its streams by name. It never takes entropy from the machine.
//!
//! The generator is SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014): strategies draw few numbers,
//! and its state is one word.

/// Scrambles 64 bits.
#[must_use]
pub const fn mix64(x: u64) -> u64 {
    let z = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(mix64(seed ^ 0x6a09_e667_f3bc_c908))
    }

    /// The stream that `words` name under a seed, independent of every other name.
    #[must_use]
    pub fn named(seed: u64, words: &[u64]) -> Self {
        let fold =
            |acc: u64, word: &u64| mix64(acc.wrapping_add(mix64(word ^ 0x9e37_79b9_7f4a_7c15)));
        Self::new(words.iter().fold(mix64(seed), fold))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix64(self.0)
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A number in `[low, high)`.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number in `[0, bound)`; zero for a bound of zero.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_name_give_one_stream() {
        // Outputs of the reference implementation for the state 0: nothing may change them.
        let mut reference = Rng(0);
        assert_eq!(reference.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(reference.next_u64(), 0x6e78_9e6a_a1b9_65f4);
        let (mut a, mut b) = (Rng::named(1, &[2, 3]), Rng::named(1, &[3, 2]));
        assert_eq!(Rng::named(1, &[2, 3]).next_u64(), a.next_u64());
        assert_ne!(a.next_u64(), b.next_u64());
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut rng = Rng::new(7);
        for _ in 0..1_000 {
            assert!(rng.below(3) < 3);
            assert!((0.0..1.0).contains(&rng.unit()));
            assert!((2.0..4.0).contains(&rng.within(2.0, 4.0)));
        }
        assert_eq!(rng.below(0), 0);
    }
}
