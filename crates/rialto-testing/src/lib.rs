//! What the tests of all crates share: the place of outside data, and how a test says that it is
//! skipped.
//!
//! A dev-dependency only; it never becomes part of the product and depends on nothing.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Says on standard error that a test is skipped, and why.
///
/// `cargo test` keeps what `eprintln!` prints of a test that passes; this goes past it, so that a
/// skipped test is seen.
pub fn skipped(why: impl Display) {
    // Nothing can be done, and nothing is lost, when standard error is closed.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// The file or folder of that name in `../shared/data` beside the project, or nothing, said, where it is
/// absent: the project never needs it.
#[must_use]
pub fn outside_data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    skipped(format_args!("the data ../shared/data/{name} is absent"));
    None
}
