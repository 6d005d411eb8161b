//! How many files this process may have open, and how many of them connections may take.
//!
//! The log, the views and what they need come first: without open files they would fail as on a
//! broken disk.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most connections, however many files there may be.
const CONNECTIONS: u64 = 20_000;
/// Files that are kept back: the log with its readers, the views with theirs, the entity table, texts on
/// their way to the disk, listeners, and what the runtime needs. These come to some 150.
const KEPT_BACK: u64 = 256;

/// How many connections fit into a limit of open files: what is not reserved, or a quarter of a
/// limit that is too low for that.
fn connections_within(files: u64) -> u64 {
    files
        .saturating_sub(KEPT_BACK)
        .max(files / 4)
        .clamp(1, CONNECTIONS)
}

/// Raises this process's limit of open files as far as it is allowed and needed, and returns how many
/// connections there may be at once.
pub(super) fn room_for_connections() -> usize {
    let wanted = CONNECTIONS + KEPT_BACK;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let mut files = current.unwrap_or(wanted);
    let allowed = wanted.min(maximum.unwrap_or(wanted));
    if files < allowed {
        let raised = Rlimit {
            current: Some(allowed),
            maximum,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => files = allowed,
            Err(error) => tracing::warn!(%error, "the limit of open files stays at {files}"),
        }
    }
    let most = connections_within(files);
    if most < CONNECTIONS {
        tracing::info!("{files} open files are allowed: {most} connections at once");
    }
    usize::try_from(most).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::connections_within;

    #[test]
    fn connections_leave_room_for_the_log() {
        for (files, connections) in [
            (0, 1),
            (64, 16),
            (256, 64),
            (340, 85),
            (1_024, 768),
            (4_096, 3_840),
            (20_256, 20_000),
            (1_048_576, 20_000),
        ] {
            assert_eq!(connections_within(files), connections, "{files}");
        }
    }
}
