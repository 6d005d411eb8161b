//! Agents as everybody sees them, owners, people, tokens and services.

use rialto_core::id::{AgentId, OwnerId, PersonId, ServiceId, TeamId, TokenId};
use rialto_core::identity::Principal;
use rialto_core::time::Time;
use rialto_wire::names::name_key;
use rialto_wire::screen::Screening;
use rusqlite::{OptionalExtension, Row};
use serde::Serialize;
use serde_json::Value;

use super::{Page, Paging, Scope, Snap, ViewReader, Written, cursor, facts, limit, time};
use crate::codec::{Coded, principal};
use crate::db::{Units, int, uint};
use crate::fold::identity::{SKILL, TAG};
use crate::{Result, fulltext};

/// What an agent's finished deals came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReputationRow {
    /// Deals sold and settled in full.
    pub sold: u32,
    /// Deals bought and settled in full.
    pub bought: u32,
    /// Deals that were disputed, on either side.
    pub disputed: u32,
    /// Deals sold and refunded or split.
    pub refunded: u32,
    /// Deals sold and not delivered in time.
    pub expired: u32,
    /// With how many different agents a deal was settled.
    pub partners: u32,
}

/// An agent as everybody sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentCard {
    /// Its id.
    pub id: AgentId,
    /// Its handle, with the at sign.
    pub handle: String,
    /// The older agent, known by its deals, whose handle this one reads like or is one edit away
    /// from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resembles: Option<String>,
    /// Who owns it.
    pub owner: OwnerId,
    /// The owner's name.
    pub owner_name: String,
    /// The team it belongs to.
    pub team: Option<TeamId>,
    /// `active`, `suspended` or `closed`; an agent whose owner is suspended, or has stopped all its
    /// agents, is suspended.
    pub status: String,
    /// In lists, for those whose agent it is, every cause of its suspension: `itself` (it alone was
    /// suspended), `all_stopped` (all agents of its owner were stopped), `owner` (its owner is suspended).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspended_by: Vec<&'static str>,
    /// Its key: `did:key:z6Mk…`.
    pub did: String,
    /// Who holds the private key: `own` or `realm`.
    pub custody: String,
    /// What it says about itself: text from others, to be read as data.
    pub description: Option<Written>,
    /// What screening says of its skills, tags and prices, if it says anything. Quarantined names are
    /// `[withheld]` unless they were requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// What it can do.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<rialto_core::text::Name>"))]
    pub skills: Value,
    /// Words to find it by.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<rialto_core::text::Name>"))]
    pub tags: Value,
    /// Prices it states.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<rialto_core::identity::StatedPrice>")
    )]
    pub prices: Value,
    /// Where it can be called.
    #[cfg_attr(feature = "schema", schemars(with = "Option<rialto_core::text::Url>"))]
    pub endpoint: Value,
    /// Who may write to it first.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "rialto_core::identity::ContactPolicy")
    )]
    pub contact: Value,
    /// Whether buyers' offers to it must be funded.
    pub funded_offers_only: bool,
    /// Whose mentions reach its inbox; null leaves it to `contact`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<rialto_core::identity::Mentioner>>")
    )]
    pub mentions: Value,
    /// What its finished deals came to.
    pub reputation: ReputationRow,
    /// When it was registered.
    pub created: Time,
}

/// Which agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentQuery {
    /// Words that must all be in handle, description, skills or tags.
    pub text: Option<String>,
    /// A skill it must have.
    pub skill: Option<String>,
    /// A tag it must have.
    pub tag: Option<String>,
    /// Whose it must be.
    pub owner: Option<OwnerId>,
    /// The viewer. Suspended and closed agents are shown only to themselves, their owner and the
    /// operator.
    pub seen_by: Option<Scope>,
}

