//! The ledger: assets, accounts, transfers and holds in double entry.
//!
//! Holds balances and open holds. For each asset the balances of all accounts add up to zero at
//! every position. Posted transfers leave memory at once and live on in the log and the views. It
//! knows nothing of deals; [`crate::policy`] decides who may spend how much.

mod correct;
mod decide;
mod draft;
mod evolve;
mod outside;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use correct::{Corrected, Moved};
use decide::holder_of;
pub(crate) use decide::resolve_asset;
pub(crate) use draft::{Draft, Spending};
pub(crate) use evolve::evolve;
pub use outside::Payment;

use crate::amount::{Amount, Decimal};
use crate::command::{commands, never};
use crate::entity::{Charge, Due, Entity, EntityKey, Key, Lookup};
use crate::fact::{TextOf, Things, Told, facts};
use crate::hash::Short;
use crate::id::{
    AccountId, AgentId, AnyId, AssetId, DealId, HoldId, InferenceId, NegotiationId, OwnerId,
    TeamId, TransferId,
};
use crate::identity::{AgentRef, Principal};
use crate::index::Index;
use crate::limits;
use crate::policy::{Node, SpentOn, SpentOnRef};
use crate::share;
use crate::text::{AssetCode, ClientId, ContentRef, Name};
use crate::time::Time;

/// A kind of money.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Asset {
    /// Its code.
    #[n(0)]
    pub code: AssetCode,
    /// How many digits are after the point.
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
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::ForEver(|it, key, index| {
        index.asset_codes.insert(it.code.clone(), key);
    });
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

/// An account: its balance, and what is pending on it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Account {
    /// Whose it is.
    #[n(0)]
    pub holder: Holder,
    /// The asset.
    #[n(1)]
    pub asset: AssetId,
    /// Its name, if it is not the holder's main account.
    #[n(2)]
    pub label: Option<Name>,
    /// Its balance: all posted credits less all posted debits.
    #[n(3)]
    pub balance: Amount,
    /// What open holds would take from it.
    #[n(4)]
    pub pending_out: Amount,
    /// What open holds would add to it.
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
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::ACCOUNTS,
        what: "accounts",
        payer: |it, _, state| share::holder(state, it.holder),
    };
    const LOOKUP: Lookup<Self> = Lookup::While(
        |it, key, index| match it.label {
            None => {
                index.main_accounts.insert((it.holder, it.asset), key);
            }
            Some(_) => count_labelled(index, it.holder, 1),
        },
        |it, _, index| match it.label {
            None => {
                index.main_accounts.remove(&(it.holder, it.asset));
            }
            Some(_) => count_labelled(index, it.holder, -1),
        },
    );
}

/// Counts a holder's accounts with a label.
fn count_labelled(index: &mut Index, holder: Holder, change: i32) {
    let have = index.labelled_accounts.get(&holder).copied().unwrap_or(0);
    match have.saturating_add_signed(change) {
        0 => index.labelled_accounts.remove(&holder),
        have => index.labelled_accounts.insert(holder, have),
    };
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
    /// A call of a model.
    #[n(21)]
    Inference(#[n(0)] InferenceId),
}

impl Purpose {
    /// True for spending, which counts against allowances. Sharing a team's earnings, correcting a
    /// mistake and holding a stake are not spending.
    #[must_use]
    pub fn is_spending(self) -> bool {
        match self {
            Self::Transfer
            | Self::Withdrawal
            | Self::Deal(_)
            | Self::Offer(_)
            | Self::Inference(_) => true,
            Self::Issue | Self::Deposit | Self::Share(_) | Self::Correction(_) | Self::Stake(_) => {
                false
            }
        }
    }

    /// The deal that it pays for, or whose proceeds it shares out.
    #[must_use]
    pub fn deal(self) -> Option<DealId> {
        match self {
            Self::Deal(deal) | Self::Share(deal) => Some(deal),
            Self::Transfer
            | Self::Issue
            | Self::Deposit
            | Self::Withdrawal
            | Self::Correction(_)
            | Self::Stake(_)
            | Self::Offer(_)
            | Self::Inference(_) => None,
        }
    }
}

/// An open hold: reserved money that is with neither side until it is captured, posted or voided.
///
/// What is captured goes out first of what was held first: of what it was made with, then of each
/// raise in turn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Hold {
    /// The paying account.
    #[n(0)]
    pub from: AccountId,
    /// The receiving account.
    #[n(1)]
    pub to: AccountId,
    /// How much is held still: what it was made with and raised by, less what was captured.
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
    /// The nodes whose allowances what it was made with counts against.
    #[n(7)]
    pub charged: Vec<Node>,
    /// How much was captured; none before the first time.
    #[n(8)]
    pub captured: Option<Amount>,
    /// What it was raised by and is held still, in order; none if nothing is.
    #[n(9)]
    pub raised: Option<Vec<Raised>>,
    /// What the money is spent on.
    #[n(10)]
    pub spent_on: Option<Box<SpentOn>>,
}

