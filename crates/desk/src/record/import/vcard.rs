//! Address books: vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350), as a table.
//!
//! Each card is a row. What may stand several times (addresses, phones) is one cell with a line for
//! each. Only what a record can use becomes a column; photos, keys and sounds are left out. No crate
//! reads all three versions as they are exported in practice (2.1's quoted-printable with a charset of
//! its own, folded base64, several cards in a file), so it is done here, a line at a time.

use super::table::Table;

/// Columns of a card, in their order.
const COLUMNS: &[&str] = &[
    "UID",
    "FN",
    "N.given",
    "N.family",
    "EMAIL",
    "ORG",
    "TITLE",
    "ROLE",
    "TEL",
    "ADR",
    "URL",
    "BDAY",
    "CATEGORIES",
    "NOTE",
];

/// Longest value that is read, in bytes: what is longer is a picture.
const LONGEST_VALUE: usize = 20_000;

/// Whether a file is one of cards.
pub(super) fn is_one(text: &str) -> bool {
    text.trim_start().get(..11).is_some_and(|start| start.eq_ignore_ascii_case("BEGIN:VCARD"))
}

/// The cards of a file, at most `most`. Columns that no card has are left out.
pub(super) fn table(bytes: &[u8], most: usize) -> Table {
    let text = file_text(bytes);
    let mut cards: Vec<Vec<String>> = Vec::new();
    let mut card: Option<Vec<String>> = None;
    for line in logical_lines(&text) {
        let Some(property) = Property::of(&line) else { continue };
        match (property.name.as_str(), property.raw.trim()) {
            ("BEGIN", what) if what.eq_ignore_ascii_case("VCARD") => {
                card = Some(vec![String::new(); COLUMNS.len()]);
            }
            ("END", what) if what.eq_ignore_ascii_case("VCARD") => cards.extend(card.take().map(finished)),
            _ => {
                if let Some(card) = &mut card {
                    property.into_cells(card);
                }
            }
        }
        if cards.len() >= most {
            break;
        }
    }
    used(cards)
}

/// As text in which each byte above ASCII of an older charset survives: 2.1 names charsets line by line,
/// and its encoded lines are ASCII anyway.
fn file_text(bytes: &[u8]) -> String {
    mail::text_of(bytes, None)
}

fn used(cards: Vec<Vec<String>>) -> Table {
    let has = |at: usize| cards.iter().any(|card| !card[at].is_empty());
    let kept: Vec<usize> = (0..COLUMNS.len()).filter(|at| has(*at)).collect();
    Table {
        columns: kept.iter().map(|at| COLUMNS[*at].to_owned()).collect(),
        rows: cards.iter().map(|card| kept.iter().map(|at| card[*at].clone()).collect()).collect(),
    }
}

/// A card without FN is named by N, else by its company or address.
fn finished(mut card: Vec<String>) -> Vec<String> {
    let at = |name: &str| COLUMNS.iter().position(|column| *column == name).expect("it is a column");
    if card[at("FN")].is_empty() {
        let name = format!("{} {}", card[at("N.given")], card[at("N.family")]).trim().to_owned();
        let first = |text: &str| text.lines().next().unwrap_or("").to_owned();
        let others = [name, first(&card[at("ORG")]), first(&card[at("EMAIL")])];
        card[at("FN")] = others.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    }
    card
}

/// Unfolded lines: a line that begins with white space goes on with the one before (RFC 6350 §3.2), and
/// a quoted-printable one that ends with `=` goes on with the next (2.1).
fn logical_lines(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let line = line.trim_end_matches('\r');
        match out.last_mut() {
            Some(last) if goes_on => {
                last.pop();
                push(last, line.trim_start_matches([' ', '\t']));
            }
            Some(last) if line.starts_with([' ', '\t']) => push(last, &line[1..]),
            _ => out.push(line.to_owned()),
        }
        goes_on = out.last().is_some_and(|last| last.ends_with('=') && is_quoted_printable(last));
    }
    out
}

