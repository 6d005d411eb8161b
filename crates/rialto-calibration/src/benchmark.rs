//! Computes the parts from which a benchmark run is forecast: the engine steps behind its time per output
//! token, and the parts of its time to first token.
//!
//! The runs are closed loops: `concurrency` requests are in flight, and a finished one is replaced
//! at once. In the steady state every output token of a sequence therefore comes with
//! `input / output` prompt tokens of others when one engine does both phases.

use super::ladder::Ladder;
use super::point::{Point, Replica, Serving};
use super::solve::{Example, Explained, Feature, Kind, Prior};
use rialto_fleet::step::{
    Deployment, Effect, FIRST_TOKEN_TERMS, MeanLoad, On, Plan, Roofline, TERMS, effects, family,
    normal_setting, overlap,
};

/// Priors of the step terms: memory at 65 % of peak, experts and cache at 50 %, arithmetic at 30
/// to 40 %, links at 40 %; overheads near their unit sizes.
pub(crate) const TPOT_PRIOR: Prior = Prior {
    base: &[0.43, 0.69, 0.69, 1.2, 0.92, 0.92, -0.92, 0.0, 0.0, -1.2],
    spread: &[0.2, 0.4, 0.4, 0.5, 0.5, 0.5, 0.7, 0.4, 0.5, 0.7],
    noise: 0.32,
    robust: 0.10,
};

/// The parts of the time to first token, in the order of its terms.
pub(crate) const TTFT_TERMS: [&str; FIRST_TOKEN_TERMS] = [
    "own", "link", "step", "burst", "constant", "layers", "queue", "requests",
];

pub(crate) const TTFT_PRIOR: Prior = Prior {
    base: &[0.92, 0.92, 0.4, 0.0, 0.0, 0.0, -0.7, 0.0],
    spread: &[0.4, 0.5, 0.5, 0.7, 0.7, 0.5, 0.7, 0.7],
    noise: 0.39,
    robust: 0.19,
};

/// How far the effects of how a run was made are expected to be from zero: standard deviations of their
/// priors. They lie half way, in logarithms, between a first guess and the values that are best in the
/// cross-validation that leaves whole groups out; docs/fleet/accuracy.md says why only half.
struct Spreads {
    /// Build of the engine, over all kinds of model.
    build: f64,
    /// Build of the engine for one kind of model: hidden multi-token prediction shows here.
    build_family: f64,
    /// Build of the engine for one model.
    build_model: f64,
    /// Day of the measurement.
    day: f64,
    /// Slope over the batch, on the day of the measurement.
    batch_day: f64,
    /// Other slopes over the batch.
    batch: f64,
    /// Slopes over the ratio of input to output.
    shape: f64,
    /// Rungs of the ladders (published series of configurations) of runs with separate engines.
    rung: f64,
    /// One configuration of such a ladder.
    exact: f64,
    /// One load (lengths and concurrency), whatever the chip.
    load: f64,
    /// Who measured.
    client: f64,
    /// Who measured, within one group.
    client_group: f64,
    /// Group, mode, and what is known of the engines.
    group: f64,
    /// Division of the chips: attention data-parallel, experts spread.
    division: f64,
}

const TPOT_SPREADS: Spreads = Spreads {
    build: 0.095,
    build_family: 0.165,
    build_model: 0.0375,
    day: 0.05,
    batch_day: 0.03,
    batch: 0.04,
    shape: 0.0125,
    rung: 0.075,
    exact: 0.07,
    load: 0.075,
    client: 0.07,
    client_group: 0.35,
    group: 0.1,
    division: 0.075,
};

const TTFT_SPREADS: Spreads = Spreads {
    build: 0.105,
    build_family: 0.105,
    build_model: 0.042,
    day: 0.3,
    batch_day: 0.085,
    batch: 0.115,
    shape: 0.1,
    rung: 0.3,
    exact: 0.15,
    load: 0.07,
    client: 0.15,
    client_group: 0.75,
    group: 0.15,
    division: 0.15,
};