/// What a hold was raised by at one time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Raised {
    /// How much of it is held still.
    #[n(0)]
    pub amount: Amount,
    /// When.
    #[n(1)]
    pub at: Time,
    /// The entry that did it.
    #[n(2)]
    pub by: TransferId,
    /// The nodes whose allowances it counts against.
    #[n(3)]
    pub charged: Vec<Node>,
}

impl Hold {
    /// How much was captured so far.
    #[must_use]
    pub fn captured(&self) -> Amount {
        self.captured.unwrap_or_default()
    }

    /// Everything that was ever held: what was captured and what is held still.
    #[must_use]
    pub fn ever(&self) -> Amount {
        // Both are within 2^100, so the sum cannot overflow an i128.
        Amount(self.captured().0 + self.amount.0)
    }

    /// What it was raised by and is held still.
    #[must_use]
    pub fn raises(&self) -> &[Raised] {
        self.raised.as_deref().unwrap_or_default()
    }

    /// How much of what it was made with is held still.
    #[must_use]
    pub fn first(&self) -> Amount {
        let raised: i128 = self.raises().iter().map(|raised| raised.amount.0).sum();
        Amount(self.amount.0 - raised)
    }

    /// Adds to what is held.
    fn raise(&mut self, raised: Raised) {
        self.amount.0 += raised.amount.0;
        self.raised.get_or_insert_default().push(raised);
    }

    /// Takes from what is held, the oldest first.
    fn draw(&mut self, amount: Amount) {
        let mut left = (amount.0 - self.first().0).max(0);
        self.amount.0 -= amount.0;
        let mut raised = self.raised.take().unwrap_or_default();
        for one in &mut raised {
            let taken = left.min(one.amount.0);
            one.amount.0 -= taken;
            left -= taken;
        }
        raised.retain(|one| one.amount.is_positive());
        self.raised = (!raised.is_empty()).then_some(raised);
    }

    /// Takes a part of what is held, to be moved.
    fn capture(&mut self, amount: Amount) {
        self.draw(amount);
        self.captured = Some(Amount(self.captured().0 + amount.0));
    }
}

impl Entity for Hold {
    const KIND: u8 = 22;
    type Key = HoldId;
    const DUE: Due<Self> = Due::Acts(|it| it.expires, decide::expire);
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::HOLDS,
        what: "open holds",
        payer: |it, _, state| {
            let from = state.accounts.get(&it.from)?;
            share::holder(state, from.holder)
        },
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
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

/// Creates an asset with its issuance and outside accounts. For the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateAsset {
    /// Its code.
    pub code: AssetCode,
    /// How many digits are after the point.
    pub scale: u8,
}

/// Opens an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenAccount {
    /// For whom: an owner, team or agent.
    pub holder: AccountRef,
    /// The asset; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// Its name; without one it is the holder's main account.
    #[serde(default)]
    pub label: Option<Name>,
}

/// Closes an account with a label: an empty one, on which nothing is held. Its statement can still be read;
/// nothing can be paid to it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CloseAccount {
    /// The account.
    pub account: AccountId,
}

/// Issues realm credit. For the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The receiving account.
    pub to: AccountRef,
    /// How much, in whole units.
    pub amount: Decimal,
    /// The asset; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
}

