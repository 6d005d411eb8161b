//! `GET /`: what the realm is doing now, or the way in.

use std::collections::BTreeMap;

use axum::response::Response;
use rialto_console::chart::{Bar, Bond, Edge, Node, Ring};
use rialto_console::pages::overview::{ActLine, Alert, Balance, DealLine, Overview, Paid};
use rialto_console::shell::Place;
use rialto_core::id::AgentId;
use rialto_core::identity::Principal;
use rialto_core::limits;
use rialto_core::reject::Code;
use rialto_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};
use rialto_views::{Act, Acts, DealRow, Paging, Scope, Tie, Traffic, TrialBalance, Waiting, Who};

use super::gate;
use super::request::{PageRequest, SignedIn};
use super::show::{figure, money, who};
use crate::door::problem::Refusal;

/// How many bars, a minute each.
const MINUTES: usize = 30;
/// How many acts the picture uses.
const ACTS: usize = 600;
/// How many acts are listed.
const LISTED: usize = 40;
/// How many agents are drawn.
const DRAWN: usize = 36;
/// How long an act is new.
const FRESH_MS: u64 = 20 * SECOND_MS;
/// How far the views may lag behind the log before the page says so.
const LAG: u64 = 5_000;

/// The periods that the picture of who deals with whom may show: the shortest with something in it.
const PERIODS: [(u64, &str); 3] = [
    (10 * MINUTE_MS, "10 min"),
    (HOUR_MS, "hour"),
    (DAY_MS, "day"),
];

/// The page.
pub(super) async fn page(request: PageRequest) -> Result<Response, Refusal> {
    match SignedIn::of(request) {
        Ok(user) => inside(&user).await,
        Err((request, _)) => gate::stranger(&request, request.stopped.as_ref(), "/").await,
    }
}

/// What is read for the page.
struct Reads {
    acts: Acts,
    traffic: Traffic,
    trial: Vec<TrialBalance>,
    latest: Vec<DealRow>,
    waiting: Waiting,
    position: u64,
}

async fn inside(user: &SignedIn) -> Result<Response, Refusal> {
    let (scope, now) = (user.scope().await?, user.now());
    let minute = now.0 - now.0 % MINUTE_MS;
    let back = MINUTE_MS.saturating_mul(u64::try_from(MINUTES - 1).unwrap_or(0));
    let from = Time(minute.saturating_sub(back));
    let since = Time(now.0.saturating_sub(DAY_MS));
    let door = user.door().clone();
    let reads = user.view(move |v| {
        let few = Paging {
            cursor: None,
            limit: 12,
        };
        Ok(Reads {
            acts: v.activity(scope, since, ACTS)?,
            traffic: v.traffic(scope, from, MINUTE_MS, MINUTES)?,
            trial: door.balance.of(v)?,
            latest: v.deals(scope, &few)?.items,
            waiting: v.waiting(scope)?,
            position: v.position()?,
        })
    });
    let page = filled(user, scope, &reads.await?);
    user.page("Now", Place::Overview, &page.page()).await
}

fn filled(user: &SignedIn, scope: Scope, reads: &Reads) -> Overview {
    let now = user.now();
    let newest = reads.acts.items.first().map_or(Time(0), |act| act.at);
    let fits = PERIODS.iter().find(|(ms, _)| now.since(newest) < *ms);
    let (ring_ms, ring_period) = fits.copied().unwrap_or(PERIODS[0]);
    let lately: Vec<&Act> = reads
        .acts
        .items
        .iter()
        .filter(|act| now.since(act.at) < ring_ms)
        .collect();
    let (ring, active) = ring(&lately, now);
    let buckets = &reads.traffic.buckets;
    let bar = |at: Time, figure: f64, what: String| Bar {
        figure,
        label: format!("{}: {what}", clock(at)),
    };
    Overview {
        address: user.request.address.clone(),
        whole: scope == Scope::Realm,
        period: format!("{MINUTES} min"),
        ring_period: ring_period.to_owned(),
        position: reads.position,
        events: buckets.iter().map(|b| b.events).sum(),
        deals: buckets.iter().map(|b| b.deals).sum(),
        event_bars: buckets
            .iter()
            .map(|b| bar(b.from, float(b.events), format!("{} commands", b.events)))
            .collect(),
        deal_bars: buckets
            .iter()
            .map(|b| bar(b.from, float(b.deals), format!("{} deals", b.deals)))
            .collect(),
        paid: paid(&reads.traffic, bar),
        active,
        balances: reads.trial.iter().map(balance).collect(),
        alerts: alerts(user, reads),
        ring,
        acts: reads
            .acts
            .items
            .iter()
            .take(LISTED)
            .map(|act| line(user, act))
            .collect(),
        latest: reads.latest.iter().map(|d| deal(user, d)).collect(),
    }
}

