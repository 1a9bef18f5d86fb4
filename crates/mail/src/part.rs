//! The tree of a message: where each part's header and body lie in the raw bytes.
//!
//! One walk by mail-parser (vectorised, linear, with its own limits) gives the tree that both
//! reading ([`crate::parse`]) and storing ([`crate::split`]) work on. mail-parser's types end here.
//! Bodies of transfer-encoded `message/rfc822` parts are not opened: RFC 2046 §5.2.1 forbids them and
//! they stay attachments.

use crate::charset;
use crate::headers::{Field, words};
use crate::parse::decode::Encoding;
use mail_parser::{
    ContentType, Header, HeaderForm, HeaderName, HeaderValue, Message, MessageParser, MessagePart,
    ParsedValue,
};
use mail_parser::{PartFlags, PartKind};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// Parts in one message.
pub(crate) const MAX_PARTS: usize = 10_000;
/// Containers within each other.
pub(crate) const MAX_DEPTH: usize = 100;
/// Bytes of a message's header; what follows is kept raw only.
pub(crate) const MAX_HEADER_BYTES: usize = 10 * 1024 * 1024;
/// Longest Content-Type or Content-Disposition that is read again when it has 8-bit bytes.
const MAX_FIELD_BYTES: usize = 64 * 1024;

/// What a part is to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Multipart,
    /// An attached message whose parts follow in the list.
    Message,
    Leaf,
}

/// A part; ranges are offsets into the raw message.
#[derive(Debug)]
pub(crate) struct Part {
    pub parent: Option<usize>,
    pub kind: Kind,
    /// Number of attached messages around this part.
    pub nesting: usize,
    pub body: Range<usize>,
    /// `type/subtype`, lower case.
    pub content_type: String,
    pub charset: Option<String>,
    pub name: Option<String>,
    pub disposition: Option<String>,
    pub content_id: Option<String>,
    pub encoding: Encoding,
    /// First child of its parent.
    pub first: bool,
}

impl Part {
    pub fn is_attachment(&self) -> bool {
        self.disposition.as_deref() == Some("attachment")
    }

    /// A whole message, read or not.
    pub fn is_message(&self) -> bool {
        matches!(self.content_type.as_str(), "message/rfc822" | "message/global")
    }

    pub fn is_text(&self) -> bool {
        self.content_type.starts_with("text/")
    }

