//! What a benchmark run is forecast from: the mean engine step behind its time per output token,
//! and the parts of its time to first token.
//!
//! The runs are closed loops: `concurrency` requests are in flight, and a finished one is replaced
//! at once. In the steady state every output token of a sequence therefore comes with
//! `input / output` prompt tokens of others when one engine does both phases.

use super::point::{Point, Replica, Serving};
use super::solve::{Example, Feature, Prior};
use crate::step::{
    Deployment, FIRST_TOKEN_TERMS, MeanLoad, On, Plan, Roofline, TERMS, effects, family,
};

/// Priors of the step terms: memory at 65 % of peak, experts and cache at 50 %, arithmetic at 30
/// to 40 %, links at 40 %; overheads near their unit sizes.
pub(crate) const TPOT_PRIOR: Prior = Prior {
    base: &[0.43, 0.69, 0.69, 1.2, 0.92, 0.92, -0.92, 0.0, 0.0, -1.2],
    spread: &[0.2, 0.4, 0.4, 0.5, 0.5, 0.5, 0.7, 0.4, 0.5, 0.7],
    noise: 0.25,
    robust: 0.08,
};

/// The parts of the time to first token, in the order of its terms.
pub(crate) const TTFT_TERMS: [&str; FIRST_TOKEN_TERMS] = [
    "own", "link", "step", "burst", "constant", "layers", "queue", "requests",
];

pub(crate) const TTFT_PRIOR: Prior = Prior {
    base: &[0.92, 0.92, 0.4, 0.0, 0.0, 0.0, -0.7, 0.0],
    spread: &[0.4, 0.5, 0.5, 0.7, 0.7, 0.5, 0.7, 0.7],
    noise: 0.40,
    robust: 0.15,
};

/// Share of prompt work that falls between output tokens when all requests have equal lengths.
const LOCKSTEP_SHARE: f64 = 0.25;

/// One run, unfolded.
pub(crate) struct Benchmark<'a> {
    point: &'a Point,
    decode: Deployment,
    prefill: Deployment,
    prefill_workers: f64,
    /// Sequences in flight on one decode engine.
    batch: f64,
    /// The same, limited by its cache.
    held: f64,
    input: f64,
    output: f64,
    workers_known: bool,
    total_only: bool,
}

impl<'a> Benchmark<'a> {
    pub(crate) fn new(point: &'a Point) -> Self {
        let (decode, prefill, workers, prefill_workers, known, total_only) = match point.serving {
            Serving::Together(r) => (r, r, 1.0, 1.0, true, false),
            Serving::Split {
                prefill,
                prefill_workers,
                decode,
                decode_workers,
                total_only,
            } => {
                let guess = usual_workers(decode, point.concurrency);
                let workers = decode_workers.unwrap_or(guess);
                let known = decode_workers.is_some();
                let flow = point.concurrency * point.input_tokens / point.output_tokens;
                let engines = prefill_workers.unwrap_or((flow / 1000.0).clamp(1.0, 10.0));
                (decode, prefill, workers, engines, known, total_only)
            }
        };
        let decode = deployment(point, decode);
        let input = point.input_tokens * point.length_share;
        let output = (point.output_tokens * point.length_share).max(1.0);
        let batch = (point.concurrency / workers).max(1.0);
        let room = decode.kv_capacity_tokens() as f64 / (point.input_tokens + point.output_tokens);
        Self {
            point,
            prefill: deployment(point, prefill),
            decode,
            prefill_workers,
            batch,
            held: batch.min(room.max(1.0)),
            input,
            output,
            workers_known: known,
            total_only,
        }
    }

    /// The mean decode step.
    fn load(&self) -> MeanLoad {
        let mixed = match (self.point.is_split(), self.point.client) {
            (true, _) => 0.0,
            (false, "sweep") => 1.0,
            // Equal lengths keep the sequences in step: prompts are computed together, and few of
            // them fall between two tokens of a running sequence.
            (false, _) => LOCKSTEP_SHARE,
        };
        let arriving = mixed * self.held / self.output;
        MeanLoad {
            prefill_tokens: arriving * self.input,
            prefill_sequences: arriving,
            prefill_context_tokens: arriving * self.input * self.input / 2.0,
            decode_sequences: self.held,
            decode_context_tokens: self.held * (self.input + self.output / 2.0),
        }
    }

    fn step_terms_ms(&self) -> Vec<f64> {
        Roofline::new(&self.decode)
            .terms(&self.load())
            .iter()
            .map(|s| s * 1e3)
            .collect()
    }

