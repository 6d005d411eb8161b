//! Moderation: reports, measures and appeals, with what the viewer may do about each.

use axum::extract::Path;
use axum::response::Response;
use rialto_console::form::Sent;
use rialto_console::pages::moderation::{Judge, Moderation, ReportEntry, Which};
use rialto_console::shell::Place;
use rialto_core::id::{AgentId, AnyId, MeasureId, ReportId};
use rialto_core::identity::{AgentRef, Principal};
use rialto_core::policy::Action;
use rialto_core::reject::Code;
use rialto_core::social::{
    Appeal, DecideAppeal, DismissReports, RevokeMeasure, SocialCommand, Step, TakeMeasure,
    TargetRef,
};
use rialto_core::time::DAY_MS;
use rialto_views::{Error as ViewError, FiledReport, MeasureRow, Who as ViewWho};
use rialto_wire::body::Body;

use super::measures;
use super::show::{self, Seen};
use crate::door::console::request::{Posted, SignedIn, answered, done, named, to};
use crate::door::console::show::who;
use crate::door::problem::Refusal;

/// As whom the viewer may judge.
pub(in crate::door::console) struct Bench {
    operator: bool,
    agents: Vec<(AgentId, String)>,
}

impl Bench {
    /// The viewer's rights as a moderator.
    pub(in crate::door::console) async fn of(user: &SignedIn) -> Result<Self, Refusal> {
        Ok(Self {
            operator: show::is_operator(user).await?,
            agents: user.own_agents(Action::ActFor).await?,
        })
    }

    /// Which of the viewer's agents may judge what is in a community; none is the whole square.
    pub(in crate::door::console) async fn judge(
        &self,
        user: &SignedIn,
        community: Option<String>,
    ) -> Result<Option<Judge>, Refusal> {
        let found = self.judges(user, vec![community]).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// The same for several places.
    pub(super) async fn judges(
        &self,
        user: &SignedIn,
        places: Vec<Option<String>>,
    ) -> Result<Vec<Option<Judge>>, Refusal> {
        let judge = |agents| Judge {
            form_token: user.form_token(),
            agents,
        };
        if self.operator {
            return Ok(places.iter().map(|_| Some(judge(Vec::new()))).collect());
        }
        let ids: Vec<Option<String>> = places;
        let read = user.view(move |v| {
            let moderators = ids.iter().map(|name| match name {
                Some(name) => Ok(v.community(name)?.map(|row| row.moderators)),
                None => Ok(None),
            });
            moderators.collect::<Result<Vec<_>, ViewError>>()
        });
        let of_place = |moderators: Option<Vec<ViewWho>>| {
            let sits = |id: &AgentId| moderators.iter().flatten().any(|m| m.id == *id);
            let own = self.agents.iter().filter(|(id, _)| sits(id));
            let own: Vec<String> = own.map(|(_, handle)| handle.clone()).collect();
            (!own.is_empty()).then(|| judge(own))
        };
        Ok(read.await?.into_iter().map(of_place).collect())
    }

    /// Whether the viewer may judge a case of an agent: nobody judges in their own case.
    pub(in crate::door::console) fn may(&self, about: Option<AgentId>) -> bool {
        self.operator || !about.is_some_and(|id| self.agents.iter().any(|(own, _)| *own == id))
    }

    /// Whether the viewer may lift a measure or decide its appeal: the measure is neither against
    /// its own agent nor the operator's, and an appealed one is not its own.
    pub(super) fn may_end(&self, row: &MeasureRow) -> bool {
        let by = match row.by {
            Principal::Agent(by) => Some(by),
            _ if self.operator => None,
            _ => return false,
        };
        let against = row.against.as_ref().map(|who| who.id);
        self.may(against) && (row.appeal != "open" || self.may(by))
    }

    /// The viewer's own agent, as the one that a measure is against.
    pub(super) fn own(&self, user: &SignedIn, agent: &ViewWho) -> Option<Judge> {
        let own = self.agents.iter().find(|(id, _)| *id == agent.id);
        own.map(|(_, handle)| Judge {
            form_token: user.form_token(),
            agents: vec![handle.clone()],
        })
    }
}

/// `GET /square/moderation`.
pub(super) async fn page(user: SignedIn) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    queue(&user, done).await
}

