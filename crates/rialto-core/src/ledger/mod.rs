//! The ledger: assets, accounts, transfers and holds in double entry.
//!
//! Holds balances and open holds. For each asset the balances of all accounts add up to zero at
//! every position. Posted transfers leave memory at once and live on in the log and the views. It
//! knows nothing of deals: who may spend how much is asked of [`crate::policy`].

mod correct;
mod decide;
mod draft;
mod evolve;
mod outside;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use correct::{Corrected, Moved};
use decide::holder_of;
pub(crate) use decide::{decide, expire, request_approval, resolve_asset};
pub(crate) use draft::Draft;
pub(crate) use evolve::evolve;
pub use outside::Payment;

use crate::amount::{Amount, Decimal};
use crate::entity::{Entity, EntityKey, Key};
use crate::hash::Short;
use crate::id::{
    AccountId, AgentId, AssetId, DealId, HoldId, NegotiationId, OwnerId, TeamId, TransferId,
};
use crate::identity::{AgentRef, Principal};
use crate::policy::Node;
use crate::text::{AssetCode, ClientId, ContentRef, Name};
use crate::time::Time;

/// A kind of money.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Asset {
    /// Its code.
    #[n(0)]
    pub code: AssetCode,
    /// How many digits stand behind the point.
    #[n(1)]
    pub scale: u8,
    /// The account that operator issues come from. Its balance is never above zero.
    #[n(2)]
    pub issuance: AccountId,
    /// The account that stands for the world outside: deposits come from it, withdrawals go to it.
    #[n(3)]
    pub outside: AccountId,
}

impl Entity for Asset {
    const KIND: u8 = 20;
    type Key = AssetId;
}

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Holder {
    /// The operator's issues of an asset.
    #[n(0)]
    Issuance,
    /// The world outside.
    #[n(1)]
    Outside,
    /// An owner.
    #[n(2)]
    Owner(#[n(0)] OwnerId),
    /// A team.
    #[n(3)]
    Team(#[n(0)] TeamId),
    /// An agent.
    #[n(4)]
    Agent(#[n(0)] AgentId),
}

impl Key for Holder {
    fn write(&self, out: &mut EntityKey) {
        let (kind, number) = match self {
            Self::Issuance => (0_u8, 0),
            Self::Outside => (1, 0),
            Self::Owner(id) => (2, id.0),
            Self::Team(id) => (3, id.0),
            Self::Agent(id) => (4, id.0),
        };
        (kind, number).write(out);
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ((kind, number), rest) = <(u8, u64)>::read(bytes)?;
        let holder = match kind {
            0 => Self::Issuance,
            1 => Self::Outside,
            2 => Self::Owner(OwnerId(number)),
            3 => Self::Team(TeamId(number)),
            4 => Self::Agent(AgentId(number)),
            _ => return None,
        };
        Some((holder, rest))
    }
}

/// An account: what it holds, and what is pending on it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Account {
    /// Whose it is.
    #[n(0)]
    pub holder: Holder,
    /// In which asset.
    #[n(1)]
    pub asset: AssetId,
    /// Its name, if it is not the holder's main account.
    #[n(2)]
    pub label: Option<Name>,
    /// What it holds: all posted credits less all posted debits.
    #[n(3)]
    pub balance: Amount,
    /// What holds will take from it.
    #[n(4)]
    pub pending_out: Amount,
    /// What holds will bring to it.
    #[n(5)]
    pub pending_in: Amount,
}

impl Account {
    /// What can be spent: the balance less what holds will take.
    #[must_use]
    pub fn available(&self) -> Amount {
        // Both are within ±2^100, so the difference cannot overflow an i128.
        Amount(self.balance.0 - self.pending_out.0)
    }

    /// True for the accounts that money enters through, whose balance may fall below zero.
    #[must_use]
    pub fn may_go_negative(&self) -> bool {
        matches!(self.holder, Holder::Issuance | Holder::Outside)
    }
}

impl Entity for Account {
    const KIND: u8 = 21;
    type Key = AccountId;
}

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Purpose {
    /// A transfer that somebody asked for.
    #[n(0)]
    Transfer,
    /// An issue by the operator.
    #[n(1)]
    Issue,
    /// Money that came from outside.
    #[n(2)]
    Deposit,
    /// Money that goes outside.
    #[n(3)]
    Withdrawal,
    /// The payment of a deal.
    #[n(4)]
    Deal(#[n(0)] DealId),
    /// A member's share of what a team earned with a deal.
    #[n(5)]
    Share(#[n(0)] DealId),
    /// A correction of an earlier entry.
    #[n(6)]
    Correction(#[n(0)] TransferId),
    /// A stake that an owner holds for one of its agents.
    #[n(7)]
    Stake(#[n(0)] AgentId),
    /// A buyer's offer whose money is held before it is accepted.
    #[n(20)]
    Offer(#[n(0)] NegotiationId),
}

impl Purpose {
    /// True for what somebody chose to spend, which counts against allowances. Sharing out what a
    /// team earned, undoing a mistake and holding a stake are no spending.
    #[must_use]
    pub fn is_spending(self) -> bool {
        matches!(
            self,
            Self::Transfer | Self::Withdrawal | Self::Deal(_) | Self::Offer(_)
        )
    }
}

/// An open hold: money set aside, neither here nor there until it is posted or voided.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Hold {
    /// From which account.
    #[n(0)]
    pub from: AccountId,
    /// To which account.
    #[n(1)]
    pub to: AccountId,
    /// How much.
    #[n(2)]
    pub amount: Amount,
    /// When it is voided by itself; the hold of a deal or an offer ends with that instead.
    #[n(3)]
    pub expires: Option<Time>,
    /// What it is for.
    #[n(4)]
    pub purpose: Purpose,
    /// Who made it.
    #[n(5)]
    pub by: Principal,
    /// When it was made.
    #[n(6)]
    pub at: Time,
    /// The nodes whose allowances it counts against.
    #[n(7)]
    pub charged: Vec<Node>,
}

impl Entity for Hold {
    const KIND: u8 = 22;
    type Key = HoldId;

    fn due(&self) -> Option<Time> {
        self.expires
    }
}

/// How a request names an account: by id, or by holder, meaning the holder's main account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRef {
    /// By id.
    Account(AccountId),
    /// An agent's main account.
    Agent(AgentRef),
    /// An owner's main account.
    Owner(OwnerId),
    /// A team's budget.
    Team(TeamId),
}

impl core::str::FromStr for AccountRef {
    type Err = crate::text::BadText;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = match text.split_once('_').map(|(prefix, _)| prefix) {
            _ if text.starts_with('@') => text.parse().ok().map(Self::Agent),
            Some(AccountId::PREFIX) => text.parse().ok().map(Self::Account),
            Some(OwnerId::PREFIX) => text.parse().ok().map(Self::Owner),
            Some(TeamId::PREFIX) => text.parse().ok().map(Self::Team),
            Some(AgentId::PREFIX) => text.parse().ok().map(Self::Agent),
            _ => None,
        };
        parsed.ok_or(crate::text::BadText {
            wanted: "an account: acct_, owner_, team_ or agent_ id, or @handle",
        })
    }
}

impl core::fmt::Display for AccountRef {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Agent(agent) => agent.fmt(f),
            Self::Owner(id) => id.fmt(f),
            Self::Team(id) => id.fmt(f),
        }
    }
}

impl Serialize for AccountRef {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountRef {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for AccountRef {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "AccountRef".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An account: acct_ id, or a holder (owner_, team_, agent_ id or @handle), meaning its main account."
        })
    }
}

/// Creates an asset with its issuance and outside accounts. By the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateAsset {
    /// Its code.
    pub code: AssetCode,
    /// How many digits stand behind the point.
    pub scale: u8,
}

