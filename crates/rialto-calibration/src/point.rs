//! One measured point of a serving benchmark.

use serde::Serialize;

use rialto_fleet::catalogue::{Chip, Model, Precision};
use rialto_fleet::step::Engine;

/// A file of measured points that cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PointsError {
    /// The text is not CSV.
    #[error("{file}: line {line}: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A column is missing.
    #[error(
        "{file}: line 1: no column {column:?}; a file of measured points has either the columns \
         model_path, system, backend, … silicon_tpot_ms, or chip, model, engine, … tpot_ms"
    )]
    Column {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// A value cannot be used.
    #[error("{file}: line {line}: {field}: {value:?} {problem}")]
    Field {
        /// The file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The column.
        field: String,
        /// What it holds.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// A row without a forecast, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// The row's own name.
    pub id: String,
    /// Why it was left out.
    pub reason: String,
}

/// The chips of one engine instance as a benchmark reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replica {
    /// Chips of the instance.
    pub chips: u32,
    /// Expert-parallel degree.
    pub expert: u32,
    /// Attention runs data-parallel over the chips.
    pub data: bool,
}

impl Replica {
    /// Whether experts and attention are divided as the weights are, or the row does not say.
    pub(super) fn undivided(&self) -> bool {
        self.expert <= 1 && !self.data
    }
}

/// How the phases are placed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Serving {
    /// One engine does prefill and decode.
    Together(Replica),
    /// Separate engines for the two phases.
    Split {
        /// A prefill engine.
        prefill: Replica,
        /// How many; unknown if the row does not say.
        prefill_workers: Option<f64>,
        /// A decode engine.
        decode: Replica,
        /// How many; unknown if the row does not say.
        decode_workers: Option<f64>,
        /// The chips of all engines together, if the row gives only those (1 if not even those).
        total_chips: Option<u32>,
    },
}

/// Multi-token prediction of a run as far as its launch is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Speculative {
    /// 1 if it was on, 0 if off; in between where launches with and without it match the run equally well.
    pub share: f64,
    /// Tokens drafted a step where it was on.
    pub draft_tokens: f64,
}

/// One measured point, its names resolved against the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// The row's own name.
    pub id: String,
    /// The group the row belongs to in its own words: model, system, backend, precision.
    pub written_group: String,
    /// The model.
    #[serde(skip)]
    pub model: Model,
    /// The chip.
    #[serde(skip)]
    pub chip: Chip,
    /// The number format.
    #[serde(skip)]
    pub precision: Precision,
    /// The engine.
    pub engine: Engine,
    /// Engine version and month of the measurement: they identify the engine's build.
    pub build: String,
    /// Day of the measurement, if the row says.
    pub day: String,
    /// Who measured: the kind of client, which decides how requests arrive.
    pub client: &'static str,
    /// How the phases are placed.
    pub serving: Serving,
    /// Prompt tokens, at most.
    pub input_tokens: f64,
    /// Output tokens, at most.
    pub output_tokens: f64,
    /// Mean over maximum of the lengths.
    pub length_share: f64,
    /// Requests kept in flight by a closed loop.
    pub concurrency: f64,
    /// The row says that a draft model was used.
    pub drafted: bool,
    /// Multi-token prediction, if the launch of the run is known.
    pub speculative: Option<Speculative>,
    /// The most sequences that one decode engine takes, if the launch of the run says.
    pub batch_limit: Option<f64>,
    /// The row's own number of its configuration, shared by runs that were launched alike.
    pub configuration: Option<u32>,
    /// Whether lengths or concurrency are assumed and not given.
    pub assumed: bool,
    /// Measured time to first token, milliseconds.
    pub ttft_ms: Option<f64>,
    /// Measured time per output token, milliseconds.
    pub tpot_ms: Option<f64>,
    /// Measured output tokens a second.
    pub output_tokens_per_second: Option<f64>,
}

impl Point {
    /// Chip of this point, short.
    #[must_use]
    pub fn chip_name(&self) -> &str {
        &self.chip.name
    }

    /// True when prefill and decode run on separate engines.
    #[must_use]
    pub fn is_split(&self) -> bool {
        matches!(self.serving, Serving::Split { .. })
    }

    /// Model, chip, engine and precision in the catalogue's words: rows of one group share them
    /// whatever they call the model.
    #[must_use]
    pub fn group(&self) -> String {
        format!(
            "{} {} {} {}",
            self.model.name,
            self.chip.name,
            self.engine.name(),
            self.precision.name
        )
    }

    /// Tokens of a sequence that one decode step works on: one, and those drafted for it.
    #[must_use]
    pub fn tokens_verified(&self) -> f64 {
        1.0 + self.drafting().map_or(0.0, |s| s.draft_tokens)
    }

    /// The drafting that a forecast assumes: if launches with and without it match equally well, that it
    /// was on. Either forecast is then wrong half of the time, and a forecast that is too low has a smaller
    /// relative error than one that is too high.
    pub(crate) fn drafting(&self) -> Option<Speculative> {
        self.speculative.filter(|s| s.share > 0.0)
    }

    /// Launches with and without drafting match this run equally well.
    pub(crate) fn is_undecided(&self) -> bool {
        self.speculative
            .is_some_and(|s| s.share > 0.0 && s.share < 1.0)
    }

    /// The engine that decodes.
    #[must_use]
    pub fn decoder(&self) -> Replica {
        match self.serving {
            Serving::Together(replica)
            | Serving::Split {
                decode: replica, ..
            } => replica,
        }
    }
}
