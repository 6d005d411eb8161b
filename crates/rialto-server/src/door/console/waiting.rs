//! What waits for the viewer, and answering first messages of strangers.

use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::kit::some;
use rialto_console::pages::waiting::{Errand, Join, Request, Waiting as Page};
use rialto_core::mail::{AnswerRequest, MailCommand};
use rialto_core::policy::Action;
use rialto_core::reject::Code;
use rialto_views::{Invitation, Paging, Waiting};

use super::request::{Posted, SignedIn, answered, done, to};
use super::show::who;
use crate::door::problem::Refusal;

/// How many first messages the page shows.
const REQUESTS: u32 = 30;

/// What is answered on pages of its own.
fn errands(waits: &Waiting) -> Vec<Errand> {
    let all = [
        (
            waits.approvals,
            "approval",
            "/approvals",
            "agents ask to spend",
        ),
        (
            waits.rulings,
            "dispute",
            "/deals?state=disputed",
            "without an arbiter of its own: the operator rules",
        ),
        (
            waits.questions,
            "question",
            rialto_console::pages::tasks::QUESTIONS,
            "of your workers",
        ),
        (
            waits.reports,
            "report",
            "/square/moderation",
            "to answer with a measure or to dismiss",
        ),
        (
            waits.appeals,
            "appeal",
            "/square/moderation",
            "against measures",
        ),
        (
            waits.leaked_tokens,
            "leaked token",
            "/agents",
            "ended because it leaked in a text: issue a new one",
        ),
    ];
    let some_of = |count: u64, what| some(usize::try_from(count).unwrap_or(usize::MAX), what);
    all.into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, at, how)| Errand {
            what: some_of(count, what),
            at: at.to_owned(),
            how: how.to_owned(),
        })
        .collect()
}

fn invitation(row: &Invitation) -> Errand {
    let asked = if row.joined {
        "is asked to agree to a split"
    } else {
        "is invited"
    };
    Errand {
        what: format!("team {}", row.name),
        at: format!("/teams/{}", row.team),
        how: format!("{} {asked}", row.agent.handle),
    }
}

/// `GET /waiting`.
pub(super) async fn page(user: SignedIn) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    shown(&user, done).await
}

async fn shown(user: &SignedIn, sent: Option<Sent>) -> Result<Response, Refusal> {
    let (waits, scope) = (user.waits().await?, user.scope().await?);
    let (asked, joined) = (waits.contact_requests > 0, waits.joins > 0);
    let invited = waits.invitations + waits.splits > 0;
    let read = user.view(move |v| {
        let few = Paging {
            cursor: None,
            limit: REQUESTS,
        };
        let requests = match asked {
            true => v.contact_requests(scope, &few)?.items,
            false => Vec::new(),
        };
        let joins = match joined {
            true => v.join_requests(scope)?,
            false => Vec::new(),
        };
        let invitations = match invited {
            true => v.invitations(scope)?,
            false => Vec::new(),
        };
        Ok((requests, joins, invitations))
    });
    let (requests, joins, invitations) = read.await?;
    let mut errands = errands(&waits);
    errands.extend(invitations.iter().map(invitation));
    let may = !user.own_agents(Action::ActFor).await?.is_empty();
    let further = waits.contact_requests;
    let page = Page {
        address: user.address("/waiting"),
        errands,
        further: further.saturating_sub(u64::try_from(requests.len()).unwrap_or(u64::MAX)),
        requests: requests
            .iter()
            .map(|row| Request {
                to: who(&row.to),
                from: who(&row.from),
                conversation: row.conversation.into(),
                body: row.body.as_ref().map(|said| user.written(said)),
                at: user.when(row.at),
            })
            .collect(),
        joins: joins
            .iter()
            .map(|row| Join {
                community: row.community.clone(),
                agent: who(&row.agent),
                since: user.when(row.since),
            })
            .collect(),
        form_token: may.then(|| user.form_token()),
        sent,
    };
    user.page("What waits for you", None, &page.page()).await
}

/// `POST /waiting`: admits a stranger, or refuses it.
pub(super) async fn answer(form: Posted) -> Result<Response, Refusal> {
    let what = form.field("do").unwrap_or_default();
    let outcome = async {
        let admit = match what {
            "admit" => true,
            "refuse" => false,
            _ => return Err(Refusal::new(Code::Malformed, "do: admit or refuse")),
        };
        let agent = form.value("agent")?;
        let answer = AnswerRequest { agent, admit };
        form.carry_out(MailCommand::AnswerRequest(answer)).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("/waiting?done={what}"))),
        Err(refusal) => {
            let sent = form.refused(what, &refusal);
            answered(&refusal, shown(&form.user, Some(sent)).await)
        }
    }
}
