//! The responses of a server that we act on, with a type each; all others are [`Response::Other`].
//!
//! Only a FETCH that carries a message is held to the grammar, because a broken one means that we have lost
//! step with the server. Everything else that cannot be read is passed over.

use crate::imap::date;
use crate::imap::frame::Line;
use crate::imap::token::{Cursor, Unreadable, Value, number};
use crate::imap::types::ProtocolError;
use crate::imap::uid_set::{UidSet, parse_ordered};
use crate::transcript::printable;

/// The outcome of a command, or the kind of an untagged status response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// A condition with its code and words (RFC 9051, section 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub condition: Condition,
    pub code: Option<Code>,
    pub text: String,
}

/// A response code we act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Code {
    Alert,
    Capability(Vec<String>),
    UidValidity(u32),
    UidNext(u32),
    HighestModSeq(u64),
    PermanentFlags(Vec<String>),
    ReadOnly,
    UidNotSticky,
    AppendUid {
        uid_validity: u32,
        uid: u32,
    },
    CopyUid {
        uid_validity: u32,
        from: Vec<(u32, u32)>,
        to: Vec<(u32, u32)>,
    },
    /// Any other: its first word in upper case.
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Response {
    Tagged {
        tag: String,
        said: Said,
    },
    Said(Said),
    Continue(String),
    Capability(Vec<String>),
    List {
        attributes: Vec<String>,
        delimiter: Option<char>,
        name: Vec<u8>,
    },
    Status {
        name: Vec<u8>,
        items: Vec<(String, u64)>,
    },
    /// What names of the user's own folders begin with.
    Namespace {
        personal: Vec<u8>,
    },
    Enabled(Vec<String>),
    Exists(u32),
    Expunge,
    Fetch(FetchResponse),
    Vanished {
        earlier: bool,
        uids: UidSet,
    },
    Search(UidSet),
    Esearch {
        tag: Option<String>,
        all: UidSet,
    },
    Other,
}

/// One FETCH response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FetchResponse {
    pub uid: Option<u32>,
    pub flags: Option<Vec<String>>,
    pub internal_date: Option<i64>,
    pub size: Option<u64>,
    pub body: Body,
}

/// How the message came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Body {
    /// Not at all, or as NIL: the message is gone.
    #[default]
    Absent,
    /// As a literal of this size, already handed on.
    Streamed(u64),
    /// As a quoted string.
    Inline(Vec<u8>),
}

impl Response {
    pub(crate) fn parse(line: &Line, max_depth: usize) -> Result<Self, ProtocolError> {
        let mut cursor = Cursor::new(line);
        match cursor.word() {
            b"*" => untagged(cursor, max_depth),
            b"+" => Ok(Self::Continue(String::from_utf8_lossy(cursor.rest().trim_ascii()).into_owned())),
            [] => Ok(Self::Other),
            tag => {
                let condition =
                    condition(cursor.word()).filter(|c| *c != Condition::PreAuth && *c != Condition::Bye);
                let condition = condition.filter(|_| tag.iter().all(u8::is_ascii_alphanumeric));
                let condition =
                    condition.ok_or_else(|| ProtocolError::NotAResponse(printable(&line.text, 80)))?;
                Ok(Self::Tagged {
                    tag: String::from_utf8_lossy(tag).into_owned(),
                    said: said(condition, cursor.rest()),
                })
            }
        }
    }
}

fn condition(word: &[u8]) -> Option<Condition> {
    let of = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    match () {
        () if of("OK") => Some(Condition::Ok),
        () if of("NO") => Some(Condition::No),
        () if of("BAD") => Some(Condition::Bad),
        () if of("BYE") => Some(Condition::Bye),
        () if of("PREAUTH") => Some(Condition::PreAuth),
        () => None,
    }
}

fn untagged(mut cursor: Cursor<'_>, max_depth: usize) -> Result<Response, ProtocolError> {
    let word = cursor.word();
    if let Some(condition) = condition(word) {
        return Ok(Response::Said(said(condition, cursor.rest())));
    }
    if let Some(number) = number(word) {
        return numbered(u32::try_from(number).unwrap_or(u32::MAX), cursor, max_depth);
    }
    Ok(match word.to_ascii_uppercase().as_slice() {
        b"CAPABILITY" => Response::Capability(words(cursor.rest())),
        b"ENABLED" => Response::Enabled(words(cursor.rest())),
        b"LIST" | b"XLIST" => list(cursor, max_depth).unwrap_or(Response::Other),
        b"STATUS" => status(cursor, max_depth).unwrap_or(Response::Other),
        b"SEARCH" => Response::Search(search(cursor.rest()).ok_or(ProtocolError::BrokenSearch)?),
        b"ESEARCH" => esearch(cursor, max_depth).ok_or(ProtocolError::BrokenSearch)?,
        b"NAMESPACE" => namespace(cursor, max_depth).unwrap_or(Response::Other),
        b"VANISHED" => vanished(cursor.rest()).unwrap_or(Response::Other),
        _ => Response::Other,
    })
}

