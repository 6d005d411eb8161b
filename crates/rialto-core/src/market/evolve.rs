//! Applies events on the market.

use super::{
    Answer, Call, CallState, Deal, DealEnd, DealState, Invite, ItemLine, Listing, MarketEvent,
    Negotiation, NegotiationEnd, NegotiationState, Offer, Opening, Pair, Reputation, apart, stock,
};
use crate::id::{AgentId, CallId, DealId, NegotiationId};
use crate::mail::{self, Item};
use crate::policy::{self, Rate};
use crate::state::{State, pair};

pub(crate) fn evolve(state: &mut State, event: &MarketEvent) {
    match event {
        MarketEvent::ListingPublished {
            listing,
            agent,
            terms,
        } => {
            state.bring(*listing, Listing::new(*agent, terms));
            state
                .agents
                .modify(agent, &mut state.changes, |a| a.listings += 1);
        }
        MarketEvent::ListingUpdated {
            listing,
            terms,
            stock,
        } => {
            state.renew::<Listing>(listing, |l| l.renew(terms, stock.as_deref()));
        }
        MarketEvent::ListingWithdrawn { listing } => {
            let Some(gone) = state.take::<Listing>(listing) else {
                state.changes.defect();
                return;
            };
            state.agents.modify(&gone.agent, &mut state.changes, |a| {
                a.listings = a.listings.saturating_sub(1);
            });
        }
        MarketEvent::CallOpened { .. } => call_opened(state, event),
        MarketEvent::CallRefused { call, agent } => answer(state, *call, *agent, Answer::Refused),
        MarketEvent::CallRevealed { call } => {
            move_call(state, *call, CallState::Revealed);
            if let Some(buyer) = state.calls.get(call).map(|c| c.buyer) {
                mail::deliver(state, buyer, Item::Call(*call));
            }
        }
        MarketEvent::CallClosed { call } => move_call(state, *call, CallState::Closed),
        MarketEvent::OfferMade {
            negotiation,
            opening,
            number,
            offer,
            lines,
            takes,
            ..
        } => {
            let said = Said {
                number: *number,
                offer,
                lines,
                takes: takes.as_deref(),
            };
            offer_made(state, *negotiation, opening.as_ref(), &said);
        }
        MarketEvent::NegotiationEnded {
            negotiation,
            end,
            by,
        } => negotiation_ended(state, *negotiation, *end, *by),
        MarketEvent::DealAgreed { .. } => deal_agreed(state, event),
        MarketEvent::DealDelivered { deal } => {
            move_deal(state, *deal, DealState::Delivered);
            tell_parties(state, *deal, |d| [Some(d.buyer), None, None]);
        }
        MarketEvent::DealDisputed { deal, .. } => {
            move_deal(state, *deal, DealState::Disputed);
            count_dispute(state, *deal);
            tell_parties(state, *deal, |d| [Some(d.seller), d.bargain.arbiter, None]);
        }
        MarketEvent::DealEnded {
            deal,
            state: next,
            end,
            ..
        } => deal_ended(state, *deal, *next, *end),
    }
}

fn call_opened(state: &mut State, event: &MarketEvent) {
    let MarketEvent::CallOpened {
        call,
        buyer,
        invited,
        public,
        deadline,
        task,
        named,
        draw,
        ..
    } = event
    else {
        return;
    };
    let entity = Call {
        buyer: *buyer,
        invites: invited
            .iter()
            .map(|agent| Invite {
                agent: *agent,
                answer: Answer::None,
            })
            .collect(),
        public: *public,
        deadline: *deadline,
        state: CallState::Open,
        since: state.now(),
        task: *task,
        named: *named,
        draw: *draw,
    };
    state.bring(*call, entity);
    policy::count_rate(state, Rate::Offers(*buyer));
    for agent in invited {
        mail::deliver(state, *agent, Item::Call(*call));
    }
}

fn answer(state: &mut State, call: CallId, agent: AgentId, answer: Answer) {
    state.calls.modify(&call, &mut state.changes, |c| {
        match c.invites.iter_mut().find(|i| i.agent == agent) {
            Some(invite) => invite.answer = answer,
            None => c.invites.push(Invite { agent, answer }),
        }
    });
}

