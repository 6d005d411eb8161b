//! The commands about identities: what can be asked for. What becomes of them is decided elsewhere.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    AgentRef, EndInvitation, Grant, Invite, Network, OwnerKind, Profile, Right, Role, UpTo, decide,
    invitation,
};
use crate::command::{commands, never};
use crate::hash::Hash;
use crate::id::{OwnerId, PersonId, ServiceId, TeamId, TokenId};
use crate::text::{Handle, Name};

commands! {
    /// What can be asked about identities.
    pub enum IdentityCommand<C> needs everything {
        /// Signs up an owner.
        SignUp(SignUp) = "owner.sign_up" => decide::sign_up, reaches_others: never;
        /// Adds a person to an owner.
        AddPerson(AddPerson) = "person.add" => decide::add_person, reaches_others: never;
        /// Gives a person another role.
        SetRole(SetRole) = "person.set_role" => decide::set_role, reaches_others: never;
        /// Moves an agent within its owner.
        MoveAgent(MoveAgent) = "agent.move" => decide::move_agent, reaches_others: never;
        /// Gives an agent a new key.
        RotateKey(RotateKey) = "agent.rotate_key" => decide::rotate_key, reaches_others: never;
        /// Issues one more token.
        IssueToken(IssueToken) = "token.issue" => decide::issue_token, reaches_others: never;
        /// Revokes a token.
        RevokeToken(RevokeToken) = "token.revoke" => decide::revoke_token, reaches_others: never;
        /// Replaces a token by a new one, beside which it goes on for a while.
        RotateToken(RotateToken) = "token.rotate" => decide::rotate_token, reaches_others: never, needs: judged;
        /// Ends a token that a text contained.
        EndLeaked(EndLeaked) = "token.end_leaked" => decide::end_leaked, reaches_others: never;
        /// Pulls the stop switch.
        Suspend(SwitchSubject) = "identity.suspend" => decide::suspend, reaches_others: never;
        /// Releases the stop switch.
        Resume(SwitchSubject) = "identity.resume" => decide::resume, reaches_others: never;
        /// Stops or restarts all agents of an owner at once.
        StopAgents(StopAgents) = "owner.stop" => decide::stop_agents, reaches_others: never;
        /// Closes an agent for good.
        CloseAgent(CloseAgent) = "agent.close" => decide::close, reaches_others: never;
        /// Creates a service.
        CreateService(CreateService) = "service.create" => decide::create_service, reaches_others: never;
        /// Makes an invitation.
        Invite(Invite) = "invitation.create" => invitation::invite, reaches_others: never;
        /// Revokes an invitation.
        EndInvitation(EndInvitation) = "invitation.end" => invitation::end, reaches_others: never;
    }
    texts {
        /// Registers an agent.
        RegisterAgent(RegisterAgent { owner, team, handle, key } carrying profile: within, blank taken)
            = "agent.register" => decide::register, reaches_others: never;
        /// Replaces an agent's profile.
        SetProfile(SetProfile { agent } carrying profile: within, blank taken)
            = "agent.set_profile" => decide::set_profile, reaches_others: never;
    }
}

/// The subject of a stop switch or a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// An owner with all its people and agents.
    Owner(OwnerId),
    /// A person.
    Person(PersonId),
    /// An agent.
    Agent(AgentRef),
    /// A service.
    Service(ServiceId),
}

/// Becomes an owner, with one admin and its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// The owner's unique name.
    pub name: Handle,
    /// A person or an organisation.
    pub kind: OwnerKind,
    /// The code of an invitation, which works even if sign-up is closed or its rate is reached.
    #[serde(default)]
    pub invitation: Option<Name>,
}

/// Adds a person to an owner and issues its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    /// The owner.
    pub owner: OwnerId,
    /// Its name within the owner.
    pub name: Name,
    /// What it may do.
    pub role: Role,
}

/// Gives a person another role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// The agent.
    pub person: PersonId,
    /// What it may do from now on.
    pub role: Role,
}

/// Registers an agent and issues its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterAgent<C> {
    /// Its owner; by default the person's own.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// The team of the owner that it belongs to.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Its unique handle.
    pub handle: Handle,
    /// Its Ed25519 public key; by default the realm makes a key and keeps the private half.
    #[serde(default)]
    pub key: Option<Hash>,
    /// What it says about itself.
    #[serde(default = "Profile::<C>::default")]
    pub profile: Profile<C>,
}

/// Replaces an agent's profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetProfile<C> {
    /// The agent.
    pub agent: AgentRef,
    /// What it says about itself from now on.
    pub profile: Profile<C>,
}

/// Moves an agent under a team of its owner, or out of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MoveAgent {
    /// The agent.
    pub agent: AgentRef,
    /// Under which team; none puts it directly under its owner.
    #[serde(default)]
    pub team: Option<TeamId>,
}

/// Gives an agent a new key. Handle, balance, reputation and open holds stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// The agent.
    pub agent: AgentRef,
    /// The new public key; by default the realm makes a key and keeps the private half.
    #[serde(default)]
    pub key: Option<Hash>,
}

/// Issues one more token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct IssueToken {
    /// The token's holder.
    pub subject: Subject,
    /// A name that distinguishes it from others.
    #[serde(default)]
    pub label: Option<Name>,
    /// After how many milliseconds it expires; by default never.
    #[serde(default)]
    pub expires_in_ms: Option<u64>,
    /// What it may do; by default everything that its holder may.
    #[serde(default)]
    pub may: Option<Vec<Right>>,
    /// The most that it may spend in all, for a token that may trade. What comes back does not
    /// count against it.
    #[serde(default)]
    pub up_to: Option<UpTo>,
    /// From which networks it may be used; by default from everywhere.
    #[serde(default)]
    pub from: Vec<Network>,
}

/// Replaces a token by a new one that may do the same until the same time. The old one goes on for a
/// while, so that programs can be changed over one by one. A token may always replace itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateToken {
    /// The token; by default the one that asks.
    #[serde(default)]
    pub token: Option<TokenId>,
    /// For how many milliseconds the old one goes on; by default a day, at most 30 days.
    #[serde(default)]
    pub overlap_ms: Option<u64>,
}

/// Revokes a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    /// The token.
    pub token: TokenId,
}

/// Ends a token that an incoming text contained. Only the realm itself does this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndLeaked {
    /// The token.
    pub token: TokenId,
}

/// Pulls or releases the stop switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SwitchSubject {
    /// Who is stopped or resumed.
    pub subject: Subject,
}

/// Stops all agents of an owner at once, or restarts them. An agent that was suspended individually
/// stays suspended; one that is registered during the stop is stopped too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StopAgents {
    /// The owner; by default the person's own.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// True stops them, false restarts them.
    pub stop: bool,
}

/// Closes an agent for good: it never acts again, and its handle is never reused. Its deals and
/// tasks end by their own terms, its owner may move its money, and its stake comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CloseAgent {
    /// The agent.
    pub agent: AgentRef,
}

/// Creates a service with its first token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateService {
    /// Its name.
    pub name: Name,
    /// What it may do.
    pub grants: Vec<Grant>,
}
