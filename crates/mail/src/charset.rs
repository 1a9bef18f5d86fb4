//! Bytes in some charset -> text, also where the label is missing or lies.
//!
//! Order: a label that fits the bytes is believed; valid UTF-8 with multi-byte characters is UTF-8
//! whatever the label says (text in another charset that happens to be valid UTF-8 does not occur in
//! practice); else chardetng guesses, with the sender's top-level domain as hint.
//!
//! Labels that are known to lie: `iso-8859-2` with bytes 0x80-0x9F (controls there, š ť ž in
//! windows-1250), and `iso-8859-1`/`windows-1252` on mail from a Czech, Slovak or Polish sender,
//! where the guess decides. Elsewhere Latin-1 is believed: French and Czech cannot be told apart by
//! bytes alone in a short text.

use crate::letter::Defect;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_2, WINDOWS_1250, WINDOWS_1252};
use mail_parser::Charset;
use std::borrow::Cow;

/// chardetng's guess settles long before this many bytes.
const GUESS_BYTES: usize = 64 * 1024;

/// What is known about a text besides its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hint<'a> {
    /// `charset` of the Content-Type.
    pub label: Option<&'a str>,
    /// Top-level domain of the sender, lower case.
    pub tld: Option<&'a str>,
}

/// Decodes `bytes`; reports what was wrong with the label.
pub(crate) fn decode<'a>(bytes: &'a [u8], hint: Hint<'_>) -> (Cow<'a, str>, Option<Defect>) {
    let label = hint.label.map(str::trim).filter(|label| !label.is_empty());
    let Some(label) = label else {
        return unlabelled(bytes, hint.tld);
    };
    if is_ascii_label(label) {
        return unlabelled(bytes, hint.tld);
    }
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) => labelled(bytes, encoding, hint.tld),
        None => foreign(bytes, label, hint.tld),
    }
}

/// Decodes bytes whose charset nobody named.
pub(crate) fn unlabelled<'a>(bytes: &'a [u8], tld: Option<&str>) -> (Cow<'a, str>, Option<Defect>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text.trim_start_matches('\u{feff}')), None),
        Err(_) => {
            let (text, broken) = guess(bytes, tld).decode_without_bom_handling(bytes);
            (text, Some(if broken { Defect::BrokenText } else { Defect::UnknownCharset }))
        }
    }
}

fn is_ascii_label(label: &str) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968", "default", "none", "unknown-8bit"]
        .iter()
        .any(|known| label.eq_ignore_ascii_case(known))
}

fn labelled<'a>(
    bytes: &'a [u8],
    encoding: &'static Encoding,
    tld: Option<&str>,
) -> (Cow<'a, str>, Option<Defect>) {
    if encoding.is_single_byte() {
        return single_byte(bytes, encoding, tld);
    }
    let (text, _, broken) = encoding.decode(bytes);
    if !broken {
        return (text, None);
    }
    // A text that is right except for a few bytes (cut in the middle of a character, two sources pasted
    // together) is better read with marks in it than in a guessed charset.
    let bad = text.matches('\u{fffd}').count();
    let wide = text.chars().filter(|c| !c.is_ascii()).count() - bad;
    if bad <= wide {
        return (text, Some(Defect::BrokenText));
    }
    (unlabelled(bytes, tld).0, Some(Defect::WrongCharset))
}

fn single_byte<'a>(
    bytes: &'a [u8],
    encoding: &'static Encoding,
    tld: Option<&str>,
) -> (Cow<'a, str>, Option<Defect>) {
    match std::str::from_utf8(bytes) {
        Ok(text) if encoding.is_ascii_compatible() && text.is_ascii() => {
            return (Cow::Borrowed(text), None);
        }
        Ok(text) => return (Cow::Borrowed(text), Some(Defect::WrongCharset)),
        Err(_) => {}
    }
    let real = correct_label(bytes, encoding, tld);
    let (text, broken) = real.decode_without_bom_handling(bytes);
    let defect =
        if real != encoding { Some(Defect::WrongCharset) } else { broken.then_some(Defect::BrokenText) };
    (text, defect)
}

