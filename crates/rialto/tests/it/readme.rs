//! The README's transcript of a deal by hand is what a new realm answers.
//!
//! Ids, hashes and times of a run differ from those that are printed. They are matched by their
//! form, and what is learned of them is used in the commands that follow.

use std::collections::BTreeMap;

use crate::cli::{Place, done};

const README: &str = include_str!("../../../../README.md");
const HEADING: &str = "## A deal by hand";
/// Stands for lines, or for the end of a line, that the README leaves out.
const CUT: &str = "…";

/// Commands with the lines that follow each.
fn transcript() -> Vec<(String, Vec<String>)> {
    let section = README.split_once(HEADING).expect("the section").1;
    let block = section.split_once("```console\n").expect("a block").1;
    let block = block.split_once("```").expect("its end").0;
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ rialto ") {
            Some(command) => steps.push((command.to_owned(), Vec::new())),
            None => steps.last_mut().expect("a command").1.push(line.to_owned()),
        }
    }
    steps
}

/// The words of a command; quoted ones may hold spaces.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('"').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// The form of a word that differs from run to run; none for all others.
fn form(word: &str) -> Option<String> {
    let bare = word.trim_start_matches('#');
    if let Some((kind, digits)) = bare.split_once('_') {
        let id = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_alphanumeric());
        return id.then(|| format!("{kind}_"));
    }
    let hash = bare.len() >= 8 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    let time = word.len() >= 8 && word.bytes().all(|b| b"0123456789-:".contains(&b));
    (hash || time).then(|| format!("{} characters", word.len()))
}

/// What the README prints, and what this run has in its place.
#[derive(Default)]
struct Learned(BTreeMap<String, String>);

impl Learned {
    /// Compares a line word by word, so that columns may be of another width.
    fn line(&mut self, want: &str, have: &str) -> Result<(), String> {
        let (want_words, cut) = match want.strip_suffix(CUT) {
            Some(kept) => (kept.split_whitespace(), true),
            None => (want.split_whitespace(), false),
        };
        let mut have_words = have.split_whitespace();
        for word in want_words {
            let said = have_words.next().unwrap_or_default();
            if word == said {
                continue;
            }
            match (form(word), form(said)) {
                (Some(a), Some(b)) if a == b => self.learn(word, said)?,
                _ => return Err(format!("{word:?} is {said:?} in {have:?}")),
            }
        }
        match have_words.next() {
            Some(more) if !cut => Err(format!("{more:?} comes after {want:?}")),
            _ => Ok(()),
        }
    }

    fn learn(&mut self, word: &str, said: &str) -> Result<(), String> {
        // Of times nothing follows.
        if word.contains([':', '-']) {
            return Ok(());
        }
        let before = self
            .0
            .entry(word.to_owned())
            .or_insert_with(|| said.to_owned());
        if before == said {
            Ok(())
        } else {
            Err(format!("{word} was {before}, is {said}"))
        }
    }

    fn now(&self, word: &str) -> String {
        let known = self
            .0
            .iter()
            .find(|(printed, _)| printed.starts_with(word) && !word.is_empty());
        match known.filter(|_| form(word).is_some()) {
            Some((_, said)) => said.chars().take(word.chars().count()).collect(),
            None => word.to_owned(),
        }
    }
}

fn compare(learned: &mut Learned, want: &[String], have: &str) -> Result<(), String> {
    let mut lines = have.lines();
    let mut skipping = false;
    for wanted in want {
        if wanted == CUT {
            skipping = true;
            continue;
        }
        loop {
            let line = lines.next().ok_or(format!("no line {wanted:?}"))?;
            match learned.line(wanted, line) {
                Ok(()) => break,
                Err(_) if skipping => {}
                Err(why) => return Err(why),
            }
        }
        skipping = false;
    }
    match lines.next() {
        Some(line) if !skipping => Err(format!("{line:?} is not in the README")),
        _ => Ok(()),
    }
}

#[test]
fn the_readme_shows_what_a_deal_by_hand_looks_like() {
    let place = Place::new();
    let server = place.serve("rialto-data");
    let mut learned = Learned::default();
    let steps = transcript();
    assert!(steps.len() >= 10, "{} commands", steps.len());
    for (command, want) in steps {
        let args: Vec<String> = words(&command).iter().map(|w| learned.now(w)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let told = done(place.command(&args).env("RIALTO_SERVER", &server.url));
        assert_eq!(told.code, 0, "{command}: {}", told.err);
        compare(&mut learned, &want, &told.out).unwrap_or_else(|why| {
            panic!(
                "the README is behind at `rialto {command}`: {why}\n{}",
                told.out
            )
        });
    }
}

#[test]
fn a_line_that_drifts_is_noticed() {
    let mut learned = Learned::default();
    for (want, have, same) in [
        (
            "  deal    deal_000000005001",
            "  deal    deal_000000006001",
            true,
        ),
        (
            "  deal    deal_000000005001",
            "  deal    deal_000000007001",
            false,
        ),
        (
            "  deal    deal_000000005001",
            "  task    task_000000005001",
            false,
        ),
        (
            "held #b9c1f7b5 at 16:35:41",
            "held #00000000 at 17:00:00",
            true,
        ),
        ("price 12.50", "price 12.51", false),
        ("a b …", "a b c d", true),
        ("a b", "a b c", false),
    ] {
        assert_eq!(learned.line(want, have).is_ok(), same, "{want}");
    }
    assert_eq!(learned.now("deal_000000005001"), "deal_000000006001");
    assert_eq!(learned.now("deal"), "deal");
}
