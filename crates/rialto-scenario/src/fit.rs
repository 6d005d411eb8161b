//! Brings a scenario's names into a form that a realm accepts, in the same way for all customers and
//! businesses.
//!
//! A realm bounds names (160 bytes, no control characters) more tightly than a scenario file does. Names
//! are rewritten before anybody acts, so wants and menus still mean the same items. Nothing is decided
//! here. The only price that changes is 0, which becomes the smallest unit.

use std::collections::{BTreeMap, BTreeSet};

use rialto_core::hash::Hash;
use rialto_core::limits::{LISTING_ATTRIBUTES, LISTING_ITEMS};
use rialto_wire::names::Name;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::load::head;
use super::money::dollars;
use super::{Business, Customer, Item, Scenario};
use rialto_core::amount::Amount;

/// The most bytes of a name in a realm.
const NAME_BYTES: usize = 160;
/// How many bytes of a longer name are kept before its mark.
const HEAD_BYTES: usize = 120;
/// The lowest price in a realm.
const SMALLEST: Amount = Amount(1);
/// The most characters of a handle in a realm.
const HANDLE_CHARS: usize = 40;

/// The scenario in a form that a realm accepts. Changes are added to its notes.
#[must_use]
pub fn fit(scenario: &Scenario) -> Scenario {
    let mut notes = scenario.notes.clone();
    let customers = scenario.customers.iter().map(|c| Customer {
        wants: items(&c.wants),
        attributes: names(&c.attributes),
        name: title(&c.name, &c.id),
        ..c.clone()
    });
    let customers = customers.collect();
    let businesses = scenario
        .businesses
        .iter()
        .map(|b| business(b, &mut notes))
        .collect();
    Scenario {
        name: scenario.name.clone(),
        customers,
        businesses,
        baselines: scenario.baselines.clone(),
        notes,
    }
}

fn business(business: &Business, notes: &mut Vec<String>) -> Business {
    let (mut menu, mut attributes) = (items(&business.menu), names(&business.attributes));
    for (what, have, most) in [
        ("items", menu.len(), LISTING_ITEMS),
        ("attributes", attributes.len(), LISTING_ATTRIBUTES),
    ] {
        if have > most {
            notes.push(format!(
                "{}: lists the first {most} of its {have} {what}",
                business.id
            ));
        }
    }
    if menu.iter().any(|item| item.price < SMALLEST) {
        notes.push(format!(
            "{}: asks {} where its price is 0, since a deal holds something",
            business.id,
            dollars(SMALLEST)
        ));
    }
    menu.truncate(LISTING_ITEMS);
    for item in &mut menu {
        item.price = item.price.max(SMALLEST);
    }
    attributes.truncate(LISTING_ATTRIBUTES);
    Business {
        menu,
        attributes,
        name: title(&business.name, &business.id),
        ..business.clone()
    }
}

fn items(items: &[Item]) -> Vec<Item> {
    items
        .iter()
        .map(|item| Item {
            name: name(&item.name),
            price: item.price,
        })
        .collect()
}

fn names(all: &[Name]) -> Vec<Name> {
    all.iter().map(name).collect()
}

/// A name in a realm's form. Names with the same key keep a common key.
fn name(written: &Name) -> Name {
    let (plain, key) = (plain(written.text()), written.key());
    // Spellings of one name differ in length; what is kept must not depend on which one came.
    if !plain.is_empty() && is_clean(key) {
        return Name::from(if is_clean(&plain) {
            plain.as_str()
        } else {
            key
        });
    }
    let mark = Hash::of(&[b"scenario name", key.as_bytes()]).to_string();
    let (begin, mark) = (head(key, HEAD_BYTES).trim(), head(&mark, 16));
    let begin = if is_clean(begin) { begin } else { "" };
    Name::from(format!("{begin} #{mark}").trim())
}

/// Whether a realm accepts it as a name unchanged.
fn is_clean(text: &str) -> bool {
    rialto_core::text::Name::new(text).is_ok()
}

