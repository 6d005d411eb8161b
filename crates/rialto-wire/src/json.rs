//! JSON read one level at a time, and written piece by piece.
//!
//! A dialect takes what it knows out of an [`Object`] and sees what is left, so that nothing is
//! dropped unnamed. Values that only pass through, as schemas and arguments of tools, keep their
//! text: the order of a schema's properties steers what a model writes first. Holds no dialect's
//! names. Two members of one name are refused: whoever meters must not read another one than the
//! server behind.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a document may nest.
pub(crate) const MAX_DEPTH: usize = 100;

/// How large a document may be, in bytes; images come inside of requests.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// How many members an object may have, and how many items an array, of those that are looked into:
/// small ones take more memory read than written.
pub(crate) const MAX_MEMBERS: usize = 8192;
pub(crate) const MAX_ITEMS: usize = 100_000;

/// What is not as it must be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The member that is at fault, or `body`.
    pub field: String,
    /// What stands there in a right document.
    pub expected: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", self.field, self.expected)
    }
}

impl std::error::Error for Fault {}

pub(crate) fn fault(field: &str, expected: &'static str) -> Fault {
    Fault {
        field: field.chars().take(64).collect(),
        expected,
    }
}

/// JSON text that passes through as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// The text as a document, if it is one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (shallow(text.as_bytes()) && serde_json::from_str::<&RawValue>(text).is_ok())
            .then(|| Self(text.to_owned()))
    }

    /// A schema that allows any object.
    #[must_use]
    pub fn any_object() -> Self {
        Self(r#"{"type":"object","properties":{}}"#.to_owned())
    }

    /// The document's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether the document is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }
}

impl From<&RawValue> for Json {
    fn from(value: &RawValue) -> Self {
        Self(value.get().to_owned())
    }
}

/// Whether no value nests deeper than [`MAX_DEPTH`].
fn shallow(text: &[u8]) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

/// A name or text, borrowed where nothing in it is escaped.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

/// The members of an object that nobody took yet, in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Object<'de>, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some((Name(name), value)) = from.next_entry()? {
                    if members.len() == MAX_MEMBERS {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push((name, value));
                }
                let mut names: Vec<&str> = members.iter().map(|(n, _)| n.as_ref()).collect();
                names.sort_unstable();
                if names.windows(2).any(|two| two.first() == two.last()) {
                    return Err(A::Error::custom("a member stands twice"));
                }
                Ok(Object(members))
            }
        }
        from.deserialize_map(Members)
    }
}

/// What form a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Null,
    Flag,
    Number,
    Text,
    Array,
    Object,
}

pub(crate) fn form(value: &RawValue) -> Form {
    match value.get().as_bytes().first() {
        Some(b'{') => Form::Object,
        Some(b'[') => Form::Array,
        Some(b'"') => Form::Text,
        Some(b't' | b'f') => Form::Flag,
        Some(b'n') | None => Form::Null,
        Some(_) => Form::Number,
    }
}

/// Reads a whole document that must be an object, bounded in size and depth.
pub(crate) fn document(body: &[u8]) -> Result<Object<'_>, Fault> {
    if body.len() > MAX_BYTES {
        return Err(fault("body", "at most 64 MiB"));
    }
    if !shallow(body) {
        return Err(fault("body", "at most 100 levels"));
    }
    let text = std::str::from_utf8(body).map_err(|_| fault("body", "UTF-8"))?;
    object(text).ok_or_else(|| fault("body", "a JSON object without members of the same name"))
}

pub(crate) fn object(text: &str) -> Option<Object<'_>> {
    serde_json::from_str(text).ok()
}

/// The items of an array.
struct Values<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Values<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Values<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Values<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = from.next_element()? {
                    if items.len() == MAX_ITEMS {
                        return Err(A::Error::custom("too many items"));
                    }
                    items.push(item);
                }
                Ok(Values(items))
            }
        }
        from.deserialize_seq(All)
    }
}

pub(crate) fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    let Values(items) = serde_json::from_str(value.get()).ok()?;
    Some(items)
}

/// A text; half of a pair of surrogates, which is no character, becomes U+FFFD.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    if form(value) != Form::Text {
        return None;
    }
    if let Ok(Name(text)) = serde_json::from_str(value.get()) {
        return Some(text.into_owned());
    }
    serde_json::from_str(&without_halves(value.get())).ok()
}

