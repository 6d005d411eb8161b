//! Calls of models: how the accounts count them, who sees what of them, their receipts and hops.

use rialto_core::id::{AgentId, AnyId, InferenceId};
use rialto_core::identity::Principal;
use rialto_core::noun;
use rialto_views::{
    Calls, Dimension, EventFilter, FactKind, InferenceReceipt, NounCell, Paging, Scope, ViewReader,
    Views,
};
use serde_json::{Value, json};

use crate::accounts::deployed;
use crate::realm::{Owner, Realm, id_of};

/// Two owners: one serves models, the agent of the other calls them for a task.
struct Served {
    realm: Realm,
    maker: Owner,
    own: Owner,
    caller: AgentId,
    fast: AnyId,
    free: AnyId,
    task: AnyId,
}

impl Served {
    fn new() -> Self {
        let mut realm = Realm::new();
        let (maker, own) = (realm.owner("maker"), realm.owner("own"));
        let caller = realm.agent(own, "caller", json!({}));
        realm.fund("@caller", "10");
        let fast = deployed(&mut realm, maker, ("fast", Some("trainium2")), "3");
        let free = deployed(&mut realm, maker, ("free", None), "0");
        let args = json!({ "worker": "@caller", "body": "read it" });
        let task = realm.attempt(own.admin, None, "task.create", args).unwrap();
        let task = id_of(&task, "task");
        Self {
            realm,
            maker,
            own,
            caller,
            fast,
            free,
            task,
        }
    }

    fn reserve(&mut self, mut args: Value) -> InferenceId {
        args["input"] = json!(1_000);
        args["output"] = json!(100);
        match id_of(
            &self.realm.by(self.caller, "inference.reserve", args),
            "inference",
        ) {
            AnyId::InferenceId(id) => id,
            other => panic!("{other}"),
        }
    }

    fn settle(&mut self, report: Value) {
        let args = json!({ "calls": [report] });
        let by = Principal::Realm;
        self.realm
            .attempt(by, None, "inference.settle", args)
            .unwrap();
    }
}

fn receipt(reader: &ViewReader, scope: Scope, id: InferenceId) -> InferenceReceipt {
    reader.receipt(scope, id).unwrap().expect("a receipt")
}

fn roll_up(views: &mut Views) {
    while views.roll_up().unwrap() {}
}

#[test]
fn the_accounts_count_calls_by_what_served_them_free_ones_too() {
    let mut day = Served::new();
    let tokens = json!({ "input": 1_000, "cached": 600, "output": 40, "reasoning": 10 });
    let (one, two) = (day.fast, day.free);
    for deployment in [one, one, two] {
        let id = day.reserve(json!({ "deployment": deployment }));
        day.settle(json!({ "inference": id, "end": "served", "tokens": tokens }));
    }
    let open = json!({ "deployment": one });
    day.reserve(open);
    day.realm.now_ms += 2 * 3_600_000;
    day.realm.fund("@caller", "1");
    let mut views = day.realm.views();
    let by = [
        Dimension::Model,
        Dimension::Provider,
        Dimension::Deployment,
        Dimension::Chip,
    ];
    for _ in 0..2 {
        let reader = views.reader();
        let told = |scope| reader.accounts_report(scope, &by, None).unwrap();
        for (scope, calls) in [
            (Scope::Agent(day.caller), [Some(2), None, Some(1), None]),
            (Scope::Owner(day.own.id), [Some(2), None, Some(1), None]),
            (Scope::Owner(day.maker.id), [None, Some(2), None, Some(1)]),
            (Scope::Realm, [Some(2), Some(2), Some(1), Some(1)]),
        ] {
            let report = told(scope);
            let count = |calls: Option<Calls>| calls.map(|calls| calls.calls);
            let figures = |n: usize| &report.rows[n].figures;
            let counted = [
                count(figures(0).called),
                count(figures(0).served),
                count(figures(1).called),
                count(figures(1).served),
            ];
            assert_eq!(counted, calls, "{scope:?}");
            assert_eq!(report.rows[0].by["model"], "fast");
            assert_eq!(report.rows[0].by["chip"], "trainium2");
            assert_eq!(report.rows[0].by["provider"], "house");
            assert_eq!(report.rows[0].by["deployment"], one.to_string());
            assert_eq!(report.rows[1].by["chip"], "unattributed");
        }
        let row = &told(Scope::Agent(day.caller)).rows[0];
        let figures = &row.figures;
        // 1040 tokens at 3 a million, twice; 1100 are reserved still.
        assert_eq!(
            (figures.spent.as_str(), figures.reserved.as_str()),
            ("0.00624", "0.0033")
        );
        let want = Calls {
            calls: 2,
            input: 2_000,
            cached: 1_200,
            output: 80,
            reasoning: 20,
        };
        assert_eq!(figures.called, Some(want));
        let all = Paging {
            cursor: None,
            limit: 100,
        };
        let facts = reader
            .report_rows_events(Scope::Realm, &by, None, &row.key, &all)
            .unwrap();
        let count = |kind| facts.items.iter().filter(|fact| fact.kind == kind).count();
        for (kind, times) in [
            (FactKind::Spent, 2),
            (FactKind::Earned, 2),
            (FactKind::Returned, 2),
            (FactKind::Reserved, 1),
            (FactKind::Called, 2),
            (FactKind::Served, 2),
        ] {
            assert_eq!(count(kind), times, "{kind:?}");
        }
        assert!(facts.items.iter().all(|fact| fact.inference.is_some()));
        roll_up(&mut views);
    }
}

