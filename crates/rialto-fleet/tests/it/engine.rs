//! The engine against a plain scheduler that takes one step at a time.

use std::collections::VecDeque;
use std::sync::LazyLock;

use proptest::prelude::*;
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::engine::{
    BLOCK_TOKENS, Context, EngineConfig, Job, Jobs, Recorder, Replica, Role, StepTable,
};
use rialto_fleet::step::{Deployment, Engine, Parameters, Plan, Speculation, StepLoad, StepModel};
use rialto_fleet::traffic::{Prefix, PrefixTable, Request};

fn table(model: &str, chip: &str, tensor: u32, speculation: Option<Speculation>) -> StepTable {
    let c = Catalogue::shipped().unwrap();
    let mut d = Deployment::new(
        c.chip(chip).unwrap(),
        c.model(model).unwrap(),
        c.precision("bf16").unwrap(),
        Plan::tensor(tensor),
        Engine::Vllm,
    )
    .unwrap();
    let verified = speculation.as_ref().map_or(1, |s| 1 + s.draft_tokens);
    if let Some(speculation) = speculation {
        d = d.with_speculation(speculation).unwrap();
    }
    StepTable::compile(
        &StepModel::new(&d, &Parameters::shipped().unwrap()),
        64,
        verified,
        1.0,
    )
}

/// Compiled once: it is the slow part of a case.
static PLAIN_TABLE: LazyLock<StepTable> =
    LazyLock::new(|| table("llama3.1-8b", "h100_sxm", 1, None));

/// What one request met: first scheduled, first token, finish (picoseconds), pre-emptions.
type Met = (u64, u64, u64, u16);

fn run_engine(
    table: &StepTable,
    config: &EngineConfig,
    prefixes: &PrefixTable,
    requests: &[Request],
) -> (Vec<Met>, Recorder) {
    let mut jobs = Jobs::default();
    let mut recorder = Recorder {
        horizon_ps: u64::MAX,
        outcomes: Some(Vec::new()),
        ..Recorder::default()
    };
    let mut handoffs = Vec::new();
    let mut replica = Replica::default();
    let mut ctx = Context {
        config,
        table,
        prefixes,
        jobs: &mut jobs,
        recorder: &mut recorder,
        role: Role::Whole,
        handoffs: &mut handoffs,
    };
    for (number, request) in requests.iter().enumerate() {
        let now_ps = request.arrival_ns * 1000;
        replica.advance(now_ps, &mut ctx);
        assert!(
            replica.used_blocks(u64::from(prefixes.block_tokens() / 16)) <= config.kv_blocks + 64
        );
        let job = ctx.jobs.add(Job::new(number as u64, *request));
        replica.push(job, now_ps);
    }
    replica.advance(u64::MAX, &mut ctx);
    assert_eq!(replica.outstanding(), 0, "everything finishes");
    assert_eq!(
        replica.used_blocks(u64::from(prefixes.block_tokens() / 16)),
        0
    );
    let mut met = vec![(0, 0, 0, 0); requests.len()];
    for o in recorder.outcomes.take().unwrap() {
        let j = o.job;
        met[j.number as usize] = (
            j.scheduled_ps,
            j.first_token_ps,
            o.finished_ps,
            j.preemptions,
        );
    }
    (met, recorder)
}

#[derive(Clone)]
struct Sequence {
    number: usize,
    /// Tokens whose cache is in place.
    computed: u64,
    /// Answer tokens out.
    generated: u64,
    /// Token clock when it joined and answer tokens it had then.
    joined: Option<(u64, u64)>,
    shared: u32,
    blocks: u64,
}

/// A scheduler without any cleverness: lists, one step at a time.
struct Plain<'a> {
    table: &'a StepTable,
    config: &'a EngineConfig,
    prefixes: &'a PrefixTable,
    requests: &'a [Request],
    now: u64,
    steps: u64,
    waiting: VecDeque<(usize, u64)>,
    running: Vec<Sequence>,
    /// Cached blocks by time of last release; those in use carry their count.
    cache: Vec<(u64, u32)>,
    met: Vec<Met>,
    total_steps: u64,
}

