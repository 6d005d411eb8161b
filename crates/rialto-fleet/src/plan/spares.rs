//! How many replicas stand by for those that are down.
//!
//! Chips, nodes and racks are down independently of each other for a share of the time that their
//! mean times say; a node or rack takes down all replicas on it. The number that is down is taken
//! as normal with the mean and variance of that compound (a replica that two things take down at
//! once counts twice, which errs on the safe side).

use crate::cluster::{Faults, Topology};

/// Share of the time in which the sized number of replicas is working.
pub const WORKING_SHARE: f64 = 0.99;
/// The normal quantile of [`WORKING_SHARE`].
const WORKING_QUANTILE: f64 = 2.326_348;
/// Replicas are added one at a time up to this multiple of what is needed; a fleet that is down
/// most of the time has no sensible number of spares.
const MOST_TIMES: u32 = 16;

/// Spare replicas so that `needed` are working [`WORKING_SHARE`] of the time. Zero when nothing
/// fails.
#[must_use]
pub fn spare_replicas(faults: &Faults, topology: &Topology, needed: u32) -> u32 {
    let (mean, variance) = down_per_replica(faults, topology);
    if mean <= 0.0 {
        return 0;
    }
    let most = needed.saturating_mul(MOST_TIMES);
    let enough = |spares: u32| {
        let all = f64::from(needed + spares);
        f64::from(spares) >= all * mean + WORKING_QUANTILE * libm::sqrt(all * variance)
    };
    let (mut low, mut high) = (0, 1);
    while !enough(high) && high < most {
        low = high;
        high = high.saturating_mul(2).min(most);
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// Mean and variance of the replicas that are down, per replica.
fn down_per_replica(faults: &Faults, topology: &Topology) -> (f64, f64) {
    let replica = f64::from(topology.replica_chips.max(1));
    let kinds = [
        (faults.chip_mtbf_h, faults.chip_mttr_h, 1.0),
        (
            faults.node_mtbf_h,
            faults.node_mttr_h,
            f64::from(topology.node_chips.max(1)),
        ),
        (
            faults.rack_mtbf_h,
            faults.rack_mttr_h,
            f64::from(topology.rack_chips.max(1)),
        ),
    ];
    let mut mean = 0.0;
    let mut variance = 0.0;
    for (mtbf_h, mttr_h, chips) in kinds {
        let Some(mtbf_h) = mtbf_h else { continue };
        let down_h = mttr_h + faults.restart_s / 3600.0;
        let down = down_h / (mtbf_h + down_h);
        // A replica rests on so many of the components, and a component carries so many replicas.
        let under = (replica / chips).max(1.0);
        let carried = (chips / replica).max(1.0);
        mean += under * down;
        variance += under * down * (1.0 - down) * carried;
    }
    (mean.min(1.0), variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: Topology = Topology {
        replica_chips: 4,
        node_chips: 16,
        rack_chips: 64,
    };

    fn chips_fail(mtbf_h: f64) -> Faults {
        Faults {
            chip_mtbf_h: Some(mtbf_h),
            chip_mttr_h: 10.0,
            ..Faults::default()
        }
    }

    #[test]
    fn what_never_fails_needs_no_spares() {
        assert_eq!(spare_replicas(&Faults::default(), &TOPOLOGY, 1000), 0);
    }

    #[test]
    fn spares_cover_the_mean_and_the_spread() {
        // 4 chips, each down 1 % of the time: 4 % of replicas on average, a little more for 99 %.
        let spares = spare_replicas(&chips_fail(990.0), &TOPOLOGY, 1000);
        assert!((42..70).contains(&spares), "{spares}");
        // A single replica needs one whole spare, however rarely it fails.
        assert_eq!(spare_replicas(&chips_fail(1e6), &TOPOLOGY, 1), 1);
        assert!(spare_replicas(&chips_fail(99.0), &TOPOLOGY, 1000) > spares);
    }

    #[test]
    fn replicas_that_fall_together_need_more_than_those_that_fall_alone() {
        let together = Faults {
            rack_mtbf_h: Some(990.0),
            rack_mttr_h: 10.0,
            ..Faults::default()
        };
        let alone = Faults {
            chip_mtbf_h: Some(3990.0),
            chip_mttr_h: 10.0,
            ..Faults::default()
        };
        let (mean_a, _) = down_per_replica(&together, &TOPOLOGY);
        let (mean_b, _) = down_per_replica(&alone, &TOPOLOGY);
        assert!((mean_a / mean_b - 1.0).abs() < 0.02);
        let of = |f: &Faults| spare_replicas(f, &TOPOLOGY, 200);
        assert!(of(&together) > of(&alone));
    }

    /// The spares hold in the twin's own failure histories.
    #[test]
    fn simulated_failures_leave_enough_working() {
        let faults = chips_fail(490.0);
        let needed = 200;
        let all = needed + spare_replicas(&faults, &TOPOLOGY, needed);
        let moments = 400;
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
        assert!(
            enough as f64 >= 0.97 * moments as f64,
            "{enough} of {moments}"
        );
    }
}
