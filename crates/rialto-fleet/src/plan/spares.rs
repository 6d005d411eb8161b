//! How many spare replicas replace those that are down.
//!
//! Chips, nodes and racks are down independently of each other for a share of the time that their mean
//! times say; a node or rack takes down all replicas on it. The number that works is then a sum over racks:
//! its distribution is computed exactly, rack by rack. Where that would take too long ([`EXACT_WORK`]: many
//! thousands of replicas), it is taken as normal with the same mean and variance.

use crate::cluster::{Faults, Topology};

/// Share of the time in which the sized number of replicas is working.
pub const WORKING_SHARE: f64 = 0.99;
/// The normal quantile of [`WORKING_SHARE`].
const WORKING_QUANTILE: f64 = 2.326_348;
/// The most replicas, spares included; beyond that no number is given.
const MOST_REPLICAS: u32 = 1 << 30;
/// The most terms of the exact distribution that are computed; with more it is taken as normal.
const EXACT_WORK: u64 = 100_000_000;

/// Spare replicas for those that are down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spares {
    /// How many; zero when nothing fails.
    pub replicas: u32,
    /// Share of the time in which, with the spares, at least the sized number works.
    pub working_share: f64,
}

/// Spare replicas so that `needed` are working [`WORKING_SHARE`] of the time; none when more than
/// 2^30 replicas would be needed for it.
#[must_use]
pub fn spare_replicas(faults: &Faults, topology: &Topology, needed: u32) -> Option<Spares> {
    if faults.chip_mtbf_h.is_none() && faults.node_mtbf_h.is_none() && faults.rack_mtbf_h.is_none()
    {
        return Some(Spares {
            replicas: 0,
            working_share: 1.0,
        });
    }
    let site = Site::new(faults, topology);
    exactly(&site, needed).or_else(|| by_normal(&site, needed))
}

/// What share of the time the parts of a rack are up, and how many replicas rest on them.
struct Site {
    /// Share of the time in which the chips of one replica (and the nodes or racks that it has to
    /// itself) are up.
    replica_up: f64,
    /// Share of the time in which a node that carries several replicas is up; 1 if none does.
    node_up: f64,
    /// Share of the time in which a rack that carries several replicas is up; 1 if none does.
    rack_up: f64,
    /// Replicas of a node.
    node_replicas: u32,
    /// Replicas of a rack.
    rack_replicas: u32,
}

impl Site {
    fn new(faults: &Faults, topology: &Topology) -> Self {
        let up = |mtbf_h: Option<f64>, mttr_h: f64| {
            let down_h = mttr_h + faults.restart_s / 3600.0;
            mtbf_h.map_or(1.0, |mtbf_h| mtbf_h / (mtbf_h + down_h))
        };
        let replica = topology.replica_chips.max(1);
        let chip = up(faults.chip_mtbf_h, faults.chip_mttr_h);
        let node = up(faults.node_mtbf_h, faults.node_mttr_h);
        let rack = up(faults.rack_mtbf_h, faults.rack_mttr_h);
        let node_replicas = (topology.node_chips / replica).max(1);
        let rack_replicas = (topology.rack_chips / replica).max(node_replicas);
        let all = |share: f64, of: u32| libm::pow(share, f64::from(replica.div_ceil(of.max(1))));
        let mut site = Self {
            replica_up: all(chip, 1),
            node_up: 1.0,
            rack_up: 1.0,
            node_replicas,
            rack_replicas,
        };
        if node_replicas > 1 {
            site.node_up = node;
        } else {
            site.replica_up *= all(node, topology.node_chips);
        }
        if rack_replicas > 1 {
            site.rack_up = rack;
        } else {
            site.replica_up *= all(rack, topology.rack_chips);
        }
        site
    }

    /// The distribution of the working ones among the first `replicas` of a rack.
    fn rack(&self, replicas: u32) -> Vec<f64> {
        let mut working = vec![1.0];
        let mut left = replicas;
        while left > 0 {
            let on_node = left.min(self.node_replicas);
            let mut node = binomial(on_node, self.replica_up);
            shade(&mut node, self.node_up);
            working = sum_of(&working, &node, usize::MAX);
            left -= on_node;
        }
        shade(&mut working, self.rack_up);
        working
    }
}

