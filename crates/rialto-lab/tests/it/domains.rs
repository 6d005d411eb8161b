//! Domain files: what is read, and how a broken one is refused.

use rialto_lab::negotiate::domain::{Cell, Domain, DomainError};
use rialto_lab::negotiate::genius::{self, Evaluations, Kind};
use rialto_lab::negotiate::native;
use rialto_lab::negotiate::preferences::Preferences;

const GOOD: &str = r#"{
  "name": "d",
  "issues": [
    {"name": "colour", "values": ["red", "green"]},
    {"name": "count", "integer": [1, 3]},
    {"name": "price", "continuous": [0, 1], "levels": 5}
  ],
  "profiles": [
    {"name": "a", "reservation": 0.5, "additive": [
      {"issue": "count", "weight": 2, "linear": {"slope": 1}},
      {"issue": "colour", "values": {"red": 1, "green": 0}},
      {"issue": "price", "triangular": {"start": 0, "peak": 0.5, "end": 1}}
    ]},
    {"name": "b", "discount": 0.9, "bias": 3, "additive": [
      {"issue": "colour", "weight": 1, "values": {"red": 0, "green": 1}},
      {"issue": "count", "weight": 1, "values": {"1": 3, "2": 2, "3": 1}},
      {"issue": "price", "weight": 1, "linear": {"offset": 1, "slope": -1}}
    ]}
  ]
}"#;

fn good() -> Domain {
    native::parse("d.json", GOOD).unwrap()
}

#[test]
fn a_native_file_gives_every_outcome_its_worth() {
    let domain = good();
    assert_eq!(domain.space.len(), 2 * 3 * 5);
    let cells = [
        Cell::Text("green".into()),
        Cell::Number(3.0),
        Cell::Number(0.75),
    ];
    let outcome = domain.space.find(&cells).unwrap();
    assert_eq!(
        domain.space.text(outcome),
        "colour=green, count=3, price=0.75"
    );
    assert_eq!(outcome, 15 + 2 * 5 + 3);
    assert_eq!(domain.profiles[0].worth[outcome as usize], 6.5);
    assert_eq!(
        domain.profiles[1].worth[outcome as usize],
        3.0 + 1.0 + 1.0 + 0.25
    );
    assert_eq!(
        (domain.profiles[0].reservation, domain.profiles[1].discount),
        (0.5, 0.9)
    );
    // Without a reservation value, no agreement is worth what the worst outcome is.
    assert_eq!(Preferences::new(&domain.profiles[1]).reservation(), 0.0);
}

#[test]
fn an_outcome_outside_the_domain_is_named() {
    let space = good().space;
    let text = |text: &str| Cell::Text(text.to_owned());
    for (values, wrong) in [
        (
            vec![text("blue"), Cell::Number(1.0), Cell::Number(0.0)],
            "\"blue\" is no value of the issue \"colour\"",
        ),
        (
            vec![text("red"), Cell::Number(4.0), Cell::Number(0.0)],
            "4 is no value of the issue \"count\"",
        ),
        (
            vec![text("red"), Cell::Number(1.5), Cell::Number(0.0)],
            "1.5 is no value of the issue \"count\"",
        ),
        (
            vec![text("red"), Cell::Number(1.0), Cell::Number(0.1)],
            "0.1 is no value of the issue \"price\"",
        ),
        (
            vec![text("red"), Cell::Number(1.0), Cell::Number(f64::NAN)],
            "NaN is no value of the issue \"price\"",
        ),
        (vec![text("red")], "1 values for 3 issues"),
    ] {
        assert_eq!(space.find(&values), Err(wrong.to_owned()));
    }
}

/// Replaces a part of the good file and says how the result is refused.
fn refused(part: &str, by: &str) -> String {
    assert!(GOOD.contains(part), "{part}");
    let text = GOOD.replacen(part, by, 1);
    native::parse("d.json", &text).unwrap_err().to_string()
}

