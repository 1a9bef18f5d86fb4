//! Tells the one-byte charsets of Latin Europe apart: windows-1250, iso-8859-2 and windows-1252.
//!
//! The three differ in few places, and each byte is a letter of some language in all of them:
//! 0xE8 is `č` or `è`, 0xB3 `ł` or `³`. What tells is which letters occur together. For each
//! language there is the share its letters have among its non-ASCII letters; a reading is as likely as
//! its best language makes it, letter by letter. A symbol within a word is all but impossible.
//!
//! Decided against chardetng alone: it weighs pairs of letters and needs a sentence, while headers
//! are two words long, and its hint by country makes Czech of every French accent.

use encoding_rs::{Encoding, ISO_8859_2, WINDOWS_1250, WINDOWS_1252};
use std::sync::LazyLock;

/// Most non-ASCII letters that are looked at: more change nothing.
const MAX_LETTERS: usize = 400;
/// Logarithm of the likelihood of a letter that a language does not have.
const FOREIGN: f64 = -7.0;
/// The same for a symbol on its own, and within a word.
const SYMBOL: f64 = -3.5;
const SYMBOL_IN_WORD: f64 = -9.0;
/// The same for one that touches a word.
const SYMBOL_AT_WORD: f64 = -6.0;
/// Of an exponent behind a letter or digit.
const EXPONENT: f64 = -1.0;
/// Of a letter that stands alone, in the languages that have no such words.
const ALONE: f64 = -6.0;
/// More likely a slip or another script than one of these languages, for each letter.
const POOR: f64 = -4.0;

/// A language of mail.
struct Language {
    /// Top-level domains of where it is written.
    home: &'static [&'static str],
    /// Its letters above ASCII, with the share of each in thousandths.
    letters: &'static str,
    /// Letters of ASCII that only its foreign words have.
    rare: &'static [u8],
}

const fn language(home: &'static [&'static str], letters: &'static str, rare: &'static [u8]) -> Language {
    Language { home, letters, rare }
}

/// Languages of windows-1250 and iso-8859-2: Czech, Slovak, Polish, Hungarian, Croatian, Romanian.
const CENTRAL: &[Language] = &[
    language(&["cz"], "í160á160ě130é100ř80č80ž80š65ý65ů35ú15ň6ó4ť5ď4", b"qwx"),
    language(&["sk"], "á170í130č110é90ž90š80ý100ú80ľ45ť60ô20ó10ň12ď15ä7ĺ3ŕ3", b"qwx"),
    language(&["pl"], "ł240ę180ą160ó130ż110ś90ć60ń30ź12", b"qvx"),
    language(&["hu"], "á300é290ö100ó90ő90ü50í40ú20ű20", b"qwx"),
    language(&["hr", "si", "ba", "rs"], "č400š300ž250ć60đ30", b"qwxy"),
    language(&["ro"], "ă350î150ş200ţ200â100", b"qkwy"),
];
/// Languages of windows-1252: German, French, Italian, Spanish, Portuguese, Swedish and Finnish, Danish
/// and Norwegian, Dutch, English.
const WESTERN: &[Language] = &[
    language(&["de", "at", "ch"], "ä350ü300ß190ö160é3", b""),
    language(&["fr", "be"], "é550à140è100ê60ç30û20ô15î15â15ù15ë5œ8ï5", b"kw"),
    language(&["it"], "è310à300ò120é100ù100ì60", b"kwxyj"),
    language(&["es"], "ó250í200á180é130ñ90ú70¿30¡20ü5", b"kw"),
    language(&["pt"], "ã170ç130é120á120í100ê90ó90õ45ú40â35à30ô20", b"kwy"),
    language(&["se", "fi"], "ä420ö290å280é10", b"qwz"),
    language(&["dk", "no"], "å430ø350æ190é15", b"qwxz"),
    language(&["nl"], "ë400é300ï150ö50ü50è30", b"qx"),
    language(&["uk", "ie"], "é400ï60è60ñ30ü60ö60á30ç30", b""),
];

/// How much a country speaks for its language, once.
const HOME: f64 = 3.0;
/// What a rare letter of ASCII costs, and most of that: names are foreign everywhere.
const RARE: f64 = -1.5;
const MOST_RARE: f64 = -4.0;

/// How much likelier the best charset is than the next, as the logarithm of the ratio.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub charset: &'static Encoding,
    pub margin: f64,
}

