//! What the fleet is made of: chips, nodes, fabrics, models and number formats as sourced facts.
//!
//! Holds the tables and their look-up. The tables shipped with the crate are embedded; entries of a user's
//! tables of the same form are added or replace shipped ones. It never estimates anything: [`crate::step`]
//! computes times and `rialto-economics` costs.

mod chip;
mod model;
mod names;
mod precision;
mod table;

pub use chip::{Chip, Fabric, Node, Source};
pub use model::{Attention, Model, Moe};
pub use precision::{Compute, Precision};

use serde::Deserialize;

use crate::echo::{bounded, number};
use crate::place::{line_at, read_toml};

/// A table that cannot be used, or a name that is not in it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CatalogueError {
    /// The text is not TOML of the documented form. The message holds line and field.
    #[error("{file}: {message}")]
    Malformed {
        /// Name of the table or file.
        file: String,
        /// Line, column and what was expected.
        message: String,
    },
    /// A number that cannot be right.
    #[error("{file}: line {line}: {kind} {name:?}: {field} {problem}")]
    Field {
        /// Name of the table or file.
        file: String,
        /// Line of the field, or of its entry where the field is absent, from 1.
        line: usize,
        /// Kind of entry: chip, node, fabric, model or precision.
        kind: &'static str,
        /// Name of the entry.
        name: String,
        /// The field at fault.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A name that no table holds.
    #[error("no {kind} named {name:?}; known: {known}")]
    Unknown {
        /// Kind of entry: chip, node, fabric, model or precision.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
}

/// All tables: the shipped ones, with the user's entries added or in their place.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// Accelerators.
    pub chips: Vec<Chip>,
    /// Servers and their scale-up domain.
    pub nodes: Vec<Node>,
    /// Networks between scale-up domains.
    pub fabrics: Vec<Fabric>,
    /// Models.
    pub models: Vec<Model>,
    /// Number formats.
    pub precisions: Vec<Precision>,
}

/// The form of one catalogue file: any of the five tables.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tables {
    chip: Vec<Chip>,
    node: Vec<Node>,
    fabric: Vec<Fabric>,
    model: Vec<Model>,
    precision: Vec<Precision>,
}

impl Tables {
    fn check(&self, file: &str) -> Result<(), CatalogueError> {
        self.chip.iter().try_for_each(|c| c.check(file))?;
        self.fabric.iter().try_for_each(|f| f.check(file))?;
        self.node.iter().try_for_each(|n| n.check(file))?;
        self.model.iter().try_for_each(|m| m.check(file))?;
        self.precision.iter().try_for_each(|p| p.check(file))
    }
}

impl CatalogueError {
    /// The same error with a line.
    fn on_line(mut self, at: usize) -> Self {
        if let Self::Field { line, .. } = &mut self {
            *line = at;
        }
        self
    }

    /// The same error, with its line looked up in the text.
    fn on_its_line(mut self, text: &str) -> Self {
        if let Self::Field {
            line,
            kind,
            name,
            field,
            ..
        } = &mut self
        {
            *line = line_of(text, kind, name, field).unwrap_or(1);
        }
        self
    }
}

/// The line of a field of a named entry, or of the entry's name where the field stands elsewhere.
fn line_of(text: &str, kind: &str, name: &str, field: &str) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let entries = document.get_ref().get(kind)?.get_ref().as_array()?;
    let mut tables = entries
        .iter()
        .filter_map(|entry| entry.get_ref().as_table());
    let named = |t: &&toml::de::DeTable<'_>| {
        let own = t.get("name").and_then(|n| n.get_ref().as_str());
        own == Some(name)
    };
    let entry = tables.find(named)?;
    let first = field.split(['.', '[']).next()?;
    let at = |key: &str| Some(line_at(text, entry.get_key_value(key)?.0.span().start));
    at(first).or_else(|| at("name"))
}

const SHIPPED: [(&str, &str); 5] = [
    (
        "catalogue/chips.toml",
        include_str!("../../catalogue/chips.toml"),
    ),
    (
        "catalogue/fabrics.toml",
        include_str!("../../catalogue/fabrics.toml"),
    ),
    (
        "catalogue/nodes.toml",
        include_str!("../../catalogue/nodes.toml"),
    ),
    (
        "catalogue/models.toml",
        include_str!("../../catalogue/models.toml"),
    ),
    (
        "catalogue/precisions.toml",
        include_str!("../../catalogue/precisions.toml"),
    ),
];