#[test]
fn who_serves_a_call_sees_it_but_not_what_it_is_for() {
    let mut day = Served::new();
    let other = day.realm.owner("other");
    let elsewhere = deployed(&mut day.realm, other, ("fast", None), "1");
    let before = day.reserve(json!({ "deployment": elsewhere }));
    let args = json!({ "deployment": day.fast, "task": day.task, "run": "run-7", "after": before });
    let id = day.reserve(args);
    day.settle(json!({ "inference": id, "end": "served", "tokens": { "input": 10 } }));
    let views = day.realm.views();
    let reader = views.reader();
    let noun = noun::with_prefix("inference").unwrap();
    for (scope, sees, whole) in [
        (Scope::Realm, true, true),
        (Scope::Owner(day.own.id), true, true),
        (Scope::Agent(day.caller), true, true),
        (Scope::Owner(day.maker.id), true, false),
        (Scope::Owner(other.id), false, false),
    ] {
        let row = reader.noun(scope, noun, id.into()).unwrap();
        assert_eq!(row.is_some(), sees, "{scope:?}");
        let told = reader.receipt(scope, id).unwrap();
        assert_eq!(told.is_some(), sees, "{scope:?}");
        let (Some(row), Some(told)) = (row, told) else {
            assert_eq!(reader.trace(scope, id.into()).unwrap(), None);
            continue;
        };
        for (column, cell) in &row.cells {
            let private = ["task", "run", "after"].contains(&column.name);
            if private {
                assert_eq!(cell.is_some(), whole, "{scope:?} {}", column.name);
            }
            if column.name == "agent" {
                assert!(matches!(cell, Some(NounCell::Agent(who)) if who.id == day.caller));
            }
        }
        assert_eq!(
            (told.task.is_some(), told.run.is_some(), told.attempts.len()),
            (whole, whole, usize::from(whole))
        );
        // Neither the thread nor the log names the task, the run or the attempt before.
        let trace = reader.trace(scope, id.into()).unwrap().unwrap();
        let trace = serde_json::to_string(&trace).unwrap();
        let all = Paging {
            cursor: None,
            limit: 100,
        };
        let events = reader.events(scope, &EventFilter::default(), &all).unwrap();
        let events = serde_json::to_string(&events.items).unwrap();
        for private in [day.task.to_string(), before.to_string()] {
            assert_eq!(trace.contains(&private), whole, "{scope:?} {private}");
        }
        for private in [day.task.to_string(), "run-7".to_owned()] {
            assert_eq!(events.contains(&private), whole, "{scope:?} {private}");
        }
    }
}

