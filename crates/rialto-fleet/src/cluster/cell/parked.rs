//! Requests held at the router: while no replica serves, and after that while every queue is full.
//!
//! When replicas come back, the routing policy distributes held requests in order of arrival. Those that
//! still wait at a replica when another one comes back are distributed again, so that the first replica to
//! return does not keep requests that the others could serve.

use std::cmp::Reverse;

use super::{CellResult, Event, Stage, State};
use crate::engine::{JobId, Jobs};

impl Stage<'_> {
    /// Holds a job at the router. Turns it away if the router already holds as many jobs as could wait at
    /// all replicas.
    pub(super) fn park(
        &mut self,
        job: JobId,
        now_ps: u64,
        jobs: &mut Jobs,
        result: &mut CellResult,
    ) {
        if self.parked.len() >= self.pool.config.max_waiting as usize * self.replicas.len() {
            jobs.remove(job);
            result.recorder.reject(now_ps);
            return;
        }
        jobs.get_mut(job).held = true;
        self.parked.push_back(job);
    }

    /// Distributes the held jobs, and those that were held and still wait, over the replicas that serve
    /// now.
    pub(super) fn spread(&mut self, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        let mut given = std::mem::take(&mut self.given);
        given.sort_unstable();
        given.dedup();
        for replica in given {
            let i = replica as usize;
            if self.states[i] != State::Serving {
                continue;
            }
            self.advance(i, now_ps, jobs, result);
            if self.replicas[i].has_held(jobs) {
                self.parked.extend(self.replicas[i].take_waiting());
                self.watch(replica, jobs, result);
            }
        }
        let in_order = self.parked.make_contiguous();
        in_order.sort_unstable_by_key(|&id| jobs.get(id).number);
        self.hand_out(now_ps, jobs, result);
    }

    /// Distributes held jobs, the oldest first, until the replica chosen for a job has no place for it.
    pub(super) fn hand_out(&mut self, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        self.hand_out_ps = u64::MAX;
        while let Some(&job) = self.parked.front() {
            let Some(replica) = self.choose(job, now_ps, jobs, result) else {
                return;
            };
            if !self.offer(replica, job, now_ps, jobs, result) {
                break;
            }
            self.parked.pop_front();
            self.given.push(replica);
        }
        if !self.parked.is_empty() {
            self.hand_out_later(now_ps, jobs, result);
        }
    }

    /// Plans the next attempt: just after the first step that can take a request from a queue.
    fn hand_out_later(&mut self, now_ps: u64, jobs: &mut Jobs, result: &mut CellResult) {
        let serving = self.serving.clone();
        let changes = serving
            .iter()
            .filter_map(|&r| self.next_change_ps(r as usize, jobs, result));
        if let Some(at_ps) = changes.min() {
            self.hand_out_ps = at_ps.max(now_ps) + 1;
            self.events
                .push(Reverse((self.hand_out_ps, Event::HandOut)));
        }
    }
}
