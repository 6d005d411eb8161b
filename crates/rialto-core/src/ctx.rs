//! A decision in the making: what every decider sees of the realm, and where it puts what it decides.
//!
//! Deciders of all modules work with a [`Ctx`]; it knows none of them. What a command is and which
//! decider it goes to stands elsewhere, so modules depend on this and never on the root.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::amount::{Amount, Decimal};
use crate::event::Event;
use crate::hash::{Hash, Short};
use crate::id::{self, AgentId, AnyId, ContentId, OwnerId, TokenId};
use crate::identity::{self, AgentRef, Auth, Custody, Principal};
use crate::ledger::Draft;
use crate::policy::{self, Action, Consent, authorise};
use crate::reject::{Code, Rejection};
use crate::state::State;
use crate::text::{ContentRef, Sealed};
use crate::time::Time;

/// The inputs of a decision from outside: time and chance.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// The wall clock's time.
    pub now: Time,
    /// The steady clock's reading, in milliseconds: it runs evenly whatever happens to the wall
    /// clock, through sleep too, and never back, not even over a restart.
    pub steady_ms: u64,
    /// What the steady clock read when the server started, in milliseconds. Time before that was not
    /// watched.
    pub began_ms: u64,
    /// Fresh secret random bytes. Never logged.
    pub entropy: [u8; 32],
    /// A fresh public key that the realm holds the private half of, for commands that need one.
    pub custody: Option<(Hash, Short)>,
}

/// The current decision.
pub struct Ctx<'a> {
    pub(crate) state: &'a State,
    pub(crate) now: Time,
    pub(crate) steady_ms: u64,
    pub(crate) principal: Principal,
    /// The token that proves the principal, whose limit counts.
    pub(crate) token: Option<TokenId>,
    pub(crate) ids: Vec<AnyId>,
    pub(crate) refused: Vec<(u32, Rejection)>,
    pub(crate) draft: Draft,
    /// What a person has said yes to.
    pub(crate) consent: Consent,
    /// The result of an earlier command, if this one repeats it.
    pub(crate) repeats: Option<AnyId>,
    /// The realm's mark of the text of a command that may have to wait for a person.
    pub(crate) said: Option<Short>,
    actor: Option<AgentId>,
    position: u64,
    next_ordinal: u64,
    stamp: &'a Stamp,
    secrets: Vec<(TokenId, String)>,
    events: Vec<Event>,
}

/// What a decision has come to.
pub(crate) struct Decided {
    /// The position that its envelope takes.
    pub(crate) position: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) ids: Vec<AnyId>,
    pub(crate) secrets: Vec<(TokenId, String)>,
    pub(crate) refused: Vec<(u32, Rejection)>,
}

/// A point in a decision to come back to.
pub(crate) struct Mark {
    events: usize,
    next_id: u64,
}

