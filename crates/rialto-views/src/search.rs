//! Search of listings: structured first, text second.
//!
//! Names are compared by their key only. Streams of listing ids (one per wanted name or word, each
//! in ascending order) are merged, each candidate is ranked, and the best of a page are kept in a
//! heap, so memory does not grow with the number of hits.
//!
//! Text relevance is the sum of the weights of the query's words that a listing has (in title,
//! description, items or tags): BM25's inverse document frequency with its term-frequency part left
//! out, so that saying a word ten times helps nobody. The weights are taken once, with the first
//! page, and travel in the cursor: a listing published between two pages moves no other.

use std::collections::BinaryHeap;

use rialto_core::amount::Decimal;
use rialto_core::id::{AgentId, ListingId};
use rialto_core::market::{Item, ListingTerms};
use rialto_core::text::Name;
use rialto_wire::names::name_key;
use rialto_wire::screen::{self, Screening};
use rialto_wire::search::{
    Found, Hit, HitPage, ListingQuery, ListingView, MAX_PAGE, MAX_TERMS, Match, Near, Sort,
};
use rusqlite::{CachedStatement, OptionalExtension, Params, Rows};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::db::{int, uint};
use crate::fold::market::{ATTRIBUTE, ITEM, TAG, rank_price};
use crate::fulltext::expressions;
use crate::read::{Page, Paging, Snap, ViewReader, cursor, facts, limit};
use crate::{Error, Result};

/// How many hits a page has unless the query says so.
const USUAL_PAGE: u32 = 20;

/// Place of a hit, best first: by price (known or not, price), or by relevance (missing items,
/// missing attributes, weight of words found, negated). The listing's age is the last key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    keys: [i128; 3],
    listing: i64,
}

/// A wanted name with its place in the table of names.
struct Wanted<'a> {
    name: &'a Name,
    term: Option<i64>,
    listings: i64,
}

/// A query made ready.
struct Plan<'a> {
    items: Vec<Wanted<'a>>,
    attributes: Vec<Wanted<'a>>,
    tags: Vec<Wanted<'a>>,
    words: Vec<String>,
    weights: Vec<i128>,
    all: bool,
    by_price: bool,
    most: Option<i128>,
    /// Whether the query has no conditions: then every listing is a hit, and the oldest is the
    /// best.
    everything: bool,
    after: Option<Rank>,
    limit: usize,
}

impl ViewReader {
    /// Searches the listings on the market. Text is words only: nothing in it is syntax. A query
    /// without conditions finds all listings, the oldest first. Listings of suspended agents or
    /// owners, and of sellers separated from the reader by a block, are left out: a page may then
    /// be short, but has a cursor. Prices are compared as numbers, whatever their asset.
    ///
    /// # Errors
    /// [`Error::BadQuery`] when too much is asked for, [`Error::BadLimit`],
    /// [`Error::BadCursor`], and as every read.
    pub fn search_listings(&self, query: &ListingQuery) -> Result<HitPage> {
        self.read(|snap| {
            let plan = snap.plan(query)?;
            let (ranks, mut more) = snap.best(&plan)?;
            let (mut hits, mut last) = (Vec::with_capacity(ranks.len()), None);
            for rank in &ranks {
                hits.extend(snap.hit(&plan, rank.listing)?);
                last = Some(rank);
                if snap.is_full() {
                    more = true;
                    break;
                }
            }
            Ok(HitPage {
                hits,
                next_cursor: last.filter(|_| more).map(|last| plan.cursor(last)),
                position: snap.position,
            })
        })
    }

    /// A listing that is on the market, or was withdrawn.
    ///
    /// # Errors
    /// As every read.
    pub fn listing(&self, id: ListingId) -> Result<Option<ListingView>> {
        self.read(|snap| snap.listing(int(id.0)))
    }

    /// Listings on the market, newest first; those of suspended agents or owners are left out.
    ///
    /// # Errors
    /// [`Error::BadCursor`], [`Error::BadLimit`], and as every read.
    pub fn newest_listings(&self, paging: &Paging) -> Result<Page<ListingView>> {
        let (limit, before) = (limit(paging)?, cursor(paging)?.unwrap_or(i64::MAX));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let sql = "SELECT l.id FROM listing l JOIN agent a ON a.id = l.agent
                       JOIN owner o ON o.id = a.owner WHERE l.id < ? AND l.withdrawn = 0
                       AND a.status = 'active' AND o.status = 'active' ORDER BY l.id DESC LIMIT ?";
            snap.listings(sql, (before, wide), limit)
        })
    }

    /// An agent's listings that are on the market, oldest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`], [`Error::BadLimit`], and as every read.
    pub fn listings_of(&self, agent: AgentId, paging: &Paging) -> Result<Page<ListingView>> {
        let (limit, after) = (limit(paging)?, cursor(paging)?.unwrap_or(-1));
        let wide = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        self.read(|snap| {
            let sql = "SELECT id FROM listing WHERE agent = ? AND id > ? AND withdrawn = 0
                       ORDER BY id LIMIT ?";
            snap.listings(sql, (int(agent.0), after, wide), limit)
        })
    }
}