    /// Terms and effects behind the time per output token.
    pub(crate) fn tpot(&self) -> (Vec<f64>, Vec<Feature>) {
        let mut features: Vec<Feature> = effects(&self.decode)
            .into_iter()
            .map(|e| {
                let term = match e.on {
                    On::All => None,
                    On::Term(t) => TERMS.iter().position(|x| *x == t),
                };
                Feature {
                    key: e.key,
                    term,
                    value: e.value,
                    spread: e.spread,
                }
            })
            .collect();
        self.run_features(&mut features, 1.0);
        let prefill = TERMS.iter().position(|t| t.name() == "prefill");
        let key = format!("prefill|client={}", self.point.client);
        features.push(Feature {
            key,
            term: prefill,
            value: 1.0,
            spread: 0.6,
        });
        (self.step_terms_ms(), features)
    }

    /// Terms and effects behind the time to first token.
    pub(crate) fn ttft(&self) -> (Vec<f64>, Vec<Feature>) {
        let step: Vec<f64> = self.step_terms_ms();
        let step_ms: f64 = step
            .iter()
            .zip(TPOT_PRIOR.base)
            .map(|(t, b)| t * libm::exp(*b))
            .sum();
        let prompt = MeanLoad {
            prefill_tokens: self.input,
            prefill_sequences: 1.0,
            prefill_context_tokens: self.input * self.input / 2.0,
            ..MeanLoad::default()
        };
        let alone = Roofline::new(&self.prefill).terms(&prompt);
        // A prompt on a data-parallel engine uses one rank; the others take other prompts.
        let ranks = f64::from(self.prefill.plan.data);
        let engines = self.prefill_workers;
        let per_prompt = alone[4] * 1e3 / engines;
        let own = alone[4] * 1e3 * (1.0 + 0.3 * (ranks - 1.0));
        let burst = self.burst_ms(per_prompt, step_ms);
        let waiting = (self.batch / self.held - 1.0).max(0.0) * self.output * step_ms;
        let terms = vec![
            own,
            alone[5] * 1e3,
            step_ms,
            burst,
            20.0,
            alone[7] * 1e3 * 15.0,
            waiting + 1e-9,
            self.point.concurrency * 0.3,
        ];
        (terms, self.ttft_features())
    }

    /// Waiting for other prompts. On one engine a tenth of a burst of all of them; on separate
    /// engines what the closed loop's law leaves for prefill when its engines are the bottleneck.
    fn burst_ms(&self, per_prompt_ms: f64, step_ms: f64) -> f64 {
        let all = self.point.concurrency * per_prompt_ms;
        if !self.point.is_split() {
            return all * 0.1;
        }
        let bottleneck = all * libm::exp(TPOT_PRIOR.base[4]) - self.output * step_ms;
        bottleneck.max(0.0) * 0.3 + all * 0.01
    }

    fn ttft_features(&self) -> Vec<Feature> {
        let p = self.point;
        let mut out = Vec::new();
        for effect in effects(&self.decode) {
            if effect.on == On::All {
                let spread = effect.spread * 1.5;
                out.push(Feature {
                    key: effect.key,
                    term: None,
                    value: effect.value,
                    spread,
                });
            }
        }
        self.run_features(&mut out, 1.5);
        let (engine, mode) = (p.engine.name(), self.mode());
        let mut term = |index: usize, spread: f64, key: String| {
            let key = format!("{}|{key}", TTFT_TERMS[index]);
            out.push(Feature {
                key,
                term: Some(index),
                value: 1.0,
                spread,
            });
        };
        for key in [
            format!("chip={}", p.chip.name),
            format!("engine={engine}"),
            format!("model={}", p.model.name),
            format!("family={}", family(&p.model)),
            format!("chip={},precision={}", p.chip.name, p.precision.name),
            p.group(),
        ] {
            term(0, 0.3, key);
        }
        term(3, 0.4, p.group());
        term(3, 0.4, format!("engine={engine}"));
        term(3, 0.4, format!("client={}", p.client));
        term(4, 0.4, format!("engine={engine},{mode}"));
        term(4, 0.4, format!("client={}", p.client));
        term(5, 0.3, format!("engine={engine},{mode}"));
        term(2, 0.3, format!("engine={engine},{mode}"));
        term(6, 0.5, format!("engine={engine}"));
        term(7, 0.4, format!("engine={engine},{mode}"));
        out
    }

