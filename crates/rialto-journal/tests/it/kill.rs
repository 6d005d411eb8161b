//! A writer killed without warning keeps every frame it acknowledged.

use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::process::{Command, Stdio};

use rialto_journal::contents::INLINE_BYTES;
use rialto_journal::sqlite::SqliteJournal;
use rialto_journal::{Journal, verify};

use crate::{append, content, name};

const CHILD_FOLDER: &str = "JOURNAL_KILL_TEST_FOLDER";
const ROUNDS: usize = 8;

/// The child: appends until killed, and prints the position of each frame once it is acknowledged.
#[test]
#[ignore = "run as a child process by the test below"]
fn child_writes_until_killed() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else {
        return;
    };
    let mut journal = SqliteJournal::open(folder.as_ref()).unwrap();
    loop {
        let first = journal.head().position + 1;
        let sizes: &[usize] = if first.is_multiple_of(5) {
            &[100, INLINE_BYTES + 1]
        } else {
            &[100]
        };
        let head = append(&mut journal, first, 1 + first % 9, sizes).unwrap();
        let mut out = stdout().lock();
        writeln!(out, "ack {}", head.position).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn killed_writer_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kill::child_writes_until_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(CHILD_FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acks = lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| position(&line));
        // Killed after some acknowledgements; those still in the pipe count as well.
        let mut last = acks.by_ref().nth(7 * round).expect("the child wrote");
        child.kill().unwrap();
        last = acks.last().unwrap_or(last);
        child.wait().unwrap();

        let journal = SqliteJournal::open(folder.path()).unwrap();
        assert!(
            journal.head().position >= last,
            "{} < {last}",
            journal.head().position
        );
        let mut reader = journal.reader();
        let report = verify(&mut *reader, &mut |_, _| {}).unwrap();
        assert_eq!(report.head, journal.head());
        for frame in reader.read_from(1, usize::MAX).unwrap() {
            let expected = content(frame.first, 0, 100);
            let found = reader.content(&name(frame.first, 0)).unwrap();
            assert_eq!(found, Some(expected));
            if frame.first.is_multiple_of(5) {
                let expected = content(frame.first, 1, INLINE_BYTES + 1);
                let found = reader.content(&name(frame.first, 1)).unwrap();
                assert_eq!(found, Some(expected));
            }
        }
    }
}

fn position(line: &str) -> Option<u64> {
    line.split_once("ack ")?.1.parse().ok()
}
