//! What is built in from outside: where it comes from, under which licence, and that no version of
//! it has a known flaw.
//!
//! The known flaws are in audit.toml, since the advisory database cannot be had wherever tests run;
//! CONTRIBUTING.md says how the table is renewed. A flaw that is not in the table is not noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use semver::{Version, VersionReq};
use serde::Deserialize;
use serde_json::Value;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Licences that let the binary be given away under MIT or Apache-2.0.
const LICENCES: [&str; 9] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "BlueOak-1.0.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

/// audit.toml.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Audit {
    date: String,
    source: String,
    advisory: Vec<Advisory>,
}

/// A known flaw: every version has it but the patched and the unaffected ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisory {
    id: String,
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
    /// Where it was read, if not in the database that the table names.
    #[serde(rename = "from")]
    found: Option<String>,
}

impl Advisory {
    fn affects(&self, version: &Version) -> bool {
        let free = self.patched.iter().chain(&self.unaffected);
        let mut free = free.map(|range| VersionReq::parse(range).unwrap());
        !free.any(|range| range.matches(version))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn locked() -> Vec<Locked> {
    read::<Lock>("Cargo.lock").package
}

/// The flaws in a table that some version in the lock has.
fn flaws(table: &[Advisory], locked: &[Locked]) -> Vec<String> {
    let mut found = Vec::new();
    for package in locked {
        let version = Version::parse(&package.version).unwrap();
        let about = table
            .iter()
            .filter(|advisory| advisory.name == package.name);
        let affected = about.filter(|advisory| advisory.affects(&version));
        found.extend(affected.map(|a| format!("{} {}: {}", package.name, package.version, a.id)));
    }
    found
}

#[test]
fn no_version_has_a_known_flaw() {
    let audit: Audit = read("audit.toml");
    assert!(!audit.date.is_empty() && !audit.source.is_empty());
    let ids: BTreeSet<(&str, &str)> = audit
        .advisory
        .iter()
        .map(|a| (a.name.as_str(), a.id.as_str()))
        .collect();
    assert_eq!(ids.len(), audit.advisory.len(), "an advisory stands twice");
    let locked = locked();
    assert_eq!(flaws(&audit.advisory, &locked), [""; 0]);
    // A crate that is no longer locked has no place in the table.
    let names: BTreeSet<&str> = locked.iter().map(|p| p.name.as_str()).collect();
    for advisory in &audit.advisory {
        assert!(names.contains(advisory.name.as_str()), "{}", advisory.name);
    }
}

#[test]
fn an_affected_version_is_noticed() {
    let advisory = Advisory {
        id: "RUSTSEC-2021-0020".into(),
        name: "hyper".into(),
        patched: vec![">= 0.14.3".into(), ">= 0.13.10, < 0.14.0".into()],
        unaffected: vec!["< 0.12.0".into()],
        found: None,
    };
    for (version, affected) in [
        ("0.11.9", false),
        ("0.12.0", true),
        ("0.13.9", true),
        ("0.13.10", false),
        ("0.14.2", true),
        ("0.14.3", false),
        ("1.12.0", false),
    ] {
        let package = Locked {
            name: "hyper".into(),
            version: version.into(),
            source: None,
        };
        let found = flaws(std::slice::from_ref(&advisory), &[package]);
        assert_eq!(!found.is_empty(), affected, "{version}");
    }
}

/// What cargo says of every package that is built for this machine.
fn packages() -> Vec<Value> {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", host.unwrap()])
        .current_dir(root())
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    told["packages"].as_array().unwrap().clone()
}

#[test]
fn everything_comes_from_the_registry() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages
        .iter()
        .filter(|p| p["source"].is_null())
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    for package in locked() {
        match &package.source {
            Some(source) => assert_eq!(source, REGISTRY, "{}", package.name),
            None => assert!(ours.contains(package.name.as_str()), "{}", package.name),
        }
    }
    let crates = root().join("crates").canonicalize().unwrap();
    for package in packages.iter().filter(|p| p["source"].is_null()) {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let manifest = manifest.canonicalize().unwrap();
        assert!(manifest.starts_with(&crates), "{}", manifest.display());
        // An empty list of registries: `cargo publish` refuses it.
        assert_eq!(
            package["publish"],
            serde_json::json!([]),
            "{}",
            package["name"]
        );
    }
}

/// The parts of a licence expression between an operator that stands outside of brackets.
fn parts<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, byte) in expression.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ if depth == 0 && at >= from && expression[at..].starts_with(operator) => {
                found.push(&expression[from..at]);
                from = at + operator.len();
            }
            _ => {}
        }
    }
    found.push(&expression[from..]);
    found
}

