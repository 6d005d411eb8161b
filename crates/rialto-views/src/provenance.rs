//! Where money comes from: how much of an account is fresh, that is, can still vouch.
//!
//! Money is fresh when it comes from outside, by an issue or a deposit. It vouches once, in a deal
//! that it pays: that is what a deal is evidence of. Half of what vouched is fresh again in the
//! payee's hands, so a unit from outside vouches for at most two units, however often it goes
//! round. Every other movement carries freshness along and never adds to it. Whole numbers, no
//! names, no I/O; [`crate::score`] makes scores of what vouched.
//!
//! Proof of the bound. Of a set of owners let `evidence` be what its agents have gained, `fresh` what
//! its accounts hold of fresh money, and `inflow` all the money that came to it from outside the set,
//! whether or not it left again. Each movement keeps `evidence + fresh ≤ inflow`:
//!
//! | of an amount `a`, of which `f ≤ a` vouches | evidence, at most | fresh, at most | inflow |
//! |---|---|---|---|
//! | issue or deposit into the set | 0 | + a | + a |
//! | deal within the set: both sides gain `f / 4` | + f/2 | − f + f/2 | 0 |
//! | deal paid from outside the set | + f/4 | + f/2 | + a |
//! | deal paid to outside the set | + f/4 | − f | 0 |
//! | share `a` that a team outside the set pays into it | + a/4 | + a/2 | + a |
//! | transfer, share, correction or withdrawal within or out | 0 | 0 | 0 |
//! | transfer or correction into the set | 0 | + a | + a |
//!
//! A team's deal vouches for its seller by the part that came to the seller's owner: at once, if the team
//! is its owner's; else by its share, so a team and those it shares with gain no more than one seller.

/// The part of what vouched that is fresh again with the payee: one in two.
const AGAIN: i128 = 2;

/// In what way an amount moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It comes from outside: an issue or a deposit.
    Enters,
    /// It comes from an account outside, but not as new money: an undone issue, deposit or withdrawal.
    Returns,
    /// It pays a deal of another owner.
    Pays,
    /// It is another owner's share of what a deal paid.
    Shares,
    /// Anything else: transfers, withdrawals, corrections, all movements within one owner.
    Moves,
}

/// What a movement does to the fresh money on its two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// What the paying account has less.
    pub(crate) taken: i128,
    /// What the receiving account has more.
    pub(crate) brought: i128,
    /// What vouched.
    pub(crate) vouched: i128,
}

/// Carries the freshness of an amount from an account with this balance, of which `fresh` is fresh.
/// An account never holds more fresh money than money, before or after.
pub(crate) fn carry(way: Way, (balance, fresh): (i128, i128), amount: i128) -> Carried {
    match way {
        Way::Enters => Carried {
            brought: amount,
            ..Carried::default()
        },
        Way::Returns => Carried::default(),
        // Fresh money first: a buyer's earnings do not keep it from vouching.
        Way::Pays => {
            let vouched = fresh.min(amount);
            Carried {
                taken: vouched,
                brought: vouched / AGAIN,
                vouched,
            }
        }
        Way::Shares => {
            let taken = fair_part(balance, fresh, amount);
            Carried {
                taken,
                brought: taken.min(amount / AGAIN),
                vouched: 0,
            }
        }
        Way::Moves => {
            let taken = fair_part(balance, fresh, amount);
            Carried {
                taken,
                brought: taken,
                vouched: 0,
            }
        }
    }
}

/// The part of the fresh money that goes with an amount: as much of it as the amount is of the
/// balance.
fn fair_part(balance: i128, fresh: i128, amount: i128) -> i128 {
    let part = part_of(amount, fresh, balance);
    // Neither side may come to hold more fresh money than money.
    let least = (fresh - (balance - amount)).max(0);
    part.clamp(least, fresh.min(amount).max(least))
}

