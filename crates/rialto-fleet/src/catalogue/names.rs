//! Matches the different names that people and benchmarks use for the same thing.

use super::Model;

/// Lower case letters and digits only, so that `Llama-3.1_8B` and `llama3.1-8b` agree.
pub(super) fn normal(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The entry whose name or alias agrees with `name` after normalisation.
pub(super) fn find<'a, T>(
    entries: &'a [T],
    name: &str,
    names: impl Fn(&T) -> (&String, &[String]),
) -> Option<&'a T> {
    let wanted = normal(name);
    if wanted.is_empty() {
        return None;
    }
    entries.iter().find(|entry| {
        let (name, aliases) = names(entry);
        normal(name) == wanted || aliases.iter().any(|a| normal(a) == wanted)
    })
}

/// Endings that change the number format or the tuning of a model, never its architecture.
const VARIANTS: [&str; 18] = [
    "instruct",
    "chat",
    "hf",
    "base",
    "it",
    "fp8",
    "fp4",
    "nvfp4",
    "mxfp4",
    "bf16",
    "awq",
    "gptq",
    "int4",
    "int8",
    "fp8dynamic",
    "v1",
    "v2",
    "dynamic",
];

/// The model of this name: exactly; without its organisation; without variant endings.
pub(super) fn find_model<'a>(models: &'a [Model], name: &str) -> Option<&'a Model> {
    let bare = name.rsplit('/').next().unwrap_or(name);
    find(models, name, |m| (&m.name, &m.aliases)).or_else(|| {
        let wanted = architecture(bare);
        models.iter().find(|m| {
            architecture(&m.name) == wanted
                || m.aliases
                    .iter()
                    .any(|a| architecture(a.rsplit('/').next().unwrap_or(a)) == wanted)
        })
    })
}

fn architecture(name: &str) -> String {
    let mut parts: Vec<String> = name
        .split(['-', '_', ' '])
        .map(normal)
        .filter(|p| !p.is_empty())
        .collect();
    while parts.len() > 1 && parts.last().is_some_and(|p| is_variant(p)) {
        parts.pop();
    }
    if parts.first().is_some_and(|p| p == "meta") {
        parts.remove(0);
    }
    parts.concat()
}

/// A known variant ending, or a date of four digits (`-2507`).
fn is_variant(part: &str) -> bool {
    VARIANTS.contains(&part) || (part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit()))
}
