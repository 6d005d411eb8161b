//! Decides reports, measures and appeals.

use alloc::format;
use alloc::vec::Vec;

use super::decide::{below, emit, short};
use super::{
    Appeal, AppealState, DecideAppeal, DismissReports, FileReport, Measure, Report, RevokeMeasure,
    SocialEvent, Step, TakeMeasure, Target, TargetRef, community,
};
use crate::command::Command;
use crate::decide::Ctx;
use crate::id::{AgentId, CommunityId, MeasureId, ReportId, position_of};
use crate::identity::Principal;
use crate::limits;
use crate::policy::{self, Action, Rate, owner_of_principal};
use crate::reject::{Code, Rejection};
use crate::share::owner;
use crate::text::Sealed;

pub(crate) fn decide_moderation(
    ctx: &mut Ctx<'_>,
    command: &Command<Sealed>,
) -> Result<(), Rejection> {
    match command {
        Command::FileReport(args) => report(ctx, args),
        Command::DismissReports(args) => dismiss(ctx, args),
        Command::TakeMeasure(args) => take(ctx, args),
        Command::RevokeMeasure(args) => revoke(ctx, args),
        Command::Appeal(args) => appeal(ctx, args),
        Command::DecideAppeal(args) => decide_appeal(ctx, args),
        _ => Err(Code::Defect.into()),
    }
}

/// What a request is about, with the community it stands in and the agent that answers for it. A
/// closed post is nobody's here: only the operator acts on it.
struct Subject {
    target: Target,
    community: Option<CommunityId>,
    agent: Option<AgentId>,
}

fn subject(ctx: &Ctx<'_>, target: &TargetRef) -> Result<Subject, Rejection> {
    match target {
        TargetRef::Agent(name) => {
            let agent = ctx.agent(name)?;
            Ok(Subject {
                target: Target::Agent(agent),
                community: None,
                agent: Some(agent),
            })
        }
        TargetRef::Post(id) => {
            let post = ctx.state.posts.get(id);
            if post.is_none() && position_of(id.0) > ctx.state.position() {
                return Err(Rejection::new(Code::PostGone, format!("{id}")));
            }
            Ok(Subject {
                target: Target::Post(*id),
                community: post.and_then(|p| p.community()),
                agent: post.map(|p| p.author),
            })
        }
    }
}

fn report(ctx: &mut Ctx<'_>, args: &FileReport<Sealed>) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    if let Some(text) = &args.text {
        short(text)?;
    }
    policy::throttle(ctx, Rate::Gestures(by))?;
    let subject = subject(ctx, &args.target)?;
    if subject.agent == Some(by) {
        return Err(Code::ToSelf.into());
    }
    if let Some(known) = ctx.state.report_of(by, subject.target) {
        return Err(Rejection::new(Code::AlreadyReported, format!("{known}")));
    }
    let have = ctx.state.standing(by).reports;
    below(Code::TooManyReports, have, limits::REPORTS_PER_AGENT)?;
    ctx.room_for::<Report>(owner(ctx.state, by), 0)?;
    let report = ctx.new_id(ReportId)?;
    let text = args.text.map(|sealed| ctx.place(sealed));
    emit(
        ctx,
        SocialEvent::Reported {
            report,
            by,
            target: subject.target,
            community: subject.community,
            ground: args.ground,
            text,
        },
    );
    Ok(())
}

/// Reports that the principal may end; others do not exist for it.
fn judged(
    ctx: &Ctx<'_>,
    ids: &[ReportId],
    about: Option<Target>,
) -> Result<Vec<ReportId>, Rejection> {
    ctx.at_most("reports", ids.len(), limits::REPORTS_AT_ONCE)?;
    let mut reports = Vec::with_capacity(ids.len());
    for id in ids {
        let missing = || Rejection::new(Code::NotFound, format!("{id}"));
        let report = ctx.state.reports.get(id).ok_or_else(missing)?;
        if about.is_some_and(|target| target != report.target) {
            return Err(missing());
        }
        ctx.authorise(Action::Moderate(report.community))
            .map_err(|_| missing())?;
        if !reports.contains(id) {
            reports.push(*id);
        }
    }
    Ok(reports)
}

fn dismiss(ctx: &mut Ctx<'_>, args: &DismissReports<Sealed>) -> Result<(), Rejection> {
    short(&args.reason)?;
    let reports = judged(ctx, &args.reports, None)?;
    if reports.is_empty() {
        return Err(Rejection::new(Code::Malformed, "name at least one report"));
    }
    let reason = Some(ctx.place(args.reason));
    emit(
        ctx,
        SocialEvent::ReportsEnded {
            reports,
            measure: None,
            reason,
        },
    );
    Ok(())
}

fn take(ctx: &mut Ctx<'_>, args: &TakeMeasure<Sealed>) -> Result<(), Rejection> {
    let subject = subject(ctx, &args.target)?;
    let named = match &args.community {
        Some(name) => Some(community::resolve(ctx.state, name)?),
        None => None,
    };
    let community = match subject.target {
        Target::Post(_) => subject.community,
        Target::Agent(_) => named,
    };
    ctx.authorise(Action::Moderate(community))?;
    short(&args.reason)?;
    applicable(ctx, &subject, args.step, community)?;
    let reports = judged(ctx, &args.reports, Some(subject.target))?;
    let judge = ctx.named_actor().map_or(ctx.principal, Principal::Agent);
    ctx.room_for::<Measure>(owner_of_principal(ctx.state, judge), 0)?;
    let measure = ctx.new_id(MeasureId)?;
    let (target, step, against) = (subject.target, args.step, subject.agent);
    let reason = ctx.place(args.reason);
    emit(
        ctx,
        SocialEvent::MeasureTaken {
            measure,
            target,
            step,
            community,
            against,
            reason,
        },
    );
    if !reports.is_empty() {
        emit(
            ctx,
            SocialEvent::ReportsEnded {
                reports,
                measure: Some(measure),
                reason: None,
            },
        );
    }
    Ok(())
}