/// Whether an SPDX licence expression can be met with the licences of the list. A slash is the old
/// way to write OR.
fn allowed(expression: &str) -> bool {
    let expression = expression.trim();
    for (operator, any) in [(" OR ", true), ("/", true), (" AND ", false)] {
        let parts = parts(expression, operator);
        if parts.len() > 1 {
            let mut parts = parts.into_iter();
            return if any {
                parts.any(allowed)
            } else {
                parts.all(allowed)
            };
        }
    }
    let inner = expression
        .strip_prefix('(')
        .and_then(|e| e.strip_suffix(')'));
    inner.map_or_else(|| LICENCES.contains(&expression), allowed)
}

#[test]
fn licence_expressions_are_understood() {
    for (expression, fine) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("Unlicense/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("", false),
    ] {
        assert_eq!(allowed(expression), fine, "{expression}");
    }
}

#[test]
fn licences_are_on_the_list() {
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(allowed(licence), "{}: {licence:?}", package["name"]);
    }
}

/// The part of an advisory of the database that says what it affects.
#[derive(Deserialize)]
struct Entry {
    advisory: EntryHead,
    versions: EntryVersions,
}

#[derive(Deserialize)]
struct EntryHead {
    id: String,
    package: String,
    withdrawn: Option<toml::Value>,
}

#[derive(Deserialize)]
struct EntryVersions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// The advisories that a copy of the database has for a crate, those withdrawn left out.
fn entries(database: &Path, name: &str) -> Vec<Advisory> {
    let Ok(folder) = std::fs::read_dir(database.join("crates").join(name)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for file in folder {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let head = text.split("```toml").nth(1).unwrap();
        let entry: Entry = toml::from_str(head.split("```").next().unwrap()).unwrap();
        if entry.advisory.withdrawn.is_none() {
            found.push(Advisory {
                id: entry.advisory.id,
                name: entry.advisory.package,
                patched: entry.versions.patched,
                unaffected: entry.versions.unaffected,
                found: None,
            });
        }
    }
    found
}

/// Writes the table anew from a copy of the database; what only the old table has stays in it.
#[test]
fn the_table_is_that_of_the_database() {
    let Some(database) = std::env::var_os("RUSTSEC_DB").map(PathBuf::from) else {
        rialto_testing::skipped("RUSTSEC_DB names no copy of the advisory database");
        return;
    };
    let audit: Audit = read("audit.toml");
    let names: BTreeSet<String> = locked().into_iter().map(|p| p.name).collect();
    let kept = audit.advisory.iter().filter(|a| names.contains(&a.name));
    let mut table: BTreeMap<(String, String), Advisory> = kept
        .map(|a| ((a.name.clone(), a.id.clone()), a.clone()))
        .collect();
    let new = names.iter().flat_map(|name| entries(&database, name));
    table.extend(new.map(|a| ((a.name.clone(), a.id.clone()), a)));
    let path = root().join("audit.toml");
    let old = std::fs::read_to_string(&path).unwrap();
    let head = old.split("[[advisory]]").next().unwrap();
    let mut text = head.trim_end().to_owned() + "\n";
    for a in table.values() {
        let (id, name) = (&a.id, &a.name);
        let _ = write!(
            text,
            "\n[[advisory]]\ncrate = {name:?}\nid = {id:?}\npatched = {:?}\n",
            a.patched
        );
        if !a.unaffected.is_empty() {
            let _ = writeln!(text, "unaffected = {:?}", a.unaffected);
        }
        if let Some(found) = &a.found {
            let _ = writeln!(text, "from = {found:?}");
        }
    }
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let now = std::fs::read_to_string(&path).unwrap();
    assert!(
        now == text,
        "audit.toml is behind the database: run this once with RIALTO_BLESS=1"
    );
}
