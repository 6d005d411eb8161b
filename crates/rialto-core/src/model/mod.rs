//! Models: what serves them, at what price, and what each call of one comes to.
//!
//! A [`Deployment`] says which model an owner serves, through whom, on which kind of chip, at which prices
//! and for whom. A call of it is an [`Inference`]: it reserves the most that it can cost, in money and in
//! tokens, before anything is asked of the model; when it is over, what was used is reported, the realm
//! works out the price that stood when it began, the money moves and the rest returns. Whatever is reported,
//! nobody pays more than was reserved: what is used beyond it is recorded, and lost to the owner of the
//! deployment. Nothing here calls a model, and no prompt or answer is kept.

mod decide;
mod evolve;
mod price;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use evolve::evolve;
pub use price::{
    Bill, BillLine, LongInput, LongInputSpec, Prices, PricesSpec, Rates, RatesSpec, TokenCounts,
};

use crate::amount::{Amount, Decimal};
use crate::command::{commands, never};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::fact::{Told, facts, word};
use crate::id::{AgentId, AnyId, AssetId, DeploymentId, HoldId, InferenceId, OwnerId, TaskId};
use crate::ledger::AccountRef;
use crate::limits;
use crate::noun::{Act, By, Cell, Field, Kind, Noun, Row, noun};
use crate::policy::{Node, Party, SpentOn, Work};
use crate::share;
use crate::text::{Alias, AssetCode, ClientId, Name, RawUsage};
use crate::time::Time;

/// Whose agents may call a deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OpenTo {
    /// Those of its owner.
    #[default]
    #[n(0)]
    Owner,
    /// All of the realm.
    #[n(1)]
    Everyone,
}

/// What serves a model. It stays in memory until it is retired.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deployment {
    /// Whose it is: its calls are paid to this owner.
    #[n(0)]
    pub owner: OwnerId,
    /// The name by which agents call the model.
    #[n(1)]
    pub model: Alias,
    /// Through whom it is served: a name of the operator's settings.
    #[n(2)]
    pub provider: Alias,
    /// What the provider calls the model.
    #[n(3)]
    pub upstream: Name,
    /// The kind of chip that serves it, where that is known.
    #[n(4)]
    pub chip: Option<Alias>,
    /// How many replicas serve it.
    #[n(5)]
    pub replicas: u32,
    /// Whose agents may call it.
    #[n(6)]
    pub open_to: OpenTo,
    /// The asset of its prices.
    #[n(7)]
    pub asset: AssetId,
    /// What calls cost.
    #[n(8)]
    pub prices: Prices,
    /// How often its terms were stated: 1 when it is made.
    #[n(9)]
    pub version: u32,
}

impl Entity for Deployment {
    const KIND: u8 = 94;
    type Key = DeploymentId;
    const DUE: Due<Self> = Due::Never;
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::DEPLOYMENTS,
        what: "deployments",
        payer: |it, _, _| Some(it.owner),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
    const NOUN: Option<&'static Noun> = Some(&DEPLOYMENT);
}

/// Who meters a call and reports it, besides services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MeteredBy {
    /// The realm's own gateway. Its calls do not outlive the server that made them.
    #[n(0)]
    Gateway,
}

/// A call of a model that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Inference {
    /// Whose call it is.
    #[n(0)]
    pub agent: AgentId,
    /// What serves it.
    #[n(1)]
    pub deployment: DeploymentId,
    /// The terms of the deployment that stood when it began.
    #[n(2)]
    pub terms: Box<Deployment>,
    /// The most input, in tokens.
    #[n(3)]
    pub input: u64,
    /// The most output, in tokens.
    #[n(4)]
    pub output: u64,
    /// The most that it can cost.
    #[n(5)]
    pub reserved: Amount,
    /// The hold of that; none if it costs nothing.
    #[n(6)]
    pub hold: Option<HoldId>,
    /// What it is spent on.
    #[n(7)]
    pub on: Box<SpentOn>,
    /// The nodes at whose lines its tokens count.
    #[n(8)]
    pub charged: Vec<Node>,
    /// When it began.
    #[n(9)]
    pub at: Time,
    /// When it counts as lost if nothing was reported.
    #[n(10)]
    pub lost: Time,
    /// The attempt before it, as the agent says: it counts as one if it was the agent's own.
    #[n(11)]
    pub after: Option<InferenceId>,
    /// Who meters it, if that is no service.
    #[n(12)]
    pub metered_by: Option<MeteredBy>,
}

