//! Parallel plans: how one replica of a model is split over chips, and which splits are impossible.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::catalogue::Model;

/// A deployment that cannot exist; the message names the constraint.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StepError {
    /// A degree of parallelism is zero.
    #[error("plan {plan}: {field} is 0; every degree is at least 1")]
    ZeroDegree {
        /// The plan.
        plan: Plan,
        /// The degree at fault.
        field: &'static str,
    },
    /// A degree does not divide what it cuts.
    #[error("plan {plan}: {field} {degree} does not divide {what} of {model} ({count})")]
    DoesNotDivide {
        /// The plan.
        plan: Plan,
        /// The degree at fault.
        field: &'static str,
        /// Its value.
        degree: u32,
        /// What it cuts.
        what: &'static str,
        /// The model.
        model: String,
        /// How many there are.
        count: u32,
    },
    /// Experts are spread but the model has none.
    #[error("plan {plan}: expert {degree} needs a mixture-of-experts model; {model} is dense")]
    NoExperts {
        /// The plan.
        plan: Plan,
        /// The expert degree.
        degree: u32,
        /// The model.
        model: String,
    },
    /// Weights leave no room for a cache.
    #[error(
        "{model} in {precision} does not fit plan {plan}: {needed_gb:.1} GB of weights a chip, \
         {usable_gb:.1} GB usable on {chip}; spread it over more chips or use a narrower format"
    )]
    DoesNotFit {
        /// The model.
        model: String,
        /// Its number format.
        precision: String,
        /// The plan.
        plan: Plan,
        /// The chip.
        chip: String,
        /// Weights per chip, 10^9 bytes.
        needed_gb: f64,
        /// Memory the engine may use, 10^9 bytes.
        usable_gb: f64,
    },
    /// A setting outside its range.
    #[error("{field} is {value}; it must be {range}")]
    OutOfRange {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        range: &'static str,
    },
}

/// How one replica is split over chips.
///
/// `tensor` cuts every matrix, `data` repeats attention over different sequences, `pipeline` cuts
/// the layers. Experts live on the `tensor * data` chips of a stage: `expert` of them hold
/// different experts, and `tensor * data / expert` chips cut each expert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// Tensor-parallel degree of attention.
    pub tensor: u32,
    /// Pipeline stages.
    pub pipeline: u32,
    /// Expert-parallel degree.
    pub expert: u32,
    /// Attention data-parallel degree inside the replica.
    pub data: u32,
}

impl Plan {
    /// One chip.
    pub const SINGLE: Self = Self {
        tensor: 1,
        pipeline: 1,
        expert: 1,
        data: 1,
    };

    /// Pure tensor parallelism.
    #[must_use]
    pub const fn tensor(degree: u32) -> Self {
        Self {
            tensor: degree,
            ..Self::SINGLE
        }
    }

    /// Chips of one replica.
    #[must_use]
    pub fn chips(&self) -> u32 {
        self.tensor
            .saturating_mul(self.data)
            .saturating_mul(self.pipeline)
    }

    /// Chips that share one layer.
    #[must_use]
    pub fn stage_chips(&self) -> u32 {
        self.tensor.saturating_mul(self.data)
    }

    /// Checks that the plan cuts `model` evenly.
    ///
    /// # Errors
    /// Names the degree and what it does not divide.
    pub fn check(&self, model: &Model) -> Result<(), StepError> {
        for (field, degree) in [
            ("tensor", self.tensor),
            ("pipeline", self.pipeline),
            ("expert", self.expert),
            ("data", self.data),
        ] {
            if degree == 0 {
                return Err(StepError::ZeroDegree { plan: *self, field });
            }
        }
        self.divides(
            "tensor",
            self.tensor,
            "the attention heads",
            model.heads(),
            model,
        )?;
        if self.pipeline > model.layers {
            return Err(self.indivisible(
                "pipeline",
                self.pipeline,
                "the layers",
                model.layers,
                model,
            ));
        }
        self.divides(
            "expert",
            self.expert,
            "the tensor x data chips",
            self.stage_chips(),
            model,
        )?;
        match &model.moe {
            Some(_) => Ok(()),
            None if self.expert > 1 => Err(StepError::NoExperts {
                plan: *self,
                degree: self.expert,
                model: model.name.clone(),
            }),
            None => Ok(()),
        }
    }

    fn divides(
        &self,
        field: &'static str,
        degree: u32,
        what: &'static str,
        count: u32,
        model: &Model,
    ) -> Result<(), StepError> {
        if count.is_multiple_of(degree) {
            return Ok(());
        }
        Err(self.indivisible(field, degree, what, count, model))
    }

    fn indivisible(
        &self,
        field: &'static str,
        degree: u32,
        what: &'static str,
        count: u32,
        model: &Model,
    ) -> StepError {
        StepError::DoesNotDivide {
            plan: *self,
            field,
            degree,
            what,
            model: model.name.clone(),
            count,
        }
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = [
            ("tensor", self.tensor),
            ("pipeline", self.pipeline),
            ("expert", self.expert),
            ("data", self.data),
        ];
        if degrees.iter().all(|(_, degree)| *degree == 1) {
            return f.write_str("tensor 1");
        }
        let named = degrees.iter().filter(|(_, degree)| *degree != 1);
        let words: Vec<String> = named.map(|(name, n)| format!("{name} {n}")).collect();
        f.write_str(&words.join(", "))
    }
}
