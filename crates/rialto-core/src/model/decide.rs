//! Decides what serves a model, and what its calls reserve and come to.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;

use super::{
    ChangeDeployment, CreateDeployment, Deployment, DeploymentTerms, Inference, InferenceEnd,
    InferenceReport, ModelEvent, OpenTo, Receipt, ReserveInference, RetireDeployment,
    SettleInferences, TokenCounts,
};
use crate::amount::{self, Amount};
use crate::ctx::Ctx;
use crate::event::Event;
use crate::id::{AccountId, AgentId, DeploymentId, HoldId, InferenceId, OwnerId, position_of};
use crate::identity::{Principal, Status};
use crate::ledger::{AccountRef, Holder, Purpose, Spending, resolve_asset};
use crate::limits;
use crate::policy::{self, Action, SpentOn, SpentOnRef, Work, owner_of_principal};
use crate::reject::{Code, Rejection};
use crate::share;

fn emit(ctx: &mut Ctx<'_>, event: ModelEvent) {
    ctx.emit(Event::Model(event));
}

/// The owner that a deployment is made for.
fn owner(ctx: &Ctx<'_>, named: Option<OwnerId>) -> Result<OwnerId, Rejection> {
    let own = || owner_of_principal(ctx.state, ctx.principal);
    let owner = named.or_else(own).ok_or_else(|| {
        Rejection::new(Code::Malformed, "name the owner that the deployment is for")
    })?;
    ctx.authorise(Action::ManageOwner(owner))?;
    ctx.state.owners.get(&owner).ok_or(Code::NotFound)?;
    Ok(owner)
}

fn stated(
    ctx: &Ctx<'_>,
    owner: OwnerId,
    terms: &DeploymentTerms,
    version: u32,
) -> Result<Box<Deployment>, Rejection> {
    if terms.replicas == 0 || terms.replicas > limits::REPLICAS {
        let detail = format!("replicas: 1 to {}", limits::REPLICAS);
        return Err(Rejection::new(Code::Malformed, detail));
    }
    let (asset, _) = resolve_asset(ctx.state, terms.asset.as_ref())?;
    Ok(Box::new(Deployment {
        owner,
        model: terms.model.clone(),
        provider: terms.provider.clone(),
        upstream: terms.upstream.clone(),
        chip: terms.chip.clone(),
        replicas: terms.replicas,
        open_to: terms.open_to,
        asset,
        prices: terms.prices.read()?,
        version,
    }))
}

pub(super) fn create(ctx: &mut Ctx<'_>, args: &CreateDeployment) -> Result<(), Rejection> {
    let owner = owner(ctx, args.owner)?;
    ctx.room_for::<Deployment>(Some(owner), 0)?;
    let terms = stated(ctx, owner, &args.terms, 1)?;
    let deployment = ctx.new_id(DeploymentId)?;
    emit(ctx, ModelEvent::Deployed { deployment, terms });
    Ok(())
}

/// A deployment that the principal may change. For everybody else it does not exist, unless it is open
/// to all.
fn own(ctx: &Ctx<'_>, id: DeploymentId) -> Result<(OwnerId, u32), Rejection> {
    let absent = || Rejection::new(Code::NotFound, format!("{id}"));
    let found = ctx.state.deployments.get(&id).ok_or_else(absent)?;
    ctx.authorise(Action::ManageOwner(found.owner))
        .map_err(|why| match found.open_to {
            OpenTo::Everyone => why,
            OpenTo::Owner if owner_of_principal(ctx.state, ctx.principal) == Some(found.owner) => {
                why
            }
            OpenTo::Owner => absent(),
        })?;
    Ok((found.owner, found.version))
}

pub(super) fn change(ctx: &mut Ctx<'_>, args: &ChangeDeployment) -> Result<(), Rejection> {
    let (owner, version) = own(ctx, args.deployment)?;
    let terms = stated(ctx, owner, &args.terms, version.saturating_add(1))?;
    let deployment = args.deployment;
    emit(ctx, ModelEvent::Changed { deployment, terms });
    Ok(())
}

