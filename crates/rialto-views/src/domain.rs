//! The domains of the views: groups of tables that are folded, versioned and rebuilt each alone.
//!
//! A domain's fold reads its own tables and those of the *foundation*: facts that never change once they
//! are there, and texts, which only ever go away. What it needs to know of another domain's state at the
//! same position it keeps itself, in a small copy. So a domain that is dropped and folded again from the
//! first envelope comes to the same rows, wherever the others stand.
//!
//! Roll-ups are made of the rows of trade ([`crate::rollup`]), not of envelopes alone; their fold notes what
//! has to be rolled up again.
//!
//! Nothing here decides anything, and nothing here reads the log.

use rusqlite::{Connection, OptionalExtension};

use crate::Result;
use crate::db::{int, uint};
use crate::fold::{self, Folding};
use crate::rollup;

/// A group of tables with its own version and fold.
#[derive(Clone, Copy)]
pub(crate) struct Domain {
    /// By which it is known in the file and in readiness.
    pub(crate) name: &'static str,
    /// The version of its tables and of what its fold writes. With another in the file, this domain alone is
    /// dropped and folded again.
    pub(crate) version: u32,
    /// Makes its tables.
    pub(crate) schema: &'static str,
    /// Whether the folds of others read it. While such a domain is rebuilt, the others take nothing in, and
    /// serve what they have.
    pub(crate) foundation: bool,
    /// The domain whose rows its own are made of beside the log: with that one it is begun again.
    pub(crate) made_of: Option<&'static str>,
    /// Takes in one envelope.
    pub(crate) fold: fn(&mut Folding<'_>) -> Result<()>,
}

/// Every domain. The foundation comes first, since an envelope is folded in this order.
pub(crate) const DOMAINS: &[Domain] = &[
    Domain {
        name: "ground",
        version: 1,
        schema: include_str!("schema/ground.sql"),
        foundation: true,
        made_of: None,
        fold: fold::ground,
    },
    Domain {
        name: TEXTS,
        version: 1,
        schema: include_str!("schema/texts.sql"),
        foundation: true,
        made_of: None,
        fold: fold::texts,
    },
    Domain {
        name: "log",
        version: 1,
        schema: include_str!("schema/log.sql"),
        foundation: false,
        made_of: None,
        fold: fold::log,
    },
    Domain {
        name: DIRECTORY,
        version: 1,
        schema: include_str!("schema/directory.sql"),
        foundation: false,
        made_of: None,
        fold: fold::directory,
    },
    Domain {
        name: MAIL,
        version: 1,
        schema: include_str!("schema/mail.sql"),
        foundation: false,
        made_of: None,
        fold: fold::mail,
    },
    Domain {
        name: "work",
        version: 1,
        schema: include_str!("schema/work.sql"),
        foundation: false,
        made_of: None,
        fold: fold::work,
    },
    Domain {
        name: TRADE,
        version: 1,
        schema: include_str!("schema/trade.sql"),
        foundation: false,
        made_of: None,
        fold: fold::trade,
    },
    Domain {
        name: "policy",
        version: 1,
        schema: include_str!("schema/policy.sql"),
        foundation: false,
        made_of: None,
        fold: fold::policy,
    },
    Domain {
        name: SQUARE,
        version: 1,
        schema: include_str!("schema/square.sql"),
        foundation: false,
        made_of: None,
        fold: fold::square,
    },
    Domain {
        name: "nouns",
        version: 1,
        schema: include_str!("schema/nouns.sql"),
        foundation: false,
        made_of: None,
        fold: fold::nouns,
    },
    Domain {
        name: BY_SIDE,
        version: 2,
        schema: include_str!("schema/by_side.sql"),
        foundation: false,
        made_of: Some(TRADE),
        fold: rollup::by_side,
    },
    Domain {
        name: BY_PARTNER,
        version: 2,
        schema: include_str!("schema/by_partner.sql"),
        foundation: false,
        made_of: Some(TRADE),
        fold: rollup::by_partner,
    },
];

/// The sums of the accounts, by the axes of each grain.
pub(crate) const BY_SIDE: &str = "by_side";
pub(crate) const BY_PARTNER: &str = "by_partner";

/// The texts, and those domains that have them in an index.
pub(crate) const TEXTS: &str = "texts";
pub(crate) const DIRECTORY: &str = "directory";
pub(crate) const MAIL: &str = "mail";
pub(crate) const TRADE: &str = "trade";
pub(crate) const SQUARE: &str = "square";

/// What the file itself needs, of no domain: how far the views have come, each domain's version and, while
/// it is rebuilt, its position, and whose each table is.
pub(crate) const LAYOUT: &str = "
    CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1), position INTEGER NOT NULL);
    INSERT INTO meta VALUES(1, 0);
    CREATE TABLE domain(name TEXT PRIMARY KEY, version INTEGER NOT NULL, position INTEGER) WITHOUT ROWID;
    CREATE TABLE owned(name TEXT PRIMARY KEY, domain TEXT NOT NULL) WITHOUT ROWID;";

/// Where a domain that is being rebuilt stands.
#[derive(Clone, Copy)]
pub(crate) struct Behind {
    pub(crate) domain: Domain,
    pub(crate) position: u64,
}

