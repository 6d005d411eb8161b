//! Counts decode steps and the tokens they yield.
//!
//! With speculative decoding a step yields more than one token on average. All sequences of a
//! replica advance by the expected number: after `n` steps the token clock shows
//! `floor(n * rate)`, so progress per step is whole and differs by at most one token between
//! steps. The spread of acceptance between sequences is not modelled.

/// Denominator of the clock's rate.
const UNIT: u64 = 256;

/// The tokens a number of steps yields per sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenClock {
    /// Tokens per step in units of 1/256.
    rate: u64,
}

impl TokenClock {
    /// A clock for `tokens_per_step` tokens a step, rounded to 1/256, at least 1.
    #[must_use]
    pub fn new(tokens_per_step: f64) -> Self {
        let rate = (tokens_per_step * UNIT as f64)
            .round()
            .clamp(UNIT as f64, 65.0 * UNIT as f64);
        Self { rate: rate as u64 }
    }

    /// Tokens after `steps` steps.
    #[must_use]
    pub fn tokens(self, steps: u64) -> u64 {
        if self.rate == UNIT {
            steps
        } else {
            steps * self.rate / UNIT
        }
    }

    /// The first step count whose clock shows at least `tokens`.
    #[must_use]
    pub fn steps_to(self, tokens: u64) -> u64 {
        if self.rate == UNIT {
            tokens
        } else {
            (tokens * UNIT).div_ceil(self.rate)
        }
    }

    /// Sum of the clock over `count` steps that start at `from`.
    #[must_use]
    pub fn sum(self, from: u64, count: u64) -> u128 {
        if self.rate == UNIT {
            let (from, count) = (u128::from(from), u128::from(count));
            return count * from + count * count.saturating_sub(1) / 2;
        }
        let offset = u128::from(from) * u128::from(self.rate);
        floor_sum(count.into(), UNIT.into(), self.rate.into(), offset)
    }
}

/// Sum of `floor((a * i + b) / m)` for `i` in `0..n`, by the Euclid-like recursion (AtCoder
/// Library, `floor_sum`; R. Graham, D. Knuth, O. Patashnik, Concrete Mathematics, 3.5).
fn floor_sum(mut n: u128, mut m: u128, mut a: u128, mut b: u128) -> u128 {
    let mut sum = 0;
    loop {
        if a >= m {
            sum += n * n.saturating_sub(1) / 2 * (a / m);
            a %= m;
        }
        if b >= m {
            sum += n * (b / m);
            b %= m;
        }
        let top = a * n + b;
        if top < m {
            return sum;
        }
        n = top / m;
        b = top % m;
        (m, a) = (a, m);
    }
}

#[cfg(test)]
mod tests {
    use super::TokenClock;

    #[test]
    fn sums_and_inverses_agree_with_counting() {
        for rate in [1.0, 1.004, 1.7, 2.561, 3.9, 7.0] {
            let clock = TokenClock::new(rate);
            for from in [0, 1, 17, 1000] {
                let mut sum = 0u128;
                for count in 0..200 {
                    assert_eq!(
                        clock.sum(from, count),
                        sum,
                        "rate {rate} from {from} n {count}"
                    );
                    sum += u128::from(clock.tokens(from + count));
                }
            }
            for tokens in 0..500 {
                let step = clock.steps_to(tokens);
                assert!(clock.tokens(step) >= tokens);
                assert!(step == 0 || clock.tokens(step - 1) < tokens, "rate {rate}");
            }
        }
    }
}
