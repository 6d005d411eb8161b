//! What every command against a server shares: the connection's options, lists, and the output for
//! an accepted command.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use rialto_core::id::OwnerId;
use rialto_core::reject::Code;
use rialto_wire::native::{Accepted, NewToken};
use serde_json::{Map, Value, json};

use super::show::{self, Column};
use crate::config::{self, Config};
use crate::output::{CliError, Output};
use rialto_client::{Client, quoted};

/// Where the server is and who asks.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Remote {
    /// The server's address [env: RIALTO_SERVER] [default: http://127.0.0.1:7600].
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// The token; other users cannot see it if it is in RIALTO_TOKEN or a file instead.
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        conflicts_with = "token_file"
    )]
    token: Option<String>,
    /// The file that holds the token [env: RIALTO_TOKEN_FILE] [default: operator.token in the data
    /// folder, for a server on this machine].
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The agent to act as, for an admin of its owner [env: RIALTO_AGENT].
    #[arg(long = "as", global = true, value_name = "AGENT")]
    acting: Option<String>,
    /// Trust the certificates in this PEM file for https instead of the public ones [env: RIALTO_CA].
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The id of what causes this, for the trace.
    #[arg(long, global = true, value_name = "ID")]
    cause: Option<String>,
    /// A key that makes the command happen only once: Unix seconds, a point, your own text.
    #[arg(long, global = true, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl Remote {
    /// A client of the server, as the options, the environment and the settings name it.
    ///
    /// # Errors
    /// A usage error when an option, setting or file cannot be used.
    pub(crate) fn client(&self) -> Result<Client, CliError> {
        let config = Config::load()?;
        let server = config.value(&config::SERVER, self.server.as_deref());
        let ca = config
            .get(&config::CA, self.ca.as_deref().and_then(Path::to_str))
            .map(|s| s.value);
        let (token, whence) = self.token(&config, &server)?;
        let mut client = Client::http_trusting(&server, token, ca.as_deref().map(Path::new))?
            .with_token_from(&whence);
        if let Some(agent) = config.get(&config::AGENT, self.acting.as_deref()) {
            client = client.acting_as(&agent.value)?;
        }
        if let Some(cause) = &self.cause {
            client = client.caused_by(cause)?;
        }
        if let Some(key) = &self.idempotency_key {
            client = client.with_key(key)?;
        }
        Ok(client)
    }

    /// The token, and in words where it comes from or where one was looked for.
    fn token(&self, config: &Config, server: &str) -> Result<(Option<String>, String), CliError> {
        if let Some(token) = &self.token {
            return Ok((Some(token.clone()), "given with --token".to_owned()));
        }
        let from_file = |file: &Path, whence: &str| {
            let told = format!("in {} (from {whence})", file.display());
            read_token(file).map(|token| (Some(token), told))
        };
        if let Some(file) = &self.token_file {
            return from_file(file, "--token-file");
        }
        if let Some(token) = std::env::var("RIALTO_TOKEN").ok().filter(|t| !t.is_empty()) {
            return Ok((Some(token), "in RIALTO_TOKEN".to_owned()));
        }
        if let Some(file) = config.get(&config::TOKEN_FILE, None) {
            return from_file(Path::new(&file.value), &file.origin.to_string());
        }
        let mut looked =
            "no --token or --token-file, neither RIALTO_TOKEN nor RIALTO_TOKEN_FILE set, \
                          no token_file in a settings file"
                .to_owned();
        // The operator's token of this machine is shown to nobody else.
        let own = config.data(None).join("operator.token");
        if !is_loopback(server) {
            return Ok((None, looked));
        }
        if own.exists() {
            return from_file(&own, "the data folder");
        }
        looked.push_str(&format!(", and no {}", own.display()));
        Ok((None, looked))
    }
}

/// Reads a token from a file.
///
/// # Errors
/// A usage error when the file cannot be read.
pub(crate) fn read_token(file: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(file)
        .map(|text| text.trim().to_owned())
        .map_err(|e| CliError::usage(format!("cannot read the token in {}: {e}", file.display())))
}