/// The JSON text with every lone half of a surrogate pair replaced.
fn without_halves(json: &str) -> String {
    let unit = |at: usize| -> Option<u16> {
        let digits = json.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut at) = (String::with_capacity(json.len()), 0);
    while let Some(next) = json.get(at..).and_then(|rest| rest.chars().next()) {
        let high = unit(at).filter(|u| (0xd800..0xdc00).contains(u));
        let low = unit(at).filter(|u| (0xdc00..0xe000).contains(u));
        let paired = high.is_some() && unit(at + 6).is_some_and(|u| (0xdc00..0xe000).contains(&u));
        let taken = if paired {
            12
        } else if high.is_some() || low.is_some() {
            out.push_str("\\ufffd");
            at += 6;
            continue;
        } else if next == '\\' {
            2
        } else {
            next.len_utf8()
        };
        out.push_str(json.get(at..at + taken).unwrap_or_default());
        at += taken;
    }
    out
}

/// A whole number; `5.0` passes for 5, as some clients write it.
pub(crate) fn count(value: &RawValue) -> Option<u64> {
    let text = value.get();
    if let Ok(count) = text.parse() {
        return Some(count);
    }
    let whole = text.strip_suffix(".0")?;
    whole.parse().ok()
}

impl<'a> Object<'a> {
    /// Takes a member; `null` counts as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        let (_, value) = self.0.remove(at);
        (form(value) != Form::Null).then_some(value)
    }

    /// Looks at a member and leaves it; `null` counts as absent.
    pub(crate) fn look(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        (form(value) != Form::Null).then_some(*value)
    }

    /// The names of what is left and not `null`.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &str> {
        let set = self.0.iter().filter(|(_, v)| form(v) != Form::Null);
        set.map(|(name, _)| name.as_ref())
    }

    /// Takes the first of what is left.
    pub(crate) fn pop(&mut self) -> Option<(Cow<'a, str>, &'a RawValue)> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn read<T>(
        &mut self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        // What has another form stays, so that it can be read as that.
        let found = match self.look(name) {
            Some(value) => Some(read(value).ok_or_else(|| fault(name, expected))?),
            None => None,
        };
        self.take(name);
        Ok(found)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        self.read(name, "a string", text)
    }

    pub(crate) fn need_text(&mut self, name: &str) -> Result<String, Fault> {
        self.text(name)?.ok_or_else(|| fault(name, "a string"))
    }

    pub(crate) fn count(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        self.read(name, "a whole number, not negative", count)
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        let number = |v: &RawValue| v.get().parse().ok().filter(|n: &f64| n.is_finite());
        self.read(name, "a number", number)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        self.read(name, "true or false", |v| v.get().parse().ok())
    }

    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Object<'a>>, Fault> {
        self.read(name, "an object", |v| object(v.get()))
    }

    pub(crate) fn items(&mut self, name: &str) -> Result<Option<Vec<&'a RawValue>>, Fault> {
        self.read(name, "an array", items)
    }

    pub(crate) fn objects(&mut self, name: &str) -> Result<Vec<Object<'a>>, Fault> {
        let items = self.items(name)?.unwrap_or_default();
        let read = |v: &'a RawValue| object(v.get()).ok_or_else(|| fault(name, "objects"));
        items.into_iter().map(read).collect()
    }

    // What servers send is read with forbearance: what is not as expected is as if absent.

    pub(crate) fn maybe_text(&mut self, name: &str) -> Option<String> {
        self.text(name).ok().flatten()
    }

    pub(crate) fn maybe_count(&mut self, name: &str) -> Option<u64> {
        self.count(name).ok().flatten()
    }

    pub(crate) fn maybe_object(&mut self, name: &str) -> Option<Object<'a>> {
        self.object(name).ok().flatten()
    }

    pub(crate) fn maybe_objects(&mut self, name: &str) -> Vec<Object<'a>> {
        let items = self.items(name).ok().flatten().unwrap_or_default();
        items.into_iter().filter_map(|v| object(v.get())).collect()
    }
}

/// The document with one member of its outermost object set; all other bytes stay.
///
/// # Errors
/// When the body is no object.
pub(crate) fn with_member(body: &[u8], name: &str, value: &str) -> Result<Vec<u8>, Fault> {
    let found = document(body)?;
    let member = found.0.iter().find(|(n, _)| n == name);
    let (from, to, text) = match member {
        Some((_, old)) => {
            let from = old.get().as_ptr() as usize - body.as_ptr() as usize;
            (from, from + old.get().len(), value.to_owned())
        }
        None => {
            let open = body.iter().position(|b| *b == b'{').unwrap_or(0) + 1;
            let comma = if found.is_empty() { "" } else { "," };
            let name = serde_json::to_string(name).unwrap_or_default();
            (open, open, format!("{name}:{value}{comma}"))
        }
    };
    let part = |range| body.get(range).unwrap_or_default();
    Ok([part(0..from), text.as_bytes(), part(to..body.len())].concat())
}

