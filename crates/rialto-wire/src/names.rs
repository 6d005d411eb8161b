//! Whether two written names are the same: the core's [folding](rialto_core::names), and the
//! intersection of lists of names.

pub use rialto_core::names::{Keyed as Name, name_key};

/// True if every name of `wanted` has its equal in `present`.
#[must_use]
pub fn has_all(present: &[Name], wanted: &[Name]) -> bool {
    wanted
        .iter()
        .all(|name| present.iter().any(|other| other.key() == name.key()))
}

/// The names of `wanted` that have no equal in `present`.
#[must_use]
pub fn missing(present: &[Name], wanted: &[Name]) -> Vec<Name> {
    let lacks = |name: &&Name| !present.iter().any(|other| other.key() == name.key());
    wanted.iter().filter(lacks).cloned().collect()
}