impl Catalogue {
    /// The tables shipped with the crate.
    ///
    /// # Errors
    /// None in a released build: a test reads every shipped table.
    pub fn shipped() -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for (file, text) in SHIPPED {
            catalogue.add(file, text)?;
        }
        Ok(catalogue)
    }

    /// Adds the entries of one file to this catalogue; an entry with a known name replaces the old one. A
    /// file whose name ends in `.csv` is a table of chips, any other is TOML.
    ///
    /// # Errors
    /// Names `file` with line and field when the text is malformed, a number is out of range, or
    /// a node names a chip or fabric that does not exist.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        if file.to_ascii_lowercase().ends_with(".csv") {
            let chip = table::chips(file, text)?;
            return self.lay(Tables {
                chip,
                ..Tables::default()
            });
        }
        let tables: Tables = read_toml(text).map_err(|misfit| {
            let line = misfit.line.unwrap_or(1);
            CatalogueError::Malformed {
                file: file.to_owned(),
                message: format!("line {line}: {}: {}", misfit.field, misfit.message),
            }
        })?;
        tables.check(file).map_err(|e| e.on_its_line(text))?;
        self.lay(tables)
    }

    fn lay(&mut self, tables: Tables) -> Result<(), CatalogueError> {
        lay_over(&mut self.chips, tables.chip, |c| &c.name);
        lay_over(&mut self.fabrics, tables.fabric, |f| &f.name);
        lay_over(&mut self.models, tables.model, |m| &m.name);
        lay_over(&mut self.precisions, tables.precision, |p| &p.name);
        for node in &tables.node {
            self.chip(&node.chip)?;
            self.fabric(&node.fabric)?;
        }
        lay_over(&mut self.nodes, tables.node, |n| &n.name);
        Ok(())
    }

    /// The chip of this name or alias; case, spaces and punctuation do not matter.
    ///
    /// # Errors
    /// [`CatalogueError::Unknown`] lists the names that exist.
    pub fn chip(&self, name: &str) -> Result<&Chip, CatalogueError> {
        names::find(&self.chips, name, |c| (&c.name, &c.aliases))
            .ok_or_else(|| unknown("chip", name, self.chips.iter().map(|c| &c.name)))
    }

    /// The node of this name.
    ///
    /// # Errors
    /// [`CatalogueError::Unknown`] lists the names that exist.
    pub fn node(&self, name: &str) -> Result<&Node, CatalogueError> {
        names::find(&self.nodes, name, |n| (&n.name, &[]))
            .ok_or_else(|| unknown("node", name, self.nodes.iter().map(|n| &n.name)))
    }

    /// The fabric of this name.
    ///
    /// # Errors
    /// [`CatalogueError::Unknown`] lists the names that exist.
    pub fn fabric(&self, name: &str) -> Result<&Fabric, CatalogueError> {
        names::find(&self.fabrics, name, |f| (&f.name, &[]))
            .ok_or_else(|| unknown("fabric", name, self.fabrics.iter().map(|f| &f.name)))
    }

    /// The model of this name or alias; case, spaces and punctuation do not matter, and an
    /// organisation prefix or a quantisation suffix (`-FP8`, `-NVFP4`) may differ.
    ///
    /// # Errors
    /// [`CatalogueError::Unknown`] lists the names that exist.
    pub fn model(&self, name: &str) -> Result<&Model, CatalogueError> {
        names::find_model(&self.models, name)
            .ok_or_else(|| unknown("model", name, self.models.iter().map(|m| &m.name)))
    }

    /// The number format of this name or alias.
    ///
    /// # Errors
    /// [`CatalogueError::Unknown`] lists the names that exist.
    pub fn precision(&self, name: &str) -> Result<&Precision, CatalogueError> {
        names::find(&self.precisions, name, |p| (&p.name, &p.aliases))
            .ok_or_else(|| unknown("precision", name, self.precisions.iter().map(|p| &p.name)))
    }
}

fn lay_over<T>(table: &mut Vec<T>, entries: Vec<T>, name: impl Fn(&T) -> &String) {
    for entry in entries {
        match table.iter_mut().find(|old| name(old) == name(&entry)) {
            Some(old) => *old = entry,
            None => table.push(entry),
        }
    }
}

fn unknown<'a>(
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> CatalogueError {
    let known: Vec<&str> = known.map(String::as_str).collect();
    CatalogueError::Unknown {
        kind,
        name: bounded(name).into_owned(),
        known: known.join(", "),
    }
}

/// Checks one number of an entry; shared by the tables.
struct Checker<'a> {
    file: &'a str,
    kind: &'static str,
    name: &'a str,
}

impl Checker<'_> {
    fn error(&self, field: &'static str, problem: impl Into<String>) -> CatalogueError {
        CatalogueError::Field {
            file: self.file.to_owned(),
            line: 1,
            kind: self.kind,
            name: bounded(self.name).into_owned(),
            field,
            problem: bounded(&problem.into()).into_owned(),
        }
    }

    /// The number must be finite, above zero and below `limit`: the limit catches mixed-up units.
    fn positive(&self, field: &'static str, value: f64, limit: f64) -> Result<(), CatalogueError> {
        if value > 0.0 && value <= limit {
            return Ok(());
        }
        let problem = format!(
            "is {}, which is not between 0 and {limit}; check its unit",
            number(value)
        );
        Err(self.error(field, problem))
    }

    fn optional(
        &self,
        field: &'static str,
        value: Option<f64>,
        limit: f64,
    ) -> Result<(), CatalogueError> {
        value.map_or(Ok(()), |v| self.positive(field, v, limit))
    }

    fn text(&self, field: &'static str, value: &str) -> Result<(), CatalogueError> {
        if value.trim().is_empty() {
            return Err(self.error(field, "is empty; say where the number comes from"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