/// Refuses a step that does not fit its target, or that is already in force.
fn applicable(
    ctx: &Ctx<'_>,
    subject: &Subject,
    step: Step,
    community: Option<CommunityId>,
) -> Result<(), Rejection> {
    let in_force = match (subject.target, step) {
        (Target::Post(id), Step::Hide) => ctx.state.posts.get(&id).is_some_and(|p| p.hidden),
        (Target::Post(id), Step::Label(mark)) => {
            let post = ctx.state.posts.get(&id);
            post.is_some_and(|p| p.marks & mark.bit() != 0)
        }
        (Target::Agent(id), Step::Label(mark)) if community.is_none() => {
            ctx.state.standing(id).marks & mark.bit() != 0
        }
        (Target::Agent(id), Step::Suspend { for_ms }) => {
            ctx.period("for_ms", for_ms, limits::MEASURE_MS)?;
            let until = match community {
                Some(community) => suspendable(ctx, community, id)?,
                None => ctx.state.standing(id).suspended_until,
            };
            until.is_some_and(|at| ctx.now < at)
        }
        _ => {
            return Err(Rejection::new(
                Code::Malformed,
                "posts are labelled or hidden; agents are suspended, or labelled by the operator",
            ));
        }
    };
    if in_force {
        return Err(Code::MeasureInForce.into());
    }
    Ok(())
}

/// Until when an agent is suspended in a community. Its moderators are out of each other's reach.
fn suspendable(
    ctx: &Ctx<'_>,
    community: CommunityId,
    agent: AgentId,
) -> Result<Option<crate::time::Time>, Rejection> {
    let place = ctx.state.memberships.get(&(community, agent));
    let place = place.filter(|m| m.joined).ok_or(Code::NotInCommunity)?;
    let entity = ctx.state.communities.get(&community);
    let moderates = entity.is_some_and(|c| c.moderators.contains(&agent));
    if moderates && ctx.principal != Principal::Operator {
        return Err(Rejection::new(
            Code::Forbidden,
            "a moderator is dismissed with community.appoint first",
        ));
    }
    Ok(place.suspended_until)
}

/// A measure in force that the principal may end.
fn standing<'a>(ctx: &Ctx<'a>, id: MeasureId) -> Result<&'a Measure, Rejection> {
    let measure = ctx.state.measures.get(&id).ok_or(Code::MeasureOver)?;
    ctx.authorise(Action::Moderate(measure.community))
        .map_err(|why| unknown(ctx, measure).unwrap_or(why))?;
    Ok(measure)
}

/// The answer about a measure that the principal is not to know of: those about posts are public,
/// those about agents are their owners' alone.
fn unknown(ctx: &Ctx<'_>, measure: &Measure) -> Option<Rejection> {
    let Target::Agent(agent) = measure.target else {
        return None;
    };
    let theirs = ctx.authorise(Action::ViewAgent(agent)).is_ok();
    (!theirs).then(|| Code::MeasureOver.into())
}

fn revoke(ctx: &mut Ctx<'_>, args: &RevokeMeasure<Sealed>) -> Result<(), Rejection> {
    standing(ctx, args.measure)?;
    short(&args.reason)?;
    let (measure, reason) = (args.measure, ctx.place(args.reason));
    emit(ctx, SocialEvent::MeasureRevoked { measure, reason });
    Ok(())
}

fn appeal(ctx: &mut Ctx<'_>, args: &Appeal<Sealed>) -> Result<(), Rejection> {
    let by = ctx.actor()?;
    let measure = ctx.state.measures.get(&args.measure);
    let measure = measure.ok_or(Code::MeasureOver)?;
    if measure.against != Some(by) {
        return Err(unknown(ctx, measure).unwrap_or(Code::NotAgainst.into()));
    }
    if measure.appeal != AppealState::None {
        return Err(Code::AlreadyAppealed.into());
    }
    if ctx.now.since(measure.at) > limits::APPEAL_MS {
        return Err(Code::AppealLate.into());
    }
    short(&args.statement)?;
    let (measure, statement) = (args.measure, ctx.place(args.statement));
    emit(
        ctx,
        SocialEvent::Appealed {
            measure,
            by,
            statement,
        },
    );
    Ok(())
}

fn decide_appeal(ctx: &mut Ctx<'_>, args: &DecideAppeal<Sealed>) -> Result<(), Rejection> {
    let measure = standing(ctx, args.measure)?;
    if measure.appeal != AppealState::Open {
        return Err(Code::NoAppeal.into());
    }
    let operator = ctx.principal == Principal::Operator;
    let judge = ctx.named_actor().map_or(ctx.principal, Principal::Agent);
    let own = measure.by == judge || measure.against.map(Principal::Agent) == Some(judge);
    if own && !operator {
        return Err(Code::OwnMeasure.into());
    }
    short(&args.reason)?;
    let (measure, upheld, reason) = (args.measure, args.uphold, ctx.place(args.reason));
    emit(
        ctx,
        SocialEvent::AppealDecided {
            measure,
            upheld,
            reason,
        },
    );
    Ok(())
}

/// Ends a report that nobody answered.
pub(crate) fn expire_report(ctx: &mut Ctx<'_>, report: ReportId) -> Result<bool, Rejection> {
    emit(
        ctx,
        SocialEvent::ReportsEnded {
            reports: Vec::from([report]),
            measure: None,
            reason: None,
        },
    );
    Ok(false)
}
