//! What is said of every kind of event, in one place beside it.
//!
//! A module declares its events' facts with `facts!`: of each its name, whom it concerns, the texts it
//! names and how far they are searched, and what it says in a trace. History, filters, who may read
//! what, full text, erasure and traces follow from that. An event of which something is not said does
//! not compile.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use crate::amount::Amount;
use crate::hash::Hash;
use crate::id::{AgentId, AnyId, AssetId, ListingId, MessageId, PostId};
use crate::identity::{Principal, Profile};
use crate::market::ListingTerms;
use crate::noun::Row;
use crate::policy::{Bound, Node, Party};
use crate::text::ContentRef;

/// What is said of a kind of event.
pub trait Fact {
    /// Its name, as filters and people use it: `market.deal_agreed`. Never given to another.
    fn name(&self) -> &'static str;

    /// Visits the things whose parties it concerns, and who may read it. A thing may come more than
    /// once.
    fn concerns(&self, visit: &mut impl FnMut(AnyId));

    /// Visits the texts that it names, which stand beside the log, and whose they are.
    fn texts(&self, visit: &mut impl FnMut(&ContentRef, TextOf));

    /// What it says of each thing that it is about, as a trace tells it.
    fn told(&self) -> Vec<Told>;

    /// What it changes in the rows of plain nouns.
    fn rows(&self) -> Vec<Row>;
}

/// Whose full text a text is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOf {
    /// Nobody's: it is read where it stands, and not found by its words.
    Nothing,
    /// A message's.
    Message(MessageId),
    /// A listing's.
    Listing(ListingId),
    /// An agent's.
    Agent(AgentId),
    /// A post's.
    Post(PostId),
}

/// A line about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The thing.
    pub subject: AnyId,
    /// What happened, in one line that reads behind the name of who did it, without anybody's text.
    pub what: String,
    /// How much money it is about.
    pub amount: Option<(Amount, AssetId)>,
    /// The agent that did it, where the event says so.
    pub by: Option<AgentId>,
}

impl Told {
    /// A line without money that does not say who.
    pub fn new(subject: impl Into<AnyId>, what: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            what: what.into(),
            amount: None,
            by: None,
        }
    }

    /// The same with how much.
    #[must_use]
    pub fn over(self, amount: Amount, asset: AssetId) -> Self {
        Self {
            amount: Some((amount, asset)),
            ..self
        }
    }

    /// The same with who did it.
    #[must_use]
    pub fn by(self, agent: AgentId) -> Self {
        Self {
            by: Some(agent),
            ..self
        }
    }
}

/// The name of a state or reason as people read it: `not delivered`.
pub(crate) fn word(choice: &impl Serialize) -> String {
    struct Name<'a, T>(&'a T);
    impl<T: Serialize> fmt::Display for Name<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(f)
        }
    }
    format!("{}", Name(choice)).replace('_', " ")
}

/// The first digits of a hash, as people compare them.
pub(crate) fn short(hash: &Hash) -> String {
    let mut text = format!("#{hash}");
    text.truncate(9);
    text
}

/// What names things that an event concerns.
pub(crate) trait Things {
    /// Visits each.
    fn each(&self, visit: &mut impl FnMut(AnyId));
}

impl<T: Things> Things for &T {
    fn each(&self, visit: &mut impl FnMut(AnyId)) {
        (**self).each(visit);
    }
}

impl<T: Things> Things for Vec<T> {
    fn each(&self, visit: &mut impl FnMut(AnyId)) {
        self.iter().for_each(|one| one.each(visit));
    }
}

impl<T: Things> Things for Option<T> {
    fn each(&self, visit: &mut impl FnMut(AnyId)) {
        self.iter().for_each(|one| one.each(visit));
    }
}

/// A person or agent; the realm and its own principals have no parties.
impl Things for Principal {
    fn each(&self, visit: &mut impl FnMut(AnyId)) {
        match self {
            Self::Person(id) => visit((*id).into()),
            Self::Agent(id) => visit((*id).into()),
            Self::Realm | Self::Operator | Self::Service(_) | Self::Public => {}
        }
    }
}

impl Things for Node {
    fn each(&self, visit: &mut impl FnMut(AnyId)) {
        match self {
            Self::Realm => {}
            Self::Owner(id) => visit((*id).into()),
            Self::Team(id) => visit((*id).into()),
            Self::Agent(id) => visit((*id).into()),
        }
    }
}

