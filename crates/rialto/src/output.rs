//! What a command prints and how it ends.
//!
//! Standard output carries data (text for people, or one JSON document under `--json`);
//! standard error carries messages: progress, warnings, errors. Nothing here decides anything,
//! and no other module of this crate writes to either stream directly. So this is the one place that
//! keeps texts of others from controlling the terminal or hiding what they say.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use rialto_bench::BenchError;
use rialto_client::{ClientError, Refusal, Trouble};
use rialto_core::names::{is_joiner, is_unseen};
use rialto_core::reject::{Code, Kind};
use rialto_fleet::echo::bounded;
use rialto_scenario::DayError;
use rialto_server::node::BootError;
use rialto_wire::native::Problem;
use serde::Serialize;

/// How a command prints: chosen once from the flags and the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    progress: bool,
    whole: bool,
}

impl Output {
    /// Builds the output for this process. Progress bars appear only when standard error is a
    /// terminal and `--json` was not asked for.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self {
            json,
            progress: !json && io::stderr().is_terminal(),
            whole: !io::stdout().is_terminal(),
        }
    }

    /// True when the caller asked for one JSON document instead of text.
    #[must_use]
    pub fn is_json(self) -> bool {
        self.json
    }

    /// True when no person reads a terminal: then nothing is cut to fit it.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.whole
    }

    /// Prints one line of text for people; silent under `--json`.
    pub fn line(self, text: impl Display) -> Result<(), CliError> {
        if self.json {
            return Ok(());
        }
        write_out(&format!("{}\n", safe(&text.to_string())))
    }

    /// Prints a value as one JSON document; silent without `--json`.
    pub fn json(self, value: &impl Serialize) -> Result<(), CliError> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(value).map_err(|e| CliError::bug(e.to_string()))?;
        self.json_line(&text)
    }

    /// Prints JSON text unchanged, whatever the mode, with invisible characters as escapes such as
    /// `\u2028`.
    pub fn json_line(self, text: &str) -> Result<(), CliError> {
        write_out(&format!("{}\n", spelled(text)))
    }

    /// Prints raw data of this program's own (a completion script, a CSV export) whatever the mode.
    pub fn raw(self, text: &str) -> Result<(), CliError> {
        write_out(text)
    }

    /// Prints a remark on standard error.
    pub fn note(self, text: impl Display) {
        // A closed standard error must not end a command that still has data to print.
        let _ = writeln!(io::stderr(), "{}", safe(&text.to_string()));
    }

    /// Prints an error on standard error: as text, or as one JSON document under `--json`.
    pub fn error(self, error: &CliError) {
        let text = if self.json {
            spelled(&error.json()).into_owned()
        } else {
            error.to_string()
        };
        self.note(text);
    }

    /// A progress bar of `total` steps on standard error, hidden if that is not a terminal. With a
    /// total of 0 it stays empty until its length is set.
    #[must_use]
    pub fn progress(self, label: &str, total: u64) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        // A length that is not known yet is none: a bar of zero steps would open full.
        let bar = match total {
            0 => ProgressBar::no_length(),
            total => ProgressBar::new(total),
        };
        if let Ok(style) = ProgressStyle::with_template("{msg:18} {bar:32} {done} {left}") {
            let style = style
                .with_key("done", |state: &ProgressState, w: &mut dyn fmt::Write| {
                    let _ = write!(w, "{}", steps_done(state.pos(), state.len()));
                })
                .with_key("left", |state: &ProgressState, w: &mut dyn fmt::Write| {
                    let left = time_left(state.elapsed(), state.pos(), state.len());
                    let _ = write!(w, "{}", left.map_or_else(String::new, in_words));
                });
            bar.set_style(style);
        }
        bar.set_message(safe(label).into_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// Text for a terminal: invisible and control characters become replacement characters. Lines and
/// tabs stay, and so do the joiners of scripts and emoji.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    let kept = |c: char| matches!(c, '\n' | '\t');
    if !text
        .chars()
        .any(|c| is_joiner(c) || is_unseen(c) && !kept(c))
    {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let joins = is_joiner(c)
            && shown
                .chars()
                .next_back()
                .is_some_and(|last| !last.is_ascii());
        let harmless = kept(c) || joins || !(is_unseen(c) || is_joiner(c));
        shown.push(if harmless { c } else { '\u{FFFD}' });
    }
    Cow::Owned(shown)
}