impl<'a> Ctx<'a> {
    /// A decision at `now` on what `principal` asks, as `actor` if it names an agent.
    pub(crate) fn new(
        state: &'a State,
        stamp: &'a Stamp,
        now: Time,
        (principal, actor): (Principal, Option<AgentId>),
        auth: Auth,
    ) -> Self {
        Self {
            state,
            now,
            steady_ms: stamp.steady_ms.max(state.steady_ms().unwrap_or(0)),
            principal,
            token: match auth {
                Auth::Token(token) => Some(token),
                Auth::None | Auth::Local => None,
            },
            ids: Vec::new(),
            refused: Vec::new(),
            draft: Draft::default(),
            consent: Consent::Nothing,
            repeats: None,
            said: None,
            actor,
            position: state.position() + 1,
            next_ordinal: 0,
            stamp,
            secrets: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Forgets everything decided so far.
    pub(crate) fn begin_anew(&mut self) {
        self.events.clear();
        self.ids.clear();
        self.draft = Draft::default();
        self.next_ordinal = 0;
    }

    /// What was decided, with the entries of money that were drafted.
    pub(crate) fn decided(mut self) -> Decided {
        self.flush_token();
        self.flush_entries(None, None);
        Decided {
            position: self.position,
            events: self.events,
            ids: self.ids,
            secrets: self.secrets,
            refused: self.refused,
        }
    }

    /// The machine's wall clock, which need not be the realm's time.
    pub(crate) fn wall(&self) -> Time {
        self.stamp.now
    }

    /// How many new ids the decision can still make.
    pub(crate) fn ids_left(&self) -> u64 {
        id::MAX_ORDINALS.saturating_sub(self.next_ordinal)
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// A number for a new id.
    pub(crate) fn number(&mut self) -> Result<u64, Rejection> {
        if self.next_ordinal >= id::MAX_ORDINALS {
            return Err(Rejection::new(
                Code::TooMany,
                format!("at most {} new ids in one command", id::MAX_ORDINALS),
            ));
        }
        let number = id::number(self.position, self.next_ordinal);
        self.next_ordinal += 1;
        Ok(number)
    }

    /// A new id that the answer names.
    pub(crate) fn new_id<T: Into<AnyId> + Copy>(
        &mut self,
        make: fn(u64) -> T,
    ) -> Result<T, Rejection> {
        let id = make(self.number()?);
        self.ids.push(id.into());
        Ok(id)
    }

    /// Stores the text of a command that may have to wait for a person, and keeps its mark, by which
    /// the same request is known again.
    pub(crate) fn place_marked(&mut self, sealed: Sealed) -> ContentRef {
        self.said = Some(sealed.same);
        self.place(sealed)
    }

    /// Stores a sealed content with this envelope.
    pub(crate) fn place(&self, sealed: Sealed) -> ContentRef {
        let id = ContentId(id::number(self.position, u64::from(sealed.ordinal)));
        ContentRef {
            id,
            hash: sealed.hash,
            len: sealed.len,
            labels: sealed.labels,
        }
    }

    /// The agent that acts, which must exist, be active, and be one the principal may act for.
    pub(crate) fn actor(&self) -> Result<AgentId, Rejection> {
        let agent = self.actor.ok_or(Code::NoActor)?;
        authorise(self.state, self.principal, Action::ActFor(agent))?;
        self.active_agent(agent)?;
        Ok(agent)
    }

    /// The agent whose open business is ended: the acting one or, if that is closed or stopped, the
    /// one for which an admin of its owner acts.
    pub(crate) fn ending_actor(&self) -> Result<AgentId, Rejection> {
        match (self.actor, self.principal) {
            (Some(agent), Principal::Person(_)) => {
                authorise(self.state, self.principal, Action::ActFor(agent)).map(|()| agent)
            }
            _ => self.actor(),
        }
    }

    /// The events of the decision so far.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many events the decision has so far.
    pub(crate) fn emitted(&self) -> usize {
        self.events.len()
    }

    /// The agent that acts, if any was named.
    pub(crate) fn named_actor(&self) -> Option<AgentId> {
        self.actor
    }

    /// Carries out an agent's request after a person has approved it.
    pub(crate) fn act_as(&mut self, agent: AgentId) {
        self.actor = Some(agent);
        self.principal = Principal::Agent(agent);
        self.consent = Consent::All;
    }

    pub(crate) fn active_agent(&self, id: AgentId) -> Result<&'a identity::Agent, Rejection> {
        let agent = self.state.agents.get(&id).ok_or(Code::NotFound)?;
        policy::acts(self.state, Principal::Agent(id))?;
        Ok(agent)
    }

    pub(crate) fn agent(&self, name: &AgentRef) -> Result<AgentId, Rejection> {
        resolve_agent(self.state, name)
    }

    /// Judges an action of the principal. A principal that acts as an active agent has the agent's
    /// rights too.
    pub(crate) fn authorise(&self, action: Action) -> Result<(), Rejection> {
        authorise(self.state, self.principal, action).or_else(|why| {
            let agent = self.actor().map_err(|_| why.clone())?;
            authorise(self.state, Principal::Agent(agent), action).map_err(|_| why)
        })
    }

    /// As [`Ctx::authorise`] for a private thing of an owner: to strangers it does not exist.
    pub(crate) fn authorise_within(&self, owner: OwnerId, action: Action) -> Result<(), Rejection> {
        let own = policy::owner_of_principal(self.state, self.principal) == Some(owner);
        self.authorise(action)
            .map_err(|why| if own { why } else { Code::NotFound.into() })
    }

    /// The hash and secret of a new token; the secret goes into the answer only.
    pub(crate) fn new_secret(&mut self, token: TokenId) -> Hash {
        let secret = self.draw(b"rialto token", "rlt_", token);
        let hash = secret_hash(&secret);
        self.secrets.push((token, secret));
        hash
    }

    /// The key of a new invitation's code; the code goes into the answer only.
    pub(crate) fn new_code(&mut self, invitation: TokenId) -> Short {
        let code = self.draw(b"rialto invitation", "inv_", invitation);
        let key = identity::code_key(&code);
        self.secrets.push((invitation, code));
        key
    }

    /// A number by chance, another for each `of`.
    pub(crate) fn chance(&self, of: u64) -> u32 {
        let mut hasher = blake3::Hasher::new_keyed(&self.stamp.entropy);
        hasher.update(b"rialto chance");
        hasher.update(&of.to_le_bytes());
        let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn draw(&self, what: &[u8], prefix: &str, id: TokenId) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.stamp.entropy);
        hasher.update(what);
        hasher.update(&id.0.to_le_bytes());
        secret_text(prefix, hasher.finalize().as_bytes())
    }

    /// A fresh key for an agent, in the realm's custody.
    pub(crate) fn fresh_key(&self) -> Result<(Hash, Custody), Rejection> {
        let (key, nonce) = self.stamp.custody.ok_or(Code::Defect)?;
        Ok((key, Custody::Realm(nonce)))
    }

    /// The current point of the decision, to return to if the next step is refused.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            events: self.events.len(),
            next_id: id::number(self.position, self.next_ordinal),
        }
    }

    /// Forgets the accounts opened since `mark`, for a step that was refused before it drafted an
    /// entry.
    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.events.truncate(mark.events);
        self.draft.forget_opened(mark.next_id);
    }

    /// Checks a period that a request names.
    pub(crate) fn period(&self, what: &str, ms: u64, most_ms: u64) -> Result<u64, Rejection> {
        if ms == 0 || ms > most_ms {
            return Err(Rejection::new(
                Code::BadPeriod,
                format!("{what} must be between 1 and {most_ms} milliseconds"),
            ));
        }
        Ok(ms)
    }

    /// Checks the number of entries in a list.
    pub(crate) fn at_most(&self, what: &str, have: usize, most: usize) -> Result<(), Rejection> {
        if have > most {
            return Err(Rejection::new(
                Code::TooMany,
                format!("{what}: {have} given, at most {most}"),
            ));
        }
        Ok(())
    }
}

