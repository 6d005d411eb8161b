//! A minute of mixed load: what the server holds must not grow on and on. How long requests take is
//! printed, not judged: that is for a quiet machine and `rialto bench soak`.

use std::process::Command;

use serde_json::Value;

#[test]
fn a_minute_of_load_leaves_memory_flat() {
    let done = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(["--json", "bench", "soak", "--minutes", "1", "--rate", "200"])
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&done.stderr)));
    eprintln!("{told}");
    assert_eq!(told["memory_flat"], true, "{told}");
    let requests = told["parts"].as_array().unwrap().iter();
    let requests: u64 = requests
        .map(|p| p["requests"]["count"].as_u64().unwrap())
        .sum();
    assert!(requests > 11_000, "{requests} requests were answered");
}
