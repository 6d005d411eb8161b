//! Net present value, internal rate of return, payback and break-even search.
//!
//! Holds textbook arithmetic on a list of cash flows (Brealey, Myers and Allen, Principles of
//! Corporate Finance, chapters 2 and 5). It knows nothing of chips.

use serde::Serialize;

/// Net present value of `flows` at `rate` a year. Flow `i` falls `first_years + i * step_years`
/// years from the valuation date.
#[must_use]
pub fn npv(rate: f64, flows: &[f64], first_years: f64, step_years: f64) -> f64 {
    let step = libm::pow(1.0 + rate, -step_years);
    let mut discount = libm::pow(1.0 + rate, -first_years);
    let mut sum = 0.0;
    for flow in flows {
        sum += flow * discount;
        discount *= step;
    }
    sum
}

/// The internal rate of return, where one exists.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Irr {
    /// The one rate a year at which the net present value is zero.
    Rate(f64),
    /// The flows never change sign, or no rate between -99 % and 1,000 % a year makes the net present value
    /// zero.
    None,
    /// The flows change sign more than once, and more than one rate makes the net present value zero.
    Ambiguous,
}

impl Irr {
    /// The rate, when it is unique.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        match self {
            Self::Rate(rate) => Some(rate),
            Self::None | Self::Ambiguous => None,
        }
    }
}

/// The yearly internal rate of return of flows that are `step_years` apart. The search counts the sign
/// changes of the net present value on a grid of rates, so that it reports several roots as several and
/// never just the first one found.
#[must_use]
pub fn irr(flows: &[f64], step_years: f64) -> Irr {
    let value = |rate: f64| npv(rate, flows, 0.0, step_years);
    let mut found = None;
    let mut low = -0.99;
    while low < 10.0 {
        let high = if low < 1.0 { low + 0.01 } else { low + 0.1 };
        if (value(low) > 0.0) != (value(high) > 0.0) {
            if found.is_some() {
                return Irr::Ambiguous;
            }
            found = bisect(low, high, value);
        }
        low = high;
    }
    found.map_or(Irr::None, Irr::Rate)
}

/// The root of `f` between `low` and `high`, or nothing when `f` has the same sign at both.
pub fn bisect(low: f64, high: f64, f: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut low, mut high) = (low, high);
    let rising = f(high) > 0.0;
    if (f(low) > 0.0) == rising {
        return None;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if (f(middle) > 0.0) == rising {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(0.5 * (low + high))
}

/// Years until the running sum of `flows` becomes and stays zero or more, linear inside the step
/// in which it does; nothing when it never does.
#[must_use]
pub fn payback_years(flows: &[f64], step_years: f64) -> Option<f64> {
    let mut sum = 0.0;
    let mut payback = None;
    for (i, flow) in flows.iter().enumerate() {
        let before = sum;
        sum += flow;
        if sum < 0.0 {
            payback = None;
        } else if payback.is_none() {
            let inside = if before < 0.0 { -before / flow } else { 0.0 };
            payback = Some((i as f64 + inside) * step_years);
        }
    }
    payback
}

/// The yearly payment that repays one unit of capital over `years` at `rate` a year (capital
/// recovery factor); at rate zero it is `1 / years`.
#[must_use]
pub fn capital_recovery_factor(rate: f64, years: f64) -> f64 {
    if rate.abs() < 1e-12 {
        return 1.0 / years;
    }
    rate / (1.0 - libm::pow(1.0 + rate, -years))
}
