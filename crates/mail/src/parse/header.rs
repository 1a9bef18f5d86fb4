//! The header of a message -> the fields of a [`Letter`].
//!
//! Where a field that may come once comes more often, the first usable one counts (as most readers
//! show it); recipients of repeated To and Cc are all recipients.

use super::date;
use crate::address;
use crate::charset::Hint;
use crate::headers::{self, Field, Headers};
use crate::letter::{Address, Defect, Letter};
use crate::part::{self, Tree};
use std::collections::HashSet;

/// Longer ids are cut: RFC 5322 §2.1.1 ends every line there.
const MAX_ID_BYTES: usize = 998;
/// Most bytes of the header, and of one text, that the charset is guessed by.
pub(super) const MAX_SAMPLE_BYTES: usize = 64 * 1024;
/// Of more references the first and the last ones are kept.
const MAX_REFERENCES: usize = 1_000;

/// Fields that RFC 5322 §3.6 allows once.
const ONCE: [&str; 11] = [
    "message-id",
    "date",
    "subject",
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "in-reply-to",
    "references",
];

/// Reads the header; defects of the header are noted in the letter.
pub(super) fn read(raw: &[u8], tree: &Tree, hint: Hint<'_>) -> Letter {
    let mut letter = Letter::default();
    let mut seen = HashSet::new();
    let mut list = Vec::with_capacity(tree.fields.len());
    for field in part::fields(tree, raw).take(headers::MAX_FIELDS) {
        let name = field.name.to_ascii_lowercase();
        if ONCE.contains(&name.as_str()) && !seen.insert(name.clone()) {
            letter.defects.push(Defect::DuplicateHeader);
        }
        let (text, guessed) = headers::to_text(field.raw, hint);
        if guessed {
            letter.defects.push(Defect::RawHeaderBytes);
        }
        take(&mut letter, &name, &text, hint);
        list.push((field.name.to_owned(), listed(&text, hint, &mut letter.defects)));
    }
    if tree.fields.len() > headers::MAX_FIELDS {
        letter.defects.push(Defect::HeaderLimit);
    }
    letter.headers = Headers::new(list);
    note_what_is_missing(&mut letter);
    letter
}

fn listed(text: &str, hint: Hint<'_>, defects: &mut Vec<Defect>) -> String {
    let end = text.floor_char_boundary(headers::MAX_VALUE_BYTES);
    if end < text.len() {
        defects.push(Defect::HeaderLimit);
    }
    headers::decode_text(&text[..end], hint)
}

fn take(letter: &mut Letter, name: &str, text: &str, hint: Hint<'_>) {
    let read = |defects: &mut Vec<Defect>| addresses(text, hint, defects);
    let recipients = |defects: &mut Vec<Defect>| {
        let mut list = addresses(text, hint, defects);
        // `undisclosed-recipients:@mx.example;`: a group without members that got a domain on its way.
        let of_group = |address: &str| address.starts_with('@') || address.ends_with(';');
        let is_group = text.trim_end().ends_with(';');
        list.retain(|one| !(one.address.is_empty() || is_group && of_group(&one.address)));
        list
    };
    match name {
        "from" if letter.from.is_empty() => letter.from = read(&mut letter.defects),
        "sender" if letter.sender.is_empty() => {
            letter.sender = read(&mut letter.defects);
        }
        "reply-to" => letter.reply_to.extend(recipients(&mut letter.defects)),
        "to" => letter.to.extend(recipients(&mut letter.defects)),
        "cc" => letter.cc.extend(recipients(&mut letter.defects)),
        "bcc" => letter.bcc.extend(recipients(&mut letter.defects)),
        "subject" if letter.subject.is_empty() => letter.subject = headers::decode_text(text, hint),
        "date" if letter.date.is_none() => letter.date = date::read(text),
        "message-id" if letter.message_id.is_none() => {
            letter.message_id = ids(text, true).into_iter().next();
        }
        "in-reply-to" => letter.in_reply_to.extend(ids(text, false)),
        "references" => letter.references = references(text),
        "list-id" if letter.list_id.is_none() => letter.list_id = list_id(text),
        "auto-submitted" if letter.auto_submitted.is_none() => {
            letter.auto_submitted = Some(keyword(text));
        }
        "precedence" if letter.precedence.is_none() => letter.precedence = Some(keyword(text)),
        "return-path" if letter.return_path.is_none() => letter.return_path = return_path(text),
        "authentication-results" => {
            letter.authentication_results.push(headers::unfold(text));
        }
        _ => {}
    }
}

fn addresses(text: &str, hint: Hint<'_>, defects: &mut Vec<Defect>) -> Vec<Address> {
    let (addresses, too_many) = address::read(text, hint);
    if too_many {
        defects.push(Defect::AddressLimit);
    }
    addresses
}