/// The distribution of successes among `count` that each succeed with probability `p`.
fn binomial(count: u32, p: f64) -> Vec<f64> {
    (0..count).fold(vec![1.0], |sum, _| sum_of(&sum, &[1.0 - p, p], usize::MAX))
}

/// With probability `1 - up` the number is zero after all.
fn shade(working: &mut [f64], up: f64) {
    for p in working.iter_mut() {
        *p *= up;
    }
    if let Some(none) = working.first_mut() {
        *none += 1.0 - up;
    }
}

/// The distribution of the sum of two independent numbers, as far as `below` it.
fn sum_of(a: &[f64], b: &[f64], below: usize) -> Vec<f64> {
    let length = (a.len() + b.len() - 1).min(below);
    let mut sum = vec![0.0; length];
    for (i, p) in a.iter().enumerate() {
        for (cell, q) in sum.iter_mut().skip(i).zip(b) {
            *cell += p * q;
        }
    }
    sum
}

/// The fewest spares by the exact distribution; none when that would take too long.
fn exactly(site: &Site, needed: u32) -> Option<Spares> {
    let whole = site.rack(site.rack_replicas);
    let (needed_len, rack) = (needed as usize, site.rack_replicas);
    let enough = |short: &[f64]| 1.0 - short.iter().sum::<f64>();
    // How likely each number below `needed` is, for the racks so far.
    let mut short = vec![1.0];
    let mut all = 0_u32;
    let mut work = 0_u64;
    loop {
        let next = sum_of(&short, &whole, needed_len);
        if enough(&next) >= WORKING_SHARE {
            break;
        }
        work += (short.len() * whole.len()) as u64;
        if work > EXACT_WORK {
            return None;
        }
        short = next;
        all += rack;
    }
    let with_last = |on_last: u32| enough(&sum_of(&short, &site.rack(on_last), needed_len));
    let (mut low, mut high) = (0, rack);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if with_last(middle) >= WORKING_SHARE {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(Spares {
        replicas: all + high - needed,
        working_share: with_last(high),
    })
}

/// The fewest spares when the number that works is normal.
fn by_normal(site: &Site, needed: u32) -> Option<Spares> {
    let rack = site.rack(site.rack_replicas);
    let moment = |power: i32| {
        let of = |(n, p): (usize, &f64)| p * libm::pow(n as f64, f64::from(power));
        rack.iter().enumerate().map(of).sum::<f64>()
    };
    let mean = moment(1) / f64::from(site.rack_replicas);
    let variance = (moment(2) - moment(1) * moment(1)) / f64::from(site.rack_replicas);
    let spread = |all: u32| {
        (
            f64::from(all) * mean - f64::from(needed),
            f64::from(all) * variance,
        )
    };
    let enough = |all: u32| {
        let (over, variance) = spread(all);
        over >= WORKING_QUANTILE * libm::sqrt(variance)
    };
    let (mut low, mut high) = (needed.min(MOST_REPLICAS), MOST_REPLICAS);
    if !enough(high) {
        return None;
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    let (over, variance) = spread(high);
    let working_share = 0.5 * libm::erfc(-over / libm::sqrt(2.0 * variance));
    Some(Spares {
        replicas: high - needed,
        working_share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: Topology = Topology {
        replica_chips: 4,
        node_chips: 16,
        rack_chips: 64,
    };

    fn chips_fail(mtbf_h: f64, mttr_h: f64) -> Faults {
        Faults {
            chip_mtbf_h: Some(mtbf_h),
            chip_mttr_h: mttr_h,
            ..Faults::default()
        }
    }

    fn spares(faults: &Faults, topology: &Topology, needed: u32) -> u32 {
        spare_replicas(faults, topology, needed).unwrap().replicas
    }

    #[test]
    fn what_never_fails_needs_no_spares() {
        assert_eq!(spares(&Faults::default(), &TOPOLOGY, 1000), 0);
    }

    #[test]
    fn a_few_that_are_mostly_down_need_what_the_binomial_says() {
        let one = Topology {
            replica_chips: 1,
            node_chips: 8,
            rack_chips: 8,
        };
        // Each works one hour in 101: ln 0.01 / ln (1 - 1 / 101) = 462.8 of them for one.
        let found = spare_replicas(&chips_fail(1.0, 100.0), &one, 1).unwrap();
        assert_eq!(found.replicas, 462);
        let working = 1.0 - (1.0 - 1.0_f64 / 101.0).powi(463);
        assert!((found.working_share - working).abs() < 1e-9, "{found:?}");
        // Half are down: of 14, at least 3 work with 99.4 %, of 13 with 98.9 %.
        assert_eq!(spares(&chips_fail(1.0, 1.0), &one, 3), 11);
        // Almost never up: no number is given.
        assert_eq!(spare_replicas(&chips_fail(1.0, 1e9), &one, 100), None);
    }

    #[test]
    fn spares_cover_the_mean_and_the_spread() {
        // 4 chips, each down 1 % of the time: 3.94 % of replicas on average, some more for 99 %.
        let few = spares(&chips_fail(990.0, 10.0), &TOPOLOGY, 1000);
        assert!((50..65).contains(&few), "{few}");
        // A single replica needs one whole spare when it works less than 99 %.
        assert_eq!(spares(&chips_fail(3000.0, 10.0), &TOPOLOGY, 1), 1);
        assert_eq!(spares(&chips_fail(1e6, 10.0), &TOPOLOGY, 1), 0);
        assert!(spares(&chips_fail(99.0, 10.0), &TOPOLOGY, 1000) > few);
    }

    #[test]
    fn the_normal_takes_over_where_it_agrees() {
        for faults in [
            chips_fail(990.0, 10.0),
            Faults {
                rack_mtbf_h: Some(990.0),
                rack_mttr_h: 10.0,
                ..chips_fail(490.0, 10.0)
            },
        ] {
            let site = Site::new(&faults, &TOPOLOGY);
            let exact = exactly(&site, 4000).unwrap();
            let normal = by_normal(&site, 4000).unwrap();
            let apart = exact.replicas.abs_diff(normal.replicas);
            assert!(apart <= 12, "{exact:?} against {normal:?}");
            assert!((exact.working_share - normal.working_share).abs() < 2e-3);
        }
        let many = spares(&chips_fail(990.0, 10.0), &TOPOLOGY, 30_000_000);
        let expected = 30e6 * (1.0 / 0.99_f64.powi(4) - 1.0);
        assert!((f64::from(many) / expected - 1.0).abs() < 0.01, "{many}");
    }

    #[test]
    fn replicas_that_fall_together_need_more_than_those_that_fall_alone() {
        let together = Faults {
            rack_mtbf_h: Some(990.0),
            rack_mttr_h: 10.0,
            ..Faults::default()
        };
        let alone = chips_fail(3985.0, 10.0);
        let mean = |faults: &Faults| {
            let rack = Site::new(faults, &TOPOLOGY).rack(16);
            rack.iter()
                .enumerate()
                .map(|(n, p)| n as f64 * p)
                .sum::<f64>()
        };
        assert!((mean(&together) / mean(&alone) - 1.0).abs() < 0.001);
        let of = |f: &Faults| spares(f, &TOPOLOGY, 200);
        assert!(of(&together) > of(&alone));
    }

    /// The spares hold in the twin's own failure histories, and not many fewer do.
    #[test]
    fn simulated_failures_leave_enough_working() {
        let faults = Faults {
            rack_mtbf_h: Some(4990.0),
            rack_mttr_h: 10.0,
            ..chips_fail(490.0, 10.0)
        };
        let needed = 200;
        let all = needed + spares(&faults, &TOPOLOGY, needed);
        let moments = 2000;
        let enough = (0..moments)
            .filter(|seed| {
                let down = |r: &u32| {
                    let spans = faults.downtime(*seed, 1, &TOPOLOGY, u64::from(*r), 1);
                    !spans.is_empty()
                };
                let down = (0..all).filter(down).count() as u32;
                all - down >= needed
            })
            .count();
        let share = enough as f64 / moments as f64;
        assert!((0.98..0.9999).contains(&share), "{share}");
    }
}
