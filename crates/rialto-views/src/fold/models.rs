//! Folds calls of models into the table that the accounts count them from.

use rialto_core::id::{InferenceId, number};
use rialto_core::model::{Inference, ModelEvent, Receipt};
use rusqlite::params;

use super::Folding;
use crate::Result;
use crate::db::int;

impl Folding<'_> {
    pub(super) fn model(&mut self, event: &ModelEvent) -> Result<()> {
        match event {
            ModelEvent::Reserved {
                inference,
                reserved,
            } => self.call_begun(*inference, reserved),
            ModelEvent::Settled {
                inference, receipt, ..
            } => self.call_over(*inference, receipt),
            ModelEvent::Deployed { .. }
            | ModelEvent::Changed { .. }
            | ModelEvent::Retired { .. } => Ok(()),
        }
    }

    fn call_begun(&mut self, id: InferenceId, call: &Inference) -> Result<()> {
        let owner = self.owner_of_agent(call.agent)?;
        self.run(
            "INSERT INTO inference(id, agent, owner, seller, deployment, model, provider, chip, asset, hold)
             VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                int(id.0),
                int(call.agent.0),
                owner.map(|owner| int(owner.0)),
                int(call.terms.owner.0),
                int(call.deployment.0),
                call.terms.model.as_str(),
                call.terms.provider.as_str(),
                call.terms.chip.as_ref().map(|chip| chip.as_str()),
                int(call.terms.asset.0),
                call.hold.map(|hold| int(hold.0)),
            ],
        )
    }

    fn call_over(&mut self, id: InferenceId, receipt: &Receipt) -> Result<()> {
        let tokens = &receipt.tokens;
        self.run(
            "UPDATE inference SET ended = ?, at = ?, input = ?, cached = ?, output = ?, reasoning = ?
             WHERE id = ?",
            (
                int(number(self.position, 0)),
                self.now(),
                int(tokens.input),
                int(tokens.cached),
                int(tokens.output),
                int(tokens.reasoning),
                int(id.0),
            ),
        )
    }
}
