//! What screening says of texts in files: `cargo run -p rialto-wire --example screen_rate -- FILE…`.
//!
//! A file is a JSON array of objects with a `prompt`, and perhaps a `source` and a `label` (1 is an
//! attack), as public sets of injections come. Counts by file, source and label; no text is shown.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use rialto_wire::screen::screen;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for file in std::env::args().skip(1) {
        let name = Path::new(&file).file_stem().unwrap_or_default();
        let texts: Vec<Value> = serde_json::from_slice(&std::fs::read(&file)?)?;
        for text in &texts {
            let said = screen(
                text.get("prompt")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            );
            let part = |field: &str| {
                text.get(field)
                    .map_or_else(|| "-".to_owned(), Value::to_string)
            };
            let place = format!("{} {} {}", name.display(), part("source"), part("label"));
            let [all, labelled, quarantined] = counts.entry(place).or_default();
            *all += 1;
            *labelled += usize::from(!said.is_empty());
            *quarantined += usize::from(said.iter().any(|label| label.quarantines()));
        }
    }
    for (place, [all, labelled, quarantined]) in counts {
        println!("{place}: {all} texts, {labelled} labelled, {quarantined} quarantined");
    }
    Ok(())
}
