//! What is stored as a number: what entries do and are for, whose accounts are, who asked, who blocks.
//!
//! One table each way and no number beside it: what the core can say more of does not compile before it
//! has a number here, and a stored number that none has is damage, never something else. Numbers stand
//! for ever; a further one is added at the end.

use rialto_core::id::{
    AgentId, DealId, InferenceId, NegotiationId, OwnerId, PersonId, ServiceId, TeamId, TransferId,
};
use rialto_core::identity::Principal;
use rialto_core::ledger::{EntryKind, Holder, Purpose};
use rialto_core::policy::{Node, Party};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::db::{int, uint};
use crate::{Error, Result};

/// What is stored as the number of its kind and the number of an id; 0 where the kind has none.
pub(crate) trait Coded: Sized {
    /// The numbers under which it is stored.
    fn split(self) -> (i64, i64);
    /// What is stored under numbers.
    fn join(kind: i64, number: i64) -> Result<Self>;

    /// What is stored in a column and the next.
    fn at(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let joined = Self::join(row.get(column)?, row.get(column + 1)?);
        let bad = |why| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, why);
        joined.map_err(|why| bad(Box::new(why)))
    }
}

macro_rules! coded {
    ($($(#[$doc:meta])* $module:ident: $type:ident { $($name:ident = $kind:literal $variant:ident $(($id:ident))?;)* })*) => {$(
        $(#[$doc])*
        pub(crate) mod $module {
            $(pub(crate) const $name: i64 = $kind;)*
        }

        impl Coded for $type {
            fn split(self) -> (i64, i64) {
                match self {
                    $(coded!(@pattern id $type $variant $($id)?) => ($module::$name, coded!(@number id $($id)?)),)*
                }
            }
            #[allow(unused_variables)] // Not every kind of something has an id.
            fn join(kind: i64, number: i64) -> Result<Self> {
                match kind {
                    $($module::$name => Ok(coded!(@made number $type $variant $($id)?)),)*
                    _ => Err(Error::Damaged(concat!("no ", stringify!($module), " has this number"))),
                }
            }
        }
    )*};
    (@pattern $name:ident $type:ident $variant:ident $id:ident) => { $type::$variant($name) };
    (@pattern $name:ident $type:ident $variant:ident) => { $type::$variant };
    (@number $name:ident $id:ident) => { int($name.0) };
    (@number $name:ident) => { 0 };
    (@made $number:ident $type:ident $variant:ident $id:ident) => { $type::$variant($id(uint($number))) };
    (@made $number:ident $type:ident $variant:ident) => { $type::$variant };
}

coded! {
    /// What an entry does.
    #[allow(dead_code, reason = "queries name some of them")]
    entry_kind: EntryKind {
        POST = 0 Post;
        HOLD = 1 Hold;
        POST_HOLD = 2 PostHold;
        VOID_HOLD = 3 VoidHold;
        CAPTURE_HOLD = 4 CaptureHold;
        RAISE_HOLD = 5 RaiseHold;
    }
    /// What an entry is for.
    #[allow(dead_code, reason = "queries name some of them")]
    purpose: Purpose {
        TRANSFER = 0 Transfer;
        ISSUE = 1 Issue;
        DEPOSIT = 2 Deposit;
        WITHDRAWAL = 3 Withdrawal;
        DEAL = 4 Deal(DealId);
        SHARE = 5 Share(DealId);
        CORRECTION = 6 Correction(TransferId);
        STAKE = 7 Stake(AgentId);
        OFFER = 8 Offer(NegotiationId);
        INFERENCE = 9 Inference(InferenceId);
    }
    /// Whose an account is.
    #[allow(dead_code, reason = "queries name some of them")]
    holder: Holder {
        ISSUANCE = 0 Issuance;
        OUTSIDE = 1 Outside;
        OWNER = 2 Owner(OwnerId);
        TEAM = 3 Team(TeamId);
        AGENT = 4 Agent(AgentId);
    }
    /// Who asked, or whose a token is.
    #[allow(dead_code, reason = "queries name some of them")]
    principal: Principal {
        REALM = 0 Realm;
        OPERATOR = 1 Operator;
        PERSON = 2 Person(PersonId);
        AGENT = 3 Agent(AgentId);
        SERVICE = 4 Service(ServiceId);
        PUBLIC = 5 Public;
    }
    /// Whose an allowance is.
    #[allow(dead_code, reason = "queries name some of them")]
    node: Node {
        REALM = 0 Realm;
        OWNER = 1 Owner(OwnerId);
        TEAM = 2 Team(TeamId);
        AGENT = 3 Agent(AgentId);
    }
    /// Who blocks, or is blocked.
    party: Party {
        OWNER = 0 Owner(OwnerId);
        AGENT = 1 Agent(AgentId);
    }
}

/// The numbers of all kinds of `T` that are such, for the list of an `IN (…)`.
fn numbers<T: Coded + Copy>(such: impl Fn(T) -> bool) -> String {
    let all = (0..).map_while(|kind| T::join(kind, 0).ok());
    let some = all.filter(|kind| such(*kind));
    let numbers: Vec<String> = some.map(|kind| kind.split().0.to_string()).collect();
    numbers.join(", ")
}

/// The entries that move money, as `e.kind IN (…)` lists them.
pub(crate) fn moving() -> String {
    numbers(EntryKind::moves)
}

/// The purposes that name a deal, as `e.purpose IN (…)` lists them.
pub(crate) fn of_deals() -> String {
    numbers(|purpose: Purpose| purpose.deal().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number from 0 up that is something comes back, until one is nothing.
    fn come_back<T: Coded + Copy + PartialEq + std::fmt::Debug>(kinds: i64) {
        for kind in 0..kinds {
            let value = T::join(kind, 77).unwrap();
            let (same, number) = value.split();
            assert_eq!(same, kind);
            assert_eq!(T::join(kind, number).unwrap(), value);
            assert!(number == 77 || number == 0);
        }
        assert!(matches!(T::join(kinds, 77), Err(Error::Damaged(_))));
    }

    #[test]
    fn lists_name_what_is_such() {
        assert_eq!((moving(), of_deals()), ("0, 2, 4".into(), "4, 5".into()));
    }

    #[test]
    fn what_is_stored_comes_back() {
        come_back::<EntryKind>(6);
        come_back::<Purpose>(10);
        come_back::<Holder>(5);
        come_back::<Principal>(6);
        come_back::<Node>(4);
        come_back::<Party>(2);
    }
}
