//! Current activity: the latest acts, the traffic of a period, and what waits.
//!
//! One line per envelope, for its most important event, with who did it and to whom; for people who
//! watch, and for pictures of who deals with whom. A scope gets the acts about things it may see.
//! Every call reads a bounded stretch of the log and says if it stopped there.

use std::collections::BTreeMap;

use rialto_core::event::{Envelope, Event};
use rialto_core::fact::{Fact, Told};
use rialto_core::id::{AccountId, AgentId, AnyId, DealId, number};
use rialto_core::identity::{IdentityEvent, Principal, Status};
use rialto_core::ledger::{Entry, EntryKind, LedgerEvent, Purpose};
use rialto_core::mail::MailEvent;
use rialto_core::market::{DealState, MarketEvent};
use rialto_core::policy::{Node, PolicyEvent};
use rialto_core::social::SocialEvent;
use rialto_core::time::Time;
use rialto_core::work::WorkEvent;
use rusqlite::OptionalExtension;
use serde::Serialize;

use crate::codec::{holder, moving, purpose};
use crate::db::{Units, int, uint};
use crate::read::{Scope, Snap, ViewReader, Who};
use crate::{Error, Result};

/// The most acts of one answer.
pub const MAX_ACTS: usize = 1_000;
/// The most buckets of one picture of traffic.
pub const MAX_BUCKETS: usize = 240;
/// How many envelopes are looked at for acts that a scope may see.
const SCANNED: i64 = 4_000;
/// How many payments are added up.
const PAYMENTS: i64 = 50_000;
/// How many counterparties of an act are named.
const NAMED: usize = 16;

/// The kinds of events that everybody sees on the square.
const PUBLIC_KINDS: [&str; 11] = [
    "social.posted",
    "social.edited",
    "social.deleted",
    "social.reacted",
    "social.community_created",
    "social.community_updated",
    "social.joined",
    "social.left",
    "social.measure_taken",
    "social.measure_revoked",
    "social.appeal_decided",
];

/// What binds the parties of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// Words: a message, a call, work given.
    Talk,
    /// An offer.
    Offer,
    /// A deal was struck, or something happened in it.
    Deal,
    /// Money was paid.
    Paid,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// The position of the event.
    pub position: u64,
    /// When.
    pub at: Time,
    /// What kind of event, such as `market.offer_made`.
    pub kind: String,
    /// What it is about.
    pub id: AnyId,
    /// Who did it: a handle, or the kind of principal.
    pub who: String,
    /// The agent that did it, if one did.
    pub by: Option<Who>,
    /// The other agents in it; at most the first sixteen.
    pub to: Vec<Who>,
    /// What happened, in one line, without anybody's text.
    pub what: String,
    /// How much money, in whole units.
    pub amount: Option<String>,
    /// The asset.
    pub asset: Option<String>,
    /// What binds the parties.
    pub tie: Tie,
}

/// The latest acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Acts {
    /// The acts, newest first.
    pub items: Vec<Act>,
    /// True when older ones of the period were left out.
    pub truncated: bool,
    /// The position that the list was made at.
    pub position: u64,
}

/// What happened in one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// When it began.
    pub from: Time,
    /// How many commands were accepted.
    pub events: u64,
    /// How many deals were struck.
    pub deals: u64,
}

/// What was paid in deals, in whole units of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The asset.
    pub asset: String,
    /// All together.
    pub total: String,
    /// In each bucket.
    pub buckets: Vec<String>,
}

/// The traffic of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// The buckets, oldest first.
    pub buckets: Vec<Bucket>,
    /// What was paid, one row an asset.
    pub moved: Vec<Moved>,
    /// True when only the latest payments were added up.
    pub truncated: bool,
    /// The position that it was made at.
    pub position: u64,
}