/// Opens an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenAccount {
    /// For whom: an owner, team or agent.
    pub holder: AccountRef,
    /// In which asset; left out, the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// Its name; left out, it is the holder's main account.
    #[serde(default)]
    pub label: Option<Name>,
}

/// Issues realm credit. By the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// To which account.
    pub to: AccountRef,
    /// How much, in whole units.
    pub amount: Decimal,
    /// In which asset; left out, the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
}

/// Reports money that came from outside. By a payment service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// To which account.
    pub to: AccountRef,
    /// How much, in whole units.
    pub amount: Decimal,
    /// In which asset; left out, the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// The payment's id outside. A service's reference counts once: the same deposit again answers with
    /// the first, another one under it is refused.
    pub reference: ClientId,
}

/// Asks for money to be paid out. It is held until the payment service says what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// From which account.
    pub from: AccountRef,
    /// How much, in whole units.
    pub amount: Decimal,
    /// In which asset; left out, the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// What the payment service knows it by, such as where it goes and a number. An owner's reference
    /// counts once: the same withdrawal again answers with the first, another one under it is refused.
    pub reference: ClientId,
}

/// Says what came of a withdrawal. By a payment service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndWithdrawal {
    /// The withdrawal's hold.
    pub hold: HoldId,
    /// True when it was paid out, false when it failed and the money stays.
    pub paid: bool,
}

/// One entry of a batch of transfers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TransferSpec {
    /// Moves money at once.
    Post {
        /// From which account.
        from: AccountRef,
        /// To which account.
        to: AccountRef,
        /// How much, in whole units.
        amount: Decimal,
        /// In which asset; left out, that of a named account, or the realm's first.
        #[serde(default)]
        asset: Option<AssetCode>,
    },
    /// Sets money aside.
    Hold {
        /// From which account.
        from: AccountRef,
        /// To which account.
        to: AccountRef,
        /// How much, in whole units.
        amount: Decimal,
        /// In which asset; left out, that of a named account, or the realm's first.
        #[serde(default)]
        asset: Option<AssetCode>,
        /// After how many milliseconds it is voided by itself.
        expires_in_ms: u64,
    },
    /// Pays a hold out, in full or in part; the rest returns to where it came from.
    PostHold {
        /// Which hold.
        hold: HoldId,
        /// How much, in whole units; left out, all of it.
        #[serde(default)]
        amount: Option<Decimal>,
    },
    /// Gives a hold back.
    VoidHold {
        /// Which hold.
        hold: HoldId,
    },
}

