//! Programs that the server runs: what they cannot reach, how much they may take, and how they end. Run as another
//! user where the tests run as root, else under Landlock alone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rialto_outside::child::{Confinement, Framing, Limits, Restarts, Spec, State, Supervised};

const PATIENCE: Duration = Duration::from_secs(60);
/// A user without anything.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A data folder with a key, and a folder to work in.
struct Place {
    place: tempfile::TempDir,
    data: PathBuf,
    work: PathBuf,
}

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let [data, work] = ["realm", "work"].map(|name| place.path().join(name));
        for (folder, mode) in [(place.path(), 0o755), (&data, 0o700), (&work, 0o700)] {
            fs::create_dir_all(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        if is_root() {
            chown(&work, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::write(data.join("realm.key"), "signing s3cret\n").unwrap();
        Self { place, data, work }
    }

    fn confinement(&self) -> Confinement {
        let user = is_root().then_some((NOBODY, NOBODY));
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_rialto"));
        Confinement::new(binary, &self.data, user).unwrap()
    }

    fn spec(&self, program: &str, args: &[&str]) -> Spec {
        Spec {
            program: program.into(),
            args: args.iter().map(Into::into).collect(),
            env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
            folder: self.work.clone(),
            reads: Vec::new(),
            framing: Framing::Lines,
            limits: Limits {
                memory: 256 << 20,
                cpu: Duration::from_secs(5),
                files: 64,
                processes: 20,
                file: 1 << 20,
                piece: 1000,
                output: 100_000,
                run: None,
                grace: Duration::from_millis(500),
                ports: None,
            },
        }
    }

    fn sh(&self, script: &str) -> Spec {
        self.spec("/bin/sh", &["-c", script])
    }
}

/// Not started again.
fn once() -> Restarts {
    Restarts {
        first: Duration::from_millis(10),
        longest: Duration::from_millis(200),
        most: 0,
        window: PATIENCE,
    }
}

/// Runs a program to its end: what it said, and how it ended.
async fn run(place: &Place, spec: Spec) -> (Vec<String>, State) {
    let mut child = Supervised::start(place.confinement(), spec, once(), 1);
    let mut said = Vec::new();
    let all = async {
        while let Some(piece) = child.next().await {
            said.push(String::from_utf8_lossy(&piece).into_owned());
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    let last = child.states().borrow().clone();
    (said, last)
}

async fn becomes(child: &Supervised, want: impl Fn(&State) -> bool) -> State {
    let mut states = child.states();
    let state = tokio::time::timeout(PATIENCE, states.wait_for(|state| want(state))).await;
    state.unwrap().unwrap().clone()
}

#[tokio::test]
async fn a_program_reaches_neither_the_realm_nor_the_server() {
    let place = Place::new();
    let (key, server) = (place.data.join("realm.key"), std::process::id());
    let (key, data) = (key.display(), place.data.display());
    let tries = [
        format!("cat {key}"),
        format!("ls {data}"),
        format!("echo x > {data}/new"),
        format!("ln -s {data} link; cat link/realm.key"),
        format!("cat /proc/{server}/environ"),
        format!("cat /proc/{server}/root{key}"),
        format!("kill -0 {server}"),
        "cat /etc/shadow".to_owned(),
        format!("echo x > {}", place.place.path().join("outside").display()),
    ];
    for try_it in tries {
        let (said, last) = run(&place, place.sh(&format!("{{ {try_it}; }} && echo done"))).await;
        assert!(said.is_empty(), "{try_it}: {said:?}");
        assert!(matches!(last, State::Failed { .. }), "{try_it}: {last:?}");
    }
    let (said, last) = run(
        &place,
        place.sh("echo x > own && cat own && echo y > /dev/null"),
    )
    .await;
    assert_eq!((said, last), (vec!["x".to_owned()], State::Stopped));
}

/// Landlock alone, and even as root: what is not named cannot be reached.
#[test]
fn landlock_alone_keeps_a_program_away() {
    if !rialto_outside::child::confine::has_landlock() {
        return rialto_testing::skipped("this kernel has no Landlock");
    }
    let place = Place::new();
    let confined = |script: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rialto"));
        command.arg("confined-exec");
        command.args([
            "memory=1000000000",
            "cpu=5",
            "files=64",
            "processes=1000",
            "file=1000",
        ]);
        command
            .arg(format!("write={}", place.work.display()))
            .args(more);
        command
            .args(["--", "/bin/sh", "-c", script])
            .output()
            .unwrap()
    };
    let key = place.data.join("realm.key");
    let told = confined(&format!("cat {}", key.display()), &[]);
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stderr).contains("Permission denied"));
    let told = confined(
        &format!("echo x > {0}/own && cat {0}/own", place.work.display()),
        &[],
    );
    assert_eq!(told.stdout, b"x\n", "{told:?}");
    // Ports, where they are bounded.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = format!(
        "/usr/bin/python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port})); print(1)'"
    );
    if !Path::new("/usr/bin/python3").exists() {
        return rialto_testing::skipped("there is no /usr/bin/python3");
    }
    assert_eq!(
        confined(&connect, &[&format!("ports={port}")]).stdout,
        b"1\n"
    );
    let told = confined(&connect, &["ports=1"]);
    assert!(
        String::from_utf8_lossy(&told.stderr).contains("Permission"),
        "{told:?}"
    );
    // What cannot be confined is not run.
    let told = Command::new(env!("CARGO_BIN_EXE_rialto"))
        .args(["confined-exec", "no=1", "--", "/bin/echo", "x"])
        .output()
        .unwrap();
    assert_eq!((told.status.code(), told.stdout), (Some(126), Vec::new()));
}

