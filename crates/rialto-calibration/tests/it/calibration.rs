//! The fit repeats, and its error on unseen groups stays where the documentation says it is.
//! Skipped where the measured points are absent.

use rialto_calibration::{
    Accuracy, Grouping, Point, PointFile, calibrate, cross_validate, read_points, unseen_accuracy,
    validate,
};
use rialto_fleet::catalogue::Catalogue;
use rialto_fleet::step::Parameters;

const FILES: [&str; 2] = ["silicon_calibration.csv", "reference_calibration.csv"];

fn measured() -> Option<Vec<PointFile>> {
    let catalogue = Catalogue::shipped().unwrap();
    let read = |name: &&str| {
        let path = rialto_testing::outside_data(&format!("fleet/{name}"))?;
        let text = std::fs::read_to_string(path).unwrap();
        Some(read_points(&catalogue, name, &text).unwrap())
    };
    FILES.iter().map(read).collect()
}

fn find(rows: &[Accuracy], by: &str, figure: &str) -> Accuracy {
    rows.iter()
        .find(|a| a.by == by && a.figure == figure)
        .unwrap()
        .clone()
}

#[test]
fn the_fit_repeats_and_unseen_groups_are_forecast_as_stated() {
    let Some(files) = measured() else { return };
    let points: Vec<&Point> = files.iter().flat_map(|f| &f.points).collect();
    let unseen = cross_validate(&points, Grouping::Combination);
    let fitted_on = format!("{} points of {}", points.len(), FILES.join(", "));
    let between = cross_validate(&points, Grouping::Point);
    let fitted = calibrate(&points, &unseen, &between, &fitted_on);
    let shipped = Parameters::shipped().unwrap();
    assert_eq!(fitted.fitted_on, shipped.fitted_on);
    for (again, committed) in [(&fitted.tpot, &shipped.tpot), (&fitted.ttft, &shipped.ttft)] {
        for (key, value) in &committed.effects {
            let found = again.effects.get(key).copied().unwrap_or(0.0);
            assert!(
                (found - value).abs() < 0.01,
                "{key}: {found}, committed {value}"
            );
        }
    }
    let accuracy = unseen_accuracy(&points, &unseen, &shipped);
    let tpot = find(&accuracy, "all", "tpot_ms").mape_percent;
    let ttft = find(&accuracy, "all", "ttft_ms").mape_percent;
    assert!(
        tpot < 16.5,
        "time per output token on unseen combinations: MAPE {tpot:.1} %"
    );
    assert!(
        ttft < 41.5,
        "time to first token on unseen combinations: MAPE {ttft:.1} %"
    );
}

#[test]
fn a_measured_group_is_forecast_with_the_errors_between_its_points() {
    let Some(files) = measured() else { return };
    let parameters = Parameters::shipped().unwrap();
    let forecaster = rialto_calibration::Forecaster::new(&parameters);
    let mut point = files[0].points[0].clone();
    let known = forecaster.forecast(&point).tpot_ms;
    point.written_group = "of another maker".to_owned();
    let unknown = forecaster.forecast(&point).tpot_ms;
    let width = |f: rialto_calibration::Figure| f.high / f.low;
    assert!(width(unknown) > 1.2 * width(known));
    assert!(
        unknown.value <= known.value,
        "the wider the error, the lower the least mean one"
    );
}

#[test]
fn every_row_is_forecast_or_skipped_with_a_reason() {
    let Some(files) = measured() else { return };
    let report = validate(&files, &Parameters::shipped().unwrap());
    let rows: usize = files.iter().map(|f| f.points.len() + f.skipped.len()).sum();
    assert_eq!(rows, 2370);
    assert!(report.skipped.iter().all(|s| !s.reason.is_empty()));
    assert!(report.rows.iter().all(|r| {
        let f = &r.forecast;
        f.low > 0.0 && f.low <= f.value && f.value <= f.high && f.high.is_finite()
    }));
    let inside = find(&report.accuracy, "all", "tpot_ms").inside_percent;
    assert!(
        inside >= 80.0,
        "seen points lie in their interval: {inside:.0} %"
    );
}

#[test]
fn trainium2_under_load_is_an_extrapolation_with_a_wide_interval() {
    let Some(files) = measured() else { return };
    let mut point = files
        .iter()
        .flat_map(|f| &f.points)
        .find(|p| p.chip.name == "trainium2");
    let mut loaded = point.take().unwrap().clone();
    let parameters = Parameters::shipped().unwrap();
    let forecaster = rialto_calibration::Forecaster::new(&parameters);
    let alone = forecaster.forecast(&loaded);
    loaded.concurrency = 64.0;
    let busy = forecaster.forecast(&loaded);
    assert_eq!(alone.extrapolation, None);
    assert!(busy.extrapolation.unwrap().contains("trainium2"));
    let width = |f: rialto_calibration::Figure| f.high / f.low;
    assert!(width(busy.tpot_ms) > 2.0 * width(alone.tpot_ms));
}