/// JSON text with the same meaning in which everything is seen. Outside of strings JSON has no such
/// characters but line ends and tabs.
fn spelled(json: &str) -> Cow<'_, str> {
    let hidden = |c: char| (is_unseen(c) || is_joiner(c)) && !matches!(c, '\n' | '\r' | '\t');
    if !json.chars().any(hidden) {
        return Cow::Borrowed(json);
    }
    let mut spelled = String::with_capacity(json.len());
    for c in json.chars() {
        if hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(spelled, "\\u{unit:04x}");
            }
        } else {
            spelled.push(c);
        }
    }
    Cow::Owned(spelled)
}

/// `3/12`, or the steps alone while their number is not known.
fn steps_done(done: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{done}/{total}"),
        None => done.to_string(),
    }
}

/// What is left at the mean pace since the start; nothing before the first step and without a total.
fn time_left(elapsed: Duration, done: u64, total: Option<u64>) -> Option<Duration> {
    let left = total?.checked_sub(done)?;
    if done == 0 {
        return None;
    }
    let seconds = elapsed.as_secs_f64() * left as f64 / done as f64;
    Duration::try_from_secs_f64(seconds).ok()
}

/// `12 s left`, `3 min left`.
fn in_words(left: Duration) -> String {
    match left.as_secs() {
        seconds @ 0..120 => format!("{seconds} s left"),
        seconds => format!("{} min left", seconds.div_ceil(60)),
    }
}

fn write_out(text: &str) -> Result<(), CliError> {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Ok(()),
        // The reader has seen enough (`rialto … | head`): end quietly.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(CliError::failed(format!("cannot write the output: {e}"))),
    }
}

/// How a command ended, as the process's exit code. Documented in docs/cli.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command was refused, or a check that it made failed.
    Failed = 1,
    /// The command line or an input file is wrong.
    Usage = 2,
    /// The server could not be reached.
    Unreachable = 3,
    /// Stored data is damaged, of a newer version, or in use by another process.
    Storage = 4,
    /// The command waits for a person's approval: nothing else has been done yet.
    Waits = 5,
    /// A defect of this program.
    Bug = 70,
}

impl Exit {
    /// Every exit code but success, with its meaning.
    #[cfg(test)]
    pub const ALL: &'static [(Exit, &'static str)] = &[
        (
            Exit::Failed,
            "The command was refused, or a check that it made failed.",
        ),
        (Exit::Usage, "The command line or an input file is wrong."),
        (Exit::Unreachable, "The server could not be reached."),
        (
            Exit::Storage,
            "Stored data is damaged, of a newer version, or in use by another process.",
        ),
        (
            Exit::Waits,
            "The command waits for a person's approval; nothing else has been done yet. Standard output names the approval.",
        ),
        (Exit::Bug, "A defect of this program."),
    ];

    /// How a command ends that meets this code.
    #[must_use]
    pub fn of(code: Code) -> Self {
        match code {
            Code::Unreachable => Self::Unreachable,
            Code::CannotListen | Code::BadSettings => Self::Usage,
            Code::StorageFull
            | Code::LogCorrupt
            | Code::Archived
            | Code::BadSegment
            | Code::LogNewer
            | Code::LogForeign
            | Code::DataLocked
            | Code::StorageFailed
            | Code::BackupTarget
            | Code::KeysMissing
            | Code::KeysOther
            | Code::Stopped => Self::Storage,
            _ if code.kind() == Kind::Bug => Self::Bug,
            _ => Self::Failed,
        }
    }
}

/// An error as a person meets it: one lower-case sentence, a hint, a stable code.
#[derive(Debug)]
pub struct CliError {
    /// The process's exit code.
    pub exit: Exit,
    /// One lower-case sentence that says what is wrong.
    pub message: String,
    /// What to do next, if that is known.
    pub hint: Option<String>,
    /// The stable code (`RLT0001` …), which `rialto explain` describes.
    pub code: Option<String>,
}