    /// A winmail.dat (MS-OXTNEF).
    pub fn is_tnef(&self) -> bool {
        let named = self.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat"));
        named || matches!(self.content_type.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
    }

    /// An invitation (RFC 5545), also as some programs attach it.
    pub fn is_calendar(&self) -> bool {
        let named = || self.name.as_deref().is_some_and(|name| name.to_ascii_lowercase().ends_with(".ics"));
        self.content_type == "text/calendar"
            || self.content_type == "application/ics"
            || self.content_type == "application/octet-stream" && named()
    }

    /// What is needed to show what a message says.
    pub fn holds_text(&self) -> bool {
        self.is_text() || self.content_type.starts_with("message/") || self.is_tnef() || self.is_calendar()
    }
}

/// The tree in document order: a part comes before its children.
#[derive(Debug)]
pub(crate) struct Tree {
    pub parts: Vec<Part>,
    /// End of the header block, blank line included.
    pub header_end: usize,
    pub limit_reached: bool,
    pub broken: bool,
    pub no_blank_line: bool,
    pub bare_cr: bool,
    pub header_too_large: bool,
    /// Fields of the message's header.
    pub fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Tree {
    /// Moves all offsets: the tree was read from a later part of the bytes.
    fn shift(&mut self, by: usize) {
        let moved = |range: &Range<usize>| range.start + by..range.end + by;
        self.header_end += by;
        for (name, value) in &mut self.fields {
            (*name, *value) = (moved(name), moved(value));
        }
        for part in &mut self.parts {
            part.body = moved(&part.body);
        }
    }
}

static PARSER: LazyLock<MessageParser> = LazyLock::new(|| {
    let raw = [
        HeaderName::From,
        HeaderName::To,
        HeaderName::Cc,
        HeaderName::Bcc,
        HeaderName::ReplyTo,
        HeaderName::Sender,
        HeaderName::Subject,
        HeaderName::Comments,
        HeaderName::Date,
        HeaderName::MessageId,
        HeaderName::References,
        HeaderName::InReplyTo,
        HeaderName::ReturnPath,
        HeaderName::Received,
        HeaderName::Keywords,
        HeaderName::ContentLanguage,
        HeaderName::ContentDescription,
        HeaderName::ContentLocation,
        HeaderName::ResentTo,
        HeaderName::ResentFrom,
        HeaderName::ResentBcc,
        HeaderName::ResentCc,
        HeaderName::ResentSender,
        HeaderName::ResentDate,
        HeaderName::ResentMessageId,
        HeaderName::ListArchive,
        HeaderName::ListHelp,
        HeaderName::ListId,
        HeaderName::ListOwner,
        HeaderName::ListPost,
        HeaderName::ListSubscribe,
        HeaderName::ListUnsubscribe,
    ];
    raw.into_iter()
        .fold(MessageParser::new(), |parser, name| parser.header(name, HeaderForm::Ignore))
        .unknown_headers(HeaderForm::Ignore)
        .max_depth(MAX_DEPTH)
        .max_parts(MAX_PARTS)
        .max_encoded_nesting(0)
});

/// Reads the tree of any bytes; bytes without a header are one leaf of text.
pub(crate) fn tree(raw: &[u8]) -> Tree {
    let readable = readable(raw);
    let mut tree = late_header(&readable.bytes).unwrap_or_else(|| read_tree(&readable.bytes));
    if let Some(patched) = without_second_types(&readable.bytes, &tree) {
        tree = read_tree(&patched);
    }
    tree.bare_cr = readable.bare_cr;
    tree.limit_reached |= readable.dense;
    if readable.cut {
        tree.header_too_large = true;
        tree.parts.truncate(1);
        tree.parts[0].kind = Kind::Leaf;
        tree.parts[0].body = tree.header_end..raw.len();
    }
    tree
}

fn read_tree(bytes: &[u8]) -> Tree {
    match PARSER.parse(bytes) {
        Some(message) if message.root().headers().iter().any(is_field) => walk(&message, bytes),
        _ => headless(bytes),
    }
}

/// A header behind blank lines (files that were copied out of something). A text that only starts with
/// a blank line and has a colon in its next one is none: a field that every mail has must be there.
fn late_header(bytes: &[u8]) -> Option<Tree> {
    let blank = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let lead = memchr::memrchr(b'\n', &bytes[..blank])? + 1;
    let mut tree = read_tree(&bytes[lead..]);
    let usual = [&b"from"[..], b"to", b"subject", b"date", b"message-id", b"received", b"content-type"];
    let is_usual = |name: &Range<usize>| {
        let name = bytes[lead..].get(name.clone()).unwrap_or_default();
        let name = name.strip_suffix(b":").unwrap_or(name).trim_ascii();
        usual.iter().any(|usual| name.eq_ignore_ascii_case(usual))
    };
    if !tree.fields.iter().any(|(name, _)| is_usual(name)) {
        return None;
    }
    tree.shift(lead);
    tree.broken = true;
    Some(tree)
}

/// RFC 5322 §2.2: printable ASCII without a colon, and there is a colon. Binary files have lines with
/// colons too.
fn is_field(header: Header<'_>) -> bool {
    let name = header.raw_name().trim();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// mail-parser takes the last Content-Type, everybody else the first. The message with the later ones
/// made unreadable at the same length, where there are any.
fn without_second_types(bytes: &[u8], tree: &Tree) -> Option<Vec<u8>> {
    let is_type = |name: &&Range<usize>| {
        let name = bytes.get((*name).clone()).unwrap_or_default();
        name.get(..12).is_some_and(|name| name.eq_ignore_ascii_case(b"content-type"))
    };
    let names: Vec<_> = tree.fields.iter().map(|(name, _)| name).filter(is_type).collect();
    let (_, later) = names.split_first().filter(|(_, later)| !later.is_empty())?;
    let mut patched = bytes.to_vec();
    for name in later {
        patched[name.start] = b'X';
    }
    Some(patched)
}

/// The header fields of a message's beginning, without its parts.
pub(crate) fn header_only(head: &[u8]) -> Tree {
    match PARSER.parse_headers(head) {
        Some(message) => walk(&message, head),
        None => headless(head),
    }
}

struct Readable<'a> {
    bytes: Cow<'a, [u8]>,
    bare_cr: bool,
    cut: bool,
    dense: bool,
}

/// Millions of `a:` lines in the header of some part: each would cost mail-parser ten times its size in
/// memory. Ordinary large mail is base64 in long lines without a colon.
fn is_header_bomb(raw: &[u8]) -> bool {
    let often = |byte: u8, every: usize| memchr::memchr_iter(byte, raw).count() * every > raw.len();
    raw.len() > MAX_HEADER_BYTES && often(b'\n', 16) && often(b':', 24)
}

/// What mail-parser gets to see, at the same offsets: bare CR as line end becomes LF; a header that
/// goes on for more than 10 MiB is cut there (each of its lines would cost memory).
fn readable(raw: &[u8]) -> Readable<'_> {
    let head = raw.get(..MAX_HEADER_BYTES).unwrap_or(raw);
    let bare_cr = has_bare_cr_header(head);
    if bare_cr {
        let with_lf = |(at, &byte): (usize, &u8)| match byte {
            b'\r' if raw.get(at + 1) != Some(&b'\n') => b'\n',
            byte => byte,
        };
        let bytes = raw.iter().enumerate().map(with_lf).collect();
        return Readable { bytes: Cow::Owned(bytes), bare_cr, cut: false, dense: false };
    }
    let cut = raw.len() > MAX_HEADER_BYTES
        && memchr::memmem::find(head, b"\n\n").is_none()
        && memchr::memmem::find(head, b"\n\r\n").is_none();
    let dense = is_header_bomb(raw);
    let bytes = Cow::Borrowed(if cut || dense { head } else { raw });
    Readable { bytes, bare_cr, cut, dense }
}

/// The first line ends with CR and no LF: written by a program of the old Macintosh, or a spool
/// that lost its LFs.
fn has_bare_cr_header(head: &[u8]) -> bool {
    match memchr::memchr2(b'\r', b'\n', head) {
        Some(at) => head[at] == b'\r' && head.get(at + 1).is_some_and(|&next| next != b'\n'),
        None => false,
    }
}

fn headless(bytes: &[u8]) -> Tree {
    let part = Part {
        parent: None,
        kind: Kind::Leaf,
        nesting: 0,
        body: 0..bytes.len(),
        content_type: "text/plain".to_owned(),
        charset: None,
        name: None,
        disposition: None,
        content_id: None,
        encoding: Encoding::Identity,
        first: true,
    };
    Tree {
        parts: vec![part],
        header_end: 0,
        limit_reached: false,
        broken: false,
        no_blank_line: false,
        bare_cr: false,
        header_too_large: false,
        fields: Vec::new(),
    }
}

fn walk(message: &Message<'_>, bytes: &[u8]) -> Tree {
    let root = message.root().root_part();
    let fields = root.headers().iter().map(|header| {
        let name = header.offset_field() as usize..header.offset_start() as usize;
        (name, header.offset_start() as usize..header.offset_end() as usize)
    });
    let mut tree = Tree {
        parts: Vec::with_capacity(message.parts().len()),
        header_end: (root.offset_body() as usize).min(bytes.len()),
        fields: fields.take(crate::headers::MAX_FIELDS + 1).collect(),
        no_blank_line: root.flags().contains(PartFlags::NO_BLANK_LINE),
        ..headless(&[])
    };
    tree.parts.clear();
    for part in message.parts() {
        let part = read_part(&part, &tree.parts, &mut tree.limit_reached, &mut tree.broken);
        tree.parts.push(part);
    }
    tree
}

fn read_part(part: &MessagePart<'_>, before: &[Part], limit: &mut bool, broken: &mut bool) -> Part {
    let flags = part.flags();
    *limit |= flags.intersects(PartFlags::LIMIT_REACHED | PartFlags::NESTING_LIMIT);
    *broken |= flags
        .intersects(PartFlags::MISSING_DELIMITER | PartFlags::FALLBACK_DELIMITER | PartFlags::UNTERMINATED);
    let parent = part.parent().or_else(|| part.message().container());
    let parent = parent.map(|parent| parent.id() as usize);
    let up = parent.and_then(|index| before.get(index));
    let kind = match part.kind() {
        PartKind::Multipart => Kind::Multipart,
        PartKind::Message(_) => Kind::Message,
        _ => Kind::Leaf,
    };
    let types = Types::read(part, up);
    Part {
        parent,
        kind,
        nesting: up.map_or(0, |up| up.nesting + usize::from(up.kind == Kind::Message)),
        body: part.offset_body() as usize..part.offset_end() as usize,
        content_type: types.content_type,
        charset: types.charset,
        name: types.name,
        disposition: types.disposition,
        content_id: part.content_id().map(|id| id.trim_matches(['<', '>', ' ']).to_owned()),
        encoding: Encoding::read(
            part.headers().get(HeaderName::ContentTransferEncoding).map(|field| field.raw_value()),
        ),
        first: before.last().is_none_or(|last| last.kind != Kind::Leaf && parent == Some(before.len() - 1)),
    }
}

struct Types {
    content_type: String,
    charset: Option<String>,
    name: Option<String>,
    disposition: Option<String>,
}

impl Types {
    fn read(part: &MessagePart<'_>, up: Option<&Part>) -> Types {
        let type_again = Reread::of(part, HeaderName::ContentType);
        let place_again = Reread::of(part, HeaderName::ContentDisposition);
        let parsed = type_again.as_ref().map(Reread::parse);
        let content = parsed.as_ref().and_then(content_type).or(part.content_type());
        let placed = place_again.as_ref().map(Reread::parse);
        let place = placed.as_ref().and_then(content_type).or(part.content_disposition());
        let name = place.and_then(|place| {
            let name = place.attribute("filename").or_else(|| place.attribute("name"))?;
            Some(Reread::name(&place_again, name))
        });
        let name = name.or_else(|| {
            let name = content?.attribute("name").or_else(|| content?.attribute("filename"))?;
            Some(Reread::name(&type_again, name))
        });
        let digest = up.is_some_and(|up| up.content_type == "multipart/digest");
        let typed = content.filter(|content| content.subtype().is_some_and(|sub| !sub.is_empty()));
        let content_type = match typed {
            Some(content) => {
                format!("{}/{}", content.ctype(), content.subtype().unwrap_or_default()).to_ascii_lowercase()
            }
            None if digest => "message/rfc822".to_owned(),
            None => match content.map(|content| content.ctype().to_ascii_lowercase()).as_deref() {
                None | Some("" | "text") => "text/plain".to_owned(),
                Some(_) => "application/octet-stream".to_owned(),
            },
        };
        Types {
            content_type,
            charset: content.and_then(|content| content.attribute("charset")).map(str::to_owned),
            name: name.map(|name| file_name(&name)).filter(|name| !name.is_empty()),
            disposition: place
                .map(|place| place.ctype().trim().to_ascii_lowercase())
                .filter(|place| !place.is_empty()),
        }
    }
}

/// A field with 8-bit bytes or encoded words, made readable for mail-parser: it would turn the bytes
/// into U+FFFD and keep blanks between the words.
struct Reread {
    text: String,
    runs: Vec<String>,
}

impl Reread {
    fn of(part: &MessagePart<'_>, name: HeaderName<'_>) -> Option<Reread> {
        let raw = part.headers().get(name)?.raw_value();
        let raw = raw.get(..MAX_FIELD_BYTES).unwrap_or(raw);
        if raw.is_ascii() && memchr::memmem::find(raw, b"=?").is_none() {
            return None;
        }
        let text = charset::unlabelled(raw, None).0;
        let (masked, runs) = words::mask(&text, Default::default());
        Some(Reread { text: masked.into_owned(), runs })
    }

