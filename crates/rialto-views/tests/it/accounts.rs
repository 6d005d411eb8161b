//! The accounts: their figures, and the identities that hold whatever happened.

use rialto_core::amount::{Amount, Decimal};
use rialto_core::id::AgentId;
use rialto_core::ledger::Holder;
use rialto_core::time::Time;
use rialto_views::{AccountsReport, Dimension, FactKind, Figures, Paging, Scope, Views};
use serde_json::json;

use crate::realm::{Day, Owner, Realm, id_of};

fn units(text: &str) -> i128 {
    text.parse::<Decimal>().unwrap().amount(9).unwrap().0
}

#[test]
fn a_deal_is_spent_by_one_and_earned_by_the_other() {
    let mut day = Day::new().trade();
    day.realm.by(
        day.seller,
        "ledger.transfer",
        json!({ "transfers": [{ "post": { "from": "@seller", "to": "@rival", "amount": "3" } }] }),
    );
    let views = day.realm.views();
    let reader = views.reader();
    let by = [Dimension::Owner, Dimension::Agent, Dimension::Counterparty];
    let report = reader.accounts_report(Scope::Realm, &by, None).unwrap();
    let rows: Vec<String> = report
        .rows
        .iter()
        .map(|r| {
            let f = &r.figures;
            format!(
                "{} {} {}: {} {} {} {:?} {}/{}",
                r.by["owner"],
                r.by["agent"],
                r.by["counterparty"],
                f.spent,
                f.earned,
                f.margin,
                f.return_on_spend,
                f.bought,
                f.sold
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "ours @buyer @seller: 20.00 0.00 -20.00 Some(\"-1.00\") 1/0",
            "theirs @seller @buyer: 0.00 20.00 20.00 None 0/1",
        ]
    );
    assert_eq!(report.unattributed[0].figures.spent, "3.00");
    assert_eq!(
        (
            report.total[0].figures.spent.as_str(),
            report.total[0].figures.earned.as_str()
        ),
        ("23.00", "23.00")
    );
    assert_eq!(report.operator[0].issued, "100.00");
    let all = Paging {
        cursor: None,
        limit: 100,
    };
    let facts = reader
        .report_rows_events(Scope::Realm, &by, None, &report.rows[0].key, &all)
        .unwrap();
    let kinds: Vec<FactKind> = facts.items.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FactKind::Bought, FactKind::Spent]);
    let seller = reader
        .accounts_report(Scope::Agent(day.seller), &[Dimension::Agent], None)
        .unwrap();
    assert_eq!(
        (seller.rows.len(), seller.total[0].figures.margin.as_str()),
        (1, "17.00")
    );
    let before = reader
        .accounts_report(Scope::Realm, &by, Some((Time(0), Time(day.realm.now_ms))))
        .unwrap();
    assert!(before.rows.is_empty() && before.operator.is_empty());
    let during = Some((Time(day.realm.now_ms), Time(day.realm.now_ms + 1)));
    assert_eq!(
        reader
            .accounts_report(Scope::Realm, &by, during)
            .unwrap()
            .total,
        report.total
    );
}

/// A deal that buys millions of output tokens on a listing, delivered and settled; its id.
pub(crate) fn bought(day: &mut Day, listing: rialto_core::id::AnyId, millions: u32, price: &str) {
    let terms = json!({ "price": price,
        "lines": [{ "item": "million output tokens", "quantity": millions }] });
    let ids = day.realm.by(
        day.buyer,
        "negotiation.open",
        json!({ "with": "@seller", "side": "buy", "listing": listing, "terms": terms,
                "valid_for_ms": 60_000 }),
    );
    let rialto_core::id::AnyId::NegotiationId(talk) = id_of(&ids, "neg") else {
        panic!("{ids:?}")
    };
    let hash = day.realm.state.negotiations.get(&talk).unwrap().latest.hash;
    let accept = json!({ "negotiation": talk, "offer": hash });
    let ids = day.realm.by(day.seller, "negotiation.accept", accept);
    let deal = id_of(&ids, "deal");
    let deliver = json!({ "deal": deal, "body": "tokens" });
    day.realm.by(day.seller, "deal.deliver", deliver);
    day.realm
        .by(day.buyer, "deal.accept", json!({ "deal": deal }));
}

