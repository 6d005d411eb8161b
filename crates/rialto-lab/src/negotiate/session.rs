//! One negotiation: alternating offers between two strategies until a deadline.
//!
//! Holds the protocol. In each round the opening side acts, then the other: it accepts the offer on
//! the table, makes its own, or leaves. A side sees nothing of the other but its offers. Nothing
//! here reads a clock: time comes from the caller's [`Clock`].
//!
//! Relative time in round `k` (from 0) of `n` is `(k + 1) / (n + 1)`, as in NegMAS; with a limit in seconds
//! it is the share of them that has passed, and with both limits the greater of the two.

use serde::Serialize;

use super::domain::Outcome;

/// What a strategy does with its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Accepts the offer on the table.
    Accept,
    /// Refuses it and makes another.
    Offer(Outcome),
    /// Ends the negotiation without an agreement.
    Leave,
}

/// What a strategy sees at its turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// Relative time, in `[0, 1]`.
    pub time: f64,
    /// The round, from 0.
    pub round: u32,
    /// How many rounds there are; none if only time limits them.
    pub rounds: Option<u32>,
    /// The offer on the table; none for the very first turn.
    pub offer: Option<Outcome>,
}

/// Decides for one side. Made for one negotiation; it knows only its own preferences.
pub trait Strategy {
    /// Takes a turn.
    fn act(&mut self, turn: &Turn) -> Action;
}

/// When a negotiation ends without an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deadline {
    /// After this many rounds, at least 1.
    pub rounds: Option<u32>,
    /// After this many seconds.
    pub seconds: Option<f64>,
}

impl Deadline {
    /// A deadline by rounds alone.
    #[must_use]
    pub fn rounds(rounds: u32) -> Self {
        Self {
            rounds: Some(rounds),
            seconds: None,
        }
    }
}

/// Seconds since the negotiation began, as the caller counts them.
pub trait Clock {
    /// Asked once before every turn.
    fn seconds(&mut self) -> f64;
}

/// A clock for deadlines by rounds: it never moves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Still;

impl Clock for Still {
    fn seconds(&mut self) -> f64 {
        0.0
    }
}

/// A clock that moves by the same time for every turn: runs by time that can be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    /// Seconds a turn.
    pub step: f64,
    /// Turns so far.
    pub turns: u64,
}

impl Clock for Steady {
    fn seconds(&mut self) -> f64 {
        let now = self.turns as f64 * self.step;
        self.turns += 1;
        now
    }
}

/// How a negotiation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With an agreement.
    Agreed,
    /// A side left.
    Left,
    /// The deadline passed.
    Deadline,
    /// A side accepted without an offer, or offered an outcome that the domain does not have.
    Fault,
}

/// A negotiation's result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settled {
    /// How it ended.
    pub end: End,
    /// The agreement.
    pub agreement: Option<Outcome>,
    /// Rounds begun.
    pub rounds: u32,
    /// Relative time of the end.
    pub time: f64,
    /// The side (0 or 1) that accepted, left or was at fault.
    pub by: Option<usize>,
}

/// Lets two strategies negotiate; `first` (0 or 1) opens every round. `watch` is called for every
/// action with the side, its turn and the action.
pub fn negotiate(
    sides: [&mut dyn Strategy; 2],
    outcomes: usize,
    deadline: Deadline,
    first: usize,
    clock: &mut dyn Clock,
    watch: &mut dyn FnMut(usize, &Turn, Action),
) -> Settled {
    let [a, b] = sides;
    let mut sides = if first == 0 { [a, b] } else { [b, a] };
    let mut offer = None;
    let mut round = 0;
    let limit = deadline.rounds.unwrap_or(u32::MAX);
    loop {
        if round >= limit {
            return settled(End::Deadline, None, round, 1.0, None);
        }
        for (turn_of, strategy) in sides.iter_mut().enumerate() {
            let mut time = 0.0;
            if deadline.rounds.is_some() {
                time = f64::from(round + 1) / (f64::from(limit) + 1.0);
            }
            if let Some(seconds) = deadline.seconds {
                let passed = clock.seconds();
                if passed >= seconds {
                    return settled(End::Deadline, None, round, 1.0, None);
                }
                time = f64::max(time, passed / seconds);
            }
            let turn = Turn {
                time,
                round,
                rounds: deadline.rounds,
                offer,
            };
            let action = strategy.act(&turn);
            let side = turn_of ^ first;
            watch(side, &turn, action);
            match action {
                Action::Offer(outcome) if (outcome as usize) < outcomes => offer = Some(outcome),
                Action::Accept if offer.is_some() => {
                    return settled(End::Agreed, offer, round + 1, time, Some(side));
                }
                Action::Leave => return settled(End::Left, None, round + 1, time, Some(side)),
                Action::Offer(_) | Action::Accept => {
                    return settled(End::Fault, None, round + 1, time, Some(side));
                }
            }
        }
        round += 1;
    }
}

