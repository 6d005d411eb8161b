//! Plain nouns: things whose lists, pages and commands follow from what is declared of them here.
//!
//! A module declares a [`Noun`] beside its entity with `noun!`: its columns, each with a label and a kind,
//! and the operations that people do to it. Its events say with `rows` (in `facts!`) which cells of which
//! row change, and who sees the row. The views keep the rows in one table; the server lists them; the console, the
//! command line and the API description follow from the columns. What people look at longest is made by hand
//! instead, and has no noun.

use alloc::string::String;
use alloc::vec::Vec;

use crate::amount::Amount;
use crate::id::{AgentId, AnyId, AssetId, OwnerId};
use crate::policy::Party;
use crate::text::ContentRef;
use crate::time::Time;

/// What is said of a kind of thing.
#[derive(Debug)]
pub struct Noun {
    /// What one is called, in lower case; also the prefix of its ids.
    pub name: &'static str,
    /// What several are called.
    pub plural: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// Where the list is read.
    pub list_path: &'static str,
    /// Where one is read.
    pub one_path: &'static str,
    /// What its rows say beside their id and when they were made, in order.
    pub columns: &'static [&'static Column],
    /// What people do to it.
    pub acts: &'static [Act],
    /// What only some of those who see a row read of it.
    pub own: Option<Own>,
}

/// Cells that are an agent's affair: only it, its owner and the operator read them.
#[derive(Debug)]
pub struct Own {
    /// The column that names the agent.
    pub agent: &'static Column,
    /// The columns of those cells.
    pub columns: &'static [&'static Column],
}

impl Noun {
    /// The acts that are done to one in this state.
    pub fn acts_on<'s>(
        &self,
        state: Option<&'s str>,
    ) -> impl Iterator<Item = &'static Act> + use<'s> {
        let acts = self.acts.iter().filter(|act| act.on.is_some());
        acts.filter(move |act| act.when.is_empty() || state.is_some_and(|s| act.when.contains(&s)))
    }

    /// Its column that says in which state it is, and the states, if it has one.
    #[must_use]
    pub fn states(&self) -> Option<(&'static Column, &'static [&'static str])> {
        self.columns.iter().find_map(|column| match column.kind {
            Kind::State(states) => Some((*column, states)),
            _ => None,
        })
    }
}

/// A column of a noun's rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// What the field is called.
    pub name: &'static str,
    /// What people read above it.
    pub label: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a column or field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The id of anything.
    Id,
    /// An agent.
    Agent,
    /// An owner.
    Owner,
    /// What somebody wrote.
    Text,
    /// A word or line of the realm's own.
    Word,
    /// One of these states. A noun has at most one such column, and lists can be narrowed to one.
    State(&'static [&'static str]),
    /// A whole number.
    Number,
    /// A moment.
    Time,
    /// An amount of an asset.
    Amount,
}

/// Something that people do to a noun: one operation.
#[derive(Debug)]
pub struct Act {
    /// The operation, such as `obligation.retry`.
    pub op: &'static str,
    /// What it is called on a button and on the command line: one word, in lower case.
    pub verb: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Who is offered it. Whether somebody may do it is judged by its decider.
    pub by: By,
    /// The argument that names the row it is done to; none if it makes one.
    pub on: Option<&'static str>,
    /// The states in which it can be done; none where any will do.
    pub when: &'static [&'static str],
    /// Its other arguments.
    pub fields: &'static [Field],
}

/// Who is offered an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The operator.
    Operator,
    /// Whoever sees the row.
    Parties,
}

/// An argument of an act.
#[derive(Debug)]
pub struct Field {
    /// What the argument is called: one word, also its flag on the command line.
    pub name: &'static str,
    /// What people read beside it.
    pub label: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// The id of anything.
    Id(AnyId),
    /// An agent.
    Agent(AgentId),
    /// An owner.
    Owner(OwnerId),
    /// What somebody wrote.
    Text(ContentRef),
    /// A word, line or state of the realm's own.
    Word(String),
    /// A whole number.
    Number(u64),
    /// A moment.
    Time(Time),
    /// An amount of an asset.
    Amount(Amount, AssetId),
}

/// What an event says of one row.
#[derive(Clone, Debug)]
pub struct Row {
    /// The noun.
    pub noun: &'static Noun,
    /// The thing.
    pub id: AnyId,
    /// The cells that it sets. Others stay as they are.
    pub cells: Vec<(&'static Column, Cell)>,
    /// Who sees the row from now on, beside the operator and whoever made it.
    pub parties: Vec<Party>,
}

impl Row {
    /// A row about which nothing is said yet.
    pub fn new(noun: &'static Noun, id: impl Into<AnyId>) -> Self {
        Self {
            noun,
            id: id.into(),
            cells: Vec::new(),
            parties: Vec::new(),
        }
    }

    /// Sets a cell.
    #[must_use]
    pub fn with(mut self, column: &'static Column, cell: impl Into<Cell>) -> Self {
        self.cells.push((column, cell.into()));
        self
    }

    /// Lets a party see the row. An agent's owner sees what its agent sees.
    #[must_use]
    pub fn seen_by(mut self, party: Option<Party>) -> Self {
        self.parties.extend(party);
        self
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Empty, Into::into)
    }
}

macro_rules! cells {
    ($($from:ty => $cell:ident;)*) => {
        $(impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                Self::$cell(value)
            }
        })*
    };
}

cells! {
    AnyId => Id;
    AgentId => Agent;
    OwnerId => Owner;
    ContentRef => Text;
    String => Word;
    u64 => Number;
    Time => Time;
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Cell {
    fn from(word: &str) -> Self {
        Self::Word(word.into())
    }
}

/// The noun whose ids have this prefix, if it is a plain one.
#[must_use]
pub fn with_prefix(prefix: &str) -> Option<&'static Noun> {
    all().find(|noun| noun.name == prefix)
}

/// All plain nouns, in the order of the modules.
pub fn all() -> impl Iterator<Item = &'static Noun> {
    crate::state::NOUNS.iter().copied().flatten()
}

/// Declares a plain noun.
macro_rules! noun {
    (
        $(#[doc = $about:literal])+
        $noun:ident = $name:literal, $plural:literal {
            $($column:ident = $field:literal, $label:literal, $kind:expr;)*
        }
        acts { $($act:expr),* $(,)? }
        $(own $agent:ident { $($own:ident),* })?
    ) => {
        $(
            #[doc = concat!("The column `", $field, "`.")]
            pub static $column: $crate::noun::Column = $crate::noun::Column {
                name: $field,
                label: $label,
                kind: $kind,
            };
        )*

        $(#[doc = $about])+
        pub static $noun: $crate::noun::Noun = $crate::noun::Noun {
            name: $name,
            plural: $plural,
            about: concat!($($about),+).trim_ascii(),
            list_path: concat!("/api/", $plural),
            one_path: concat!("/api/", $plural, "/{id}"),
            columns: &[$(&$column),*],
            acts: &[$($act),*],
            own: $crate::noun::one_or_none!(
                $($crate::noun::Own { agent: &$agent, columns: &[$(&$own),*] })?
            ),
        };
    };
}

/// What is given, if anything is.
macro_rules! one_or_none {
    () => {
        None
    };
    ($one:expr) => {
        Some($one)
    };
}

pub(crate) use {noun, one_or_none};
