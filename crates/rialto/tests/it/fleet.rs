//! The fleet twin joined to the rest: its price list on the realm, a gateway's log back into it.

use serde_json::{Value, json};

use super::cli::{Place, Server, deal, market, text};

/// Requests a second that keep several replicas busy, so that slower ones show in the price.
const BUSY: &str = "60";

/// A plan of llama3.1-8b on Trainium2 at a rate of requests, written to a file; `more` are further arguments.
fn plan(place: &Place, file: &str, rate: &str, more: &[&str]) -> Value {
    let args = "--json fleet plan --model llama3.1-8b --chips trainium2 --precision bf16 \
        --trial-s 20 --max-replica-chips 2 --ttft-s 5 --tpot-s 0.2";
    let mut args: Vec<&str> = args.split_whitespace().collect();
    args.extend(["--rate-per-s", rate]);
    args.extend(more);
    let plan = place.run(&args);
    std::fs::write(place.path(file), &plan.out).unwrap();
    plan.json()["models"][0]["cheapest"].clone()
}

/// The text of a listing's attribute.
fn attribute(listing: &Value, name: &str) -> String {
    let all = listing["attributes"].as_array().unwrap();
    let found = all.iter().find(|a| a["name"] == name).unwrap();
    text(&found["value"]["text"]).to_owned()
}

/// Ana's agreed deal for millions of output tokens on a listing.
fn bought(place: &Place, server: &Server, listing: &str, millions: u32) -> String {
    let line = format!("million output tokens={millions}");
    let offered = place.told(
        server,
        "ana.token",
        &[
            "deal",
            "offer",
            "--with",
            "@casa",
            "--side",
            "buy",
            "--listing",
            listing,
            "--price",
            "2",
            "--line",
            &line,
        ],
    );
    let negotiation = text(&offered["ids"]["neg"]).to_owned();
    let offers = place.told(server, "ana.token", &["deal", "show", &negotiation]);
    let hash = text(&offers["offers"][0]["hash"])[..8].to_owned();
    let accept = ["deal", "accept", &negotiation, &hash];
    let agreed = place.told(server, "casa.token", &accept);
    text(&agreed["ids"]["deal"]).to_owned()
}

