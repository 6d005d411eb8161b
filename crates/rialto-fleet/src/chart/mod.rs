//! Line charts, drawn once as shapes and written as SVG or PNG.
//!
//! Holds scales, ticks and the two forms. It knows nothing about what it draws, and writes no file.

use std::fmt::Write as _;

mod raster;

use raster::{Raster, text_width};

pub use raster::PngError;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 86.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;
/// Okabe-Ito colours, which colour-blind readers can distinguish.
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00",
];

/// A named line.
#[derive(Clone, Debug)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points in order of x.
    pub points: Vec<(f64, f64)>,
}

/// A chart of lines over a common axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Title.
    pub title: String,
    /// What x is, with its unit.
    pub x_label: String,
    /// What y is, with its unit.
    pub y_label: String,
    /// Logarithmic x.
    pub log_x: bool,
    /// The lines.
    pub series: Vec<Series>,
}

enum Shape {
    Line {
        points: Vec<(f64, f64)>,
        width: f64,
        colour: &'static str,
    },
    Text {
        at: (f64, f64),
        anchor: Anchor,
        size: f64,
        text: String,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A linear or logarithmic scale from data to picture.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64, log: bool) -> Self {
        let usable = values.filter(|v| v.is_finite() && (!log || *v > 0.0));
        let (low, high) = usable.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if low > high { (0.1, 1.0) } else { (low, high) };
        let low = if log { low } else { low.min(0.0) };
        let high = if high > low { high } else { low + 1.0 };
        Self {
            low,
            high,
            from,
            to,
            log,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let t = if self.log {
            libm::log(value.max(self.low) / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + (self.to - self.from) * t.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.log {
            let first = libm::log10(self.low).floor() as i32;
            let last = libm::log10(self.high).ceil() as i32;
            let all = (first..=last)
                .flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * libm::pow(10.0, f64::from(e))));
            return all.filter(|t| (self.low..=self.high).contains(t)).collect();
        }
        let rough = (self.high - self.low) / 5.0;
        let power = libm::pow(10.0, libm::log10(rough).floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|s| *s >= rough)
            .unwrap_or(rough);
        let count = ((self.high - self.low) / step) as usize;
        (0..=count).map(|i| self.low + i as f64 * step).collect()
    }
}

fn tick_label(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        v if v >= 1e9 => format!("{:.4}G", value / 1e9).replace(".0000", ""),
        v if v >= 1e6 => format!("{:.1}M", value / 1e6).replace(".0M", "M"),
        v if v >= 1e4 => format!("{:.1}k", value / 1e3).replace(".0k", "k"),
        v if v >= 1.0 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        _ => format!("{value:.4}").trim_end_matches('0').to_owned(),
    }
}

impl Chart {
    fn shapes(&self) -> Vec<Shape> {
        let xs = self
            .series
            .iter()
            .flat_map(|s| s.points.iter().map(|p| p.0));
        let ys = self
            .series
            .iter()
            .flat_map(|s| s.points.iter().map(|p| p.1));
        let x = Scale::of(xs, LEFT, WIDTH - RIGHT, self.log_x);
        let y = Scale::of(ys, HEIGHT - BOTTOM, TOP, false);
        let mut shapes = Vec::new();
        let text = |at, anchor, size, text: String| Shape::Text {
            at,
            anchor,
            size,
            text,
        };
        for tick in y.ticks() {
            let at = y.at(tick);
            let points = vec![(LEFT, at), (WIDTH - RIGHT, at)];
            shapes.push(Shape::Line {
                points,
                width: 1.0,
                colour: "#dddddd",
            });
            shapes.push(text(
                (LEFT - 6.0, at + 4.0),
                Anchor::End,
                11.0,
                tick_label(tick),
            ));
        }
        let mut free_from = 0.0;
        for tick in x.ticks() {
            let at = x.at(tick);
            let points = vec![(at, HEIGHT - BOTTOM), (at, HEIGHT - BOTTOM + 4.0)];
            shapes.push(Shape::Line {
                points,
                width: 1.0,
                colour: "#444444",
            });
            if at >= free_from {
                let label = tick_label(tick);
                free_from = at + 46.0;
                shapes.push(text(
                    (at, HEIGHT - BOTTOM + 18.0),
                    Anchor::Middle,
                    11.0,
                    label,
                ));
            }
        }
        let axis = vec![
            (LEFT, TOP),
            (LEFT, HEIGHT - BOTTOM),
            (WIDTH - RIGHT, HEIGHT - BOTTOM),
        ];
        shapes.push(Shape::Line {
            points: axis,
            width: 1.0,
            colour: "#444444",
        });
        shapes.push(text((LEFT, 16.0), Anchor::Start, 14.0, self.title.clone()));
        shapes.push(text(
            (LEFT, 32.0),
            Anchor::Start,
            11.0,
            self.y_label.clone(),
        ));
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        shapes.push(text(
            (middle, HEIGHT - 10.0),
            Anchor::Middle,
            11.0,
            self.x_label.clone(),
        ));
        let mut legend = WIDTH - RIGHT;
        for (i, series) in self.series.iter().enumerate().rev() {
            let colour = COLOURS[i % COLOURS.len()];
            let points = series
                .points
                .iter()
                .map(|p| (x.at(p.0), y.at(p.1)))
                .collect();
            shapes.push(Shape::Line {
                points,
                width: 2.0,
                colour,
            });
            shapes.push(text((legend, 32.0), Anchor::End, 11.0, series.name.clone()));
            legend -= text_width(series.name.chars().count(), 7.5) + 6.0;
            let mark = vec![(legend - 16.0, 28.0), (legend, 28.0)];
            shapes.push(Shape::Line {
                points: mark,
                width: 3.0,
                colour,
            });
            legend -= 28.0;
        }
        shapes
    }

