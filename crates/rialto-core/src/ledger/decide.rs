//! Decides commands about money.

use alloc::format;

use super::{
    Account, AccountRef, CaptureHold, CloseAccount, CreateAsset, Holder, Issue, LedgerEvent,
    OpenAccount, Purpose, RaiseHold, Spending, TransferSpec, Transfers,
};
use crate::amount::{Amount, Decimal, MAX_SCALE};
use crate::ctx::{Ctx, positive, room};
use crate::event::Event;
use crate::id::{AccountId, AssetId, HoldId, OwnerId};
use crate::identity::{self, Principal, Status};
use crate::limits;
use crate::policy::{self, Action, Bound, SpentOnRef, owner_of_principal};
use crate::reject::{Code, Rejection};
use crate::share;
use crate::state::State;
use crate::text::{AssetCode, Sealed};
use crate::work;

/// The asset with a code, or the realm's first, and its scale.
pub(crate) fn resolve_asset(
    state: &State,
    code: Option<&AssetCode>,
) -> Result<(AssetId, u8), Rejection> {
    let id = match code {
        Some(code) => state.asset_coded(code),
        None => state.realm.get(&()).and_then(|r| r.asset),
    };
    let found = id.and_then(|id| state.assets.get(&id).map(|a| (id, a.scale)));
    found.ok_or_else(|| match code {
        Some(code) => Rejection::new(Code::NoAsset, format!("{code}")),
        None => Rejection::new(Code::NoAsset, "the realm has no asset yet"),
    })
}

pub(super) fn create_asset(ctx: &mut Ctx<'_>, args: &CreateAsset) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    room("assets", ctx.state.assets.len(), limits::ASSETS)?;
    if args.scale > MAX_SCALE {
        return Err(Rejection::new(
            Code::BadAmount,
            format!("an asset has at most {MAX_SCALE} digits after the point"),
        ));
    }
    if ctx.state.asset_coded(&args.code).is_some() {
        return Err(Rejection::new(
            Code::NameTaken,
            format!("asset {}", args.code),
        ));
    }
    let asset = ctx.new_id(AssetId)?;
    let (issuance, outside) = (AccountId(ctx.number()?), AccountId(ctx.number()?));
    let (code, scale) = (args.code.clone(), args.scale);
    ctx.emit(Event::Ledger(LedgerEvent::AssetCreated {
        asset,
        code,
        scale,
        issuance,
        outside,
    }));
    Ok(())
}

/// The holder that a reference names, unless it names an account by id.
pub(super) fn holder_of(ctx: &Ctx<'_>, name: &AccountRef) -> Result<Option<Holder>, Rejection> {
    let missing = || Rejection::new(Code::NotFound, format!("{name}"));
    Ok(Some(match name {
        AccountRef::Account(_) => return Ok(None),
        AccountRef::Agent(agent) => Holder::Agent(ctx.agent(agent)?),
        AccountRef::Owner(id) => {
            ctx.state.owners.get(id).ok_or_else(missing)?;
            Holder::Owner(*id)
        }
        AccountRef::Team(id) => {
            ctx.state.teams.get(id).ok_or_else(missing)?;
            Holder::Team(*id)
        }
    }))
}

/// A refusal about something of an owner or team: for outsiders, neither it nor what it holds
/// exists. Agents are public.
fn hidden(ctx: &Ctx<'_>, name: &AccountRef, holder: Holder, why: Rejection) -> Rejection {
    let public = matches!(holder, Holder::Agent(_));
    let of =
        |principal| share::holder(ctx.state, holder) == owner_of_principal(ctx.state, principal);
    let member =
        matches!(holder, Holder::Team(team) if ctx.authorise(Action::ViewTeam(team)).is_ok());
    if public || member || of(ctx.principal) || ctx.principal == Principal::Operator {
        return why;
    }
    Rejection::new(Code::NotFound, format!("{name}"))
}

