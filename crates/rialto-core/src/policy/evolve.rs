//! Applies events about policy.

use super::decide::{count_block, pace};
use super::line::{self, Work};
use super::{
    Allowance, Approval, Block, Bucket, Meter, Party, PolicyEvent, Rate, usage, window_start,
};
use crate::amount::Amount;
use crate::entity::EntityKey;
use crate::mail::{self, Item};
use crate::share;
use crate::state::State;

pub(crate) fn evolve(state: &mut State, event: &PolicyEvent) {
    match event {
        PolicyEvent::SettingsChanged { settings } => {
            state
                .realm
                .modify(&(), &mut state.changes, |r| r.settings = settings.clone());
        }
        PolicyEvent::AllowanceSet {
            node,
            asset,
            per_deal,
            per_period,
            period_ms,
            approval_above,
        } => {
            let key = (*node, *asset);
            if per_deal.is_none() && per_period.is_none() && approval_above.is_none() {
                state.take::<Allowance>(&key);
                return;
            }
            let window = window_start(state.now(), *period_ms);
            // A new limit for the same period goes on counting where the old one stood.
            let old = state.allowances.get(&key);
            let old = old.filter(|a| a.period_ms == *period_ms);
            let since = old.map_or(state.position(), |a| a.since);
            let old = old.filter(|a| a.window == window);
            let allowance = Allowance {
                per_deal: *per_deal,
                per_period: *per_period,
                period_ms: *period_ms,
                approval_above: *approval_above,
                window,
                spent: old.map_or(Amount::ZERO, |a| a.spent),
                since,
            };
            state.bring(key, allowance);
        }
        PolicyEvent::Blocked { by, party } => {
            let since = state.now();
            state.bring((*by, *party), Block { since });
            count_blocks(state, *by, 1);
            count_hit(state, *by, *party, 1);
        }
        PolicyEvent::Unblocked { by, party } => {
            state.take::<Block>(&(*by, *party));
            count_blocks(state, *by, -1);
            count_hit(state, *by, *party, -1);
        }
        PolicyEvent::ApprovalRequested { approval, request } => {
            state.bring(*approval, request.clone());
            state
                .agents
                .modify(&request.agent, &mut state.changes, |a| a.approvals += 1);
        }
        PolicyEvent::ApprovalEnded { approval, .. } => match state.take::<Approval>(approval) {
            Some(ended) => {
                let changes = &mut state.changes;
                state.agents.modify(&ended.agent, changes, |a| {
                    a.approvals = a.approvals.saturating_sub(1);
                });
                mail::deliver(state, ended.agent, Item::Approval(*approval));
            }
            None => state.changes.defect(),
        },
        PolicyEvent::LinesSet { node, lines } => line::set(state, *node, lines),
        PolicyEvent::UsageReserved {
            usage: id,
            reserved,
        } => usage::bring(state, *id, reserved),
        PolicyEvent::UsageSettled { usage: id, work } => usage::end(state, *id, *work),
        PolicyEvent::UsageExpired { usage: id } => usage::end(state, *id, Work::default()),
        PolicyEvent::MeterKept { meter, idle } => {
            match EntityKey::from_slice(meter).and_then(|key| key.typed()) {
                Some(rate) => state
                    .meters
                    .modify(&rate, &mut state.changes, |m| m.idle = *idle),
                None => state.changes.defect(),
            }
        }
    }
}

fn count_blocks(state: &mut State, by: Party, change: i32) {
    let changes = &mut state.changes;
    match by {
        Party::Agent(id) => state.agents.modify(&id, changes, |a| {
            a.blocks = a.blocks.saturating_add_signed(change);
        }),
        Party::Owner(id) => state.owners.modify(&id, changes, |o| {
            o.blocks = o.blocks.saturating_add_signed(change);
        }),
    }
}

fn count_hit(state: &mut State, by: Party, party: Party, change: i32) {
    let owner = share::party(state, party);
    count_block(state.blocked_owners_mut(), by, owner, change);
}

/// Counts one act towards a rate limit.
pub(crate) fn count_rate(state: &mut State, rate: Rate) {
    let Some((step_ms, _)) = pace(&state.settings(), rate) else {
        return;
    };
    let (now, rate) = (state.now(), rate.counted(state));
    if let Some(steady_ms) = state.steady_ms() {
        let fresh = || Meter {
            empty_at_ms: steady_ms,
            idle: now,
        };
        state.meters.upsert(rate, &mut state.changes, fresh, |m| {
            m.empty_at_ms = m.empty_at_ms.max(steady_ms).saturating_add(step_ms);
            m.idle = now.after(m.empty_at_ms - steady_ms);
        });
        return;
    }
    let fresh = || Bucket { empty_at: now };
    state.buckets.upsert(rate, &mut state.changes, fresh, |b| {
        b.empty_at = b.empty_at.max(now).after(step_ms);
    });
}
