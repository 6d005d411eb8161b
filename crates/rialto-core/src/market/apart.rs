//! Who may rule in a dispute: an arbiter that is independent of both sides.
//!
//! Owners are compared, not agents: an agent whose owner owns a party, the paying account, or a
//! team or member that shares in the proceeds cannot be the arbiter of that deal.

use alloc::format;

use super::{Bargain, Deal};
use crate::id::{AccountId, AgentId, OwnerId};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::work::Share;

/// The parties of a deal, and where its money comes from and goes to.
pub(super) struct Sides<'a> {
    pub(super) buyer: AgentId,
    pub(super) seller: AgentId,
    /// The account that pays, where it is known.
    pub(super) payer: Option<AccountId>,
    /// The split of the proceeds, once it is fixed; before, every member of the team has a part.
    pub(super) shares: Option<&'a [Share]>,
}

impl<'a> Sides<'a> {
    /// The sides of a deal.
    pub(super) fn of(state: &State, deal: &'a Deal) -> Self {
        Self {
            buyer: deal.buyer,
            seller: deal.seller,
            payer: state.holds.get(&deal.hold).map(|h| h.from),
            shares: Some(&deal.shares),
        }
    }

    /// On whose side an owner is, if on any.
    fn side_of(&self, state: &State, bargain: &Bargain, owner: OwnerId) -> Option<&'static str> {
        let is = |other: Option<OwnerId>| other == Some(owner);
        if is(share::owner(state, self.buyer)) {
            return Some("buyer");
        }
        if is(share::owner(state, self.seller)) {
            return Some("seller");
        }
        let payer = self.payer.and_then(|a| state.accounts.get(&a));
        if is(payer.and_then(|a| share::holder(state, a.holder))) {
            return Some("payer");
        }
        let team = bargain.payee_team.and_then(|t| state.teams.get(&t))?;
        let paid = match self.shares {
            Some(shares) => shares.iter().any(|s| is(share::owner(state, s.agent))),
            None => (team.members.iter()).any(|m| m.joined && is(share::owner(state, m.agent))),
        };
        (paid || is(Some(team.owner))).then_some("payee team")
    }
}

/// Refuses an arbiter whose owner is on a side of the deal.
pub(super) fn stands_apart(
    state: &State,
    bargain: &Bargain,
    sides: &Sides<'_>,
) -> Result<(), Rejection> {
    let Some(arbiter) = bargain.arbiter else {
        return Ok(());
    };
    let owner = share::owner(state, arbiter).ok_or(Code::NotFound)?;
    match sides.side_of(state, bargain, owner) {
        None => Ok(()),
        Some(side) => Err(Rejection::new(
            Code::ArbiterNotApart,
            format!("its owner is on the side of the {side}"),
        )),
    }
}
