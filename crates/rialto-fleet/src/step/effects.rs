//! Which calibration effects apply to a deployment.
//!
//! An effect is one fitted number under a readable key, such as `layers|engine=vllm`. It scales
//! one term of the roofline, or all of them, by its exponential. Effects go from broad (engine,
//! chip) to narrow (this model on this chip under this engine); the fit shrinks narrow ones
//! towards zero, so that a combination never measured gets what its broad parts teach.

use super::{Deployment, Engine, Term};
use crate::catalogue::{Attention, Compute, Model};

/// What an effect scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Every term.
    All,
    /// One term.
    Term(Term),
}

impl On {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Term(term) => term.name(),
        }
    }
}

/// One effect that applies: its key, what it scales, how strongly it applies and how far from zero
/// it is expected to be (the standard deviation of its prior).
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The key in the parameter file.
    pub key: String,
    /// What it scales.
    pub on: On,
    /// The fitted number is multiplied with this: 1, or a covariate.
    pub value: f64,
    /// Standard deviation of its prior.
    pub spread: f64,
}

/// What the keys of a deployment are made of.
struct Labels<'a> {
    model: &'a str,
    family: &'static str,
    chip: &'a str,
    generation: String,
    engine: &'static str,
    precision: &'a str,
    emulated: bool,
}

impl<'a> Labels<'a> {
    fn of(d: &'a Deployment) -> Self {
        let wanted = d.precision.compute;
        // A four-bit checkpoint on a chip without four-bit arithmetic is unpacked on the way.
        let narrow = d.precision.expert_bits < 6.0 && d.chip.fp4_tflops.is_none();
        let emulated = narrow || (wanted != Compute::Fp4 && d.chip.flops(wanted).1 != wanted);
        Self {
            model: &d.model.name,
            family: family(&d.model),
            chip: &d.chip.name,
            generation: generation(&d.chip.name, &d.chip.vendor),
            engine: d.engine.name(),
            precision: &d.precision.name,
            emulated,
        }
    }
}

/// The kind of architecture, which decides the kernels an engine runs.
#[must_use]
pub fn family(m: &Model) -> &'static str {
    let recurrent = m.full_attention_layers() < m.layers && m.window_tokens() == 0;
    match (&m.attention, &m.moe) {
        (Attention::Latent { .. }, _) => "latent",
        (_, Some(_)) if recurrent => "recurrent",
        (_, Some(_)) => "experts",
        _ => "dense",
    }
}

/// Chips that share one architecture.
fn generation(chip: &str, vendor: &str) -> String {
    let named = |names: &[&str]| names.iter().any(|n| chip.starts_with(n));
    if named(&["h100", "h200"]) {
        "hopper".to_owned()
    } else if named(&["b200", "b300", "gb200", "gb300"]) {
        "blackwell".to_owned()
    } else {
        vendor.to_ascii_lowercase()
    }
}

/// Collects effects under keys `target|name=value`.
#[derive(Default)]
struct Collector {
    effects: Vec<Effect>,
}

impl Collector {
    fn add(&mut self, on: On, spread: f64, value: f64, key: &str) {
        let key = format!("{}|{key}", on.name());
        self.effects.push(Effect {
            key,
            on,
            value,
            spread,
        });
    }

    fn all(&mut self, spread: f64, key: &str) {
        self.add(On::All, spread, 1.0, key);
    }

    fn term(&mut self, term: Term, spread: f64, key: &str) {
        self.add(On::Term(term), spread, 1.0, key);
    }
}

/// The effects that apply to a deployment, broad ones first.
#[must_use]
pub fn effects(d: &Deployment) -> Vec<Effect> {
    let l = Labels::of(d);
    let mut c = Collector::default();
    overall(&mut c, d, &l);
    per_term(&mut c, d, &l);
    group(&mut c, d, &l);
    c.effects
}

fn overall(c: &mut Collector, d: &Deployment, l: &Labels<'_>) {
    let Labels {
        model,
        family,
        chip,
        generation,
        engine,
        precision,
        emulated,
    } = l;
    c.all(0.15, &format!("engine={engine}"));
    c.all(0.10, &format!("chip={chip}"));
    c.all(0.10, &format!("generation={generation}"));
    c.all(0.10, &format!("precision={precision}"));
    c.all(0.10, &format!("family={family}"));
    c.all(0.085, &format!("model={model}"));
    c.all(0.085, &format!("engine={engine},model={model}"));
    c.all(0.12, &format!("engine={engine},family={family}"));
    c.all(0.10, &format!("engine={engine},generation={generation}"));
    c.all(0.08, &format!("family={family},generation={generation}"));
    c.all(
        0.10,
        &format!("generation={generation},precision={precision}"),
    );
    c.all(0.10, &format!("chip={chip},precision={precision}"));
    c.all(0.07, &format!("model={model},precision={precision}"));
    c.all(
        0.10,
        &format!("engine={engine},family={family},precision={precision}"),
    );
    if *emulated {
        c.all(0.25, "emulated");
        c.all(0.25, &format!("emulated,engine={engine}"));
    }
    if d.plan.data > 1 {
        c.all(0.15, &format!("data-parallel,engine={engine}"));
    }
    if d.plan.expert > 1 {
        c.all(0.08, &format!("expert-parallel,engine={engine}"));
    }
    let doublings = libm::log2(f64::from(d.plan.stage_chips().max(1))) - 2.0;
    c.add(On::All, 0.035, doublings, &format!("chips,model={model}"));
    c.add(On::All, 0.05, doublings, &format!("chips,engine={engine}"));
}