impl Plan<'_> {
    /// `p` or `r`, the keys, the listing, and the weights of the words.
    fn cursor(&self, last: &Rank) -> String {
        let [a, b, c] = last.keys;
        let weights: Vec<String> = self.weights.iter().map(i128::to_string).collect();
        let way = if self.by_price { 'p' } else { 'r' };
        format!("{way}.{a}.{b}.{c}.{}.{}", last.listing, weights.join("_"))
    }

    fn resume(&mut self, cursor: &str) -> Option<()> {
        let mut parts = cursor.split('.');
        let way = if self.by_price { "p" } else { "r" };
        if parts.next()? != way {
            return None;
        }
        let mut keys = [0_i128; 3];
        for key in &mut keys {
            *key = parts.next()?.parse().ok()?;
        }
        let listing = parts.next()?.parse().ok()?;
        let weights = parts.next()?;
        let given: Vec<i128> = if weights.is_empty() {
            Vec::new()
        } else {
            weights
                .split('_')
                .map(|w| w.parse::<u32>().ok().map(i128::from))
                .collect::<Option<_>>()?
        };
        if parts.next().is_some() || given.len() != self.words.len() {
            return None;
        }
        self.weights = given;
        self.after = Some(Rank { keys, listing });
        Some(())
    }
}

/// A stream of listing ids in ascending order, each once.
struct Stream<'a> {
    rows: Rows<'a>,
    head: Option<i64>,
}

impl<'a> Stream<'a> {
    fn new(rows: Rows<'a>) -> Result<Self> {
        let mut stream = Self { rows, head: None };
        stream.step()?;
        Ok(stream)
    }

    fn step(&mut self) -> Result<()> {
        let last = self.head;
        while let Some(row) = self.rows.next()? {
            let id = Some(row.get(0)?);
            if id != last {
                self.head = id;
                return Ok(());
            }
        }
        self.head = None;
        Ok(())
    }

    /// Whether the stream has this id; ids before it are passed over.
    fn has(&mut self, id: i64) -> Result<bool> {
        while self.head.is_some_and(|head| head < id) {
            self.step()?;
        }
        Ok(self.head == Some(id))
    }
}

