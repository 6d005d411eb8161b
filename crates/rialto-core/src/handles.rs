//! Deceptive handles: those that name an office of the realm, and those that read like another's.
//!
//! Two handles read alike if their [`skeleton`]s are the same (the idea of Unicode's TR 39, for the
//! characters of handles: `rn` for `m`, `vv` for `w`, `cl` for `d`, digits for letters, dashes) or
//! one edit apart. A handle is *known* once its agent has settled a deal with an agent of another
//! owner. A handle that reads the same as a known one of another owner is refused; one that is one
//! edit away is marked.
//!
//! Only the younger of the two is marked, and never one that has itself settled a deal with another
//! owner by then: whoever registers a similar handle marks only itself.
//!
//! The look-ups are derived from agents and pairs, and are not part of the digest. The cost of a
//! look-up depends on the length of the handle, not on the number of agents.

use alloc::string::String;
use alloc::vec::Vec;

use crate::id::{AgentId, OwnerId};
use crate::state::State;
use crate::table::Table;
use crate::text::Handle;

/// The shortest skeleton for which one edit counts: most shorter ones are one edit apart.
const SHORTEST: usize = 4;
/// The shortest name of an office for which one edit counts.
const SHORTEST_OFFICE: usize = 8;
/// The shortest office that is told from what stands before or after it without a dash.
const SHORTEST_DRESS: usize = 7;
/// How many handles of one skeleton are checked when an agent becomes known.
const LOOKED_AT: usize = 16;

/// The realm's own words.
const OWN: [&str; 6] = ["admin", "operator", "realm", "rialto", "root", "system"];
/// Offices that a reader trusts.
const OFFICES: [&str; 66] = [
    "abuse",
    "admin",
    "administrator",
    "arbiter",
    "arbitration",
    "arbitrator",
    "auditor",
    "bank",
    "billing",
    "chargeback",
    "compliance",
    "court",
    "customercare",
    "customerservice",
    "customersupport",
    "dispute",
    "disputes",
    "escrow",
    "founder",
    "fraud",
    "help",
    "helpdesk",
    "helpline",
    "hostmaster",
    "judge",
    "ledger",
    "legal",
    "mediation",
    "mediator",
    "mod",
    "moderation",
    "moderator",
    "mods",
    "noreply",
    "notary",
    "official",
    "ombudsman",
    "operations",
    "operator",
    "payment",
    "payments",
    "payout",
    "payouts",
    "police",
    "postmaster",
    "realm",
    "refund",
    "refunds",
    "rialto",
    "root",
    "safety",
    "security",
    "settlement",
    "staff",
    "superadmin",
    "superuser",
    "support",
    "sysadmin",
    "sysop",
    "system",
    "treasury",
    "tribunal",
    "trustandsafety",
    "verification",
    "verified",
    "webmaster",
];
/// Words that do not change the office that they are combined with.
const BESIDE: [&str; 24] = [
    "account",
    "accounts",
    "agent",
    "and",
    "bot",
    "care",
    "center",
    "centre",
    "customer",
    "department",
    "dept",
    "desk",
    "global",
    "hq",
    "live",
    "main",
    "of",
    "office",
    "online",
    "real",
    "service",
    "services",
    "team",
    "the",
];

/// How two handles read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// As the same.
    Same,
    /// One letter is missing, added, another, or swapped with its neighbour.
    Near,
}

/// Whether a handle is one of the realm's own words, which nobody may have.
#[must_use]
pub fn is_own_word(handle: &Handle) -> bool {
    OWN.contains(&handle.as_str())
}

/// Whether a handle names an office, or reads like one: `@support`, `@security-team`,
/// `@rnoderator`. Only the operator gives such handles.
#[must_use]
pub fn is_office(handle: &Handle) -> bool {
    names_office(handle.as_str())
}