fn paid(traffic: &Traffic, bar: impl Fn(Time, f64, String) -> Bar) -> Vec<Paid> {
    let row = |moved: &rialto_views::Moved| {
        let each = moved.buckets.iter().zip(&traffic.buckets);
        Paid {
            total: money(&moved.total, &moved.asset),
            bars: each
                .map(|(amount, bucket)| {
                    bar(
                        bucket.from,
                        figure(amount),
                        format!("{amount} {}", moved.asset),
                    )
                })
                .collect(),
        }
    };
    traffic.moved.iter().map(row).collect()
}

fn balance(row: &TrialBalance) -> Balance {
    Balance {
        asset: row.asset.clone(),
        even: row.sum.bytes().all(|b| matches!(b, b'0' | b'.')),
        sum: row.sum.clone(),
        held: row.held.clone(),
        pending: row.pending.clone(),
    }
}

fn alerts(user: &SignedIn, reads: &Reads) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut alert = |text: String, href: &str, link| {
        alerts.push(Alert {
            text,
            href: href.to_owned(),
            link,
        });
    };
    let hub = user.door().node.hub();
    let lag = hub.durable().saturating_sub(hub.indexed());
    if lag > LAG {
        let text = format!("Lists lag {lag} events behind the log.");
        alert(text, "/log", "To the log");
    }
    for row in reads.trial.iter().filter(|row| !balance(row).even) {
        let text = format!("{} is out of balance by {}.", row.asset, row.sum);
        alert(text, "/ledger", "To the ledger");
    }
    let newest = reads.acts.items.first().map_or(Time(0), |act| act.at);
    if newest > Time(user.now().0.saturating_add(limits::CLOCK_JUMP_MS)) {
        let text = format!("The realm's clock is ahead ({}).", Code::ClockJump);
        alert(text, "/log", "To the log");
    }
    if reads.waiting.disputes > 0 {
        let text = match reads.waiting.disputes {
            1 => "A deal is disputed and waits for its arbiter.".to_owned(),
            more => format!("{more} deals are disputed and wait for their arbiters."),
        };
        alert(text, "/deals?state=disputed", "To the disputes");
    }
    if reads.waiting.approvals > 0 && user.caller.principal != Principal::Operator {
        let text = match reads.waiting.approvals {
            1 => "A payment waits for a person's approval.".to_owned(),
            more => format!("{more} payments wait for a person's approval."),
        };
        alert(text, "/approvals", "To the approvals");
    }
    alerts
}

/// An act as a line.
pub(super) fn line(user: &SignedIn, act: &Act) -> ActLine {
    let amount = act.amount.as_ref().zip(act.asset.as_ref());
    ActLine {
        position: act.position,
        at: user.when(act.at),
        who: match &act.by {
            Some(by) if by.handle == act.who => who(by),
            _ => rialto_console::kit::Who::new(act.who.clone()),
        },
        to: act.to.iter().map(who).collect(),
        what: act.what.clone(),
        about: act.id,
        money: amount.map(|(amount, asset)| money(amount, asset)),
        tie: match act.tie {
            Tie::Talk => "talk",
            Tie::Offer => "offer",
            Tie::Deal => "deal",
            Tie::Paid => "paid",
        },
    }
}

