//! Straight-line depreciation, by the quarter.
//!
//! Holds the schedule of one purchase. An asset that enters service in quarter `s` with a life of
//! `n` quarters is written off in equal parts from `s` on; a life that ends inside a quarter
//! leaves a smaller last part, so the parts always sum to the cost less its residual value.

/// The part of `cost` less `residual` that is written off in the quarter `age_quarters` after the
/// asset entered service, with a useful life of `life_years`.
#[must_use]
pub fn straight_line_quarter(
    cost: f64,
    residual: f64,
    life_years: f64,
    age_quarters: usize,
) -> f64 {
    let life_quarters = life_years * 4.0;
    if life_quarters <= 0.0 {
        return 0.0;
    }
    (cost - residual) * in_life(life_quarters, age_quarters) / life_quarters
}

/// The fraction of the quarter `age_quarters` that lies inside a life of `life_quarters`.
#[must_use]
pub fn in_life(life_quarters: f64, age_quarters: usize) -> f64 {
    (life_quarters - age_quarters as f64).clamp(0.0, 1.0)
}
