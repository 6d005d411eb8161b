//! What keeps a realm from being ready: a damaged log, or views that are not updated.
//!
//! Whoever finds a problem records it here, and readiness reports it. Nothing here decides whether
//! requests are accepted: a realm that is not ready serves what it still can.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rialto_core::reject::Code;

use super::boot::BootError;

/// Why a realm is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The stable code.
    pub code: Code,
    /// The exact problem, for the operator: it may name files.
    pub detail: String,
}

impl Trouble {
    /// The trouble that an error means.
    pub(super) fn of(code: Code, error: &dyn std::error::Error) -> Self {
        Self {
            code,
            detail: error.to_string(),
        }
    }
}

/// The known condition of the log and the views.
#[derive(Debug, Default)]
pub struct Health {
    damage: Mutex<Option<Trouble>>,
    views: Mutex<Option<Trouble>>,
    checked: AtomicU64,
    passes: AtomicU64,
}

fn get(place: &Mutex<Option<Trouble>>) -> Option<Trouble> {
    place.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn put(place: &Mutex<Option<Trouble>>, trouble: Option<Trouble>) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
}

impl Health {
    /// What was found damaged in the log since the start. It stays until the server is restarted.
    #[must_use]
    pub fn damage(&self) -> Option<Trouble> {
        get(&self.damage)
    }

    /// Why the views are not updated, if they are not.
    #[must_use]
    pub fn views(&self) -> Option<Trouble> {
        get(&self.views)
    }

    /// Up to which position the log has been checked in the pass under way, or the last one.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// How often the whole log has been checked since the start and found sound.
    #[must_use]
    pub fn passes(&self) -> u64 {
        self.passes.load(Ordering::Relaxed)
    }

    /// Records damage that was found while reading the log. Other errors are ignored. The first one
    /// is kept, and logged once.
    pub(crate) fn met(&self, error: &BootError) {
        let code = error.code();
        if !matches!(code, Code::LogCorrupt | Code::LogNewer | Code::LogForeign) {
            return;
        }
        let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        if damage.is_none() {
            tracing::error!(%error, "the log is damaged: restore a backup");
            *damage = Some(Trouble::of(code, error));
        }
    }

    pub(super) fn set_views(&self, trouble: Option<Trouble>) {
        put(&self.views, trouble);
    }

    pub(super) fn set_checked(&self, position: u64) {
        self.checked.store(position, Ordering::Relaxed);
    }

    pub(super) fn passed(&self) {
        self.passes.fetch_add(1, Ordering::Relaxed);
    }
}
