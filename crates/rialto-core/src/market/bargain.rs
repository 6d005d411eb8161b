//! Decides commands about negotiations: alternating offers, and the acceptance that binds.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::apart::{Sides, purse_of, stands_apart, takes_case};
use super::call::{close, serves_own_task};
use super::{
    AcceptOffer, ArbiterRef, Bargain, CallState, Claim, Counter, Deal, ItemLine, LeaveNegotiation,
    MarketEvent, Negotiation, NegotiationEnd, NegotiationState, Offer, OpenNegotiation, Opening,
    Side, Terms, parked, stock,
};
use crate::amount::Amount;
use crate::ctx::{Ctx, positive};
use crate::event::Event;
use crate::hash::{Hash, Signature};
use crate::id::{
    AccountId, AgentId, DealId, HoldId, ListingId, NegotiationId, TaskId, TeamId, position_of,
};
use crate::identity::{AgentRef, Principal, Status};
use crate::ledger::{AccountRef, Holder, Purpose, Spending, resolve_asset};
use crate::limits;
use crate::policy::{self, Action, Bound, Consent, Quantity, Rate, Spend, SpentOn, Yes};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::text::{ContentRef, Sealed};
use crate::time::Time;
use crate::work::{self, Share};

fn emit(ctx: &mut Ctx<'_>, event: MarketEvent) {
    ctx.emit(Event::Market(event));
}

/// An offer about to be made.
pub(super) struct Made<'a> {
    pub(super) negotiation: NegotiationId,
    pub(super) opening: Option<Opening>,
    pub(super) number: u16,
    pub(super) by: AgentId,
    pub(super) buyer: AgentId,
    pub(super) seller: AgentId,
    pub(super) expires: Time,
    pub(super) listing: Option<ListingId>,
    pub(super) terms: &'a Terms,
    pub(super) pay_from: Option<&'a AccountRef>,
    pub(super) fund: bool,
    pub(super) note: Option<ContentRef>,
    pub(super) signature: Option<Signature>,
}

/// Checks an offer's terms and puts it on the table.
pub(super) fn make_offer(ctx: &mut Ctx<'_>, made: Made<'_>) -> Result<(), Rejection> {
    policy::throttle(ctx, Rate::Offers(made.by))?;
    ctx.at_most("lines", made.terms.lines.len(), limits::TERMS_ENTRIES)?;
    ctx.at_most("issues", made.terms.issues.len(), limits::TERMS_ENTRIES)?;
    whole_lines(&made.terms.lines)?;
    may_name_team(ctx, &made)?;
    let bargain = check_terms(ctx, made.terms, made.buyer, made.seller)?;
    let takes = stock::drawn(ctx.state, made.seller, &made.terms.lines);
    stock::allot(ctx.state, made.seller, made.listing, &takes)?;
    let pay_from = payer(ctx, &made, &bargain)?;
    let sides = Sides {
        buyer: made.buyer,
        seller: made.seller,
        payer: pay_from,
        shares: None,
    };
    stands_apart(ctx.state, &bargain, &sides)?;
    takes_case(ctx, &bargain, &[made.by])?;
    let mark = ctx.mark();
    let (hold, yes) = match commit(ctx, &made, &bargain, pay_from) {
        Ok(done) => done,
        Err(why) if why.code == Code::NeedsApproval => {
            ctx.back_to(&mark);
            return parked::park(ctx, &made, bargain, pay_from);
        }
        Err(why) => return Err(why),
    };
    let hash = offer_hash(made.negotiation, made.number, made.by, &bargain, made.terms);
    let offer = Offer {
        by: made.by,
        hash,
        expires: made.expires,
        bargain,
        pay_from,
        hold,
        approved: yes.is_some().then_some(true),
        yes,
    };
    emit(
        ctx,
        MarketEvent::OfferMade {
            negotiation: made.negotiation,
            opening: made.opening,
            number: made.number,
            offer,
            lines: made.terms.lines.clone(),
            issues: made.terms.issues.clone(),
            note: made.note,
            signature: made.signature,
            takes: Some(takes),
        },
    );
    policy::end_moot(ctx, made.buyer, made.negotiation, Some(hash));
    Ok(())
}