fn correct_label(bytes: &[u8], encoding: &'static Encoding, tld: Option<&str>) -> &'static Encoding {
    if encoding == ISO_8859_2 && bytes.iter().any(|byte| (0x80..0xA0).contains(byte)) {
        return WINDOWS_1250;
    }
    if encoding == WINDOWS_1252 && matches!(tld, Some("cz" | "sk" | "pl")) {
        // Without the hint: with it, chardetng sees Czech in every accent.
        let guessed = guess(bytes, None);
        if guessed == WINDOWS_1250 || guessed == ISO_8859_2 {
            return guessed;
        }
    }
    encoding
}

/// DOS code page 852 (Central Europe), bytes 0x80 to 0xFF: invoicing programs of the region still
/// write it, and neither encoding_rs nor mail-parser has it.
const CP852: &str = concat!(
    "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐",
    "└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}",
);

fn cp852(bytes: &[u8]) -> String {
    let upper: Vec<char> = CP852.chars().collect();
    let char_of = |&byte: &u8| match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(index) => upper[usize::from(index)],
    };
    bytes.iter().map(char_of).collect()
}

/// Labels that encoding_rs (the web's list) does not have: UTF-7, DOS code pages, IANA aliases.
fn foreign<'a>(bytes: &'a [u8], label: &str, tld: Option<&str>) -> (Cow<'a, str>, Option<Defect>) {
    let is_852 = ["cp852", "ibm852", "852", "cspcp852"].iter().any(|name| label.eq_ignore_ascii_case(name));
    if is_852 {
        return (Cow::Owned(cp852(bytes)), None);
    }
    // `unicode-1-1-utf-7` of Exchange, `x-unicode-2-0-utf-7`.
    let is_utf_7 = label.to_ascii_lowercase().ends_with("utf-7");
    match Charset::from_label(if is_utf_7 { b"utf-7" } else { label.as_bytes() }) {
        Some(Charset::Replacement) | None => {
            let (text, defect) = unlabelled(bytes, tld);
            let readable = text.is_ascii();
            (text, defect.or((!readable).then_some(Defect::UnknownCharset)))
        }
        Some(charset) => {
            let (text, broken) = charset.decode_checked(bytes);
            (text, broken.then_some(Defect::BrokenText))
        }
    }
}

fn guess(bytes: &[u8], tld: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let sample = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    detector.feed(sample, true);
    let tld = tld.filter(|tld| is_hint(tld)).map(str::as_bytes);
    detector.guess(tld, Utf8Detection::Deny)
}