impl ViewReader {
    /// The latest acts that concern the scope, newest first, since a time.
    ///
    /// # Errors
    /// [`Error::BadLimit`] for none or more than [`MAX_ACTS`], and as every read.
    pub fn activity(&self, scope: Scope, since: Time, most: usize) -> Result<Acts> {
        if most == 0 || most > MAX_ACTS {
            return Err(Error::BadLimit {
                most: u32::try_from(MAX_ACTS).unwrap_or(u32::MAX),
            });
        }
        self.read(|snap| {
            let first = snap.first_at(since)?;
            snap.acts(scope, first, most)
        })
    }

    /// The position of the latest act after a position that concerns the scope, if there is one.
    ///
    /// # Errors
    /// As every read.
    pub fn acted_after(&self, scope: Scope, after: u64) -> Result<Option<u64>> {
        self.read(|snap| {
            if scope == Scope::Realm {
                return Ok((snap.position > after).then_some(snap.position));
            }
            let acts = snap.acts(scope, after.saturating_add(1), 1)?;
            // Too much to look through is taken for something to see.
            let unseen = acts.truncated.then_some(snap.position);
            Ok(acts.items.first().map(|act| act.position).or(unseen))
        })
    }

    /// The latest position after one at which the public side of the square changed: a post, what was
    /// done to one, or a community.
    ///
    /// # Errors
    /// As every read.
    pub fn square_after(&self, after: u64) -> Result<Option<u64>> {
        self.read(|snap| {
            let sql = "SELECT max(position) FROM event_kind WHERE kind = ? AND position > ?";
            let mut query = snap.db.prepare_cached(sql)?;
            let mut latest = None;
            for kind in PUBLIC_KINDS {
                let found: Option<i64> = query.query_row((kind, int(after)), |r| r.get(0))?;
                latest = latest.max(found);
            }
            Ok(latest.map(uint))
        })
    }

    /// The traffic from a time on, in buckets of equal length.
    ///
    /// # Errors
    /// [`Error::BadLimit`] for none or more than [`MAX_BUCKETS`], and as every read.
    pub fn traffic(
        &self,
        scope: Scope,
        from: Time,
        step_ms: u64,
        buckets: usize,
    ) -> Result<Traffic> {
        if buckets == 0 || buckets > MAX_BUCKETS {
            return Err(Error::BadLimit {
                most: u32::try_from(MAX_BUCKETS).unwrap_or(u32::MAX),
            });
        }
        self.read(|snap| snap.traffic(scope, from, step_ms, buckets))
    }
}