impl Inference {
    /// The tokens for which it has room at the lines.
    #[must_use]
    pub fn work(&self) -> Work {
        Work {
            tokens: self.input.saturating_add(self.output),
            milliseconds: 0,
        }
    }
}

impl Entity for Inference {
    const KIND: u8 = 95;
    type Key = InferenceId;
    const DUE: Due<Self> = Due::Acts(|it| Some(it.lost), decide::lose);
    const CHARGE: Charge<Self> = Charge::Owner {
        most: limits::INFERENCES,
        what: "calls of models under way",
        payer: |it, _, state| share::owner(state, it.agent),
    };
    const LOOKUP: Lookup<Self> = Lookup::Key;
    const NOUN: Option<&'static Noun> = Some(&INFERENCE);
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InferenceEnd {
    /// It was answered.
    #[n(0)]
    Served,
    /// The caller left before the answer was whole.
    #[n(1)]
    Left,
    /// It failed.
    #[n(2)]
    Failed,
    /// Nothing was reported in time.
    #[n(3)]
    Lost,
}

/// What was reported of a call, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// How it ended.
    #[n(0)]
    pub end: InferenceEnd,
    /// What was used.
    #[n(1)]
    pub tokens: TokenCounts,
    /// True if the provider did not say what was used, and somebody else counted.
    #[n(2)]
    pub estimated: bool,
    /// What that costs by the prices that stood when it began.
    #[n(3)]
    pub cost: Amount,
    /// What was paid of it: at most what was reserved.
    #[n(4)]
    pub paid: Amount,
    /// What the provider calls the request.
    #[n(5)]
    pub request: Option<Name>,
    /// What could not be carried from the caller's protocol to the provider's, or back.
    #[n(6)]
    pub losses: Vec<Alias>,
    /// The usage as the provider wrote it.
    #[n(7)]
    pub raw: Option<RawUsage>,
    /// The service tier that the provider says it was served in.
    #[n(8)]
    pub tier: Option<Alias>,
    /// How long the provider took to its first byte, in milliseconds.
    #[n(9)]
    pub first_ms: Option<u64>,
    /// How long it took in all, in milliseconds.
    #[n(10)]
    pub took_ms: Option<u64>,
    /// What the provider calls the model that answered.
    #[n(11)]
    pub served: Option<Name>,
}

impl Receipt {
    /// What was used beyond what was reserved, in money: the owner of the deployment bears it.
    #[must_use]
    pub fn borne(&self) -> Amount {
        self.cost.minus(self.paid).unwrap_or_default()
    }
}

/// What a deployment is, as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeploymentTerms {
    /// The name by which agents call the model.
    pub model: Alias,
    /// Through whom it is served: a name of the operator's settings.
    pub provider: Alias,
    /// What the provider calls the model.
    pub upstream: Name,
    /// The kind of chip that serves it, such as `trainium2`.
    #[serde(default)]
    pub chip: Option<Alias>,
    /// How many replicas serve it.
    #[serde(default = "one")]
    pub replicas: u32,
    /// Whose agents may call it.
    #[serde(default)]
    pub open_to: OpenTo,
    /// The asset of its prices; by default the realm's first.
    #[serde(default)]
    pub asset: Option<AssetCode>,
    /// What calls cost.
    pub prices: PricesSpec,
}

fn one() -> u32 {
    1
}

/// Says what serves a model. For admins of its owner, and the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateDeployment {
    /// Whose it is; by default the owner of the person who says so.
    #[serde(default)]
    pub owner: Option<OwnerId>,
    /// What it is.
    pub terms: Box<DeploymentTerms>,
}

/// Replaces what a deployment is. Calls that have begun keep the terms that they began with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeDeployment {
    /// The deployment.
    pub deployment: DeploymentId,
    /// What it is from now on.
    pub terms: Box<DeploymentTerms>,
}

/// Takes a deployment out of service. Calls that have begun go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RetireDeployment {
    /// The deployment.
    pub deployment: DeploymentId,
}

/// Begins a call: reserves the most that it can cost, and room for its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReserveInference {
    /// What is to serve it.
    pub deployment: DeploymentId,
    /// The most input, in tokens.
    pub input: u64,
    /// The most output, in tokens.
    pub output: u64,
    /// The account that pays; by default the acting agent's own.
    #[serde(default)]
    pub pay_from: Option<AccountRef>,
    /// The task that it serves, of which the agent is worker or requester.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// The run that it belongs to.
    #[serde(default)]
    pub run: Option<ClientId>,
    /// The attempt before it, if it replaces one of the same agent: over, or still under way.
    #[serde(default)]
    pub after: Option<InferenceId>,
    /// The most that it may cost, in whole units of the deployment's asset. It is refused if it can cost more, so
    /// that prices which were raised meanwhile surprise nobody.
    #[serde(default)]
    pub at_most: Option<Decimal>,
    /// Who meters it. Never read from a client: what the gateway meters is given back when its server ends.
    #[serde(skip)]
    pub metered_by: Option<MeteredBy>,
}

