//! The shipped scenario, embedded in the program so that the demo needs no other files.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::DayError;
use crate::{Scenario, fit, handles, load};

macro_rules! shipped {
    ($($path:literal),* $(,)?) => {
        /// Every file of `scenarios/market-day`, by its path there.
        const FILES: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../scenarios/market-day/", $path)))),*
        ];
    };
}

shipped! {
    "baseline_utilities.json",
    "businesses/business_01.yaml",
    "businesses/business_02.yaml",
    "businesses/business_03.yaml",
    "businesses/business_04.yaml",
    "businesses/business_05.yaml",
    "businesses/business_06.yaml",
    "businesses/business_07.yaml",
    "businesses/business_08.yaml",
    "businesses/business_09.yaml",
    "businesses/business_10.yaml",
    "businesses/business_11.yaml",
    "businesses/business_12.yaml",
    "businesses/business_13.yaml",
    "businesses/business_14.yaml",
    "businesses/business_15.yaml",
    "businesses/business_16.yaml",
    "businesses/business_17.yaml",
    "businesses/business_18.yaml",
    "customers/customer_01.yaml",
    "customers/customer_02.yaml",
    "customers/customer_03.yaml",
    "customers/customer_04.yaml",
    "customers/customer_05.yaml",
    "customers/customer_06.yaml",
    "customers/customer_07.yaml",
    "customers/customer_08.yaml",
    "customers/customer_09.yaml",
    "customers/customer_10.yaml",
    "customers/customer_11.yaml",
    "customers/customer_12.yaml",
}

/// The shipped scenario, with names in place of ids so that handles are easy to read.
///
/// # Errors
/// When the temporary folder of this machine has no room for it; the scenario is read from there.
pub fn shipped() -> Result<Scenario, DayError> {
    let failed = |source| DayError::Io {
        doing: "write the scenario into a temporary folder".to_owned(),
        source,
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    let folder = folder.path().join("market-day");
    write(&folder).map_err(failed)?;
    let mut scenario = fit(&load(&folder)?);
    let names = scenario
        .customers
        .iter()
        .map(|c| c.name.as_str())
        .chain(scenario.businesses.iter().map(|b| b.name.as_str()));
    let mut ids = handles(names, "").into_iter();
    let all = scenario
        .customers
        .iter_mut()
        .map(|c| &mut c.id)
        .chain(scenario.businesses.iter_mut().map(|b| &mut b.id));
    for (id, name) in all.zip(&mut ids) {
        *id = name;
    }
    Ok(scenario)
}

/// Writes the scenario into a folder.
fn write(folder: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_scenario_is_held() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/market-day");
        let mut there = Vec::new();
        for kind in ["customers", "businesses"] {
            for entry in fs::read_dir(folder.join(kind)).expect("shipped") {
                let name = entry.expect("readable").file_name();
                there.push(format!("{kind}/{}", name.to_string_lossy()));
            }
        }
        there.push("baseline_utilities.json".to_owned());
        there.sort();
        let mut held: Vec<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        held.sort();
        assert_eq!(held, there);
    }
}
