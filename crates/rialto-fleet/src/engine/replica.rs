//! The scheduler of one replica.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::cache::PrefixCache;
use super::job::{Job, JobId, Jobs};
use super::metrics::Recorder;
use super::table::{StepLine, StepTable};
use super::{BLOCK_TOKENS, EngineConfig};
use crate::step::StepLoad;
use crate::traffic::{PrefixTable, Request};

const BLOCK: u64 = BLOCK_TOKENS as u64;

/// What a replica does with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Computes the prompt and decodes.
    #[default]
    Whole,
    /// Computes prompts and hands them over after the first token.
    Prefill,
}

/// A request whose prompt is computed, on its way to a decoding replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handoff {
    /// When the first token was out, picoseconds.
    pub at_ps: u64,
    /// The job.
    pub job: JobId,
}

/// What all replicas of a cell share while they advance.
#[derive(Debug)]
pub struct Context<'a> {
    /// Scheduler settings.
    pub config: &'a EngineConfig,
    /// Step times.
    pub table: &'a StepTable,
    /// Prefix hashes.
    pub prefixes: &'a PrefixTable,
    /// Jobs in flight.
    pub jobs: &'a mut Jobs,
    /// Where outcomes go.
    pub recorder: &'a mut Recorder,
    /// The replica's part.
    pub role: Role,
    /// Where prefill replicas put finished prompts.
    pub handoffs: &'a mut Vec<Handoff>,
}

impl Context<'_> {
    /// Cache blocks behind one prefix hash.
    fn hash_blocks(&self) -> u64 {
        u64::from(self.prefixes.block_tokens()) / BLOCK
    }
}

/// A prompt under computation that did not fit one step.
#[derive(Clone, Copy, Debug)]
struct Partial {
    job: JobId,
    done: u32,
}

/// Prompt tokens of one job in one step.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    job: JobId,
    start: u32,
    tokens: u32,
    completes: bool,
}

/// One replica. Time passes only in [`Replica::advance`].
#[derive(Clone, Debug, Default)]
pub struct Replica {
    /// End of the step under way, or of the last one.
    boundary_ps: u64,
    steps: u64,
    /// Decoding sequences by the token clock at which they finish.
    running: BinaryHeap<Reverse<(u64, JobId)>>,
    /// Sum of the running jobs' keys: their total context is this plus count x token clock.
    key_sum: i64,
    /// Running jobs by key modulo the block size.
    residues: [u32; BLOCK_TOKENS as usize],
    /// Blocks not shared through the cache, reservations of prompts included.
    private_blocks: u64,
    partial: Option<Partial>,
    waiting: VecDeque<JobId>,
    /// The first waiting job did not fit, and nothing has left since.
    blocked: bool,
    cache: Option<Box<PrefixCache>>,
    admissions: u64,
    chunks: Vec<Chunk>,
}

impl Replica {
    /// Requests at this replica, waiting or running.
    #[must_use]
    pub fn outstanding(&self) -> u32 {
        (self.waiting.len() + self.running.len() + usize::from(self.partial.is_some())) as u32
    }

