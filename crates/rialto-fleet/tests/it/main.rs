//! Integration tests of the fleet twin, one binary.

mod engine;
