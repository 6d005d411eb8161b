//! Child processes: programs that run beside the realm and may not touch it.
//!
//! A program is started through this binary itself, called with [`WORD`]: that process limits and confines itself with
//! safe calls ([`confine`]) and then becomes the program. [`Supervised`] restarts it, bounds what it says, and ends it
//! with everything that it has started. Nothing here knows what a program is for.

pub mod confine;
mod order;
mod pipes;
mod run;
mod supervise;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rialto_core::reject::Code;

pub use order::WORD;
pub use supervise::{Restarts, State, Supervised};

/// Why a program cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChildError {
    /// It could not be kept away from the realm's files.
    #[error("{0}")]
    NotConfined(String),
    /// The program, its folder or this binary cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl ChildError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotConfined(_) => Code::NotConfined,
            Self::Unusable(_) => Code::StorageFailed,
        }
    }
}

/// What a program is, and what it may take.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The program, as a whole path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: BTreeMap<OsString, OsString>,
    /// The folder that it works in, and the only one that it may write to.
    pub folder: PathBuf,
    /// What it may read besides the system's own programs and libraries.
    pub reads: Vec<PathBuf>,
    /// How what it says is cut into pieces.
    pub framing: Framing,
    /// What it may take.
    pub limits: Limits,
}

/// How output is cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// At each end of a line, which is left out; a longer line than the limit ends the program.
    Lines,
    /// As it comes.
    Raw,
}

/// What a program may take. What counts for one process counts anew for each that it starts.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Memory of one process (address space), in bytes.
    pub memory: u64,
    /// Processor time of one process.
    pub cpu: Duration,
    /// Open files of one process.
    pub files: u64,
    /// Processes and threads besides those that its user has at the start.
    pub processes: u64,
    /// The largest file that it writes, in bytes.
    pub file: u64,
    /// The largest piece of output, in bytes.
    pub piece: usize,
    /// Output of one run, in bytes. More ends the program.
    pub output: u64,
    /// How long one run may take, if that is bounded.
    pub run: Option<Duration>,
    /// How long it may take to end when it is asked to, before it is killed.
    pub grace: Duration,
    /// The only ports of TCP that it may connect to, if they are bounded; it may listen at none then.
    pub ports: Option<Vec<u16>>,
}

/// How programs are kept away from a realm's files.
#[derive(Clone, Debug)]
pub struct Confinement {
    pub(crate) binary: PathBuf,
    pub(crate) data: PathBuf,
    /// Another user and group.
    pub(crate) user: Option<(u32, u32)>,
}

impl Confinement {
    /// Programs run by a binary that hands its arguments to [`confine::run`], away from a data folder: as another
    /// user and group, if the server runs as root and one is named, and under Landlock wherever the kernel has it.
    /// Also keeps other processes from reading this one's memory.
    ///
    /// # Errors
    /// [`ChildError::NotConfined`] where that cannot be done: a server that runs as root and names no other user,
    /// since root is bound by no number of processes; one that names a user and is not root; and one without either
    /// root or Landlock.
    pub fn new(binary: PathBuf, data: &Path, user: Option<(u32, u32)>) -> Result<Self, ChildError> {
        let refused = |why: &str| Err(ChildError::NotConfined(why.to_owned()));
        let root = rustix::process::geteuid().is_root();
        match user {
            None if root => {
                return refused("the server runs as root: name another user for its programs");
            }
            Some((0, _) | (_, 0)) => {
                return refused("root is no other user: name another one for programs");
            }
            Some(_) if !root => {
                return refused("only a server that runs as root can run programs as another user");
            }
            None if !confine::has_landlock() => {
                return refused("this system has no Landlock, and the server is not root");
            }
            _ => {}
        }
        let data = data.canonicalize();
        let data = data.map_err(|e| ChildError::Unusable(format!("the data folder: {e}")))?;
        let hidden = rustix::process::DumpableBehavior::NotDumpable;
        let hidden = rustix::process::set_dumpable_behavior(hidden);
        hidden
            .map_err(|e| ChildError::NotConfined(format!("this process cannot be hidden: {e}")))?;
        Ok(Self { binary, data, user })
    }

    /// The paths that a program may use, none of which leads to the data folder.
    pub(crate) fn may_use(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>, ChildError> {
        let mut usable = Vec::new();
        for path in paths {
            let real = path.canonicalize();
            let real =
                real.map_err(|e| ChildError::Unusable(format!("{}: {e}", path.display())))?;
            if real.starts_with(&self.data) || self.data.starts_with(&real) {
                return Err(ChildError::NotConfined(format!(
                    "{} leads to the data folder",
                    path.display()
                )));
            }
            usable.push(real);
        }
        Ok(usable)
    }
}
