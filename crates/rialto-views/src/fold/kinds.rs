//! The names of events, as filters and people use them: `market.deal_agreed`.

use rialto_core::event::{Event, RealmEvent};
use rialto_core::identity::IdentityEvent;
use rialto_core::ledger::LedgerEvent;
use rialto_core::mail::MailEvent;
use rialto_core::market::MarketEvent;
use rialto_core::policy::PolicyEvent;
use rialto_core::social::SocialEvent;
use rialto_core::work::WorkEvent;

/// The name of an event.
pub(crate) fn kind(event: &Event) -> &'static str {
    match event {
        Event::Realm(event) => realm(event),
        Event::Identity(event) => identity(event),
        Event::Mail(event) => mail(event),
        Event::Work(event) => work(event),
        Event::Ledger(event) => ledger(event),
        Event::Market(event) => market(event),
        Event::Policy(event) => policy(event),
        Event::Social(event) => social(event),
    }
}

fn realm(event: &RealmEvent) -> &'static str {
    match event {
        RealmEvent::Founded { .. } => "realm.founded",
        RealmEvent::OperatorTokenReset { .. } => "realm.operator_token_reset",
        RealmEvent::KeyRotated { .. } => "realm.key_rotated",
        RealmEvent::ClockAccepted => "realm.clock_accepted",
        RealmEvent::Retired { .. } => "realm.retired",
        RealmEvent::ClockMoved { .. } => "realm.clock_moved",
        RealmEvent::ClockSetBack { .. } => "realm.clock_set_back",
        RealmEvent::RulesAdopted { .. } => "realm.rules_adopted",
    }
}

fn identity(event: &IdentityEvent) -> &'static str {
    match event {
        IdentityEvent::OwnerCreated { .. } => "identity.owner_created",
        IdentityEvent::PersonAdded { .. } => "identity.person_added",
        IdentityEvent::RoleSet { .. } => "identity.role_set",
        IdentityEvent::AgentRegistered { .. } => "identity.agent_registered",
        IdentityEvent::ProfileSet { .. } => "identity.profile_set",
        IdentityEvent::AgentMoved { .. } => "identity.agent_moved",
        IdentityEvent::KeyRotated { .. } => "identity.key_rotated",
        IdentityEvent::TokenIssued { .. } => "identity.token_issued",
        IdentityEvent::TokenEnded { .. } => "identity.token_ended",
        IdentityEvent::OwnerSwitched { .. } => "identity.owner_switched",
        IdentityEvent::PersonSwitched { .. } => "identity.person_switched",
        IdentityEvent::AgentSwitched { .. } => "identity.agent_switched",
        IdentityEvent::ServiceCreated { .. } => "identity.service_created",
        IdentityEvent::ServiceSwitched { .. } => "identity.service_switched",
        IdentityEvent::StakeHeld { .. } => "identity.stake_held",
        IdentityEvent::AgentClosed { .. } => "identity.agent_closed",
        IdentityEvent::AgentsStopped { .. } => "identity.agents_stopped",
        IdentityEvent::HandleMarked { .. } => "identity.handle_marked",
        IdentityEvent::TokenLeaked { .. } => "identity.token_leaked",
        IdentityEvent::Invited { .. } => "identity.invited",
        IdentityEvent::InvitationUsed { .. } => "identity.invitation_used",
        IdentityEvent::InvitationEnded { .. } => "identity.invitation_ended",
    }
}

fn mail(event: &MailEvent) -> &'static str {
    match event {
        MailEvent::ConversationOpened { .. } => "mail.conversation_opened",
        MailEvent::MessageSent { .. } => "mail.message_sent",
        MailEvent::RequestAnswered { .. } => "mail.request_answered",
        MailEvent::GroupChanged { .. } => "mail.group_changed",
        MailEvent::Acknowledged { .. } => "mail.acknowledged",
        MailEvent::Trimmed { .. } => "mail.trimmed",
        MailEvent::Erased { .. } => "mail.erased",
        MailEvent::ConversationClosed { .. } => "mail.conversation_closed",
        MailEvent::ContactLapsed { .. } => "mail.contact_lapsed",
        MailEvent::LanesOpened => "mail.lanes_opened",
        MailEvent::Cleared { .. } => "mail.cleared",
    }
}