/// Makes the tables in the file those of `domains`: creates the domains that it lacks, drops those that are
/// no more, and begins those of another version again. Returns the ones that are behind the rest.
pub(crate) fn settle(db: &Connection, domains: &[Domain]) -> Result<Vec<Behind>> {
    let head: i64 = db.query_row("SELECT position FROM meta", [], |r| r.get(0))?;
    for gone in stored(db)? {
        if !domains.iter().any(|domain| domain.name == gone) {
            drop_tables(db, &gone)?;
            db.execute("DELETE FROM domain WHERE name = ?", [&gone])?;
        }
    }
    let start = (head > 0).then_some(0);
    let mut anew = false;
    for domain in domains {
        let sql = "SELECT version FROM domain WHERE name = ?";
        let version: Option<u32> = db.query_row(sql, [domain.name], |r| r.get(0)).optional()?;
        if version != Some(domain.version) {
            begin(db, domain, start)?;
            anew |= domain.foundation;
        }
    }
    for domain in domains.iter().filter(|domain| domain.made_of.is_some()) {
        let sql = "SELECT 1 FROM domain WHERE name = ? AND position = 0";
        if db.prepare(sql)?.exists([domain.made_of])? {
            begin(db, domain, start)?;
        }
    }
    if anew {
        // What was half rebuilt on an older foundation begins again, beside the new one.
        for Behind { domain, .. } in behind(db, domains)? {
            begin(db, &domain, start)?;
        }
    }
    behind(db, domains)
}

/// The domains that are being rebuilt, in the order of the list.
pub(crate) fn behind(db: &Connection, domains: &[Domain]) -> Result<Vec<Behind>> {
    let mut found = Vec::new();
    for domain in domains {
        let sql = "SELECT position FROM domain WHERE name = ?";
        let position: Option<i64> = db.query_row(sql, [domain.name], |r| r.get(0))?;
        found.extend(position.map(|position| Behind {
            domain: *domain,
            position: uint(position),
        }));
    }
    Ok(found)
}

/// Up to which position all of these domains are whole in a file. Changes nothing.
pub(crate) fn whole_up_to(db: &Connection, domains: &[Domain]) -> Result<u64> {
    let head: i64 = db.query_row("SELECT position FROM meta", [], |r| r.get(0))?;
    let mut whole = head;
    for domain in domains {
        let sql = "SELECT version, coalesce(position, ?2) FROM domain WHERE name = ?1";
        let mut query = db.prepare(sql)?;
        let stored = query.query_row((domain.name, head), |r| {
            Ok((r.get::<_, u32>(0)?, r.get::<_, i64>(1)?))
        });
        whole = match stored.optional()? {
            Some((version, position)) if version == domain.version => whole.min(position),
            _ => 0,
        };
    }
    Ok(uint(whole))
}

/// Notes how far a domain's rebuilding has come; with none it is done.
pub(crate) fn reached(db: &Connection, domain: &Domain, position: Option<u64>) -> Result<()> {
    let sql = "UPDATE domain SET position = ? WHERE name = ?";
    db.prepare_cached(sql)?
        .execute((position.map(int), domain.name))?;
    Ok(())
}

/// The tables of a domain as the file has them.
pub(crate) fn tables(db: &Connection, domain: &str) -> Result<Vec<String>> {
    let mut query = db.prepare("SELECT name FROM owned WHERE domain = ? ORDER BY name")?;
    let names = query.query_map([domain], |r| r.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// The names of the domains that the file has.
fn stored(db: &Connection) -> Result<Vec<String>> {
    let mut query = db.prepare("SELECT name FROM domain")?;
    let names = query.query_map([], |r| r.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// Drops a domain's tables and makes them anew.
fn begin(db: &Connection, domain: &Domain, position: Option<i64>) -> Result<()> {
    drop_tables(db, domain.name)?;
    db.execute_batch(domain.schema)?;
    db.execute(
        "INSERT INTO owned SELECT name, ? FROM sqlite_schema WHERE type = 'table'
         AND name NOT IN (SELECT name FROM owned)
         AND name NOT IN ('meta', 'domain', 'owned') AND name NOT LIKE 'sqlite_%'",
        [domain.name],
    )?;
    db.execute(
        "INSERT OR REPLACE INTO domain VALUES(?, ?, ?)",
        (domain.name, domain.version, position),
    )?;
    Ok(())
}

fn drop_tables(db: &Connection, domain: &str) -> Result<()> {
    // Those inside a full-text index go with it: the index goes first.
    let sql =
        "SELECT o.name FROM owned o JOIN sqlite_schema s ON s.name = o.name AND s.type = 'table'
               WHERE o.domain = ? ORDER BY s.sql NOT LIKE 'CREATE VIRTUAL%'";
    let mut query = db.prepare(sql)?;
    let names = query.query_map([domain], |r| r.get(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    for name in names {
        db.execute_batch(&format!("DROP TABLE IF EXISTS \"{name}\""))?;
    }
    db.execute("DELETE FROM owned WHERE domain = ?", [domain])?;
    Ok(())
}