/// Refuses a line with a quantity of 0.
pub(super) fn whole_lines(lines: &[ItemLine]) -> Result<(), Rejection> {
    match lines.iter().find(|line| line.quantity == 0) {
        Some(line) => Err(Rejection::new(Code::EmptyLine, line.item.as_str())),
        None => Ok(()),
    }
}

/// The account that pays a buyer's offer. The offer binds, so the account must be able to pay.
fn payer(
    ctx: &Ctx<'_>,
    made: &Made<'_>,
    bargain: &Bargain,
) -> Result<Option<AccountId>, Rejection> {
    if made.by != made.buyer {
        if made.fund {
            return Err(Rejection::new(
                Code::Malformed,
                "only the buyer can set fund",
            ));
        }
        return Ok(None);
    }
    let own = AccountRef::Agent(AgentRef::Id(made.buyer));
    let account = ctx.debit_account(made.pay_from.unwrap_or(&own), bargain.asset)?;
    let entity = ctx.state.accounts.get(&account).ok_or(Code::PayerMissing)?;
    if entity.asset != bargain.asset {
        return Err(Code::AssetMismatch.into());
    }
    if !made.fund && wants_funded(ctx, made) {
        return Err(Code::FundedOnly.into());
    }
    ctx.can_cover(account, bargain.price)?;
    Ok(Some(account))
}

/// Judges a buyer's offer against its allowances. A funded one has its money held at once. With it
/// comes what a person's yes to it is for, if one says yes now.
fn commit(
    ctx: &mut Ctx<'_>,
    made: &Made<'_>,
    bargain: &Bargain,
    payer: Option<AccountId>,
) -> Result<(Option<HoldId>, Option<Box<Yes>>), Rejection> {
    let Some(account) = payer else {
        return Ok((None, None));
    };
    let shares = split_of(ctx.state, bargain, made.seller)?;
    let payees = shared_by(bargain, made.seller, &shares);
    let entity = ctx.state.accounts.get(&account).ok_or(Code::PayerMissing)?;
    let (holder, of) = (entity.holder, (bargain.asset, bargain.price));
    let opened = ctx.state.negotiations.get(&made.negotiation);
    let task = match &made.opening {
        Some(opening) => opening.task,
        None => opened.and_then(|n| n.task),
    };
    let on = spent_on(ctx.state, task);
    let yes = (ctx.consent == Consent::All).then(|| {
        let nodes = policy::asking(ctx.state, (holder, made.buyer, &payees), of);
        Box::new(Yes { shares, nodes })
    });
    if made.fund {
        let payee = ctx.ensure_account(payee(bargain, made.seller), bargain.asset)?;
        let purpose = Purpose::Offer(made.negotiation);
        let spending = Spending {
            by: Some(made.buyer),
            payees: &payees,
            on,
        };
        let held = (bargain.price, None);
        let hold = ctx.hold_for(spending, (account, payee), held, purpose)?;
        ctx.ids.push(hold.into());
        return Ok((Some(hold), yes));
    }
    let spend = Spend {
        by: Some(made.buyer),
        from: Some((holder, &payees)),
        of: Quantity::money(bargain.asset, bargain.price),
        whole: bargain.price,
        on: on.as_deref(),
    };
    ctx.charge(account, &spend)?;
    Ok((None, yes))
}

/// What the money of a negotiation is spent on: the task that it serves, if it serves one.
fn spent_on(state: &State, task: Option<TaskId>) -> Option<Box<SpentOn>> {
    task.map(|task| Box::new(SpentOn::task(state, task)))
}

/// The split of the proceeds as it stands; empty when no team is paid.
pub(super) fn split_of(
    state: &State,
    bargain: &Bargain,
    seller: AgentId,
) -> Result<Vec<Share>, Rejection> {
    match bargain.payee_team {
        Some(team) => work::shares_of(state, team, seller),
        None => Ok(Vec::new()),
    }
}

/// The same, as an act that waits for a person keeps it: nothing when no team is paid.
pub(super) fn split_asked(
    state: &State,
    bargain: &Bargain,
    seller: AgentId,
) -> Result<Option<Vec<Share>>, Rejection> {
    let team = bargain.payee_team;
    team.map(|team| work::shares_of(state, team, seller))
        .transpose()
}

