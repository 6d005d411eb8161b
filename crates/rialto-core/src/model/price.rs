//! What a call of a model costs: prices by kind of token, and the arithmetic.
//!
//! Unit prices are in pico-units of an asset (10⁻¹² of a whole unit) a token, so that a price of 0.000001
//! a million tokens is exact. A call's parts are added up in pico-units and rounded up once, to the asset's
//! smallest unit. Nothing here knows whose price it is, or moves money.

use alloc::format;
use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::amount::{Amount, Decimal};
use crate::limits;
use crate::reject::{Code, Rejection};

/// Digits after the point of a price of a million tokens that are kept: one of the last is a pico-unit a
/// token.
const PER_MILLION_SCALE: u8 = 6;
/// Digits after the point of a whole unit in pico-units.
const PICO_SCALE: u8 = 12;
/// A price of a million tokens below which, unless it is zero, it is asked whether it was meant a token.
const LEAST_LIKELY: i128 = 1_000;
/// A price of a million tokens above which it is asked whether it is one.
const MOST_LIKELY: i128 = 2_000_000_000;

/// Tokens of a call, each kind counted within its whole: what was read from a cache or written to one,
/// images and sound are parts of the input; reasoning and sound are parts of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TokenCounts {
    /// All input.
    #[n(0)]
    pub input: u64,
    /// All output.
    #[n(1)]
    pub output: u64,
    /// Input read from a cache.
    #[n(2)]
    pub cached: u64,
    /// Input written to a cache that keeps it for minutes.
    #[n(3)]
    pub written: u64,
    /// Input written to a cache that keeps it for an hour.
    #[n(4)]
    pub written_long: u64,
    /// Input that is images.
    #[n(5)]
    pub image: u64,
    /// Input that is sound.
    #[n(6)]
    pub sound_in: u64,
    /// Output that is reasoning.
    #[n(7)]
    pub reasoning: u64,
    /// Output that is sound.
    #[n(8)]
    pub sound_out: u64,
}

impl TokenCounts {
    /// Input and output together.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    fn input_parts(&self) -> [u64; 5] {
        [
            self.cached,
            self.written,
            self.written_long,
            self.image,
            self.sound_in,
        ]
    }

    fn output_parts(&self) -> [u64; 2] {
        [self.reasoning, self.sound_out]
    }

    /// Refuses counts whose parts are more than their whole, and ones that no call comes to.
    ///
    /// # Errors
    /// [`Code::BadUsage`].
    pub fn check(&self) -> Result<(), Rejection> {
        let wrong = |what: &str, whole: u64, parts: &[u64]| {
            let sum: u128 = parts.iter().copied().map(u128::from).sum();
            let detail = format!("{sum} of {whole} tokens of {what}");
            (sum > u128::from(whole)).then(|| Rejection::new(Code::BadUsage, detail))
        };
        let most = limits::WORK_AT_ONCE / 2;
        if self.input > most || self.output > most {
            let detail = format!("at most {most} tokens of input, and of output");
            return Err(Rejection::new(Code::BadUsage, detail));
        }
        let input = wrong("input", self.input, &self.input_parts());
        let output = wrong("output", self.output, &self.output_parts());
        input.or(output).map_or(Ok(()), Err)
    }
}

/// Prices of a token by its kind, in pico-units. A kind without a price of its own costs what its whole
/// does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rates {
    /// Input.
    #[n(0)]
    pub input: u64,
    /// Output.
    #[n(1)]
    pub output: u64,
    /// Input read from a cache.
    #[n(2)]
    pub cached: Option<u64>,
    /// Input written to a cache for minutes.
    #[n(3)]
    pub written: Option<u64>,
    /// Input written to a cache for an hour.
    #[n(4)]
    pub written_long: Option<u64>,
    /// Images.
    #[n(5)]
    pub image: Option<u64>,
    /// Sound that is read.
    #[n(6)]
    pub sound_in: Option<u64>,
    /// Reasoning.
    #[n(7)]
    pub reasoning: Option<u64>,
    /// Sound that is made.
    #[n(8)]
    pub sound_out: Option<u64>,
}

impl Rates {
    fn of_input(&self) -> [u64; 5] {
        [
            self.cached,
            self.written,
            self.written_long,
            self.image,
            self.sound_in,
        ]
        .map(|own| own.unwrap_or(self.input))
    }

    fn of_output(&self) -> [u64; 2] {
        [self.reasoning, self.sound_out].map(|own| own.unwrap_or(self.output))
    }

