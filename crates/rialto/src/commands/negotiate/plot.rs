//! A tournament as one SVG picture: standings as bars with their intervals, meetings as a grid.

use std::fmt::Write as _;

use rialto_lab::negotiate::tournament::Table;

const ROW: f64 = 30.0;
const LEFT: f64 = 110.0;
const BARS: f64 = 330.0;
const GRID_LEFT: f64 = LEFT + BARS + 150.0;
const CELL: f64 = 64.0;
const TOP: f64 = 84.0;

/// Draws a table.
pub(super) fn svg(table: &Table) -> String {
    let rows = table.standings.len() as f64;
    let (width, height) = (GRID_LEFT + rows * CELL + 20.0, TOP + rows * ROW + 50.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"12\"><title>Own utility by strategy, and strategies \
         against each other</title><rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
    );
    text(
        &mut svg,
        LEFT,
        22.0,
        "start",
        14,
        "Own utility, mean and 95 % interval over scenarios",
    );
    text(
        &mut svg,
        GRID_LEFT,
        22.0,
        "start",
        14,
        "Own utility, row against column",
    );
    let low = table
        .standings
        .iter()
        .map(|s| s.own.mean - s.own.error)
        .fold(0.0, f64::min);
    let high = table
        .standings
        .iter()
        .map(|s| s.own.mean + s.own.error)
        .fold(1.0, f64::max);
    let x = |value: f64| LEFT + BARS * (value - low) / (high - low);
    bars(&mut svg, table, &x);
    grid(&mut svg, table);
    let foot = format!(
        "{} scenarios, {} negotiations; 0 is a side's worst outcome, 1 its best",
        table.scenarios, table.negotiations
    );
    text(&mut svg, LEFT, height - 12.0, "start", 11, &foot);
    svg.push_str("</svg>\n");
    svg
}

fn bars(svg: &mut String, table: &Table, x: &dyn Fn(f64) -> f64) {
    let bottom = TOP + table.standings.len() as f64 * ROW;
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        let at = x(value);
        let _ = write!(
            svg,
            "<line x1=\"{at:.1}\" y1=\"{}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>",
            TOP - 6.0
        );
        text(svg, at, bottom + 16.0, "middle", 11, &format!("{value:.1}"));
    }
    for (i, s) in table.standings.iter().enumerate() {
        let y = TOP + i as f64 * ROW;
        let (from, to) = (x(0.0).min(x(s.own.mean)), x(0.0).max(x(s.own.mean)));
        let _ = write!(
            svg,
            "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#56b4e9\"/>\
             <line x1=\"{:.1}\" y1=\"{mid:.1}\" x2=\"{:.1}\" y2=\"{mid:.1}\" stroke=\"#222222\" \
             stroke-width=\"2\"/>",
            y + 5.0,
            to - from,
            ROW - 10.0,
            x(s.own.mean - s.own.error),
            x(s.own.mean + s.own.error),
            mid = y + ROW / 2.0,
        );
        text(svg, LEFT - 8.0, y + ROW / 2.0 + 4.0, "end", 12, &s.strategy);
        let label = format!("{:.3}", s.own.mean);
        text(
            svg,
            LEFT + BARS + 8.0,
            y + ROW / 2.0 + 4.0,
            "start",
            12,
            &label,
        );
    }
}

fn grid(svg: &mut String, table: &Table) {
    let names: Vec<&str> = table
        .standings
        .iter()
        .map(|s| s.strategy.as_str())
        .collect();
    for (i, row) in names.iter().enumerate() {
        let y = TOP + i as f64 * ROW;
        text(svg, GRID_LEFT - 8.0, y + ROW / 2.0 + 4.0, "end", 12, row);
        let at = GRID_LEFT + (i as f64 + 0.5) * CELL;
        // Neighbours' names stand on two lines, so that long ones do not run into each other.
        let lift = if i % 2 == 0 { 8.0 } else { 24.0 };
        text(svg, at, TOP - lift, "middle", 11, row);
        for (j, column) in names.iter().enumerate() {
            let found = |m: &&rialto_lab::negotiate::tournament::Meeting| {
                m.strategy == *row && m.against == *column
            };
            let Some(meeting) = table.meetings.iter().find(found) else {
                continue;
            };
            let own = meeting.own.mean;
            let shade = own.clamp(0.0, 1.0);
            // From white to a blue that dark text can still be read on.
            let channel = |full: f64| (255.0 - (255.0 - full) * shade) as u8;
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{CELL}\" height=\"{ROW}\" \
                 fill=\"rgb({},{},{})\" stroke=\"#ffffff\"/>",
                GRID_LEFT + j as f64 * CELL,
                channel(86.0),
                channel(180.0),
                channel(233.0)
            );
            let at = GRID_LEFT + (j as f64 + 0.5) * CELL;
            text(
                svg,
                at,
                y + ROW / 2.0 + 4.0,
                "middle",
                12,
                &format!("{own:.2}"),
            );
        }
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, size: u32, words: &str) {
    let words = words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = write!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
         fill=\"#222222\">{words}</text>"
    );
}
