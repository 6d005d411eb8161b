//! Obligations: effects owed to the outside.
//!
//! An obligation is opened by an event and closed by a command, so what is owed survives a crash and is
//! never forgotten. What carries it out starts only when its opening is durable, repeats it until it is
//! reported done, and sends its id along, so that the receiver can tell a repeat. A failed attempt is
//! tried again later, each time after twice the pause; after the last one, or when its time is over, the
//! obligation is dead and waits for the operator. Nothing here calls anybody.

mod decide;
mod evolve;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use decide::{close, open_pay_out};
pub(crate) use evolve::evolve;

use crate::command::{commands, never};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::fact::{Told, facts, word};
use crate::id::{HoldId, ObligationId, OwnerId};
use crate::index::Index;
use crate::limits;
use crate::noun::{Act, By, Kind, Noun, Row, noun};
use crate::policy::Party;
use crate::state::State;
use crate::table::Table;
use crate::text::Name;
use crate::time::Time;

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// To notify the receiver of notifications of what waits for an owner, or for the operator.
    #[n(0)]
    Notify {
        /// The owner; none is the operator.
        #[n(0)]
        owner: Option<OwnerId>,
    },
    /// To pay out a withdrawal. The payment service does it, and reports with `ledger.end_withdrawal`.
    #[n(1)]
    PayOut {
        /// The withdrawal's hold.
        #[n(0)]
        hold: HoldId,
    },
}

impl Duty {
    fn what(self) -> &'static str {
        match self {
            Self::Notify { .. } => "notify of what waits",
            Self::PayOut { .. } => "pay out a withdrawal",
        }
    }

    /// The thing that it is about, if that has an id.
    fn about(self) -> Option<HoldId> {
        match self {
            Self::Notify { .. } => None,
            Self::PayOut { hold } => Some(hold),
        }
    }

    /// Whether the server itself carries it out.
    fn is_errand(self) -> bool {
        match self {
            Self::Notify { .. } => true,
            Self::PayOut { .. } => false,
        }
    }
}

/// An open obligation, or a dead one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Obligation {
    /// What is owed.
    #[n(0)]
    pub duty: Duty,
    /// The owner whom it concerns, if it is not the operator alone.
    #[n(1)]
    pub owner: Option<OwnerId>,
    /// When it dies, unless it is done by then.
    #[n(2)]
    pub deadline: Option<Time>,
    /// How many attempts have failed.
    #[n(3)]
    pub attempts: u32,
    /// When it is tried next; none if it is dead.
    #[n(4)]
    pub next: Option<Time>,
    /// When it leaves memory though nobody has seen to it: set when it dies, unless money hangs on it.
    #[n(5)]
    pub forgotten: Option<Time>,
}

impl Obligation {
    /// True if it is tried no more until the operator says so.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.next.is_none()
    }
}

impl Entity for Obligation {
    const KIND: u8 = 90;
    type Key = ObligationId;
    const DUE: Due<Self> = Due::Acts(
        |it| {
            if it.is_dead() {
                it.forgotten
            } else {
                it.deadline
            }
        },
        decide::expire,
    );
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::OBLIGATIONS,
        what: "open obligations",
        payer: |it, _, _| it.owner,
    };
    const LOOKUP: Lookup<Self> = Lookup::While(Owed::note, Owed::unnote);
    const NOUN: Option<&'static Noun> = Some(&OBLIGATION);
}

/// How far the log was looked through for what begins to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Noticed {
    /// The position.
    #[n(0)]
    pub position: u64,
}

impl Entity for Noticed {
    const KIND: u8 = 91;
    type Key = ();
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// What is owed, by duty, and what the server has to do next, by time.
pub struct Owed {
    by_duty: Table<Duty, ObligationId>,
    errands: BTreeSet<(Time, ObligationId)>,
    dead: usize,
}

impl Owed {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            by_duty: Table::new(seed),
            errands: BTreeSet::new(),
            dead: 0,
        }
    }

    fn note(owed: &Obligation, id: ObligationId, index: &mut Index) {
        let index = &mut index.owed;
        index.by_duty.insert(owed.duty, id);
        index.dead += usize::from(owed.is_dead());
        if let Some(next) = owed.next.filter(|_| owed.duty.is_errand()) {
            index.errands.insert((next, id));
        }
    }

    fn unnote(owed: &Obligation, id: ObligationId, index: &mut Index) {
        let index = &mut index.owed;
        index.by_duty.remove(&owed.duty);
        index.dead -= usize::from(owed.is_dead());
        if let Some(next) = owed.next.filter(|_| owed.duty.is_errand()) {
            index.errands.remove(&(next, id));
        }
    }
}