    /// Requests that wait to be admitted.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.waiting.len() as u32
    }

    /// End of the step under way (in the past when idle), picoseconds.
    #[must_use]
    pub fn boundary_ps(&self) -> u64 {
        self.boundary_ps
    }

    /// True when the request can ever run here: its whole context fits the cache.
    #[must_use]
    pub fn fits(config: &EngineConfig, request: &Request) -> bool {
        let tokens = u64::from(request.input_tokens) + u64::from(request.output_tokens) + 1;
        tokens.div_ceil(BLOCK) <= config.kv_blocks
    }

    /// Queues a job that arrives at `now_ps`. The replica must have been advanced to that time.
    pub fn push(&mut self, job: JobId, now_ps: u64) {
        if self.outstanding() == 0 {
            self.boundary_ps = self.boundary_ps.max(now_ps);
        }
        self.waiting.push_back(job);
    }

    /// Starts every step that begins before `until_ps`. Jobs that arrive at or after the end of
    /// the last of them can still join the next.
    pub fn advance(&mut self, until_ps: u64, ctx: &mut Context<'_>) {
        while self.boundary_ps < until_ps && self.outstanding() > 0 {
            self.retire(ctx);
            let preempted = self.preempt_overflow(ctx);
            self.plan_chunks(!preempted, ctx);
            if !self.chunks.is_empty() {
                self.mixed_step(ctx);
            } else if !self.running.is_empty() {
                self.decode_steps(until_ps, ctx);
            } else {
                // Only a job that does not fit the empty replica can bring us here.
                return;
            }
        }
    }

    /// A time before which nothing finishes or is handed over unless something arrives.
    #[must_use]
    pub fn next_change_ps(&self, ctx: &Context<'_>) -> Option<u64> {
        if self.outstanding() == 0 {
            return None;
        }
        let blocked = self.blocked || self.running.len() as u32 >= ctx.config.max_sequences;
        let decoding = self.partial.is_none() && (self.waiting.is_empty() || blocked);
        if !decoding || self.running.is_empty() {
            return Some(self.boundary_ps);
        }
        let run = Run::of(self, ctx);
        let steps = run.steps_to_event(self, ctx);
        Some(self.boundary_ps + run.duration_ps(steps))
    }

    /// Takes every job off a replica that failed at `now_ps`, in order of arrival; its cache is
    /// lost. Work done is kept as answer tokens that already left.
    pub fn fail(&mut self, now_ps: u64, ctx: &mut Context<'_>) -> Vec<JobId> {
        let tokens = ctx.table.clock().tokens(self.steps);
        let mut lost: Vec<JobId> = self.waiting.drain(..).collect();
        for Reverse((finish, id)) in std::mem::take(&mut self.running) {
            let job = ctx.jobs.get_mut(id);
            ctx.recorder.lost_tokens += (job.key + tokens as i64).max(0) as u64;
            ctx.recorder.interrupted += 1;
            job.failures = job.failures.saturating_add(1);
            let left = finish
                .saturating_sub(tokens)
                .clamp(1, job.request.output_tokens.into());
            job.generated = job.request.output_tokens - left as u32;
            if job.first_token_ps > now_ps {
                job.first_token_ps = u64::MAX;
                job.generated = 0;
            }
            lost.push(id);
        }
        if let Some(partial) = self.partial.take() {
            ctx.recorder.lost_tokens += u64::from(partial.done);
            ctx.recorder.interrupted += 1;
            let job = ctx.jobs.get_mut(partial.job);
            job.failures = job.failures.saturating_add(1);
            lost.push(partial.job);
        }
        for &id in &lost {
            let job = ctx.jobs.get_mut(id);
            job.shared = 0;
            job.kv_ready = false;
        }
        lost.sort_unstable_by_key(|&id| ctx.jobs.get(id).number);
        *self = Self {
            boundary_ps: now_ps,
            ..Self::default()
        };
        lost
    }

    /// Takes the waiting jobs back to the router (for a drain).
    pub fn take_waiting(&mut self) -> Vec<JobId> {
        self.blocked = false;
        self.waiting.drain(..).collect()
    }

    /// True when a request waits here that the router held before.
    #[must_use]
    pub fn has_held(&self, jobs: &Jobs) -> bool {
        self.waiting.iter().any(|&id| jobs.get(id).held)
    }

    /// Cache blocks that running requests hold.
    #[must_use]
    pub fn used_blocks(&self, hash_blocks: u64) -> u64 {
        let shared = self
            .cache
            .as_ref()
            .map_or(0, |c| c.referenced() * hash_blocks);
        self.private_blocks + shared
    }

    fn used(&self, ctx: &Context<'_>) -> u64 {
        self.used_blocks(ctx.hash_blocks())
    }

    /// Removes finished sequences.
    fn retire(&mut self, ctx: &mut Context<'_>) {
        let tokens = ctx.table.clock().tokens(self.steps);
        while let Some(&Reverse((finish, id))) = self.running.peek() {
            if finish > tokens {
                return;
            }
            self.running.pop();
            self.leave(id, tokens, ctx);
            let mut job = ctx.jobs.remove(id);
            job.generated = job.request.output_tokens;
            ctx.recorder.finish(&job, self.boundary_ps);
        }
    }

    /// Removes a decoding sequence from the accounts.
    fn leave(&mut self, id: JobId, tokens: u64, ctx: &mut Context<'_>) {
        let job = ctx.jobs.get(id);
        let context = (job.key + tokens as i64) as u64;
        self.key_sum -= job.key;
        self.residues[residue(job.key)] -= 1;
        self.free_blocks(id, context.div_ceil(BLOCK), ctx);
    }

    /// Gives back a job's blocks, shared ones last to first so that the tail is evicted first.
    fn free_blocks(&mut self, id: JobId, blocks: u64, ctx: &mut Context<'_>) {
        let hash_blocks = ctx.hash_blocks();
        let job = ctx.jobs.get_mut(id);
        self.private_blocks -= blocks - u64::from(job.shared) * hash_blocks;
        self.blocked = false;
        if let Some(cache) = self.cache.as_mut().filter(|_| job.shared > 0) {
            for index in (0..job.shared).rev() {
                cache.release(ctx.prefixes.hash(job.request.prefix, index));
            }
            job.shared = 0;
        }
    }

    /// Pre-empts the latest admitted sequences until the running ones have room for this step.
    fn preempt_overflow(&mut self, ctx: &mut Context<'_>) -> bool {
        let mut preempted = false;
        while self.used(ctx) > ctx.config.kv_blocks && self.preempt_latest(ctx) {
            preempted = true;
        }
        preempted
    }

    fn preempt_latest(&mut self, ctx: &mut Context<'_>) -> bool {
        let victim = match self.partial.take() {
            Some(partial) => {
                let blocks = reserved_blocks(ctx.jobs.get(partial.job));
                self.free_blocks(partial.job, blocks, ctx);
                partial.job
            }
            None => {
                let latest = self
                    .running
                    .iter()
                    .max_by_key(|r| ctx.jobs.get(r.0.1).admitted);
                let Some(&Reverse((finish, id))) = latest else {
                    return false;
                };
                self.running.retain(|r| r.0.1 != id);
                let tokens = ctx.table.clock().tokens(self.steps);
                self.leave(id, tokens, ctx);
                let job = ctx.jobs.get_mut(id);
                job.generated = job.request.output_tokens - (finish - tokens) as u32;
                id
            }
        };
        let job = ctx.jobs.get_mut(victim);
        job.preemptions = job.preemptions.saturating_add(1);
        job.kv_ready = false;
        self.waiting.push_front(victim);
        ctx.recorder.preemptions += 1;
        true
    }

    /// Fills this step's token budget with prompt chunks.
    fn plan_chunks(&mut self, admit: bool, ctx: &mut Context<'_>) {
        self.chunks.clear();
        let decoding = self.running.len() as u32 * ctx.table.verified_tokens();
        let mut budget = ctx.config.token_budget.saturating_sub(decoding);
        if let Some(partial) = self.partial.filter(|_| budget > 0) {
            let target = ctx.jobs.get(partial.job).target_tokens();
            self.add_chunk(partial.job, partial.done, target, &mut budget);
        }
        if !admit || self.blocked {
            return;
        }
        while budget > 0
            && (self.running.len() + self.chunks.len()) < ctx.config.max_sequences as usize
        {
            let Some(&id) = self.waiting.front() else {
                return;
            };
            let Some(cached) = self.try_admit(id, ctx) else {
                self.blocked = true;
                return;
            };
            self.waiting.pop_front();
            if ctx.jobs.get(id).kv_ready {
                self.join(id, ctx);
                budget = budget.saturating_sub(ctx.table.verified_tokens());
                continue;
            }
            let target = ctx.jobs.get(id).target_tokens();
            self.add_chunk(id, cached, target, &mut budget);
        }
    }

    fn add_chunk(&mut self, job: JobId, start: u32, target: u32, budget: &mut u32) {
        let tokens = (target - start).min(*budget);
        *budget -= tokens;
        let completes = start + tokens == target;
        self.partial = (!completes).then_some(Partial {
            job,
            done: start + tokens,
        });
        self.chunks.push(Chunk {
            job,
            start,
            tokens,
            completes,
        });
    }

    /// Reserves blocks for a waiting job. Returns the prompt tokens found in the cache, or none when there
    /// is no room.
    fn try_admit(&mut self, id: JobId, ctx: &mut Context<'_>) -> Option<u32> {
        let hash_blocks = ctx.hash_blocks();
        let used = self.used(ctx);
        let job = ctx.jobs.get(id);
        let shares = ctx.config.prefix_cache && job.may_share() && hash_blocks > 0 && !job.kv_ready;
        let (mut hits, mut idle_hits) = (0, 0);
        if let Some(cache) = self.cache.as_mut().filter(|_| shares) {
            cache.shrink_idle(ctx.config.kv_blocks.saturating_sub(used) / hash_blocks);
            let most = ctx
                .prefixes
                .blocks(&job.request)
                .min((job.target_tokens() - 1) / ctx.prefixes.block_tokens());
            while hits < most {
                let hash = ctx.prefixes.hash(job.request.prefix, hits);
                let Some(idle) = cache.find(hash) else { break };
                idle_hits += u64::from(idle);
                hits += 1;
            }
        }
        let private = reserved_blocks(job) - u64::from(hits) * hash_blocks;
        let alone = self.running.is_empty() && self.chunks.is_empty();
        let spare = if alone {
            0
        } else {
            ctx.config.watermark_blocks()
        };
        if used + private + idle_hits * hash_blocks + spare > ctx.config.kv_blocks {
            return None;
        }
        self.private_blocks += private;
        self.admissions += 1;
        let now_ps = self.boundary_ps;
        let job = ctx.jobs.get_mut(id);
        job.admitted = self.admissions;
        job.held = false;
        job.scheduled_ps = job.scheduled_ps.min(now_ps);
        job.shared = hits;
        if let Some(cache) = self.cache.as_mut().filter(|_| hits > 0) {
            for index in 0..hits {
                cache.acquire(ctx.prefixes.hash(job.request.prefix, index));
            }
        }
        let cached = hits * ctx.prefixes.block_tokens();
        job.cached_tokens = cached;
        ctx.recorder.cached_tokens += u64::from(cached);
        Some(cached)
    }

    /// One step with prompt chunks.
    fn mixed_step(&mut self, ctx: &mut Context<'_>) {
        let clock = ctx.table.clock();
        let tokens = clock.tokens(self.steps);
        let mut load = StepLoad {
            decode_sequences: self.running.len() as u32,
            decode_context_tokens: self.context(tokens),
            prefill_sequences: self.chunks.len() as u32,
            ..StepLoad::default()
        };
        for chunk in &self.chunks {
            load.prefill_tokens += chunk.tokens;
            load.prefill_context_tokens +=
                StepLoad::prefill_context(chunk.start.into(), chunk.tokens.into());
        }
        let took_ps = ctx.table.mixed_ps(&load);
        ctx.recorder.prefilled_tokens += u64::from(load.prefill_tokens);
        ctx.recorder.busy_joules += ctx.table.mixed_joules(&load);
        self.pass(1, took_ps, ctx);
        let chunks = std::mem::take(&mut self.chunks);
        for chunk in chunks.iter().filter(|c| c.completes) {
            self.prompt_done(chunk.job, ctx);
        }
        self.chunks = chunks;
    }

    /// Advances by `steps` steps that take `took_ps` in all.
    fn pass(&mut self, steps: u64, took_ps: u64, ctx: &mut Context<'_>) {
        let clock = ctx.table.clock();
        let before = clock.tokens(self.steps);
        self.steps += steps;
        let grown = clock.tokens(self.steps) - before;
        let used = self.used(ctx);
        let permille = (used * 1000 / ctx.config.kv_blocks.max(1)) as u32;
        ctx.recorder.peak_kv_permille = ctx.recorder.peak_kv_permille.max(permille);
        self.private_blocks += self.growth(before, grown);
        self.boundary_ps += took_ps;
        ctx.recorder.steps += steps;
        ctx.recorder.busy_ps += u128::from(took_ps);
    }

    /// A job's prompt is computed: its first token (or the next, after a recomputation) is out.
    fn prompt_done(&mut self, id: JobId, ctx: &mut Context<'_>) {
        self.share_prompt(id, ctx);
        let now_ps = self.boundary_ps;
        let job = ctx.jobs.get_mut(id);
        let blocks = reserved_blocks(job);
        job.generated += 1;
        job.first_token_ps = job.first_token_ps.min(now_ps);
        let done = job.generated >= job.request.output_tokens;
        if done {
            self.free_blocks(id, blocks, ctx);
            let job = ctx.jobs.remove(id);
            ctx.recorder.finish(&job, now_ps);
        } else if ctx.role == Role::Prefill {
            self.free_blocks(id, blocks, ctx);
            ctx.jobs.get_mut(id).kv_ready = true;
            ctx.handoffs.push(Handoff {
                at_ps: now_ps,
                job: id,
            });
        } else {
            self.join(id, ctx);
        }
    }

    /// Makes a computed prompt's whole blocks available to others.
    fn share_prompt(&mut self, id: JobId, ctx: &mut Context<'_>) {
        let hash_blocks = ctx.hash_blocks();
        let job = ctx.jobs.get_mut(id);
        if !ctx.config.prefix_cache || !job.may_share() || hash_blocks == 0 {
            return;
        }
        let cache = self
            .cache
            .get_or_insert_with(|| Box::new(PrefixCache::new()));
        let all = ctx.prefixes.blocks(&job.request);
        for index in job.shared..all {
            cache.acquire(ctx.prefixes.hash(job.request.prefix, index));
        }
        self.private_blocks -= u64::from(all - job.shared) * hash_blocks;
        job.shared = all;
    }

    /// Puts a job whose context is in place into the decoding batch.
    fn join(&mut self, id: JobId, ctx: &mut Context<'_>) {
        let tokens = ctx.table.clock().tokens(self.steps);
        let job = ctx.jobs.get_mut(id);
        // A job from a prefill replica reserved one block slot more than it needs at most.
        let reserved = reserved_blocks_at(job, job.kv_ready);
        let context = u64::from(job.target_tokens());
        self.private_blocks -= reserved - context.div_ceil(BLOCK);
        job.kv_ready = false;
        job.key = context as i64 - tokens as i64;
        let finish = tokens + u64::from(job.request.output_tokens - job.generated);
        self.key_sum += job.key;
        self.residues[residue(job.key)] += 1;
        self.running.push(Reverse((finish, id)));
    }

    /// Total context of the decoding sequences in the next step.
    fn context(&self, tokens: u64) -> u64 {
        (self.key_sum + (self.running.len() as u64 * tokens) as i64) as u64
    }

    /// Blocks that `grown` more tokens per decoding sequence take, from token clock `from` on.
    fn growth(&self, from: u64, grown: u64) -> u64 {
        let rounds = grown / BLOCK * self.running.len() as u64;
        (from + 1..=from + grown % BLOCK).fold(rounds, |sum, t| sum + self.crossing(t))
    }

    /// Sequences whose context enters a new block when the token clock comes to `tokens`.
    fn crossing(&self, tokens: u64) -> u64 {
        u64::from(self.residues[residue(1 - tokens as i64)])
    }

    /// The most tokens per sequence that can be added within `free` blocks.
    fn room(&self, from: u64, free: u64) -> u64 {
        let count = self.running.len() as u64;
        let mut grown = free / count * BLOCK;
        let mut left = free % count;
        for tokens in from + 1..from + BLOCK {
            let need = self.crossing(tokens);
            if need > left {
                break;
            }
            left -= need;
            grown += 1;
        }
        grown
    }

    /// Decode steps until something changes or a step ends at or after `until_ps`.
    fn decode_steps(&mut self, until_ps: u64, ctx: &mut Context<'_>) {
        let run = Run::of(self, ctx);
        let most = run.steps_to_event(self, ctx);
        let steps = run.steps_until(most, until_ps - self.boundary_ps);
        let took_ps = run.duration_ps(steps);
        ctx.recorder.busy_joules += ctx.table.decode_joules(run.line, took_ps);
        self.pass(steps, took_ps, ctx);
    }
}