impl Plain<'_> {
    fn hash_blocks(&self) -> u64 {
        u64::from(self.prefixes.block_tokens() / BLOCK_TOKENS)
    }

    fn used(&self) -> u64 {
        let private: u64 = self.running.iter().map(|s| s.blocks).sum();
        private + self.cache.iter().filter(|c| c.1 > 0).count() as u64 * self.hash_blocks()
    }

    fn release(&mut self, sequence: &Sequence) {
        let prefix = self.requests[sequence.number].prefix;
        for index in (0..sequence.shared).rev() {
            let hash = self.prefixes.hash(prefix, index);
            let at = self.cache.iter().position(|c| c.0 == hash).unwrap();
            let (_, count) = self.cache.remove(at);
            if count > 1 {
                self.cache.insert(at, (hash, count - 1));
            } else {
                self.cache.push((hash, 0));
            }
        }
    }

    fn acquire(&mut self, hash: u64) {
        match self.cache.iter_mut().find(|c| c.0 == hash) {
            Some(entry) => entry.1 += 1,
            None => self.cache.push((hash, 1)),
        }
    }

    fn evict(&mut self) {
        let keep =
            (self.config.kv_blocks - self.used().min(self.config.kv_blocks)) / self.hash_blocks();
        while self.cache.iter().filter(|c| c.1 == 0).count() as u64 > keep {
            let at = self.cache.iter().position(|c| c.1 == 0).unwrap();
            self.cache.remove(at);
        }
    }

    /// Context of a decoding sequence in the coming step, by the token clock.
    fn grow(&mut self) {
        let clock = self.table.clock().tokens(self.steps);
        for s in self.running.iter_mut() {
            let Some((joined, had)) = s.joined else {
                continue;
            };
            s.generated = had + clock - joined;
            let context = u64::from(self.requests[s.number].input_tokens) + s.generated;
            s.blocks = context.div_ceil(16)
                - u64::from(s.shared) * u64::from(self.prefixes.block_tokens() / 16);
        }
    }

    fn retire(&mut self) {
        let done: Vec<Sequence> = {
            let requests = self.requests;
            let finished = |s: &Sequence| {
                s.joined.is_some() && s.generated >= u64::from(requests[s.number].output_tokens)
            };
            let done = self
                .running
                .iter()
                .filter(|s| finished(s))
                .cloned()
                .collect();
            self.running.retain(|s| !finished(s));
            done
        };
        // Finished sequences leave in the order the engine's heap gives: finish, then place.
        for s in done {
            self.met[s.number].2 = self.now;
            self.release(&s);
        }
    }

    fn preempt(&mut self) -> bool {
        let mut any = false;
        while self.used() > self.config.kv_blocks {
            let Some(s) = self.running.pop() else { break };
            self.release(&s);
            self.met[s.number].3 += 1;
            self.waiting.push_front((s.number, s.generated));
            any = true;
        }
        any
    }

    fn admit(&mut self, number: usize, generated: u64) -> Option<Sequence> {
        let request = &self.requests[number];
        let target = u64::from(request.input_tokens) + generated;
        self.evict();
        let mut hits = 0;
        let mut idle = 0;
        let most = self
            .prefixes
            .blocks(request)
            .min(((target - 1) / u64::from(self.prefixes.block_tokens())) as u32);
        while self.config.prefix_cache && hits < most {
            let hash = self.prefixes.hash(request.prefix, hits);
            let Some(entry) = self.cache.iter().find(|c| c.0 == hash) else {
                break;
            };
            idle += u64::from(entry.1 == 0);
            hits += 1;
        }
        let blocks = (target + 1).div_ceil(16) - u64::from(hits) * self.hash_blocks();
        let spare = if self.running.is_empty() {
            0
        } else {
            self.config.watermark_blocks()
        };
        if self.used() + blocks + idle * self.hash_blocks() + spare > self.config.kv_blocks {
            return None;
        }
        for index in 0..hits {
            self.acquire(self.prefixes.hash(request.prefix, index));
        }
        self.met[number].0 = self.met[number].0.min(self.now);
        let computed = u64::from(hits * self.prefixes.block_tokens());
        Some(Sequence {
            number,
            computed,
            generated,
            joined: None,
            shared: hits,
            blocks,
        })
    }

    /// One step. False when there is nothing to do.
    fn step(&mut self) -> bool {
        self.grow();
        self.retire();
        let preempted = self.preempt();
        let decoding: Vec<usize> = (0..self.running.len())
            .filter(|&i| self.running[i].joined.is_some())
            .collect();
        let clock = self.table.clock();
        let context: u64 = decoding
            .iter()
            .map(|&i| {
                let s = &self.running[i];
                u64::from(self.requests[s.number].input_tokens) + s.generated
            })
            .sum();
        let mut budget = u64::from(self.config.token_budget)
            .saturating_sub(decoding.len() as u64 * u64::from(self.table.verified_tokens()));
        let mut load = StepLoad {
            decode_sequences: decoding.len() as u32,
            decode_context_tokens: context,
            ..StepLoad::default()
        };
        let chunk = |s: &mut Sequence, budget: &mut u64, load: &mut StepLoad, input: u32| {
            let target = u64::from(input) + s.generated;
            let tokens = (target - s.computed).min(*budget);
            load.prefill_tokens += tokens as u32;
            load.prefill_sequences += 1;
            load.prefill_context_tokens += StepLoad::prefill_context(s.computed, tokens);
            s.computed += tokens;
            *budget -= tokens;
        };
        for s in self.running.iter_mut().filter(|s| s.joined.is_none()) {
            if budget > 0 {
                chunk(
                    s,
                    &mut budget,
                    &mut load,
                    self.requests[s.number].input_tokens,
                );
            }
        }
        while !preempted && budget > 0 && self.running.len() < self.config.max_sequences as usize {
            let Some(&(number, generated)) = self.waiting.front() else {
                break;
            };
            let Some(mut s) = self.admit(number, generated) else {
                break;
            };
            self.waiting.pop_front();
            chunk(
                &mut s,
                &mut budget,
                &mut load,
                self.requests[number].input_tokens,
            );
            self.running.push(s);
        }
        if load.is_empty() {
            return false;
        }
        self.now += if load.prefill_tokens > 0 {
            self.table.mixed_ps(&load)
        } else {
            self.table
                .decode_ps(load.decode_sequences, load.decode_context_tokens)
        };
        self.steps += 1;
        self.total_steps += 1;
        self.complete(clock.tokens(self.steps));
        true
    }

    fn complete(&mut self, clock: u64) {
        for i in 0..self.running.len() {
            let s = self.running[i].clone();
            let request = self.requests[s.number];
            let target = u64::from(request.input_tokens) + s.generated;
            if s.joined.is_some() || s.computed < target {
                continue;
            }
            let mut shared = s.shared;
            if self.config.prefix_cache {
                for index in s.shared..self.prefixes.blocks(&request) {
                    self.acquire(self.prefixes.hash(request.prefix, index));
                    shared += 1;
                }
            }
            let s = &mut self.running[i];
            s.blocks -= u64::from(shared - s.shared) * u64::from(self.prefixes.block_tokens() / 16);
            s.shared = shared;
            s.generated += 1;
            s.joined = Some((clock, s.generated));
            let met = &mut self.met[s.number];
            met.1 = met.1.min(self.now);
        }
        // A one-token answer is finished at once.
        let over: Vec<Sequence> = self
            .running
            .iter()
            .filter(|s| {
                s.joined == Some((clock, s.generated))
                    && s.generated >= u64::from(self.requests[s.number].output_tokens)
            })
            .cloned()
            .collect();
        for s in over {
            self.met[s.number].2 = self.now;
            self.release(&s);
            self.running.retain(|r| r.number != s.number);
        }
    }
}