impl Snap<'_> {
    fn acts(&self, scope: Scope, first: u64, most: usize) -> Result<Acts> {
        let sql = "SELECT envelope FROM event WHERE position >= ? ORDER BY position DESC LIMIT ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((int(first), SCANNED))?;
        let (mut items, mut looked) = (Vec::new(), 0_i64);
        let mut truncated = false;
        while let Some(row) = rows.next()? {
            looked += 1;
            if items.len() == most {
                truncated = true;
                break;
            }
            let bytes: Vec<u8> = row.get(0)?;
            let envelope = Envelope::decode(&bytes).map_err(|_| Error::Damaged("an envelope"))?;
            if let Some((event, line)) = headline(&envelope)
                && self.concerns(scope, line.subject)?
                && !self.is_sealed(scope, event)?
            {
                items.push(self.act(scope, &envelope, event, line)?);
            }
        }
        Ok(Acts {
            items,
            truncated: truncated || looked == SCANNED,
            position: self.position,
        })
    }

    /// Whether a thing concerns the scope itself: being public is not enough.
    fn concerns(&self, scope: Scope, id: AnyId) -> Result<bool> {
        if scope == Scope::Realm {
            return Ok(true);
        }
        match id {
            // Everybody sees these, or everybody of their place.
            AnyId::AgentId(_)
            | AnyId::ListingId(_)
            | AnyId::CallId(_)
            | AnyId::AssetId(_)
            | AnyId::PostId(_)
            | AnyId::CommunityId(_)
            | AnyId::MeasureId(_) => {
                let parties = self.parties(id)?.unwrap_or_default();
                Ok(match scope {
                    Scope::Realm => true,
                    Scope::Owner(owner) => parties.owners.contains(&owner),
                    Scope::Agent(agent) => parties.agents.contains(&agent),
                })
            }
            AnyId::OwnerId(_)
            | AnyId::PersonId(_)
            | AnyId::TeamId(_)
            | AnyId::ServiceId(_)
            | AnyId::TokenId(_)
            | AnyId::AccountId(_)
            | AnyId::TransferId(_)
            | AnyId::HoldId(_)
            | AnyId::ConversationId(_)
            | AnyId::MessageId(_)
            | AnyId::TaskId(_)
            | AnyId::NegotiationId(_)
            | AnyId::DealId(_)
            | AnyId::ApprovalId(_)
            | AnyId::ContentId(_)
            | AnyId::ReportId(_)
            | AnyId::ObligationId(_)
            | AnyId::UsageId(_)
            | AnyId::DeploymentId(_)
            | AnyId::InferenceId(_) => self.sees(scope, id),
        }
    }

    /// Whether an event is an answer to a call that the scope may not see: only its author sees it,
    /// and the caller once the answers were opened.
    pub(crate) fn is_sealed(&self, scope: Scope, event: &Event) -> Result<bool> {
        let Event::Market(MarketEvent::CallRefused { call, agent }) = event else {
            return Ok(false);
        };
        if self.stands_for(scope, int(agent.0))? {
            return Ok(false);
        }
        let sql = "SELECT buyer, revealed FROM call WHERE id = ?";
        let row = self
            .db
            .prepare_cached(sql)?
            .query_row([int(call.0)], |r| Ok((r.get(0)?, r.get(1)?)));
        Ok(match row.optional()? {
            Some((buyer, true)) => !self.stands_for(scope, buyer)?,
            _ => true,
        })
    }

    fn act(&self, scope: Scope, envelope: &Envelope, event: &Event, line: Told) -> Result<Act> {
        let agent = match (line.by.or(envelope.actor), envelope.principal) {
            (Some(agent), _) | (None, Principal::Agent(agent)) => Some(agent),
            _ => None,
        };
        let by = agent.map(|a| self.who(int(a.0))).transpose()?;
        let who = match (&by, event) {
            (Some(by), _) => by.handle.clone(),
            // Whoever signs up is a stranger until then.
            (None, Event::Identity(IdentityEvent::OwnerCreated { name, .. }))
                if envelope.principal == Principal::Public =>
            {
                name.as_str().to_owned()
            }
            (None, _) => self.doer(scope, envelope.principal)?,
        };
        let (others, tie) = self.others(event, agent)?;
        let paid = match event {
            Event::Market(MarketEvent::DealEnded { deal, paid, .. }) => {
                self.deal_asset(*deal)?.map(|asset| (paid.0, asset))
            }
            _ => line.amount.map(|(units, asset)| (units.0, int(asset.0))),
        };
        let (amount, asset) = match paid {
            Some((units, asset)) => (
                Some(self.decimal(Units(units), asset)?),
                Some(self.asset(asset)?.0),
            ),
            None => (None, None),
        };
        let to = others.into_iter().take(NAMED);
        // Who was stopped, and which limit was set to what: in the words of the log.
        let what = match event {
            Event::Identity(IdentityEvent::OwnerCreated { .. })
                if envelope.principal == Principal::Public =>
            {
                Some("signed up".to_owned())
            }
            Event::Identity(_)
            | Event::Policy(PolicyEvent::AllowanceSet { .. } | PolicyEvent::LinesSet { .. }) => {
                self.words_of(event)?.into_iter().next()
            }
            _ => None,
        };
        Ok(Act {
            position: envelope.position,
            at: envelope.at,
            kind: event.name().to_owned(),
            id: line.subject,
            who,
            by,
            to: to.map(|a| self.who(a)).collect::<Result<_>>()?,
            what: what.unwrap_or(line.what),
            amount,
            asset,
            tie,
        })
    }

    /// The agents of an event besides the one that acts, and what binds them.
    fn others(&self, event: &Event, by: Option<AgentId>) -> Result<(Vec<i64>, Tie)> {
        let own = by.map(|a| int(a.0));
        let (all, tie) = match event {
            Event::Mail(event) => (self.members_told(event)?, Tie::Talk),
            Event::Work(event) => (set_to_work(event), Tie::Talk),
            Event::Market(event) => self.counterparties(event)?,
            Event::Social(event) => (called(event), Tie::Talk),
            Event::Ledger(event) => self.payees(event)?,
            // Their acts are about the one who is named in the line.
            Event::Identity(_)
            | Event::Policy(_)
            | Event::Realm(_)
            | Event::Obligation(_)
            | Event::Model(_) => (Vec::new(), Tie::Talk),
        };
        let mut others: Vec<i64> = all.into_iter().filter(|a| Some(*a) != own).collect();
        others.dedup();
        Ok((others, tie))
    }

    /// Those who read what is said in a conversation.
    fn members_told(&self, event: &MailEvent) -> Result<Vec<i64>> {
        match event {
            MailEvent::MessageSent { conversation, .. } => self.members_of(int(conversation.0)),
            MailEvent::ConversationOpened { .. }
            | MailEvent::RequestAnswered { .. }
            | MailEvent::GroupChanged { .. }
            | MailEvent::Acknowledged { .. }
            | MailEvent::Trimmed { .. }
            | MailEvent::Erased { .. }
            | MailEvent::ConversationClosed { .. }
            | MailEvent::ContactLapsed { .. }
            | MailEvent::LanesOpened
            | MailEvent::Cleared { .. } => Ok(Vec::new()),
        }
    }

    /// The parties of an event of the market, and what binds them by it.
    fn counterparties(&self, event: &MarketEvent) -> Result<(Vec<i64>, Tie)> {
        Ok(match event {
            MarketEvent::CallOpened { invited, .. } => {
                (invited.iter().map(|a| int(a.0)).collect(), Tie::Talk)
            }
            MarketEvent::OfferMade { negotiation, .. } => {
                (self.two("negotiation", int(negotiation.0))?, Tie::Offer)
            }
            MarketEvent::NegotiationEnded { negotiation, .. } => {
                (self.two("negotiation", int(negotiation.0))?, Tie::Talk)
            }
            MarketEvent::DealAgreed { buyer, seller, .. } => {
                (vec![int(buyer.0), int(seller.0)], Tie::Deal)
            }
            MarketEvent::DealEnded { deal, paid, .. } if paid.0 > 0 => {
                (self.two("deal", int(deal.0))?, Tie::Paid)
            }
            MarketEvent::DealDelivered { deal }
            | MarketEvent::DealDisputed { deal, .. }
            | MarketEvent::DealEnded { deal, .. } => (self.two("deal", int(deal.0))?, Tie::Deal),
            MarketEvent::ListingPublished { .. }
            | MarketEvent::ListingUpdated { .. }
            | MarketEvent::ListingWithdrawn { .. }
            | MarketEvent::CallRefused { .. }
            | MarketEvent::CallRevealed { .. }
            | MarketEvent::CallClosed { .. } => (Vec::new(), Tie::Talk),
        })
    }

    /// The agents that get money, and that they are bound by it.
    fn payees(&self, event: &LedgerEvent) -> Result<(Vec<i64>, Tie)> {
        let mut payees = Vec::new();
        match event {
            LedgerEvent::Entries { entries, .. } => {
                for entry in entries.iter().take(NAMED) {
                    payees.extend(self.agent_of(entry.to)?);
                }
                Ok((payees, Tie::Paid))
            }
            LedgerEvent::AssetCreated { .. }
            | LedgerEvent::AccountOpened { .. }
            | LedgerEvent::AccountClosed { .. }
            | LedgerEvent::PaymentNamed { .. }
            | LedgerEvent::EntryCorrected { .. }
            | LedgerEvent::HoldTaken { .. } => Ok((payees, Tie::Talk)),
        }
    }

    fn two(&self, table: &str, id: i64) -> Result<Vec<i64>> {
        let sql = format!("SELECT buyer, seller FROM {table} WHERE id = ?");
        let pair = self
            .db
            .prepare_cached(&sql)?
            .query_row([id], |r| Ok(vec![r.get(0)?, r.get(1)?]));
        Ok(pair.optional()?.unwrap_or_default())
    }

    fn members_of(&self, conversation: i64) -> Result<Vec<i64>> {
        let sql = "SELECT DISTINCT agent FROM member WHERE conversation = ? LIMIT 32";
        let mut query = self.db.prepare_cached(sql)?;
        let members = query.query_map([conversation], |r| r.get(0))?;
        Ok(members.collect::<rusqlite::Result<_>>()?)
    }

    /// The agent whose an account is, if it is one's.
    pub(crate) fn agent_of(&self, account: AccountId) -> Result<Option<i64>> {
        let sql = "SELECT holder FROM account WHERE id = ? AND holder_kind = ?";
        let holder = self
            .db
            .prepare_cached(sql)?
            .query_row((int(account.0), holder::AGENT), |r| r.get(0));
        Ok(holder.optional()?)
    }

    fn deal_asset(&self, deal: DealId) -> Result<Option<i64>> {
        let sql = "SELECT asset FROM deal WHERE id = ?";
        let asset = self
            .db
            .prepare_cached(sql)?
            .query_row([int(deal.0)], |r| r.get(0));
        Ok(asset.optional()?)
    }

    fn traffic(&self, scope: Scope, from: Time, step_ms: u64, count: usize) -> Result<Traffic> {
        let mut buckets = Vec::with_capacity(count);
        let mut bounds = vec![self.first_at(from)?];
        for place in 1..=count {
            let until = from.after(step_ms.saturating_mul(uint_of(place)));
            bounds.push(self.first_at(until)?);
        }
        for (place, pair) in bounds.windows(2).enumerate() {
            let (low, high) = (pair[0], pair[1]);
            buckets.push(Bucket {
                from: from.after(step_ms.saturating_mul(uint_of(place))),
                events: self.events_between(scope, low, high)?,
                deals: self.deals_between(scope, low, high)?,
            });
        }
        let (moved, truncated) = self.moved(scope, &bounds)?;
        Ok(Traffic {
            buckets,
            moved,
            truncated,
            position: self.position,
        })
    }

    /// Positions are gapless, so a realm's events of a stretch are counted by its ends.
    fn events_between(&self, scope: Scope, low: u64, high: u64) -> Result<u64> {
        let column = match scope {
            Scope::Realm => return Ok(high.saturating_sub(low)),
            Scope::Owner(_) => "owner",
            Scope::Agent(_) => "actor",
        };
        let sql = format!(
            "SELECT count(*) FROM event WHERE {column} = ? AND position >= ? AND position < ?"
        );
        let found = (scope.viewer(), int(low), int(high));
        let count = self
            .db
            .prepare_cached(&sql)?
            .query_row(found, |r| r.get(0))?;
        Ok(uint(count))
    }

    fn deals_between(&self, scope: Scope, low: u64, high: u64) -> Result<u64> {
        let (low, high) = (int(number(low, 0)), int(number(high, 0)));
        let kind = crate::db::kind_of(DealId::PREFIX);
        let count = match scope.viewer() {
            None => self
                .db
                .prepare_cached("SELECT count(*) FROM deal WHERE id >= ? AND id < ?")?
                .query_row((low, high), |r| r.get(0))?,
            Some(viewer) => self
                .db
                .prepare_cached(
                    "SELECT count(*) FROM seen WHERE viewer = ? AND kind = ? AND id >= ? AND id < ?",
                )?
                .query_row((viewer, kind, low, high), |r| r.get(0))?,
        };
        Ok(uint(count))
    }

    /// What deals paid in each stretch: postings of their holds.
    fn moved(&self, scope: Scope, bounds: &[u64]) -> Result<(Vec<Moved>, bool)> {
        let ends: Vec<i64> = bounds.iter().map(|b| int(number(*b, 0))).collect();
        let (Some(low), Some(high)) = (ends.first(), ends.last()) else {
            return Ok((Vec::new(), false));
        };
        let seen = match scope {
            Scope::Realm => "?3 IS NULL",
            _ => {
                "EXISTS(SELECT 1 FROM seen s WHERE s.viewer = ?3 AND s.kind = ?5 AND s.id = e.purpose_id)"
            }
        };
        let sql = format!(
            "SELECT e.id, e.asset, e.amount FROM entry e WHERE e.id >= ?1 AND e.id < ?2
             AND e.purpose = {} AND e.kind IN ({}) AND ?5 IS NOT NULL AND {seen}
             ORDER BY e.id DESC LIMIT ?4",
            purpose::DEAL,
            moving()
        );
        let kind = crate::db::kind_of(DealId::PREFIX);
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query((low, high, scope.viewer(), PAYMENTS, kind))?;
        let mut sums: BTreeMap<i64, Vec<i128>> = BTreeMap::new();
        let mut looked = 0;
        while let Some(row) = rows.next()? {
            looked += 1;
            let (id, asset): (i64, i64) = (row.get(0)?, row.get(1)?);
            let place = ends.partition_point(|end| *end <= id).saturating_sub(1);
            let stretch = sums.entry(asset).or_insert_with(|| vec![0; ends.len() - 1]);
            if let Some(sum) = stretch.get_mut(place) {
                *sum += row.get::<_, Units>(2)?.0;
            }
        }
        let mut moved = Vec::new();
        for (asset, stretch) in sums {
            let print = |units: i128| self.decimal(Units(units), asset);
            moved.push(Moved {
                asset: self.asset(asset)?.0,
                total: print(stretch.iter().sum())?,
                buckets: stretch.into_iter().map(print).collect::<Result<_>>()?,
            });
        }
        Ok((moved, looked == PAYMENTS))
    }
}

