//! Cancelling work: a task, the parts that its worker delegated, and their parts.
//!
//! The worker that delegated a part can no longer use it, so it is cancelled with its whole,
//! whoever owns its worker. A part that belongs to a deal stays: its money is held, and the deal's
//! own terms end it. Only the worker of the whole task can read the reason.

use alloc::collections::VecDeque;

use super::decide::emit;
use super::{TaskState, WorkEvent};
use crate::ctx::Ctx;
use crate::id::TaskId;
use crate::limits;
use crate::reject::Rejection;
use crate::state::State;
use crate::text::ContentRef;

/// Cancels an open task with its parts.
pub(super) fn call_off(ctx: &mut Ctx<'_>, task: TaskId, note: Option<ContentRef>) {
    end(ctx, task, note);
    call_off_parts(ctx, task, limits::PARTS_AT_ONCE);
}

fn end(ctx: &mut Ctx<'_>, task: TaskId, note: Option<ContentRef>) {
    let state = TaskState::Canceled;
    emit(ctx, WorkEvent::TaskUpdated { task, state, note });
}

/// The parts of a task that go with it.
fn open_parts(state: &State, whole: TaskId) -> impl Iterator<Item = TaskId> + '_ {
    let open = |id: &TaskId| {
        let task = state.tasks.get(id);
        task.is_some_and(|t| t.deal.is_none() && !t.state.is_terminal())
    };
    state.parts_of(whole).filter(open)
}

/// Cancels the parts below a task, level by level, `most` tasks in all. The rest is recorded.
fn call_off_parts(ctx: &mut Ctx<'_>, whole: TaskId, most: usize) {
    let (state, mut left) = (ctx.state, most);
    let mut wholes = VecDeque::from([whole]);
    while let Some(task) = wholes.pop_front() {
        for part in open_parts(state, task) {
            if left == 0 {
                emit(ctx, WorkEvent::PartsLeft { task });
                break;
            }
            left -= 1;
            end(ctx, part, None);
            wholes.push_back(part);
        }
    }
}

/// Goes on with the parts of a cancelled task. True if none is left.
pub(super) fn go_on(ctx: &mut Ctx<'_>, whole: TaskId) -> Result<bool, Rejection> {
    if open_parts(ctx.state, whole).next().is_none() {
        return Ok(true);
    }
    // What one clock command does in all is bounded, however many tasks it goes on with.
    let most = limits::PARTS_AT_ONCE.saturating_sub(ctx.emitted());
    if most > 0 {
        call_off_parts(ctx, whole, most);
    }
    Ok(false)
}
