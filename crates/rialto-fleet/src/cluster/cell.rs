//! One cell: replicas behind one router, simulated event by event.
//!
//! Replicas advance only when something asks for their state, so an idle one costs nothing. Cells do not
//! interact, which makes threads and sampling possible.

mod apart;
mod parked;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use apart::Apart;

use super::outages::Why;
use super::pool::{Pool, TrafficSource};
use super::route::{LoadIndex, Policy, Whereabouts};
use crate::engine::{
    Context, Handoff, Job, JobId, Jobs, PS_PER_NS, PS_PER_S, Recorder, Replica, Role, StepTable,
};
use crate::rng::{Rng, mix64};
use crate::traffic::{Generator, Request, Share};

/// The results of one cell.
#[derive(Clone, Debug, Default)]
pub struct CellResult {
    /// Outcomes of its requests.
    pub recorder: Recorder,
    /// Requests still in flight when every request that could finish had finished.
    pub in_flight: u64,
    /// Replicas of the cell.
    pub replicas: u32,
    /// Replica-seconds within the horizon that could serve.
    pub up_s: f64,
    /// Replica-seconds lost to failures.
    pub down_s: f64,
    /// Replica-seconds lost to planned drains.
    pub drained_s: f64,
    /// Replica-seconds not provisioned (scaled down).
    pub cold_s: f64,
    /// Failures of replicas within the horizon.
    pub failures: u64,
    /// The end of the run, seconds: when the last request left or, in a replay, when the trace ended,
    /// whichever is later.
    pub end_s: f64,
    /// More requests missed the objective than the settings allow, so the rest was not simulated.
    pub gave_up: bool,
}

impl CellResult {
    /// Stops the cell when too many requests have missed the objective.
    fn gives_up(&mut self, settings: &CellSettings) -> bool {
        self.gave_up |= self.recorder.misses() > settings.misses_allowed;
        self.gave_up
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Serving,
    Down,
    Draining,
    Cold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Fail(u32),
    Drain(u32),
    /// Neither down nor drained any more.
    Return(u32),
    /// Scaled up.
    Started(u32),
    ScaleTick,
    HandOut,
}

/// The settings of the run for a cell, in addition to the pool's own.
#[derive(Clone, Copy, Debug)]
pub struct CellSettings {
    /// Seed of the run.
    pub seed: u64,
    /// End of arrivals, nanoseconds; `u64::MAX` when a trace decides.
    pub horizon_ns: u64,
    /// Start of measurement, nanoseconds.
    pub warmup_ns: u64,
    /// Length of a bin of the time series, nanoseconds; zero for none.
    pub bin_ns: u64,
    /// Whether to keep every outcome.
    pub keep_outcomes: bool,
    /// Whether requests that finish after the horizon count in rates and goodput.
    pub count_late: bool,
    /// How many requests may miss the objective before the simulation stops early; `u64::MAX` runs to the
    /// end.
    pub misses_allowed: u64,
}

/// Requests that reach a cell, in order of arrival.
enum Source<'a> {
    Generated(Box<Generator<'a>>),
    Recorded {
        requests: &'a [Request],
        next: usize,
        low: f64,
        high: f64,
        seed: u64,
    },
}

impl Source<'_> {
    fn next(&mut self, horizon_ns: u64) -> Option<Request> {
        match self {
            Self::Generated(generator) => generator.next(),
            Self::Recorded {
                requests,
                next,
                low,
                high,
                seed,
            } => loop {
                let request = *requests.get(*next)?;
                let draw = mix64(*next as u64 ^ *seed) as f64 / 18_446_744_073_709_551_616.0;
                *next += 1;
                if request.arrival_ns >= horizon_ns {
                    return None;
                }
                if (*low..*high).contains(&draw) {
                    return Some(request);
                }
            },
        }
    }
}