    /// What tokens cost, kind by kind. Their parts are within their whole.
    fn lines(&self, tokens: &TokenCounts) -> [BillLine; 9] {
        let apart =
            |whole: u64, parts: &[u64]| parts.iter().fold(whole, |n, p| n.saturating_sub(*p));
        let [cached, written, written_long, image, sound_in] = tokens.input_parts();
        let [reasoning, sound_out] = tokens.output_parts();
        let [of_cached, of_written, of_long, of_image, of_sound] = self.of_input();
        let [of_reasoning, of_sound_out] = self.of_output();
        let read = apart(tokens.input, &tokens.input_parts());
        let made = apart(tokens.output, &tokens.output_parts());
        [
            ("input", read, self.input),
            ("cached", cached, of_cached),
            ("written", written, of_written),
            ("written_long", written_long, of_long),
            ("image", image, of_image),
            ("sound_in", sound_in, of_sound),
            ("output", made, self.output),
            ("reasoning", reasoning, of_reasoning),
            ("sound_out", sound_out, of_sound_out),
        ]
        .map(|(kind, quantity, price)| BillLine {
            kind,
            quantity,
            price,
        })
    }

    /// The most that so much input and output can cost, of whatever kinds they turn out to be.
    fn most(&self, input: u64, output: u64) -> i128 {
        let dearest = |price: u64, own: &[u64]| own.iter().copied().fold(price, u64::max);
        i128::from(input) * i128::from(dearest(self.input, &self.of_input()))
            + i128::from(output) * i128::from(dearest(self.output, &self.of_output()))
    }
}

/// Prices for calls with long input: they are for all tokens of such a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LongInput {
    /// They are for calls with more tokens of input than this.
    #[n(0)]
    pub above: u64,
    /// The prices.
    #[n(1)]
    pub rates: Rates,
}

/// What one kind of token adds to the cost of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// The kind, as [`RatesSpec`] calls it; `input` and `output` are what no other kind is, and `call` is
    /// what a call costs beside its tokens.
    pub kind: &'static str,
    /// How many.
    pub quantity: u64,
    /// What one costs, in pico-units.
    pub price: u64,
}

impl BillLine {
    /// What they cost together, in pico-units.
    #[must_use]
    pub fn pico(&self) -> i128 {
        i128::from(self.quantity) * i128::from(self.price)
    }
}

/// What a call costs, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// What it is for, without what there was none of.
    pub lines: Vec<BillLine>,
    /// The sum of the lines, in pico-units.
    pub pico: i128,
    /// The sum in the asset's smallest unit, rounded up.
    pub total: Amount,
}

/// What calls cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prices {
    /// Prices of tokens.
    #[n(0)]
    pub rates: Rates,
    /// Prices for calls with long input, the shortest first.
    #[n(1)]
    pub steps: Vec<LongInput>,
    /// What each call costs beside its tokens, in pico-units.
    #[n(2)]
    pub a_call: u64,
}

impl Prices {
    fn rates_for(&self, input: u64) -> &Rates {
        let step = self.steps.iter().rev().find(|step| input > step.above);
        step.map_or(&self.rates, |step| &step.rates)
    }

    /// What a call with these tokens costs in an asset of this scale, line by line. What each call costs
    /// beside its tokens is for one that was answered, or of which tokens were used.
    ///
    /// # Errors
    /// [`Code::Overflow`] when it is more than an account can hold.
    pub fn bill(&self, tokens: &TokenCounts, answered: bool, scale: u8) -> Result<Bill, Rejection> {
        let call = BillLine {
            kind: "call",
            quantity: u64::from(answered || tokens.sum() > 0),
            price: self.a_call,
        };
        let lines = self.rates_for(tokens.input).lines(tokens);
        let lines = || lines.iter().chain(core::iter::once(&call));
        let pico = lines().map(BillLine::pico).sum();
        Ok(Bill {
            total: rounded_up(pico, scale)?,
            pico,
            lines: lines().filter(|line| line.quantity > 0).copied().collect(),
        })
    }

    /// What an answered call with these tokens costs in an asset of this scale.
    ///
    /// # Errors
    /// As [`bill`](Self::bill).
    pub fn cost(&self, tokens: &TokenCounts, scale: u8) -> Result<Amount, Rejection> {
        Ok(self.bill(tokens, true, scale)?.total)
    }

    /// The most that a call with at most so much input and output can cost: at the dearest rate that it
    /// can come to.
    ///
    /// # Errors
    /// [`Code::Overflow`] when it is more than an account can hold.
    pub fn most(&self, input: u64, output: u64, scale: u8) -> Result<Amount, Rejection> {
        let steps = self.steps.iter().filter(|step| input > step.above);
        let rates = core::iter::once(&self.rates).chain(steps.map(|step| &step.rates));
        let most = rates.map(|rates| rates.most(input, output)).max();
        rounded_up(most.unwrap_or_default() + i128::from(self.a_call), scale)
    }
}