fn uint_of(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX)
}

/// The most telling event of an envelope, with its line.
fn headline(envelope: &Envelope) -> Option<(&Event, Told)> {
    let told = envelope.events.iter().filter_map(|event| {
        let line = match event {
            Event::Identity(event) => identity(event),
            Event::Work(WorkEvent::TaskCreated {
                task, deal: None, ..
            }) => plain((*task).into(), "asked for work".to_owned()),
            Event::Market(MarketEvent::DealEnded { deal, state, .. }) => {
                plain((*deal).into(), ended(*state).to_owned())
            }
            Event::Social(social) => square(social).or_else(|| event.told().into_iter().next()),
            Event::Policy(
                PolicyEvent::AllowanceSet { node, .. } | PolicyEvent::LinesSet { node, .. },
            ) => allowance(*node),
            Event::Ledger(LedgerEvent::Entries { entries, .. }) => {
                let line = event.told().into_iter().next();
                // To whom and how much stand beside it.
                line.zip(entries.first()).map(|(line, entry)| Told {
                    what: moved(entry).to_owned(),
                    ..line
                })
            }
            _ => event.told().into_iter().next(),
        };
        line.map(|line| (event, line))
    });
    told.min_by_key(|(event, _)| rank(event))
}

/// Who was given work.
fn set_to_work(event: &WorkEvent) -> Vec<i64> {
    match event {
        WorkEvent::TaskCreated { worker, .. } => vec![int(worker.0)],
        WorkEvent::TaskUpdated { .. }
        | WorkEvent::ArtifactAdded { .. }
        | WorkEvent::TeamCreated { .. }
        | WorkEvent::MemberInvited { .. }
        | WorkEvent::MemberJoined { .. }
        | WorkEvent::MemberLeft { .. }
        | WorkEvent::SplitProposed { .. }
        | WorkEvent::SplitAgreed { .. }
        | WorkEvent::MemberRemoved { .. }
        | WorkEvent::PartsLeft { .. } => Vec::new(),
    }
}