/// Share of memory that an engine keeps for its cache at least.
const LEAST_CACHE_SHARE: f64 = 0.01;

/// Share of prompt work that falls between output tokens when all requests have equal lengths.
const LOCKSTEP_SHARE: f64 = 0.25;

/// Rounds of the iteration that makes the number of decoding sequences and the time of their steps
/// consistent.
const ROUNDS: u32 = 8;

/// Chance that a drafted token is accepted once those before it are, used only to compute how many prompts
/// arrive in a step; the total gain from drafting is fitted.
const ACCEPTED: f64 = 0.7;

/// One run with the quantities computed from its row.
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
                total_chips,
            } => {
                let ladder = Ladder::new(
                    point.engine,
                    &point.chip.name,
                    &point.precision,
                    point.input_tokens,
                    point.concurrency,
                );
                let guess = ladder.workers(prefill, decode);
                let workers = decode_workers.unwrap_or(guess);
                let known = decode_workers.is_some();
                let flow = point.concurrency * point.input_tokens / point.output_tokens;
                let engines = prefill_workers.unwrap_or((flow / 1000.0).clamp(1.0, 10.0));
                (
                    decode,
                    prefill,
                    workers,
                    engines,
                    known,
                    total_chips.is_some(),
                )
            }
        };
        let decode = deployment(point, decode);
        let input = point.input_tokens * point.length_share;
        let output = (point.output_tokens * point.length_share).max(1.0);
        let batch = (point.concurrency / workers).max(1.0);
        // A run that was made had some memory for its cache, however little is left by the sums.
        let memory = point.chip.memory_bytes() * f64::from(decode.plan.chips());
        let least = memory * LEAST_CACHE_SHARE / decode.kv_bytes_per_token().max(1.0);
        let capacity = (decode.kv_capacity_tokens() as f64).max(least);
        let room = capacity / (point.input_tokens + point.output_tokens);
        Self {
            point,
            prefill: deployment(point, prefill),
            decode,
            prefill_workers,
            batch,
            held: batch
                .min(room.max(1.0))
                .min(point.batch_limit.unwrap_or(f64::INFINITY)),
            input,
            output,
            workers_known: known,
            total_only,
        }
    }

    /// Sequences that decode at a time. Where prefill engines compute prompts more slowly than sequences
    /// end, the remaining sequences wait for their first token.
    fn decoding(&self) -> f64 {
        let Serving::Split {
            prefill_workers: Some(engines),
            ..
        } = self.point.serving
        else {
            return self.held;
        };
        let alone = Roofline::new(&self.prefill).terms(&self.prompt())[4] * 1e3;
        let prompt_ms = alone / engines * libm::exp(TPOT_PRIOR.base[4]);
        let mut decoding = self.held;
        for _ in 0..ROUNDS {
            let token_ms = self.expected_step_ms(decoding) / self.tokens_a_step();
            let share = self.output * token_ms / (self.point.concurrency * prompt_ms);
            decoding = self.held * share.min(1.0);
        }
        decoding.max(1.0)
    }

    /// One prompt alone.
    fn prompt(&self) -> MeanLoad {
        MeanLoad {
            prefill_tokens: self.input,
            prefill_sequences: 1.0,
            prefill_context_tokens: self.input * self.input / 2.0,
            ..MeanLoad::default()
        }
    }

    /// Share of prompt work that falls between output tokens.
    fn mixed(&self) -> f64 {
        match (self.point.is_split(), self.point.client) {
            (true, _) => 0.0,
            (false, "sweep") => 1.0,
            // Equal lengths keep the sequences in step: prompts are computed together, and few of
            // them fall between two tokens of a running sequence.
            (false, _) => LOCKSTEP_SHARE,
        }
    }

    /// A step that decodes this many sequences and computes this many prompts.
    fn load(&self, decoding: f64, prompts: f64) -> MeanLoad {
        MeanLoad {
            prefill_tokens: prompts * self.input,
            prefill_sequences: prompts,
            prefill_context_tokens: prompts * self.input * self.input / 2.0,
            decode_sequences: decoding,
            decode_context_tokens: decoding * (self.input + self.output / 2.0),
        }
    }

    /// Steps that only decode and, as often as prompts arrive, steps that compute prompts too. They
    /// differ in what they wait for, so a step of mean load would not take the mean time.
    fn steps(&self, decoding: f64, mixed: f64) -> Vec<Kind> {
        let arriving = mixed * decoding / self.output * self.tokens_a_step();
        let busy = arriving.min(1.0);
        let plain = self.kind(1.0 - busy, decoding, 0.0);
        if busy <= 0.0 {
            return vec![plain];
        }
        vec![plain, self.kind(busy, decoding, arriving / busy)]
    }

    /// Terms of steps with this many prompts. How many of the verified draft tokens are accepted is fitted.
    fn kind(&self, share: f64, decoding: f64, prompts: f64) -> Kind {
        let terms = Roofline::new(&self.decode)
            .verifying(self.point.tokens_verified())
            .terms(&self.load(decoding, prompts));
        Kind {
            share,
            terms: terms.iter().map(|s| s * 1e3).collect(),
        }
    }

    /// Tokens that a step yields for each sequence.
    fn tokens_a_step(&self) -> f64 {
        let drafted = self.point.tokens_verified() - 1.0;
        1.0 + ACCEPTED * (1.0 - libm::pow(ACCEPTED, drafted)) / (1.0 - ACCEPTED)
    }

    /// The mean step at the efficiencies that the priors expect, milliseconds.
    fn expected_step_ms(&self, decoding: f64) -> f64 {
        let mean = |kind: Kind| {
            let scaled = kind.terms.iter().zip(TPOT_PRIOR.base);
            let mut terms: Vec<f64> = scaled.map(|(t, b)| t * libm::exp(*b)).collect();
            overlap(&mut terms);
            kind.share * terms.iter().sum::<f64>()
        };
        self.steps(decoding, self.mixed())
            .into_iter()
            .map(mean)
            .sum()
    }

    /// The effects that belong to the deployment.
    fn deployment_features(&self) -> Vec<Feature> {
        let feature = |e: Effect| Feature {
            key: e.key,
            term: match e.on {
                On::All => None,
                On::Term(t) => TERMS.iter().position(|x| *x == t),
            },
            value: e.value,
            spread: e.spread,
        };
        effects(&self.decode).into_iter().map(feature).collect()
    }

    /// Terms and effects of the mean step as the simulator computes it: without the effects of how a
    /// benchmark is run, and with prompts computed as they arrive.
    pub(crate) fn normal_step(&self) -> Explained {
        let mut features = self.deployment_features();
        features.extend(normal_setting(self.point.engine).map(|key| Feature {
            key,
            term: None,
            value: 1.0,
            spread: 1.0,
        }));
        Explained {
            kinds: self.steps(self.held, 1.0),
            combine: overlap,
            features,
        }
    }

    /// Terms and effects of the time to first token as the simulator computes it without a queue: half a
    /// step of waiting, then the step that computes the prompt together with the decoding sequences.
    pub(crate) fn normal_first_token(&self) -> Explained {
        let waiting = self.steps(self.held, 1.0).into_iter().map(|kind| Kind {
            share: kind.share / 2.0,
            ..kind
        });
        Explained {
            kinds: waiting.chain([self.kind(1.0, self.held, 1.0)]).collect(),
            ..self.normal_step()
        }
    }

    /// Terms and effects behind the time per output token.
    pub(crate) fn tpot(&self) -> Explained {
        let mut features = self.deployment_features();
        self.run_features(&mut features, &TPOT_SPREADS);
        Explained {
            kinds: self.steps(self.decoding(), self.mixed()),
            combine: overlap,
            features,
        }
    }

    /// Terms and effects behind the time to first token.
    pub(crate) fn ttft(&self) -> Explained {
        let step_ms = self.expected_step_ms(self.held);
        let alone = Roofline::new(&self.prefill).terms(&self.prompt());
        // A prompt on a data-parallel engine uses one rank; the others take other prompts.
        let ranks = f64::from(self.prefill.plan.data);
        let engines = self.prefill_workers;
        let per_prompt = alone[4] * 1e3 / engines;
        let own = alone[4] * 1e3 * (1.0 + 0.3 * (ranks - 1.0));
        let burst = self.burst_ms(per_prompt, step_ms);
        // About half of the drafted tokens are accepted.
        let token_ms = step_ms / (0.5 + 0.5 * self.point.tokens_verified());
        let waiting = (self.batch / self.held - 1.0).max(0.0) * self.output * token_ms;
        let terms = vec![
            own,
            alone[5] * 1e3,
            step_ms,
            burst,
            20.0,
            alone[7] * 1e3 * 4.0,
            waiting + 1e-9,
            self.point.concurrency * 0.3,
        ];
        Explained {
            kinds: vec![Kind { share: 1.0, terms }],
            combine: |_| (),
            features: self.ttft_features(),
        }
    }

    /// Waiting for other prompts. On one engine, a tenth of a burst of all prompts; on separate engines,
    /// the time that the closed loop leaves for prefill when the prefill engines are the bottleneck.
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
        self.run_features(&mut out, &TTFT_SPREADS);
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
        if p.batch_limit.is_some() {
            term(6, 1.0, "limit=stated".to_owned());
        }
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
    fn run_features(&self, out: &mut Vec<Feature>, spreads: &Spreads) {
        let p = self.point;
        let (engine, mode) = (p.engine.name(), self.mode());
        let (model, kind) = (&p.model.name, family(&p.model));
        let build = format!("{engine} {} {mode}", p.build);
        let day = format!("day={engine} {} {mode},family={kind}", p.day);
        let group = format!("{} {mode}", p.group());
        let size = (libm::log2(self.held) - 5.0) / 3.0;
        let shape = libm::log2(p.input_tokens / p.output_tokens) / 3.0;
        let s = spreads;
        let mut all = |spread: f64, value: f64, key: String| {
            let key = format!("run|{key}");
            out.push(Feature {
                key,
                term: None,
                value,
                spread,
            });
        };
        all(s.build, 1.0, format!("build={build}"));
        all(s.build_family, 1.0, format!("build={build},family={kind}"));
        all(s.build_model, 1.0, format!("build={build},model={model}"));
        all(s.day, 1.0, day.clone());
        all(s.batch_day, size, format!("batch,{day}"));
        for key in [
            format!("build={build}"),
            format!("build={build},family={kind}"),
            format!("engine={engine}"),
            format!("engine={engine},family={kind}"),
            format!("model={model}"),
            group.clone(),
            format!("{group} {}", p.build),
        ] {
            all(s.batch, size, format!("batch,{key}"));
        }
        for key in [
            format!("engine={engine}"),
            format!("model={model}"),
            group.clone(),
        ] {
            all(s.shape, shape, format!("shape,{key}"));
        }
        all(s.group, 1.0, mode.to_owned());
        all(s.group / 2.0, 1.0, format!("{mode},engine={engine}"));
        all(s.client, 1.0, format!("client={}", p.client));
        all(
            s.client / 2.0,
            1.0,
            format!("client={},engine={engine}", p.client),
        );
        all(s.group, 1.0, group.clone());
        if p.client != "sweep" {
            all(s.client_group, 1.0, format!("client={},{group}", p.client));
        }
        all(s.group * 0.75, 1.0, format!("{group} {}", p.build));
        let plan = &self.decode.plan;
        let (data, spread) = (plan.data > 1, plan.expert > 1);
        for key in [
            format!("data={data},{mode}"),
            format!("data={data},{mode},engine={engine}"),
            format!("spread={spread},{mode},engine={engine}"),
        ] {
            all(s.division, 1.0, format!("division,{key}"));
        }
        self.speculative_features((size, shape), &mut all);
        if p.drafted {
            all(2.0, 1.0, format!("draft-model,engine={engine}"));
        }
        self.load_features(spreads, &mut all);
        if p.is_split() {
            self.split_features(spreads, &mut all);
        }
    }

    /// How much faster multi-token prediction makes a run: the share of drafts that is accepted, which
    /// depends on engine and model, less what drafting costs, which grows with the batch.
    fn speculative_features(
        &self,
        (size, shape): (f64, f64),
        all: &mut impl FnMut(f64, f64, String),
    ) {
        let p = self.point;
        let Some(drafting) = p.drafting() else {
            return;
        };
        let (engine, mode) = (p.engine.name(), self.mode());
        for (spread, key) in [
            (1.0, String::new()),
            (0.3, format!(",tokens={}", drafting.draft_tokens)),
            (0.3, format!(",engine={engine}")),
            (0.3, format!(",model={}", p.model.name)),
            (0.2, format!(",{mode}")),
            (0.2, format!(",{} {mode}", p.group())),
        ] {
            all(spread, 1.0, format!("speculative{key}"));
            all(spread * 0.4, size, format!("speculative,batch{key}"));
        }
        all(0.3, shape, "speculative,shape".to_owned());
    }

    /// An effect that runs of one load share, such as a setting that a ladder of published runs chose for
    /// this load and that no column names.
    fn load_features(&self, spreads: &Spreads, all: &mut impl FnMut(f64, f64, String)) {
        let p = self.point;
        let (engine, mode, kind) = (p.engine.name(), self.mode(), family(&p.model));
        let lengths = format!("{}/{}", p.input_tokens, p.output_tokens);
        let (at, chips) = (p.concurrency, self.decode.plan.chips());
        for key in [
            format!("engine={engine},{mode},lengths={lengths},at={at},family={kind}"),
            format!(
                "build={engine} {} {mode},lengths={lengths},at={at},family={kind}",
                p.build
            ),
            format!(
                "build={engine} {} {mode},at={at},family={kind},chips={chips}",
                p.build
            ),
        ] {
            all(spreads.load, 1.0, format!("load,{key}"));
        }
    }

    /// Published split runs walk through fixed ladders of configurations in which the concurrency
    /// identifies how many engines of which kind were used; neighbours on a ladder share effects.
    fn split_features(&self, spreads: &Spreads, all: &mut impl FnMut(f64, f64, String)) {
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
            for key in [
                format!("engine={engine}"),
                format!("engine={engine},lengths={lengths}"),
                format!("engine={engine},lengths={lengths},chips={chips}"),
                format!("build={engine} {},chips={chips}", p.build),
            ] {
                all(spreads.rung, near, format!("rung={rung},{key}"));
            }
        }
        let exact = format!(
            "engine={engine},lengths={lengths},chips={chips},at={}",
            p.concurrency
        );
        all(
            spreads.exact,
            1.0,
            format!("{exact},model={}", p.model.name),
        );
        all(spreads.exact, 1.0, exact);
        let workers = format!("workers={known},engine={engine}");
        all(spreads.group, 1.0, format!("{workers},chips={chips}"));
        all(spreads.group, 1.0, workers);
        if self.total_only {
            all(
                spreads.group / 2.0,
                1.0,
                format!("total-only,engine={engine}"),
            );
        }
    }
}

/// The example of one measured figure, or none if it was not measured.
pub(crate) fn example(
    measured_ms: Option<f64>,
    weight: f64,
    explained: Explained,
) -> Option<Example> {
    let target_ln = libm::log(measured_ms?);
    Some(Example {
        explained,
        target_ln,
        weight,
    })
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
