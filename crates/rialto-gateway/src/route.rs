//! The order in which deployments of a model are asked.
//!
//! Pure, and judged by prices, weights and what is measured; a deployment's or provider's name decides nothing,
//! so renaming a vendor changes no route. Deployments that are left alone for a while come last and are not
//! asked before their time.

use std::str::FromStr;
use std::time::Duration;

/// How one of several deployments is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choose {
    /// In turn.
    #[default]
    Turns,
    /// Whose tokens cost least.
    Cheapest,
    /// Whose answers begin soonest.
    Fastest,
    /// Which has the fewest tokens under way for each replica.
    LeastBusy,
    /// The same one for requests that begin alike, whose cache may hold the beginning.
    Prefix,
}

impl Choose {
    /// Every way, by the word of settings.
    pub const ALL: [(&'static str, Self); 5] = [
        ("turns", Self::Turns),
        ("cheapest", Self::Cheapest),
        ("fastest", Self::Fastest),
        ("least-busy", Self::LeastBusy),
        ("prefix", Self::Prefix),
    ];
}

impl FromStr for Choose {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word);
        let names: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
        found
            .map(|(_, choose)| *choose)
            .ok_or_else(|| format!("write one of {}", names.join(", ")))
    }
}

/// What the order depends on, of one deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// A number of its own that no name goes into.
    pub seed: u64,
    /// The most that the call can cost, in smallest units.
    pub price: i128,
    /// Replicas that serve it.
    pub replicas: u32,
    /// Tokens under way.
    pub tokens: u64,
    /// The mean time to the first byte; none before the first call.
    pub first: Option<Duration>,
    /// Whether it is left alone now.
    pub waits: bool,
}

/// The order, as places in the list. `turn` differs from call to call; `prefix` is the hash of a request's
/// beginning.
#[must_use]
pub fn order(all: &[Standing], choose: Choose, turn: u64, prefix: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    let total: u64 = all.iter().map(|one| u64::from(one.replicas)).sum();
    let drawn = mixed(turn) % total.max(1);
    let mut before = 0;
    let mut chosen = 0;
    for (place, one) in all.iter().enumerate() {
        if before <= drawn {
            chosen = place;
        }
        before += u64::from(one.replicas);
    }
    let key = |place: &usize| {
        let Some(one) = all.get(*place) else {
            return (true, 0, 0);
        };
        // By turns, as many as there are replicas; the others follow in a circle.
        let turn = ((place + all.len() - chosen) % all.len()) as u64;
        let first = match choose {
            Choose::Turns => 0,
            Choose::Cheapest => one.price,
            // Who was never asked is asked first: else nobody would ever know.
            Choose::Fastest => one.first.map_or(0, |time| time.as_micros() as i128),
            Choose::LeastBusy => i128::from(one.tokens) / i128::from(one.replicas.max(1)),
            // Rendezvous hashing: who leaves moves only what went to it.
            Choose::Prefix => i128::from(mixed(prefix ^ mixed(one.seed))),
        };
        (one.waits, first, turn)
    };
    places.sort_by_key(key);
    places
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mixed(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(seed: u64, price: i128, replicas: u32) -> Standing {
        Standing {
            seed,
            price,
            replicas,
            tokens: 0,
            first: None,
            waits: false,
        }
    }

    #[test]
    fn turns_follow_the_replicas() {
        let all = [standing(1, 5, 1), standing(2, 5, 3), standing(3, 5, 0)];
        let mut firsts = [0; 3];
        for turn in 0..4_000 {
            let order = order(&all, Choose::Turns, turn, 0);
            firsts[order[0]] += 1;
        }
        assert!((900..1_100).contains(&firsts[0]), "{firsts:?}");
        assert_eq!(firsts[2], 0);
    }

    #[test]
    fn each_way_puts_its_best_first_and_who_is_left_alone_last() {
        let mut all = [standing(1, 9, 1), standing(2, 3, 1), standing(3, 5, 1)];
        all[0].first = Some(Duration::from_millis(5));
        all[1].first = Some(Duration::from_millis(9));
        all[2].first = Some(Duration::from_millis(7));
        (all[0].tokens, all[1].tokens, all[2].tokens) = (50, 70, 10);
        assert_eq!(order(&all, Choose::Cheapest, 7, 0), [1, 2, 0]);
        assert_eq!(order(&all, Choose::Fastest, 7, 0), [0, 2, 1]);
        assert_eq!(order(&all, Choose::LeastBusy, 7, 0), [2, 0, 1]);
        all[1].waits = true;
        assert_eq!(order(&all, Choose::Cheapest, 7, 0), [2, 0, 1]);
        all[2].first = None;
        assert_eq!(order(&all, Choose::Fastest, 7, 0), [2, 0, 1]);
    }

    #[test]
    fn requests_that_begin_alike_stay_together_and_few_move_when_one_leaves() {
        let all: Vec<_> = (0..4).map(|n| standing(n * 977, 1, 1)).collect();
        let fewer = &all[..3];
        let mut moved = 0;
        for prefix in 0..1_000 {
            let (one, two) = (
                order(&all, Choose::Prefix, 1, prefix)[0],
                order(&all, Choose::Prefix, 99, prefix)[0],
            );
            assert_eq!(one, two);
            let left = order(fewer, Choose::Prefix, 5, prefix)[0];
            moved += usize::from(one != 3 && left != one);
        }
        assert_eq!(moved, 0);
    }
}
