//! Who may rule in a dispute: an arbiter that is independent of both sides, and that takes their case.
//!
//! Owners are compared, not agents: an agent whose owner owns a party, the paying account, a member of
//! the team that pays, or a team or member that shares in the proceeds cannot be the arbiter of that
//! deal.

use alloc::format;

use super::{Bargain, Deal};
use crate::ctx::Ctx;
use crate::id::{AccountId, AgentId, OwnerId};
use crate::identity::{ContactPolicy, Status};
use crate::ledger::Holder;
use crate::mail;
use crate::policy;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::work::{Share, Team};

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
        let has = |team: &Team| {
            let mut joined = team.members.iter().filter(|m| m.joined);
            joined.any(|m| is(share::owner(state, m.agent)))
        };
        let purse = payer.and_then(|a| match a.holder {
            Holder::Team(team) => state.teams.get(&team),
            Holder::Issuance | Holder::Outside | Holder::Owner(_) | Holder::Agent(_) => None,
        });
        if purse.is_some_and(has) {
            return Some("paying team");
        }
        let team = bargain.payee_team.and_then(|t| state.teams.get(&t))?;
        let paid = match self.shares {
            Some(shares) => shares.iter().any(|s| is(share::owner(state, s.agent))),
            None => has(team),
        };
        (paid || is(Some(team.owner))).then_some("payee team")
    }
}

/// Refuses an arbiter that has blocked one of those who name it, that is closed to all of them, or at
/// which too much of the first waits already. As with a seller, a listing is an invitation.
pub(super) fn takes_case(
    ctx: &Ctx<'_>,
    bargain: &Bargain,
    named_by: &[AgentId],
) -> Result<(), Rejection> {
    let Some(arbiter) = bargain.arbiter else {
        return Ok(());
    };
    let entity = ctx.state.agents.get(&arbiter).ok_or(Code::NotFound)?;
    if entity.status == Status::Closed {
        // Its cases are the operator's.
        return Ok(());
    }
    let mut all = named_by.iter();
    if all.any(|by| policy::blocked(ctx.state, arbiter, *by)) {
        return Err(Rejection::new(Code::Blocked, "by the arbiter"));
    }
    let lets = |by: &AgentId| {
        mail::admitted(ctx.state, arbiter, *by) || mail::known(ctx.state, arbiter, *by)
    };
    let shut = entity.contact == ContactPolicy::Closed && entity.listings == 0;
    if shut && !named_by.iter().any(lets) {
        let detail = "the arbiter is closed to agents that it has not dealt with";
        return Err(Rejection::new(Code::ContactRefused, detail));
    }
    match named_by.first() {
        Some(by) => mail::may_wait(ctx, arbiter, *by),
        None => Ok(()),
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