/// Simulates cell number `cell` of a pool.
#[must_use]
pub fn simulate_cell(pool: &Pool, cell: usize, settings: &CellSettings) -> CellResult {
    let mut source = source_of(pool, cell, settings);
    serve(pool, cell, settings, || source.next(settings.horizon_ns))
}

/// The requests that [`simulate_cell`] serves.
#[must_use]
pub(crate) fn requests_of(pool: &Pool, cell: usize, settings: &CellSettings) -> Vec<Request> {
    let mut source = source_of(pool, cell, settings);
    std::iter::from_fn(|| source.next(settings.horizon_ns)).collect()
}

/// Simulates a cell under given requests, in order of arrival.
#[must_use]
pub(crate) fn serve(
    pool: &Pool,
    cell: usize,
    settings: &CellSettings,
    mut arrivals: impl FnMut() -> Option<Request>,
) -> CellResult {
    let mut jobs = Jobs::default();
    let recorder = Recorder {
        slo: Some(pool.slo),
        warmup_ps: settings.warmup_ns.saturating_mul(PS_PER_NS),
        horizon_ps: if settings.count_late {
            u64::MAX
        } else {
            settings.horizon_ns.saturating_mul(PS_PER_NS)
        },
        bin_ps: settings.bin_ns.saturating_mul(PS_PER_NS),
        outcomes: settings.keep_outcomes.then(Vec::new),
        ..Recorder::default()
    };
    let replicas = pool.cells[cell];
    let prefill = pool
        .spec
        .disaggregate
        .as_ref()
        .map_or(0, |d| d.prefill_replicas);
    let mut result = CellResult {
        recorder,
        replicas,
        ..CellResult::default()
    };
    if prefill == 0 {
        let mut stage = Stage::new(pool, cell, 0..replicas, Role::Whole, settings);
        stage.run(settings, &mut jobs, &mut result, &mut arrivals);
        close(&mut [&mut stage], &mut result);
    } else {
        let prompts = Stage::new(pool, cell, 0..prefill, Role::Prefill, settings);
        let answers = Stage::new(pool, cell, prefill..replicas, Role::Whole, settings);
        let mut apart = Apart::new(prompts, answers);
        apart.run(settings, &mut jobs, &mut result, &mut arrivals);
        close(&mut [&mut apart.prefill, &mut apart.decode], &mut result);
    }
    result.in_flight = jobs.len() as u64;
    result
}

/// Closes the accounts of a cell's stages: at the horizon, or without one, when the last request has left
/// and the trace has ended. A failure after that does not belong to the run.
fn close(stages: &mut [&mut Stage<'_>], result: &mut CellResult) {
    for stage in stages.iter() {
        let end_ps = result.recorder.last_left_ps.max(stage.trace_end_ps);
        result.end_s = result.end_s.max(end_ps as f64 / PS_PER_S);
    }
    for stage in stages {
        stage.close(result);
    }
}

fn source_of<'a>(pool: &'a Pool, cell: usize, settings: &CellSettings) -> Source<'a> {
    let all = f64::from(pool.spec.replicas);
    let first = pool.first_replica(cell) as f64;
    let size = f64::from(pool.cells[cell]);
    match &pool.traffic {
        TrafficSource::Model(model) => {
            let share = Share {
                stream: pool.stream,
                index: cell as u32,
                fraction: size / all,
            };
            let block = pool.prefixes.block_tokens();
            let generator = Generator::new(model, settings.seed, share, settings.horizon_ns, block);
            Source::Generated(Box::new(generator))
        }
        TrafficSource::Trace(trace) => Source::Recorded {
            requests: &trace.requests,
            next: 0,
            low: first / all,
            high: (first + size) / all,
            seed: mix64(settings.seed ^ pool.stream),
        },
    }
}

