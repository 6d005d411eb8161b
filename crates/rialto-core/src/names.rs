//! Names: when two are the same, and what new ones must not contain.
//!
//! Items, attributes, tags, skills and teams are compared only by [`name_key`], here and in every
//! crate above. The key ignores how a name was typed (case, white space, Unicode form, kind of
//! quote or dash, invisible characters) and nothing else: other spelling, accents, plural or word
//! order make another name, so that nobody pays for a similar but different item.
//!
//! [`check`] refuses deceptive names. It checks incoming names and never those in the log, which
//! may follow older rules; nothing that is stored depends on it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

/// The most marks on one letter (the bound of Unicode's TR 39).
const MARKS: usize = 4;

/// A name as it was written, with its key beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    text: String,
    key: String,
}

impl Keyed {
    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As it is compared: see [`name_key`].
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl From<&str> for Keyed {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            key: name_key(text),
        }
    }
}

impl fmt::Display for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The form of a name under which it is compared:
/// 1. Unicode NFKC;
/// 2. kinds of apostrophe, double quote and dash each become the ASCII one;
/// 3. control and invisible characters are dropped;
/// 4. full case folding;
/// 5. runs of white space become one space, none at the ends.
#[must_use]
pub fn name_key(name: &str) -> String {
    // Quotes are unified before NFKC too, since NFKC turns a lone acute accent into two characters.
    let plain = name.chars().map(plain_mark).nfkc().map(plain_mark);
    let folded = plain.filter(|c| !is_dropped(*c)).flat_map(fold_char).nfkc();
    let mut key = String::with_capacity(name.len());
    for c in folded {
        if !c.is_whitespace() {
            key.push(c);
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

/// True when two names are one.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || name_key(a) == name_key(b)
}

/// A character under full case folding: lower case of upper case of lower case, which brings `ß` and
/// `ẞ` to `ss` and every sigma to one. The dotless i is a letter of its own.
pub fn fold_char(c: char) -> impl Iterator<Item = char> {
    let kept = (c == '\u{131}').then_some(c);
    let folded = (c != '\u{131}').then_some(c).into_iter();
    kept.into_iter().chain(
        folded
            .flat_map(char::to_lowercase)
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase),
    )
}

fn plain_mark(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{02BC}' | '\u{2032}' | '\u{FF07}' | '`'
        | '\u{00B4}' => '\'',
        '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{2033}' | '\u{FF02}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => '-',
        other => other,
    }
}

fn is_dropped(c: char) -> bool {
    (is_unseen(c) || is_joiner(c) || is_variation(c)) && !c.is_whitespace()
}

/// Zero-width joiner and non-joiner: a part of how some scripts and emoji are written.
#[must_use]
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Selectors of how a symbol is drawn.
#[must_use]
pub fn is_variation(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}')
}

/// Characters that are invisible, or change how their neighbours are shown: control characters,
/// line and paragraph separators, direction marks, zero-width and filling characters, tags, private
/// use and noncharacters. Joiners and variation selectors are not among them.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{E000}'..='\u{F8FF}'
            | '\u{FDD0}'..='\u{FDEF}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFC}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Characters without a picture: unassigned ones, and the musical null note head.
fn is_undrawn(c: char) -> bool {
    c.script() == Script::Unknown || c == '\u{1D159}'
}

/// Whether a character alone shows something: it is not white space, invisible, unassigned, of private use,
/// a mark without a letter, or a sign without what it stands before.
#[must_use]
pub fn is_seen(c: char) -> bool {
    !(is_unseen(c)
        || is_undrawn(c)
        || is_joiner(c)
        || is_variation(c)
        || c.is_whitespace()
        || is_prepended(c)
        || is_combining_mark(c))
}

/// Signs that are drawn around the digits or letters that follow, and show nothing alone.
fn is_prepended(c: char) -> bool {
    matches!(
        c,
        '\u{600}'
            ..='\u{605}'
                | '\u{6DD}'
                | '\u{70F}'
                | '\u{890}'
                | '\u{891}'
                | '\u{8E2}'
                | '\u{110BD}'
                | '\u{110CD}'
    )
}

/// Whether a character is drawn as a picture or symbol, which a selector or joiner may follow.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{2190}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}'
        | '\u{1F000}'..='\u{1FAFF}')
}

/// Checks that a new name reads as what it is.
///
/// # Errors
/// What is expected, when it holds a character that is not seen or that turns others round, a letter
/// with a heap of marks, or a word of letters of two scripts.
pub fn check(name: &str) -> Result<(), &'static str> {
    let mut before = None;
    let mut marks = 0;
    let mut word = Word::default();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        if is_unseen(c) || is_undrawn(c) {
            return Err("a name without control, direction, invisible, tag or private characters");
        }
        if is_joiner(c) && !joins(before, c, chars.peek().copied()) {
            return Err(
                "a name without invisible characters: a joiner is allowed between two parts of an emoji, or of a word in a script that needs it",
            );
        }
        if is_variation(c) && !before.is_some_and(|b| is_symbol(b) || "0123456789#*".contains(b)) {
            return Err(
                "a name without invisible characters: a variation selector is allowed after a symbol",
            );
        }
        let mark = is_combining_mark(c);
        marks = if mark { marks + 1 } else { 0 };
        if marks > MARKS || mark && before.is_none() {
            return Err("a name with at most four marks on a letter, and none before the first");
        }
        if !mark && !is_joiner(c) && !word.takes(c) {
            return Err(
                "a name whose words each use one script: look-alike letters of another script are refused",
            );
        }
        if !is_variation(c) {
            before = Some(c);
        }
    }
    Ok(())
}

/// Whether a joiner is where a script or an emoji needs it.
fn joins(before: Option<char>, joiner: char, next: Option<char>) -> bool {
    let (Some(before), Some(next)) = (before, next) else {
        return false;
    };
    if joiner == '\u{200D}' && is_symbol(before) && is_symbol(next) {
        return true;
    }
    let needs = |c: char| {
        use Script as S;
        let script = c.script();
        matches!(
            script,
            S::Arabic
                | S::Syriac
                | S::Mongolian
                | S::Nko
                | S::Devanagari
                | S::Bengali
                | S::Gurmukhi
                | S::Gujarati
                | S::Oriya
                | S::Tamil
                | S::Telugu
                | S::Kannada
                | S::Malayalam
                | S::Sinhala
                | S::Khmer
                | S::Myanmar
                | S::Tibetan
        )
    };
    needs(before) && needs(next)
}

/// The scripts of the word so far.
#[derive(Default)]
struct Word {
    latin: bool,
    other: Option<Script>,
}

impl Word {
    /// Takes the next character; false if it makes a deceptive mixture. Latin may be mixed with
    /// scripts whose letters do not look like Latin ones, as in `Tシャツ`.
    fn takes(&mut self, c: char) -> bool {
        if c.is_numeric() {
            // A digit does not end a word: it stands among its letters, as in `GPT4o`.
            return true;
        }
        if !c.is_alphabetic() {
            *self = Self::default();
            return true;
        }
        match c.script() {
            Script::Common | Script::Inherited | Script::Unknown => {}
            Script::Latin => self.latin = true,
            script => {
                let script = family(script);
                if self.other.is_some_and(|other| other != script) {
                    return false;
                }
                self.other = Some(script);
            }
        }
        !self.latin || self.other.is_none_or(beside_latin)
    }
}

/// Scripts that are written together count as one.
fn family(script: Script) -> Script {
    match script {
        Script::Hiragana | Script::Katakana | Script::Bopomofo | Script::Hangul => Script::Han,
        other => other,
    }
}

/// Scripts without letters that look like Latin ones.
fn beside_latin(script: Script) -> bool {
    use Script as S;
    matches!(
        script,
        S::Han
            | S::Arabic
            | S::Hebrew
            | S::Thai
            | S::Lao
            | S::Devanagari
            | S::Bengali
            | S::Gurmukhi
            | S::Gujarati
            | S::Oriya
            | S::Tamil
            | S::Telugu
            | S::Kannada
            | S::Malayalam
            | S::Sinhala
            | S::Tibetan
            | S::Khmer
            | S::Myanmar
            | S::Ethiopic
    )
}

#[cfg(test)]
mod tests {
    use std::format;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn how_a_name_was_typed_is_forgiven() {
        for (left, right) in [
            ("Children's Menu", "children\u{2019}s  menu"),
            ("Jalape\u{f1}o Poppers", "JALAPEN\u{303}O poppers"),
            (" Free\u{a0}Wifi\t", "free wifi"),
            ("Tex-Mex", "Tex\u{2011}Mex"),
            ("Ｔａｃｏ", "taco"),
            ("Ta\u{200b}co", "Taco"),
            ("\u{fb01}sh", "fish"),
            ("Crème", "CRÈME"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("ΟΔΟΣ", "οδος"),
            ("οδός", "ΟΔΌΣ"),
            ("ПЕЛЬМЕНИ", "пельмени"),
            ("ﾗｰﾒﾝ", "ラーメン"),
            ("İstanbul", "i\u{307}stanbul"),
            ("ǅ", "ǆ"),
            ("\u{212A}elvin", "kelvin"),
        ] {
            assert!(same_name(left, right), "{left:?} {right:?}");
        }
    }

    #[test]
    fn another_item_stays_another_item() {
        for (left, right) in [
            ("Jalapeño Burger", "Jalapeno Burger"),
            ("Beef Quesadilla", "Beef Quesadillas"),
            ("Lime Rice", "Rice Lime"),
            ("Fish & Chips", "Fish and Chips"),
            ("Sarde in saor", "Sarda in saor"),
            ("kırık", "kirik"),
        ] {
            assert!(!same_name(left, right), "{left:?} {right:?}");
        }
    }

    #[test]
    fn names_that_read_as_they_are_are_taken() {
        for good in [
            "Flan",
            "Children's Menu",
            "Ünsal 3",
            "Crème brûlée",
            "Пицца Margherita",
            "ラーメン",
            "Tシャツ",
            "K팝",
            "寿司とお酒",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👨\u{200d}🍳 Chef",
            "❤\u{fe0f}",
            "3\u{fe0f}\u{20e3} tacos",
            "🏳\u{fe0f}\u{200d}🌈",
            "Ｔａｃｏ",
            "10 µm",
            "5 × 5",
            "Việt Nam",
            "שָׁלוֹם",
            "α-Tester",
            "Ελιά",
            "50 % off",
            "Free\u{a0}Wifi",
            "№ 7",
            "H100 Москва",
            "Топ10",
            "GPT-4o",
            "4K",
            "पराठा",
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn names_that_hide_or_turn_are_refused() {
        for bad in [
            "Taco\u{202e}ocaT",
            "Ta\u{200b}co",
            "a\nb",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{7f}b",
            "a\u{9b}31m",
            "Tacos\u{e0041}\u{e0042}",
            "Flan\u{2066}x\u{2069}",
            "\u{3164}",
            "\u{2800}",
            "Ta\u{ad}co",
            "\u{feff}Taco",
            "Ta\u{200d}co",
            "می\u{200c}",
            "\u{200d}👨",
            "a\u{fe0f}",
            "\u{301}a",
            "a\u{301}\u{302}\u{303}\u{304}\u{305}",
            "pаypal",
            "Расypal",
            "Αpple",
            "сafé",
            "Ꭺpple",
            "x\u{e000}",
            "a\u{ffff}",
            "a\u{61c}b",
            "жα",
            "c4а5a",
            "GPT4о",
            "a\u{378}",
            "\u{1d159}",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_itself(name in "\\PC{0,40}") {
            let key = name_key(&name);
            prop_assert_eq!(name_key(&key), key);
        }

        #[test]
        fn names_in_other_case_are_the_same(name in "[\\p{Latin}\\p{Greek}\\p{Cyrillic} ]{0,20}") {
            let upper = name.to_uppercase();
            // The dotless i has no upper case of its own.
            if !name.contains('\u{131}') {
                prop_assert_eq!(name_key(&upper), name_key(&name), "{}", format!("{name:?}"));
            }
        }
    }
}