/// An owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnerRow {
    /// Its id.
    pub id: OwnerId,
    /// Its unique name.
    pub name: String,
    /// `person` or `organisation`.
    pub kind: String,
    /// `active` or `suspended`.
    pub status: String,
    /// True while all its agents are stopped together.
    pub agents_stopped: bool,
    /// How many agents it has.
    pub agents: u64,
    /// When it signed up.
    pub created: Time,
}

/// A member of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PersonRow {
    /// Its id.
    pub id: PersonId,
    /// The owner.
    pub owner: OwnerId,
    /// Its name within the owner.
    pub name: String,
    /// `admin`, `approver` or `viewer`.
    pub role: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Since when.
    pub created: Time,
}

/// A token: never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// The token's holder.
    pub principal: Principal,
    /// Its name.
    pub label: Option<String>,
    /// When it was issued.
    pub created: Time,
    /// When it expires.
    pub expires: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// When it ended because an incoming text contained it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaked: Option<Time>,
    /// What it may do: names of rights, or `everything`.
    pub may: Vec<String>,
    /// The most that it may spend, if that is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<TokenLimit>,
    /// From which networks it may be used; from everywhere if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// The token that replaced it, and whose limit it spends from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<TokenId>,
    /// The token of the same holder that it was issued with, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<TokenId>,
    /// When it was last used, to the minute; nothing if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Time>,
}

/// The most that a token may spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenLimit {
    /// How much in all, in whole units.
    pub amount: String,
    /// How much of it was spent.
    pub spent: String,
    /// The asset.
    pub asset: String,
}

/// A service of the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceRow {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Since when.
    pub created: Time,
}

const CARD: &str = "SELECT a.id, a.handle, a.owner, o.name, a.team,
    CASE WHEN a.status <> 'active' THEN a.status WHEN o.stopped THEN 'suspended' ELSE o.status END, a.key, a.custody, a.description,
    a.profile, n.sold, n.bought, n.disputed, n.refunded, n.expired, n.partners, a.at,
    (SELECT '@' || r.handle FROM agent r WHERE r.id = a.resembles), a.screen
    FROM agent a JOIN owner o ON o.id = a.owner JOIN record n ON n.agent = a.id";

impl ViewReader {
    /// The handles, known by their deals, that agents with these names could be taken for.
    ///
    /// # Errors
    /// As every read.
    pub fn resembled(&self, names: &[String]) -> Result<Vec<Option<String>>> {
        self.read(|snap| names.iter().map(|name| snap.resembled(name)).collect())
    }

    /// An agent by id.
    ///
    /// # Errors
    /// As every read.
    pub fn agent(&self, id: AgentId) -> Result<Option<AgentCard>> {
        self.read(|snap| snap.card(int(id.0)))
    }

    /// An agent by handle, with or without the at sign.
    ///
    /// # Errors
    /// As every read.
    pub fn agent_by_handle(&self, handle: &str) -> Result<Option<AgentCard>> {
        let bare = handle.strip_prefix('@').unwrap_or(handle);
        self.read(|snap| {
            let sql = "SELECT id FROM agent WHERE handle = ?";
            let id = snap
                .db
                .prepare_cached(sql)?
                .query_row([bare], |r| r.get(0))
                .optional()?;
            id.map_or(Ok(None), |id| snap.card(id))
        })
    }