impl State {
    /// The obligation with this duty, if it is owed.
    #[must_use]
    pub fn owed(&self, duty: Duty) -> Option<ObligationId> {
        self.index.owed.by_duty.get(&duty).copied()
    }

    /// What the server itself has to do by now, at most `most` of it, earliest first; and when there is
    /// next something to do.
    #[must_use]
    pub fn errands(
        &self,
        now: Time,
        most: usize,
    ) -> (Vec<(ObligationId, Obligation)>, Option<Time>) {
        let errands = &self.index.owed.errands;
        let due = errands.iter().take_while(|(at, _)| *at <= now).take(most);
        let due = due.filter_map(|(_, id)| Some((*id, self.obligations.get(id)?.clone())));
        let later = errands.iter().find(|(at, _)| *at > now);
        (due.collect(), later.map(|(at, _)| *at))
    }

    /// How many obligations are open, and how many are dead.
    #[must_use]
    pub fn owed_counts(&self) -> (usize, usize) {
        let dead = self.index.owed.dead;
        (self.obligations.len() - dead, dead)
    }
}

/// How an obligation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObligationEnd {
    /// It was done.
    #[n(0)]
    Done,
    /// What it was owed for is over.
    #[n(1)]
    Void,
    /// The operator dropped it.
    #[n(2)]
    Dropped,
    /// It was dead, and nobody saw to it.
    #[n(3)]
    Forgotten,
}

/// Opens what is owed because something began to wait. For the realm itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The owners for whom something began to wait.
    pub owners: Vec<OwnerId>,
    /// Whether something began to wait for the operator.
    pub operator: bool,
    /// How far the log was looked through.
    pub position: u64,
}

/// Reports that an obligation was done. For the realm itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReportDone {
    /// The obligation.
    pub obligation: ObligationId,
}

/// Reports that an attempt failed. For the realm itself, and for a payment service about a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReportFailed {
    /// The obligation.
    pub obligation: ObligationId,
    /// Why, in a few words. Everybody whom the obligation concerns reads it.
    pub why: Name,
}

/// Tries an obligation again, from the first attempt. For the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RetryObligation {
    /// The obligation.
    pub obligation: ObligationId,
}

/// Drops an obligation. The money of a withdrawal goes back to its account. For the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DropObligation {
    /// The obligation.
    pub obligation: ObligationId,
}

commands! {
    /// What can be asked about obligations.
    pub enum ObligationCommand needs everything {
        /// Opens what is owed because something began to wait.
        Notice(Notice) = "obligation.notice" => decide::notice, reaches_others: never;
        /// Reports that an obligation was done.
        ReportDone(ReportDone) = "obligation.done" => decide::done, reaches_others: never;
        /// Reports that an attempt failed.
        ReportFailed(ReportFailed) = "obligation.failed" => decide::failed, reaches_others: never;
        /// Tries an obligation again, from the first attempt.
        Retry(RetryObligation) = "obligation.retry" => decide::retry, reaches_others: never;
        /// Drops an obligation. The money of a withdrawal goes back to its account.
        Drop(DropObligation) = "obligation.drop" => decide::drop, reaches_others: never;
    }
}

