//! `rialto negotiate …` as people run it: tournaments into files, one negotiation, and bad input.

use std::path::Path;

use serde_json::Value;

use super::cli::Place;

fn examples() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/domains");
    path.canonicalize().unwrap().display().to_string()
}

#[test]
fn a_tournament_over_files_and_seeds_writes_its_table_rows_and_picture() {
    let place = Place::new();
    let examples = examples();
    let args = [
        "--json",
        "negotiate",
        "tournament",
        &examples,
        "--generated",
        "small:2:9",
        "--strategies",
        "boulware,micro,rialto",
        "--rounds",
        "60",
        "--csv",
        "all.csv",
        "--plot",
        "all.svg",
    ];
    let done = place.run(&args);
    let table = done.json();
    assert_eq!(done.err, "", "progress is for terminals");
    // Five examples and two generated domains, nine pairs, each side opening once.
    assert_eq!(table["scenarios"], 7);
    assert_eq!(table["negotiations"], 7 * 9 * 2);
    assert_eq!(table["standings"].as_array().unwrap().len(), 3);
    assert_eq!(table["meetings"].as_array().unwrap().len(), 9);
    let csv = std::fs::read_to_string(place.path("all.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 7 * 9 * 2);
    assert!(
        csv.contains("festival,rialto,boulware,b,0,agreed,"),
        "{csv}"
    );
    let svg = std::fs::read_to_string(place.path("all.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("rialto") && !svg.contains("NaN"));
    let again = place.run(&[&args[..], &["--threads", "1"]].concat());
    assert_eq!(again.out, done.out);
}

#[test]
fn one_negotiation_is_shown_offer_by_offer() {
    let place = Place::new();
    let flat = format!("{}/flat.json", examples());
    let run = [
        "negotiate",
        "run",
        &flat,
        "--a",
        "linear",
        "--b",
        "time:2",
        "--rounds",
        "20",
    ];
    let report = place.run(&[&["--json"], &run[..]].concat()).json();
    assert_eq!(report["end"], "agreed");
    let trace = report["trace"].as_array().unwrap();
    let last: &Value = trace.last().unwrap();
    assert_eq!(last["action"], "accepts");
    assert_eq!(last["outcome"], report["agreement"]);
    assert_eq!(
        trace[0]["outcome"],
        "rent=730, years=3, pets=any, move in=next month"
    );
    let text = place.run(&run).out;
    assert!(text.contains("agreed: rent="), "{text}");
}

#[test]
fn generated_domains_are_files_that_can_be_checked() {
    let place = Place::new();
    let made = place.run(&["negotiate", "generate", "trade:3:5", "domains"]);
    assert_eq!(made.out, "3 domains in domains\n");
    let checked = place
        .run(&["--json", "negotiate", "check", "domains"])
        .json();
    let direct = place
        .run(&["--json", "negotiate", "check", "--generated", "trade:3:5"])
        .json();
    assert_eq!(checked, direct);
    assert_eq!(checked[0]["name"], "trade-5");
    assert!(checked[0]["pareto"].as_u64().unwrap() > 1);
}

#[test]
fn bad_input_is_refused_with_file_line_and_field() {
    let place = Place::new();
    let folder = place.path("d");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let refused = |place: &Place| {
        let done = place.run(&["negotiate", "check", "d"]);
        assert_eq!((done.code, done.out.as_str()), (2, ""));
        done.err
    };
    for (name, text, error) in [
        (
            "a.json",
            "{\n\"name\": \"a\",\n\"isues\": []}",
            "d/a.json:3: isues: unknown field",
        ),
        (
            "a.json",
            "{\"name\": \"a\",\n\"issues\": [],\n\"profiles\": []}",
            "d/a.json:2: issues: 0 issues",
        ),
        (
            "a.xml",
            "<!DOCTYPE a [<!ENTITY x \"x\">]>\n<negotiation_template/>",
            "d/a.xml:1: a document type is refused",
        ),
        ("a.xml", "<utility_space/>", "d has no negotiation_template"),
        ("a.xml", "<html/>", "d/a.xml: the file is neither"),
    ] {
        std::fs::create_dir_all(&folder).unwrap();
        write(name, text);
        let err = refused(&place);
        assert!(err.contains(error), "{err}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    let huge = std::fs::File::create(folder.join("huge.json")).unwrap();
    huge.set_len(65 * 1024 * 1024).unwrap();
    let err = refused(&place);
    assert!(
        err.contains("the file has 68157440 bytes; the most is 67108864"),
        "{err}"
    );
    for (args, error) in [
        (&["negotiate", "tournament"][..], "no domain is given"),
        (
            &["negotiate", "tournament", "--generated", "odd:1:1"],
            "no shape is named \"odd\"",
        ),
        (
            &[
                "negotiate",
                "tournament",
                "--generated",
                "small:1:1",
                "--strategies",
                "best",
            ],
            "no strategy is named \"best\"",
        ),
        (
            &[
                "negotiate",
                "tournament",
                "--generated",
                "small:1:1",
                "--rounds",
                "0",
            ],
            "--rounds is 1 to",
        ),
        (
            &[
                "negotiate",
                "tournament",
                "--generated",
                "small:1:1",
                "--strategies",
                "micro,micro",
            ],
            "micro is named twice",
        ),
    ] {
        let done = place.run(args);
        assert_eq!(done.code, 2, "{args:?}");
        assert!(done.err.contains(error), "{}", done.err);
    }
}
