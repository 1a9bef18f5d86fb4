//! The header of the message that a bounce returned, out of whatever text holds it.
//!
//! Most reports attach the message or its header as a part; qmail, exim and many more paste it below
//! their own words, indented or quoted. A block counts as a header when lines of the shape
//! `Name: value` (RFC 5322 2.2) follow each other and the names are those of mail.

use crate::headers::{self, Headers};

/// Most fields kept, and most bytes of one.
const MAX_FIELDS: usize = 200;
const MAX_FIELD_BYTES: usize = 8 << 10;
/// Most lines looked at.
const MAX_LINES: usize = 20_000;
/// Longest Message-ID, in bytes (RFC 5322 2.1.1).
const MAX_ID_BYTES: usize = 998;

/// The first header block of a text; empty if there is none.
pub(super) fn header_in(text: &str) -> Headers {
    let mut block = Block::default();
    for line in text.lines().take(MAX_LINES) {
        if !block.take(line) {
            if block.is_header() {
                break;
            }
            block = Block::default();
            block.take(line);
        }
    }
    if block.is_header() { block.headers() } else { Headers::default() }
}

/// The id of a Message-ID field's value.
pub(crate) fn id(value: &str) -> Option<String> {
    let id = value.trim().trim_start_matches('<');
    let id = id.split(['>', ' ', '\t']).next().unwrap_or("");
    (!id.is_empty() && id.len() <= MAX_ID_BYTES).then(|| id.to_owned())
}

/// Lines that may be a header.
#[derive(Default)]
struct Block {
    /// What stands before every field: quote marks and blanks.
    indent: usize,
    fields: Vec<(String, String)>,
}

impl Block {
    /// Whether the line belongs to the block.
    fn take(&mut self, line: &str) -> bool {
        if self.fields.is_empty() {
            let is_indent = |c: char| matches!(c, '>' | ' ' | '\t' | '|');
            self.indent = line.len() - line.trim_start_matches(is_indent).len();
            // A field's name before its colon begins the block; the mbox line above it does not matter.
            return self.field(&line[self.indent..]) || line[self.indent..].starts_with("From ");
        }
        let Some(inner) = line.get(self.indent.min(line.len())..) else { return false };
        if inner.starts_with([' ', '\t']) && !inner.trim().is_empty() {
            return self.fold(inner);
        }
        self.field(inner)
    }

    fn fold(&mut self, line: &str) -> bool {
        if let Some((_, value)) = self.fields.last_mut()
            && value.len() + line.len() <= MAX_FIELD_BYTES
        {
            value.push_str("\r\n");
            value.push_str(line);
        }
        true
    }

    fn field(&mut self, line: &str) -> bool {
        let Some((name, value)) = line.split_once(':') else { return false };
        let name = name.trim_end();
        let is_name = !name.is_empty()
            && name.len() <= 80
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if is_name && self.fields.len() < MAX_FIELDS {
            let value = &value[..value.floor_char_boundary(MAX_FIELD_BYTES)];
            self.fields.push((name.to_owned(), value.to_owned()));
        }
        is_name
    }

    /// A list of a notice ("Reason: …") has the shape of a header too, but not its names.
    fn is_header(&self) -> bool {
        let named = |wanted: &[&str]| {
            self.fields.iter().any(|(name, _)| wanted.iter().any(|one| name.eq_ignore_ascii_case(one)))
        };
        let usual = ["From", "To", "Date", "Subject", "Received", "Return-Path", "MIME-Version"];
        let count = usual.iter().filter(|one| named(&[one])).count();
        named(&["Message-ID"]) || count >= 3
    }

    fn headers(self) -> Headers {
        let decoded =
            |(name, value): (String, String)| (name, headers::decode_text(&value, Default::default()));
        Headers::new(self.fields.into_iter().map(decoded).collect())
    }
}
