//! Commands: everything that can be asked of a realm, by one name each.
//!
//! Each module declares what can be asked of it with `commands!`: the name of an operation, its
//! arguments, what decides it, and whether it reaches others. [`Command`] joins them; which modules there
//! are stands in [`crate::modules`].
//!
//! `C` is how the texts of a command are carried: doors parse commands with the texts in them, seal
//! the texts away, and pass the core commands that name them by hash ([`Sealed`]).

use serde::{Deserialize, Serialize};

use crate::ctx::Ctx;
use crate::identity::Need;
use crate::modules::{all, count, modules};
use crate::reject::Rejection;
use crate::text::Sealed;

pub use crate::realm::{Found, Nothing, RotateRealmKey};

/// For a command that never puts anything of its agent's before others.
pub(crate) fn never<A>(_: &A) -> bool {
    false
}

/// For a command that is there to put something of its agent's before others.
pub(crate) fn always<A>(_: &A) -> bool {
    true
}

/// Declares the commands of a module.
///
/// A row reads `Variant(Arguments) = "op" => decider, reaches_others: when;`, where `when` says of the
/// arguments whether the command puts something of its agent's before others: a text, an offer, a
/// follow. Going on with what was agreed, reporting and appealing do not. `needs` says what a token must
/// be allowed to ask for a command of the module ([`Need`]), and of a row where that differs. Rows of commands with texts
/// stand behind `texts` and say of the arguments which field carries them, so that they can be carried
/// another way; and whether a blank text, which shows nothing, is taken or refused.
macro_rules! commands {
    (
        $(#[$about:meta])*
        pub enum $commands:ident needs $usual:ident {
            $(
                $(#[$doc:meta])*
                $plain:ident($args:ident) = $op:literal => $decide:path, reaches_others: $reaches:expr
                    $(, needs: $need:ident)?;
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "op", content = "args", deny_unknown_fields)]
        pub enum $commands {
            $($(#[$doc])* #[serde(rename = $op)] $plain($args),)*
        }

        impl $commands {
            /// The names of all its operations.
            pub const OPS: &'static [&'static str] = &[$($op,)*];

            /// The name of the operation.
            #[must_use]
            pub fn op(&self) -> &'static str {
                match self { $(Self::$plain(_) => $op,)* }
            }

            /// Reads the arguments of the operation with this name, or gives them back if there is none.
            pub(crate) fn read_args<'de, D: serde::Deserializer<'de>>(
                op: &str,
                args: D,
            ) -> Result<Result<Self, D::Error>, D> {
                match op {
                    $($op => Ok(Deserialize::deserialize(args).map(Self::$plain)),)*
                    _ => Err(args),
                }
            }

            pub(crate) fn map<C, D>(self, _: &mut impl FnMut(C) -> D) -> Self {
                self
            }

            pub(crate) fn reaches_others(&self) -> bool {
                match self { $(Self::$plain(args) => $reaches(args),)* }
            }

            pub(crate) fn need_of(op: &str) -> Option<crate::identity::Need> {
                match op {
                    $($op => Some(commands!(@needs $($need)? else $usual)),)*
                    _ => None,
                }
            }

            pub(crate) fn needs(&self) -> crate::identity::Need {
                match self { $(Self::$plain(_) => commands!(@needs $($need)? else $usual),)* }
            }

            pub(crate) fn says_something(&self) -> bool {
                false
            }

            pub(crate) fn decide(&self, ctx: &mut crate::ctx::Ctx<'_>) -> Result<(), crate::reject::Rejection> {
                match self { $(Self::$plain(args) => $decide(ctx, args),)* }
            }
        }
    };
    (
        $(#[$about:meta])*
        pub enum $commands:ident<C> needs $usual:ident {
            $(
                $(#[$doc:meta])*
                $plain:ident($args:ident) = $op:literal => $decide:path, reaches_others: $reaches:expr
                    $(, needs: $need:ident)?;
            )*
        }
        texts {
            $(
                $(#[$tdoc:meta])*
                $text:ident($targs:ident { $($field:ident),* } carrying $carried:ident: $how:ident, blank $blank:ident)
                    = $top:literal => $tdecide:path, reaches_others: $treaches:expr
                    $(, needs: $tneed:ident)?;
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(tag = "op", content = "args", deny_unknown_fields)]
        pub enum $commands<C> {
            $($(#[$doc])* #[serde(rename = $op)] $plain($args),)*
            $($(#[$tdoc])* #[serde(rename = $top)] $text($targs<C>),)*
        }

        impl<C> $commands<C> {
            /// The names of all its operations.
            pub const OPS: &'static [&'static str] = &[$($op,)* $($top,)*];

            /// The name of the operation.
            #[must_use]
            pub fn op(&self) -> &'static str {
                match self {
                    $(Self::$plain(_) => $op,)*
                    $(Self::$text(_) => $top,)*
                }
            }

            /// Reads the arguments of the operation with this name, or gives them back if there is none.
            pub(crate) fn read_args<'de, D>(op: &str, args: D) -> Result<Result<Self, D::Error>, D>
            where
                D: serde::Deserializer<'de>,
                C: Deserialize<'de>,
            {
                match op {
                    $($op => Ok(Deserialize::deserialize(args).map(Self::$plain)),)*
                    $($top => Ok(Deserialize::deserialize(args).map(Self::$text)),)*
                    _ => Err(args),
                }
            }

            pub(crate) fn map<D>(self, carry: &mut impl FnMut(C) -> D) -> $commands<D> {
                match self {
                    $(Self::$plain(args) => $commands::$plain(args),)*
                    $(Self::$text(args) => $commands::$text(args.map_texts(carry)),)*
                }
            }

            pub(crate) fn reaches_others(&self) -> bool {
                match self {
                    $(Self::$plain(args) => $reaches(args),)*
                    $(Self::$text(args) => $treaches(args),)*
                }
            }

            pub(crate) fn need_of(op: &str) -> Option<crate::identity::Need> {
                match op {
                    $($op => Some(commands!(@needs $($need)? else $usual)),)*
                    $($top => Some(commands!(@needs $($tneed)? else $usual)),)*
                    _ => None,
                }
            }

            pub(crate) fn needs(&self) -> crate::identity::Need {
                match self {
                    $(Self::$plain(_) => commands!(@needs $($need)? else $usual),)*
                    $(Self::$text(_) => commands!(@needs $($tneed)? else $usual),)*
                }
            }

            pub(crate) fn says_something(&self) -> bool {
                match self {
                    $(Self::$plain(_) => false,)*
                    $(Self::$text(_) => commands!(@$blank),)*
                }
            }
        }

        impl $commands<crate::text::Sealed> {
            pub(crate) fn decide(&self, ctx: &mut crate::ctx::Ctx<'_>) -> Result<(), crate::reject::Rejection> {
                match self {
                    $(Self::$plain(args) => $decide(ctx, args),)*
                    $(Self::$text(args) => $tdecide(ctx, args),)*
                }
            }
        }

        $(impl<C> $targs<C> {
            pub(crate) fn map_texts<D>(self, carry: &mut impl FnMut(C) -> D) -> $targs<D> {
                $targs { $($field: self.$field,)* $carried: commands!(@$how self.$carried, carry) }
            }
        })*
    };
    (@one $value:expr, $carry:ident) => { $carry($value) };
    (@maybe $value:expr, $carry:ident) => { $value.map(&mut *$carry) };
    (@within $value:expr, $carry:ident) => { $value.map(&mut *$carry) };
    (@refused) => { true };
    (@taken) => { false };
    (@needs $own:ident else $usual:ident) => { commands!(@need $own) };
    (@needs else $usual:ident) => { commands!(@need $usual) };
    (@need everything) => { crate::identity::Need::Everything };
    (@need judged) => { crate::identity::Need::Judged };
    (@need $right:ident) => {
        crate::identity::Need::All(crate::identity::Rights::of(&[crate::identity::Right::$right]))
    };
}

pub(crate) use commands;

macro_rules! joined {
    ($(
        $(#[$about:meta])*
        $module:ident: $name:ident = $_number:literal, $_event:ident, $command:ident $(<$texts:ident>)? {
            $($_stores:tt)*
        }
    )*) => {
        /// A command. In JSON: `{"op": "mail.send", "args": {…}}`.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Command<C> {
            $($(#[$about])* $name(crate::$module::$command $(<$texts>)?),)*
        }

        /// The names of the operations of each module.
        const MODULES: &[&[&str]] = {
            /// The texts have no part in a name.
            type C = ();
            &[$(<crate::$module::$command $(<$texts>)?>::OPS,)*]
        };

        impl<C> Command<C> {
            /// The name of the operation.
            #[must_use]
            pub fn op(&self) -> &'static str {
                match self { $(Self::$name(command) => command.op(),)* }
            }

            /// Reads the arguments of the operation with this name; nothing if there is none.
            ///
            /// # Errors
            /// When they are not what the operation takes.
            pub fn read_args<'de, D>(op: &str, args: D) -> Option<Result<Self, D::Error>>
            where
                D: serde::Deserializer<'de>,
                C: Deserialize<'de>,
            {
                $(let args = match <crate::$module::$command $(<$texts>)?>::read_args(op, args) {
                    Ok(read) => return Some(read.map(Self::$name)),
                    Err(args) => args,
                };)*
                let _ = args;
                None
            }

            /// The same command with its texts in another form. Texts are visited in a fixed order.
            pub fn map<D>(self, carry: &mut impl FnMut(C) -> D) -> Command<D> {
                match self { $(Self::$name(command) => Command::$name(command.map(carry)),)* }
            }

            /// Whether the command puts something of its agent's before others: a text, an offer, a
            /// follow. Going on with what was agreed, reporting and appealing do not.
            pub(crate) fn reaches_others(&self) -> bool {
                match self { $(Self::$name(command) => command.reaches_others(),)* }
            }

            /// What a token must be allowed to ask for the operation with this name; nothing if there is
            /// none.
            #[must_use]
            pub fn need_of(op: &str) -> Option<Need> {
                let needs = [$(<crate::$module::$command $(<$texts>)?>::need_of(op),)*];
                needs.into_iter().flatten().next()
            }

            /// What a token must be allowed to ask for the command.
            #[must_use]
            pub fn needs(&self) -> Need {
                match self { $(Self::$name(command) => command.needs(),)* }
            }

            /// Whether the texts are the purpose of the command, so that blank ones make no sense.
            /// Descriptions, rules, notes and memos may be blank.
            #[must_use]
            pub fn says_something(&self) -> bool {
                match self { $(Self::$name(command) => command.says_something(),)* }
            }
        }

        impl Command<Sealed> {
            pub(crate) fn decide(&self, ctx: &mut Ctx<'_>) -> Result<(), Rejection> {
                match self { $(Self::$name(command) => command.decide(ctx),)* }
            }
        }

        impl<C: Serialize> Serialize for Command<C> {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$name(command) => command.serialize(to),)* }
            }
        }

        $(impl<C> From<crate::$module::$command $(<$texts>)?> for Command<C> {
            fn from(command: crate::$module::$command $(<$texts>)?) -> Self {
                Self::$name(command)
            }
        })*

        #[cfg(feature = "schema")]
        impl<C: schemars::JsonSchema> schemars::JsonSchema for Command<C> {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                alloc::format!("Command_for_{}", C::schema_name()).into()
            }

            /// One form for each operation, of all modules.
            fn json_schema(types: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut forms = alloc::vec::Vec::new();
                $({
                    let module = <crate::$module::$command $(<$texts>)? as schemars::JsonSchema>::json_schema(types);
                    let some = module.get("oneOf").and_then(|forms| forms.as_array());
                    forms.extend(some.into_iter().flatten().cloned());
                })*
                schemars::json_schema!({ "oneOf": forms })
            }
        }
    };
}

modules!(joined);

impl<C> Command<C> {
    /// The names of all operations.
    pub const OPS: &'static [&'static str] = &ALL;
}

const ALL: [&str; count(MODULES)] = all(MODULES);