#[test]
fn capacity_brings_modelled_chip_seconds_and_their_cost() {
    let mut day = Day::new().trade();
    let text = |name: &str, value: &str| json!({ "name": name, "value": { "text": value } });
    let mut listing = |chip: &str, seconds: &str, cost: &str| {
        let terms = json!({ "title": "capacity",
            "items": [{ "name": "million output tokens", "price": "0.50" }],
            "attributes": [
                text("basis", "modelled"), text("model", "llama3.1-8b"), text("chip", chip),
                text("chip_seconds_per_million_output_tokens", seconds),
                text("cost_per_million_output_tokens", cost),
            ] });
        let args = json!({ "terms": terms });
        id_of(&day.realm.by(day.seller, "listing.publish", args), "list")
    };
    let (own, other) = (
        listing("trainium2", "120.5", "0.07"),
        listing("h100_sxm", "40", "0.05"),
    );
    bought(&mut day, own, 2, "1");
    bought(&mut day, own, 4, "2");
    bought(&mut day, other, 1, "0.6");
    let views = day.realm.views();
    let reader = views.reader();
    let told = |scope, by: &[Dimension]| {
        let report = reader.accounts_report(scope, by, None).unwrap();
        let row = |names: String, f: &Figures| {
            let chips = (
                f.modelled_chip_seconds.clone(),
                f.modelled_chip_cost.clone(),
            );
            match chips {
                (Some(seconds), Some(cost)) => format!("{names}: {} {seconds} {cost}", f.spent),
                _ => format!("{names}: {} -", f.spent),
            }
        };
        let rows = report.rows.iter().map(|r| {
            let names: Vec<&str> = r.by.values().map(String::as_str).collect();
            row(names.join(" "), &r.figures)
        });
        let rows: Vec<String> = rows.collect();
        (rows, row("total".into(), &report.total[0].figures), report)
    };
    let (rows, total, report) = told(Scope::Realm, &[Dimension::Chip]);
    assert_eq!(
        rows,
        [
            "unattributed: 20.00 -",
            "h100_sxm: 0.60 40.00 0.05",
            "trainium2: 3.00 723.00 0.42",
        ]
    );
    assert_eq!(total, "total: 23.60 763.00 0.47");
    let earned = &report.rows[2].figures.earned;
    assert_eq!(earned, "3.00", "the same deals, seen from the seller");
    let facts = |key: &str| {
        let all = Paging {
            cursor: None,
            limit: 100,
        };
        let by = [Dimension::Chip];
        let found = reader.report_rows_events(Scope::Realm, &by, None, key, &all);
        found.unwrap().items.len()
    };
    assert_eq!(
        facts(&report.rows[2].key),
        8,
        "bought, sold, spent, earned; twice"
    );

    // Who caused the use, not who sold it.
    let (rows, ..) = told(Scope::Realm, &[Dimension::Owner, Dimension::Agent]);
    assert_eq!(
        rows,
        ["@buyer ours: 23.60 763.00 0.47", "@seller theirs: 0.00 -"]
    );
    let (rows, ..) = told(
        Scope::Agent(day.buyer),
        &[Dimension::Model, Dimension::Counterparty],
    );
    assert_eq!(
        rows,
        [
            "@seller unattributed: 20.00 -",
            "@seller llama3.1-8b: 3.60 763.00 0.47",
        ]
    );
    let before = Some((Time(0), Time(1)));
    let none = reader.accounts_report(Scope::Realm, &[Dimension::Chip], before);
    assert!(none.unwrap().rows.is_empty());
}

/// A small linear congruential generator (Knuth's MMIX constants): a run is repeatable by its seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// A deployment of an owner for all.
pub(crate) fn deployed(
    realm: &mut Realm,
    owner: Owner,
    (model, chip): (&str, Option<&str>),
    price: &str,
) -> rialto_core::id::AnyId {
    let terms = json!({ "model": model, "provider": "house", "upstream": format!("{model}-1"),
        "chip": chip, "open_to": "everyone",
        "prices": { "per_million": { "input": price, "output": price }, "sure": true } });
    let args = json!({ "terms": terms });
    let made = realm.attempt(owner.admin, None, "deployment.create", args);
    id_of(&made.unwrap(), "deployment")
}

