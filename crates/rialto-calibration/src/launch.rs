//! Looks up how public benchmark runs were launched, for rows that do not say.
//!
//! For each model, chip, engine, precision and pair of lengths, the table says which engines ran at which
//! concurrencies, and whether multi-token prediction was on. A row finds its launch by those columns, its
//! engine's build and its day. It never looks at a measured time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::point::{Point, Replica, Serving, Speculative};
use rialto_fleet::traffic::parse_day;

/// The shipped table. Its head names source and form.
const TABLE: &str = include_str!("../launches.toml");

/// One launch: engines and settings, and the concurrencies it was run at.
#[derive(Debug, Clone, PartialEq)]
struct Launch {
    /// Days since 1970 on which the table's source held it: first and last.
    days: (i64, i64),
    build: String,
    input_tokens: f64,
    output_tokens: f64,
    /// Tokens drafted by multi-token prediction, 0 without.
    draft_tokens: u32,
    /// The most sequences that one decode engine takes, if stated.
    batch_limit: Option<f64>,
    /// Prefill engines, unless the decode engines prefill.
    prefill: Option<(f64, Replica)>,
    decode: (f64, Replica),
    concurrencies: Vec<f64>,
}

impl Launch {
    /// The settings of a run of this launch, apart from its load.
    fn settings(&self) -> (u32, Option<(f64, Replica)>, (f64, Replica)) {
        (self.draft_tokens, self.prefill, self.decode)
    }
}

/// Launches by model, chip, engine and precision in the catalogue's words.
static LAUNCHES: LazyLock<BTreeMap<String, Vec<Launch>>> =
    LazyLock::new(|| parse(TABLE).unwrap_or_default());

#[derive(Deserialize)]
struct Table {
    launch: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    model: String,
    chip: String,
    engine: String,
    precision: String,
    build: String,
    runs: Vec<String>,
}

/// The table, or none if any part of it is malformed; a test checks that the shipped one is not.
fn parse(text: &str) -> Option<BTreeMap<String, Vec<Launch>>> {
    let table: Table = toml::from_str(text).ok()?;
    let mut out: BTreeMap<String, Vec<Launch>> = BTreeMap::new();
    for e in table.launch {
        let group = format!("{} {} {} {}", e.model, e.chip, e.engine, e.precision);
        let known = out.entry(group).or_default();
        for run in &e.runs {
            known.push(launch(&e.build, run)?);
        }
    }
    Some(out)
}

/// One line: `2026-01-14 2026-02-07 1024/1024 mtp3 1x4e4d 5x8e8 batch32 at 10 15 25`.
fn launch(build: &str, line: &str) -> Option<Launch> {
    let (settings, concurrencies) = line.split_once(" at ")?;
    let mut words = settings.split_whitespace();
    let days = (parse_day(words.next()?)?, parse_day(words.next()?)?);
    let (input, output) = words.next()?.split_once('/')?;
    let mode = words.next()?;
    let draft_tokens = match mode {
        "plain" => 0,
        _ => mode.strip_prefix("mtp")?.parse().ok()?,
    };
    let (limits, plans): (Vec<&str>, Vec<&str>) = words.partition(|w| w.starts_with("batch"));
    let mut engines = plans.into_iter().map(engines).collect::<Option<Vec<_>>>()?;
    let decode = engines.pop()?;
    // The stated limit is that of a rank; data-parallel attention has one on every chip.
    let ranks = if decode.1.data { decode.1.chips } else { 1 };
    let limit = limits
        .first()
        .and_then(|w| w["batch".len()..].parse::<f64>().ok());
    let numbers = concurrencies.split_whitespace().map(str::parse);
    Some(Launch {
        days,
        build: build.to_owned(),
        input_tokens: input.parse().ok()?,
        output_tokens: output.parse().ok()?,
        draft_tokens,
        batch_limit: limit.map(|l| l * f64::from(ranks)),
        prefill: engines.pop(),
        decode,
        concurrencies: numbers.collect::<Result<_, _>>().ok()?,
    })
}

/// Engines as `5x8e4d`: five of eight chips, experts spread over four, attention data-parallel.
fn engines(word: &str) -> Option<(f64, Replica)> {
    let (workers, plan) = word.split_once('x')?;
    let (plan, data) = match plan.strip_suffix('d') {
        Some(rest) => (rest, true),
        None => (plan, false),
    };
    let (chips, expert) = plan.split_once('e').unwrap_or((plan, "1"));
    let replica = Replica {
        chips: chips.parse().ok()?,
        expert: expert.parse().ok()?,
        data,
    };
    Some((workers.parse().ok()?, replica))
}