/// Reports calls that are over. For the realm, and for services that meter models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettleInferences {
    /// The calls. One that is over already is passed over: its id is the key of its report.
    pub calls: Vec<InferenceReport>,
}

/// What is reported of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InferenceReport {
    /// The call.
    pub inference: InferenceId,
    /// How it ended.
    pub end: InferenceEnd,
    /// What was used.
    #[serde(default)]
    pub tokens: TokenCounts,
    /// True if the provider did not say what was used, and somebody else counted.
    #[serde(default)]
    pub estimated: bool,
    /// What the provider calls the request.
    #[serde(default)]
    pub request: Option<Name>,
    /// What could not be carried between the protocols.
    #[serde(default)]
    pub losses: Vec<Alias>,
    /// The usage as the provider wrote it.
    #[serde(default)]
    pub raw: Option<RawUsage>,
    /// The service tier that the provider says it was served in.
    #[serde(default)]
    pub tier: Option<Alias>,
    /// How long the provider took to its first byte, in milliseconds.
    #[serde(default)]
    pub first_ms: Option<u64>,
    /// How long it took in all, in milliseconds.
    #[serde(default)]
    pub took_ms: Option<u64>,
    /// What the provider calls the model that answered.
    #[serde(default)]
    pub served: Option<Name>,
}

impl InferenceReport {
    /// A report of a call of which only the end is known.
    #[must_use]
    pub fn new(inference: InferenceId, end: InferenceEnd) -> Self {
        Self {
            inference,
            end,
            tokens: TokenCounts::default(),
            estimated: false,
            request: None,
            losses: Vec::new(),
            raw: None,
            tier: None,
            first_ms: None,
            took_ms: None,
            served: None,
        }
    }
}

commands! {
    /// What can be asked about models.
    pub enum ModelCommand needs everything {
        /// Says what serves a model, and at which prices.
        Create(CreateDeployment) = "deployment.create" => decide::create, reaches_others: never;
        /// Replaces what a deployment is. Calls that have begun keep the terms that they began with.
        Change(ChangeDeployment) = "deployment.change" => decide::change, reaches_others: never;
        /// Takes a deployment out of service. Calls that have begun go on.
        Retire(RetireDeployment) = "deployment.retire" => decide::retire, reaches_others: never;
        /// Begins a call of a model: reserves the most that it can cost, and room for its tokens.
        Reserve(ReserveInference) = "inference.reserve" => decide::reserve, reaches_others: never, needs: Models;
        /// Reports calls of models that are over: they are paid, and the rest of what was reserved returns.
        Settle(SettleInferences) = "inference.settle" => decide::settle, reaches_others: never;
    }
}

/// What happened to models.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModelEvent {
    /// It was said what serves a model.
    #[n(0)]
    Deployed {
        /// The deployment.
        #[n(0)]
        deployment: DeploymentId,
        /// What it is.
        #[n(1)]
        terms: Box<Deployment>,
    },
    /// What a deployment is was replaced.
    #[n(1)]
    Changed {
        /// The deployment.
        #[n(0)]
        deployment: DeploymentId,
        /// What it is from now on.
        #[n(1)]
        terms: Box<Deployment>,
    },
    /// A deployment was taken out of service.
    #[n(2)]
    Retired {
        /// The deployment.
        #[n(0)]
        deployment: DeploymentId,
    },
    /// A call began. The hold of the most that it can cost is in the same batch.
    #[n(3)]
    Reserved {
        /// The call.
        #[n(0)]
        inference: InferenceId,
        /// What is reserved.
        #[n(1)]
        reserved: Box<Inference>,
    },
    /// A call is over. The end of its hold is in the same batch.
    #[n(4)]
    Settled {
        /// The call.
        #[n(0)]
        inference: InferenceId,
        /// What serves it.
        #[n(1)]
        deployment: DeploymentId,
        /// What it came to.
        #[n(2)]
        receipt: Box<Receipt>,
        /// The asset of its cost.
        #[n(3)]
        asset: AssetId,
    },
}

