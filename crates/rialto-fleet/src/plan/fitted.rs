//! Compares the placement that the fit of a trace asks for with that of the trace.

use serde::Serialize;

use super::{Placement, Question, size_cheapest};
use crate::catalogue::Catalogue;
use crate::cluster::{PoolSpec, TrafficSource};
use crate::step::{Parameters, Plan};
use crate::traffic::TrafficModel;

/// The same placement sized for a trace and for its fit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlacedFit {
    /// The placement that the trace asks for.
    pub trace: Placement,
    /// The placement that the fit asks for, with the same parallel plan.
    pub fit: Placement,
}

impl PlacedFit {
    /// Sizes the cheapest of the plans for the question's trace, and the same plan for its fit.
    #[must_use]
    pub fn new(
        question: &Question,
        fit: &TrafficModel,
        spec: &PoolSpec,
        plans: &[Plan],
        catalogue: &Catalogue,
        parameters: &Parameters,
    ) -> Self {
        let trace = size_cheapest(question, spec, plans, catalogue, parameters);
        let same = plans.iter().filter(|plan| plan.to_string() == trace.plan);
        let same: Vec<Plan> = same.copied().collect();
        let question = Question {
            traffic: TrafficSource::Model(fit.clone()),
            ..question.clone()
        };
        Self {
            fit: size_cheapest(&question, spec, &same, catalogue, parameters),
            trace,
        }
    }
}
