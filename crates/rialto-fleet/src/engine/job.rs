//! Requests in flight, kept in a slab whose places are reused.

use crate::traffic::{Prefix, Request};

/// Place of a job in [`Jobs`].
pub type JobId = u32;

/// A request in flight and its progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// The request.
    pub request: Request,
    /// Position in the order of arrival.
    pub number: u64,
    /// Time it was first scheduled, picoseconds; `u64::MAX` before.
    pub scheduled_ps: u64,
    /// Time of its first token, picoseconds; `u64::MAX` before.
    pub first_token_ps: u64,
    /// Answer tokens that have left.
    pub generated: u32,
    /// Times it lost its cache to a pre-emption.
    pub preemptions: u16,
    /// Times its replica failed.
    pub failures: u16,
    /// Prompt tokens found in a prefix cache when it was last admitted.
    pub cached_tokens: u32,
    /// Its cache is already at its replica: another replica computed the prompt.
    pub kv_ready: bool,
    /// The router held it because no replica served, and no replica has admitted it since.
    pub held: bool,
    /// Context length minus token clock, constant while it runs.
    pub(super) key: i64,
    /// Order of admission at its replica.
    pub(super) admitted: u64,
    /// Leading prefix blocks it shares through the cache.
    pub(super) shared: u32,
}

impl Job {
    /// A job that has not started.
    #[must_use]
    pub fn new(number: u64, request: Request) -> Self {
        Self {
            request,
            number,
            scheduled_ps: u64::MAX,
            first_token_ps: u64::MAX,
            ..Self::default()
        }
    }

    /// Tokens to compute before the next answer token: the prompt and what was generated so far.
    #[must_use]
    pub fn target_tokens(&self) -> u32 {
        self.request.input_tokens + self.generated
    }

    /// True when its prompt may share blocks.
    #[must_use]
    pub fn may_share(&self) -> bool {
        self.request.prefix != Prefix::Unique
    }
}

/// All jobs of a cell.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    jobs: Vec<Job>,
    free: Vec<JobId>,
}

impl Jobs {
    /// Adds a job.
    pub fn add(&mut self, job: Job) -> JobId {
        if let Some(id) = self.free.pop() {
            self.jobs[id as usize] = job;
            return id;
        }
        self.jobs.push(job);
        (self.jobs.len() - 1) as JobId
    }

    /// Gives a job's place free and returns it.
    pub fn remove(&mut self, id: JobId) -> Job {
        self.free.push(id);
        self.jobs[id as usize]
    }

    /// The job at a place.
    #[must_use]
    pub fn get(&self, id: JobId) -> &Job {
        &self.jobs[id as usize]
    }

    /// The job at a place, to change it.
    pub fn get_mut(&mut self, id: JobId) -> &mut Job {
        &mut self.jobs[id as usize]
    }

    /// Number of jobs in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len() - self.free.len()
    }

    /// True when nothing is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