fn move_call(state: &mut State, call: CallId, next: CallState) {
    let now = state.now();
    state.calls.modify(&call, &mut state.changes, |c| {
        (c.state, c.since) = (next, now);
    });
}

/// What an offer says.
struct Said<'a> {
    number: u16,
    offer: &'a Offer,
    lines: &'a [ItemLine],
    takes: Option<&'a [ItemLine]>,
}

fn offer_made(state: &mut State, id: NegotiationId, opening: Option<&Opening>, said: &Said<'_>) {
    let now = state.now();
    let (offer, opened_on) = (said.offer, opening.and_then(|o| o.listing));
    let claim = match said.takes {
        Some(_) => None,
        None => stock::next_claim(state, id, opened_on, said.lines),
    };
    let takes = said
        .takes
        .filter(|t| !t.is_empty())
        .map(<[ItemLine]>::to_vec);
    policy::count_rate(state, Rate::Offers(offer.by));
    match opening {
        Some(opening) => {
            let entity = Negotiation {
                buyer: opening.buyer,
                seller: opening.seller,
                call: opening.call,
                task: opening.task,
                offers: said.number,
                latest: offer.clone(),
                state: NegotiationState::Open,
                since: now,
                opened_by: offer.by,
                claim,
                takes,
                listing: said.takes.and(opened_on),
            };
            state.bring(id, entity);
        }
        None => state.negotiations.modify(&id, &mut state.changes, |n| {
            if said.takes.is_some() {
                n.listing = n.listing.or(n.claim.take().map(|c| c.listing));
            }
            (n.offers, n.latest) = (said.number, offer.clone());
            (n.claim, n.takes) = (claim, takes);
        }),
    }
    match opening.and_then(|o| o.call) {
        // Sealed: the caller hears of it when proposals are opened.
        Some(call) => answer(state, call, offer.by, Answer::Proposed(id)),
        None => {
            if let Some(other) = state.negotiations.get(&id).map(|n| n.other(offer.by)) {
                mail::deliver(state, other, Item::Negotiation(id));
            }
        }
    }
}

fn move_negotiation(state: &mut State, id: NegotiationId, next: NegotiationState) {
    let now = state.now();
    state.negotiations.modify(&id, &mut state.changes, |n| {
        (n.state, n.since) = (next, now);
    });
}

fn negotiation_ended(
    state: &mut State,
    id: NegotiationId,
    end: NegotiationEnd,
    by: Option<AgentId>,
) {
    let next = match end {
        NegotiationEnd::Left => NegotiationState::Left,
        NegotiationEnd::Expired => NegotiationState::Expired,
        NegotiationEnd::Lost | NegotiationEnd::Displaced => NegotiationState::Lost,
    };
    move_negotiation(state, id, next);
    if end == NegotiationEnd::Displaced {
        give_up_place(state, id);
    }
    let Some((buyer, seller)) = state.negotiations.get(&id).map(|n| (n.buyer, n.seller)) else {
        return;
    };
    let told = match (end, by) {
        (NegotiationEnd::Left, Some(left)) => [
            (left == seller).then_some(buyer),
            (left == buyer).then_some(seller),
        ],
        (NegotiationEnd::Lost | NegotiationEnd::Displaced, _) => [None, Some(seller)],
        _ => [Some(buyer), Some(seller)],
    };
    for agent in told.into_iter().flatten() {
        mail::deliver(state, agent, Item::Negotiation(id));
    }
}

/// Takes the proposal of a negotiation out of its call.
fn give_up_place(state: &mut State, id: NegotiationId) {
    let Some(call) = state.negotiations.get(&id).and_then(|n| n.call) else {
        state.changes.defect();
        return;
    };
    state.calls.modify(&call, &mut state.changes, |c| {
        c.invites.retain(|i| i.answer != Answer::Proposed(id));
    });
}

