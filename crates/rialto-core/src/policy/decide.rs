//! Decides commands about policy, and judges rates and blocks for other modules.

use alloc::format;

use super::line::lines_after;
use super::{
    Allowance, Block, Limit, Lines, Meter, Node, NodeRef, Party, PartyRef, PolicyEvent, Rate,
    SetAllowance, SetBlock, Settings,
};
use crate::amount::{Amount, Decimal};
use crate::ctx::{Ctx, positive};
use crate::entity::key_of;
use crate::event::Event;
use crate::id::{AgentId, AssetId, OwnerId};
use crate::ledger::Holder;
use crate::ledger::resolve_asset;
use crate::limits;
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::table::Table;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// The longest period of an allowance.
pub(super) const PERIOD_MS: u64 = 366 * DAY_MS;

fn emit(ctx: &mut Ctx<'_>, event: PolicyEvent) {
    ctx.emit(Event::Policy(event));
}

pub(super) fn set_settings(ctx: &mut Ctx<'_>, args: &Settings) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    if let Some(stake) = &args.stake {
        let (_, scale) = resolve_asset(ctx.state, stake.asset.as_ref())?;
        positive(stake.amount, scale)?;
    }
    if let Some(ms) = args.keep_references_ms {
        ctx.period("keep_references_ms", ms, limits::KEEP_REFERENCES_MS)?;
    }
    if let Some(ms) = args.least_review_ms {
        ctx.period("least_review_ms", ms, limits::DEAL_PERIOD_MS)?;
    }
    if let Some(ms) = args.keep_message_ids_ms {
        ctx.period("keep_message_ids_ms", ms, limits::MESSAGE_ID_MS)?;
    }
    if let Some(ms) = args.keep_keys_ms {
        ctx.period("keep_keys_ms", ms, limits::IDEMPOTENCY_MS)?;
    }
    emit(
        ctx,
        PolicyEvent::SettingsChanged {
            settings: args.clone(),
        },
    );
    Ok(())
}

/// The node that a request names, which the principal must manage.
fn managed_node(ctx: &Ctx<'_>, name: &NodeRef) -> Result<Node, Rejection> {
    let (node, manage) = match name {
        NodeRef::Realm => (Node::Realm, Action::ManageRealm),
        NodeRef::Owner(id) => {
            ctx.authorise(Action::ManageOwner(*id))?;
            ctx.state.owners.get(id).ok_or(Code::NotFound)?;
            (Node::Owner(*id), Action::ManageOwner(*id))
        }
        NodeRef::Team(id) => {
            let owner = ctx.state.teams.get(id).ok_or(Code::NotFound)?.owner;
            ctx.authorise_within(owner, Action::ManageOwner(owner))?;
            (Node::Team(*id), Action::ManageOwner(owner))
        }
        NodeRef::Agent(name) => {
            let id = ctx.agent(name)?;
            let owner = ctx.state.agents.get(&id).ok_or(Code::NotFound)?.owner;
            (Node::Agent(id), Action::ManageOwner(owner))
        }
    };
    ctx.authorise(manage)?;
    Ok(node)
}

pub(super) fn set_allowance(ctx: &mut Ctx<'_>, args: &SetAllowance) -> Result<(), Rejection> {
    let node = managed_node(ctx, &args.node)?;
    changes_something(args)?;
    let asset = resolve_asset(ctx.state, args.asset.as_ref());
    set_lines(ctx, node, asset.as_ref().ok().copied(), args)?;
    if changes_limits(args) {
        set_limits(ctx, node, asset?, args)?;
    }
    Ok(())
}

