//! Seeded random numbers that are the same on every machine.
//!
//! Holds one generator and the few distributions the twin draws from. It never takes entropy
//! from the machine: a run is a function of its seed. Transcendental functions come from `libm`,
//! whose results do not depend on the platform's C library.
//!
//! The generator is xoshiro256++ 1.0 by D. Blackman and S. Vigna ("Scrambled linear
//! pseudorandom number generators", ACM TOMS 47(4), 2021; <https://prng.di.unimi.it>), its state
//! filled by SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014), as its authors advise.

/// Scrambles 64 bits: one output of SplitMix64 for the state `x`.
#[must_use]
pub const fn mix64(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Folds a list of words into one key, so that streams named differently are independent.
#[must_use]
pub fn key(words: &[u64]) -> u64 {
    words
        .iter()
        .fold(0x6a09_e667_f3bc_c908, |acc, &word| mix64(acc ^ mix64(word)))
}

/// A xoshiro256++ stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The stream of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut state = [0; 4];
        for (i, word) in state.iter_mut().enumerate() {
            *word = mix64(seed.wrapping_add((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        Self { state }
    }

    /// The stream named by `words` under `seed`, independent of every other name.
    #[must_use]
    pub fn keyed(seed: u64, words: &[u64]) -> Self {
        Self::new(mix64(seed) ^ key(words))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
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
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A whole number in `[0, bound)`; zero for a bound of zero. The bias of the multiply-shift
    /// method (D. Lemire, 2019) is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An exponential variate of the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// A standard normal variate (Box-Muller; one of the pair is dropped to keep no state).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    /// A log-normal variate with the given mean and coefficient of variation.
    pub fn lognormal(&mut self, mean: f64, cv: f64) -> f64 {
        let sigma2 = libm::log(1.0 + cv * cv);
        let mu = libm::log(mean) - sigma2 / 2.0;
        libm::exp(mu + libm::sqrt(sigma2) * self.normal())
    }

    /// A gamma variate of mean 1 and squared coefficient of variation `cv2`
    /// (G. Marsaglia and W. Tsang, ACM TOMS 26(3), 2000); exactly 1 when `cv2` is not positive.
    pub fn gamma_unit_mean(&mut self, cv2: f64) -> f64 {
        if cv2 <= 0.0 {
            return 1.0;
        }
        let shape = 1.0 / cv2;
        let boosted = if shape < 1.0 { shape + 1.0 } else { shape };
        let d = boosted - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        let core = loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v <= 0.0 {
                continue;
            }
            let v = v * v * v;
            if libm::log(1.0 - self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                break d * v;
            }
        };
        let scaled = if shape < 1.0 {
            core * libm::pow(1.0 - self.unit(), 1.0 / shape)
        } else {
            core
        };
        scaled * cv2
    }

    /// A geometric number of trials, at least 1, of the given mean (below 1 counts as 1).
    pub fn geometric(&mut self, mean: f64) -> u32 {
        if mean <= 1.0 {
            return 1;
        }
        let trials = libm::log(1.0 - self.unit()) / libm::log1p(-1.0 / mean);
        1 + trials.min(1e6) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(draws: usize, mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..draws).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / draws as f64;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / draws as f64;
        (mean, variance)
    }

    #[test]
    fn reference_vector_of_xoshiro256_plus_plus() {
        // First outputs for the state 1, 2, 3, 4, from the authors' C program.
        let mut rng = Rng {
            state: [1, 2, 3, 4],
        };
        let got: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
        assert_eq!(
            got,
            [
                41_943_041,
                58_720_359,
                3_588_806_011_781_223,
                3_591_011_842_654_386
            ]
        );
    }

    #[test]
    fn seeds_repeat_and_names_separate() {
        let draw = |seed, name: &[u64]| Rng::keyed(seed, name).next_u64();
        assert_eq!(draw(7, &[1, 2]), draw(7, &[1, 2]));
        assert_ne!(draw(7, &[1, 2]), draw(7, &[2, 1]));
        assert_ne!(draw(7, &[1, 2]), draw(8, &[1, 2]));
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut rng = Rng::new(42);
        let n = 200_000;
        let table: [(&str, f64, f64, (f64, f64)); 5] = [
            ("unit", 0.5, 1.0 / 12.0, moments(n, || rng.unit())),
            ("exponential", 3.0, 9.0, moments(n, || rng.exponential(3.0))),
            ("normal", 0.0, 1.0, moments(n, || rng.normal())),
            (
                "lognormal",
                10.0,
                25.0,
                moments(n, || rng.lognormal(10.0, 0.5)),
            ),
            ("gamma", 1.0, 2.0, moments(n, || rng.gamma_unit_mean(2.0))),
        ];
        for (name, mean, variance, (got_mean, got_variance)) in table {
            assert!(
                (got_mean - mean).abs() < 0.03 * mean.max(1.0),
                "{name}: mean {got_mean}"
            );
            assert!(
                (got_variance / variance - 1.0).abs() < 0.05,
                "{name}: var {got_variance}"
            );
        }
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::new(1);
        assert_eq!(rng.below(0), 0);
        assert!((0..10_000).all(|_| rng.below(7) < 7));
        let (mean, _) = moments(100_000, || f64::from(rng.geometric(6.0)));
        assert!((mean - 6.0).abs() < 0.1, "geometric mean {mean}");
        assert_eq!(rng.geometric(0.5), 1);
    }
}
