//! Words of any script for the full-text indexes: how a text is indexed, and how a search is asked.
//!
//! The indexes split at ASCII white space and punctuation only; everything else happens here, the same
//! way for texts and queries. Words are folded (compatibility forms, case, the accents of letters), and
//! English plurals lose their ending. Scripts that are written without spaces become overlapping
//! pairs of characters, so that any part of such a run is found; each emoji or symbol is a word of its
//! own. A word split by a hyphen, an apostrophe or an invisible character is also found whole. It never
//! looks at what a word means, and nothing in a query is syntax.

use rialto_core::names::{fold_char, is_joiner, is_unseen, is_variation};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most words of a query that are looked for.
const MOST: usize = 32;
/// The most characters of one word of a query.
const LONGEST: usize = 64;

/// What is indexed of a text: words between single spaces.
pub(crate) fn indexed(text: &str) -> String {
    let mut words = Words::new(text.len());
    if text.is_ascii() {
        words.ascii(text.as_bytes());
    } else {
        words.of_any_script(text);
    }
    words.out.push_str(&words.whole);
    words.out
}

/// A search's words as FTS5 expressions, each once, with everything quoted. Two neighbouring words
/// are also found as one.
pub(crate) fn expressions(text: &str) -> Vec<String> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().take(LONGEST).collect();
        let forms = forms(&word);
        if !forms.is_empty() && found.len() < MOST && found.iter().all(|(_, known)| *known != forms)
        {
            found.push((word, forms));
        }
    }
    let joined: Vec<Vec<String>> = found
        .windows(2)
        .map(|pair| match pair {
            [(a, _), (b, _)] if is_plain(a) && is_plain(b) => forms(&format!("{a}{b}")),
            _ => Vec::new(),
        })
        .collect();
    let expression = |(place, (_, forms)): (usize, &(String, Vec<String>))| {
        let before = place.checked_sub(1).and_then(|at| joined.get(at));
        let behind = joined.get(place);
        let beside = before.into_iter().chain(behind).flatten();
        let all: Vec<&str> = forms.iter().chain(beside).map(String::as_str).collect();
        match all.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("({})", many.join(" OR ")),
        }
    };
    found.iter().enumerate().map(expression).collect()
}

/// One FTS5 expression for texts that have every word; nothing when there is no word.
pub(crate) fn all_words(text: &str) -> Option<String> {
    let all = expressions(text);
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// The forms of a query's word in an index, each quoted; nothing if it is not a word.
fn forms(written: &str) -> Vec<String> {
    let mut words = Words::new(written.len());
    words.query = true;
    words.of_any_script(written);
    let parts = words.out.trim_end();
    if parts.is_empty() {
        return Vec::new();
    }
    // One character of a script without spaces begins a pair, or ends a run.
    let mut last = parts.rsplit(' ').next().unwrap_or_default().chars();
    let lone = matches!((last.next(), last.next()), (Some(c), None) if is_unspaced(c));
    let mut forms = vec![format!("\"{parts}\"{}", if lone { " *" } else { "" })];
    let wholes = words.whole.split_whitespace();
    forms.extend(wholes.map(|whole| format!("\"{whole}\"")));
    forms
}

/// A word of letters and digits with spaces around it.
fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_alphanumeric() && !is_unspaced(c))
}

/// Words as they are gathered.
struct Words {
    out: String,
    /// Words that were split, put together.
    whole: String,
    /// The word in the making.
    word: String,
    /// The parts before it that a hyphen or apostrophe split off.
    before: String,
    split: bool,
    query: bool,
}

impl Words {
    fn new(size: usize) -> Self {
        Self {
            out: String::with_capacity(size + size / 8),
            whole: String::new(),
            word: String::new(),
            before: String::new(),
            split: false,
            query: false,
        }
    }

