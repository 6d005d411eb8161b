//! Shares: how much of something bounded each party may take at a time, so that nobody takes it all.
//!
//! One rule for the bodies of requests and for answers on their way. A party is
//! an owner with all its agents and people, or an address without a token. Each has a part; strangers
//! together have one, and the addresses of one holder half of that; the last places are kept for the operator, half of them also for small things.
//! A party that holds nothing may always take one thing within what is left for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use rialto_core::id::{OwnerId, ServiceId};
use rialto_core::identity::Principal;

use super::sign_ups::{self, Network};
use super::{Door, auth, console, models};
use crate::node::TokenInfo;

/// What counts as small: the bytes of most requests and answers.
pub(super) const SMALL_BYTES: usize = 64 << 10;

/// Who takes a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Party {
    /// The operator, for whom something is always kept.
    Operator,
    /// An owner: its people and all its agents.
    Owner(OwnerId),
    /// A service of the operator.
    Service(ServiceId),
    /// Whoever comes from an address without a token.
    Address(Network),
    /// Whoever asks without a token within this process.
    Process,
}

impl Party {
    /// The holder of a token.
    pub(super) fn of_token(info: TokenInfo) -> Self {
        match (info.principal, info.owner) {
            (Principal::Operator, _) => Self::Operator,
            (Principal::Service(service), _) => Self::Service(service),
            (_, Some(owner)) => Self::Owner(owner),
            (_, None) => Self::Process,
        }
    }

    /// The sender of a request, as its head says. Who brings an unknown token is a stranger.
    pub(super) fn of(door: &Arc<Door>, parts: &Parts) -> Self {
        let info = match auth::brings_key(&parts.headers) {
            true => auth::token_of(&parts.extensions, &parts.headers, door)
                .ok()
                .or_else(|| models::claimed(door, &parts.headers)),
            false => console::signed_in(parts, door),
        };
        info.map_or_else(
            || Self::of_stranger(&parts.extensions, &parts.headers, door),
            Self::of_token,
        )
    }

    fn of_stranger(extensions: &Extensions, headers: &HeaderMap, door: &Door) -> Self {
        let address = sign_ups::address(extensions, headers, &door.rules.proxies);
        address.map_or(Self::Process, |address| Self::Address(address.into()))
    }

    /// What counts as one with it: addresses that one holder may have.
    pub(super) fn group(self) -> Self {
        match self {
            Self::Address(network) => Self::Address(network.widest()),
            other => other,
        }
    }

    /// Whether it came with a token.
    pub(super) fn is_known(self) -> bool {
        !matches!(self, Self::Address(_) | Self::Process)
    }
}

/// How much there is, and how much of it for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// In sum.
    pub(super) all: usize,
    /// Of one owner or service.
    pub(super) of_one: usize,
    /// Of one address without a token.
    pub(super) of_address: usize,
    /// Of all without a token.
    pub(super) of_strangers: usize,
    /// Kept of the sum for the operator; half of it also for small things.
    pub(super) kept: usize,
}

impl Bounds {
    pub(super) fn of_party(&self, party: Party) -> usize {
        match party {
            Party::Operator => self.all,
            Party::Owner(_) | Party::Service(_) => self.of_one,
            Party::Address(_) | Party::Process => self.of_address,
        }
    }

    /// Of the addresses together that one holder may have.
    pub(super) fn of_group(&self) -> usize {
        self.of_strangers / 2
    }

    pub(super) fn in_sum(&self, party: Party, small: bool) -> usize {
        let kept = match (party, small) {
            (Party::Operator, _) => 0,
            (_, true) => self.kept / 2,
            (_, false) => self.kept,
        };
        self.all.saturating_sub(kept)
    }
}

#[derive(Default)]
struct Held {
    all: usize,
    strangers: usize,
    by: HashMap<Party, usize>,
}

/// The account of what each party holds.
pub(crate) struct Shares {
    bounds: Bounds,
    held: Mutex<Held>,
}

