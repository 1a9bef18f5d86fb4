//! The binary form of a body without its parts.
//!
//! ```text
//! version   1 byte, 1
//! segment*  varint n; n even: n/2 literal bytes follow
//!                     n odd:  a part of n/2 stored bytes follows as
//!                             flags  1 byte: 1 text, 2 base64, 4 CR LF, 8 padded
//!                             hash   32 bytes, BLAKE3-256 of the stored bytes
//!                             line   varint, with base64 only: characters per line, 0: one line
//! ```
//!
//! varint: 7 bits a byte, low bits first, the high bit says that more follow. Skeletons are written
//! once and kept for years: a reader of a new version must read all older ones.

use super::StoredPart;
use super::base64::{self, Recipe};
use std::ops::ControlFlow;
use thiserror::Error;

const VERSION: u8 = 1;
const TEXT: u8 = 1;
const BASE64: u8 = 2;
const CRLF: u8 = 4;
const PADDED: u8 = 8;

/// Why a message could not be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JoinError {
    /// The store does not have a part.
    #[error("part {} is missing", hex(.0))]
    MissingPart([u8; 32]),
    /// The store gave other bytes than were stored.
    #[error("part {} has the wrong size", hex(.0))]
    WrongPart([u8; 32]),
    /// The skeleton is cut, damaged or of a later version.
    #[error("the skeleton cannot be read")]
    BadSkeleton,
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A part that a skeleton refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRef {
    /// BLAKE3-256 of the stored bytes.
    pub hash: [u8; 32],
    /// Number of stored bytes.
    pub size_bytes: u64,
    /// Needed to read the message's text.
    pub is_text: bool,
}

/// Writes a skeleton; neighbouring literals become one.
pub(super) struct Writer {
    out: Vec<u8>,
    literal: Vec<u8>,
}

impl Writer {
    pub fn new() -> Writer {
        Writer { out: vec![VERSION], literal: Vec::new() }
    }

    pub fn literal(&mut self, bytes: &[u8]) {
        self.literal.extend_from_slice(bytes);
    }

    pub fn part(&mut self, part: &StoredPart<'_>, recipe: Option<Recipe>) {
        self.flush();
        put_varint(&mut self.out, (part.bytes.len() as u64) << 1 | 1);
        let mut flags = if part.is_text { TEXT } else { 0 };
        if let Some(recipe) = recipe {
            flags |= BASE64;
            flags |= if recipe.crlf { CRLF } else { 0 };
            flags |= if recipe.padded { PADDED } else { 0 };
        }
        self.out.push(flags);
        self.out.extend_from_slice(&part.hash);
        if let Some(recipe) = recipe {
            put_varint(&mut self.out, u64::from(recipe.line));
        }
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            put_varint(&mut self.out, (self.literal.len() as u64) << 1);
            self.out.append(&mut self.literal);
        }
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.flush();
        self.out
    }
}

/// The exact bytes of a message: its header, then its body. `fetch` gives the bytes of a part.
///
/// The caller compares the result with the stored hash where it matters (`verify`); this checks only
/// sizes.
pub fn join(
    header: &[u8],
    skeleton: &[u8],
    fetch: impl FnMut(&[u8; 32]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, JoinError> {
    build(header, skeleton, |_| true, fetch)
}

/// The message with the bodies of its big non-text parts left empty: enough to read its text and
/// HTML again, at a fraction of the bytes. Sizes and hashes of attachments read from it are wrong.
pub fn outline(
    header: &[u8],
    skeleton: &[u8],
    fetch: impl FnMut(&[u8; 32]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, JoinError> {
    build(header, skeleton, |part| part.is_text, fetch)
}

/// The parts that a skeleton refers to, in order, repeated ones repeated.
pub fn part_refs(skeleton: &[u8]) -> Result<Vec<PartRef>, JoinError> {
    let mut parts = Vec::new();
    read(skeleton, |segment| {
        if let Segment::Part(part, _) = segment {
            parts.push(part);
        }
        ControlFlow::Continue(())
    })?;
    Ok(parts)
}

fn build(
    header: &[u8],
    skeleton: &[u8],
    wanted: impl Fn(&PartRef) -> bool,
    mut fetch: impl FnMut(&[u8; 32]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, JoinError> {
    let mut out = header.to_vec();
    read(skeleton, |segment| {
        let (part, recipe) = match segment {
            Segment::Literal(bytes) => {
                out.extend_from_slice(bytes);
                return ControlFlow::Continue(());
            }
            Segment::Part(part, recipe) => (part, recipe),
        };
        if !wanted(&part) {
            return ControlFlow::Continue(());
        }
        let Some(bytes) = fetch(&part.hash) else {
            return ControlFlow::Break(JoinError::MissingPart(part.hash));
        };
        if bytes.len() as u64 != part.size_bytes {
            return ControlFlow::Break(JoinError::WrongPart(part.hash));
        }
        match recipe {
            Some(recipe) => base64::encode(&bytes, recipe, &mut out),
            None => out.extend_from_slice(&bytes),
        }
        ControlFlow::Continue(())
    })?;
    Ok(out)
}

enum Segment<'a> {
    Literal(&'a [u8]),
    Part(PartRef, Option<Recipe>),
}

fn read<'a>(
    skeleton: &'a [u8],
    mut take: impl FnMut(Segment<'a>) -> ControlFlow<JoinError>,
) -> Result<(), JoinError> {
    let mut rest = skeleton.strip_prefix(&[VERSION]).ok_or(JoinError::BadSkeleton)?;
    while !rest.is_empty() {
        let segment = next(&mut rest).ok_or(JoinError::BadSkeleton)?;
        if let ControlFlow::Break(error) = take(segment) {
            return Err(error);
        }
    }
    Ok(())
}

fn next<'a>(rest: &mut &'a [u8]) -> Option<Segment<'a>> {
    let head = varint(rest)?;
    if head & 1 == 0 {
        return Some(Segment::Literal(rest.split_off(..usize::try_from(head >> 1).ok()?)?));
    }
    let flags = *rest.split_off_first()?;
    let (hash, tail) = rest.split_first_chunk::<32>()?;
    *rest = tail;
    let recipe = if flags & BASE64 == 0 {
        None
    } else {
        let line = u32::try_from(varint(rest)?).ok()?;
        Some(Recipe { line, crlf: flags & CRLF != 0, padded: flags & PADDED != 0 })
    };
    let part = PartRef { hash: *hash, size_bytes: head >> 1, is_text: flags & TEXT != 0 };
    Some(Segment::Part(part, recipe))
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