fn is_loopback(server: &str) -> bool {
    let authority = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or(authority);
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// Which page of a list.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Paged {
    /// How many rows, 1 to 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: Option<u32>,
    /// The cursor that the last page printed.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Paged {
    /// The page as parameters of a query.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("limit", self.limit.map(|n| n.to_string())),
            ("cursor", self.cursor.clone()),
        ]
    }
}

/// A path with a query of the parameters that have a value.
pub(crate) fn query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", quoted(value.as_ref()?))));
    let given: Vec<String> = given.collect();
    if given.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", given.join("&"))
    }
}

/// Asks for a page of a list and prints it.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn list(
    remote: &Remote,
    out: Output,
    path: &str,
    paged: &Paged,
    filters: &[(&str, Option<String>)],
    columns: &[Column],
) -> Result<(), CliError> {
    let answer = remote.client()?.get(&page_of(path, paged, filters)).await?;
    show::page(out, &answer, columns)
}

/// The path of a page of a list.
pub(crate) fn page_of(path: &str, paged: &Paged, filters: &[(&str, Option<String>)]) -> String {
    let mut parameters = filters.to_vec();
    parameters.extend(paged.parameters());
    query(path, &parameters)
}

/// Asks for one thing and prints it.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn show_one(
    remote: &Remote,
    out: Output,
    folder: &str,
    id: &str,
) -> Result<(), CliError> {
    let answer = remote
        .client()?
        .get(&format!("{folder}/{}", quoted(id)))
        .await?;
    show::record(out, &answer)
}

/// Carries out a command and prints the result.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn carry_out(
    remote: &Remote,
    out: Output,
    op: &str,
    args: Value,
) -> Result<(), CliError> {
    let accepted = remote.client()?.command(op, without_nulls(args)).await?;
    tell(out, &accepted, None)
}

/// As [`carry_out`], for commands that issue a token, which goes into a file if one is named.
///
/// # Errors
/// As [`carry_out`], or when the file exists or cannot be written; then nothing was asked.
pub(crate) async fn carry_out_saving(
    remote: &Remote,
    out: Output,
    op: &str,
    args: Value,
    save: Option<&Path>,
) -> Result<(), CliError> {
    let file = save.map(private_file).transpose()?;
    let answer = remote.client()?.command(op, without_nulls(args)).await;
    let (accepted, mut file) = match (answer, file) {
        (Ok(accepted), file) => (accepted, file),
        (Err(error), None) => return Err(error.into()),
        (Err(error), Some((path, _))) => {
            // The empty file was made for a token that never came.
            let _ = std::fs::remove_file(path);
            return Err(error.into());
        }
    };
    if let (Some((path, file)), Some(token)) = (&mut file, &accepted.token) {
        writeln!(file, "{}", token.secret)
            .and_then(|()| file.sync_all())
            .map_err(|e| CliError::failed(format!("cannot write {}: {e}", path.display())))?;
    }
    tell(
        out,
        &accepted,
        file.as_ref().map(|(path, _)| path.as_path()),
    )
}

/// A new file that only its owner can read.
fn private_file(path: &Path) -> Result<(PathBuf, std::fs::File), CliError> {
    let made = rialto_journal::private::create_new(path);
    made.map(|file| (path.to_owned(), file))
        .map_err(|e| CliError::usage(format!("cannot create {}: {e}", path.display())))
}