fn deal_agreed(state: &mut State, event: &MarketEvent) {
    let MarketEvent::DealAgreed {
        deal,
        negotiation,
        buyer,
        seller,
        offer,
        bargain,
        hold,
        task,
        shares,
        by,
        claims,
        purse,
        ..
    } = event
    else {
        return;
    };
    let known = state.negotiations.get(negotiation);
    let claim = known.and_then(|n| n.claim.clone());
    for claim in claim.iter().chain(claims.iter().flatten()) {
        stock::take(state, claim);
    }
    let entity = Deal {
        buyer: *buyer,
        seller: *seller,
        negotiation: *negotiation,
        offer: *offer,
        hold: *hold,
        bargain: bargain.clone(),
        task: *task,
        state: DealState::Agreed,
        since: state.now(),
        shares: shares.clone(),
        claim,
        claims: claims.clone(),
        purse: *purse,
    };
    let cases = apart::cases_of(state, &entity);
    state.bring(*deal, entity);
    for case in cases {
        apart::count_case(state.cases_mut(), case, 1);
    }
    move_negotiation(state, *negotiation, NegotiationState::Agreed);
    if let Some(call) = state.negotiations.get(negotiation).and_then(|n| n.call)
        && state.calls.contains(&call)
    {
        move_call(state, call, CallState::Awarded);
    }
    mail::admit_both(state, *buyer, *seller);
    let other = if by == buyer { *seller } else { *buyer };
    mail::deliver(state, other, Item::Deal(*deal));
}

fn move_deal(state: &mut State, deal: DealId, next: DealState) {
    let now = state.now();
    state.deals.modify(&deal, &mut state.changes, |d| {
        (d.state, d.since) = (next, now);
    });
}

fn tell_parties(state: &mut State, deal: DealId, who: fn(&Deal) -> [Option<AgentId>; 3]) {
    let Some(told) = state.deals.get(&deal).map(who) else {
        return;
    };
    for agent in told.into_iter().flatten() {
        mail::deliver(state, agent, Item::Deal(deal));
    }
}

fn count(state: &mut State, agent: AgentId, count: impl FnOnce(&mut Reputation)) {
    state
        .reputations
        .upsert(agent, &mut state.changes, Reputation::default, count);
}

fn count_dispute(state: &mut State, deal: DealId) {
    let Some((buyer, seller)) = state.deals.get(&deal).map(|d| (d.buyer, d.seller)) else {
        return;
    };
    count(state, buyer, |r| r.disputed += 1);
    count(state, seller, |r| r.disputed += 1);
}

fn deal_ended(state: &mut State, deal: DealId, next: DealState, end: DealEnd) {
    move_deal(state, deal, next);
    let cases = state.deals.get(&deal).map(|d| apart::cases_of(state, d));
    for case in cases.into_iter().flatten() {
        apart::count_case(state.cases_mut(), case, -1);
    }
    let Some((buyer, seller)) = state.deals.get(&deal).map(|d| (d.buyer, d.seller)) else {
        return;
    };
    if matches!(next, DealState::Refunded | DealState::Expired) {
        let claims = state
            .deals
            .get(&deal)
            .map(|d| (d.claim.clone(), d.claims.clone()));
        let (claim, claims) = claims.unwrap_or_default();
        for claim in claim.iter().chain(claims.iter().flatten()) {
            stock::give_back(state, claim);
        }
    }
    match next {
        DealState::Settled => settled(state, buyer, seller),
        DealState::Expired => count(state, seller, |r| r.expired += 1),
        _ => count(state, seller, |r| r.refunded += 1),
    }
    match end {
        DealEnd::Accepted => tell_parties(state, deal, |d| [Some(d.seller), None, None]),
        DealEnd::GivenBack => tell_parties(state, deal, |d| [Some(d.buyer), None, None]),
        _ => tell_parties(state, deal, |d| [Some(d.buyer), Some(d.seller), None]),
    }
}

fn settled(state: &mut State, buyer: AgentId, seller: AgentId) {
    count(state, seller, |r| r.sold += 1);
    count(state, buyer, |r| r.bought += 1);
    let both = pair(buyer, seller);
    let deals = state.pairs.get(&both).map_or(0, |p| p.deals);
    state.bring(both, Pair { deals: deals + 1 });
    state.have_dealt(buyer, seller);
    if deals == 0 {
        count(state, buyer, |r| r.partners += 1);
        count(state, seller, |r| r.partners += 1);
    }
}
