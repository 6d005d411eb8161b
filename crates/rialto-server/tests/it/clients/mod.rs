//! The clients in `clients/`, as far as they are made from the API description: types and methods.
//!
//! Like the documents they are compared with the committed ones in every run, and written anew with
//! `RIALTO_BLESS=1`. How a request is sent and an answer is read is written by hand beside them.

mod model;
mod python;
mod typescript;

use std::path::Path;

use crate::description::committed_at;
use model::Api;

const PYTHON: &str = "clients/python/rialto";
const TYPESCRIPT: &str = "clients/typescript";

#[test]
fn the_clients_are_committed() {
    let api = Api::of(&rialto_server::door::describe());
    for (path, made) in [
        (format!("{PYTHON}/types.py"), python::types(&api)),
        (format!("{PYTHON}/api.py"), python::methods(&api)),
        (format!("{TYPESCRIPT}/api.d.ts"), typescript::types(&api)),
        (format!("{TYPESCRIPT}/api.js"), typescript::table(&api)),
    ] {
        committed_at(&path, &made);
    }
}

#[test]
fn the_clients_have_the_version_of_the_server() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (path, says) in [
        ("clients/python/pyproject.toml", "version = \"{}\""),
        ("clients/typescript/package.json", "\"version\": \"{}\""),
    ] {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        let says = says.replace("{}", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&says), "{path}: {says}");
    }
}
