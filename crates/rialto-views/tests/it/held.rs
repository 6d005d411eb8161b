//! What lists, statements and traces show of holds that are captured in pieces, of lines of allowances
//! and of usage.

use rialto_core::id::{AnyId, HoldId};
use rialto_core::policy::usage::USAGE;
use rialto_views::{Paging, Scope};
use serde_json::json;

use crate::realm::{Day, Realm, id_of};

fn all() -> Paging {
    Paging {
        cursor: None,
        limit: 100,
    }
}

/// A day on which the buyer holds 40, pays 15 of it, holds 10 more, and pays 5 at the end if it ends.
fn held(ends: bool) -> (Day, HoldId) {
    let mut day = Day::new();
    let (buyer, seller) = (day.buyer, day.seller);
    let hold = json!({ "from": buyer, "to": seller, "amount": "40", "expires_in_ms": 600_000 });
    let args = json!({ "transfers": [{ "hold": hold }] });
    let AnyId::HoldId(hold) = id_of(&day.realm.by(buyer, "ledger.transfer", args), "hold") else {
        panic!()
    };
    let args = json!({ "hold": hold, "amount": "15", "memo": "the first part" });
    day.realm.by(buyer, "ledger.capture", args);
    let args = json!({ "hold": hold, "amount": "10" });
    day.realm.by(buyer, "ledger.raise", args);
    if ends {
        let args = json!({ "transfers": [{ "post_hold": { "hold": hold, "amount": "5" } }] });
        day.realm.by(buyer, "ledger.transfer", args);
    }
    (day, hold)
}

#[test]
fn a_hold_shows_what_was_captured_and_what_is_held_still() {
    for (ends, state, rest, posted) in [
        (false, "open", "35.00", None),
        (true, "posted", "0.00", Some("5.00")),
    ] {
        let (day, hold) = held(ends);
        let views = day.realm.views();
        let row = views.reader().hold(Scope::Agent(day.buyer), hold);
        let row = row.unwrap().expect("own");
        assert_eq!(
            (
                row.amount.as_str(),
                row.captured.as_str(),
                row.rest.as_str()
            ),
            ("50.00", "15.00", rest)
        );
        assert_eq!((row.state, row.posted.as_deref()), (state, posted));
    }
}

#[test]
fn each_step_of_a_hold_is_in_the_statement_of_both_sides() {
    let (day, _) = held(true);
    let views = day.realm.views();
    let reader = views.reader();
    let told = |agent| {
        let scope = Scope::Agent(agent);
        let account = reader.accounts(scope, &all()).unwrap().items.remove(0);
        let rows = reader.statement(scope, account.id, &all()).unwrap();
        let rows = rows.expect("own").items.into_iter();
        let line = |r: rialto_views::StatementRow| {
            format!(
                "{} {} {} {}",
                r.entry.kind, r.change, r.balance, r.available
            )
        };
        rows.map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        told(day.buyer),
        [
            "post_hold -5.00 80.00 80.00",
            "raise_hold 0.00 85.00 50.00",
            "capture_hold -15.00 85.00 60.00",
            "hold 0.00 100.00 60.00",
            "post 100.00 100.00 100.00",
        ]
    );
    assert_eq!(
        told(day.seller),
        [
            "post_hold 5.00 20.00 20.00",
            "raise_hold 0.00 15.00 15.00",
            "capture_hold 15.00 15.00 15.00",
            "hold 0.00 0.00 0.00",
        ]
    );
}

#[test]
fn the_accounts_say_what_was_reserved_at_any_time() {
    let (day, _) = held(true);
    let views = day.realm.views();
    let reader = views.reader();
    let report = reader.accounts_report(Scope::Agent(day.buyer), &[], None);
    let figures = &report.unwrap().total[0].figures;
    assert_eq!(
        (figures.returned.as_str(), figures.reserved.as_str()),
        ("30.00", "0.00")
    );
    let (open, _) = held(false);
    let views = open.realm.views();
    let report = views.reader().accounts_report(Scope::Realm, &[], None);
    assert_eq!(report.unwrap().total[0].figures.reserved, "35.00");
}

