//! One run of a program, from its start until it and everything that it has started are gone.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use axum::body::Bytes;
use rustix::process::{Pid, Signal};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, watch};

use super::confine::{UNCONFINED, system};
use super::order::Order;
use super::pipes::{self, Said};
use super::{ChildError, Confinement, Spec};

/// How long what a program has said may take to be handed on after its end.
const REST: Duration = Duration::from_secs(2);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, and well.
    Well,
    /// It was asked to.
    Stopped,
    /// In any other way, which starting it again may help.
    Badly(String),
    /// It cannot be confined, which nothing here helps.
    Unconfined,
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    pid: Pid,
}

impl Confinement {
    /// Starts a program.
    pub(crate) fn start(&self, spec: &Spec) -> Result<Running, ChildError> {
        let system: Vec<_> = system().map(Into::into).collect();
        self.may_use(&system)?;
        let mut reads = self.may_use(&spec.reads)?;
        reads.extend(self.may_use(std::slice::from_ref(&spec.program))?);
        let limits = &spec.limits;
        let mut command = vec![spec.program.clone().into_os_string()];
        command.extend(spec.args.iter().cloned());
        let order = Order {
            memory: limits.memory,
            cpu_s: limits.cpu.as_secs().max(1),
            files: limits.files,
            processes: limits.processes,
            file: limits.file,
            user: self.user,
            ports: limits.ports.clone(),
            reads,
            writes: self.may_use(std::slice::from_ref(&spec.folder))?,
            command,
        };
        let child = Command::new(&self.binary)
            .args(order.to_args())
            .env_clear()
            .envs(&spec.env)
            .current_dir(&spec.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let unusable =
            |why: String| ChildError::Unusable(format!("{}: {why}", spec.program.display()));
        let child = child.map_err(|e| unusable(e.to_string()))?;
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| unusable("it has no process".to_owned()))?;
        Ok(Running { child, pid })
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Runs on until it ends, hands on what it says, and gives it what comes from `input`.
    pub(crate) async fn run(
        mut self,
        spec: &Spec,
        input: &mut mpsc::Receiver<Bytes>,
        output: &mpsc::Sender<Bytes>,
        stop: &mut watch::Receiver<bool>,
    ) -> Ended {
        let limits = &spec.limits;
        let program = spec.program.display().to_string();
        let said = self.child.stdout.take();
        let complaints = self.child.stderr.take();
        let fed = self.child.stdin.take();
        let hear = async {
            match said {
                Some(said) => {
                    pipes::hand_on(said, spec.framing, limits.piece, limits.output, output).await
                }
                None => Said::All,
            }
        };
        tokio::pin!(hear);
        let log = async {
            if let Some(complaints) = complaints {
                pipes::log(complaints, &program).await;
            }
        };
        tokio::pin!(log);
        let run = async {
            match limits.run {
                Some(run) => tokio::time::sleep(run).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(run);
        let feed = feed(fed, input);
        tokio::pin!(feed);
        let (mut heard, mut logged) = (None, false);
        let ended = loop {
            tokio::select! {
                ended = self.child.wait() => break Ok(ended),
                said = &mut hear, if heard.is_none() => {
                    heard = Some(said);
                    match said {
                        Said::All => {}
                        Said::TooMuch => break Err(too_much()),
                        Said::Unheard => break Err(Ended::Stopped),
                    }
                }
                () = &mut log, if !logged => logged = true,
                () = &mut feed => {}
                () = &mut run => break Err(Ended::Badly("it ran longer than it may".to_owned())),
                () = stopped(stop) => break Err(Ended::Stopped),
            }
        };
        let ended = match ended {
            Ok(status) => status.map_or_else(|e| Ended::Badly(e.to_string()), outcome),
            Err(why) => {
                // While it ends it may still say something: it must not wait for that to be taken.
                tokio::select! {
                    () = end(&mut self.child, self.pid, limits.grace) => {}
                    _ = async { tokio::join!(&mut hear, &mut log) }, if heard.is_none() && !logged => {
                        end(&mut self.child, self.pid, limits.grace).await;
                    }
                }
                return why;
            }
        };
        // What it has started goes with it.
        kill(self.pid, Signal::KILL);
        let rest = async {
            if heard.is_none() {
                heard = Some(hear.await);
            }
            if !logged {
                log.await;
            }
        };
        // Somebody who left the session may hold the pipes.
        let _ = tokio::time::timeout(REST, rest).await;
        match heard {
            Some(Said::TooMuch) => too_much(),
            _ => ended,
        }
    }
}

fn too_much() -> Ended {
    Ended::Badly("it said more than it may".to_owned())
}

/// Asks a program to end, and kills it with everything it has started when its time is over.
async fn end(child: &mut Child, pid: Pid, grace: Duration) {
    kill(pid, Signal::TERM);
    let _ = tokio::time::timeout(grace, child.wait()).await;
    kill(pid, Signal::KILL);
    // It is gone, or about to be.
    let _ = child.start_kill();
    let _ = child.wait().await;
}

/// The program's whole session; while it is not one yet, the process alone.
fn kill(pid: Pid, signal: Signal) {
    if rustix::process::kill_process_group(pid, signal).is_err() {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Who can no longer be asked to stop has been forgotten: so it stops.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Never ends: a program that takes nothing more may run on.
async fn feed(to: Option<ChildStdin>, from: &mut mpsc::Receiver<Bytes>) {
    if let Some(mut to) = to {
        while let Some(piece) = from.recv().await {
            let written = async {
                to.write_all(&piece).await?;
                to.flush().await
            };
            if written.await.is_err() {
                break;
            }
        }
    }
    std::future::pending::<()>().await;
}

fn outcome(status: ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ended::Well,
        (Some(code), _) if code == i32::from(UNCONFINED) => Ended::Unconfined,
        (Some(code), _) => Ended::Badly(format!("it ended with code {code}")),
        (None, Some(signal)) => Ended::Badly(format!("signal {signal} ended it")),
        (None, None) => Ended::Badly("it ended in an unknown way".to_owned()),
    }
}
