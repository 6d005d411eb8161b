//! Words near which a cue is talk about the thing rather than the thing.

/// Words near which a cue is talk about the thing rather than the thing: advice, refusals, reports.
pub(in crate::screen) const TALK: &[&str] = &[
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

/// Of [`TALK`], what names the thing or cries out: a command right behind it is none that it talks about.
pub(in crate::screen) const NAMED: &[&str] = &[
    "attack",
    "attacks",
    "beware",
    "be careful",
    "phishing",
    "reported",
    "refused",
    "classifier",
    "prompt injection",
    "dataset",
    "training set",
    "warning signs",
    "red flag",
    "red flags",
];

/// Commands about money.
pub(in crate::screen) const ORDER: &[&str] =
    &["pay", "send", "transfer", "deposit", "wire", "remit"];

/// Words that only urge: a command behind them is one.
pub(in crate::screen) const URGED: &[&str] = &[
    "please", "now", "and", "then", "so", "just", "next", "instead", "first", "you",
];

/// Words behind which a colon quotes.
pub(in crate::screen) const SAID: &[&str] = &[
    "says", "say", "said", "saying", "writes", "write", "wrote", "asks", "asked", "asking",
    "reads", "like",
];

/// What says of the words before it that they are such a thing.
pub(in crate::screen) const TOLD: &[&str] = &[
    "are red flags",
    "is a red flag",
    "are warning signs",
    "is a warning sign",
    "is a scam",
    "is phishing",
    "is an attack",
    "is a known attack",
    "is prompt injection",
    "is how scammers",
    "is what scammers",
    "should be reported",
    "must be reported",
];
