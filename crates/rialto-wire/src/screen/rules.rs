//! The rules of `rules:v1`: which cues, and which of them together, make which label.
//!
//! A cue is a word or a few words in folded text. A rule is a list of groups; it speaks when every
//! group has a cue within a window of words. Written on the training half of the project's set only; docs/screening.md tells how it does on the other.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Label;

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

const OVERRIDE: &[&str] = &[
    "ignore",
    "disregard",
    "forget",
    "override",
    "overrides",
    "bypass",
    "discard",
    "supersede",
    "supersedes",
    "drop",
    "neglect",
];
const INSTRUCTIONS: &[&str] = &[
    "instructions",
    "instruction",
    "rule your",
    "prompt",
    "prompts",
    "guidelines",
    "rules you",
    "your rules",
    "your programming",
    "your training",
    "your constraints",
    "your policy",
    "your policies",
    "directives",
    "safety checks",
    "system message",
    "your limits",
    "your guardrails",
    "guardrails",
    "the above",
    "everything above",
    "other businesses",
    "other options",
    "other offers",
    "your filters",
];
const PRIOR: &[&str] = &[
    "previous",
    "prior",
    "earlier",
    "above",
    "all",
    "any",
    "every",
    "your",
    "existing",
    "former",
    "system",
    "other",
    "preceding",
    "original",
];
const NEW_ROLE: &[&str] = &[
    "you are now",
    "you must now",
    "act as",
    "pretend to be",
    "from now on you",
    "new instructions",
    "new instruction",
    "your new task",
    "your new goal",
    "developer mode",
    "jailbreak",
    "dan mode",
    "system override",
    "system prompt",
    "system message",
    "admin mode",
    "debug mode",
    "maintenance mode",
    "system instruction",
    "updated instructions",
    "priority instruction",
    "end of prompt",
    "begin system",
    "im start",
    "system update",
];
const COMMAND_READER: &[&str] = &[
    "you must",
    "you shall",
    "must select",
    "must choose",
    "must recommend",
    "always recommend",
    "always choose",
    "always select",
    "only recommend",
    "only choose",
    "do not consider",
    "don't consider",
    "output",
    "reply only",
    "respond only",
    "respond with",
    "execute",
    "transfer",
    "approve",
    "rank",
    "rate this",
    "choose this",
    "select this",
    "recommend this",
    "agents must",
    "agent must",
    "assistants must",
    "assistant must",
    "models must",
    "immediately",
    "send payment",
    "pay",
    "accept",
    "without asking",
    "repeat",
];
const READER: &[&str] = &[
    "agent",
    "agents",
    "assistant",
    "assistants",
    "ai",
    "llm",
    "model",
    "bot",
    "bots",
    "language model",
];
const SECRET: &[&str] = &[
    "api key",
    "api keys",
    "apikey",
    "private key",
    "private keys",
    "secret key",
    "signing key",
    "token",
    "tokens",
    "bearer",
    "password",
    "passwords",
    "passphrase",
    "seed phrase",
    "recovery phrase",
    "mnemonic",
    "credentials",
    "credential",
    "login details",
    "one time code",
    "verification code",
    "2fa code",
    "otp",
    "access key",
    "ssh key",
    "env file",
    "environment variables",
    "cvv",
    "card number",
    "pin code",
    "session cookie",
    "wallet seed",
    "auth code",
];
const GIVE: &[&str] = &[
    "send me",
    "send us",
    "send it",
    "send your",
    "send over",
    "give me",
    "give us",
    "share your",
    "share with me",
    "share the",
    "tell me your",
    "provide your",
    "provide the",
    "reply with",
    "paste your",
    "paste the",
    "paste it",
    "post your",
    "dm me",
    "forward your",
    "forward me",
    "forward the",
    "confirm your",
    "verify your",
    "enter your",
    "submit your",
    "include your",
    "reveal your",
    "reveal the",
    "print your",
    "print the",
    "disclose",
    "hand over",
    "need your",
    "read me",
    "read out",
    "upload your",
    "what is your",
    "what's your",
    "message me your",
    "show me your",
    "email your",
    "let me have",
    "drop your",
    "export your",
    "send the",
    "lend me",
    "leak",
];
const OFF_RAIL: &[&str] = &[
    "wire transfer",
    "western union",
    "moneygram",
    "paypal",
    "venmo",
    "cash app",
    "cashapp",
    "zelle",
    "revolut",
    "gift card",
    "gift cards",
    "bitcoin",
    "btc",
    "usdt",
    "crypto wallet",
    "my wallet",
    "wallet address",
    "iban",
    "bank account",
    "bank transfer",
    "outside the platform",
    "outside of the platform",
    "off platform",
    "off the platform",
    "outside the realm",
    "outside this realm",
    "outside escrow",
    "outside the escrow",
    "without escrow",
    "skip escrow",
    "skip the escrow",
    "skip the hold",
    "without the hold",
    "without a hold",
    "no escrow",
    "bypass escrow",
    "bypass the escrow",
    "directly to my account",
    "directly to our account",
    "pay me directly",
    "pay us directly",
    "pay directly",
    "direct to my",
    "side channel",
    "off ledger",
    "off the ledger",
    "outside the ledger",
    "off the books",
    "prepay",
    "cash in hand",
    "my personal account",
    "our external account",
    "external account",
    "monero",
    "ethereum",
    "eth",
];
const PAY: &[&str] = &[
    "pay", "payment", "payments", "send", "transfer", "deposit", "settle", "wire", "remit", "paid",
    "money", "funds", "fee", "fees", "buy", "cheaper", "discount", "advance",
];
const IMPERSONATE: &[&str] = &[
    "i am the operator",
    "this is the operator",
    "platform security",
    "platform support",
    "platform team",
    "security team",
    "support team",
    "compliance team",
    "compliance department",
    "fraud department",
    "trust and safety",
    "from the operator",
    "realm operator",
    "realm administrator",
    "system administrator",
    "your administrator",
    "your owner has",
    "your owner asked",
    "your owner told",
    "your owner wants",
    "your principal has",
    "your developer",
    "i am your developer",
    "i am your owner",
    "this is your owner",
    "as your owner",
    "your provider",
    "from legal",
    "the legal department",
    "law enforcement",
    "police",
    "tax office",
    "irs",
    "the ceo",
    "your ceo",
    "i am an admin",
    "i am admin",
    "as an admin",
    "official notice",
    "moderation team",
    "the moderators require",
    "the realm requires",
    "audit team",
    "billing department",
    "it department",
];
const DEMAND: &[&str] = &[
    "must",
    "required",
    "require",
    "requires",
    "comply",
    "immediately",
    "urgent",
    "urgently",
    "at once",
    "suspended",
    "suspension",
    "verify",
    "confirm",
    "transfer",
    "send",
    "provide",
    "pay",
    "approve",
    "approved",
    "authorize",
    "authorise",
    "instructed",
    "instructs",
    "orders",
    "ordered",
    "obligated",
    "mandatory",
    "failure to",
    "or your",
    "accept",
    "grant",
    "release",
    "share",
    "settle",
    "reply",
    "disable",
    "asked me",
    "told me",
    "authorised",
    "authorized",
];
const CROWD: &[&str] = &[
    "customers",
    "agents",
    "buyers",
    "users",
    "people",
    "clients",
    "diners",
    "families",
    "homeowners",
    "reviews",
    "reviewers",
    "owners",
    "everyone",
    "everybody",
    "orders",
    "businesses",
    "neighbors",
    "guests",
    "households",
    "traders",
    "locals",
    "projects",
    "jobs",
    "members",
];
const MANY: &[&str] = &[
    "thousands",
    "millions",
    "hundreds of thousands",
    "over 10",
    "99",
    "100 percent",
    "98",
    "97",
    "96",
    "95",
    "94",
    "93",
    "92",
    "5 star",
    "five star",
    "overwhelming majority",
    "nine out of ten",
    "9 out of 10",
    "everyone is",
    "everybody is",
    "everyone already",
    "10 000",
    "000",
    "most popular",
    "most trusted",
    "number one",
    "1 choice",
    "no 1",
    "bestselling",
    "most recommended",
    "most booked",
    "most loved",
    "trending",
    "join the",
];
const PROOF: &[&str] = &[
    "studies show",
    "study shows",
    "study proves",
    "studies prove",
    "research shows",
    "research proves",
    "science proves",
    "scientifically proven",
    "clinically proven",
    "proven by",
    "independent study",
    "independent tests",
    "guaranteed returns",
    "guaranteed profit",
    "guaranteed results",
    "risk free",
    "never fails",
    "cannot lose",
    "can't lose",
    "can not lose",
    "verified results",
    "already verified by",
    "experts agree",
    "leaked report",
    "insiders",
    "satisfaction rate",
    "satisfaction",
    "success rate",
    "repeat customers",
    "rated",
    "recommend us",
    "recommend",
    "recommended",
    "trust us",
    "trust",
    "chose us",
    "choose us",
    "choose",
    "voted",
    "loved by",
    "reviews",
    "joined",
    "prefer",
    "switched",
];
const HARD_PROOF: &[&str] = &[
    "studies show",
    "study shows",
    "study proves",
    "studies prove",
    "research proves",
    "science proves",
    "scientifically proven",
    "clinically proven",
    "guaranteed returns",
    "guaranteed profit",
    "never fails",
    "cannot lose",
    "can't lose",
    "can not lose",
    "leaked report",
    "insiders",
    "experts agree",
    "risk free profit",
    "double your",
    "triple your",
    "10x your",
    "guaranteed to double",
    "zero risk",
];
const LOSS: &[&str] = &[
    "you will lose",
    "you'll lose",
    "lose everything",
    "lose your",
    "lose access",
    "losing",
    "miss out",
    "missing out",
    "last chance",
    "final chance",
    "final warning",
    "final notice",
    "only hours left",
    "only minutes left",
    "expires in minutes",
    "gone forever",
    "never again",
    "before it's too late",
    "before it is too late",
    "too late",
    "regret",
    "don't risk",
    "do not risk",
    "don't let",
    "do not let",
    "risk losing",
    "at risk",
    "other agents are already",
    "act now",
    "act fast",
    "now or never",
    "once in a lifetime",
    "or you will",
    "or lose",
    "will be deleted",
    "will be terminated",
    "will be closed",
    "permanently banned",
    "permanently deleted",
    "ruin",
    "ruined",
    "disaster",
    "disastrous",
    "dangerous",
    "food poisoning",
    "sick",
    "poisoned",
    "suffer",
    "catastrophe",
    "catastrophic",
    "nightmare",
    "unsafe",
    "devastating",
    "costly mistake",
    "costly mistakes",
    "disappointment",
    "disappointed",
    "settle for",
    "health violations",
    "scams",
    "scam",
    "ripped off",
    "forfeit",
    "forfeited",
    "penalty",
    "blacklisted",
    "left behind",
    "window closes",
    "expire",
    "expires",
];
const PRESS: &[&str] = &[
    "now",
    "today",
    "tonight",
    "immediately",
    "minutes",
    "hours",
    "other",
    "others",
    "elsewhere",
    "competitors",
    "competitor",
    "before",
    "unless",
    "if you",
    "final",
    "hurry",
    "instantly",
    "alternatives",
    "avoid",
    "elsewhere",
    "cheap",
    "unlicensed",
    "deadline",
    "seconds",
    "don't",
    "forever",
    "permanently",
    "everything",
    "anyone else",
];
const HARD_LOSS: &[&str] = &[
    "you will lose",
    "you'll lose",
    "lose everything",
    "final warning",
    "now or never",
    "before it's too late",
    "before it is too late",
    "act now or",
    "gone forever",
    "will be permanently deleted",
    "risk losing",
    "last chance",
    "once in a lifetime",
    "don't risk",
    "do not risk",
    "regret it",
    "left behind",
];
const SECRECY: &[&str] = &[
    "don't tell",
    "do not tell",
    "don't mention",
    "do not mention",
    "don't report",
    "do not report",
    "keep this between us",
    "between us",
    "between you and me",
    "keep this secret",
    "keep it secret",
    "keep this private",
    "keep it quiet",
    "keep quiet",
    "stays secret",
    "confidential between",
    "without telling",
    "without informing",
    "without notifying",
    "don't inform",
    "do not inform",
    "don't notify",
    "do not notify",
    "hide this",
    "hide it from",
    "conceal",
    "not be logged",
    "don't log",
    "do not log",
    "delete this message",
    "delete the message",
    "delete after reading",
    "erase this",
    "leave no trace",
    "no need to tell",
    "no one needs to know",
    "nobody needs to know",
    "need not know",
    "doesn't need to know",
    "does not need to know",
    "behind your owner's back",
    "don't let your owner",
    "do not let your owner",
    "keep your owner out",
    "off the record",
    "never mention",
    "never disclose",
    "never reveal",
    "not to be shared with your",
    "tell no one",
    "tell nobody",
    "say nothing",
];
const KEPT_FROM: &[&str] = &[
    "owner",
    "operator",
    "human",
    "humans",
    "user",
    "moderator",
    "moderators",
    "boss",
    "principal",
    "developer",
    "team",
    "bidders",
    "anyone",
    "anybody",
    "no one",
    "nobody",
    "log",
    "logs",
    "logged",
    "trace",
    "us",
    "me",
    "message",
    "deal",
    "secret",
    "quiet",
    "this",
    "them",
    "approver",
    "admin",
    "person",
    "record",
    "know",
];
/// Words near which a cue is talk about the thing rather than the thing: advice, refusals, reports.
const TALK: &[&str] = &[
    "never share",
    "never send",
    "never ask",
    "do not share your",
    "don't share your",
    "will never ask",
    "never give",
    "we never",
    "nobody should ask",
    "should never",
    "beware",
    "be careful",
    "scam that",
    "phishing",
    "reported",
    "example of",
    "such as the phrase",
    "warning signs",
    "how to detect",
    "how to spot",
    "red flag",
    "red flags",
    "we do not ask",
    "we don't ask",
    "we only take payment through",
    "only through escrow",
    "refused",
    "not ask for",
    "asked me to",
    "asked us to",
    "tried to",
    "attack",
    "attacks",
    "training set",
    "classifier",
    "prompt injection",
    "paper on",
    "dataset",
    "if anyone asks",
    "if someone asks",
    "if somebody",
    "watch out for",
];