impl CliError {
    /// An error of kind `exit` with a message. However much it repeats of a file or an argument, its
    /// middle is cut: no error floods a terminal or a log.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: bounded(&message.into()).into_owned(),
            hint: None,
            code: None,
        }
    }

    /// What is wrong, without the title of its code.
    pub fn bare(&self) -> &str {
        let code = self
            .code
            .as_deref()
            .and_then(|code| code.parse::<Code>().ok());
        let title = code.and_then(|code| self.message.strip_prefix(code.title()));
        title.map_or(&self.message, |rest| rest.trim_start_matches(": "))
    }

    /// An error with a stable code, which brings its message, remedy and exit code.
    pub fn coded(code: Code, detail: &str) -> Self {
        let message = match detail {
            "" => code.title().to_owned(),
            _ => format!("{}: {detail}", code.title()),
        };
        Self::new(Exit::of(code), message)
            .hint(code.remedy())
            .code(code.to_string())
    }

    /// The request was understood and refused, or failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The command line or an input file is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Not an error, but not done either: it waits for a person, as standard output says.
    pub fn waits() -> Self {
        Self::new(Exit::Waits, "it waits for a person's approval")
    }

    /// A defect of this program.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Exit::Bug, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(bounded(&hint.into()).into_owned());
        self
    }

    /// Adds the stable code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl CliError {
    fn json(&self) -> String {
        let error = serde_json::json!({
            "message": self.message,
            "hint": self.hint,
            "code": self.code,
            "exit": self.exit as u8,
        });
        serde_json::json!({ "error": error }).to_string()
    }
}

impl Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n\nhint: {hint}")?;
        }
        if let Some(code) = &self.code {
            write!(f, "\ncode: {code} (rialto explain {code})")?;
        }
        Ok(())
    }
}

impl std::error::Error for CliError {}

impl From<&Problem> for CliError {
    fn from(problem: &Problem) -> Self {
        let mut message = problem.title.clone();
        if !problem.detail.is_empty() {
            message = format!("{message}: {}", problem.detail);
        }
        let exit = problem.code.parse::<Code>().map_or(Exit::Failed, Exit::of);
        let error = Self::new(exit, message).code(&problem.code);
        if problem.hint.is_empty() {
            error
        } else {
            error.hint(&problem.hint)
        }
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        let error = Self::from(&refusal.problem);
        let code = refusal.problem.code.parse();
        match code {
            Ok(Code::NoActor) => {
                return error.hint(
                    "give an agent's token with --token-file FILE, or act as one with --as @HANDLE \
                     and the token of an admin of its owner",
                );
            }
            Ok(Code::Malformed) => {
                return error.hint(
                    "the message says what is wrong; --help shows what a command takes, and the \
                     server's /api/openapi.json what an operation takes",
                );
            }
            _ => {}
        }
        let Some(whence) = refusal
            .token_from
            .filter(|_| code == Ok(Code::Unauthenticated))
        else {
            return error;
        };
        let server = refusal.server.map_or_else(
            || "the server".to_owned(),
            |address| format!("the server at {address}"),
        );
        let message = if refusal.with_token {
            format!("{server} does not know the token {whence}")
        } else {
            format!("{server} wants a token, and none was found: {whence}")
        };
        Self { message, ..error }.hint(
            "give one with --token-file FILE, or RIALTO_TOKEN_FILE or RIALTO_TOKEN in the environment; \
             a newcomer gets one with rialto owner sign-up NAME --save FILE, and with that one its \
             agent's with rialto agent register @HANDLE --save FILE",
        )
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Usage { message, hint } => match hint {
                Some(hint) => Self::usage(message).hint(hint),
                None => Self::usage(message),
            },
            ClientError::Key { key } => Self::coded(Code::BadKey, &key),
            ClientError::Unreachable { detail, trouble } => {
                let error = Self::coded(Code::Unreachable, &detail);
                match trouble {
                    Some(Trouble::Untrusted) => error.hint(
                        "name the certificates to trust with --ca FILE, in PEM form, and use the host name that they name",
                    ),
                    Some(Trouble::Tls) => error.hint(
                        "does the server speak TLS? then write its address with https://",
                    ),
                    None => error,
                }
            }
            ClientError::Refused(refusal) => Self::from(*refusal),
            ClientError::Foreign(message) => Self::failed(message)
                .hint("is it a rialto server of the same version? name it with --server"),
            ClientError::Bug(message) => Self::bug(message),
        }
    }
}

impl From<BootError> for CliError {
    fn from(error: BootError) -> Self {
        let code = error.code();
        Self::new(Exit::of(code), error.to_string())
            .hint(code.remedy())
            .code(code.to_string())
    }
}

