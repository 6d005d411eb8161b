//! How fast the accounts of a year answer: `cargo run --release -p rialto-views --example accounts_rate`.
//!
//! A file in the system's folder for temporary files takes in a year of a million deals between 200 agents
//! of 20 owners, spread evenly over its hours, each agreed and settled in the hour, and is rolled up. Then
//! reports over the year are timed, the best and the worst of five, by several axes; with a period that cuts
//! an hour at both ends; and one that reads every entry, as without roll-ups. Another number of deals can be
//! given as the first argument.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use rialto_core::amount::Amount;
use rialto_core::event::{Envelope, Event, VERSION};
use rialto_core::hash::Hash;
use rialto_core::id::{
    AccountId, AgentId, AssetId, DealId, HoldId, NegotiationId, OwnerId, TaskId, TransferId, number,
};
use rialto_core::identity::{Auth, Custody, IdentityEvent, OwnerKind, Principal, Profile};
use rialto_core::ledger::{Entry, EntryKind, Holder, LedgerEvent, Purpose};
use rialto_core::market::{Bargain, DealEnd, DealState, MarketEvent, Silence};
use rialto_core::text::{AssetCode, Handle};
use rialto_core::time::Time;
use rialto_views::{Dimension, Indexed, Scope, Views};

const HOURS: u64 = 8_760;
const HOUR_MS: u64 = 3_600_000;
const BEGUN: u64 = 472_224 * HOUR_MS;
/// Envelopes in a transaction, as the indexer takes them in.
const BATCH: usize = 2_048;
/// Deals in an envelope.
const EACH: u64 = 8;
const AGENTS: u64 = 200;
const OWNERS: u64 = 20;
const ASSET: AssetId = AssetId(number(1, 1));
const OUTSIDE: AccountId = AccountId(number(1, 3));

type Outcome<T> = Result<T, Box<dyn Error>>;

