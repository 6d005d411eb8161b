//! The sync stands before the answer, in a trace of the system calls that the server makes.
//!
//! Killing a process proves little, since the page cache survives it; the order of the calls does.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const MARKER: &str = "sync-before-answer";

/// The traced server, ended with the test. The first word of the trace is the server's process id.
struct Traced(Child, std::path::PathBuf);

impl Drop for Traced {
    fn drop(&mut self) {
        // strace itself does not take the signal; it ends when the server has ended.
        let trace = fs::read_to_string(&self.1).unwrap_or_default();
        let server = trace.split_whitespace().next().unwrap_or_default();
        let ended = Command::new("kill").args(["-TERM", server]).status();
        if !ended.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

fn start(folder: &Path, trace: &Path) -> (Traced, String) {
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-y",
        "-s",
        "512",
        "-e",
        "trace=fsync,fdatasync,read,recvfrom,write,writev,sendto",
        "-o",
    ]);
    command.arg(trace).arg(env!("CARGO_BIN_EXE_rialto"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.join("realm"));
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = out.find_map(|line| {
        line.unwrap()
            .split_whitespace()
            .find(|w| w.starts_with("http://"))
            .map(str::to_owned)
    });
    (Traced(child, trace.to_owned()), url.unwrap())
}

/// The numbers of the lines that show the request's arrival, the sync of the log, and the answer.
fn order(trace: &str) -> Option<(usize, usize, usize)> {
    let lines: Vec<&str> = trace.lines().collect();
    let arrival = lines
        .iter()
        .position(|l| l.contains(MARKER) && !l.contains("write"))?;
    let after = |from: usize, wanted: &dyn Fn(&str) -> bool| {
        (from..lines.len()).find(|i| lines.get(*i).is_some_and(|l| wanted(l)))
    };
    let answer = after(arrival, &|l| l.contains("HTTP/1.1 200"))?;
    let is_sync =
        |l: &str| (l.contains("fsync(") || l.contains("fdatasync(")) && l.contains("log.db");
    let begun = (arrival..answer)
        .rev()
        .find(|i| lines.get(*i).is_some_and(|l| is_sync(l)))?;
    // A call that another thread's interrupted is resumed on a later line.
    let begun_line = lines.get(begun)?;
    let thread = begun_line.split_whitespace().next()?;
    let done = match begun_line.contains("unfinished") {
        false => begun,
        true => after(begun, &|l| {
            l.starts_with(thread) && l.contains("sync resumed")
        })?,
    };
    Some((arrival, done, answer))
}

#[test]
fn the_log_is_synced_before_the_answer_leaves() {
    if Command::new("strace").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "strace must be installed where CI runs"
        );
        rialto_testing::skipped("strace is absent");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.txt");
    let (server, url) = start(folder.path(), &trace);
    let rialto = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
        command
            .args(args)
            .args(["--server", &url])
            .current_dir(folder.path());
        assert!(command.stdout(Stdio::null()).status().unwrap().success());
    };
    rialto(&[
        "op",
        "owner.sign_up",
        &format!("{{\"name\":\"{MARKER}\",\"kind\":\"person\"}}"),
    ]);
    let patience = Instant::now();
    let seen = loop {
        let seen = order(&fs::read_to_string(&trace).unwrap());
        if seen.is_some() || patience.elapsed() > Duration::from_secs(20) {
            break seen;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    drop(server);
    let (arrival, synced, answer) = seen.expect("request, sync and answer are in the trace");
    assert!(
        arrival < synced && synced < answer,
        "arrival {arrival}, sync {synced}, answer {answer}"
    );
}
