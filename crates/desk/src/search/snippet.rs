//! The place of a match, cut out of a message's text.

use super::query::Highlight;
use mail::fold::fold;
use std::ops::Range;

/// Length of a snippet in characters.
const LENGTH: usize = 200;
/// Characters in front of the first match.
const LEAD: usize = 60;
/// Characters of a text that are looked through for a match.
const MOST_CHARS: usize = 200_000;
/// Marked ranges of one snippet.
const MOST_RANGES: usize = 32;

/// A piece of text with marked places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// Plain text on one line.
    pub text: String,
    /// What matched, in UTF-16 code units, as JavaScript counts.
    pub ranges: Vec<Range<usize>>,
}

/// The first match in `text` with what stands around it; without one, the message's `beginning`.
pub(super) fn cut(text: &str, beginning: &str, highlights: &[Highlight]) -> Snippet {
    let end = text.char_indices().nth(MOST_CHARS).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    let first = words(text).find(|range| matches(&text[range.clone()], highlights));
    let line = match first {
        Some(first) => one_line(from_lead(text, first.start)),
        None => one_line(beginning),
    };
    let ranges = words(&line).filter(|range| matches(&line[range.clone()], highlights));
    let ranges = ranges.take(MOST_RANGES).map(|range| {
        let start = line[..range.start].encode_utf16().count();
        start..start + line[range].encode_utf16().count()
    });
    Snippet { ranges: ranges.collect(), text: line }
}

/// The text from [`LEAD`] characters in front of `at`, at the beginning of a word.
fn from_lead(text: &str, at: usize) -> &str {
    let back = text[..at].char_indices().rev().nth(LEAD).map_or(0, |(start, _)| start);
    let word = match back {
        0 => 0,
        _ => text[back..at].find(char::is_whitespace).map_or(at, |space| back + space),
    };
    &text[word..]
}

/// White space as single blanks, at most [`LENGTH`] characters, no word cut unless it is the first.
fn one_line(text: &str) -> String {
    let mut out = String::new();
    let mut chars = 0;
    for word in text.split_whitespace() {
        let more = word.chars().count() + usize::from(!out.is_empty());
        if chars + more > LENGTH {
            if out.is_empty() {
                out.extend(word.chars().take(LENGTH));
            }
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        chars += more;
    }
    out
}

/// Runs of letters and digits, with the marks that fold away.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        at = end;
        Some(start..end)
    })
}

fn matches(word: &str, highlights: &[Highlight]) -> bool {
    let folded = fold(word);
    folded.split(' ').any(|part| {
        highlights.iter().any(|wanted| match wanted.prefix {
            true => part.starts_with(&wanted.word),
            false => part == wanted.word,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(word: &str) -> Vec<Highlight> {
        let prefix = word.ends_with('*');
        vec![Highlight { word: word.trim_end_matches('*').to_owned(), prefix }]
    }

    fn show(snippet: &Snippet) -> String {
        let units: Vec<u16> = snippet.text.encode_utf16().collect();
        let mut out = String::new();
        let mut at = 0;
        for range in &snippet.ranges {
            out.push_str(&String::from_utf16(&units[at..range.start]).unwrap());
            out.push_str(&format!("[{}]", String::from_utf16(&units[range.clone()]).unwrap()));
            at = range.end;
        }
        out + &String::from_utf16(&units[at..]).unwrap()
    }

    #[test]
    fn matches_are_marked_whatever_their_accents_and_case() {
        let text = "Dobrý den 😀,\n\n  FAKTÚRA č. 7 a faktúry\nAnn";
        let got = cut(text, "", &marked("fakt*"));
        assert_eq!(show(&got), "Dobrý den 😀, [FAKTÚRA] č. 7 a [faktúry] Ann");
        assert_eq!(show(&cut("fakt\u{75}\u{301}ra", "", &marked("faktura"))), "[fakt\u{75}\u{301}ra]");
    }

    #[test]
    fn a_match_far_down_is_shown_with_what_stands_around_it() {
        let text = format!("{} needle {}", "hay ".repeat(500), "straw ".repeat(500));
        let got = show(&cut(&text, "", &marked("needle")));
        assert!(got.starts_with("hay hay") && got.contains("[needle] straw"), "{got}");
        assert!(got.chars().count() <= LENGTH + 2, "{got}");
    }

    #[test]
    fn without_a_match_in_the_text_the_beginning_is_shown() {
        assert_eq!(show(&cut("text", "Hello  Ann", &marked("ann"))), "Hello [Ann]");
        assert_eq!(cut("", "", &[]), Snippet::default());
    }
}