noun! {
    /// What serves a model: through whom, on which kind of chip, at which prices.
    DEPLOYMENT = "deployment", "deployments" {
        DEPLOYMENT_STATE = "state", "State", Kind::State(&["serving", "retired"]);
        DEPLOYMENT_MODEL = "model", "Model", Kind::Word;
        PROVIDER = "provider", "Provider", Kind::Word;
        UPSTREAM = "upstream", "Model of the provider", Kind::Word;
        DEPLOYMENT_CHIP = "chip", "Kind of chip", Kind::Word;
        REPLICAS = "replicas", "Replicas", Kind::Number;
        DEPLOYMENT_OWNER = "owner", "Owner", Kind::Owner;
        OPEN_TO = "open_to", "Open to", Kind::Word;
        INPUT_PRICE = "input_per_million", "A million tokens of input", Kind::Word;
        OUTPUT_PRICE = "output_per_million", "A million tokens of output", Kind::Word;
        VERSION = "version", "Version of its terms", Kind::Number;
    }
    acts {
        Act {
            op: "deployment.retire",
            verb: "retire",
            about: "Takes the deployment out of service; calls that have begun go on.",
            by: By::Parties,
            on: Some("deployment"),
            when: &["serving"],
            fields: &[],
        },
    }
}

noun! {
    /// A call of a model: what was reserved for it, and what it came to.
    INFERENCE = "inference", "inferences" {
        STATE = "state", "State", Kind::State(&["open", "served", "left", "failed", "lost"]);
        AGENT = "agent", "Agent", Kind::Agent;
        MODEL = "model", "Model", Kind::Word;
        DEPLOYED = "deployment", "Deployment", Kind::Id;
        SOLD_THROUGH = "provider", "Provider", Kind::Word;
        CHIP = "chip", "Kind of chip", Kind::Word;
        RESERVED = "reserved", "Reserved", Kind::Amount;
        COST = "cost", "Cost", Kind::Amount;
        PAID = "paid", "Paid", Kind::Amount;
        BORNE = "borne", "Borne by the deployment's owner", Kind::Amount;
        INPUT = "input", "Tokens of input", Kind::Number;
        CACHED = "cached", "Of them cached", Kind::Number;
        OUTPUT = "output", "Tokens of output", Kind::Number;
        REASONING = "reasoning", "Of them reasoning", Kind::Number;
        COUNTED = "counted", "Counted by", Kind::Word;
        SERVED = "served", "Answered by", Kind::Word;
        TIER = "tier", "Service tier", Kind::Word;
        FIRST = "first_ms", "First byte, ms", Kind::Number;
        TOOK = "took_ms", "In all, ms", Kind::Number;
        REQUEST = "request", "Request of the provider", Kind::Word;
        LOSSES = "losses", "Not carried", Kind::Word;
        TERMS = "terms", "Version of the terms", Kind::Number;
        AFTER = "after", "Attempt before", Kind::Id;
        HOLD = "hold", "Hold", Kind::Id;
        TASK = "task", "Task", Kind::Id;
        RUN = "run", "Run", Kind::Word;
    }
    acts {
        Act {
            op: "inference.reserve",
            verb: "reserve",
            about: "Reserves the most that a call can cost, and room for its tokens.",
            by: By::Parties,
            on: None,
            when: &[],
            fields: &[
                Field { name: "deployment", label: "Deployment", kind: Kind::Id, required: true },
                Field { name: "input", label: "Most tokens of input", kind: Kind::Number, required: true },
                Field { name: "output", label: "Most tokens of output", kind: Kind::Number, required: true },
                Field { name: "at_most", label: "At most", kind: Kind::Amount, required: false },
                Field { name: "task", label: "Task", kind: Kind::Id, required: false },
                Field { name: "run", label: "Run", kind: Kind::Word, required: false },
                Field { name: "after", label: "Attempt before", kind: Kind::Id, required: false },
            ],
        },
    }
    own AGENT { AFTER, TASK, RUN }
}

/// A price of a million tokens, from one of a token in pico-units: the digits are the same.
fn per_million(pico: u64) -> String {
    Amount(pico.into()).display(6)
}

fn deployed(id: DeploymentId, terms: &Deployment) -> Row {
    let rates = &terms.prices.rates;
    Row::new(&DEPLOYMENT, id)
        .with(&DEPLOYMENT_STATE, "serving")
        .with(&DEPLOYMENT_MODEL, terms.model.as_str())
        .with(&PROVIDER, terms.provider.as_str())
        .with(&UPSTREAM, terms.upstream.as_str())
        .with(&DEPLOYMENT_CHIP, terms.chip.as_ref().map(Alias::as_str))
        .with(&REPLICAS, terms.replicas)
        .with(&DEPLOYMENT_OWNER, terms.owner)
        .with(&OPEN_TO, word(&terms.open_to))
        .with(&INPUT_PRICE, per_million(rates.input).as_str())
        .with(&OUTPUT_PRICE, per_million(rates.output).as_str())
        .with(&VERSION, terms.version)
        .seen_by(Some(Party::Owner(terms.owner)))
}

