//! The events of identities: what happened, as the log keeps it. A released one never changes.

use alloc::boxed::Box;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Custody, Grant, OwnerKind, Principal, Profile, Role, Status, TokenScope};
use crate::amount::Amount;
use crate::fact::{TextOf, facts};
use crate::hash::{Hash, Short};
use crate::id::{AgentId, HoldId, OwnerId, PersonId, ServiceId, TeamId, TokenId};
use crate::text::{ContentRef, Handle, Name};
use crate::time::Time;

/// What happened to identities.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdentityEvent {
    /// An owner signed up.
    #[n(0)]
    OwnerCreated {
        /// Its id.
        #[n(0)]
        owner: OwnerId,
        /// Its name.
        #[n(1)]
        name: Handle,
        /// Person or organisation.
        #[n(2)]
        kind: OwnerKind,
    },
    /// A person joined an owner.
    #[n(1)]
    PersonAdded {
        /// Its id.
        #[n(0)]
        person: PersonId,
        /// The owner.
        #[n(1)]
        owner: OwnerId,
        /// Its name.
        #[n(2)]
        name: Name,
        /// Its role.
        #[n(3)]
        role: Role,
    },
    /// A person got another role.
    #[n(2)]
    RoleSet {
        /// The agent.
        #[n(0)]
        person: PersonId,
        /// The role.
        #[n(1)]
        role: Role,
    },
    /// An agent was registered.
    #[n(3)]
    AgentRegistered {
        /// Its id.
        #[n(0)]
        agent: AgentId,
        /// Its owner.
        #[n(1)]
        owner: OwnerId,
        /// The team it belongs to.
        #[n(2)]
        team: Option<TeamId>,
        /// Its handle.
        #[n(3)]
        handle: Handle,
        /// Its public key.
        #[n(4)]
        key: Hash,
        /// Who holds the private key.
        #[n(5)]
        custody: Custody,
        /// What it says about itself.
        #[n(6)]
        profile: Profile<ContentRef>,
    },
    /// An agent's profile was replaced.
    #[n(4)]
    ProfileSet {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// What it says about itself.
        #[n(1)]
        profile: Profile<ContentRef>,
    },
    /// An agent was moved within its owner.
    #[n(5)]
    AgentMoved {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// The team.
        #[n(1)]
        team: Option<TeamId>,
    },
    /// An agent got a new key.
    #[n(6)]
    KeyRotated {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// The new public key.
        #[n(1)]
        key: Hash,
        /// Who holds the private key.
        #[n(2)]
        custody: Custody,
    },
    /// A token was issued.
    #[n(7)]
    TokenIssued {
        /// Its id.
        #[n(0)]
        token: TokenId,
        /// The token's holder.
        #[n(1)]
        principal: Principal,
        /// The hash of its secret.
        #[n(2)]
        #[serde(skip)]
        hash: Hash,
        /// Its name.
        #[n(3)]
        label: Option<Name>,
        /// When it expires.
        #[n(4)]
        expires: Option<Time>,
        /// What it may do, if not everything.
        #[n(5)]
        scope: Option<Box<TokenScope>>,
    },
    /// A token ended: revoked, or expired.
    #[n(8)]
    TokenEnded {
        /// The token.
        #[n(0)]
        token: TokenId,
    },
    /// The stop switch of an owner was pulled or released.
    #[n(9)]
    OwnerSwitched {
        /// The owner.
        #[n(0)]
        owner: OwnerId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
    },
    /// The stop switch of a person was pulled or released.
    #[n(10)]
    PersonSwitched {
        /// The person.
        #[n(0)]
        person: PersonId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
        /// True if the operator pulled it, so that only the operator releases it.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        by_operator: Option<bool>,
    },
    /// The stop switch of an agent was pulled or released.
    #[n(11)]
    AgentSwitched {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
        /// True if the operator pulled it, so that only the operator releases it.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        by_operator: Option<bool>,
    },
    /// A service was created.
    #[n(12)]
    ServiceCreated {
        /// Its id.
        #[n(0)]
        service: ServiceId,
        /// Its name.
        #[n(1)]
        name: Name,
        /// What it may do.
        #[n(2)]
        grants: Vec<Grant>,
    },
    /// The stop switch of a service was pulled or released.
    #[n(13)]
    ServiceSwitched {
        /// The service.
        #[n(0)]
        service: ServiceId,
        /// Suspended or active.
        #[n(1)]
        status: Status,
    },
    /// A stake is held for an agent.
    #[n(14)]
    StakeHeld {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// The hold.
        #[n(1)]
        hold: HoldId,
    },
    /// An agent was closed for good; its stake, if there was one, is given back in the same batch.
    #[n(15)]
    AgentClosed {
        /// The agent.
        #[n(0)]
        agent: AgentId,
    },
    /// All agents of an owner were stopped or restarted at once.
    #[n(20)]
    AgentsStopped {
        /// The owner.
        #[n(0)]
        owner: OwnerId,
        /// True when they were stopped.
        #[n(1)]
        stop: bool,
        /// True if the operator stopped them, so that only the operator restarts them.
        #[n(2)]
        #[serde(skip_serializing_if = "Option::is_none")]
        by_operator: Option<bool>,
    },
    /// An agent's handle is one edit away from, or reads like, a known handle of another owner.
    #[n(30)]
    HandleMarked {
        /// The agent.
        #[n(0)]
        agent: AgentId,
        /// The older agent.
        #[n(1)]
        resembles: AgentId,
    },
    /// An incoming text contained a live token, which has ended.
    #[n(31)]
    TokenLeaked {
        /// The token.
        #[n(0)]
        token: TokenId,
        /// The token's holder.
        #[n(1)]
        principal: Principal,
    },
    /// An invitation was made: whoever holds its code may sign up.
    #[n(40)]
    Invited {
        /// Its id.
        #[n(0)]
        invitation: TokenId,
        /// The hash of its code.
        #[n(1)]
        #[serde(skip)]
        code: Short,
        /// Its name.
        #[n(2)]
        label: Option<Name>,
        /// How many sign-ups it allows.
        #[n(3)]
        uses: u32,
        /// When it expires.
        #[n(4)]
        expires: Time,
    },
    /// Somebody signed up with an invitation.
    #[n(41)]
    InvitationUsed {
        /// The invitation.
        #[n(0)]
        invitation: TokenId,
        /// The hash of its code.
        #[n(1)]
        #[serde(skip)]
        code: Short,
        /// The owner.
        #[n(2)]
        owner: OwnerId,
    },
    /// An invitation was revoked, or has expired.
    #[n(42)]
    InvitationEnded {
        /// The invitation.
        #[n(0)]
        invitation: TokenId,
        /// The hash of its code.
        #[n(1)]
        #[serde(skip)]
        code: Short,
    },
    /// A token was replaced by a new one, and goes on for a while beside it.
    #[n(43)]
    TokenReplaced {
        /// The old token.
        #[n(0)]
        token: TokenId,
        /// Its holder.
        #[n(1)]
        principal: Principal,
        /// The new one, which has what the old one may do and what it has spent.
        #[n(2)]
        by: TokenId,
        /// When the old one ends.
        #[n(3)]
        until: Time,
    },
    /// A token with a limit was used to spend.
    #[n(44)]
    TokenSpent {
        /// The token whose limit it counts at.
        #[n(0)]
        token: TokenId,
        /// How much, in the asset of the limit.
        #[n(1)]
        amount: Amount,
    },
}