fn run_plain(
    table: &StepTable,
    config: &EngineConfig,
    prefixes: &PrefixTable,
    requests: &[Request],
) -> (Vec<Met>, u64) {
    let mut plain = Plain {
        table,
        config,
        prefixes,
        requests,
        now: 0,
        steps: 0,
        waiting: VecDeque::new(),
        running: Vec::new(),
        cache: Vec::new(),
        met: vec![(u64::MAX, u64::MAX, 0, 0); requests.len()],
        total_steps: 0,
    };
    let mut next = 0;
    loop {
        while next < requests.len() && requests[next].arrival_ns * 1000 <= plain.now {
            plain.waiting.push_back((next, 0));
            next += 1;
        }
        assert!(
            plain.used() <= config.kv_blocks + 64,
            "blocks stay within capacity and one step"
        );
        if plain.step() {
            continue;
        }
        if next == requests.len() {
            return (plain.met, plain.total_steps);
        }
        plain.now = requests[next].arrival_ns * 1000;
    }
}

fn requests(max_gap_ms: u64, prefixes: bool) -> impl Strategy<Value = Vec<Request>> {
    let one = (
        0..=max_gap_ms * 1_000_000,
        1..600u32,
        1..200u32,
        0..4u64,
        0..3u32,
    );
    prop::collection::vec(one, 1..40).prop_map(move |rows| {
        let mut now = 0;
        rows.into_iter()
            .map(|(gap, input_tokens, output_tokens, session, app_blocks)| {
                now += gap;
                let prefix = if prefixes && session > 0 {
                    Prefix::Session {
                        app: 1,
                        app_blocks,
                        session,
                    }
                } else {
                    Prefix::Unique
                };
                Request {
                    arrival_ns: now,
                    input_tokens,
                    output_tokens,
                    prefix,
                }
            })
            .collect()
    })
}