/// What stands between angle brackets; `bare` also takes a single word without them.
fn ids(text: &str, bare: bool) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let (id, tail) = after.split_once('>').unwrap_or((after, ""));
        // `<a@b <c@d>`: the first one was never closed.
        let id = id.rsplit('<').next().unwrap_or(id);
        ids.extend(id_of(id));
        rest = tail;
    }
    if ids.is_empty() {
        let words = text.split([' ', '\t', '\r', '\n', ',', ';', '<', '>', '"']);
        ids.extend(words.filter(|word| bare || word.contains('@')).filter_map(id_of));
    }
    ids
}

fn id_of(text: &str) -> Option<String> {
    let id: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let end = id.floor_char_boundary(MAX_ID_BYTES);
    (!id.is_empty()).then(|| id[..end].to_owned())
}

fn references(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut ids = ids(text, false);
    ids.retain(|id| seen.insert(id.clone()));
    if ids.len() > MAX_REFERENCES {
        ids.drain(1..=ids.len() - MAX_REFERENCES);
    }
    ids
}

/// RFC 2919: the id stands in the last pair of angle brackets.
fn list_id(text: &str) -> Option<String> {
    let text = headers::decode_text(text, Hint::default());
    let inner = text.rsplit_once('<').and_then(|(_, tail)| tail.split_once('>'));
    let id = inner.map_or(text.as_str(), |(id, _)| id).trim();
    (!id.is_empty()).then(|| id.to_owned())
}

fn keyword(text: &str) -> String {
    let text = headers::unfold(text);
    let word = text.split([';', '(']).next().unwrap_or_default();
    word.trim().to_ascii_lowercase()
}

fn return_path(text: &str) -> Option<String> {
    let text = headers::unfold(text);
    let inner = text.split_once('<').map_or(text.as_str(), |(_, tail)| tail);
    let address = inner.split_once('>').map_or(inner, |(address, _)| address);
    Some(address.trim().to_owned())
}

fn note_what_is_missing(letter: &mut Letter) {
    if letter.message_id.is_none() {
        letter.defects.push(Defect::MissingMessageId);
    }
    if letter.date.is_none() {
        letter.defects.push(Defect::MissingDate);
    }
    if letter.from.iter().all(|from| from.address.is_empty()) {
        letter.defects.push(Defect::MissingFrom);
    }
}

/// The charset in which a letter's unlabelled bytes are written, header and text together: what writes
/// raw bytes writes all of them in one. Texts of other labels than the first have no part in it.
pub(super) fn charset(
    tree: &Tree,
    raw: &[u8],
    texts: impl Iterator<Item = (Option<String>, Vec<u8>)>,
    hint: Hint<'_>,
) -> Option<&'static encoding_rs::Encoding> {
    let mut sample = Vec::new();
    let fields = part::fields(tree, raw).take(headers::MAX_FIELDS);
    for field in fields.filter(|field| std::str::from_utf8(field.raw).is_err()) {
        if sample.len() < MAX_SAMPLE_BYTES {
            sample.extend_from_slice(field.raw.get(..MAX_SAMPLE_BYTES).unwrap_or(field.raw));
            sample.push(b'\n');
        }
    }
    for (label, text) in texts {
        if label.as_deref() == hint.label && std::str::from_utf8(&text).is_err() {
            sample.extend_from_slice(&text);
        }
    }
    crate::charset::of_letter(&sample, hint)
}

/// Country of the writer, else of a recipient, as a hint for guessing charsets. Generic domains say
/// nothing; a language header does.
pub(super) fn tld(raw: &[u8], tree: &Tree) -> Option<String> {
    let of = |name: &str| {
        let field = part::fields(tree, raw)
            .take(headers::MAX_FIELDS)
            .find(|field| field.name.eq_ignore_ascii_case(name));
        field.and_then(|field| country(name, field))
    };
    ["from", "reply-to", "return-path", "content-language", "to"].into_iter().find_map(of)
}

fn country(name: &str, field: Field<'_>) -> Option<String> {
    let text = String::from_utf8_lossy(field.raw.get(..1024).unwrap_or(field.raw));
    if name == "content-language" {
        return match text.trim().get(..2)?.to_ascii_lowercase().as_str() {
            "cs" => Some("cz".to_owned()),
            "sk" => Some("sk".to_owned()),
            "pl" => Some("pl".to_owned()),
            _ => None,
        };
    }
    let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '@');
    text.split(|c| !host(c))
        .filter(|word| word.contains('@'))
        .filter_map(address::top_level_domain)
        .find(|tld| tld.len() == 2)
}
