//! Reads files of measured points, in either of two forms.
//!
//! The first is the table of InferenceX measurements kept by NVIDIA's AIConfigurator: one row for each
//! point, with engine, plan, concurrency and lengths. The second is a plain table of published figures
//! (MLPerf, AWS Neuron). Names match in many spellings; a row whose model, chip or precision no catalogue
//! entry matches is skipped with the reason, and a value that cannot be a measurement is an error.

use csv::StringRecord;

use super::cache::as_launched;
use super::ladder::{Ladder, divided};
use super::launch::complete;
use super::point::{Point, PointsError, Replica, Serving, Skipped};
use rialto_fleet::catalogue::{Catalogue, Model, Precision};
use rialto_fleet::echo::bounded;
use rialto_fleet::place::csv_line;
use rialto_fleet::step::Engine;
use rialto_fleet::traffic::MAX_TOKENS;

/// What one file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointFile {
    /// Rows that can be forecast.
    pub points: Vec<Point>,
    /// Rows that cannot, with the reason.
    pub skipped: Vec<Skipped>,
}

/// InferenceX draws lengths evenly from 80 % to 100 % of the stated ones.
const RANDOM_LENGTH_SHARE: f64 = 0.9;

/// Reads one file of measured points.
///
/// # Errors
/// Names file, line and field when the text is not CSV, a column is missing, or a value is not a number, is
/// negative, or is zero where zero is impossible.
pub fn read_points(
    catalogue: &Catalogue,
    file: &str,
    text: &str,
) -> Result<PointFile, PointsError> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(false)
        .from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .map_err(|e| malformed(file, 1, &e))?
        .clone();
    let mut out = PointFile::default();
    let benchmark = headers
        .iter()
        .any(|h| h == "silicon_tpot_ms" || h == "silicon_ttft_ms");
    let needed: &[&'static str] = if benchmark { &BENCHMARK } else { &PUBLISHED };
    if let Some(column) = needed
        .iter()
        .copied()
        .find(|n| !headers.iter().any(|h| h == *n))
    {
        return Err(PointsError::Column {
            file: file.to_owned(),
            column,
        });
    }
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => {
                complete(&mut out.points);
                return Ok(out);
            }
            Ok(true) => {}
            Err(e) => {
                let line = csv_line(text, e.position()) as u64;
                return Err(malformed(file, line, &e));
            }
        }
        let line = csv_line(text, record.position()) as u64;
        let row = RowText {
            file,
            line,
            headers: &headers,
            record: &record,
        };
        let read = if benchmark {
            row.benchmark(catalogue)
        } else {
            row.published(catalogue)
        };
        match read? {
            Ok(point) => out.points.push(point),
            Err(reason) => out.skipped.push(Skipped {
                file: file.to_owned(),
                line,
                id: bounded(row.text("id")).into_owned(),
                reason,
            }),
        }
    }
}

const BENCHMARK: [&str; 9] = [
    "backend",
    "model_path",
    "system",
    "mode",
    "isl",
    "osl",
    "tp_size",
    "silicon_ttft_ms",
    "silicon_tpot_ms",
];
const PUBLISHED: [&str; 9] = [
    "chip",
    "chips",
    "model",
    "engine",
    "isl",
    "osl",
    "concurrency_or_batch",
    "ttft_ms",
    "tpot_ms",
];

fn malformed(file: &str, line: u64, error: &csv::Error) -> PointsError {
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} fields where the header names {expected_len}")
        }
        _ => bounded(&error.to_string()).into_owned(),
    };
    PointsError::Malformed {
        file: file.to_owned(),
        line,
        message,
    }
}

/// A row, or why it is skipped.
type Read = Result<Result<Point, String>, PointsError>;

/// One row with its place in the file.
struct RowText<'a> {
    file: &'a str,
    line: u64,
    headers: &'a StringRecord,
    record: &'a StringRecord,
}