/// Time a prompt's cache takes from one replica to the other.
fn transfer_ps(pool: &Pool, job: &Job) -> u64 {
    let Some(d) = &pool.spec.disaggregate else {
        return 0;
    };
    let bytes = pool.kv_bytes_per_token * f64::from(job.request.input_tokens);
    let seconds = bytes / (d.transfer_gb_s * 1e9) + d.transfer_latency_ms * 1e-3;
    (seconds * PS_PER_S) as u64
}

/// Replicas of one role behind one router.
struct Stage<'a> {
    pool: &'a Pool,
    role: Role,
    replicas: Vec<Replica>,
    states: Vec<State>,
    /// Since when each replica is in its state, picoseconds.
    since_ps: Vec<u64>,
    /// Which step table each replica uses; empty when all use the first.
    slow: Vec<bool>,
    /// Replicas that take requests, and where each stands in that list.
    serving: Vec<u32>,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    rng: Rng,
    turn: usize,
    loads: LoadIndex,
    /// Next possible change of each replica's load, for least load.
    due: BinaryHeap<Reverse<(u64, u32)>>,
    due_at: Vec<u64>,
    whereabouts: Whereabouts,
    /// Jobs held here because no replica serves, in order of arrival.
    parked: VecDeque<JobId>,
    /// Replicas that got such jobs, one entry for each job.
    given: Vec<u32>,
    /// A replica has come back at this instant, and the held jobs are not distributed yet.
    returned: bool,
    /// When held jobs are distributed next; `u64::MAX` if that is not planned.
    hand_out_ps: u64,
    handoffs: Vec<Handoff>,
    horizon_ps: u64,
    /// The last arrival of the trace that is replayed; zero for generated traffic.
    trace_end_ps: u64,
    numbered: u64,
}

/// The context in which replica `$replica` of `$stage` advances.
macro_rules! context {
    ($stage:ident, $replica:expr, $jobs:expr, $recorder:expr) => {
        Context {
            config: &$stage.pool.config,
            table: table_of($stage.pool, &$stage.slow, $replica),
            prefixes: &$stage.pool.prefixes,
            jobs: $jobs,
            recorder: $recorder,
            role: $stage.role,
            handoffs: &mut $stage.handoffs,
        }
    };
}

fn table_of<'a>(pool: &'a Pool, slow: &[bool], replica: u32) -> &'a StepTable {
    let is_slow = slow.get(replica as usize).copied().unwrap_or(false);
    &pool.tables[usize::from(is_slow)]
}

impl<'a> Stage<'a> {
    fn new(
        pool: &'a Pool,
        cell: usize,
        range: std::ops::Range<u32>,
        role: Role,
        settings: &CellSettings,
    ) -> Self {
        let count = range.len();
        let least_load = pool.spec.routing == Policy::LeastLoad;
        let names = [
            pool.stream,
            cell as u64,
            u64::from(range.start),
            0x726f_7574,
        ];
        let mut stage = Self {
            pool,
            role,
            replicas: vec![Replica::default(); count],
            states: vec![State::Serving; count],
            since_ps: vec![0; count],
            slow: Vec::new(),
            serving: (0..count as u32).collect(),
            events: BinaryHeap::new(),
            rng: Rng::keyed(settings.seed, &names),
            turn: 0,
            loads: LoadIndex::new(if least_load { count } else { 0 }),
            due: BinaryHeap::new(),
            due_at: vec![u64::MAX; if least_load { count } else { 0 }],
            whereabouts: Whereabouts::default(),
            parked: VecDeque::new(),
            given: Vec::new(),
            returned: false,
            hand_out_ps: u64::MAX,
            handoffs: Vec::new(),
            horizon_ps: settings.horizon_ns.saturating_mul(PS_PER_NS),
            trace_end_ps: pool.trace_end_ns().min(settings.horizon_ns) * PS_PER_NS,
            numbered: 0,
        };
        stage.plan_stragglers(cell, range.start, settings);
        stage.plan_outages(cell, range.start, settings);
        stage.plan_scaling();
        if least_load {
            for &replica in &stage.serving {
                stage.loads.set(replica, Some(0));
            }
        }
        stage
    }

