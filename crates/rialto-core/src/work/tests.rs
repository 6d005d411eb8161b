//! Text-table tests of this module.
