//! The direction of dependence, and habits that are worth a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each crate may depend on, of ours. Anything else is a wrong turn.
const ALLOWED: &[(&str, &[&str])] = &[
    ("rialto-calibration", &["rialto-fleet", "rialto-random"]),
    (
        "rialto-client",
        &["rialto-core", "rialto-outside", "rialto-wire"],
    ),
    ("rialto-console", &["rialto-core"]),
    ("rialto-core", &[]),
    ("rialto-economics", &["rialto-fleet", "rialto-random"]),
    ("rialto-fleet", &["rialto-random"]),
    (
        "rialto-gateway",
        &["rialto-core", "rialto-outside", "rialto-wire"],
    ),
    ("rialto-journal", &["rialto-random"]),
    ("rialto-lab", &["rialto-random"]),
    ("rialto-outside", &["rialto-core"]),
    ("rialto-random", &[]),
    ("rialto-testing", &[]),
    ("rialto-wire", &["rialto-core"]),
    ("rialto-views", &["rialto-core", "rialto-wire"]),
    (
        "rialto-server",
        &[
            "rialto-console",
            "rialto-core",
            "rialto-gateway",
            "rialto-journal",
            "rialto-outside",
            "rialto-views",
            "rialto-wire",
        ],
    ),
    (
        "rialto-scenario",
        &[
            "rialto-client",
            "rialto-core",
            "rialto-server",
            "rialto-wire",
        ],
    ),
    (
        "rialto-bench",
        &[
            "rialto-client",
            "rialto-core",
            "rialto-lab",
            "rialto-random",
            "rialto-scenario",
            "rialto-views",
            "rialto-wire",
        ],
    ),
    (
        "rialto",
        &[
            "rialto-bench",
            "rialto-calibration",
            "rialto-client",
            "rialto-core",
            "rialto-economics",
            "rialto-fleet",
            "rialto-gateway",
            "rialto-journal",
            "rialto-lab",
            "rialto-outside",
            "rialto-random",
            "rialto-scenario",
            "rialto-server",
            "rialto-views",
            "rialto-wire",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

#[test]
fn dependencies_point_inward() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let allowed: BTreeSet<&str> = allowed[name].iter().copied().collect();
        for dependency in package["dependencies"].as_array().unwrap() {
            let normal = dependency["kind"].is_null();
            let other = dependency["name"].as_str().unwrap();
            let ours = other == "rialto" || other.starts_with("rialto-");
            assert!(
                !(normal && ours) || allowed.contains(other),
                "{name} must not depend on {other}"
            );
        }
    }
}

/// What a test prints with `eprintln!` is shown only when it fails, so a skipped test would say nothing.
#[test]
fn skipped_tests_are_seen() {
    let said = concat!("eprintln!(\"", "skipped");
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    files.retain(|path| std::fs::read_to_string(path).unwrap().contains(said));
    assert!(files.is_empty(), "use rialto_testing::skipped: {files:?}");
}

/// The core stays free of everything that could make two machines differ.
#[test]
fn the_core_has_few_dependencies() {
    let metadata = metadata();
    let core = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "rialto-core")
        .unwrap();
    let normal = core["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|d| d["kind"].is_null());
    let names: BTreeSet<&str> = normal.map(|d| d["name"].as_str().unwrap()).collect();
    let known = [
        "blake3",
        "foldhash",
        "hashbrown",
        "minicbor",
        "schemars",
        "serde",
        "unicode-normalization",
        "unicode-script",
    ];
    assert_eq!(names, known.into_iter().collect());
    let text = std::fs::read_to_string(root().join("crates/rialto-core/src/lib.rs")).unwrap();
    assert!(
        text.contains("#![no_std]"),
        "the compiler keeps clocks and I/O out of the core"
    );
}

/// There is one order in which the parts of a realm start, and one in which they end.
#[test]
fn a_realm_is_put_together_in_one_place() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    let assembling = ["Indexer::start(", "Patrol::start(", "Door::with("];
    let home = Path::new("rialto-server/src/realm.rs");
    let own = Path::new("rialto-server/tests/it/architecture.rs");
    files.retain(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        let others = !path.ends_with(home) && !path.ends_with(own);
        others && assembling.iter().any(|call| text.contains(call))
    });
    assert!(files.is_empty(), "use Realm::open: {files:?}");
}

/// The binary is a command line: nobody depends on it, and what it carries out is a library's.
#[test]
fn nothing_depends_on_the_binary() {
    for (name, allowed) in ALLOWED {
        assert!(
            !allowed.contains(&"rialto"),
            "{name} must not depend on rialto"
        );
    }
    let manifest = std::fs::read_to_string(root().join("crates/rialto/Cargo.toml")).unwrap();
    assert!(
        !manifest.contains("[lib]") && !root().join("crates/rialto/src/lib.rs").exists(),
        "what a library user would want stands in a library"
    );
}

/// The API description is made by tests and served as it was committed: what makes it would cost every
/// build of the binary a minute.
#[test]
fn only_tests_are_built_with_schemas() {
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let by_default = &package["features"]["default"];
        assert!(by_default.is_null(), "{name} has default features");
        for dependency in package["dependencies"].as_array().unwrap() {
            let normal = dependency["kind"].is_null();
            let features = dependency["features"].as_array().unwrap();
            let schema = features.iter().any(|f| f == "schema")
                || (dependency["name"] == "schemars" && dependency["optional"] == false);
            assert!(!(normal && schema), "{name}: {}", dependency["name"]);
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_says_what_it_holds() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    assert!(files.len() > 50);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} does not begin with a module doc",
            file.display()
        );
    }
}

#[test]
fn the_core_knows_no_floating_point() {
    let mut files = Vec::new();
    sources(&root().join("crates/rialto-core/src"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
        for line in code {
            assert!(
                !line.contains("f64") && !line.contains("f32"),
                "{}: {line}",
                file.display()
            );
        }
    }
}
