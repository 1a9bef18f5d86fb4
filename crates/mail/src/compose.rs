//! Writes mail (RFC 5322): notices and tests of a connection, which a program sends by itself, and plain answers.
//!
//! Whatever stands in a name, a subject or a text, it stays there: control characters and line separators become
//! blanks before anything is written, so no value can add a field or end the header (T15). What is not ASCII
//! travels as encoded words (RFC 2047) and quoted-printable (RFC 2045), so every server takes the result.
//! What a program wrote says so (RFC 3834), so that vacation notices do not answer.
//!
//! Decided against a builder crate: of parts, attachments and line wrapping these need nothing; long lines travel as
//! quoted-printable and are wrapped by whoever shows them.

use crate::letter::{Address, civil};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt::Write as _;

/// Bytes of text in one encoded word: 68 characters of it, which fit behind `Subject: ` (RFC 2047 section 2).
const WORD_BYTES: usize = 42;
/// Lines of a header or of quoted-printable are at most so long.
const LINE: usize = 76;

/// A notice to be written.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Who sends: display name (may be empty) and address.
    pub from: (&'a str, &'a str),
    /// Recipients' addresses.
    pub to: &'a [String],
    /// Its subject.
    pub subject: &'a str,
    /// Its text; line ends of any kind.
    pub text: &'a str,
    /// When, in seconds since 1970 UTC.
    pub at_s: i64,
    /// Its Message-ID without the angle brackets: `something@domain`.
    pub message_id: &'a str,
}

/// An answer to be written, by a person or by the program in their place.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// Who sends: display name (may be empty) and address.
    pub from: (&'a str, &'a str),
    /// Where answers to it go; `None`: to the sender.
    pub reply_to: Option<(&'a str, &'a str)>,
    /// Recipients.
    pub to: &'a [Address],
    /// Recipients of a copy.
    pub cc: &'a [Address],
    /// Its subject.
    pub subject: &'a str,
    /// Its text; line ends of any kind.
    pub text: &'a str,
    /// When, in seconds since 1970 UTC.
    pub at_s: i64,
    /// Its Message-ID without the angle brackets.
    pub message_id: &'a str,
    /// What it answers, without angle brackets; `None`: a message that bears no id.
    pub in_reply_to: Option<&'a str>,
    /// The ids that message refers to, oldest first.
    pub references: &'a [String],
    /// Who writes it.
    pub by: By,
}

/// Who writes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A person.
    Person,
    /// The program: other programs are told not to answer (RFC 3834 section 3.1.8, MS-OXCMAIL 2.1.3.2.9).
    Program,
}

/// The bytes of a notice, with CRLF. Addresses and the Message-ID must have been checked: what could end
/// their field is taken out of them.
pub fn compose(draft: &Draft<'_>) -> Vec<u8> {
    let addresses: Vec<_> = draft.to.iter().map(|address| bare(address)).collect();
    let header = vec![
        ("From", person(draft.from.0, draft.from.1)),
        ("To", addresses.join(",\r\n ")),
        ("Subject", words(&one_line(draft.subject), "Subject: ".len())),
        ("Date", date(draft.at_s)),
        ("Message-ID", format!("<{}>", bare(draft.message_id))),
        ("Auto-Submitted", "auto-generated".to_owned()),
    ];
    written(header, draft.text)
}

/// The bytes of an answer, with CRLF; the same is asked of its addresses and ids as of a notice's.
pub fn answer(answer: &Answer<'_>) -> Vec<u8> {
    let mut header = vec![("From", person(answer.from.0, answer.from.1))];
    header.extend(answer.reply_to.map(|(name, address)| ("Reply-To", person(name, address))));
    header.push(("To", people(answer.to)));
    if !answer.cc.is_empty() {
        header.push(("Cc", people(answer.cc)));
    }
    header.push(("Subject", words(&one_line(answer.subject), "Subject: ".len())));
    header.push(("Date", date(answer.at_s)));
    header.push(("Message-ID", format!("<{}>", bare(answer.message_id))));
    let answered = answer.in_reply_to.and_then(id);
    header.extend(answered.map(|id| ("In-Reply-To", id)));
    let references = references(answer);
    if !references.is_empty() {
        header.push(("References", references));
    }
    if answer.by == By::Program {
        header.push(("Auto-Submitted", "auto-replied".to_owned()));
        header.push(("X-Auto-Response-Suppress", "All".to_owned()));
    }
    written(header, answer.text)
}

/// What the answered message refers to and itself, each on a line (RFC 5322 section 3.6.4). Of many the first, which
/// says where it all began, and the last ones.
fn references(answer: &Answer<'_>) -> String {
    let all = answer.references.iter().map(String::as_str).chain(answer.in_reply_to);
    let mut ids: Vec<String> = all.filter_map(id).collect();
    if ids.len() > MOST_REFERENCES {
        ids.drain(1..=ids.len() - MOST_REFERENCES);
    }
    ids.join("\r\n ")
}