#[tokio::test]
async fn a_program_inherits_nothing_but_what_is_listed() {
    let place = Place::new();
    let mut spec = place.spec("/usr/bin/env", &[]);
    spec.env.insert("ONLY".into(), "this".into());
    let (mut said, _) = run(&place, spec).await;
    said.sort();
    assert_eq!(said, ["ONLY=this", "PATH=/usr/bin:/bin"]);
    // Numbers of open files besides 0, 1, 2: the shell's own read of the folder is not one of them.
    let open = "for n in 3 4 5 6 7 8 9; do ( eval \": <&$n\" ) 2>/dev/null && echo $n; done; true";
    let (said, last) = run(&place, place.sh(open)).await;
    assert_eq!((said, last), (Vec::new(), State::Stopped));
}

#[tokio::test]
async fn limits_end_what_takes_too_much() {
    let place = Place::new();
    let mut endless = place.sh("sleep 60");
    endless.limits.run = Some(Duration::from_millis(300));
    let mut busy = place.sh("while :; do :; done");
    busy.limits.cpu = Duration::from_secs(1);
    for (name, spec, want) in [
        (
            "flood",
            place.sh("while :; do echo flood; done"),
            "said more",
        ),
        (
            "long line",
            place.sh("printf %2000d 1; sleep 60"),
            "said more",
        ),
        ("endless", endless, "ran longer"),
        ("busy", busy, "signal"),
        (
            "file",
            place.sh("dd if=/dev/zero of=big bs=1024 count=2048"),
            "it ended",
        ),
    ] {
        let (said, last) = run(&place, spec).await;
        let State::Failed { why } = last else {
            panic!("{name}: {last:?}");
        };
        assert!(why.contains(want) || name == "file", "{name}: {why}");
        assert!(said.iter().map(String::len).sum::<usize>() <= 100_000);
    }
    assert!(fs::metadata(place.work.join("big")).unwrap().len() <= 1 << 20);
    if !Path::new("/usr/bin/python3").exists() {
        return rialto_testing::skipped("there is no /usr/bin/python3");
    }
    let python = |code: &str| place.spec("/usr/bin/python3", &["-c", code]);
    let hog = python(
        "a = bytearray(100 << 20); print(1, flush=True); b = bytearray(200 << 20); print(2)",
    );
    let (said, last) = run(&place, hog).await;
    assert_eq!(said, ["1"], "the second is too much");
    assert!(matches!(last, State::Failed { .. }));
    let bomb = "import os, time\nn = 0\ntry:\n  while n < 1000:\n    if os.fork() == 0: time.sleep(60)\n    n += 1\nexcept OSError: pass\nprint(n, flush=True)\ntime.sleep(60)";
    let mut child = Supervised::start(place.confinement(), python(bomb), once(), 1);
    let forked = tokio::time::timeout(PATIENCE, child.next())
        .await
        .unwrap()
        .unwrap();
    let forked: u32 = String::from_utf8_lossy(&forked).parse().unwrap();
    assert!(forked < 25, "{forked} processes were started");
    assert_eq!(child.stop().await, State::Stopped);
}

