//! `rialto owner …`: people and organisations that own agents.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote};
use super::scope::Scope;
use super::show;
use crate::output::{CliError, Output};
use rialto_client::{Client, quoted};

/// Owners, their people and their tokens.
#[derive(Debug, Args)]
pub struct OwnerArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: OwnerCommand,
}

/// Whether an owner is one person or an organisation.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Person,
    Organisation,
}

/// What a member of an owner may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Admin,
    Approver,
    Viewer,
}

#[derive(Debug, Subcommand)]
enum OwnerCommand {
    /// Signs up an owner with one admin, and gets the admin's token. Needs no token.
    SignUp {
        /// Its unique name.
        name: String,
        /// A person or an organisation.
        #[arg(long, value_enum, default_value = "organisation")]
        kind: Kind,
        /// The code of an invitation, if the realm asks for one.
        #[arg(long, value_name = "CODE")]
        invitation: Option<String>,
        /// Store the token in this new file instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Shows who may sign up and how often, or changes it (only the operator).
    SignUps {
        /// true: anybody may sign up; false: only with an invitation.
        #[arg(long, value_name = "BOOL")]
        open: Option<bool>,
        /// Sign-ups an hour in the whole realm; 0 means no limit.
        #[arg(long, value_name = "N")]
        per_hour: Option<u32>,
        /// Sign-ups an hour from one address; 0 means no limit.
        #[arg(long, value_name = "N")]
        per_address: Option<u32>,
    },
    /// Lists the owners of the realm; for the operator.
    List {
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows an owner and its people.
    Show {
        /// Its id or name; by default the token's own owner.
        owner: Option<String>,
    },
    /// Adds a person, and gets its first token.
    PersonAdd {
        /// Its name within the owner.
        name: String,
        /// What it may do.
        #[arg(long, value_enum)]
        role: Role,
        /// The owner's id or name; by default the token's own owner.
        #[arg(long, value_name = "OWNER")]
        owner: Option<String>,
        /// Store the token in this new file instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Issues one more token to a person.
    Token {
        /// The person's id.
        person: String,
        /// A name that distinguishes it from others.
        #[arg(long)]
        label: Option<String>,
        /// After how long it expires, such as 30d; by default never.
        #[arg(long, value_name = "DURATION", value_parser = parse::duration_ms)]
        expires_in: Option<u64>,
        #[command(flatten)]
        scope: Scope,
        /// Store the token in this new file instead of printing it.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Pulls the stop switch of an owner with all its people and agents.
    Suspend {
        /// Its id or name.
        owner: String,
    },
    /// Releases the stop switch of an owner.
    Resume {
        /// Its id or name.
        owner: String,
    },
    /// Stops all agents of an owner at once; its people go on. Agents that it registers later are
    /// stopped too.
    Stop {
        /// Its id or name; by default the token's own owner.
        owner: Option<String>,
    },
    /// Restarts an owner's agents after a stop; agents that were suspended individually stay
    /// suspended.
    Start {
        /// Its id or name; by default the token's own owner.
        owner: Option<String>,
    },
    /// Exports all data of an owner as JSON lines.
    Export {
        /// Its id or name; by default the token's own owner.
        owner: Option<String>,
        /// Write to this new file, readable by its owner only, instead of standard output.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

fn name_of(value: &impl ValueEnum) -> Option<String> {
    value.to_possible_value().map(|v| v.get_name().to_owned())
}

/// Runs one owner command.
///
/// # Errors
/// As the server's, or when a file or the output cannot be written.
pub(crate) async fn run(args: OwnerArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        OwnerCommand::SignUp {
            name,
            kind,
            invitation,
            save,
        } => {
            let args = json!({ "name": name, "kind": name_of(&kind), "invitation": invitation });
            remote::carry_out_saving(remote, out, "owner.sign_up", args, save.as_deref()).await
        }
        OwnerCommand::SignUps {
            open,
            per_hour,
            per_address,
        } => {
            let wanted = [
                ("sign_up_open", json!(open)),
                ("sign_ups_per_hour", json!(per_hour)),
                ("sign_ups_per_address", json!(per_address)),
            ];
            sign_ups(remote, out, wanted).await
        }
        OwnerCommand::List { paged } => {
            let columns = [
                ("ID", "/id"),
                ("NAME", "/name"),
                ("KIND", "/kind"),
                ("STATUS", "/status"),
                ("AGENTS", "/agents"),
                ("SINCE", "/created"),
            ];
            remote::list(remote, out, "/api/owners", &paged, &[], &columns).await
        }
        OwnerCommand::Show { owner } => show_owner(remote, out, owner.as_deref()).await,
        OwnerCommand::PersonAdd {
            name,
            role,
            owner,
            save,
        } => {
            let owner = remote::owner_or_own(&remote.client()?, owner.as_deref()).await?;
            let args = json!({ "owner": owner, "name": name, "role": name_of(&role) });
            remote::carry_out_saving(remote, out, "person.add", args, save.as_deref()).await
        }
        OwnerCommand::Token {
            person,
            label,
            expires_in,
            scope,
            save,
        } => {
            let args = json!({ "subject": { "person": person }, "label": label, "expires_in_ms": expires_in });
            let args = scope.of(args);
            remote::carry_out_saving(remote, out, "token.issue", args, save.as_deref()).await
        }
        OwnerCommand::Suspend { owner } => {
            let owner = remote::owner_named(&remote.client()?, &owner).await?;
            remote::carry_out(
                remote,
                out,
                "identity.suspend",
                json!({ "subject": { "owner": owner } }),
            )
            .await
        }
        OwnerCommand::Resume { owner } => {
            let owner = remote::owner_named(&remote.client()?, &owner).await?;
            remote::carry_out(
                remote,
                out,
                "identity.resume",
                json!({ "subject": { "owner": owner } }),
            )
            .await
        }
        OwnerCommand::Stop { owner } => switch(remote, out, owner.as_deref(), true).await,
        OwnerCommand::Start { owner } => switch(remote, out, owner.as_deref(), false).await,
        OwnerCommand::Export { owner, file } => export(remote, out, owner.as_deref(), file).await,
    }
}

/// Changes the named settings, keeps the others, and shows the result.
async fn sign_ups(
    remote: &Remote,
    out: Output,
    wanted: [(&str, Value); 3],
) -> Result<(), CliError> {
    let client = remote.client()?;
    let realm = client.get("/api/realm").await?;
    let told = realm.get("settings").and_then(Value::as_object);
    let mut settings = told
        .cloned()
        .ok_or_else(|| CliError::failed("the server does not show its settings"))?;
    let changed = wanted.iter().any(|(_, value)| !value.is_null());
    for (name, value) in &wanted {
        if !value.is_null() {
            settings.insert((*name).to_owned(), value.clone());
        }
    }
    if changed {
        let args = Value::Object(settings.clone());
        client.command("policy.set_settings", args).await?;
    }
    let shown = wanted.iter().map(|(name, _)| {
        let value = settings.get(*name).cloned().unwrap_or_default();
        ((*name).to_owned(), value)
    });
    show::record(out, &Value::Object(shown.collect()))
}

/// Stops or restarts all agents of an owner, and says which that were and what undoes it.
async fn switch(
    remote: &Remote,
    out: Output,
    named: Option<&str>,
    stop: bool,
) -> Result<(), CliError> {
    let client = remote.client()?;
    let owner = remote::owner_or_own(&client, named).await?;
    let args = json!({ "owner": owner, "stop": stop });
    let accepted = client.command("owner.stop", args).await?;
    let agents = agents_of(&client, &owner).await?;
    let alone = handles(&agents, |agent| {
        let causes = agent.get("suspended_by").and_then(Value::as_array);
        causes.is_some_and(|causes| causes.iter().any(|cause| cause == "itself"))
    });
    if out.is_json() {
        let mut answer =
            serde_json::to_value(&accepted).map_err(|e| CliError::bug(e.to_string()))?;
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("agents".to_owned(), json!(agents.len()));
            fields.insert("suspended_individually".to_owned(), json!(alone));
        }
        return out.json(&answer);
    }
    remote::tell(out, &accepted, None)?;
    out.line(switched(stop, &owner, agents.len(), &alone))
}

/// The agents of an owner that are not closed.
async fn agents_of(client: &Client, owner: &str) -> Result<Vec<Value>, CliError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let parameters = [
            ("owner", Some(owner.to_owned())),
            ("limit", Some("100".to_owned())),
            ("cursor", cursor),
        ];
        let page = client
            .get(&remote::query("/api/agents", &parameters))
            .await?;
        let rows = show::rows_of(&page).iter();
        all.extend(
            rows.filter(|row| row.get("status").is_some_and(|s| s != "closed"))
                .cloned(),
        );
        let next = page.get("next_cursor").and_then(Value::as_str);
        match next.map(str::to_owned) {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// The handles of the agents of which something is so.
fn handles(agents: &[Value], holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let named = agents.iter().filter(|agent| holds(agent));
    let named = named.filter_map(|agent| agent.get("handle")?.as_str());
    named.map(str::to_owned).collect()
}

/// What a switch of all agents came to.
fn switched(stop: bool, owner: &str, agents: usize, alone: &[String]) -> String {
    let count = |number: usize| match number {
        1 => "1 agent".to_owned(),
        more => format!("{more} agents"),
    };
    let mut lines = Vec::new();
    if stop {
        lines.push(format!(
            "  stopped {} of {owner}; its people go on",
            count(agents)
        ));
    } else {
        let running = agents.saturating_sub(alone.len());
        lines.push(format!("  started {} of {owner}", count(running)));
    }
    if !alone.is_empty() {
        let stay = if stop { "were and stay" } else { "stay" };
        lines.push(format!(
            "  {stay} suspended individually: {}",
            alone.join(", ")
        ));
        lines.push("          (one is resumed with rialto agent resume)".to_owned());
    }
    if stop {
        lines.push(format!("  next    rialto owner start {owner} undoes it"));
    }
    lines.join("\n")
}

async fn show_owner(remote: &Remote, out: Output, named: Option<&str>) -> Result<(), CliError> {
    let client = remote.client()?;
    let owner = remote::owner_or_own(&client, named).await?;
    let mut shown = client
        .get(&format!("/api/owners/{}", quoted(&owner)))
        .await?;
    let people = client
        .get(&format!("/api/owners/{}/persons?limit=100", quoted(&owner)))
        .await?;
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("persons".to_owned(), json!(show::rows_of(&people)));
    }
    show::record(out, &shown)
}

async fn export(
    remote: &Remote,
    out: Output,
    named: Option<&str>,
    file: Option<PathBuf>,
) -> Result<(), CliError> {
    let client = remote.client()?;
    let owner = remote::owner_or_own(&client, named).await?;
    let mut lines = client
        .lines(&format!("/api/owners/{}/export", quoted(&owner)))
        .await?;
    let Some(path) = file else {
        while let Some(line) = lines.next_line().await? {
            out.json_line(&line)?;
        }
        return Ok(());
    };
    let failed =
        |e: std::io::Error| CliError::failed(format!("cannot write {}: {e}", path.display()));
    let file = rialto_journal::private::create_new(&path).map_err(failed)?;
    let mut file = std::io::BufWriter::new(file);
    let mut count = 0_u64;
    while let Some(line) = lines.next_line().await? {
        writeln!(file, "{line}").map_err(failed)?;
        count += 1;
    }
    file.flush().map_err(failed)?;
    out.json(&json!({ "owner": owner, "file": path, "lines": count }))?;
    out.line(format!(
        "{count} lines of {owner} written to {}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_of_all_agents_says_what_it_did_and_what_undoes_it() {
        let alone = ["@ana".to_owned()];
        for (stop, agents, alone, want) in [
            (
                true,
                1,
                &[][..],
                "  stopped 1 agent of owner_1; its people go on\n  next    rialto owner start owner_1 undoes it",
            ),
            (
                true,
                3,
                &alone[..],
                "  stopped 3 agents of owner_1; its people go on\n  \
                 were and stay suspended individually: @ana\n          \
                 (one is resumed with rialto agent resume)\n  \
                 next    rialto owner start owner_1 undoes it",
            ),
            (false, 2, &[][..], "  started 2 agents of owner_1"),
            (
                false,
                3,
                &alone[..],
                "  started 2 agents of owner_1\n  \
                 stay suspended individually: @ana\n          \
                 (one is resumed with rialto agent resume)",
            ),
        ] {
            assert_eq!(switched(stop, "owner_1", agents, alone), want);
        }
    }
}
