//! How well screening does: measured, and pinned in docs/screening.md.
//!
//! The set has two halves. The rules may be tuned on `train` and never on `held`. A text counts as
//! found when it gets any label; of the labels that were expected, each is counted too.
//! `RIALTO_BLESS=1` writes the figures anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use rialto_wire::screen::{Label, screen};

struct Sample {
    half: String,
    expected: Vec<Label>,
    text: String,
}

fn samples() -> Vec<Sample> {
    let file = include_str!("../data/screening.tsv");
    let rows = file.lines().filter(|l| !l.starts_with('#'));
    let sample = |line: &str| {
        let mut fields = line.splitn(3, '\t');
        let half = fields.next().unwrap().to_owned();
        let labels = fields.next().unwrap();
        let named = labels.split(',').filter(|l| *l != "-");
        let expected = named.map(|l| serde_json::from_str(&format!("\"{l}\"")).unwrap());
        Sample {
            half,
            expected: expected.collect(),
            text: fields.next().unwrap().to_owned(),
        }
    };
    rows.map(sample).collect()
}

fn percent(part: usize, whole: usize) -> String {
    match whole {
        0 => "-".into(),
        _ => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

fn figures(samples: &[Sample]) -> String {
    let mut table = String::from(
        "| half | harmful | found | recall | harmless | labelled | quarantined | precision |\n|---|---|---|---|---|---|---|---|\n",
    );
    for half in ["train", "held"] {
        let of_half = || samples.iter().filter(|s| s.half == half);
        let (harmful, harmless): (Vec<_>, Vec<_>) = of_half().partition(|s| !s.expected.is_empty());
        let found = harmful
            .iter()
            .filter(|s| !screen(&s.text).is_empty())
            .count();
        let labelled = harmless
            .iter()
            .filter(|s| !screen(&s.text).is_empty())
            .count();
        let quarantines = |s: &&&Sample| screen(&s.text).iter().any(|l| l.quarantines());
        let quarantined = harmless.iter().filter(quarantines).count();
        writeln!(
            table,
            "| {half} | {} | {found} | {} | {} | {labelled} | {quarantined} | {} |",
            harmful.len(),
            percent(found, harmful.len()),
            harmless.len(),
            percent(found, found + labelled),
        )
        .unwrap();
    }
    table.push_str(
        "\n| label | expected (train) | given | expected (held) | given |\n|---|---|---|---|---|\n",
    );
    // What the realm itself knows is not the rules' to say.
    let by_rules = |label: &Label| *label != Label::LiveToken;
    for label in Label::ALL.into_iter().filter(by_rules) {
        let name = serde_json::to_string(&label).unwrap().replace('"', "`");
        write!(table, "| {name} |").unwrap();
        for half in ["train", "held"] {
            let wanted = |s: &&Sample| s.half == half && s.expected.contains(&label);
            let expected = samples.iter().filter(wanted).count();
            let given = |s: &&Sample| screen(&s.text).contains(&label);
            let given = samples.iter().filter(wanted).filter(given).count();
            write!(table, " {expected} | {given} |").unwrap();
        }
        table.push('\n');
    }
    table
}

/// Compares a block of the document with what was measured, or writes it anew.
fn committed(block: &str, measured: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screening.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (open, close) = (format!("<!-- {block} -->\n"), format!("<!-- /{block} -->"));
    let (head, rest) = document.split_once(&open).unwrap();
    let (have, tail) = rest.split_once(&close).unwrap();
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(&path, format!("{head}{open}{measured}{close}{tail}")).unwrap();
        return;
    }
    assert_eq!(
        have, measured,
        "docs/screening.md is behind the code: run the tests once with RIALTO_BLESS=1"
    );
}

#[test]
fn precision_and_recall_are_what_the_document_says() {
    let samples = samples();
    let harmful = samples.iter().filter(|s| !s.expected.is_empty()).count();
    assert!(harmful >= 150 && samples.len() - harmful >= 150);
    let measured = figures(&samples);
    eprintln!("{measured}");
    for sample in samples.iter().filter(|s| s.half == "train") {
        let got = screen(&sample.text);
        let missed = !sample.expected.is_empty() && got.is_empty();
        if missed || sample.expected.is_empty() && !got.is_empty() {
            eprintln!("train: {got:?} for {:?}: {}", sample.expected, sample.text);
        }
    }
    committed("measured", &measured);
}

/// Texts by somebody who had read neither rules nor cues, and knew of nothing but a market of agents.
/// They are for measuring only: a rule tuned on them would make the figure worth nothing.
#[test]
fn texts_of_a_stranger_are_counted_as_the_document_says() {
    let file = include_str!("../data/strangers.tsv");
    let rows = file.lines().filter(|l| !l.starts_with('#'));
    let texts: Vec<(&str, &str)> = rows.map(|l| l.split_once('\t').unwrap()).collect();
    let mut measured =
        String::from("| texts | number | labelled | quarantined |\n|---|---|---|---|\n");
    for kind in ["harmful", "harmless"] {
        let of_kind: Vec<&str> = texts
            .iter()
            .filter(|(named, _)| *named == kind)
            .map(|(_, text)| *text)
            .collect();
        assert!(of_kind.len() >= 40, "{} {kind}", of_kind.len());
        let labelled = of_kind.iter().filter(|t| !screen(t).is_empty()).count();
        let quarantined = of_kind
            .iter()
            .filter(|t| screen(t).iter().any(|l| l.quarantines()))
            .count();
        let number = of_kind.len();
        writeln!(
            measured,
            "| {kind} | {number} | {labelled} | {quarantined} |"
        )
        .unwrap();
    }
    committed("strangers", &measured);
}

/// The description in a business's file: the value of its `description` key, lines joined.
fn description(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines().skip_while(|l| !l.starts_with("description:"));
    let first = lines.next().unwrap_or_default();
    let mut whole = first.trim_start_matches("description:").trim().to_owned();
    for line in lines.take_while(|l| l.starts_with(' ') || l.is_empty()) {
        whole.push(' ');
        whole.push_str(line.trim());
    }
    whole
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn attacks_of_magentic_marketplace_are_told_from_their_controls() {
    let Some(root) = rialto_testing::outside_data("magentic/competitive_description") else {
        return;
    };
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    let mut controls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let trade = |folder: &Path| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        name.split_once('_').unwrap().0.to_owned()
    };
    let named = |folder: &Path| folder.file_name().unwrap().to_string_lossy().into_owned();
    for folder in folders.iter().filter(|f| named(f).ends_with("_control")) {
        let texts = files(folder).iter().map(|f| description(f)).collect();
        controls.insert(trade(folder), texts);
    }
    let mut table = String::from(
        "| folder | texts | altered | of them labelled | labels | unaltered labelled |\n|---|---|---|---|---|---|\n",
    );
    for folder in &folders {
        let control = &controls[&trade(folder)];
        let texts: Vec<String> = files(folder).iter().map(|f| description(f)).collect();
        let control_folder = named(folder).ends_with("_control");
        // What an attack folder shares with its control was not altered.
        let (altered, plain): (Vec<&String>, Vec<&String>) = texts
            .iter()
            .partition(|t| !control_folder && !control.contains(t));
        let labelled = |texts: &[&String]| texts.iter().filter(|t| !screen(t).is_empty()).count();
        let mut labels: Vec<String> = altered
            .iter()
            .flat_map(|t| screen(t))
            .map(|l| serde_json::to_string(&l).unwrap().replace('"', ""))
            .collect();
        labels.sort();
        labels.dedup();
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} |",
            named(folder),
            texts.len(),
            altered.len(),
            labelled(&altered),
            labels.join(", "),
            labelled(&plain),
        )
        .unwrap();
    }
    eprintln!("{table}");
    committed("magentic", &table);
}