/// Refuses to carry a person's yes over to another split than it was given for.
pub(super) fn same_split(asked: &[Share], now: &[Share]) -> Result<(), Rejection> {
    let same = asked.len() == now.len() && asked.iter().all(|share| now.contains(share));
    match same {
        true => Ok(()),
        false => Err(Rejection::new(
            Code::YesOutdated,
            "the split of the proceeds is another one now",
        )),
    }
}

/// What the yes that an offer was approved with lets its acceptance do.
fn consent_of(latest: &Offer, shares: &[Share]) -> Result<Consent, Rejection> {
    if latest.approved != Some(true) {
        return Ok(Consent::Nothing);
    }
    // Offers from before kept no record of a split: theirs counts as another one.
    let asked = latest.yes.as_ref().map_or(&[][..], |yes| &yes.shares);
    same_split(asked, shares)?;
    Ok(match &latest.yes {
        Some(yes) => Consent::At(yes.nodes.clone()),
        None => Consent::All,
    })
}

/// All who would get a part of the money of a deal on these terms, as things stand.
#[must_use]
pub fn payees(state: &State, bargain: &Bargain, seller: AgentId) -> Vec<Holder> {
    let shares = split_of(state, bargain, seller);
    shared_by(bargain, seller, &shares.unwrap_or_default())
}

/// All who get a part of the money of a deal, at whom allowances judge it: the seller, the team
/// whose account it goes through, and those who share it.
fn shared_by(bargain: &Bargain, seller: AgentId, shares: &[Share]) -> Vec<Holder> {
    let mut all = Vec::from([Holder::Agent(seller)]);
    all.extend(bargain.payee_team.map(Holder::Team));
    all.extend(shares.iter().map(|s| Holder::Agent(s.agent)));
    all
}

/// Lets a deal take over the money of a funded offer. If the split has changed since, so that the
/// money would now leave a limit of the buyer at which it was not counted, the deal is refused.
fn take_over(
    ctx: &mut Ctx<'_>,
    id: HoldId,
    payees: &[Holder],
    purpose: Purpose,
) -> Result<HoldId, Rejection> {
    let hold = ctx.open_hold(id)?;
    let account = ctx.state.accounts.get(&hold.from).ok_or(Code::NoAccount)?;
    let made = (hold.charged.as_slice(), position_of(id.0));
    let sides = (account.holder, payees);
    let of = (account.asset, hold.spent_on.as_deref());
    if policy::counts_too_little(ctx.state, sides, of, made) {
        return Err(Code::OverAllowance.into());
    }
    ctx.take_over(id, purpose)
}

/// Who gets the money of a deal: the seller, or the team that shares it.
fn payee(bargain: &Bargain, seller: AgentId) -> Holder {
    let team = bargain.payee_team.map(Holder::Team);
    team.unwrap_or(Holder::Agent(seller))
}

/// True when the seller, or the listing that the negotiation is about, takes funded offers only.
fn wants_funded(ctx: &Ctx<'_>, made: &Made<'_>) -> bool {
    let seller = ctx.state.agents.get(&made.seller);
    let listing = made.listing.and_then(|l| ctx.state.listings.get(&l));
    seller.is_some_and(|a| a.funded_offers_only == Some(true))
        || listing.is_some_and(|l| l.agent == made.seller && l.funded_offers_only == Some(true))
}

/// Gives the money of a funded offer back.
fn release(ctx: &mut Ctx<'_>, negotiation: &Negotiation) -> Result<(), Rejection> {
    if let Some(hold) = negotiation.latest.hold {
        ctx.end_hold(hold, Amount::ZERO)?;
    }
    Ok(())
}

/// Ends a negotiation without a deal; the money of a funded offer comes back in the same batch.
pub(super) fn end(
    ctx: &mut Ctx<'_>,
    id: NegotiationId,
    end: NegotiationEnd,
    by: Option<AgentId>,
) -> Result<(), Rejection> {
    let negotiation = ctx.state.negotiations.get(&id).ok_or(Code::NotFound)?;
    release(ctx, negotiation)?;
    emit(
        ctx,
        MarketEvent::NegotiationEnded {
            negotiation: id,
            end,
            by,
        },
    );
    policy::end_moot(ctx, negotiation.buyer, id, None);
    Ok(())
}