/// Compares the three charsets; `None` if the bytes are no text of these languages. `favour` is added to
/// the likelihood of a charset that something else speaks for.
pub(super) fn judge(
    bytes: &[u8],
    tld: Option<&str>,
    favour: impl Fn(&'static Encoding) -> f64,
) -> Option<Verdict> {
    if !is_mostly_ascii(bytes) {
        return None;
    }
    let plain = plain_letters(bytes);
    let score = |table: &Table| {
        let (score, letters) = likelihood(bytes, table, &plain, tld);
        (table.charset, score + favour(table.charset), letters)
    };
    let mut scores = TABLES.each_ref().map(score);
    // The order decides a tie: windows-1250 is what mail of its countries is written in.
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = scores[0];
    // Where two read the same, what matters is how far off the third one is.
    let next = scores.iter().map(|score| score.1).find(|score| *score < best.1 - 1e-9).unwrap_or(best.1);
    let plausible = best.1 / f64::from(best.2.max(1)) > POOR;
    plausible.then_some(Verdict { charset: best.0, margin: best.1 - next })
}

/// In Latin scripts letters of ASCII are the most, in Cyrillic and Greek they are few.
fn is_mostly_ascii(bytes: &[u8]) -> bool {
    let sample = bytes.get(..16 * 1024).unwrap_or(bytes);
    let plain = sample.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let high = sample.iter().filter(|byte| **byte >= 0xC0).count();
    plain >= high
}

/// What each byte above ASCII is in a charset, and how likely that is in each of its languages.
struct Table {
    charset: &'static Encoding,
    languages: &'static [Language],
    shown: [char; 128],
    is_letter: [bool; 128],
    /// By language, then by byte.
    shares: Vec<[f64; 128]>,
}

static TABLES: LazyLock<[Table; 3]> = LazyLock::new(|| {
    [(WINDOWS_1250, CENTRAL), (ISO_8859_2, CENTRAL), (WINDOWS_1252, WESTERN)]
        .map(|(charset, languages)| table(charset, languages))
});

fn table(charset: &'static Encoding, languages: &'static [Language]) -> Table {
    let shown = std::array::from_fn(|at| decoded(charset, 0x80 | at as u8));
    let lower = |shown: char| shown.to_lowercase().next().unwrap_or(shown);
    let shares = |language: &Language| shown.map(|shown| share(language.letters, lower(shown)));
    Table {
        charset,
        languages,
        shown,
        is_letter: shown.map(is_letter),
        shares: languages.iter().map(shares).collect(),
    }
}

/// How often each letter of ASCII stands in the beginning, without case.
fn plain_letters(bytes: &[u8]) -> [u32; 26] {
    let mut plain = [0; 26];
    let sample = bytes.get(..4096).unwrap_or(bytes);
    for letter in sample.iter().map(u8::to_ascii_lowercase).filter(u8::is_ascii_lowercase) {
        plain[usize::from(letter - b'a')] += 1;
    }
    plain
}

/// The likelihood in the language that fits best, and how many letters it is of.
fn likelihood(bytes: &[u8], table: &Table, plain: &[u32; 26], tld: Option<&str>) -> (f64, u32) {
    let mut scores: Vec<f64> =
        table.languages.iter().map(|language| foreign_words(language, plain)).collect();
    let (mut letters, mut has_letters) = (0, false);
    for at in (0..bytes.len()).filter(|&at| bytes[at] >= 0x80).take(MAX_LETTERS) {
        letters += 1;
        let place = usize::from(bytes[at] & 0x7f);
        let is_letter = table.is_letter[place];
        let same = match () {
            () if !is_letter => Some(symbol(table.shown[place], bytes, at)),
            () if table.charset != WINDOWS_1252 && is_alone(bytes, at) => Some(ALONE),
            () => None,
        };
        for (score, shares) in scores.iter_mut().zip(&table.shares) {
            *score += same.unwrap_or(shares[place]);
        }
        has_letters |= is_letter;
    }
    // Symbols alone say nothing of the country's language.
    let home = |language: &Language| has_letters && tld.is_some_and(|tld| language.home.contains(&tld));
    let total = |(score, language)| score + if home(language) { HOME } else { 0.0 };
    let best = scores.into_iter().zip(table.languages).map(total).fold(f64::NEG_INFINITY, f64::max);
    (best, letters)
}

/// What letters of ASCII say against a language.
fn foreign_words(language: &Language, plain: &[u32; 26]) -> f64 {
    let rare: u32 = language.rare.iter().map(|letter| plain[usize::from(letter - b'a')]).sum();
    (f64::from(rare) * RARE).max(MOST_RARE)
}

fn decoded(charset: &'static Encoding, byte: u8) -> char {
    let (text, _) = charset.decode_without_bom_handling(std::slice::from_ref(&byte));
    text.chars().next().unwrap_or('\u{fffd}')
}

/// `¿` and `¡` belong to Spanish as its letters do.
fn is_letter(c: char) -> bool {
    (c.is_alphabetic() && !matches!(c, 'µ' | 'º' | 'ª')) || matches!(c, '¿' | '¡')
}

/// Likelihood of what is no letter.
fn symbol(shown: char, bytes: &[u8], at: usize) -> f64 {
    const WITHIN_WORDS: &str = "´’‘\u{ad}·\u{a0}–—…“”„«»¿¡";
    const BEHIND_WORDS: &str = "²³¹®™°ºª";
    let before = neighbour_is_letter(bytes, at.checked_sub(1));
    let behind = neighbour_is_letter(bytes, Some(at + 1));
    match shown {
        '\u{80}'..'\u{a0}' | '\u{fffd}' => SYMBOL_IN_WORD,
        '²' | '³' if !behind => EXPONENT,
        _ if WITHIN_WORDS.contains(shown) => SYMBOL,
        _ if before && behind => SYMBOL_IN_WORD,
        _ if behind || before && !BEHIND_WORDS.contains(shown) => SYMBOL_AT_WORD,
        _ => SYMBOL,
    }
}

/// A word of one letter; `č.` is short for "number".
fn is_alone(bytes: &[u8], at: usize) -> bool {
    let behind = Some(at + 1);
    !neighbour_is_letter(bytes, at.checked_sub(1))
        && !neighbour_is_letter(bytes, behind)
        && bytes.get(at + 1) != Some(&b'.')
}

fn neighbour_is_letter(bytes: &[u8], at: Option<usize>) -> bool {
    at.and_then(|at| bytes.get(at)).is_some_and(|&byte| byte.is_ascii_alphabetic() || byte >= 0x8A)
}

/// Logarithm of a letter's share in a language.
fn share(language: &str, letter: char) -> f64 {
    let Some((_, rest)) = language.split_once(letter) else { return FOREIGN };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    rest[..digits].parse::<f64>().map_or(FOREIGN, |thousandths| (thousandths / 1000.0).ln())
}

#[cfg(test)]
mod tests;
