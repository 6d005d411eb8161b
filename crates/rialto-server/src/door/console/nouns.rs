//! The pages of plain nouns, and carrying out what is done to them: from their declarations.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use rialto_console::form::Sent;
use rialto_console::pages::nouns::{Cell, Doing, List, One, Row};
use rialto_core::id::AnyId;
use rialto_core::noun::{self, Act, By, Column, Field, Kind, Noun};
use rialto_core::reject::Code;
use rialto_views::{NounCell, NounRow, Scope};
use rialto_wire::native::{NativeCommand, parse_command};
use serde_json::{Map, Value};

use super::request::{Posted, SignedIn, answered, named, to};
use super::show::{money, who};
use crate::door::Door;
use crate::door::nouns::wanted_state;
use crate::door::problem::Refusal;

/// The routes of all plain nouns.
pub(super) fn router() -> Router<Arc<Door>> {
    noun::all().fold(Router::new(), |router, noun| {
        let folder = noun.plural;
        router
            .route(&format!("/{folder}"), get(move |user| list(noun, user)))
            .route(
                &format!("/{folder}/{{id}}"),
                get(move |user, path| one(noun, user, path)),
            )
            .route(
                &format!("/{folder}/act/{{verb}}"),
                post(move |path, form| act(noun, path, form)),
            )
    })
}

async fn list(noun: &'static Noun, user: SignedIn) -> Result<Response, Refusal> {
    listed(noun, &user, None).await
}

async fn listed(
    noun: &'static Noun,
    user: &SignedIn,
    sent: Option<Sent>,
) -> Result<Response, Refusal> {
    let (scope, paging) = (user.scope().await?, user.paging(30));
    let state = wanted_state(noun, user.param("state"))?;
    let read = user.view(move |v| v.nouns(scope, noun, state, &paging));
    let found = read.await?;
    let list = List {
        noun,
        address: user.address(&format!("/{}", noun.plural)),
        rows: found.items.iter().map(|row| shown(user, row)).collect(),
        state: state.map(str::to_owned),
        next: user.next(found.next_cursor.as_deref()),
        first: user.param("cursor").is_none(),
        doing: doing(noun, user, scope, sent),
    };
    user.page(noun.plural, None, &list.page()).await
}

async fn one(
    noun: &'static Noun,
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    detail(noun, &user, named(&name)?, None).await
}

async fn detail(
    noun: &'static Noun,
    user: &SignedIn,
    id: AnyId,
    sent: Option<Sent>,
) -> Result<Response, Refusal> {
    let scope = user.scope().await?;
    let found = user.view(move |v| v.noun(scope, noun, id)).await?;
    let row = found.ok_or(Code::NotFound)?;
    let page = One {
        noun,
        address: user.address(&format!("/{}/{id}", noun.plural)),
        row: shown(user, &row),
        doing: doing(noun, user, scope, sent),
    };
    user.page(&id.to_string(), None, &page.page()).await
}

fn doing(noun: &'static Noun, user: &SignedIn, scope: Scope, sent: Option<Sent>) -> Doing {
    let offered = |act: &&'static Act| match act.by {
        By::Operator => scope == Scope::Realm,
        By::Parties => true,
    };
    Doing {
        acts: noun.acts.iter().filter(offered).collect(),
        form_token: user.form_token(),
        sent,
    }
}

fn shown(user: &SignedIn, row: &NounRow) -> Row {
    let cells = row.cells.iter();
    Row {
        id: row.id,
        made: user.when(row.at),
        state: row.state().map(str::to_owned),
        cells: cells
            .map(|(column, held)| (*column, cell(user, column, held.as_ref())))
            .collect(),
    }
}

fn cell(user: &SignedIn, column: &Column, held: Option<&NounCell>) -> Cell {
    match (held, column.kind) {
        (None, _) => Cell::Empty,
        (Some(NounCell::Id(id)), _) => Cell::Thing(*id),
        (Some(NounCell::Agent(agent)), _) => Cell::Who(who(agent)),
        (Some(NounCell::Owner(owner)), _) => Cell::Owner(owner.id.into(), owner.name.clone()),
        (Some(NounCell::Text(text)), _) => Cell::Written(user.written(text)),
        (Some(NounCell::Word(word)), Kind::State(_)) => Cell::State(word.clone()),
        (Some(NounCell::Word(word)), _) => Cell::Line(word.clone()),
        (Some(NounCell::Number(number)), _) => Cell::Number(*number),
        (Some(NounCell::Time(at)), _) => Cell::When(user.when(*at)),
        (Some(NounCell::Amount { amount, asset }), _) => Cell::Money(money(amount, asset)),
    }
}

/// Carries out an act, and leads back to what it was done to.
async fn act(
    noun: &'static Noun,
    Path(verb): Path<String>,
    form: Posted,
) -> Result<Response, Refusal> {
    let act = noun.acts.iter().find(|act| act.verb == verb);
    let act = act.ok_or(Code::NoSuchPath)?;
    let on: Option<AnyId> = form.field("on").map(named).transpose()?;
    let outcome = async {
        let command = command(act, &form)?;
        form.carry_out(command).await
    };
    match (outcome.await, on) {
        (Ok(_), Some(id)) => Ok(to(&format!("/{}/{id}", noun.plural))),
        (Ok(_), None) => Ok(to(&format!("/{}", noun.plural))),
        (Err(refusal), on) => {
            let sent = Some(form.refused(act.verb, &refusal));
            let page = match on {
                Some(id) => detail(noun, &form.user, id, sent).await,
                None => listed(noun, &form.user, sent).await,
            };
            answered(&refusal, page)
        }
    }
}

/// The command that a form asks for. What was typed is read as the command's arguments would be.
fn command(act: &Act, form: &Posted) -> Result<NativeCommand, Refusal> {
    let mut args = Map::new();
    if let (Some(name), Some(on)) = (act.on, form.field("on")) {
        args.insert(name.to_owned(), on.into());
    }
    for field in act.fields {
        if let Some(text) = form.field(field.name) {
            args.insert(field.name.to_owned(), argument(field, text)?);
        }
    }
    let args = Value::Object(args).to_string();
    parse_command(act.op, args.as_bytes()).map_err(Refusal::from)
}

fn argument(field: &Field, text: &str) -> Result<Value, Refusal> {
    match field.kind {
        Kind::Number => {
            let number: Result<u64, _> = text.parse();
            let why = |_| Refusal::new(Code::Malformed, format!("{}: a whole number", field.label));
            number.map(Value::from).map_err(why)
        }
        _ => Ok(text.into()),
    }
}