/// The text without control characters, with white space collapsed.
fn plain(text: &str) -> String {
    let visible = text
        .chars()
        .filter(|c| !c.is_control() || c.is_whitespace());
    visible
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn title(text: &str, id: &str) -> String {
    let plain = plain(head(text, NAME_BYTES));
    if is_clean(&plain) {
        plain
    } else {
        format!("business {}", handle(id, ""))
    }
}

/// Handles for ids, in order and without repetition: lower-case ASCII, with `end` appended to each.
#[must_use]
pub fn handles<'a>(ids: impl Iterator<Item = &'a str>, end: &str) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut next: BTreeMap<String, u32> = BTreeMap::new();
    let mut all = Vec::new();
    for id in ids {
        let mut made = handle(id, end);
        let count = next.entry(made.clone()).or_insert(1);
        while !taken.insert(made.clone()) {
            *count += 1;
            made = handle(id, &format!("-{count}{end}"));
        }
        all.push(made);
    }
    all
}

fn handle(id: &str, end: &str) -> String {
    let mut kept = String::with_capacity(id.len());
    for c in id.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' => kept.push(c),
            _ if !kept.ends_with('-') => kept.push('-'),
            _ => {}
        }
    }
    let kept = kept.trim_matches(['-', '_']);
    let room = HANDLE_CHARS.saturating_sub(end.len());
    let kept = head(kept, room);
    if kept.len() < 2 {
        format!("agent{kept}{end}")
    } else {
        format!("{kept}{end}")
    }
}

#[cfg(test)]
mod tests {
    use super::{handles, name};
    use proptest::prelude::*;
    use rialto_wire::names::{Name, name_key};

    #[test]
    fn handles_are_plain_and_each_its_own() {
        let made = handles(
            ["Casa", "casà!", "casa", "x", "日本", "日", "_a - b_", ""].into_iter(),
            "-r7",
        );
        assert_eq!(
            made,
            [
                "casa-r7",
                "casa-2-r7",
                "casa-3-r7",
                "agentx-r7",
                "agent-r7",
                "agent-2-r7",
                "a-b-r7",
                "agent-3-r7"
            ]
        );
    }

    #[test]
    fn long_and_invisible_names_stay_apart() {
        let long = |end: &str| Name::from(format!("{}{end}", "né ".repeat(60)).as_str());
        assert_ne!(name(&long("a")).key(), name(&long("b")).key());
        assert_eq!(name(&long("a")).key(), name(&long("A")).key());
        assert_eq!(name(&Name::from("Eel\tPie")).text(), "Eel Pie");
        assert!(!name(&Name::from("\u{7}")).text().is_empty());
        // One name in a spelling that is too long and in one that is not.
        let (long, short) = ("ﬀ".repeat(54), "ff".repeat(54));
        assert!(long.len() > super::NAME_BYTES && short.len() <= super::NAME_BYTES);
        let key = |text: &str| name(&Name::from(text)).key().to_owned();
        assert_eq!(key(&long), key(&short));
    }

    proptest! {
        #[test]
        fn every_id_makes_a_handle(ids in prop::collection::vec("\\PC{0,60}", 1..8)) {
            let made = handles(ids.iter().map(String::as_str), "-r123456");
            for handle in &made {
                prop_assert!(rialto_core::text::Handle::new(handle).is_ok(), "{handle}");
            }
            let unique: std::collections::BTreeSet<_> = made.iter().collect();
            prop_assert_eq!(unique.len(), made.len());
        }

        #[test]
        fn every_name_fits_and_keeps_its_meaning(text in "\\PC{0,250}") {
            let (written, typed) = (Name::from(text.as_str()), Name::from(text.to_uppercase().as_str()));
            let fitted = name(&written);
            prop_assert!(rialto_core::text::Name::new(fitted.text()).is_ok(), "{:?}", fitted);
            if name_key(&text) == typed.key() {
                prop_assert_eq!(fitted.key(), name(&typed).key().to_owned());
            }
        }
    }
}