/// What happened to obligations.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObligationEvent {
    /// Something is owed from now on.
    #[n(0)]
    Opened {
        /// The obligation.
        #[n(0)]
        obligation: ObligationId,
        /// What is owed.
        #[n(1)]
        duty: Duty,
        /// The owner whom it concerns.
        #[n(2)]
        owner: Option<OwnerId>,
        /// When it dies, unless it is done by then.
        #[n(3)]
        deadline: Option<Time>,
    },
    /// An attempt failed, or its time is over.
    #[n(1)]
    Failed {
        /// The obligation.
        #[n(0)]
        obligation: ObligationId,
        /// How many attempts have failed.
        #[n(1)]
        attempts: u32,
        /// Why.
        #[n(2)]
        why: Name,
        /// When it is tried next; none if it is dead.
        #[n(3)]
        next: Option<Time>,
    },
    /// The operator has it tried again.
    #[n(2)]
    Retried {
        /// The obligation.
        #[n(0)]
        obligation: ObligationId,
        /// When it dies, unless it is done by then.
        #[n(1)]
        deadline: Option<Time>,
    },
    /// It is over.
    #[n(3)]
    Ended {
        /// The obligation.
        #[n(0)]
        obligation: ObligationId,
        /// How.
        #[n(1)]
        end: ObligationEnd,
    },
    /// The log was looked through for what begins to wait.
    #[n(4)]
    Noticed {
        /// How far.
        #[n(0)]
        position: u64,
    },
}

noun! {
    /// An effect that the realm owes to the outside: a notification, or the payment of a withdrawal.
    OBLIGATION = "obligation", "obligations" {
        STATE = "state", "State", Kind::State(&["open", "dead", "done", "void", "dropped", "forgotten"]);
        DUTY = "duty", "Owed", Kind::Word;
        OWNER = "owner", "Whom it concerns", Kind::Owner;
        ABOUT = "about", "About", Kind::Id;
        ATTEMPTS = "attempts", "Failed attempts", Kind::Number;
        WHY = "why", "Last failure", Kind::Word;
        NEXT = "next", "Next attempt", Kind::Time;
        DEADLINE = "deadline", "Until", Kind::Time;
    }
    acts {
        Act {
            op: "obligation.retry",
            verb: "retry",
            about: "Tries it again now, from the first attempt.",
            by: By::Operator,
            on: Some("obligation"),
            when: &["open", "dead"],
            fields: &[],
        },
        Act {
            op: "obligation.drop",
            verb: "drop",
            about: "Drops it; the money of a withdrawal goes back to its account.",
            by: By::Operator,
            on: Some("obligation"),
            when: &["open", "dead"],
            fields: &[],
        },
    }
}

facts! {
    ObligationEvent {
        Opened { obligation, duty, owner, deadline } = "obligation.opened",
            concerns [obligation, duty.about()], texts [],
            told [Told::new(*obligation, format!("owed from now on: {}", duty.what()))],
            rows [
                Row::new(&OBLIGATION, *obligation)
                    .with(&DUTY, duty.what())
                    .with(&OWNER, *owner)
                    .with(&ABOUT, duty.about().map(crate::id::AnyId::from))
                    .with(&STATE, "open")
                    .with(&ATTEMPTS, 0_u32)
                    .with(&DEADLINE, *deadline)
                    .seen_by(owner.map(Party::Owner))
            ];
        Failed { obligation, attempts, why, next } = "obligation.failed", concerns [obligation], texts [],
            told [Told::new(*obligation, format!("attempt {attempts} failed: {}", why.as_str()))],
            rows [
                Row::new(&OBLIGATION, *obligation)
                    .with(&STATE, if next.is_some() { "open" } else { "dead" })
                    .with(&ATTEMPTS, *attempts)
                    .with(&WHY, why.as_str())
                    .with(&NEXT, *next)
            ];
        Retried { obligation, deadline } = "obligation.retried", concerns [obligation], texts [],
            told [Told::new(*obligation, "is tried again")],
            rows [
                Row::new(&OBLIGATION, *obligation)
                    .with(&STATE, "open")
                    .with(&ATTEMPTS, 0_u32)
                    .with(&NEXT, None::<Time>)
                    .with(&DEADLINE, *deadline)
            ];
        Ended { obligation, end } = "obligation.ended", concerns [obligation], texts [],
            told [Told::new(*obligation, format!("the obligation was {}", word(end)))],
            rows [
                Row::new(&OBLIGATION, *obligation)
                    .with(&STATE, word(end))
                    .with(&NEXT, None::<Time>)
            ];
        Noticed { .. } = "obligation.noticed", concerns [], texts [], told [];
    }
}