#[test]
fn a_plans_price_list_is_published_bought_and_traced_to_the_chip() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let cheapest = plan(&place, "plan.json", "2", &[]);
    assert!(
        text(&cheapest["extrapolation"]).contains("trainium2"),
        "{cheapest}"
    );

    let casa = |args: &[&str]| place.told(&server, "casa.token", args);
    let ana = |args: &[&str]| place.told(&server, "ana.token", args);
    // Whatever the file says of itself, a plan is a twin's.
    let text_of_plan = std::fs::read_to_string(place.path("plan.json")).unwrap();
    let edited = text_of_plan.replace("\"modelled\"", "\"measured\"");
    assert_ne!(edited, text_of_plan);
    std::fs::write(place.path("plan.json"), edited).unwrap();
    let publish = [
        "fleet",
        "publish",
        "plan.json",
        "--margin-percent",
        "20",
        "--region",
        "us-east",
    ];
    let listing = text(&casa(&publish)["ids"]["list"]).to_owned();
    let shown = ana(&["listing", "show", &listing]);
    let named = |name: &str| attribute(&shown, name);
    assert_eq!(
        (named("chip"), named("basis")),
        ("trainium2".into(), "modelled".into())
    );
    let cost: f64 = named("cost_per_million_output_tokens").parse().unwrap();
    let price: f64 = text(&shown["items"][0]["price"]).parse().unwrap();
    assert!(
        (price / (1.2 * cost) - 1.0).abs() < 1e-3,
        "{price} against a cost of {cost}"
    );

    // No more can be bought than the plan's replicas serve in the days published.
    let capacity = cheapest["capacity"]["output_tokens_per_s"]
        .as_f64()
        .unwrap();
    let for_sale = shown["items"][0]["quantity"].as_u64().unwrap();
    assert_eq!(for_sale, (capacity * 30.0 * 86_400.0 / 1e6) as u64);
    let offer = "deal offer --with @casa --side buy --price 2 --listing";
    let line = format!("million output tokens={}", for_sale + 1);
    let to_server = ["--server", server.url.as_str(), "--token-file", "ana.token"];
    let mut args: Vec<&str> = offer.split_whitespace().collect();
    args.extend([listing.as_str(), "--line", line.as_str()]);
    args.extend(to_server);
    let refused = place.run(&args);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("RLT0515"), "{}", refused.err);
    assert!(
        refused.err.contains(&format!("{for_sale} left")),
        "{}",
        refused.err
    );

    let bought = bought(&place, &server, &listing, 3);
    casa(&["deal", "deliver", &bought, "three million tokens"]);
    ana(&["deal", "accept-delivery", &bought]);

    let trace = ana(&["trace", &bought]);
    assert_eq!(trace["gaps"], json!([]));
    let hops = trace["hops"].as_array().unwrap();
    let chips = hops.iter().find(|h| h["kind"] == "fleet.chips").unwrap();
    assert_eq!(chips["basis"], "modelled");
    let seconds: f64 = named("chip_seconds_per_million_output_tokens")
        .parse()
        .unwrap();
    let what = text(&chips["what"]);
    let numbers = what.strip_prefix("llama3.1-8b on trainium2: ").unwrap();
    let (told_seconds, told_cost) = numbers.split_once(" chip-seconds, cost ").unwrap();
    let near = |told: &str, want: f64| (told.parse::<f64>().unwrap() - want).abs() < 1e-5;
    assert!(near(told_seconds, 3.0 * seconds), "{what}");
    assert!(near(told_cost, 3.0 * cost), "{what}");

    // A deal that bought something else says nothing of chips, and is nobody's chip.
    let lunch = deal(&place, &server);
    let accounts = ana(&["accounts", "--by", "owner,agent,model,chip"]);
    let row = |chip: &str| {
        let rows = accounts["rows"].as_array().unwrap();
        let found = rows
            .iter()
            .find(|r| r["by"]["chip"] == chip && r["spent"] != "0.00");
        found.unwrap().clone()
    };
    let capacity = row("trainium2");
    assert_eq!(capacity["by"]["model"], "llama3.1-8b");
    assert_eq!(capacity["by"]["agent"], "@ana");
    assert!(
        near(text(&capacity["modelled_chip_seconds"]), 3.0 * seconds),
        "{capacity}"
    );
    assert!(
        near(text(&capacity["modelled_chip_cost"]), 3.0 * cost),
        "{capacity}"
    );
    assert_eq!(row("unattributed")["modelled_chip_seconds"], Value::Null);
    let to_server = ["--server", server.url.as_str(), "--token-file", "ana.token"];
    let printed = place.run(&[&["accounts", "--by", "chip"], &to_server[..]].concat());
    for word in [
        "CHIP-SECONDS*",
        "trainium2",
        "unattributed",
        "* modelled by the sellers",
    ] {
        assert!(printed.out.contains(word), "{}", printed.out);
    }
    let trace = ana(&["trace", &lunch]);
    let hops = trace["hops"].as_array().unwrap().iter();
    assert!(hops.clone().all(|h| h["basis"] != "modelled"));
    let all = ana(&["fleet", "concentration"]);
    let of = |measure: &str, dimension: &str| {
        let all = all.as_array().unwrap();
        let mut of = all.iter().filter(|c| c["measure"] == measure);
        of.find(|c| c["dimension"] == dimension).unwrap()
    };
    let share = |dimension: &str, name: Value| {
        let shares = of("spend", dimension)["shares"].as_array().unwrap().clone();
        shares.iter().find(|s| s["name"] == name).unwrap()["share"]
            .as_f64()
            .unwrap()
    };
    for dimension in ["chip", "vendor", "model", "region", "provider"] {
        let tokens = of("tokens", dimension);
        assert_eq!(tokens["total"].as_f64(), Some(3e6), "{tokens}");
        assert_eq!(
            (&tokens["unit"], &tokens["basis"]),
            (&json!("tokens"), &json!("measured"))
        );
        let capacity = of("capacity", dimension);
        assert!((capacity["total"].as_f64().unwrap() - 3.0 * seconds).abs() < 1e-5);
        assert_eq!(capacity["unit"], "chip-seconds");
        assert_eq!(capacity["basis"], "modelled");
    }
    let capacity = 2.0 / 9.5;
    assert!((share("chip", json!("trainium2")) - capacity).abs() < 1e-9);
    assert!((share("chip", Value::Null) - (1.0 - capacity)).abs() < 1e-9);
    assert!((share("provider", json!("@casa")) - 1.0).abs() < 1e-9);
    assert!((share("region", json!("us-east")) - capacity).abs() < 1e-9);
}

