//! What events say of things together: what follows from what, what was touched, and who may see it from
//! now on. Beside that the small copies of memberships by which parties are known at any position.

use rialto_core::event::Event;
use rialto_core::fact::Fact;
use rialto_core::id::{AgentId, CallId, CommunityId, ConversationId, NegotiationId, TeamId};
use rialto_core::identity::Principal;
use rialto_core::ledger::{Entry, EntryKind, LedgerEvent, Purpose};
use rialto_core::mail::MailEvent;
use rialto_core::market::{MarketEvent, Opening};
use rialto_core::model::ModelEvent;
use rialto_core::noun::Row;
use rialto_core::obligation::{Duty, ObligationEvent};
use rialto_core::policy::{Approval, Bound, Party, PolicyEvent};
use rialto_core::social::SocialEvent;
use rialto_core::work::WorkEvent;

use super::Folding;
use crate::Result;
use crate::db::{int, kind_of, uint};
use crate::read::{Origin, Scope, Scores};

/// How a proposal is linked to the call that it answers.
const ANSWERED: &str = "was answered by";

impl Folding<'_> {
    pub(super) fn threaded(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Mail(event) => self.mail_thread(event),
            Event::Work(event) => self.work_thread(event),
            Event::Ledger(event) => self.ledger_thread(event),
            Event::Market(event) => self.market_thread(event),
            Event::Policy(event) => self.policy_thread(event),
            Event::Social(event) => self.social_thread(event),
            // What its rows do not say: what it is owed for.
            Event::Obligation(ObligationEvent::Opened {
                obligation,
                duty: Duty::PayOut { hold },
                ..
            }) => self.link(*hold, *obligation, "is owed by"),
            Event::Model(event) => self.model_thread(event),
            Event::Realm(_) | Event::Identity(_) | Event::Obligation(_) => Ok(()),
        }?;
        event.rows().iter().try_for_each(|row| self.row_thread(row))
    }

    /// The parties of a plain noun see it, and whoever made it.
    fn row_thread(&mut self, row: &Row) -> Result<()> {
        self.touch(row.id)?;
        if rialto_core::id::position_of(row.id.number()) == self.position {
            let maker = self.actor.map_or(self.principal, Principal::Agent);
            self.show_principal(row.id, maker)?;
        }
        for party in &row.parties {
            match *party {
                Party::Agent(agent) => self.show(row.id, agent)?,
                Party::Owner(owner) => self.show_owner(row.id, owner)?,
            }
        }
        Ok(())
    }

    fn mail_thread(&mut self, event: &MailEvent) -> Result<()> {
        match event {
            MailEvent::ConversationOpened {
                conversation,
                members,
                ..
            } => self.let_in(*conversation, members),
            MailEvent::GroupChanged {
                conversation,
                added,
                removed,
                ..
            } => {
                let high = int(rialto_core::id::number(self.position, 0));
                for agent in removed {
                    // Who has left keeps seeing what it was sent.
                    self.run(
                        "UPDATE sent_to SET high = ? WHERE conversation = ? AND agent = ? AND high = ?",
                        (high, int(conversation.0), int(agent.0), i64::MAX),
                    )?;
                }
                self.let_in(*conversation, added)
            }
            MailEvent::MessageSent {
                message,
                conversation,
                reply_to,
                task,
                ..
            } => {
                if let Some(answered) = reply_to {
                    // What a message replies to counts only within one conversation, so that nobody
                    // links a message to a thread that it does not belong to.
                    let origin = self.snap(&Scores::default()).origin((*answered).into())?;
                    if matches!(origin, Some(Origin::Message(within)) if within == *conversation) {
                        self.link(*answered, *message, "answered by")?;
                    }
                }
                if let Some(task) = task {
                    self.link(*task, *message, "written about in")?;
                }
                self.touch(*message)
            }
            _ => Ok(()),
        }
    }

    /// Members see what is sent from now on.
    fn let_in(&mut self, conversation: ConversationId, agents: &[AgentId]) -> Result<()> {
        let low = int(rialto_core::id::number(self.position, 0));
        for agent in agents {
            self.run(
                "INSERT OR IGNORE INTO sent_to VALUES(?, ?, ?, ?)",
                (int(conversation.0), int(agent.0), low, i64::MAX),
            )?;
            self.show(conversation, *agent)?;
        }
        Ok(())
    }

    fn work_thread(&mut self, event: &WorkEvent) -> Result<()> {
        match event {
            WorkEvent::TaskCreated {
                task,
                requester,
                worker,
                parent,
                ..
            } => {
                if let Some(parent) = parent {
                    self.link(*parent, *task, "has the part")?;
                }
                self.show_principal((*task).into(), *requester)?;
                self.show(*task, *worker)?;
                self.touch(*task)
            }
            WorkEvent::TaskUpdated { task, .. } | WorkEvent::ArtifactAdded { task, .. } => {
                self.touch(*task)
            }
            WorkEvent::TeamCreated {
                team, owner, lead, ..
            } => {
                self.show_owner(*team, *owner)?;
                match lead {
                    Some(agent) => self.in_crew(*team, *agent, true),
                    None => Ok(()),
                }
            }
            WorkEvent::MemberInvited { team, agent, .. } => self.in_crew(*team, *agent, false),
            WorkEvent::MemberJoined { team, agent } => self.run(
                "UPDATE crew SET joined = 1 WHERE team = ? AND agent = ?",
                (int(team.0), int(agent.0)),
            ),
            WorkEvent::MemberLeft { team, agent } | WorkEvent::MemberRemoved { team, agent } => {
                self.left_crew(*team, *agent)
            }
            WorkEvent::SplitProposed { .. }
            | WorkEvent::SplitAgreed { .. }
            | WorkEvent::PartsLeft { .. } => Ok(()),
        }
    }

    fn in_crew(&mut self, team: TeamId, agent: AgentId, joined: bool) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO crew VALUES(?, ?, ?)",
            (int(team.0), int(agent.0), joined),
        )?;
        self.show(team, agent)
    }

    fn left_crew(&mut self, team: TeamId, agent: AgentId) -> Result<()> {
        self.run(
            "DELETE FROM crew WHERE team = ? AND agent = ?",
            (int(team.0), int(agent.0)),
        )?;
        let (teams, agents) = (kind_of(TeamId::PREFIX), kind_of(AgentId::PREFIX));
        self.run(
            "DELETE FROM seen WHERE kind = ?1 AND id = ?2 AND viewer = ?3",
            (teams, int(team.0), int(agent.0)),
        )?;
        // Its owner sees the team no more, unless it is the owner's or another of its agents is in it.
        self.run(
            "DELETE FROM seen WHERE kind = ?1 AND id = ?2
             AND viewer = (SELECT owner FROM kin WHERE kind = ?4 AND id = ?3)
             AND viewer <> (SELECT owner FROM kin WHERE kind = ?1 AND id = ?2)
             AND NOT EXISTS(SELECT 1 FROM crew m JOIN kin a ON a.kind = ?4 AND a.id = m.agent
                            WHERE m.team = ?2 AND a.owner = viewer)",
            (teams, int(team.0), int(agent.0), agents),
        )
    }

    fn ledger_thread(&mut self, event: &LedgerEvent) -> Result<()> {
        match event {
            LedgerEvent::Entries { by, entries, .. } => entries
                .iter()
                .try_for_each(|entry| self.entry_thread(entry, *by)),
            LedgerEvent::HoldTaken { hold, .. } => self.touch(*hold),
            LedgerEvent::AssetCreated { .. }
            | LedgerEvent::AccountOpened { .. }
            | LedgerEvent::AccountClosed { .. }
            | LedgerEvent::PaymentNamed { .. }
            | LedgerEvent::EntryCorrected { .. } => Ok(()),
        }
    }

    /// What an entry follows from: its hold, its deal, the entry it corrects.
    fn entry_thread(&mut self, entry: &Entry, by: Principal) -> Result<()> {
        match (entry.kind, entry.hold) {
            (EntryKind::Hold, Some(hold)) => {
                self.show_principal(hold.into(), by)?;
                // Whose money it is sees it too, when an agent of others spends it.
                let (payer, maker) = (self.owner_of_account(entry.from)?, self.owner_of(by)?);
                if let Some(payer) = payer.filter(|_| payer != maker) {
                    self.show_owner(hold, payer)?;
                }
                self.touch(hold)?;
            }
            (EntryKind::PostHold | EntryKind::VoidHold, Some(hold)) => {
                self.link(hold, entry.transfer, "was ended by")?;
                self.touch(hold)?;
            }
            (EntryKind::CaptureHold, Some(hold)) => {
                self.link(hold, entry.transfer, "was captured from by")?;
                self.touch(hold)?;
            }
            (EntryKind::RaiseHold, Some(hold)) => {
                self.link(hold, entry.transfer, "was raised by")?;
                self.touch(hold)?;
            }
            (EntryKind::Post, _) | (_, None) => {}
        }
        match entry.purpose {
            Purpose::Share(deal) => self.link(deal, entry.transfer, "was shared out by")?,
            Purpose::Correction(wrong) => self.link(wrong, entry.transfer, "was corrected by")?,
            // A deal, offer, stake or call is linked with its hold where its own event is folded.
            Purpose::Deal(_)
            | Purpose::Offer(_)
            | Purpose::Inference(_)
            | Purpose::Stake(_)
            | Purpose::Transfer
            | Purpose::Issue
            | Purpose::Deposit
            | Purpose::Withdrawal => {}
        }
        if entry.kind == EntryKind::Post {
            if let Some(approval) = self.approved {
                self.link(approval, entry.transfer, "let through")?;
            }
            if self.caused {
                self.touch(entry.transfer)?;
            }
        }
        Ok(())
    }

    /// A call of a model follows from its task, and is followed by its deployment and its money.
    fn model_thread(&mut self, event: &ModelEvent) -> Result<()> {
        let ModelEvent::Reserved {
            inference,
            reserved,
        } = event
        else {
            return Ok(());
        };
        self.link(*inference, reserved.deployment, "is served by")?;
        if let Some(before) = reserved.after {
            // Only an attempt of its own agent: of one that is over the core does not know whose it was.
            let own = Scope::Agent(reserved.agent);
            if self.snap(&Scores::default()).sees(own, before.into())? {
                self.link(before, *inference, "was followed by the attempt")?;
            }
        }
        if let Some(task) = reserved.on.tasks.first() {
            self.link(*task, *inference, "called a model by")?;
        }
        match reserved.hold {
            Some(hold) => self.link(*inference, hold, "is paid by"),
            None => Ok(()),
        }
    }

    fn market_thread(&mut self, event: &MarketEvent) -> Result<()> {
        match event {
            MarketEvent::ListingPublished { listing, .. }
            | MarketEvent::ListingUpdated { listing, .. } => self.touch(*listing),
            MarketEvent::ListingWithdrawn { listing } => {
                let sql = "INSERT OR IGNORE INTO withdrawn VALUES(?)";
                self.run(sql, [int(listing.0)])?;
                self.touch(*listing)
            }
            MarketEvent::CallOpened {
                call,
                buyer,
                invited,
                task,
                ..
            } => {
                self.show(*call, *buyer)?;
                for agent in invited {
                    self.show(*call, *agent)?;
                }
                if let Some(task) = task {
                    self.link(*task, *call, "called for proposals in")?;
                }
                self.touch(*call)
            }
            MarketEvent::CallRefused { call, agent } => {
                self.show(*call, *agent)?;
                self.touch(*call)
            }
            MarketEvent::CallRevealed { call } => self.revealed(*call),
            MarketEvent::CallClosed { call } => self.touch(*call),
            MarketEvent::OfferMade { .. } => self.offer_thread(event),
            MarketEvent::NegotiationEnded { negotiation, .. } => self.touch(*negotiation),
            MarketEvent::DealAgreed { .. } => self.deal_thread(event),
            MarketEvent::DealDelivered { deal }
            | MarketEvent::DealDisputed { deal, .. }
            | MarketEvent::DealEnded { deal, .. } => self.touch(*deal),
        }
    }

    /// From now on the caller sees the proposals.
    fn revealed(&mut self, call: CallId) -> Result<()> {
        self.touch(call)?;
        let origin = self.snap(&Scores::default()).origin(call.into())?;
        let Some(Origin::Call { buyer, .. }) = origin else {
            return Ok(());
        };
        let sql = "SELECT to_id FROM link
                   WHERE from_kind = ? AND from_id = ? AND to_kind = ? AND how = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let kinds = (kind_of(CallId::PREFIX), kind_of(NegotiationId::PREFIX));
        let rows = query.query_map((kinds.0, int(call.0), kinds.1, ANSWERED), |r| r.get(0))?;
        let proposals: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
        for negotiation in proposals {
            self.show(NegotiationId(uint(negotiation)), buyer)?;
        }
        Ok(())
    }

    fn offer_thread(&mut self, event: &MarketEvent) -> Result<()> {
        let MarketEvent::OfferMade {
            negotiation,
            opening,
            offer,
            ..
        } = event
        else {
            return Ok(());
        };
        if let Some(opening) = opening {
            self.opened_thread(*negotiation, opening)?;
        }
        if let Some(hold) = offer.hold {
            self.link(*negotiation, hold, "is funded from")?;
            self.show(hold, offer.by)?;
            let origin = self
                .snap(&Scores::default())
                .origin((*negotiation).into())?;
            if let Some(Origin::Negotiation { seller, .. }) = origin {
                self.show(hold, seller)?;
            }
        }
        self.touch(*negotiation)
    }

    fn opened_thread(&mut self, id: NegotiationId, opening: &Opening) -> Result<()> {
        self.show(id, opening.seller)?;
        match (opening.call, opening.task) {
            (Some(call), _) => {
                self.show(call, opening.seller)?;
                // The caller sees it when the proposals are opened.
                self.link(call, id, ANSWERED)?;
            }
            (None, task) => {
                self.show(id, opening.buyer)?;
                if let Some(task) = task {
                    self.link(task, id, "was negotiated in")?;
                }
            }
        }
        match opening.listing {
            Some(listing) => self.link(listing, id, "led to"),
            None => Ok(()),
        }
    }

    fn deal_thread(&mut self, event: &MarketEvent) -> Result<()> {
        let MarketEvent::DealAgreed {
            deal,
            negotiation,
            buyer,
            seller,
            bargain,
            hold,
            task,
            ..
        } = event
        else {
            return Ok(());
        };
        for agent in [Some(*buyer), Some(*seller), bargain.arbiter]
            .into_iter()
            .flatten()
        {
            self.show(*deal, agent)?;
        }
        for agent in [*buyer, *seller] {
            self.show(*hold, agent)?;
        }
        self.link(*negotiation, *deal, "became")?;
        self.link(*deal, *task, "is delivered by")?;
        self.link(*deal, *hold, "is paid from")?;
        if let Some(approval) = self.approved {
            self.link(approval, *deal, "let through")?;
        }
        self.touch(*negotiation)?;
        let origin = self
            .snap(&Scores::default())
            .origin((*negotiation).into())?;
        if let Some(Origin::Negotiation {
            call: Some(call), ..
        }) = origin
        {
            self.touch(call)?;
        }
        self.touch(*deal)
    }

    fn policy_thread(&mut self, event: &PolicyEvent) -> Result<()> {
        match event {
            PolicyEvent::ApprovalRequested { approval, request } => {
                self.approval_links(*approval, request)?;
                self.show(*approval, request.agent)?;
                self.show_owner(*approval, request.owner)?;
                self.touch(*approval)
            }
            PolicyEvent::ApprovalEnded { approval, .. } => {
                self.approved = Some(*approval);
                self.touch(*approval)
            }
            PolicyEvent::UsageReserved { usage, reserved } => {
                let task = reserved.on.as_ref().and_then(|on| on.tasks.first());
                if let Some(task) = task {
                    self.link(*task, *usage, "took work in")?;
                }
                self.touch(*usage)
            }
            PolicyEvent::UsageSettled { usage, .. } | PolicyEvent::UsageExpired { usage } => {
                self.touch(*usage)
            }
            _ => Ok(()),
        }
    }

    fn approval_links(
        &self,
        approval: rialto_core::id::ApprovalId,
        request: &Approval,
    ) -> Result<()> {
        match &request.bound {
            Bound::Accept { negotiation, .. } => self.link(*negotiation, approval, "waited for"),
            Bound::Offer { offer } => {
                if let Some(negotiation) = offer.negotiation {
                    self.link(negotiation, approval, "waited for")?;
                }
                if let Some(task) = offer.task {
                    self.link(task, approval, "waited for")?;
                }
                Ok(())
            }
            Bound::Transfer { .. } => Ok(()),
        }
    }

    fn social_thread(&mut self, event: &SocialEvent) -> Result<()> {
        match event {
            SocialEvent::Posted { post, about, .. } => {
                for thing in about {
                    self.link(*thing, *post, "was posted about in")?;
                }
                self.touch(*post)
            }
            SocialEvent::Edited { post, .. } | SocialEvent::Deleted { post } => self.touch(*post),
            SocialEvent::CommunityCreated { community, by, .. } => {
                self.on_bench(*community, *by, true)
            }
            SocialEvent::ModeratorSet {
                community,
                agent,
                moderator,
            } => self.on_bench(*community, *agent, *moderator),
            SocialEvent::Left { community, agent }
            | SocialEvent::JoinAnswered {
                community,
                agent,
                admit: false,
            } => self.on_bench(*community, *agent, false),
            SocialEvent::CommunityUpdated { community, .. } => self.touch(*community),
            SocialEvent::Reported { report, .. } => self.touch(*report),
            SocialEvent::ReportsEnded {
                reports, measure, ..
            } => {
                for report in reports {
                    if let Some(measure) = measure {
                        self.link(*report, *measure, "led to")?;
                    }
                    self.touch(*report)?;
                }
                Ok(())
            }
            SocialEvent::MeasureTaken { measure, .. }
            | SocialEvent::MeasureRevoked { measure, .. }
            | SocialEvent::Appealed { measure, .. }
            | SocialEvent::AppealDecided { measure, .. } => self.touch(*measure),
            _ => Ok(()),
        }
    }

    fn on_bench(&self, community: CommunityId, agent: AgentId, moderator: bool) -> Result<()> {
        let sql = match moderator {
            true => "INSERT OR IGNORE INTO bench VALUES(?, ?)",
            false => "DELETE FROM bench WHERE community = ? AND agent = ?",
        };
        self.run(sql, (int(community.0), int(agent.0)))
    }
}