impl RowText<'_> {
    fn text(&self, column: &str) -> &str {
        let index = self.headers.iter().position(|h| h == column);
        index.and_then(|i| self.record.get(i)).unwrap_or("").trim()
    }

    fn field_error(&self, column: &str, problem: &'static str) -> PointsError {
        PointsError::Field {
            file: self.file.to_owned(),
            line: self.line,
            field: column.to_owned(),
            value: bounded(self.text(column)).into_owned(),
            problem,
        }
    }

    /// A number, if the field holds one. Zero passes; below zero is an error.
    fn number(&self, column: &str) -> Result<Option<f64>, PointsError> {
        let text = self.text(column);
        if text.is_empty() || ["nan", "none", "n/a"].contains(&text.to_ascii_lowercase().as_str()) {
            return Ok(None);
        }
        let value: f64 = text
            .parse()
            .map_err(|_| self.field_error(column, "is not a number"))?;
        if !value.is_finite() || value < 0.0 {
            return Err(self.field_error(column, "must be finite and not negative"));
        }
        Ok(Some(value))
    }

    /// A measurement or length: above zero if present.
    fn positive(&self, column: &str) -> Result<Option<f64>, PointsError> {
        match self.number(column)? {
            Some(0.0) => Err(self.field_error(column, "must be above zero")),
            other => Ok(other),
        }
    }

    /// A number of tokens or requests.
    fn bounded(&self, column: &str) -> Result<Option<f64>, PointsError> {
        match self.positive(column)? {
            Some(value) if value > f64::from(MAX_TOKENS) => {
                Err(self.field_error(column, "is above 16777216, which no run can have"))
            }
            other => Ok(other),
        }
    }

    fn required(&self, column: &str) -> Result<f64, PointsError> {
        self.bounded(column)?
            .ok_or_else(|| self.field_error(column, "is missing"))
    }

    /// The first of the columns that holds NaN: if one measurement failed, the others of the row say
    /// nothing.
    fn failed(&self, columns: &[&str]) -> Option<String> {
        let nan = |c: &&&str| self.text(c).eq_ignore_ascii_case("nan");
        let column = columns.iter().find(nan)?;
        Some(format!("{column} is NaN: the measurement failed"))
    }

    /// Why an engine's tensor degree is impossible, if it is: rows of rack systems may hold the chips of
    /// all engines in its place.
    fn indivisible(&self, model: &Model, chip: &str) -> Result<Option<String>, PointsError> {
        if chip.starts_with("gb") {
            return Ok(None);
        }
        let columns: &[&str] = match self.text("mode") {
            "disagg" => &["prefill_tp_size", "decode_tp_size"],
            _ => &["tp_size"],
        };
        for column in columns {
            let degree = self.degree(column)?;
            if !model.heads().is_multiple_of(degree) {
                let (name, heads) = (&model.name, model.heads());
                let why = format!(
                    "{column} {degree} does not divide the {heads} attention heads of {name}"
                );
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// A degree of parallelism: missing and zero mean 1.
    fn degree(&self, column: &str) -> Result<u32, PointsError> {
        let value = self.number(column)?.unwrap_or(1.0).max(1.0);
        if value > 1e6 || (value as u32) as f64 != value {
            return Err(self.field_error(column, "is not a whole number of chips"));
        }
        Ok(value as u32)
    }

    fn benchmark(&self, catalogue: &Catalogue) -> Read {
        let (written, system) = (self.text("model_path"), self.text("system"));
        let model = match catalogue.model(written) {
            Ok(model) => model,
            Err(_) => return Ok(Err(format!("model {written:?} is in no catalogue"))),
        };
        let chip = match catalogue.chip(system) {
            Ok(chip) => chip,
            Err(_) => return Ok(Err(format!("chip {system:?} is in no catalogue"))),
        };
        let stated = self.text("precision");
        let source = self.text("silicon_data_source");
        // A study ran the checkpoint that it names; no engine makes blocks of eight bits of it.
        let unquantised = client(source) == "study"
            && model.native_precision == "bf16"
            && self.text("gemm_quant_mode") == "fp8_block"
            && !written.to_ascii_lowercase().contains("fp8");
        let ran = if unquantised { "bf16" } else { stated };
        let precision = precision_name(ran, self.text("moe_quant_mode"), written, model);
        let precision = match catalogue.precision(&precision) {
            Ok(precision) => precision,
            Err(_) => return Ok(Err(format!("precision {precision:?} is in no catalogue"))),
        };
        let wrong = self.failed(&["silicon_ttft_ms", "silicon_tpot_ms"]);
        if let Some(why) = wrong.or(self.indivisible(model, &chip.name)?) {
            return Ok(Err(why));
        }
        let (ttft_ms, tpot_ms) = (
            self.positive("silicon_ttft_ms")?,
            self.positive("silicon_tpot_ms")?,
        );
        if ttft_ms.is_none() && tpot_ms.is_none() {
            return Ok(Err("nothing measured in the row".to_owned()));
        }
        let (input_tokens, output_tokens) = (self.required("isl")?, self.required("osl")?);
        let Some(concurrency) = self.concurrency(source)? else {
            return Ok(Err("neither concurrency nor batch size is given".to_owned()));
        };
        let group = format!("{written} {system} {} {stated}", self.text("backend"));
        let engine = Engine::named(self.text("backend"));
        let day = after(source, "measured=").and_then(|d| d.get(..10));
        let day = day.unwrap_or("");
        Ok(Ok(Point {
            file: self.file.to_owned(),
            line: self.line,
            id: self.text("id").to_owned(),
            written_group: group,
            model: model.clone(),
            chip: chip.clone(),
            precision: as_launched(precision, &model.name, &chip.name, engine, day),
            engine,
            build: build(self.text("backend_version"), source),
            day: day.to_owned(),
            client: client(source),
            serving: self.serving(&chip.name, precision, input_tokens, concurrency)?,
            input_tokens,
            output_tokens,
            length_share: if client(source) == "sweep" {
                RANDOM_LENGTH_SHARE
            } else {
                1.0
            },
            concurrency,
            drafted: false,
            speculative: None,
            batch_limit: None,
            configuration: stated_number(source, "config_id=").map(|n| n as u32),
            assumed: false,
            ttft_ms,
            tpot_ms,
            output_tokens_per_second: None,
        }))
    }

    /// Requests in flight: as the source states them, else the batch size times the engines that each have
    /// it.
    fn concurrency(&self, source: &str) -> Result<Option<f64>, PointsError> {
        let batch = self.bounded("batch_size")?;
        if let Some(stated) = stated_number(source, "silicon_concurrency=") {
            return Ok(Some(match batch {
                // The load of all copies of a model without experts that share it.
                Some(batch) if stated > batch && !self.has_experts()? => batch,
                _ => stated,
            }));
        }
        if let Some(batch) = batch {
            return Ok(Some(batch * f64::from(self.degree("attention_dp_size")?)));
        }
        let Some(batch) = self.bounded("decode_batch_size")? else {
            return Ok(None);
        };
        let workers = self.number("decode_num_workers")?.unwrap_or(1.0).max(1.0);
        Ok(Some(
            batch * workers * f64::from(self.degree("decode_attention_dp_size")?),
        ))
    }

    /// The row says how experts are divided.
    fn has_experts(&self) -> Result<bool, PointsError> {
        Ok(self.degree("moe_tp_size")?.max(self.degree("moe_ep_size")?) > 1)
    }

    fn replica(&self, prefix: &str) -> Result<Replica, PointsError> {
        let degree = |name: &str| self.degree(&format!("{prefix}{name}"));
        let (tensor, data) = (degree("tp_size")?, degree("attention_dp_size")?);
        let (moe_tensor, expert) = (degree("moe_tp_size")?, degree("moe_ep_size")?);
        // Only rows of one engine square their degrees.
        if prefix.is_empty() {
            return Ok(replica(tensor, data, moe_tensor, expert));
        }
        Ok(plain_replica(tensor, data, moe_tensor, expert))
    }

    fn serving(
        &self,
        chip: &str,
        precision: &Precision,
        input_tokens: f64,
        concurrency: f64,
    ) -> Result<Serving, PointsError> {
        let together = self.text("mode") != "disagg";
        let rack = chip.starts_with("gb");
        let (prefill, decode) = if together {
            let replica = self.replica("")?;
            (replica, replica)
        } else {
            (self.replica("prefill_")?, self.replica("decode_")?)
        };
        // Some rows of rack systems put the chips of all engines, or a placeholder of one, where
        // the plan belongs.
        let same = decode.chips == prefill.chips && decode.expert == 1;
        let placeholder =
            !together && decode.chips == 1 && !self.text("gemm_quant_mode").is_empty();
        let workers = self.number("decode_num_workers")?.filter(|w| *w > 0.0);
        let engine = Engine::named(self.text("backend"));
        if rack && workers.is_none() && same && (decode.chips >= 12 || placeholder) {
            return Ok(divided(engine, decode.chips, concurrency));
        }
        if together {
            return Ok(Serving::Together(decode));
        }
        let decode = if workers.is_none() {
            let ladder = Ladder::new(engine, chip, precision, input_tokens, concurrency);
            ladder.completed(prefill, decode)
        } else {
            decode
        };
        Ok(Serving::Split {
            prefill,
            prefill_workers: self.number("prefill_num_workers")?.filter(|w| *w > 0.0),
            decode,
            decode_workers: workers,
            total_chips: None,
        })
    }

    fn published(&self, catalogue: &Catalogue) -> Read {
        let (system, name) = (self.text("chip"), self.text("model"));
        let (base, drafted) = match name.split_once('+') {
            Some((base, _)) => (base.trim(), true),
            None => (name, false),
        };
        let Ok(model) = catalogue.model(base) else {
            return Ok(Err(format!("model {base:?} is in no catalogue")));
        };
        let Some(chip) = published_chip(catalogue, system) else {
            return Ok(Err(format!("chip {system:?} is in no catalogue")));
        };
        let stated = self.text("precision");
        let Ok(precision) = catalogue.precision(&precision_name(stated, "", base, model)) else {
            return Ok(Err(format!("precision {stated:?} is in no catalogue")));
        };
        if let Some(why) = self.failed(&["ttft_ms", "tpot_ms", "tokens_per_s_output_total"]) {
            return Ok(Err(why));
        }
        let (ttft_ms, tpot_ms) = (self.positive("ttft_ms")?, self.positive("tpot_ms")?);
        let throughput = self.positive("tokens_per_s_output_total")?;
        if ttft_ms.is_none() && tpot_ms.is_none() && throughput.is_none() {
            return Ok(Err("nothing measured in the row".to_owned()));
        }
        let chips = leading_number(self.text("chips"));
        let Some(chips) = chips.filter(|c| (1.0..1e6).contains(c)) else {
            return Err(self.field_error("chips", "does not start with a number of chips"));
        };
        let lengths = (
            self.bounded("isl")?,
            self.bounded("osl")?,
            self.bounded("concurrency_or_batch")?,
        );
        let scenario = self.text("scenario");
        let engine = Engine::named(self.text("engine"));
        let run = Run::of(model, chip, precision, scenario, chips as u32, lengths);
        let Some(run) = run else {
            return Ok(Err(format!("no lengths given and none known for {base:?}")));
        };
        Ok(Ok(Point {
            file: self.file.to_owned(),
            line: self.line,
            id: self.text("id").to_owned(),
            written_group: format!("{name} {system} {} {stated}", self.text("engine")),
            model: model.clone(),
            chip: chip.clone(),
            precision: precision.clone(),
            engine,
            build: format!("{}/published", engine.name()),
            day: String::new(),
            client: run.client,
            serving: Serving::Together(run.replica),
            input_tokens: run.input,
            output_tokens: run.output,
            length_share: 1.0,
            concurrency: run.concurrency,
            drafted,
            speculative: None,
            batch_limit: None,
            configuration: None,
            assumed: run.assumed,
            ttft_ms,
            tpot_ms,
            output_tokens_per_second: throughput.map(|t| t / run.replicas),
        }))
    }
}

/// How the run of a published row was made, with documented assumptions where the row does not say.
struct Run {
    replica: Replica,
    replicas: f64,
    input: f64,
    output: f64,
    concurrency: f64,
    client: &'static str,
    assumed: bool,
}

/// Mean prompt and output tokens of the MLPerf v5.1 data sets. Source: MLCommons inference
/// documentation and task-force posts (llama2-70b: OpenOrca; llama3.1-405b: LongBench and others;
/// llama3.1-8b: CNN/DailyMail; deepseek-r1: mixed reasoning; mixtral: OpenOrca, GSM8K, MBXP),
/// rounded.
const MLPERF_LENGTHS: [(&str, f64, f64); 5] = [
    ("llama2-70b", 290.0, 290.0),
    ("llama3.1-405b", 9400.0, 680.0),
    ("llama3.1-8b", 780.0, 73.0),
    ("deepseek-v3", 800.0, 3880.0),
    ("mixtral-8x7b", 280.0, 145.0),
];

/// The limit of requests in flight on one replica, whatever the cache could hold: engines limit the batch,
/// and beyond it the roofline is flat.
const MLPERF_MAX_BATCH: f64 = 1024.0;

impl Run {
    fn of(
        model: &Model,
        chip: &rialto_fleet::catalogue::Chip,
        precision: &rialto_fleet::catalogue::Precision,
        scenario: &str,
        chips: u32,
        given: (Option<f64>, Option<f64>, Option<f64>),
    ) -> Option<Self> {
        if let (Some(input), Some(output), Some(concurrency)) = given {
            let replica = Replica {
                chips,
                expert: 1,
                data: false,
            };
            let client = "fixed";
            let assumed = false;
            return Some(Self {
                replica,
                replicas: 1.0,
                input,
                output,
                concurrency,
                client,
                assumed,
            });
        }
        let (_, input, output) = MLPERF_LENGTHS
            .into_iter()
            .find(|(m, ..)| *m == model.name)?;
        // The smallest power of two of chips whose memory leaves a third for the cache.
        let usable = chip.memory_bytes() * 0.9;
        let weights = model.weight_bytes(precision);
        let mut per_replica = 1_u32;
        while weights / f64::from(per_replica) > usable * 0.67 && per_replica < chips {
            per_replica *= 2;
        }
        let per_replica = per_replica.min(chips);
        let free = (usable * f64::from(per_replica) - weights).max(1e9);
        let held = free / (model.kv_bytes_per_token(precision) * (input + output)).max(1.0);
        // Interactive runs keep the batch small to meet their latency limits.
        let share = if scenario.to_ascii_lowercase().contains("interactive") {
            0.25
        } else {
            1.0
        };
        let concurrency = (held.min(MLPERF_MAX_BATCH) * share).max(1.0);
        let replica = Replica {
            chips: per_replica,
            expert: 1,
            data: false,
        };
        let replicas = f64::from(chips) / f64::from(per_replica);
        let client = "mlperf";
        let assumed = true;
        Some(Self {
            replica,
            replicas,
            input,
            output,
            concurrency,
            client,
            assumed,
        })
    }
}

/// The engine that four degrees describe. Corrects two known errors of the source: degrees that are each
/// written as their square, and an expert degree multiplied by the attention and tensor degrees.
fn replica(tensor: u32, data: u32, moe_tensor: u32, expert: u32) -> Replica {
    let attention = tensor.saturating_mul(data);
    if moe_tensor == expert && expert > 1 && attention == expert.saturating_mul(expert) {
        return Replica {
            chips: expert,
            expert,
            data: data > 1,
        };
    }
    if tensor == data && tensor > 1 && expert == attention {
        return Replica {
            chips: tensor,
            expert: tensor,
            data: false,
        };
    }
    plain_replica(tensor, data, moe_tensor, expert)
}

fn plain_replica(tensor: u32, data: u32, moe_tensor: u32, expert: u32) -> Replica {
    let chips = tensor
        .saturating_mul(data)
        .max(moe_tensor.saturating_mul(expert));
    Replica {
        chips,
        expert: expert.min(chips),
        data: data > 1,
    }
}

/// The precision that a row names, else the one that its quantisation mode or model name implies, else the
/// model's own. gpt-oss is published and served in MXFP4, whatever the row calls it.
fn precision_name(stated: &str, experts: &str, written: &str, model: &Model) -> String {
    let lower = written.to_ascii_lowercase();
    let four_bit = |name: &str| matches!(name, "fp4" | "nvfp4" | "mxfp4" | "int4" | "");
    if model.native_precision == "mxfp4" && four_bit(&stated.to_ascii_lowercase()) {
        return model.native_precision.clone();
    }
    if !stated.is_empty() {
        return stated.to_owned();
    }
    if !experts.is_empty() {
        return experts.to_owned();
    }
    if lower.contains("fp8") {
        "fp8".to_owned()
    } else if lower.contains("fp4") {
        "fp4".to_owned()
    } else {
        model.native_precision.clone()
    }
}

/// Published rows spell chip names out: finds the catalogue chip whose name or alias starts the spelling.
fn published_chip<'a>(
    catalogue: &'a Catalogue,
    written: &str,
) -> Option<&'a rialto_fleet::catalogue::Chip> {
    let first_words = |n: usize| {
        written
            .split_whitespace()
            .take(n)
            .collect::<Vec<_>>()
            .join(" ")
    };
    [
        written.to_owned(),
        first_words(3),
        first_words(2),
        first_words(1),
    ]
    .iter()
    .find_map(|name| catalogue.chip(name).ok())
}

