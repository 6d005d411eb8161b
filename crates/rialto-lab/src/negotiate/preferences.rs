//! One side's own preferences: the utility of every outcome, and the outcomes sorted by utility.
//!
//! Utilities are normalised: 0 is the worst outcome, 1 the best, the reservation value on the same
//! scale (below 0 if no agreement is worse than any outcome). It holds nothing about the other
//! side.

use super::domain::{Outcome, Profile, Space};

/// Utilities this close to a target count as equal to it in the search for an outcome, as in
/// NegMAS.
const NEAR: f64 = 1e-6;

/// One side's preferences over a space of outcomes.
#[derive(Clone, Debug)]
pub struct Preferences {
    utilities: Vec<f64>,
    /// Outcomes from the worst to the best; among equal ones, the lower number first.
    order: Vec<Outcome>,
    /// Utilities in that order.
    sorted: Vec<f64>,
    /// Position of the first outcome that is worth at least the reservation value.
    first: usize,
    reservation: f64,
    discount: f64,
    low: f64,
    span: f64,
}

impl Preferences {
    /// Normalises and sorts a profile's outcomes.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        for &worth in &profile.worth {
            low = low.min(worth);
            high = high.max(worth);
        }
        let span = high - low;
        let utilities: Vec<f64> = profile.worth.iter().map(|u| (u - low) / span).collect();
        let order = sort(&utilities, &profile.worth);
        let sorted: Vec<f64> = order.iter().map(|&o| utilities[o as usize]).collect();
        let reservation = (profile.reservation - low) / span;
        let first = sorted.partition_point(|u| *u < reservation);
        let discount = profile.discount;
        Self {
            utilities,
            order,
            sorted,
            first,
            reservation,
            discount,
            low,
            span,
        }
    }

    /// How many outcomes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True without outcomes, which no domain is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// An outcome's utility.
    #[must_use]
    pub fn utility(&self, outcome: Outcome) -> f64 {
        self.utilities[outcome as usize]
    }

    /// The utility of no agreement; may lie outside `[0, 1]`.
    #[must_use]
    pub fn reservation(&self) -> f64 {
        self.reservation
    }

    /// The factor by which utilities fall from the start to the deadline.
    #[must_use]
    pub fn discount(&self) -> f64 {
        self.discount
    }

    /// The least utility that this side may agree to: the reservation value, or the worst outcome's utility
    /// if that is higher.
    #[must_use]
    pub fn floor(&self) -> f64 {
        self.reservation.max(0.0)
    }

    /// How many outcomes are worth at least the reservation value.
    #[must_use]
    pub fn rational(&self) -> usize {
        self.order.len() - self.first
    }

    /// The outcome with a rank, where 0 is the best; none after the last rational outcome (one worth at
    /// least the reservation value).
    #[must_use]
    pub fn ranked(&self, rank: usize) -> Option<Outcome> {
        (rank < self.rational()).then(|| self.order[self.order.len() - 1 - rank])
    }

    /// The best outcome.
    #[must_use]
    pub fn best(&self) -> Outcome {
        self.order[self.order.len() - 1]
    }

    /// The rational outcome whose utility is nearest above a target, or less than a millionth below it;
    /// the best outcome if every one is below. None if no outcome is rational.
    #[must_use]
    pub fn at_least(&self, target: f64) -> Option<Outcome> {
        let all = &self.sorted;
        if self.rational() == 0 {
            return None;
        }
        let above = all.partition_point(|u| *u < target).max(self.first);
        let above = above.min(all.len() - 1);
        let below = above
            .checked_sub(1)
            .filter(|&i| i >= self.first && all[i] < target);
        let nearer = below
            .filter(|&i| target - all[i] <= NEAR && target - all[i] < (all[above] - target).abs());
        let at = match nearer {
            // The first of its equals, as above.
            Some(i) => all.partition_point(|u| *u < all[i]).max(self.first),
            None => above,
        };
        Some(self.order[at])
    }

    /// Positions, from the worst outcome, of rational outcomes with utilities in `[low, high]`.
    #[must_use]
    pub fn band(&self, low: f64, high: f64) -> std::ops::Range<usize> {
        let start = self.sorted.partition_point(|u| *u < low).max(self.first);
        let end = self.sorted.partition_point(|u| *u <= high);
        start..end.max(start)
    }

    /// The outcome at a position from the worst.
    #[must_use]
    pub fn at(&self, position: usize) -> Outcome {
        self.order[position]
    }

    /// A utility on the scale of the profile as written.
    #[must_use]
    pub fn as_written(&self, utility: f64) -> f64 {
        self.low + utility * self.span
    }

    /// What a utility at relative time `t` is worth at the start.
    #[must_use]
    pub fn discounted(&self, utility: f64, t: f64) -> f64 {
        if self.discount == 1.0 {
            utility
        } else {
            utility * libm::pow(self.discount, t)
        }
    }
}