#[test]
fn a_receipt_works_the_cost_out_line_by_line() {
    let mut day = Served::new();
    let rival = day.realm.agent(day.maker, "rival", json!({}));
    let args = json!({ "deployment": day.free, "input": 1, "output": 1 });
    let others = day.realm.by(rival, "inference.reserve", args);
    let others = id_of(&others, "inference");
    // What another agent called is no attempt of its own, whatever it says.
    let first = day.reserve(json!({ "deployment": day.free, "after": others }));
    day.settle(json!({ "inference": first, "end": "failed" }));
    let id = day.reserve(json!({ "deployment": day.fast, "after": first }));
    let views = day.realm.views();
    assert_eq!(receipt(&views.reader(), Scope::Realm, id).over, None);
    // More than was reserved: 1000 and 100 tokens at 3 a million.
    day.settle(json!({
        "inference": id, "end": "served", "request": "req-1", "served": "Fast 1", "tier": "flex",
        "first_ms": 80, "took_ms": 900, "losses": ["top_k"],
        "raw": "{\"prompt_tokens\": 1000, \"completion_tokens\": 500}",
        "tokens": { "input": 1_000, "cached": 600, "output": 500 }
    }));
    let views = day.realm.views();
    let told = receipt(&views.reader(), Scope::Owner(day.own.id), id);
    let over = told.over.unwrap();
    let lines: Vec<String> = over
        .lines
        .iter()
        .map(|line| {
            let (kind, quantity) = (line.kind, line.quantity);
            format!("{kind} {quantity} x {} = {}", line.price, line.amount)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "input 400 x 3.00 = 0.0012",
            "cached 600 x 3.00 = 0.0018",
            "output 500 x 3.00 = 0.0015",
            "call 1 x 0.00 = 0.00",
        ]
    );
    let sums = [
        &over.sum,
        &over.cost,
        &told.reserved,
        &over.paid,
        &over.borne,
    ];
    assert_eq!(sums, ["0.0045", "0.0045", "0.0033", "0.0033", "0.0012"]);
    assert_eq!(told.attempts.len(), 1);
    assert_eq!((told.attempts[0].id, told.terms), (first, 1));
    assert_eq!(
        (over.raw.as_deref(), over.took_ms),
        (
            Some("{\"prompt_tokens\": 1000, \"completion_tokens\": 500}"),
            Some(900)
        )
    );
    // What is borne is a figure of the row, too.
    let noun = noun::with_prefix("inference").unwrap();
    let row = views.reader().noun(Scope::Realm, noun, id.into()).unwrap();
    let row = serde_json::to_value(row.unwrap()).unwrap();
    for (column, want) in [
        ("borne", json!({ "amount": "0.0012", "asset": "USD" })),
        ("provider", json!("house")),
        ("served", json!("Fast 1")),
        ("tier", json!("flex")),
        ("first_ms", json!(80)),
        ("after", json!(first)),
    ] {
        assert_eq!(row[column], want, "{column}");
    }
}

#[test]
fn the_thread_leads_from_the_task_over_the_attempts_to_the_chip() {
    let mut day = Served::new();
    let first = day.reserve(json!({ "deployment": day.free, "task": day.task }));
    day.settle(json!({ "inference": first, "end": "failed" }));
    let id = day.reserve(json!({ "deployment": day.fast, "task": day.task, "after": first }));
    day.settle(
        json!({ "inference": id, "end": "served", "first_ms": 80, "took_ms": 900,
        "tokens": { "input": 1_000, "cached": 600, "output": 40 } }),
    );
    let views = day.realm.views();
    let trace = views.reader().trace(Scope::Owner(day.own.id), day.task);
    let trace = trace.unwrap().unwrap();
    let of = |kind: &str| {
        let hops = trace.hops.iter().filter(|hop| hop.kind == kind);
        hops.map(|hop| (hop.id, hop.what.clone().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("fleet.chips"),
        [
            (day.free, "free-1 of house: 0 tokens of input, 0 of them cached, and 0 of output".to_owned()),
            (day.fast, "fast-1 of house on trainium2: 1000 tokens of input, 600 of them cached, and 40 of output, 80 ms to the first byte, 900 ms in all".to_owned()),
        ]
    );
    let begun = of("model.reserved");
    assert_eq!(
        begun[1].1,
        "called fast on trainium2 through house, 1100 tokens at most"
    );
    // The second attempt follows from the first.
    let hop = trace
        .hops
        .iter()
        .find(|hop| hop.id == AnyId::from(id))
        .unwrap();
    assert!(hop.links.contains(&first.into()), "{hop:?}");
    assert_eq!(trace.gaps, Some(Vec::new()));
}