/// Reports money that came from outside. For a payment service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// The receiving account.
    pub to: AccountRef,
    /// How much, in whole units.
    pub amount: Decimal,
    /// The asset; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// The payment's id outside. A service's reference counts once: repeating the deposit returns
    /// the first one, a different deposit with the same reference is refused.
    pub reference: ClientId,
}

/// Asks for money to be paid out. It is held until the payment service reports the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// The paying account.
    pub from: AccountRef,
    /// How much, in whole units.
    pub amount: Decimal,
    /// The asset; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// How the payment service identifies it, such as its destination and a number. An owner's
    /// reference counts once: repeating the withdrawal returns the first one, a different
    /// withdrawal with the same reference is refused.
    pub reference: ClientId,
}

/// Reports the result of a withdrawal. For a payment service.
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
        /// The paying account.
        from: AccountRef,
        /// The receiving account.
        to: AccountRef,
        /// How much, in whole units.
        amount: Decimal,
        /// The asset; by default that of a named account, or the realm's first.
        #[serde(default)]
        asset: Option<AssetCode>,
        /// What the money is spent on, for allowances that count by it.
        #[serde(default)]
        spent_on: Option<SpentOnRef>,
    },
    /// Holds money.
    Hold {
        /// The paying account.
        from: AccountRef,
        /// The receiving account.
        to: AccountRef,
        /// How much, in whole units.
        amount: Decimal,
        /// The asset; by default that of a named account, or the realm's first.
        #[serde(default)]
        asset: Option<AssetCode>,
        /// After how many milliseconds it is voided by itself.
        expires_in_ms: u64,
        /// What the money is spent on, for allowances that count by it.
        #[serde(default)]
        spent_on: Option<SpentOnRef>,
    },
    /// Pays out what is held still, in full or in part, and ends the hold; the rest returns to where
    /// it came from.
    PostHold {
        /// The hold.
        hold: HoldId,
        /// How much, in whole units; by default all that is held still.
        #[serde(default)]
        amount: Option<Decimal>,
    },
    /// Voids a hold: what is held still returns.
    VoidHold {
        /// The hold.
        hold: HoldId,
    },
}

/// Pays out a part of a hold; the rest stays held. Can be done again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CaptureHold<C> {
    /// The hold.
    pub hold: HoldId,
    /// How much, in whole units: at most what is held still.
    pub amount: Decimal,
    /// A note about it.
    #[serde(default = "Option::<C>::default")]
    pub memo: Option<C>,
}

/// Holds more under an open hold, from the same account. It ends when it would have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RaiseHold {
    /// The hold.
    pub hold: HoldId,
    /// How much more, in whole units.
    pub amount: Decimal,
}

/// Moves money: one or many entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Transfers<C> {
    /// The entries, carried out in order.
    pub transfers: Vec<TransferSpec>,
    /// False (the default): all or nothing. True: each separately; the answer names the refused
    /// ones.
    #[serde(default)]
    pub independent: bool,
    /// A note about it.
    #[serde(default = "Option::<C>::default")]
    pub memo: Option<C>,
}

/// Corrects an earlier entry by a new one. For the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Correct<C> {
    /// The entry that was wrong.
    pub transfer: TransferId,
    /// The account that received too much; by default the entry's receiver, and no other.
    #[serde(default)]
    pub from: Option<AccountRef>,
    /// The account that gets the money back; by default the entry's payer, and no other.
    #[serde(default)]
    pub to: Option<AccountRef>,
    /// How much, in whole units. All corrections of an entry together are at most what it moved.
    pub amount: Decimal,
    /// The asset; by default the entry's, and no other.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// Why.
    pub reason: C,
    /// What the entry moved, as the door found it in the log; no request carries it.
    #[serde(skip)]
    pub entry: Option<Moved>,
}

