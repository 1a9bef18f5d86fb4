//! RFC 2047 encoded words -> text, also where they stand and break as the RFC forbids: in quoted
//! strings, touching each other, with blanks inside, with a character split over two words.
//!
//! Words of one charset that follow each other are decoded one by one if each is valid on its own
//! (ISO-2022-JP starts anew in each word), else their bytes are joined first (UTF-8 cut anywhere).

use crate::charset::{self, Hint};
use std::borrow::Cow;

/// Longest name of a charset, with a language after `*` (RFC 2231 §5).
const MAX_CHARSET_BYTES: usize = 64;
/// Stands for a decoded run in a masked value: private-use characters around its number.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

/// Decodes all encoded words of a value.
pub(crate) fn decode(value: &str, hint: Hint<'_>) -> String {
    let mut out = String::with_capacity(value.len());
    walk(value, hint, |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Words(text) => out.push_str(&text),
    });
    out
}

/// Replaces runs of encoded words by marks, so that what they decode to (commas, quotes) does not
/// disturb the grammar around them. [`unmask`] puts them back.
pub(crate) fn mask<'a>(value: &'a str, hint: Hint<'_>) -> (Cow<'a, str>, Vec<String>) {
    let mut runs = Vec::new();
    if !value.contains("=?") || value.contains([OPEN, CLOSE]) {
        return (Cow::Borrowed(value), runs);
    }
    let mut out = String::with_capacity(value.len());
    walk(value, hint, |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Words(text) => {
            out.push(OPEN);
            out.push_str(&runs.len().to_string());
            out.push(CLOSE);
            runs.push(text);
        }
    });
    (Cow::Owned(out), runs)
}

/// Puts the decoded runs back.
pub(crate) fn unmask(masked: &str, runs: &[String]) -> String {
    let mut out = String::new();
    let mut rest = masked;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        let (number, tail) = after.split_once(CLOSE).unwrap_or((after, ""));
        let run = number.parse::<usize>().ok().and_then(|index| runs.get(index));
        out.push_str(run.map_or("", String::as_str));
        rest = tail;
    }
    out.push_str(rest);
    out
}

enum Piece<'a> {
    Text(&'a str),
    Words(String),
}

fn walk<'a>(value: &'a str, hint: Hint<'_>, mut take: impl FnMut(Piece<'a>)) {
    let mut run: Vec<Word<'a>> = Vec::new();
    let mut text_from = 0;
    let mut at = 0;
    while let Some(found) = value[at..].find("=?") {
        let start = at + found;
        let Some((word, end)) = word(value, start) else {
            at = start + 2;
            continue;
        };
        let between = &value[text_from..start];
        if run.is_empty() || !between.trim().is_empty() {
            finish(&mut run, hint, &mut take);
            take(Piece::Text(between));
        }
        run.push(word);
        at = end;
        text_from = end;
    }
    finish(&mut run, hint, &mut take);
    take(Piece::Text(&value[text_from..]));
}

fn finish<'a>(run: &mut Vec<Word<'a>>, hint: Hint<'_>, take: &mut impl FnMut(Piece<'a>)) {
    if run.is_empty() {
        return;
    }
    let mut out = String::new();
    for group in run.chunk_by(|one, two| one.charset.eq_ignore_ascii_case(two.charset)) {
        push_group(group, hint, &mut out);
    }
    run.clear();
    take(Piece::Words(out));
}

fn push_group(group: &[Word<'_>], hint: Hint<'_>, out: &mut String) {
    let [first, ..] = group else { return };
    let hint = Hint { label: Some(first.charset), ..hint };
    let start = out.len();
    for word in group {
        let (text, defect) = charset::decode(&word.bytes, hint);
        if defect.is_some() {
            out.truncate(start);
            let joined: Vec<u8> = group.iter().flat_map(|word| word.bytes.iter().copied()).collect();
            out.push_str(&charset::decode(&joined, hint).0);
            return;
        }
        out.push_str(&text);
    }
}

/// Reads the word at `start`; gives it and where it ends.
fn word(value: &str, start: usize) -> Option<(Word<'_>, usize)> {
    let (charset, rest) = value[start + 2..].split_once('?')?;
    if charset.is_empty() || charset.len() > MAX_CHARSET_BYTES || charset.contains([' ', '=']) {
        return None;
    }
    let text = rest.get(2..).filter(|_| rest.as_bytes()[1] == b'?')?;
    let length = text.find("?=")?;
    let end = value.len() - text.len() + length + 2;
    let text = &text[..length];
    let bytes = match rest.as_bytes()[0].to_ascii_lowercase() {
        b'b' => mail_parser::Encoding::Base64.decode(text.as_bytes()).into_owned(),
        b'q' => q(text.as_bytes()),
        _ => return None,
    };
    let charset = charset.split('*').next().unwrap_or_default();
    Some((Word { charset, bytes }, end))
}

fn q(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let escaped = text.get(at + 1..at + 3).and_then(hex);
        match (byte, escaped) {
            (b'=', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'_', _) => out.push(b' '),
            // A word folded in its middle.
            (b'\r' | b'\n', _) => {}
            _ => out.push(byte),
        }
        at += 1;
    }
    out
}

fn hex(two: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(two[0])? << 4 | digit(two[1])?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b8_words_are_decoded_wherever_they_stand() {
        let cases = [
            ("=?utf-8?B?xI3F?= =?utf-8?B?mQ==?=", "čř"),
            ("=?utf-8?Q?=C4?==?utf-8?Q?=8D?=", "č"),
            ("Re:=?utf-8?q?_a=20b?=!", "Re: a b!"),
            ("=?utf-8?q?a b?= c", "a b c"),
            ("=?utf-8*cs?Q?=C4=8D?= =?iso-8859-2?Q?=E8?=", "čč"),
            ("=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?= =?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "テストテスト"),
            ("=?utf-8?B?xI0", "=?utf-8?B?xI0"),
            ("1 =? 2 ?= 3", "1 =? 2 ?= 3"),
            ("=?x?z?a?=", "=?x?z?a?="),
            ("=?", "=?"),
        ];
        for (value, text) in cases {
            assert_eq!(decode(value, Hint::default()), text, "{value}");
        }
    }

    #[test]
    fn b8_windows_1250_called_latin_1_is_read_in_words_too() {
        let word = "=?iso-8859-1?Q?=8E=E1dost_o_nab=EDdku_na_d=F8ev=ECn=E9_obaly_p=F8=ED=9At=EC?=";
        assert_eq!(
            decode(word, Hint { tld: Some("cz"), ..Hint::default() }),
            "Žádost o nabídku na dřevěné obaly příště"
        );
    }

    #[test]
    fn masked_words_come_back() {
        let (masked, runs) =
            mask("=?utf-8?Q?a=2C_b?= <x@y.example>, =?utf-8?Q?c?= =?utf-8?Q?d?=", Hint::default());
        assert!(!masked.contains("=?") && masked.matches(',').count() == 1);
        assert_eq!(unmask(&masked, &runs), "a, b <x@y.example>, cd");
    }
}