/// Who is spoken to on the square.
fn called(event: &SocialEvent) -> Vec<i64> {
    match event {
        SocialEvent::Followed { agent, .. } => vec![int(agent.0)],
        SocialEvent::Posted { told, .. } => told.iter().map(|a| int(a.0)).collect(),
        SocialEvent::Unfollowed { .. }
        | SocialEvent::Muted { .. }
        | SocialEvent::Unmuted { .. }
        | SocialEvent::Edited { .. }
        | SocialEvent::Deleted { .. }
        | SocialEvent::Reacted { .. }
        | SocialEvent::PostsClosed { .. }
        | SocialEvent::CommunityCreated { .. }
        | SocialEvent::CommunityUpdated { .. }
        | SocialEvent::Joined { .. }
        | SocialEvent::JoinRequested { .. }
        | SocialEvent::JoinAnswered { .. }
        | SocialEvent::Left { .. }
        | SocialEvent::ModeratorSet { .. }
        | SocialEvent::Reported { .. }
        | SocialEvent::ReportsEnded { .. }
        | SocialEvent::MeasureTaken { .. }
        | SocialEvent::MeasureRevoked { .. }
        | SocialEvent::Appealed { .. }
        | SocialEvent::AppealDecided { .. }
        | SocialEvent::OwnerMuted { .. }
        | SocialEvent::OwnerUnmuted { .. } => Vec::new(),
    }
}

