//! Acts on what is over. Finished things leave memory after a while, and to the core they are then as if
//! they had never been; the views still show them. Whoever can see such a thing hears that it is over,
//! and what came of it. To everybody else it stays as if it did not exist.

use rialto_core::command::Command;
use rialto_core::id::AnyId;
use rialto_core::identity::AgentRef;
use rialto_core::ledger::{LedgerCommand, TransferSpec};
use rialto_core::market::MarketCommand;
use rialto_core::policy::PolicyCommand;
use rialto_core::reject::{Code, Rejection};
use rialto_core::work::WorkCommand;
use rialto_views::{NegotiationRow, Result as Viewed, Scope, ViewReader};

use super::Door;
use super::auth::{Caller, scope};
use super::problem::Refusal;
use super::reads::{At, view};

/// A thing that a command acts on and that ends, and the agent that acts.
pub(super) struct Subject {
    id: AnyId,
    acting: Option<AgentRef>,
}

impl Subject {
    /// What a command acts on, if it is something that ends.
    pub(super) fn of<C>(command: &Command<C>, acting: Option<&AgentRef>) -> Option<Self> {
        let id = match command {
            Command::Market(command) => of_market(command)?,
            Command::Work(command) => of_work(command)?,
            Command::Policy(PolicyCommand::AnswerApproval(args)) => args.approval.into(),
            Command::Ledger(LedgerCommand::Capture(args)) => args.hold.into(),
            Command::Ledger(LedgerCommand::Raise(args)) => args.hold.into(),
            Command::Ledger(LedgerCommand::Transfers(args)) => match args.transfers.as_slice() {
                [TransferSpec::PostHold { hold, .. } | TransferSpec::VoidHold { hold }] => {
                    (*hold).into()
                }
                _ => return None,
            },
            _ => return None,
        };
        let acting = acting.cloned();
        Some(Self { id, acting })
    }
}

fn of_market<C>(command: &MarketCommand<C>) -> Option<AnyId> {
    Some(match command {
        MarketCommand::RefuseCall(args) => args.call.into(),
        MarketCommand::CancelCall(args) => args.call.into(),
        MarketCommand::Propose(args) => args.call.into(),
        MarketCommand::LeaveNegotiation(args) => args.negotiation.into(),
        MarketCommand::AcceptOffer(args) => args.negotiation.into(),
        MarketCommand::Counter(args) => args.negotiation.into(),
        MarketCommand::AcceptDelivery(args) => args.deal.into(),
        MarketCommand::Refund(args) => args.deal.into(),
        MarketCommand::Deliver(args) => args.deal.into(),
        MarketCommand::Dispute(args) => args.deal.into(),
        MarketCommand::Rule(args) => args.deal.into(),
        MarketCommand::OpenCall(args) => args.task?.into(),
        MarketCommand::OpenNegotiation(args) => args.task?.into(),
        MarketCommand::PublishListing(_)
        | MarketCommand::UpdateListing(_)
        | MarketCommand::WithdrawListing(_) => return None,
    })
}

fn of_work<C>(command: &WorkCommand<C>) -> Option<AnyId> {
    Some(match command {
        WorkCommand::UpdateTask(args) => args.task.into(),
        WorkCommand::AddArtifact(args) => args.task.into(),
        WorkCommand::CancelTask(args) => args.task.into(),
        WorkCommand::CreateTask(args) => args.parent?.into(),
        _ => return None,
    })
}

/// A refusal as it goes out: where the thing is over, it says so, and how it ended.
pub(super) async fn explained(
    door: &Door,
    caller: &Caller,
    subject: Option<Subject>,
    refusal: Refusal,
) -> Refusal {
    let Some(subject) = subject.filter(|_| may_be_over(refusal.rejection.code)) else {
        return refusal;
    };
    let caller = Caller {
        acting: subject.acting,
        ..caller.clone()
    };
    let Ok(scope) = scope(door, &caller).await else {
        return refusal;
    };
    let id = subject.id;
    let ended = view(door, At::default(), move |v| ended(v, scope, id)).await;
    match ended {
        Ok(Some(rejection)) => Refusal {
            rejection,
            ..refusal
        },
        // The views are behind, or it is another thing that does not exist.
        Ok(None) | Err(_) => refusal,
    }
}

/// Whether a refusal says that a thing is over, or can mean it.
fn may_be_over(code: Code) -> bool {
    matches!(
        code,
        Code::NotFound
            | Code::NegotiationOver
            | Code::CallClosed
            | Code::TaskFinished
            | Code::ApprovalOver
            | Code::HoldOver
    )
}

/// How a thing ended that a scope may see; nothing while it goes on.
fn ended(views: &ViewReader, scope: Scope, id: AnyId) -> Viewed<Option<Rejection>> {
    let over = |code, detail: String| Some(Rejection::new(code, detail));
    Ok(match id {
        AnyId::NegotiationId(id) => {
            let found = views.negotiation(scope, id)?.map(|v| v.negotiation);
            let found = found.filter(|row| row.state != "open");
            found.and_then(|row| over(Code::NegotiationOver, outcome(&row)))
        }
        AnyId::DealId(id) => {
            let state = views.deal(scope, id)?.map(|v| v.deal.state);
            let going_on = ["agreed", "delivered", "disputed"];
            let state = state.filter(|state| !going_on.contains(&state.as_str()));
            state.and_then(|state| over(Code::DealState, format!("the deal is {state}")))
        }
        AnyId::CallId(id) => {
            let state = views.call(scope, id)?.map(|v| v.call.state);
            let state = state.filter(|state| ["awarded", "closed"].contains(&state.as_str()));
            state.and_then(|state| over(Code::CallClosed, format!("the call is {state}")))
        }
        AnyId::TaskId(id) => {
            let state = views.task(scope, id)?.map(|v| v.task.state);
            let last = ["completed", "failed", "canceled", "rejected"];
            let state = state.filter(|state| last.contains(&state.as_str()));
            state.and_then(|state| over(Code::TaskFinished, format!("the task is {state}")))
        }
        AnyId::ApprovalId(id) => {
            let row = views.approval(scope, id)?;
            let ended = row.and_then(|row| row.end.zip(row.ended));
            ended.and_then(|(end, when)| {
                let how = match end.as_str() {
                    "over" => "what it was about ended",
                    "denied" => "it was denied",
                    "expired" => "it expired",
                    _ => "it was approved",
                };
                over(Code::ApprovalOver, format!("{how} at {when}"))
            })
        }
        AnyId::HoldId(id) => {
            let state = views.hold(scope, id)?.map(|row| row.state);
            let state = state.filter(|state| *state != "open");
            state.and_then(|state| over(Code::HoldOver, format!("the hold was {state}")))
        }
        _ => None,
    })
}

/// What came of a negotiation.
fn outcome(row: &NegotiationRow) -> String {
    match (row.deal, row.state.as_str()) {
        (Some(deal), _) => format!("it became {deal}"),
        (None, "left") => "a side left".to_owned(),
        (None, "lost") => "another proposal won, or the call was closed".to_owned(),
        (None, state) => state.to_owned(),
    }
}