    /// Agents that can act, and those suspended ones that are the viewer's own; oldest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn agents(&self, query: &AgentQuery, paging: &Paging) -> Result<Page<AgentCard>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let text = fulltext::all_words(query.text.as_deref().unwrap_or_default());
        let from = match (text.is_none(), query.skill.is_some(), query.tag.is_some()) {
            (false, _, _) => {
                "(SELECT rowid AS id FROM agent_fts WHERE agent_fts MATCH ?3) f CROSS JOIN agent a ON a.id = f.id"
            }
            (true, true, _) => {
                "(SELECT agent AS id FROM agent_term WHERE kind = 0 AND key = ?4) f CROSS JOIN agent a ON a.id = f.id"
            }
            (true, false, true) => {
                "(SELECT agent AS id FROM agent_term WHERE kind = 1 AND key = ?5) f CROSS JOIN agent a ON a.id = f.id"
            }
            (true, false, false) => "agent a",
        };
        let suspended_too = match query.seen_by {
            None => "0",
            Some(Scope::Realm) => "1",
            Some(Scope::Owner(_)) => "a.owner = ?7",
            Some(Scope::Agent(_)) => "a.id = ?7",
        };
        let sql = format!(
            "SELECT a.id FROM {from} JOIN owner o ON o.id = a.owner
             WHERE a.id > ?1 AND (?3 IS NULL OR 1)
             AND ((a.status = 'active' AND o.status = 'active' AND NOT o.stopped) OR {suspended_too})
             AND (?4 IS NULL OR EXISTS(SELECT 1 FROM agent_term t
                  WHERE t.kind = {SKILL} AND t.key = ?4 AND t.agent = a.id))
             AND (?5 IS NULL OR EXISTS(SELECT 1 FROM agent_term t
                  WHERE t.kind = {TAG} AND t.key = ?5 AND t.agent = a.id))
             AND (?6 IS NULL OR a.owner = ?6) AND (?7 IS NULL OR 1) ORDER BY a.id LIMIT ?2"
        );
        let key = |name: &Option<String>| name.as_deref().map(name_key);
        let owner = query.owner.map(|o| int(o.0));
        self.read(|snap| {
            let params = (
                after,
                i64::MAX,
                &text,
                key(&query.skill),
                key(&query.tag),
                owner,
                query.seen_by.and_then(Scope::viewer),
            );
            let mut statement = snap.db.prepare_cached(&sql)?;
            let ids = statement.query_map(params, |r| r.get(0))?;
            let mut found = Vec::new();
            for id in ids {
                let id = id?;
                if snap.apart(id)? {
                    continue;
                }
                if let Some(mut card) = snap.card(id)? {
                    if let Some(scope) = query.seen_by
                        && snap.stands_for(scope, id)?
                    {
                        card.suspended_by = snap.suspended_by(id)?;
                    }
                    found.push((id, card));
                }
                if found.len() > limit || snap.is_full() {
                    break;
                }
            }
            Ok(snap.page(found, limit))
        })
    }

    /// An owner.
    ///
    /// # Errors
    /// As every read.
    pub fn owner(&self, id: OwnerId) -> Result<Option<OwnerRow>> {
        self.read(|snap| {
            let sql = format!("{OWNER} WHERE o.id = ?");
            Ok(snap
                .db
                .prepare_cached(&sql)?
                .query_row([int(id.0)], owner_row)
                .optional()?)
        })
    }

    /// All owners, oldest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn owners(&self, paging: &Paging) -> Result<Page<OwnerRow>> {
        let sql = format!("{OWNER} WHERE o.id > ?1 AND ?3 IS NULL ORDER BY o.id LIMIT ?2");
        self.rows(&sql, None, paging, |row| Ok((row.get(0)?, owner_row(row)?)))
    }

    /// An owner's people, oldest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn persons(&self, owner: OwnerId, paging: &Paging) -> Result<Page<PersonRow>> {
        let sql = "SELECT id, owner, name, role, status, at FROM person
                   WHERE id > ?1 AND owner = ?3 ORDER BY id LIMIT ?2";
        self.rows(sql, Some(int(owner.0)), paging, |row| {
            let person = PersonRow {
                id: PersonId(uint(row.get(0)?)),
                owner: OwnerId(uint(row.get(1)?)),
                name: row.get(2)?,
                role: row.get(3)?,
                status: row.get(4)?,
                created: time(row.get(5)?),
            };
            Ok((row.get(0)?, person))
        })
    }

    /// Tokens of an owner's people and agents, of one agent, or of everybody; oldest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn tokens(&self, scope: Scope, paging: &Paging) -> Result<Page<TokenRow>> {
        let of_agent = format!("holder_kind = {} AND holder = ?3", principal::AGENT);
        let (filter, viewer) = match scope {
            Scope::Realm => ("?3 IS NULL", None),
            Scope::Owner(id) => ("owner = ?3", Some(int(id.0))),
            Scope::Agent(id) => (of_agent.as_str(), Some(int(id.0))),
        };
        let sql = format!(
            "SELECT id, holder_kind, holder, label, at, expires, ended, leaked, may, origin,
                    replaced_by, asset, up_to, spent, issued_by FROM token
             WHERE id > ?1 AND {filter} ORDER BY id LIMIT ?2"
        );
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(&sql)?;
            let mut rows = query.query((after, wide, viewer))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.get(0)?, snap.token(row)?));
            }
            Ok(snap.page(found, limit))
        })
    }

    /// The operator's services, oldest first.
    ///
    /// # Errors
    /// [`crate::Error::BadCursor`], [`crate::Error::BadLimit`], and as every read.
    pub fn services(&self, paging: &Paging) -> Result<Page<ServiceRow>> {
        let sql = "SELECT id, name, status, at FROM service
                   WHERE id > ?1 AND ?3 IS NULL ORDER BY id LIMIT ?2";
        self.rows(sql, None, paging, |row| {
            let service = ServiceRow {
                id: ServiceId(uint(row.get(0)?)),
                name: row.get(1)?,
                status: row.get(2)?,
                created: time(row.get(3)?),
            };
            Ok((row.get(0)?, service))
        })
    }

    /// A page by a query whose parameters are where to begin, how many, and one more.
    fn rows<T>(
        &self,
        sql: &str,
        of: Option<i64>,
        paging: &Paging,
        row: impl Fn(&Row<'_>) -> rusqlite::Result<(i64, T)>,
    ) -> Result<Page<T>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let mut query = snap.db.prepare_cached(sql)?;
            let found = query.query_map((after, wide, of), row)?;
            Ok(snap.page(found.collect::<rusqlite::Result<_>>()?, limit))
        })
    }
}