#[test]
fn a_broken_native_file_is_refused_with_line_and_field() {
    for (part, by, error) in [
        (
            "\"integer\": [1, 3]",
            "\"integer\": [3, 1]",
            "d.json:5: issues[1].integer: 3 to 1 is no range of whole numbers up to 2^52",
        ),
        (
            "\"integer\": [1, 3]",
            "\"integer\": [1, 3], \"values\": []",
            "d.json:5: issues[1]: an issue has either values, integer or continuous",
        ),
        (
            "\"levels\": 5",
            "\"levels\": 1",
            "d.json:6: issues[2].levels: a continuous issue has at least 2 levels",
        ),
        (
            "[\"red\", \"green\"]",
            "[\"red\", \"red\"]",
            "d.json:4: issues[0].values: the value \"red\" stands twice",
        ),
        (
            "\"colour\", \"values\": [",
            "\"count\", \"values\": [",
            "d.json:5: issues[1]: the issue \"count\" stands twice",
        ),
        (
            "\"weight\": 2",
            "\"weight\": 2, \"wight\": 1",
            "d.json:10: profiles[0].additive[0].wight: unknown field `wight`, expected one of `issue`, `weight`, `values`, `linear`, `triangular`",
        ),
        (
            "\"weight\": 2",
            "\"weight\": NaN",
            "d.json:10: profiles[0].additive[0].weight: expected value",
        ),
        (
            "\"weight\": 2",
            "\"weight\": 1e999",
            "d.json:10: profiles[0].additive[0].weight: number out of range",
        ),
        (
            "\"weight\": 2",
            "\"weight\": 1e308",
            "d.json:9: profiles[0]: an outcome's worth is no finite number",
        ),
        (
            "\"peak\": 0.5",
            "\"peak\": 2",
            "d.json:12: profiles[0].additive[2].triangular: start, peak and end are not in order",
        ),
        (
            "{\"red\": 1, \"green\": 0}",
            "{\"red\": 1}",
            "d.json:11: profiles[0].additive[1].values: the value \"green\" has no worth",
        ),
        (
            "{\"red\": 1, \"green\": 0}",
            "{\"red\": 1, \"blue\": 0}",
            "d.json:11: profiles[0].additive[1].values: \"blue\" is no value of the issue \"colour\"",
        ),
        (
            "{\"issue\": \"colour\", \"values\"",
            "{\"issue\": \"size\", \"values\"",
            "d.json:11: profiles[0].additive[1].issue: the domain has no issue \"size\"",
        ),
        (
            "{\"issue\": \"colour\", \"values\"",
            "{\"issue\": \"count\", \"values\"",
            "d.json:11: profiles[0].additive[1].issue: the issue \"count\" stands twice",
        ),
        (
            ",\n      {\"issue\": \"price\", \"triangular\": {\"start\": 0, \"peak\": 0.5, \"end\": 1}}",
            "",
            "d.json:9: profiles[0].additive: nothing says what the issue \"price\" is worth",
        ),
        (
            "\"discount\": 0.9",
            "\"discount\": 0",
            "d.json:14: profiles[1].discount: 0 is no discount: it is above 0 and at most 1",
        ),
        (
            "\"name\": \"b\"",
            "\"name\": \"a\"",
            "d.json:14: profiles[1]: the profile \"a\" stands twice",
        ),
        (
            "\"levels\": 5",
            "\"levels\": 100000000000000000000",
            "d.json:6: issues[2].levels: invalid type: floating point `1e+20`, expected usize",
        ),
        (
            "\"levels\": 5",
            "\"levels\": 1000000",
            "d.json:6: issues[2]: the issue has 1000000 values; the most is 100000",
        ),
        (
            "[1, 3]",
            "[-4503599627370496, 4503599627370496]",
            "d.json:5: issues[1]: the issue has 9007199254740993 values; the most is 100000",
        ),
        (
            "[1, 3]},\n    {\"name\": \"price\", \"continuous\": [0, 1], \"levels\": 5}",
            "[1, 90000]}, {\"name\": \"price\", \"continuous\": [0, 1], \"levels\": 90000}",
            "d.json:3: issues: 2 x 90000 x 90000 outcomes; the most is 4000000",
        ),
        ("  ]\n}", "  ]\n} {", "d.json:20: text follows the domain"),
    ] {
        assert_eq!(refused(part, by), error, "{by}");
    }
    let cut = native::parse("d.json", &GOOD[..GOOD.len() / 2]).unwrap_err();
    assert!(cut.to_string().contains("EOF while parsing"), "{cut}");
}