/// A buyer names no team of other owners' agents that it neither sees nor was offered: how the answer differs would tell which
/// teams there are, who is in them, and whether they have agreed on a split.
fn may_name_team(ctx: &Ctx<'_>, made: &Made<'_>) -> Result<(), Rejection> {
    let Some(team) = made.terms.payee_team.filter(|_| made.by == made.buyer) else {
        return Ok(());
    };
    let negotiation = ctx.state.negotiations.get(&made.negotiation);
    let offered = negotiation.is_some_and(|n| n.latest.bargain.payee_team == Some(team));
    let owner = |agent| share::owner(ctx.state, agent);
    let at_home = owner(made.buyer) == owner(made.seller);
    match offered || at_home || ctx.authorise(Action::ViewTeam(team)).is_ok() {
        true => Ok(()),
        false => Err(Rejection::new(Code::NotFound, format!("{team}"))),
    }
}

fn check_terms(
    ctx: &Ctx<'_>,
    terms: &Terms,
    buyer: AgentId,
    seller: AgentId,
) -> Result<Bargain, Rejection> {
    let (asset, scale) = resolve_asset(ctx.state, terms.asset.as_ref())?;
    let arbiter = match &terms.arbiter {
        ArbiterRef::Operator => None,
        ArbiterRef::Agent(name) => Some(ctx.agent(name)?),
    };
    if let Some(team) = terms.payee_team {
        work::shares_of(ctx.state, team, seller).map_err(|why| unseen(ctx, team, why))?;
    }
    let most_ms = limits::DEAL_PERIOD_MS;
    let apart = share::owner(ctx.state, buyer) != share::owner(ctx.state, seller);
    for (what, ms) in [
        ("review_within_ms", terms.review_within_ms),
        ("rule_within_ms", terms.rule_within_ms),
    ] {
        ctx.period(what, ms, most_ms)?;
        let least_ms = ctx.state.settings().least_review_ms();
        if apart && ms < least_ms {
            let detail = format!("{what} must be at least {least_ms} milliseconds");
            return Err(Rejection::new(Code::ReviewTooShort, detail));
        }
    }
    let deliver_within_ms = ctx.period("deliver_within_ms", terms.deliver_within_ms, most_ms)?;
    let least_ms = limits::LEAST_DELIVERY_MS.min(ctx.state.settings().least_review_ms());
    if apart && deliver_within_ms < least_ms {
        let detail = format!("deliver_within_ms must be at least {least_ms} milliseconds");
        return Err(Rejection::new(Code::DeliveryTooShort, detail));
    }
    Ok(Bargain {
        asset,
        price: positive(terms.price, scale)?,
        deliver_within_ms,
        review_within_ms: terms.review_within_ms,
        rule_within_ms: terms.rule_within_ms,
        arbiter,
        on_no_review: terms.on_no_review,
        on_no_ruling: terms.on_no_ruling,
        payee_team: terms.payee_team,
    })
}

/// A refusal about a team that is to be paid. To those who do not see the team, one that cannot be
/// paid and one that does not exist are the same.
fn unseen(ctx: &Ctx<'_>, team: TeamId, why: Rejection) -> Rejection {
    let sees = ctx.authorise(Action::ViewTeam(team)).is_ok();
    let of = ctx.state.teams.get(&team).map(|t| t.owner);
    let own = of.is_some() && policy::owner_of_principal(ctx.state, ctx.principal) == of;
    match sees || own {
        true => why,
        false => Rejection::new(Code::NotFound, format!("{team}")),
    }
}

/// The hash that names an offer: BLAKE3 over the negotiation, the offer's number, its author, and
/// its terms in their stored form, each preceded by its length.
fn offer_hash(
    negotiation: NegotiationId,
    number: u16,
    by: AgentId,
    bargain: &Bargain,
    terms: &Terms,
) -> Hash {
    // Encoding into a Vec cannot fail.
    let stored = |r: Result<Vec<u8>, _>| {
        r.unwrap_or_else(|_: minicbor::encode::Error<core::convert::Infallible>| Vec::new())
    };
    Hash::of(&[
        b"rialto offer 1",
        &negotiation.0.to_le_bytes(),
        &number.to_le_bytes(),
        &by.0.to_le_bytes(),
        &stored(minicbor::to_vec(bargain)),
        &stored(minicbor::to_vec(&terms.lines)),
        &stored(minicbor::to_vec(&terms.issues)),
    ])
}

