//! The day through the door against the day without a server: same sellers, same prices.

use std::collections::BTreeMap;
use std::path::Path;

use super::report::outcomes;
use super::{DayPlan, Prices, Venue, books, hold, open_market, purchases, restoring_limits, setup};
use crate::ask::lift_limits;
use crate::error::DayError;
use crate::{Scenario, fit, load, reference};

fn scenario(name: &str) -> Option<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if folder.is_dir() {
        return Some(fit(&load(&folder).expect("the scenario loads")));
    }
    rialto_testing::skipped(format_args!("the scenario {name} is absent"));
    None
}

#[tokio::test]
async fn the_door_gives_the_day_that_the_reference_gives() {
    let places = [
        "scenarios/market-day",
        "../../../shared/data/magentic/mexican_3_9",
    ];
    for scenario in places.into_iter().filter_map(scenario) {
        for (prices, plain) in [
            (Prices::List, reference::Prices::List),
            (Prices::Bargained, reference::Prices::Bargained),
        ] {
            let realm = Venue::embedded(5).await.expect("a realm");
            let mut participants = setup::prepare(&realm, &scenario, prices, 5)
                .await
                .expect("a participants");
            open_market(&realm, &mut participants, 1)
                .await
                .expect("listings");
            purchases(&realm, &mut participants, 1, &mut |_| Ok(()))
                .await
                .expect("purchases");
            let books = books::read(&realm, &participants)
                .await
                .expect("books that agree");
            let ids: BTreeMap<&str, &str> = participants
                .sellers
                .iter()
                .map(|s| (s.handle.as_str(), s.business.id.as_str()))
                .collect();
            assert_eq!(
                outcomes(&participants, &books, &ids),
                reference::run_day(&scenario, plain, 5),
                "{}",
                scenario.name
            );
            realm.close();
        }
    }
}

#[tokio::test]
async fn limits_are_as_before_whatever_came_of_the_day() {
    let realm = Venue::embedded(1).await.expect("a realm");
    let settings = serde_json::json!({
        "sign_up_open": false, "sign_ups_per_hour": 7, "messages_per_minute": 8,
        "offers_per_minute": 9, "agents_per_owner": 10,
        "posts_per_minute": 11, "gestures_per_minute": 12, "sign_ups_per_address": 14,
        "stake": { "free_agents": 13, "amount": "0.5", "asset": "USD" },
        "keep_references_ms": 14, "least_review_ms": 15,
    });
    let set = realm
        .operator
        .command("policy.set_settings", settings.clone());
    set.await.expect("settings");
    for fails in [false, true] {
        let day = restoring_limits(&realm.operator, async {
            lift_limits(&realm.operator).await?;
            let lifted = realm.operator.get("/api/realm").await?;
            assert_eq!(lifted["settings"]["offers_per_minute"], 0);
            if fails {
                Err(DayError::Interrupted)
            } else {
                Ok(())
            }
        });
        assert_eq!(day.await.is_err(), fails);
        let after = realm.operator.get("/api/realm").await.expect("a realm");
        assert_eq!(after["settings"], settings);
    }
    realm.close();
}

#[tokio::test]
async fn a_seed_repeats_a_day_and_another_does_not() {
    let scenario = scenario("scenarios/market-day").expect("shipped");
    let mut digests = Vec::new();
    for seed in [7, 7, 8] {
        let realm = Venue::embedded(seed).await.expect("a realm");
        let plan = DayPlan {
            prices: Prices::Bargained,
            seed,
            lanes: 1,
        };
        digests.push(hold(&realm, &scenario, plan).await.expect("a day").digest);
        realm.close();
    }
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[0], digests[2]);
}
