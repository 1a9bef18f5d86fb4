//! Numbers of cases that stand in a subject or a text: "#123", "[case 123]", "č. 123", "sprawa nr 123".
//!
//! Anybody can write any number, and invoices have numbers too: what is found here is looked up among the cases there
//! are, and suggested, never linked.

use mail::Letter;

/// Numbers looked up of one letter.
const MOST: usize = 5;
/// Digits of a number that may be a case's.
const MOST_DIGITS: usize = 9;
/// Bytes of the text that are looked through: who names a case does so at the beginning.
const TEXT_BYTES: usize = 16 << 10;

/// Words that a case's number stands behind: English, Czech, Slovak, Polish, German; without accents.
const WORDS: &[&str] = &[
    "case",
    "caseid",
    "ticket",
    "request",
    "no",
    "id",
    "number",
    "pripad",
    "pripadu",
    "pripadom",
    "c",
    "cislo",
    "cislom",
    "tiket",
    "tiketu",
    "pozadavek",
    "pozadavku",
    "poziadavka",
    "poziadavky",
    "nr",
    "numer",
    "numerze",
    "sprawa",
    "sprawy",
    "sprawie",
    "zgloszenie",
    "zgloszenia",
    "zgloszeniu",
    "fall",
    "vorgang",
    "ticketnummer",
    "fallnummer",
    "vorgangsnummer",
    "nummer",
];

/// The numbers, those of the subject first, each once.
pub fn numbers(letter: &Letter) -> Vec<i64> {
    let text = &letter.text[..letter.text.floor_char_boundary(TEXT_BYTES)];
    let mut found = Vec::new();
    for text in [letter.subject.as_str(), text] {
        for number in numbers_in(text) {
            if !found.contains(&number) && found.len() < MOST {
                found.push(number);
            }
        }
    }
    found
}

fn numbers_in(text: &str) -> impl Iterator<Item = i64> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(start) = text[at..].find(|c: char| c.is_ascii_digit()).map(|found| at + found) {
            let rest = &text[start..];
            let end = start + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            at = end;
            let is_whole = end - start <= MOST_DIGITS && ends(&text[end..]);
            if is_whole && is_announced(&text[..start]) {
                return text[start..end].parse().ok();
            }
        }
        None
    })
}

/// Whether a number ends here: not in the middle of a date, an amount or a word.
fn ends(rest: &str) -> bool {
    let mut next = rest.chars();
    match next.next() {
        Some('.' | ',' | '-' | '/' | ':') => next.next().is_none_or(|c| !c.is_ascii_digit()),
        Some(c) => !c.is_alphanumeric() && c != '_' && c != '%',
        None => true,
    }
}

/// Whether a sign or a word right before says that a number of a case follows.
fn is_announced(before: &str) -> bool {
    let apart = before.trim_end_matches([' ', '\u{a0}', ':', '.']);
    if let Some(before) = apart.strip_suffix('#') {
        return before
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '&' | '#' | '/'));
    }
    let begin = apart.len().saturating_sub(LONGEST_WORD);
    let tail = &apart[apart.ceil_char_boundary(begin)..];
    let word = tail.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    apart.len() < before.len() && WORDS.contains(&mail::fold::fold(word).as_str())
}

/// Bytes looked back for a word.
const LONGEST_WORD: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<i64> {
        numbers_in(text).collect()
    }

    #[test]
    fn b3_a_case_is_named_in_many_ways() {
        for text in [
            "#123",
            "Re: [#123] Order",
            "[case 123]",
            "Case 123",
            "CASE #123:",
            "case no. 123",
            "č. 123",
            "č.123",
            "nr 123",
            "Nr. 123",
            "číslo případu 123",
            "případ č. 123",
            "prípad 123",
            "sprawa nr 123",
            "zgłoszenie 123",
            "numer sprawy: 123",
            "Fall 123",
            "Ticketnummer: 123",
            "(ticket 123)",
            "see #123.",
        ] {
            assert_eq!(found(text), [123], "{text}");
        }
    }

    #[test]
    fn b3_other_numbers_are_no_cases() {
        for text in [
            "123",
            "123 pieces",
            "on 12.3.2026",
            "č. 12/2026",
            "#123abc",
            "&#123;",
            "page#123",
            "č. 1234567890",
            "5 %",
            "case A123",
            "č. 1.250,00",
            "nr 12-345",
            "https://a.example/#/123",
            "case123",
        ] {
            assert_eq!(found(text), [0_i64; 0], "{text}");
        }
    }

    #[test]
    fn b3_the_first_ones_count_each_once() {
        let letter = mail::parse::parse(b"Subject: #7 #8\r\n\r\n#8 #9 #10 #11 #12 #13");
        assert_eq!(numbers(&letter), [7, 8, 9, 10, 11]);
    }
}
