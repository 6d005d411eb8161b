//! A page for each error code.

use std::fmt::Write;

use rialto_core::reject::Code;

use super::answer::Markdown;
use super::path::Path;
use super::problem::{Refusal, status_of};

/// What a code means, its cause and its remedy, as Markdown.
#[must_use]
pub fn error_page(code: Code) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(page, "## {code}: {}\n", code.title());
    let _ = writeln!(page, "Cause: {}\n", code.cause());
    let _ = writeln!(page, "Remedy: {}\n", code.remedy());
    let _ = writeln!(page, "HTTP status {}.", status_of(code).as_u16());
    page
}

/// The pages of all codes.
#[must_use]
pub fn error_pages() -> String {
    let pages: Vec<String> = Code::ALL.iter().map(|code| error_page(*code)).collect();
    format!(
        "# Error codes\n\nEvery refusal carries one of these codes. `rialto explain CODE` says the same.\n\n{}",
        pages.join("\n")
    )
}

/// `GET /errors/{code}`.
pub(super) async fn page(Path(code): Path<String>) -> Result<Markdown, Refusal> {
    let code: Code = code
        .parse()
        .map_err(|()| Refusal::new(Code::NotFound, "no such error code"))?;
    Ok(Markdown(error_page(code)))
}
