//! The small parts that pages are made of: names, money, times, states, lists of facts, tables.

use maud::{Markup, Render, html};
use rialto_core::id::AnyId;
use rialto_core::noun;
use rialto_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};

/// An agent, linked to its page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Its handle, with the at sign.
    pub handle: String,
    /// An older handle, known by its deals, that this one could be taken for.
    pub resembles: Option<String>,
}

impl Who {
    /// An agent by handle; anything that is not a handle is shown without a link.
    #[must_use]
    pub fn new(handle: impl Into<String>) -> Self {
        Self {
            handle: handle.into(),
            resembles: None,
        }
    }

    /// The same with the handle that it could be taken for, if there is one.
    #[must_use]
    pub fn resembling(mut self, other: Option<&str>) -> Self {
        self.resembles = other.map(str::to_owned);
        self
    }

    /// What says that the handle could be taken for another, if it could.
    #[must_use]
    pub fn mark(&self) -> Markup {
        html! {
            @if let Some(other) = &self.resembles {
                " " span.state.busy title={ "The handle is read like " (other) ", which is older and known by its deals." } {
                    "not " (other)
                }
            }
        }
    }
}

impl Render for Who {
    fn render(&self) -> Markup {
        html! {
            @if self.handle.starts_with('@') {
                a.who href={ "/agents/" (path_part(&self.handle)) } { (self.handle) }
                (self.mark())
            } @else if let Ok(id) = self.handle.parse::<AnyIdText>() {
                (Thing(id.0))
            } @else {
                span.who { (self.handle) }
            }
        }
    }
}

/// Parses any id.
struct AnyIdText(AnyId);

impl std::str::FromStr for AnyIdText {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse::<AnyId>().map(Self).map_err(|_| ())
    }
}

/// Money, in whole units of an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// How much.
    pub amount: String,
    /// Of what.
    pub asset: String,
}

impl Money {
    /// An amount of an asset.
    #[must_use]
    pub fn new(amount: impl Into<String>, asset: impl Into<String>) -> Self {
        Self {
            amount: amount.into(),
            asset: asset.into(),
        }
    }
}

impl Render for Money {
    fn render(&self) -> Markup {
        html! {
            span.money {
                span.amount.nought[is_nought(&self.amount)] { (trimmed(&self.amount)) }
                " " span.asset { (self.asset) }
            }
        }
    }
}

fn is_nought(amount: &str) -> bool {
    amount.bytes().all(|b| matches!(b, b'0' | b'.' | b'-'))
}

/// At least two digits behind the point, and no zeros beyond them.
fn trimmed(amount: &str) -> &str {
    let Some((whole, behind)) = amount.split_once('.') else {
        return amount;
    };
    let kept = behind.trim_end_matches('0').len().max(2).min(behind.len());
    amount.get(..whole.len() + 1 + kept).unwrap_or(amount)
}

/// A bare amount in a column whose heading, or the column beside it, names the asset.
#[must_use]
pub fn amount(text: &str) -> Markup {
    html! { span.amount.nought[is_nought(text)] { (trimmed(text)) } }
}

/// A moment: UTC, with how long ago. The script adds the viewer's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The moment.
    pub at: Time,
    /// When the page was made.
    pub now: Time,
}

impl Render for When {
    fn render(&self) -> Markup {
        let (iso, apart) = (self.at.to_string(), ago(self.at, self.now));
        let clock = if self.at.0 / DAY_MS == self.now.0 / DAY_MS {
            iso.get(11..19).unwrap_or_default().to_owned()
        } else {
            let day = iso.get(..10).unwrap_or_default();
            format!("{day} {}", iso.get(11..16).unwrap_or_default())
        };
        html! {
            time datetime=(iso) title={ (iso) " (UTC)" } {
                span.clock { (clock) } " " span.ago { (apart) }
            }
        }
    }
}

/// How long before or after now, in one unit.
#[must_use]
pub fn ago(at: Time, now: Time) -> String {
    let ahead = at > now;
    let ms = if ahead { at.since(now) } else { now.since(at) };
    let text = span_text(ms);
    match (ms < SECOND_MS, ahead) {
        (true, _) => "now".to_owned(),
        (false, true) => format!("in {text}"),
        (false, false) => format!("{text} ago"),
    }
}

/// A length of time in one unit.
#[must_use]
pub fn span_text(ms: u64) -> String {
    let units = [
        (DAY_MS, "d"),
        (HOUR_MS, "h"),
        (MINUTE_MS, "min"),
        (SECOND_MS, "s"),
    ];
    let found = units.iter().find(|(unit, _)| ms >= *unit);
    found.map_or_else(
        || format!("{ms} ms"),
        |(unit, name)| format!("{} {name}", ms / unit),
    )
}

