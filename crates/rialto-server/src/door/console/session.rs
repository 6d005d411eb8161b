//! Sessions: what a browser holds instead of a token.
//!
//! A session is a random id in a cookie and a row in a bounded table in memory, found by the id's
//! hash. It stands for the token that opened it and ends with it: every request looks the token up
//! again, so that a revoked or expired one ends its sessions at once, and one whose holder is
//! stopped shows nothing. Sessions end by signing out, after [`IDLE_MS`] without a request, after
//! [`AGE_MS`] in any case, and when the server restarts. No secret is kept: neither the token nor
//! the id.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rialto_core::hash::Hash;
use rialto_core::id::{OwnerId, TokenId};
use rialto_core::identity::{Auth, Principal, Rights};
use rialto_core::time::{DAY_MS, HOUR_MS, Time};

use crate::door::auth::Caller;
use crate::node::{Chance, TokenInfo};

/// The most sessions at once.
const SESSIONS: usize = 10_000;
/// The most sessions of one token; the one longest unused makes room.
const PER_TOKEN: usize = 16;
/// The most sessions of one owner's agents and people together; the one longest unused makes room.
const PER_OWNER: usize = SESSIONS / 8;
/// How long a session lives without a request.
const IDLE_MS: u64 = 12 * HOUR_MS;
/// How long a session lives at most.
const AGE_MS: u64 = 7 * DAY_MS;

/// A session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The hash of the token's secret, by which it is looked up.
    pub(super) secret: Hash,
    /// The token's holder.
    pub(super) principal: Principal,
    /// The token.
    pub(super) token: TokenId,
    /// The owner of the token's holder; none for the operator.
    owner: Option<OwnerId>,
    /// What its forms must carry.
    pub(super) csrf: String,
    opened: Time,
    used: Time,
}

impl Session {
    /// Who asks through it.
    pub(super) fn caller(&self) -> Caller {
        Caller {
            principal: self.principal,
            auth: Auth::Token(self.token),
            acting: None,
        }
    }

    /// The token as a door looks it up.
    pub(super) fn info(&self) -> TokenInfo {
        TokenInfo {
            token: self.token,
            principal: self.principal,
            owner: self.owner,
            may: Rights::EVERYTHING,
        }
    }

    fn is_over(&self, now: Time) -> bool {
        now.since(self.used) > IDLE_MS || now.since(self.opened) > AGE_MS
    }
}

/// Sessions by the hash of their id.
type Table = HashMap<Hash, Session>;

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Table>);

/// How many sessions are of the one and of the other kind.
fn count(
    sessions: &Table,
    one: impl Fn(&Session) -> bool,
    other: impl Fn(&Session) -> bool,
) -> (usize, usize) {
    sessions.values().fold((0, 0), |(a, b), session| {
        (
            a + usize::from(one(session)),
            b + usize::from(other(session)),
        )
    })
}

/// Closes the one of these sessions that is longest unused.
fn close_oldest(sessions: &mut Table, which: impl Fn(&Session) -> bool) {
    let these = sessions.iter().filter(|(_, s)| which(s));
    let oldest = these.min_by_key(|(_, s)| s.used).map(|(key, _)| *key);
    oldest.map(|key| sessions.remove(&key));
}

/// The owner with most sessions; none where only the operator has any.
fn with_most(sessions: &Table) -> Option<OwnerId> {
    let mut counts: HashMap<OwnerId, usize> = HashMap::new();
    for owner in sessions.values().filter_map(|s| s.owner) {
        *counts.entry(owner).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(owner, _)| owner)
}

fn place(id: &str) -> Hash {
    Hash::of(&[b"rialto session", id.as_bytes()])
}

/// Random text of 256 bits.
fn random(chance: &dyn Chance) -> String {
    Hash::from(chance.bytes()).to_string()
}