/// chardetng panics on a hint that is not a lower-case ASCII label; `com` and its like say nothing.
fn is_hint(tld: &str) -> bool {
    tld.len() == 2 && tld.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Charset that an HTML text declares in its first kilobyte (`<meta charset=…>` or http-equiv).
pub(crate) fn html_label(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..1024).unwrap_or(bytes).to_ascii_lowercase();
    let found = memchr::memmem::find(&head, b"charset=")?;
    let label: String = head[found + 8..]
        .iter()
        .skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '))
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_:.+".contains(byte))
        .take(40)
        .map(|&byte| char::from(byte))
        .collect();
    (!label.is_empty()).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CZECH: &str = "Příliš žluťoučký kůň úpěl ďábelské ódy, objednávka číslo šest";

    fn hint<'a>(label: &'a str, tld: &'a str) -> Hint<'a> {
        Hint { label: (!label.is_empty()).then_some(label), tld: (!tld.is_empty()).then_some(tld) }
    }

    #[test]
    fn b8_windows_1250_called_latin_1_by_a_czech_sender_is_read() {
        let bytes = WINDOWS_1250.encode(CZECH).0;
        let (text, defect) = decode(&bytes, hint("iso-8859-1", "cz"));
        assert_eq!((&*text, defect), (CZECH, Some(Defect::WrongCharset)));
    }

    #[test]
    fn b8_windows_1250_called_iso_8859_2_is_read() {
        let bytes = WINDOWS_1250.encode(CZECH).0;
        let (text, defect) = decode(&bytes, hint("iso-8859-2", ""));
        assert_eq!((&*text, defect), (CZECH, Some(Defect::WrongCharset)));
    }

    #[test]
    fn b8_text_without_or_with_unknown_label_is_guessed() {
        let bytes = WINDOWS_1250.encode(CZECH).0;
        for label in ["", "us-ascii", "x-unknown"] {
            let (text, defect) = decode(&bytes, hint(label, "cz"));
            assert_eq!((&*text, defect), (CZECH, Some(Defect::UnknownCharset)), "{label}");
        }
    }

    #[test]
    fn b8_utf_8_is_read_whatever_its_label() {
        for label in ["iso-8859-1", "windows-1250", "us-ascii", "utf-8", "utf8", "x-none"] {
            assert_eq!(decode(CZECH.as_bytes(), hint(label, "")).0, CZECH, "{label}");
        }
    }

    #[test]
    fn french_latin_1_stays_latin_1() {
        let bytes = WINDOWS_1252.encode("Déjà reçu à l'hôtel, coût très élevé").0;
        let (text, defect) = decode(&bytes, hint("iso-8859-1", "fr"));
        assert_eq!((&*text, defect), ("Déjà reçu à l'hôtel, coût très élevé", None));
    }

    #[test]
    fn euc_jp_called_iso_2022_jp_is_read() {
        let (text, defect) = decode(
            "次のあて先へのメッセージはエラーのため送信できませんでした。".as_bytes(),
            hint("iso-2022-jp", "jp"),
        );
        assert_eq!((text.contains('\u{fffd}'), defect), (false, Some(Defect::WrongCharset)));
        let bytes =
            encoding_rs::EUC_JP.encode("次のあて先へのメッセージはエラーのため送信できませんでした。").0;
        let (text, _) = decode(&bytes, hint("iso-2022-jp", ""));
        assert_eq!(text, "次のあて先へのメッセージはエラーのため送信できませんでした。");
    }

    #[test]
    fn western_latin_1_survives_a_czech_hint() {
        let texts = [
            "Bonjour, merci pour votre message, à très bientôt à l'hôtel où nous étions déjà allés.",
            "¿Cuándo llegará el camión con las cañas? Mañana, señor Núñez.",
            "Müller & Söhne grüßen, Rückgabe bis Februar möglich, Größe 5.",
            "A café in Zürich",
        ];
        for text in texts {
            let bytes = WINDOWS_1252.encode(text).0;
            assert_eq!(decode(&bytes, hint("iso-8859-1", "cz")).0, text);
        }
    }

    #[test]
    fn one_bad_byte_does_not_spoil_utf_8() {
        let mut bytes = CZECH.as_bytes().to_vec();
        bytes.push(0xC5);
        let (text, defect) = decode(&bytes, hint("utf-8", "cz"));
        assert_eq!(&*text, format!("{CZECH}\u{fffd}"));
        assert_eq!(defect, Some(Defect::BrokenText));
    }

    #[test]
    fn utf_7_and_dos_pages_are_read() {
        for label in ["utf-7", "unicode-1-1-utf-7"] {
            assert_eq!(decode(b"Hi Mom -+Jjo--!", hint(label, "")).0, "Hi Mom -\u{263a}-!");
        }
        assert_eq!(decode(b"\x9f\xab\xd8\xe7\xff", hint("cp852", "")).0, "čźěš\u{a0}");
    }

    #[test]
    fn every_label_takes_any_bytes() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1024).collect();
        for label in ["utf-16", "iso-2022-jp", "gb18030", "big5", "shift_jis", "euc-kr", "koi8-r"] {
            decode(&bytes, hint(label, "cz"));
            decode(&bytes, hint(label, "not a tld"));
        }
    }

    #[test]
    fn html_tells_its_charset() {
        let label = html_label(b"<meta http-equiv=X content='text/html; charset=ISO-8859-2'>");
        assert_eq!(label.as_deref(), Some("iso-8859-2"));
        assert_eq!(html_label(b"<p>charset</p>"), None);
    }
}