    fn ascii(&mut self, text: &[u8]) {
        for (place, byte) in text.iter().enumerate() {
            if byte.is_ascii_alphanumeric() {
                self.word.push(char::from(byte.to_ascii_lowercase()));
                continue;
            }
            if matches!(byte, 1..=8 | 14..=31 | 127) {
                continue;
            }
            let next = text.get(place + 1..).unwrap_or_default();
            let next = next.iter().find(|b| !matches!(b, b'\n' | b'\r'));
            self.between(
                char::from(*byte),
                next.is_some_and(u8::is_ascii_alphanumeric),
            );
        }
        self.end();
    }

    fn of_any_script(&mut self, text: &str) {
        let folded: String = text
            .nfkd()
            .filter(|c| !is_accent(*c) && !is_hidden(*c))
            .nfc()
            .flat_map(fold_char)
            .filter(|c| !is_accent(*c))
            .nfc()
            .collect();
        let mut run = 0_usize;
        let mut chars = folded.chars().peekable();
        while let Some(c) = chars.next() {
            if is_unspaced(c) {
                self.end();
                run += 1;
                match chars.peek() {
                    Some(next) if is_unspaced(*next) => self.out.extend([c, *next, ' ']),
                    // A query's pairs say already how its run ends.
                    _ => {
                        if run == 1 || !self.query {
                            self.out.extend([c, ' ']);
                        }
                        run = 0;
                    }
                }
            } else if c.is_alphanumeric() || is_combining_mark(c) {
                self.word.push(c);
            } else if is_picture(c) {
                self.end();
                self.out.extend([c, ' ']);
            } else {
                let mut ahead = chars.clone().filter(|c| !matches!(c, '\n' | '\r'));
                self.between(c, ahead.next().is_some_and(char::is_alphanumeric));
            }
        }
        self.end();
    }

    /// What stands between two words, or at the end of one.
    fn between(&mut self, c: char, more: bool) {
        // A hyphen at the end of a line goes on behind it.
        if matches!(c, '\n' | '\r') && self.word.is_empty() && self.split {
            return;
        }
        match c {
            '\'' | '\u{2019}' | '\u{2bc}' if more && !self.word.is_empty() => {}
            '-' | '\u{2010}' | '\u{2011}' | '_' if more && !self.word.is_empty() => self.part(),
            _ => self.end(),
        }
    }

    /// A part of a word ends at a hyphen.
    fn part(&mut self) {
        self.before.push_str(&self.word);
        self.split = true;
        self.put();
    }

    fn end(&mut self) {
        if self.split && !self.word.is_empty() {
            let mut whole = std::mem::take(&mut self.before);
            whole.push_str(&self.word);
            stem(&mut whole);
            self.whole.push_str(&whole);
            self.whole.push(' ');
        }
        self.before.clear();
        self.split = false;
        self.put();
    }

    fn put(&mut self) {
        if !self.word.is_empty() {
            stem(&mut self.word);
            self.out.push_str(&self.word);
            self.out.push(' ');
            self.word.clear();
        }
    }
}

/// Removes the ending of an English plural from a word of ASCII letters. Singular and plural give
/// the same result, which need not be a word.
fn stem(word: &mut String) {
    let letters = word.bytes().all(|b| b.is_ascii_lowercase());
    if word.len() < 4 || !letters {
        return;
    }
    if word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
    let kept = |word: &str, ending: &str, left: usize| {
        (word.len() >= 4 && word.ends_with(ending)).then(|| word.len() - ending.len() + left)
    };
    if let Some(left) = kept(word, "ie", 0) {
        word.truncate(left);
        word.push('y');
        return;
    }
    let endings = [
        ("oe", 1),
        ("xe", 1),
        ("ze", 1),
        ("che", 2),
        ("she", 2),
        ("sse", 2),
    ];
    let found = endings
        .iter()
        .find_map(|(ending, left)| kept(word, ending, *left));
    if let Some(left) = found {
        word.truncate(left);
    }
}

