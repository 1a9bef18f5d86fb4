//! Files in the text as `begin 644 name … end` (POSIX uuencode): Outlook's "uuencode attachments"
//! and programs older than MIME.
//!
//! A block counts only if at least one data line has the length that its first byte announces, so
//! that a sentence that starts with "begin 123" stays text.

use std::ops::Range;

/// More files in one text are left in the text.
pub(crate) const MAX_BLOCKS: usize = 100;

/// A file found in a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// From `begin` to the end of the line with `end`.
    pub span: Range<usize>,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The next block at or after `from`.
pub(crate) fn find(text: &[u8], from: usize) -> Option<Block> {
    let mut at = from;
    while let Some(found) = memchr::memmem::find(text.get(at..)?, b"begin ") {
        let start = at + found;
        let line_start = start == 0 || matches!(text[start - 1], b'\n' | b'\r');
        if line_start && let Some(block) = read(text, start) {
            return Some(block);
        }
        at = start + 6;
    }
    None
}

fn read(text: &[u8], start: usize) -> Option<Block> {
    let (first, mut at) = line(text, start);
    let name = name(first)?;
    let mut bytes = Vec::new();
    loop {
        if at >= text.len() {
            break;
        }
        let (data, next) = line(text, at);
        if data == b"end" {
            at = next;
            break;
        }
        if !decode_line(data, &mut bytes) {
            break;
        }
        at = next;
    }
    (!bytes.is_empty()).then_some(Block { span: start..at, name, bytes })
}

/// Line without its end, and where the next one starts.
fn line(text: &[u8], at: usize) -> (&[u8], usize) {
    let rest = &text[at..];
    let (line, next) = match memchr::memchr(b'\n', rest) {
        Some(end) => (&rest[..end], at + end + 1),
        None => (rest, text.len()),
    };
    (line.trim_ascii_end(), next)
}

fn name(first: &[u8]) -> Option<String> {
    let rest = first.strip_prefix(b"begin ")?;
    let (mode, name) = rest.split_at_checked(rest.iter().position(|&byte| byte == b' ')?)?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let name = crate::charset::unlabelled(name, None).0.trim().to_owned();
    (is_mode && !name.is_empty()).then_some(name)
}

/// Decodes one line; `false` if it is none.
fn decode_line(data: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((&first, data)) = data.split_first() else {
        return true;
    };
    if !(b' '..=b'`').contains(&first) {
        return false;
    }
    let wanted = usize::from(first.wrapping_sub(b' ') & 0x3F);
    // Trailing blanks (zeros) may have been cut on the way; some encoders add a checksum character.
    let encoded = wanted.div_ceil(3) * 4;
    if data.len() > encoded + 2 || data.iter().any(|byte| !(b' '..=b'`').contains(byte)) {
        return false;
    }
    let six = |index: usize| u32::from(data.get(index).map_or(0, |byte| (byte - b' ') & 0x3F));
    let end = out.len() + wanted;
    for group in (0..encoded).step_by(4) {
        let bits = six(group) << 18 | six(group + 1) << 12 | six(group + 2) << 6 | six(group + 3);
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    out.truncate(end);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_found_in_the_text() {
        let text = b"Hello\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nBye\r\n";
        let block = find(text, 0).unwrap();
        assert_eq!((block.name.as_str(), block.bytes.as_slice()), ("cat.txt", &b"Cat"[..]));
        assert_eq!(&text[block.span.end..], b"Bye\r\n");
    }

    #[test]
    fn a_sentence_is_no_file() {
        assert_eq!(find(b"begin 123 this is a sentence\nand it goes on, in lower case\n", 0), None);
        assert_eq!(find(b"begin with me\n", 0), None);
    }
}