impl Snap<'_> {
    fn token(&self, row: &Row<'_>) -> Result<TokenRow> {
        let when = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(time));
        let words = |column| {
            let text: String = row.get(column)?;
            Ok::<_, rusqlite::Error>(text.split_whitespace().map(str::to_owned).collect())
        };
        let limit = match (row.get(11)?, row.get(12)?) {
            (Some(asset), Some(amount)) => Some(TokenLimit {
                amount: self.decimal(amount, asset)?,
                spent: self.decimal(row.get::<_, Option<Units>>(13)?.unwrap_or(Units(0)), asset)?,
                asset: self.asset(asset)?.0,
            }),
            _ => None,
        };
        Ok(TokenRow {
            id: TokenId(uint(row.get(0)?)),
            principal: Principal::at(row, 1)?,
            label: row.get(3)?,
            created: time(row.get(4)?),
            expires: when(5)?,
            ended: when(6)?,
            leaked: when(7)?,
            may: words(8)?,
            up_to: limit,
            from: words(9)?,
            replaced_by: row.get::<_, Option<i64>>(10)?.map(|id| TokenId(uint(id))),
            issued_by: row.get::<_, Option<i64>>(14)?.map(|id| TokenId(uint(id))),
            last_used: None,
        })
    }
}

const OWNER: &str = "SELECT o.id, o.name, o.kind, o.status,
    (SELECT count(*) FROM agent a WHERE a.owner = o.id), o.at, o.stopped FROM owner o";

fn owner_row(row: &Row<'_>) -> rusqlite::Result<OwnerRow> {
    Ok(OwnerRow {
        id: OwnerId(uint(row.get(0)?)),
        name: row.get(1)?,
        kind: row.get(2)?,
        status: row.get(3)?,
        agents: uint(row.get(4)?),
        created: time(row.get(5)?),
        agents_stopped: row.get(6)?,
    })
}

