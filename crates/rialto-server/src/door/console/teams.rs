//! Teams: the list, one with its members, budget and split; creating, inviting, joining, agreeing.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::pages::square::ActingAs;
use rialto_console::pages::teams::{List, Member, One, Team};
use rialto_console::shell::Place;
use rialto_core::id::{AgentId, TeamId};
use rialto_core::policy::Action;
use rialto_core::reject::Code;
use rialto_core::work::{
    AgreeSplit, CreateTeam, InviteMember, JoinTeam, ProposeSplit, RemoveMember, Share, TeamRole,
    WorkCommand,
};
use rialto_views::TeamRow;

use super::ledger::account;
use super::request::{Posted, SignedIn, answered, done, named, to};
use super::show::{who, word};
use super::square::acting_as;
use crate::door::problem::Refusal;

fn team(user: &SignedIn, row: &TeamRow) -> Team {
    let members = row.members.iter().map(|member| Member {
        agent: who(&member.agent),
        id: member.agent.id.into(),
        role: member.role.clone(),
        joined: member.joined,
        share_ppm: member.share_ppm,
        agreed: member.agreed,
    });
    Team {
        id: row.id.into(),
        name: row.name.clone(),
        owner: row.owner.into(),
        members: members.collect(),
        created: user.when(row.created),
    }
}

/// `GET /teams`.
pub(super) async fn list(user: SignedIn) -> Result<Response, Refusal> {
    listed(&user, None).await
}

async fn listed(user: &SignedIn, sent: Option<Sent>) -> Result<Response, Refusal> {
    let (scope, paging) = (user.scope().await?, user.paging(30));
    let found = user.view(move |v| v.teams(scope, &paging)).await?;
    let list = List {
        address: user.address("/teams"),
        rows: found.items.iter().map(|row| team(user, row)).collect(),
        next: user.next(found.next_cursor.as_deref()),
        first: user.param("cursor").is_none(),
        acting_as: acting_as(user).await?,
        sent,
    };
    user.page("Teams", Place::Teams, &list.page()).await
}

/// `POST /teams`: creates one.
pub(super) async fn create(form: Posted) -> Result<Response, Refusal> {
    let outcome = async {
        let name = form.value("name")?;
        let command = WorkCommand::CreateTeam(CreateTeam { name, owner: None });
        form.carry_out(command).await
    };
    match outcome.await {
        Ok(accepted) => Ok(match accepted.ids.get("team") {
            Some(id) => to(&format!("/teams/{id}")),
            None => to("/teams"),
        }),
        Err(refusal) => {
            let sent = form.refused("team", &refusal);
            answered(&refusal, listed(&form.user, Some(sent)).await)
        }
    }
}

/// `GET /teams/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    shown(&user, named(&name)?, done).await
}

async fn shown(user: &SignedIn, id: TeamId, sent: Option<Sent>) -> Result<Response, Refusal> {
    let scope = user.scope().await?;
    let read = user.view(move |v| {
        let Some(row) = v.team(scope, id)? else {
            return Ok(None);
        };
        Ok(Some((row, v.team_accounts(scope, id)?)))
    });
    let (row, accounts) = read.await?.ok_or(Code::NotFound)?;
    let own = user.own_agents(Action::ActFor).await?;
    let is_own = |agent: AgentId| own.iter().any(|(id, _)| *id == agent);
    let mine: Vec<_> = row.members.iter().filter(|m| is_own(m.agent.id)).collect();
    let waits = mine
        .iter()
        .filter(|m| !m.joined || m.share_ppm.is_some() && !m.agreed);
    let lead = word(&TeamRole::Lead);
    let leads = mine.iter().filter(|m| m.joined && m.role == lead);
    let seat = |handles: Vec<String>| ActingAs {
        form_token: user.form_token(),
        agents: handles,
    };
    let leads: Vec<String> = leads.map(|m| m.agent.handle.clone()).collect();
    let [manages] = user.may([Action::LeadTeam(id)]).await?;
    let removers = if manages { Vec::new() } else { leads.clone() };
    let removes = manages || !removers.is_empty();
    let page = One {
        address: user.address(&format!("/teams/{id}")),
        team: team(user, &row),
        accounts: accounts.iter().map(account).collect(),
        asked: waits.map(|m| (who(&m.agent), m.joined)).collect(),
        lead: (!leads.is_empty()).then(|| seat(leads)),
        remove: (removes && !row.members.is_empty()).then(|| seat(removers)),
        acting_as: (!mine.is_empty()).then(|| seat(Vec::new())),
        sent,
    };
    user.page(&row.name, Place::Teams, &page.page()).await
}

/// The shares that a form names, field by field.
fn shares(
    form: &Posted,
    prefix: &str,
    ppm: impl Fn(&str) -> Result<u32, Refusal>,
) -> Result<Vec<Share>, Refusal> {
    let named_so = form
        .fields
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
    named_so
        .map(|(agent, value)| {
            let agent: AgentId = named(agent)?;
            let ppm = ppm(value.trim())?;
            Ok(Share { agent, ppm })
        })
        .collect()
}

/// Per cent, with at most four digits after the point, in millionths.
fn ppm(text: &str) -> Result<u32, Refusal> {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let fits = !whole.is_empty() && whole.len() <= 3 && behind.len() <= 4;
    if !(fits && digits(whole) && digits(behind)) {
        let detail = "a share is a number of per cent such as 33.3333";
        return Err(Refusal::new(Code::Malformed, detail));
    }
    let number = format!("{whole}{behind:0<4}");
    number
        .parse()
        .map_err(|_| Refusal::new(Code::Malformed, "a share is a number of per cent"))
}

/// `POST /teams/{id}`: joins, leaves, agrees, invites, removes, proposes a split.
pub(super) async fn act(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let id: TeamId = named(&name)?;
    let what = form.field("do").unwrap_or_default();
    let outcome = async {
        let command = match what {
            "join" | "leave" => WorkCommand::JoinTeam(JoinTeam {
                team: id,
                join: what == "join",
            }),
            "agree" => {
                let shares = shares(&form, "ppm:", named)?;
                WorkCommand::AgreeSplit(AgreeSplit { team: id, shares })
            }
            "propose" => {
                let shares = shares(&form, "percent:", ppm)?;
                WorkCommand::ProposeSplit(ProposeSplit { team: id, shares })
            }
            "invite" => WorkCommand::InviteMember(InviteMember {
                team: id,
                agent: form.value("agent")?,
                role: form.value("role")?,
            }),
            "remove" => WorkCommand::RemoveMember(RemoveMember {
                team: id,
                agent: form.value("agent")?,
            }),
            _ => return Err(Refusal::new(Code::Malformed, "do: a button's name")),
        };
        form.carry_out(command).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("/teams/{id}?done={what}"))),
        Err(refusal) => {
            let stands = if what == "propose" { "split" } else { what };
            let sent = form.refused(stands, &refusal);
            answered(&refusal, shown(&form.user, id, Some(sent)).await)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ppm;

    #[test]
    fn per_cent_become_millionths() {
        for (text, want) in [
            ("100", 1_000_000),
            ("33.3334", 333_334),
            ("0", 0),
            ("7.5", 75_000),
        ] {
            assert_eq!(ppm(text).unwrap(), want, "{text}");
        }
        for bad in ["", "x", "-1", "1.23456", "1000", "1.x", "1e2"] {
            assert!(ppm(bad).is_err(), "{bad}");
        }
    }
}
