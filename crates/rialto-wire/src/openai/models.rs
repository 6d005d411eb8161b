//! `/v1/models`: a server's list read, and the caller's list written.

use crate::json::{self, Members};
use crate::model::ModelError;

/// A model as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub id: String,
    /// Since when, in seconds since 1970.
    pub created: u64,
    /// Who offers it.
    pub owner: String,
}

impl Model {
    fn write(&self, m: &mut Members<'_>) {
        m.text("id", &self.id);
        m.text("object", "model");
        m.count("created", self.created);
        m.text("owned_by", &self.owner);
    }
}

/// Writes the list.
#[must_use]
pub fn write_list(models: &[Model]) -> Vec<u8> {
    json::write(|m| {
        m.text("object", "list");
        m.array("data", |items| {
            for model in models {
                items.object(|m| model.write(m));
            }
        });
    })
}

/// Writes one model.
#[must_use]
pub fn write_one(model: &Model) -> Vec<u8> {
    json::write(|m| model.write(m))
}

/// Reads a server's list; entries without an id are left out.
///
/// # Errors
/// When it is none.
pub fn read_list(body: &[u8]) -> Result<Vec<Model>, ModelError> {
    let wrong = || ModelError::malformed("it holds no list of models");
    let mut from = json::document(body).map_err(|_| wrong())?;
    from.look("data").ok_or_else(wrong)?;
    let data = from.maybe_objects("data").into_iter();
    let models = data.filter_map(|mut item| {
        Some(Model {
            id: item.maybe_text("id")?,
            created: item.maybe_count("created").unwrap_or(0),
            owner: item.maybe_text("owned_by").unwrap_or_default(),
        })
    });
    Ok(models.collect())
}
