//! The reference pages docs/cli.md and docs/errors.md, made from what the program itself says.
//!
//! With RIALTO_BLESS=1 the test writes them; without, it fails when they are not what is committed.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, CommandFactory};
use rialto_core::reject::Code;
use rialto_server::door::{error_page, error_pages};

use crate::cli::Cli;
use crate::config::KEYS;
use crate::output::Exit;

#[test]
fn the_command_line_page_is_current() {
    let mut root = Cli::command();
    root.build();
    check("cli.md", &cli_page(&root));
}

#[test]
fn the_error_page_is_current() {
    check("errors.md", &error_pages());
}

#[test]
fn every_code_has_a_page() {
    for code in Code::ALL {
        let page = error_page(*code);
        let body: Vec<&str> = page
            .lines()
            .skip(1)
            .filter(|line| !line.trim().is_empty())
            .collect();
        assert!(
            page.starts_with(&format!("## {code}: ")),
            "{code} has no heading: {page}"
        );
        assert!(
            !code.title().is_empty() && body.iter().any(|line| line.contains(code.remedy())),
            "{code}: {page}"
        );
        assert!(!code.remedy().is_empty(), "{code} has no remedy");
    }
}

#[test]
fn every_argument_says_what_it_is() {
    fn walk(command: &Command) {
        let path = command.get_bin_name().unwrap_or_default();
        assert!(
            command.get_about().is_some(),
            "{path} says nothing of itself"
        );
        for arg in command.get_arguments() {
            assert!(
                arg.get_help().is_some(),
                "{path} {} says nothing of itself",
                arg.get_id()
            );
        }
        command.get_subcommands().for_each(walk);
    }
    let mut root = Cli::command();
    root.build();
    walk(&root);
}

fn check(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var_os("RIALTO_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/{name} is not current: run this test with RIALTO_BLESS=1 and commit the page"
    );
}

fn cli_page(root: &Command) -> String {
    let mut page = String::from("# The command line\n\n");
    page.push_str(
        "Commands are a noun and a verb: `rialto deal list`. Standard output carries data, standard error \
         carries messages. `--json` prints one JSON document instead of text. Progress bars appear only on a \
         terminal; `NO_COLOR` is respected.\n\nA test makes this page from the program.\n",
    );
    page.push_str(
        "\n## Exit codes\n\n| code | meaning |\n|---|---|\n| 0 | The command was carried out. |\n",
    );
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(page, "| {} | {meaning} |", *exit as u8);
    }
    page.push_str("\n## Settings\n\nAn option overrides the environment, which overrides `./rialto.toml`, then \
        `~/.config/rialto/config.toml`, then the default. `rialto config show --origin` shows which one applies.\n\n\
        | in files | in the environment | default | what it is |\n|---|---|---|---|\n");
    for key in KEYS {
        let default = key
            .default
            .map_or_else(|| "-".to_owned(), |d| format!("`{d}`"));
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {default} | {} |",
            key.name, key.env, key.about
        );
    }
    page.push_str("\n`RIALTO_TOKEN` holds the token itself; settings files never do.\n");
    connection(&mut page, root);
    for noun in root.get_subcommands() {
        let _ = write!(page, "\n## rialto {}\n\n", noun.get_name());
        section(&mut page, noun);
        verbs(&mut page, noun);
    }
    page
}

fn verbs(page: &mut String, noun: &Command) {
    for verb in noun.get_subcommands() {
        let _ = write!(
            page,
            "\n### {}\n\n",
            verb.get_bin_name().unwrap_or_default()
        );
        section(page, verb);
        verbs(page, verb);
    }
}

/// The options of every command that talks to a server, listed once.
fn connection(page: &mut String, root: &Command) {
    page.push_str(
        "\n## Connection options\n\nEvery command that talks to a server takes these.\n\n",
    );
    let Some(agent) = root.find_subcommand("agent") else {
        return;
    };
    table(
        page,
        &agent
            .get_arguments()
            .filter(|arg| is_connection(arg))
            .collect::<Vec<_>>(),
    );
}

fn is_connection(arg: &Arg) -> bool {
    arg.get_help_heading() == Some("Connection")
}

fn section(page: &mut String, command: &Command) {
    let about = command
        .get_long_about()
        .or(command.get_about())
        .map(ToString::to_string)
        .unwrap_or_default();
    let _ = writeln!(
        page,
        "{}",
        about.trim_end().trim_end_matches('.').to_owned() + "."
    );
    if command.has_subcommands() {
        return;
    }
    let usage = command.clone().render_usage().to_string();
    let _ = write!(
        page,
        "\n```text\n{}\n```\n",
        usage.trim_start_matches("Usage: ")
    );
    let own = |arg: &&Arg| {
        !is_connection(arg) && !["json", "help", "version"].contains(&arg.get_id().as_str())
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(own).collect();
    if !arguments.is_empty() {
        page.push('\n');
        table(page, &arguments);
    }
}

fn table(page: &mut String, arguments: &[&Arg]) {
    page.push_str("| argument | what it is |\n|---|---|\n");
    for arg in arguments {
        let values: Vec<String> = arg
            .get_value_names()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect();
        let name = match arg.get_long() {
            None => format!("`{}`", values.join(" ")),
            Some(long) if takes_value(arg) => format!("`--{long} {}`", values.join(" ")),
            Some(long) => format!("`--{long}`"),
        };
        let mut help = arg
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default()
            .trim_end_matches('.')
            .replace('\n', " ")
            + ".";
        let possible = arg.get_possible_values();
        if takes_value(arg) && !possible.is_empty() && !arg.is_hide_possible_values_set() {
            let names: Vec<&str> = possible
                .iter()
                .map(clap::builder::PossibleValue::get_name)
                .collect();
            let _ = write!(help, " One of {}.", names.join(", "));
        }
        let defaults: Vec<_> = arg
            .get_default_values()
            .iter()
            .map(|d| d.to_string_lossy().into_owned())
            .collect();
        if takes_value(arg) && !defaults.is_empty() {
            let _ = write!(help, " Default: {}.", defaults.join(", "));
        }
        let _ = writeln!(page, "| {name} | {} |", help.replace('|', "\\|"));
    }
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}
