//! Fills in how published runs with separate prefill and decode engines were configured, where a row does
//! not say.
//!
//! Such runs walk through ladders of configurations that the engines' makers publish. Rows that name every
//! degree and the number of engines show how the ladders are built; the rules here are derived from them
//! and fill in what other rows leave out. They never look at a measured time.

use super::point::{Replica, Serving};
use rialto_fleet::catalogue::Precision;
use rialto_fleet::step::Engine;

/// Sequences on one decode engine from which its attention runs data-parallel.
const DATA_PARALLEL_BATCH: f64 = 128.0;

/// How many decode engines a run had, where its row does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ladder {
    /// The engine.
    engine: Engine,
    /// The chips stand in racks that are one scale-up domain.
    rack: bool,
    /// Weights of four bits.
    four_bit: bool,
    /// Prompts of some thousand tokens.
    long: bool,
    /// Requests in flight.
    concurrency: f64,
}

/// Prompts longer than this are long.
const LONG_INPUT_TOKENS: f64 = 4096.0;

impl Ladder {
    /// What is known of a run before its plan.
    pub(crate) fn new(
        engine: Engine,
        chip: &str,
        precision: &Precision,
        input_tokens: f64,
        concurrency: f64,
    ) -> Self {
        Self {
            engine,
            rack: chip.starts_with("gb"),
            four_bit: precision.expert_bits < 6.0,
            long: input_tokens > LONG_INPUT_TOKENS,
            concurrency,
        }
    }

    /// A decode engine whose row gives its chips, but neither the number of engines nor, reliably, how
    /// attention is divided: wide engines on racks and engines with many sequences run attention
    /// data-parallel. Experts are spread over all chips where a row spreads any.
    pub(crate) fn completed(&self, prefill: Replica, decode: Replica) -> Replica {
        let wide = self.rack && decode.chips >= 16;
        let batch = self.concurrency / self.narrow_workers(prefill, decode.chips);
        let many = decode.chips >= 4 && batch >= DATA_PARALLEL_BATCH;
        let spread = prefill.expert > 1 || decode.expert > 1;
        Replica {
            expert: if spread { decode.chips } else { decode.expert },
            data: decode.data || wide || many,
            ..decode
        }
    }

    /// Decode engines of the run.
    pub(crate) fn workers(&self, prefill: Replica, decode: Replica) -> f64 {
        if self.rack && decode.chips >= 16 {
            return 1.0;
        }
        if decode.data {
            return if self.concurrency >= 600.0 { 2.0 } else { 1.0 };
        }
        self.narrow_workers(prefill, decode.chips)
    }

    /// Decode engines without data-parallel attention. The ladders give each of them the same
    /// number of sequences, so the number of engines divides the concurrency.
    fn narrow_workers(&self, prefill: Replica, chips: u32) -> f64 {
        let at = self.concurrency;
        let fives = at % 5.0 == 0.0 && (chips < 8 || at % 4.0 != 0.0);
        let most = match (self.engine, chips) {
            (Engine::TrtLlm, 16..) if at <= 60.0 => 3.0,
            (Engine::TrtLlm, 16..) => 2.0,
            (_, 16..) => 1.0,
            _ if prefill.chips == 1 => 1.0,
            (Engine::TrtLlm, 4..) if fives => 5.0,
            (Engine::Sglang, _) if !self.four_bit => 1.0,
            (Engine::Sglang, _) if !self.long => 2.0,
            _ => 4.0,
        };
        at.clamp(1.0, most)
    }
}