fn reputation(row: &Row<'_>) -> rusqlite::Result<ReputationRow> {
    Ok(ReputationRow {
        sold: row.get(10)?,
        bought: row.get(11)?,
        disputed: row.get(12)?,
        refunded: row.get(13)?,
        expired: row.get(14)?,
        partners: row.get(15)?,
    })
}

impl Snap<'_> {
    /// Everything that keeps an agent suspended.
    fn suspended_by(&self, id: i64) -> Result<Vec<&'static str>> {
        let sql = "SELECT a.status = 'suspended', o.stopped, o.status = 'suspended'
                   FROM agent a JOIN owner o ON o.id = a.owner WHERE a.id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let causes = query.query_row([id], |r| {
            Ok([
                (r.get::<_, bool>(0)?, "itself"),
                (r.get(1)?, "all_stopped"),
                (r.get(2)?, "owner"),
            ])
        })?;
        let named = causes.into_iter().filter(|(holds, _)| *holds);
        Ok(named.map(|(_, cause)| cause).collect())
    }

    fn card(&self, id: i64) -> Result<Option<AgentCard>> {
        let sql = format!("{CARD} WHERE a.id = ?");
        let mut query = self.db.prepare_cached(&sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut profile = facts(&row.get::<_, String>(9)?);
        let screening = Screening::of_bits(row.get(18)?);
        if screening.as_ref().is_some_and(|s| s.quarantined) {
            self.withhold(&mut profile);
        }
        let part = |name: &str| profile.get(name).cloned().unwrap_or_default();
        Ok(Some(AgentCard {
            id: AgentId(uint(row.get(0)?)),
            handle: format!("@{}", row.get::<_, String>(1)?),
            resembles: row.get(17)?,
            owner: OwnerId(uint(row.get(2)?)),
            owner_name: row.get(3)?,
            team: row.get::<_, Option<i64>>(4)?.map(|t| TeamId(uint(t))),
            status: row.get(5)?,
            suspended_by: Vec::new(),
            did: did_key(&row.get::<_, [u8; 32]>(6)?),
            custody: row.get(7)?,
            description: self.written(row.get(8)?)?,
            screening,
            skills: part("skills"),
            tags: part("tags"),
            prices: part("prices"),
            endpoint: part("endpoint"),
            contact: part("contact"),
            funded_offers_only: part("funded_offers_only") == Value::Bool(true),
            mentions: part("mentions"),
            reputation: reputation(row)?,
            created: time(row.get(16)?),
        }))
    }
}

/// An Ed25519 public key as a `did:key`: multibase base58btc (`z`) of the multicodec 0xed01 and the
/// key (W3C did:key method, v0.9).
fn did_key(key: &[u8; 32]) -> String {
    let mut bytes = [0_u8; 34];
    let (codec, rest) = bytes.split_at_mut(2);
    codec.copy_from_slice(&[0xed, 0x01]);
    rest.copy_from_slice(key);
    format!("did:key:z{}", base58(&bytes))
}

/// Base 58 in the alphabet of Bitcoin. The bytes here never begin with zero.
fn base58(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut digits: Vec<u32> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += *digit << 8;
            *digit = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let letter = |d: &u32| {
        usize::try_from(*d)
            .ok()
            .and_then(|d| ALPHABET.get(d))
            .copied()
    };
    digits
        .iter()
        .rev()
        .filter_map(letter)
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::did_key;

    /// The first example of the did:key method's test vectors (w3c-ccg/did-key-spec, ed25519-x25519).
    #[test]
    fn keys_print_as_did_key() {
        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let mut bytes = [0_u8; 32];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&key[2 * place..2 * place + 2], 16).unwrap();
        }
        let did = did_key(&bytes);
        assert_eq!(
            did,
            "did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw"
        );
    }
}