async fn queue(user: &SignedIn, sent: Option<Sent>) -> Result<Response, Refusal> {
    let which = match user.param("show") {
        None => Which::Waiting,
        Some("reports") => Which::Reports,
        Some("measures") => Which::Measures,
        Some(_) => return Err(Refusal::new(Code::Malformed, "show: reports or measures")),
    };
    let (scope, paging) = (user.scope().await?, user.paging(30));
    // A cursor is of one list; of what waits, that of the reports.
    let read = user.view(move |v| {
        let appeals = rialto_views::Paging {
            cursor: None,
            limit: 100,
        };
        Ok(match which {
            Which::Waiting => {
                let reports = v.reports(scope, false, &paging)?;
                let appeals = v.measures(scope, true, &appeals)?.items;
                (reports.items, appeals, reports.next_cursor)
            }
            Which::Reports => {
                let reports = v.reports(scope, true, &paging)?;
                (reports.items, Vec::new(), reports.next_cursor)
            }
            Which::Measures => {
                let measures = v.measures(scope, false, &paging)?;
                (Vec::new(), measures.items, measures.next_cursor)
            }
        })
    });
    let (filed, taken, next) = read.await?;
    let bench = Bench::of(user).await?;
    let page = Moderation {
        address: user.address("/square/moderation"),
        which,
        reports: reports(user, &bench, filed).await?,
        measures: measures(user, &bench, taken).await?,
        next: user.next(next.as_deref()),
        operator: bench.operator,
        sent,
    };
    user.page("Moderation", Place::Square, &page.page()).await
}

async fn reports(
    user: &SignedIn,
    bench: &Bench,
    rows: Vec<FiledReport>,
) -> Result<Vec<ReportEntry>, Refusal> {
    let places = rows.iter().map(|row| row.community.clone()).collect();
    let judges = bench.judges(user, places).await?;
    let read = user.view(move |v| {
        let seen = rows.into_iter().map(|row| {
            let seen = Seen::read(v, row.target, row.community.clone())?;
            Ok((row, seen))
        });
        seen.collect::<Result<Vec<_>, ViewError>>()
    });
    let rows = read.await?.into_iter().zip(judges);
    Ok(rows
        .map(|((row, seen), judge)| ReportEntry {
            id: row.id.into(),
            by: who(&row.by),
            target: seen.model(user),
            ground: row.ground,
            text: row.text.as_ref().map(|said| user.written(said)),
            at: user.when(row.at),
            ended: row.ended.map(|at| user.when(at)),
            measure: row.measure.map(Into::into),
            reason: row.reason.as_ref().map(|said| user.written(said)),
            judge: judge.filter(|_| bench.may(seen.agent())),
        })
        .collect())
}

/// A measure, as its form gives it.
///
/// # Errors
/// [`Code::Malformed`] for a step that there is not, [`Code::BadText`] without a reason.
pub(in crate::door::console) fn measure(
    form: &Posted,
    target: TargetRef,
) -> Result<SocialCommand<Body>, Refusal> {
    let reason = Body::text(form.text("reason", "a measure")?);
    let step = match form.field("step").unwrap_or_default().split_once(':') {
        Some(("suspend", days)) => {
            let days: u64 = named(days)?;
            Step::Suspend {
                for_ms: days.saturating_mul(DAY_MS),
            }
        }
        _ => match form.field("step") {
            Some("hide") => Step::Hide,
            _ => Step::Label(form.value("step")?),
        },
    };
    Ok(SocialCommand::TakeMeasure(TakeMeasure {
        target,
        step,
        community: form.maybe("community")?,
        reports: form.maybe("report")?.into_iter().collect(),
        reason,
    }))
}

