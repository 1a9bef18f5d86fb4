//! Bytes in some charset -> text, also where the label is missing or lies.
//!
//! Order: a label that fits the bytes is believed; valid UTF-8 with multi-byte characters is UTF-8
//! whatever the label says (text in another charset that happens to be valid UTF-8 does not occur in
//! practice); else the letters decide between the charsets of Latin Europe ([`latin`]), with the
//! sender's top-level domain as hint, and chardetng between all others.
//!
//! Labels that are known to lie: `iso-8859-2` on windows-1250 and the other way round, and
//! `iso-8859-1`/`windows-1252` on either of them. Such a label is overruled only where the letters
//! are much likelier so: a few are enough on mail from a country of that charset, elsewhere it takes
//! more. Header and text of a letter are guessed together ([`Hint::letter`]): two words of a subject
//! tell little, and what writes raw bytes writes all of them in one charset.
//!
//! UTF-8 that was taken for windows-1252 and encoded once more is turned back where that is certain
//! ([`undouble`]).

mod latin;

use crate::letter::Defect;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_2, ISO_8859_15, UTF_8, WINDOWS_1250, WINDOWS_1252};
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
    /// What the letter's raw bytes were guessed to be, all together: for bytes that nobody labelled.
    pub letter: Option<&'static Encoding>,
}

/// The charset of all bytes of a letter that claim what the hint's label says, where the letters tell
/// one of Latin Europe or nobody named any.
pub(crate) fn of_letter(bytes: &[u8], hint: Hint<'_>) -> Option<&'static Encoding> {
    if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let label = hint.label.map(str::trim).filter(|label| !label.is_empty() && !is_ascii_label(label));
    match label.and_then(|label| Encoding::for_label_no_replacement(label.as_bytes())) {
        None => Some(guess(bytes, hint.tld)),
        Some(encoding) if encoding == UTF_8 => Some(guess(bytes, hint.tld)),
        Some(encoding) if is_latin(encoding) => Some(correct_label(bytes, encoding, hint)),
        Some(_) => None,
    }
}

/// The text of a file, with the label it bears or without one: UTF-8 and UTF-16 by their first bytes or
/// by what they look like, else a guess that expects Central European text.
pub fn text_of(bytes: &[u8], label: Option<&str>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    if let Some(encoding) = wide(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    decode(bytes, Hint { label, tld: Some("cz"), ..Hint::default() }).0.into_owned()
}

/// UTF-16 without its mark: every other byte of its beginning is zero, for Latin letters.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let pairs = &bytes[..bytes.len().min(256)].as_chunks::<2>().0;
    let zeros = |at: usize| pairs.iter().filter(|pair| pair[at] == 0).count() * 2 > pairs.len();
    match (zeros(0), zeros(1)) {
        (true, false) => Some(encoding_rs::UTF_16BE),
        (false, true) => Some(encoding_rs::UTF_16LE),
        _ => None,
    }
}

/// Decodes `bytes`; reports what was wrong with the label.
pub(crate) fn decode<'a>(bytes: &'a [u8], hint: Hint<'_>) -> (Cow<'a, str>, Option<Defect>) {
    let label = hint.label.map(str::trim).filter(|label| !label.is_empty());
    let Some(label) = label else {
        return guessed(bytes, hint);
    };
    if is_ascii_label(label) {
        return guessed(bytes, hint);
    }
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) => labelled(bytes, encoding, hint),
        None => foreign(bytes, label, hint),
    }
}

/// Decodes bytes whose charset nobody named.
pub(crate) fn unlabelled<'a>(bytes: &'a [u8], tld: Option<&str>) -> (Cow<'a, str>, Option<Defect>) {
    guessed(bytes, Hint { tld, ..Hint::default() })
}

fn guessed<'a>(bytes: &'a [u8], hint: Hint<'_>) -> (Cow<'a, str>, Option<Defect>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => utf_8(text.trim_start_matches('\u{feff}'), None),
        Err(_) => {
            let charset = hint.letter.unwrap_or_else(|| guess(bytes, hint.tld));
            let (text, broken) = charset.decode_without_bom_handling(bytes);
            (text, Some(if broken { Defect::BrokenText } else { Defect::UnknownCharset }))
        }
    }
}

/// Text in UTF-8, turned back if it was encoded twice.
fn utf_8(text: &str, defect: Option<Defect>) -> (Cow<'_, str>, Option<Defect>) {
    match undouble(text) {
        Some(once) => (Cow::Owned(once), Some(Defect::WrongCharset)),
        None => (Cow::Borrowed(text), defect),
    }
}

/// Sequences that must be found before a text counts as encoded twice: one could be meant.
const MIN_DOUBLED: usize = 2;

/// `PÅ™Ã­liÅ¡` -> `Příliš`: every character above ASCII is one of windows-1252, and its bytes are
/// nothing but valid UTF-8 with several letters. Text that is right does not do that.
fn undouble(text: &str) -> Option<String> {
    if text.is_ascii() || !text.contains(['Ã', 'Å', 'Ä', 'Â', 'â']) {
        return None;
    }
    let (bytes, _, unmappable) = WINDOWS_1252.encode(text);
    if unmappable {
        return None;
    }
    let once = std::str::from_utf8(&bytes).ok()?;
    let letters = once.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).count();
    (letters >= MIN_DOUBLED).then(|| once.to_owned())
}

fn is_ascii_label(label: &str) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968", "default", "none", "unknown-8bit"]
        .iter()
        .any(|known| label.eq_ignore_ascii_case(known))
}

