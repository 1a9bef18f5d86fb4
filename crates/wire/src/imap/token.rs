//! Reads a response as values, bearing with what servers do to the grammar of RFC 9051, section 9:
//! NIL anywhere, extra spaces, atoms with odd characters, brackets with spaces inside.
//!
//! The nesting is kept on a stack of ours, so depth costs memory that is capped and never the thread's stack.

use std::borrow::Cow;

use crate::imap::frame::{Line, Literal};
use crate::imap::types::ProtocolError;

/// One value of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Nil,
    Atom(&'a [u8]),
    /// A quoted string or a kept literal.
    Text(Cow<'a, [u8]>),
    /// A literal that was handed on: its size.
    Streamed(u64),
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// The bytes of an atom or a text.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(a) => Some(a),
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<u64> {
        number(self.bytes()?)
    }

    pub(crate) fn string(&self) -> Option<String> {
        self.bytes().map(|b| String::from_utf8_lossy(b).into_owned())
    }
}

/// A decimal number, nothing else.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    let digits = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(bytes).ok().filter(|_| digits)?.parse().ok()
}

/// Why a response could not be read as values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    TooDeep(usize),
    Unbalanced,
}

impl Unreadable {
    pub(crate) fn in_fetch(self) -> ProtocolError {
        match self {
            Self::TooDeep(depth) => ProtocolError::TooDeep(depth),
            Self::Unbalanced => ProtocolError::BrokenFetch,
        }
    }
}

/// A place in a response.
pub(crate) struct Cursor<'a> {
    line: &'a Line,
    pos: usize,
    next_literal: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(line: &'a Line) -> Self {
        Self { line, pos: 0, next_literal: 0 }
    }

    /// The next word: up to a space or the end. Empty at the end.
    pub(crate) fn word(&mut self) -> &'a [u8] {
        self.skip_spaces();
        let rest = self.rest();
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        self.pos += end;
        &rest[..end]
    }

    /// The text that is left, without literals.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.line.text[self.pos..]
    }

    /// All values to the end.
    pub(crate) fn values(mut self, max_depth: usize) -> Result<Vec<Value<'a>>, Unreadable> {
        let mut open: Vec<Vec<Value<'a>>> = Vec::new();
        let mut here = Vec::new();
        loop {
            self.skip_spaces();
            if let Some(literal) = self.literal() {
                here.push(literal);
                continue;
            }
            match self.rest().first() {
                None => break,
                Some(b'(') => {
                    self.pos += 1;
                    open.push(std::mem::take(&mut here));
                    if open.len() > max_depth {
                        return Err(Unreadable::TooDeep(max_depth));
                    }
                }
                Some(b')') => {
                    self.pos += 1;
                    let list = Value::List(here);
                    here = open.pop().ok_or(Unreadable::Unbalanced)?;
                    here.push(list);
                }
                Some(b'"') => here.push(self.quoted()),
                Some(_) => here.push(self.atom()),
            }
        }
        if open.is_empty() { Ok(here) } else { Err(Unreadable::Unbalanced) }
    }

    fn skip_spaces(&mut self) {
        let spaces = self.rest().iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        // A literal may stand between two spaces.
        let next = self.line.literals.get(self.next_literal).filter(|l| l.0 >= self.pos);
        self.pos = (self.pos + spaces).min(next.map_or(usize::MAX, |l| l.0));
    }

    fn literal(&mut self) -> Option<Value<'a>> {
        let (at, literal) = self.line.literals.get(self.next_literal)?;
        if *at != self.pos {
            return None;
        }
        self.next_literal += 1;
        Some(match literal {
            Literal::Kept(bytes) => Value::Text(Cow::Borrowed(bytes)),
            Literal::Streamed(size) => Value::Streamed(*size),
        })
    }

    /// A quoted string; one that is not closed goes to the end.
    fn quoted(&mut self) -> Value<'a> {
        let rest = &self.rest()[1..];
        let mut unescaped: Option<Vec<u8>> = None;
        let mut from = 0;
        let mut at = 0;
        while let Some(found) = memchr::memchr2(b'"', b'\\', &rest[at..]) {
            at += found;
            if rest[at] == b'"' {
                break;
            }
            unescaped.get_or_insert_default().extend_from_slice(&rest[from..at]);
            from = at + 1;
            at = (at + 2).min(rest.len());
        }
        let end = memchr_quote(rest, at);
        self.pos += 1 + (end + 1).min(rest.len());
        let tail = &rest[from.min(end)..end];
        Value::Text(match unescaped {
            None => Cow::Borrowed(tail),
            Some(mut text) => {
                text.extend_from_slice(tail);
                Cow::Owned(text)
            }
        })
    }

    /// Up to a space or parenthesis; brackets carry their inside along, as in `BODY[HEADER.FIELDS (TO)]<0>`.
    fn atom(&mut self) -> Value<'a> {
        let rest = self.rest();
        let mut end = 0;
        let literal = self.line.literals.get(self.next_literal).filter(|l| l.0 > self.pos);
        let stop = literal.map_or(rest.len(), |l| l.0 - self.pos);
        while end < stop && !matches!(rest[end], b' ' | b'\t' | b'(' | b')') {
            let bracket = if rest[end] == b'[' { memchr::memchr(b']', &rest[end..stop]) } else { None };
            end += bracket.map_or(1, |inside| inside + 1);
        }
        self.pos += end;
        let atom = &rest[..end];
        if atom.eq_ignore_ascii_case(b"NIL") { Value::Nil } else { Value::Atom(atom) }
    }
}

/// The closing quote at or after `at`, or the end.
fn memchr_quote(rest: &[u8], at: usize) -> usize {
    memchr::memchr(b'"', &rest[at..]).map_or(rest.len(), |found| at + found)
}

#[cfg(test)]
mod tests;
