//! base64 that can be written again byte for byte: lines of one length, one kind of line end,
//! canonical last group.
//!
//! The decoder is strict: every accepted character is in the alphabet, every line but the last has
//! the length of the first, unused bits of the last group are zero. Under these rules each text has
//! exactly one decoding and each decoding with its [`Recipe`] exactly one text, so decoding **is** the
//! comparison with the re-encoded bytes, without encoding anything.
//!
//! Decided against: decoding through the base64 crate line by line (set-up per call) or after taking
//! the line ends out (one more copy of everything).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use std::ops::Range;

/// How decoded bytes are written in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// Characters in each line but the last; a multiple of 4; 0: all in one line.
    pub line: u32,
    /// Lines end with CR LF (else LF).
    pub crlf: bool,
    /// The last group is filled with `=`.
    pub padded: bool,
}

/// A decoded body.
#[derive(Debug)]
pub(crate) struct Block {
    pub bytes: Vec<u8>,
    /// The encoded bytes within the body: without line ends before and after.
    pub span: Range<usize>,
    pub recipe: Recipe,
}

const INVALID: u32 = 0xFF00_0000;

const fn table(shift: u32) -> [u32; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [INVALID; 256];
    let mut value = 0;
    while value < 64 {
        table[alphabet[value] as usize] = (value as u32) << shift;
        value += 1;
    }
    table
}

static FIRST: [u32; 256] = table(18);
static SECOND: [u32; 256] = table(12);
static THIRD: [u32; 256] = table(6);
static FOURTH: [u32; 256] = table(0);

/// Decodes a body that is nothing but base64 in regular lines; `None` for anything else.
pub(crate) fn decode_exactly(body: &[u8]) -> Option<Block> {
    let start = body.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let text = &body[start..];
    let (line, end_of_line) = shape(text);
    if line == 0 || line % 4 != 0 || line > u32::MAX as usize {
        return decode_line(body, start, line);
    }
    let mut bytes = vec![0u8; text.len() / (line + end_of_line.len()).max(1) * (line / 4 * 3) + line];
    let stride = line + end_of_line.len();
    let (mut at, mut filled) = (0, 0);
    while let Some(row) = text.get(at..at + stride) {
        let (chars, end) = row.split_at(line);
        if end != end_of_line || !decode_groups(chars, bytes.get_mut(filled..filled + line / 4 * 3)?) {
            break;
        }
        filled += line / 4 * 3;
        at += stride;
    }
    bytes.truncate(filled);
    let last = text[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let last = &text[at..last.map_or(text.len(), |end| at + end)];
    if last.len() > line {
        return None;
    }
    let padded = decode_last(last, &mut bytes)?;
    let end = if last.is_empty() { at - end_of_line.len() } else { at + last.len() };
    let rest_is_blank = text[end..].iter().all(|byte| matches!(byte, b'\r' | b'\n'));
    let crlf = end_of_line.len() == 2;
    let one_line = at == 0 || last.is_empty() && at == stride;
    let line = if one_line { 0 } else { line as u32 };
    rest_is_blank.then_some(Block {
        bytes,
        span: start..start + end,
        recipe: Recipe { line, crlf: crlf && !one_line, padded },
    })
}

/// Length of the first line and what ends it.
fn shape(text: &[u8]) -> (usize, &'static [u8]) {
    match memchr::memchr(b'\n', text) {
        Some(end) if end > 0 && text[end - 1] == b'\r' => (end - 1, b"\r\n"),
        Some(end) => (end, b"\n"),
        None => (text.len(), b""),
    }
}

/// A single line whose length is no multiple of 4: base64 without padding.
fn decode_line(body: &[u8], start: usize, length: usize) -> Option<Block> {
    let text = body.get(start..start + length)?;
    let mut bytes = Vec::new();
    let padded = decode_last(text, &mut bytes)?;
    let end = start + length;
    let rest_is_blank = body[end..].iter().all(|byte| matches!(byte, b'\r' | b'\n'));
    (rest_is_blank && !bytes.is_empty()).then_some(Block {
        bytes,
        span: start..end,
        recipe: Recipe { line: 0, crlf: false, padded },
    })
}

/// Decodes whole groups without padding; `false` if any character is outside the alphabet.
fn decode_groups(chars: &[u8], out: &mut [u8]) -> bool {
    let mut seen = 0;
    for (group, three) in chars.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<3>().0) {
        let bits = FIRST[group[0] as usize]
            | SECOND[group[1] as usize]
            | THIRD[group[2] as usize]
            | FOURTH[group[3] as usize];
        seen |= bits;
        let [_, a, b, c] = bits.to_be_bytes();
        *three = [a, b, c];
    }
    seen & INVALID == 0
}