#[tokio::test]
async fn a_program_that_crashes_is_started_again_and_given_up() {
    let place = Place::new();
    let spec = place.sh("echo up; exit 3");
    let restarts = Restarts { most: 3, ..once() };
    let mut child = Supervised::start(place.confinement(), spec, restarts, 7);
    let mut states = child.states();
    let mut pauses = Vec::new();
    let seen = async {
        loop {
            let state = states.borrow_and_update().clone();
            match &state {
                State::BackingOff { pause, why } => {
                    assert!(why.contains("code 3"), "{why}");
                    if pauses.last() != Some(pause) {
                        pauses.push(*pause);
                    }
                }
                state if state.is_final() => return state.clone(),
                _ => {}
            }
            states.changed().await.unwrap();
        }
    };
    let last = tokio::time::timeout(PATIENCE, seen).await.unwrap();
    assert_eq!(
        last,
        State::Failed {
            why: "it ended with code 3".to_owned()
        }
    );
    let ms = Duration::from_millis;
    for (pause, (least, most)) in pauses.iter().zip([(5, 10), (10, 20), (20, 40)]) {
        assert!((ms(least)..=ms(most)).contains(pause), "{pauses:?}");
    }
    let mut runs = 0;
    while child.next().await.is_some() {
        runs += 1;
    }
    assert_eq!(runs, 4, "once and three times again");
}

/// Whether a process is there and not only waits to be taken note of.
fn lives(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat"));
    status.is_ok_and(|status| {
        !status
            .rsplit(')')
            .next()
            .unwrap()
            .trim_start()
            .starts_with('Z')
    })
}

#[tokio::test]
async fn stopping_takes_everything_that_was_started_along() {
    let place = Place::new();
    // It hears nothing of the request to end, nor does what it starts.
    let script = "trap '' TERM; sh -c 'trap \"\" TERM; sleep 600 & echo $!; wait' & wait";
    let mut child = Supervised::start(place.confinement(), place.sh(script), once(), 1);
    let sleeper = tokio::time::timeout(PATIENCE, child.next())
        .await
        .unwrap()
        .unwrap();
    let sleeper = String::from_utf8_lossy(&sleeper).into_owned();
    assert!(lives(&sleeper));
    assert_eq!(child.stop().await, State::Stopped);
    gone(&sleeper).await;
    // What stays behind when a program ends by itself goes as well.
    let (said, last) = run(&place, place.sh("sleep 600 & echo $!")).await;
    assert_eq!(last, State::Stopped);
    gone(said.first().unwrap()).await;
    // Who asks nicely is heard.
    let nice = place.sh("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done");
    let mut child = Supervised::start(place.confinement(), nice, once(), 1);
    child.next().await.unwrap();
    let since = Instant::now();
    assert_eq!(child.stop().await, State::Stopped);
    assert!(since.elapsed() < PATIENCE);
}

async fn gone(pid: &str) {
    let since = Instant::now();
    while lives(pid) {
        assert!(since.elapsed() < PATIENCE, "{pid} lives");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_program_is_spoken_with_and_waits_for_who_does_not_listen() {
    let place = Place::new();
    let mut child = Supervised::start(place.confinement(), place.spec("/bin/cat", &[]), once(), 1);
    becomes(&child, |state| matches!(state, State::Running { .. })).await;
    for line in ["one\n", "two\n"] {
        assert!(child.say(line.into()).await);
    }
    assert_eq!(child.next().await.unwrap(), "one");
    assert_eq!(child.next().await.unwrap(), "two");
    child.stop().await;
    let mut chatty =
        place.sh("n=0; while [ $n -lt 3000 ]; do echo $n; n=$((n+1)); echo $n > count; done");
    chatty.limits.output = 1 << 30;
    let mut child = Supervised::start(place.confinement(), chatty, once(), 1);
    let mut count = 0;
    while let Some(line) = child.next().await {
        assert_eq!(line, count.to_string());
        count += 1;
    }
    assert_eq!(count, 3000, "nothing is lost");
}

#[test]
fn where_programs_cannot_be_confined_they_are_refused() {
    let place = Place::new();
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_rialto"));
    let new = |user| Confinement::new(binary.clone(), &place.data, user);
    let cases: &[(Option<(u32, u32)>, &str)] = match is_root() {
        true => &[
            (None, "name another user"),
            (Some((0, 0)), "root is no other user"),
        ],
        false => &[(Some((NOBODY, NOBODY)), "only a server that runs as root")],
    };
    for (user, want) in cases {
        let told = new(*user).unwrap_err();
        assert_eq!(told.code().to_string(), "RLT0939");
        assert!(told.to_string().contains(want), "{told}");
    }
}

#[tokio::test]
async fn no_path_of_a_program_leads_to_the_realm() {
    let place = Place::new();
    let inside = place.data.join("inside");
    fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink(&place.data, place.place.path().join("link")).unwrap();
    for path in [
        place.data.clone(),
        inside,
        place.place.path().into(),
        place.place.path().join("link"),
    ] {
        let mut spec = place.sh("echo run");
        spec.reads.push(path.clone());
        let (said, last) = run(&place, spec).await;
        assert!(said.is_empty(), "{}", path.display());
        let State::Failed { why } = last else {
            panic!("{}: {last:?}", path.display());
        };
        assert!(why.contains("leads to the data folder"), "{why}");
    }
}
