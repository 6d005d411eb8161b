//! The distributions that the twin draws from.
//!
//! Holds random variates computed from [`rialto_random`]'s numbers. It never takes entropy from the
//! machine: a run is a function of its seed. Transcendental functions come from `libm`, whose results do
//! not depend on the platform's C library.

pub use rialto_random::{Xoshiro256 as Rng, key, mix64};

/// Variates of a stream.
pub trait Distributions {
    /// An exponential variate of the given mean.
    fn exponential(&mut self, mean: f64) -> f64;

    /// A standard normal variate (Box-Muller; one of the pair is dropped to keep no state).
    fn normal(&mut self) -> f64;

    /// A log-normal variate with the given mean and coefficient of variation.
    fn lognormal(&mut self, mean: f64, cv: f64) -> f64;

    /// A gamma variate of mean 1 and squared coefficient of variation `cv2`
    /// (G. Marsaglia and W. Tsang, ACM TOMS 26(3), 2000); exactly 1 when `cv2` is not positive.
    fn gamma_unit_mean(&mut self, cv2: f64) -> f64;

    /// A geometric number of trials, at least 1, of the given mean (below 1 counts as 1).
    fn geometric(&mut self, mean: f64) -> u32;
}

impl Distributions for Rng {
    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    fn lognormal(&mut self, mean: f64, cv: f64) -> f64 {
        let sigma2 = libm::log(1.0 + cv * cv);
        let mu = libm::log(mean) - sigma2 / 2.0;
        libm::exp(mu + libm::sqrt(sigma2) * self.normal())
    }

    fn gamma_unit_mean(&mut self, cv2: f64) -> f64 {
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

    fn geometric(&mut self, mean: f64) -> u32 {
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
    fn trials_have_their_mean() {
        let mut rng = Rng::new(1);
        let (mean, _) = moments(100_000, || f64::from(rng.geometric(6.0)));
        assert!((mean - 6.0).abs() < 0.1, "geometric mean {mean}");
        assert_eq!(rng.geometric(0.5), 1);
    }
}
