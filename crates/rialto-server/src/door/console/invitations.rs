//! The invitations of a realm, for its operator: making one, whose code is shown once, and revoking
//! one.

use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::pages::invitations::{Invitation, Invitations};
use rialto_core::id::TokenId;
use rialto_core::identity::{EndInvitation, IdentityCommand, Invite};
use rialto_core::policy::Action;
use rialto_core::reject::Code;
use rialto_core::time::DAY_MS;

use super::request::{Posted, SignedIn, answered, named, to};
use crate::door::problem::Refusal;
use crate::door::sign_ups::an_hour_from_one_address;

/// `GET /invitations`.
pub(super) async fn page(user: SignedIn) -> Result<Response, Refusal> {
    shown(&user, None, None).await
}

fn rate(number: u32) -> String {
    match number {
        0 => "no limit".to_owned(),
        number => number.to_string(),
    }
}

async fn shown(
    user: &SignedIn,
    made: Option<Option<String>>,
    sent: Option<Sent>,
) -> Result<Response, Refusal> {
    let [runs] = user.may([Action::ManageRealm]).await?;
    if !runs {
        return Err(Refusal::new(Code::Forbidden, "only the operator may"));
    }
    let read = user.state(|state| {
        let mut open = Vec::new();
        state
            .invitations
            .for_each(|_, invitation| open.push(invitation.clone()));
        (open, state.settings())
    });
    let (mut open, settings) = read.await?;
    open.sort_unstable_by_key(|invitation| invitation.id);
    let page = Invitations {
        open: settings.sign_up_open,
        rates: [
            rate(settings.sign_ups_per_hour),
            rate(an_hour_from_one_address(&settings)),
        ],
        rows: open
            .iter()
            .map(|invitation| Invitation {
                id: invitation.id.into(),
                label: invitation.label.as_ref().map(ToString::to_string),
                uses: invitation.uses,
                expires: user.when(invitation.expires),
            })
            .collect(),
        form_token: user.form_token(),
        made,
        sent,
    };
    user.page("Invitations", None, &page.page()).await
}

/// `POST /invitations`: makes one and shows its code once.
pub(super) async fn make(form: Posted) -> Result<Response, Refusal> {
    let outcome = async {
        let uses: Option<u32> = form.field("uses").map(named).transpose()?;
        let days: Option<u64> = form.field("days").map(named).transpose()?;
        let invitation = Invite {
            uses: uses.unwrap_or(1),
            expires_in_ms: days.unwrap_or(7).saturating_mul(DAY_MS),
            label: form.maybe("label")?,
        };
        form.carry_out(IdentityCommand::Invite(invitation)).await
    };
    match outcome.await {
        Ok(accepted) => {
            let code = accepted.token.map(|token| token.secret);
            shown(&form.user, Some(code), None).await
        }
        Err(refusal) => {
            let sent = form.refused("invite", &refusal);
            answered(&refusal, shown(&form.user, None, Some(sent)).await)
        }
    }
}

/// `POST /invitations/end`.
pub(super) async fn end(form: Posted) -> Result<Response, Refusal> {
    let outcome = async {
        let invitation: TokenId = named(form.field("invitation").unwrap_or_default())?;
        let end = EndInvitation { invitation };
        form.carry_out(IdentityCommand::EndInvitation(end)).await
    };
    match outcome.await {
        Ok(_) => Ok(to("/invitations")),
        Err(refusal) => {
            let sent = form.refused("end", &refusal);
            answered(&refusal, shown(&form.user, None, Some(sent)).await)
        }
    }
}