/// A launch farther than this from a row, in days and penalties, is not the row's launch.
const FARTHEST: i64 = 100;
/// Another build of the engine counts as this many days, and so does another division of the chips.
const OTHER_BUILD: i64 = 30;
/// Another number of chips for experts or decode, which rows do not state precisely.
const OTHER_DIVISION: i64 = 20;
/// A concurrency stated for each decode engine rather than for all of them.
const PER_ENGINE: i64 = 5;

/// How far a launch is from a row, if it can be the row's at all.
fn distance(p: &Point, l: &Launch) -> Option<i64> {
    if (p.input_tokens, p.output_tokens) != (l.input_tokens, l.output_tokens) {
        return None;
    }
    let total = l.concurrencies.contains(&p.concurrency);
    if !total && !l.concurrencies.contains(&(p.concurrency / l.decode.0)) {
        return None;
    }
    let mut far = if total { 0 } else { PER_ENGINE };
    if let Some(at) = parse_day(&p.day) {
        far += (l.days.0 - at).max(at - l.days.1).max(0);
    }
    let build = p.build.split(' ').next().unwrap_or("");
    if build != l.build {
        far += OTHER_BUILD;
    }
    match (p.serving, l.prefill) {
        (Serving::Together(r), None) => {
            // Old rows leave the division of the chips out.
            let like = r.data == l.decode.1.data || r.undivided();
            if r.chips != l.decode.1.chips || !like {
                return None;
            }
            far += if r == l.decode.1 { 0 } else { OTHER_DIVISION };
        }
        (
            Serving::Split {
                prefill,
                decode,
                decode_workers,
                total_chips: None,
                ..
            },
            Some(of),
        ) => {
            // Rows that name the number of engines name the rest well.
            let known = decode_workers.map(|w| (w, decode.data));
            if known.is_some_and(|k| k != (l.decode.0, l.decode.1.data)) {
                return None;
            }
            let same = prefill.chips == of.1.chips && decode.chips == l.decode.1.chips;
            far += if same { 0 } else { OTHER_DIVISION };
        }
        (
            Serving::Split {
                total_chips: Some(total),
                ..
            },
            Some(of),
        ) => {
            let chips = |(workers, r): (f64, Replica)| workers * f64::from(r.chips);
            let all = chips(of) + chips(l.decode);
            far += if total == 1 || all == f64::from(total) {
                0
            } else {
                OTHER_DIVISION
            };
        }
        _ => return None,
    }
    (far <= FARTHEST).then_some(far)
}

/// The nearest launches of a row: several if they are equally near. Rows that number their configurations
/// are from a collection without drafting, as every such row that matches a single launch shows.
fn nearest<'a>(p: &Point, launches: &'a [Launch]) -> Vec<&'a Launch> {
    let found: Vec<(i64, &Launch)> = launches
        .iter()
        .filter_map(|l| Some((distance(p, l)?, l)))
        .collect();
    let least = found.iter().map(|(far, _)| *far).min();
    let near = found.iter().filter(|(far, _)| Some(*far) == least);
    let mut near: Vec<&Launch> = near.map(|(_, l)| *l).collect();
    if p.configuration.is_some() && near.iter().any(|l| l.draft_tokens == 0) {
        near.retain(|l| l.draft_tokens == 0);
    }
    near
}

