//! Folds what a model's calls are linked with; what they are stands in the rows of their noun.

use rialto_core::id::{DeploymentId, InferenceId};
use rialto_core::model::{Inference, ModelEvent};

use super::Fold;
use crate::Result;

impl Fold<'_> {
    pub(super) fn model(&mut self, event: &ModelEvent) -> Result<()> {
        match event {
            ModelEvent::Reserved {
                inference,
                reserved,
            } => self.inference_begun(*inference, reserved.deployment, reserved),
            ModelEvent::Deployed { .. }
            | ModelEvent::Changed { .. }
            | ModelEvent::Retired { .. }
            | ModelEvent::Settled { .. } => Ok(()),
        }
    }

    fn inference_begun(
        &mut self,
        inference: InferenceId,
        deployment: DeploymentId,
        reserved: &Inference,
    ) -> Result<()> {
        self.link(inference, deployment, "is served by")?;
        if let Some(task) = reserved.on.tasks.first() {
            self.link(*task, inference, "called a model by")?;
        }
        match reserved.hold {
            Some(hold) => self.link(inference, hold, "is paid by"),
            None => Ok(()),
        }
    }
}