impl Snap<'_> {
    /// The page of listings whose ids a query finds, in its order. It asks for one more than the page holds.
    fn listings(&self, sql: &str, params: impl Params, limit: usize) -> Result<Page<ListingView>> {
        let mut query = self.db.prepare_cached(sql)?;
        let ids = query.query_map(params, |r| r.get(0))?;
        let mut found = Vec::new();
        for id in ids {
            let id = id?;
            found.extend(self.listing(id)?.map(|l| (id, l)));
            if self.is_full() {
                break;
            }
        }
        Ok(self.page(found, limit))
    }

    fn plan<'q>(&self, query: &'q ListingQuery) -> Result<Plan<'q>> {
        for (what, names) in [
            ("items", &query.items),
            ("attributes", &query.attributes),
            ("tags", &query.tags),
        ] {
            if names.len() > MAX_TERMS {
                return Err(Error::BadQuery(format!("at most {MAX_TERMS} {what}")));
            }
        }
        let words = expressions(query.text.as_deref().unwrap_or_default());
        let names = query.items.len() + query.attributes.len() + query.tags.len();
        let limit = query.limit.unwrap_or(USUAL_PAGE);
        if limit == 0 || limit > MAX_PAGE {
            return Err(Error::BadLimit { most: MAX_PAGE });
        }
        let all = query.matching == Match::All;
        let usual = if all && !query.items.is_empty() {
            Sort::Price
        } else {
            Sort::Relevance
        };
        let mut plan = Plan {
            items: self.wanted(ITEM, &query.items)?,
            attributes: self.wanted(ATTRIBUTE, &query.attributes)?,
            tags: self.wanted(TAG, &query.tags)?,
            weights: self.weights(&words)?,
            words,
            all,
            by_price: query.sort.unwrap_or(usual) == Sort::Price,
            most: query.max_price.map(rank_price),
            everything: names == 0 && query.text.is_none(),
            after: None,
            limit: usize::try_from(limit).unwrap_or(0),
        };
        match &query.cursor {
            Some(cursor) => plan.resume(cursor).map(|()| plan).ok_or(Error::BadCursor),
            None => Ok(plan),
        }
    }

    fn wanted<'q>(&self, kind: i64, names: &'q [Name]) -> Result<Vec<Wanted<'q>>> {
        let sql = "SELECT id, listings FROM term WHERE kind = ? AND key = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut wanted = Vec::with_capacity(names.len());
        for name in names {
            let key = name_key(name.as_str());
            let row = query
                .query_row((kind, key), |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            let (term, listings) = row.unzip();
            wanted.push(Wanted {
                name,
                term,
                listings: listings.unwrap_or(0),
            });
        }
        Ok(wanted)
    }

    /// The inverse document frequency of each word, in thousandths.
    fn weights(&self, words: &[String]) -> Result<Vec<i128>> {
        let sql = "SELECT listings FROM shelf";
        let all: i64 = self.db.prepare_cached(sql)?.query_row([], |r| r.get(0))?;
        let sql = "SELECT count(*) FROM listing_fts WHERE listing_fts MATCH ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut weights = Vec::with_capacity(words.len());
        for word in words {
            let having: i64 = query.query_row([word], |r| r.get(0))?;
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
            let weight = (1.0 + (all.max(having) as f64 + 0.5) / (having as f64 + 0.5)).ln();
            weights.push((weight * 1000.0) as i128);
        }
        Ok(weights)
    }

    /// The best listings after the cursor, and whether there are more.
    fn best(&self, plan: &Plan<'_>) -> Result<(Vec<Rank>, bool)> {
        let ranks = if plan.everything {
            self.oldest(plan)?
        } else {
            self.matching(plan)?
        };
        let mut ranks = ranks.into_sorted_vec();
        let more = ranks.len() > plan.limit;
        ranks.truncate(plan.limit);
        Ok((ranks, more))
    }

    /// The oldest listings after the cursor, one more than a page has.
    fn oldest(&self, plan: &Plan<'_>) -> Result<BinaryHeap<Rank>> {
        let sql = "SELECT id FROM listing WHERE id > ? ORDER BY id";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([plan.after.map_or(-1, |after| after.listing)])?;
        let mut heap = BinaryHeap::with_capacity(plan.limit + 2);
        while let Some(row) = rows.next()?.filter(|_| heap.len() <= plan.limit) {
            if let Some(rank) = self.rank(plan, row.get(0)?, 0)? {
                self.consider(&mut heap, plan, rank)?;
            }
        }
        Ok(heap)
    }

    /// The best listings of those that have something of what is asked for.
    fn matching(&self, plan: &Plan<'_>) -> Result<BinaryHeap<Rank>> {
        let mut drivers = Vec::new();
        let wanted: Vec<&Wanted<'_>> = plan
            .items
            .iter()
            .chain(&plan.attributes)
            .chain(&plan.tags)
            .collect();
        if plan.all && !wanted.is_empty() {
            // The rarest name has the fewest candidates. If one is in no listing, there are none.
            let rarest = wanted.iter().min_by_key(|w| w.listings);
            match rarest.and_then(|w| w.term) {
                Some(term) => drivers.push(term),
                None => return Ok(BinaryHeap::new()),
            }
        } else if !plan.items.is_empty() {
            drivers.extend(plan.items.iter().filter_map(|w| w.term));
        } else if plan.words.is_empty() {
            drivers.extend(wanted.iter().filter_map(|w| w.term));
        }
        let text_finds = !plan.all || wanted.is_empty();
        let sql = "SELECT listing FROM listing_term WHERE term = ? ORDER BY listing";
        let mut named = self.statements(sql, drivers.len())?;
        let sql = "SELECT rowid FROM listing_fts WHERE listing_fts MATCH ? ORDER BY rowid";
        let mut worded = self.statements(sql, plan.words.len())?;
        let rows = named
            .iter_mut()
            .zip(drivers)
            .map(|(s, term)| Stream::new(s.query([term])?));
        let mut named = rows.collect::<Result<Vec<_>>>()?;
        let rows = worded
            .iter_mut()
            .zip(&plan.words)
            .map(|(s, w)| Stream::new(s.query([w])?));
        let mut worded = rows.collect::<Result<Vec<_>>>()?;
        let mut heap: BinaryHeap<Rank> = BinaryHeap::with_capacity(plan.limit + 2);
        loop {
            let text_heads = worded.iter().filter(|_| text_finds);
            let heads = named.iter().chain(text_heads).filter_map(|s| s.head);
            let Some(id) = heads.min() else { break };
            let mut weight = 0;
            for (stream, word) in worded.iter_mut().zip(&plan.weights) {
                weight += if stream.has(id)? { *word } else { 0 };
            }
            if let Some(rank) = self.rank(plan, id, weight)? {
                self.consider(&mut heap, plan, rank)?;
            }
            for stream in named
                .iter_mut()
                .chain(&mut worded)
                .filter(|s| s.head == Some(id))
            {
                stream.step()?;
            }
        }
        Ok(heap)
    }

    fn statements(&self, sql: &str, count: usize) -> Result<Vec<CachedStatement<'_>>> {
        Ok((0..count)
            .map(|_| self.db.prepare_cached(sql))
            .collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a candidate if it is among the best so far and on the market.
    fn consider(&self, heap: &mut BinaryHeap<Rank>, plan: &Plan<'_>, rank: Rank) -> Result<()> {
        let full = heap.len() > plan.limit;
        let worse = full && heap.peek().is_some_and(|worst| rank >= *worst);
        if worse || plan.after.is_some_and(|after| rank <= after) {
            return Ok(());
        }
        let sql = "SELECT 1 FROM listing l JOIN agent a ON a.id = l.agent JOIN owner o ON o.id = a.owner
                   WHERE l.id = ? AND l.withdrawn = 0 AND a.status = 'active' AND o.status = 'active'";
        let mut query = self.db.prepare_cached(sql)?;
        if query.exists([rank.listing])? {
            heap.push(rank);
            if full {
                heap.pop();
            }
        }
        Ok(())
    }

    /// The rank of a candidate; nothing if the query leaves it out.
    fn rank(&self, plan: &Plan<'_>, listing: i64, weight: i128) -> Result<Option<Rank>> {
        let (mut missing_items, mut price) = (0_i128, 0_i128);
        for wanted in &plan.items {
            match self.price(wanted, listing)? {
                Some(one) => price = price.saturating_add(one),
                None if plan.all => return Ok(None),
                None => missing_items += 1,
            }
        }
        let missing_attributes = self.lacking(&plan.attributes, listing)?;
        if (plan.all && missing_attributes > 0) || self.lacking(&plan.tags, listing)? > 0 {
            return Ok(None);
        }
        let complete = missing_items == 0 && !plan.items.is_empty();
        if complete && plan.most.is_some_and(|most| price > most) {
            return Ok(None);
        }
        let keys = match (plan.by_price, complete) {
            (true, true) => [0, price, 0],
            (true, false) => [1, 0, 0],
            (false, _) => [missing_items, missing_attributes, -weight],
        };
        Ok(Some(Rank { keys, listing }))
    }

    fn lacking(&self, wanted: &[Wanted<'_>], listing: i64) -> Result<i128> {
        let sql = "SELECT 1 FROM listing_term WHERE term = ? AND listing = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut lacking = 0;
        for one in wanted {
            let has = match one.term {
                Some(term) => query.exists((term, listing))?,
                None => false,
            };
            lacking += i128::from(!has);
        }
        Ok(lacking)
    }

    /// The price of a wanted item in a listing. Of two with the same key it is the one written
    /// exactly as wanted, else the more expensive one: a decoy never improves a rank.
    fn price(&self, wanted: &Wanted<'_>, listing: i64) -> Result<Option<i128>> {
        let Some(term) = wanted.term else {
            return Ok(None);
        };
        let sql = "SELECT name, price FROM listing_term WHERE term = ? AND listing = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query((term, listing))?;
        let (mut exact, mut dearest) = (None, None);
        while let Some(row) = rows.next()? {
            let price = i128::from_be_bytes(row.get(1)?);
            if row
                .get_ref(0)?
                .as_str()
                .is_ok_and(|name| name == wanted.name.as_str())
            {
                exact = exact.max(Some(price));
            }
            dearest = dearest.max(Some(price));
        }
        Ok(exact.or(dearest))
    }

    /// A listing as the market shows it.
    pub(crate) fn listing(&self, id: i64) -> Result<Option<ListingView>> {
        let sql = "SELECT agent, description, terms, asset, screen FROM listing WHERE id = ?";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut terms = facts(&row.get::<_, String>(2)?);
        let names: u32 = row.get(4)?;
        if Screening::of_bits(names).is_some_and(|s| s.quarantined) {
            self.withhold(&mut terms);
        }
        let terms: ListingTerms<()> =
            serde_json::from_value(terms).map_err(|_| Error::Damaged("the terms of a listing"))?;
        let seller = self.who(row.get(0)?)?;
        let written = self.written(row.get(1)?)?;
        let described = written.as_ref().and_then(|w| w.screening.as_ref());
        let described = described.map_or(0, |s| screen::to_bits(&s.labels));
        let screening = Screening::of_bits(described | names);
        let labels = written.as_ref().map(|w| w.labels.names()).into_iter();
        let labels = labels.flatten().map(str::to_owned).collect();
        let described = written.and_then(|w| w.body);
        Ok(Some(ListingView {
            id: ListingId(uint(id)),
            agent: seller.id,
            seller: seller.handle,
            seller_resembles: seller.resembles,
            title: terms.title,
            description: described.map(|body| body.plain_text()),
            labels,
            screening,
            items: terms.items,
            attributes: terms.attributes,
            tags: terms.tags,
            asset: row.get(3)?,
            funded_offers_only: terms.funded_offers_only == Some(true),
        }))
    }

    fn hit(&self, plan: &Plan<'_>, listing: i64) -> Result<Option<Hit>> {
        let Some(view) = self.listing(listing)? else {
            return Ok(None);
        };
        if self.apart(int(view.agent.0))? {
            return Ok(None);
        }
        let (mut bundle, mut missing_items, mut near_items) = (Vec::new(), Vec::new(), Vec::new());
        for wanted in &plan.items {
            if let Some(item) = choose(&view.items, wanted.name) {
                let (wanted, item, price) = (wanted.name.clone(), item.name.clone(), item.price);
                bundle.push(Found {
                    wanted,
                    item,
                    price,
                });
                continue;
            }
            missing_items.push(wanted.name.clone());
            if let Some(item) = (!plan.all)
                .then(|| nearest(&view.items, wanted.name))
                .flatten()
            {
                near_items.push(Near {
                    wanted: wanted.name.clone(),
                    item: item.name.clone(),
                });
            }
        }
        let mut missing_attributes = Vec::new();
        for wanted in &plan.attributes {
            if self.lacking(std::slice::from_ref(wanted), listing)? > 0 {
                missing_attributes.push(wanted.name.clone());
            }
        }
        let complete = missing_items.is_empty() && !bundle.is_empty();
        let bundle_price = if complete {
            total(bundle.iter().map(|found| found.price))
        } else {
            None
        };
        Ok(Some(Hit {
            listing: view,
            bundle,
            bundle_price,
            missing_items,
            missing_attributes,
            near_items,
        }))
    }
}

/// The item that matches a wanted name, by the same rule as [`Snap::price`].
fn choose<'a>(items: &'a [Item], wanted: &Name) -> Option<&'a Item> {
    let key = name_key(wanted.as_str());
    let same = || {
        items
            .iter()
            .filter(|item| name_key(item.name.as_str()) == key)
    };
    let dearest = |item: &&Item| rank_price(item.price);
    let exact = same()
        .filter(|item| item.name == *wanted)
        .max_by_key(dearest);
    exact.or_else(|| same().max_by_key(dearest))
}