/// Engine version and month: `0.5.9 2026-03`.
fn build(version: &str, source: &str) -> String {
    let month = after(source, "measured=")
        .and_then(|d| d.get(..7))
        .unwrap_or("undated");
    let version = if version.is_empty() {
        "unversioned"
    } else {
        version
    };
    format!("{version} {month}")
}

/// The file that a row was taken from.
fn collection(source: &str) -> &str {
    let name = source.strip_prefix("source_file=").unwrap_or(source);
    name.split(';').next().unwrap_or("")
}

/// Who measured: `sweep` is InferenceX's nightly sweep (random lengths, closed loop); `study` a
/// study with fixed lengths; `trial` a single trial of a planned configuration. Files without a
/// folder are extracts of the sweep, the times of whose rows they repeat to the last digit.
fn client(source: &str) -> &'static str {
    let name = collection(source);
    if name.starts_with("db-dump") || !name.contains('/') {
        "sweep"
    } else if source.contains("measured=") {
        "trial"
    } else {
        "study"
    }
}

fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.find(key).and_then(|at| text.get(at + key.len()..))
}

fn stated_number(text: &str, key: &str) -> Option<f64> {
    let rest = after(text, key)?;
    let digits: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    digits.parse().ok().filter(|n: &f64| *n > 0.0)
}

fn leading_number(text: &str) -> Option<f64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
