//! Header fields: raw bytes -> decoded values, and the list of them.
//!
//! A value is unfolded and its RFC 2047 encoded words are decoded. Raw 8-bit bytes are turned into
//! text first (UTF-8 where valid, else guessed with the sender's top-level domain as hint): after
//! that every header is text.

pub(crate) mod words;

use crate::charset::{self, Hint};
use std::borrow::Cow;

/// More fields than this are not decoded (they are kept raw).
pub(crate) const MAX_FIELDS: usize = 2_000;
/// A longer value is not decoded in the list of headers; addresses and ids have limits of their own.
pub(crate) const MAX_VALUE_BYTES: usize = 64 * 1024;

/// The header fields of a message in order, decoded; at most 2,000 fields of 64 KiB each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<(String, String)>,
}

impl Headers {
    pub(crate) fn new(fields: Vec<(String, String)>) -> Headers {
        Headers { fields }
    }

    /// First value of the field with this name (any case).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All values of the field with this name, topmost first.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the field is there, even empty.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names as written and decoded values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// One field as it stands in the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub name: &'a str,
    pub raw: &'a [u8],
}

/// The raw value as text; `true` if its charset was guessed. Raw bytes have no label of their own;
/// programs that write them write header and text in the same charset, so the text's label is tried.
pub(crate) fn to_text<'a>(raw: &'a [u8], hint: Hint<'_>) -> (Cow<'a, str>, bool) {
    match std::str::from_utf8(raw) {
        Ok(_) => (charset::unlabelled(raw, hint.tld).0, false),
        Err(_) => (charset::decode(raw, hint).0, true),
    }
}

/// Unfolds and decodes unstructured text (Subject and the like).
pub(crate) fn decode_text(value: &str, hint: Hint<'_>) -> String {
    if value.contains("=?") { clean(words::decode(&unfold(value), hint)) } else { unfold(value) }
}

/// Joins the lines of a folded value; RFC 5322 §2.2.3 keeps the white space, people never want it.
pub(crate) fn unfold(value: &str) -> String {
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0');
    let mut out = String::with_capacity(value.len());
    let mut lines = value.split(['\r', '\n']).filter(|line| !line.is_empty());
    if let Some(first) = lines.next() {
        out.push_str(first);
    }
    for line in lines {
        out.push(' ');
        out.push_str(line.trim_start_matches([' ', '\t']));
    }
    clean(out)
}

/// Control characters in a decoded value are attempts to smuggle lines; each becomes a blank.
fn clean(text: String) -> String {
    if text.contains(|c: char| c.is_control()) {
        text.replace(|c: char| c.is_control(), " ").trim().to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_joined_with_one_blank() {
        assert_eq!(decode_text(" Faktura\r\n\t2024\r\n  leden\r\n", Hint::default()), "Faktura 2024 leden");
    }

    #[test]
    fn decoded_line_breaks_are_not_kept() {
        assert_eq!(decode_text("=?utf-8?Q?a=0D=0ABcc:_x?=", Hint::default()), "a  Bcc: x");
    }

    #[test]
    fn b8_raw_bytes_of_a_czech_sender_are_read() {
        let raw = encoding_rs::WINDOWS_1250.encode("Žádost o nabídku číslo šest").0;
        let (text, guessed) = to_text(&raw, Hint { tld: Some("cz"), ..Hint::default() });
        assert_eq!((&*text, guessed), ("Žádost o nabídku číslo šest", true));
    }

    #[test]
    fn topmost_value_comes_first() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = Headers::new(vec![pair("X-A", "1"), pair("x-a", "2"), pair("B", "")]);
        assert_eq!(headers.get("x-A"), Some("1"));
        assert_eq!(headers.all("X-a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(headers.has("b") && !headers.has("c"));
    }
}