/// Refuses unless the principal may open and close accounts of a holder.
fn manages_accounts(ctx: &Ctx<'_>, name: &AccountRef, holder: Holder) -> Result<(), Rejection> {
    let manage = match holder {
        Holder::Owner(owner) => Action::ManageOwner(owner),
        Holder::Team(team) => Action::LeadTeam(team),
        Holder::Agent(agent) if ctx.principal == Principal::Operator => {
            Action::ManageOwner(ctx.state.agents.get(&agent).ok_or(Code::NotFound)?.owner)
        }
        Holder::Agent(agent) => Action::ActFor(agent),
        Holder::Issuance | Holder::Outside => Action::ManageRealm,
    };
    ctx.authorise(manage)
        .map_err(|why| hidden(ctx, name, holder, why))?;
    if let Holder::Team(team) = holder {
        // The account is charged to the team's owner: a lead of another does not fill its part.
        let team = ctx.state.teams.get(&team).ok_or(Code::NotFound)?;
        work::by_its_owner(ctx, team)?;
    }
    Ok(())
}

/// Closes an account on which nothing stands and nothing is held. What only names it (an offer without
/// its money held, an act that waits for a person) then finds no such account, as it would find no money.
pub(super) fn close_account(ctx: &mut Ctx<'_>, args: &CloseAccount) -> Result<(), Rejection> {
    let (id, name) = (args.account, AccountRef::Account(args.account));
    let absent = || Rejection::new(Code::NoAccount, format!("{id}"));
    let account = ctx.state.accounts.get(&id).ok_or_else(absent)?;
    ctx.authorise(Action::ViewAccount(id))
        .map_err(|_| absent())?;
    manages_accounts(ctx, &name, account.holder)?;
    let scale = ctx.state.assets.get(&account.asset).map_or(0, |a| a.scale);
    let in_the_way = match account {
        Account { label: None, .. } => Some("it is the holder's main account".into()),
        it if it.balance != Amount::ZERO => {
            Some(format!("its balance is {}", it.balance.display(scale)))
        }
        it if (it.pending_out, it.pending_in) != (Amount::ZERO, Amount::ZERO) => {
            Some("money is held on it".into())
        }
        _ => None,
    };
    if let Some(what) = in_the_way {
        return Err(Rejection::new(Code::AccountStays, what));
    }
    ctx.ids.push(id.into());
    ctx.emit(Event::Ledger(LedgerEvent::AccountClosed { account: id }));
    Ok(())
}

pub(super) fn open_account(ctx: &mut Ctx<'_>, args: &OpenAccount) -> Result<(), Rejection> {
    let holder = holder_of(ctx, &args.holder)?.ok_or(Rejection::new(
        Code::Malformed,
        "name the holder, not an account",
    ))?;
    manages_accounts(ctx, &args.holder, holder)?;
    let (asset, _) = resolve_asset(ctx.state, args.asset.as_ref())?;
    ctx.room_for::<Account>(share::holder(ctx.state, holder), 0)?;
    if args.label.is_none() && ctx.state.main_account(holder, asset).is_some() {
        return Err(Code::AccountExists.into());
    }
    let labelled = ctx.state.labelled_accounts(holder);
    if args.label.is_some() && labelled >= limits::LABELLED_ACCOUNTS {
        let detail = format!(
            "at most {} accounts with a label",
            limits::LABELLED_ACCOUNTS
        );
        return Err(Rejection::new(Code::OwnerFull, detail));
    }
    let account = ctx.new_id(AccountId)?;
    let label = args.label.clone();
    ctx.emit(Event::Ledger(LedgerEvent::AccountOpened {
        account,
        holder,
        asset,
        label,
    }));
    Ok(())
}