impl From<DayError> for CliError {
    fn from(error: DayError) -> Self {
        let said = error.to_string();
        match error {
            DayError::Door { op, source } => {
                let error = Self::from(source);
                match op {
                    Some(op) => Self {
                        message: format!("{op}: {}", error.message),
                        ..error
                    },
                    None => error,
                }
            }
            DayError::Open(error) => error.into(),
            DayError::LimitsLifted { settings, source } => Self::from(*source).hint(format!(
                "the rate limits are still off; set them: rialto op policy.set_settings '{settings}'"
            )),
            DayError::Shipped(_) | DayError::Defect(_) => Self::bug(said),
            DayError::Stopped(_)
            | DayError::Books(_)
            | DayError::Nothing(_)
            | DayError::Interrupted
            | DayError::Io { .. } => Self::failed(said),
        }
    }
}

impl From<BenchError> for CliError {
    fn from(error: BenchError) -> Self {
        let said = error.to_string();
        match error {
            BenchError::Day(error) => error.into(),
            BenchError::Plan(_) => Self::usage(said),
            BenchError::NotEmpty(_) => Self::usage(said).hint("name a new folder"),
            BenchError::Unstarted => {
                Self::new(Exit::Storage, said).hint("run `rialto serve` on the folder to see why")
            }
            BenchError::Failed(_) | BenchError::Machine { .. } | BenchError::Interrupted => {
                Self::failed(said)
            }
            BenchError::Defect(_) => Self::bug(said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_steers_no_terminal() {
        for (text, shown) in [
            ("plain\n\ttext", "plain\n\ttext"),
            ("a\u{1b}[2Jb", "a\u{fffd}[2Jb"),
            ("a\u{9b}31mb\u{7f}", "a\u{fffd}31mb\u{fffd}"),
            ("a\rb\u{8}", "a\u{fffd}b\u{fffd}"),
            ("x\u{202e}y\u{2066}z", "x\u{fffd}y\u{fffd}z"),
            ("a\u{2028}b\u{2029}c\u{85}d", "a\u{fffd}b\u{fffd}c\u{fffd}d"),
            (
                "a\u{200b}b\u{200d}c\u{e0041}",
                "a\u{fffd}b\u{fffd}c\u{fffd}",
            ),
            (
                "👨\u{200d}🍳 می\u{200c}خواهم ❤\u{fe0f}",
                "👨\u{200d}🍳 می\u{200c}خواهم ❤\u{fe0f}",
            ),
        ] {
            assert_eq!(safe(text), shown, "{text:?}");
        }
    }

    #[test]
    fn json_says_the_same_with_everything_seen() {
        let said =
            serde_json::json!({ "a\u{9b}": "x\u{202e}y\u{2028}z\u{e0041}\u{7f}", "b": ["\n", 1] });
        for text in [
            said.to_string(),
            serde_json::to_string_pretty(&said).unwrap(),
        ] {
            let shown = spelled(&text);
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
                said
            );
            assert!(
                shown.chars().all(|c| c == '\n' || !c.is_control()),
                "{shown:?}"
            );
            assert!(
                shown.contains("\\u202e") && shown.contains("\\udb40\\udc41"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_bar_tells_what_is_left_at_the_mean_pace() {
        let second = Duration::from_secs(1);
        for (elapsed_s, done, total, left_s) in [
            (10, 5, Some(20), Some(30)),
            (10, 20, Some(20), Some(0)),
            (10, 0, Some(20), None),
            (10, 5, None, None),
            (10, 21, Some(20), None),
            (0, 0, Some(0), None),
        ] {
            let left = time_left(second * elapsed_s, done, total);
            assert_eq!(left, left_s.map(|s| second * s), "{done} of {total:?}");
        }
        assert_eq!(steps_done(0, None), "0");
        assert_eq!(steps_done(3, Some(12)), "3/12");
        assert_eq!(in_words(second * 119), "119 s left");
        assert_eq!(in_words(second * 121), "3 min left");
    }

    #[test]
    fn a_field_of_megabytes_is_not_echoed_whole() {
        let field = "x".repeat(5_000_000);
        let error = CliError::usage(format!("calls.csv, line 2: `{field}` is no time")).hint(field);
        for told in [error.to_string(), error.json()] {
            assert!(told.len() < 3_000, "{} bytes", told.len());
            assert!(told.contains("calls.csv, line 2") && told.contains("is no time"));
        }
    }
}