fn envelope(position: u64, at: u64, events: Vec<Event>) -> Indexed {
    let envelope = Envelope {
        version: VERSION,
        position,
        at: Time(at),
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

fn owner(n: u64) -> OwnerId {
    OwnerId(number(1, 10 + n % OWNERS))
}

fn agent(n: u64) -> AgentId {
    AgentId(number(1, 100 + n % AGENTS))
}

fn account(n: u64) -> AccountId {
    AccountId(number(1, 2_000 + n % AGENTS))
}

/// Owners, their agents, an account for each, and money for all.
fn founded() -> Outcome<Indexed> {
    let code = AssetCode::new("USD").map_err(|e| e.to_string())?;
    let mut events = vec![Event::Ledger(LedgerEvent::AssetCreated {
        asset: ASSET,
        code,
        scale: 9,
        issuance: AccountId(number(1, 2)),
        outside: OUTSIDE,
    })];
    for n in 0..OWNERS {
        events.push(Event::Identity(IdentityEvent::OwnerCreated {
            owner: owner(n),
            name: Handle::new(&format!("owner{n}")).map_err(|e| e.to_string())?,
            kind: OwnerKind::Person,
        }));
    }
    for n in 0..AGENTS {
        events.push(Event::Identity(IdentityEvent::AgentRegistered {
            agent: agent(n),
            owner: owner(n),
            team: None,
            handle: Handle::new(&format!("agent{n}")).map_err(|e| e.to_string())?,
            key: Hash::of(&[b"key"]),
            custody: Custody::Own,
            profile: Profile::default(),
        }));
        events.push(Event::Ledger(LedgerEvent::AccountOpened {
            account: account(n),
            holder: Holder::Agent(agent(n)),
            asset: ASSET,
            label: None,
        }));
    }
    let funds = (0..AGENTS).map(|n| Entry {
        from: OUTSIDE,
        to: account(n),
        purpose: Purpose::Deposit,
        ..entry(TransferId(number(1, 4_000 + n)), EntryKind::Post, 1 << 60)
    });
    events.push(entries(funds.collect()));
    Ok(envelope(1, BEGUN, events))
}

fn entry(transfer: TransferId, kind: EntryKind, amount: i128) -> Entry {
    Entry {
        transfer,
        kind,
        from: OUTSIDE,
        to: OUTSIDE,
        amount: Amount(amount),
        asset: ASSET,
        purpose: Purpose::Transfer,
        hold: None,
        expires: None,
        charged: Vec::new(),
        spent_on: None,
    }
}

fn entries(entries: Vec<Entry>) -> Event {
    Event::Ledger(LedgerEvent::Entries {
        by: Principal::Operator,
        entries,
        memo: None,
        reference: None,
    })
}

/// Deals of an hour in two envelopes, agreed and then settled.
fn traded(hour: u64, agreed: u64, first: u64, deals: u64) -> [Indexed; 2] {
    let settled = agreed + 1;
    let (mut held, mut struck, mut paid, mut ended) = (vec![], vec![], vec![], vec![]);
    for n in 0..deals {
        let mixed = (first + n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (buyer, seller) = (mixed % AGENTS, mixed / AGENTS % AGENTS);
        let price = 1_000_000 + i128::from(mixed % 900_000_000);
        let deal = DealId(number(agreed, 3 * n));
        let hold = TransferId(number(agreed, 3 * n + 1));
        let between = |transfer, kind| Entry {
            from: account(buyer),
            to: account(seller),
            purpose: Purpose::Deal(deal),
            ..entry(transfer, kind, price)
        };
        held.push(between(hold, EntryKind::Hold));
        struck.push(Event::Market(MarketEvent::DealAgreed {
            deal,
            negotiation: NegotiationId(number(agreed, 3 * n)),
            buyer: agent(buyer),
            seller: agent(seller),
            offer: Hash::of(&[b"offer"]),
            bargain: Bargain {
                asset: ASSET,
                price: Amount(price),
                deliver_within_ms: HOUR_MS,
                review_within_ms: HOUR_MS,
                rule_within_ms: HOUR_MS,
                arbiter: None,
                on_no_review: Silence::Settle,
                on_no_ruling: Silence::Settle,
                payee_team: None,
            },
            hold: HoldId(hold.0),
            task: TaskId(number(agreed, 3 * n + 2)),
            by: agent(seller),
            signature: None,
            shares: Vec::new(),
            claims: None,
            purse: None,
            note: None,
        }));
        paid.push(Entry {
            hold: Some(HoldId(hold.0)),
            ..between(TransferId(number(settled, n)), EntryKind::PostHold)
        });
        ended.push(Event::Market(MarketEvent::DealEnded {
            deal,
            state: DealState::Settled,
            end: DealEnd::Accepted,
            paid: Amount(price),
            returned: Amount(0),
            reason: None,
        }));
    }
    let at = BEGUN + hour * HOUR_MS + 60_000;
    let mut first = vec![entries(held)];
    first.append(&mut struck);
    let mut second = vec![entries(paid)];
    second.append(&mut ended);
    [envelope(agreed, at, first), envelope(settled, at, second)]
}

fn main() -> Outcome<()> {
    let deals = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |n| n.parse())?;
    let folder = std::env::temp_dir().join(format!("rialto-accounts-rate-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("views.db");
    let mut views = Views::open(&path)?;
    let begun = Instant::now();
    views.apply(&[founded()?])?;
    let (mut done, mut position, mut batch) = (0, 2, Vec::new());
    for hour in 0..HOURS {
        let until = deals * (hour + 1) / HOURS;
        while done < until {
            let some = EACH.min(until - done);
            batch.extend(traded(hour, position, done, some));
            (done, position) = (done + some, position + 2);
        }
        if batch.len() >= BATCH {
            views.apply(&batch)?;
            batch.clear();
        }
    }
    views.apply(&batch)?;
    // An hour is over when another one begins.
    views.apply(&[envelope(position, BEGUN + HOURS * HOUR_MS, Vec::new())])?;
    println!(
        "{deals} deals taken in: {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    let mut spans = 0;
    while views.roll_up()? {
        spans += 1;
    }
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "{spans} spans rolled up: {:.1} s; the file has {} MB",
        begun.elapsed().as_secs_f64(),
        bytes / 1_000_000
    );
    timed(&views)?;
    drop(views);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn timed(views: &Views) -> Outcome<()> {
    let reader = views.reader();
    let year = Some((Time(BEGUN), Time(BEGUN + HOURS * HOUR_MS)));
    let cut = Some((
        Time(BEGUN + HOUR_MS / 3),
        Time(BEGUN + HOURS * HOUR_MS - HOUR_MS / 3),
    ));
    let both = [Dimension::Owner, Dimension::Agent];
    let runs: [(&str, Scope, &[Dimension], _); 8] = [
        ("no axis", Scope::Realm, &[], year),
        ("by owner", Scope::Realm, &[Dimension::Owner], year),
        ("by owner, agent", Scope::Realm, &both, year),
        ("by owner, agent, hours cut", Scope::Realm, &both, cut),
        (
            "by model, chip",
            Scope::Realm,
            &[Dimension::Model, Dimension::Chip],
            year,
        ),
        (
            "by counterparty",
            Scope::Realm,
            &[Dimension::Counterparty],
            year,
        ),
        (
            "an owner's, by agent",
            Scope::Owner(owner(3)),
            &[Dimension::Agent],
            year,
        ),
        (
            "an agent's, by counterparty",
            Scope::Agent(agent(7)),
            &[Dimension::Counterparty],
            year,
        ),
    ];
    for (name, scope, by, period) in runs {
        let (mut best, mut worst, mut rows) = (f64::MAX, 0_f64, 0);
        for _ in 0..5 {
            let begun = Instant::now();
            rows = reader.accounts_report(scope, by, period)?.rows.len();
            let ms = begun.elapsed().as_secs_f64() * 1_000.0;
            (best, worst) = (best.min(ms), worst.max(ms));
        }
        println!("{name}: {best:.1} to {worst:.1} ms, {rows} rows");
    }
    let begun = Instant::now();
    let entries = reader.accounts_entry_by_entry(Scope::Realm, &both, year)?;
    println!(
        "entry by entry, by owner, agent: {:.0} ms",
        begun.elapsed().as_secs_f64() * 1_000.0
    );
    let same = reader.accounts_report(Scope::Realm, &both, year)? == entries;
    println!("the same figures: {same}");
    Ok(())
}