#[test]
fn the_trace_of_a_hold_leads_through_its_steps() {
    let (day, hold) = held(true);
    let views = day.realm.views();
    let trace = views.reader().trace(Scope::Agent(day.buyer), hold.into());
    let trace = trace.unwrap().expect("own");
    let said: Vec<&str> = trace
        .hops
        .iter()
        .filter_map(|hop| hop.what.as_deref())
        .collect();
    assert_eq!(
        said,
        [
            "held 40.00 USD from @buyer to @seller",
            "paid 15.00 USD of what is held from @buyer to @seller",
            "held 10.00 USD more from @buyer to @seller",
            "paid 5.00 USD held from @buyer to @seller",
        ]
    );
    assert!(trace.gaps == Some(Vec::new()));
}

#[test]
fn lines_and_usage_are_listed_for_whom_they_concern() {
    let mut day = Day::new();
    let line = |unit, limit, period_ms: Option<u64>| json!({ "on": "all", "unit": unit, "limit": limit, "period_ms": period_ms });
    let args = json!({ "node": { "owner": day.ours.id }, "lines": [line("money", "100", Some(86_400_000)), line("tokens", "1000", None)] });
    let admin = day.ours.admin;
    let set = day.realm.attempt(admin, None, "policy.set_allowance", args);
    set.unwrap();
    let args = json!({ "tokens": 300, "task": day.goal, "model": "fast" });
    let usage = id_of(&day.realm.by(day.buyer, "usage.reserve", args), "usage");
    let args = json!({ "usage": usage, "tokens": 250 });
    day.realm.by(day.buyer, "usage.settle", args);
    let views = day.realm.views();
    let reader = views.reader();
    let lines = reader.allowance_lines(day.ours.id).unwrap();
    assert_eq!(
        json!(lines[0].lines),
        json!([
            { "on": "all", "unit": "money", "asset": "USD", "limit": "100.00", "period_ms": 86_400_000 },
            { "on": "all", "unit": "tokens", "limit": "1000", "period_ms": null },
        ])
    );
    assert!(reader.allowance_lines(day.theirs.id).unwrap().is_empty());
    let rows = |scope| reader.nouns(scope, &USAGE, None, &all()).unwrap().items;
    let row = json!(rows(Scope::Owner(day.ours.id))[0]);
    assert_eq!(
        (
            &row["state"],
            &row["tokens"],
            &row["reserved_tokens"],
            &row["model"]
        ),
        (&json!("settled"), &json!(250), &json!(300), &json!("fast"))
    );
    assert!(rows(Scope::Owner(day.theirs.id)).is_empty());
    // The thread of the task leads to it.
    let trace = reader.trace(Scope::Owner(day.ours.id), day.goal).unwrap();
    let hops = trace.expect("own").hops.into_iter();
    let said: Vec<String> = hops
        .filter(|hop| hop.id == usage)
        .filter_map(|hop| hop.what)
        .collect();
    assert_eq!(said, ["reserved 300 tokens", "used 250 tokens"]);
}

#[test]
fn whose_money_it_is_sees_what_an_agent_of_others_holds_of_it() {
    let mut realm = Realm::new();
    let (ann, bob) = (realm.owner("ann"), realm.owner("bob"));
    let lead = realm.agent(ann, "lead", json!({}));
    let spender = realm.agent(bob, "spender", json!({}));
    let team = id_of(
        &realm.by(lead, "team.create", json!({ "name": "crew" })),
        "team",
    );
    let invite = json!({ "team": team, "agent": spender, "role": "spender" });
    realm.by(lead, "team.invite", invite);
    realm.by(spender, "team.join", json!({ "team": team, "join": true }));
    realm.fund(team, "10");
    let hold = json!({ "from": team, "to": lead, "amount": "4", "expires_in_ms": 600_000 });
    realm.by(
        spender,
        "ledger.transfer",
        json!({ "transfers": [{ "hold": hold }] }),
    );
    let views = realm.views();
    for owner in [ann, bob] {
        let page = views
            .reader()
            .holds(Scope::Owner(owner.id), &all())
            .unwrap();
        let amounts: Vec<&str> = page.items.iter().map(|hold| hold.amount.as_str()).collect();
        assert_eq!(amounts, ["4.00"]);
    }
}
