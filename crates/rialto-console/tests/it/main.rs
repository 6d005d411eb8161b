//! What holds for every page, whatever stands in its model.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod fleet;
mod models;
mod square;

use rialto_console::form::Refused;
use rialto_console::pages::gate::Gate;
use rialto_console::shell::{Frame, Place, Theme, Viewer, page, refused};
use rialto_console::{Markup, assets};

use models::{EVIL, NOW, bodies};

/// A body in its whole page, with everything hostile that a frame may show.
fn framed(body: &Markup) -> String {
    let viewer = Viewer {
        name: EVIL.to_owned(),
        role: EVIL.to_owned(),
        waiting: 3,
        csrf: EVIL.to_owned(),
        runs_realm: true,
    };
    let frame = Frame {
        title: EVIL,
        place: Some(Place::Overview),
        realm: EVIL,
        position: 7,
        now: NOW,
        viewer: Some(&viewer),
        theme: Theme::Dark,
        address: EVIL,
    };
    page(&frame, body).into_string()
}

fn every_page() -> Vec<(&'static str, String)> {
    let problem = Refused {
        code: EVIL.into(),
        title: EVIL.into(),
        detail: EVIL.into(),
        hint: EVIL.into(),
    };
    let gate = Gate {
        realm: EVIL.into(),
        key: EVIL.into(),
        version: EVIL.into(),
        sign_up_open: true,
        refused: Some(problem.clone()),
        next: EVIL.into(),
    };
    let mut pages: Vec<_> = bodies()
        .iter()
        .map(|(name, body)| (*name, framed(body)))
        .collect();
    pages.push(("gate", framed(&gate.page())));
    pages.push(("refused", framed(&refused(&problem))));
    pages
}

/// The text between `<` and `>`, quotes respected, as a browser's tokenizer would cut it.
fn tags(html: &str) -> Vec<String> {
    let (mut tags, mut tag, mut quote) = (Vec::new(), None::<String>, None::<char>);
    for letter in html.chars() {
        match (&mut tag, quote, letter) {
            (None, _, '<') => tag = Some(String::new()),
            (None, _, _) => {}
            (Some(_), None, '>') => tags.extend(tag.take()),
            (Some(text), None, '"' | '\'') => {
                quote = Some(letter);
                text.push(letter);
            }
            (Some(text), Some(open), close) => {
                text.push(close);
                if open == close {
                    quote = None;
                }
            }
            (Some(text), None, other) => text.push(other),
        }
    }
    assert!(tag.is_none() && quote.is_none(), "an unclosed tag");
    tags
}

#[test]
fn nothing_that_others_write_becomes_markup() {
    for (name, html) in every_page() {
        assert!(
            html.contains("&lt;script&gt;"),
            "{name} shows nothing hostile"
        );
        for tag in tags(&html) {
            let element = tag
                .split([' ', '/'])
                .find(|part| !part.is_empty())
                .unwrap_or_default();
            assert_ne!(element, "evil", "{name}: <{tag}>");
            if element == "script" && !tag.starts_with('/') {
                assert!(tag.contains("src=\"/assets/"), "{name}: <{tag}>");
            }
            // Attributes stand outside quotes.
            let outside: String = tag.split('"').step_by(2).collect();
            for attribute in [" style=", " srcdoc=", " on"] {
                assert!(!outside.contains(attribute), "{name}: <{tag}>");
            }
            for address in ["href=\"", "action=\"", "src=\"", "hx-get=\""] {
                let target = tag.split(address).nth(1).unwrap_or("/");
                let own = target.starts_with('/')
                    || target.starts_with('#')
                    || target.starts_with("&quot;");
                assert!(own, "{name}: <{tag}> leads away");
            }
        }
    }
}

#[test]
fn one_tab_of_the_tasks_is_current() {
    let asked = [
        None,
        Some("working"),
        Some("auth_required"),
        Some("input_required,auth_required"),
    ];
    for state in asked {
        let html = models::tasks_in(state).into_string();
        let current = html.matches("aria-current=\"page\"").count();
        assert_eq!(current, 1, "{state:?}");
    }
}

#[test]
fn every_page_has_its_landmarks() {
    for (name, html) in every_page() {
        for part in [
            "<!DOCTYPE html>",
            "<html lang=\"en\"",
            "<main id=\"main\"",
            "class=\"skip\"",
            "<h1>",
        ] {
            assert_eq!(html.matches(part).count(), 1, "{name}: {part}");
        }
        let ids: Vec<&str> = html
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{name}: an id stands twice");
    }
}

#[test]
fn the_style_sheet_and_script_reach_nothing_outside() {
    for asset in &assets::ALL {
        assert!(assets::find(asset.name).is_some());
        if asset.name.starts_with("console.") {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for outside in ["http://", "https://", "@import", "eval(", "innerHTML"] {
                assert!(!text.contains(outside), "{} has {outside}", asset.name);
            }
        }
    }
    assert!(assets::find("../Cargo.toml").is_none());
}

/// What a page tells people to type must be there.
#[test]
fn commands_that_pages_name_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = std::fs::read_to_string(root.join("../../docs/cli.md")).unwrap();
    let mut named = 0;
    for (page, html) in every_page() {
        let commands = html
            .split("$ rialto ")
            .skip(1)
            .chain(html.split("<code>rialto ").skip(1));
        for command in commands {
            let words: Vec<&str> = command.split([' ', '<']).take(2).collect();
            let full = format!("rialto {}", words.join(" "));
            let short = format!("## rialto {}\n", words[0]);
            assert!(
                known.contains(&format!("### {full}\n")) || known.contains(&short),
                "{page} names {full}"
            );
            named += 1;
        }
    }
    assert!(named > 5, "only {named} commands were found");
}
