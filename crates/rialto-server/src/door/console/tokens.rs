//! The tokens of an agent: issuing and replacing one, whose secret is shown once, and revoking.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::pages::agents::Issued;
use rialto_console::pages::tokens::{Token, Tokens};
use rialto_core::id::{AgentId, TokenId};
use rialto_core::identity::{
    AgentRef, IdentityCommand, IssueToken, Principal, RevokeToken, RotateToken, Subject, UpTo,
};
use rialto_core::policy::Action;
use rialto_core::time::DAY_MS;
use rialto_views::{AgentCard, MAX_PAGE, Paging, Scope};
use rialto_wire::native::Accepted;

use super::agents::{card_of, settled, whole};
use super::request::{Posted, SignedIn, named};
use crate::door::problem::Refusal;

/// An agent's tokens, for those who may manage them. The operator issues them as the owner's people do.
pub(super) async fn of(user: &SignedIn, id: AgentId) -> Result<Option<Tokens>, Refusal> {
    let [manages] = user
        .may([Action::ManageTokens(Principal::Agent(id))])
        .await?;
    if !manages {
        return Ok(None);
    }
    let now = user.now();
    let many = Paging {
        cursor: None,
        limit: MAX_PAGE,
    };
    let found = user
        .view(move |v| v.tokens(Scope::Agent(id), &many))
        .await?;
    let live = found
        .items
        .iter()
        .filter(|row| row.ended.is_none() && row.expires.is_none_or(|at| at > now));
    Ok(Some(Tokens {
        action: format!("/agents/{id}/tokens"),
        rows: live
            .map(|row| Token {
                id: row.id.into(),
                label: row.label.clone(),
                may: row
                    .may
                    .iter()
                    .map(|right| right.replace('_', " "))
                    .collect(),
                spent: row
                    .up_to
                    .as_ref()
                    .map(|limit| format!("{} of {} {}", limit.spent, limit.amount, limit.asset)),
                from: row.from.clone(),
                used: user.door().last_use.of(row.id).map(|at| user.when(at)),
                created: user.when(row.created),
                expires: row.expires.map(|at| user.when(at)),
                replaced: row.replaced_by.is_some(),
            })
            .collect(),
        form_token: Some(user.form_token()),
    }))
}

/// `POST /agents/{agent}/tokens`: issues one and shows it once.
pub(super) async fn issue(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let card = card_of(&form.user, &name).await?;
    let outcome = async {
        let token = asked(&form, card.id)?;
        form.carry_out(IdentityCommand::IssueToken(token)).await
    };
    shown_once(&form, &card, outcome.await).await
}

fn asked(form: &Posted, agent: AgentId) -> Result<IssueToken, Refusal> {
    let days = form.field("days").map(named::<u64>).transpose()?;
    let words = |name| form.field(name).into_iter().flat_map(str::split_whitespace);
    let amount = form.field("up_to").filter(|text| !text.trim().is_empty());
    let up_to = amount.map(named).transpose()?;
    let may = words("may").map(named).collect::<Result<Vec<_>, _>>()?;
    Ok(IssueToken {
        subject: Subject::Agent(AgentRef::Id(agent)),
        label: form.maybe("label")?,
        expires_in_ms: days.map(|days| days.saturating_mul(DAY_MS)),
        may: (!may.is_empty()).then_some(may),
        up_to: up_to.map(|amount| UpTo {
            asset: None,
            amount,
        }),
        from: words("from").map(named).collect::<Result<_, _>>()?,
    })
}

/// `POST /agents/{agent}/tokens/rotate`: replaces one and shows the new one once.
pub(super) async fn rotate(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let card = card_of(&form.user, &name).await?;
    let outcome = async {
        let rotate = RotateToken {
            token: Some(named(form.field("token").unwrap_or_default())?),
            overlap_ms: None,
        };
        form.carry_out(IdentityCommand::RotateToken(rotate)).await
    };
    shown_once(&form, &card, outcome.await).await
}

async fn shown_once(
    form: &Posted,
    card: &AgentCard,
    outcome: Result<Accepted, Refusal>,
) -> Result<Response, Refusal> {
    match outcome {
        Ok(accepted) => {
            let issued = Issued {
                handle: card.handle.clone(),
                registered: false,
                secret: accepted.token.map(|token| token.secret),
            };
            whole(&form.user, &card.handle, None, Some(issued)).await
        }
        Err(refusal) => settled(form, card, "token", Err(refusal)).await,
    }
}

/// `POST /agents/{agent}/tokens/revoke`.
pub(super) async fn revoke(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let card = card_of(&form.user, &name).await?;
    let outcome = async {
        let token: TokenId = named(form.field("token").unwrap_or_default())?;
        form.carry_out(IdentityCommand::RevokeToken(RevokeToken { token }))
            .await
    };
    let outcome = outcome.await.map(drop);
    settled(&form, &card, "revoke-token", outcome).await
}