fn numbered(number: u32, mut cursor: Cursor<'_>, max_depth: usize) -> Result<Response, ProtocolError> {
    Ok(match cursor.word().to_ascii_uppercase().as_slice() {
        b"EXISTS" => Response::Exists(number),
        b"EXPUNGE" => Response::Expunge,
        b"FETCH" => Response::Fetch(fetch(&cursor.values(max_depth).map_err(Unreadable::in_fetch)?)?),
        _ => Response::Other,
    })
}

/// `msg-att`: pairs in one list.
fn fetch(values: &[Value<'_>]) -> Result<FetchResponse, ProtocolError> {
    let [Value::List(items)] = values else {
        return Err(ProtocolError::BrokenFetch);
    };
    let mut out = FetchResponse::default();
    let mut bodies = 0;
    for pair in items.chunks(2) {
        let [Value::Atom(key), value] = pair else {
            return Err(ProtocolError::BrokenFetch);
        };
        match key.to_ascii_uppercase().as_slice() {
            b"UID" => out.uid = value.number().and_then(|n| u32::try_from(n).ok()).filter(|&n| n != 0),
            b"FLAGS" => out.flags = value.list().map(strings),
            b"INTERNALDATE" => out.internal_date = value.bytes().and_then(date::parse),
            b"RFC822.SIZE" => out.size = value.number(),
            key if is_body(key) => {
                bodies += 1;
                out.body = body(value)?;
            }
            _ => {}
        }
    }
    // Two bodies in one response: which of them is the message cannot be known.
    if bodies > 1 { Err(ProtocolError::BrokenFetch) } else { Ok(out) }
}

fn is_body(key: &[u8]) -> bool {
    let is_whole = key == b"RFC822" || key.starts_with(b"BODY[]") || key.starts_with(b"BINARY[]");
    is_whole || key.starts_with(b"BODY[HEADER.FIELDS")
}

fn body(value: &Value<'_>) -> Result<Body, ProtocolError> {
    match value {
        Value::Nil => Ok(Body::Absent),
        Value::Streamed(size) => Ok(Body::Streamed(*size)),
        Value::Text(text) => Ok(Body::Inline(text.to_vec())),
        Value::Atom(_) | Value::List(_) => Err(ProtocolError::BrokenFetch),
    }
}

/// `* LIST (\HasNoChildren) "/" name`; a name may come without quotes and with spaces in it.
fn list(cursor: Cursor<'_>, max_depth: usize) -> Option<Response> {
    let unquoted = unquoted_list_name(cursor.rest());
    let values = cursor.values(max_depth).ok()?;
    let attributes = strings(values.first()?.list()?);
    let delimiter = values.get(1)?.string().and_then(|d| d.chars().next());
    let name = match values.get(2)? {
        Value::Text(text) => text.to_vec(),
        Value::Nil => b"NIL".to_vec(),
        Value::Atom(atom) => unquoted.unwrap_or_else(|| atom.to_vec()),
        Value::List(_) | Value::Streamed(_) => return None,
    };
    let name = if name.eq_ignore_ascii_case(b"INBOX") { b"INBOX".to_vec() } else { name };
    Some(Response::List { attributes, delimiter, name })
}

/// The first prefix of the personal namespaces (RFC 2342, section 5).
fn namespace(cursor: Cursor<'_>, max_depth: usize) -> Option<Response> {
    let values = cursor.values(max_depth).ok()?;
    let personal = values.first()?.list()?.first()?.list()?.first()?.bytes()?.to_vec();
    Some(Response::Namespace { personal })
}

/// The rest of the line after the delimiter, if it holds neither quotes nor parentheses.
fn unquoted_list_name(text: &[u8]) -> Option<Vec<u8>> {
    let after_attributes = &text[memchr::memchr(b')', text)? + 1..];
    let after = after_attributes.trim_ascii_start();
    let name = after[memchr::memchr(b' ', after)?..].trim_ascii();
    (!name.is_empty() && !name.iter().any(|b| b"\"()".contains(b))).then(|| name.to_vec())
}

fn status(cursor: Cursor<'_>, max_depth: usize) -> Option<Response> {
    let values = cursor.values(max_depth).ok()?;
    let pairs = values.last()?.list()?.chunks(2);
    let items =
        pairs.filter_map(|pair| Some((pair.first()?.string()?.to_ascii_uppercase(), pair.get(1)?.number()?)));
    let name = values.first()?.bytes()?.to_vec();
    let name = if name.eq_ignore_ascii_case(b"INBOX") { b"INBOX".to_vec() } else { name };
    Some(Response::Status { name, items: items.collect() })
}

/// Numbers up to a `(MODSEQ n)`, which may follow (RFC 7162, section 3.1.5).
fn search(text: &[u8]) -> Option<UidSet> {
    let numbers = text.split(|b| *b == b'(').next().unwrap_or_default();
    numbers.split(|b| *b == b' ').filter(|word| !word.is_empty()).map(number_32).collect()
}

/// `* ESEARCH (TAG "L5") UID ALL 1:3,7` (RFC 4731, section 3). Without ALL nothing was found.
fn esearch(cursor: Cursor<'_>, max_depth: usize) -> Option<Response> {
    let values = cursor.values(max_depth).ok()?;
    let is_word = |value: &Value<'_>, word: &str| {
        value.bytes().is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes()))
    };
    let tag = values.first().and_then(Value::list).and_then(|correlator| correlator.get(1)?.string());
    let mut words = values.iter().skip_while(|v| v.list().is_some() || is_word(v, "UID"));
    let mut all = UidSet::new();
    while let Some(key) = words.next() {
        let value = words.next()?;
        if is_word(key, "ALL") {
            all = uid_set(value.bytes())?;
        }
    }
    Some(Response::Esearch { tag, all })
}

