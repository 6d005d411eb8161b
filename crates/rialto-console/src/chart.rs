//! Pictures drawn on the server as SVG: bars over time, shares, and who deals with whom.
//!
//! Colours come from classes, so that themes apply and no style is inline. Each picture has a title
//! for people who cannot see it, and its data is also in a table or list of its page.

use maud::{Markup, html};

use crate::kit::path_part;

/// A bar: its height's figure and what it says when pointed at.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// How much.
    pub figure: f64,
    /// What it says.
    pub label: String,
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 44.0;

/// Bars over time, oldest at the left. The highest fills the height.
#[must_use]
pub fn bars(title: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.figure).fold(0.0, f64::max);
    let step = WIDTH / count(bars.len()).max(1.0);
    html! {
        svg.bars viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
            aria-label=(title) {
            line.base x1="0" x2=(WIDTH) y1=(HEIGHT - 0.5) y2=(HEIGHT - 0.5) {}
            @for (place, bar) in bars.iter().enumerate() {
                @let height = if most > 0.0 { (bar.figure / most * (HEIGHT - 4.0)).max(1.5) } else { 0.0 };
                @if bar.figure > 0.0 {
                    rect x=(tenth(count(place) * step)) y=(tenth(HEIGHT - height))
                        width=(tenth((step - 1.5).max(0.8))) height=(tenth(height)) {
                        title { (bar.label) }
                    }
                }
            }
        }
    }
}

/// A part of a whole as a bar; the figure is beside it.
#[must_use]
pub fn share(part: f64) -> Markup {
    let drawn = if part > 0.0 { part.min(1.0) } else { 0.0 };
    html! {
        svg.share viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.whole width="100" height="8" {}
            rect width=(tenth(drawn * 100.0)) height="8" {}
        }
    }
}

/// An agent in the picture of who deals with whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its handle, with the at sign.
    pub handle: String,
    /// How many acts it had a part in.
    pub acts: u32,
    /// Whether it was paid.
    pub earns: bool,
    /// Whether it paid.
    pub spends: bool,
}

/// How two agents are bound, the strongest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// They talked.
    Talk,
    /// They made offers.
    Offer,
    /// They struck a deal.
    Deal,
    /// One paid the other.
    Paid,
}

impl Bond {
    fn class(self) -> &'static str {
        match self {
            Self::Talk => "talk",
            Self::Offer => "offer",
            Self::Deal => "deal",
            Self::Paid => "paid",
        }
    }
}

/// What went on between two agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The place of one among the nodes.
    pub from: usize,
    /// The place of the other.
    pub to: usize,
    /// How they are bound.
    pub bond: Bond,
    /// How often they acted.
    pub acts: u32,
    /// True when it was within the last half minute.
    pub fresh: bool,
    /// What it says when pointed at.
    pub label: String,
}

/// Who deals with whom: agents on a circle in the order given, bound by lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// The agents.
    pub nodes: Vec<Node>,
    /// What binds them.
    pub edges: Vec<Edge>,
    /// How many agents more took part and are not drawn.
    pub left_out: usize,
}

const RING_WIDTH: f64 = 740.0;
const RING_HEIGHT: f64 = 580.0;
const RADII: (f64, f64) = (225.0, 162.0);

fn spot(place: usize, of: usize, stretch: f64) -> (f64, f64, f64) {
    let turn = count(place) / count(of).max(1.0) * std::f64::consts::TAU - std::f64::consts::PI;
    let (x, y) = (turn.cos(), turn.sin());
    (
        RING_WIDTH / 2.0 + x * RADII.0 * stretch,
        RING_HEIGHT / 2.0 + y * RADII.1 * stretch,
        turn,
    )
}

/// The picture of a ring.
#[must_use]
pub fn ring(title: &str, ring: &Ring) -> Markup {
    let of = ring.nodes.len();
    let mut order: Vec<&Edge> = ring.edges.iter().collect();
    order.sort_by_key(|edge| edge.bond);
    html! {
        svg.ring viewBox={ "0 0 " (RING_WIDTH) " " (RING_HEIGHT) } role="group" aria-label=(title) {
            g.edges { @for edge in order { (line(edge, of)) } }
            g.nodes { @for (place, node) in ring.nodes.iter().enumerate() { (dot(node, place, of)) } }
        }
    }
}

/// A line bends towards the middle, so that lines between neighbours stay apart.
fn line(edge: &Edge, of: usize) -> Markup {
    let (x1, y1, _) = spot(edge.from, of, 1.0);
    let (x2, y2, _) = spot(edge.to, of, 1.0);
    let middle = |a: f64, b: f64, centre: f64| centre + ((a + b) / 2.0 - centre) * 0.35;
    let path = format!(
        "M{} {}Q{} {} {} {}",
        tenth(x1),
        tenth(y1),
        tenth(middle(x1, x2, RING_WIDTH / 2.0)),
        tenth(middle(y1, y2, RING_HEIGHT / 2.0)),
        tenth(x2),
        tenth(y2),
    );
    let width = 1.0 + f64::from(edge.acts.min(16)) / 8.0;
    html! {
        path class={ (edge.bond.class()) @if edge.fresh { " fresh" } } d=(path) stroke-width=(tenth(width)) {
            title { (edge.label) }
        }
    }
}

fn dot(node: &Node, place: usize, of: usize) -> Markup {
    let (x, y, _) = spot(place, of, 1.0);
    let (label_x, label_y, turn) = spot(place, of, 1.06);
    let left = turn.cos() < 0.0;
    let degrees = turn.to_degrees() + if left { 180.0 } else { 0.0 };
    let radius = 3.0 + f64::from(node.acts.min(36)).sqrt() * 0.8;
    let tone = match (node.earns, node.spends) {
        (true, false) => "earns",
        (false, true) => "spends",
        (true, true) => "both",
        (false, false) => "quiet",
    };
    html! {
        a href={ "/agents/" (path_part(&node.handle)) } aria-label=(node.handle) {
            circle class=(tone) cx=(tenth(x)) cy=(tenth(y)) r=(tenth(radius)) {}
            text x=(tenth(label_x)) y=(tenth(label_y)) dy="0.35em"
                text-anchor=(if left { "end" } else { "start" })
                transform={ "rotate(" (tenth(degrees)) " " (tenth(label_x)) " " (tenth(label_y)) ")" } {
                (short(&node.handle))
            }
        }
    }
}

/// Handles have up to 41 characters; a picture has room for fewer.
fn short(handle: &str) -> String {
    const MOST: usize = 18;
    if handle.chars().count() <= MOST {
        return handle.to_owned();
    }
    let begin: String = handle.chars().take(MOST - 1).collect();
    format!("{begin}…")
}

fn tenth(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "pictures have few parts")]
fn count(number: usize) -> f64 {
    number as f64
}
