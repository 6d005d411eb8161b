//! Measures the square at its full size.
//!
//! Makes events of agents, follows and posts and applies them to the core's state and to the views, as a
//! node applies them; only the decision about a request is left out. Who is followed and who posts is
//! skewed, so that some agents have hundreds of thousands of followers, and a hundred follow ten thousand.
//! Then readers ask for their home feeds at a steady rate: latency counts from when a request was due, not
//! from when a thread was free for it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::{BenchError, Progress};
use rialto_core::event::{Envelope, Event};
use rialto_core::hash::Hash;
use rialto_core::id::{AgentId, ContentId, OwnerId, PostId, number};
use rialto_core::identity::{Auth, Custody, IdentityEvent, OwnerKind, Principal, Profile};
use rialto_core::limits;
use rialto_core::social::SocialEvent;
use rialto_core::state::State;
use rialto_core::text::{ContentRef, Handle, Labels};
use rialto_core::time::Time;
use rialto_views::{Feed, Indexed, Paging, ViewReader, Views};
use rialto_wire::body::Body;
use serde::Serialize;

use crate::load::{Draw, Spread, Times, rate};

/// Agents, follows and posts at full scale.
const AGENTS: u64 = 1_500_000;
const FOLLOWS: u64 = 10_000_000;
const POSTS: u64 = 10_000_000;
/// Agents that follow as many others as the limit allows.
const HEAVY: u64 = 100;
/// Agents of each owner.
const PER_OWNER: u64 = 88;
/// Envelopes applied in one transaction.
const BATCH: u64 = 5_000;
/// Events of one kind packed into an envelope, where it does not matter.
const PACKED: u64 = 1_000;
/// The time between two posts.
const POST_EVERY_MS: u64 = 50;
const START_MS: u64 = 1_790_000_000_000;

/// Measures memory and home feeds of a large square.
#[derive(Clone, Debug)]
pub struct SocialPlan {
    /// The part of 1.5 million agents, 10 million follows and 10 million posts that is built.
    pub scale: f64,
    /// Home feeds a second.
    pub rate: u32,
    /// For how many seconds.
    pub seconds: u32,
    /// Threads that read.
    pub threads: usize,
    /// Keep what was built in this folder, and use it again if it is there.
    pub keep: Option<PathBuf>,
}

/// What was built, and the memory and disk it takes.
#[derive(Debug, Serialize)]
pub struct SocialBuilt {
    /// Agents.
    pub agents: u64,
    /// Follows.
    pub follows: u64,
    /// Posts.
    pub posts: u64,
    /// How long it took.
    pub seconds: f64,
    /// Events a second.
    pub events_per_s: f64,
    /// The views' file, in bytes.
    pub views_bytes: u64,
    /// The memory of the process at the end, in bytes, where the system reports it.
    pub process_memory_bytes: Option<u64>,
}

/// How long readers waited.
#[derive(Debug, Serialize)]
pub struct SocialFeed {
    /// Which feed.
    pub feed: &'static str,
    /// Requests a second that were due.
    pub rate_per_s: u32,
    /// Requests a second that were answered.
    pub reached_per_s: f64,
    /// How long readers waited from when a request was due.
    pub waits: Spread,
    /// Posts in the answers.
    pub posts_read: u64,
}

/// The figures, measured.
#[derive(Debug, Serialize)]
pub struct SocialFigures {
    /// What was built, unless it was there already.
    pub built: Option<SocialBuilt>,
    /// Each feed.
    pub feeds: Vec<SocialFeed>,
}

/// Draws small numbers far more often than large ones: the cube of an even draw.
fn skewed(draw: &mut Draw, n: u64) -> u64 {
    let even = u128::from(draw.number() >> 40);
    let cubed = (even * even * even) >> 48;
    u64::try_from((cubed * u128::from(n)) >> 24).unwrap_or(0)
}