pub(super) fn retire(ctx: &mut Ctx<'_>, args: &RetireDeployment) -> Result<(), Rejection> {
    own(ctx, args.deployment)?;
    let deployment = args.deployment;
    emit(ctx, ModelEvent::Retired { deployment });
    Ok(())
}

/// A deployment that an agent may call, which its owner still sells. Any other answers as one that does
/// not exist.
fn callable<'s>(
    ctx: &Ctx<'s>,
    id: DeploymentId,
    agent: AgentId,
) -> Result<&'s Deployment, Rejection> {
    let whose = share::owner(ctx.state, agent);
    let found = ctx.state.deployments.get(&id);
    let open = |it: &&Deployment| it.open_to == OpenTo::Everyone || whose == Some(it.owner);
    let found = found
        .filter(open)
        .ok_or_else(|| Rejection::new(Code::NotFound, format!("{id}")))?;
    let owner = ctx.state.owners.get(&found.owner).ok_or(Code::NotFound)?;
    match owner.status {
        Status::Suspended => Err(Rejection::new(Code::Suspended, format!("{}", owner.name))),
        Status::Active | Status::Closed => Ok(found),
    }
}

pub(super) fn reserve(ctx: &mut Ctx<'_>, args: &ReserveInference) -> Result<(), Rejection> {
    let agent = ctx.actor()?;
    let terms = callable(ctx, args.deployment, agent)?;
    if policy::holder_blocks(ctx.state, Holder::Owner(terms.owner), agent) {
        return Err(Code::Blocked.into());
    }
    let most = TokenCounts {
        input: args.input,
        output: args.output,
        ..TokenCounts::default()
    };
    most.check()?;
    before(ctx, args.after)?;
    ctx.room_for::<Inference>(share::owner(ctx.state, agent), 0)?;
    let named = SpentOnRef {
        model: Some(terms.model.clone()),
        task: args.task,
        run: args.run.clone(),
    };
    let on = policy::spent_on(ctx, Some(&named))?.unwrap_or_default();
    let work = Work {
        tokens: most.sum(),
        milliseconds: 0,
    };
    let charged = policy::room_for_work(ctx, agent, work, Some(&on))?;
    let scale = ctx
        .state
        .assets
        .get(&terms.asset)
        .ok_or(Code::NoAsset)?
        .scale;
    let reserved = terms.prices.most(args.input, args.output, scale)?;
    if let Some(at_most) = args.at_most {
        let allowed = at_most
            .amount(scale)
            .map_err(|why| Rejection::new(Code::Malformed, format!("at_most: {why}")))?;
        if reserved > allowed {
            let most = reserved.display(scale);
            return Err(Rejection::new(Code::TooDear, format!("{most} at the most")));
        }
    }
    let inference = ctx.new_id(InferenceId)?;
    let hold = match reserved.is_positive() {
        true => Some(hold(ctx, (agent, terms), args, (reserved, inference, &on))?),
        false => None,
    };
    let begun = Inference {
        agent,
        deployment: args.deployment,
        terms: Box::new(terms.clone()),
        input: args.input,
        output: args.output,
        reserved,
        hold,
        on,
        charged,
        at: ctx.now,
        lost: ctx.now.after(limits::INFERENCE_MS),
        after: args.after,
        metered_by: args.metered_by,
    };
    let reserved = Box::new(begun);
    emit(
        ctx,
        ModelEvent::Reserved {
            inference,
            reserved,
        },
    );
    Ok(())
}

/// Refuses an attempt before that is still to come. Whose another is, is not judged here: what is over has
/// left the state, and an answer would tell who else is calling. Whoever shows attempts goes on only along
/// those of one agent.
fn before(ctx: &Ctx<'_>, after: Option<InferenceId>) -> Result<(), Rejection> {
    match after.filter(|id| position_of(id.0) > ctx.state.position()) {
        Some(id) => Err(Rejection::new(Code::NotFound, format!("{id}"))),
        None => Ok(()),
    }
}

