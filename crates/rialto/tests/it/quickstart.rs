//! `examples/quickstart.py` against a server of this build.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_stranger_closes_a_deal_in_28_lines() {
    if Command::new("python3").arg("--version").output().is_err() {
        rialto_testing::skipped("python3 is absent");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart.py");
    let lines = std::fs::read_to_string(&script)
        .expect("the example")
        .lines()
        .count();
    assert!(lines <= 28, "{lines} lines");
    let data = tempfile::tempdir().expect("a folder");
    let mut serve = Command::new(env!("CARGO_BIN_EXE_rialto"));
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path().join("realm"));
    let child = serve
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    let mut served = Served(child);
    let mut out = BufReader::new(served.0.stdout.take().expect("piped")).lines();
    let url = out.find_map(|line| {
        let line = line.expect("readable");
        line.split_whitespace()
            .find(|word| word.starts_with("http://"))
            .map(str::to_owned)
    });
    let url = url.expect("the server prints its address");
    let token = data.path().join("realm/operator.token");
    // A second run meets what the first has left behind.
    for run in 1..=2 {
        let output = Command::new("python3")
            .arg(&script)
            .arg(url.trim_end_matches('/'))
            .arg(&token)
            .output()
            .expect("python3 runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {run}: {told}");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed, "ana ['17.50']\ncasa ['12.50']\n", "run {run}");
    }
    // What the server refuses is told in its words.
    let wrong = data.path().join("wrong.token");
    std::fs::write(&wrong, "rlt_wrong").expect("a file");
    let output = Command::new("python3")
        .arg(&script)
        .arg(url.trim_end_matches('/'))
        .arg(&wrong)
        .output()
        .expect("python3 runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && !told.contains("Traceback"),
        "{told}"
    );
    assert!(
        told.starts_with("ledger.issue: {") && told.contains("RLT0015"),
        "{told}"
    );
}