/// The same for any name of the letters of handles, such as a community's. Digits count as what they look
/// like, and a number at the end of a word not at all: `@rialt0` and `@support-24`. What begins with the
/// realm's own name and a dash speaks for it, whatever follows.
pub(crate) fn names_office(name: &str) -> bool {
    let numberless = |part: &str| skeleton_of(part.trim_end_matches(|c: char| c.is_ascii_digit()));
    let parts = || name.split(['-', '_']);
    let realms = parts().map(skeleton_of).find(|part| !part.is_empty());
    realms.is_some_and(|first| first == skeleton_of("rialto"))
        || reads_as_office(parts().map(skeleton_of).collect())
        || reads_as_office(parts().map(numberless).collect())
}

/// Whether the skeletons of words come to an office.
fn reads_as_office(mut parts: Vec<String>) -> bool {
    let is = |words: &[&str], part: &str| words.iter().any(|word| skeleton_of(word) == part);
    parts.retain(|part| !part.is_empty());
    let offices = parts.iter().filter(|part| is(&OFFICES, part)).count();
    let others = parts.iter().filter(|part| is(&BESIDE, part)).count();
    if offices > 0 && offices + others >= parts.len() {
        return true;
    }
    let whole: String = parts.concat();
    let beside =
        |rest: &str| rest.is_empty() || rest == "s" || is(&BESIDE, rest) || is(&OFFICES, rest);
    OFFICES.iter().any(|office| {
        let office = skeleton_of(office);
        whole.strip_prefix(office.as_str()).is_some_and(beside)
            || whole.strip_suffix(office.as_str()).is_some_and(beside)
            || office.len() >= SHORTEST_OFFICE && one_edit(whole.as_bytes(), office.as_bytes())
    })
}

/// What a handle looks like: without dashes, each letter as the one it is taken for.
#[must_use]
pub fn skeleton(handle: &Handle) -> String {
    skeleton_of(handle.as_str())
}

fn skeleton_of(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for letter in text.chars().filter(|c| !matches!(c, '-' | '_')) {
        let letter = match letter {
            '0' => 'o',
            '1' => 'l',
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            '8' => 'b',
            other => other,
        };
        let pair = match (seen.chars().next_back(), letter) {
            (Some('r'), 'n') => Some('m'),
            (Some('v'), 'v') => Some('w'),
            (Some('c'), 'l') => Some('d'),
            _ => None,
        };
        if pair.is_some() {
            seen.pop();
        }
        seen.push(pair.unwrap_or(letter));
    }
    seen.replace('i', "l")
}

/// What is left of a handle as it looks, without offices and the words that go with them: `casa` of
/// `@casa-support` and `@casasupport`. Nothing if it names no office, or nothing else.
fn undressed(handle: &Handle) -> Option<String> {
    let is = |words: &[&str], part: &str| words.iter().any(|word| skeleton_of(word) == part);
    let parts: Vec<String> = handle.as_str().split(['-', '_']).map(skeleton_of).collect();
    if parts.iter().any(|part| is(&OFFICES, part)) {
        let rest = parts.iter().map(String::as_str);
        let rest: String = rest
            .filter(|p| !is(&OFFICES, p) && !is(&BESIDE, p))
            .collect();
        return (!rest.is_empty()).then_some(rest);
    }
    let whole = parts.concat();
    let mut long = OFFICES.iter().filter(|o| o.len() >= SHORTEST_DRESS);
    long.find_map(|office| {
        let office = skeleton_of(office);
        let rest = whole.strip_suffix(office.as_str());
        let rest = rest.or_else(|| whole.strip_prefix(office.as_str()))?;
        (rest.len() >= SHORTEST).then(|| String::from(rest))
    })
}