/// Holds the most that a call can cost for the owner of its deployment. The hold ends with the call.
fn hold(
    ctx: &mut Ctx<'_>,
    (agent, terms): (AgentId, &Deployment),
    args: &ReserveInference,
    (amount, inference, on): (Amount, InferenceId, &SpentOn),
) -> Result<HoldId, Rejection> {
    let own = AccountRef::Agent(crate::identity::AgentRef::Id(agent));
    let payer = args.pay_from.as_ref().unwrap_or(&own);
    let from: AccountId = ctx.debit_account(payer, terms.asset)?;
    let to = ctx.ensure_account(Holder::Owner(terms.owner), terms.asset)?;
    let spending = Spending {
        by: Some(agent),
        payees: &[],
        on: Some(Box::new(on.clone())),
    };
    let hold = ctx.hold_for(
        spending,
        (from, to),
        (amount, None),
        Purpose::Inference(inference),
    )?;
    ctx.ids.push(hold.into());
    Ok(hold)
}

pub(super) fn settle(ctx: &mut Ctx<'_>, args: &SettleInferences) -> Result<(), Rejection> {
    if ctx.principal != Principal::Realm {
        ctx.authorise(Action::MeterModels)?;
    }
    ctx.at_most("calls", args.calls.len(), limits::SETTLED_AT_ONCE)?;
    let mut ended = BTreeSet::new();
    for report in &args.calls {
        check(report)?;
        ctx.at_most("losses", report.losses.len(), limits::LOSSES)?;
        if ctx.state.inferences.contains(&report.inference) && ended.insert(report.inference) {
            end(ctx, report)?;
        }
    }
    Ok(())
}

/// Refuses a report that no call comes to.
fn check(report: &InferenceReport) -> Result<(), Rejection> {
    report.tokens.check()?;
    let took = report.took_ms.unwrap_or(limits::INFERENCE_MS);
    if took > limits::INFERENCE_MS || report.first_ms.is_some_and(|first| first > took) {
        let detail = "took_ms: at most a day, and not less than first_ms";
        return Err(Rejection::new(Code::BadUsage, detail));
    }
    Ok(())
}

/// Pays what a call cost, at most what was reserved for it, and gives the rest back.
fn end(ctx: &mut Ctx<'_>, report: &InferenceReport) -> Result<(), Rejection> {
    let (inference, call) = (
        report.inference,
        ctx.state.inferences.get(&report.inference),
    );
    let call = call.ok_or(Code::NotFound)?;
    let asset = call.terms.asset;
    let scale = ctx.state.assets.get(&asset).ok_or(Code::NoAsset)?.scale;
    let answered = report.end == InferenceEnd::Served;
    // One report that no account could pay must not hold up those that come with it: it is paid from the reserve
    // like any other that is above it.
    let bill = call.terms.prices.bill(&report.tokens, answered, scale);
    let cost = bill.map_or(Amount(amount::MAX), |bill| bill.total);
    let paid = cost.min(call.reserved);
    if let Some(hold) = call.hold {
        ctx.end_hold(hold, paid)?;
    }
    let receipt = Box::new(Receipt {
        end: report.end,
        tokens: report.tokens,
        estimated: report.estimated,
        cost,
        paid,
        request: report.request.clone(),
        losses: report.losses.clone(),
        raw: report.raw.clone(),
        tier: report.tier.clone(),
        first_ms: report.first_ms,
        took_ms: report.took_ms,
        served: report.served.clone(),
    });
    ctx.ids.push(inference.into());
    emit(
        ctx,
        ModelEvent::Settled {
            inference,
            deployment: call.deployment,
            receipt,
            asset,
        },
    );
    Ok(())
}

/// Ends a call of which nothing was reported in time: nothing is paid.
pub(super) fn lose(ctx: &mut Ctx<'_>, inference: InferenceId) -> Result<bool, Rejection> {
    let report = InferenceReport::new(inference, InferenceEnd::Lost);
    end(ctx, &report)?;
    Ok(false)
}
