//! What can go wrong with a view.

use crate::views::Rebuilding;

/// What is being rebuilt and how far it is, in words.
fn told(behind: &[Rebuilding]) -> String {
    let each = behind.iter().map(ToString::to_string);
    each.collect::<Vec<_>>().join("; ")
}

/// Why a view cannot take or tell something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read or written.
    #[error("the view file failed: {0}; if it is damaged, stop, delete it, and let it be rebuilt")]
    Store(#[from] rusqlite::Error),
    /// A file that stood in the way could not be removed.
    #[error("the view file could not be replaced: {0}")]
    Io(#[from] std::io::Error),
    /// Envelopes were fed out of order.
    #[error("expected the envelope at {expected}, got {got}: feed the log in order")]
    Gap {
        /// The next position.
        expected: u64,
        /// What came.
        got: u64,
    },
    /// What would have to be read is being rebuilt, or what a fold reads is.
    #[error("{}: ask again later", told(.0))]
    Rebuilding(Vec<Rebuilding>),
    /// What is stored is not what this code writes.
    #[error("the view file is damaged ({0}): stop, delete it, and let it be rebuilt")]
    Damaged(&'static str),
    /// Contents are erased from every table, but long reads still keep their bytes in the file.
    #[error("erased, but readers still hold the file; call erase again to finish")]
    EraseIncomplete,
    /// The cursor is not one that this list gave.
    #[error("the cursor is not one that this list gave: begin again without it")]
    BadCursor,
    /// The page size is out of bounds.
    #[error("limit must be between 1 and {most}")]
    BadLimit {
        /// The most rows on a page.
        most: u32,
    },
    /// A search that asks for nothing, or for too much.
    #[error("the query is not valid: {0}")]
    BadQuery(String),
    /// A report with too many rows.
    #[error("the report would have more than {0} rows: name fewer dimensions or a narrower scope")]
    TooBroad(usize),
}