/// How two handles read alike, if they do. Handles that differ only in their numbers are a series,
/// like `@worker-1` and `@worker-2`. One that gives the other an office is near to it.
#[must_use]
pub fn alike(a: &Handle, b: &Handle) -> Option<Likeness> {
    let (one, other) = (skeleton(a), skeleton(b));
    if one == other {
        return Some(Likeness::Same);
    }
    let near = one.len().min(other.len()) >= SHORTEST
        && one_edit(one.as_bytes(), other.as_bytes())
        && !are_series(a.as_str(), b.as_str());
    let dressed = |bare: Option<String>, name: &str| bare.is_some_and(|bare| bare == name);
    let near = near || dressed(undressed(a), &other) || dressed(undressed(b), &one);
    near.then_some(Likeness::Near)
}

fn are_series(a: &str, b: &str) -> bool {
    let numbered = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
    let letters = |text: &str| {
        text.bytes()
            .filter(u8::is_ascii_lowercase)
            .collect::<Vec<u8>>()
    };
    numbered(a) && numbered(b) && letters(a) == letters(b)
}

/// Whether one insertion, deletion, substitution or swap of neighbours makes one of the other.
fn one_edit(a: &[u8], b: &[u8]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let (short, long) = (
        short.get(same..).unwrap_or_default(),
        long.get(same..).unwrap_or_default(),
    );
    match (short, long) {
        (_, [_, rest @ ..]) if short.len() + 1 == long.len() => short == rest,
        ([x, y, rest @ ..], [v, w, other @ ..]) if x == w && y == v && rest == other => true,
        ([_, rest @ ..], [_, other @ ..]) => rest == other,
        _ => false,
    }
}

/// Visits every skeleton that is one edit away, some of them twice.
fn edits(skeleton: &[u8], mut visit: impl FnMut(&[u8])) {
    const LETTERS: &[u8] = b"abcdefghjklmnopqrstuvwxyz269";
    let mut made = Vec::with_capacity(skeleton.len() + 1);
    for place in 0..=skeleton.len() {
        let (head, tail) = skeleton.split_at(place);
        let mut one = |with: &[u8], rest: &[u8]| {
            made.clear();
            made.extend_from_slice(head);
            made.extend_from_slice(with);
            made.extend_from_slice(rest);
            visit(&made);
        };
        for letter in LETTERS {
            one(&[*letter], tail);
        }
        if let [first, rest @ ..] = tail {
            one(&[], rest);
            for letter in LETTERS.iter().filter(|l| *l != first) {
                one(&[*letter], rest);
            }
            if let [second, rest @ ..] = rest {
                one(&[*second, *first], rest);
            }
        }
    }
}

/// FNV-1a. Matches are compared in full, so a collision changes nothing.
fn number(skeleton: &[u8]) -> u64 {
    skeleton.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Agents by what their handles look like, and which of them are known.
pub(crate) struct Looks {
    /// Of each skeleton one agent: a known one, if there is one.
    first: Table<u64, AgentId>,
    /// The others of a skeleton.
    further: Table<u64, Vec<AgentId>>,
    /// Those whose handles give an office to the handle with a skeleton.
    dressed: Table<u64, Vec<AgentId>>,
    known: Table<AgentId, ()>,
}

impl Looks {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            first: Table::new(seed),
            further: Table::new(seed),
            dressed: Table::new(seed),
            known: Table::new(seed),
        }
    }

    /// An agent has this handle.
    pub(crate) fn add(&mut self, handle: &Handle, agent: AgentId) {
        if let Some(bare) = undressed(handle) {
            push(&mut self.dressed, number(bare.as_bytes()), agent);
        }
        let number = number(skeleton(handle).as_bytes());
        if !self.first.contains(&number) {
            self.first.insert(number, agent);
            return;
        }
        push(&mut self.further, number, agent);
    }

    /// An agent has settled a deal with an agent of another owner.
    pub(crate) fn know(&mut self, handle: &Handle, agent: AgentId) {
        if self.known.insert(agent, ()).is_some() {
            return;
        }
        let number = number(skeleton(handle).as_bytes());
        let Some(first) = self.first.get_mut(&number) else {
            return;
        };
        if *first == agent || self.known.contains(first) {
            return;
        }
        let others = self.further.get_mut(&number).into_iter().flatten();
        if let Some(place) = others.into_iter().find(|other| **other == agent) {
            core::mem::swap(first, place);
        }
    }

    pub(crate) fn knows(&self, agent: AgentId) -> bool {
        self.known.contains(&agent)
    }

    /// True if the same agents are known to both.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let mut same = self.known.len() == other.known.len();
        self.known.for_each(|agent, ()| same &= other.knows(*agent));
        same
    }

    fn dressed(&self, skeleton: &[u8]) -> impl Iterator<Item = AgentId> {
        let dressed = self.dressed.get(&number(skeleton));
        dressed.into_iter().flatten().copied()
    }

    fn with(&self, skeleton: &[u8]) -> impl Iterator<Item = AgentId> {
        let number = number(skeleton);
        let further = self.further.get(&number).into_iter().flatten();
        self.first.get(&number).into_iter().chain(further).copied()
    }
}

