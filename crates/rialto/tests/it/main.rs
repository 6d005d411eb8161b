//! The command line from outside: the binary is run as people run it.

mod cli;
mod demo;
mod quickstart;
mod scenario;
mod syscalls;