#[test]
fn a_table_gives_each_outcome_once() {
    let table = |rows: &str| {
        let text = format!(
            "{{\"name\": \"t\", \"issues\": [{{\"name\": \"x\", \"values\": [\"a\", \"b\"]}}, {{\"name\": \"y\", \"integer\": [0, 1]}}],\n\
             \"profiles\": [{{\"name\": \"p\", \"table\": {rows}}},\n\
             {{\"name\": \"q\", \"additive\": [{{\"issue\": \"x\", \"values\": {{\"a\": 0, \"b\": 1}}}}, {{\"issue\": \"y\", \"linear\": {{\"slope\": 1}}}}]}}]}}"
        );
        native::parse("t.json", &text)
    };
    let whole = table("[[\"b\", 1, 4], [\"a\", 0, 1], [\"a\", 1, 2], [\"b\", 0, 3]]").unwrap();
    assert_eq!(whole.profiles[0].worth, [1.0, 2.0, 3.0, 4.0]);
    for (rows, error) in [
        (
            "[[\"b\", 1, 4],\n [\"a\", 0, 1]]",
            "t.json:2: profiles[0].table: 2 of 4 outcomes are missing, the first is x=a, y=1",
        ),
        (
            "[[\"b\", 1, 4],\n [\"b\", 1, 1]]",
            "t.json:3: profiles[0].table[1]: the outcome x=b, y=1 stands twice",
        ),
        (
            "[[\"b\", 1, 4],\n [\"c\", 1, 1]]",
            "t.json:3: profiles[0].table[1]: \"c\" is no value of the issue \"x\"",
        ),
        (
            "[[\"b\", 1, \"NaN\"]]",
            "t.json:2: profiles[0].table[0]: the last cell of a row is its worth, a number",
        ),
        (
            "[[\"b\", 1]]",
            "t.json:2: profiles[0].table[0]: 1 values for 2 issues",
        ),
        ("[[]]", "t.json:2: profiles[0].table[0]: an empty row"),
        (
            "[[\"a\",0,1],[\"a\",1,1],[\"b\",0,1],[\"b\",1,1]]",
            "t.json:2: profiles[0]: every outcome is worth 1: nothing to negotiate",
        ),
    ] {
        assert_eq!(table(rows).unwrap_err().to_string(), error);
    }
}

const TEMPLATE: &str = r#"<?xml version="1.0"?>
<negotiation_template>
 <utility_space number_of_issues="3">
  <objective index="0" name="o" type="objective">
   <issue index="2" name="count" type="integer" lowerbound="1" upperbound="3"/>
   <issue index="1" name="colour" vtype="discrete" type="discrete">
    <item index="1" value="red"/><item index="2" value="green &amp; blue"/>
   </issue>
   <issue index="3" name="price" type="real"><range lowerbound="0" upperbound="1"/></issue>
  </objective>
 </utility_space>
</negotiation_template>"#;

const PROFILE: &str = r#"<utility_space>
 <objective index="0" name="o" type="objective">
  <issue index="1" name="colour" type="discrete">
   <item index="1" value="red" evaluation="4"/>
   <item index="2" value="green &amp; blue" evaluation="1"/>
  </issue>
  <issue index="2" name="count" type="integer"><evaluator ftype="linear" offset="0.5" slope="-0.1"/></issue>
  <issue index="3" name="price" type="real"><evaluator ftype="triangular" parameter0="0" parameter1="1" parameter2="0.5"/></issue>
  <weight index="1" value="0.5"/><weight index="2" value="0.3"/><weight index="3" value="0.2"/>
 </objective>
 <discount_factor value="0.5"/>
 <reservation value="0.25"/>
</utility_space>"#;

fn xml(template: &str, profile: &str, evaluations: Evaluations) -> Result<Domain, DomainError> {
    let profiles = [("f/p1.xml", profile), ("f/p2.xml", PROFILE)];
    genius::parse("f", ("f/t.xml", template), &profiles, evaluations)
}

#[test]
fn genius_files_are_read_like_negmas_or_like_genius() {
    let domain = xml(TEMPLATE, PROFILE, Evaluations::AsWritten).unwrap();
    // Issues by their index, ten levels of the real one.
    let names: Vec<&str> = domain
        .space
        .issues()
        .iter()
        .map(|i| i.name.as_str())
        .collect();
    assert_eq!(names, ["colour", "count", "price"]);
    assert_eq!(domain.space.len(), 2 * 3 * 10);
    let outcome = domain.space.outcome(&[0, 2, 0]) as usize;
    assert!((domain.profiles[0].worth[outcome] - (0.5 * 4.0 + 0.3 * 0.2)).abs() < 1e-12);
    assert_eq!(
        (domain.profiles[0].reservation, domain.profiles[0].discount),
        (0.25, 0.5)
    );
    assert_eq!(domain.profiles[0].name, "p1");
    let scaled = xml(TEMPLATE, PROFILE, Evaluations::ByMax).unwrap();
    assert!((scaled.profiles[0].worth[outcome] - (0.5 + 0.3 * 0.2)).abs() < 1e-12);
    let green = domain.space.outcome(&[1, 2, 0]) as usize;
    assert!((scaled.profiles[0].worth[green] - (0.5 * 0.25 + 0.3 * 0.2)).abs() < 1e-12);
}

#[test]
fn what_kind_of_file_it_is_is_seen_from_its_root() {
    for (text, kind) in [
        (TEMPLATE, Kind::Template),
        (PROFILE, Kind::Profile),
        ("\u{feff}\n<!-- a > b -->\n<utility_space/>", Kind::Profile),
        (
            "<!DOCTYPE x [<!ENTITY a \"b\">]>\n<utility_space/>",
            Kind::Profile,
        ),
        ("<!DOCTYPE x>\n<negotiation_template/>", Kind::Template),
        ("<!-- never ends", Kind::Other),
        ("<html/>", Kind::Other),
        ("", Kind::Other),
    ] {
        assert_eq!(genius::kind(text), kind, "{text}");
    }
}