/// A random day: transfers, holds, deals with and without a team, refunds, disputes, corrections, calls of
/// models.
pub(crate) fn random_day(seed: u64, steps: usize) -> (Realm, Vec<Owner>) {
    let mut dice = Dice(seed);
    let mut realm = Realm::new();
    let owners: Vec<Owner> = ["oo", "pp", "qq"].map(|name| realm.owner(name)).to_vec();
    let agents: Vec<AgentId> = (0..6)
        .map(|n| realm.agent(owners[n % 3], &format!("ag{n}"), json!({})))
        .collect();
    for (n, _) in agents.iter().enumerate() {
        realm.fund(format!("@ag{n}"), "50");
        let terms = json!({ "title": "x", "items": [{ "name": "Taco", "price": "1" }] });
        realm.by(agents[n], "listing.publish", json!({ "terms": terms }));
    }
    realm.fund(owners[0].id, "40");
    let ids = realm.by(agents[0], "team.create", json!({ "name": "crew" }));
    let team = id_of(&ids, "team");
    realm.by(
        agents[0],
        "team.invite",
        json!({ "team": team, "agent": "@ag1", "role": "member" }),
    );
    realm.by(
        agents[1],
        "team.join",
        json!({ "team": team, "join": true }),
    );
    let shares =
        json!([{ "agent": agents[0], "ppm": 333_333 }, { "agent": agents[1], "ppm": 666_667 }]);
    realm.by(
        agents[0],
        "team.propose_split",
        json!({ "team": team, "shares": shares }),
    );
    for agent in [agents[0], agents[1]] {
        let _ = realm.attempt(
            rialto_core::identity::Principal::Agent(agent),
            None,
            "team.agree_split",
            json!({ "team": team, "shares": shares }),
        );
    }
    let served = [
        deployed(&mut realm, owners[0], ("fast", Some("trainium2")), "1000"),
        deployed(&mut realm, owners[1], ("fast", None), "500"),
        deployed(&mut realm, owners[1], ("free", Some("h100")), "0"),
    ];
    let mut calls = Vec::new();
    let (mut holds, mut deals, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..steps {
        realm.now_ms += 1000;
        let (a, b) = (dice.below(6), dice.below(6));
        let amount = format!("{}.{}", dice.below(9), 1 + dice.below(99));
        let by = rialto_core::identity::Principal::Agent(agents[a]);
        let pick = |dice: &mut Dice, from: &Vec<rialto_core::id::AnyId>| {
            (!from.is_empty()).then(|| from[dice.below(from.len())])
        };
        match dice.below(11) {
            8 | 9 => {
                let args = json!({ "deployment": served[b % 3], "input": 900, "output": 100 });
                let ids = realm.attempt(by, None, "inference.reserve", args);
                calls.extend(
                    ids.unwrap_or_default()
                        .into_iter()
                        .filter(|id| id.prefix() == "inference"),
                );
            }
            10 => {
                // Several are reported together, and some twice.
                let end = ["served", "left", "failed"][dice.below(3)];
                let (input, output) = (100 * dice.below(10), 10 * dice.below(12));
                let tokens = json!({ "input": input, "cached": input / 2, "output": output, "reasoning": output / 3 });
                let over: Vec<_> = (0..3).filter_map(|_| pick(&mut dice, &calls)).collect();
                let report = |id| json!({ "inference": id, "end": end, "tokens": tokens });
                let args = json!({ "calls": over.iter().map(report).collect::<Vec<_>>() });
                let realms = rialto_core::identity::Principal::Realm;
                realm
                    .attempt(realms, None, "inference.settle", args)
                    .unwrap();
            }
            0 => {
                let spec = json!({ "transfers": [{ "post": { "from": format!("@ag{a}"), "to": format!("@ag{b}"), "amount": amount } }] });
                moved.extend(
                    realm
                        .attempt(by, None, "ledger.transfer", spec)
                        .unwrap_or_default(),
                );
            }
            1 => {
                let spec = json!({ "transfers": [{ "hold": { "from": format!("@ag{a}"), "to": format!("@ag{b}"), "amount": amount, "expires_in_ms": 30_000 } }] });
                holds.extend(
                    realm
                        .attempt(by, None, "ledger.transfer", spec)
                        .unwrap_or_default(),
                );
            }
            2 => {
                let Some(hold) = pick(&mut dice, &holds) else {
                    continue;
                };
                if dice.below(3) > 0 {
                    let op = ["ledger.capture", "ledger.raise"][dice.below(2)];
                    let args = json!({ "hold": hold, "amount": "0.4" });
                    for agent in &agents {
                        let by = rialto_core::identity::Principal::Agent(*agent);
                        let _ = realm.attempt(by, None, op, args.clone());
                    }
                    continue;
                }
                let spec = if dice.below(2) == 0 {
                    json!({ "post_hold": { "hold": hold, "amount": "0.5" } })
                } else {
                    json!({ "void_hold": { "hold": hold } })
                };
                let _ = realm.attempt(by, None, "ledger.transfer", json!({ "transfers": [spec] }));
            }
            3 | 4 => {
                let mut terms = json!({ "price": amount, "deliver_within_ms": 60_000, "review_within_ms": 60_000 });
                if b == 0 && dice.below(2) == 0 {
                    terms["payee_team"] = json!(team);
                }
                let opened = realm.attempt(by, None, "negotiation.open",
                    json!({ "with": format!("@ag{b}"), "side": "buy", "terms": terms, "valid_for_ms": 60_000, "fund": dice.below(2) == 0 }));
                let Ok(ids) = opened else { continue };
                let rialto_core::id::AnyId::NegotiationId(id) = id_of(&ids, "neg") else {
                    panic!()
                };
                let hash = realm.state.negotiations.get(&id).unwrap().latest.hash;
                let seller = rialto_core::identity::Principal::Agent(agents[b]);
                let ids = realm.attempt(
                    seller,
                    None,
                    "negotiation.accept",
                    json!({ "negotiation": id, "offer": hash }),
                );
                deals.extend(
                    ids.unwrap_or_default()
                        .into_iter()
                        .filter(|id| id.prefix() == "deal"),
                );
            }
            5 | 6 => {
                let Some(deal) = pick(&mut dice, &deals) else {
                    continue;
                };
                let (op, mut args) = [
                    ("deal.deliver", json!({ "body": "x" })),
                    ("deal.accept", json!({})),
                    ("deal.refund", json!({})),
                    ("deal.dispute", json!({ "reason": "x" })),
                    ("deal.rule", json!({ "to_seller": "0.01", "reason": "x" })),
                ][dice.below(5)]
                .clone();
                args["deal"] = json!(deal);
                for agent in &agents {
                    let _ = realm.attempt(
                        rialto_core::identity::Principal::Agent(*agent),
                        None,
                        op,
                        args.clone(),
                    );
                }
                let _ = realm.attempt(rialto_core::identity::Principal::Operator, None, op, args);
            }
            _ => {
                if let Some(wrong) = pick(&mut dice, &moved).filter(|_| dice.below(3) == 0) {
                    let args = json!({ "transfer": wrong, "amount": "0.01", "reason": "x" });
                    let _ = realm.attempt(
                        rialto_core::identity::Principal::Operator,
                        None,
                        "ledger.correct",
                        args,
                    );
                }
                realm.tick(20_000);
            }
        }
    }
    (realm, owners)
}

fn operator(report: &AccountsReport) -> i128 {
    let sums = report.operator.iter();
    sums.map(|o| units(&o.issued) + units(&o.deposited) - units(&o.withdrawn) + units(&o.corrected))
        .sum()
}

fn sum(report: &AccountsReport, pick: fn(&Figures) -> &String) -> i128 {
    report.total.iter().map(|t| units(pick(&t.figures))).sum()
}

#[test]
fn the_identities_hold_over_random_days() {
    let mut deals = 0;
    for seed in 0..12 {
        let (realm, owners) = random_day(seed, 150);
        let views = realm.views();
        let reader = views.reader();
        let by = [Dimension::Agent, Dimension::Counterparty];
        let report = reader.accounts_report(Scope::Realm, &by, None).unwrap();
        let (spent, earned) = (sum(&report, |f| &f.spent), sum(&report, |f| &f.earned));
        assert_eq!(spent, earned, "seed {seed}");
        let rows = report.rows.iter().chain(&report.unattributed);
        assert_eq!(
            spent,
            rows.clone().map(|r| units(&r.figures.spent)).sum::<i128>(),
            "seed {seed}"
        );
        assert_eq!(
            earned,
            rows.map(|r| units(&r.figures.earned)).sum::<i128>(),
            "seed {seed}"
        );
        assert_eq!(report.total[0].figures.bought, report.total[0].figures.sold);
        let figures = &report.total[0].figures;
        assert_eq!(figures.called, figures.served, "seed {seed}");
        deals += report.total[0].figures.bought;
        let (mut held, mut pending) = (0, 0);
        realm.state.accounts.for_each(|_, a| {
            if !a.may_go_negative() {
                held += a.balance.0;
                pending += a.pending_out.0;
            }
        });
        assert_eq!(held, operator(&report), "seed {seed}");
        assert_eq!(pending, sum(&report, |f| &f.reserved), "seed {seed}");
        for owner in &owners {
            let report = reader
                .accounts_report(Scope::Owner(owner.id), &[], None)
                .unwrap();
            let mut held = 0;
            realm.state.accounts.for_each(|_, a| {
                let holder = match a.holder {
                    Holder::Owner(id) => Some(id),
                    Holder::Team(id) => realm.state.teams.get(&id).map(|t| t.owner),
                    Holder::Agent(id) => realm.state.agents.get(&id).map(|a| a.owner),
                    _ => None,
                };
                held += if holder == Some(owner.id) {
                    a.balance.0
                } else {
                    0
                };
            });
            let told = operator(&report) + sum(&report, |f| &f.earned) - sum(&report, |f| &f.spent);
            assert_eq!(Amount(held), Amount(told), "seed {seed}, {}", owner.id);
        }
        facts_add_up(&views, &report, &by);
    }
    assert!(deals > 50, "the days had {deals} deals");
}

/// The facts behind each row add up to the row, and what deals and calls held is what came of it.
fn facts_add_up(views: &Views, report: &AccountsReport, by: &[Dimension]) {
    let reader = views.reader();
    for row in report.rows.iter().chain(&report.unattributed) {
        let (mut spent, mut earned, mut paging) = (
            0,
            0,
            Paging {
                cursor: None,
                limit: 7,
            },
        );
        loop {
            let page = reader
                .report_rows_events(Scope::Realm, by, None, &row.key, &paging)
                .unwrap();
            for fact in &page.items {
                match fact.kind {
                    FactKind::Spent | FactKind::MovedOut => spent += units(&fact.amount),
                    FactKind::Earned | FactKind::MovedIn => earned += units(&fact.amount),
                    _ => {}
                }
            }
            match page.next_cursor {
                Some(next) => paging.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(
            (spent, earned),
            (units(&row.figures.spent), units(&row.figures.earned)),
            "{}",
            row.key
        );
    }
    let deals = reader
        .deals(
            Scope::Realm,
            &Paging {
                cursor: None,
                limit: 100,
            },
        )
        .unwrap();
    let all = Paging {
        cursor: None,
        limit: 100,
    };
    let noun = rialto_core::noun::with_prefix("inference").unwrap();
    let calls = reader.nouns(Scope::Realm, noun, None, &all).unwrap();
    assert_eq!(calls.next_cursor, None);
    let reserved = |row: &rialto_views::NounRow| {
        let row = serde_json::to_value(row).unwrap();
        units(row["reserved"]["amount"].as_str().unwrap())
    };
    let held: i128 = deals.items.iter().map(|d| units(&d.price)).sum::<i128>()
        + calls.items.iter().map(reserved).sum::<i128>();
    let of = |pick: fn(&Figures) -> &String| {
        report
            .rows
            .iter()
            .map(|r| units(pick(&r.figures)))
            .sum::<i128>()
    };
    assert_eq!(
        held,
        of(|f| &f.spent) + of(|f| &f.returned) + of(|f| &f.reserved)
    );
}