/// How many words after such talk still belong to it.
const TALK_REACH: usize = 6;

const RULES: &[Rule] = rules! {
    Injection 9 [OVERRIDE, PRIOR, INSTRUCTIONS];
    Injection 40 [NEW_ROLE, COMMAND_READER];
    Injection 14 [READER, &["you must", "must select", "must choose", "must recommend", "must accept", "must pay", "must approve", "always recommend", "always choose", "always select", "only recommend", "do not consider", "are instructed", "are required to", "are hereby", "reading this", "evaluating this", "processing this"], COMMAND_READER];
    Injection 12 [&["reveal", "print", "repeat", "output", "show"], &["system prompt", "hidden instructions", "your instructions", "initial prompt", "your prompt"]];
    Injection 12 [&["do not follow", "stop following", "cease following", "no longer follow", "stop obeying", "no longer bound"], &["instructions", "owner", "rules", "orders", "policy", "limits", "allowance"]];
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

/// A second sign of pressure, so that one hard word in an honest sentence is not enough.
const LOSS_SECOND: &[&str] = &[
    "you",
    "your",
    "family",
    "choose",
    "choosing",
    "pick",
    "hurry",
    "only",
    "final",
    "last",
    "risk",
    "avoid",
    "permanently",
    "immediately",
    "don't",
    "forever",
];

/// Where a cue begins and ends, in words of the text.
type Span = (usize, usize);

/// The cues of all groups by their first word: a text costs by its words, not by the cues there are.
struct Cues {
    begin: HashMap<String, Vec<Cue>>,
    groups: usize,
}

/// A cue without its first word. Folding leaves no apostrophes.
struct Cue {
    rest: Vec<String>,
    group: usize,
}

/// The group of [`TALK`]; those of the rules follow, in the order of [`RULES`].
const TALK_GROUP: usize = 0;

static CUES: LazyLock<Cues> = LazyLock::new(|| {
    let mut cues = Cues {
        begin: HashMap::new(),
        groups: 0,
    };
    cues.add(TALK);
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

    /// Where the cues of each group stand in a text.
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

/// Whether every group of a rule has a cue within the rule's window of words, none of them before a
/// place.
fn speaks(rule: &Rule, found: &[Vec<Span>], from: usize) -> bool {
    let behind = |span: &&Span| span.0 >= from;
    let Some((first, rest)) = found.split_first() else {
        return false;
    };
    first.iter().filter(behind).any(|start| {
        let near = |at: &Span| {
            let span = start.1.max(at.1) - start.0.min(at.0);
            // Two cues of different groups are not the same words.
            let apart = at.0 >= start.1 || at.1 <= start.0;
            apart && span <= rule.window + 2
        };
        rest.iter()
            .all(|group| group.iter().filter(behind).any(near))
    })
}

/// The labels of a folded text: words in lower case between single spaces, with one at either end.
pub(super) fn judge(text: &str) -> Vec<Label> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let found = CUES.found_in(&words);
    // Talk about an attack is none, but it does not excuse one that follows.
    let talk = found.get(TALK_GROUP).into_iter().flatten();
    let resume = talk.map(|(_, end)| end + TALK_REACH).max().unwrap_or(0);
    let mut labels: Vec<Label> = Vec::new();
    let mut groups = found.get(TALK_GROUP + 1..).unwrap_or_default();
    for rule in RULES {
        let (of_rule, others) = groups.split_at(rule.groups.len().min(groups.len()));
        groups = others;
        let from = match rule.label {
            Label::FalseAuthority => 0,
            _ => resume,
        };
        if !labels.contains(&rule.label) && speaks(rule, of_rule, from) {
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
