//! Bytes at rest: a message taken apart so that what it shares with others is stored once.
//!
//! A message is its header block (which differs in each mailbox's copy) and its body. The body is a
//! *skeleton*: literal bytes and references to *parts*, the bodies of leaves of 2 KiB and more.
//! base64 is stored decoded with a recipe that gives exactly the same characters again (so the same
//! file is stored once however it was wrapped, and compresses); everything else as it stands. What
//! cannot be written again byte for byte stays literal or as it stands: [`join`] gives back exactly
//! the bytes of any message.
//!
//! Decided against: decoding quoted-printable (writers differ in what they escape and where they
//! break lines, too many recipes for texts that compress well anyway).

pub(crate) mod base64;
mod skeleton;

pub use base64::Recipe;
pub use skeleton::{JoinError, PartRef, join, outline, part_refs};

use crate::parse::decode::{self, Content, Encoding};
use crate::part::{self, Kind, Part, Tree};
use std::borrow::Cow;
use std::ops::Range;

/// Smaller bodies stay in the skeleton: a row of their own costs more than it saves.
pub const MIN_PART_BYTES: usize = 2048;

/// A message taken apart. Borrows the raw bytes where it can.
#[derive(Debug)]
pub struct Split<'a> {
    /// From the first byte up to and including the blank line.
    pub header: &'a [u8],
    /// The body without its parts, in the binary form that [`join`] reads.
    pub skeleton: Vec<u8>,
    /// The parts, each once, in order of first appearance.
    pub parts: Vec<StoredPart<'a>>,
    /// BLAKE3-256 of the raw bytes after the header: equal for copies of one mail.
    pub body_hash: [u8; 32],
    /// BLAKE3-256 of all raw bytes.
    pub whole_hash: [u8; 32],
}

/// A part to be stored under its hash.
#[derive(Debug)]
pub struct StoredPart<'a> {
    /// BLAKE3-256 of `bytes`.
    pub hash: [u8; 32],
    /// What is stored.
    pub bytes: Cow<'a, [u8]>,
    /// Needed to read the message's text (`text/*`, `message/*`): see [`outline`].
    pub is_text: bool,
}

/// Takes a message apart. Linear in its size, for any bytes.
pub fn split(raw: &[u8]) -> Split<'_> {
    let tree = part::tree(raw);
    let contents = tree.parts.iter().map(|part| worth_decoding(raw, part)).collect();
    assemble(raw, &tree, contents)
}

/// The content of a base64 leaf that may become a part of its own.
pub(crate) fn worth_decoding<'a>(raw: &'a [u8], part: &Part) -> Option<Content<'a>> {
    let big = part.body.len() / 4 * 3 >= MIN_PART_BYTES;
    (part.kind == Kind::Leaf && part.encoding == Encoding::Base64 && big)
        .then(|| decode::content(raw, part.body.clone(), part.encoding))
}

/// Puts the storage form together from what was decoded: `contents` belongs to `tree.parts` one by
/// one; a leaf without content is stored as it stands.
pub(crate) fn assemble<'a>(raw: &'a [u8], tree: &Tree, contents: Vec<Option<Content<'a>>>) -> Split<'a> {
    let header_end = tree.header_end.min(raw.len());
    let (header, body) = raw.split_at(header_end);
    let mut writer = skeleton::Writer::new();
    let mut parts: Vec<StoredPart<'a>> = Vec::new();
    let mut at = header_end;
    for (part, content) in tree.parts.iter().zip(contents) {
        let Some(piece) = piece(raw, part, content).filter(|piece| piece.span.start >= at) else {
            continue;
        };
        writer.literal(raw.get(at..piece.span.start).unwrap_or_default());
        writer.part(&piece.stored, piece.recipe);
        at = piece.span.end;
        if parts.iter().all(|known| known.hash != piece.stored.hash) {
            parts.push(piece.stored);
        }
    }
    writer.literal(raw.get(at..).unwrap_or_default());
    Split {
        header,
        skeleton: writer.finish(),
        parts,
        body_hash: *blake3::hash(body).as_bytes(),
        whole_hash: *blake3::hash(raw).as_bytes(),
    }
}

struct Piece<'a> {
    span: Range<usize>,
    stored: StoredPart<'a>,
    recipe: Option<Recipe>,
}

fn piece<'a>(raw: &'a [u8], part: &Part, content: Option<Content<'a>>) -> Option<Piece<'a>> {
    if part.kind != Kind::Leaf || part.body.len() < MIN_PART_BYTES {
        return None;
    }
    let is_text = part.holds_text();
    if let Some(Content { bytes, hash, stored: Some((span, recipe)), .. }) = content {
        let stored = StoredPart { hash, bytes, is_text };
        return (stored.bytes.len() >= MIN_PART_BYTES).then_some(Piece {
            span,
            stored,
            recipe: Some(recipe),
        });
    }
    let bytes = raw.get(part.body.clone())?;
    let hash = *blake3::hash(bytes).as_bytes();
    let stored = StoredPart { hash, bytes: Cow::Borrowed(bytes), is_text };
    Some(Piece { span: part.body.clone(), stored, recipe: None })
}

#[cfg(test)]
mod tests;
