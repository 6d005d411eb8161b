//! What a translation could not carry, by stable short names.
//!
//! The names go to a header of the answer and to a receipt; a name never changes its meaning. They
//! consist of lower-case letters, digits, `_`, `-` and `.`, whatever a caller writes.

use std::fmt;

/// How many losses one call names; what comes after is `more`.
pub const MAX_LOSSES: usize = 32;

macro_rules! losses {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// Something that was not carried over as it was said.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Loss {
            $($(#[doc = $doc])* $variant,)*
            /// A field that only the caller's dialect knows: `field.` and its name.
            Field(String),
            /// A kind of block, item, part or tool that has no equal: `kind.` and its name.
            Kind(String),
        }

        impl Loss {
            /// Every loss with a name of its own.
            pub const NAMED: &'static [Self] = &[$(Self::$variant,)*];

            fn name(&self) -> (&'static str, &str) {
                match self {
                    $(Self::$variant => ($name, ""),)*
                    Self::Field(name) => ("field.", name),
                    Self::Kind(name) => ("kind.", name),
                }
            }

            /// What was lost, for documents.
            #[must_use]
            pub fn meaning(&self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii(),)*
                    Self::Field(_) => "A field that only one dialect knows.",
                    Self::Kind(_) => "A kind of part or tool that has no equal.",
                }
            }
        }
    };
}

losses! {
    /// Marks for prompt caching are left out: the server caches by itself, or not at all.
    CacheMark = "cache_mark",
    /// More than four marks, or one in a place where the server takes none: those are left out.
    CacheMarkPlace = "cache_mark.place",
    /// A temperature above 1 became 1.
    Temperature = "temperature",
    /// Temperature, `top_p` or `top_k` is left out: the server refuses it here.
    Sampling = "sampling",
    /// No limit was given where one is required: a default holds.
    MaxTokens = "max_tokens",
    /// Stop sequences beyond the server's number, or blank ones, are left out.
    StopSequences = "stop_sequences",
    /// Thinking is off: a tool is forced, thoughts before are not signed, or there is no room.
    Thinking = "thinking",
    /// A budget of thinking became an effort, the reverse, or another number.
    ThinkingBudget = "thinking.budget",
    /// Thoughts of earlier turns are left out: not signed, or the server takes none.
    ThinkingHistory = "thinking.history",
    /// A signature of thoughts, or thoughts that only the server reads, has no place in the answer.
    ThinkingSignature = "thinking.signature",
    /// The form of the answer is not enforced.
    Format = "format",
    /// The schema's name, description or strictness is left out.
    FormatName = "format.name",
    /// The request to call no tool is not enforced.
    ToolChoice = "tool_choice",
    /// Whether tools are called at once is left to the server.
    ParallelTools = "parallel_tools",
    /// Tools that the conversation calls were not in the request; stand-ins are.
    ToolsMissing = "tools_missing",
    /// A tool's name, or a call's id, was changed to what the server takes.
    ToolName = "tool_name",
    /// Arguments of a call that are no JSON object are wrapped as `{"raw": ...}`.
    ToolArguments = "tool_arguments",
    /// That a tool failed is said by its text only.
    ToolFailed = "tool_result.failed",
    /// An image or document in a tool's result follows in a message of its own, or is left out.
    ToolResultMedia = "tool_result.media",
    /// An image is left out.
    Image = "image",
    /// A document is left out.
    Document = "document",
    /// A document's name was changed.
    DocumentName = "document.name",
    /// Sound is left out.
    Audio = "audio",
    /// An instruction from within the conversation came to its head.
    SystemPlace = "system.place",
    /// For whom the caller asks is left out.
    User = "user",
    /// The order of parts was changed.
    Order = "order",
    /// A refusal is told as plain text.
    Refusal = "refusal",
    /// Citations or annotations are left out.
    Citations = "citations",
    /// The reason to stop has no equal.
    StopReason = "stop_reason",
    /// That a stop sequence was met, or which, is left out.
    StopSequence = "stop_sequence",
    /// Further answers beside the first are left out.
    Choices = "choices",
    /// An event of a stream could not be read.
    Event = "event",
    /// Numbers of the usage that the caller's dialect has no place for.
    UsageDetail = "usage.detail",
    /// More was lost than is named.
    More = "more",
}

impl Loss {
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(clean(name))
    }

    pub(crate) fn kind(name: &str) -> Self {
        Self::Kind(clean(name))
    }
}

/// A name that fits into a header, whatever a caller wrote.
fn clean(name: &str) -> String {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 40 || !name.chars().all(fine) {
        return "other".to_owned();
    }
    name.to_ascii_lowercase()
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, tail) = self.name();
        write!(f, "{head}{tail}")
    }
}

/// The losses of one call, each once, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// Names a loss.
    pub fn add(&mut self, loss: Loss) {
        if self.0.contains(&loss) {
            return;
        }
        match self.0.len() {
            MAX_LOSSES.. => {}
            n if n + 1 == MAX_LOSSES => self.0.push(Loss::More),
            _ => self.0.push(loss),
        }
    }

    pub(crate) fn add_if(&mut self, lost: bool, loss: Loss) {
        if lost {
            self.add(loss);
        }
    }

    /// Names the fields that nobody took.
    pub(crate) fn fields<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            self.add(Loss::field(name));
        }
    }

    /// The losses.
    #[must_use]
    pub fn all(&self) -> &[Loss] {
        &self.0
    }

    /// Whether everything was carried.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, separated by a comma and a blank: a value for a header.
    #[must_use]
    pub fn header(&self) -> String {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_words_never_break_a_header() {
        let mut losses = Losses::default();
        losses.add(Loss::field("x\r\nset-cookie: a"));
        losses.add(Loss::field("logit_bias"));
        losses.add(Loss::kind("Web_Search.1"));
        losses.add(Loss::CacheMark);
        losses.add(Loss::CacheMark);
        assert_eq!(
            losses.header(),
            "field.other, field.logit_bias, kind.web_search.1, cache_mark"
        );
    }

    #[test]
    fn their_number_is_bounded() {
        let mut losses = Losses::default();
        for n in 0..1000 {
            losses.add(Loss::field(&format!("f{n}")));
        }
        assert_eq!(losses.all().len(), MAX_LOSSES);
        assert_eq!(losses.all().last(), Some(&Loss::More));
    }

    #[test]
    fn every_name_stands_once_and_has_a_meaning() {
        let mut names: Vec<String> = Loss::NAMED.iter().map(ToString::to_string).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Loss::NAMED.len());
        assert!(Loss::NAMED.iter().all(|l| !l.meaning().is_empty()));
    }
}