/// Tells what an accepted command brought.
///
/// # Errors
/// When the output cannot be written; [`crate::output::Exit::Waits`] when it waits for a person's approval.
pub(crate) fn tell(out: Output, accepted: &Accepted, saved: Option<&Path>) -> Result<(), CliError> {
    if out.is_json() {
        let mut answer =
            serde_json::to_value(accepted).map_err(|e| CliError::bug(e.to_string()))?;
        if let (Some(path), Some(token)) = (
            saved,
            answer.get_mut("token").and_then(Value::as_object_mut),
        ) {
            token.remove("secret");
            token.insert("file".to_owned(), json!(path));
        }
        out.json(&answer)?;
        return match accepted.waits_for {
            Some(_) => Err(CliError::waits()),
            None => Ok(()),
        };
    }
    let again = if accepted.duplicate {
        " (already done before; nothing was repeated)"
    } else {
        ""
    };
    if let Some(approval) = accepted.waits_for {
        out.line(format!(
            "waits for approval {approval}, asked at position {}{again}",
            accepted.position
        ))?;
        out.line(format!(
            "  next    a person of the owner looks with: rialto approval show {approval}"
        ))?;
        out.line("          (and answers with rialto approval approve, or rialto approval deny)")?;
        return Err(CliError::waits());
    }
    out.line(format!("accepted at position {}{again}", accepted.position))?;
    for (kind, id) in &accepted.ids {
        out.line(format!("  {kind:<7} {id}"))?;
    }
    for entry in &accepted.refused {
        out.line(format!(
            "  entry {} was refused: {} {}",
            entry.index,
            entry.code,
            show::plain(&entry.detail)
        ))?;
    }
    match (&accepted.token, saved) {
        (Some(token), Some(path)) => out.line(format!(
            "  {}stored in {}",
            secret_name(token),
            path.display()
        )),
        (Some(token), None) => out.line(format!(
            "  {}{} (shown once, stored nowhere)",
            secret_name(token),
            token.secret
        )),
        (None, _) => Ok(()),
    }
}

/// What a secret is called, in a column of its own.
fn secret_name(token: &NewToken) -> &'static str {
    if token.secret.starts_with("inv_") {
        "code    "
    } else {
        "token   "
    }
}

/// Arguments without those that were left out.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map
                .into_iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k, without_nulls(v)));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// The id of the caller's owner, unless one is named.
///
/// # Errors
/// As the server's; a usage error when the caller belongs to no owner.
pub(crate) async fn owner_or_own(client: &Client, named: Option<&str>) -> Result<String, CliError> {
    if let Some(owner) = named {
        return owner_named(client, owner).await;
    }
    let who = client.get("/api/whoami").await?;
    let own = who.get("owner").and_then(Value::as_str);
    own.map(str::to_owned)
        .ok_or_else(|| CliError::usage("name the owner: this token belongs to none"))
}

/// The id of an owner that is named by its id or its name.
///
/// # Errors
/// As the server's; one that the token may not see is as if it did not exist.
pub(crate) async fn owner_named(client: &Client, name: &str) -> Result<String, CliError> {
    if name.parse::<OwnerId>().is_ok() {
        return Ok(name.to_owned());
    }
    let path = format!("/api/owners/{}", quoted(name));
    let found = client.get(&path).await.map_err(|why| {
        let error = CliError::from(why);
        if error.code != Some(Code::NotFound.to_string()) {
            return error;
        }
        error.hint(
            "name an owner by its id or name: rialto owner show prints your own, and rialto agent list \
             those of agents",
        )
    })?;
    let id = found.get("id").and_then(Value::as_str);
    id.map(str::to_owned)
        .ok_or_else(|| CliError::failed("the server names no id of the owner"))
}

/// The id of a named owner; none stands for the token's own.
///
/// # Errors
/// As [`owner_named`].
pub(crate) async fn owner_if_named(
    remote: &Remote,
    owner: Option<&str>,
) -> Result<Option<String>, CliError> {
    match owner {
        Some(owner) => owner_named(&remote.client()?, owner).await.map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_token_stays_on_this_machine() {
        for (server, want) in [
            ("http://127.0.0.1:7600", true),
            ("http://localhost:7600/x", true),
            ("https://[::1]:7600", true),
            ("http://10.0.0.1:7600", false),
            ("http://127.0.0.1.example.org:7600", false),
            ("http://localhost@example.org", false),
            ("https://example.org/127.0.0.1", false),
        ] {
            assert_eq!(is_loopback(server), want, "{server}");
        }
    }

    #[test]
    fn what_is_left_out_is_not_sent() {
        let args = json!({ "a": null, "b": { "c": null, "d": 1 }, "e": [null] });
        assert_eq!(without_nulls(args), json!({ "b": { "d": 1 }, "e": [null] }));
    }

    #[test]
    fn queries_hold_what_is_given() {
        assert_eq!(
            query("/x", &[("a", None), ("b", Some("c d".into()))]),
            "/x?b=c%20d"
        );
        assert_eq!(query("/x", &[("a", None)]), "/x");
    }
}
