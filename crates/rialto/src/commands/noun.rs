//! The commands of plain nouns, from their declarations: `list`, `show`, and what is done to them.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};
use rialto_core::noun::{self, Act, Column, Field, Kind, Noun};
use serde_json::{Map, Value};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::show;
use crate::output::{CliError, Output};

/// A command about a plain noun.
#[derive(Clone, Debug)]
pub(crate) struct NounArgs {
    noun: &'static Noun,
    remote: Remote,
    did: Did,
}

#[derive(Clone, Debug)]
enum Did {
    List { state: Option<String>, paged: Paged },
    Show(String),
    Act(&'static Act, Map<String, Value>),
}

impl Subcommand for NounArgs {
    fn augment_subcommands(command: Command) -> Command {
        noun::all().fold(command, |command, noun| {
            command.subcommand(command_of(noun))
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        noun::with_prefix(name).is_some()
    }
}

impl FromArgMatches for NounArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let missing = || Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let noun = noun::with_prefix(name).ok_or_else(missing)?;
        let (verb, within) = matches.subcommand().ok_or_else(missing)?;
        let did = match verb {
            "list" => Did::List {
                state: noun.states().and_then(|_| given(within, "state")),
                paged: Paged::from_arg_matches(within)?,
            },
            "show" => Did::Show(given(within, "id").unwrap_or_default()),
            verb => {
                let act = noun.acts.iter().find(|act| act.verb == verb);
                let act = act.ok_or_else(missing)?;
                Did::Act(act, arguments(act, within))
            }
        };
        let remote = Remote::from_arg_matches(within)?;
        Ok(Self { noun, remote, did })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn given(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.get_one::<String>(name).cloned()
}

fn command_of(noun: &'static Noun) -> Command {
    // What is flattened in brings a description of its own, so that of the command comes last.
    let mut list = Paged::augment_args(Command::new("list"))
        .about(format!("Lists {}, the latest first.", noun.plural));
    if let Some((column, states)) = noun.states() {
        let state = Arg::new("state")
            .long("state")
            .help(format!("Only those in this state ({}).", column.label))
            .value_parser(PossibleValuesParser::new(states.iter().copied()));
        list = list.arg(state);
    }
    let id = |name: &'static str| Arg::new(name).required(true).help("Its id.");
    let show = Command::new("show").about("Shows one.").arg(id("id"));
    let acts = noun.acts.iter().map(|act| {
        let command = Command::new(act.verb).about(act.about);
        let command = command.args(act.on.map(id));
        command.args(act.fields.iter().map(option))
    });
    Remote::augment_args(Command::new(noun.name))
        .about(noun.about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list)
        .subcommand(show)
        .subcommands(acts)
}

fn option(field: &'static Field) -> Arg {
    let option = Arg::new(field.name)
        .long(field.name)
        .required(field.required)
        .help(format!("{}.", field.label));
    match field.kind {
        Kind::State(words) => option.value_parser(PossibleValuesParser::new(words.iter().copied())),
        _ => option,
    }
}

/// The arguments of an act, as its command takes them.
fn arguments(act: &Act, matches: &ArgMatches) -> Map<String, Value> {
    let on = act.on.and_then(|on| Some((on, given(matches, on)?.into())));
    let fields = act.fields.iter().filter_map(|field| {
        let text = given(matches, field.name)?;
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|_| field.kind == Kind::Number);
        Some((field.name, number.map_or_else(|| text.into(), Value::from)))
    });
    let all = on.into_iter().chain(fields);
    all.map(|(name, value): (&str, Value)| (name.to_owned(), value))
        .collect()
}

/// The head of a column, and where its value stands in a row.
fn head(column: &Column) -> (String, String) {
    let within = match column.kind {
        Kind::Owner => "/name",
        Kind::Amount => "/amount",
        _ => "",
    };
    (
        column.label.to_uppercase(),
        format!("/{}{within}", column.name),
    )
}

/// Runs one.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: NounArgs, out: Output) -> Result<(), CliError> {
    let (noun, remote) = (args.noun, &args.remote);
    match args.did {
        Did::List { state, paged } => {
            let heads: Vec<(String, String)> = noun.columns.iter().map(|c| head(c)).collect();
            let mut columns = vec![("ID", "/id"), ("MADE", "/at")];
            columns.extend(heads.iter().map(|(head, at)| (head.as_str(), at.as_str())));
            let filters = [("state", state)];
            let path = remote::page_of(noun.list_path, &paged, &filters);
            let answer = remote.client()?.get(&path).await?;
            show::page(out, &answer, &columns)
        }
        Did::Show(id) => remote::show_one(remote, out, noun.list_path, &id).await,
        Did::Act(act, mut given) => {
            for field in act.fields.iter().filter(|field| field.kind == Kind::Text) {
                if let Some(Value::String(text)) = given.get(field.name) {
                    let text = parse::text_or_stdin(text)?;
                    given.insert(field.name.to_owned(), text.into());
                }
            }
            remote::carry_out(remote, out, act.op, Value::Object(given)).await
        }
    }
}