/// Decodes the last line; says whether it is padded (also true where no padding is needed).
fn decode_last(chars: &[u8], bytes: &mut Vec<u8>) -> Option<bool> {
    let padded = chars.len().is_multiple_of(4);
    // Both engines refuse unused bits that are not zero.
    let engine = if padded { &STANDARD } else { &STANDARD_NO_PAD };
    engine.decode_vec(chars, bytes).ok()?;
    Some(padded)
}

/// Writes `bytes` as the recipe says.
pub(crate) fn encode(bytes: &[u8], recipe: Recipe, out: &mut Vec<u8>) {
    let engine = if recipe.padded { &STANDARD } else { &STANDARD_NO_PAD };
    let row = match recipe.line as usize / 4 * 3 {
        0 => bytes.len().max(1),
        row => row,
    };
    let end_of_line: &[u8] = if recipe.crlf { b"\r\n" } else { b"\n" };
    let mut first = true;
    out.reserve(bytes.len() / 3 * 4 + bytes.len() / row * 2 + 4);
    for chunk in bytes.chunks(row) {
        if !first {
            out.extend_from_slice(end_of_line);
        }
        first = false;
        let at = out.len();
        out.resize(at + chunk.len().div_ceil(3) * 4, 0);
        let written = engine.encode_slice(chunk, &mut out[at..]).expect("4 characters for 3 bytes fit");
        out.truncate(at + written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn again(body: &[u8]) -> Option<(Vec<u8>, Recipe)> {
        let block = decode_exactly(body)?;
        let mut out = Vec::new();
        encode(&block.bytes, block.recipe, &mut out);
        assert_eq!(out, &body[block.span.clone()], "{:?}", block.recipe);
        Some((block.bytes, block.recipe))
    }

    #[test]
    fn regular_base64_comes_back_byte_for_byte() {
        let recipe = |line, crlf, padded| Recipe { line, crlf, padded };
        assert_eq!(again(b"YWJj\r\nZA==\r\n"), Some((b"abcd".to_vec(), recipe(4, true, true))));
        assert_eq!(again(b"\nYWJj\nZA\n\n"), Some((b"abcd".to_vec(), recipe(4, false, false))));
        assert_eq!(again(b"YWJjZA"), Some((b"abcd".to_vec(), recipe(0, false, false))));
        assert_eq!(again(b"YWJj\r\nYWJj\r\n"), Some((b"abcabc".to_vec(), recipe(4, true, true))));
        assert_eq!(again(b"YWJj"), Some((b"abc".to_vec(), recipe(0, false, true))));
    }

    #[test]
    fn irregular_base64_is_refused() {
        for body in [
            &b""[..],
            b"\r\n",
            b"YWJj\nYW==\nYWJj\n",
            b"YW Jj",
            b"YWJj\r\nZB==",
            b"YWJj\r\n\r\nZA==",
            b"YWJj\nYWJj\r\nYWJj",
            b"YWJj\nYWJjYWJj\n",
            b"YWJj=",
            b"YWJj\n-- \nfooter",
            b"====",
        ] {
            assert_eq!(again(body), None, "{:?}", String::from_utf8_lossy(body));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_is_accepted_comes_back(body in "[A-D=\r\n]{0,40}") {
            again(body.as_bytes());
        }

        #[test]
        fn everything_encoded_is_accepted(
            bytes in proptest::collection::vec(any::<u8>(), 1..400),
            groups in 0u32..20,
            crlf: bool,
            padded: bool,
        ) {
            let mut text = Vec::new();
            encode(&bytes, Recipe { line: groups * 4, crlf, padded }, &mut text);
            let (decoded, _) = again(&text).unwrap();
            prop_assert_eq!(decoded, bytes);
        }
    }
}
