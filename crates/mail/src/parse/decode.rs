//! Transfer encodings: the body of a leaf -> its bytes.
//!
//! base64 goes through the strict decoder of [`crate::split`] first: it is several times faster than
//! a tolerant one, nearly all mail passes it, and its result can be stored. What it refuses is read
//! tolerantly (RFC 2045 §6.8: junk is skipped, missing padding is forgiven).

use super::uuencode;
use crate::letter::Defect;
use crate::split::base64::{self, Recipe};
use std::borrow::Cow;
use std::ops::Range;

/// Content-Transfer-Encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// 7bit, 8bit, binary or none.
    Identity,
    QuotedPrintable,
    Base64,
    Uuencode,
    /// A value nobody defined: the bytes are taken as they are.
    Unknown,
}

impl Encoding {
    pub fn read(value: Option<&[u8]>) -> Encoding {
        let Some(value) = value else {
            return Encoding::Identity;
        };
        let text = String::from_utf8_lossy(value.get(..256).unwrap_or(value)).to_ascii_lowercase();
        let word = text.split([';', '(', ' ', '\t', '\r', '\n', '"', '\'']).find(|word| !word.is_empty());
        match word.unwrap_or_default() {
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "none" => Encoding::Identity,
            "quoted-printable" | "quoted_printable" | "qp" => Encoding::QuotedPrintable,
            "base64" | "base-64" => Encoding::Base64,
            "x-uuencode" | "uuencode" | "x-uue" | "uue" => Encoding::Uuencode,
            _ => Encoding::Unknown,
        }
    }
}

/// The bytes of a leaf and how they stand in the message.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub hash: [u8; 32],
    /// Where the encoded bytes lie and how encoding gives exactly them again.
    pub stored: Option<(Range<usize>, Recipe)>,
    pub defect: Option<Defect>,
}

/// Decodes the body at `body` of `raw`.
pub(crate) fn content<'a>(raw: &'a [u8], body: Range<usize>, encoding: Encoding) -> Content<'a> {
    let encoded = raw.get(body.clone()).unwrap_or_default();
    if encoding == Encoding::Base64
        && let Some(block) = base64::decode_exactly(encoded)
    {
        let span = body.start + block.span.start..body.start + block.span.end;
        return Content {
            hash: *blake3::hash(&block.bytes).as_bytes(),
            bytes: Cow::Owned(block.bytes),
            stored: Some((span, block.recipe)),
            defect: None,
        };
    }
    let (bytes, defect) = tolerant(encoded, encoding);
    Content { hash: *blake3::hash(&bytes).as_bytes(), bytes, stored: None, defect }
}

fn tolerant(encoded: &[u8], encoding: Encoding) -> (Cow<'_, [u8]>, Option<Defect>) {
    let checked = |(bytes, broken): (_, bool)| (bytes, broken.then_some(Defect::BrokenEncoding));
    match encoding {
        Encoding::Identity => (Cow::Borrowed(encoded), None),
        Encoding::Unknown => (Cow::Borrowed(encoded), Some(Defect::UnknownEncoding)),
        Encoding::QuotedPrintable => checked(mail_parser::Encoding::QuotedPrintable.decode_checked(encoded)),
        Encoding::Base64 if is_prose(encoded) => (Cow::Borrowed(encoded), Some(Defect::BrokenEncoding)),
        Encoding::Base64 => checked(mail_parser::Encoding::Base64.decode_checked(encoded)),
        Encoding::Uuencode => match uuencode::find(encoded, 0) {
            Some(block) => (Cow::Owned(block.bytes), None),
            None => (Cow::Borrowed(encoded), Some(Defect::BrokenEncoding)),
        },
    }
}

/// Text that is only called base64: words with blanks between them, which base64 never has.
fn is_prose(encoded: &[u8]) -> bool {
    let sample = encoded.get(..4096).unwrap_or(encoded);
    let between = |three: &&[u8]| {
        three[1] == b' ' && !three[0].is_ascii_whitespace() && !three[2].is_ascii_whitespace()
    };
    let blanks = sample.windows(3).filter(between).count();
    blanks >= 3 && blanks * 20 > sample.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str, encoding: Encoding) -> (String, Option<Defect>) {
        let content = content(body.as_bytes(), 0..body.len(), encoding);
        (String::from_utf8(content.bytes.into_owned()).unwrap(), content.defect)
    }

    #[test]
    fn names_of_encodings_are_read_loosely() {
        let read = |text: &str| Encoding::read(Some(text.as_bytes()));
        assert_eq!(read(" BASE64\r\n"), Encoding::Base64);
        assert_eq!(read("\"quoted-printable\";"), Encoding::QuotedPrintable);
        assert_eq!(read("rot13"), Encoding::Unknown);
        assert_eq!(Encoding::read(None), Encoding::Identity);
    }

    #[test]
    fn base64_without_padding_keeps_its_last_byte() {
        assert_eq!(decoded("YWJjZA", Encoding::Base64).0, "abcd");
        assert_eq!(decoded("YWJj\r\nZA\r\n", Encoding::Base64).0, "abcd");
    }

    #[test]
    fn base64_with_junk_is_read_and_reported() {
        let (text, defect) = decoded("YW*Jj\nZA==\n", Encoding::Base64);
        assert_eq!((text.as_str(), defect), ("abcd", Some(Defect::BrokenEncoding)));
    }

    #[test]
    fn text_that_is_called_base64_stays_text() {
        let text = "This is just a text.\nIt was never encoded.\n";
        assert_eq!(decoded(text, Encoding::Base64), (text.to_owned(), Some(Defect::BrokenEncoding)));
    }

    #[test]
    fn quoted_printable_with_a_stray_equals_sign_is_decoded() {
        let (text, _) = decoded("a == b =C4=8D", Encoding::QuotedPrintable);
        assert_eq!(text, "a == b č");
    }
}
