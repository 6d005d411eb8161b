//! Computes what a domain allows: the Pareto frontier and the points of bargaining theory.
//!
//! Holds the analysis of two sides' utilities; it never looks at how an agreement was reached. All figures
//! are normalised utilities without discount. Gains are measured from the reservation values.

use serde::Serialize;

use super::preferences::Preferences;

/// Utilities of both sides.
pub type Point = [f64; 2];

/// What two sides can reach.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// The points of the Pareto frontier, starting with the first side's best.
    #[serde(skip)]
    pub pareto: Vec<Point>,
    /// How many outcomes neither side would refuse.
    pub rational: usize,
    /// The point of the greatest product of gains (Nash 1950).
    pub nash: Point,
    /// The point where the smaller of the two sides' shares of their possible gain is greatest (Kalai and
    /// Smorodinsky 1975).
    pub kalai: Point,
    /// The greatest sum of utilities.
    pub welfare: f64,
    /// How opposed the sides' preferences are: the distance of the Kalai point from the point that
    /// both would like best, (1, 1).
    pub opposition: f64,
}

impl Analysis {
    /// Looks at every outcome once.
    #[must_use]
    pub fn new(a: &Preferences, b: &Preferences) -> Self {
        let point = |outcome| [a.utility(outcome), b.utility(outcome)];
        let mut pareto: Vec<Point> = Vec::new();
        let mut most = f64::NEG_INFINITY;
        let mut rational = 0;
        let len = a.len();
        let mut at = len;
        while at > 0 {
            // Of equals for the first side, the best for the second.
            let utility = a.utility(a.at(at - 1));
            let mut best = f64::NEG_INFINITY;
            while at > 0 && a.utility(a.at(at - 1)) == utility {
                let [ua, ub] = point(a.at(at - 1));
                rational += usize::from(ua >= a.reservation() && ub >= b.reservation());
                best = best.max(ub);
                at -= 1;
            }
            if best > most {
                pareto.push([utility, best]);
                most = best;
            }
        }
        let floors = [a.reservation(), b.reservation()];
        let gains = |p: &Point| [p[0] - floors[0], p[1] - floors[1]];
        let nash = |p: &Point| {
            let [x, y] = gains(p);
            if x < 0.0 || y < 0.0 { x.min(y) } else { x * y }
        };
        let room = |i: usize| {
            if floors[i] < 1.0 {
                1.0 - floors[i]
            } else {
                1.0
            }
        };
        let kalai = |p: &Point| {
            let [x, y] = gains(p);
            (x / room(0)).min(y / room(1))
        };
        let welfare = pareto
            .iter()
            .map(|p| p[0] + p[1])
            .fold(f64::NEG_INFINITY, f64::max);
        let (nash, kalai) = (greatest(&pareto, nash), greatest(&pareto, kalai));
        let opposition = distance(kalai, [1.0, 1.0]);
        Self {
            pareto,
            rational,
            nash,
            kalai,
            welfare,
            opposition,
        }
    }

    /// How far a point is from the nearest of the frontier.
    #[must_use]
    pub fn to_pareto(&self, point: Point) -> f64 {
        let all = self.pareto.iter().map(|p| distance(*p, point));
        all.fold(f64::INFINITY, f64::min)
    }
}

fn greatest(points: &[Point], value: impl Fn(&Point) -> f64) -> Point {
    let mut best = (f64::NEG_INFINITY, [0.0, 0.0]);
    for point in points {
        let value = value(point);
        if value > best.0 {
            best = (value, *point);
        }
    }
    best.1
}

/// The straight distance of two points.
#[must_use]
pub fn distance(a: Point, b: Point) -> f64 {
    libm::hypot(a[0] - b[0], a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiate::domain::Profile;

    #[test]
    fn the_frontier_and_its_points() {
        let side = |worth: &[f64], reservation| {
            Preferences::new(&Profile {
                name: "p".to_owned(),
                worth: worth.to_vec(),
                reservation,
                discount: 1.0,
            })
        };
        let a = side(&[1.0, 0.9, 0.5, 0.5, 0.0, 0.2], 0.1);
        let b = side(&[0.0, 0.4, 0.7, 0.6, 1.0, 0.1], 0.2);
        let analysis = Analysis::new(&a, &b);
        assert_eq!(
            analysis.pareto,
            [[1.0, 0.0], [0.9, 0.4], [0.5, 0.7], [0.0, 1.0]]
        );
        assert_eq!(analysis.rational, 3);
        // Gains: 0.8 * 0.2 and 0.4 * 0.5.
        assert_eq!(analysis.nash, [0.5, 0.7]);
        assert_eq!(analysis.kalai, [0.5, 0.7]);
        assert_eq!(analysis.welfare, 1.3);
        assert!((analysis.to_pareto([0.5, 0.6]) - 0.1).abs() < 1e-12);
        assert_eq!(analysis.to_pareto([0.9, 0.4]), 0.0);
    }
}
