//! From the views' rows to the square's models.

use rialto_console::kit::Who;
use rialto_console::pages::moderation::{Judge, Measure, Target};
use rialto_console::pages::square::{Outcome, Post, Why};
use rialto_core::id::{AgentId, AnyId};
use rialto_core::identity::Principal;
use rialto_core::policy::{Action, authorise};
use rialto_core::time::Time;
use rialto_views::{Error as ViewError, MeasureRow, PostRow, ViewReader, Who as ViewWho, Written};

use super::Bench;
use crate::door::console::request::SignedIn;
use crate::door::console::show::{principal, who};
use crate::door::problem::Refusal;

/// Posts, with links to what the viewer may see.
pub(in crate::door::console) async fn posts(
    user: &SignedIn,
    rows: Vec<PostRow>,
) -> Result<Vec<Post>, Refusal> {
    let scope = user.scope().await?;
    let about: Vec<AnyId> = rows
        .iter()
        .flat_map(|row| &row.about)
        .map(|o| o.id)
        .collect();
    let seen = user.view(move |v| {
        let sees = |id: AnyId| Ok(v.sees(scope, id)?.then_some(id));
        let all: Result<Vec<_>, ViewError> = about.into_iter().map(sees).collect();
        Ok(all?.into_iter().flatten().collect::<Vec<_>>())
    });
    let seen = seen.await?;
    Ok(rows.iter().map(|row| post(user, row, &seen)).collect())
}