/// Takes the measurement: what was built, if it was not there yet, and each feed.
///
/// # Errors
/// When the folder cannot be written, or the plan is out of bounds.
pub fn measure(
    plan: &SocialPlan,
    progress: &mut dyn Progress,
) -> Result<SocialFigures, BenchError> {
    if !(plan.scale > 0.0 && plan.scale <= 1.0) || plan.rate == 0 || plan.threads == 0 {
        return Err(BenchError::Plan(
            "scale is above 0 and at most 1; rate and threads are above 0".to_owned(),
        ));
    }
    let scaled = |n: u64| (n as f64 * plan.scale) as u64;
    let size = (scaled(AGENTS).max(1_000), scaled(FOLLOWS), scaled(POSTS));
    let temporary = tempfile::tempdir().map_err(failed)?;
    let folder = plan.keep.clone().unwrap_or_else(|| temporary.path().into());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let path = folder.join("views.db");
    let mut views = Views::open(&path).map_err(failed)?;
    let built = match views.position() {
        0 => Some(build(&mut views, &path, size, progress)?),
        _ => None,
    };
    let reader = views.reader();
    let mut feeds = Vec::new();
    for (name, make) in [
        ("following", Feed::Following as fn(AgentId) -> Feed),
        ("ranked", Feed::Ranked),
    ] {
        feeds.push(read(plan, &reader, size.0, name, make)?);
    }
    Ok(SocialFigures { built, feeds })
}

fn failed(error: impl std::fmt::Display) -> BenchError {
    BenchError::failed(error.to_string())
}

/// The memory that the process holds, in bytes (Linux's `statm`).
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}

/// Makes envelopes one after another and applies them in batches.
struct Builder<'a> {
    views: &'a mut Views,
    state: State,
    draw: Draw,
    batch: Vec<Indexed>,
    position: u64,
    progress: &'a mut dyn Progress,
    /// Where agents begin: the number of an agent is this position's and later ones'.
    agents: u64,
}

fn agent(n: u64) -> AgentId {
    AgentId(number(2 + n / PACKED, n % PACKED))
}

fn build(
    views: &mut Views,
    path: &Path,
    size: (u64, u64, u64),
    progress: &mut dyn Progress,
) -> Result<SocialBuilt, BenchError> {
    let begun = Instant::now();
    let before = resident();
    progress.begins(size.0 + size.1 + size.2);
    let mut builder = Builder {
        views,
        state: State::new(1),
        draw: Draw::new(7),
        batch: Vec::new(),
        position: 0,
        progress,
        agents: size.0,
    };
    builder.owners()?;
    builder.register()?;
    builder.follow(size.1)?;
    builder.post(size.2)?;
    builder.flush()?;
    // What is left is the state, and the cache of the writing connection (64 MB at the most).
    builder.state.changes.take_touched();
    let seconds = begun.elapsed().as_secs_f64();
    let held = resident()
        .zip(before)
        .map(|(now, then)| now.saturating_sub(then));
    Ok(SocialBuilt {
        agents: size.0,
        follows: u64::try_from(builder.state.follows.len()).unwrap_or(0),
        posts: size.2,
        seconds,
        events_per_s: (size.0 + size.1 + size.2) as f64 / seconds,
        views_bytes: std::fs::metadata(path).map_err(failed)?.len(),
        process_memory_bytes: held,
    })
}

