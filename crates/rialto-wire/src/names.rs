//! When two written names are the same name.
//!
//! Items and attributes are compared by [`name_key`] only. The key forgives how a name was typed
//! (case, white space, Unicode form, kind of quote or dash, invisible characters) and nothing
//! else: other spelling, accents, plural or word order make another item, because paying for a
//! near miss earns nothing.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// A name as it was written, with its key beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    text: String,
    key: String,
}

impl Name {
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

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            key: name_key(text),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// True if every name of `wanted` has its equal in `present`.
#[must_use]
pub fn has_all(present: &[Name], wanted: &[Name]) -> bool {
    wanted
        .iter()
        .all(|name| present.iter().any(|other| other.key == name.key))
}

/// The names of `wanted` that have no equal in `present`.
#[must_use]
pub fn missing(present: &[Name], wanted: &[Name]) -> Vec<Name> {
    let lacks = |name: &&Name| !present.iter().any(|other| other.key == name.key);
    wanted.iter().filter(lacks).cloned().collect()
}

/// The form of a name under which it is stored and compared:
/// 1. Unicode NFKC;
/// 2. kinds of apostrophe, double quote and dash each become the ASCII one;
/// 3. control and invisible formatting characters are dropped;
/// 4. lower case;
/// 5. runs of white space become one space, none at the ends.
#[must_use]
pub fn name_key(name: &str) -> String {
    // Quotes are unified before NFKC too, since NFKC turns a lone acute accent into two characters.
    let plain = name.chars().map(plain_mark).nfkc().map(plain_mark);
    let lowered = plain
        .filter(|c| !is_invisible(*c))
        .flat_map(char::to_lowercase)
        .nfkc();
    let mut key = String::with_capacity(name.len());
    for c in lowered {
        if !c.is_whitespace() {
            key.push(c);
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
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

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
        | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}')
        || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::name_key;
    use proptest::prelude::*;

    #[test]
    fn how_a_name_was_typed_is_forgiven() {
        for (left, right) in [
            ("Children's Menu", "children\u{2019}s  menu"),
            ("Jalape\u{f1}o Poppers", "JALAPEN\u{303}O poppers"),
            (" Free\u{a0}Wifi\t", "free wifi"),
            ("Tex-Mex", "Tex\u{2011}Mex"),
            ("Ｔａｃｏ", "taco"),
            ("Ta\u{200b}co", "Taco"),
            ("Stra\u{df}e", "stra\u{df}e"),
            ("\u{fb01}sh", "fish"),
        ] {
            assert_eq!(name_key(left), name_key(right), "{left:?} {right:?}");
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
        ] {
            assert_ne!(name_key(left), name_key(right), "{left:?} {right:?}");
        }
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_itself(name in "\\PC{0,40}") {
            let key = name_key(&name);
            prop_assert_eq!(name_key(&key), key);
        }
    }
}
