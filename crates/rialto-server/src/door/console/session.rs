//! Sessions: what a browser holds in the place of a token.
//!
//! A session is a random id in a cookie and a row in a bounded table in memory, found by the id's
//! hash. It stands for the token it was opened with and ends with it: every request looks the
//! token up again, so that a revoked or expired one ends its sessions at once, and one whose holder is
//! stopped opens nothing. Sessions end by
//! signing out, after [`IDLE_MS`] without a request, after [`AGE_MS`] in any case, and when the
//! server restarts. No secret is kept: neither the token nor the id.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rialto_core::hash::Hash;
use rialto_core::id::TokenId;
use rialto_core::identity::{Auth, Principal};
use rialto_core::reject::Code;
use rialto_core::time::{DAY_MS, HOUR_MS, Time};

use crate::door::auth::Caller;
use crate::node::{Chance, TokenInfo};

/// The most sessions at once.
const SESSIONS: usize = 10_000;
/// The most sessions of one token; the one longest unused makes room.
const PER_TOKEN: usize = 16;
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

    fn is_over(&self, now: Time) -> bool {
        now.since(self.used) > IDLE_MS || now.since(self.opened) > AGE_MS
    }
}

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<Hash, Session>>);

fn place(id: &str) -> Hash {
    Hash::of(&[b"rialto session", id.as_bytes()])
}

/// Random text of 256 bits.
fn random(chance: &dyn Chance) -> String {
    Hash::from(chance.bytes()).to_string()
}

impl Sessions {
    /// Opens a session for a live token and returns its id.
    ///
    /// # Errors
    /// [`Code::Busy`] when there are as many sessions as there may be.
    pub(super) fn open(
        &self,
        secret: Hash,
        info: TokenInfo,
        now: Time,
        chance: &dyn Chance,
    ) -> Result<String, Code> {
        let (id, csrf) = (random(chance), random(chance));
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |sessions: &HashMap<Hash, Session>| {
            sessions.values().filter(|s| s.token == info.token).count()
        };
        if sessions.len() >= SESSIONS || own(&sessions) >= PER_TOKEN {
            sessions.retain(|_, session| !session.is_over(now));
        }
        if own(&sessions) >= PER_TOKEN {
            let of_token = sessions.iter().filter(|(_, s)| s.token == info.token);
            let oldest = of_token.min_by_key(|(_, s)| s.used).map(|(key, _)| *key);
            oldest.map(|key| sessions.remove(&key));
        }
        if sessions.len() >= SESSIONS {
            return Err(Code::Busy);
        }
        let session = Session {
            secret,
            principal: info.principal,
            token: info.token,
            csrf,
            opened: now,
            used: now,
        };
        sessions.insert(place(&id), session);
        Ok(id)
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

    fn info(token: u64) -> TokenInfo {
        TokenInfo {
            token: TokenId(token),
            principal: Principal::Operator,
        }
    }

    #[test]
    fn a_session_ends_when_idle_old_or_closed() {
        let (sessions, chance) = (Sessions::default(), SeededChance::new(1));
        let open = || {
            let opened = sessions.open(Hash::of(&[b"secret"]), info(1), Time(1_000), &chance);
            opened.unwrap()
        };
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
    fn the_table_is_bounded() {
        let (sessions, chance) = (Sessions::default(), SeededChance::new(1));
        let secret = Hash::of(&[b"secret"]);
        let first = sessions.open(secret, info(0), Time(1), &chance).unwrap();
        for time in 2..=PER_TOKEN as u64 + 1 {
            sessions.open(secret, info(0), Time(time), &chance).unwrap();
        }
        assert!(sessions.find(&first, Time(50)).is_none());
        for token in 1..=(SESSIONS - PER_TOKEN) as u64 {
            sessions
                .open(secret, info(token), Time(60), &chance)
                .unwrap();
        }
        let one_more = sessions.open(secret, info(u64::MAX), Time(60), &chance);
        assert_eq!(one_more, Err(Code::Busy));
        let later = sessions.open(secret, info(u64::MAX), Time(61 + IDLE_MS), &chance);
        assert!(later.is_ok());
    }
}
