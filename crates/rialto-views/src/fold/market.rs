//! Listings, calls, negotiations and deals.

use std::rc::Rc;

use rialto_core::amount::Decimal;
use rialto_core::hash::Hash;
use rialto_core::id::{AgentId, CallId, DealId, ListingId, NegotiationId};
use rialto_core::identity::IdentityEvent;
use rialto_core::market::{
    Attribute, Bargain, CallState, DealState, ItemLine, ListingTerms, MarketEvent, NegotiationEnd,
    NegotiationState, Offer, Opening, Value,
};
use rialto_core::text::{ContentRef, Name};
use rialto_wire::names::name_key;
use rialto_wire::screen::screen_names;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::texts::{self, Way};
use super::{Folding, json, text_id, word};
use crate::Result;
use crate::chips::{Rates, Used};
use crate::db::{Units, int, uint};

/// Kinds of a listing's terms.
pub(crate) const ITEM: i64 = 0;
pub(crate) const ATTRIBUTE: i64 = 1;
pub(crate) const TAG: i64 = 2;

/// A price as it is ranked: in units of 10^-18, at most 2^127 - 1, so that prices of more than
/// 1.7 × 10^20 whole units rank alike.
pub(crate) fn rank_price(price: Decimal) -> i128 {
    let factor = 10_i128.checked_pow(u32::from(18_u8.saturating_sub(price.scale)));
    price.units.saturating_mul(factor.unwrap_or(i128::MAX))
}

/// What an offer says besides its price.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OfferTerms<'a> {
    /// What is promised.
    lines: &'a [ItemLine],
    /// Further issues.
    issues: &'a [Attribute],
    /// What a settlement depends on.
    bargain: &'a Bargain,
}