fn agree(
    table: &StepTable,
    config: &EngineConfig,
    requests: &[Request],
) -> Result<(), TestCaseError> {
    let prefixes = PrefixTable::new(32, Vec::new());
    let (fast, recorder) = run_engine(table, config, &prefixes, requests);
    let (plain, steps) = run_plain(table, config, &prefixes, requests);
    for (number, (fast, plain)) in fast.iter().zip(&plain).enumerate() {
        prop_assert_eq!(fast, plain, "request {}", number);
    }
    prop_assert_eq!(recorder.steps, steps);
    let tokens: u64 = requests.iter().map(|r| u64::from(r.output_tokens)).sum();
    prop_assert_eq!(
        recorder.output_tokens,
        tokens,
        "tokens out = tokens asked for"
    );
    prop_assert_eq!(recorder.finished, requests.len() as u64);
    let prompts: u64 = requests.iter().map(|r| u64::from(r.input_tokens)).sum();
    if recorder.preemptions == 0 {
        prop_assert_eq!(recorder.prefilled_tokens + recorder.cached_tokens, prompts);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn running_ahead_equals_stepping(
        requests in requests(400, false),
        max_sequences in 1..32u32,
        token_budget in 64..700u32,
    ) {
        let config = EngineConfig {
            max_sequences, token_budget, kv_blocks: 100_000, max_waiting: 1000, prefix_cache: false,
        };
        agree(&PLAIN_TABLE, &config, &requests)?;
    }

    #[test]
    fn running_ahead_equals_stepping_when_memory_is_short(
        requests in requests(50, false),
        kv_blocks in 51..200u64,
    ) {
        let config = EngineConfig {
            max_sequences: 32, token_budget: 256, kv_blocks, max_waiting: 1000, prefix_cache: false,
        };
        agree(&PLAIN_TABLE, &config, &requests)?;
    }

    #[test]
    fn running_ahead_equals_stepping_with_a_prefix_cache(
        requests in requests(300, true),
        kv_blocks in 60..400u64,
    ) {
        let config = EngineConfig {
            max_sequences: 1, token_budget: 256, kv_blocks, max_waiting: 1000, prefix_cache: true,
        };
        agree(&PLAIN_TABLE, &config, &requests)?;
    }

    #[test]
    fn running_ahead_equals_stepping_with_speculation(
        requests in requests(200, false),
        acceptance in 0.3..0.95f64,
        kv_blocks in 60..400u64,
    ) {
        let speculation = Speculation { draft_tokens: 4, acceptance, draft: None };
        let table = table("llama3.1-8b", "h100_sxm", 1, Some(speculation));
        let config = EngineConfig {
            max_sequences: 16, token_budget: 256, kv_blocks, max_waiting: 1000, prefix_cache: false,
        };
        agree(&table, &config, &requests)?;
    }
}

#[test]
fn preempted_requests_still_finish_and_memory_pressure_shows() {
    let config = EngineConfig {
        max_sequences: 32,
        token_budget: 512,
        kv_blocks: 64,
        max_waiting: 1000,
        prefix_cache: false,
    };
    let burst: Vec<Request> = (0..24)
        .map(|_| Request {
            arrival_ns: 0,
            input_tokens: 100,
            output_tokens: 300,
            ..Request::default()
        })
        .collect();
    let (met, recorder) = run_engine(&PLAIN_TABLE, &config, &PrefixTable::default(), &burst);
    assert!(recorder.preemptions > 0, "24 x 400 tokens do not fit 1,024");
    assert!(recorder.peak_kv_permille <= 1000, "never over capacity");
    assert!(met.iter().all(|m| m.2 > 0));
}
