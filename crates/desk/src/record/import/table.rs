//! A file as rows of cells: CSV (RFC 4180 and what office programs make of it), or vCard.

use super::{LARGEST_FILE, MOST_COLUMNS, MOST_ROWS, vcard};
use crate::Refusal;

/// Names of columns, and rows of as many cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Longest cell, in bytes; what is longer is cut, and no field takes more.
const LONGEST_CELL: usize = 20_000;

/// Reads a file, of whatever charset and format.
pub(super) fn read(bytes: &[u8]) -> Result<Table, Refusal> {
    if bytes.len() > LARGEST_FILE {
        return Err(refused("too_long", "A file has at most 20 MB.").with("most", LARGEST_FILE));
    }
    let text = mail::text_of(bytes, None);
    let table = match vcard::is_one(&text) {
        true => vcard::table(bytes, MOST_ROWS + 1),
        false => csv(&text)?,
    };
    if table.columns.len() > MOST_COLUMNS {
        return Err(
            refused("too_many", format!("At most {MOST_COLUMNS} columns.")).with("most", MOST_COLUMNS)
        );
    }
    if table.rows.len() > MOST_ROWS {
        return Err(refused("too_many", format!("At most {MOST_ROWS} rows.")).with("most", MOST_ROWS));
    }
    if table.rows.is_empty() {
        let message =
            "There is no row in it: a CSV file with a row of names and a row for each record, or vCard.";
        return Err(refused("empty_file", message));
    }
    Ok(table)
}

fn refused(code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::invalid("file", code, message)
}

fn csv(text: &str) -> Result<Table, Refusal> {
    // Excel writes this line so that it finds the separator itself.
    let (told, text) = match text.split_once('\n') {
        Some((first, rest)) if first.trim_end().starts_with("sep=") => {
            (first.trim_end().as_bytes().get(4).copied(), rest)
        }
        _ => (None, text),
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(told.unwrap_or_else(|| separator(text)))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let unreadable = |error: csv::Error| refused("bad_text", format!("This is no CSV file: {error}"));
    let Some(head) = records.next().transpose().map_err(unreadable)? else { return Ok(Table::default()) };
    let mut columns: Vec<String> = head.iter().map(|name| name.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for record in records.take(MOST_ROWS + 1) {
        let record = record.map_err(unreadable)?;
        let row: Vec<String> = record.iter().map(cell).collect();
        if row.iter().any(|cell| !cell.is_empty()) {
            rows.push(row);
        }
    }
    let widest = rows.iter().map(Vec::len).chain([columns.len()]).max().unwrap_or(0);
    columns.resize(widest, String::new());
    rows.iter_mut().for_each(|row| row.resize(widest, String::new()));
    Ok(Table { columns, rows })
}

/// What stands most often in the first line outside of quotes.
fn separator(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => counts.iter_mut().filter(|(sign, _)| *sign == byte).for_each(|(_, n)| *n += 1),
            _ => {}
        }
    }
    // Of equally many the first.
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(sign, _)| *sign)
}

fn cell(text: &str) -> String {
    let text = text.trim();
    let mut end = text.len().min(LONGEST_CELL);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests;