commands! {
    /// What can be asked of the ledger.
    pub enum LedgerCommand<C> needs Trade {
        /// Creates an asset.
        CreateAsset(CreateAsset) = "ledger.create_asset" => decide::create_asset, reaches_others: never, needs: everything;
        /// Opens an account.
        OpenAccount(OpenAccount) = "ledger.open_account" => decide::open_account, reaches_others: never;
        /// Closes an empty account with a label.
        CloseAccount(CloseAccount) = "ledger.close_account" => decide::close_account, reaches_others: never;
        /// Issues realm credit.
        Issue(Issue) = "ledger.issue" => decide::issue, reaches_others: never, needs: everything;
        /// Reports money that came from outside.
        Deposit(Deposit) = "ledger.deposit" => outside::deposit, reaches_others: never;
        /// Asks for money to be paid out.
        Withdraw(Withdraw) = "ledger.withdraw" => outside::withdraw, reaches_others: never;
        /// Reports the result of a withdrawal.
        EndWithdrawal(EndWithdrawal) = "ledger.end_withdrawal" => outside::end_withdrawal, reaches_others: never;
        /// Holds more under an open hold.
        Raise(RaiseHold) = "ledger.raise" => decide::raise, reaches_others: never;
    }
    texts {
        /// Moves money.
        Transfers(Transfers { transfers, independent } carrying memo: maybe, blank taken)
            = "ledger.transfer" => decide::transfers, reaches_others: |args: &Transfers<_>| args.memo.is_some();
        /// Pays out a part of a hold; the rest stays held.
        Capture(CaptureHold { hold, amount } carrying memo: maybe, blank taken)
            = "ledger.capture" => decide::capture, reaches_others: |args: &CaptureHold<_>| args.memo.is_some();
        /// Corrects an earlier entry.
        Correct(Correct { transfer, from, to, amount, asset, entry } carrying reason: one, blank taken)
            = "ledger.correct" => correct::correct, reaches_others: never, needs: everything;
    }
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Moves money at once.
    #[n(0)]
    Post,
    /// Holds money.
    #[n(1)]
    Hold,
    /// Pays a hold out; the rest of the hold returns.
    #[n(2)]
    PostHold,
    /// Voids a hold: the money returns.
    #[n(3)]
    VoidHold,
    /// Pays out a part of a hold; the rest stays held.
    #[n(4)]
    CaptureHold,
    /// Holds more under an open hold.
    #[n(5)]
    RaiseHold,
}

impl EntryKind {
    /// True if it moves money; the others set some aside or give it back.
    #[must_use]
    pub fn moves(self) -> bool {
        match self {
            Self::Post | Self::PostHold | Self::CaptureHold => true,
            Self::Hold | Self::VoidHold | Self::RaiseHold => false,
        }
    }

    /// True if it sets money aside.
    #[must_use]
    pub fn holds(self) -> bool {
        match self {
            Self::Hold | Self::RaiseHold => true,
            Self::Post | Self::PostHold | Self::VoidHold | Self::CaptureHold => false,
        }
    }

    /// True if it ends a hold.
    #[must_use]
    pub fn ends(self) -> bool {
        match self {
            Self::PostHold | Self::VoidHold => true,
            Self::Post | Self::Hold | Self::CaptureHold | Self::RaiseHold => false,
        }
    }
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
    /// The paying account.
    #[n(2)]
    pub from: AccountId,
    /// The receiving account.
    #[n(3)]
    pub to: AccountId,
    /// How much is moved or held; nothing for a void.
    #[n(4)]
    pub amount: Amount,
    /// The asset.
    #[n(5)]
    pub asset: AssetId,
    /// What it is for.
    #[n(6)]
    pub purpose: Purpose,
    /// The hold it makes, changes or ends.
    #[n(7)]
    pub hold: Option<HoldId>,
    /// When the hold it makes is voided by itself.
    #[n(8)]
    pub expires: Option<Time>,
    /// The nodes whose allowances it counts against.
    #[n(9)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charged: Vec<Node>,
    /// What the money is spent on; for a hold, all that is held under it. Whom it is paid to does not
    /// read it.
    #[n(10)]
    #[serde(skip)]
    pub spent_on: Option<Box<SpentOn>>,
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
        /// The asset.
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
        /// A note about it.
        #[n(2)]
        memo: Option<ContentRef>,
        /// The payment's id outside.
        #[n(3)]
        reference: Option<ClientId>,
    },
    /// A payment's reference was used, and does not count again. Its entry is in the same batch.
    #[n(10)]
    PaymentNamed {
        /// The hash of the direction, the reference's issuer and the reference.
        #[n(0)]
        key: Short,
        /// The payment, which its entry describes too.
        #[n(1)]
        #[serde(skip)]
        payment: Payment,
    },
    /// An entry was corrected. The correction is in the same batch.
    #[n(11)]
    EntryCorrected {
        /// The entry that was wrong.
        #[n(0)]
        transfer: TransferId,
        /// The sum of all its corrections.
        #[n(1)]
        #[serde(skip)]
        total: Amount,
    },
    /// An accepted offer's deal took over the hold that the offer was made with.
    #[n(12)]
    HoldTaken {
        /// The hold.
        #[n(0)]
        hold: HoldId,
        /// What it is for from now on.
        #[n(1)]
        purpose: Purpose,
    },
    /// An empty account was closed for good.
    #[n(13)]
    AccountClosed {
        /// The account.
        #[n(0)]
        account: AccountId,
    },
}

