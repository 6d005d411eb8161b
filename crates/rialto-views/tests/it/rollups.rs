//! Reports add up spans that are rolled up; their figures are those of the entries, whatever the period.

use rialto_core::event::{Envelope, Event, RealmEvent, VERSION};
use rialto_core::id::{AgentId, AnyId};
use rialto_core::identity::{Auth, Principal};
use rialto_core::time::Time;
use rialto_views::{Dimension, Indexed, Scope, Views};
use rusqlite::Connection;
use serde_json::json;

use crate::accounts::{Dice, bought, random_day};
use crate::realm::{Day, Owner, id_of};

const HOUR_MS: u64 = 3_600_000;

/// Takes a second of a log for longer: its times are spread over days.
fn spread(log: &[Indexed], factor: u64) -> Vec<Indexed> {
    let begun = log[0].envelope.at.0;
    let mut log = log.to_vec();
    for indexed in &mut log {
        let at = &mut indexed.envelope.at.0;
        *at = begun + (*at - begun) * factor;
    }
    log
}

fn roll_up(views: &mut Views) {
    while views.roll_up().unwrap() {}
}

/// The agents that a log registers.
fn agents_in(log: &[Indexed]) -> Vec<AgentId> {
    let made = log.iter().flat_map(|indexed| &indexed.envelope.ids);
    let agents = made.filter_map(|id| match id {
        AnyId::AgentId(agent) => Some(*agent),
        _ => None,
    });
    agents.collect()
}

/// Compares reports of random periods, scopes and axes with those from the entries alone.
fn compare(views: &Views, log: &[Indexed], owners: &[Owner], dice: &mut Dice, times: usize) {
    let reader = views.reader();
    let agents = agents_in(log);
    let (begun, hours) = {
        let at = |indexed: &Indexed| indexed.envelope.at.0;
        let (first, last) = (at(&log[0]), log.iter().map(at).max().unwrap());
        (
            first,
            usize::try_from((last - first) / HOUR_MS).unwrap() + 3,
        )
    };
    for time in 0..times {
        let mut moment = || {
            let odd = [0, 1, HOUR_MS / 2 + 77][dice.below(3)];
            (begun / HOUR_MS + dice.below(hours) as u64) * HOUR_MS + odd
        };
        let (one, other) = (moment(), moment());
        let period = (time % 5 > 0).then(|| (Time(one.min(other)), Time(one.max(other))));
        let scope = match dice.below(4) {
            0 => Scope::Owner(owners[dice.below(owners.len())].id),
            1 => Scope::Agent(agents[dice.below(agents.len())]),
            _ => Scope::Realm,
        };
        let axes = dice.below(1 << Dimension::ALL.len());
        let by: Vec<Dimension> = (0..Dimension::ALL.len())
            .filter(|n| axes >> n & 1 == 1)
            .map(|n| Dimension::ALL[n].1)
            .collect();
        let summed = reader.accounts_report(scope, &by, period).unwrap();
        let entries = reader.accounts_entry_by_entry(scope, &by, period).unwrap();
        assert_eq!(summed, entries, "{scope:?} {by:?} {period:?}");
    }
}

/// How many spans of each level are rolled up, by either grain.
fn rolled(path: &std::path::Path) -> Vec<i64> {
    let db = Connection::open(path).unwrap();
    let count = |level: i64| {
        let sql =
            "SELECT min(n) FROM (SELECT count(*) AS n FROM by_side_span WHERE level = ?1 AND rolled
                   UNION ALL SELECT count(*) FROM by_partner_span WHERE level = ?1 AND rolled)";
        db.query_row(sql, [level], |r| r.get(0)).unwrap()
    };
    (0..3).map(count).collect()
}

#[test]
fn a_report_by_spans_is_the_report_of_the_entries() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, factor) in [(1, 300), (2, 3_600), (3, 40_000), (4, 40_000)] {
        let (realm, owners) = random_day(seed, 120);
        let mut dice = Dice(seed);
        let log = spread(&realm.log, factor);
        let path = folder.path().join(format!("{seed}.db"));
        let mut views = Views::open(&path).unwrap();
        // Holds that are rolled up become deals' later on.
        for batch in log.chunks(7) {
            views.apply(batch).unwrap();
            roll_up(&mut views);
        }
        compare(&views, &log, &owners, &mut dice, 160);
        let spans = rolled(&path);
        assert!(
            spans[0] > 0 && (factor < 40_000 || spans[2] > 0),
            "{spans:?}"
        );
    }
}

#[test]
fn what_a_clock_that_is_set_back_moves_is_rolled_up_again() {
    let (realm, owners) = random_day(5, 80);
    let mut log = spread(&realm.log, 3_600);
    let half = log.len() / 2;
    for indexed in &mut log[half..] {
        indexed.envelope.at.0 += 900 * HOUR_MS;
    }
    let mut views = Views::in_memory().unwrap();
    views.apply(&log).unwrap();
    roll_up(&mut views);
    let last = log.last().unwrap().envelope.at;
    let to = Time(log[half - 1].envelope.at.0 + HOUR_MS);
    let set_back = Envelope {
        version: VERSION,
        position: log.len() as u64 + 1,
        at: to,
        principal: Principal::Operator,
        auth: Auth::Local,
        actor: None,
        key: None,
        cause: None,
        events: vec![Event::Realm(RealmEvent::ClockSetBack {
            from: last,
            to,
            jumped: half as u64 + 1,
        })],
        ids: Vec::new(),
        steady_ms: None,
    };
    log.push(Indexed {
        envelope: set_back,
        contents: Vec::new(),
    });
    views.apply(&log).unwrap();
    let mut dice = Dice(5);
    compare(&views, &log, &owners, &mut dice, 60);
    roll_up(&mut views);
    compare(&views, &log, &owners, &mut dice, 60);
}

#[test]
fn a_deal_keeps_the_price_list_that_it_was_struck_on() {
    let mut day = Day::new().trade();
    let text = |name: &str, value: &str| json!({ "name": name, "value": { "text": value } });
    let terms = |seconds: &str| {
        json!({ "title": "capacity",
            "items": [{ "name": "million output tokens", "price": "0.50" }],
            "attributes": [
                text("basis", "modelled"), text("model", "llama3.1-8b"), text("chip", "trainium2"),
                text("chip_seconds_per_million_output_tokens", seconds),
                text("cost_per_million_output_tokens", "0.07"),
            ] })
    };
    let args = json!({ "terms": terms("100") });
    let listing = id_of(&day.realm.by(day.seller, "listing.publish", args), "list");
    bought(&mut day, listing, 2, "1");
    let args = json!({ "listing": listing, "terms": terms("50") });
    day.realm.by(day.seller, "listing.update", args);
    bought(&mut day, listing, 2, "1");
    day.realm.now_ms += 2 * HOUR_MS;
    day.realm.fund("@buyer", "1");
    let mut views = day.realm.views();
    let seconds = |views: &Views| {
        let by = [Dimension::Chip, Dimension::Model];
        let report = views
            .reader()
            .accounts_report(Scope::Realm, &by, None)
            .unwrap();
        report.total[0].figures.modelled_chip_seconds.clone()
    };
    assert_eq!(seconds(&views).as_deref(), Some("300.00"));
    roll_up(&mut views);
    assert_eq!(seconds(&views).as_deref(), Some("300.00"));
}