/// Pictures fold over thousands of lines: what is too long is not gathered.
fn push(last: &mut String, more: &str) {
    if last.len() + more.len() <= 4 * LONGEST_VALUE {
        last.push_str(more);
    }
}

fn is_quoted_printable(line: &str) -> bool {
    let head = line.split(':').next().unwrap_or("");
    head.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

struct Property {
    /// Upper case, without its group.
    name: String,
    charset: Option<String>,
    quoted_printable: bool,
    raw: String,
}

impl Property {
    fn of(line: &str) -> Option<Property> {
        let (head, raw) = line.split_at_checked(colon(line)?)?;
        let mut parts = head.split(';');
        let name = parts.next()?.rsplit('.').next()?.trim().to_ascii_uppercase();
        let mut property =
            Property { name, charset: None, quoted_printable: false, raw: raw[1..].to_owned() };
        for parameter in parts {
            let (key, value) = parameter.split_once('=').unwrap_or(("ENCODING", parameter));
            let value = value.trim_matches('"');
            match key.trim().to_ascii_uppercase().as_str() {
                "CHARSET" => property.charset = Some(value.to_owned()),
                "ENCODING" if value.eq_ignore_ascii_case("QUOTED-PRINTABLE") => {
                    property.quoted_printable = true
                }
                _ => {}
            }
        }
        (raw.len() <= LONGEST_VALUE).then_some(property)
    }

    /// Its value decoded, with the escapes still in it.
    fn text(&self) -> String {
        match self.quoted_printable {
            true => mail::text_of(&unquoted(&self.raw), self.charset.as_deref()),
            false => self.raw.clone(),
        }
    }

    fn into_cells(self, card: &mut [String]) {
        let text = self.text();
        let parts = || divided(&text, ';').into_iter().map(|part| unescaped(&part).trim().to_owned());
        let set = |name: &str, value: String, card: &mut [String]| {
            let Some(at) = COLUMNS.iter().position(|column| *column == name) else { return };
            if value.is_empty() || card[at].lines().any(|line| line == value) {
                return;
            }
            if !card[at].is_empty() {
                card[at].push('\n');
            }
            card[at].push_str(&value);
        };
        let several = |sign: &str| parts().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(sign);
        match self.name.as_str() {
            "N" => {
                let parts: Vec<String> = parts().collect();
                let at = |at: usize| parts.get(at).cloned().unwrap_or_default();
                set("N.family", at(0), card);
                set("N.given", [at(1), at(2)].join(" ").trim().to_owned(), card);
            }
            "ORG" => set("ORG", parts().next().unwrap_or_default(), card),
            "ADR" => set("ADR", several(", "), card),
            "CATEGORIES" => {
                let words = divided(&text, ',').into_iter().map(|word| unescaped(&word).trim().to_owned());
                set("CATEGORIES", words.collect::<Vec<_>>().join(", "), card);
            }
            "TEL" | "EMAIL" | "URL" => {
                let value = unescaped(&text);
                let value = value.trim();
                let bare =
                    value.strip_prefix("tel:").or_else(|| value.strip_prefix("mailto:")).unwrap_or(value);
                set(&self.name, bare.to_owned(), card);
            }
            "FN" if card[1].is_empty() => set("FN", unescaped(&text).trim().to_owned(), card),
            "UID" | "TITLE" | "ROLE" | "BDAY" | "NOTE" => {
                set(&self.name, unescaped(&text).trim().to_owned(), card);
            }
            _ => {}
        }
    }
}

/// Where the value begins: the first colon outside of quotes.
fn colon(line: &str) -> Option<usize> {
    let mut quoted = false;
    line.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    })
}

/// Parts between a sign that is not escaped, still with their escapes.
fn divided(text: &str, sign: char) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == sign && !escaped {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    out
}

/// `\n`, `\,`, `\;`, `\\` (RFC 6350 §3.4).
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

/// RFC 2045 §6.7; what is no escape stays as it is.
fn unquoted(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'=')
            .and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match escape {
            Some(byte) => (out.push(byte), at += 3),
            None => (out.push(bytes[at]), at += 1),
        };
    }
    out
}

#[cfg(test)]
mod tests;