/// Sets and clears the lines that a request names.
fn set_lines(
    ctx: &mut Ctx<'_>,
    node: Node,
    asset: Option<(AssetId, u8)>,
    args: &SetAllowance,
) -> Result<(), Rejection> {
    if args.lines.is_empty() && args.clear_lines.is_empty() {
        return Ok(());
    }
    let lines = lines_after(ctx, node, asset, (&args.lines, &args.clear_lines))?;
    if !ctx.state.lines.contains(&node) && !lines.is_empty() {
        ctx.room_for::<Lines>(share::node(ctx.state, node), 0)?;
    }
    emit(ctx, PolicyEvent::LinesSet { node, lines });
    Ok(())
}

/// A limit that a request names.
pub(super) fn bound(limit: Decimal, scale: u8) -> Result<Amount, Rejection> {
    let amount = limit.amount(scale);
    let amount = amount.map_err(|e| Rejection::new(Code::BadAmount, format!("{e}")))?;
    if amount < Amount::ZERO {
        let why = "a limit cannot be below zero";
        return Err(Rejection::new(Code::BadAmount, why));
    }
    Ok(amount)
}

/// Sets and clears the limits of a node in an asset that a request names.
fn set_limits(
    ctx: &mut Ctx<'_>,
    node: Node,
    (asset, scale): (AssetId, u8),
    args: &SetAllowance,
) -> Result<(), Rejection> {
    let old = ctx.state.allowances.get(&(node, asset));
    if old.is_none() {
        ctx.room_for::<Allowance>(share::node(ctx.state, node), 0)?;
    }
    let next = |limit: Limit, named: Option<Decimal>, was: Option<Amount>| match (
        named,
        args.clear.contains(&limit),
    ) {
        (Some(_), true) => Err(Rejection::new(
            Code::Malformed,
            "a limit is either set or cleared",
        )),
        (None, true) => Ok(None),
        (Some(limit), false) => bound(limit, scale).map(Some),
        (None, false) => Ok(was),
    };
    let was = |pick: fn(&Allowance) -> Option<Amount>| old.and_then(pick);
    let period_ms = args.period_ms.or(old.map(|a| a.period_ms));
    let event = PolicyEvent::AllowanceSet {
        node,
        asset,
        per_deal: next(Limit::PerDeal, args.per_deal, was(|a| a.per_deal))?,
        per_period: next(Limit::PerPeriod, args.per_period, was(|a| a.per_period))?,
        period_ms: ctx.period("period_ms", period_ms.unwrap_or(DAY_MS), PERIOD_MS)?,
        approval_above: next(
            Limit::ApprovalAbove,
            args.approval_above,
            was(|a| a.approval_above),
        )?,
    };
    emit(ctx, event);
    Ok(())
}

/// Whether a request names a limit that is no line.
fn changes_limits(args: &SetAllowance) -> bool {
    let named = [args.per_deal, args.per_period, args.approval_above];
    named.iter().any(Option::is_some) || args.period_ms.is_some() || !args.clear.is_empty()
}

/// Refuses a request that names nothing: it would change nothing and is probably a mistake.
fn changes_something(args: &SetAllowance) -> Result<(), Rejection> {
    if changes_limits(args) || !args.lines.is_empty() || !args.clear_lines.is_empty() {
        return Ok(());
    }
    Err(Rejection::new(
        Code::Malformed,
        "name a limit to set, or one to clear",
    ))
}

