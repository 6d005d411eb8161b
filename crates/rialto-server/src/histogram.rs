//! How long things take: counts in fixed buckets, as Prometheus reads them. Holds no names of users, and its
//! size does not grow with what it counts.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// The upper bounds of the buckets, in microseconds, and as they are told, in seconds.
const BOUNDS: [(u64, &str); 16] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
    (30_000_000, "30"),
];

/// Times in buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    /// Of each bucket alone; the last has no bound.
    counts: [AtomicU64; BOUNDS.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    /// Counts something that took this long.
    pub(crate) fn count(&self, took: Duration) {
        self.count_many(took, 1);
    }

    /// Counts several things that took this long each.
    pub(crate) fn count_many(&self, took: Duration, number: u64) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|(bound, _)| *bound < us);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(number, Ordering::Relaxed);
        }
        self.sum_us
            .fetch_add(us.saturating_mul(number), Ordering::Relaxed);
    }

    /// Writes it in the Prometheus text format. `labels` is empty or ends with a comma.
    pub(crate) fn write(&self, text: &mut String, name: &str, labels: &str) {
        let bounds = BOUNDS.iter().map(|(_, told)| *told).chain(["+Inf"]);
        let mut sum = 0_u64;
        // Writing to a String cannot fail.
        for (count, bound) in self.counts.iter().zip(bounds) {
            sum = sum.saturating_add(count.load(Ordering::Relaxed));
            let _ = writeln!(text, "{name}_bucket{{{labels}le=\"{bound}\"}} {sum}");
        }
        let own = match labels.trim_end_matches(',') {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        let us = self.sum_us.load(Ordering::Relaxed);
        let (seconds, rest) = (us / 1_000_000, us % 1_000_000);
        let _ = writeln!(
            text,
            "{name}_sum{own} {seconds}.{rest:06}\n{name}_count{own} {sum}"
        );
    }
}

/// The classes of an answer's status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Times by route and class of status. There are as many routes as the router has.
#[derive(Debug, Default)]
pub(crate) struct ByRoute(RwLock<HashMap<String, Arc<Classes>>>);

type Classes = [OnceLock<Box<Histogram>>; CLASSES.len()];

impl ByRoute {
    /// Counts an answer. `route` is a template, never a path that somebody sent.
    pub(crate) fn count(&self, route: &str, status: u16, took: Duration) {
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some(histogram) = self.classes(route).get(class) {
            histogram.get_or_init(Box::default).count(took);
        }
    }

    fn classes(&self, route: &str) -> Arc<Classes> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(classes) = known.get(route) {
            return classes.clone();
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().clone()
    }

    /// Writes them in the order of the routes.
    pub(crate) fn write(&self, text: &mut String, name: &str) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut routes: Vec<_> = known.iter().collect();
        routes.sort_unstable_by_key(|(route, _)| *route);
        for (route, classes) in routes {
            for (histogram, class) in classes.iter().zip(CLASSES) {
                if let Some(histogram) = histogram.get() {
                    let labels = format!("route=\"{route}\",status=\"{class}\",");
                    histogram.write(text, name, &labels);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_end_with_all() {
        let histogram = Histogram::default();
        for us in [0, 100, 101, 2_000_000, 60_000_000] {
            histogram.count(Duration::from_micros(us));
        }
        histogram.count_many(Duration::from_millis(3), 7);
        let mut text = String::new();
        histogram.write(&mut text, "it", "a=\"b\",");
        for line in [
            "it_bucket{a=\"b\",le=\"0.0001\"} 2",
            "it_bucket{a=\"b\",le=\"0.00025\"} 3",
            "it_bucket{a=\"b\",le=\"0.0025\"} 3",
            "it_bucket{a=\"b\",le=\"0.005\"} 10",
            "it_bucket{a=\"b\",le=\"2.5\"} 11",
            "it_bucket{a=\"b\",le=\"30\"} 11",
            "it_bucket{a=\"b\",le=\"+Inf\"} 12",
            "it_sum{a=\"b\"} 62.021201",
            "it_count{a=\"b\"} 12",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn what_is_told_is_what_is_counted() {
        for (us, told) in BOUNDS {
            let micros: f64 = told.parse::<f64>().unwrap() * 1e6;
            assert!((micros - us as f64).abs() < 1e-6, "{told}");
        }
        assert!(BOUNDS.is_sorted());
    }
}