/// Price list published, capacity bought, calls served and told in the delivery, the log fed back,
/// and a price list by what was learnt. The twin stands in for the engines that serve the calls.
#[test]
fn what_was_served_on_a_deal_sets_the_next_price_list() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    market(&place, &server);
    let casa = |args: &[&str]| place.told(&server, "casa.token", args);
    let ana = |args: &[&str]| place.told(&server, "ana.token", args);
    let publish = |file: &str| {
        let told = casa(&["fleet", "publish", file, "--margin-percent", "20"]);
        text(&told["ids"]["list"]).to_owned()
    };
    plan(&place, "plan.json", BUSY, &[]);
    let first = publish("plan.json");
    let deal = bought(&place, &server, &first, 3);

    // Calls arrive at the provider's engines, which are half again as slow as the twin believed.
    let mut calls = String::from("TIMESTAMP,ContextTokens,GeneratedTokens\n");
    for i in 0..200_u32 {
        let (minute, second) = (i / 60, i % 60);
        let (input, output) = (200 + i % 500, 50 + i % 60);
        calls.push_str(&format!(
            "2026-01-01 00:{minute:02}:{second:02},{input},{output}\n"
        ));
    }
    std::fs::write(place.path("calls.csv"), calls).unwrap();
    let serve = "--json fleet simulate --model llama3.1-8b --chip trainium2 --precision bf16 \
        --replicas 1 --trace calls.csv --request-log twin.jsonl";
    let served = place.run(&serve.split_whitespace().collect::<Vec<_>>());
    assert_eq!(served.code, 0, "{}", served.err);
    let log = std::fs::read_to_string(place.path("twin.jsonl")).unwrap();
    let mut tokens = 0;
    let lines: Vec<String> = log
        .lines()
        .map(|line| {
            let mut call: Value = serde_json::from_str(line).unwrap();
            call["basis"] = json!("measured");
            for field in ["ttft_ms", "tpot_ms"] {
                call[field] = json!(call[field].as_f64().unwrap() * 1.5);
            }
            tokens += call["output_tokens"].as_u64().unwrap();
            call.to_string()
        })
        .collect();
    std::fs::write(place.path("log.jsonl"), lines.join("\n")).unwrap();
    let usage = json!({ "calls": lines.len(), "output_tokens": tokens }).to_string();
    casa(&["deal", "deliver", &deal, &usage]);
    let shown = ana(&["deal", "show", &deal]);
    let task = ana(&["task", "show", text(&shown["deal"]["task"])]).to_string();
    let told = format!("\\\"output_tokens\\\":{tokens}");
    assert!(task.contains(&told), "the buyer reads the usage: {task}");
    ana(&["deal", "accept-delivery", &deal]);

    let fit = |log: &str| {
        let args = "--json fleet calibrate --out learnt.toml --from-log";
        let args = [&args.split_whitespace().collect::<Vec<_>>()[..], &[log]].concat();
        let fit = place.run(&args).json();
        assert!(
            text(&fit[0]["configuration"]).contains("trainium2, neuron"),
            "{fit}"
        );
        fit[0]["tpot_factor"].as_f64().unwrap()
    };
    let own = fit("twin.jsonl");
    assert!(
        (0.9..1.1).contains(&own),
        "its own log moves the twin little: {own}"
    );
    let factor = fit("log.jsonl");
    assert!(
        (factor / own / 1.5 - 1.0).abs() < 0.05,
        "{factor} against {own}"
    );
    plan(&place, "again.json", BUSY, &["--parameters", "learnt.toml"]);
    let second = publish("again.json");

    let seconds = |listing: &str| {
        let shown = ana(&["listing", "show", listing]);
        let stated = attribute(&shown, "chip_seconds_per_million_output_tokens");
        let price: f64 = text(&shown["items"][0]["price"]).parse().unwrap();
        (stated.parse::<f64>().unwrap(), price)
    };
    let ((before, cheap), (after, dear)) = (seconds(&first), seconds(&second));
    assert!(
        after > before && dear > cheap,
        "{after} after {before}, {dear} after {cheap}"
    );

    // Each deal is accounted for at the rates it was bought at.
    let next = bought(&place, &server, &second, 1);
    casa(&["deal", "deliver", &next, "a million tokens"]);
    ana(&["deal", "accept-delivery", &next]);
    let accounts = ana(&["accounts", "--by", "chip"]);
    let chips = accounts["rows"].as_array().unwrap();
    let row = chips.iter().find(|r| r["by"]["chip"] == "trainium2");
    let told: f64 = text(&row.unwrap()["modelled_chip_seconds"])
        .parse()
        .unwrap();
    assert!((told - (3.0 * before + after)).abs() < 1e-4, "{told}");
    assert_eq!(row.unwrap()["spent"], "4.00");
}

