//! The rules of `rules:v3`: which cues, and which of them together, make which label.
//!
//! A cue is a word or a few words in folded text. A rule is a list of groups; it applies if every
//! group has a cue within a window of words. Written on the training half of the project's set
//! only; docs/screening.md has the results on the other half.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::cues::{
    ALL_BEFORE, COMMAND_READER, CROWD, DEMAND, FAVOUR, GIVE, HARD_LOSS, HARD_PROOF, IMPERSONATE,
    INSTRUCTIONS, KEPT_FROM, LOSS, LOSS_SECOND, MANY, NAMED, NEW_ROLE, OFF_RAIL, ORDER, OVERRIDE,
    PAY, PLAY, PRESS, PRIOR, PROOF, READER, SAID, SECRECY, SECRET, TALK, TO_PROGRAMS, TOLD,
    UNBOUND, URGED,
};
use super::{BREAK, Label, PAUSE};

/// A rule: every group must have a cue, all within `window` words.
struct Rule {
    label: Label,
    window: usize,
    groups: &'static [&'static [&'static str]],
}

macro_rules! rules {
    ($($label:ident $window:literal [$($group:expr),+ $(,)?];)*) => {
        &[$(Rule { label: Label::$label, window: $window, groups: &[$($group),+] }),*]
    };
}

/// How many words beside such talk belong to it.
const TALK_REACH: usize = 6;

const RULES: &[Rule] = rules! {
    Injection 9 [OVERRIDE, PRIOR, INSTRUCTIONS];
    Injection 40 [NEW_ROLE, COMMAND_READER];
    Injection 14 [READER, &["you must", "must select", "must choose", "must recommend", "must accept", "must pay", "must approve", "always recommend", "always choose", "always select", "only recommend", "do not consider", "are instructed", "are required to", "are hereby", "reading this", "evaluating this", "processing this"], COMMAND_READER];
    Injection 12 [&["reveal", "print", "repeat", "output", "show"], &["system prompt", "hidden instructions", "your instructions", "initial prompt", "your prompt"]];
    Injection 12 [&["do not follow", "stop following", "cease following", "no longer follow", "stop obeying", "no longer bound"], &["instructions", "owner", "rules", "orders", "policy", "limits", "allowance"]];
    Injection 8 [OVERRIDE, ALL_BEFORE];
    Injection 24 [PLAY, UNBOUND];
    Injection 20 [TO_PROGRAMS, FAVOUR];
    Injection 12 [&["reveal", "print", "repeat", "output", "show", "tell me", "what are", "what were"], &["your initial instructions", "your original instructions", "your system instructions", "your hidden instructions", "the words above", "the text above", "the instructions above"]];
    SecretRequest 9 [GIVE, SECRET];
    OffPlatformPayment 10 [PAY, OFF_RAIL];
    FalseAuthority 14 [IMPERSONATE, DEMAND];
    FalseAuthority 10 [&["official", "officially", "certified", "accredited", "endorsed", "recognized", "recognised", "approved", "designated", "licensed", "ranked", "awarded", "award winning", "winner", "featured", "authorized", "rated"], &["association", "institute", "board", "bureau", "council", "ministry", "federal", "national", "commission", "academy", "michelin", "james beard", "critics", "department", "authority", "government", "international", "foundation", "guild", "society"]];
    InventedProof 9 [MANY, CROWD, PROOF];
    InventedProof 1 [HARD_PROOF];
    LossFraming 12 [LOSS, PRESS, LOSS_SECOND];
    LossFraming 4 [HARD_LOSS];
    Secrecy 8 [SECRECY, KEPT_FROM];
};

/// Where a cue begins and ends, in words of the text.
type Span = (usize, usize);

/// The cues of all groups by their first word: the cost depends on the words of a text, not on the
/// number of cues.
struct Cues {
    begin: HashMap<String, Vec<Cue>>,
    groups: usize,
}

/// A cue without its first word. Folding leaves no apostrophes.
struct Cue {
    rest: Vec<String>,
    group: usize,
}

/// The group of [`TALK`], that of [`TOLD`], and those of the commands; the groups of the rules follow, in
/// the order of [`RULES`].
const TALK_GROUP: usize = 0;
const TOLD_GROUP: usize = 1;
const COMMAND_GROUPS: std::ops::RangeInclusive<usize> = 2..=4;

static CUES: LazyLock<Cues> = LazyLock::new(|| {
    let mut cues = Cues {
        begin: HashMap::new(),
        groups: 0,
    };
    cues.add(TALK);
    cues.add(TOLD);
    for commands in [OVERRIDE, GIVE, ORDER] {
        cues.add(commands);
    }
    for group in RULES.iter().flat_map(|rule| rule.groups) {
        cues.add(group);
    }
    cues
});

impl Cues {
    fn add(&mut self, group: &[&str]) {
        for cue in group {
            let bare = cue.replace('\'', "");
            let mut words = bare.split(' ').map(str::to_owned);
            let first = words.next().unwrap_or_default();
            let rest = words.collect();
            self.begin.entry(first).or_default().push(Cue {
                rest,
                group: self.groups,
            });
        }
        self.groups += 1;
    }