fn push(table: &mut Table<u64, Vec<AgentId>>, number: u64, agent: AgentId) {
    match table.get_mut(&number) {
        Some(agents) => agents.push(agent),
        None => {
            table.insert(number, Vec::from([agent]));
        }
    }
}

/// Marks the agents as known that the pairs of a state show to be.
pub(crate) fn know_all(state: &State, looks: &mut Looks) {
    state.pairs.for_each(|(a, b), _| {
        let (a, b) = (*a, *b);
        if let (Some(one), Some(other)) = (state.agents.get(&a), state.agents.get(&b))
            && one.owner != other.owner
        {
            looks.know(&one.handle, a);
            looks.know(&other.handle, b);
        }
    });
}

/// The known agent of another owner whose handle a new one reads like, or is one edit away from.
pub(crate) fn read_as(
    state: &State,
    handle: &Handle,
    owner: OwnerId,
) -> Option<(Likeness, AgentId)> {
    let looks = state.looks();
    if looks.known.is_empty() {
        return None;
    }
    let mut best: Option<(Likeness, AgentId)> = None;
    let skeleton = skeleton(handle);
    let mut look = |made: &[u8]| {
        let Some(agent) = looks.first.get(&number(made)).filter(|a| looks.knows(**a)) else {
            return;
        };
        let entity = state.agents.get(agent).filter(|a| a.owner != owner);
        if let Some(likeness) = entity.and_then(|a| alike(&a.handle, handle)) {
            let found = (likeness, *agent);
            best = Some(best.map_or(found, |have| have.min(found)));
        }
    };
    if let Some(bare) = undressed(handle) {
        look(bare.as_bytes());
    }
    look(skeleton.as_bytes());
    edits(skeleton.as_bytes(), look);
    best
}