facts! {
    IdentityEvent {
        OwnerCreated { owner, .. } = "identity.owner_created", concerns [owner], texts [], told [];
        PersonAdded { owner, .. } = "identity.person_added", concerns [owner], texts [], told [];
        RoleSet { person, .. } = "identity.role_set", concerns [person], texts [], told [];
        AgentRegistered { agent, profile, .. } = "identity.agent_registered",
            concerns [agent], texts [profile => TextOf::Agent(*agent)], told [];
        ProfileSet { agent, profile } = "identity.profile_set",
            concerns [agent], texts [profile => TextOf::Agent(*agent)], told [];
        AgentMoved { agent, .. } = "identity.agent_moved", concerns [agent], texts [], told [];
        KeyRotated { agent, .. } = "identity.key_rotated", concerns [agent], texts [], told [];
        TokenIssued { principal, .. } = "identity.token_issued", concerns [principal], texts [], told [];
        TokenEnded { token } = "identity.token_ended", concerns [token], texts [], told [];
        OwnerSwitched { owner, .. } = "identity.owner_switched", concerns [owner], texts [], told [];
        PersonSwitched { person, .. } = "identity.person_switched", concerns [person], texts [], told [];
        AgentSwitched { agent, .. } = "identity.agent_switched", concerns [agent], texts [], told [];
        ServiceCreated { .. } = "identity.service_created", concerns [], texts [], told [];
        ServiceSwitched { .. } = "identity.service_switched", concerns [], texts [], told [];
        StakeHeld { agent, .. } = "identity.stake_held", concerns [agent], texts [], told [];
        AgentClosed { agent } = "identity.agent_closed", concerns [agent], texts [], told [];
        AgentsStopped { owner, .. } = "identity.agents_stopped", concerns [owner], texts [], told [];
        HandleMarked { agent, .. } = "identity.handle_marked", concerns [agent], texts [], told [];
        TokenLeaked { token, .. } = "identity.token_leaked", concerns [token], texts [], told [];
        TokenReplaced { principal, .. } = "identity.token_replaced", concerns [principal], texts [], told [];
        TokenSpent { token, .. } = "identity.token_spent", concerns [token], texts [], told [];
        Invited { .. } = "identity.invited", concerns [], texts [], told [];
        InvitationUsed { owner, .. } = "identity.invitation_used", concerns [owner], texts [], told [];
        InvitationEnded { .. } = "identity.invitation_ended", concerns [], texts [], told [];
    }
}