#[test]
fn a_broken_genius_file_is_refused_with_line_and_field() {
    let bomb = "<!DOCTYPE b [\n<!ENTITY a \"aaaaaaaaaa\">\n<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\n]>\n<utility_space>&b;</utility_space>";
    let error = xml(TEMPLATE, bomb, Evaluations::AsWritten).unwrap_err();
    assert_eq!(
        error.message,
        "a document type is refused: it could make the text grow"
    );
    assert_eq!((error.file.as_str(), error.line), ("f/p1.xml", Some(1)));
    let many = format!(
        "<utility_space>{}</utility_space>",
        "<a/>".repeat(1_000_001)
    );
    let error = xml(TEMPLATE, &many, Evaluations::AsWritten).unwrap_err();
    assert_eq!(error.message, "more than 1000000 elements");

    for (part, by, error) in [
        (
            "evaluation=\"4\"",
            "evaluation=\"NaN\"",
            "f/p1.xml:4: item[red].evaluation: \"NaN\" is no finite number",
        ),
        (
            "evaluation=\"4\"",
            "evaluation=\"inf\"",
            "f/p1.xml:4: item[red].evaluation: \"inf\" is no finite number",
        ),
        (
            " evaluation=\"4\"",
            "",
            "f/p1.xml:4: item[red].evaluation: the attribute is missing",
        ),
        (
            "<item index=\"1\" value=\"red\" evaluation=\"4\"/>",
            "",
            "f/p1.xml:3: issue[colour]: the value \"red\" has no evaluation",
        ),
        (
            "value=\"red\"",
            "value=\"pink\"",
            "f/p1.xml:4: item[pink].value: the template has no such value",
        ),
        (
            "name=\"count\"",
            "name=\"size\"",
            "f/p1.xml:7: issue[size]: the template has no such issue",
        ),
        (
            "name=\"count\" type=\"integer\"><evaluator ftype=\"linear\"",
            "name=\"count\" type=\"integer\"><evaluator ftype=\"cubic\"",
            "f/p1.xml:7: evaluator.ftype: the function \"cubic\" is not read",
        ),
        (
            "<weight index=\"2\" value=\"0.3\"/>",
            "<weight index=\"2\" value=\"x\"/>",
            "f/p1.xml:9: weight[x].value: \"x\" is no finite number",
        ),
        (
            "value=\"0.25\"",
            "value=\"\"",
            "f/p1.xml:12: reservation[].value: \"\" is no finite number",
        ),
        (
            "value=\"0.5\"/>\n <res",
            "value=\"-1\"/>\n <res",
            "f/p1.xml:11: discount_factor[-1].value: -1 is no discount: it is above 0 and at most 1",
        ),
        (
            "<weight index=\"1\"",
            "<utility_function/><weight index=\"1\"",
            "f/p1.xml:9: utility_function: only additive utilities over one list of issues are read",
        ),
        (
            "</objective>",
            "</objektive>",
            "f/p1.xml:10: not XML: expected 'objective' tag, not 'objektive' at 10:2",
        ),
    ] {
        assert!(PROFILE.contains(part), "{part}");
        let text = PROFILE.replacen(part, by, 1);
        let refused = xml(TEMPLATE, &text, Evaluations::AsWritten)
            .unwrap_err()
            .to_string();
        assert_eq!(refused, error);
    }
    for (part, by, error) in [
        (
            "lowerbound=\"1\"",
            "lowerbound=\"1.5\"",
            "f/t.xml:5: issue[count]: 1.5 to 3 is no range of whole numbers",
        ),
        (
            "upperbound=\"3\"",
            "upperbound=\"0\"",
            "f/t.xml:5: issue[count].upperbound: 0 is below 1",
        ),
        (
            "type=\"real\"",
            "type=\"colour\"",
            "f/t.xml:9: issue[price].type: \"colour\" is none of discrete, integer and real",
        ),
        (
            "<item index=\"1\" value=\"red\"/><item index=\"2\" value=\"green &amp; blue\"/>",
            "",
            "f/t.xml:6: issue[colour]: the issue has no item",
        ),
        (
            "<negotiation_template>",
            "<negotiation_template><a>",
            "f/t.xml:12: not XML: expected 'a' tag, not 'negotiation_template' at 12:1",
        ),
    ] {
        assert!(TEMPLATE.contains(part), "{part}");
        let text = TEMPLATE.replacen(part, by, 1);
        let refused = xml(&text, PROFILE, Evaluations::AsWritten)
            .unwrap_err()
            .to_string();
        assert_eq!(refused, error);
    }
}