/// Agents of other owners, registered after this one and not known themselves, whose handles read
/// like its own or are one edit away; the oldest first, each once.
pub(crate) fn younger(state: &State, agent: AgentId) -> Vec<AgentId> {
    let Some(own) = state.agents.get(&agent) else {
        return Vec::new();
    };
    let looks = state.looks();
    let skeleton = skeleton(&own.handle);
    let mut found = Vec::new();
    let mut note = |others: &mut dyn Iterator<Item = AgentId>| {
        let later = others
            .take(LOOKED_AT)
            .filter(|other| *other > agent && !looks.knows(*other));
        let alike = later.filter(|other| {
            let other = state.agents.get(other).filter(|a| a.owner != own.owner);
            other.is_some_and(|a| alike(&a.handle, &own.handle).is_some())
        });
        found.extend(alike);
    };
    note(&mut looks.dressed(skeleton.as_bytes()));
    note(&mut looks.with(skeleton.as_bytes()));
    edits(skeleton.as_bytes(), |made| note(&mut looks.with(made)));
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(text: &str) -> Handle {
        Handle::new(text).unwrap()
    }

    #[test]
    fn offices_are_told_however_they_are_written() {
        for office in [
            "moderator",
            "moderators",
            "support",
            "security-team",
            "rnoderator",
            "m0derator",
            "supp0rt",
            "support-24",
            "the-real-operator",
            "rialto-support",
            "securityteam",
            "help-desk",
            "official",
            "official_support",
            "modteam",
            "adm1n",
            "moderater",
            "customer-support",
            "payments",
            "5ecurity",
            "operator-2",
            "support--",
            "trust-and-safety",
            "escrow-service",
            "rialt0",
            "0perator",
            "supp0rt24",
            "arbiter",
            "judges",
            "the-judge-2",
            "founder",
            "sysop",
            "dispute-desk",
            "refunds",
            "settlement",
            "ledger",
            "bank",
            "court",
            "the-tribunal",
            "arbitration-desk",
            "notary",
            "auditor",
            "police",
            "rialto-payouts",
            "r1alto-gifts",
        ] {
            assert!(is_office(&handle(office)), "{office}");
        }
        for free in [
            "casa",
            "the-team",
            "agent-7",
            "helper",
            "casa-support-beam",
            "rootbeer",
            "model",
            "modern",
            "supportive-bakery",
            "guild",
            "riverbank",
            "bank-of-venice",
            "refundable-tickets",
            "judgement-free-zone",
            "systems-biology",
            "realty",
            "security-cameras",
            "verify",
            "service",
            "legal-tender",
            "42",
            "ferry-operator-venice",
        ] {
            assert!(!is_office(&handle(free)), "{free}");
        }
    }

    #[test]
    fn what_is_read_alike() {
        use Likeness::{Near, Same};
        for (a, b, want) in [
            ("casa", "ca5a", Some(Same)),
            ("casa", "casa-", Some(Same)),
            ("casa", "c-a-s-a", Some(Same)),
            ("casa", "c4sa", Some(Same)),
            ("modena", "rnodena", Some(Same)),
            ("wave", "vvave", Some(Same)),
            ("vip-deals", "vip--deals", Some(Same)),
            ("vip-deals", "vip_dea1s", Some(Same)),
            ("data", "clata", Some(Same)),
            ("casa", "casal", Some(Near)),
            ("casa", "cas", None),
            ("casal", "casa1", Some(Same)),
            ("casa", "casa1", Some(Near)),
            ("casa", "acsa", Some(Near)),
            ("casa", "caza", Some(Near)),
            ("osteria", "osterla", Some(Same)),
            ("osteria", "ostria", Some(Near)),
            ("worker-1", "worker-2", None),
            ("worker-1", "worker-12", None),
            ("bob", "rob", None),
            ("casa", "casa-azul", None),
            ("osteria", "trattoria", None),
            ("casa", "casa-support", Some(Near)),
            ("casa", "casa-official", Some(Near)),
            ("casa", "the-casa-support-team", Some(Near)),
            ("casa", "support-ca5a", Some(Near)),
            ("casa", "casasupport", Some(Near)),
            ("river", "riverbank", None),
            ("casa", "casa-support-beam", None),
        ] {
            assert_eq!(alike(&handle(a), &handle(b)), want, "{a} {b}");
            assert_eq!(alike(&handle(b), &handle(a)), want, "{b} {a}");
        }
    }

    #[test]
    fn every_edit_is_visited_and_is_one() {
        let skeleton = b"casa";
        let mut all = Vec::new();
        edits(skeleton, |made| all.push(made.to_vec()));
        for made in &all {
            assert!(made == skeleton || one_edit(skeleton, made), "{made:?}");
        }
        for wanted in [
            "casal", "asa", "csaa", "cafa", "xcasa", "casax", "cas", "ca2a",
        ] {
            assert!(all.iter().any(|made| made == wanted.as_bytes()), "{wanted}");
        }
    }
}
