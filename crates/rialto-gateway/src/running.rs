//! A call under way: whatever becomes of it, it is reported exactly once.
//!
//! The place in the line of reports is taken before the call begins, so that reporting never waits and never
//! needs memory that was not there. A call that is dropped, because its caller has left, is reported as such
//! with what was used until then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rialto_core::id::InferenceId;
use rialto_core::limits::{INFERENCE_MS, LOSSES, WORK_AT_ONCE};
use rialto_core::model::{InferenceEnd, InferenceReport, TokenCounts};
use rialto_core::text::{Alias, Name, RawUsage};
use rialto_wire::model::{Losses, ModelError, Usage};
use rialto_wire::words::Words;
use tokio::sync::mpsc::OwnedPermit;

use crate::estimate;
use crate::gateway::Watched;
use crate::metrics::Ended;

/// How large a call is, in tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// The most input.
    pub(crate) input: u64,
    /// The input that is likely.
    pub(crate) likely: u64,
    /// The most output.
    pub(crate) output: u64,
}

impl Size {
    /// A request with a body, and the most output that it may have.
    pub(crate) fn of(body: &[u8], output: u64) -> Self {
        let input = estimate::tokens(body);
        Self {
            input,
            likely: input.min(estimate::of_written(body.len() as u64)),
            output,
        }
    }
}

/// What a call used, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    /// What the provider says.
    pub(crate) usage: Usage,
    /// Bytes that the answer had, for where it says nothing.
    pub(crate) written: u64,
    /// What the provider says of the call in its own words.
    pub(crate) words: Words,
    /// Whether the provider was asked at all.
    pub(crate) asked: bool,
}

/// A call under way.
pub(crate) struct Running {
    pub(crate) inference: InferenceId,
    place: Option<OwnedPermit<InferenceReport>>,
    watched: Arc<Watched>,
    began: Instant,
    /// The input that is likely, for where the provider tells none: what is reserved is high on purpose.
    likely: u64,
    /// What is reserved.
    tokens: u64,
    pub(crate) first: Option<Duration>,
    pub(crate) used: Used,
    pub(crate) losses: Losses,
    pub(crate) request: Option<Name>,
}

impl Running {
    pub(crate) fn new(
        inference: InferenceId,
        place: OwnedPermit<InferenceReport>,
        watched: Arc<Watched>,
        size: Size,
    ) -> Self {
        let tokens = size.input.saturating_add(size.output);
        watched.begin(tokens);
        Self {
            inference,
            place: Some(place),
            watched,
            began: Instant::now(),
            likely: size.likely,
            tokens,
            first: None,
            used: Used::default(),
            losses: Losses::default(),
            request: None,
        }
    }

    /// The answer has begun.
    pub(crate) fn answered(&mut self) {
        let took = self.began.elapsed();
        self.first = Some(took);
        self.watched.answered(took);
    }

    /// The call has failed, and its deployment with it unless the caller is at fault.
    pub(crate) fn fail(self, error: &ModelError) {
        self.watched.failed(error);
        self.end(InferenceEnd::Failed);
    }

    /// The call is over.
    pub(crate) fn end(mut self, end: InferenceEnd) {
        self.report(end);
    }

    fn report(&mut self, end: InferenceEnd) {
        let Some(place) = self.place.take() else {
            return;
        };
        let (tokens, estimated) = self.tokens(end);
        let took = self.began.elapsed();
        self.watched.end(
            self.tokens,
            Ended {
                end,
                took,
                first: self.first,
                tokens,
            },
        );
        let names = self.losses.all().iter().map(ToString::to_string);
        let losses = names.filter_map(|name| Alias::new(&name).ok());
        let words = &self.used.words;
        let usage = words.usage();
        place.send(InferenceReport {
            tokens,
            estimated,
            request: self.request.take(),
            losses: losses.take(LOSSES).collect(),
            raw: usage.and_then(|usage| RawUsage::new(&usage).ok()),
            tier: word(words.tier.as_deref()),
            served: words
                .model
                .as_deref()
                .and_then(|model| Name::new(model).ok()),
            first_ms: self.first.map(millis),
            took_ms: Some(millis(took)),
            ..InferenceReport::new(self.inference, end)
        });
    }

    /// What is charged: the provider's own numbers where it told any.
    fn tokens(&self, end: InferenceEnd) -> (TokenCounts, bool) {
        let usage = &self.used.usage;
        let told = (usage.input, usage.output);
        let silent = !self.used.asked || (end == InferenceEnd::Failed && self.used.written == 0);
        if told == (None, None) && silent {
            return (TokenCounts::default(), false);
        }
        let input = usage.input.unwrap_or(self.likely);
        let written = estimate::of_written(self.used.written);
        // What a provider told in the middle is less than what has come since.
        let whole = end == InferenceEnd::Served && usage.output.is_some();
        let output = match (usage.output, whole) {
            (Some(output), true) => output,
            (told, _) => told.unwrap_or(0).max(written),
        };
        let estimated = usage.input.is_none() || usage.output != Some(output);
        (counts(usage, input, output), estimated)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.report(match self.used.asked {
            true => InferenceEnd::Left,
            false => InferenceEnd::Failed,
        });
    }
}

/// A time as the realm takes it: no longer than a call may take.
fn millis(time: Duration) -> u64 {
    let whole = u64::try_from(time.as_millis()).unwrap_or(INFERENCE_MS);
    whole.min(INFERENCE_MS)
}

/// A tier as the realm takes it: providers write some in capitals.
fn word(tier: Option<&str>) -> Option<Alias> {
    Alias::new(&tier?.to_ascii_lowercase()).ok()
}

/// The counts as the realm takes them: no part is larger than what is left of its whole.
fn counts(usage: &Usage, input: u64, output: u64) -> TokenCounts {
    let most = WORK_AT_ONCE / 2;
    let (input, output) = (input.min(most), output.min(most));
    let (mut of_input, mut of_output) = (input, output);
    let part = |left: &mut u64, told: Option<u64>| {
        let part = told.unwrap_or(0).min(*left);
        *left -= part;
        part
    };
    TokenCounts {
        input,
        output,
        cached: part(&mut of_input, usage.cache_read),
        written: part(&mut of_input, usage.cache_write_5m),
        written_long: part(&mut of_input, usage.cache_write_1h),
        image: part(&mut of_input, usage.image_input),
        sound_in: part(&mut of_input, usage.audio_input),
        reasoning: part(&mut of_output, usage.reasoning),
        sound_out: part(&mut of_output, usage.audio_output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_provider_tells_the_parts_stay_within_their_whole() {
        let usage = Usage {
            cache_read: Some(70),
            cache_write_5m: Some(70),
            image_input: Some(u64::MAX),
            reasoning: Some(9),
            audio_output: Some(9),
            ..Usage::default()
        };
        let counts = counts(&usage, 100, 12);
        assert!(counts.check().is_ok(), "{counts:?}");
        assert_eq!((counts.cached, counts.written, counts.image), (70, 30, 0));
        assert_eq!((counts.reasoning, counts.sound_out), (9, 3));
        assert!(super::counts(&usage, u64::MAX, u64::MAX).check().is_ok());
    }
}
