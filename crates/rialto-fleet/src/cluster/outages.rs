//! The times at which replicas cannot serve: failures and planned drains in one timetable.
//!
//! The timetable depends on scenario and seed only, never on traffic, so it is known for every cell without
//! a simulation. Where a replica is both down and drained, it is down.

use super::faults::{Span, merge};
use super::pool::Pool;
use crate::rng::Rng;

/// Why a replica does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// One of its components failed.
    Failed,
    /// It is in a planned drain.
    Drained,
}

/// A time in which a replica does not serve, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outage {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) why: Why,
}

/// Replica-seconds of a pool or cell by what its replicas could do, and how often they failed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Standing {
    /// Could serve.
    pub(super) up_s: f64,
    /// Lost to failures.
    pub(super) down_s: f64,
    /// Lost to planned drains.
    pub(super) drained_s: f64,
    /// Failures; being down from the start does not count as one.
    pub(super) failures: f64,
}

/// Names the random streams of drains.
const KIND_DRAIN: u64 = 0x6472;

impl Pool {
    /// True when every replica serves throughout.
    pub(super) fn never_out(&self) -> bool {
        self.faults.never_down() && self.spec.drain.is_empty()
    }

    /// The outages of each replica of a cell that start before `horizon_ns`, in order and without overlap.
    pub(super) fn outages(&self, seed: u64, cell: usize, horizon_ns: u64) -> Vec<Vec<Outage>> {
        let first = self.first_replica(cell);
        let horizon_ns = self.fault_horizon_ns(horizon_ns);
        let mut drains: Vec<Vec<Span>> = vec![Vec::new(); self.cells[cell] as usize];
        for (index, drain) in self.spec.drain.iter().enumerate() {
            let start_ns = (drain.at_s * 1e9) as u64;
            let end_ns = start_ns + (drain.duration_s * 1e9) as u64;
            for replica in self.drained(seed, cell, index) {
                drains[replica as usize].push((start_ns, end_ns));
            }
        }
        let with_drains = |(i, drains): (usize, Vec<Span>)| {
            let replica = first + i as u64;
            let down = self
                .faults
                .downtime(seed, self.stream, &self.topology, replica, horizon_ns);
            timetable(&down, &merge(drains))
        };
        drains.into_iter().enumerate().map(with_drains).collect()
    }

    /// How long all replicas of the pool can serve in a run that ends at `end_s`, from its timetable; none
    /// when the pool scales by load, since only a run can show that.
    pub(super) fn standing(&self, seed: u64, horizon_ns: u64, end_s: f64) -> Option<Standing> {
        if self.spec.autoscale.is_some() {
            return None;
        }
        let mut sum = Standing::default();
        let end_ns = (end_s * 1e9) as u64;
        let cells = if self.never_out() {
            0
        } else {
            self.cells.len()
        };
        for cell in 0..cells {
            let outages = self.outages(seed, cell, horizon_ns);
            for outage in outages.iter().flatten().filter(|o| o.start_ns < end_ns) {
                let out_s = (outage.end_ns.min(end_ns) - outage.start_ns) as f64 * 1e-9;
                match outage.why {
                    Why::Failed => {
                        sum.down_s += out_s;
                        sum.failures += f64::from(u8::from(outage.start_ns > 0));
                    }
                    Why::Drained => sum.drained_s += out_s,
                }
            }
        }
        sum.up_s = f64::from(self.spec.replicas) * end_s - sum.down_s - sum.drained_s;
        Some(sum)
    }

    /// The replicas of a cell that drain number `index` takes. Over the pool they are exactly
    /// its share of the replicas, rounded; each cell gives its part of them, rounded up or down
    /// so that parts add up (systematic sampling with a random start, W. Cochran, Sampling
    /// Techniques, 8.1), and chance says which of its replicas.
    fn drained(&self, seed: u64, cell: usize, index: usize) -> Vec<u32> {
        let all = u64::from(self.spec.replicas);
        let taken = (self.spec.drain[index].share * all as f64).round() as u64;
        let words = [self.stream, KIND_DRAIN, index as u64];
        let start = Rng::keyed(seed, &words).below(all);
        let before = |replicas: u64| (taken * replicas + start) / all;
        let first = self.first_replica(cell);
        let size = u64::from(self.cells[cell]);
        let count = before(first + size) - before(first);
        let mut rng = Rng::keyed(seed, &[words[0], words[1], words[2], cell as u64]);
        let mut replicas: Vec<u32> = (0..self.cells[cell]).collect();
        for i in 0..count as usize {
            let other = i + rng.below(size - i as u64) as usize;
            replicas.swap(i, other);
        }
        replicas.truncate(count as usize);
        replicas
    }
}

/// Merges drains with failures; where both fall on one time, the failure counts. Both lists are in order
/// and without overlaps.
fn timetable(down: &[Span], drained: &[Span]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::with_capacity(down.len() + drained.len());
    let mut add = |start_ns: u64, end_ns: u64, why: Why| {
        outages.push(Outage {
            start_ns,
            end_ns,
            why,
        });
    };
    for &(start, end) in down {
        add(start, end, Why::Failed);
    }
    for &(start, end) in drained {
        let mut from = start;
        for &(fails, repaired) in down.iter().filter(|(a, b)| *a < end && *b >= start) {
            if fails > from {
                add(from, fails, Why::Drained);
            }
            from = from.max(repaired);
        }
        if from < end {
            add(from, end, Why::Drained);
        }
    }
    outages.sort_unstable();
    outages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drains_are_laid_around_failures() {
        use Why::{Drained as D, Failed as F};
        type Row = (Vec<Span>, Vec<Span>, Vec<(u64, u64, Why)>);
        let table: [Row; 6] = [
            (vec![], vec![], vec![]),
            (vec![(1, 3)], vec![], vec![(1, 3, F)]),
            (vec![], vec![(5, 9)], vec![(5, 9, D)]),
            (
                vec![(1, 3), (6, 7)],
                vec![(2, 9)],
                vec![(1, 3, F), (3, 6, D), (6, 7, F), (7, 9, D)],
            ),
            (
                vec![(4, 4), (8, 12)],
                vec![(2, 9)],
                vec![(2, 4, D), (4, 4, F), (4, 8, D), (8, 12, F)],
            ),
            (vec![(1, 9)], vec![(2, 4)], vec![(1, 9, F)]),
        ];
        for (down, drained, expected) in table {
            let got: Vec<_> = timetable(&down, &drained)
                .iter()
                .map(|o| (o.start_ns, o.end_ns, o.why))
                .collect();
            assert_eq!(got, expected, "{down:?} {drained:?}");
        }
    }
}