pub(super) fn open(ctx: &mut Ctx<'_>, args: &OpenNegotiation<Sealed>) -> Result<(), Rejection> {
    let placed = args.clone().map_texts(&mut |note| ctx.place_marked(note));
    open_with(ctx, &placed)
}

/// Opens a negotiation with a first offer, whose note is already stored.
pub(super) fn open_with(
    ctx: &mut Ctx<'_>,
    args: &OpenNegotiation<ContentRef>,
) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    let with = ctx.agent(&args.with)?;
    if with == by {
        return Err(Code::ToSelf.into());
    }
    let other = ctx.state.agents.get(&with).ok_or(Code::NotFound)?;
    if other.status == Status::Closed {
        return Err(Rejection::new(
            Code::AgentClosed,
            format!("{}", other.handle),
        ));
    }
    if policy::blocked(ctx.state, with, by) {
        return Err(Code::Blocked.into());
    }
    // A listing is an invitation; without one, only those whom the agent takes messages from.
    let lists = other.listings > 0 && args.side == Side::Buy;
    if !lists && !crate::mail::admitted(ctx.state, with, by) {
        return Err(Rejection::new(
            Code::ContactRefused,
            "the agent has no listing and has not admitted this agent",
        ));
    }
    crate::mail::may_wait(ctx, with, by)?;
    ctx.room_for::<Negotiation>(share::owner(ctx.state, by), 0)?;
    of_either(ctx, args.listing, (by, with))?;
    serves_own_task(ctx, args.task, by)?;
    let expires = ctx
        .now
        .after(ctx.period("valid_for_ms", args.valid_for_ms, limits::OFFER_MS)?);
    let (buyer, seller) = if args.side == Side::Buy {
        (by, with)
    } else {
        (with, by)
    };
    let negotiation = ctx.new_id(NegotiationId)?;
    let opening = Opening {
        buyer,
        seller,
        call: None,
        listing: args.listing,
        task: args.task,
    };
    make_offer(
        ctx,
        Made {
            negotiation,
            opening: Some(opening),
            number: 1,
            by,
            buyer,
            seller,
            expires,
            listing: args.listing,
            terms: &args.terms,
            pay_from: args.pay_from.as_ref(),
            fund: args.fund,
            note: args.note,
            signature: args.signature,
        },
    )
}

/// A listing that a negotiation is about must be a party's.
pub(super) fn of_either(
    ctx: &Ctx<'_>,
    listing: Option<ListingId>,
    (one, other): (AgentId, AgentId),
) -> Result<(), Rejection> {
    let Some(id) = listing else { return Ok(()) };
    let listing = ctx.state.listings.get(&id);
    if listing.is_some_and(|l| l.agent == one || l.agent == other) {
        return Ok(());
    }
    Err(Rejection::new(Code::NotFound, format!("{id}")))
}

/// An open negotiation to which the acting agent is a party.
fn open_negotiation<'a>(
    ctx: &Ctx<'a>,
    id: NegotiationId,
    agent: AgentId,
) -> Result<&'a Negotiation, Rejection> {
    let negotiation = ctx.state.negotiations.get(&id).ok_or(Code::NotFound)?;
    if agent != negotiation.buyer && agent != negotiation.seller {
        return Err(Code::NotFound.into());
    }
    if negotiation.state != NegotiationState::Open {
        return Err(Code::NegotiationOver.into());
    }
    let call = negotiation.call.and_then(|c| ctx.state.calls.get(&c));
    if call.is_some_and(|c| c.state == CallState::Open) {
        // To the caller, a sealed proposal does not exist yet.
        let own = agent == negotiation.seller;
        return Err(if own {
            Code::StillSealed
        } else {
            Code::NotFound
        }
        .into());
    }
    Ok(negotiation)
}

pub(super) fn counter(ctx: &mut Ctx<'_>, args: &Counter<Sealed>) -> Result<(), Rejection> {
    let placed = args.clone().map_texts(&mut |note| ctx.place_marked(note));
    counter_with(ctx, &placed)
}

