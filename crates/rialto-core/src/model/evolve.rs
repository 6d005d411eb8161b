//! Applies events about models.

use super::{Deployment, Inference, ModelEvent};
use crate::id::{InferenceId, position_of};
use crate::policy::{self, Work};
use crate::realm::rules;
use crate::state::State;

pub(crate) fn evolve(state: &mut State, event: &ModelEvent) {
    match event {
        ModelEvent::Deployed { deployment, terms } => {
            state.bring(*deployment, Deployment::clone(terms));
        }
        ModelEvent::Changed { deployment, terms } => {
            state.renew::<Deployment>(deployment, |it| *it = Deployment::clone(terms));
        }
        ModelEvent::Retired { deployment } => {
            if state.take::<Deployment>(deployment).is_none() {
                state.changes.defect();
            }
        }
        ModelEvent::Reserved {
            inference,
            reserved,
        } => {
            policy::count_work(
                state,
                &reserved.charged,
                reserved.work(),
                Some(&reserved.on),
            );
            state.bring(*inference, Inference::clone(reserved));
        }
        ModelEvent::Settled {
            inference, receipt, ..
        } => settled(state, *inference, receipt.tokens.sum()),
    }
}

fn settled(state: &mut State, id: InferenceId, tokens: u64) {
    let Some(call) = state.take::<Inference>(&id) else {
        state.changes.defect();
        return;
    };
    let most = match state.edition() < rules::TOKENS_WITHIN_RESERVE {
        true => tokens,
        false => call.work().tokens,
    };
    let used = Work {
        tokens: tokens.min(most),
        milliseconds: 0,
    };
    let made = (call.at, position_of(id.0));
    policy::settle_work(
        state,
        (&call.charged, made),
        (call.work(), used),
        Some(&call.on),
    );
}