fn quote(out: &mut Vec<u8>, text: &str) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// The text of an object whose members a function writes.
pub(crate) fn write(members: impl FnOnce(&mut Members<'_>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    Members::within(&mut out, members);
    out
}

/// Writes the members of an object.
pub(crate) struct Members<'a> {
    out: &'a mut Vec<u8>,
    begun: bool,
}

impl Members<'_> {
    fn within(out: &mut Vec<u8>, members: impl FnOnce(&mut Members<'_>)) {
        out.push(b'{');
        members(&mut Members { out, begun: false });
        out.push(b'}');
    }

    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if self.begun {
            self.out.push(b',');
        }
        self.begun = true;
        quote(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        quote(self.name(name), text);
    }

    pub(crate) fn maybe_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub(crate) fn text_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.raw(name, "null"),
        }
    }

    pub(crate) fn count(&mut self, name: &str, count: u64) {
        self.raw(name, &count.to_string());
    }

    pub(crate) fn maybe_count(&mut self, name: &str, count: Option<u64>) {
        if let Some(count) = count {
            self.count(name, count);
        }
    }

    pub(crate) fn maybe_number(&mut self, name: &str, number: Option<f64>) {
        if let Some(number) = number.and_then(serde_json::Number::from_f64) {
            self.raw(name, &number.to_string());
        }
    }

    pub(crate) fn flag(&mut self, name: &str, flag: bool) {
        self.raw(name, if flag { "true" } else { "false" });
    }

    pub(crate) fn raw(&mut self, name: &str, json: &str) {
        self.name(name).extend_from_slice(json.as_bytes());
    }

    pub(crate) fn object(&mut self, name: &str, members: impl FnOnce(&mut Members<'_>)) {
        Members::within(self.name(name), members);
    }

    pub(crate) fn array(&mut self, name: &str, items: impl FnOnce(&mut Items<'_>)) {
        let out = self.name(name);
        out.push(b'[');
        items(&mut Items { out, begun: false });
        out.push(b']');
    }

    pub(crate) fn texts<S: AsRef<str>>(&mut self, name: &str, texts: &[S]) {
        self.array(name, |items| {
            for text in texts {
                quote(items.next(), text.as_ref());
            }
        });
    }
}

/// Writes the items of an array.
pub(crate) struct Items<'a> {
    out: &'a mut Vec<u8>,
    begun: bool,
}

impl Items<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        if self.begun {
            self.out.push(b',');
        }
        self.begun = true;
        self.out
    }

    pub(crate) fn object(&mut self, members: impl FnOnce(&mut Members<'_>)) {
        Members::within(self.next(), members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_refused_however_it_is_escaped() {
        for body in [
            r#"{"max_tokens":1,"max_tokens":99}"#,
            r#"{"model":"a","mod\u0065l":"b"}"#,
        ] {
            assert!(document(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_texts_are_no_depth() {
        let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(document(nested(99).as_bytes()).is_ok());
        assert!(document(nested(100).as_bytes()).is_err());
        let quoted = format!("{{\"a\":\"{}\"}}", "[\\\"".repeat(500));
        assert!(document(quoted.as_bytes()).is_ok());
    }

    #[test]
    fn half_a_pair_of_surrogates_becomes_a_replacement() {
        let read = |json: &str| {
            let value: Box<RawValue> = serde_json::from_str(json).unwrap();
            text(&value)
        };
        for (json, want) in [
            (r#""a\ud83db""#, "a\u{fffd}b"),
            (r#""\ude00""#, "\u{fffd}"),
            (r#""\ud83d\ude00 \ud83d""#, "😀 \u{fffd}"),
            (r#""\\ud83d\"é\ud800""#, "\\ud83d\"é\u{fffd}"),
        ] {
            assert_eq!(read(json).as_deref(), Some(want), "{json}");
        }
    }

    #[test]
    fn setting_a_member_leaves_every_other_byte() {
        for (body, want) in [
            (
                r#"{ "model" : "a", "x": [1, 2] }"#,
                r#"{ "model" : "b", "x": [1, 2] }"#,
            ),
            (r#" {"x":1}"#, r#" {"model":"b","x":1}"#),
            ("{}", r#"{"model":"b"}"#),
        ] {
            let set = with_member(body.as_bytes(), "model", "\"b\"").unwrap();
            assert_eq!(String::from_utf8(set).unwrap(), want);
        }
    }
}
