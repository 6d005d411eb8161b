//! Carries out the obligations that the server itself has: today, notifying receivers of what waits.
//!
//! What begins to wait is found in the log, opened as obligations, and carried out one at a time. Every read
//! of the state answers when its position is durable, so nothing is begun that a crash could undo; what a
//! crash interrupts is still open at the next start and is done again, with the same id. It acts as the realm
//! itself, which may act for nobody: it reports on obligations and does nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rialto_core::id::{ObligationId, OwnerId};
use rialto_core::limits::NOTICED_AT_ONCE;
use rialto_core::obligation::{
    Duty, Notice, Obligation, ObligationCommand, ReportDone, ReportFailed,
};
use rialto_core::reject::Code;
use rialto_core::text::Name;
use rialto_core::time::Time;
use rialto_outside::Vault;
use rialto_views::{Error as ViewError, Newly, Scope, ViewReader};

use crate::node::{Ask, Node, Reply};
use crate::webhook::{Receivers, Told};

/// What comes within this time shares one notification.
const GATHER: Duration = Duration::from_millis(200);
/// How long to wait when the node or the views could not answer.
const PAUSE: Duration = Duration::from_secs(2);
/// How much is taken up at a time.
const AT_ONCE: usize = 16;
/// How many obligations are remembered that some receivers have taken and others have not.
const TAKEN: usize = 4096;
/// The longest sleep without looking again: the machine's clock may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What carries obligations out, until it is dropped.
pub(crate) struct Executor {
    node: Arc<Node>,
    views: ViewReader,
    realm: String,
    receivers: Receivers,
    vault: Option<Arc<Vault>>,
    /// Which receivers have taken what others have not: they get it again only after a restart.
    taken: HashMap<ObligationId, HashSet<String>>,
    /// How far the log was looked through.
    noticed: u64,
}

/// Why it goes on later.
struct NotNow(String);

impl Executor {
    /// An executor for a realm. What began to wait before any receiver was ever named is not looked for;
    /// afterwards nothing is missed.
    pub(crate) fn new(
        node: Arc<Node>,
        views: ViewReader,
        realm: String,
        receivers: Receivers,
        vault: Option<Arc<Vault>>,
    ) -> Self {
        Self {
            node,
            views,
            realm,
            receivers,
            vault,
            taken: HashMap::new(),
            noticed: 0,
        }
    }