fn begun(id: InferenceId, call: &Inference) -> Row {
    let task = call.on.tasks.first();
    Row::new(&INFERENCE, id)
        .with(&STATE, "open")
        .with(&AGENT, call.agent)
        .with(&MODEL, call.terms.model.as_str())
        .with(&DEPLOYED, AnyId::from(call.deployment))
        .with(&SOLD_THROUGH, call.terms.provider.as_str())
        .with(&CHIP, call.terms.chip.as_ref().map(Alias::as_str))
        .with(&RESERVED, Cell::Amount(call.reserved, call.terms.asset))
        .with(&TERMS, call.terms.version)
        .with(&AFTER, call.after.map(AnyId::from))
        .with(&HOLD, call.hold.map(AnyId::from))
        .with(&TASK, task.map(|id| AnyId::from(*id)))
        .with(&RUN, call.on.run.as_ref().map(ClientId::as_str))
        .seen_by(Some(Party::Agent(call.agent)))
        .seen_by(Some(Party::Owner(call.terms.owner)))
}

fn over(id: InferenceId, receipt: &Receipt, asset: AssetId) -> Row {
    let tokens = &receipt.tokens;
    let counted = if receipt.estimated {
        "estimate"
    } else {
        "provider"
    };
    let borne = receipt.borne();
    let losses: Vec<&str> = receipt.losses.iter().map(Alias::as_str).collect();
    Row::new(&INFERENCE, id)
        .with(&STATE, word(&receipt.end))
        .with(&COST, Cell::Amount(receipt.cost, asset))
        .with(&PAID, Cell::Amount(receipt.paid, asset))
        .with(
            &BORNE,
            borne.is_positive().then_some(Cell::Amount(borne, asset)),
        )
        .with(&INPUT, tokens.input)
        .with(&CACHED, tokens.cached)
        .with(&OUTPUT, tokens.output)
        .with(&REASONING, tokens.reasoning)
        .with(&COUNTED, counted)
        .with(&SERVED, receipt.served.as_ref().map(Name::as_str))
        .with(&TIER, receipt.tier.as_ref().map(Alias::as_str))
        .with(&FIRST, receipt.first_ms)
        .with(&TOOK, receipt.took_ms)
        .with(&REQUEST, receipt.request.as_ref().map(Name::as_str))
        .with(
            &LOSSES,
            (!losses.is_empty()).then(|| losses.join(", ")).as_deref(),
        )
}

facts! {
    ModelEvent {
        Deployed { deployment, terms } = "model.deployed", concerns [deployment], texts [],
            told [Told::new(*deployment, format!("serves {} through {}", terms.model, terms.provider))],
            rows [deployed(*deployment, terms)];
        Changed { deployment, terms } = "model.changed", concerns [deployment], texts [],
            told [Told::new(*deployment, format!("changed its terms, version {}", terms.version))],
            rows [deployed(*deployment, terms)];
        Retired { deployment } = "model.retired", concerns [deployment], texts [],
            told [Told::new(*deployment, "took the deployment out of service")],
            rows [Row::new(&DEPLOYMENT, *deployment).with(&DEPLOYMENT_STATE, "retired")];
        Reserved { inference, reserved } = "model.reserved",
            concerns [inference, reserved.deployment], texts [], told [{
                let (terms, most) = (&reserved.terms, reserved.work().tokens);
                let on = terms.chip.as_ref().map(|chip| format!(" on {chip}"));
                let line = format!("called {}{}", terms.model, on.unwrap_or_default());
                let line = format!("{line} through {}, {most} tokens at most", terms.provider);
                let line = Told::new(*inference, line);
                line.over(reserved.reserved, reserved.terms.asset)
            }],
            rows [begun(*inference, reserved)];
        Settled { inference, deployment, receipt, asset } = "model.settled",
            concerns [inference, deployment], texts [], told [{
                let (end, tokens) = (word(&receipt.end), receipt.tokens.sum());
                let line = Told::new(*inference, format!("the call was {end}: {tokens} tokens"));
                line.over(receipt.paid, *asset)
            }],
            rows [over(*inference, receipt, *asset)];
    }
}
