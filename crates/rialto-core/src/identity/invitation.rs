//! Invitations: codes to sign up with when sign-up is closed.
//!
//! Only a hash of a code is kept. An invitation ends when it is used up, revoked, or too old. It
//! never says who was invited: whoever holds the code may use it.

use alloc::format;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::IdentityEvent;
use crate::ctx::{Ctx, room};
use crate::entity::{Charge, Due, Entity, Lookup};
use crate::event::Event;
use crate::hash::{Hash, Short};
use crate::id::{OwnerId, TokenId};
use crate::limits;
use crate::policy::Action;
use crate::reject::{Code, Rejection};
use crate::state::State;
use crate::text::Name;
use crate::time::Time;

/// An invitation that can still be used. Keyed by the hash of its code.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Invitation {
    /// Its id.
    #[n(0)]
    pub id: TokenId,
    /// A name that distinguishes it from others.
    #[n(1)]
    pub label: Option<Name>,
    /// How many sign-ups it still allows.
    #[n(2)]
    pub uses: u32,
    /// When it expires.
    #[n(3)]
    pub expires: Time,
}

impl Entity for Invitation {
    const KIND: u8 = 19;
    type Key = Short;
    const DUE: Due<Self> = Due::Acts(|it| Some(it.expires), expire);
    const CHARGE: Charge<Self> = Charge::Nobody;
    const LOOKUP: Lookup<Self> = Lookup::Key;
}

/// Makes an invitation; its code is in the answer once, like a new token's secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// How many sign-ups it allows, up to 10,000.
    #[serde(default = "once")]
    pub uses: u32,
    /// After how many milliseconds it expires, at most 366 days; by default a week.
    #[serde(default = "a_week")]
    pub expires_in_ms: u64,
    /// A name that distinguishes it from others.
    #[serde(default)]
    pub label: Option<Name>,
}

fn once() -> u32 {
    1
}

fn a_week() -> u64 {
    7 * crate::time::DAY_MS
}

/// Revokes an invitation. Owners that signed up with it stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EndInvitation {
    /// The invitation.
    pub invitation: TokenId,
}

/// The key under which a code is kept.
#[must_use]
pub fn code_key(code: &str) -> Short {
    Hash::of(&[b"rialto invitation", code.as_bytes()]).short()
}

pub(super) fn invite(ctx: &mut Ctx<'_>, args: &Invite) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    room(
        "open invitations",
        ctx.state.invitations.len(),
        limits::INVITATIONS,
    )?;
    if args.uses == 0 || args.uses > limits::INVITATION_USES {
        let detail = format!("uses must be between 1 and {}", limits::INVITATION_USES);
        return Err(Rejection::new(Code::Malformed, detail));
    }
    let lasts = ctx.period("expires_in_ms", args.expires_in_ms, limits::INVITATION_MS)?;
    let invitation = ctx.new_id(TokenId)?;
    let code = ctx.new_code(invitation);
    ctx.emit(Event::Identity(IdentityEvent::Invited {
        invitation,
        code,
        label: args.label.clone(),
        uses: args.uses,
        expires: ctx.now.after(lasts),
    }));
    Ok(())
}

pub(super) fn end(ctx: &mut Ctx<'_>, args: &EndInvitation) -> Result<(), Rejection> {
    ctx.authorise(Action::ManageRealm)?;
    let mut found = None;
    // There are few, and ids are unique, so the order does not matter.
    ctx.state.invitations.for_each(|code, invitation| {
        if invitation.id == args.invitation {
            found = Some(*code);
        }
    });
    let code = found.ok_or(Code::NotFound)?;
    ended(ctx, args.invitation, code);
    Ok(())
}

/// An invitation's time is over.
fn expire(ctx: &mut Ctx<'_>, code: Short) -> Result<bool, Rejection> {
    let invitation = ctx.state.invitations.get(&code).ok_or(Code::Defect)?.id;
    ended(ctx, invitation, code);
    Ok(false)
}

fn ended(ctx: &mut Ctx<'_>, invitation: TokenId, code: Short) {
    ctx.emit(Event::Identity(IdentityEvent::InvitationEnded {
        invitation,
        code,
    }));
}

/// The key of a code that can still be used. The refusal of another does not say what is wrong with
/// it.
pub(super) fn admitted(ctx: &Ctx<'_>, code: &Name) -> Result<Short, Rejection> {
    let key = code_key(code.as_str());
    let open = ctx.state.invitations.get(&key);
    open.filter(|invitation| ctx.now < invitation.expires)
        .map(|_| key)
        .ok_or_else(|| Code::BadInvitation.into())
}

pub(super) fn used(ctx: &mut Ctx<'_>, code: Short, owner: OwnerId) -> Result<(), Rejection> {
    let invitation = ctx.state.invitations.get(&code).ok_or(Code::Defect)?.id;
    ctx.emit(Event::Identity(IdentityEvent::InvitationUsed {
        invitation,
        code,
        owner,
    }));
    Ok(())
}

pub(super) fn count_use(state: &mut State, code: Short) {
    match state.invitations.get(&code).map(|i| i.uses) {
        None => state.changes.defect(),
        Some(0 | 1) => drop(state.take::<Invitation>(&code)),
        Some(_) => state
            .invitations
            .modify(&code, &mut state.changes, |i| i.uses -= 1),
    }
}

pub(super) fn forget(state: &mut State, code: Short) {
    if state.take::<Invitation>(&code).is_none() {
        state.changes.defect();
    }
}