    /// Runs until it is dropped or the node has stopped.
    pub(crate) async fn run(mut self) {
        while let Err(NotNow(why)) = self.begin().await {
            tracing::warn!(why, "what is owed could not be read");
            tokio::time::sleep(PAUSE).await;
        }
        let mut indexed = self.node.hub().watch_indexed();
        loop {
            let next = match self.round().await {
                Ok(next) => next,
                Err(_) if self.node.has_stopped() || self.node.is_draining() => return,
                Err(NotNow(why)) => {
                    tracing::warn!(why, "obligations could not be carried out");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let sleep = next.map_or(LONGEST_SLEEP, |at| {
                Duration::from_millis(at.since(self.node.clocks().realm))
            });
            let after = self.noticed;
            tokio::select! {
                more = indexed.wait_for(|at| *at > after) => match more {
                    Ok(_) => {}
                    Err(_) => return,
                },
                () = tokio::time::sleep(sleep.min(LONGEST_SLEEP)) => continue,
            }
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Finds where to go on.
    async fn begin(&mut self) -> Result<(), NotNow> {
        let read = self
            .node
            .read(|state| state.noticed.get(&()).map(|noticed| noticed.position));
        let (position, noticed) = read.await.map_err(|e| NotNow(e.code().to_string()))?;
        self.noticed = noticed.unwrap_or(position);
        Ok(())
    }

    /// Opens what began to wait, and carries out what is due. When something is due next.
    async fn round(&mut self) -> Result<Option<Time>, NotNow> {
        while self.noticed < self.node.hub().indexed() {
            self.look_on().await?;
        }
        loop {
            let (due, next) = self.due().await?;
            if due.is_empty() {
                return Ok(next);
            }
            for (id, owed) in due {
                self.carry_out(id, &owed).await?;
            }
        }
    }

    /// Looks through a stretch of the log, and opens what is owed for it.
    async fn look_on(&mut self) -> Result<(), NotNow> {
        let after = self.noticed;
        let Newly { raised, position } = self.view(move |v| v.newly_waiting(after)).await?;
        let operator = raised.contains_key(&None);
        let owners: Vec<OwnerId> = raised.into_keys().flatten().collect();
        let parts = owners.chunks(NOTICED_AT_ONCE).map(<[OwnerId]>::to_vec);
        let parts: Vec<Vec<OwnerId>> = match owners.is_empty() && operator {
            true => vec![Vec::new()],
            false => parts.collect(),
        };
        let last = parts.len().saturating_sub(1);
        for (part, owners) in parts.into_iter().enumerate() {
            let notice = Notice {
                owners,
                operator: operator && part == last,
                // Only when all are opened is the stretch behind us.
                position: if part == last { position } else { after },
            };
            self.report(ObligationCommand::Notice(notice)).await?;
        }
        self.noticed = position;
        Ok(())
    }

    async fn due(&self) -> Result<(Vec<(ObligationId, Obligation)>, Option<Time>), NotNow> {
        let now = self.node.clocks().realm;
        let read = self.node.read(move |state| state.errands(now, AT_ONCE));
        let (_, due) = read.await.map_err(|e| NotNow(e.code().to_string()))?;
        Ok(due)
    }

    async fn carry_out(&mut self, id: ObligationId, owed: &Obligation) -> Result<(), NotNow> {
        let outcome = match owed.duty {
            Duty::Notify { owner } => self.notify(id, owner).await?,
            // Its payment service does it.
            Duty::PayOut { .. } => return Ok(()),
        };
        self.report(match outcome {
            Ok(()) => ObligationCommand::ReportDone(ReportDone { obligation: id }),
            Err(why) => ObligationCommand::ReportFailed(ReportFailed {
                obligation: id,
                why: name(&why)?,
            }),
        })
        .await
    }

    /// Tells every receiver how much waits for an owner, if anything does. Why the first that did not take it did
    /// not.
    async fn notify(
        &mut self,
        id: ObligationId,
        owner: Option<OwnerId>,
    ) -> Result<Result<(), String>, NotNow> {
        let realm = self.realm.clone();
        let told = self.view(move |v| count(v, realm, owner)).await?;
        let mut outcome = Ok(());
        if told.waiting.total() == 0 {
            return Ok(outcome);
        }
        let mut taken = self.taken.remove(&id).unwrap_or_default();
        for hook in self.receivers.hooks() {
            if taken.contains(hook.name()) {
                continue;
            }
            let vault = self.vault.as_deref();
            match self.receivers.post(hook, vault, id, &told).await {
                Ok(()) => {
                    taken.insert(hook.name().to_owned());
                }
                Err(why) => {
                    let receiver = hook.shown();
                    tracing::warn!(webhook = receiver, obligation = %id, why, "an attempt failed");
                    outcome = outcome.and(Err(why));
                }
            }
        }
        if outcome.is_err() && !taken.is_empty() {
            if self.taken.len() >= TAKEN {
                self.taken.clear();
            }
            self.taken.insert(id, taken);
        }
        Ok(outcome)
    }

    /// Asks the node as the realm itself. What nobody owes any more needs no report: the operator was
    /// faster. Any other refusal, such as that of a clock that has jumped, means that nothing was noted, so
    /// it is asked again.
    async fn report(&self, command: ObligationCommand) -> Result<(), NotNow> {
        let answered = self.node.ask(Ask::by_the_realm(command.into())).await;
        match answered.map_err(|e| NotNow(e.code().to_string()))?.reply {
            Reply::Refused(why) if matches!(why.code, Code::NotFound | Code::ObligationDead) => {
                tracing::debug!(%why, "a report was not needed any more");
                Ok(())
            }
            Reply::Refused(why) => Err(NotNow(why.to_string())),
            Reply::Accepted { .. } | Reply::Duplicate { .. } | Reply::Nothing => Ok(()),
        }
    }

    async fn view<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ViewReader) -> Result<T, ViewError> + Send + 'static,
    ) -> Result<T, NotNow> {
        let views = self.views.clone();
        let outcome = tokio::task::spawn_blocking(move || read(&views)).await;
        let outcome = outcome.map_err(|e| NotNow(e.to_string()))?;
        outcome.map_err(|e| NotNow(e.to_string()))
    }
}

/// A reason as the log keeps it: short, and without what no name may have.
fn name(why: &str) -> Result<Name, NotNow> {
    let plain: String = why.chars().filter(|c| matches!(c, ' '..='~')).collect();
    let short: String = plain.chars().take(120).collect();
    let name = Name::new(short.trim()).or_else(|_| Name::new("no reason given"));
    name.map_err(|e| NotNow(e.to_string()))
}

fn count(views: &ViewReader, realm: String, owner: Option<OwnerId>) -> Result<Told, ViewError> {
    let scope = owner.map_or(Scope::Realm, Scope::Owner);
    let row = owner.map(|id| views.owner(id)).transpose()?.flatten();
    // Counted after the position was read, so that what came between is sent twice rather than never.
    let position = views.position()?;
    Ok(Told {
        realm,
        owner,
        name: row.map(|row| row.name),
        waiting: views.waiting(scope)?.to_answer(scope),
        position,
    })
}