/// Both sides' preferences over one space.
#[derive(Clone, Debug)]
pub struct Side {
    /// The space.
    pub space: std::sync::Arc<Space>,
    /// The preferences of each side.
    pub wishes: std::sync::Arc<Preferences>,
}

/// Numbers of outcomes from the least to the greatest worth; equal ones by number. `utilities`, all
/// in `[0, 1]`, have the same order as worth except for the last bit: one pass puts outcomes into
/// as many buckets as there are outcomes, and each bucket is sorted separately.
fn sort(utilities: &[f64], worth: &[f64]) -> Vec<Outcome> {
    let len = utilities.len();
    let bucket = |u: f64| (u * (len - 1) as f64) as usize;
    let mut starts = vec![0u32; len + 1];
    for &u in utilities {
        starts[bucket(u) + 1] += 1;
    }
    for i in 0..len {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut order = vec![0 as Outcome; len];
    for (outcome, &u) in utilities.iter().enumerate() {
        let place = &mut next[bucket(u)];
        order[*place as usize] = outcome as Outcome;
        *place += 1;
    }
    for pair in starts.windows(2) {
        let part = &mut order[pair[0] as usize..pair[1] as usize];
        if part.len() > 1 {
            part.sort_by(|&a, &b| worth[a as usize].total_cmp(&worth[b as usize]));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferences(worth: &[f64], reservation: f64) -> Preferences {
        Preferences::new(&Profile {
            name: "p".to_owned(),
            worth: worth.to_vec(),
            reservation,
            discount: 1.0,
        })
    }

    #[test]
    fn outcomes_stand_in_order_and_equals_by_number() {
        let p = preferences(&[3.0, 1.0, 3.0, 2.0, 1.0, 5.0], 0.0);
        assert_eq!(p.order, [1, 4, 3, 0, 2, 5]);
        assert_eq!(p.utility(5), 1.0);
        assert_eq!(p.utility(3), 0.25);
        assert_eq!(p.reservation(), -0.25);
        assert_eq!(p.floor(), 0.0);
        assert_eq!(p.as_written(0.25), 2.0);
        assert_eq!(
            (p.ranked(0), p.ranked(5), p.ranked(6)),
            (Some(5), Some(1), None)
        );
    }

    #[test]
    fn a_target_finds_the_nearest_outcome_above() {
        let p = preferences(&[0.0, 0.3, 0.3, 0.6, 1.0], 0.3);
        for (target, found) in [
            (1.0, 4),
            (0.7, 4),
            (0.6, 3),
            (0.600_000_5, 3),
            (0.600_002, 4),
            (0.3, 1),
            (0.1, 1),
            (-1.0, 1),
            (2.0, 4),
        ] {
            assert_eq!(p.at_least(target), Some(found), "{target}");
        }
        assert_eq!(p.rational(), 4);
        assert_eq!(p.band(0.2, 0.6), 1..4);
        assert_eq!(preferences(&[0.0, 1.0], 2.0).at_least(0.5), None);
    }
}