    /// The chart as an SVG document.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             role=\"img\" font-family=\"sans-serif\"><title>{}</title>\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>",
            escape(&self.title)
        );
        for shape in self.shapes() {
            match shape {
                Shape::Line {
                    points,
                    width,
                    colour,
                } => {
                    let points: Vec<String> = points
                        .iter()
                        .map(|p| format!("{:.1},{:.1}", p.0, p.1))
                        .collect();
                    let _ = write!(
                        svg,
                        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
                         points=\"{}\"/>",
                        points.join(" ")
                    );
                }
                Shape::Text {
                    at,
                    anchor,
                    size,
                    text,
                } => {
                    let anchor = match anchor {
                        Anchor::Start => "start",
                        Anchor::Middle => "middle",
                        Anchor::End => "end",
                    };
                    let _ = write!(
                        svg,
                        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{size}\" \
                         text-anchor=\"{anchor}\" fill=\"#222222\">{}</text>",
                        at.0,
                        at.1,
                        escape(&text)
                    );
                }
            }
        }
        svg.push_str("</svg>");
        svg
    }

    /// The chart as a PNG file.
    ///
    /// # Errors
    /// An error of the encoder; it has none for pictures of this size.
    pub fn png(&self) -> Result<Vec<u8>, PngError> {
        let mut raster = Raster::new(WIDTH as usize, HEIGHT as usize);
        for shape in self.shapes() {
            match shape {
                Shape::Line {
                    points,
                    width,
                    colour,
                } => {
                    for pair in points.windows(2) {
                        raster.line(pair[0], pair[1], width, colour);
                    }
                }
                Shape::Text {
                    at,
                    anchor,
                    size,
                    text,
                } => {
                    let capital = size * 0.68;
                    let width = text_width(text.chars().count(), capital);
                    let left = match anchor {
                        Anchor::Start => at.0,
                        Anchor::Middle => at.0 - width / 2.0,
                        Anchor::End => at.0 - width,
                    };
                    raster.text(left, at.1, capital, &text, "#222222");
                }
            }
        }
        raster.png()
    }
}

/// Text made safe for XML and HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_escapes_text_and_draws_every_series() {
        let line = |name: &str| Series {
            name: name.to_owned(),
            points: vec![(0.001, 0.0), (0.1, 0.5), (10.0, 1.0)],
        };
        let chart = Chart {
            title: "a < b".to_owned(),
            x_label: "s".to_owned(),
            y_label: "share".to_owned(),
            log_x: true,
            series: vec![line("one"), line("two & three")],
        };
        let svg = chart.svg();
        assert!(svg.contains("a &lt; b") && svg.contains("two &amp; three"));
        assert_eq!(svg.matches("stroke-width=\"2\"").count(), 2);
        assert!(chart.png().unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn empty_and_flat_data_still_draw() {
        for points in [vec![], vec![(0.0, 0.0), (1.0, 0.0)]] {
            let series = vec![Series {
                name: "x".to_owned(),
                points,
            }];
            let (title, x_label, y_label) = (String::new(), String::new(), String::new());
            let svg = Chart {
                title,
                x_label,
                y_label,
                log_x: false,
                series,
            }
            .svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }
    }
}
