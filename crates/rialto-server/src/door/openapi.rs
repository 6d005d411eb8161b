//! The API description as it is served: the committed document. The tests make it of the table of routes
//! and of the types themselves ([`super::describe`]), and compare the two in every run.

use super::answer::Document;

/// The committed description.
const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// `GET /api/openapi.json`.
pub(super) async fn document() -> Document {
    Document(DOCUMENT)
}
