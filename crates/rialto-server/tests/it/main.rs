//! Tests of the node and the door as a whole.

mod architecture;
mod description;
mod door;
mod faults;
mod workload;
