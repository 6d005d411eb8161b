//! Prefill and decode on separate replicas of one cell; a full decode side holds back the prefill side.
//!
//! A prompt starts only when the decode replicas have a place and cache blocks for it, as in
//! engines that reserve on the decode side before they ask for a prompt; until then it waits in one
//! queue before the prefill replicas. The prompts between the two stages are therefore bounded by
//! what the decode replicas can run. The reservation counts the prompt, not the answer: a decode
//! replica that runs out of blocks pre-empts as any other.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::{CellResult, CellSettings, Stage, transfer_ps};
use crate::engine::{BLOCK_TOKENS, Job, JobId, Jobs, PS_PER_NS};
use crate::traffic::Request;

/// What happens next. In this order when several fall on one instant.
#[derive(Clone, Copy)]
enum Next {
    /// A prefill replica begins a step.
    Prefill(usize),
    /// A decode replica may have made room.
    Decode(usize),
    /// A failure, drain or scaling decision of the prefill side.
    PrefillEvent,
    /// The same for the decode side.
    DecodeEvent,
    /// A prompt's cache has arrived.
    Moved,
    /// A request arrives.
    Arrival,
}

/// Both stages of a cell.
pub(super) struct Apart<'a> {
    pub(super) prefill: Stage<'a>,
    pub(super) decode: Stage<'a>,
    /// Requests that wait for room on the decode side.
    queue: VecDeque<JobId>,
    /// Caches being transferred: when each arrives, its order, its job.
    moving: BinaryHeap<Reverse<(u64, u64, JobId)>>,
    /// Prompt tokens of all requests admitted so far, without those turned away later.
    admitted_tokens: u64,
}

impl<'a> Apart<'a> {
    pub(super) fn new(prefill: Stage<'a>, decode: Stage<'a>) -> Self {
        Self {
            prefill,
            decode,
            queue: VecDeque::new(),
            moving: BinaryHeap::new(),
            admitted_tokens: 0,
        }
    }

    /// Runs until everything that can finish has, or too much has missed the objective.
    pub(super) fn run(
        &mut self,
        settings: &CellSettings,
        jobs: &mut Jobs,
        result: &mut CellResult,
        mut arrivals: impl FnMut() -> Option<Request>,
    ) {
        let mut arriving = arrivals();
        while !result.gives_up(settings) {
            let arrival_ps = arriving.map_or(u64::MAX, |r| r.arrival_ns * PS_PER_NS);
            let (at_ps, next) = self.next(arrival_ps, jobs, result);
            if at_ps == u64::MAX || (arriving.is_none() && self.over(at_ps, next, jobs, result)) {
                break;
            }
            match next {
                Next::Prefill(replica) => self.prefill.advance(replica, at_ps + 1, jobs, result),
                Next::Decode(replica) => {
                    self.decode.advance(replica, at_ps + 1, jobs, result);
                    self.let_through(at_ps, jobs, result);
                }
                Next::PrefillEvent => self.prefill.next_event(jobs, result),
                Next::DecodeEvent => {
                    self.decode.next_event(jobs, result);
                    self.let_through(at_ps, jobs, result);
                }
                Next::Moved => {
                    if let Some(Reverse((_, _, job))) = self.moving.pop() {
                        self.decode.place(job, at_ps, jobs, result);
                    }
                }
                Next::Arrival => {
                    if let Some(request) = arriving.take() {
                        self.arrive(request, jobs, result);
                    }
                    arriving = arrivals();
                }
            }
            self.hand_over(jobs);
        }
        if !result.gave_up {
            self.prefill.drain(jobs, result);
            self.decode.drain(jobs, result);
        }
    }

