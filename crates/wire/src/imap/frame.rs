//! Cuts the bytes of a server into responses: lines, and literals inside of them (RFC 9051, section 4.3).
//!
//! A response is its text with the literals taken out, and a note of where each one was. Small literals
//! (a folder's name) are kept in the note; the literal of a message's body is not: its bytes are named in
//! the input and handed on by the caller, so the framer's memory does not depend on what a server announces.
//!
//! The text of OK, NO, BAD, BYE and `+` is for people and may end in `{5}`: literals are looked for
//! only in the other responses.

use crate::imap::types::ProtocolError;
use crate::server::Limits;
use crate::transcript::printable;

/// Lines of this kind may be long: a list of UIDs with gaps.
const VANISHED_BYTES: usize = 1 << 20;

/// A response without its line end, literals apart.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub text: Vec<u8>,
    /// Where in `text` a literal stood, in order.
    pub literals: Vec<(usize, Literal)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    /// Kept here.
    Kept(Vec<u8>),
    /// A message's body of so many bytes, handed on.
    Streamed(u64),
}

impl Line {
    /// The response for people, with the size in place of each literal.
    pub(crate) fn shown(&self, max_chars: usize) -> String {
        let mut text = Vec::new();
        let mut from = 0;
        for (at, literal) in &self.literals {
            let size = match literal {
                Literal::Kept(bytes) => bytes.len() as u64,
                Literal::Streamed(size) => *size,
            };
            text.extend_from_slice(&self.text[from..*at]);
            text.extend_from_slice(format!("{{{size} bytes}}").as_bytes());
            from = *at;
        }
        text.extend_from_slice(&self.text[from..]);
        printable(&text, max_chars)
    }
}

/// What the bytes at the head of the input are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Part of something unfinished.
    Partial,
    /// The literal of a body begins after these bytes.
    BodyStart(u64),
    /// These bytes are body.
    Body,
    /// A response ends with these bytes.
    Done(Line),
}

#[derive(Debug)]
pub(crate) struct Framer {
    limits: Limits,
    line: Line,
    state: State,
    /// Bytes of the present response that are held in memory.
    held: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Text,
    Keeping { left: u64 },
    Streaming { left: u64 },
}

impl Framer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, line: Line::default(), state: State::Text, held: 0 }
    }

    /// Whether a response has begun and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        self.state != State::Text || !self.line.text.is_empty() || !self.line.literals.is_empty()
    }

    /// Looks at the head of `input`: how many bytes are used up, and what they were.
    /// Asks for a non-empty input.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<(usize, Step), ProtocolError> {
        match self.state {
            State::Text => self.text(input),
            State::Keeping { left } => self.keep(input, left),
            State::Streaming { left } => {
                let here = left.min(input.len() as u64);
                self.state = if here == left { State::Text } else { State::Streaming { left: left - here } };
                Ok((here as usize, Step::Body))
            }
        }
    }

    fn text(&mut self, input: &[u8]) -> Result<(usize, Step), ProtocolError> {
        let end = memchr::memchr(b'\n', input);
        let used = end.map_or(input.len(), |at| at + 1);
        self.hold(used as u64)?;
        self.line.text.extend_from_slice(&input[..used]);
        if end.is_none() {
            return Ok((used, Step::Partial));
        }
        trim_line_end(&mut self.line.text);
        let step = match announced(&self.line.text)? {
            Some((size, text_len)) => self.begin_literal(size, text_len)?,
            None => {
                self.held = 0;
                Step::Done(std::mem::take(&mut self.line))
            }
        };
        Ok((used, step))
    }

    fn begin_literal(&mut self, size: u64, text_len: usize) -> Result<Step, ProtocolError> {
        self.line.text.truncate(text_len);
        if ends_in_body_item(&self.line.text) {
            self.line.literals.push((text_len, Literal::Streamed(size)));
            self.state = if size == 0 { State::Text } else { State::Streaming { left: size } };
            return Ok(Step::BodyStart(size));
        }
        self.hold(size)?;
        self.line.literals.push((text_len, Literal::Kept(Vec::new())));
        self.state = if size == 0 { State::Text } else { State::Keeping { left: size } };
        Ok(Step::Partial)
    }

    fn keep(&mut self, input: &[u8], left: u64) -> Result<(usize, Step), ProtocolError> {
        let here = left.min(input.len() as u64);
        if let Some((_, Literal::Kept(bytes))) = self.line.literals.last_mut() {
            bytes.extend_from_slice(&input[..here as usize]);
        }
        self.state = if here == left { State::Text } else { State::Keeping { left: left - here } };
        Ok((here as usize, Step::Partial))
    }

    fn hold(&mut self, more: u64) -> Result<(), ProtocolError> {
        let held = self.held as u64 + more;
        let cap = self.cap();
        if held > cap as u64 {
            return Err(ProtocolError::TooLong(cap));
        }
        self.held = held as usize;
        Ok(())
    }

    fn cap(&self) -> usize {
        let head = &self.line.text[..self.line.text.len().min(20)];
        let begins =
            |word: &str| head.len() >= word.len() && head[..word.len()].eq_ignore_ascii_case(word.as_bytes());
        if begins("* SEARCH") || begins("* ESEARCH") {
            self.limits.search_bytes
        } else if begins("* VANISHED") {
            self.limits.response_bytes.max(VANISHED_BYTES)
        } else {
            self.limits.response_bytes
        }
    }
}