impl Sessions {
    /// Opens a session for a live token and returns its id. Where there are as many as there may be, of
    /// the token, of its owner or in all, one makes room: the one longest unused of the token, of the
    /// owner, or of whoever has most. So nobody keeps anybody else out.
    pub(super) fn open(
        &self,
        secret: Hash,
        info: TokenInfo,
        now: Time,
        chance: &dyn Chance,
    ) -> String {
        let (id, csrf) = (random(chance), random(chance));
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_token = |s: &Session| s.token == info.token;
        let of_owner = |s: &Session| s.owner.is_some() && s.owner == info.owner;
        let (mut by_token, mut by_owner) = count(&sessions, of_token, of_owner);
        if sessions.len() >= SESSIONS || by_token >= PER_TOKEN || by_owner >= PER_OWNER {
            sessions.retain(|_, session| !session.is_over(now));
            (by_token, by_owner) = count(&sessions, of_token, of_owner);
        }
        if by_token >= PER_TOKEN {
            close_oldest(&mut sessions, of_token);
        } else if by_owner >= PER_OWNER {
            close_oldest(&mut sessions, of_owner);
        } else if sessions.len() >= SESSIONS {
            let most = with_most(&sessions);
            close_oldest(&mut sessions, |s| s.owner == most);
        }
        let session = Session {
            secret,
            principal: info.principal,
            token: info.token,
            owner: info.owner,
            csrf,
            opened: now,
            used: now,
        };
        sessions.insert(place(&id), session);
        id
    }

    /// The session of an id, if it still lives.
    pub(super) fn find(&self, id: &str, now: Time) -> Option<Session> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = place(id);
        if sessions.get(&key)?.is_over(now) {
            sessions.remove(&key);
            return None;
        }
        let session = sessions.get_mut(&key)?;
        session.used = session.used.max(now);
        Some(session.clone())
    }

    /// Ends a session.
    pub(super) fn close(&self, id: &str) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&place(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::SeededChance;

    fn info(token: u64, owner: Option<u64>) -> TokenInfo {
        let owner = owner.map(OwnerId);
        let agent = Principal::Agent(rialto_core::id::AgentId(token));
        TokenInfo {
            token: TokenId(token),
            principal: owner.map_or(Principal::Operator, |_| agent),
            owner,
            may: Rights::EVERYTHING,
        }
    }

    #[test]
    fn a_session_ends_when_idle_old_or_closed() {
        let (sessions, chance) = (Sessions::default(), SeededChance::new(1));
        let secret = Hash::of(&[b"secret"]);
        let open = || sessions.open(secret, info(1, None), Time(1_000), &chance);
        let id = open();
        assert!(sessions.find(&id, Time(1_000)).is_some());
        assert!(sessions.find("another", Time(1_000)).is_none());
        assert!(sessions.find(&id, Time(1_001 + IDLE_MS)).is_none());
        let id = open();
        let mut now = 1_000;
        while now <= 1_000 + AGE_MS {
            assert!(sessions.find(&id, Time(now)).is_some());
            now += IDLE_MS;
        }
        assert!(sessions.find(&id, Time(now)).is_none());
        let id = open();
        sessions.close(&id);
        assert!(sessions.find(&id, Time(1_000)).is_none());
    }

    #[test]
    fn nobody_keeps_others_out() {
        let (sessions, chance) = (Sessions::default(), SeededChance::new(1));
        let secret = Hash::of(&[b"secret"]);
        let open = |token, owner, at| sessions.open(secret, info(token, owner), Time(at), &chance);
        let lives = |id: &str| sessions.find(id, Time(1_000_000)).is_some();
        let len = || sessions.0.lock().unwrap().len();
        // A token has its part: the oldest makes room.
        let first = open(0, None, 1);
        for at in 2..=PER_TOKEN as u64 + 1 {
            open(0, None, at);
        }
        assert!(!lives(&first));
        assert_eq!(len(), PER_TOKEN);
        // So has an owner, with however many agents and tokens.
        let first = open(1, Some(1), 50);
        for n in 0..PER_OWNER as u64 {
            open(100 + n, Some(1), 60 + n);
        }
        assert!(!lives(&first));
        assert_eq!(len(), PER_TOKEN + PER_OWNER);
        // When the table is full, whoever has most makes room, and never the operator.
        let mut owner = 2;
        while len() < SESSIONS {
            let left = (SESSIONS - len()).min(PER_OWNER - 10) as u64;
            for n in 0..left {
                open(owner * 10_000 + n, Some(owner), 100);
            }
            owner += 1;
        }
        let newcomer = open(7, Some(owner), 900_000);
        let operator = open(8, None, 900_000);
        assert!(lives(&newcomer) && lives(&operator));
        assert_eq!(len(), SESSIONS);
        let of_first = |s: &Session| s.owner == Some(OwnerId(1));
        let left = count(&sessions.0.lock().unwrap(), of_first, of_first).0;
        assert_eq!(left, PER_OWNER - 2);
    }
}
