//! Chips as a CSV table: one row a chip, the columns named as the fields of the TOML table.

use super::{CatalogueError, Chip, Source};
use crate::table::{InputError, Row, Table};

/// Columns that every table has.
const REQUIRED: [&str; 10] = [
    "name",
    "vendor",
    "bf16_tflops",
    "memory_gb",
    "memory_tb_s",
    "scaleup_gb_s",
    "scaleup_domain_chips",
    "scaleout_gb_s",
    "source",
    "confidence",
];

/// Columns that may be absent, and cells that may be empty.
const OPTIONAL: [&str; 12] = [
    "aliases",
    "fp8_tflops",
    "fp4_tflops",
    "tdp_w",
    "allin_kw",
    "tco_usd_per_hour",
    "rent_usd_per_hour",
    "on_demand_usd_per_hour",
    "capacity_block_usd_per_hour",
    "list_usd_per_hour",
    "capex_usd",
    "notes",
];

/// Reads chips: `source` and `confidence` apply to every number of their row, and `;` separates aliases.
///
/// # Errors
/// File, line and field of what is missing, unknown, no number or out of range.
pub(super) fn chips(file: &str, text: &str) -> Result<Vec<Chip>, CatalogueError> {
    let table = Table::parse(file, text, &REQUIRED).map_err(malformed)?;
    let known = |column: &&str| REQUIRED.contains(column) || OPTIONAL.contains(column);
    if let Some(unknown) = table.columns().find(|c| !known(c)) {
        let known = [&REQUIRED[..], &OPTIONAL].concat().join(", ");
        return Err(CatalogueError::Malformed {
            file: file.to_owned(),
            message: format!("line 1: {unknown}: no such column; known: {known}"),
        });
    }
    let one = |row: Row<'_>| {
        let chip = chip(row).map_err(malformed)?;
        chip.check(file).map_err(|e| e.on_line(row.line()))?;
        Ok(chip)
    };
    table.rows().map(one).collect()
}

fn malformed(error: InputError) -> CatalogueError {
    CatalogueError::Malformed {
        message: format!("line {}: {}: {}", error.line, error.field, error.message),
        file: error.file,
    }
}

fn chip(row: Row<'_>) -> Result<Chip, InputError> {
    let text = |column: &str| Ok(row.required(column)?.to_owned());
    let number = |column: &'static str| row.non_negative(column);
    let columns = REQUIRED.iter().chain(&OPTIONAL);
    let numbers = columns.filter(|c| row.number(c).is_ok_and(|n| n.is_some()));
    let aliases = row.text("aliases").split(';').map(str::trim);
    Ok(Chip {
        name: text("name")?,
        vendor: text("vendor")?,
        aliases: aliases
            .filter(|a| !a.is_empty())
            .map(str::to_owned)
            .collect(),
        bf16_tflops: number("bf16_tflops")?,
        fp8_tflops: row.number("fp8_tflops")?,
        fp4_tflops: row.number("fp4_tflops")?,
        memory_gb: number("memory_gb")?,
        memory_tb_s: number("memory_tb_s")?,
        scaleup_gb_s: number("scaleup_gb_s")?,
        scaleup_domain_chips: row.parse("scaleup_domain_chips")?,
        scaleout_gb_s: number("scaleout_gb_s")?,
        tdp_w: row.number("tdp_w")?,
        allin_kw: row.number("allin_kw")?,
        tco_usd_per_hour: row.number("tco_usd_per_hour")?,
        rent_usd_per_hour: row.number("rent_usd_per_hour")?,
        on_demand_usd_per_hour: row.number("on_demand_usd_per_hour")?,
        capacity_block_usd_per_hour: row.number("capacity_block_usd_per_hour")?,
        list_usd_per_hour: row.number("list_usd_per_hour")?,
        capex_usd: row.number("capex_usd")?,
        notes: Some(row.text("notes").to_owned()).filter(|n| !n.is_empty()),
        sources: vec![Source {
            fields: numbers.map(|c| (*c).to_owned()).collect(),
            source: text("source")?,
            confidence: text("confidence")?,
        }],
    })
}