/// Marks that are accents of letters. In other scripts a mark is often a vowel.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Invisible characters, joiners and variation selectors. White space separates words.
fn is_hidden(c: char) -> bool {
    let tone = matches!(c, '\u{1F3FB}'..='\u{1F3FF}');
    (is_unseen(c) && !c.is_whitespace() && c != '\0') || is_joiner(c) || is_variation(c) || tone
}

/// Letters of scripts that are written without spaces between words, or, as Korean, with endings on
/// them.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{3099}'..='\u{30FA}'
        | '\u{30FC}'..='\u{30FF}' | '\u{3100}'..='\u{318F}' | '\u{31A0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Emoji, arrows, signs of currencies and the like.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{A2}'..='\u{A5}' | '\u{A9}' | '\u{AE}' | '\u{20A0}'..='\u{20CF}' | '\u{2100}'..='\u{214F}'
        | '\u{2190}'..='\u{2BFF}' | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use super::{all_words, expressions, indexed};

    #[test]
    fn words_come_to_the_same_however_they_are_written() {
        for (text, want) in [
            ("Tacos, TACO; tacos!", "taco taco taco "),
            ("negotiations", "negotiation "),
            (
                "parties party cookies cookie pies",
                "party party cooky cooky pie ",
            ),
            (
                "boxes box dishes dish dresses dress heroes hero shoes shoe caches cache",
                "box box dish dish dress dress hero hero sho sho cach cach ",
            ),
            ("news bus buses 7s gas s", "new bus buse 7s gas s "),
            ("Crème BRÛLÉE", "creme brulee "),
            ("Straße STRASSE", "strass strass "),
            ("e-mail", "e mail email "),
            (
                "nego-\ntiation nego\u{ad}tiation nego\u{200b}tiation",
                "nego tiation negotiation negotiation negotiation ",
            ),
            ("don't children\u{2019}s", "dont children "),
            ("ラーメン", "ラー ーメ メン ン "),
            ("ﾗｰﾒﾝ屋", "ラー ーメ メン ン屋 屋 "),
            ("東京 tower", "東京 京 tower "),
            ("go🚀now 👍🏽", "go 🚀 now 👍 "),
            ("👨\u{200d}🍳 €5", "👨 🍳 € 5 "),
            ("\"; DROP - -- x", "drop x "),
            ("", ""),
        ] {
            assert_eq!(indexed(text), want, "{text}");
        }
    }

    #[test]
    fn ascii_goes_the_short_way_to_the_same_words() {
        for text in [
            "The e-mail's in: foo_bar-baz, it\'s\n-fine- x--y nego-\r\ntiation a-",
            "a'b 'c' -d",
            "1-2-3",
        ] {
            let mut long = super::Words::new(0);
            long.of_any_script(text);
            assert_eq!(
                indexed(text),
                format!("{}{}", long.out, long.whole),
                "{text}"
            );
        }
    }

    #[test]
    fn searches_quote_what_they_look_for() {
        for (text, want) in [
            ("Tacos taco", Some("\"taco\"")),
            (
                "note book",
                Some("(\"note\" OR \"notebook\") AND (\"book\" OR \"notebook\")"),
            ),
            ("foo麺", Some("\"foo 麺\" *")),
            ("ラーメン", Some("\"ラー ーメ メン\"")),
            ("麺", Some("\"麺\" *")),
            ("🚀", Some("\"🚀\"")),
            ("e-mail x", Some("(\"e mail\" OR \"email\") AND \"x\"")),
            ("foo.bar", Some("\"foo bar\"")),
            ("\" NEAR( *", Some("\"near\"")),
            ("… -- \"", None),
        ] {
            assert_eq!(all_words(text).as_deref(), want, "{text}");
        }
        let many: Vec<String> = (0..99).map(|n| format!("w{n}")).collect();
        assert_eq!(expressions(&many.join(" ")).len(), super::MOST);
    }
}