fn work(event: &WorkEvent) -> &'static str {
    match event {
        WorkEvent::TaskCreated { .. } => "work.task_created",
        WorkEvent::TaskUpdated { .. } => "work.task_updated",
        WorkEvent::ArtifactAdded { .. } => "work.artifact_added",
        WorkEvent::TeamCreated { .. } => "work.team_created",
        WorkEvent::MemberInvited { .. } => "work.member_invited",
        WorkEvent::MemberJoined { .. } => "work.member_joined",
        WorkEvent::MemberLeft { .. } => "work.member_left",
        WorkEvent::SplitProposed { .. } => "work.split_proposed",
        WorkEvent::SplitAgreed { .. } => "work.split_agreed",
        WorkEvent::PartsLeft { .. } => "work.parts_left",
    }
}

fn ledger(event: &LedgerEvent) -> &'static str {
    match event {
        LedgerEvent::AssetCreated { .. } => "ledger.asset_created",
        LedgerEvent::AccountOpened { .. } => "ledger.account_opened",
        LedgerEvent::Entries { .. } => "ledger.entries",
        LedgerEvent::PaymentNamed { .. } => "ledger.payment_named",
        LedgerEvent::EntryCorrected { .. } => "ledger.entry_corrected",
        LedgerEvent::HoldTaken { .. } => "ledger.hold_taken",
    }
}

fn market(event: &MarketEvent) -> &'static str {
    match event {
        MarketEvent::ListingPublished { .. } => "market.listing_published",
        MarketEvent::ListingUpdated { .. } => "market.listing_updated",
        MarketEvent::ListingWithdrawn { .. } => "market.listing_withdrawn",
        MarketEvent::CallOpened { .. } => "market.call_opened",
        MarketEvent::CallRefused { .. } => "market.call_refused",
        MarketEvent::CallRevealed { .. } => "market.call_revealed",
        MarketEvent::CallClosed { .. } => "market.call_closed",
        MarketEvent::OfferMade { .. } => "market.offer_made",
        MarketEvent::NegotiationEnded { .. } => "market.negotiation_ended",
        MarketEvent::DealAgreed { .. } => "market.deal_agreed",
        MarketEvent::DealDelivered { .. } => "market.deal_delivered",
        MarketEvent::DealDisputed { .. } => "market.deal_disputed",
        MarketEvent::DealEnded { .. } => "market.deal_ended",
    }
}

fn policy(event: &PolicyEvent) -> &'static str {
    match event {
        PolicyEvent::SettingsChanged { .. } => "policy.settings_changed",
        PolicyEvent::AllowanceSet { .. } => "policy.allowance_set",
        PolicyEvent::Blocked { .. } => "policy.blocked",
        PolicyEvent::Unblocked { .. } => "policy.unblocked",
        PolicyEvent::ApprovalRequested { .. } => "policy.approval_requested",
        PolicyEvent::ApprovalEnded { .. } => "policy.approval_ended",
    }
}

fn social(event: &SocialEvent) -> &'static str {
    match event {
        SocialEvent::Followed { .. } => "social.followed",
        SocialEvent::Unfollowed { .. } => "social.unfollowed",
        SocialEvent::Muted { .. } => "social.muted",
        SocialEvent::Unmuted { .. } => "social.unmuted",
        SocialEvent::OwnerMuted { .. } => "social.owner_muted",
        SocialEvent::OwnerUnmuted { .. } => "social.owner_unmuted",
        SocialEvent::Posted { .. } => "social.posted",
        SocialEvent::Edited { .. } => "social.edited",
        SocialEvent::Deleted { .. } => "social.deleted",
        SocialEvent::Reacted { .. } => "social.reacted",
        SocialEvent::PostsClosed { .. } => "social.posts_closed",
        SocialEvent::CommunityCreated { .. } => "social.community_created",
        SocialEvent::CommunityUpdated { .. } => "social.community_updated",
        SocialEvent::Joined { .. } => "social.joined",
        SocialEvent::JoinRequested { .. } => "social.join_requested",
        SocialEvent::JoinAnswered { .. } => "social.join_answered",
        SocialEvent::Left { .. } => "social.left",
        SocialEvent::ModeratorSet { .. } => "social.moderator_set",
        SocialEvent::Reported { .. } => "social.reported",
        SocialEvent::ReportsEnded { .. } => "social.reports_ended",
        SocialEvent::MeasureTaken { .. } => "social.measure_taken",
        SocialEvent::MeasureRevoked { .. } => "social.measure_revoked",
        SocialEvent::Appealed { .. } => "social.appealed",
        SocialEvent::AppealDecided { .. } => "social.appeal_decided",
    }
}