/// What an envelope is best known by comes first.
fn rank(event: &Event) -> u8 {
    match event {
        Event::Market(
            MarketEvent::DealAgreed { .. }
            | MarketEvent::DealDelivered { .. }
            | MarketEvent::DealDisputed { .. }
            | MarketEvent::DealEnded { .. },
        ) => 0,
        Event::Policy(_) => 1,
        Event::Market(MarketEvent::OfferMade { .. }) => 2,
        Event::Market(
            MarketEvent::ListingPublished { .. }
            | MarketEvent::ListingUpdated { .. }
            | MarketEvent::ListingWithdrawn { .. }
            | MarketEvent::CallOpened { .. }
            | MarketEvent::CallRefused { .. }
            | MarketEvent::CallRevealed { .. }
            | MarketEvent::CallClosed { .. }
            | MarketEvent::NegotiationEnded { .. },
        ) => 3,
        Event::Mail(_) => 4,
        Event::Social(_) => 5,
        Event::Identity(_) => 6,
        Event::Work(_) => 7,
        Event::Ledger(_) => 8,
        Event::Obligation(_) | Event::Model(_) => 9,
        Event::Realm(_) => 10,
    }
}

/// A change of an allowance, shown with its node.
fn allowance(node: Node) -> Option<Told> {
    let subject = match node {
        Node::Realm => return None,
        Node::Owner(id) => id.into(),
        Node::Team(id) => id.into(),
        Node::Agent(id) => id.into(),
    };
    plain(subject, "set an allowance".to_owned())
}