pub(super) fn set_block(ctx: &mut Ctx<'_>, args: &SetBlock) -> Result<(), Rejection> {
    let by = match &args.by {
        None => Party::Agent(ctx.actor()?),
        Some(PartyRef::Agent(name)) => {
            let agent = ctx.agent(name)?;
            ctx.authorise(Action::ActFor(agent))?;
            Party::Agent(agent)
        }
        Some(PartyRef::Owner(owner)) => {
            ctx.authorise(Action::ManageOwner(*owner))?;
            Party::Owner(*owner)
        }
    };
    let party = match &args.party {
        PartyRef::Agent(name) => Party::Agent(ctx.agent(name)?),
        PartyRef::Owner(id) => {
            ctx.state.owners.get(id).ok_or(Code::NotFound)?;
            Party::Owner(*id)
        }
    };
    if by == party {
        return Err(Code::ToSelf.into());
    }
    let set = ctx.state.blocks.contains(&(by, party));
    match (args.block, set) {
        (true, false) => {
            let have = match by {
                Party::Agent(id) => ctx.state.agents.get(&id).map_or(0, |a| a.blocks),
                Party::Owner(id) => ctx.state.owners.get(&id).map_or(0, |o| o.blocks),
            };
            if have >= limits::BLOCKS_PER_SETTER {
                return Err(Rejection::new(
                    Code::TooManyBlocks,
                    format!("at most {}", limits::BLOCKS_PER_SETTER),
                ));
            }
            ctx.room_for::<Block>(share::party(ctx.state, by), 0)?;
            emit(ctx, PolicyEvent::Blocked { by, party });
        }
        (false, true) => emit(ctx, PolicyEvent::Unblocked { by, party }),
        (true, true) | (false, false) => {}
    }
    Ok(())
}

/// How many blocks of agents of each owner each party has set. Derived from the blocks.
pub(crate) type BlockedOwners = Table<(Party, OwnerId), u32>;

/// Rebuilds the count of blocked owners.
pub(crate) fn count_blocked(state: &State, seed: u64) -> BlockedOwners {
    let mut counts = BlockedOwners::new(seed);
    state
        .blocks
        .for_each(|(by, party), _| count_block(&mut counts, *by, share::party(state, *party), 1));
    counts
}

/// Counts a block of an agent of `owner` in, or out.
pub(super) fn count_block(
    counts: &mut BlockedOwners,
    by: Party,
    owner: Option<OwnerId>,
    change: i32,
) {
    let Some(owner) = owner else { return };
    let have = counts.get(&(by, owner)).copied().unwrap_or(0);
    match have.saturating_add_signed(change) {
        0 => counts.remove(&(by, owner)),
        some => counts.insert((by, owner), some),
    };
}

/// True if `receiver` or its owner has blocked `sender`, its owner, or another agent of its owner,
/// so that an owner cannot evade a block with its next agent. Only within one owner does a block
/// apply to the named agent alone.
pub(crate) fn blocked(state: &State, receiver: AgentId, sender: AgentId) -> bool {
    if state.blocks.is_empty() {
        return false;
    }
    let owner = share::owner(state, sender);
    blocks(state, receiver, Party::Agent(sender))
        || owner.is_some_and(|owner| owner_blocked(state, receiver, owner))
}

/// True when `receiver` or its owner has blocked `owner` or an agent of it.
pub(crate) fn owner_blocked(state: &State, receiver: AgentId, owner: OwnerId) -> bool {
    let by_agent = || {
        let mut by = parties(state, receiver).into_iter().flatten();
        by.any(|by| state.blocked_owners().contains(&(by, owner)))
    };
    blocks(state, receiver, Party::Owner(owner))
        || share::owner(state, receiver) != Some(owner) && by_agent()
}

/// True when `owner` itself has blocked `agent`, its owner, or another agent of its owner.
pub(super) fn owner_blocks(state: &State, owner: OwnerId, agent: AgentId) -> bool {
    let (by, whose) = (Party::Owner(owner), share::owner(state, agent));
    state.blocks.contains(&(by, Party::Agent(agent)))
        || whose.is_some_and(|whose| {
            state.blocks.contains(&(by, Party::Owner(whose)))
                || state.blocked_owners().contains(&(by, whose))
        })
}

/// True when those who hold an account have blocked an agent: the agent or its owner, else the owner.
pub(crate) fn holder_blocks(state: &State, holder: Holder, agent: AgentId) -> bool {
    match (holder, share::holder(state, holder)) {
        (Holder::Agent(receiver), _) => blocked(state, receiver, agent),
        (_, Some(owner)) => owner_blocks(state, owner, agent),
        (_, None) => false,
    }
}