/// The sum of prices, unless it is beyond any amount.
fn total(prices: impl Iterator<Item = Decimal> + Clone) -> Option<Decimal> {
    let scale = prices.clone().map(|p| p.scale).max()?;
    let units = prices.map(|p| {
        let factor = 10_i128.checked_pow(u32::from(scale - p.scale))?;
        p.units.checked_mul(factor)
    });
    let units = units
        .into_iter()
        .try_fold(0_i128, |sum, one| sum.checked_add(one?))?;
    Some(Decimal { units, scale })
}

/// The item whose name has most of the wanted words, if it has at least half of them.
fn nearest<'a>(items: &'a [Item], wanted: &Name) -> Option<&'a Item> {
    let words = folded_words(wanted.as_str());
    let mut best: Option<(usize, &Item)> = None;
    for item in items {
        let have = folded_words(item.name.as_str());
        let count = words
            .iter()
            .filter(|word| have.iter().any(|h| resembles(h, word)))
            .count();
        if count * 2 >= words.len() && count > best.map_or(0, |(most, _)| most) {
            best = Some((count, item));
        }
    }
    best.map(|(_, item)| item)
}

/// The words of a name in lower case without diacritics.
fn folded_words(name: &str) -> Vec<String> {
    let plain: String = name.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let words = plain.to_lowercase();
    let words = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    words.map(str::to_owned).collect()
}

/// True when a word begins with the wanted one without its plural ending, or is it, if it is short.
fn resembles(have: &str, wanted: &str) -> bool {
    let stem = wanted
        .strip_suffix("es")
        .or_else(|| wanted.strip_suffix('s'))
        .unwrap_or(wanted);
    if stem.chars().count() >= 4 {
        have.starts_with(stem)
    } else {
        have == wanted
    }
}