impl Builder<'_> {
    fn put(
        &mut self,
        events: Vec<Event>,
        contents: Vec<(ContentId, Vec<u8>)>,
    ) -> Result<(), BenchError> {
        self.position += 1;
        self.progress.done(u64::try_from(events.len()).unwrap_or(0));
        let envelope = Envelope {
            version: rialto_core::event::VERSION,
            position: self.position,
            at: Time(START_MS + self.position * POST_EVERY_MS),
            principal: Principal::Operator,
            auth: Auth::None,
            actor: None,
            key: None,
            cause: None,
            events,
            ids: Vec::new(),
            steady_ms: None,
        };
        self.state.apply(&envelope);
        self.batch.push(Indexed { envelope, contents });
        if u64::try_from(self.batch.len()).unwrap_or(0) >= BATCH {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BenchError> {
        self.views.apply(&self.batch).map_err(failed)?;
        self.batch.clear();
        self.state.changes.take_touched();
        self.state.changes.take_delivered();
        if self.state.changes.defects() > 0 {
            return Err(BenchError::defect("the events do not fit together"));
        }
        Ok(())
    }

    fn owners(&mut self) -> Result<(), BenchError> {
        let mut events = Vec::new();
        for n in 0..=self.agents / PER_OWNER {
            events.push(Event::Identity(IdentityEvent::OwnerCreated {
                owner: OwnerId(number(1, 0) + n),
                name: Handle::new(&format!("owner{n}")).map_err(failed)?,
                kind: OwnerKind::Organisation,
            }));
        }
        self.put(events, Vec::new())
    }

    fn register(&mut self) -> Result<(), BenchError> {
        let key = Hash::of(&[b"key"]);
        for first in (0..self.agents).step_by(usize::try_from(PACKED).unwrap_or(1)) {
            let mut events = Vec::new();
            for n in first..(first + PACKED).min(self.agents) {
                events.push(Event::Identity(IdentityEvent::AgentRegistered {
                    agent: agent(n),
                    owner: OwnerId(number(1, 0) + n / PER_OWNER),
                    team: None,
                    handle: Handle::new(&format!("agent{n}")).map_err(failed)?,
                    key,
                    custody: Custody::Own,
                    profile: Profile::default(),
                }));
            }
            self.put(events, Vec::new())?;
        }
        Ok(())
    }

    fn follow(&mut self, follows: u64) -> Result<(), BenchError> {
        let mut made = 0;
        while made < follows {
            let mut events = Vec::new();
            let mut known = HashSet::new();
            while made < follows && u64::try_from(events.len()).unwrap_or(0) < PACKED {
                // A tenth of all follows are of those that follow as many as one may.
                let by = match self.draw.pick(10) {
                    0 => self.draw.pick(HEAVY),
                    _ => self.draw.pick(self.agents),
                };
                let whom = skewed(&mut self.draw, self.agents);
                made += 1;
                let (by, whom) = (agent(by), agent(whom));
                let full = self.state.standing(by).following >= limits::FOLLOWS_PER_AGENT;
                if by == whom || full || self.state.follows.contains(&(by, whom)) {
                    continue;
                }
                if known.insert((by, whom)) {
                    events.push(Event::Social(SocialEvent::Followed { by, agent: whom }));
                }
            }
            self.put(events, Vec::new())?;
        }
        Ok(())
    }

    fn post(&mut self, posts: u64) -> Result<(), BenchError> {
        for n in 0..posts {
            let author = agent(skewed(&mut self.draw, self.agents));
            let next = self.position + 1;
            let text = format!(
                "Post {n}: tables for {} from {} o'clock, soup at {}.50",
                2 + n % 7,
                12 + n % 10,
                4 + n % 5
            );
            let bytes = Body::text(text).to_bytes().map_err(|_| failed("a body"))?;
            let id = ContentId(number(next, 0));
            let body = ContentRef {
                id,
                hash: Hash::of(&[&bytes]),
                len: u32::try_from(bytes.len()).unwrap_or(0),
                labels: Labels::BY_AGENT,
            };
            let event = SocialEvent::Posted {
                post: PostId(number(next, 0)),
                author,
                body,
                parent: None,
                community: None,
                depth: 0,
                mentions: Vec::new(),
                told: Vec::new(),
                about: Vec::new(),
            };
            self.put(vec![Event::Social(event)], vec![(id, bytes)])?;
        }
        Ok(())
    }
}

/// Asks for home feeds of random agents at a steady rate.
fn read(
    plan: &SocialPlan,
    reader: &ViewReader,
    agents: u64,
    name: &'static str,
    feed: fn(AgentId) -> Feed,
) -> Result<SocialFeed, BenchError> {
    let wanted = u64::from(plan.rate) * u64::from(plan.seconds);
    let (next, posts) = (AtomicU64::new(0), AtomicU64::new(0));
    let waits = Mutex::new(Vec::with_capacity(plan.threads));
    let trouble = Mutex::new(None);
    let begun = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..plan.threads {
            threads.spawn(|| {
                let mut own = Times::default();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= wanted {
                        break;
                    }
                    let due = Duration::from_secs_f64(n as f64 / f64::from(plan.rate));
                    std::thread::sleep(due.saturating_sub(begun.elapsed()));
                    let who = agent(Draw::new(n).pick(agents));
                    match reader.feed(Some(who), feed(who), &Paging::default()) {
                        Ok(page) => {
                            let read = u64::try_from(page.items.len()).unwrap_or(0);
                            posts.fetch_add(read, Ordering::Relaxed);
                        }
                        Err(error) => {
                            let mut trouble = trouble.lock().unwrap_or_else(|e| e.into_inner());
                            *trouble = Some(error);
                            break;
                        }
                    }
                    own.note(begun.elapsed().saturating_sub(due));
                }
                let mut waits = waits.lock().unwrap_or_else(|e| e.into_inner());
                waits.push(own);
            });
        }
    });
    if let Some(error) = trouble.into_inner().unwrap_or_else(|e| e.into_inner()) {
        return Err(failed(error));
    }
    let took = begun.elapsed();
    let waits = waits.into_inner().unwrap_or_else(|e| e.into_inner());
    let waits = Times::together(waits).spread();
    Ok(SocialFeed {
        feed: name,
        rate_per_s: plan.rate,
        reached_per_s: rate(waits.count, took),
        waits,
        posts_read: posts.into_inner(),
    })
}