impl Ctx<'_> {
    /// The asset that a request means: the one it names, that of an account it names, or the first.
    ///
    /// An account that the principal cannot see does not decide the asset, unless the payer, named
    /// first, has an account in that asset; otherwise the answer would reveal that the account
    /// exists.
    pub(super) fn asset_for(
        &self,
        code: Option<&AssetCode>,
        refs: [&AccountRef; 2],
    ) -> Result<(AssetId, u8), Rejection> {
        if code.is_none() {
            let payer = holder_of(self, refs[0]).ok().flatten();
            for name in refs {
                let AccountRef::Account(id) = name else {
                    continue;
                };
                if let Some(account) = self.state.accounts.get(id)
                    && (self.sees(*id)
                        || payer.is_some_and(|p| self.main_account(p, account.asset).is_some()))
                {
                    let scale = self.state.assets.get(&account.asset).map_or(0, |a| a.scale);
                    return Ok((account.asset, scale));
                }
            }
        }
        resolve_asset(self.state, code)
    }

    /// An account that money leaves, which the principal must be allowed to spend from.
    pub(crate) fn debit_account(
        &self,
        name: &AccountRef,
        asset: AssetId,
    ) -> Result<AccountId, Rejection> {
        let missing = || Rejection::new(Code::NoAccount, format!("{name}"));
        let named = holder_of(self, name)?;
        let holder = match (name, named) {
            (AccountRef::Account(id), _) => self.holder(*id).ok_or_else(missing)?,
            (_, Some(holder)) => holder,
            (_, None) => return Err(missing()),
        };
        self.authorise(Action::SpendOf(holder))
            .map_err(|why| match name {
                AccountRef::Account(id) if !self.sees(*id) => missing(),
                AccountRef::Account(_) => why,
                _ => hidden(self, name, holder, why),
            })?;
        let id = match name {
            AccountRef::Account(id) => *id,
            _ => self.main_account(holder, asset).ok_or_else(|| {
                Rejection::new(Code::Insufficient, format!("{name} has no account yet"))
            })?,
        };
        self.not_stopped(id)?;
        Ok(id)
    }

    /// Whether the principal, or the agent that it acts as, may see an account. One that this command
    /// opens is its own doing.
    fn sees(&self, account: AccountId) -> bool {
        !self.state.accounts.contains(&account)
            || self.authorise(Action::ViewAccount(account)).is_ok()
    }

    /// Refuses when the stop switch of an account's holder, or of the holder's owner, is pulled.
    pub(crate) fn not_stopped(&self, account: AccountId) -> Result<(), Rejection> {
        let owner = match self.holder(account).ok_or(Code::NoAccount)? {
            // A closed agent's money is its owner's to move, unless the operator holds it.
            Holder::Agent(agent) => {
                let entity = self.state.agents.get(&agent).ok_or(Code::NotFound)?;
                if entity.status != Status::Closed {
                    return self.active_agent(agent).map(|_| ());
                }
                let held = identity::held_by_operator(self.state, entity);
                return self.owner_runs(entity.owner, held);
            }
            Holder::Issuance | Holder::Outside => return Ok(()),
            Holder::Owner(owner) => owner,
            // Members of other owners spend it too, so the stop of all agents stops it as well.
            Holder::Team(team) => {
                let owner = self.state.teams.get(&team).ok_or(Code::NotFound)?.owner;
                return self.owner_runs(owner, true);
            }
        };
        self.owner_runs(owner, false)
    }

    /// Refuses when an owner is suspended or, for what its agents have, all its agents are stopped.
    fn owner_runs(&self, owner: OwnerId, of_agents: bool) -> Result<(), Rejection> {
        let owner = self.state.owners.get(&owner).ok_or(Code::NotFound)?;
        let stopped = of_agents && owner.stopped.is_some();
        if owner.status == Status::Suspended || stopped {
            return Err(Rejection::new(Code::Suspended, format!("{}", owner.name)));
        }
        Ok(())
    }

    /// An account that money comes to, opened now if it is a holder's main account.
    fn credit_account(
        &mut self,
        name: &AccountRef,
        asset: AssetId,
    ) -> Result<AccountId, Rejection> {
        match (name, holder_of(self, name)?) {
            (AccountRef::Account(id), _) => {
                let other = self
                    .state
                    .accounts
                    .get(id)
                    .is_some_and(|a| a.asset != asset);
                if other && !self.sees(*id) {
                    return Err(Rejection::new(Code::NoAccount, format!("{id}")));
                }
                Ok(*id)
            }
            (_, Some(holder)) => self.ensure_account(holder, asset),
            (_, None) => Err(Code::NoAccount.into()),
        }
    }

    /// A credit account that belongs to an owner, team or agent: not one that money enters through.
    pub(super) fn holders_account(
        &mut self,
        name: &AccountRef,
        asset: AssetId,
    ) -> Result<AccountId, Rejection> {
        let id = self.credit_account(name, asset)?;
        let special = self
            .state
            .accounts
            .get(&id)
            .is_some_and(super::Account::may_go_negative);
        if special {
            Err(Rejection::new(Code::NoAccount, format!("{id}")))
        } else {
            Ok(id)
        }
    }
}