/// Moves money: one or many entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Transfers<C> {
    /// The entries, carried out in order.
    pub transfers: Vec<TransferSpec>,
    /// False (the default): all or nothing. True: each for itself; refused ones are named in the answer.
    #[serde(default)]
    pub independent: bool,
    /// A word about it.
    #[serde(default = "Option::<C>::default")]
    pub memo: Option<C>,
}

/// Corrects an earlier entry by a new one. By the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Correct<C> {
    /// The entry that was wrong.
    pub transfer: TransferId,
    /// The account that received too much: the one that the entry moved money to, as when left out.
    #[serde(default)]
    pub from: Option<AccountRef>,
    /// The account that is owed it: the one that the entry moved money from, as when left out.
    #[serde(default)]
    pub to: Option<AccountRef>,
    /// How much, in whole units. All corrections of an entry together are at most what it moved.
    pub amount: Decimal,
    /// In which asset: the entry's, as when left out.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// Why.
    pub reason: C,
    /// What the entry moved, as the door found it in the log; no request carries it.
    #[serde(skip)]
    pub entry: Option<Moved>,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Moves money at once.
    #[n(0)]
    Post,
    /// Sets money aside.
    #[n(1)]
    Hold,
    /// Pays a hold out; what the hold had more returns.
    #[n(2)]
    PostHold,
    /// Gives a hold back.
    #[n(3)]
    VoidHold,
}

/// One entry of the ledger, with everything needed to apply it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "LedgerEntry"))]
pub struct Entry {
    /// Its id.
    #[n(0)]
    pub transfer: TransferId,
    /// What it does.
    #[n(1)]
    pub kind: EntryKind,
    /// From which account.
    #[n(2)]
    pub from: AccountId,
    /// To which account.
    #[n(3)]
    pub to: AccountId,
    /// How much is moved or set aside; nothing for a void.
    #[n(4)]
    pub amount: Amount,
    /// In which asset.
    #[n(5)]
    pub asset: AssetId,
    /// What it is for.
    #[n(6)]
    pub purpose: Purpose,
    /// The hold it makes or ends.
    #[n(7)]
    pub hold: Option<HoldId>,
    /// When the hold it makes is voided by itself.
    #[n(8)]
    pub expires: Option<Time>,
    /// The nodes whose allowances it counts against.
    #[n(9)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charged: Vec<Node>,
}

/// What happened on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LedgerEvent {
    /// An asset was created.
    #[n(0)]
    AssetCreated {
        /// Its id.
        #[n(0)]
        asset: AssetId,
        /// Its code.
        #[n(1)]
        code: AssetCode,
        /// Its digits behind the point.
        #[n(2)]
        scale: u8,
        /// Its issuance account.
        #[n(3)]
        issuance: AccountId,
        /// Its outside account.
        #[n(4)]
        outside: AccountId,
    },
    /// An account was opened.
    #[n(1)]
    AccountOpened {
        /// Its id.
        #[n(0)]
        account: AccountId,
        /// For whom.
        #[n(1)]
        holder: Holder,
        /// In which asset.
        #[n(2)]
        asset: AssetId,
        /// Its name, if it is not the main account.
        #[n(3)]
        label: Option<Name>,
    },
    /// Money moved: all entries of one command.
    #[n(2)]
    Entries {
        /// Who moved it.
        #[n(0)]
        by: Principal,
        /// The entries, in order.
        #[n(1)]
        entries: Vec<Entry>,
        /// A word about it.
        #[n(2)]
        memo: Option<ContentRef>,
        /// The payment's id outside.
        #[n(3)]
        reference: Option<ClientId>,
    },
    /// A payment's reference was used, and counts no second time. Its entry stands in the same batch.
    #[n(10)]
    PaymentNamed {
        /// The hash of direction, of whose reference it is, and of the reference.
        #[n(0)]
        key: Short,
        /// What the payment is: all of it stands in its entry too.
        #[n(1)]
        #[serde(skip)]
        payment: Payment,
    },
    /// An entry was corrected. The correction stands in the same batch.
    #[n(11)]
    EntryCorrected {
        /// The entry that was wrong.
        #[n(0)]
        transfer: TransferId,
        /// What all its corrections come to.
        #[n(1)]
        #[serde(skip)]
        total: Amount,
    },
    /// An accepted offer's deal took over the hold that the offer was made with.
    #[n(12)]
    HoldTaken {
        /// Which hold.
        #[n(0)]
        hold: HoldId,
        /// What it is for from now on.
        #[n(1)]
        purpose: Purpose,
    },
}