    fn plan_stragglers(&mut self, cell: usize, start: u32, settings: &CellSettings) {
        let pool = self.pool;
        if pool.faults.none() {
            return;
        }
        let first = pool.first_replica(cell) + u64::from(start);
        let slow = |i| {
            pool.faults
                .is_straggler(settings.seed, pool.stream, first + i)
        };
        self.slow = (0..self.replicas.len() as u64).map(slow).collect();
    }

    fn plan_outages(&mut self, cell: usize, start: u32, settings: &CellSettings) {
        if self.pool.never_out() {
            return;
        }
        let outages = self.pool.outages(settings.seed, cell, settings.horizon_ns);
        let mine = outages.iter().skip(start as usize).zip(0..);
        for (list, r) in mine.take(self.replicas.len()) {
            for (place, outage) in list.iter().enumerate() {
                let event = match outage.why {
                    Why::Failed => Event::Fail(r),
                    Why::Drained => Event::Drain(r),
                };
                let at = |ns: u64| ns.saturating_mul(PS_PER_NS);
                self.events.push(Reverse((at(outage.start_ns), event)));
                let next = list.get(place + 1);
                if next.is_none_or(|next| next.start_ns > outage.end_ns) {
                    self.events
                        .push(Reverse((at(outage.end_ns), Event::Return(r))));
                }
            }
        }
    }

    fn plan_scaling(&mut self) {
        let Some(scale) = &self.pool.spec.autoscale else {
            return;
        };
        for i in scale.min_replicas as usize..self.states.len() {
            self.states[i] = State::Cold;
        }
        self.serving.truncate(scale.min_replicas as usize);
        self.events.push(Reverse((
            (scale.interval_s * PS_PER_S) as u64,
            Event::ScaleTick,
        )));
    }

    /// Runs until everything that can finish has, or too much has missed the objective.
    fn run(
        &mut self,
        settings: &CellSettings,
        jobs: &mut Jobs,
        result: &mut CellResult,
        mut arrivals: impl FnMut() -> Option<Request>,
    ) {
        let mut next = arrivals();
        while !result.gives_up(settings) {
            let arrival_ps = next.map_or(u64::MAX, |r| r.arrival_ns * PS_PER_NS);
            let event_ps = self.next_event_ps();
            if next.is_none() && self.over(event_ps, jobs, result) {
                break;
            }
            if event_ps <= arrival_ps {
                self.next_event(jobs, result);
                continue;
            }
            if let Some(request) = next.take() {
                self.new_request(request, jobs, result);
            }
            next = arrivals();
        }
        if !result.gave_up {
            self.drain(jobs, result);
        }
    }

    fn next_event_ps(&self) -> u64 {
        self.events.peek().map_or(u64::MAX, |Reverse((at, _))| *at)
    }

    /// Lets one replica start every step that begins before `until_ps`.
    fn advance(&mut self, replica: usize, until_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        let mut ctx = context!(self, replica as u32, jobs, &mut result.recorder);
        self.replicas[replica].advance(until_ps, &mut ctx);
    }

    /// A time before which nothing leaves one replica unless something arrives.
    fn next_change_ps(
        &self,
        replica: usize,
        jobs: &mut Jobs,
        result: &mut CellResult,
    ) -> Option<u64> {
        let mut none = Vec::new();
        let ctx = Context {
            config: &self.pool.config,
            table: table_of(self.pool, &self.slow, replica as u32),
            prefixes: &self.pool.prefixes,
            jobs,
            recorder: &mut result.recorder,
            role: self.role,
            handoffs: &mut none,
        };
        self.replicas[replica].next_change_ps(&ctx)
    }