/// A run of decode steps with an unchanging batch on one line of the step table.
struct Run<'a> {
    line: &'a StepLine,
    clock: super::TokenClock,
    count: u64,
    key_sum: i64,
    from: u64,
    context: u64,
}

impl<'a> Run<'a> {
    fn of(replica: &Replica, ctx: &Context<'a>) -> Self {
        let clock = ctx.table.clock();
        let context = replica.context(clock.tokens(replica.steps));
        Self {
            line: ctx.table.line(replica.running.len() as u32, context),
            clock,
            count: replica.running.len() as u64,
            key_sum: replica.key_sum,
            from: replica.steps,
            context,
        }
    }

    /// Steps until the first sequence finishes, the line ends or the cache is full; at least 1.
    fn steps_to_event(&self, replica: &Replica, ctx: &Context<'_>) -> u64 {
        let finish = replica.running.peek().map_or(0, |r| r.0.0);
        let mut most = self.clock.steps_to(finish).saturating_sub(self.from);
        if self.line.below != u64::MAX {
            let last = (self.line.below as i64 - 1 - self.key_sum) / self.count as i64;
            most = most.min(self.clock.steps_to(last as u64 + 1) - self.from);
        }
        let tokens = self.clock.tokens(self.from);
        let grown = self.clock.tokens(self.from + most) - tokens;
        let free = ctx.config.kv_blocks.saturating_sub(replica.used(ctx));
        if grown.div_ceil(BLOCK) * self.count > free {
            let room = replica.room(tokens, free);
            most = most.min(self.clock.steps_to(tokens + room + 1) - self.from);
        }
        most.max(1)
    }

