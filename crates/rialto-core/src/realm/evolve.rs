//! Applies events about the realm itself.

use super::{Realm, RealmEvent, Rules};
use crate::entity::EntityKey;
use crate::identity::{Principal, Token};
use crate::policy::Settings;
use crate::state::State;

pub(crate) fn evolve(state: &mut State, event: &RealmEvent) {
    match event {
        RealmEvent::Founded { name, key } => {
            let realm = Realm {
                name: name.clone(),
                key: *key,
                operator_token: None,
                settings: Settings::default(),
                asset: None,
            };
            state.bring((), realm);
        }
        RealmEvent::OperatorTokenReset { token, hash } => {
            if let Some(old) = state.realm.get(&()).and_then(|r| r.operator_token) {
                state.take::<Token>(&old);
            }
            let entity = Token {
                principal: Principal::Operator,
                hash: *hash,
                expires: None,
                scope: None,
                spent: None,
                replaced_by: None,
            };
            state.bring(*token, entity);
            let set = |r: &mut Realm| r.operator_token = Some(*token);
            state.realm.modify(&(), &mut state.changes, set);
        }
        RealmEvent::KeyRotated { key } => {
            let set = |r: &mut Realm| r.key = *key;
            state.realm.modify(&(), &mut state.changes, set);
        }
        RealmEvent::ClockAccepted | RealmEvent::ClockMoved { .. } => {}
        RealmEvent::ClockSetBack { from, to, jumped } => state.set_back(*from, *to, *jumped),
        RealmEvent::RulesAdopted { edition } => state.bring((), Rules { edition: *edition }),
        RealmEvent::Retired { keys } => {
            for key in keys {
                match EntityKey::from_slice(key) {
                    Some(key) => state.retire(&key),
                    None => state.changes.defect(),
                }
            }
        }
    }
}