/// Answers the latest offer with another, whose note is already stored.
pub(super) fn counter_with(ctx: &mut Ctx<'_>, args: &Counter<ContentRef>) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    let negotiation = open_negotiation(ctx, args.negotiation, by)?;
    if negotiation.latest.by == by {
        return Err(Code::OwnOffer.into());
    }
    policy::unblocked(ctx.state, negotiation.latest.by, by)?;
    if ctx.now >= negotiation.latest.expires {
        return Err(Code::OfferExpired.into());
    }
    if negotiation.offers >= limits::OFFERS_PER_NEGOTIATION {
        return Err(Rejection::new(
            Code::TooManyOffers,
            format!("at most {}", limits::OFFERS_PER_NEGOTIATION),
        ));
    }
    let expires = ctx
        .now
        .after(ctx.period("valid_for_ms", args.valid_for_ms, limits::OFFER_MS)?);
    let claimed = negotiation.claim.as_ref().map(|c| c.listing);
    release(ctx, negotiation)?;
    make_offer(
        ctx,
        Made {
            negotiation: args.negotiation,
            opening: None,
            number: negotiation.offers + 1,
            by,
            buyer: negotiation.buyer,
            seller: negotiation.seller,
            expires,
            listing: negotiation.listing.or(claimed),
            terms: &args.terms,
            pay_from: args.pay_from.as_ref(),
            fund: args.fund,
            note: args.note,
            signature: args.signature,
        },
    )
}

pub(super) fn leave(ctx: &mut Ctx<'_>, args: &LeaveNegotiation) -> Result<(), Rejection> {
    let by = ctx.ending_actor()?;
    open_negotiation(ctx, args.negotiation, by)?;
    end(ctx, args.negotiation, NegotiationEnd::Left, Some(by))
}

pub(super) fn accept_offer(ctx: &mut Ctx<'_>, args: &AcceptOffer<Sealed>) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    let negotiation = open_negotiation(ctx, args.negotiation, by)?;
    let asset = negotiation.latest.bargain.asset;
    let pay_from = match (&args.pay_from, by == negotiation.buyer) {
        (Some(name), true) => Some(ctx.debit_account(name, asset)?),
        (None, true) => {
            let own = AccountRef::Agent(AgentRef::Id(by));
            Some(ctx.debit_account(&own, asset)?)
        }
        (None, false) => None,
        (Some(_), false) => {
            return Err(Rejection::new(
                Code::Malformed,
                "only the buyer can set pay_from",
            ));
        }
    };
    let note = args.note.map(|note| ctx.place_marked(note));
    let with = Acceptance {
        pay_from,
        signature: args.signature,
        note,
        approved: None,
    };
    accept(ctx, (args.negotiation, args.offer), with)
}

/// What comes with an acceptance.
pub(crate) struct Acceptance<'a> {
    /// The buyer's paying account.
    pub(crate) pay_from: Option<AccountId>,
    /// The accepting agent's signature over the offer's hash.
    pub(crate) signature: Option<Signature>,
    /// Why, as the agent says it.
    pub(crate) note: Option<ContentRef>,
    /// The split for which a person said yes, if one did.
    pub(crate) approved: Option<&'a [Share]>,
}