    /// The earliest of all that can happen. Events after the horizon change nothing that counts.
    fn next(&self, arrival_ps: u64, jobs: &mut Jobs, result: &mut CellResult) -> (u64, Next) {
        let mut first = (u64::MAX, Next::Arrival);
        let mut consider = |at_ps: u64, next: Next| {
            if at_ps < first.0 {
                first = (at_ps, next);
            }
        };
        for (i, replica) in self.prefill.replicas.iter().enumerate() {
            if replica.outstanding() > 0 {
                consider(replica.boundary_ps(), Next::Prefill(i));
            }
        }
        if !self.queue.is_empty() {
            for i in 0..self.decode.replicas.len() {
                let at_ps = self.decode.next_change_ps(i, jobs, result);
                consider(at_ps.unwrap_or(u64::MAX), Next::Decode(i));
            }
        }
        let within = |stage: &Stage<'_>| {
            let at_ps = stage.next_event_ps();
            if at_ps < stage.horizon_ps {
                at_ps
            } else {
                u64::MAX
            }
        };
        consider(within(&self.prefill), Next::PrefillEvent);
        consider(within(&self.decode), Next::DecodeEvent);
        let moved_ps = self.moving.peek().map_or(u64::MAX, |m| m.0.0);
        consider(moved_ps, Next::Moved);
        consider(arrival_ps, Next::Arrival);
        first
    }

    /// True when only events are left that no request waits for.
    fn over(&mut self, at_ps: u64, next: Next, jobs: &mut Jobs, result: &mut CellResult) -> bool {
        if !matches!(next, Next::PrefillEvent | Next::DecodeEvent) {
            return false;
        }
        // Both stages have one horizon and one trace. The decode replicas lag behind.
        self.decode.over(at_ps, jobs, result)
    }

    fn arrive(&mut self, request: Request, jobs: &mut Jobs, result: &mut CellResult) {
        let now_ps = request.arrival_ns * PS_PER_NS;
        result.recorder.arrive(now_ps);
        self.prefill.numbered += 1;
        let config = &self.prefill.pool.config;
        let places = config.max_waiting as usize * self.prefill.replicas.len();
        if !self.prefill.pool.admits(&request) || self.queue.len() >= places {
            result.recorder.reject(now_ps);
            return;
        }
        let job = jobs.add(Job::new(self.prefill.numbered, request));
        self.queue.push_back(job);
        if !self.has_room(job, jobs, result) {
            // What finished in the meantime is not known before the replicas are asked.
            for i in 0..self.decode.replicas.len() {
                self.decode.advance(i, now_ps, jobs, result);
            }
        }
        self.let_through(now_ps, jobs, result);
    }

    /// Sends queued requests to the prefill replicas while there is room behind them.
    fn let_through(&mut self, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        while let Some(&job) = self.queue.front() {
            if !self.has_room(job, jobs, result) {
                return;
            }
            self.queue.pop_front();
            let tokens = u64::from(jobs.get(job).request.input_tokens);
            let turned_away = result.recorder.rejected;
            self.prefill.place(job, now_ps, jobs, result);
            if result.recorder.rejected == turned_away {
                self.admitted_tokens += tokens;
            }
        }
    }

    /// Whether the decode side has a place and blocks for one more prompt.
    fn has_room(&self, job: JobId, jobs: &Jobs, result: &CellResult) -> bool {
        let through = (jobs.len() - self.queue.len()) as u64;
        if through == 0 {
            return true;
        }
        let config = &self.decode.pool.config;
        let serving = self.decode.serving.len() as u64;
        let held = self
            .admitted_tokens
            .saturating_sub(result.recorder.input_tokens);
        let wanted = held + u64::from(jobs.get(job).request.input_tokens);
        through < serving * u64::from(config.max_sequences)
            && wanted <= serving * config.kv_blocks * u64::from(BLOCK_TOKENS)
    }

    /// Sends finished prompts on their way.
    fn hand_over(&mut self, jobs: &Jobs) {
        for handoff in self.prefill.handoffs.drain(..) {
            let job = jobs.get(handoff.job);
            let at_ps = handoff.at_ps + transfer_ps(self.decode.pool, job);
            self.moving.push(Reverse((at_ps, job.number, handoff.job)));
        }
    }
}