    fn parse(&self) -> ParsedValue<'_> {
        HeaderForm::ContentType.parse(self.text.as_bytes())
    }

    fn name(again: &Option<Reread>, name: &str) -> String {
        match again {
            Some(again) => words::unmask(name, &again.runs),
            None => name.to_owned(),
        }
    }
}

fn content_type<'a>(parsed: &'a ParsedValue<'_>) -> Option<ContentType<'a>> {
    match parsed.value() {
        HeaderValue::ContentType(value) => Some(value),
        _ => None,
    }
}

/// A name without path and control characters (T28: `../`, NUL, RLO), decoded even where RFC 2047
/// words stand in a quoted string (Outlook of all versions).
pub(crate) fn file_name(name: &str) -> String {
    let decoded = crate::headers::decode_text(name, Default::default());
    let last = decoded.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = |c: &char| {
        !c.is_control()
            && !matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let clean: String = last.chars().filter(visible).take(255).collect();
    clean.trim().trim_matches('"').to_owned()
}

/// The fields of the message's header, names and raw values.
pub(crate) fn fields<'a>(tree: &'a Tree, raw: &'a [u8]) -> impl Iterator<Item = Field<'a>> {
    tree.fields.iter().filter_map(move |(name, value)| {
        let name = std::str::from_utf8(raw.get(name.clone())?).ok()?;
        let name = name.trim_end_matches([':', ' ', '\t', '\r', '\n']).trim_start();
        Some(Field { name, raw: raw.get(value.clone())? })
    })
}
