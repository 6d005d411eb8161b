//! Who may rule in a dispute: an arbiter that is independent of both sides, and that takes their case.
//!
//! Owners are compared, not agents: an agent whose owner owns a party, the paying account, a member of
//! the team that pays, or a team or member that shares in the proceeds cannot be the arbiter of that
//! deal. Who is only invited to one of the teams counts too: it could join once it has ruled. So nobody
//! is invited to a team while its owner's agent arbitrates a deal that the team pays, or is paid by.

use alloc::format;

use super::{Bargain, Deal, DealState};
use crate::ctx::Ctx;
use crate::id::{AccountId, AgentId, OwnerId, TeamId};
use crate::identity::{ContactPolicy, Status};
use crate::ledger::Holder;
use crate::mail;
use crate::policy;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::table::Table;
use crate::work::{Share, Team};

/// The parties of a deal, and where its money comes from and goes to.
pub(super) struct Sides<'a> {
    pub(super) buyer: AgentId,
    pub(super) seller: AgentId,
    /// The account that pays, where it is known.
    pub(super) payer: Option<AccountId>,
    /// The split of the proceeds, once it is fixed; who left the team since has its part all the same.
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
            let mut members = team.members.iter();
            members.any(|m| is(share::owner(state, m.agent)))
        };
        let purse = payer.and_then(|a| match a.holder {
            Holder::Team(team) => state.teams.get(&team),
            Holder::Issuance | Holder::Outside | Holder::Owner(_) | Holder::Agent(_) => None,
        });
        if purse.is_some_and(has) {
            return Some("paying team");
        }
        let team = bargain.payee_team.and_then(|t| state.teams.get(&t))?;
        let shared = |shares: &[Share]| shares.iter().any(|s| is(share::owner(state, s.agent)));
        let paid = self.shares.is_some_and(shared) || has(team);
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

/// The team that would pay a deal in which an agent rules: its members are watched until the deal ends.
pub(super) fn purse_of(state: &State, bargain: &Bargain, payer: AccountId) -> Option<TeamId> {
    bargain.arbiter?;
    match state.accounts.get(&payer)?.holder {
        Holder::Team(team) => Some(team),
        _ => None,
    }
}

/// How many open deals that a team pays, or is paid by, each owner's agents arbitrate. Derived from the
/// deals.
pub(crate) type Cases = Table<(TeamId, OwnerId), u32>;

/// Rebuilds the count of open cases.
pub(crate) fn count_cases(state: &State, seed: u64) -> Cases {
    let mut cases = Cases::new(seed);
    state.deals.for_each(|_, deal| {
        if !matches!(
            deal.state,
            DealState::Agreed | DealState::Delivered | DealState::Disputed
        ) {
            return;
        }
        for key in cases_of(state, deal) {
            count_case(&mut cases, key, 1);
        }
    });
    cases
}

/// Under what a deal counts as a case: for the team that pays, and for the one that is paid.
pub(super) fn cases_of(
    state: &State,
    deal: &Deal,
) -> impl Iterator<Item = (TeamId, OwnerId)> + use<> {
    let arbiter = deal.bargain.arbiter;
    let owner = arbiter.and_then(|arbiter| share::owner(state, arbiter));
    let teams = [deal.purse, deal.bargain.payee_team];
    teams
        .into_iter()
        .flatten()
        .filter_map(move |team| Some((team, owner?)))
}

/// Counts a case in, or out.
pub(super) fn count_case(cases: &mut Cases, key: (TeamId, OwnerId), change: i32) {
    let have = cases.get(&key).copied().unwrap_or(0);
    match have.saturating_add_signed(change) {
        0 => cases.remove(&key),
        some => cases.insert(key, some),
    };
}

/// Refuses to let an agent into a team that pays, or is paid by, an open deal in which an agent of its
/// owner rules.
///
/// # Errors
/// [`Code::RulesOnTeam`].
pub(crate) fn rules_on_nothing_of(
    state: &State,
    team: TeamId,
    agent: AgentId,
) -> Result<(), Rejection> {
    let owner = share::owner(state, agent).ok_or(Code::NotFound)?;
    match state.cases().contains(&(team, owner)) {
        true => Err(Code::RulesOnTeam.into()),
        false => Ok(()),
    }
}