pub(super) fn issue(ctx: &mut Ctx<'_>, args: &Issue) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    let (asset, scale) = ctx.asset_for(args.asset.as_ref(), [&args.to, &args.to])?;
    let amount = positive(args.amount, scale)?;
    let from = ctx.state.assets.get(&asset).ok_or(Code::NoAsset)?.issuance;
    let to = ctx.holders_account(&args.to, asset)?;
    let transfer = ctx.post_transfer(from, to, amount, Purpose::Issue)?;
    ctx.ids.push(transfer.into());
    Ok(())
}

pub(super) fn transfers(ctx: &mut Ctx<'_>, args: &Transfers<Sealed>) -> Result<(), Rejection> {
    ctx.at_most(
        "transfers",
        args.transfers.len(),
        limits::TRANSFERS_PER_BATCH,
    )?;
    if args.transfers.is_empty() {
        return Err(Rejection::new(
            Code::Malformed,
            "name at least one transfer",
        ));
    }
    let single = args.transfers.len() == 1;
    for (index, spec) in (0_u32..).zip(&args.transfers) {
        let mark = ctx.mark();
        match transfer(ctx, spec) {
            Ok(()) => {}
            Err(why) if why.code == Code::NeedsApproval && single => {
                return park(ctx, spec, args.memo);
            }
            Err(why) if args.independent && !single => {
                ctx.back_to(&mark);
                ctx.refused.push((index, why));
            }
            Err(why) if single => return Err(why),
            Err(why) => {
                let detail = format!("transfer {index}: {}", why.detail);
                return Err(Rejection::new(why.code, detail));
            }
        }
    }
    if ctx.refused.len() == args.transfers.len() {
        return Err(ctx.refused.swap_remove(0).1);
    }
    let memo = args.memo.map(|m| ctx.place(m));
    if memo.is_some() {
        ctx.may_write_memo()?;
    }
    ctx.flush_entries(memo, None);
    Ok(())
}

/// The accounts, asset and amount of a transfer or hold.
fn movement(
    ctx: &mut Ctx<'_>,
    (from, to): (&AccountRef, &AccountRef),
    amount: Decimal,
    asset: Option<&AssetCode>,
) -> Result<(AccountId, AccountId, AssetId, Amount), Rejection> {
    let (asset, scale) = ctx.asset_for(asset, [from, to])?;
    let amount = positive(amount, scale)?;
    let from = ctx.debit_account(from, asset)?;
    // Who cannot pay learns nothing of whom it names.
    ctx.can_cover(from, amount)?;
    let to = ctx.holders_account(to, asset)?;
    Ok((from, to, asset, amount))
}