fn per_term(c: &mut Collector, d: &Deployment, l: &Labels<'_>) {
    let Labels {
        model,
        family,
        chip,
        generation,
        engine,
        precision,
        emulated,
    } = l;
    for key in [
        format!("chip={chip}"),
        format!("engine={engine}"),
        format!("precision={precision}"),
        format!("family={family}"),
    ] {
        c.term(Term::Weights, 0.2, &key);
        c.term(Term::Prefill, 0.25, &key);
        c.term(Term::Experts, 0.2, &key);
    }
    let of_model = format!("model={model}");
    for (term, spread) in [
        (Term::Weights, 0.14),
        (Term::Prefill, 0.175),
        (Term::Experts, 0.14),
        (Term::Cache, 0.175),
        (Term::Sequences, 0.175),
        (Term::Layers, 0.21),
    ] {
        c.term(term, spread, &of_model);
    }
    c.term(
        Term::Experts,
        0.2,
        &format!("generation={generation},precision={precision}"),
    );
    // Kernels of experts are written for an engine, a generation and a number format.
    c.term(
        Term::Experts,
        0.2,
        &format!("engine={engine},generation={generation},precision={precision}"),
    );
    c.term(
        Term::Prefill,
        0.25,
        &format!("generation={generation},precision={precision}"),
    );
    c.term(
        Term::Prefill,
        0.25,
        &format!("chip={chip},precision={precision}"),
    );
    for key in [format!("engine={engine}"), format!("family={family}")] {
        c.term(Term::Cache, 0.25, &key);
        c.term(Term::Sequences, 0.25, &key);
    }
    for key in [
        format!("engine={engine}"),
        format!("generation={generation}"),
        format!("chip={chip}"),
        format!("engine={engine},chip={chip}"),
        format!("engine={engine},precision={precision}"),
        format!("family={family},generation={generation}"),
    ] {
        c.term(Term::Layers, 0.3, &key);
    }
    c.term(
        Term::Layers,
        0.45,
        &format!("engine={engine},family={family}"),
    );
    c.term(Term::Layers, 0.375, &format!("precision={precision}"));
    c.term(
        Term::Layers,
        0.21,
        &format!("engine={engine},model={model}"),
    );
    c.term(
        Term::Layers,
        0.225,
        &format!("engine={engine},generation={generation}"),
    );
    if *emulated {
        c.term(Term::Layers, 0.45, "emulated");
        c.term(Term::Experts, 0.3, "emulated");
    }
    c.term(Term::Link, 0.6, &format!("engine={engine}"));
    c.term(Term::Link, 0.45, &format!("chip={chip}"));
    c.term(Term::Link, 0.45, &format!("generation={generation}"));
    // Data-parallel attention sends tokens to their experts, other plans sum up over all chips.
    let exchange = if d.plan.data > 1 { "dispatch" } else { "sum" };
    c.term(
        Term::Link,
        0.6,
        &format!("engine={engine},exchange={exchange}"),
    );
    c.term(Term::Collectives, 0.25, &format!("engine={engine}"));
    c.term(Term::Collectives, 0.25, &format!("chip={chip}"));
    c.term(Term::Fixed, 0.25, &format!("engine={engine}"));
    c.term(Term::Compute, 0.25, &format!("chip={chip}"));
    c.term(Term::Compute, 0.25, &format!("precision={precision}"));
}

/// The key of a scale that belongs to a deployment's model, chip, engine and number format alone.
#[must_use]
pub fn group_key(on: On, d: &Deployment) -> String {
    format!("{}|{}", on.name(), group_name(&Labels::of(d)))
}

fn group_name(l: &Labels<'_>) -> String {
    let Labels {
        model,
        chip,
        engine,
        precision,
        ..
    } = l;
    format!("model={model},chip={chip},engine={engine},precision={precision}")
}

/// What is special about one measured combination; zero for every other.
fn group(c: &mut Collector, d: &Deployment, l: &Labels<'_>) {
    let group = group_name(l);
    c.all(0.1, &group);
    let doublings = libm::log2(f64::from(d.plan.stage_chips().max(1))) - 2.0;
    c.add(On::All, 0.03, doublings, &format!("chips,{group}"));
    for (term, spread) in [
        (Term::Prefill, 0.15),
        (Term::Layers, 0.1),
        (Term::Weights, 0.1),
        (Term::Sequences, 0.15),
        (Term::Experts, 0.1),
        (Term::Cache, 0.1),
    ] {
        c.term(term, spread, &group);
    }
    if d.engine == Engine::Neuron {
        c.all(0.3, &format!("engine=neuron,chips={}", d.plan.chips()));
    }
}
