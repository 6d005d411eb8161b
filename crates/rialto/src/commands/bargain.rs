//! How negotiations and deals read, and what may be done next about each.
//!
//! Holds words only: it asks no server and decides nothing. What may be done follows from the state
//! that the server returned; the server checks the state again when the command runs.

use serde_json::Value;

use super::show::{brief, plain, span};

/// The digits of an offer's hash that are shown: enough to name it.
const DIGITS: usize = 8;

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// The first digits of a hash.
pub(super) fn short(hash: &str) -> String {
    hash.chars().take(DIGITS).collect()
}

/// The latest offer of a negotiation.
pub(super) fn latest(negotiation: &Value) -> Option<&Value> {
    negotiation.get("offers")?.as_array()?.last()
}

/// What may be done next in a negotiation, and by whom.
pub(super) fn next_in_negotiation(view: &Value) -> Option<String> {
    if text(view, "/negotiation/state") != Some("open") {
        return text(view, "/negotiation/deal").map(|deal| format!("see rialto deal show {deal}"));
    }
    let offer = latest(view)?;
    let id = text(view, "/negotiation/id")?;
    let author = text(offer, "/by/id")?;
    let other = ["buyer", "seller"].into_iter().find_map(|side| {
        let party = view.pointer(&format!("/negotiation/{side}"))?;
        (text(party, "/id")? != author).then(|| text(party, "/handle"))?
    })?;
    let hash = short(text(offer, "/hash")?);
    Some(format!(
        "{other} may accept it with: rialto deal accept {id} {hash}\n\
         (or answer with rialto deal counter, or end it with rialto deal leave)"
    ))
}

/// What may be done next in a deal, and by whom.
pub(super) fn next_in_deal(view: &Value) -> Option<String> {
    let (id, state) = (text(view, "/deal/id")?, text(view, "/deal/state")?);
    let (buyer, seller) = (
        text(view, "/deal/buyer/handle")?,
        text(view, "/deal/seller/handle")?,
    );
    let arbiter = text(view, "/arbiter/handle").unwrap_or("the operator");
    Some(match state {
        "agreed" => format!("{seller} delivers with: rialto deal deliver {id} TEXT"),
        "delivered" => format!(
            "{buyer} accepts the delivery with: rialto deal accept-delivery {id}\n\
             (or says what is wrong with rialto deal dispute)"
        ),
        "disputed" => {
            format!("{arbiter} rules with: rialto deal rule {id} --to-seller AMOUNT REASON")
        }
        _ => return None,
    })
}

/// What an offer offers: the price, and what is promised for it.
pub(super) fn offered(fact: &Value) -> Option<String> {
    let price = money(fact, "/offer/bargain/price", "/offer/bargain/asset")?;
    let lines = owned(fact, "/lines").filter(|lines| lines != "-");
    Some(match lines {
        Some(lines) => format!("{price} for {lines}"),
        None => price,
    })
}

/// The command that answers a delivery, while there is something to answer.
pub(super) fn next_for(delivery: &Value) -> Option<String> {
    delivery
        .get("answerable")
        .filter(|can| **can == Value::Bool(true))?;
    let (_, inner) = delivery.get("event")?.as_object()?.iter().next()?;
    let (kind, fact) = inner.as_object()?.iter().next()?;
    let of = |pointer: &str| text(fact, pointer);
    Some(match kind.as_str() {
        "offer_made" => {
            let hash = short(of("/offer/hash")?);
            format!("rialto deal accept {} {hash}", of("/negotiation")?)
        }
        // The one who hears of an acceptance is the other side.
        "deal_agreed" if of("/by") == of("/buyer") => {
            format!("rialto deal deliver {} TEXT", of("/deal")?)
        }
        "deal_delivered" => format!("rialto deal accept-delivery {}", of("/deal")?),
        "call_opened" => format!("rialto call propose {} --price AMOUNT", of("/call")?),
        "call_revealed" => format!("rialto call show {}", of("/call")?),
        "member_invited" => format!("rialto team join {}", of("/team")?),
        "message_sent" if fact.get("request") == Some(&Value::Bool(true)) => {
            format!("rialto inbox admit {}", of("/from")?)
        }
        _ => return None,
    })
}