    /// True when no event from `event_ps` on can matter, all requests having arrived: it lies past
    /// the horizon or, in a replay, past the trace's end with every request gone.
    fn over(&mut self, event_ps: u64, jobs: &mut Jobs, result: &mut CellResult) -> bool {
        if event_ps >= self.horizon_ps {
            return true;
        }
        if self.horizon_ps < u64::MAX || event_ps <= self.trace_end_ps {
            return false;
        }
        // Replicas lag behind: what has finished in the meantime is not known before they are asked.
        for i in 0..self.replicas.len() {
            self.advance(i, event_ps, jobs, result);
        }
        jobs.is_empty()
    }

    /// Lets every replica finish its requests and those held for it.
    fn drain(&mut self, jobs: &mut Jobs, result: &mut CellResult) {
        while self.hand_out_ps < u64::MAX {
            self.hand_out(self.hand_out_ps, jobs, result);
        }
        for i in 0..self.replicas.len() {
            self.advance(i, u64::MAX, jobs, result);
        }
    }

    /// Accounts for every replica up to the horizon, or the run's end where there is none.
    fn close(&mut self, result: &mut CellResult) {
        let close_ps = if self.horizon_ps == u64::MAX {
            result.recorder.last_left_ps.max(self.trace_end_ps)
        } else {
            self.horizon_ps
        };
        for i in 0..self.replicas.len() {
            self.account(i, close_ps, result);
        }
    }

    fn new_request(&mut self, request: Request, jobs: &mut Jobs, result: &mut CellResult) {
        let now_ps = request.arrival_ns * PS_PER_NS;
        result.recorder.arrive(now_ps);
        self.numbered += 1;
        if !self.pool.admits(&request) {
            result.recorder.reject(now_ps);
            return;
        }
        let job = jobs.add(Job::new(self.numbered, request));
        self.place(job, now_ps, jobs, result);
    }

    /// Sends a job to a replica, or holds it while none serves or others are held before it.
    fn place(&mut self, job: JobId, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        if !self.parked.is_empty() {
            return self.park(job, now_ps, jobs, result);
        }
        let Some(replica) = self.choose(job, now_ps, jobs, result) else {
            return self.park(job, now_ps, jobs, result);
        };
        if !self.offer(replica, job, now_ps, jobs, result) {
            jobs.remove(job);
            result.recorder.reject(now_ps);
        }
    }

    /// Queues a job at a replica, unless too many wait there.
    fn offer(
        &mut self,
        replica: u32,
        job: JobId,
        now_ps: u64,
        jobs: &mut Jobs,
        result: &mut CellResult,
    ) -> bool {
        let i = replica as usize;
        self.advance(i, now_ps, jobs, result);
        let room = self.replicas[i].waiting() < self.pool.config.max_waiting;
        if room {
            self.replicas[i].push(job, now_ps);
        }
        self.watch(replica, jobs, result);
        room
    }

    fn choose(
        &mut self,
        job: JobId,
        now_ps: u64,
        jobs: &mut Jobs,
        result: &mut CellResult,
    ) -> Option<u32> {
        let count = self.serving.len();
        if count <= 1 {
            return self.serving.first().copied();
        }
        match self.pool.spec.routing {
            Policy::Random => Some(self.serving[self.rng.below(count as u64) as usize]),
            Policy::RoundRobin => {
                self.turn = (self.turn + 1) % count;
                Some(self.serving[self.turn])
            }
            Policy::PowerOfTwo => Some(self.less_loaded_of_two(now_ps, jobs, result)),
            Policy::LeastLoad => {
                self.catch_up(now_ps, jobs, result);
                self.loads.least(&mut self.rng)
            }
            Policy::PrefixAffinity => {
                let request = jobs.get(job).request;
                let near = self.whereabouts.find(&self.pool.prefixes, &request);
                let near = near.filter(|&r| self.states[r as usize] == State::Serving);
                let other = self.less_loaded_of_two(now_ps, jobs, result);
                let chosen = match near {
                    Some(near) => {
                        let near_load = self.load_at(near, now_ps, jobs, result);
                        let other_load = self.load_at(other, now_ps, jobs, result);
                        if near_load > 2 * other_load + 4 {
                            other
                        } else {
                            near
                        }
                    }
                    None => other,
                };
                self.whereabouts.note(&self.pool.prefixes, &request, chosen);
                Some(chosen)
            }
        }
    }

