//! Folded text as search words: one way of taking text apart for both engines.
//!
//! A word is a run of letters and digits. Words that carry a meaning of their own (the writer's, a
//! recipient's, a label) begin with a character of the private use area. Text never
//! yields such a word, for it is no letter, and both engines take it for part of one (FTS5's
//! unicode61 by category Co, a tsvector because it is quoted). So `from:ann` is the plain word
//! `ann` with a prefix: an index look-up, and nobody can search for a label by typing it.

use std::fmt::Write;

/// Longer words are cut, in the index as in the query: what is longer is base64, not language.
const MAX_WORD_CHARS: usize = 64;
/// Bytes of folded text per message. A tsvector ends at 1 MiB; words with their positions take at
/// most twice the text.
const MAX_TEXT_BYTES: usize = 400_000;
/// Space between two fields, so that no phrase reaches across.
const GAP: usize = 8;
/// PostgreSQL counts no further; words behind it are found, phrases there are not.
const MAX_POSITION: usize = 16_383;
/// PostgreSQL keeps no more positions of one word.
const MAX_POSITIONS_PER_WORD: usize = 255;

/// The meaning a word can have beside that of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Text.
    None,
    /// Name or address of a writer.
    From,
    /// Name or address of a recipient.
    To,
    /// A label.
    Label,
}

/// Carried by every message, so that a query of nothing but exclusions has something to exclude from.
pub(super) const EVERY: &str = "every";
/// Carried by messages with attachments.
pub(super) const HAS_ATTACHMENT: &str = "hasattachment";

/// The words of folded `text`.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    runs.map(|word| word.char_indices().nth(MAX_WORD_CHARS).map_or(word, |(end, _)| &word[..end]))
}

/// `word` with its mark in front.
pub(super) fn marked(mark: Mark, word: &str) -> String {
    match mark {
        Mark::None => word.to_owned(),
        Mark::From => format!("\u{E000}{word}"),
        Mark::To => format!("\u{E001}{word}"),
        Mark::Label => format!("\u{E002}{word}"),
    }
}

/// The words of one message, by column.
pub(super) struct Columns {
    /// Subject.
    pub subject: Vec<String>,
    /// Writers and recipients, plain and then once more marked.
    pub people: Vec<String>,
    /// What was written.
    pub body: Vec<String>,
    /// Labels, marked.
    pub acl: Vec<String>,
}

impl Columns {
    /// Takes a row's texts apart.
    pub(super) fn of(row: &super::IndexRow) -> Columns {
        let mut room = MAX_TEXT_BYTES;
        let mut take = |text: &str, mark: Mark| -> Vec<String> {
            let fits = words(text).take_while(|word| match room.checked_sub(word.len() + 1) {
                Some(left) => {
                    room = left;
                    true
                }
                None => false,
            });
            fits.map(|word| marked(mark, word)).collect()
        };
        let mut acl = vec![marked(Mark::Label, EVERY)];
        if row.has_attachment {
            acl.push(marked(Mark::Label, HAS_ATTACHMENT));
        }
        let subject = take(&row.subject, Mark::None);
        let mut people = take(&row.from, Mark::None);
        people.extend(take(&row.to, Mark::None));
        people.extend(take(&row.from, Mark::From));
        people.extend(take(&row.to, Mark::To));
        Columns { subject, people, body: take(&row.body, Mark::None), acl }
    }

    /// The literal of a tsvector: subject weighs A, people B, body C, labels D.
    pub(super) fn tsvector(&self) -> String {
        let mut places: std::collections::BTreeMap<&str, Vec<(usize, char)>> = Default::default();
        let mut position = 1;
        for (column, weight) in
            [(&self.acl, 'D'), (&self.subject, 'A'), (&self.people, 'B'), (&self.body, 'C')]
        {
            for word in column {
                let of_word = places.entry(word).or_default();
                if of_word.len() < MAX_POSITIONS_PER_WORD {
                    of_word.push((position.min(MAX_POSITION), weight));
                }
                position += 1;
            }
            position += GAP;
        }
        let mut out = String::new();
        for (word, of_word) in places {
            write!(out, "'{word}':").expect("writing to a String cannot fail");
            for (at, (position, weight)) in of_word.into_iter().enumerate() {
                let comma = if at == 0 { "" } else { "," };
                write!(out, "{comma}{position}{weight}").expect("writing to a String cannot fail");
            }
            out.push(' ');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::IndexRow;
    use super::*;

    fn row() -> IndexRow {
        IndexRow {
            message_id: model::MessageId(7),
            subject: "faktura 12/2026".into(),
            from: "ann novak ann@acme.example".into(),
            to: "ben".into(),
            body: "ann's faktura".into(),
            has_attachment: true,
        }
    }

    #[test]
    fn text_yields_runs_of_letters_and_digits() {
        let found: Vec<&str> = words("zl'c, 12/2026 a@b.example \u{E002}m1 \u{17c}").collect();
        assert_eq!(found, ["zl", "c", "12", "2026", "a", "b", "example", "m1", "\u{17c}"]);
        assert_eq!(words(&"x".repeat(1000)).map(str::len).collect::<Vec<_>>(), [64]);
    }

    #[test]
    fn a_tsvector_keeps_positions_and_weights() {
        let text = Columns::of(&row()).tsvector();
        assert!(text.contains("'faktura':11A,44C"), "{text}");
        assert!(text.contains("'\u{E000}novak':"), "{text}");
        assert!(text.contains("'\u{E002}hasattachment':2D "), "{text}");
        assert!(text.contains("'\u{E002}every':1D "), "{text}");
    }

    #[test]
    fn a_huge_body_is_cut_before_the_databases_refuse_it() {
        let mut huge = row();
        huge.body = (0..300_000).map(|n| format!("w{n} ")).collect();
        let text = Columns::of(&huge).tsvector();
        assert!(text.len() < 1_000_000, "{}", text.len());
        let body = Columns::of(&huge).body;
        assert!(body.len() > 10_000 && body.iter().map(|w| w.len() + 1).sum::<usize>() <= MAX_TEXT_BYTES);
    }
}
