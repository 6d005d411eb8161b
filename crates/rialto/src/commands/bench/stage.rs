//! A server of the benchmark's own, as a process beside it, and the people and money it needs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use rialto_core::id::AnyId;
use serde_json::json;

use crate::market_day::seat::new_id;
use crate::market_day::stage::{lift_limits, send, with_token};
use crate::output::{CliError, Exit};
use rialto_client::Client;

/// How long a server may take until it says where it listens.
const START: Duration = Duration::from_secs(600);

/// Where a benchmark keeps its realm.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Keep the realm in this empty folder instead of a temporary one. Its disk is what is measured.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// The folder of a realm, removed at the end unless it was named.
pub(crate) struct Place {
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Place {
    /// The named folder, which must be empty, or a temporary one.
    ///
    /// # Errors
    /// When it cannot be made or holds something.
    pub(crate) fn new(args: &PlaceArgs) -> Result<Self, CliError> {
        let Some(folder) = &args.data else {
            let made = tempfile::tempdir();
            let made = made.map_err(|e| CliError::failed(format!("no temporary folder: {e}")))?;
            return Ok(Self {
                folder: made.path().join("realm"),
                _temporary: Some(made),
            });
        };
        let empty = std::fs::read_dir(folder).map_or(true, |mut all| all.next().is_none());
        if !empty {
            let said = format!("{} is not empty", folder.display());
            return Err(CliError::usage(said).hint("name a new folder"));
        }
        Ok(Self {
            folder: folder.clone(),
            _temporary: None,
        })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A running server. It ends with this value.
pub(crate) struct Served {
    child: Child,
    /// The operator at its door.
    pub(crate) operator: Client,
    /// How long it took from its start until it listened.
    pub(crate) started_in: Duration,
    // Kept open, so that the server never writes into a closed pipe.
    _out: BufReader<ChildStdout>,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// Starts a server on a folder and waits until it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(place: &Place) -> Result<Self, CliError> {
        let program = std::env::current_exe();
        let program = program.map_err(|e| CliError::failed(format!("this program's path: {e}")))?;
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(place.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| CliError::failed(format!("the server does not start: {e}")))?;
        let pipe = child.stdout.take();
        let mut out = BufReader::new(pipe.ok_or_else(|| CliError::bug("no pipe"))?);
        let mut line = String::new();
        while !line.contains("address") {
            line.clear();
            let read = out.read_line(&mut line).unwrap_or(0);
            if read == 0 || begun.elapsed() > START {
                let _ = child.kill();
                let _ = child.wait();
                return Err(
                    CliError::new(Exit::Storage, "the server ended at its start")
                        .hint("run `rialto serve` on the folder to see why"),
                );
            }
        }
        let started_in = begun.elapsed();
        let url = line
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned();
        let token = place.folder().join("operator.token");
        let operator = Client::http(&url, Some(super::super::remote::read_token(&token)?))?;
        Ok(Self {
            child,
            operator,
            started_in,
            _out: out,
        })
    }

    /// Ends it without warning, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The memory it holds now and the most it has held, in MiB, as the kernel says.
    pub(crate) fn memory_mib(&self) -> Memory {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name));
            let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
            kib.unwrap_or(0.0) / 1_024.0
        };
        Memory {
            now_mib: field("VmRSS:"),
            most_mib: field("VmHWM:"),
        }
    }

    /// The value of a metric as it is written, nothing where there is none.
    pub(crate) async fn metric_text(&self, name: &str) -> Result<String, CliError> {
        let mut lines = self.operator.lines("/metrics").await?;
        while let Some(line) = lines.next_line().await? {
            if let Some(value) = line.strip_prefix(name).and_then(|v| v.strip_prefix(' ')) {
                return Ok(value.trim().to_owned());
            }
        }
        Ok(String::new())
    }

    /// The number of a metric, 0 where there is none.
    pub(crate) async fn metric(&self, name: &str) -> Result<u64, CliError> {
        let text = self.metric_text(name).await?;
        Ok(text.parse::<f64>().unwrap_or(0.0) as u64)
    }

    /// Waits until views have taken in everything that is durable.
    pub(crate) async fn indexed(&self) -> Result<(), CliError> {
        let end = self.metric("rialto_durable_position").await?;
        while self.metric("rialto_indexed_position").await? < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Switches the limits off that keep strangers from crowding a realm.
    pub(crate) async fn lift_limits(&self) -> Result<(), CliError> {
        lift_limits(&self.operator).await
    }

    /// A new owner: its id, and its admin at the door.
    pub(crate) async fn owner(&self, name: &str) -> Result<(AnyId, Client), CliError> {
        let args = json!({ "name": name, "kind": "organisation" });
        let accepted = self.operator.command("owner.sign_up", args).await?;
        let admin = with_token(&self.operator, &accepted)?;
        Ok((new_id(&accepted, "owner")?, admin))
    }

    /// Agents of an owner, each at the door with its own token.
    pub(crate) async fn agents(
        &self,
        (owner, admin): &(AnyId, Client),
        handles: &[String],
    ) -> Result<Vec<Client>, CliError> {
        let args = handles.iter().map(
            |handle| json!({ "owner": owner, "handle": handle, "profile": { "contact": "open" } }),
        );
        let all = send(admin, "agent.register", args.collect()).await?;
        all.iter().map(|a| with_token(admin, a)).collect()
    }

    /// Gives money to each of the named holders.
    pub(crate) async fn fund(&self, to: &[String], amount: &str) -> Result<(), CliError> {
        let args = to.iter().map(|to| json!({ "to": to, "amount": amount }));
        let sent = send(&self.operator, "ledger.issue", args.collect()).await;
        sent.map(|_| ())
    }
}

/// What a process holds in memory, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) now_mib: f64,
    /// The most so far.
    pub(crate) most_mib: f64,
}
