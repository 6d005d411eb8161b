//! Decides reports, measures and appeals. [`super::bench`] says who may judge which.

use alloc::format;
use alloc::vec::Vec;

use super::bench::{self, Gone, Judge};
use super::decide::{below, emit, short};
use super::{
    Appeal, AppealState, DecideAppeal, DismissReports, Dismissed, FileReport, Measure, Report,
    RevokeMeasure, SocialEvent, Step, TakeMeasure, Target, TargetRef, community,
};
use crate::ctx::Ctx;
use crate::id::{AgentId, CommunityId, MeasureId, ReportId, position_of};
use crate::identity::Principal;
use crate::limits;
use crate::policy::{self, Action, Rate, owner_of_principal};
use crate::reject::{Code, Rejection};
use crate::share::owner;
use crate::text::Sealed;

/// The target of a request, with its community and the agent that is responsible for it. A closed
/// post has neither here: only the operator acts on it.
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

pub(super) fn report(ctx: &mut Ctx<'_>, args: &FileReport<Sealed>) -> Result<(), Rejection> {
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
    if was_dismissed(ctx, by, subject.target) {
        return Err(Code::AlreadyDismissed.into());
    }
    let have = ctx.state.standing(by).reports;
    below(Code::TooManyReports, have, limits::REPORTS_PER_AGENT)?;
    ctx.room_for::<Report>(owner(ctx.state, by), 0)?;
    let community = subject
        .community
        .filter(|c| has_judge(ctx, *c, subject.agent));
    let report = ctx.new_id(ReportId)?;
    let text = args.text.map(|sealed| ctx.place(sealed));
    emit(
        ctx,
        SocialEvent::Reported {
            report,
            by,
            target: subject.target,
            community,
            ground: args.ground,
            text,
        },
    );
    Ok(())
}

/// Whether a moderator of another owner than the reported agent's can judge a report in the
/// community; if not, the operator does.
fn has_judge(ctx: &mut Ctx<'_>, community: CommunityId, about: Option<AgentId>) -> bool {
    let whose = about.map(|agent| owner(ctx.state, agent));
    let sitting = bench::fill(ctx, community, None);
    sitting
        .into_iter()
        .any(|agent| Some(owner(ctx.state, agent)) != whose)
}

/// Whether a report of a post by an agent of this owner was dismissed, and the post says the same.
fn was_dismissed(ctx: &Ctx<'_>, by: AgentId, target: Target) -> bool {
    let (Target::Post(post), Some(owner)) = (target, owner(ctx.state, by)) else {
        return false;
    };
    let known = ctx.state.dismissals.get(&(owner, post));
    let edits = ctx.state.posts.get(&post).map(|p| p.edits);
    known.is_some_and(|was| edits.is_none_or(|now| now == was.edits))
}

/// The agent that is responsible for a target, if that is still in memory.
fn answers_for(ctx: &Ctx<'_>, target: Target) -> Option<AgentId> {
    match target {
        Target::Agent(agent) => Some(agent),
        Target::Post(post) => ctx.state.posts.get(&post).map(|p| p.author),
    }
}

/// Reports that the principal may end. Others do not exist for it, including those of its own
/// owner's agents.
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
        let judge = bench::judge(ctx, report.community).map_err(|_| missing())?;
        if judge.is_of(ctx.state, answers_for(ctx, report.target)) {
            return Err(missing());
        }
        if !reports.contains(id) {
            reports.push(*id);
        }
    }
    Ok(reports)
}

pub(super) fn dismiss(ctx: &mut Ctx<'_>, args: &DismissReports<Sealed>) -> Result<(), Rejection> {
    short(&args.reason)?;
    let reports = judged(ctx, &args.reports, None)?;
    if reports.is_empty() {
        return Err(Rejection::new(Code::Malformed, "name at least one report"));
    }
    let reason = Some(ctx.place(args.reason));
    let payer = |id| {
        let report: &Report = ctx.state.reports.get(id)?;
        owner(ctx.state, report.by)
    };
    let fits = |id| ctx.room_for::<Dismissed>(payer(id), reports.len()).is_ok();
    let remembered = reports.iter().all(fits).then_some(true);
    emit(
        ctx,
        SocialEvent::ReportsEnded {
            reports,
            measure: None,
            reason,
            remembered,
        },
    );
    Ok(())
}