fn plain(subject: AnyId, what: String) -> Option<Told> {
    Some(Told::new(subject, what))
}

fn moved(entry: &Entry) -> &'static str {
    match (entry.kind, entry.purpose) {
        (EntryKind::Hold, _) => "held money",
        (EntryKind::PostHold, _) => "paid out held money",
        (EntryKind::CaptureHold, _) => "paid out a part of held money",
        (EntryKind::RaiseHold, _) => "held more money",
        (EntryKind::VoidHold, _) => "gave held money back",
        (EntryKind::Post, Purpose::Issue) => "issued money",
        (EntryKind::Post, Purpose::Deposit) => "deposited money",
        (EntryKind::Post, Purpose::Share(_)) => "shared money out",
        (EntryKind::Post, Purpose::Correction(_)) => "corrected a payment",
        (EntryKind::Post, _) => "paid",
    }
}

fn ended(state: DealState) -> &'static str {
    match state {
        DealState::Settled => "settled the deal",
        DealState::Split => "ended the deal: each got a part",
        DealState::Refunded => "ended the deal: the buyer got everything back",
        DealState::Expired => "ended the deal: nothing was delivered in time",
        DealState::Agreed | DealState::Delivered | DealState::Disputed => "went on with the deal",
    }
}

/// What happens on the square beside posts and measures, which the trace words.
fn square(event: &SocialEvent) -> Option<Told> {
    let done = |subject: AnyId, what: &str, by: AgentId| Some(Told::new(subject, what).by(by));
    match event {
        SocialEvent::Followed { by, agent } => done((*agent).into(), "followed", *by),
        SocialEvent::Reacted { post, by, .. } => done((*post).into(), "reacted to a post", *by),
        SocialEvent::CommunityCreated { community, by, .. } => {
            done((*community).into(), "created a community", *by)
        }
        SocialEvent::Joined { community, agent } => {
            done((*community).into(), "joined a community", *agent)
        }
        SocialEvent::Left { community, agent } => {
            done((*community).into(), "left a community", *agent)
        }
        SocialEvent::Appealed { measure, by, .. } => {
            done((*measure).into(), "appealed against a measure", *by)
        }
        SocialEvent::AppealDecided { measure, .. } => {
            plain((*measure).into(), "decided an appeal".to_owned())
        }
        SocialEvent::Unfollowed { .. }
        | SocialEvent::Muted { .. }
        | SocialEvent::Unmuted { .. }
        | SocialEvent::OwnerMuted { .. }
        | SocialEvent::OwnerUnmuted { .. }
        | SocialEvent::Posted { .. }
        | SocialEvent::Edited { .. }
        | SocialEvent::Deleted { .. }
        | SocialEvent::PostsClosed { .. }
        | SocialEvent::CommunityUpdated { .. }
        | SocialEvent::JoinRequested { .. }
        | SocialEvent::JoinAnswered { .. }
        | SocialEvent::ModeratorSet { .. }
        | SocialEvent::Reported { .. }
        | SocialEvent::ReportsEnded { .. }
        | SocialEvent::MeasureTaken { .. }
        | SocialEvent::MeasureRevoked { .. } => None,
    }
}