fn post(user: &SignedIn, row: &PostRow, seen: &[AnyId]) -> Post {
    let outcome = |o: &rialto_views::Outcome| Outcome {
        id: o.id,
        state: o.state.clone(),
        since: user.when(o.since),
        visible: seen.contains(&o.id),
    };
    let reactions = [
        ("useful", row.reactions.useful),
        ("agree", row.reactions.agree),
        ("disagree", row.reactions.disagree),
        ("thanks", row.reactions.thanks),
    ];
    let texts = |marks: &[&'static str]| marks.iter().map(|m| (*m).to_owned()).collect();
    Post {
        id: row.id.into(),
        author: who(&row.author),
        author_marks: texts(&row.author_marks),
        state: row.state.to_owned(),
        body: row.body.as_ref().map(|said| user.written(said)),
        hidden_because: row.hidden_because.as_ref().map(|said| user.written(said)),
        community: row.community.clone(),
        parent: row.parent.map(Into::into),
        root: row.root.into(),
        replies: row.replies,
        edits: row.edits,
        edited: row.edited.map(|at| user.when(at)),
        marks: texts(&row.marks),
        mentions: row.mentions.iter().map(who).collect(),
        about: row.about.iter().map(outcome).collect(),
        reactions: reactions.into_iter().filter(|(_, n)| *n > 0).collect(),
        at: user.when(row.at),
        why: row.why.as_ref().map(why),
    }
}

fn why(why: &rialto_views::Why) -> Why {
    let ways: Vec<&str> = why
        .related_by
        .iter()
        .map(|way| match *way {
            "followed" => "followed",
            "deal" => "dealt with before",
            _ => "same community",
        })
        .collect();
    let parts = [
        ("how young it is".to_owned(), why.recency),
        (ways.join(", "), why.relation),
        ("author's settled deals".to_owned(), why.reputation),
        ("about something done".to_owned(), why.deeds),
        ("labels".to_owned(), why.labels),
        ("same owner above".to_owned(), why.diversity),
    ];
    Why {
        score: why.score,
        parts: parts.into_iter().filter(|(_, n)| *n != 0).collect(),
    }
}

/// What a report or measure is about, as it is now.
pub(super) struct Seen {
    id: Option<AnyId>,
    agent: Option<ViewWho>,
    body: Option<Written>,
    state: Option<&'static str>,
    community: Option<String>,
}

impl Seen {
    /// Reads it.
    pub(super) fn read(
        views: &ViewReader,
        id: Option<AnyId>,
        community: Option<String>,
    ) -> Result<Self, ViewError> {
        let mut seen = Self {
            id,
            agent: None,
            body: None,
            state: None,
            community,
        };
        match id {
            Some(AnyId::PostId(id)) => {
                if let Some(post) = views.post(id)? {
                    seen.state = Some(post.state);
                    seen.agent = Some(post.author);
                    seen.body = post.body;
                }
            }
            Some(AnyId::AgentId(id)) => {
                let card = views.agent(id)?;
                seen.agent = card.map(|card| ViewWho {
                    id: card.id,
                    handle: card.handle,
                    resembles: card.resembles,
                });
            }
            _ => {}
        }
        Ok(seen)
    }

    /// The agent that is responsible for it.
    pub(super) fn agent(&self) -> Option<AgentId> {
        self.agent.as_ref().map(|who| who.id)
    }

    pub(super) fn model(&self, user: &SignedIn) -> Target {
        Target {
            id: self.id,
            agent: self.agent.as_ref().map(who),
            body: self.body.as_ref().map(|said| user.written(said)),
            state: self.state.map(str::to_owned),
            community: self.community.clone(),
        }
    }
}

/// Measures, with forms for those who may lift them, decide appeals, or appeal.
pub(in crate::door::console) async fn measures(
    user: &SignedIn,
    bench: &Bench,
    rows: Vec<MeasureRow>,
) -> Result<Vec<Measure>, Refusal> {
    let places = rows.iter().map(|row| row.community.clone()).collect();
    let judges = bench.judges(user, places).await?;
    let named = rows.iter().map(|row| principal(row.by).handle).collect();
    let names = user.named(named).await?;
    let read = user.view(move |v| {
        let targets = rows.iter().map(|row| {
            let seen = Seen::read(v, row.target, row.community.clone());
            seen.map(|seen| (row.clone(), seen))
        });
        targets.collect::<Result<Vec<_>, ViewError>>()
    });
    let rows = read.await?.into_iter().zip(judges).zip(names);
    Ok(rows
        .map(|(((row, seen), judge), by)| measure(user, bench, row, &seen, judge, by))
        .collect())
}

fn measure(
    user: &SignedIn,
    bench: &Bench,
    row: MeasureRow,
    seen: &Seen,
    judge: Option<Judge>,
    by: Who,
) -> Measure {
    let appealable = row.appeal == "none" && row.ended.is_none() && !is_late(user.now(), row.at);
    let against = row.against.as_ref().filter(|_| appealable);
    let own = against.and_then(|who| bench.own(user, who));
    let said = |text: &Option<Written>| text.as_ref().map(|said| user.written(said));
    let judge = judge.filter(|_| bench.may_end(&row));
    let mut target = seen.model(user);
    target.body = target.body.or_else(|| said(&row.hidden));
    Measure {
        id: row.id.into(),
        target,
        mark: row.mark.iter().map(|m| (*m).to_owned()).collect(),
        until: row.until.map(|at| user.when(at)),
        by,
        reason: said(&row.reason),
        at: user.when(row.at),
        statement: said(&row.statement),
        ended: row.ended.map(|at| user.when(at)),
        end_reason: said(&row.end_reason),
        judge,
        against: own,
        step: row.step,
        appeal: row.appeal,
    }
}

/// Measures as everybody reads them: their forms stand on their own pages.
pub(in crate::door::console) fn told(mut measures: Vec<Measure>) -> Vec<Measure> {
    for measure in &mut measures {
        measure.judge = None;
        measure.against = None;
    }
    measures
}

fn is_late(now: Time, at: Time) -> bool {
    now.since(at) > rialto_core::limits::APPEAL_MS
}

/// Whether the viewer is the operator, as the core sees it.
pub(super) async fn is_operator(user: &SignedIn) -> Result<bool, Refusal> {
    let principal: Principal = user.caller.principal;
    user.state(move |state| authorise(state, principal, Action::Moderate(None)).is_ok())
        .await
}
