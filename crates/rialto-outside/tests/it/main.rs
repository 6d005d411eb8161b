//! What leaves the process, against real sockets, files and programs.

mod calls;
mod peer;