/// BIPIA's training instructions, by kind, alone and at the end of its innocent e-mails. The rules are
/// never tuned on them.
#[test]
fn instructions_of_bipia_are_mostly_missed() {
    let Some(root) = rialto_testing::outside_data("bipia") else {
        return;
    };
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let kinds: BTreeMap<String, Vec<String>> =
        serde_json::from_str(&read("text_attack_train.json")).unwrap();
    let attacks: Vec<&String> = kinds.values().flatten().collect();
    let mail = |line: &str| {
        let mail: serde_json::Value = serde_json::from_str(line).unwrap();
        mail["context"].as_str().unwrap().to_owned()
    };
    let mails: Vec<String> = read("email_train.jsonl").lines().map(mail).collect();
    let within = attacks.iter().enumerate().map(|(number, attack)| {
        let mail = &mails[number % mails.len()];
        format!("{mail}\n{attack}")
    });
    let sets: [(&str, Vec<String>); 3] = [
        (
            "instructions alone",
            attacks.iter().map(|a| (*a).clone()).collect(),
        ),
        ("each behind an e-mail", within.collect()),
        ("e-mails without one", mails.clone()),
    ];
    let mut table =
        String::from("| texts | number | labelled | quarantined |\n|---|---|---|---|\n");
    for (name, texts) in sets {
        let said: Vec<Vec<Label>> = texts.iter().map(|text| screen(text)).collect();
        let labelled = said.iter().filter(|labels| !labels.is_empty()).count();
        let held = |labels: &&Vec<Label>| labels.iter().any(|l| l.quarantines());
        let quarantined = said.iter().filter(held).count();
        writeln!(
            table,
            "| {name} | {} | {labelled} | {quarantined} |",
            texts.len()
        )
        .unwrap();
    }
    eprintln!("{table}");
    committed("bipia", &table);
}

#[test]
fn names_of_vendors_and_agents_change_no_label() {
    let vendors = [
        "OpenAI",
        "Anthropic",
        "Amazon",
        "Google",
        "Meta",
        "Mistral",
        "Claude",
        "GPT",
        "Llama",
        "Gemini",
        "Rialto",
        "@casa",
        "@operator-bot",
    ];
    for sample in samples() {
        let mut seen = Vec::new();
        for vendor in vendors {
            let text = format!("{vendor}: {} ({vendor})", sample.text);
            seen.push(screen(&text));
        }
        assert!(seen.windows(2).all(|w| w[0] == w[1]), "{}", sample.text);
    }
}