/// A length of time in words, in its two largest units: `1 day`, `1 minute 30 seconds`.
#[must_use]
pub fn lasting(ms: u64) -> String {
    let units = [
        (DAY_MS, "day"),
        (HOUR_MS, "hour"),
        (MINUTE_MS, "minute"),
        (SECOND_MS, "second"),
        (1, "millisecond"),
    ];
    let mut left = ms;
    let mut words = Vec::new();
    for (unit, name) in units {
        if left >= unit {
            let count = left / unit;
            words.push(format!(
                "{count} {name}{}",
                if count == 1 { "" } else { "s" }
            ));
            left %= unit;
        }
    }
    words.truncate(2);
    if words.is_empty() {
        return "no time".to_owned();
    }
    words.join(" ")
}

/// An id, linked to the page of its thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing(pub AnyId);

impl Render for Thing {
    fn render(&self) -> Markup {
        let text = self.0.to_string();
        html! {
            @match path_of(self.0) {
                Some(path) => a.id href=(path) { (text) },
                None => span.id { (text) },
            }
        }
    }
}

/// An id, linked only where the viewer may see its thing.
#[must_use]
pub fn thing_if(visible: bool, id: AnyId) -> Markup {
    if visible {
        Thing(id).render()
    } else {
        html! { span.id { (id) } }
    }
}

/// The address of a thing's page. Things without a page of their own have none.
#[must_use]
pub fn path_of(id: AnyId) -> Option<String> {
    let folder = match id {
        AnyId::AgentId(_) => "/agents",
        AnyId::OwnerId(_) => "/owners",
        AnyId::AccountId(_) => "/ledger/accounts",
        AnyId::TransferId(_) => "/ledger/entries",
        AnyId::HoldId(_) => "/ledger/holds",
        AnyId::ConversationId(_) => "/messages",
        AnyId::MessageId(_) => "/trace",
        AnyId::TaskId(_) => "/tasks",
        AnyId::ListingId(_) => "/market/listings",
        AnyId::CallId(_) => "/market/calls",
        AnyId::NegotiationId(_) => "/negotiations",
        AnyId::DealId(_) => "/deals",
        AnyId::ApprovalId(_) => "/approvals",
        AnyId::TeamId(_) => "/teams",
        AnyId::PostId(_) => "/square/posts",
        AnyId::CommunityId(_) => "/square/communities",
        AnyId::MeasureId(_) => "/square/measures",
        // The page of a plain noun follows from its name.
        other => {
            let noun = noun::with_prefix(other.prefix())?;
            return Some(format!("/{}/{id}", noun.plural));
        }
    };
    Some(format!("{folder}/{id}"))
}

/// A place in the log, linked to its event.
#[must_use]
pub fn position(at: u64) -> Markup {
    html! { a.position href={ "/log/" (at) } { "#" (grouped(at)) } }
}

/// The position that a page was made at. The event there may be another owner's, so it links to
/// those that the viewer may see.
#[must_use]
pub fn reached(at: u64) -> Markup {
    html! { a.position href="/log" { "#" (grouped(at)) } }
}

/// A number with thin groups of three digits.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A state as a small label. Known words have a tone.
#[must_use]
pub fn state(word: &str) -> Markup {
    let tone = match word {
        "settled" | "completed" | "active" | "agreed" | "awarded" | "approved" | "posted"
        | "admitted" | "granted" | "offered" | "joined" | "done" => "good",
        "disputed" | "failed" | "suspended" | "expired" | "denied" | "refunded" | "voided"
        | "refused" | "canceled" | "rejected" | "lost" | "hidden" | "misleading" | "spam"
        | "unsafe" | "dead" => "bad",
        "delivered" | "working" | "open" | "submitted" | "revealed" | "split" | "waits"
        | "input_required" | "auth_required" | "requested" | "invited" | "off_topic"
        | "appealed" => "busy",
        _ => "plain",
    };
    html! { span class={ "state " (tone) } { (word.replace('_', " ")) } }
}

/// Whether the sum over all accounts is zero.
#[must_use]
pub fn balanced(even: bool) -> Markup {
    html! {
        @if even { span.state.good { "in balance" } } @else { span.state.bad { "out of balance" } }
    }
}

/// A text with a capital letter.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// A number of things: `1 offer`, `2 offers`.
#[must_use]
pub fn some(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        more => format!("{more} {thing}s"),
    }
}