/// The division of a rack for a row that gives only the chips of all engines together (1 if not even
/// those): prefill engines of four chips, and the remaining chips for decode.
pub(crate) fn divided(engine: Engine, chips: u32, concurrency: f64) -> Serving {
    let known = chips > 1;
    let left = if known { chips.saturating_sub(4) } else { 32 };
    let narrow = match engine {
        Engine::Sglang => concurrency <= 128.0 && left <= 32,
        _ => concurrency <= 300.0 && left <= 32,
    };
    let decode = if narrow && engine == Engine::Sglang {
        Replica {
            chips: 4,
            expert: 1,
            data: false,
        }
    } else if narrow {
        Replica {
            chips: 8,
            expert: 8,
            data: false,
        }
    } else {
        let chips = [32, 16, 8].into_iter().find(|c| *c <= left).unwrap_or(4);
        Replica {
            chips,
            expert: chips,
            data: true,
        }
    };
    let prefill = Replica {
        chips: 4,
        expert: 4,
        data: true,
    };
    Serving::Split {
        prefill,
        prefill_workers: None,
        decode,
        decode_workers: narrow
            .then(|| f64::from((left / decode.chips).clamp(1, 4)).min(concurrency)),
        total_chips: Some(chips),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ladder, divided};
    use crate::{Replica, Serving};
    use rialto_fleet::catalogue::Catalogue;
    use rialto_fleet::step::Engine;

    fn ladder(engine: Engine, chip: &str, precision: &str, input: f64, at: f64) -> Ladder {
        let catalogue = Catalogue::shipped().unwrap();
        Ladder::new(
            engine,
            chip,
            catalogue.precision(precision).unwrap(),
            input,
            at,
        )
    }

    fn tensor(chips: u32, expert: u32) -> Replica {
        Replica {
            chips,
            expert,
            data: false,
        }
    }

    /// Rows that name the number of engines, and what the rules say without it.
    #[test]
    fn the_rules_give_what_complete_rows_say() {
        let trt = Engine::TrtLlm;
        for (engine, chip, precision, input, at, prefill, decode, workers) in [
            (trt, "gb300_nvl72", "fp4", 1024.0, 48.0, 2, 8, 4.0),
            (trt, "gb300_nvl72", "fp4", 8192.0, 15.0, 2, 4, 5.0),
            (trt, "gb200_nvl72", "fp4", 1024.0, 55.0, 4, 4, 5.0),
            (trt, "h100_sxm", "fp8", 1024.0, 30.0, 16, 16, 3.0),
            (trt, "h100_sxm", "fp8", 8192.0, 154.0, 16, 16, 2.0),
            (trt, "b200_sxm", "fp8", 8192.0, 32.0, 8, 8, 4.0),
            (trt, "gb200_nvl72", "fp4", 1024.0, 512.0, 4, 32, 1.0),
            (
                Engine::Sglang,
                "gb200_nvl72",
                "fp4",
                1024.0,
                32.0,
                4,
                4,
                2.0,
            ),
            (Engine::Sglang, "gb200_nvl72", "fp4", 8192.0, 8.0, 4, 4, 4.0),
            (Engine::Sglang, "gb200_nvl72", "fp8", 1024.0, 8.0, 4, 4, 1.0),
        ] {
            let rules = ladder(engine, chip, precision, input, at);
            let found = rules.workers(tensor(prefill, 1), tensor(decode, 1));
            assert_eq!(found, workers, "{chip} {precision} {input} at {at}");
        }
    }

    #[test]
    fn wide_and_busy_engines_run_attention_data_parallel() {
        let wide = ladder(Engine::TrtLlm, "gb200_nvl72", "fp4", 1024.0, 512.0);
        let found = wide.completed(tensor(4, 4), tensor(16, 4));
        assert_eq!((found.expert, found.data), (16, true));
        let busy = ladder(Engine::TrtLlm, "b200_sxm", "fp8", 1024.0, 4096.0);
        assert!(busy.completed(tensor(8, 8), tensor(8, 8)).data);
        let calm = ladder(Engine::TrtLlm, "b200_sxm", "fp8", 1024.0, 32.0);
        let found = calm.completed(tensor(8, 1), tensor(8, 1));
        assert_eq!((found.expert, found.data), (1, false));
    }

    #[test]
    fn a_racks_total_is_divided_into_prefill_and_decode() {
        for (engine, chips, at, decode, workers) in [
            (Engine::TrtLlm, 36, 128.0, 8, Some(4.0)),
            (Engine::TrtLlm, 28, 12.0, 8, Some(3.0)),
            (Engine::TrtLlm, 36, 1075.0, 32, None),
            (Engine::TrtLlm, 20, 512.0, 16, None),
            (Engine::TrtLlm, 12, 4300.0, 8, None),
            (Engine::TrtLlm, 52, 128.0, 32, None),
            (Engine::Sglang, 20, 64.0, 4, Some(4.0)),
            (Engine::Sglang, 72, 128.0, 32, None),
            (Engine::TrtLlm, 1, 2.0, 8, Some(2.0)),
        ] {
            let Serving::Split {
                decode: found,
                decode_workers,
                total_chips,
                ..
            } = divided(engine, chips, at)
            else {
                panic!("one engine");
            };
            assert_eq!(total_chips, Some(chips));
            assert_eq!(
                (found.chips, decode_workers),
                (decode, workers),
                "{chips} at {at}"
            );
        }
    }
}
