//! What the tests of all crates share: where outside data lies, how a test says that it is skipped,
//! certificates, and whether an answer is as it is described.
//!
//! A dev-dependency only; it never becomes part of the product and depends on nothing of it.

pub mod described;

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// Makes a key and a certificate for this machine that signs itself, as `name.key` and `name.pem` in a
/// folder; false, said, where openssl is absent.
///
/// # Panics
/// When openssl fails.
#[must_use]
pub fn certificate(folder: &Path, name: &str) -> bool {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-newkey", "ec"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    let file = |end: &str| folder.join(format!("{name}.{end}"));
    openssl.arg("-keyout").arg(file("key"));
    openssl.arg("-out").arg(file("pem"));
    let Ok(status) = openssl.stdin(Stdio::null()).stderr(Stdio::null()).status() else {
        skipped("openssl is absent");
        return false;
    };
    assert!(status.success(), "openssl made no certificate");
    true
}
