//! The server of a benchmark, as a process of its own, and the owners, agents and money that it needs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rialto_core::id::AnyId;
use serde_json::json;

use rialto_client::Client;
use rialto_scenario::ask::{lift_limits, new_id, send, with_token};

use crate::BenchError;

/// How long a server may take until it reports where it listens.
const START: Duration = Duration::from_secs(600);

/// The program that serves the measured realm, and where the realm is kept.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program that serves, such as this one: it is started with `serve`.
    pub program: PathBuf,
    /// An empty folder to keep the realm in, instead of a temporary one. Its disk is what is measured.
    pub data: Option<PathBuf>,
}

/// The folder of a realm with the program that serves it. It is removed at the end unless it was named.
pub struct Host {
    program: PathBuf,
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
    /// Where the user's settings are.
    settings: Option<tempfile::TempDir>,
}

impl Host {
    /// The named folder, which must be empty, or a temporary one.
    ///
    /// # Errors
    /// When it cannot be made or holds something.
    pub fn new(place: &Place) -> Result<Self, BenchError> {
        let program = place.program.clone();
        let Some(folder) = place.data.clone() else {
            let made = tempfile::tempdir().map_err(BenchError::machine("no temporary folder"))?;
            return Ok(Self {
                program,
                folder: made.path().join("realm"),
                _temporary: Some(made),
                settings: None,
            });
        };
        let empty = std::fs::read_dir(&folder).map_or(true, |mut all| all.next().is_none());
        if !empty {
            return Err(BenchError::NotEmpty(folder.display().to_string()));
        }
        Ok(Self {
            program,
            folder,
            _temporary: None,
            settings: None,
        })
    }

    /// With these as the user's settings, in TOML.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn with_settings(mut self, toml: &str) -> Result<Self, BenchError> {
        let broken = || BenchError::machine("the settings cannot be written");
        let made = tempfile::tempdir().map_err(broken())?;
        let folder = made.path().join("rialto");
        std::fs::create_dir(&folder).map_err(broken())?;
        std::fs::write(folder.join("config.toml"), toml).map_err(broken())?;
        self.settings = Some(made);
        Ok(self)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program that serves it.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// A running server. It stops when this value is dropped.
pub struct Served {
    child: Child,
    /// A client with the operator's token.
    pub operator: Client,
    /// How long it took from its start until it listened.
    pub started_in: Duration,
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
    pub fn start(host: &Host) -> Result<Self, BenchError> {
        let begun = Instant::now();
        let mut command = Command::new(host.program());
        if let Some(settings) = &host.settings {
            command.env("XDG_CONFIG_HOME", settings.path());
        }
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(host.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(BenchError::machine("the server does not start"))?;
        let pipe = child.stdout.take();
        let mut out = BufReader::new(pipe.ok_or_else(|| BenchError::defect("no pipe"))?);
        let mut line = String::new();
        while !line.contains("address") {
            line.clear();
            let read = out.read_line(&mut line).unwrap_or(0);
            if read == 0 || begun.elapsed() > START {
                let _ = child.kill();
                let _ = child.wait();
                return Err(BenchError::Unstarted);
            }
        }
        let started_in = begun.elapsed();
        let url = line
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned();
        let token = host.folder().join("operator.token");
        let token = std::fs::read_to_string(token)
            .map_err(BenchError::machine("the operator's token cannot be read"))?;
        let operator = Client::http(&url, Some(token.trim().to_owned()))?;
        Ok(Self {
            child,
            operator,
            started_in,
            _out: out,
        })
    }

    /// Ends it without warning, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// The memory it holds now and the most it has held, in MiB, as the kernel says.
    pub fn memory_mib(&self) -> Memory {
        self.process().memory_mib()
    }

    /// The processor time that it has taken, in seconds, as the kernel says.
    pub fn cpu_s(&self) -> f64 {
        self.process().cpu_s()
    }

    /// The value of a metric as it is written, nothing where there is none.
    pub async fn metric_text(&self, name: &str) -> Result<String, BenchError> {
        let mut lines = self.operator.lines("/metrics").await?;
        while let Some(line) = lines.next_line().await? {
            if let Some(value) = line.strip_prefix(name).and_then(|v| v.strip_prefix(' ')) {
                return Ok(value.trim().to_owned());
            }
        }
        Ok(String::new())
    }

    /// The number of a metric, 0 where there is none.
    pub async fn metric(&self, name: &str) -> Result<u64, BenchError> {
        let text = self.metric_text(name).await?;
        Ok(text.parse::<f64>().unwrap_or(0.0) as u64)
    }

    /// Waits until views have taken in everything that is durable.
    pub async fn indexed(&self) -> Result<(), BenchError> {
        let end = self.metric("rialto_durable_position").await?;
        while self.metric("rialto_indexed_position").await? < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Switches off the limits that keep strangers from crowding a realm.
    pub async fn lift_limits(&self) -> Result<(), BenchError> {
        Ok(lift_limits(&self.operator).await?)
    }

    /// A new owner: its id, and a client for its admin.
    pub async fn owner(&self, name: &str) -> Result<(AnyId, Client), BenchError> {
        let args = json!({ "name": name, "kind": "organisation" });
        let accepted = self.operator.command("owner.sign_up", args).await?;
        let admin = with_token(&self.operator, &accepted)?;
        Ok((new_id(&accepted, "owner")?, admin))
    }

    /// Agents of an owner, each a client with its own token.
    pub async fn agents(
        &self,
        (owner, admin): &(AnyId, Client),
        handles: &[String],
    ) -> Result<Vec<Client>, BenchError> {
        let args = handles.iter().map(
            |handle| json!({ "owner": owner, "handle": handle, "profile": { "contact": "open" } }),
        );
        let all = send(admin, "agent.register", args.collect()).await?;
        let clients = all.iter().map(|a| with_token(admin, a));
        Ok(clients.collect::<Result<_, _>>()?)
    }

    /// Gives money to each of the named holders.
    pub async fn fund(&self, to: &[String], amount: &str) -> Result<(), BenchError> {
        let args = to.iter().map(|to| json!({ "to": to, "amount": amount }));
        send(&self.operator, "ledger.issue", args.collect()).await?;
        Ok(())
    }
}

/// A process of this machine, by its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// The memory it holds now and the most it has held, in MiB, as the kernel says; zero once it has ended.
    #[must_use]
    pub fn memory_mib(self) -> Memory {
        let status = format!("/proc/{}/status", self.0);
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

    /// The processor time that it has taken, in seconds, as the kernel says; zero once it has ended.
    #[must_use]
    pub fn cpu_s(self) -> f64 {
        let stat = format!("/proc/{}/stat", self.0);
        let stat = std::fs::read_to_string(stat).unwrap_or_default();
        // The name of the program comes before, in brackets. The kernel tells hundredths of a second.
        let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum::<f64>()
            / 100.0
    }
}

/// What a process holds in memory, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Memory {
    /// Now.
    pub now_mib: f64,
    /// The most so far.
    pub most_mib: f64,
}
