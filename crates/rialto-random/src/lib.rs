//! Seeded random numbers that are the same on every machine.
//!
//! Holds the two generators of the product and how their numbers become shares and bounded whole numbers.
//! It depends on nothing, takes no entropy from the machine, and is not for secrets. The numbers for a seed
//! never change, since recorded runs depend on them.

#![no_std]

/// What SplitMix64 adds to its state, and the word that keeps streams apart.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The scrambler of SplitMix64: every bit of the result depends on every bit of `z`; zero stays zero.
#[must_use]
pub const fn scramble(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One output of SplitMix64 for the state `x`.
#[must_use]
pub const fn mix64(x: u64) -> u64 {
    scramble(x.wrapping_add(GOLDEN))
}

/// Folds a list of words into one key, so that streams named differently are independent.
#[must_use]
pub fn key(words: &[u64]) -> u64 {
    words
        .iter()
        .fold(0x6a09_e667_f3bc_c908, |sum, &word| mix64(sum ^ mix64(word)))
}

/// A number in `[0, 1)` from the first 53 of 64 random bits.
const fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A whole number in `[0, bound)`, zero for a bound of zero. The bias of the multiply-shift method
/// (D. Lemire, 2019) is below `bound / 2^64`.
fn below(bits: u64, bound: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

/// A SplitMix64 stream (G. Steele, D. Lea, C. Flood, OOPSLA 2014): its state is one word; use it to draw
/// few numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream that begins with this state.
    #[must_use]
    pub const fn new(state: u64) -> Self {
        Self(state)
    }

    /// The stream of a seed; the streams of neighbouring seeds are unrelated.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(scramble(seed ^ 0x6a09_e667_f3bc_c908))
    }

    /// The stream that `words` name under a seed, independent of every other name.
    #[must_use]
    pub fn named(seed: u64, words: &[u64]) -> Self {
        let fold = |sum: u64, word: &u64| scramble(sum.wrapping_add(scramble(word ^ GOLDEN)));
        Self::seeded(words.iter().fold(scramble(seed), fold))
    }

    /// The next 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        scramble(self.0)
    }

    /// A number in `[0, 1)`.
    pub const fn unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// A number in `[low, high)`.
    pub const fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A position in a list of this length; zero for an empty list.
    pub fn below(&mut self, bound: usize) -> usize {
        below(self.next_u64(), bound as u64) as usize
    }
}

/// A xoshiro256++ 1.0 stream by D. Blackman and S. Vigna ("Scrambled linear pseudorandom number
/// generators", ACM TOMS 47(4), 2021; <https://prng.di.unimi.it>), its state filled by SplitMix64 as its
/// authors advise. Use it to draw many numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xoshiro256 {
    state: [u64; 4],
}

impl Xoshiro256 {
    /// The stream of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let mut words = SplitMix64::new(seed);
        Self {
            state: [
                words.next_u64(),
                words.next_u64(),
                words.next_u64(),
                words.next_u64(),
            ],
        }
    }

    /// The stream named by `words` under `seed`, independent of every other name.
    #[must_use]
    pub fn keyed(seed: u64, words: &[u64]) -> Self {
        Self::new(mix64(seed) ^ key(words))
    }

    /// The next 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub const fn unit(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// A whole number in `[0, bound)`; zero for a bound of zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        below(self.next_u64(), bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the authors' C programs.
    #[test]
    fn generators_give_their_reference_outputs() {
        let mut zero = SplitMix64::new(0);
        assert_eq!(zero.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(zero.next_u64(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(mix64(0), 0xe220_a839_7b1d_cdaf);
        let mut few = Xoshiro256 {
            state: [1, 2, 3, 4],
        };
        let expected = [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
        ];
        assert_eq!(core::array::from_fn(|_| few.next_u64()), expected);
    }

    /// These may never change: recorded runs depend on them.
    #[test]
    fn streams_stay_what_they_are() {
        for (what, drawn, expected) in [
            (
                "xoshiro 7",
                Xoshiro256::new(7).next_u64(),
                0x0e2c_1a00_2aae_913d,
            ),
            (
                "xoshiro 7, 1 2",
                Xoshiro256::keyed(7, &[1, 2]).next_u64(),
                0xeb8f_12e0_5c32_835b,
            ),
            (
                "splitmix 7",
                SplitMix64::seeded(7).next_u64(),
                0xf137_b59a_d183_e5bc,
            ),
            (
                "splitmix 7, 1 2",
                SplitMix64::named(7, &[1, 2]).next_u64(),
                0xda26_0c83_8e5b_ba3a,
            ),
            ("key", key(&[1, 2]), 0xd6e8_8f93_60ad_a23c),
        ] {
            assert_eq!(drawn, expected, "{what}: {drawn:#x}");
        }
    }

    #[test]
    fn seeds_repeat_and_names_separate() {
        let draw = |seed, name: &[u64]| Xoshiro256::keyed(seed, name).next_u64();
        assert_eq!(draw(7, &[1, 2]), draw(7, &[1, 2]));
        assert_ne!(draw(7, &[1, 2]), draw(7, &[2, 1]));
        assert_ne!(draw(7, &[1, 2]), draw(8, &[1, 2]));
        let draw = |seed, name: &[u64]| SplitMix64::named(seed, name).next_u64();
        assert_eq!(draw(1, &[2, 3]), draw(1, &[2, 3]));
        assert_ne!(draw(1, &[2, 3]), draw(1, &[3, 2]));
        assert_ne!(draw(1, &[2, 3]), draw(2, &[2, 3]));
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let (mut few, mut many) = (SplitMix64::seeded(7), Xoshiro256::new(7));
        for _ in 0..1_000 {
            assert!(few.below(3) < 3 && many.below(7) < 7);
            assert!((0.0..1.0).contains(&few.unit()) && (0.0..1.0).contains(&many.unit()));
            assert!((2.0..4.0).contains(&few.within(2.0, 4.0)));
        }
        assert_eq!((few.below(0), many.below(0)), (0, 0));
    }
}