#[test]
fn a_request_log_recalibrates_the_twin_and_is_replayed() {
    let place = Place::new();
    let mut trace = String::from("TIMESTAMP,ContextTokens,GeneratedTokens\n");
    for i in 0..300_u32 {
        let (minute, second) = (i / 60, i % 60);
        let (input, output) = (200 + i % 500, 50 + i % 60);
        trace.push_str(&format!(
            "2026-01-01 00:{minute:02}:{second:02},{input},{output}\n"
        ));
    }
    std::fs::write(place.path("trace.csv"), trace).unwrap();
    let simulate = |more: &[&str]| {
        let mut args = vec!["--json", "fleet", "simulate", "--replicas", "2", "--trace"];
        args.extend(more);
        place.run(&args).json()
    };
    let first = simulate(&["trace.csv", "--request-log", "log.jsonl"]);
    let log = std::fs::read_to_string(place.path("log.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 300);
    assert!(
        log.lines().all(|l| l.contains("\"basis\":\"modelled\"")),
        "marked as a twin's"
    );

    // The real engine is 1.5 times slower than the twin thought.
    let slower: Vec<String> = log
        .lines()
        .map(|line| {
            let mut call: Value = serde_json::from_str(line).unwrap();
            call["basis"] = json!("measured");
            for field in ["ttft_ms", "tpot_ms"] {
                call[field] = json!(call[field].as_f64().unwrap() * 1.5);
            }
            call.to_string()
        })
        .collect();
    std::fs::write(place.path("slow.jsonl"), slower.join("\n")).unwrap();
    let fit = |log: &str| {
        let args = [
            "--json",
            "fleet",
            "calibrate",
            "--from-log",
            log,
            "--out",
            "fitted.toml",
        ];
        place.run(&args).json()[0].clone()
    };
    let same = fit("log.jsonl");
    assert_eq!(
        (&same["basis"], &same["calls"]),
        (&json!("modelled"), &json!(300))
    );
    let slow = fit("slow.jsonl");
    let factor = |fit: &Value| fit["tpot_factor"].as_f64().unwrap();
    let ratio = factor(&slow) / factor(&same);
    assert!((ratio / 1.5 - 1.0).abs() < 0.03, "{ratio}");
    let error = |when: &str| slow[when]["tpot_mape_percent"].as_f64().unwrap();
    assert!(error("after") < error("before"), "{slow}");

    // With the parameters of the slow log, the twin replays that log about as slow.
    let tpot = |report: &Value| report["fleet"]["tpot"]["p50_s"].as_f64().unwrap();
    let again = simulate(&["slow.jsonl", "--parameters", "fitted.toml"]);
    let expected = factor(&slow);
    let ratio = tpot(&again) / tpot(&first);
    assert!(
        (ratio / expected - 1.0).abs() < 0.1,
        "{ratio}, expected about {expected}"
    );

    std::fs::write(place.path("bad.jsonl"), "{\"time\":\"noon\"}").unwrap();
    let bad = place.run(&[
        "fleet",
        "calibrate",
        "--from-log",
        "bad.jsonl",
        "--out",
        "x.toml",
    ]);
    assert_eq!(bad.code, 2);
    assert!(
        bad.err.contains("bad.jsonl, line 1, field `model`"),
        "{}",
        bad.err
    );
}

#[test]
fn a_plan_names_the_chips_that_lack_the_price_asked_for() {
    let place = Place::new();
    let args = "fleet plan --model llama3.1-8b --chips trainium2,h100_sxm --precision bf16 \
        --trial-s 5 --rate-per-s 2 --max-replica-chips 1 --ttft-s 5 --tpot-s 0.2 --price tco";
    let args: Vec<&str> = args.split_whitespace().collect();
    let told = place.run(&args);
    assert!(
        told.out
            .contains("no cost of ownership in the catalogue, so never the cheapest: trainium2\n"),
        "{}",
        told.out
    );
    let told = place.run(&[&["--json"], &args[..]].concat()).json();
    assert_eq!(told["without_price"], json!(["trainium2"]));
}

/// A table of other columns gives the same record once a mapping names them.
#[test]
fn a_history_has_any_columns() {
    let place = Place::new();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/");
    let plan = format!("{examples}invest-amazon-2026.toml");
    let table = std::fs::read_to_string(format!("{examples}facts/aws_quarterly.csv")).unwrap();
    let (_, rows) = table.split_once('\n').unwrap();
    let renamed = format!("period,sales,profit,d_and_a,plant,worked_out,notes\n{rows}");
    std::fs::write(place.path("own.csv"), renamed).unwrap();
    let columns = "quarter = \"period\"\nrevenue = \"sales\"\noperating_income = \"profit\"\n\
        depreciation = \"d_and_a\"\nppe_net = \"plant\"\nderived = \"worked_out\"\n";
    std::fs::write(place.path("own.toml"), columns).unwrap();
    let own = ["--json", "fleet", "invest", &plan, "--history", "own.csv"];
    let mapped = [&own[..], &["--history-columns", "own.toml"]].concat();
    let shipped = place.run(&["--json", "fleet", "invest", &plan]).json();
    assert_eq!(place.run(&mapped).json()["backtest"], shipped["backtest"]);
    let unmapped = place.run(&own);
    assert_eq!(unmapped.code, 2);
    assert!(
        unmapped
            .err
            .contains("own.csv:1: quarter: the column is missing"),
        "{}",
        unmapped.err
    );
    std::fs::write(
        place.path("own.toml"),
        columns.replace("\"plant\"", "\"sales\""),
    )
    .unwrap();
    let twice = place.run(&mapped);
    assert!(
        twice
            .err
            .contains("own.toml:5: ppe_net: `sales` is the column of revenue"),
        "{}",
        twice.err
    );
}

#[test]
fn a_fault_in_what_a_scenario_asks_of_its_tables_is_placed() {
    let place = Place::new();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/");
    let plan = std::fs::read_to_string(format!("{examples}invest-amazon-2026.toml")).unwrap();
    let early = plan.replacen("fit_from = \"2024Q1\"", "fit_from = \"2001Q1\"", 1);
    assert_ne!(early, plan);
    let line = 1 + early
        .lines()
        .position(|l| l.starts_with("fit_from"))
        .unwrap();
    std::fs::write(place.path("plan.toml"), early).unwrap();
    let history = format!("{examples}facts/aws_quarterly.csv");
    let told = place.run(&["fleet", "invest", "plan.toml", "--history", &history]);
    assert_eq!(told.code, 2);
    let expected = format!("plan.toml:{line}: history.fit_from: ");
    assert!(told.err.contains(&expected), "{}", told.err);

    let head = "period_start,period_end,provider,model,chip,host,region,owner,agent,token_kind,tokens,spend_usd";
    let free = "2026-10-01,2026-11-01,a,m,c,h,r,o,@x,input,0,5";
    std::fs::write(place.path("free.csv"), format!("{head}\r\n{free}\r\n")).unwrap();
    let told = place.run(&["fleet", "focus", "free.csv"]);
    assert_eq!(told.code, 2);
    assert!(
        told.err
            .contains("free.csv:2: tokens: has spend but no tokens"),
        "{}",
        told.err
    );
}

#[test]
fn compare_finds_a_plan_that_fits_and_says_why_a_chip_cannot() {
    let place = Place::new();
    let compare = |more: &[&str]| {
        let mut args = vec![
            "fleet",
            "compare",
            "--rate-per-s",
            "1",
            "--trial-s",
            "20",
            "--ttft-s",
            "5",
            "--tpot-s",
            "0.2",
            "--model",
        ];
        args.extend(more);
        place.run(&args)
    };
    let some = compare(&["llama3.1-405b", "--on", "h100_sxm", "--on", "trainium2"]);
    assert_eq!(some.code, 0, "{}", some.err);
    let line = |chip: &str| {
        some.out
            .lines()
            .find(|l| l.trim().starts_with(chip))
            .unwrap()
            .to_owned()
    };
    assert!(line("h100_sxm").contains("does not fit"), "{}", some.out);
    assert!(line("trainium2").contains("tensor 16"), "{}", some.out);
    assert!(some.out.contains("an extrapolation"), "{}", some.out);
    let none = compare(&[
        "llama3.1-405b",
        "--on",
        "h100_sxm",
        "--on",
        "h100_sxm:tensor=4",
    ]);
    assert_eq!(none.code, 1, "{}", none.out);
}

/// A scenario of one pool on its traffic, with a name and a plan that hold commas.
fn scenario(place: &Place, traffic: &str) {
    let text = format!(
        "name = \"x\"\nduration_s = 20\n[[pool]]\nname = 'chat, \"fast\"'\nmodel = \"gpt-oss-20b\"\n\
         chip = \"h100_sxm\"\ntensor = 2\nexpert = 2\nreplicas = 2\ntraffic = \"{traffic}\"\n\
         rate_per_s = 2.0\n"
    );
    std::fs::write(place.path("s.toml"), text).unwrap();
}

#[test]
fn traffic_that_is_not_there_is_refused_with_file_line_and_field() {
    let place = Place::new();
    std::fs::create_dir(place.path("folder")).unwrap();
    for (traffic, found) in [("missing.csv", "is no file"), ("folder", "is a directory")] {
        scenario(&place, traffic);
        let done = place.run(&["fleet", "simulate", "s.toml"]);
        assert_eq!(done.code, 2, "{}", done.err);
        let said = [
            "s.toml, line 10, field `pool[0].traffic`",
            traffic,
            found,
            "azure-conv",
        ];
        for part in said {
            assert!(done.err.contains(part), "{part}: {}", done.err);
        }
        let done = place.run(&["fleet", "simulate", "--trace", traffic]);
        assert_eq!(done.code, 2);
        assert!(done.err.contains(found), "{}", done.err);
    }
}

#[test]
fn a_run_in_a_trough_says_so_and_what_arrived() {
    let place = Place::new();
    scenario(&place, "azure-code");
    let text = std::fs::read_to_string(place.path("s.toml")).unwrap();
    let busy = text.replace("rate_per_s = 2.0", "rate_per_s = 20.0");
    std::fs::write(place.path("s.toml"), busy).unwrap();
    let done = place.run(&["fleet", "simulate", "s.toml"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.contains("at 20 requests/s, ") && done.out.contains(" requests/s arrived"),
        "{}",
        done.out
    );
    assert!(
        done.err.contains("trough of the traffic's shape"),
        "{}",
        done.err
    );
}

#[test]
fn what_a_table_of_shares_leaves_out_stands_in_it() {
    let place = Place::new();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let sample = format!("{examples}/usage-sample.csv");
    let done = place.run(&["fleet", "concentration", &sample]);
    assert_eq!(done.code, 0, "{}", done.err);
    let credits = done.out.lines().filter(|line| line.contains("  credits "));
    assert!(
        credits.clone().count() == 4 && credits.clone().all(|l| l.contains("−9.30")),
        "{}",
        done.out
    );
    let claims = place.run(&[
        "fleet",
        "claims",
        &format!("{examples}/claims-amazon-2026.toml"),
    ]);
    assert_eq!(claims.code, 1, "{}", claims.err);
    assert!(
        claims
            .err
            .contains("exit code 1 says that claims do not follow"),
        "{}",
        claims.err
    );
}

/// Every file of a report that is a table reads as one: as many cells in each row as in the header,
/// names with commas and quotes in one cell.
#[test]
fn tables_of_a_report_read_back() {
    let place = Place::new();
    scenario(&place, "azure-conv");
    let args = "fleet simulate s.toml --report out --requests out.csv";
    let done = place.run(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(done.code, 0, "{}", done.err);
    for (file, names) in [
        ("out/pools.csv", Some(("pool", "plan"))),
        ("out/series.csv", None),
        ("out.csv", Some(("pool", "pool"))),
    ] {
        let mut reader = csv::Reader::from_path(place.path(file)).unwrap();
        let head = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(|r| r.unwrap()).collect();
        assert!(!rows.is_empty(), "{file}");
        let Some((name, plan)) = names else { continue };
        let cell = |name: &str| head.iter().position(|h| h == name).unwrap();
        for row in &rows {
            assert_eq!(&row[cell(name)], "chat, \"fast\"", "{file}");
            assert_eq!(&row[cell("provenance")], "modelled", "{file}");
            assert!(plan == "pool" || row[cell(plan)].contains(", "), "{file}");
        }
    }
}

/// Arguments of a small question to `plan` or `compare`.
const SMALL: &str = "--model llama3.1-8b --trial-s 5 --rate-per-s 40 --ttft-s 2 --tpot-s 0.1";

fn asked(place: &Place, args: &str) -> super::cli::Done {
    place.run(&args.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn plan_and_compare_give_one_answer_to_one_question() {
    let place = Place::new();
    let planned = asked(
        &place,
        &format!("--json fleet plan {SMALL} --chips h100_sxm,b200_sxm --precision bf16"),
    )
    .json();
    let compared = asked(
        &place,
        &format!("--json fleet compare {SMALL} --on b200_sxm --on h100_sxm:tensor=1 --on h100_sxm"),
    )
    .json();
    let all = planned["models"][0]["placements"].as_array().unwrap();
    let of = |chip: &str, plan: Option<&str>| {
        let mut of_chip = all.iter().filter(|p| p["chip"] == chip);
        let found = of_chip.find(|p| plan.is_none_or(|plan| p["plan"] == plan));
        found.unwrap()
    };
    let candidates = compared["candidates"].as_array().unwrap();
    assert_eq!(&candidates[0], of("b200_sxm", None));
    assert_eq!(&candidates[1], of("h100_sxm", Some("tensor 1")));
    assert_eq!(&candidates[2], of("h100_sxm", None), "the cheapest plan");
    assert_eq!(planned["price"], "capacity block");

    let told = asked(
        &place,
        &format!("fleet plan {SMALL} --chips h100_sxm --precision bf16"),
    );
    for words in [
        "priced by on demand",
        "cheapest: h100_sxm bf16",
        "holds with 80 %",
        "hold with even odds",
        "6.88 on demand",
        "80 % range",
        "seeds",
    ] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
}

#[test]
fn prices_of_one_table_are_of_one_kind() {
    let place = Place::new();
    let plan = |more: &str| {
        let args = "--json fleet plan --max-replica-chips 1 --precision bf16";
        asked(&place, &format!("{args} {SMALL} {more}"))
    };
    for (more, words) in [
        ("--chips trainium2,mi300x", "no kind of price is common"),
        (
            "--chips trainium2,h100_sxm --price h100=2.90",
            "not for trainium2",
        ),
        ("--chips h100_sxm --price b200=2.90", "not among the chips"),
        (
            "--chips h100_sxm --price h100_sxm=cheap",
            "not a number of dollars",
        ),
        (
            "--chips h100_sxm --price h100_sxm=-1",
            "no price of a chip-hour",
        ),
        (
            "--chips h100_sxm --price h100_sxm=nan",
            "no price of a chip-hour",
        ),
        ("--chips h100_sxm --price h100=1,h100_sxm=2", "two prices"),
        ("--chips h100_sxm --price spot", "no such kind of price"),
        ("--chips h100_sxm --price list=3", "list"),
    ] {
        let told = plan(more);
        assert_eq!(told.code, 2, "{more}: {}", told.out);
        assert!(told.err.contains(words), "{more}: {}", told.err);
    }
    let own = plan("--chips h100_sxm,b200_sxm --price h100=2.90,b200=4").json();
    let prices = |report: &Value| -> Vec<(Value, Value)> {
        let all = report["models"][0]["placements"].as_array().unwrap();
        let mut all: Vec<_> = all
            .iter()
            .map(|p| {
                let price = &p["price"];
                (price["usd_per_chip_hour"].clone(), price["basis"].clone())
            })
            .collect();
        all.sort_by_key(|(usd, _)| usd.to_string());
        all
    };
    assert_eq!(
        prices(&own),
        [(json!(2.9), json!("own")), (json!(4.0), json!("own"))]
    );
    let mix = plan("--chips h100_sxm,b200_sxm --price on-demand,capacity_block").json();
    assert_eq!(
        prices(&mix),
        [
            (json!(12.355), json!("capacity_block")),
            (json!(6.88), json!("on_demand"))
        ]
    );
}

#[test]
fn what_looks_like_a_mistake_is_asked_about() {
    let place = Place::new();
    let mut swapped = String::from("TIMESTAMP,ContextTokens,GeneratedTokens\n");
    for i in 0..200_u32 {
        let (minute, second, prompt) = (i / 60, i % 60, 900 + i * 37 % 400);
        swapped.push_str(&format!(
            "2026-01-01 00:{minute:02}:{second:02},90,{prompt}\n"
        ));
    }
    std::fs::write(place.path("swapped.csv"), swapped).unwrap();
    for command in [
        format!("fleet plan {SMALL} --chips h100_sxm --traffic swapped.csv"),
        format!("fleet compare {SMALL} --on h100_sxm --on b200_sxm --traffic swapped.csv"),
        "fleet traffic swapped.csv".to_owned(),
    ] {
        let refused = asked(&place, &command);
        assert_eq!(refused.code, 2, "{}", refused.out);
        assert!(refused.err.contains("columns swapped?"), "{}", refused.err);
        assert!(refused.err.contains("--accept-unusual"), "{}", refused.err);
        let meant = asked(&place, &format!("{command} --accept-unusual"));
        assert_eq!(meant.code, 0, "{}", meant.err);
    }
    let fast = asked(
        &place,
        &format!("fleet plan {SMALL} --chips h100_sxm").replace("-s 40", "-s 1e9"),
    );
    assert!(fast.err.contains("a minute's or a day's"), "{}", fast.err);

    scenario(&place, "azure-conv");
    let text = std::fs::read_to_string(place.path("s.toml")).unwrap();
    let text = text.replace("rate_per_s = 2.0", "rate_per_s = 1e9");
    std::fs::write(place.path("s.toml"), text).unwrap();
    let endless = asked(&place, "fleet simulate s.toml --duration-s 60");
    assert_eq!(endless.code, 2, "{}", endless.out);
    assert!(
        endless
            .err
            .contains("60,000,000,000 requests are to be simulated"),
        "{}",
        endless.err
    );
}

#[test]
fn a_fit_stands_beside_its_trace() {
    let place = Place::new();
    let mut trace = String::from("arrived_at,input_tokens,output_tokens\r\n");
    for i in 0..400_u32 {
        let (minute, second) = (i / 60, i % 60);
        let (input, output) = (200 + i * 37 % 500, 50 + i * 11 % 60);
        trace.push_str(&format!(
            "2026-01-01T00:{minute:02}:{second:02}Z,{input},{output}\r\n"
        ));
    }
    // A spreadsheet's mark before the first column is no part of its name.
    std::fs::write(place.path("log.csv"), format!("\u{feff}{trace}")).unwrap();
    let fitted = place.run(&["fleet", "traffic", "log.csv"]);
    assert_eq!(fitted.code, 0, "{}", fitted.err);
    for words in [
        "# trace and fit",
        "prompt p99, tokens",
        "chips to buy",
        "seeds",
    ] {
        assert!(fitted.out.contains(words), "{words}: {}", fitted.out);
    }
    std::fs::write(place.path("fit.toml"), &fitted.out).unwrap();
    let planned = asked(
        &place,
        &format!("fleet plan {SMALL} --chips h100_sxm --traffic fit.toml"),
    );
    assert_eq!(planned.code, 0, "{}", planned.err);
    let told = place.run(&["--json", "fleet", "traffic", "log.csv"]).json();
    assert!(told["lengths"].is_object() && told["name"] == "log");
    let chips = |side: &str| told["comparison"][side]["chips"].as_u64();
    assert!(chips("trace").is_some() && chips("trace") == chips("fit"));
}

/// Names that a spreadsheet would run are texts in every table of a report.
#[test]
fn tables_of_a_report_hold_no_formula() {
    let place = Place::new();
    scenario(&place, "azure-conv");
    let text = std::fs::read_to_string(place.path("s.toml")).unwrap();
    let text = text.replace("'chat, \"fast\"'", "'=1+1'");
    std::fs::write(place.path("s.toml"), text).unwrap();
    let done = asked(
        &place,
        "fleet simulate s.toml --report out --requests out.csv",
    );
    assert_eq!(done.code, 0, "{}", done.err);
    for file in ["out/pools.csv", "out.csv"] {
        let text = std::fs::read_to_string(place.path(file)).unwrap();
        assert!(text.contains("\n\"'=1+1\","), "{text}");
    }
}