impl Things for Party {
    fn each(&self, visit: &mut impl FnMut(AnyId)) {
        match self {
            Self::Owner(id) => visit((*id).into()),
            Self::Agent(id) => visit((*id).into()),
        }
    }
}

/// What carries texts that stand beside the log.
pub(crate) trait Texts {
    /// Visits each.
    fn each(&self, visit: &mut impl FnMut(&ContentRef));
}

impl<T: Texts> Texts for &T {
    fn each(&self, visit: &mut impl FnMut(&ContentRef)) {
        (**self).each(visit);
    }
}

impl Texts for ContentRef {
    fn each(&self, visit: &mut impl FnMut(&ContentRef)) {
        visit(self);
    }
}

impl Texts for Option<ContentRef> {
    fn each(&self, visit: &mut impl FnMut(&ContentRef)) {
        self.iter().for_each(visit);
    }
}

impl Texts for Profile<ContentRef> {
    fn each(&self, visit: &mut impl FnMut(&ContentRef)) {
        self.description.each(visit);
    }
}

impl Texts for ListingTerms<ContentRef> {
    fn each(&self, visit: &mut impl FnMut(&ContentRef)) {
        self.description.each(visit);
    }
}

impl Texts for Bound {
    fn each(&self, visit: &mut impl FnMut(&ContentRef)) {
        match self {
            Self::Offer { offer } => offer.note.each(visit),
            Self::Accept { note, .. } => note.each(visit),
            Self::Transfer { memo, .. } => memo.each(visit),
        }
    }
}

/// What gives lines of a trace.
pub(crate) trait Lines {
    /// Adds them.
    fn add_to(self, lines: &mut Vec<Told>);
}

impl Lines for Told {
    fn add_to(self, lines: &mut Vec<Told>) {
        lines.push(self);
    }
}

impl<T: IntoIterator<Item = Told>> Lines for (T,) {
    fn add_to(self, lines: &mut Vec<Told>) {
        lines.extend(self.0);
    }
}

/// Declares what is said of the events of a module.
///
/// A row reads `Variant { fields } = "module.name", concerns [things], texts [text => whose], told
/// [lines];`. The pattern binds what the lists use; an empty list says that there is nothing. An event
/// about a plain noun goes on with `rows [rows]` ([`crate::noun`]).
macro_rules! facts {
    ($event:ident {
        $(
            $variant:ident { $($fields:tt)* } = $name:literal,
                concerns [$($thing:expr),*],
                texts [$($text:expr => $whose:expr),*],
                told [$($line:expr),*]
                $(, rows [$($row:expr),*])?;
        )*
    }) => {
        impl $event {
            /// The names of all of them.
            pub const NAMES: &'static [&'static str] = &[$($name,)*];
        }

        #[allow(unused_variables)] // A row binds what any of its lists uses.
        impl $crate::fact::Fact for $event {
            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)* }
            }

            fn concerns(&self, visit: &mut impl FnMut($crate::id::AnyId)) {
                match self {
                    $(Self::$variant { $($fields)* } => {
                        $($crate::fact::Things::each(&$thing, visit);)*
                    })*
                }
            }

            fn texts(&self, visit: &mut impl FnMut(&$crate::text::ContentRef, $crate::fact::TextOf)) {
                match self {
                    $(Self::$variant { $($fields)* } => {
                        $($crate::fact::Texts::each(&$text, &mut |text| visit(text, $whose));)*
                    })*
                }
            }

            fn told(&self) -> alloc::vec::Vec<$crate::fact::Told> {
                #[allow(unused_mut)] // Most events say nothing.
                let mut lines = alloc::vec::Vec::new();
                match self {
                    $(Self::$variant { $($fields)* } => {
                        $($crate::fact::Lines::add_to($line, &mut lines);)*
                    })*
                }
                lines
            }

            fn rows(&self) -> alloc::vec::Vec<$crate::noun::Row> {
                #[allow(unused_mut)] // Most events change none.
                let mut rows = alloc::vec::Vec::new();
                match self {
                    $(Self::$variant { $($fields)* } => {
                        $($(rows.push($row);)*)?
                    })*
                }
                rows
            }
        }
    };
}

pub(crate) use facts;