    fn load_at(
        &mut self,
        replica: u32,
        now_ps: u64,
        jobs: &mut Jobs,
        result: &mut CellResult,
    ) -> u32 {
        let mut ctx = context!(self, replica, jobs, &mut result.recorder);
        self.replicas[replica as usize].advance(now_ps, &mut ctx);
        self.replicas[replica as usize].outstanding()
    }

    fn less_loaded_of_two(&mut self, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) -> u32 {
        let count = self.serving.len() as u64;
        let first = self.rng.below(count);
        let second = (first + 1 + self.rng.below(count - 1)) % count;
        let (a, b) = (self.serving[first as usize], self.serving[second as usize]);
        let load_a = self.load_at(a, now_ps, jobs, result);
        if load_a == 0 || load_a <= self.load_at(b, now_ps, jobs, result) {
            a
        } else {
            b
        }
    }

    /// Keeps the load index and the next change of a replica's load.
    fn watch(&mut self, replica: u32, jobs: &mut Jobs, result: &mut CellResult) {
        if self.due_at.is_empty() {
            return;
        }
        let i = replica as usize;
        let load = self.replicas[i].outstanding();
        let serving = self.states[i] == State::Serving;
        self.loads.set(replica, serving.then_some(load));
        let ctx = context!(self, replica, jobs, &mut result.recorder);
        let at = self.replicas[i].next_change_ps(&ctx).unwrap_or(u64::MAX);
        if at != self.due_at[i] {
            self.due_at[i] = at;
            if at < u64::MAX {
                self.due.push(Reverse((at, replica)));
            }
        }
    }

    /// Brings every replica whose load may have changed before `now_ps` up to date.
    fn catch_up(&mut self, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        while let Some(&Reverse((at, replica))) = self.due.peek() {
            if at >= now_ps {
                return;
            }
            self.due.pop();
            if self.due_at[replica as usize] != at {
                continue;
            }
            self.due_at[replica as usize] = u64::MAX;
            let mut ctx = context!(self, replica, jobs, &mut result.recorder);
            self.replicas[replica as usize].advance(at + 1, &mut ctx);
            self.watch(replica, jobs, result);
        }
    }

    /// Adds the time since the last change to the account of the replica's state.
    fn account(&mut self, i: usize, now_ps: u64, result: &mut CellResult) {
        let upto = now_ps.min(self.horizon_ps);
        let spent_s = upto.saturating_sub(self.since_ps[i]) as f64 / PS_PER_S;
        self.since_ps[i] = self.since_ps[i].max(upto);
        match self.states[i] {
            State::Serving => result.up_s += spent_s,
            State::Down => result.down_s += spent_s,
            State::Draining => result.drained_s += spent_s,
            State::Cold => result.cold_s += spent_s,
        }
    }

    fn set_state(&mut self, replica: u32, state: State, now_ps: u64, result: &mut CellResult) {
        let i = replica as usize;
        self.account(i, now_ps, result);
        let was = std::mem::replace(&mut self.states[i], state);
        if was == state {
            return;
        }
        if state == State::Serving {
            self.serving.push(replica);
        } else {
            self.serving.retain(|r| *r != replica);
        }
        if !self.due_at.is_empty() {
            let load = (state == State::Serving).then(|| self.replicas[i].outstanding());
            self.loads.set(replica, load);
        }
    }

