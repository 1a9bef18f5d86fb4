//! Text -> search words, the same for what is stored and what is asked, so that both databases find
//! the same: NFKD, marks dropped, letters that do not decompose replaced, lower case.
//!
//! A word is a run of letters and digits. Ideographs and kana, which are written without blanks, are
//! words one by one. Runs of more than 40 characters (base64, hashes, tracking ids) are dropped: nobody
//! searches for them, and they would be most of the index.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Words taken from one text.
pub const MAX_TOKENS: usize = 100_000;
const MAX_TOKEN_CHARS: usize = 40;

/// Folds a text to words separated by single blanks; at most [`MAX_TOKENS`].
pub fn fold(text: &str) -> String {
    fold_tokens(text, MAX_TOKENS)
}

/// [`fold`] with at most `tokens` words.
pub fn fold_tokens(text: &str, tokens: usize) -> String {
    let mut words =
        Words { out: String::with_capacity(text.len().min(1 << 20)), start: 0, chars: 0, left: tokens };
    for run in text.split_inclusive(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()) {
        if words.left == 0 {
            break;
        }
        if run.is_ascii() {
            run.bytes().for_each(|byte| words.ascii(byte));
        } else {
            run.nfkd().filter(|c| !is_combining_mark(*c)).for_each(|c| words.letter(c));
        }
    }
    words.end();
    words.out.truncate(words.out.trim_end().len());
    words.out
}

/// A text as it is compared, not divided into words: lower case, without marks, punctuation kept, white
/// space as single blanks, none at the ends.
pub fn fold_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        match word.is_ascii() {
            true => out.extend(word.chars().map(|c| c.to_ascii_lowercase())),
            false => word.nfkd().filter(|c| !is_combining_mark(*c)).for_each(|c| lower(c, &mut out)),
        }
    }
    out
}

fn lower(c: char, out: &mut String) {
    match plain(c) {
        Some(plain) => out.push_str(plain),
        None => out.extend(c.to_lowercase().filter(|c| !is_combining_mark(*c))),
    }
}

struct Words {
    out: String,
    /// Where the word being written starts.
    start: usize,
    chars: usize,
    left: usize,
}

impl Words {
    fn ascii(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() {
            self.push(char::from(byte.to_ascii_lowercase()));
        } else {
            self.end();
        }
    }

    fn letter(&mut self, c: char) {
        if c.is_ascii() {
            return self.ascii(c as u8);
        }
        if let Some(plain) = plain(c) {
            return plain.chars().for_each(|c| self.push(c));
        }
        if !c.is_alphanumeric() {
            return self.end();
        }
        let alone = stands_alone(c);
        if alone {
            self.end();
        }
        // Lower case may bring marks of its own (İ -> i + dot above).
        c.to_lowercase().filter(|c| !is_combining_mark(*c)).for_each(|c| self.push(c));
        if alone {
            self.end();
        }
    }

    fn push(&mut self, c: char) {
        if self.left == 0 {
            return;
        }
        self.chars += 1;
        if self.chars <= MAX_TOKEN_CHARS {
            self.out.push(c);
        }
    }

    fn end(&mut self) {
        if self.chars > MAX_TOKEN_CHARS {
            self.out.truncate(self.start);
        } else if self.chars > 0 {
            self.out.push(' ');
            self.left -= 1;
        }
        self.start = self.out.len();
        self.chars = 0;
    }
}

/// Letters that NFKD leaves whole.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'ø' | 'Ø' => "o",
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'þ' | 'Þ' => "th",
        'ħ' | 'Ħ' => "h",
        'ı' => "i",
        'ŧ' | 'Ŧ' => "t",
        'ŋ' | 'Ŋ' => "n",
        'ĸ' => "k",
        'ς' => "σ",
        _ => return None,
    })
}

/// Hiragana, katakana, ideographs with their extensions.
fn stands_alone(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_diacritics_and_case_do_not_matter() {
        assert_eq!(fold("Příliš ŽLUŤOUČKÝ kůň"), "prilis zlutoucky kun");
        assert_eq!(fold("Zażółć gęślą jaźń, Łódź"), "zazolc gesla jazn lodz");
        assert_eq!(fold("Straße Ærø ďaleko Đakovo"), "strasse aero daleko dakovo");
        assert_eq!(fold("ﬁnále ½ İstanbul ΣΊΣΥΦΟΣ"), "finale 1 2 istanbul σισυφοσ");
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(fold("  ann@firm-a.example: INV_2024/17\n\n"), "ann firm a example inv 2024 17");
        assert_eq!(fold(""), "");
        assert_eq!(fold("東京から"), "東 京 か ら");
    }

    #[test]
    fn c1_folded_text_keeps_punctuation_and_has_single_blanks() {
        assert_eq!(
            fold_text("  Re:\t[PODPORA]\r\n č. 5/2024 <Žofie@Firma.example>"),
            "re: [podpora] c. 5/2024 <zofie@firma.example>"
        );
        assert_eq!(fold_text("Łódź – STRASSE ß"), "lodz – strasse ss");
        assert_eq!(fold_text(" \n "), "");
    }

    #[test]
    fn junk_is_dropped_and_tokens_are_capped() {
        let junk = "QUJD".repeat(30);
        assert_eq!(fold(&format!("before {junk} after")), "before after");
        assert_eq!(fold_tokens("a b c d", 2), "a b");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["Řehoř č. 5 – „uvozovky“", "ＦＵＬＬ ｗｉｄｔｈ", "é\u{301}\u{323}x"]
        {
            assert_eq!(fold(&fold(text)), fold(text));
        }
    }
}