/// A deal as a line.
pub(super) fn deal(user: &SignedIn, row: &DealRow) -> DealLine {
    DealLine {
        id: row.id.into(),
        buyer: who(&row.buyer),
        seller: who(&row.seller),
        price: money(&row.price, &row.asset),
        state: row.state.clone(),
        since: user.when(row.since),
    }
}

/// What one act links: two agents, and by what. A payment links its buyer and seller, whoever
/// ordered it.
fn pairs(act: &Act) -> Vec<(&Who, &Who, Tie)> {
    let by = act.by.iter();
    match (act.tie, act.to.as_slice()) {
        (Tie::Paid, [buyer, seller]) if act.kind == "market.deal_ended" => {
            let ruled = by.flat_map(|by| act.to.iter().map(move |party| (by, party, Tie::Talk)));
            std::iter::once((buyer, seller, Tie::Paid))
                .chain(ruled)
                .collect()
        }
        _ => by
            .flat_map(|by| act.to.iter().map(move |other| (by, other, act.tie)))
            .collect(),
    }
}

/// The busiest agents and their links. Neighbours on the ring registered after each other.
fn ring(acts: &[&Act], now: Time) -> (Ring, usize) {
    let mut nodes: BTreeMap<AgentId, Node> = BTreeMap::new();
    let mut edges: BTreeMap<(AgentId, AgentId), Edge> = BTreeMap::new();
    let bound = acts
        .iter()
        .flat_map(|act| pairs(act).into_iter().map(move |pair| (act.at, pair)));
    for (at, (one, other, tie)) in bound {
        for party in [one, other] {
            let node = nodes.entry(party.id).or_default();
            node.handle.clone_from(&party.handle);
            node.acts += 1;
            node.spends |= tie == Tie::Paid && party.id == one.id;
            node.earns |= tie == Tie::Paid && party.id == other.id;
        }
        let (low, high) = (one.id.min(other.id), one.id.max(other.id));
        let edge = edges.entry((low, high)).or_insert_with(|| Edge {
            from: 0,
            to: 0,
            bond: Bond::Talk,
            acts: 0,
            fresh: false,
            label: format!("{} and {}", one.handle, other.handle),
        });
        edge.acts += 1;
        edge.bond = edge.bond.max(bond(tie));
        edge.fresh |= now.since(at) < FRESH_MS;
    }
    let active = nodes.len();
    let mut busiest: Vec<(AgentId, u32)> = nodes.iter().map(|(id, n)| (*id, n.acts)).collect();
    busiest.sort_by_key(|(id, acts)| (std::cmp::Reverse(*acts), *id));
    busiest.truncate(DRAWN);
    let mut drawn: Vec<AgentId> = busiest.into_iter().map(|(id, _)| id).collect();
    drawn.sort_unstable();
    let place = |id: &AgentId| drawn.binary_search(id).ok();
    let edges = edges.into_iter().filter_map(|((low, high), edge)| {
        let label = format!("{}: {} acts", edge.label, edge.acts);
        Some(Edge {
            from: place(&low)?,
            to: place(&high)?,
            label,
            ..edge
        })
    });
    let ring = Ring {
        edges: edges.collect(),
        left_out: active - drawn.len(),
        nodes: drawn
            .iter()
            .filter_map(|id| nodes.get(id).cloned())
            .collect(),
    };
    (ring, active)
}

fn bond(tie: Tie) -> Bond {
    match tie {
        Tie::Talk => Bond::Talk,
        Tie::Offer => Bond::Offer,
        Tie::Deal => Bond::Deal,
        Tie::Paid => Bond::Paid,
    }
}

/// Hours and minutes of a moment, UTC.
fn clock(at: Time) -> String {
    at.to_string().get(11..16).unwrap_or_default().to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "a picture needs no more")]
fn float(count: u64) -> f64 {
    count as f64
}
