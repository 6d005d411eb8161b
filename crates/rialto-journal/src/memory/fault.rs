//! What goes wrong with the simulated disk, and when: scripted, or drawn from a seed.
//!
//! Deterministic: a plan and the sequence of appends decide everything.

use std::collections::BTreeMap;

use rialto_random::SplitMix64;

/// What one append meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The sync fails. The append gives an error; a crash then decides by the [`Tail`].
    SyncFails(Tail),
    /// The disk lies: the append succeeds but the frame and all after it are lost in a crash.
    /// No journal can survive that, so seeded plans never do it; a test of the test uses it.
    SyncIgnored,
    /// No space is left. Nothing of the frame is written.
    StorageFull,
    /// One byte of a frame stored earlier goes bad; the append itself succeeds. Which frame and
    /// which byte of it: the two numbers, modulo what there is.
    FlipByte {
        /// Picks the frame.
        frame: u64,
        /// Picks the byte.
        offset: u64,
    },
    /// The append takes this long, which only [`super::MemoryDisk::latency_us`] tells.
    Slow {
        /// Duration to count.
        latency_us: u64,
    },
}

/// What a crash makes of a frame whose sync failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// It had reached the disk in full.
    Kept,
    /// It had not reached the disk.
    Dropped,
    /// Only this many bytes of it had (fewer than it has: at most all but one).
    Torn {
        /// Length of the part that is left.
        bytes: u32,
    },
}

/// How many of 10,000 appends meet each fault, in a seeded plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// [`Fault::SyncFails`], with each tail equally likely.
    pub sync_fails: u32,
    /// [`Fault::StorageFull`].
    pub storage_full: u32,
    /// [`Fault::FlipByte`].
    pub flip_byte: u32,
    /// [`Fault::Slow`], up to a second.
    pub slow: u32,
}

/// Decides which append meets which fault.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    None,
    Script(BTreeMap<u64, Fault>),
    Seeded(SplitMix64, FaultRates),
}

impl FaultPlan {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Faults by number of append, the first append to the disk being 1 (failed ones count, and
    /// opening the disk again does not start over).
    #[must_use]
    pub fn script(faults: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        Self(Source::Script(faults.into_iter().collect()))
    }

    /// Faults drawn at the given rates. The same seed gives the same faults.
    #[must_use]
    pub fn seeded(seed: u64, rates: FaultRates) -> Self {
        Self(Source::Seeded(SplitMix64::new(seed), rates))
    }

    /// The fault of the given append. Called once for each.
    pub(super) fn draw(&mut self, append: u64) -> Option<Fault> {
        match &mut self.0 {
            Source::None => None,
            Source::Script(faults) => faults.get(&append).copied(),
            Source::Seeded(random, rates) => rates.draw(random),
        }
    }
}

impl FaultRates {
    fn draw(&self, random: &mut SplitMix64) -> Option<Fault> {
        let roll = random.next_u64() % 10_000;
        let (first, second) = (random.next_u64(), random.next_u64());
        let mut bound = 0;
        let mut hit = |rate: u32| {
            bound += u64::from(rate);
            roll < bound
        };
        if hit(self.sync_fails) {
            let tail = match first % 3 {
                0 => Tail::Kept,
                1 => Tail::Dropped,
                _ => Tail::Torn {
                    bytes: (second % 4096) as u32,
                },
            };
            return Some(Fault::SyncFails(tail));
        }
        if hit(self.storage_full) {
            return Some(Fault::StorageFull);
        }
        if hit(self.flip_byte) {
            return Some(Fault::FlipByte {
                frame: first,
                offset: second,
            });
        }
        hit(self.slow).then_some(Fault::Slow {
            latency_us: 1 + first % 1_000_000,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_faults_and_rates_are_kept() {
        let rates = FaultRates {
            sync_fails: 300,
            storage_full: 200,
            flip_byte: 100,
            slow: 400,
        };
        let draw = |seed| {
            let mut plan = FaultPlan::seeded(seed, rates);
            (1..=100_000)
                .map(|append| plan.draw(append))
                .collect::<Vec<_>>()
        };
        let faults = draw(1);
        assert_eq!(faults, draw(1));
        assert_ne!(faults, draw(2));
        let share = |is: fn(&Fault) -> bool| faults.iter().flatten().filter(|f| is(f)).count();
        let cases = [
            (3000, share(|f| matches!(f, Fault::SyncFails(_)))),
            (
                1000,
                share(|f| matches!(f, Fault::SyncFails(Tail::Torn { .. }))),
            ),
            (2000, share(|f| matches!(f, Fault::StorageFull))),
            (1000, share(|f| matches!(f, Fault::FlipByte { .. }))),
            (4000, share(|f| matches!(f, Fault::Slow { .. }))),
            (0, share(|f| matches!(f, Fault::SyncIgnored))),
        ];
        for (expected, found) in cases {
            assert!(
                found * 10 >= expected * 9 && found * 10 <= expected * 11,
                "{found} of {expected}"
            );
        }
    }
}