/// What the acting agent spends, on what the request names.
fn spending(ctx: &Ctx<'_>, on: Option<&SpentOnRef>) -> Result<Spending<'static>, Rejection> {
    Ok(Spending {
        by: ctx.named_actor(),
        payees: &[],
        on: policy::spent_on(ctx, on)?,
    })
}

fn transfer(ctx: &mut Ctx<'_>, spec: &TransferSpec) -> Result<(), Rejection> {
    match spec {
        TransferSpec::Post {
            from,
            to,
            amount,
            asset,
            spent_on,
        } => {
            let spending = spending(ctx, spent_on.as_ref())?;
            let (from, to, _, amount) = movement(ctx, (from, to), *amount, asset.as_ref())?;
            let transfer = ctx.post_for(spending, (from, to), amount, Purpose::Transfer)?;
            name_first(ctx, transfer.into());
        }
        TransferSpec::Hold {
            from,
            to,
            amount,
            asset,
            expires_in_ms,
            spent_on,
        } => {
            let spending = spending(ctx, spent_on.as_ref())?;
            let expires =
                ctx.now
                    .after(ctx.period("expires_in_ms", *expires_in_ms, limits::HOLD_MS)?);
            let (from, to, _, amount) = movement(ctx, (from, to), *amount, asset.as_ref())?;
            let held = (amount, Some(expires));
            let hold = ctx.hold_for(spending, (from, to), held, Purpose::Transfer)?;
            name_first(ctx, hold.into());
        }
        TransferSpec::PostHold { hold, amount } => {
            let (held, scale) = own_hold(ctx, *hold, true)?;
            let amount = amount.map_or(Ok(held), |d| positive(d, scale))?;
            let transfer = ctx.end_hold(*hold, amount)?;
            name_first(ctx, transfer.into());
        }
        TransferSpec::VoidHold { hold } => {
            own_hold(ctx, *hold, false)?;
            let transfer = ctx.end_hold(*hold, Amount::ZERO)?;
            name_first(ctx, transfer.into());
        }
    }
    Ok(())
}

/// A batch's answer contains its first id; the others follow it in the log.
fn name_first(ctx: &mut Ctx<'_>, id: crate::id::AnyId) {
    if ctx.ids.is_empty() {
        ctx.ids.push(id);
    }
}

pub(super) fn capture(ctx: &mut Ctx<'_>, args: &CaptureHold<Sealed>) -> Result<(), Rejection> {
    let (_, scale) = own_hold(ctx, args.hold, true)?;
    let transfer = ctx.capture_hold(args.hold, positive(args.amount, scale)?)?;
    ctx.ids.push(transfer.into());
    let memo = args.memo.map(|memo| ctx.place(memo));
    if memo.is_some() {
        ctx.may_write_memo()?;
    }
    ctx.flush_entries(memo, None);
    Ok(())
}

pub(super) fn raise(ctx: &mut Ctx<'_>, args: &RaiseHold) -> Result<(), Rejection> {
    let (_, scale) = own_hold(ctx, args.hold, true)?;
    let by = ctx.named_actor();
    let transfer = ctx.raise_hold(args.hold, (by, &[]), positive(args.amount, scale)?)?;
    ctx.ids.push(transfer.into());
    Ok(())
}

/// A hold of a transfer that is open: how much is held still, and the scale of its asset. Only its
/// payer may pay it out or raise it; payer and payee may void it, and the operator that of a payer that
/// it has stopped.
fn own_hold(ctx: &Ctx<'_>, id: HoldId, pays: bool) -> Result<(Amount, u8), Rejection> {
    let hold = ctx.open_hold(id)?;
    let sees = |account| ctx.authorise(Action::ViewAccount(account)).is_ok();
    if !sees(hold.from) && !sees(hold.to) {
        // The same answer as for a hold that does not exist.
        return Err(Rejection::new(Code::HoldOver, format!("{id}")));
    }
    if hold.purpose != Purpose::Transfer {
        return Err(Code::HoldNotYours.into());
    }
    let payer = ctx.authorise(Action::Spend(hold.from));
    if pays {
        payer?;
        ctx.not_stopped(hold.from)?;
    } else if payer.is_err() && !frees_stopped(ctx, hold.from) {
        ctx.authorise(Action::Spend(hold.to))?;
    }
    if hold.expires.is_some_and(|at| ctx.now >= at) {
        return Err(Code::HoldOver.into());
    }
    let account = ctx.state.accounts.get(&hold.from).ok_or(Code::NoAccount)?;
    let scale = ctx.state.assets.get(&account.asset).map_or(0, |a| a.scale);
    Ok((hold.amount, scale))
}

/// Whether the operator frees what an account holds that it has stopped: holds fill tables of the realm.
fn frees_stopped(ctx: &Ctx<'_>, account: AccountId) -> bool {
    ctx.principal == Principal::Operator && ctx.not_stopped(account).is_err()
}

/// Parks a transfer that an allowance lets through only with a person's approval.
fn park(ctx: &mut Ctx<'_>, spec: &TransferSpec, memo: Option<Sealed>) -> Result<(), Rejection> {
    let TransferSpec::Post {
        from,
        to,
        amount,
        asset,
        spent_on,
    } = spec
    else {
        return Err(Code::NeedsApproval.into());
    };
    let (from, to, asset, amount) = movement(ctx, (from, to), *amount, asset.as_ref())?;
    let agent = ctx.actor()?;
    let bound = Bound::Transfer {
        from,
        to,
        memo: memo.map(|memo| ctx.place_marked(memo)),
        spent_on: policy::spent_on(ctx, spent_on.as_ref())?,
    };
    policy::request(ctx, agent, bound, (asset, amount))
}

/// Voids a hold whose time is over.
pub(super) fn expire(ctx: &mut Ctx<'_>, hold: HoldId) -> Result<bool, Rejection> {
    ctx.end_hold(hold, Amount::ZERO)?;
    Ok(false)
}