    /// The positions of each group's cues in a text.
    fn found_in(&self, words: &[&str]) -> Vec<Vec<Span>> {
        let mut found = vec![Vec::new(); self.groups];
        for (place, word) in words.iter().enumerate() {
            let behind = words.get(place + 1..).unwrap_or_default();
            for cue in self.begin.get(*word).into_iter().flatten() {
                let said = behind.get(..cue.rest.len());
                if said.is_none_or(|said| said != cue.rest.as_slice()) {
                    continue;
                }
                if let Some(group) = found.get_mut(cue.group) {
                    group.push((place, place + 1 + cue.rest.len()));
                }
            }
        }
        found
    }
}

/// Whether every group of a rule has a cue within the rule's window of words, none of them excused.
fn speaks(rule: &Rule, found: &[Vec<Span>], excused: &[Span]) -> bool {
    let meant = |span: &&Span| !excused.iter().any(|e| span.0 < e.1 && e.0 < span.1);
    let Some((first, rest)) = found.split_first() else {
        return false;
    };
    first.iter().filter(meant).any(|start| {
        let near = |at: &Span| {
            let span = start.1.max(at.1) - start.0.min(at.0);
            // Two cues of different groups are not the same words.
            let apart = at.0 >= start.1 || at.1 <= start.0;
            apart && span <= rule.window + 2
        };
        rest.iter()
            .all(|group| group.iter().filter(meant).any(near))
    })
}

/// A folded text with where its sentences end, where it pauses, and where commands begin.
struct Said<'a> {
    words: Vec<&'a str>,
    ends: Vec<usize>,
    pauses: Vec<usize>,
    commands: Vec<usize>,
}

impl<'a> Said<'a> {
    fn new(text: &'a str) -> Self {
        let (mut words, mut ends, mut pauses) = (Vec::new(), Vec::new(), Vec::new());
        for word in text.split_whitespace() {
            match word {
                BREAK => ends.push(words.len()),
                PAUSE => pauses.push(words.len()),
                word => words.push(word),
            }
        }
        Self {
            words,
            ends,
            pauses,
            commands: Vec::new(),
        }
    }

    fn sentence(&self, at: usize) -> (usize, usize) {
        let begin = self.ends.iter().rev().find(|end| **end <= at);
        let end = self.ends.iter().find(|end| **end > at);
        (
            begin.copied().unwrap_or(0),
            end.copied().unwrap_or(usize::MAX),
        )
    }

    /// Whether a command begins at a word, or after words that only urge.
    fn commands_at(&self, at: usize) -> bool {
        let behind = self.words.get(at..).unwrap_or_default();
        let urged = behind.iter().take_while(|word| URGED.contains(*word));
        self.commands.binary_search(&(at + urged.count())).is_ok()
    }

