//! (module doc to be written by its author)