/// A launch is mostly run when it is new: of several, keeps those that appeared within days of the row, if
/// all others had been known for long.
fn newest(points: &[Point], found: &mut [Vec<&'static Launch>]) {
    const FRESH_DAYS: i64 = 7;
    for (p, launches) in points.iter().zip(found) {
        let Some(at) = parse_day(&p.day) else {
            continue;
        };
        let age = |l: &Launch| at - l.days.0;
        let fresh = |l: &Launch| age(l) <= FRESH_DAYS;
        let settled = launches.iter().all(|l| fresh(l) || age(l) > 2 * FRESH_DAYS);
        if settled && launches.iter().any(|l| fresh(l)) {
            launches.retain(|l| fresh(l));
        }
    }
}

/// Gives every row of a file the settings of its launch, if the table has it.
pub(super) fn complete(points: &mut [Point]) {
    let mut found: Vec<Vec<&'static Launch>> = points
        .iter()
        .map(|p| match LAUNCHES.get(&p.group()) {
            Some(launches) if p.client == "sweep" => nearest(p, launches),
            _ => Vec::new(),
        })
        .collect();
    by_configuration(points, &mut found);
    newest(points, &mut found);
    for (point, launches) in points.iter_mut().zip(&found) {
        take(point, launches);
    }
}

/// Rows of one configuration were launched alike: what one of them excludes is excluded for all.
fn by_configuration(points: &[Point], found: &mut [Vec<&'static Launch>]) {
    let mut rows_of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (i, p) in points.iter().enumerate() {
        if let Some(id) = p.configuration.filter(|_| !found[i].is_empty()) {
            rows_of.entry(id).or_default().push(i);
        }
    }
    for rows in rows_of.values() {
        for &i in rows {
            let agreed = |l: &Launch| {
                rows.iter()
                    .all(|&j| found[j].iter().any(|o| o.settings() == l.settings()))
            };
            let kept: Vec<_> = found[i].iter().copied().filter(|l| agreed(l)).collect();
            if !kept.is_empty() {
                found[i] = kept;
            }
        }
    }
}

/// The settings of a row's launch; of several, the engines of the one that was in use longest, and the
/// share of them that use drafting.
fn take(point: &mut Point, launches: &[&Launch]) {
    let Some(longest) = launches.iter().max_by_key(|l| l.days.1 - l.days.0) else {
        return;
    };
    let drafting: Vec<f64> = launches
        .iter()
        .filter(|l| l.draft_tokens > 0)
        .map(|l| f64::from(l.draft_tokens))
        .collect();
    let count = drafting.len() as f64;
    point.speculative = Some(Speculative {
        share: count / launches.len() as f64,
        draft_tokens: drafting.iter().sum::<f64>() / count.max(1.0),
    });
    point.batch_limit = longest.batch_limit;
    if matches!(point.serving, Serving::Together(r) if r.undivided()) {
        point.serving = Serving::Together(longest.decode.1);
    }
    if let Some((prefill_workers, prefill)) = longest.prefill {
        point.serving = Serving::Split {
            prefill,
            prefill_workers: Some(prefill_workers),
            decode: longest.decode.1,
            decode_workers: Some(longest.decode.0),
            total_chips: None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{LAUNCHES, TABLE, launch};
    use crate::{Point, Replica, Serving, Speculative, read_points};
    use rialto_fleet::catalogue::Catalogue;

    const HEAD: &str = "id,silicon_data_source,backend,backend_version,model_path,system,\
                        precision,mode,isl,osl,tp_size,prefill_tp_size,prefill_moe_ep_size,\
                        decode_tp_size,decode_moe_ep_size,silicon_ttft_ms,silicon_tpot_ms";

    /// Runs of DeepSeek with separate engines on B200, as their rows are written.
    fn read(rows: &[(&str, f64, f64)]) -> Vec<Point> {
        let row = |(number, at, tpot): &(&str, f64, f64)| {
            format!(
                "a,2026-03-25.csv; {number}silicon_concurrency={at}; measured=2026-01-29T0,\
                 trtllm,0.8.1.post1,deepseek-ai/DeepSeek-R1,b200_sxm,fp4,disagg,1024,1024,,\
                 4,4,8,4,100.0,{tpot}"
            )
        };
        let rows: Vec<String> = rows.iter().map(row).collect();
        let text = format!("{HEAD}\n{}\n", rows.join("\n"));
        let file = read_points(&Catalogue::shipped().unwrap(), "points.csv", &text).unwrap();
        assert!(file.skipped.is_empty(), "{:?}", file.skipped);
        file.points
    }

    fn shares(points: &[Point]) -> Vec<Option<f64>> {
        let share = |p: &Point| p.speculative.map(|s| s.share);
        points.iter().map(share).collect()
    }

    #[test]
    fn the_table_is_whole_and_names_what_the_catalogue_knows() {
        let lines = TABLE.lines().filter(|l| l.starts_with("  \"")).count();
        let read: usize = LAUNCHES.values().map(Vec::len).sum();
        assert_eq!(read, lines);
        assert!(lines > 1000, "{lines}");
        let catalogue = Catalogue::shipped().unwrap();
        for group in LAUNCHES.keys() {
            let words: Vec<&str> = group.split(' ').collect();
            assert_eq!(catalogue.model(words[0]).unwrap().name, words[0]);
            assert_eq!(catalogue.chip(words[1]).unwrap().name, words[1]);
            assert_eq!(catalogue.precision(words[3]).unwrap().name, words[3]);
        }
    }

    #[test]
    fn a_line_is_read_in_full() {
        let line = "2026-01-29 2026-03-20 1024/8192 mtp2 3x4e4d 2x16e8d batch64 at 512 1075";
        let found = launch("1.0", line).unwrap();
        let replica = |chips, expert| Replica {
            chips,
            expert,
            data: true,
        };
        assert_eq!(found.days.1 - found.days.0, 50);
        assert_eq!((found.input_tokens, found.output_tokens), (1024.0, 8192.0));
        assert_eq!(found.draft_tokens, 2);
        assert_eq!(found.batch_limit, Some(1024.0), "64 on each of 16 ranks");
        assert_eq!(found.prefill, Some((3.0, replica(4, 4))));
        assert_eq!(found.decode, (2.0, replica(16, 8)));
        assert_eq!(found.concurrencies, [512.0, 1075.0]);
        for bad in [
            "2026-01-29 1024/1024 plain 1x8 at 4",
            "2026-01-29 2026-02-01 1024/1024 eagle 1x8 at 4",
            "2026-01-29 2026-02-01 1024/1024 plain 8 at 4",
            "2026-01-29 2026-02-01 1024/1024 plain 1x8 at four",
        ] {
            assert_eq!(launch("1.0", bad), None, "{bad}");
        }
    }

    #[test]
    fn a_row_takes_engines_and_drafting_of_its_launch() {
        let p = &read(&[("", 875.0, 9.0)])[0];
        let drafting = Speculative {
            share: 1.0,
            draft_tokens: 3.0,
        };
        assert_eq!(p.speculative, Some(drafting));
        assert_eq!(p.batch_limit, Some(128.0));
        let Serving::Split {
            decode,
            decode_workers,
            prefill_workers,
            ..
        } = p.serving
        else {
            panic!("one engine");
        };
        assert_eq!((decode.chips, decode.expert, decode.data), (8, 8, true));
        assert_eq!((prefill_workers, decode_workers), (Some(1.0), Some(5.0)));
    }

    #[test]
    fn an_old_row_that_leaves_the_division_out_takes_that_of_its_launch() {
        let of = |expert: u32| {
            let text = format!(
                "id,silicon_data_source,backend,backend_version,model_path,system,precision,mode,\
                 isl,osl,tp_size,moe_ep_size,silicon_ttft_ms,silicon_tpot_ms\n\
                 a,2026-04-06.csv; silicon_concurrency=256; measured=2025-11-02T0,trtllm,,\
                 deepseek-ai/DeepSeek-R1,b200_sxm,fp4,agg,8192,1024,4,{expert},100.0,5.0\n"
            );
            let file = read_points(&Catalogue::shipped().unwrap(), "points.csv", &text).unwrap();
            file.points[0].decoder()
        };
        let launched = Replica {
            chips: 4,
            expert: 4,
            data: true,
        };
        assert_eq!(of(1), launched);
        assert!(!of(4).data, "a row that divides experts says what it ran");
    }

    #[test]
    fn a_load_that_no_launch_ran_stays_unknown() {
        assert_eq!(shares(&read(&[("", 876.0, 9.0)])), [None]);
    }

    #[test]
    fn two_launches_alike_stay_undecided() {
        assert_eq!(shares(&read(&[("", 10.0, 3.5)])), [Some(0.5)]);
        // 450 was run without drafting only, 875 with it only.
        let rows = [("", 450.0, 5.0), ("", 875.0, 5.0)];
        assert_eq!(shares(&read(&rows)), [Some(0.0), Some(1.0)]);
    }

    #[test]
    fn numbered_configurations_are_of_a_collection_without_drafting() {
        assert_eq!(shares(&read(&[("config_id=7; ", 10.0, 3.5)])), [Some(0.0)]);
    }

    #[test]
    fn no_measured_time_moves_what_is_looked_up() {
        let rows = |ms: f64| [("", 10.0, ms), ("", 875.0, ms), ("", 10.0, 2.0 * ms)];
        let settings = |p: &Point| (p.speculative, p.serving, p.batch_limit);
        let (fast, slow) = (read(&rows(1.0)), read(&rows(100.0)));
        for (a, b) in fast.iter().zip(&slow) {
            assert_eq!(settings(a), settings(b));
        }
    }
}
