//! Pools of replicas: routing, scaling, failures, and the run of a whole scenario.
//!
//! Holds scenarios ([`ServingScenario`]), the simulation of cells, exact and sampled runs, and the report.
//! It never prints or reads files. Every figure it reports comes from the twin: it is modelled, not
//! measured.

mod calls;
mod cell;
mod faults;
mod files;
mod interval;
mod outages;
mod pool;
mod report;
mod route;
mod run;
mod scenario;

pub use calls::calls;
pub use cell::{CellResult, CellSettings, simulate_cell};
pub(crate) use cell::{requests_of, serve};
pub use faults::{Faults, Topology};
pub use files::{FilesError, files, requests_csv};
pub use interval::{Interval, Intervals};
pub use pool::{Fleet, GENERATED_BLOCK_TOKENS, Pool, TrafficSource, deployment};
pub use report::{Blend, ChipPrice, Distribution, PoolReport, SeriesPoint, ServingReport, Totals};
pub use route::Policy;
pub use run::{MAX_REQUESTS, Mode, PoolResult, RunOptions, RunResult, expected_requests, run};
pub use scenario::{
    Autoscale, Disaggregate, Drain, MAX_CHIPS, PoolSpec, ScenarioError, ServingScenario, SloSpec,
    SpeculationSpec,
};
