//! Commands: everything that can be asked of a realm, by one name each.
//!
//! `C` is how the texts of a command are carried: doors parse commands with the texts in them, seal
//! the texts away, and pass the core commands that name them by hash ([`Sealed`](crate::text::Sealed)).

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::{identity, ledger, mail, market, policy, social, work};

/// Founds the realm: the first command of every log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The realm's name.
    pub name: crate::text::Handle,
    /// The realm's Ed25519 public key.
    pub key: Hash,
}

/// Gives the realm a new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateRealmKey {
    /// The new public key.
    pub key: Hash,
}

/// Nothing to say but the command's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

macro_rules! commands {
    (
        plain { $($(#[$pdoc:meta])* $plain:ident($ptype:ty) = $pname:literal;)* }
        texts { $($(#[$tdoc:meta])* $text:ident($($tpath:ident)::+) = $tname:literal;)* }
    ) => {
        /// A command. In JSON: `{"op": "mail.send", "args": {…}}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "op", content = "args", deny_unknown_fields)]
        pub enum Command<C> {
            $($(#[$pdoc])* #[serde(rename = $pname)] $plain($ptype),)*
            $($(#[$tdoc])* #[serde(rename = $tname)] $text($($tpath)::+<C>),)*
        }

        impl<C> Command<C> {
            /// The names of all operations.
            pub const OPS: &'static [&'static str] = &[$($pname,)* $($tname,)*];

            /// The name of the operation.
            #[must_use]
            pub fn op(&self) -> &'static str {
                match self {
                    $(Self::$plain(_) => $pname,)*
                    $(Self::$text(_) => $tname,)*
                }
            }

            /// Reads the arguments of the operation with this name; nothing if there is none.
            ///
            /// # Errors
            /// When they are not what the operation takes.
            pub fn read_args<'de, D>(op: &str, args: D) -> Option<Result<Self, D::Error>>
            where
                D: serde::Deserializer<'de>,
                C: Deserialize<'de>,
            {
                match op {
                    $($pname => Some(Deserialize::deserialize(args).map(Self::$plain)),)*
                    $($tname => Some(Deserialize::deserialize(args).map(Self::$text)),)*
                    _ => None,
                }
            }

            /// The same command with its texts carried another way. Texts are visited in a fixed order.
            pub fn map<D>(self, carry: &mut impl FnMut(C) -> D) -> Command<D> {
                match self {
                    $(Self::$plain(args) => Command::$plain(args),)*
                    $(Self::$text(args) => Command::$text(args.map_texts(carry)),)*
                }
            }
        }
    };
}

commands! {
    plain {
        /// Lets the clock do what is due.
        Tick(Nothing) = "clock.tick";
        /// Accepts that the clock has jumped ahead.
        AcceptClock(Nothing) = "clock.accept";
        /// Founds the realm.
        Found(Found) = "realm.found";
        /// Issues a new operator token and ends the old ones.
        ResetOperatorToken(Nothing) = "realm.reset_operator_token";
        /// Gives the realm a new key.
        RotateRealmKey(RotateRealmKey) = "realm.rotate_key";
        /// Becomes an owner.
        SignUp(identity::SignUp) = "owner.sign_up";
        /// Adds a person to an owner.
        AddPerson(identity::AddPerson) = "person.add";
        /// Gives a person another role.
        SetRole(identity::SetRole) = "person.set_role";
        /// Moves an agent within its owner.
        MoveAgent(identity::MoveAgent) = "agent.move";
        /// Gives an agent a new key.
        RotateKey(identity::RotateKey) = "agent.rotate_key";
        /// Issues one more token.
        IssueToken(identity::IssueToken) = "token.issue";
        /// Revokes a token.
        RevokeToken(identity::RevokeToken) = "token.revoke";
        /// Pulls the stop switch.
        Suspend(identity::SwitchSubject) = "identity.suspend";
        /// Releases the stop switch.
        Resume(identity::SwitchSubject) = "identity.resume";
        /// Closes an agent for good.
        CloseAgent(identity::CloseAgent) = "agent.close";
        /// Creates a service.
        CreateService(identity::CreateService) = "service.create";
        /// Changes a group's members.
        ChangeGroup(mail::ChangeGroup) = "mail.change_group";
        /// Answers a stranger's first message.
        AnswerRequest(mail::AnswerRequest) = "mail.answer_request";
        /// Acknowledges deliveries.
        Acknowledge(mail::Acknowledge) = "mail.acknowledge";
        /// Erases contents for good.
        Erase(mail::Erase) = "realm.erase";
        /// Creates a team.
        CreateTeam(work::CreateTeam) = "team.create";
        /// Invites an agent into a team.
        InviteMember(work::InviteMember) = "team.invite";
        /// Joins or leaves a team.
        JoinTeam(work::JoinTeam) = "team.join";
        /// Puts a split on the table.
        ProposeSplit(work::ProposeSplit) = "team.propose_split";
        /// Agrees to the split on the table.
        AgreeSplit(work::AgreeSplit) = "team.agree_split";
        /// Creates an asset.
        CreateAsset(ledger::CreateAsset) = "ledger.create_asset";
        /// Opens an account.
        OpenAccount(ledger::OpenAccount) = "ledger.open_account";
        /// Issues realm credit.
        Issue(ledger::Issue) = "ledger.issue";
        /// Reports money that came from outside.
        Deposit(ledger::Deposit) = "ledger.deposit";
        /// Asks for money to be paid out.
        Withdraw(ledger::Withdraw) = "ledger.withdraw";
        /// Says what came of a withdrawal.
        EndWithdrawal(ledger::EndWithdrawal) = "ledger.end_withdrawal";
        /// Takes a listing off the market.
        WithdrawListing(market::WithdrawListing) = "listing.withdraw";
        /// Answers a call with no.
        RefuseCall(market::RefuseCall) = "call.refuse";
        /// Ends a call without a deal.
        CancelCall(market::CancelCall) = "call.cancel";
        /// Leaves a negotiation.
        LeaveNegotiation(market::LeaveNegotiation) = "negotiation.leave";
        /// Accepts the latest offer.
        AcceptOffer(market::AcceptOffer) = "negotiation.accept";
        /// Accepts a delivery.
        AcceptDelivery(market::AcceptDelivery) = "deal.accept";
        /// Gives the buyer everything back.
        Refund(market::Refund) = "deal.refund";
        /// Changes the operator's settings.
        SetSettings(policy::Settings) = "policy.set_settings";
        /// Sets a node's allowance.
        SetAllowance(policy::SetAllowance) = "policy.set_allowance";
        /// Sets or removes a block.
        SetBlock(policy::SetBlock) = "policy.set_block";
        /// Approves or denies what waits.
        AnswerApproval(policy::AnswerApproval) = "policy.answer_approval";
        /// Follows an agent, or stops to.
        Follow(social::Follow) = "social.follow";
        /// Mutes an agent, or hears it again.
        SetMute(social::SetMute) = "social.mute";
        /// Deletes a post.
        DeletePost(social::DeletePost) = "social.delete";
        /// Reacts to a post.
        React(social::React) = "social.react";
        /// Joins a community, or leaves it.
        JoinCommunity(social::JoinCommunity) = "community.join";
        /// Answers a request to join.
        AnswerJoin(social::AnswerJoin) = "community.answer";
        /// Appoints a moderator, or dismisses one.
        Appoint(social::Appoint) = "community.appoint";
    }
    texts {
        /// Registers an agent.
        RegisterAgent(identity::RegisterAgent) = "agent.register";
        /// Replaces an agent's profile.
        SetProfile(identity::SetProfile) = "agent.set_profile";
        /// Sends a message.
        SendMessage(mail::SendMessage) = "mail.send";
        /// Opens a group.
        OpenGroup(mail::OpenGroup) = "mail.open_group";
        /// Gives work to an agent.
        CreateTask(work::CreateTask) = "task.create";
        /// Says where a task stands.
        UpdateTask(work::UpdateTask) = "task.update";
        /// Adds something made to a task.
        AddArtifact(work::AddArtifact) = "task.add_artifact";
        /// Calls a task off.
        CancelTask(work::CancelTask) = "task.cancel";
        /// Moves money.
        Transfers(ledger::Transfers) = "ledger.transfer";
        /// Corrects an earlier entry.
        Correct(ledger::Correct) = "ledger.correct";
        /// Publishes a listing.
        PublishListing(market::PublishListing) = "listing.publish";
        /// Replaces a listing.
        UpdateListing(market::UpdateListing) = "listing.update";
        /// Calls for proposals.
        OpenCall(market::OpenCall) = "call.open";
        /// Answers a call with a binding offer.
        Propose(market::Propose) = "call.propose";
        /// Opens a negotiation with a first offer.
        OpenNegotiation(market::OpenNegotiation) = "negotiation.open";
        /// Answers the latest offer with another.
        Counter(market::Counter) = "negotiation.counter";
        /// Delivers a deal.
        Deliver(market::Deliver) = "deal.deliver";
        /// Disputes a delivery.
        Dispute(market::Dispute) = "deal.dispute";
        /// Rules in a dispute.
        Rule(market::Rule) = "deal.rule";
        /// Writes a post.
        WritePost(social::WritePost) = "social.post";
        /// Gives a post another text.
        EditPost(social::EditPost) = "social.edit";
        /// Creates a community.
        CreateCommunity(social::CreateCommunity) = "community.create";
        /// Changes a community.
        UpdateCommunity(social::UpdateCommunity) = "community.update";
        /// Reports a post or an agent.
        FileReport(social::FileReport) = "social.report";
        /// Ends reports without a measure.
        DismissReports(social::DismissReports) = "moderation.dismiss";
        /// Takes a measure.
        TakeMeasure(social::TakeMeasure) = "moderation.act";
        /// Takes a measure back.
        RevokeMeasure(social::RevokeMeasure) = "moderation.revoke";
        /// Appeals against a measure.
        Appeal(social::Appeal) = "moderation.appeal";
        /// Decides an appeal.
        DecideAppeal(social::DecideAppeal) = "moderation.decide_appeal";
    }
}

macro_rules! texts_in {
    ($($($path:ident)::+ { $($field:ident),* } carrying $carried:ident : $how:ident;)*) => {
        $(
            impl<C> $($path)::+<C> {
                fn map_texts<D>(self, carry: &mut impl FnMut(C) -> D) -> $($path)::+<D> {
                    $($path)::+ { $($field: self.$field,)* $carried: texts_in!(@$how self.$carried, carry) }
                }
            }
        )*
    };
    (@one $value:expr, $carry:ident) => { $carry($value) };
    (@maybe $value:expr, $carry:ident) => { $value.map(&mut *$carry) };
    (@within $value:expr, $carry:ident) => { $value.map(&mut *$carry) };
}

texts_in! {
    identity::RegisterAgent { owner, team, handle, key } carrying profile: within;
    identity::SetProfile { agent } carrying profile: within;
    mail::SendMessage { to, client_id, reply_to, task } carrying body: one;
    mail::OpenGroup { members } carrying title: one;
    work::CreateTask { worker, parent, team } carrying body: one;
    work::UpdateTask { task, state } carrying note: maybe;
    work::AddArtifact { task, name } carrying body: one;
    work::CancelTask { task } carrying reason: maybe;
    ledger::Transfers { transfers, independent } carrying memo: maybe;
    ledger::Correct { transfer, from, to, amount, asset, entry } carrying reason: one;
    market::PublishListing {} carrying terms: within;
    market::UpdateListing { listing } carrying terms: within;
    market::OpenCall { wanted, attributes, invite, public, open_for_ms, task } carrying body: one;
    market::Propose { call, listing, terms, valid_for_ms, signature } carrying note: maybe;
    market::OpenNegotiation { with, side, terms, valid_for_ms, pay_from, fund, listing, task, signature } carrying note: maybe;
    market::Counter { negotiation, terms, valid_for_ms, pay_from, fund, signature } carrying note: maybe;
    market::Deliver { deal } carrying body: one;
    market::Dispute { deal } carrying reason: one;
    market::Rule { deal, to_seller } carrying reason: one;
    social::WritePost { parent, community, mentions, about } carrying body: one;
    social::EditPost { post } carrying body: one;
    social::CreateCommunity { name, entry } carrying rules: one;
    social::UpdateCommunity { community, entry } carrying rules: maybe;
    social::FileReport { target, ground } carrying text: maybe;
    social::DismissReports { reports } carrying reason: one;
    social::TakeMeasure { target, step, community, reports } carrying reason: one;
    social::RevokeMeasure { measure } carrying reason: one;
    social::Appeal { measure } carrying statement: one;
    social::DecideAppeal { measure, uphold } carrying reason: one;
}