/// An id of somebody's, as it stands but for what cannot stand there; `None`: nothing is left of it, or it does not fit
/// into a line.
fn id(id: &str) -> Option<String> {
    let id: String =
        id.chars().filter(|c| !c.is_control() && !c.is_whitespace() && !"<>".contains(*c)).collect();
    (!id.is_empty() && id.len() <= LONGEST_ID).then(|| format!("<{id}>"))
}

/// Bytes of an id that are repeated.
const LONGEST_ID: usize = 900;

/// Ids in References of what is written here.
const MOST_REFERENCES: usize = 30;

fn people(people: &[Address]) -> String {
    let one = |one: &Address| person(one.name.as_deref().unwrap_or_default(), &one.address);
    people.iter().map(one).collect::<Vec<_>>().join(",\r\n ")
}

/// Name and address; a name in encoded words on lines of its own.
fn person(name: &str, address: &str) -> String {
    let address = bare(address);
    match one_line(name) {
        name if name.is_empty() => address,
        name => match display_name(&name) {
            name if name.starts_with('"') => format!("{name} <{address}>"),
            words => format!("{words}\r\n <{address}>"),
        },
    }
}

fn written(header: Vec<(&str, String)>, text: &str) -> Vec<u8> {
    let text = lines(text);
    let plain = text.is_ascii() && text.split("\r\n").all(|line| line.len() <= LINE);
    let (encoding, body) = if plain { ("7bit", text) } else { ("quoted-printable", quoted_printable(&text)) };
    let mime = [
        ("MIME-Version", "1.0".to_owned()),
        ("Content-Type", "text/plain; charset=utf-8".to_owned()),
        ("Content-Transfer-Encoding", encoding.to_owned()),
    ];
    let mut out = String::new();
    for (name, value) in header.into_iter().chain(mime) {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    (out + "\r\n" + &body).into_bytes()
}

/// Without what could end a line, for people or for any program on the way.
fn one_line(text: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(odd, " ").split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn bare(address: &str) -> String {
    address.chars().filter(|c| !c.is_control() && !c.is_whitespace() && !"<>,;\"()".contains(*c)).collect()
}

/// A quoted string, or encoded words where that does not do.
fn display_name(name: &str) -> String {
    match name.is_ascii() && !name.contains("=?") && name.len() <= LINE - "From: ".len() {
        true => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
        false => encoded(name),
    }
}

/// Unstructured text, folded at blanks; encoded words where it is not ASCII, looks like one or has a word too long
/// for a line. `used` characters of the first line are taken.
fn words(text: &str, used: usize) -> String {
    let short = text.split(' ').all(|word| word.len() < LINE - used);
    if !text.is_ascii() || text.contains("=?") || !short {
        return encoded(text);
    }
    let (mut out, mut line) = (String::new(), used);
    for word in text.split(' ') {
        if !out.is_empty() && line + 1 + word.len() > LINE {
            out += "\r\n";
            line = 0;
        }
        let blank = if out.is_empty() { "" } else { " " };
        out = out + blank + word;
        line += blank.len() + word.len();
    }
    out
}

/// Encoded words, one to a line, none with half a character.
fn encoded(text: &str) -> String {
    let (mut out, mut piece) = (Vec::new(), String::new());
    for c in text.chars() {
        if piece.len() + c.len_utf8() > WORD_BYTES {
            out.push(std::mem::take(&mut piece));
        }
        piece.push(c);
    }
    out.push(piece);
    let words = out.iter().map(|piece| format!("=?utf-8?B?{}?=", BASE64.encode(piece)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// Every line end CRLF, one at the end, no NUL.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\0', "");
    let mut out = text.split('\n').collect::<Vec<_>>().join("\r\n");
    if !out.ends_with("\r\n") {
        out += "\r\n";
    }
    out
}

/// RFC 2045 section 6.7: no line longer than 76, no blank at the end of one.
fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.split_inclusive("\r\n") {
        let line = line.trim_end_matches("\r\n");
        let mut length = 0;
        for (at, byte) in line.bytes().enumerate() {
            let last = at + 1 == line.len();
            let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
            let size = if plain { 1 } else { 3 };
            if length + size > LINE - 1 {
                out += "=\r\n";
                length = 0;
            }
            match plain {
                true => out.push(char::from(byte)),
                false => {
                    let _ = write!(out, "={byte:02X}");
                }
            }
            length += size;
        }
        out += "\r\n";
    }
    out
}

/// `Sun, 22 Nov 2026 04:00:00 +0000` (RFC 5322 section 3.3).
fn date(at_s: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (at_s.div_euclid(86_400), at_s.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (weekday, month) = (DAYS[days.rem_euclid(7) as usize], MONTHS[(month as usize + 11) % 12]);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{:02} +0000", second % 60)
}

#[cfg(test)]
mod tests;