/// Pico-units of an asset in its smallest units, rounded up.
fn rounded_up(pico: i128, scale: u8) -> Result<Amount, Rejection> {
    let too_much = || Rejection::from(Code::Overflow);
    let power = |digits: u8| 10_i128.checked_pow(u32::from(digits)).ok_or_else(too_much);
    let units = match scale.checked_sub(PICO_SCALE) {
        Some(more) => pico.checked_mul(power(more)?).ok_or_else(too_much)?,
        None => {
            let unit = power(PICO_SCALE - scale)?;
            pico / unit + i128::from(pico % unit > 0)
        }
    };
    match units <= crate::amount::MAX {
        true => Ok(Amount(units)),
        false => Err(too_much()),
    }
}

/// Prices of a million tokens by their kind, in whole units of the asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RatesSpec {
    /// Input.
    pub input: Decimal,
    /// Output.
    pub output: Decimal,
    /// Input read from a cache; what is not named costs what all input does.
    #[serde(default)]
    pub cached: Option<Decimal>,
    /// Input written to a cache for minutes.
    #[serde(default)]
    pub written: Option<Decimal>,
    /// Input written to a cache for an hour.
    #[serde(default)]
    pub written_long: Option<Decimal>,
    /// Images.
    #[serde(default)]
    pub image: Option<Decimal>,
    /// Sound that is read.
    #[serde(default)]
    pub sound_in: Option<Decimal>,
    /// Reasoning; what is not named costs what all output does.
    #[serde(default)]
    pub reasoning: Option<Decimal>,
    /// Sound that is made.
    #[serde(default)]
    pub sound_out: Option<Decimal>,
}

/// Prices for calls with long input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LongInputSpec {
    /// They are for all tokens of calls with more input than this.
    pub above: u64,
    /// The prices of a million tokens.
    pub prices: RatesSpec,
}

/// What calls cost, as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PricesSpec {
    /// The prices of a million tokens.
    pub per_million: RatesSpec,
    /// Other prices for calls with long input, the shortest first.
    #[serde(default)]
    pub steps: Vec<LongInputSpec>,
    /// What each call costs beside its tokens, in whole units.
    #[serde(default)]
    pub a_call: Option<Decimal>,
    /// Says that prices which look like a slip are meant.
    #[serde(default)]
    pub sure: bool,
}

impl PricesSpec {
    /// The prices that are meant.
    ///
    /// # Errors
    /// [`Code::BadPrice`] for a price that is negative, too large or too precise, and for steps that do not
    /// rise; [`Code::UnlikelyPrice`] for one that looks like a slip.
    pub fn read(&self) -> Result<Prices, Rejection> {
        let bad = |what: &str| Rejection::new(Code::BadPrice, what);
        let most = limits::PRICE_STEPS;
        if self.steps.len() > most {
            return Err(bad(&format!("at most {most} steps")));
        }
        if !self.steps.is_sorted_by(|one, next| one.above < next.above) {
            return Err(bad(
                "each step must be for longer input than the one before",
            ));
        }
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let rates = self.rates(&step.prices)?;
            steps.push(LongInput {
                above: step.above,
                rates,
            });
        }
        let a_call = self.a_call.map_or(Ok(0), |price| {
            let units = price
                .amount(PICO_SCALE)
                .map_err(|why| bad(&format!("a_call: {why}")))?;
            u64::try_from(units.0).map_err(|_| bad("a_call: 0 to 18446744"))
        })?;
        Ok(Prices {
            rates: self.rates(&self.per_million)?,
            steps,
            a_call,
        })
    }

    fn rates(&self, spec: &RatesSpec) -> Result<Rates, Rejection> {
        let price = |name: &str, price: Decimal| self.price(name, price);
        let own = |name: &str, own: Option<Decimal>| own.map(|p| price(name, p)).transpose();
        Ok(Rates {
            input: price("input", spec.input)?,
            output: price("output", spec.output)?,
            cached: own("cached", spec.cached)?,
            written: own("written", spec.written)?,
            written_long: own("written_long", spec.written_long)?,
            image: own("image", spec.image)?,
            sound_in: own("sound_in", spec.sound_in)?,
            reasoning: own("reasoning", spec.reasoning)?,
            sound_out: own("sound_out", spec.sound_out)?,
        })
    }

    fn price(&self, name: &str, price: Decimal) -> Result<u64, Rejection> {
        let bad = |why: &str| Rejection::new(Code::BadPrice, format!("{name}: {why}"));
        let units = price.amount(PER_MILLION_SCALE);
        let units = units.map_err(|why| bad(&format!("{why}")))?.0;
        if !(0..=limits::PRICE_PICO).contains(&units) {
            return Err(bad("0 to 1000000 a million tokens"));
        }
        let likely = units == 0 || (LEAST_LIKELY..=MOST_LIKELY).contains(&units);
        if !likely && !self.sure {
            let detail = format!("{name}: {} a million tokens", price.text());
            return Err(Rejection::new(Code::UnlikelyPrice, detail));
        }
        u64::try_from(units).map_err(|_| bad("0 to 1000000 a million tokens"))
    }
}
