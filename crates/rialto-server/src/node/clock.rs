//! Where time and chance come from: the machine, or a seed for repeatable runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use rialto_core::limits;
use rialto_core::state::State;
use rialto_core::time::{HOUR_MS, MINUTE_MS, Time};
use serde::Serialize;

/// A source of wall-clock time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
    /// What has passed since some moment before, in milliseconds: unlike [`Clock::now`] it never jumps.
    /// Time during which the process or the machine was held counts.
    fn steady_ms(&self) -> u64;
    /// True if time asleep counts on the steady clock. If not, waking looks as if the clock had been set.
    fn counts_sleep(&self) -> bool {
        true
    }
    /// True if time moves only by hand, so that waiting for it would never end.
    fn is_virtual(&self) -> bool {
        false
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn steady_ms(&self) -> u64 {
        boot::steady_ms()
    }

    fn counts_sleep(&self) -> bool {
        boot::COUNTS_SLEEP
    }
}

/// The time since the machine was started, asleep or awake. Linux has a clock for it beside the one that
/// stands still in sleep; on Apple's systems the monotonic one goes on in sleep (their `clock_gettime(3)`).
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod boot {
    use rustix::time::{ClockId, clock_gettime};

    pub(super) const COUNTS_SLEEP: bool = true;

    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;

    pub(super) fn steady_ms() -> u64 {
        let since = clock_gettime(CLOCK);
        let seconds = u64::try_from(since.tv_sec).unwrap_or(0);
        let rest_ms = u64::try_from(since.tv_nsec / 1_000_000).unwrap_or(0);
        seconds.saturating_mul(1_000).saturating_add(rest_ms)
    }
}

/// Elsewhere the standard clock, which need not count sleep: waking from a long one waits for the operator.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod boot {
    use std::sync::OnceLock;
    use std::time::Instant;

    pub(super) const COUNTS_SLEEP: bool = false;

    pub(super) fn steady_ms() -> u64 {
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        let passed = BEGAN.get_or_init(Instant::now).elapsed();
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that moves only by hand.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    wall: Arc<AtomicU64>,
    steady: Arc<AtomicU64>,
}

impl VirtualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Time) -> Self {
        Self {
            wall: Arc::new(AtomicU64::new(start.0)),
            steady: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Lets `ms` milliseconds pass, awake or asleep.
    pub fn advance_ms(&self, ms: u64) {
        self.steady.fetch_add(ms, Ordering::SeqCst);
        self.wall.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets what the clock shows, forward or back, without any time passing.
    pub fn set(&self, now: Time) {
        self.wall.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        Time(self.wall.load(Ordering::SeqCst))
    }

    fn steady_ms(&self) -> u64 {
        self.steady.load(Ordering::SeqCst)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// The realm's steady clock: the machine's, going on from where the log left off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    log_ms: u64,
    began_ms: u64,
}

impl Steady {
    /// The most that a server that was down counts as passed, in milliseconds: more than any rate
    /// limit looks back.
    const DOWN_MS: u64 = HOUR_MS;

    /// The clock of a state that the node goes on from. What passed while no server ran is taken from
    /// the wall clock.
    pub(super) fn from(state: &State, clock: &dyn Clock) -> Self {
        let down = clock.now().since(state.now()).min(Self::DOWN_MS);
        let log_ms = state.steady_ms().map_or(0, |ms| ms.saturating_add(down));
        Self {
            log_ms,
            began_ms: clock.steady_ms(),
        }
    }

    /// The reading when the server started, in milliseconds.
    pub(super) fn began(&self) -> u64 {
        self.log_ms
    }

    /// The reading now, in milliseconds.
    pub(super) fn read(&self, clock: &dyn Clock) -> u64 {
        let passed = clock.steady_ms().saturating_sub(self.began_ms);
        self.log_ms.saturating_add(passed)
    }
}

/// The difference between the realm's clock and the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// The realm's time.
    pub realm: Time,
    /// The machine's time.
    pub machine: Time,
    /// What that means.
    pub state: ClockState,
    /// True if the machine has a clock that counts sleep.
    pub counts_sleep: bool,
}

/// What the difference of the two clocks means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// They agree.
    Level,
    /// The realm's is ahead by more than a minute: it followed a wrong clock, or the machine's is
    /// late.
    Ahead,
    /// The machine's has jumped ahead, beyond the time that has passed, by more than the realm follows:
    /// commands are refused.
    Jumped,
}

impl Clocks {
    /// From how much on the realm's clock counts as ahead, in milliseconds.
    const AHEAD_MS: u64 = MINUTE_MS;

    /// Judges two clocks: the realm's by what it showed at the last event and would show now by itself, the
    /// machine's by what it shows and by how many milliseconds that is ahead of what it should.
    #[must_use]
    pub fn of(
        (last, run): (Time, Time),
        (machine, ahead_ms): (Time, u64),
        counts_sleep: bool,
    ) -> Self {
        let (state, realm) = if ahead_ms > limits::CLOCK_JUMP_MS {
            (ClockState::Jumped, last)
        } else if run.since(machine) > Self::AHEAD_MS {
            (ClockState::Ahead, run)
        } else {
            (ClockState::Level, run.max(machine))
        };
        Self {
            realm,
            machine,
            state,
            counts_sleep,
        }
    }

    /// What is wrong and what to do, if anything is.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let (realm, machine) = (self.realm, self.machine);
        let slept = match self.counts_sleep {
            true => "",
            false => " (this system has no clock that counts sleep, so it may also have slept)",
        };
        match self.state {
            ClockState::Level => None,
            ClockState::Jumped => Some(format!(
                "the machine's clock shows {machine}, the realm's stands at {realm}{slept}, and commands are \
                 refused: if the machine's is right, accept it with rialto clock accept, else set the \
                 machine's clock right"
            )),
            ClockState::Ahead => Some(format!(
                "the realm's clock shows {realm}, ahead of the machine's {machine}, and runs slower \
                 until they meet: if the machine's is right and the jump was a mistake, undo it with \
                 rialto clock back"
            )),
        }
    }
}

/// A source of secret random bytes.
pub trait Chance: Send + Sync {
    /// Fresh bytes.
    fn bytes(&self) -> [u8; 32];
}

/// The machine's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        if getrandom::fill(&mut bytes).is_err() {
            // Without randomness no secret is safe; there is nothing sensible to go on with.
            std::process::abort();
        }
        bytes
    }
}

/// Bytes drawn from a seed: the same seed gives the same bytes in the same order.
pub struct SeededChance(Mutex<blake3::OutputReader>);

impl SeededChance {
    /// Chance from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"rialto seeded chance");
        hasher.update(&seed.to_le_bytes());
        Self(Mutex::new(hasher.finalize_xof()))
    }
}

impl Chance for SeededChance {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let mut reader = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        reader.fill(&mut bytes);
        bytes
    }
}
