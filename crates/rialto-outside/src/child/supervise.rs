//! Keeps a program running: starts it again after longer and longer pauses, and gives up when that does not help.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::{mpsc, watch};

use super::run::Ended;
use super::{Confinement, Spec};

/// How many pieces wait for whoever takes them, and for the program.
const PIECES: usize = 64;

/// How often a program is started again.
#[derive(Clone, Copy, Debug)]
pub struct Restarts {
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How many times it may end badly within the window; one more, and it has failed.
    pub most: usize,
    /// The window. A run that was as long makes the next pause the first again.
    pub window: Duration,
}

/// How a program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is about to run.
    Starting,
    /// It runs.
    Running {
        /// The id of its process and of its session.
        pid: u32,
    },
    /// It ended badly and will be started again.
    BackingOff {
        /// After how long.
        pause: Duration,
        /// How it ended.
        why: String,
    },
    /// It is not started again.
    Failed {
        /// Why.
        why: String,
    },
    /// It has ended well, or was stopped.
    Stopped,
}

impl State {
    /// Whether it stays so.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Stopped)
    }
}

/// A program under supervision. Dropping this stops it as [`Supervised::stop`] does, but nobody waits for that.
pub struct Supervised {
    states: watch::Receiver<State>,
    stop: watch::Sender<bool>,
    input: mpsc::Sender<Bytes>,
    output: mpsc::Receiver<Bytes>,
}

impl Supervised {
    /// Starts a program and keeps it running. The seed decides how pauses vary: by up to half of their length, so
    /// that programs that ended together do not start together.
    #[must_use]
    pub fn start(confinement: Confinement, spec: Spec, restarts: Restarts, seed: u64) -> Self {
        let (tell, states) = watch::channel(State::Starting);
        let (stop, stopped) = watch::channel(false);
        let (input, inputs) = mpsc::channel(PIECES);
        let (outputs, output) = mpsc::channel(PIECES);
        let keeper = Keeper {
            confinement,
            spec,
            restarts,
            chance: seed,
            tell,
            stopped,
            inputs,
            outputs,
        };
        tokio::spawn(keeper.keep());
        Self {
            states,
            stop,
            input,
            output,
        }
    }

    /// How it is, now and from now on.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<State> {
        self.states.clone()
    }

    /// Gives it a piece of input; waits while 64 of them are not taken. Whether the supervision still goes on.
    pub async fn say(&self, piece: Bytes) -> bool {
        self.input.send(piece).await.is_ok()
    }

    /// The next piece of its output, of whichever run; none when it has ended for good. The program waits while 64 of
    /// them are not taken.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.output.recv().await
    }

    /// Asks it to end, kills it with everything that it has started after the stated time, and waits for that.
    pub async fn stop(mut self) -> State {
        // Who has ended cannot hear it.
        let _ = self.stop.send(true);
        // What it still says is not wanted, and must not hold it up; none comes when it is over.
        while self.output.recv().await.is_some() {}
        self.states.borrow().clone()
    }
}

struct Keeper {
    confinement: Confinement,
    spec: Spec,
    restarts: Restarts,
    chance: u64,
    tell: watch::Sender<State>,
    stopped: watch::Receiver<bool>,
    inputs: mpsc::Receiver<Bytes>,
    outputs: mpsc::Sender<Bytes>,
}

impl Keeper {
    async fn keep(mut self) {
        let last = self.run_on().await;
        self.tell.send_replace(last);
    }

    async fn run_on(&mut self) -> State {
        let mut bad: VecDeque<Instant> = VecDeque::new();
        let mut in_a_row = 0;
        loop {
            self.tell.send_replace(State::Starting);
            let began = Instant::now();
            let running = match self.confinement.start(&self.spec) {
                Ok(running) => running,
                Err(error) => {
                    return State::Failed {
                        why: error.to_string(),
                    };
                }
            };
            self.tell.send_replace(State::Running { pid: running.id() });
            let ended = running.run(
                &self.spec,
                &mut self.inputs,
                &self.outputs,
                &mut self.stopped,
            );
            let why = match ended.await {
                Ended::Well | Ended::Stopped => return State::Stopped,
                Ended::Unconfined => {
                    let why = "it could not be confined; the log says why".to_owned();
                    return State::Failed { why };
                }
                Ended::Badly(why) => why,
            };
            let now = Instant::now();
            in_a_row = match now.duration_since(began) >= self.restarts.window {
                true => 0,
                false => in_a_row + 1,
            };
            bad.push_back(now);
            while bad
                .front()
                .is_some_and(|at| now.duration_since(*at) > self.restarts.window)
            {
                bad.pop_front();
            }
            if bad.len() > self.restarts.most {
                return State::Failed { why };
            }
            let pause = self.pause(in_a_row);
            self.tell.send_replace(State::BackingOff { pause, why });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Also when nobody can ask any more.
                _ = self.stopped.wait_for(|stop| *stop) => return State::Stopped,
            }
        }
    }

    /// Between half and the whole of the doubled pause.
    fn pause(&mut self, in_a_row: u32) -> Duration {
        let doubled = self
            .restarts
            .first
            .saturating_mul(1 << in_a_row.saturating_sub(1).min(20));
        let whole = doubled.min(self.restarts.longest);
        // splitmix64: enough for pauses.
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let part = u32::try_from((mixed ^ (mixed >> 27)) >> 44).unwrap_or(0);
        whole / 2 + (whole / 2).saturating_mul(part) / (1 << 20)
    }
}