fn trim_line_end(text: &mut Vec<u8>) {
    text.pop();
    if text.last() == Some(&b'\r') {
        text.pop();
    }
}

/// The size of a literal announced at the end of `text`, and the length of the text before it:
/// `{n}`, `{n+}` or `~{n}`. A number that does not fit 63 bits is an error: nothing after it could be told apart.
fn announced(text: &[u8]) -> Result<Option<(u64, usize)>, ProtocolError> {
    if text.last() != Some(&b'}') || is_for_people(text) {
        return Ok(None);
    }
    let Some(open) = memchr::memrchr(b'{', text) else {
        return Ok(None);
    };
    let inside = &text[open + 1..text.len() - 1];
    let digits = inside.strip_suffix(b"+").unwrap_or(inside);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let before = text[..open].strip_suffix(b"~").unwrap_or(&text[..open]);
    if !before.last().is_some_and(|b| b" ()]>\"".contains(b)) {
        return Ok(None);
    }
    let size = std::str::from_utf8(digits)
        .ok()
        .and_then(|d| d.parse::<u64>().ok())
        .filter(|&n| n <= i64::MAX as u64);
    match size {
        Some(size) => Ok(Some((size, before.len()))),
        None => Err(ProtocolError::NotAResponse(printable(text, 80))),
    }
}

/// Whether the text ends in words for people, in which `{5}` means nothing.
fn is_for_people(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"*") else {
        return true;
    };
    let word = rest.trim_ascii_start().split(|b| *b == b' ').next().unwrap_or_default();
    ["OK", "NO", "BAD", "BYE", "PREAUTH"].iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()))
}

/// Whether the last word is a FETCH item that carries a whole message: `BODY[]`, `BODY[]<0>`, `BINARY[]`, `RFC822`.
fn ends_in_body_item(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let from = text.iter().rposition(|b| b" (".contains(b)).map_or(0, |at| at + 1);
    let word = text[from..].to_ascii_uppercase();
    let is_body = word == b"RFC822" || word.starts_with(b"BODY[]") || word.starts_with(b"BINARY[]");
    is_body && is_fetch(text)
}

fn is_fetch(text: &[u8]) -> bool {
    let mut words = text.split(|b| *b == b' ').filter(|w| !w.is_empty());
    words.next() == Some(b"*")
        && words.next().is_some_and(|n| n.iter().all(u8::is_ascii_digit))
        && words.next().is_some_and(|w| w.eq_ignore_ascii_case(b"FETCH"))
}

#[cfg(test)]
mod tests;