/// Refuses what `sender` has to say where `receiver` has blocked it.
pub(crate) fn unblocked(
    state: &State,
    receiver: AgentId,
    sender: AgentId,
) -> Result<(), Rejection> {
    if blocked(state, receiver, sender) {
        return Err(Code::Blocked.into());
    }
    Ok(())
}

fn blocks(state: &State, receiver: AgentId, party: Party) -> bool {
    parties(state, receiver)
        .into_iter()
        .flatten()
        .any(|by| state.blocks.contains(&(by, party)))
}

fn parties(state: &State, agent: AgentId) -> [Option<Party>; 2] {
    let owner = state.agents.get(&agent).map(|a| Party::Owner(a.owner));
    [Some(Party::Agent(agent)), owner]
}

/// How long one act fills a rate's bucket, and how much the bucket holds, in milliseconds.
pub(super) fn pace(settings: &Settings, rate: Rate) -> Option<(u64, u64)> {
    let (number, period_ms) = match rate {
        Rate::SignUps => (settings.sign_ups_per_hour, HOUR_MS),
        Rate::Messages(_) | Rate::OwnerMessages(_) => (settings.messages_per_minute, MINUTE_MS),
        Rate::Offers(_) | Rate::OwnerOffers(_) => (settings.offers_per_minute, MINUTE_MS),
        Rate::Posts(_) | Rate::OwnerPosts(_) => {
            (settings.posts_per_minute.unwrap_or(30), MINUTE_MS)
        }
        Rate::Gestures(_) | Rate::OwnerGestures(_) => {
            (settings.gestures_per_minute.unwrap_or(120), MINUTE_MS)
        }
        Rate::Mentions(_) => (settings.mentions_per_minute.unwrap_or(600), MINUTE_MS),
        Rate::Creations(_) => (settings.creations_per_minute.unwrap_or(600), MINUTE_MS),
    };
    (number > 0).then(|| ((period_ms / u64::from(number)).max(1), period_ms))
}

/// Refuses when the rate limit is reached.
pub(crate) fn throttle(ctx: &Ctx<'_>, rate: Rate) -> Result<(), Rejection> {
    throttle_many(ctx, rate, 1)
}

/// Refuses when the rate limit has no room for so many acts at once. An empty bucket takes any.
pub(crate) fn throttle_many(ctx: &Ctx<'_>, rate: Rate, acts: u64) -> Result<(), Rejection> {
    let Some((step_ms, depth_ms)) = pace(&ctx.state.settings(), rate) else {
        return Ok(());
    };
    let Some(meter) = ctx.state.meters.get(&rate.counted(ctx.state)) else {
        return Ok(());
    };
    let waiting_ms = meter.empty_at_ms.saturating_sub(ctx.steady_ms);
    if waiting_ms == 0 || acts == 0 {
        return Ok(());
    }
    let filled_ms = waiting_ms.saturating_add(step_ms.saturating_mul(acts));
    if filled_ms > depth_ms {
        let wait_ms = filled_ms - depth_ms;
        return Err(Rejection::new(
            Code::RateLimited,
            format!("again in {wait_ms} ms"),
        ));
    }
    Ok(())
}

/// Lets a meter leave memory when its bucket is empty by the steady clock. After a jump of the realm's
/// time it may not be, and then stays: a rate limit does not begin anew.
pub(super) fn let_go(ctx: &mut Ctx<'_>, rate: Rate) -> Result<bool, Rejection> {
    let empty_at_ms = ctx.state.meters.get(&rate).map_or(0, |m| m.empty_at_ms);
    let left_ms = empty_at_ms.saturating_sub(ctx.steady_ms);
    if left_ms == 0 {
        return Ok(true);
    }
    let meter = key_of::<Meter>(&rate).to_vec();
    let idle = ctx.now.after(left_ms);
    emit(ctx, PolicyEvent::MeterKept { meter, idle });
    Ok(false)
}
