//! Applies events about obligations.

use super::{Duty, Noticed, Obligation, ObligationEvent};
use crate::limits;
use crate::state::State;

pub(crate) fn evolve(state: &mut State, event: &ObligationEvent) {
    let now = state.now();
    match event {
        ObligationEvent::Opened {
            obligation,
            duty,
            owner,
            deadline,
        } => {
            let opened = Obligation {
                duty: *duty,
                owner: *owner,
                deadline: *deadline,
                attempts: 0,
                next: Some(now),
                forgotten: None,
            };
            state.bring(*obligation, opened);
        }
        ObligationEvent::Failed {
            obligation,
            attempts,
            next,
            ..
        } => state.renew::<Obligation>(obligation, |owed| {
            let money = matches!(owed.duty, Duty::PayOut { .. });
            owed.attempts = *attempts;
            owed.next = *next;
            owed.forgotten =
                (next.is_none() && !money).then(|| now.after(limits::DEAD_OBLIGATION_MS));
        }),
        ObligationEvent::Retried {
            obligation,
            deadline,
        } => state.renew::<Obligation>(obligation, |owed| {
            owed.attempts = 0;
            owed.next = Some(now);
            owed.deadline = *deadline;
            owed.forgotten = None;
        }),
        ObligationEvent::Ended { obligation, .. } => {
            state.take::<Obligation>(obligation);
        }
        ObligationEvent::Noticed { position } => {
            let noticed = Noticed {
                position: *position,
            };
            state.bring((), noticed);
        }
    }
}