facts! {
    LedgerEvent {
        AssetCreated { .. } = "ledger.asset_created", concerns [], texts [], told [];
        AccountOpened { account, .. } = "ledger.account_opened", concerns [account], texts [], told [];
        Entries { entries, memo, .. } = "ledger.entries",
            concerns [entries], texts [memo => TextOf::Nothing], told [(entries.iter().map(Entry::told),)];
        PaymentNamed { payment, .. } = "ledger.payment_named", concerns [payment.account], texts [], told [];
        EntryCorrected { transfer, .. } = "ledger.entry_corrected", concerns [transfer], texts [], told [];
        AccountClosed { account } = "ledger.account_closed", concerns [account], texts [], told [];
        HoldTaken { hold, purpose } = "ledger.hold_taken",
            concerns [hold], texts [], told [(purpose.taken_over(*hold),)];
    }
}

/// The accounts that an entry moves money between.
impl Things for Entry {
    fn each(&self, visit: &mut impl FnMut(AnyId)) {
        visit(self.from.into());
        visit(self.to.into());
    }
}

impl Entry {
    /// A hold and the transfer that made it have the same number; both may be asked for.
    fn told(&self) -> Told {
        let route = format!("from {} to {}", self.from, self.to);
        let what = match (self.kind, self.purpose) {
            (EntryKind::Hold, _) => format!("held {route}"),
            (EntryKind::PostHold, _) => format!("paid the hold out {route}"),
            (EntryKind::CaptureHold, _) => format!("paid a part of the hold out {route}"),
            (EntryKind::RaiseHold, _) => format!("held more {route}"),
            (EntryKind::VoidHold, _) => format!("returned the hold to {}", self.from),
            (EntryKind::Post, Purpose::Share(_)) => format!("shared out {route}"),
            (EntryKind::Post, Purpose::Correction(wrong)) => format!("corrected {wrong} {route}"),
            (EntryKind::Post, _) => format!("moved {route}"),
        };
        let subject = match self.kind {
            EntryKind::Hold => AnyId::from(HoldId(self.transfer.0)),
            EntryKind::Post
            | EntryKind::PostHold
            | EntryKind::VoidHold
            | EntryKind::CaptureHold
            | EntryKind::RaiseHold => self.transfer.into(),
        };
        Told::new(subject, what).over(self.amount, self.asset)
    }
}

impl Purpose {
    /// What is said of a hold that this took over.
    fn taken_over(self, hold: HoldId) -> Option<Told> {
        match self {
            Self::Deal(deal) => Some(Told::new(hold, format!("handed the hold over to {deal}"))),
            Self::Transfer
            | Self::Issue
            | Self::Deposit
            | Self::Withdrawal
            | Self::Share(_)
            | Self::Correction(_)
            | Self::Stake(_)
            | Self::Offer(_)
            | Self::Inference(_) => None,
        }
    }
}