    /// Time of the next `steps` steps: the sum of an arithmetic series.
    fn duration_ps(&self, steps: u64) -> u64 {
        let tokens = self.clock.sum(self.from, steps) as i128;
        let contexts = i128::from(steps) * i128::from(self.key_sum) + self.count as i128 * tokens;
        let base = i128::from(steps) * i128::from(self.line.base_ps);
        (base + i128::from(self.line.slope_ps) * contexts) as u64
    }

    /// The least number of steps, up to `most`, that takes at least `time_ps`.
    fn steps_until(&self, most: u64, time_ps: u64) -> u64 {
        if self.duration_ps(most) < time_ps {
            return most;
        }
        // The root of the quadratic is a guess; the loops below make it exact.
        let first = self.line.at(self.context) as f64;
        let curve = self.line.slope_ps as f64 * self.count as f64;
        let time = time_ps as f64;
        let guess = 2.0 * time / (first + (first * first + 2.0 * curve * time).sqrt());
        let mut steps = (guess as u64).clamp(1, most);
        while steps < most && self.duration_ps(steps) < time_ps {
            steps += 1;
        }
        while steps > 1 && self.duration_ps(steps - 1) >= time_ps {
            steps -= 1;
        }
        steps
    }
}

fn residue(key: i64) -> usize {
    key.rem_euclid(BLOCK as i64) as usize
}

/// Blocks reserved for a job at admission: its context and the next token.
fn reserved_blocks(job: &Job) -> u64 {
    (u64::from(job.target_tokens()) + 1).div_ceil(BLOCK)
}

/// Blocks reserved for a job that now joins: `target_tokens` has grown by the token just made
/// unless the prompt came from another replica.
fn reserved_blocks_at(job: &Job, from_elsewhere: bool) -> u64 {
    if from_elsewhere {
        reserved_blocks(job)
    } else {
        u64::from(job.target_tokens()).div_ceil(BLOCK)
    }
}