fn target(form: &Posted) -> Result<TargetRef, Refusal> {
    match named(form.field("target").unwrap_or_default())? {
        AnyId::PostId(id) => Ok(TargetRef::Post(id)),
        AnyId::AgentId(id) => Ok(TargetRef::Agent(AgentRef::Id(id))),
        _ => Err(Refusal::new(Code::Malformed, "target: a post or an agent")),
    }
}

/// `POST /square/moderation`: answers a report.
pub(super) async fn answer(form: Posted) -> Result<Response, Refusal> {
    let report: ReportId = named(form.field("report").unwrap_or_default())?;
    let outcome = async {
        match form.field("do") {
            Some("measure") => {
                let command = measure(&form, target(&form)?)?;
                form.carry_out(command).await
            }
            Some("dismiss") => {
                let reason = form.text("reason", "dismissing a report")?;
                let dismissed = DismissReports {
                    reports: vec![report],
                    reason: Body::text(reason),
                };
                form.carry_out(SocialCommand::DismissReports(dismissed))
                    .await
            }
            _ => Err(Refusal::new(Code::Malformed, "do: measure or dismiss")),
        }
    };
    match outcome.await {
        Ok(accepted) => Ok(match accepted.ids.get("meas") {
            Some(measure) => to(&format!("/square/measures/{measure}?done=measure")),
            None => to("/square/moderation?done=dismiss"),
        }),
        Err(refusal) => {
            let sent = form.refused(&report.to_string(), &refusal);
            answered(&refusal, queue(&form.user, Some(sent)).await)
        }
    }
}

/// `GET /square/measures/{id}`.
pub(super) async fn one(user: SignedIn, Path(name): Path<String>) -> Result<Response, Refusal> {
    let done = user.param("done").map(done);
    single(&user, named(&name)?, done).await
}

async fn single(user: &SignedIn, id: MeasureId, sent: Option<Sent>) -> Result<Response, Refusal> {
    let scope = user.scope().await?;
    let row = user.view(move |v| v.measure(scope, id)).await?;
    let bench = Bench::of(user).await?;
    let found = measures(user, &bench, vec![row.ok_or(Code::NotFound)?]).await?;
    let measure = found.into_iter().next().ok_or(Code::NotFound)?;
    let address = user.address(&format!("/square/measures/{id}"));
    let body = measure.page(&address, sent.as_ref());
    user.page("Measure", Place::Square, &body).await
}

/// `POST /square/measures/{id}`: lifts it, appeals against it, or decides its appeal.
pub(super) async fn decide(Path(name): Path<String>, form: Posted) -> Result<Response, Refusal> {
    let id: MeasureId = named(&name)?;
    let what = form.field("do").unwrap_or_default();
    let outcome = async {
        let reason = Body::text(form.text("reason", "this")?);
        let command = match what {
            "revoke" => SocialCommand::RevokeMeasure(RevokeMeasure {
                measure: id,
                reason,
            }),
            "appeal" => SocialCommand::Appeal(Appeal {
                measure: id,
                statement: reason,
            }),
            "uphold" | "grant" => SocialCommand::DecideAppeal(DecideAppeal {
                measure: id,
                uphold: what == "uphold",
                reason,
            }),
            _ => return Err(Refusal::new(Code::Malformed, "do: a button's name")),
        };
        form.carry_out(command).await
    };
    match outcome.await {
        Ok(_) => Ok(to(&format!("/square/measures/{id}?done={what}"))),
        Err(refusal) => {
            let kind = if what == "appeal" { "appeal" } else { "judge" };
            let sent = form.refused(&format!("{kind}-{id}"), &refusal);
            answered(&refusal, single(&form.user, id, Some(sent)).await)
        }
    }
}
