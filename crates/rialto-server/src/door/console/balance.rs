//! The trial balance for pages that are refreshed all the time.
//!
//! It is a sum over every account, so its cost grows with the realm. One reader at a time computes
//! it, and the others get the same for [`REST`] times as long as that took: in a small realm it is
//! never older than some milliseconds, and in a large one it takes a bounded part of a core.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rialto_views::{Error, TrialBalance, ViewReader};

/// For how many times its own cost a figure is kept.
const REST: u32 = 20;

/// The latest trial balance, and until when it is given out.
#[derive(Default)]
pub(crate) struct Balance(Mutex<Option<(Instant, Vec<TrialBalance>)>>);

impl Balance {
    /// The trial balance. Blocks while it is worked out.
    ///
    /// # Errors
    /// As the views'.
    pub(super) fn of(&self, views: &ViewReader) -> Result<Vec<TrialBalance>, Error> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        if let Some((_, rows)) = kept.as_ref().filter(|(until, _)| begun < *until) {
            return Ok(rows.clone());
        }
        let rows = views.trial_balance()?;
        let until = Instant::now() + begun.elapsed() * REST;
        *kept = Some((until, rows.clone()));
        Ok(rows)
    }
}