    fn mode(&self) -> &'static str {
        if self.point.is_split() {
            "split"
        } else {
            "together"
        }
    }

    /// Effects of how the run was made rather than of the deployment: the engine's build, the
    /// client, and for separate engines the configuration that a concurrency implies.
    fn run_features(&self, out: &mut Vec<Feature>, width: f64) {
        let p = self.point;
        let (engine, mode) = (p.engine.name(), self.mode());
        let (model, kind) = (&p.model.name, family(&p.model));
        let build = format!("{engine} {} {mode}", p.build);
        let group = format!("{} {mode}", p.group());
        let size = (libm::log2(self.held) - 5.0) / 3.0;
        let shape = libm::log2(p.input_tokens / p.output_tokens) / 3.0;
        let mut all = |spread: f64, value: f64, key: String| {
            let key = format!("run|{key}");
            out.push(Feature {
                key,
                term: None,
                value,
                spread: spread * width,
            });
        };
        all(0.2, 1.0, format!("build={build}"));
        all(0.2, 1.0, format!("build={build},family={kind}"));
        all(0.08, 1.0, format!("build={build},model={model}"));
        all(
            0.2,
            1.0,
            format!("day={engine} {} {mode},family={kind}", p.day),
        );
        all(
            0.06,
            size,
            format!("batch,day={engine} {} {mode},family={kind}", p.day),
        );
        all(0.08, size, format!("batch,build={build}"));
        all(0.08, size, format!("batch,build={build},family={kind}"));
        all(0.05, size, format!("batch,engine={engine}"));
        all(0.08, size, format!("batch,engine={engine},family={kind}"));
        all(0.06, size, format!("batch,model={model}"));
        all(0.08, size, format!("batch,{group}"));
        all(0.05, shape, format!("shape,engine={engine}"));
        all(0.05, shape, format!("shape,model={model}"));
        all(0.06, shape, format!("shape,{group}"));
        all(0.2, 1.0, mode.to_owned());
        all(0.1, 1.0, format!("{mode},engine={engine}"));
        all(0.2, 1.0, format!("client={}", p.client));
        all(0.1, 1.0, format!("client={},engine={engine}", p.client));
        all(0.2, 1.0, group.clone());
        if p.client != "sweep" {
            all(1.0, 1.0, format!("client={},{group}", p.client));
        }
        all(0.15, 1.0, format!("{group} {}", p.build));
        all(0.07, size, format!("batch,{group} {}", p.build));
        if p.drafted {
            all(2.0, 1.0, format!("draft-model,engine={engine}"));
        }
        if p.is_split() {
            self.split_features(&mut all);
        }
    }

    /// Published split runs walk through fixed ladders of configurations in which the concurrency
    /// identifies how many engines of which kind were used; neighbours on a ladder share effects.
    fn split_features(&self, all: &mut impl FnMut(f64, f64, String)) {
        let p = self.point;
        let (engine, chips) = (p.engine.name(), self.decode.plan.chips());
        let lengths = format!("{}/{}", p.input_tokens, p.output_tokens);
        let octave = libm::log2(p.concurrency.max(1.0));
        let below = libm::floor(octave);
        let known = if self.workers_known {
            "known"
        } else {
            "unknown"
        };
        for (rung, near) in [
            (below, 1.0 - (octave - below)),
            (below + 1.0, octave - below),
        ] {
            if near <= 0.0 {
                continue;
            }
            all(0.15, near, format!("rung={rung},engine={engine}"));
            all(
                0.10,
                near,
                format!("rung={rung},engine={engine},lengths={lengths}"),
            );
            all(
                0.15,
                near,
                format!("rung={rung},engine={engine},lengths={lengths},chips={chips}"),
            );
            all(
                0.15,
                near,
                format!("rung={rung},build={engine} {},chips={chips}", p.build),
            );
        }
        let exact = format!(
            "engine={engine},lengths={lengths},chips={chips},at={}",
            p.concurrency
        );
        all(0.2, 1.0, format!("{exact},model={}", p.model.name));
        all(0.2, 1.0, exact);
        all(0.2, 1.0, format!("workers={known},engine={engine}"));
        all(
            0.2,
            1.0,
            format!("workers={known},engine={engine},chips={chips}"),
        );
        if self.total_only {
            all(0.1, 1.0, format!("total-only,engine={engine}"));
        }
    }
}

/// The example of one measured figure, or none if it was not measured.
pub(crate) fn example(
    measured_ms: Option<f64>,
    weight: f64,
    (terms, features): (Vec<f64>, Vec<Feature>),
) -> Option<Example> {
    let target_ln = libm::log(measured_ms?);
    Some(Example {
        terms,
        features,
        target_ln,
        weight,
    })
}

/// Decode engines of a split run that does not say: wide ones stand alone, others come in fours.
fn usual_workers(decode: Replica, concurrency: f64) -> f64 {
    match decode.chips {
        16.. => 1.0,
        _ if concurrency >= 600.0 => 2.0,
        _ => concurrency.clamp(1.0, 4.0),
    }
}

fn deployment(point: &Point, replica: Replica) -> Deployment {
    let (tensor, data) = if replica.data {
        (1, replica.chips)
    } else {
        (replica.chips, 1)
    };
    let plan = Plan {
        tensor,
        pipeline: 1,
        expert: replica.expert,
        data,
    };
    Deployment::unchecked(
        &point.chip,
        &point.model,
        &point.precision,
        plan,
        point.engine,
    )
}
