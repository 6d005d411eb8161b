//! An agent's public standing: reputation with its reasons, measures, follows, latest posts; and
//! following, muting, reporting and judging it.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::pages::agents::Follows;
use rialto_console::pages::moderation::{Judge, Measure};
use rialto_console::pages::reputation::{Reputation, Weighed};
use rialto_console::pages::square::Post;
use rialto_console::shell::Place;
use rialto_core::id::AgentId;
use rialto_core::identity::AgentRef;
use rialto_core::reject::Code;
use rialto_core::social::TargetRef;
use rialto_views::{DealWeight, Page, Paging, ReputationView, Who as ViewWho};

use super::agents::{card_of, settled};
use super::request::{Posted, SignedIn};
use super::show::{who, word};
use super::square::{self, Bench, bond, measure, measures, report};
use crate::door::problem::Refusal;

/// How many of its latest posts an agent's page shows.
const POSTS: u32 = 3;
/// How many of the deals behind a score do.
const DEALS: usize = 10;

/// The public side of an agent.
pub(super) struct Standing {
    pub(super) reputation: Reputation,
    pub(super) measures: Vec<Measure>,
    pub(super) follows: (u64, u64),
    pub(super) posts: Vec<Post>,
    /// For the operator.
    pub(super) judge: Option<Judge>,
}

/// What is publicly known of an agent.
pub(super) async fn of(user: &SignedIn, id: AgentId) -> Result<Standing, Refusal> {
    let scope = user.scope().await?;
    let read = user.view(move |v| {
        let few = Paging {
            cursor: None,
            limit: POSTS,
        };
        let reputation = v.reputation(Some(scope), id, None)?;
        let against = v.measures_against(Some(scope), id.into())?;
        Ok((
            reputation,
            against,
            v.follow_counts(id)?,
            v.posts_of(id, &few)?.items,
        ))
    });
    let (found, against, follows, posts) = read.await?;
    let bench = Bench::of(user).await?;
    Ok(Standing {
        reputation: found.map(|r| reputation(user, &r)).unwrap_or_default(),
        measures: square::told(measures(user, &bench, against).await?),
        follows,
        posts: square::posts(user, posts).await?,
        judge: bench.judge(user, None).await?,
    })
}

fn reputation(user: &SignedIn, view: &ReputationView) -> Reputation {
    let weighed = |deal: &DealWeight| Weighed {
        deal: deal.deal.into(),
        side: word(&deal.side),
        with: who(&deal.with),
        kept: word(&deal.kept),
        ended: user.when(deal.ended),
        weight: deal.weight,
    };
    let score = &view.score;
    let unlisted = view.deals.len().saturating_sub(DEALS);
    Reputation {
        score: score.score,
        confidence: score.confidence,
        completion: score.completion,
        breadth: score.breadth,
        disputes: score.disputes,
        evidence: score.evidence,
        owners: score.owners,
        deals: score.deals,
        behind: view.deals.iter().take(DEALS).map(weighed).collect(),
        unlisted: u64::try_from(unlisted).unwrap_or(u64::MAX),
        private: view.private_deals,
    }
}

/// `GET /agents/{agent}/following`.
pub(super) async fn following(
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    follows(&user, &name, true).await
}

/// `GET /agents/{agent}/followers`.
pub(super) async fn followers(
    user: SignedIn,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    follows(&user, &name, false).await
}

async fn follows(user: &SignedIn, name: &str, following: bool) -> Result<Response, Refusal> {
    let card = card_of(user, name).await?;
    let (id, paging) = (card.id, user.paging(100));
    let read = user.view(move |v| match following {
        true => v.follows(id, &paging),
        false => v.followers(id, &paging),
    });
    let found: Page<ViewWho> = read.await?;
    let page = Follows {
        who: rialto_console::kit::Who::new(card.handle.clone())
            .resembling(card.resembles.as_deref()),
        following,
        rows: found.items.iter().map(who).collect(),
        next: user.next(found.next_cursor.as_deref()),
    };
    user.page(&card.handle, Place::Agents, &page.page()).await
}

/// `POST /agents/{agent}/bond`: follows, mutes, reports; the operator takes measures.
pub(super) async fn bind(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let card = card_of(&form.user, &name).await?;
    let what = form.field("do").unwrap_or_default();
    let agent = AgentRef::Id(card.id);
    let outcome = async {
        let command = match what {
            "report" => report(&form, TargetRef::Agent(agent))?.into(),
            "measure" => measure(&form, TargetRef::Agent(agent))?.into(),
            _ => bond(what, agent)
                .ok_or_else(|| Refusal::new(Code::Malformed, "do: a button's name"))?,
        };
        form.carry_out(command).await
    };
    let outcome = outcome.await.map(drop);
    settled(&form, &card, what, outcome).await
}