pub(super) fn take(ctx: &mut Ctx<'_>, args: &TakeMeasure<Sealed>) -> Result<(), Rejection> {
    let subject = subject(ctx, &args.target)?;
    let named = match &args.community {
        Some(name) => Some(community::resolve(ctx.state, name)?),
        None => None,
    };
    let community = match subject.target {
        Target::Post(_) => subject.community,
        Target::Agent(_) => named,
    };
    let judge = bench::judge(ctx, community)?;
    judge.apart_from(ctx.state, subject.agent)?;
    short(&args.reason)?;
    applicable(ctx, &subject, args.step, community)?;
    let reports = judged(ctx, &args.reports, Some(subject.target))?;
    ctx.room_for::<Measure>(owner_of_principal(ctx.state, judge.principal()), 0)?;
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
                remembered: None,
            },
        );
    }
    replace(ctx, target, step, community);
    Ok(())
}

/// Finds others to moderate in the place of an agent that is suspended.
fn replace(ctx: &mut Ctx<'_>, target: Target, step: Step, community: Option<CommunityId>) {
    let (Target::Agent(agent), Step::Suspend { .. }) = (target, step) else {
        return;
    };
    match community {
        Some(community) => {
            bench::fill(ctx, community, Some(Gone::Agent(agent)));
        }
        None => bench::vacate(ctx, Gone::Agent(agent)),
    }
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
                "a post can be labelled or hidden; an agent suspended, or labelled by the operator",
            ));
        }
    };
    if in_force {
        return Err(Code::MeasureInForce.into());
    }
    Ok(())
}

/// Until when an agent is suspended in a community. Moderators cannot suspend each other.
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
            "dismiss the moderator with community.appoint first",
        ));
    }
    Ok(place.suspended_until)
}

/// A measure in force, with the judge who asks.
fn standing<'a>(ctx: &Ctx<'a>, id: MeasureId) -> Result<(&'a Measure, Judge), Rejection> {
    let measure = ctx.state.measures.get(&id).ok_or(Code::MeasureOver)?;
    let judge =
        bench::judge(ctx, measure.community).map_err(|why| unknown(ctx, measure).unwrap_or(why))?;
    Ok((measure, judge))
}

/// The answer about a measure that the principal may not see: measures against posts are public,
/// those against agents only for their owners.
fn unknown(ctx: &Ctx<'_>, measure: &Measure) -> Option<Rejection> {
    let Target::Agent(agent) = measure.target else {
        return None;
    };
    let theirs = ctx.authorise(Action::ViewAgent(agent)).is_ok();
    (!theirs).then(|| Code::MeasureOver.into())
}

pub(super) fn revoke(ctx: &mut Ctx<'_>, args: &RevokeMeasure<Sealed>) -> Result<(), Rejection> {
    let (measure, judge) = standing(ctx, args.measure)?;
    judge.apart_from(ctx.state, measure.against)?;
    judge.may_undo(ctx.state, measure)?;
    short(&args.reason)?;
    let (measure, reason) = (args.measure, ctx.place(args.reason));
    emit(ctx, SocialEvent::MeasureRevoked { measure, reason });
    Ok(())
}

pub(super) fn appeal(ctx: &mut Ctx<'_>, args: &Appeal<Sealed>) -> Result<(), Rejection> {
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

pub(super) fn decide_appeal(
    ctx: &mut Ctx<'_>,
    args: &DecideAppeal<Sealed>,
) -> Result<(), Rejection> {
    let (measure, judge) = standing(ctx, args.measure)?;
    if measure.appeal != AppealState::Open {
        return Err(Code::NoAppeal.into());
    }
    let by = match measure.by {
        Principal::Agent(by) => Some(by),
        _ if judge == Judge::Operator => None,
        _ => return Err(Code::HigherHand.into()),
    };
    if judge.is_of(ctx.state, by) || judge.is_of(ctx.state, measure.against) {
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
pub(super) fn expire_report(ctx: &mut Ctx<'_>, report: ReportId) -> Result<bool, Rejection> {
    emit(
        ctx,
        SocialEvent::ReportsEnded {
            reports: Vec::from([report]),
            measure: None,
            reason: None,
            remembered: None,
        },
    );
    Ok(false)
}
