//! Reads a scenario folder: `customers/*.yaml`, `businesses/*.yaml` and, where it is shipped,
//! `baseline_utilities.json`.
//!
//! Tolerant of what other scenarios may add or leave out (unknown fields are noted, optional ones
//! have defaults), strict about what money and matching rest on (amounts, names, ids). Every
//! error names file, line and field. Sizes are bounded by the constants below.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::money::{self, ONE, decimal, dollars};
use super::yaml::{self, Node, Value};
use super::{Baselines, Business, Customer, Item, Scenario};
use rialto_core::amount::Amount;
use rialto_wire::names::Name;

/// Largest file read, in bytes.
pub(crate) const FILE_MAX_BYTES: u64 = 256 * 1024;
/// Most customers, and most businesses.
pub(crate) const AGENTS_MAX: usize = 10_000;
/// Most items of a customer or business, and most attributes.
pub(crate) const ENTRIES_MAX: usize = 500;
/// Longest id, name, item or attribute, in characters.
pub(crate) const NAME_MAX_CHARS: usize = 200;
/// Longest request or description kept, in bytes; a longer one is cut and noted.
pub(crate) const TEXT_MAX_BYTES: usize = 16 * 1024;
/// Highest price of one item: a billion USD.
pub(crate) const PRICE_MAX: Amount = Amount(1_000_000_000 * ONE);

/// Why a scenario cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder cannot be opened or listed.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder as a whole is not a scenario.
    #[error("{path}: {what}")]
    Folder {
        /// The file or folder.
        path: String,
        /// The fault and its remedy.
        what: String,
    },
    /// A value is missing or wrong.
    #[error("{file}:{line}: {field}: {what}")]
    Field {
        /// File, relative to the scenario's folder.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Field, with dots between levels.
        field: String,
        /// The fault and its remedy.
        what: String,
    },
    /// A file is not a document.
    #[error("{file}:{line}: {what}")]
    Syntax {
        /// File, relative to the scenario's folder.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The fault and its remedy.
        what: String,
    },
}

/// Reads the scenario in `folder`.
///
/// # Errors
/// See [`LoadError`]; nothing is returned in part.
pub fn load(folder: &Path) -> Result<Scenario, LoadError> {
    let mut notes = Vec::new();
    let customers = load_all(folder, "customers", &mut notes, customer)?;
    let businesses = load_all(folder, "businesses", &mut notes, business)?;
    let mut ids = BTreeSet::new();
    let all = customers
        .iter()
        .map(|c| &c.id)
        .chain(businesses.iter().map(|b| &b.id));
    for id in all {
        if !ids.insert(id.as_str()) {
            return Err(LoadError::Folder {
                path: folder.display().to_string(),
                what: format!(
                    "the id {id:?} is used twice: give every customer and business its own"
                ),
            });
        }
    }
    let baselines = baselines(folder)?;
    let name = folder
        .file_name()
        .unwrap_or(folder.as_os_str())
        .to_string_lossy()
        .into_owned();
    Ok(Scenario {
        name,
        customers,
        businesses,
        baselines,
        notes,
    })
}

