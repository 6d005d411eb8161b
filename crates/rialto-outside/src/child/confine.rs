//! What a process does to itself before it becomes a program: limits, another user, Landlock. Afterwards nothing of
//! it is left but these.
//!
//! Runs in a process of its own with one thread, started for this: all calls count for it alone, and none of them is
//! unsafe. It says nothing unless it fails.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};
use rustix::process::{Gid, Resource, Rlimit, Uid};

use super::order::{Order, WORD};

/// The exit code of a process that could not be confined, as of a shell that cannot run a program.
pub const UNCONFINED: u8 = 126;

/// What every program may read and run: the system's programs and libraries, and what they need to know of it.
const SYSTEM: &[&str] = &[
    "/bin",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/ssl",
    "/lib",
    "/lib32",
    "/lib64",
    "/sbin",
    "/usr",
];
/// The devices that every program may use.
const DEVICES: &[&str] = &[
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

/// The arguments after [`WORD`], if this process was started to confine itself.
#[must_use]
pub fn asked() -> Option<impl Iterator<Item = OsString>> {
    let mut args = std::env::args_os().skip(1);
    args.next().is_some_and(|word| word == WORD).then_some(args)
}

/// Confines this process and becomes the program. Returns only if that fails, with the reason on standard error.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let why = match Order::from_args(args) {
        Some(order) => become_program(&order),
        None => "it is not said how".to_owned(),
    };
    // Standard error is a pipe to the server, whose end is another's concern.
    let _ = writeln!(std::io::stderr(), "cannot run the program confined: {why}");
    ExitCode::from(UNCONFINED)
}

/// Whether this kernel has Landlock.
#[must_use]
pub fn has_landlock() -> bool {
    let tried = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    tried.is_ok()
}

/// Why it did not.
fn become_program(order: &Order) -> String {
    let failed = |doing: &str, why: &dyn std::fmt::Display| format!("{doing}: {why}");
    let Some((program, args)) = order.command.split_first() else {
        return "it is not said what".to_owned();
    };
    // Its own session, so that everything it starts can be ended with it.
    if let Err(why) = rustix::process::setsid() {
        return failed("a new session", &why);
    }
    if let Err(why) = limit(order) {
        return failed("limits", &why);
    }
    if let Err(why) = become_user(order) {
        return failed("another user", &why);
    }
    if let Err(why) = rustix::thread::set_no_new_privs(true) {
        return failed("no new privileges", &why);
    }
    match fence(order) {
        Ok(()) => {}
        // Another user reads none of the realm's files either.
        Err(_) if order.user.is_some() && order.ports.is_none() && !has_landlock() => {}
        Err(why) => return failed("Landlock", &why),
    }
    let why = Command::new(program).args(args).exec();
    failed(&Path::new(program).display().to_string(), &why)
}

fn limit(order: &Order) -> rustix::io::Result<()> {
    let user = order
        .user
        .map_or(rustix::process::getuid().as_raw(), |(user, _)| user);
    let processes = order.processes.saturating_add(threads_of(user));
    for (resource, most) in [
        (Resource::As, order.memory),
        (Resource::Cpu, order.cpu_s),
        (Resource::Nofile, order.files),
        (Resource::Nproc, processes),
        (Resource::Fsize, order.file),
        (Resource::Core, 0),
    ] {
        let most = Some(most);
        rustix::process::setrlimit(
            resource,
            Rlimit {
                current: most,
                maximum: most,
            },
        )?;
    }
    Ok(())
}

/// How many threads a user has now; the limit of processes counts those that others have started as well.
fn threads_of(user: u32) -> u64 {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let statuses = processes.flatten().filter_map(|entry| {
        let name = entry.file_name();
        name.to_str()?.parse::<u32>().ok()?;
        std::fs::read_to_string(entry.path().join("status")).ok()
    });
    let of_user = statuses.filter_map(|status| {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let own = field("Uid:")? == u64::from(user);
        own.then(|| field("Threads:")).flatten()
    });
    of_user.sum()
}

fn become_user(order: &Order) -> rustix::io::Result<()> {
    let Some((user, group)) = order.user else {
        return Ok(());
    };
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)
}

/// From here on only what is named can be reached, and no process outside be traced, nor, from Linux 6.12 on,
/// signalled. Bounds of ports need Linux 6.7.
fn fence(order: &Order) -> Result<(), RulesetError> {
    let all = AccessFs::from_all(ABI::V5);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(ABI::V6))?;
    if order.ports.is_some() {
        rules = rules
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessNet::from_all(ABI::V4))?
            .set_compatibility(CompatLevel::BestEffort);
    }
    let read = AccessFs::from_read(ABI::V5);
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let mut rules = rules
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(DEVICES, device))?
        .add_rules(path_beneath_rules(&order.reads, read))?
        .add_rules(path_beneath_rules(&order.writes, all))?;
    for port in order.ports.iter().flatten() {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self()?;
    Ok(())
}

/// The system's paths that there are here, for a check that none of them leads to a data folder.
pub(crate) fn system() -> impl Iterator<Item = &'static Path> {
    SYSTEM.iter().map(Path::new).filter(|path| path.exists())
}
