//! Strategies beside people, on the preferences of CaSiNo's negotiations.

use rialto_lab::negotiate::people::{compare, parse};
use rialto_lab::negotiate::session::Deadline;
use rialto_lab::negotiate::strategy::Spec;

const HEAD: &str =
    "dialogue_id,a_high,a_medium,a_low,b_high,b_medium,b_low,a_points,b_points,deal\n";

#[test]
fn a_row_becomes_a_scenario_in_points() {
    let text = format!("{HEAD}1,Food,Water,Firewood,Firewood,Water,Food,19,20,1\n");
    let talks = parse("c.csv", &text).unwrap();
    let sides = &talks[0].scenario.sides;
    assert_eq!(sides[0].space.len(), 64);
    // Two food, one water, no firewood for the first.
    let outcome = sides[0].space.outcome(&[2, 1, 0]);
    let points = [0, 1].map(|i| sides[i].wishes.as_written(sides[i].wishes.utility(outcome)));
    assert_eq!(points.map(f64::round), [14.0, 3.0 + 8.0 + 15.0]);
    // No deal is worth five points.
    let none = [0, 1].map(|i| sides[i].wishes.as_written(sides[i].wishes.reservation()));
    assert_eq!(none.map(f64::round), [5.0, 5.0]);
}

#[test]
fn a_broken_row_is_refused_with_its_line() {
    for (row, wrong) in [
        (
            "1,Food,Water,Fish,Firewood,Water,Food,1,1,1",
            "c.csv:2: a_high: \"Fish\" is none of Food, Water, Firewood",
        ),
        (
            "1,Food,Water,Food,Firewood,Water,Food,1,1,1",
            "c.csv:2: a_high: a good stands twice",
        ),
        (
            "1,Food,Water,Firewood,Firewood,Water,Food,NaN,1,1",
            "c.csv:2: a_points: points are finite numbers",
        ),
    ] {
        assert_eq!(
            parse("c.csv", &format!("{HEAD}{row}\n"))
                .unwrap_err()
                .to_string(),
            wrong
        );
    }
    assert!(
        parse("c.csv", &format!("{HEAD}1,Food\n"))
            .unwrap_err()
            .to_string()
            .contains(":2:")
    );
    assert_eq!(
        parse("c.csv", HEAD).unwrap_err().to_string(),
        "c.csv: no negotiation"
    );
}

#[test]
fn ours_reaches_more_than_people_on_their_own_preferences() {
    let Some(file) = rialto_testing::outside_data("casino/casino_train_outcomes.csv") else {
        return;
    };
    let text = std::fs::read_to_string(file).unwrap();
    let talks = parse("casino", &text).unwrap();
    let rows = compare(
        &talks,
        &["rialto".parse::<Spec>().unwrap()],
        Deadline::rounds(100),
        1,
    );
    let [people, ours] = &rows[..] else {
        panic!("{rows:?}")
    };
    assert_eq!(talks.len(), 900);
    assert!((people.joint.mean - 37.18).abs() < 0.01, "{people:?}");
    assert!(ours.more.mean - ours.more.error > 0.0, "{ours:?}");
}