/// Lines of a name and a value, aligned.
#[derive(Default)]
pub(super) struct Lines(Vec<(&'static str, String)>);

impl Lines {
    pub(super) fn add(&mut self, name: &'static str, value: Option<String>) {
        self.0.extend(value.map(|v| (name, plain(&v))));
    }

    pub(super) fn text(&self) -> String {
        let line = |(name, value): &(&str, String)| {
            format!("  {name:<11}{}", value.replace('\n', "\n             "))
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

pub(super) fn owned(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).filter(|v| !v.is_null()).map(brief)
}

pub(super) fn money(value: &Value, pointer: &str, asset: &str) -> Option<String> {
    Some(format!("{} {}", text(value, pointer)?, text(value, asset)?))
}

/// A negotiation with its offers, for people.
pub(super) fn negotiation(view: &Value) -> String {
    let mut lines = Lines::default();
    for name in ["buyer", "seller", "call", "listing", "since"] {
        lines.add(name, owned(view, &format!("/negotiation/{name}")));
    }
    let head = head(view, "/negotiation");
    let offers = view.get("offers").and_then(Value::as_array);
    let offers = offers.into_iter().flatten().map(offer);
    let offers: Vec<String> = offers.collect();
    let mut next = Lines::default();
    next.add("next", next_in_negotiation(view));
    format!(
        "{head}\n{}\n{}\n{}",
        lines.text(),
        offers.join("\n"),
        next.text()
    )
}

fn head(view: &Value, of: &str) -> String {
    let field = |name: &str| owned(view, &format!("{of}/{name}")).unwrap_or_default();
    format!("{} is {}", field("id"), field("state").replace('_', " "))
}

fn offer(offer: &Value) -> String {
    let mut lines = Lines::default();
    lines.add("price", money(offer, "/price", "/asset"));
    let funded = offer.get("funded").and_then(Value::as_bool);
    let says = |held: bool| match held {
        true => "yes: its money is held",
        false => "no: the buyer could pay when it was made",
    };
    lines.add("funded", funded.map(|held| says(held).to_owned()));
    terms(&mut lines, offer);
    lines.add("arbiter", Some(arbiter(offer)));
    lines.add("note", said(offer, "/note", owned(offer, "/by")));
    lines.add("until", owned(offer, "/expires"));
    let hash = text(offer, "/hash").unwrap_or_default();
    let title = format!(
        "offer {} by {}  {hash}",
        owned(offer, "/number").unwrap_or_default(),
        owned(offer, "/by").unwrap_or_default()
    );
    format!("{title}\n{}", lines.text())
}

/// What somebody wrote, after its author's name and its screening labels, so that nobody's words pass
/// for another's.
pub(super) fn said(value: &Value, pointer: &str, by: Option<String>) -> Option<String> {
    let written = value.pointer(pointer).filter(|v| !v.is_null())?;
    let labels = written
        .pointer("/screening/labels")
        .and_then(Value::as_array);
    let labels = labels.filter(|labels| !labels.is_empty());
    let screened = labels.map_or_else(String::new, |labels| {
        let names: Vec<String> = labels.iter().map(brief).collect();
        format!(" (screening: {})", names.join(", ").replace('_', " "))
    });
    let by = by.unwrap_or_else(|| author(written).to_owned());
    Some(format!("by {by}{screened}: {}", brief(written)))
}

/// What is known of an author without a name.
fn author(written: &Value) -> &'static str {
    let labels = written.get("labels").and_then(Value::as_array);
    let has = |label: &str| labels.is_some_and(|labels| labels.iter().any(|l| l == label));
    match (has("by_operator"), has("by_person")) {
        (true, _) => "the operator",
        (_, true) => "a person",
        _ => "an agent",
    }
}

/// Who rules in a dispute, and who owns it.
fn arbiter(of: &Value) -> String {
    match (owned(of, "/arbiter"), text(of, "/arbiter_owner/name")) {
        (Some(agent), Some(owner)) => format!("{agent} of {owner}"),
        (Some(agent), None) => agent,
        (None, _) => "the operator".to_owned(),
    }
}

/// What is promised, and what holds when nobody speaks.
pub(super) fn terms(lines: &mut Lines, offer: &Value) {
    for (name, pointer) in [("promised", "/terms/lines"), ("issues", "/terms/issues")] {
        lines.add(name, owned(offer, pointer).filter(|v| v != "-"));
    }
    let bargain = |name: &str| offer.pointer(&format!("/terms/bargain/{name}"));
    let within = |name: &str| bargain(name).and_then(Value::as_u64).map(span);
    let word = |name: &str| bargain(name).and_then(Value::as_str);
    lines.add(
        "delivered",
        within("deliver_within_ms").map(|t| format!("within {t} of the agreement")),
    );
    let silence = |time: Option<String>, what: &str, then: Option<&str>| {
        Some(format!("within {} {what}, else {}", time?, then?))
    };
    lines.add(
        "reviewed",
        silence(
            within("review_within_ms"),
            "of the delivery",
            word("on_no_review"),
        ),
    );
    lines.add(
        "ruled on",
        silence(
            within("rule_within_ms"),
            "of a dispute",
            word("on_no_ruling"),
        ),
    );
    lines.add("shared by", word("payee_team").map(str::to_owned));
}

/// A deal with its course, for people.
pub(super) fn deal(view: &Value) -> String {
    let mut lines = Lines::default();
    for name in ["buyer", "seller"] {
        lines.add(name, owned(view, &format!("/deal/{name}")));
    }
    lines.add("price", money(view, "/deal/price", "/deal/asset"));
    lines.add("paid", money(view, "/deal/paid", "/deal/asset"));
    lines.add("returned", money(view, "/deal/returned", "/deal/asset"));
    for name in ["hold", "task"] {
        lines.add(name, owned(view, &format!("/deal/{name}")));
    }
    lines.add("agreed in", owned(view, "/deal/negotiation"));
    lines.add("offer", text(view, "/offer").map(str::to_owned));
    let accepted = view.get("accepted").unwrap_or(&Value::Null);
    terms(&mut lines, accepted);
    lines.add("arbiter", Some(arbiter(view)));
    let party = |pointer: &str| Some(role(view, accepted.pointer(pointer)?));
    lines.add("note", said(accepted, "/note", party("/by")));
    let accepting = view.get("note_by").map(|by| role(view, by));
    lines.add("accepted", said(view, "/note", accepting));
    lines.add("dispute", owned(view, "/dispute"));
    lines.add("ruling", owned(view, "/ruling"));
    let steps = view.get("timeline").and_then(Value::as_array);
    for step in steps.into_iter().flatten() {
        lines.add("course", Some(course(view, step)));
    }
    lines.add("next", next_in_deal(view));
    format!("{}\n{}", head(view, "/deal"), lines.text())
}

/// A party of a deal by its handle and its side.
fn role(view: &Value, party: &Value) -> String {
    let sides = ["buyer", "seller"].into_iter();
    let side = sides.filter(|side| text(view, &format!("/deal/{side}/id")) == text(party, "/id"));
    match side.last() {
        Some(side) => format!("{} (the {side})", brief(party)),
        None => brief(party),
    }
}

/// A step: when, what, by whom.
fn course(view: &Value, step: &Value) -> String {
    let by = text(step, "/by/id");
    let party = ["/deal/buyer", "/deal/seller", "/arbiter"]
        .into_iter()
        .find(|party| by.is_some() && text(view, &format!("{party}/id")) == by)
        .and_then(|party| owned(view, party));
    let who = match text(step, "/by/kind") {
        Some("realm") => Some("the clock".to_owned()),
        Some("operator") => Some("the operator".to_owned()),
        _ => party.or_else(|| owned(step, "/by")),
    };
    format!(
        "{}  {} by {}",
        owned(step, "/at").unwrap_or_default(),
        owned(step, "/state").unwrap_or_default(),
        who.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HASH: &str = "b9c1f7b5cfd9e1a9d0641d45a69bf06a9ad552814b3a22c13fe52d4d5dc44399";

    fn agent(name: &str) -> Value {
        json!({ "id": format!("agent_{name}"), "handle": format!("@{name}") })
    }

    fn an_offer() -> Value {
        json!({
            "number": 1, "by": agent("ana"), "hash": HASH, "price": "12.50", "asset": "USD",
            "expires": "2026-11-23T16:20:06.000Z", "note": null, "funded": true,
            "arbiter": agent("judge"), "arbiter_owner": { "id": "owner_1", "name": "guild" },
            "terms": {
                "lines": [{ "item": "Tacos", "quantity": 1 }], "issues": [],
                "bargain": {
                    "asset": "USD", "price": "12.50", "deliver_within_ms": 86_400_000,
                    "review_within_ms": 90_000, "rule_within_ms": 604_800_000,
                    "on_no_review": "settle", "on_no_ruling": "halve",
                },
            },
        })
    }

    #[test]
    fn a_negotiation_says_how_to_accept() {
        let view = json!({
            "negotiation": {
                "id": "neg_1", "buyer": agent("ana"), "seller": agent("casa"), "state": "open",
                "since": "2026-11-22T16:20:06.000Z", "deal": null, "call": null, "listing": null,
            },
            "offers": [an_offer()],
        });
        assert_eq!(
            negotiation(&view),
            format!(
                "neg_1 is open\n  \
                 buyer      @ana\n  \
                 seller     @casa\n  \
                 since      2026-11-22 16:20:06\n\
                 offer 1 by @ana  {HASH}\n  \
                 price      12.50 USD\n  \
                 funded     yes: its money is held\n  \
                 promised   Tacos 1\n  \
                 delivered  within 1 d of the agreement\n  \
                 reviewed   within 1 min 30 s of the delivery, else settle\n  \
                 ruled on   within 7 d of a dispute, else halve\n  \
                 arbiter    @judge of guild\n  \
                 until      2026-11-23 16:20:06\n  \
                 next       @casa may accept it with: rialto deal accept neg_1 b9c1f7b5\n             \
                 (or answer with rialto deal counter, or end it with rialto deal leave)"
            )
        );
    }

    #[test]
    fn a_deal_says_who_does_what_next() {
        let view = |state: &str| {
            json!({
                "deal": {
                    "id": "deal_1", "buyer": agent("ana"), "seller": agent("casa"), "state": state,
                    "price": "12.50", "asset": "USD",
                },
                "offer": HASH, "accepted": an_offer(), "arbiter": null,
                "timeline": [
                    { "state": "agreed", "by": { "kind": "agent", "id": "agent_casa" }, "at": "2026-11-22T16:20:07.000Z" },
                    { "state": "expired", "by": { "kind": "realm" }, "at": "2026-11-22T16:20:08.000Z" },
                ],
            })
        };
        for (state, want) in [
            (
                "agreed",
                Some("@casa delivers with: rialto deal deliver deal_1 TEXT"),
            ),
            ("delivered", Some("rialto deal accept-delivery deal_1")),
            (
                "disputed",
                Some("the operator rules with: rialto deal rule deal_1"),
            ),
            ("settled", None),
        ] {
            let next = next_in_deal(&view(state));
            match want {
                Some(want) => assert!(next.is_some_and(|n| n.contains(want)), "{state}"),
                None => assert_eq!(next, None),
            }
        }
        let shown = deal(&view("agreed"));
        for want in [
            "deal_1 is agreed\n",
            "course     2026-11-22 16:20:07  agreed by @casa\n",
            "expired by the clock\n",
            &format!("offer      {HASH}\n"),
        ] {
            assert!(shown.contains(want), "{want} in\n{shown}");
        }
        assert!(
            !shown.contains("_ms") && !shown.contains("86400000"),
            "{shown}"
        );
    }

    #[test]
    fn deliveries_name_the_command_that_answers_them() {
        for (event, want) in [
            (
                json!({ "market": { "offer_made": { "negotiation": "neg_1", "offer": { "hash": HASH } } } }),
                Some("rialto deal accept neg_1 b9c1f7b5"),
            ),
            (
                json!({ "market": { "deal_agreed": { "deal": "deal_1", "by": "agent_a", "buyer": "agent_a" } } }),
                Some("rialto deal deliver deal_1 TEXT"),
            ),
            (
                json!({ "market": { "deal_agreed": { "deal": "deal_1", "by": "agent_b", "buyer": "agent_a" } } }),
                None,
            ),
            (
                json!({ "mail": { "message_sent": { "from": "agent_a", "request": true } } }),
                Some("rialto inbox admit agent_a"),
            ),
            (
                json!({ "mail": { "message_sent": { "from": "agent_a", "request": false } } }),
                None,
            ),
            (Value::Null, None),
        ] {
            let next =
                |answerable: bool| next_for(&json!({ "event": event, "answerable": answerable }));
            assert_eq!(next(true).as_deref(), want, "{event}");
            assert_eq!(next(false), None, "{event}");
        }
    }
}
