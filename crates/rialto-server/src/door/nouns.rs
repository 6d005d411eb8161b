//! The lists and details of plain nouns: two routes for each, from its declaration.

use axum::routing::get;
use rialto_core::id::AnyId;
use rialto_core::noun::{self, Noun};
use rialto_core::reject::Code;
use rialto_views::{NounRow, Page};

use super::answer::Answer;
use super::path::Path;
use super::problem::Refusal;
use super::reads::{Read, id};
#[cfg(feature = "schema")]
use super::routes::About;
use super::routes::{Access, Route};

/// The query of a list, beside that of every read.
const LIST: &[&str] = &["state", "cursor", "limit", "min_position", "quarantined"];
const ONE: &[&str] = &["min_position", "quarantined"];

/// The routes of all plain nouns.
pub(super) fn routes() -> impl Iterator<Item = Route> {
    noun::all().flat_map(|noun| {
        let list = move |read| list(noun, read);
        let one = move |path, read| one(noun, path, read);
        [
            Route {
                path: noun.list_path,
                query: LIST,
                access: Access::Read,
                handler: get(list),
                #[cfg(feature = "schema")]
                about: About {
                    method: "get",
                    name: noun.plural,
                    summary: noun.about,
                    answers: super::describe::Answers::Rows(noun),
                },
            },
            Route {
                path: noun.one_path,
                query: ONE,
                access: Access::Read,
                handler: get(one),
                #[cfg(feature = "schema")]
                about: About {
                    method: "get",
                    name: noun.name,
                    summary: noun.about,
                    answers: super::describe::Answers::Row(noun),
                },
            },
        ]
    })
}

/// The state that a list is narrowed to, which must be one of the noun's.
///
/// # Errors
/// [`Code::Malformed`] with the states that there are.
pub(super) fn wanted_state(
    noun: &Noun,
    state: Option<&str>,
) -> Result<Option<&'static str>, Refusal> {
    let Some(wanted) = state else {
        return Ok(None);
    };
    let states = noun.states().map_or(&[] as &[&str], |(_, states)| states);
    let found = states.iter().copied().find(|state| *state == wanted);
    found.map(Some).ok_or_else(|| {
        let known = states.join(", ");
        Refusal::new(Code::Malformed, format!("state: one of {known}"))
    })
}

async fn list(noun: &'static Noun, read: Read) -> Answer<Page<NounRow>> {
    let scope = read.scope().await?;
    let state = wanted_state(noun, read.query.state.as_deref())?;
    read.answer(move |v, query| v.nouns(scope, noun, state, &query.paging()))
        .await
}

async fn one(noun: &'static Noun, Path(name): Path<String>, read: Read) -> Answer<NounRow> {
    let (wanted, scope): (AnyId, _) = (id(&name)?, read.scope().await?);
    read.one(move |v, _| v.noun(scope, noun, wanted)).await
}