/// Reads every YAML file of one sub-folder in the order of their names.
fn load_all<T>(
    folder: &Path,
    kind: &str,
    notes: &mut Vec<String>,
    build: fn(&mut Fields<'_>) -> Result<T, LoadError>,
) -> Result<Vec<T>, LoadError> {
    let mut loaded = Vec::new();
    for path in yaml_files(&folder.join(kind))? {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let file = format!(
            "{kind}/{}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        let root = read_document(&path, &file)?;
        let mut fields = Fields::of(&file, stem, root, notes)?;
        loaded.push(build(&mut fields)?);
        fields.note_unknown();
    }
    Ok(loaded)
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let failed = |source| LoadError::Io {
        path: folder.display().to_string(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        let hidden = path
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if !hidden && matches!(extension, "yaml" | "yml") {
            files.push(path);
        }
    }
    let wrong = |what: String| LoadError::Folder {
        path: folder.display().to_string(),
        what,
    };
    if files.is_empty() {
        return Err(wrong("no .yaml file: a scenario needs at least one".into()));
    }
    if files.len() > AGENTS_MAX {
        return Err(wrong(format!(
            "{} files: at most {AGENTS_MAX} are read",
            files.len()
        )));
    }
    files.sort();
    Ok(files)
}

fn read_document(path: &Path, file: &str) -> Result<Node, LoadError> {
    let failed = |source| LoadError::Io {
        path: path.display().to_string(),
        source,
    };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_MAX_BYTES {
        return Err(LoadError::Folder {
            path: path.display().to_string(),
            what: format!("{bytes} bytes: at most {FILE_MAX_BYTES} are read"),
        });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    yaml::read(&text).map_err(|fault| LoadError::Syntax {
        file: file.to_owned(),
        line: fault.line,
        what: fault.what,
    })
}

fn customer(fields: &mut Fields<'_>) -> Result<Customer, LoadError> {
    let id = fields.id()?;
    let wants = fields.items("menu_features")?;
    let attributes = fields.attributes("amenity_features")?;
    let name = fields
        .text("name", NAME_MAX_CHARS * 4)?
        .unwrap_or_else(|| id.clone());
    let request = fields.text("request", TEXT_MAX_BYTES)?;
    let request = request.unwrap_or_else(|| {
        let names: Vec<&str> = wants.iter().map(|item| item.name.text()).collect();
        format!("Looking for: {}", names.join(", "))
    });
    Ok(Customer {
        id,
        name,
        request,
        wants,
        attributes,
    })
}

fn business(fields: &mut Fields<'_>) -> Result<Business, LoadError> {
    let id = fields.id()?;
    let menu = fields.items("menu_features")?;
    let attributes = fields.attributes("amenity_features")?;
    let min_price_factor = fields.factor("min_price_factor")?;
    let name = fields
        .text("name", NAME_MAX_CHARS * 4)?
        .unwrap_or_else(|| id.clone());
    let description = fields
        .text("description", TEXT_MAX_BYTES)?
        .unwrap_or_default();
    // Known to the format, used by nobody here: self-praise and the generator's own bookkeeping.
    fields.ignore(&["rating", "progenitor_customer"]);
    Ok(Business {
        id,
        name,
        description,
        menu,
        attributes,
        min_price_factor,
    })
}

fn baselines(folder: &Path) -> Result<Option<Baselines>, LoadError> {
    let file = "baseline_utilities.json";
    let path = folder.join(file);
    if !path.exists() {
        return Ok(None);
    }
    let root = read_document(&path, file)?;
    let mut all = BTreeMap::new();
    for (name, figures) in pairs(file, "baselines", root)? {
        let mut kept = BTreeMap::new();
        for (figure, node) in pairs(file, &name, figures)? {
            let amount = node.text().and_then(money::read);
            let amount = amount.ok_or_else(|| {
                wrong(
                    file,
                    node.line,
                    &format!("{name}.{figure}"),
                    "must be a number",
                )
            })?;
            kept.insert(figure, amount);
        }
        all.insert(name, kept);
    }
    Ok(Some(all))
}

fn wrong(file: &str, line: usize, field: &str, what: impl Into<String>) -> LoadError {
    LoadError::Field {
        file: file.into(),
        line,
        field: field.into(),
        what: what.into(),
    }
}

/// The entries of a mapping with their keys as text; "nothing" counts as empty.
fn pairs(file: &str, field: &str, node: Node) -> Result<Vec<(String, Node)>, LoadError> {
    if node.is_null() {
        return Ok(Vec::new());
    }
    let line = node.line;
    let Value::Mapping(entries) = node.value else {
        return Err(wrong(
            file,
            line,
            field,
            "must be a mapping of names to values",
        ));
    };
    if entries.len() > ENTRIES_MAX {
        return Err(wrong(
            file,
            line,
            field,
            format!("at most {ENTRIES_MAX} entries are read"),
        ));
    }
    let mut named = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        named.push((entry_name(file, field, &key)?, value));
    }
    Ok(named)
}

fn entry_name(file: &str, field: &str, node: &Node) -> Result<String, LoadError> {
    let name = node.text().map(str::trim).unwrap_or_default();
    if name.is_empty() {
        return Err(wrong(
            file,
            node.line,
            field,
            "an entry needs a name in plain text",
        ));
    }
    if name.chars().count() > NAME_MAX_CHARS {
        let what = format!("a name is longer than {NAME_MAX_CHARS} characters");
        return Err(wrong(file, node.line, field, what));
    }
    Ok(name.to_owned())
}

/// The top level of one file: fields are taken out one by one; those that remain are unknown.
struct Fields<'a> {
    file: &'a str,
    stem: String,
    last_line: usize,
    left: BTreeMap<String, Node>,
    notes: &'a mut Vec<String>,
}

impl<'a> Fields<'a> {
    fn of(
        file: &'a str,
        stem: String,
        root: Node,
        notes: &'a mut Vec<String>,
    ) -> Result<Self, LoadError> {
        let last_line = root.line;
        let mut left = BTreeMap::new();
        for (name, node) in pairs(file, "document", root)? {
            let line = node.line;
            if left.insert(name.clone(), node).is_some() {
                notes.push(format!(
                    "{file}:{line}: {name}: written twice, the last one counts"
                ));
            }
        }
        Ok(Self {
            file,
            stem,
            last_line,
            left,
            notes,
        })
    }

    fn take(&mut self, field: &str) -> Option<Node> {
        self.left.remove(field).filter(|node| !node.is_null())
    }

    fn ignore(&mut self, fields: &[&str]) {
        for field in fields {
            self.left.remove(*field);
        }
    }

    fn note_unknown(self) {
        for (field, node) in self.left {
            self.notes.push(format!(
                "{}:{}: {field}: unknown field, not used",
                self.file, node.line
            ));
        }
    }

    /// The id, or the file's name where it has none.
    fn id(&mut self) -> Result<String, LoadError> {
        let Some(node) = self.take("id") else {
            return Ok(self.stem.clone());
        };
        entry_name(self.file, "id", &node)
    }

    fn text(&mut self, field: &str, max_bytes: usize) -> Result<Option<String>, LoadError> {
        let Some(node) = self.take(field) else {
            return Ok(None);
        };
        let Some(text) = node.text() else {
            return Err(wrong(self.file, node.line, field, "must be text"));
        };
        if text.len() > max_bytes {
            self.notes.push(format!(
                "{}:{}: {field}: {} bytes, cut to {max_bytes}",
                self.file,
                node.line,
                text.len()
            ));
        }
        Ok(Some(head(text, max_bytes).to_owned()))
    }

    /// Items with prices. An empty list is noted, because its owner can neither buy nor sell.
    fn items(&mut self, field: &str) -> Result<Vec<Item>, LoadError> {
        let Some(node) = self.take(field) else {
            let what = "missing: a mapping of item names to prices in USD is needed";
            return Err(wrong(self.file, self.last_line, field, what));
        };
        let line = node.line;
        let mut items: Vec<Item> = Vec::new();
        for (name, node) in pairs(self.file, field, node)? {
            let price = self.price(&format!("{field}.{name}"), &node)?;
            match items.iter_mut().find(|item| item.name.text() == name) {
                None => items.push(Item {
                    name: Name::from(name.as_str()),
                    price,
                }),
                Some(item) => {
                    let (file, line) = (self.file, node.line);
                    let note = format!(
                        "{file}:{line}: {field}.{name}: written twice, the last one counts"
                    );
                    self.notes.push(note);
                    item.price = price;
                }
            }
        }
        if items.is_empty() {
            let file = self.file;
            self.notes.push(format!(
                "{file}:{line}: {field}: empty, so it takes no part in trade"
            ));
        }
        Ok(items)
    }

    fn price(&self, field: &str, node: &Node) -> Result<Amount, LoadError> {
        let Some(price) = node.text().map(str::trim).and_then(money::read) else {
            let shown = shown(node);
            let what = format!("{shown} is not an amount in USD: write a decimal such as 12.50");
            return Err(wrong(self.file, node.line, field, what));
        };
        if price < Amount::ZERO || price > PRICE_MAX {
            let what = format!(
                "{} is out of range: a price is between 0 and {}",
                dollars(price),
                dollars(PRICE_MAX)
            );
            return Err(wrong(self.file, node.line, field, what));
        }
        Ok(price)
    }

    /// A share between 0 and 1 in 1e-9; 1 if missing, so that the list price is the lowest.
    fn factor(&mut self, field: &str) -> Result<i128, LoadError> {
        let Some(node) = self.take(field) else {
            return Ok(ONE);
        };
        match node.text().map(str::trim).and_then(decimal) {
            Some(factor) if (0..=ONE).contains(&factor) => Ok(factor),
            _ => {
                let what = format!("{} is not a share between 0 and 1", shown(&node));
                Err(wrong(self.file, node.line, field, what))
            }
        }
    }

    /// Attribute names: a list, or a mapping of names to true or false of which the true ones
    /// are kept. Missing means none.
    fn attributes(&mut self, field: &str) -> Result<Vec<Name>, LoadError> {
        let Some(node) = self.take(field) else {
            return Ok(Vec::new());
        };
        let Value::Sequence(entries) = node.value else {
            let mut kept = Vec::new();
            for (name, node) in pairs(self.file, field, node)? {
                if self.flag(&format!("{field}.{name}"), &node)? {
                    kept.push(Name::from(name.as_str()));
                }
            }
            return Ok(kept);
        };
        if entries.len() > ENTRIES_MAX {
            let what = format!("at most {ENTRIES_MAX} entries are read");
            return Err(wrong(self.file, node.line, field, what));
        }
        let named = |node| Ok(Name::from(entry_name(self.file, field, node)?.as_str()));
        entries.iter().map(named).collect()
    }

    fn flag(&self, field: &str, node: &Node) -> Result<bool, LoadError> {
        match node.text().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "on") => Ok(true),
            Some("false" | "no" | "off" | "" | "~" | "null") => Ok(false),
            _ => {
                let what = format!("{} is neither true nor false", shown(node));
                Err(wrong(self.file, node.line, field, what))
            }
        }
    }
}

/// The part of a text that fits, cut between characters.
pub(super) fn head(text: &str, max_bytes: usize) -> &str {
    if text.len() <= max_bytes {
        return text;
    }
    let end = (0..=max_bytes)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    text.split_at(end).0
}

/// A value as it may be quoted in an error: short and escaped.
fn shown(node: &Node) -> String {
    match node.text() {
        Some(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        None => "a nested value".to_owned(),
    }
}
