//! The real server under faults: killed, on a full, failing, slow or damaged disk, crowded by
//! connections, out of memory. What it acknowledged must stand, and it must come back by itself.

mod crowd;
mod disk;
pub(crate) mod http;
mod kills;
pub(crate) mod server;
mod soak;
mod time;
