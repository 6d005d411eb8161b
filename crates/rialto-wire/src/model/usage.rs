//! What a call took, in one inclusive form.
//!
//! Dialects differ in what their numbers include: OpenAI's prompt holds the cached tokens, the input
//! of Anthropic and Bedrock leaves them out. Here `input` holds everything that went in and `output`
//! everything that came out; the rest are parts of the two. Holds no prices.

/// Above this a server's number is no count of tokens and is not believed.
pub const MAX_TOKENS: u64 = 1 << 40;

/// Tokens of a call. A part never exceeds its whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All that went in: fresh, read from a cache, written to one.
    pub input: Option<u64>,
    /// Of the input: read from a cache.
    pub cache_read: Option<u64>,
    /// Of the input: written to a cache for five minutes, or for a time that is not said.
    pub cache_write_5m: Option<u64>,
    /// Of the input: written to a cache for an hour.
    pub cache_write_1h: Option<u64>,
    /// Of the input: images.
    pub image_input: Option<u64>,
    /// Of the input: sound.
    pub audio_input: Option<u64>,
    /// All that came out, thinking too.
    pub output: Option<u64>,
    /// Of the output: thinking.
    pub reasoning: Option<u64>,
    /// Of the output: sound.
    pub audio_output: Option<u64>,
}

impl Usage {
    /// Takes later numbers in. They are totals, so they replace; one that is missing leaves the
    /// earlier one, and one that is smaller is held at the maximum.
    pub fn merge(&mut self, later: &Self) {
        let pairs = [
            (&mut self.input, later.input),
            (&mut self.cache_read, later.cache_read),
            (&mut self.cache_write_5m, later.cache_write_5m),
            (&mut self.cache_write_1h, later.cache_write_1h),
            (&mut self.image_input, later.image_input),
            (&mut self.audio_input, later.audio_input),
            (&mut self.output, later.output),
            (&mut self.reasoning, later.reasoning),
            (&mut self.audio_output, later.audio_output),
        ];
        for (mine, theirs) in pairs {
            *mine = (*mine).max(theirs.filter(|n| *n <= MAX_TOKENS));
        }
    }

    /// All written to a cache.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        let (short, long) = (self.cache_write_5m, self.cache_write_1h);
        short.unwrap_or(0).saturating_add(long.unwrap_or(0))
    }

    /// The input that was neither read from a cache nor written to one.
    #[must_use]
    pub fn fresh_input(&self) -> u64 {
        let cached = self
            .cache_read
            .unwrap_or(0)
            .saturating_add(self.cache_write());
        self.input.unwrap_or(0).saturating_sub(cached)
    }

    /// Input and output.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input
            .unwrap_or(0)
            .saturating_add(self.output.unwrap_or(0))
    }

    /// The inclusive form of numbers whose input leaves the cached tokens out.
    #[must_use]
    pub(crate) fn with_cached(mut self) -> Self {
        let cached = self
            .cache_read
            .unwrap_or(0)
            .saturating_add(self.cache_write());
        self.input = match (self.input, cached) {
            (None, 0) => None,
            (fresh, cached) => Some(fresh.unwrap_or(0).saturating_add(cached)),
        };
        self
    }

    /// The inclusive form of numbers that already include; a whole is raised to its parts.
    #[must_use]
    pub(crate) fn covering_parts(mut self) -> Self {
        let cached = self
            .cache_read
            .unwrap_or(0)
            .saturating_add(self.cache_write());
        if cached > 0 {
            self.input = self.input.max(Some(cached));
        }
        if self.reasoning.unwrap_or(0) > 0 {
            self.output = self.output.max(self.reasoning);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_numbers_replace_missing_ones_leave_and_smaller_ones_are_held() {
        let mut usage = Usage {
            input: Some(10),
            output: Some(5),
            ..Usage::default()
        };
        usage.merge(&Usage {
            input: None,
            output: Some(3),
            cache_read: Some(4),
            ..Usage::default()
        });
        usage.merge(&Usage {
            output: Some(9),
            input: Some(u64::MAX),
            ..Usage::default()
        });
        assert_eq!(
            usage,
            Usage {
                input: Some(10),
                output: Some(9),
                cache_read: Some(4),
                ..Usage::default()
            }
        );
    }

    #[test]
    fn no_sum_overflows() {
        let all = Some(u64::MAX);
        let usage = Usage {
            input: all,
            cache_read: all,
            cache_write_5m: all,
            cache_write_1h: all,
            output: all,
            ..Usage::default()
        };
        assert_eq!(usage.total(), u64::MAX);
        assert_eq!(usage.with_cached().input, all);
        assert_eq!(usage.fresh_input(), 0);
    }
}