fn settled(
    end: End,
    agreement: Option<Outcome>,
    rounds: u32,
    time: f64,
    by: Option<usize>,
) -> Settled {
    Settled {
        end,
        agreement,
        rounds,
        time,
        by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the actions of a list, and repeats the last one forever.
    struct Script(Vec<Action>, usize);

    impl Strategy for Script {
        fn act(&mut self, _turn: &Turn) -> Action {
            let action = self.0[self.1.min(self.0.len() - 1)];
            self.1 += 1;
            action
        }
    }

    fn run(a: &[Action], b: &[Action], deadline: Deadline, first: usize) -> (Settled, Vec<f64>) {
        let (mut a, mut b) = (Script(a.to_vec(), 0), Script(b.to_vec(), 0));
        let mut times = Vec::new();
        let mut clock = Steady {
            step: 1.0,
            turns: 0,
        };
        let mut watch = |_: usize, turn: &Turn, _: Action| times.push(turn.time);
        let settled = negotiate(
            [&mut a, &mut b],
            10,
            deadline,
            first,
            &mut clock,
            &mut watch,
        );
        (settled, times)
    }

    #[test]
    fn a_negotiation_ends_in_each_way() {
        use Action::{Accept, Leave, Offer};
        let rounds = Deadline::rounds(3);
        for (a, b, first, end, agreement, by, rounds_begun) in [
            (
                vec![Offer(1)],
                vec![Offer(2), Accept],
                0,
                End::Agreed,
                Some(1),
                Some(1),
                2,
            ),
            (
                vec![Accept],
                vec![Offer(2)],
                1,
                End::Agreed,
                Some(2),
                Some(0),
                1,
            ),
            (vec![Offer(1)], vec![Leave], 0, End::Left, None, Some(1), 1),
            (
                vec![Offer(1)],
                vec![Offer(2)],
                0,
                End::Deadline,
                None,
                None,
                3,
            ),
            // What the domain does not have is the side's fault, and nobody's agreement.
            (
                vec![Offer(1), Offer(10)],
                vec![Offer(2)],
                0,
                End::Fault,
                None,
                Some(0),
                2,
            ),
            (vec![Accept], vec![Accept], 1, End::Fault, None, Some(1), 1),
        ] {
            let (settled, _) = run(&a, &b, rounds, first);
            let seen = (settled.end, settled.agreement, settled.by, settled.rounds);
            assert_eq!(seen, (end, agreement, by, rounds_begun), "{a:?} {b:?}");
        }
    }

    #[test]
    fn relative_time_follows_rounds_and_seconds() {
        let offers = [Action::Offer(0)];
        let (_, times) = run(&offers, &offers, Deadline::rounds(3), 0);
        assert_eq!(times, [0.25, 0.25, 0.5, 0.5, 0.75, 0.75]);
        let seconds = Deadline {
            rounds: None,
            seconds: Some(4.0),
        };
        let (settled, times) = run(&offers, &offers, seconds, 0);
        assert_eq!(times, [0.0, 0.25, 0.5, 0.75]);
        assert_eq!((settled.end, settled.rounds), (End::Deadline, 2));
        let both = Deadline {
            rounds: Some(9),
            seconds: Some(4.0),
        };
        let (_, times) = run(&offers, &offers, both, 0);
        assert_eq!(times, [0.1, 0.25, 0.5, 0.75]);
    }
}
