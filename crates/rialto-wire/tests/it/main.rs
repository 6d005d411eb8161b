//! What the protocols' types promise, held on data of the project.

mod screening;
