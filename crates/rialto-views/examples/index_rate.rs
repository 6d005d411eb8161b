//! How fast envelopes become rows: `cargo run --release -p rialto-views --example index_rate`.
//!
//! Rates are given by the wall clock and, where Linux tells it, by the processor time of the writing
//! thread, which other work on the machine does not change.
//!
//! Three runs on a file in the system's folder for temporary files: messages of 200 bytes, one an
//! envelope, batches of 256; transfers, one an envelope, batches of 256; transfers, 256 an envelope.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use rialto_core::amount::Amount;
use rialto_core::event::{Envelope, Event, VERSION};
use rialto_core::hash::Hash;
use rialto_core::id::{
    AccountId, AgentId, AssetId, ContentId, ConversationId, MessageId, OwnerId, TransferId, number,
};
use rialto_core::identity::{Auth, Custody, IdentityEvent, OwnerKind, Principal, Profile};
use rialto_core::ledger::{Entry, EntryKind, Holder, LedgerEvent, Purpose};
use rialto_core::mail::{ConversationKind, MailEvent};
use rialto_core::text::{AssetCode, ContentRef, Handle, Labels};
use rialto_core::time::Time;
use rialto_views::{Indexed, Views};
use rialto_wire::body::Body;

const AGENTS: u64 = 1_000;
const BATCH: usize = 256;
const WORDS: [&str; 16] = [
    "offer", "taco", "garden", "price", "tomorrow", "please", "agree", "deliver", "table",
    "window", "evening", "music", "lime", "rice", "street", "number",
];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn envelope(position: u64, events: Vec<Event>) -> Indexed {
    let envelope = Envelope {
        version: VERSION,
        position,
        at: Time(1_700_000_000_000 + position),
        principal: Principal::Operator,
        auth: Auth::Local,
        actor: None,
        key: None,
        cause: None,
        events,
        ids: Vec::new(),
        steady_ms: None,
    };
    Indexed {
        envelope,
        contents: Vec::new(),
    }
}

/// An owner, its agents with an account each, and conversations between neighbours.
fn founded(views: &mut Views) -> Outcome<u64> {
    let name = Handle::new("owner").map_err(|e| e.to_string())?;
    let owner = OwnerId(number(1, 0));
    let code = AssetCode::new("USD").map_err(|e| e.to_string())?;
    let asset = AssetId(number(1, 1));
    let (issuance, outside) = (AccountId(number(1, 2)), AccountId(number(1, 3)));
    let mut events = vec![
        Event::Identity(IdentityEvent::OwnerCreated {
            owner,
            name,
            kind: OwnerKind::Person,
        }),
        Event::Ledger(LedgerEvent::AssetCreated {
            asset,
            code,
            scale: 9,
            issuance,
            outside,
        }),
    ];
    for n in 0..AGENTS {
        let handle = Handle::new(&format!("agent{n}")).map_err(|e| e.to_string())?;
        let (agent, key) = (agent(n), Hash::of(&[b"key"]));
        events.push(Event::Identity(IdentityEvent::AgentRegistered {
            agent,
            owner,
            team: None,
            handle,
            key,
            custody: Custody::Own,
            profile: Profile::default(),
        }));
        let holder = Holder::Agent(agent);
        let account = account(n);
        events.push(Event::Ledger(LedgerEvent::AccountOpened {
            account,
            holder,
            asset,
            label: None,
        }));
        events.push(Event::Mail(MailEvent::ConversationOpened {
            conversation: conversation(n),
            kind: ConversationKind::Direct,
            by: agent,
            members: vec![agent],
            title: None,
        }));
    }
    views.apply(&[envelope(1, events)])?;
    Ok(1)
}

fn agent(n: u64) -> AgentId {
    AgentId(number(1, 100 + n % AGENTS))
}

fn account(n: u64) -> AccountId {
    AccountId(number(1, 2_000 + n % AGENTS))
}

fn conversation(n: u64) -> ConversationId {
    ConversationId(number(1, 4_000 + n % AGENTS))
}

fn message(position: u64) -> Outcome<Indexed> {
    let words: Vec<String> = (0..30)
        .map(|n| {
            let place = (position.wrapping_mul(31).wrapping_add(n * 7) % 16)
                .try_into()
                .unwrap_or(0);
            let word = WORDS.get::<usize>(place).copied().unwrap_or_default();
            if n % 10 == 0 {
                format!("{word}{}", position % 5_000)
            } else {
                word.to_owned()
            }
        })
        .collect();
    let bytes = Body::text(words.join(" "))
        .to_bytes()
        .map_err(|_| "a body")?;
    let id = ContentId(number(position, 0));
    let len = bytes.len().try_into()?;
    let body = ContentRef {
        id,
        hash: Hash::of(&[&bytes]),
        len,
        labels: Labels::BY_AGENT,
    };
    let mut indexed = envelope(
        position,
        vec![Event::Mail(MailEvent::MessageSent {
            message: MessageId(number(position, 0)),
            conversation: conversation(position),
            from: agent(position),
            body,
            client_id: None,
            reply_to: None,
            task: None,
            request: false,
        })],
    );
    indexed.envelope.actor = Some(agent(position));
    indexed.contents.push((id, bytes));
    Ok(indexed)
}

fn transfers(position: u64, count: u64) -> Indexed {
    let entry = |n| Entry {
        transfer: TransferId(number(position, n)),
        kind: EntryKind::Post,
        from: account(position.wrapping_mul(7) + n * 3),
        to: account(position.wrapping_mul(7) + n * 3 + 1),
        amount: Amount(1_000_000_000),
        asset: AssetId(number(1, 1)),
        purpose: Purpose::Transfer,
        hold: None,
        expires: None,
        charged: Vec::new(),
        spent_on: None,
    };
    let entries = (0..count).map(entry).collect();
    let by = Principal::Agent(agent(position));
    envelope(
        position,
        vec![Event::Ledger(LedgerEvent::Entries {
            by,
            entries,
            memo: None,
            reference: None,
        })],
    )
}

/// The time that this thread has spent on a processor, in seconds (Linux's `schedstat`).
fn processor_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ')
        .next()?
        .parse::<f64>()
        .ok()
        .map(|ns| ns / 1e9)
}

fn main() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("rialto-index-rate-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for (name, total, each) in [
        ("messages", 50_000, 0),
        ("transfers", 100_000, 1),
        ("transfers", 400_000, 256),
    ] {
        let path = folder.join(format!("{name}-{each}.db"));
        let mut views = Views::open(&path)?;
        let mut position = founded(&mut views)?;
        let (mut done, mut spent_s, mut busy_s) = (0_u32, 0.0, 0.0);
        while done < total {
            let per_batch = if each > 1 { 1 } else { BATCH };
            let mut batch = Vec::with_capacity(per_batch);
            for _ in 0..per_batch {
                position += 1;
                batch.push(if each == 0 {
                    message(position)?
                } else {
                    transfers(position, each.into())
                });
                done += each.max(1);
            }
            let (begun, busy) = (Instant::now(), processor_s().unwrap_or(0.0));
            views.apply(&batch)?;
            spent_s += begun.elapsed().as_secs_f64();
            busy_s += processor_s().unwrap_or(0.0) - busy;
        }
        let bytes = std::fs::metadata(&path)?.len() / u64::from(done);
        println!(
            "{name}, {} an envelope: {:.0} a second, {:.0} a processor second ({done} in {spent_s:.2} s, {bytes} bytes each)",
            each.max(1),
            f64::from(done) / spent_s,
            f64::from(done) / busy_s
        );
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