/// `amount × part / whole`, for `part ≤ whole`, rounded down. Where the product does not fit, only the
/// 26 leading bits of the part count, with the whole rounded up: amounts are below 2^100.
pub(crate) fn part_of(amount: i128, part: i128, whole: i128) -> i128 {
    let width = 128 - part.max(0).leading_zeros();
    let (part, whole) = match amount.checked_mul(part) {
        Some(_) => (part, whole),
        None => (part >> (width - 26), (whole >> (width - 26)) + 1),
    };
    amount.saturating_mul(part).checked_div(whole).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator of its own, so that the sequence is the same everywhere.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: i128) -> i128 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            i128::from(self.0) % most.max(1)
        }
    }

    #[test]
    fn an_amount_carries_its_fair_part() {
        let of = |way, pool, amount| {
            let Carried {
                taken,
                brought,
                vouched,
            } = carry(way, pool, amount);
            (taken, brought, vouched)
        };
        assert_eq!(of(Way::Enters, (5, 0), 7), (0, 7, 0));
        assert_eq!(of(Way::Returns, (5, 5), 7), (0, 0, 0));
        assert_eq!(of(Way::Pays, (100, 30), 20), (20, 10, 20));
        assert_eq!(of(Way::Pays, (100, 30), 50), (30, 15, 30));
        assert_eq!(of(Way::Moves, (100, 30), 50), (15, 15, 0));
        assert_eq!(of(Way::Moves, (100, 100), 50), (50, 50, 0));
        assert_eq!(of(Way::Shares, (100, 100), 50), (50, 25, 0));
        // What is left must be able to hold the fresh money that is left.
        assert_eq!(of(Way::Moves, (3, 2), 2), (1, 1, 0));
        assert_eq!(of(Way::Moves, (0, 0), 0), (0, 0, 0));
    }

    #[test]
    fn great_amounts_neither_overflow_nor_multiply() {
        let most = 1_i128 << 100;
        for (balance, fresh, amount) in [
            (most, most, most),
            (most, most - 1, most / 3),
            (most, 1, most - 1),
            (most, most / 7, most / 5),
        ] {
            let moved = carry(Way::Moves, (balance, fresh), amount);
            assert!(moved.taken >= 0 && moved.taken <= fresh.min(amount));
            assert!(fresh - moved.taken <= balance - amount);
            assert_eq!(moved.brought, moved.taken);
        }
    }

    /// What each of six owners holds, has gained, and got from each other and from outside.
    #[derive(Default)]
    struct Six {
        balance: [i128; 6],
        fresh: [i128; 6],
        /// In quarters of the smallest unit.
        evidence: [i128; 6],
        /// From one to another; the last row is the world outside.
        came: [[i128; 6]; 7],
    }

    impl Six {
        fn step(&mut self, dice: &mut Dice) {
            let at = |dice: &mut Dice| usize::try_from(dice.below(6)).unwrap();
            let (from, to) = (at(dice), at(dice));
            let way = match dice.below(12) {
                0 => Way::Enters,
                1 => Way::Returns,
                2 | 3 => Way::Moves,
                _ => Way::Pays,
            };
            if matches!(way, Way::Enters | Way::Returns) {
                let amount = 1 + dice.below(100);
                let carried = carry(way, (0, 0), amount);
                self.balance[to] += amount;
                self.fresh[to] += carried.brought;
                self.came[6][to] += amount;
                return;
            }
            let amount = dice.below(self.balance[from] + 1);
            if from == to || amount == 0 {
                return;
            }
            let vouched = self.moves(way, (from, to), amount);
            self.evidence[from] += vouched;
            // Now and then it is a team that is paid, and shares it with the seller.
            let seller = at(dice);
            if way != Way::Pays || seller == to || dice.below(3) > 0 {
                self.evidence[to] += vouched;
                return;
            }
            let share = dice.below(amount + 1);
            self.moves(Way::Shares, (to, seller), share);
            if seller != from {
                self.evidence[seller] += part_of(vouched, share, amount);
            }
        }

        fn moves(&mut self, way: Way, (from, to): (usize, usize), amount: i128) -> i128 {
            let carried = carry(way, (self.balance[from], self.fresh[from]), amount);
            self.balance[from] -= amount;
            self.balance[to] += amount;
            self.fresh[from] -= carried.taken;
            self.fresh[to] += carried.brought;
            self.came[from][to] += amount;
            carried.vouched
        }

        /// For every set of owners: what it gained and can still vouch for came from outside it.
        fn holds(&self) {
            for set in 0_usize..64 {
                let within = |at: usize| at < 6 && set >> at & 1 == 1;
                let sum = |of: &[i128; 6]| -> i128 {
                    (0..6).filter(|at| within(*at)).map(|at| of[at]).sum()
                };
                let outside = (0..7).filter(|from| !within(*from));
                let inflow: i128 = outside.map(|from| sum(&self.came[from])).sum();
                let gained = sum(&self.evidence) + 4 * sum(&self.fresh);
                assert!(gained <= 4 * inflow, "{set:06b}: {gained} of {inflow}");
            }
        }
    }

    #[test]
    fn what_any_set_gains_came_from_outside_it() {
        for seed in 1..400 {
            let (mut six, mut dice) = (Six::default(), Dice(seed));
            for _ in 0..120 {
                six.step(&mut dice);
                for at in 0..6 {
                    assert!((0..=six.balance[at]).contains(&six.fresh[at]));
                }
            }
            six.holds();
        }
    }
}