/// What a figure rests on.
#[must_use]
pub fn basis(word: &str) -> Markup {
    let tone = match word {
        "measured" => "good",
        "modelled" => "busy",
        _ => "plain",
    };
    html! { span class={ "basis " (tone) } title=(basis_meaning(word)) { (word) } }
}

fn basis_meaning(word: &str) -> &'static str {
    match word {
        "measured" => "It happened in this realm and is in its log.",
        "modelled" => "It was computed by a model.",
        _ => "It stands in for a part that does not exist yet.",
    }
}

/// What a list without rows says: why, and what to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Empty {
    /// Why there is nothing.
    pub why: String,
    /// A command that changes it, if one does.
    pub command: Option<&'static str>,
}

impl Empty {
    /// Nothing to see, and the command that helps.
    #[must_use]
    pub fn new(why: impl Into<String>, command: &'static str) -> Self {
        Self {
            why: why.into(),
            command: Some(command),
        }
    }
}

impl Render for Empty {
    fn render(&self) -> Markup {
        html! {
            div.empty {
                p { (self.why) }
                @if let Some(command) = self.command {
                    p { code { "$ " (command) } }
                }
            }
        }
    }
}

/// A list of labelled facts.
#[must_use]
pub fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (label, value) in rows {
                div { dt { (label) } dd {
                    @if value.0.is_empty() { span.quiet { "–" } } @else { (value) }
                } }
            }
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub name: &'static str,
    /// True for numbers, which are aligned right.
    pub number: bool,
}

/// A column of words.
#[must_use]
pub const fn words(name: &'static str) -> Column {
    Column {
        name,
        number: false,
    }
}

/// A column of numbers.
#[must_use]
pub const fn numbers(name: &'static str) -> Column {
    Column { name, number: true }
}

/// A table. On narrow screens it scrolls within its own frame.
#[must_use]
pub fn table(caption: &str, columns: &[Column], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption.unseen { (caption) }
                thead { tr { @for column in columns {
                    th scope="col" .num[column.number] { (column.name) }
                } } }
                tbody { @for row in rows { tr {
                    @for (cell, column) in row.iter().zip(columns) {
                        td .num[column.number] { (cell) }
                    }
                } } }
            }
        }
    }
}

/// A table, or what to do when it has no rows.
#[must_use]
pub fn table_or(caption: &str, columns: &[Column], rows: &[Vec<Markup>], empty: &Empty) -> Markup {
    if rows.is_empty() {
        empty.render()
    } else {
        table(caption, columns, rows)
    }
}

/// A heading with its section.
#[must_use]
pub fn section(title: &str, aside: &Markup, body: &Markup) -> Markup {
    html! {
        section.block {
            header { h2 { (title) } div.aside { (aside) } }
            (body)
        }
    }
}

/// Where the next page of a list begins.
#[must_use]
pub fn next_page(href: Option<&str>) -> Markup {
    html! {
        @if let Some(href) = href {
            nav.pager aria-label="Further rows" { a rel="next" href=(href) { "Further rows" } }
        }
    }
}

/// A part of an address, with all but plain characters encoded.
#[must_use]
pub fn path_part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_two_digits() {
        for (text, want) in [
            ("3", "3"),
            ("3.50", "3.50"),
            ("3.500000000", "3.50"),
            ("0.002400000", "0.0024"),
            ("-12.000000000", "-12.00"),
        ] {
            assert_eq!(trimmed(text), want);
        }
    }

    #[test]
    fn times_are_told_in_one_unit() {
        let now = Time(10 * DAY_MS);
        for (at, want) in [
            (now.0, "now"),
            (now.0 - 999, "now"),
            (now.0 - 59_000, "59 s ago"),
            (now.0 - 3 * MINUTE_MS, "3 min ago"),
            (now.0 + 2 * HOUR_MS, "in 2 h"),
            (now.0 - 9 * DAY_MS, "9 d ago"),
        ] {
            assert_eq!(ago(Time(at), now), want);
        }
    }

    #[test]
    fn lengths_of_time_are_told_in_words() {
        for (ms, want) in [
            (0, "no time"),
            (DAY_MS, "1 day"),
            (7 * DAY_MS, "7 days"),
            (HOUR_MS, "1 hour"),
            (90 * SECOND_MS, "1 minute 30 seconds"),
            (DAY_MS + HOUR_MS + MINUTE_MS, "1 day 1 hour"),
            (500, "500 milliseconds"),
        ] {
            assert_eq!(lasting(ms), want);
        }
    }

    #[test]
    fn path_parts_cannot_leave_their_place() {
        assert_eq!(path_part("@a/../b?c#d\"e"), "@a%2F..%2Fb%3Fc%23d%22e");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