/// `* VANISHED (EARLIER) 1:3` (RFC 7162, section 3.2.10).
fn vanished(text: &[u8]) -> Option<Response> {
    let mut words = text.split(|b| *b == b' ').filter(|w| !w.is_empty());
    let first = words.next()?;
    let earlier = first.eq_ignore_ascii_case(b"(EARLIER)");
    let uids = uid_set(if earlier { words.next() } else { Some(first) })?;
    Some(Response::Vanished { earlier, uids })
}

fn uid_set(text: Option<&[u8]>) -> Option<UidSet> {
    std::str::from_utf8(text?).ok()?.parse().ok()
}

/// The code in brackets and the words after it; both may be missing.
fn said(condition: Condition, text: &[u8]) -> Said {
    let text = text.trim_ascii();
    let inside =
        text.strip_prefix(b"[").and_then(|rest| memchr::memchr(b']', rest).map(|end| rest.split_at(end)));
    let (code, words) = match inside {
        Some((code, rest)) => (Some(parse_code(code)), rest[1..].trim_ascii()),
        None => (None, text),
    };
    Said { condition, code, text: printable(words, 200) }
}

fn parse_code(text: &[u8]) -> Code {
    let (word, rest) = match memchr::memchr(b' ', text) {
        Some(at) => (&text[..at], text[at..].trim_ascii()),
        None => (text, &text[..0]),
    };
    let name = String::from_utf8_lossy(word).to_ascii_uppercase();
    let read = match name.as_str() {
        "ALERT" => Some(Code::Alert),
        "CAPABILITY" => Some(Code::Capability(words(rest))),
        "UIDVALIDITY" => number_32(rest).map(Code::UidValidity),
        "UIDNEXT" => number_32(rest).map(Code::UidNext),
        "HIGHESTMODSEQ" => number(rest).map(Code::HighestModSeq),
        "PERMANENTFLAGS" => Some(Code::PermanentFlags(words(trim_parentheses(rest)))),
        "READ-ONLY" => Some(Code::ReadOnly),
        "UIDNOTSTICKY" => Some(Code::UidNotSticky),
        "APPENDUID" => append_uid(rest),
        "COPYUID" => copy_uid(rest),
        _ => None,
    };
    read.unwrap_or(Code::Other(name))
}

fn append_uid(rest: &[u8]) -> Option<Code> {
    let mut words = rest.split(|b| *b == b' ').filter(|w| !w.is_empty());
    Some(Code::AppendUid { uid_validity: number_32(words.next()?)?, uid: number_32(words.next()?)? })
}

fn copy_uid(rest: &[u8]) -> Option<Code> {
    let mut words = std::str::from_utf8(rest).ok()?.split_ascii_whitespace();
    let uid_validity = words.next()?.parse().ok()?;
    Some(Code::CopyUid {
        uid_validity,
        from: parse_ordered(words.next()?)?,
        to: parse_ordered(words.next()?)?,
    })
}

fn number_32(bytes: &[u8]) -> Option<u32> {
    number(bytes).and_then(|n| u32::try_from(n).ok())
}

fn trim_parentheses(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"(").unwrap_or(text);
    text.strip_suffix(b")").unwrap_or(text)
}

fn words(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).split_ascii_whitespace().map(str::to_owned).collect()
}

fn strings(values: &[Value<'_>]) -> Vec<String> {
    values.iter().filter_map(Value::string).collect()
}

#[cfg(test)]
mod tests;
