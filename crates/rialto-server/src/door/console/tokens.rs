//! The tokens of an agent: issuing one, whose secret is shown once, and revoking.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::pages::agents::Issued;
use rialto_console::pages::tokens::{Token, Tokens};
use rialto_core::id::{AgentId, TokenId};
use rialto_core::identity::{
    AgentRef, IdentityCommand, IssueToken, Principal, RevokeToken, Subject,
};
use rialto_core::policy::Action;
use rialto_core::time::DAY_MS;
use rialto_views::{MAX_PAGE, Paging, Scope};

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
                created: user.when(row.created),
                expires: row.expires.map(|at| user.when(at)),
            })
            .collect(),
        form_token: Some(user.form_token()),
    }))
}

/// `POST /agents/{agent}/tokens`: issues one and shows it once.
pub(super) async fn issue(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let card = card_of(&form.user, &name).await?;
    let outcome = async {
        let days = form.field("days").map(named::<u64>).transpose()?;
        let token = IssueToken {
            subject: Subject::Agent(AgentRef::Id(card.id)),
            label: form.maybe("label")?,
            expires_in_ms: days.map(|days| days.saturating_mul(DAY_MS)),
        };
        form.carry_out(IdentityCommand::IssueToken(token)).await
    };
    match outcome.await {
        Ok(accepted) => {
            let issued = Issued {
                handle: card.handle.clone(),
                registered: false,
                secret: accepted.token.map(|token| token.secret),
            };
            whole(&form.user, &card.handle, None, Some(issued)).await
        }
        Err(refusal) => settled(&form, &card, "token", Err(refusal)).await,
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
