//! Rings that deal with themselves, as they were seen and as a search finds them: how much evidence
//! and which scores a sum of money from outside gets them. A model of the ledger with one account for
//! each owner; the same properties hold of the real one in the integration tests.

use rialto_core::id::{DealId, OwnerId};
use rialto_core::time::Time;

use crate::provenance::{Way, carry};
use crate::score::{Dealt, Kept, ONE, Score, Side, score};

const NOW: Time = Time(2_000_000_000_000);
/// How many smallest units make a whole one.
const UNIT: i128 = 1_000;

/// A generator of its own, so that the search is the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % most.max(1)
    }
}

/// One act of a ring: from whom, to whom, and how much of what the payer has, in thousandths.
#[derive(Clone, Copy)]
struct Act {
    from: usize,
    to: usize,
    permille: i128,
    deal: bool,
}

/// The owners of a ring: what they hold, and the deals of each one's agent.
struct Ring {
    balance: Vec<i128>,
    fresh: Vec<i128>,
    deals: Vec<Vec<Dealt>>,
    number: u64,
}

impl Ring {
    /// Owners, the first of which have this many whole units from outside.
    fn new(owners: usize, coins: &[i128]) -> Self {
        let mut balance = vec![0; owners];
        for (of, coin) in balance.iter_mut().zip(coins) {
            *of = coin * UNIT;
        }
        Self {
            fresh: balance.clone(),
            balance,
            deals: vec![Vec::new(); owners],
            number: 0,
        }
    }

    fn moves(&mut self, from: usize, to: usize, amount: i128, way: Way) {
        if from == to || amount <= 0 || amount > self.balance[from] {
            return;
        }
        let carried = carry(way, (self.balance[from], self.fresh[from]), amount);
        self.balance[from] -= amount;
        self.balance[to] += amount;
        self.fresh[from] -= carried.taken;
        self.fresh[to] += carried.brought;
        if way != Way::Pays {
            return;
        }
        self.number += 1;
        let vouched = carried.vouched * i128::from(ONE) / UNIT;
        for (at, other, side) in [(from, to, Side::Buyer), (to, from, Side::Seller)] {
            self.deals[at].push(Dealt {
                deal: DealId(self.number),
                ended: NOW,
                side,
                other: Some(OwnerId(u64::try_from(other).unwrap())),
                vouched: u64::try_from(vouched).unwrap(),
                broken: 0,
                lost: 0,
                kept: Kept::Full,
            });
        }
    }

    fn does(&mut self, acts: &[Act]) {
        for act in acts {
            let amount = self.balance[act.from] * act.permille / 1_000;
            let way = if act.deal { Way::Pays } else { Way::Moves };
            self.moves(act.from, act.to, amount, way);
        }
    }

    fn scores(&self) -> Vec<Score> {
        self.deals.iter().map(|of| score(of, NOW).0).collect()
    }

    fn best(&self) -> u32 {
        self.scores().iter().map(|s| s.score).max().unwrap()
    }

    fn evidence(&self) -> u64 {
        self.scores().iter().map(|s| s.evidence).sum()
    }
}

/// A seller with one deal of 20.00 with each of three buyers who have their money from outside.
fn honest() -> u32 {
    let mut market = Ring::new(4, &[0, 20, 20, 20]);
    for buyer in 1..4 {
        market.moves(buyer, 0, 20 * UNIT, Way::Pays);
    }
    market.scores()[0].score
}

#[test]
fn eight_who_send_fifty_round_in_a_circle_stay_below_three_honest_deals() {
    let mut ring = Ring::new(8, &[50]);
    for at in 0..48 {
        ring.moves(at % 8, (at + 1) % 8, 50 * UNIT, Way::Pays);
    }
    assert!(ring.evidence() <= 50 * ONE, "{}", ring.evidence());
    let (best, honest) = (ring.best(), honest());
    assert!(honest > 100 && best < honest, "{best} {honest}");
    // However much longer it goes round, nothing is left to gain.
    let before = ring.evidence();
    for at in 0..4_800 {
        ring.moves(at % 8, (at + 1) % 8, 50 * UNIT, Way::Pays);
    }
    assert!(ring.evidence() <= before, "{} {before}", ring.evidence());
}

#[test]
fn twenty_with_one_coin_of_511_stay_below_three_honest_deals() {
    let mut ring = Ring::new(20, &[511]);
    for round in 1..20 {
        for at in 0..20 {
            ring.moves(at, (at + round) % 20, 511 * UNIT, Way::Pays);
        }
    }
    assert!(ring.evidence() <= 511 * ONE, "{}", ring.evidence());
    let best = ring.best();
    assert!(best < honest(), "{best}");
}

/// Climbs to what a ring could do best by trying changes, and returns how well it did. Whatever it
/// tries stays within the bound.
fn climbed(owners: usize, coins: &[i128], seed: u64, aim: fn(&Ring) -> u64) -> u64 {
    let mut dice = Dice(seed);
    let act = |dice: &mut Dice| Act {
        from: dice.below(owners),
        to: dice.below(owners),
        permille: i128::try_from(dice.below(1_000) + 1).unwrap(),
        deal: dice.below(8) > 0,
    };
    let money: u64 = coins.iter().map(|c| u64::try_from(*c).unwrap()).sum();
    let tried = |acts: &[Act]| {
        let mut ring = Ring::new(owners, coins);
        ring.does(acts);
        assert!(ring.evidence() <= money * ONE, "{}", ring.evidence());
        aim(&ring)
    };
    let mut acts: Vec<Act> = (0..60).map(|_| act(&mut dice)).collect();
    let mut best = tried(&acts);
    for _ in 0..1_500 {
        let mut next = acts.clone();
        let at = dice.below(next.len());
        match dice.below(4) {
            0 => next.insert(at, act(&mut dice)),
            1 if next.len() > 1 => drop(next.remove(at)),
            2 => next.swap(at, (at + 1) % acts.len()),
            _ => next[at] = act(&mut dice),
        }
        let reached = tried(&next);
        if reached >= best && next.len() <= 200 {
            (acts, best) = (next, reached);
        }
    }
    best
}

#[test]
fn a_ring_that_searches_gains_no_more_than_its_money() {
    for seed in 1..4 {
        climbed(8, &[50], seed, Ring::evidence);
        climbed(5, &[20, 7, 3], seed, Ring::evidence);
    }
}

#[test]
fn a_ring_that_searches_reaches_little_for_each_of_its_members() {
    // The mean of eight members, for a coin of 50, beside an honest seller with 60 from outside.
    for seed in 1..4 {
        let sum = climbed(8, &[50], seed, |ring| {
            ring.scores().iter().map(|s| u64::from(s.score)).sum()
        });
        assert!(sum / 8 < u64::from(honest()), "{sum}");
    }
}
