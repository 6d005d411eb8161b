//! When replicas are down: failures of chips, nodes and racks, and their repair.
//!
//! Every component has its own random stream, identified by seed, pool, kind and number, so its history
//! does not depend on which cells are simulated or in which order. Times to failure and to repair are
//! exponential; components start in the steady state.

use serde::{Deserialize, Serialize};

use crate::rng::{Distributions, Rng};

/// Mean times between failures and to repair. A component without them never fails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Mean hours between failures of one chip.
    pub chip_mtbf_h: Option<f64>,
    /// Mean hours until a failed chip is replaced.
    pub chip_mttr_h: f64,
    /// Mean hours between failures of one node, beyond those of its chips.
    pub node_mtbf_h: Option<f64>,
    /// Mean hours until a failed node is back.
    pub node_mttr_h: f64,
    /// Mean hours between failures of one rack (scale-up domain), beyond those of its nodes.
    pub rack_mtbf_h: Option<f64>,
    /// Mean hours until a failed rack is back.
    pub rack_mttr_h: f64,
    /// Seconds to load the model after a repair.
    pub restart_s: f64,
    /// Share of replicas that run slow throughout.
    pub straggler_share: f64,
    /// How many times longer their steps take.
    pub straggler_slowdown: f64,
}

/// How the chips of a pool sit in nodes and racks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Chips of one replica, placed side by side.
    pub replica_chips: u32,
    /// Chips of a node.
    pub node_chips: u32,
    /// Chips of a rack.
    pub rack_chips: u32,
}

/// A time span in nanoseconds during which a replica is down.
pub(super) type Span = (u64, u64);

const KIND_STRAGGLER: u64 = 9;

impl Faults {
    /// True when nothing ever fails or lags.
    #[must_use]
    pub fn none(&self) -> bool {
        self.never_down() && self.straggler_share <= 0.0
    }

    /// True when nothing ever fails; some may lag.
    #[must_use]
    pub fn never_down(&self) -> bool {
        self.chip_mtbf_h.is_none() && self.node_mtbf_h.is_none() && self.rack_mtbf_h.is_none()
    }

    /// Whether a replica of the pool named `stream` is a straggler.
    #[must_use]
    pub fn is_straggler(&self, seed: u64, stream: u64, replica: u64) -> bool {
        self.straggler_share > 0.0
            && Rng::keyed(seed, &[stream, KIND_STRAGGLER, replica]).unit() < self.straggler_share
    }

    /// The spans within `[0, horizon_ns)` in which a replica is down, merged and in order.
    #[must_use]
    pub fn downtime(
        &self,
        seed: u64,
        stream: u64,
        topology: &Topology,
        replica: u64,
        horizon_ns: u64,
    ) -> Vec<Span> {
        let first = replica * u64::from(topology.replica_chips);
        let last = first + u64::from(topology.replica_chips) - 1;
        let kinds = [
            (1, 1, self.chip_mtbf_h, self.chip_mttr_h),
            (
                2,
                u64::from(topology.node_chips.max(1)),
                self.node_mtbf_h,
                self.node_mttr_h,
            ),
            (
                3,
                u64::from(topology.rack_chips.max(1)),
                self.rack_mtbf_h,
                self.rack_mttr_h,
            ),
        ];
        let mut spans = Vec::new();
        for (kind, size, mtbf_h, mttr_h) in kinds {
            let Some(mtbf_h) = mtbf_h else { continue };
            for component in first / size..=last / size {
                let mut rng = Rng::keyed(seed, &[stream, kind, component]);
                history(
                    &mut rng,
                    mtbf_h,
                    mttr_h,
                    self.restart_s,
                    horizon_ns,
                    &mut spans,
                );
            }
        }
        merge(spans)
    }
}

/// Adds one component's down spans.
fn history(
    rng: &mut Rng,
    mtbf_h: f64,
    mttr_h: f64,
    restart_s: f64,
    horizon_ns: u64,
    spans: &mut Vec<Span>,
) {
    let horizon_s = horizon_ns as f64 * 1e-9;
    let (up_s, down_s) = (mtbf_h * 3600.0, mttr_h * 3600.0);
    let mut now_s = 0.0;
    let mut down = rng.unit() < (down_s + restart_s) / (up_s + down_s + restart_s);
    while now_s < horizon_s {
        if down {
            let end_s = now_s + rng.exponential(down_s) + restart_s;
            spans.push(((now_s * 1e9) as u64, (end_s * 1e9) as u64));
            now_s = end_s;
        } else {
            now_s += rng.exponential(up_s);
        }
        down = !down;
    }
}

/// Joins spans that touch.
pub(super) fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: Topology = Topology {
        replica_chips: 4,
        node_chips: 16,
        rack_chips: 64,
    };

    #[test]
    fn replicas_of_a_node_go_down_together() {
        let faults = Faults {
            node_mtbf_h: Some(1.0),
            node_mttr_h: 0.5,
            restart_s: 60.0,
            ..Faults::default()
        };
        let down = |replica| faults.downtime(1, 2, &TOPOLOGY, replica, 36_000_000_000_000);
        assert!(!down(0).is_empty());
        assert!(
            (1..4).all(|r| down(r) == down(0)),
            "one node holds four replicas"
        );
        assert_ne!(down(4), down(0), "the next node has its own history");
    }

    #[test]
    fn downtime_comes_to_its_expectation() {
        let faults = Faults {
            chip_mtbf_h: Some(100.0),
            chip_mttr_h: 2.0,
            ..Faults::default()
        };
        let horizon = 24 * 3_600_000_000_000u64;
        let one = Topology {
            replica_chips: 1,
            ..TOPOLOGY
        };
        let down: f64 = (0..20_000)
            .flat_map(|r| faults.downtime(7, 1, &one, r, horizon))
            .map(|(start, end)| (end.min(horizon) - start) as f64)
            .sum();
        let share = down / (20_000.0 * horizon as f64);
        assert!((share / (2.0 / 102.0) - 1.0).abs() < 0.05, "{share}");
    }

    #[test]
    fn spans_are_merged_in_order() {
        assert_eq!(
            merge(vec![(5, 9), (1, 3), (2, 6), (12, 13)]),
            [(1, 9), (12, 13)]
        );
        assert!(
            Faults::default()
                .downtime(1, 1, &TOPOLOGY, 0, 1 << 50)
                .is_empty()
        );
        assert!(Faults::default().none());
    }
}