fn labelled<'a>(
    bytes: &'a [u8],
    encoding: &'static Encoding,
    hint: Hint<'_>,
) -> (Cow<'a, str>, Option<Defect>) {
    if encoding.is_single_byte() {
        return single_byte(bytes, encoding, hint);
    }
    let (text, _, broken) = encoding.decode(bytes);
    if !broken {
        return match text {
            Cow::Borrowed(text) => utf_8(text, None),
            owned => (owned, None),
        };
    }
    // A text that is right except for a few bytes (cut in the middle of a character, two sources pasted
    // together) is better read with marks in it than in a guessed charset.
    let bad = text.matches('\u{fffd}').count();
    let wide = text.chars().filter(|c| !c.is_ascii()).count() - bad;
    if bad <= wide {
        return (text, Some(Defect::BrokenText));
    }
    (guessed(bytes, hint).0, Some(Defect::WrongCharset))
}

fn single_byte<'a>(
    bytes: &'a [u8],
    encoding: &'static Encoding,
    hint: Hint<'_>,
) -> (Cow<'a, str>, Option<Defect>) {
    match std::str::from_utf8(bytes) {
        Ok(text) if encoding.is_ascii_compatible() && text.is_ascii() => {
            return (Cow::Borrowed(text), None);
        }
        Ok(text) => return (Cow::Borrowed(text), Some(Defect::WrongCharset)),
        Err(_) => {}
    }
    let real = correct_label(bytes, encoding, hint);
    let (text, broken) = real.decode_without_bom_handling(bytes);
    let defect =
        if real != encoding { Some(Defect::WrongCharset) } else { broken.then_some(Defect::BrokenText) };
    (text, defect)
}

/// How much likelier another charset must be than the one that was named: where mail is written in it
/// anyway, and elsewhere.
const NEAR_MARGIN: f64 = 2.0;
const FAR_MARGIN: f64 = 6.0;

fn correct_label(bytes: &[u8], encoding: &'static Encoding, hint: Hint<'_>) -> &'static Encoding {
    if encoding == ISO_8859_2 && bytes.iter().any(|byte| (0x80..0xA0).contains(byte)) {
        return WINDOWS_1250;
    }
    if !is_latin(encoding) {
        return encoding;
    }
    let is_western = encoding == WINDOWS_1252 || encoding == ISO_8859_15;
    let named = if is_western { WINDOWS_1252 } else { encoding };
    let margin = if is_western && !is_central(hint.tld) { FAR_MARGIN } else { NEAR_MARGIN };
    let favour = |charset: &'static Encoding| match hint.letter {
        // The rest of the letter says so.
        Some(letter) if letter == charset => margin,
        None if charset == named => margin,
        _ if is_western && charset == ISO_8859_2 => -USUAL,
        _ => 0.0,
    };
    match latin::judge(bytes, hint.tld, favour) {
        // French or German that is called Central European is so rare that it is not looked for.
        Some(verdict) if verdict.charset != named && verdict.charset != WINDOWS_1252 => verdict.charset,
        _ => encoding,
    }
}

fn is_latin(encoding: &'static Encoding) -> bool {
    [WINDOWS_1252, ISO_8859_15, ISO_8859_2, WINDOWS_1250].contains(&encoding)
}

/// Countries that write windows-1250 and iso-8859-2.
fn is_central(tld: Option<&str>) -> bool {
    matches!(tld, Some("cz" | "sk" | "pl" | "hu" | "hr" | "si" | "ro" | "ba" | "rs"))
}

/// Countries whose letters [`latin`] does not know.
fn is_elsewhere(tld: Option<&str>) -> bool {
    const TLDS: &[&str] = &[
        "tr", "lt", "lv", "ee", "gr", "cy", "ru", "ua", "by", "bg", "il", "vn", "th", "jp", "cn", "tw", "kr",
        "mt", "is", "kz", "mk", "ir", "sa", "eg",
    ];
    tld.is_some_and(|tld| TLDS.contains(&tld))
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
fn foreign<'a>(bytes: &'a [u8], label: &str, hint: Hint<'_>) -> (Cow<'a, str>, Option<Defect>) {
    let is_852 = ["cp852", "ibm852", "852", "cspcp852"].iter().any(|name| label.eq_ignore_ascii_case(name));
    if is_852 {
        return (Cow::Owned(cp852(bytes)), None);
    }
    // `unicode-1-1-utf-7` of Exchange, `x-unicode-2-0-utf-7`.
    let is_utf_7 = label.to_ascii_lowercase().ends_with("utf-7");
    match Charset::from_label(if is_utf_7 { b"utf-7" } else { label.as_bytes() }) {
        Some(Charset::Replacement) | None => {
            let (text, defect) = guessed(bytes, hint);
            let readable = text.is_ascii();
            (text, defect.or((!readable).then_some(Defect::UnknownCharset)))
        }
        Some(charset) => {
            let (text, broken) = charset.decode_checked(bytes);
            (text, broken.then_some(Defect::BrokenText))
        }
    }
}

/// Below this the letters do not tell.
const MIN_MARGIN: f64 = 1.0;
/// What mail of Central Europe without a label is written in, far more often than in iso-8859-2.
const USUAL: f64 = 1.5;

fn guess(bytes: &[u8], tld: Option<&str>) -> &'static Encoding {
    let favour = |charset: &'static Encoding| if charset == ISO_8859_2 { -USUAL } else { 0.0 };
    match latin::judge(bytes, tld, favour).filter(|_| !is_elsewhere(tld)) {
        Some(verdict) if verdict.margin >= MIN_MARGIN => verdict.charset,
        _ => guess_any(bytes, tld),
    }
}

fn guess_any(bytes: &[u8], tld: Option<&str>) -> &'static Encoding {
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
        Hint {
            label: (!label.is_empty()).then_some(label),
            tld: (!tld.is_empty()).then_some(tld),
            letter: None,
        }
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