impl Folding<'_> {
    pub(super) fn market(&mut self, event: &MarketEvent) -> Result<()> {
        match event {
            MarketEvent::ListingPublished {
                listing,
                agent,
                terms,
            } => self.listing_published(*listing, *agent, terms),
            MarketEvent::ListingUpdated { listing, terms, .. } => {
                self.listing_gone(*listing)?;
                self.listing_set(*listing, terms)
            }
            MarketEvent::ListingWithdrawn { listing } => {
                self.listing_gone(*listing)?;
                self.run(
                    "UPDATE listing SET withdrawn = 1 WHERE id = ?",
                    [int(listing.0)],
                )
            }
            MarketEvent::CallOpened { .. } => self.call_opened(event),
            MarketEvent::CallRefused { call, agent } => self.call_refused(*call, *agent),
            MarketEvent::CallRevealed { call } => self.call_revealed(*call),
            MarketEvent::CallClosed { call } => self.move_call(*call, CallState::Closed),
            MarketEvent::OfferMade { .. } => self.offer_made(event),
            MarketEvent::NegotiationEnded {
                negotiation, end, ..
            } => {
                let state = match end {
                    NegotiationEnd::Left => NegotiationState::Left,
                    NegotiationEnd::Expired => NegotiationState::Expired,
                    NegotiationEnd::Lost | NegotiationEnd::Displaced => NegotiationState::Lost,
                };
                self.run(
                    "UPDATE negotiation SET state = ?, since = ? WHERE id = ?",
                    (word(&state), self.now(), int(negotiation.0)),
                )
            }
            MarketEvent::DealAgreed { .. } => self.deal_agreed(event),
            MarketEvent::DealDelivered { deal } => self.deal_step(*deal, DealState::Delivered),
            MarketEvent::DealDisputed { deal, reason } => {
                let reason = text_id(Some(reason));
                self.run(
                    "UPDATE deal SET dispute = ? WHERE id = ?",
                    (reason, int(deal.0)),
                )?;
                self.count("disputed", *deal, &["buyer", "seller"])?;
                self.deal_step(*deal, DealState::Disputed)
            }
            MarketEvent::DealEnded { .. } => self.deal_ended(event),
        }
    }

    fn listing_published(
        &mut self,
        listing: ListingId,
        agent: AgentId,
        terms: &ListingTerms<ContentRef>,
    ) -> Result<()> {
        self.run(
            "INSERT INTO listing VALUES(?, ?, '', NULL, '{}', '', 0, ?, 0)",
            (int(listing.0), int(agent.0), self.now()),
        )?;
        self.listing_set(listing, terms)
    }

    /// Takes a listing out of the indexes.
    fn listing_gone(&mut self, listing: ListingId) -> Result<()> {
        let id = int(listing.0);
        texts::listing(self.db, Way::Out, id)?;
        self.run(
            "UPDATE term SET listings = listings - 1
             WHERE id IN (SELECT DISTINCT term FROM listing_term WHERE listing = ?)",
            [id],
        )?;
        self.run("DELETE FROM listing_term WHERE listing = ?", [id])?;
        self.run("UPDATE shelf SET listings = listings - 1", [])
    }

    fn listing_set(&mut self, listing: ListingId, terms: &ListingTerms<ContentRef>) -> Result<()> {
        let first = "SELECT code FROM asset ORDER BY id LIMIT 1";
        let asset = match &terms.asset {
            Some(code) => Some(code.as_str().to_owned()),
            None => self
                .db
                .prepare_cached(first)?
                .query_row([], |r| r.get(0))
                .optional()?,
        };
        let facts = json(&ListingTerms::<()> {
            description: None,
            ..terms.clone().map(|_| ())
        });
        let described = terms.description.map(|c| int(c.id.0));
        let names = screen_names(&crate::read::facts(&facts));
        self.run(
            "UPDATE listing SET title = ?, description = ?, terms = ?, asset = ?, screen = ? WHERE id = ?",
            (
                terms.title.as_str(),
                described,
                facts,
                asset.unwrap_or_default(),
                names,
                int(listing.0),
            ),
        )?;
        self.cache.rates.remove(&int(listing.0));
        for (number, item) in (0_i64..).zip(&terms.items) {
            self.term(ITEM, &item.name, listing, number, Some(item.price))?;
        }
        // An attribute that is false is the same as one that is absent.
        let holds = |a: &&Attribute| a.value != Value::Flag(false);
        for (number, attribute) in (0_i64..).zip(terms.attributes.iter().filter(holds)) {
            self.term(ATTRIBUTE, &attribute.name, listing, number, None)?;
        }
        for (number, tag) in (0_i64..).zip(&terms.tags) {
            self.term(TAG, tag, listing, number, None)?;
        }
        self.run("UPDATE shelf SET listings = listings + 1", [])?;
        self.run(
            "UPDATE term SET listings = listings + 1
             WHERE id IN (SELECT DISTINCT term FROM listing_term WHERE listing = ?)",
            [int(listing.0)],
        )?;
        texts::listing(self.db, Way::In, int(listing.0))
    }

    fn term(
        &self,
        kind: i64,
        name: &Name,
        listing: ListingId,
        number: i64,
        price: Option<Decimal>,
    ) -> Result<()> {
        let key = name_key(name.as_str());
        self.run(
            "INSERT OR IGNORE INTO term(kind, key, listings) VALUES(?, ?, 0)",
            (kind, &key),
        )?;
        self.run(
            "INSERT INTO listing_term
             VALUES((SELECT id FROM term WHERE kind = ? AND key = ?), ?, ?, ?, ?)",
            params![
                kind,
                key,
                int(listing.0),
                number,
                name.as_str(),
                price.map(|p| rank_price(p).to_be_bytes())
            ],
        )
    }

    fn call_opened(&mut self, event: &MarketEvent) -> Result<()> {
        let MarketEvent::CallOpened {
            call,
            buyer,
            body,
            wanted,
            attributes,
            invited,
            public,
            deadline,
            task,
            ..
        } = event
        else {
            return Ok(());
        };
        let body = text_id(Some(body));
        self.run(
            "INSERT INTO call VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?10)",
            params![
                int(call.0),
                int(buyer.0),
                body,
                json(wanted),
                json(attributes),
                public,
                int(deadline.0),
                task.map(|t| int(t.0)),
                word(&CallState::Open),
                self.now()
            ],
        )?;
        invited
            .iter()
            .try_for_each(|agent| self.invite(*call, *agent))
    }

    fn invite(&mut self, call: CallId, agent: AgentId) -> Result<()> {
        self.run(
            "INSERT OR IGNORE INTO invite VALUES(?1, ?2,
             (SELECT count(*) FROM invite WHERE call = ?1), 0, NULL)",
            (int(call.0), int(agent.0)),
        )
    }

    fn call_refused(&mut self, call: CallId, agent: AgentId) -> Result<()> {
        self.invite(call, agent)?;
        self.run(
            "UPDATE invite SET refused = 1 WHERE call = ? AND agent = ?",
            (int(call.0), int(agent.0)),
        )
    }

    fn call_revealed(&self, call: CallId) -> Result<()> {
        self.run("UPDATE call SET revealed = 1 WHERE id = ?", [int(call.0)])?;
        self.move_call(call, CallState::Revealed)
    }

    fn move_call(&self, call: CallId, state: CallState) -> Result<()> {
        self.run(
            "UPDATE call SET state = ?, since = ? WHERE id = ?",
            (word(&state), self.now(), int(call.0)),
        )
    }

    fn offer_made(&mut self, event: &MarketEvent) -> Result<()> {
        let MarketEvent::OfferMade {
            negotiation,
            opening,
            number,
            offer,
            lines,
            issues,
            note,
            signature,
            ..
        } = event
        else {
            return Ok(());
        };
        if let Some(opening) = opening {
            self.negotiation_opened(*negotiation, opening)?;
        }
        let note = text_id(note.as_ref());
        let terms = json(&OfferTerms {
            lines,
            issues,
            bargain: &offer.bargain,
        });
        self.offer(
            *negotiation,
            *number,
            offer,
            &terms,
            note,
            signature.is_some(),
        )?;
        self.run(
            "UPDATE negotiation SET offers = ?, since = ? WHERE id = ?",
            (number, self.now(), int(negotiation.0)),
        )
    }

    fn offer(
        &self,
        negotiation: NegotiationId,
        number: u16,
        offer: &Offer,
        terms: &str,
        note: Option<i64>,
        signed: bool,
    ) -> Result<()> {
        self.run(
            "INSERT INTO offer VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                int(negotiation.0),
                number,
                int(offer.by.0),
                offer.hash.bytes(),
                Units(offer.bargain.price.0),
                int(offer.bargain.asset.0),
                int(offer.expires.0),
                terms,
                note,
                signed,
                self.now(),
                int(self.position),
                offer.hold.map(|h| int(h.0))
            ],
        )
    }

    fn negotiation_opened(&mut self, id: NegotiationId, opening: &Opening) -> Result<()> {
        self.run(
            "INSERT INTO negotiation VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, NULL, ?8, ?8)",
            params![
                int(id.0),
                int(opening.buyer.0),
                int(opening.seller.0),
                opening.call.map(|c| int(c.0)),
                opening.listing.map(|l| int(l.0)),
                opening.task.map(|t| int(t.0)),
                word(&NegotiationState::Open),
                self.now()
            ],
        )?;
        let Some(call) = opening.call else {
            return Ok(());
        };
        self.invite(call, opening.seller)?;
        self.run(
            "UPDATE invite SET negotiation = ? WHERE call = ? AND agent = ?",
            (int(id.0), int(call.0), int(opening.seller.0)),
        )
    }

    fn deal_agreed(&mut self, event: &MarketEvent) -> Result<()> {
        let MarketEvent::DealAgreed {
            deal,
            negotiation,
            buyer,
            seller,
            offer,
            bargain,
            hold,
            task,
            ..
        } = event
        else {
            return Ok(());
        };
        let used = self.chips_used(*negotiation, offer)?;
        let used = used.as_ref();
        self.run(
            "INSERT INTO deal VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
             NULL, NULL, NULL, NULL, NULL, ?13, ?14, ?14, 0, 0, 0, 0, ?15, ?16, ?17, ?18)",
            params![
                int(deal.0),
                int(negotiation.0),
                int(buyer.0),
                int(seller.0),
                bargain.arbiter.map(|a| int(a.0)),
                bargain.payee_team.map(|t| int(t.0)),
                offer.bytes(),
                Units(bargain.price.0),
                int(bargain.asset.0),
                int(hold.0),
                int(task.0),
                word(&DealState::Agreed),
                json(bargain),
                self.now(),
                used.and_then(|used| used.model.as_deref()),
                used.map(|used| &*used.chip),
                used.map(|used| Units(used.seconds)),
                used.map(|used| Units(used.cost))
            ],
        )?;
        self.award(*negotiation, *deal)?;
        self.deal_step(*deal, DealState::Agreed)
    }

    /// What an offer uses of which chips, by the price list that it is negotiated on; nothing if that is none.
    fn chips_used(&mut self, negotiation: NegotiationId, offer: &Hash) -> Result<Option<Used>> {
        let sql = "SELECT listing FROM negotiation WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let listing = query.query_row([int(negotiation.0)], |r| r.get::<_, Option<i64>>(0));
        let Some(listing) = listing.optional()?.flatten() else {
            return Ok(None);
        };
        let Some(rates) = self.rates(listing)? else {
            return Ok(None);
        };
        let sql = "SELECT terms FROM offer WHERE negotiation = ? AND hash = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let terms = query.query_row((int(negotiation.0), offer.bytes()), |r| {
            r.get::<_, String>(0)
        });
        Ok(terms
            .optional()?
            .and_then(|terms| rates.used(&crate::read::facts(&terms))))
    }

    /// The rates of a listing as it stands, kept at hand for the batch.
    fn rates(&mut self, listing: i64) -> Result<Option<Rc<Rates>>> {
        if let Some(rates) = self.cache.rates.get(&listing) {
            return Ok(rates.clone());
        }
        let sql = "SELECT terms FROM listing WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let terms = query
            .query_row([listing], |r| r.get::<_, String>(0))
            .optional()?;
        let rates = terms.and_then(|terms| Rates::of(&crate::read::facts(&terms)).map(Rc::new));
        self.cache.rates.insert(listing, rates.clone());
        Ok(rates)
    }

    fn award(&mut self, negotiation: NegotiationId, deal: DealId) -> Result<()> {
        let id = int(negotiation.0);
        self.run(
            "UPDATE negotiation SET state = ?, since = ?, deal = ? WHERE id = ?",
            (word(&NegotiationState::Agreed), self.now(), int(deal.0), id),
        )?;
        let sql = "SELECT call FROM negotiation WHERE id = ?";
        let call = self
            .db
            .prepare_cached(sql)?
            .query_row([id], |r| r.get::<_, Option<i64>>(0));
        match call.optional()?.flatten() {
            Some(call) => self.move_call(CallId(uint(call)), CallState::Awarded),
            None => Ok(()),
        }
    }

    fn deal_step(&mut self, deal: DealId, state: DealState) -> Result<()> {
        let (kind, by) = self.by();
        self.run(
            "UPDATE deal SET state = ?, since = ? WHERE id = ?",
            (word(&state), self.now(), int(deal.0)),
        )?;
        self.run(
            "INSERT OR REPLACE INTO deal_step VALUES(?, ?, ?, ?, ?, ?)",
            (
                int(deal.0),
                int(self.position),
                word(&state),
                self.now(),
                kind,
                by,
            ),
        )
    }

    fn deal_ended(&mut self, event: &MarketEvent) -> Result<()> {
        let MarketEvent::DealEnded {
            deal,
            state,
            end,
            paid,
            returned,
            reason,
        } = event
        else {
            return Ok(());
        };
        let reason = text_id(reason.as_ref());
        self.run(
            "UPDATE deal SET ended_why = ?, paid = ?, returned = ?, reason = ? WHERE id = ?",
            (
                word(end),
                Units(paid.0),
                Units(returned.0),
                reason,
                int(deal.0),
            ),
        )?;
        match state {
            DealState::Settled => self.settled(*deal)?,
            DealState::Expired => self.count("expired", *deal, &["seller"])?,
            DealState::Split
            | DealState::Refunded
            | DealState::Agreed
            | DealState::Delivered
            | DealState::Disputed => self.count("refunded", *deal, &["seller"])?,
        }
        self.deal_step(*deal, *state)
    }

    /// Nothing is on record yet of a new agent.
    pub(super) fn recorded(&self, event: &IdentityEvent) -> Result<()> {
        let IdentityEvent::AgentRegistered { agent, .. } = event else {
            return Ok(());
        };
        self.run("INSERT INTO record(agent) VALUES(?)", [int(agent.0)])
    }

    /// Counts for the reputation of a deal's parties.
    fn count(&self, what: &str, deal: DealId, parties: &[&str]) -> Result<()> {
        for party in parties {
            self.run(
                &format!(
                    "UPDATE record SET {what} = {what} + 1
                     WHERE agent = (SELECT {party} FROM deal WHERE id = ?)"
                ),
                [int(deal.0)],
            )?;
        }
        Ok(())
    }

    fn settled(&mut self, deal: DealId) -> Result<()> {
        self.count("sold", deal, &["seller"])?;
        self.count("bought", deal, &["buyer"])?;
        let sql = "INSERT INTO pair SELECT min(buyer, seller), max(buyer, seller), 1
                   FROM deal WHERE id = ? ON CONFLICT DO UPDATE SET deals = deals + 1
                   RETURNING deals";
        let deals = self
            .db
            .prepare_cached(sql)?
            .query_row([int(deal.0)], |r| r.get(0));
        let deals: Option<i64> = deals.optional()?;
        if deals != Some(1) {
            return Ok(());
        }
        self.count("partners", deal, &["buyer", "seller"])
    }
}