impl Shares {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            held: Mutex::default(),
        })
    }

    /// How much is held now.
    pub(crate) fn held(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// A share of nothing, to be grown.
    pub(super) fn open(self: &Arc<Self>, party: Party) -> Share {
        Share {
            shares: self.clone(),
            party,
            amount: 0,
        }
    }

    /// A share of this much, if there is room for it.
    pub(super) fn take(
        self: &Arc<Self>,
        party: Party,
        amount: usize,
        small: bool,
    ) -> Option<Share> {
        let mut share = self.open(party);
        share.grow(amount, small).then_some(share)
    }

    fn add(&self, party: Party, amount: usize, small: bool) -> bool {
        if amount == 0 {
            return true;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let have = held.by.get(&party).copied().unwrap_or(0);
        let (bounds, stranger) = (&self.bounds, !party.is_known());
        let group = Some(party.group()).filter(|group| *group != party);
        let of_group = group.map_or(0, |g| held.by.get(&g).copied().unwrap_or(0));
        let fits = |have: usize, most: usize| have == 0 || have.saturating_add(amount) <= most;
        if !fits(have, bounds.of_party(party))
            || !fits(held.all, bounds.in_sum(party, small))
            || stranger && !fits(held.strangers, bounds.of_strangers)
            || !fits(of_group, bounds.of_group())
        {
            return false;
        }
        held.all = held.all.saturating_add(amount);
        if stranger {
            held.strangers = held.strangers.saturating_add(amount);
        }
        held.by.insert(party, have.saturating_add(amount));
        if let Some(group) = group {
            held.by.insert(group, of_group.saturating_add(amount));
        }
        true
    }

    fn give_back(&self, party: Party, amount: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(amount);
        if !party.is_known() {
            held.strangers = held.strangers.saturating_sub(amount);
        }
        let group = Some(party.group()).filter(|group| *group != party);
        for whose in [Some(party), group].into_iter().flatten() {
            if let Some(have) = held.by.get_mut(&whose) {
                *have = have.saturating_sub(amount);
                if *have == 0 {
                    held.by.remove(&whose);
                }
            }
        }
    }
}

/// What a party holds of something, given back when this is dropped.
pub(super) struct Share {
    shares: Arc<Shares>,
    party: Party,
    amount: usize,
}

impl Share {
    /// How much it is.
    pub(super) fn amount(&self) -> usize {
        self.amount
    }

    /// Holds exactly this much from now on; false, and all as before, if there is no room for more.
    pub(super) fn resize(&mut self, amount: usize, small: bool) -> bool {
        if let Some(less) = self.amount.checked_sub(amount) {
            self.shares.give_back(self.party, less);
            self.amount = amount;
            return true;
        }
        self.grow(amount - self.amount, small)
    }

    /// Takes more; false if there is no room.
    pub(super) fn grow(&mut self, more: usize, small: bool) -> bool {
        let grown = self.shares.add(self.party, more, small);
        if grown {
            self.amount = self.amount.saturating_add(more);
        }
        grown
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.amount > 0 {
            self.shares.give_back(self.party, self.amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        all: 100,
        of_one: 30,
        of_address: 5,
        of_strangers: 20,
        kept: 20,
    };

    fn owner(n: u64) -> Party {
        Party::Owner(OwnerId(n))
    }

    fn address(n: u8) -> Party {
        Party::Address(std::net::IpAddr::from([10, 0, 0, n]).into())
    }

    #[test]
    fn nobody_takes_it_all() {
        let shares = Shares::new(BOUNDS);
        let take = |party, amount| shares.take(party, amount, false);
        let mut held = vec![take(owner(1), 30).unwrap()];
        assert!(take(owner(1), 1).is_none());
        held.push(take(owner(2), 30).unwrap());
        // An address has its part, and all addresses together theirs.
        for n in 1..=4 {
            held.push(take(address(n), 5).unwrap());
            assert!(take(address(n), 1).is_none());
        }
        assert!(take(address(5), 1).is_none());
        // What is kept is for small things and for the operator.
        assert!(take(owner(3), 1).is_none());
        held.push(shares.take(owner(3), 10, true).unwrap());
        assert!(shares.take(owner(4), 1, true).is_none());
        held.push(take(Party::Operator, 10).unwrap());
        assert!(take(Party::Operator, 1).is_none());
        assert_eq!(shares.held(), 100);
        drop(held);
        assert_eq!(shares.held(), 0);
        assert!(shares.held.lock().unwrap().by.is_empty());
        assert_eq!(shares.held.lock().unwrap().strangers, 0);
    }

    #[test]
    fn one_holder_of_many_addresses_has_half_of_what_strangers_have() {
        let shares = Shares::new(BOUNDS);
        let near = |n: u16| {
            let address = format!("2001:db8:7:{n:x}::1");
            Party::Address(address.parse::<std::net::IpAddr>().unwrap().into())
        };
        let held: Vec<Share> = (0..9)
            .filter_map(|n| shares.take(near(n), 2, false))
            .collect();
        assert_eq!(held.len(), 5);
        assert!(shares.take(address(1), 5, false).is_some());
        drop(held);
        assert!(shares.held.lock().unwrap().by.is_empty());
    }

    #[test]
    fn who_holds_nothing_may_take_one_thing() {
        let shares = Shares::new(BOUNDS);
        let mut large = shares.take(owner(1), 70, false).unwrap();
        assert!(!large.grow(1, true));
        assert!(shares.take(owner(2), 70, false).is_none());
        drop(large);
        assert!(shares.take(owner(2), 70, false).is_some());
        // Nothing takes no room.
        assert!(shares.take(owner(3), 0, false).is_some());
        assert!(shares.held.lock().unwrap().by.is_empty());
    }
}