/// The agent that a request names.
///
/// # Errors
/// [`Code::NotFound`] when there is none.
pub fn resolve_agent(state: &State, name: &AgentRef) -> Result<AgentId, Rejection> {
    let found = match name {
        AgentRef::Id(id) => state.agents.contains(id).then_some(*id),
        AgentRef::Handle(handle) => state.agent_named(handle),
    };
    found.ok_or_else(|| Rejection::new(Code::NotFound, format!("agent {name}")))
}

/// Refuses if a table has the maximum number of entries.
pub(crate) fn room(what: &str, have: usize, most: usize) -> Result<(), Rejection> {
    if have >= most {
        return Err(Rejection::new(
            Code::RealmFull,
            format!("at most {most} {what}"),
        ));
    }
    Ok(())
}

/// Refuses an amount that is zero or negative, or that does not fit the asset.
pub(crate) fn positive(decimal: Decimal, scale: u8) -> Result<Amount, Rejection> {
    let amount = decimal
        .amount(scale)
        .map_err(|e| Rejection::new(Code::BadAmount, format!("{e}")))?;
    if !amount.is_positive() {
        return Err(Rejection::new(
            Code::BadAmount,
            "the amount must be above zero",
        ));
    }
    Ok(amount)
}

/// A secret in text form: a prefix (`rlt_` of tokens, `inv_` of invitations) and 32 digits (160 bits).
fn secret_text(prefix: &str, bytes: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = String::from(prefix);
    for byte in bytes {
        let digit = ALPHABET
            .get(usize::from(byte & 31))
            .copied()
            .unwrap_or(b'0');
        text.push(char::from(digit));
    }
    text
}

/// The hash under which a token's secret is kept.
#[must_use]
pub fn secret_hash(secret: &str) -> Hash {
    Hash::of(&[b"rialto token secret", secret.as_bytes()])
}