/// Accepts exactly the named offer: one batch makes the deal, the hold and the task.
///
/// If a buyer's allowance needs a person's approval, the acceptance is parked instead, bound to
/// this offer and to the split as it stands. `approved` is the split for which a person said yes.
pub(crate) fn accept(
    ctx: &mut Ctx<'_>,
    (id, offer): (NegotiationId, Hash),
    Acceptance {
        pay_from,
        signature,
        note,
        approved,
    }: Acceptance<'_>,
) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    let negotiation = open_negotiation(ctx, id, by)?;
    let latest = &negotiation.latest;
    if latest.hash != offer {
        return Err(Rejection::new(
            Code::OfferStale,
            format!("the latest is {}", latest.hash),
        ));
    }
    if latest.by == by {
        return Err(Code::OwnOffer.into());
    }
    // An offer binds until it is left: whoever blocks the other side has nothing more to do with it.
    policy::unblocked(ctx.state, latest.by, by)?;
    if ctx.now >= latest.expires {
        return Err(Code::OfferExpired.into());
    }
    let bargain = latest.bargain.clone();
    let payer = pay_from.or(latest.pay_from).ok_or(Code::PayerMissing)?;
    ctx.active_agent(negotiation.seller)?;
    still_spends(ctx, negotiation, payer)?;
    let claims = claims(ctx, negotiation)?;
    let (buyer, seller) = (negotiation.buyer, negotiation.seller);
    ctx.room_for::<Deal>(share::owner(ctx.state, buyer), 0)?;
    ctx.room_for_pair(buyer, seller)?;
    ctx.room_for_contact(buyer, seller)?;
    ctx.room_for_contact(seller, buyer)?;
    let shares = split_of(ctx.state, &bargain, seller)?;
    let sides = Sides {
        buyer,
        seller,
        payer: Some(payer),
        shares: Some(&shares),
    };
    stands_apart(ctx.state, &bargain, &sides)?;
    takes_case(ctx, &bargain, &[buyer, seller])?;
    let mark = ctx.mark();
    let payee = ctx.ensure_account(payee(&bargain, seller), bargain.asset)?;
    // Opened now, so that nothing can be in the way when the money is shared out.
    for share in &shares {
        ctx.ensure_account(Holder::Agent(share.agent), bargain.asset)?;
    }
    let deal = DealId(ctx.number()?);
    let purse = purse_of(ctx.state, &bargain, payer);
    // A person who has said yes to exactly this is not asked again; the allowance itself still binds.
    match approved {
        Some(asked) => same_split(asked, &shares)?,
        None => ctx.consent = consent_of(latest, &shares)?,
    }
    let (payees, purpose) = (shared_by(&bargain, seller, &shares), Purpose::Deal(deal));
    let held = match latest.hold {
        Some(hold) => take_over(ctx, hold, &payees, purpose),
        None => {
            let spending = Spending {
                by: Some(buyer),
                payees: &payees,
                on: spent_on(ctx.state, negotiation.task),
            };
            ctx.hold_for(spending, (payer, payee), (bargain.price, None), purpose)
        }
    };
    let hold = match held {
        Ok(hold) => hold,
        Err(why) if why.code == Code::NeedsApproval && by == negotiation.buyer => {
            let bound = Bound::Accept {
                negotiation: id,
                offer,
                pay_from: payer,
                signature,
                shares: bargain.payee_team.map(|_| shares),
                note,
            };
            ctx.back_to(&mark);
            return policy::request(ctx, by, bound, (bargain.asset, bargain.price));
        }
        Err(why) => return Err(why),
    };
    ctx.ids.push(deal.into());
    let task = work::create_for_deal(
        ctx,
        deal,
        (buyer, seller),
        negotiation.task,
        bargain.payee_team,
    )?;
    ctx.ids.push(hold.into());
    emit(
        ctx,
        MarketEvent::DealAgreed {
            deal,
            negotiation: id,
            buyer,
            seller,
            offer,
            bargain,
            hold,
            task,
            by,
            signature,
            shares,
            claims,
            purse,
            note: note.map(Box::new),
        },
    );
    policy::end_moot(ctx, buyer, id, None);
    match negotiation.call {
        Some(call) => close(ctx, call, Some(id)),
        None => Ok(()),
    }
}

/// What an accepted offer takes from which listings, if it states what it takes and enough is left.
fn claims(ctx: &Ctx<'_>, negotiation: &Negotiation) -> Result<Option<Vec<Claim>>, Rejection> {
    stock::check_left(ctx.state, negotiation.claim.as_ref())?;
    let Some(takes) = &negotiation.takes else {
        return Ok(None);
    };
    let about = negotiation.listing;
    stock::allot(ctx.state, negotiation.seller, about, takes).map(Some)
}

/// When a seller accepts a buyer's offer, the buyer must still be able and allowed to pay.
fn still_spends(
    ctx: &Ctx<'_>,
    negotiation: &Negotiation,
    payer: AccountId,
) -> Result<(), Rejection> {
    ctx.active_agent(negotiation.buyer)?;
    ctx.not_stopped(payer)?;
    let buyer = Principal::Agent(negotiation.buyer);
    policy::authorise(ctx.state, ctx.principal, Action::Spend(payer))
        .or_else(|_| policy::authorise(ctx.state, buyer, Action::Spend(payer)))
}

/// Ends a negotiation whose latest offer has expired, and retires a finished one.
pub(super) fn expire(ctx: &mut Ctx<'_>, id: NegotiationId) -> Result<bool, Rejection> {
    let Some(negotiation) = ctx.state.negotiations.get(&id) else {
        return Ok(false);
    };
    if negotiation.state != NegotiationState::Open {
        return Ok(true);
    }
    end(ctx, id, NegotiationEnd::Expired, None)?;
    Ok(false)
}