    fn next_event(&mut self, jobs: &mut Jobs, result: &mut CellResult) {
        let Some(Reverse((now_ps, event))) = self.events.pop() else {
            return;
        };
        match event {
            Event::Fail(r) => self.replica_fails(r, now_ps, jobs, result),
            Event::Drain(r) => self.replica_drains(r, now_ps, jobs, result),
            Event::Return(r) => {
                if matches!(self.states[r as usize], State::Down | State::Draining) {
                    self.serve_again(r, now_ps, result);
                }
            }
            Event::Started(r) => {
                if self.states[r as usize] == State::Cold {
                    self.serve_again(r, now_ps, result);
                }
            }
            Event::ScaleTick => self.scale(now_ps, jobs, result),
            Event::HandOut => {
                if self.hand_out_ps == now_ps {
                    self.hand_out(now_ps, jobs, result);
                }
            }
        }
        // All that come back at one instant share what is held.
        if self.returned && self.next_event_ps() > now_ps {
            self.returned = false;
            self.spread(now_ps, jobs, result);
        }
    }

    fn replica_fails(&mut self, r: u32, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        if self.states[r as usize] == State::Cold {
            return;
        }
        let mut ctx = context!(self, r, jobs, &mut result.recorder);
        self.replicas[r as usize].advance(now_ps, &mut ctx);
        let lost = self.replicas[r as usize].fail(now_ps, &mut ctx);
        self.set_state(r, State::Down, now_ps, result);
        // Down from the start is the steady state, not a failure of this run.
        result.failures += u64::from(now_ps > 0);
        self.watch(r, jobs, result);
        self.place_all(lost, now_ps, jobs, result);
    }

    fn replica_drains(&mut self, r: u32, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        if self.states[r as usize] == State::Cold {
            return;
        }
        self.advance(r as usize, now_ps, jobs, result);
        self.set_state(r, State::Draining, now_ps, result);
        let waiting = self.replicas[r as usize].take_waiting();
        self.place_all(waiting, now_ps, jobs, result);
    }

    fn serve_again(&mut self, r: u32, now_ps: u64, result: &mut CellResult) {
        self.set_state(r, State::Serving, now_ps, result);
        self.returned = true;
    }

    fn place_all(
        &mut self,
        list: Vec<JobId>,
        now_ps: u64,
        jobs: &mut Jobs,
        result: &mut CellResult,
    ) {
        for job in list {
            self.place(job, now_ps, jobs, result);
        }
    }

    /// One decision of the autoscaler: towards the target of requests in flight per replica.
    fn scale(&mut self, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        let Some(scale) = &self.pool.spec.autoscale else {
            return;
        };
        let mut in_flight = self.parked.len() as f64;
        for r in 0..self.replicas.len() as u32 {
            in_flight += f64::from(self.load_at(r, now_ps, jobs, result));
            self.watch(r, jobs, result);
        }
        let wanted = (in_flight / scale.target_outstanding).ceil() as usize;
        let able = self
            .states
            .iter()
            .filter(|s| matches!(s, State::Serving | State::Cold))
            .count();
        let wanted = wanted.clamp(scale.min_replicas as usize, able.max(1));
        let have = self.serving.len();
        let startup_ps = (scale.startup_s * PS_PER_S) as u64;
        if wanted > have {
            let cold = (0..self.states.len()).filter(|i| self.states[*i] == State::Cold);
            for i in cold.take(wanted - have) {
                self.events
                    .push(Reverse((now_ps + startup_ps, Event::Started(i as u32))));
            }
        } else {
            let mut surplus: Vec<u32> = self.serving.clone();
            surplus.sort_unstable();
            for &r in surplus.iter().skip(wanted) {
                self.set_state(r, State::Cold, now_ps, result);
                let waiting = self.replicas[r as usize].take_waiting();
                self.place_all(waiting, now_ps, jobs, result);
            }
        }
        let next = now_ps + (scale.interval_s * PS_PER_S) as u64;
        self.events.push(Reverse((next, Event::ScaleTick)));
    }
}