fn identity(event: &IdentityEvent) -> Option<Told> {
    let line = plain;
    let switched = |status: Status| match status {
        Status::Active => "was resumed",
        Status::Suspended => "was suspended",
        Status::Closed => "was closed",
    };
    match event {
        IdentityEvent::OwnerCreated { owner, name, .. } => line(
            (*owner).into(),
            format!("signed up owner {}", name.as_str()),
        ),
        IdentityEvent::AgentRegistered { agent, handle, .. } => {
            line((*agent).into(), format!("registered {handle}"))
        }
        IdentityEvent::ProfileSet { agent, .. } => {
            line((*agent).into(), "changed its profile".to_owned())
        }
        IdentityEvent::KeyRotated { agent, .. } => {
            line((*agent).into(), "got a new key".to_owned())
        }
        IdentityEvent::AgentSwitched { agent, status, .. } => {
            line((*agent).into(), format!("the agent {}", switched(*status)))
        }
        IdentityEvent::AgentClosed { agent } => {
            line((*agent).into(), "the agent was closed".to_owned())
        }
        IdentityEvent::HandleMarked { agent, .. } => line(
            (*agent).into(),
            "has a handle that reads like an older one".to_owned(),
        ),
        IdentityEvent::OwnerSwitched { owner, status } => {
            line((*owner).into(), format!("the owner {}", switched(*status)))
        }
        IdentityEvent::PersonSwitched { person, status, .. } => {
            line((*person).into(), format!("a person {}", switched(*status)))
        }
        IdentityEvent::AgentsStopped { owner, stop, .. } => {
            let did = if *stop { "were stopped" } else { "go on" };
            line((*owner).into(), format!("all agents of the owner {did}"))
        }
        IdentityEvent::PersonAdded { .. }
        | IdentityEvent::RoleSet { .. }
        | IdentityEvent::AgentMoved { .. }
        | IdentityEvent::TokenIssued { .. }
        | IdentityEvent::TokenEnded { .. }
        | IdentityEvent::TokenLeaked { .. }
        | IdentityEvent::TokenReplaced { .. }
        | IdentityEvent::TokenSpent { .. }
        | IdentityEvent::ServiceCreated { .. }
        | IdentityEvent::ServiceSwitched { .. }
        | IdentityEvent::StakeHeld { .. }
        | IdentityEvent::Invited { .. }
        | IdentityEvent::InvitationUsed { .. }
        | IdentityEvent::InvitationEnded { .. } => None,
    }
}