    /// Where the words that such talk excuses end. A pause with a command behind it ends them, unless
    /// somebody is said to say it; a name of the thing with a command right behind it excuses nothing.
    fn reach(&self, (from, to): Span) -> usize {
        let (_, end) = self.sentence(from);
        let end = (to + TALK_REACH).min(end.max(to));
        let cue = self.words.get(from..to).unwrap_or_default().join(" ");
        if NAMED.contains(&cue.as_str()) && self.commands_at(to) {
            return to;
        }
        let says = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| self.words.get(at));
            before.is_some_and(|word| SAID.contains(word))
        };
        let within = self.pauses.iter().filter(|at| (to..end).contains(*at));
        let stop = within
            .copied()
            .find(|at| self.commands_at(*at) && !says(*at));
        stop.unwrap_or(end)
    }

    /// The words that talk about an attack excuses: some after it in its own sentence, or those before
    /// it if it describes them. It excuses nothing else, so that a final remark does not clear a text.
    fn excused(&self, talk: &[Span], told: &[Span]) -> Vec<Span> {
        let behind = talk.iter().map(|span| (span.0, self.reach(*span)));
        let before = told.iter().map(|(from, to)| {
            let (begin, _) = self.sentence(*from);
            (from.saturating_sub(TALK_REACH).max(begin), *to)
        });
        behind.chain(before).collect()
    }
}

/// The labels of a folded text: words in lower case between single spaces, with one at either end.
pub(super) fn judge(text: &str) -> Vec<Label> {
    let mut said = Said::new(text);
    let found = CUES.found_in(&said.words);
    let group = |number: usize| found.get(number).map_or(&[][..], Vec::as_slice);
    said.commands = COMMAND_GROUPS.flat_map(group).map(|span| span.0).collect();
    said.commands.sort_unstable();
    let excused = said.excused(group(TALK_GROUP), group(TOLD_GROUP));
    let mut labels: Vec<Label> = Vec::new();
    let mut groups = found.get(COMMAND_GROUPS.end() + 1..).unwrap_or_default();
    for rule in RULES {
        let (of_rule, others) = groups.split_at(rule.groups.len().min(groups.len()));
        groups = others;
        let excused = match rule.label {
            Label::FalseAuthority => &[],
            _ => excused.as_slice(),
        };
        if !labels.contains(&rule.label) && speaks(rule, of_rule, excused) {
            labels.push(rule.label);
        }
    }
    labels
}

/// Finds known words in letters that were spelled out without borders.
pub(super) fn split_known(text: &str) -> String {
    const WORDS: &[&str] = &[
        "ignore",
        "disregard",
        "forget",
        "all",
        "any",
        "your",
        "my",
        "previous",
        "prior",
        "instructions",
        "instruction",
        "rules",
        "send",
        "me",
        "the",
        "api",
        "key",
        "token",
        "password",
        "private",
        "pay",
        "directly",
        "do",
        "not",
        "tell",
        "owner",
        "system",
        "prompt",
        "and",
        "to",
        "you",
        "are",
        "now",
        "must",
        "bypass",
        "escrow",
        "give",
        "secret",
        "skip",
        "share",
        "seed",
        "phrase",
        "us",
        "this",
        "bitcoin",
        "payment",
        "transfer",
        "in",
        "via",
        "override",
    ];
    let mut out = String::from(" ");
    for run in text.split_whitespace() {
        let mut rest = run;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let longest = WORDS
                .iter()
                .filter(|w| rest.starts_with(**w))
                .max_by_key(|w| w.len());
            match longest {
                Some(word) => {
                    parts.push(*word);
                    rest = rest.strip_prefix(word).unwrap_or_default();
                }
                None => break,
            }
        }
        if rest.is_empty() {
            out.push_str(&parts.join(" "));
        } else {
            out.push_str(run);
        }
        out.push(' ');
    }
    out
}
