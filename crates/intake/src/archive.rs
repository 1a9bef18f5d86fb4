//! What letters of an archive say of each other, beyond the ids they name. For history only, which has no
//! consequences: in mail that arrives a subject joins nothing, whoever wrote it.
//!
//! RFC 5256 ("REFERENCES") threads an archive as a whole. Two of its rules need more than one letter. Links that would
//! make a loop are not made (step 1): of a chain of references that runs through a letter which itself answers, what
//! stands before that letter is not believed. And a reply of which no ancestor is there is gathered by its subject
//! (step 5), here with its own writer's mail alone: two people's mail has nothing in common by a subject.

use mail::Letter;
use std::collections::HashMap;

/// Letters looked at together; a batch of an import has fewer.
const MOST: usize = 1000;

/// For each letter how many of its references, from the oldest on, are not to be believed.
pub fn disbelieved(letters: &[&Letter]) -> Vec<usize> {
    let by_id: HashMap<&str, &Letter> = letters
        .iter()
        .take(MOST)
        .filter_map(|letter| Some((letter.message_id.as_deref()?, *letter)))
        .collect();
    let answers = |letter: &Letter, id: &str| letter.references.iter().any(|named| named == id);
    let one = |letter: &&Letter| {
        let Some(own) = letter.message_id.as_deref() else { return 0 };
        let loops = |named: &String| by_id.get(named.as_str()).is_some_and(|other| answers(other, own));
        letter.references.iter().rposition(loops).unwrap_or(0)
    };
    letters.iter().map(one).collect()
}

/// Whose mail about what: its writer's address (empty without one) and the subject without what replies put before it.
pub fn topic(letter: &Letter) -> (String, String) {
    let writer = letter.from.first().map(mail::Address::key).unwrap_or_default();
    (writer, base(&letter.subject).trim().to_lowercase())
}

/// Whether its subject says that it is a reply, to something.
pub fn is_reply(letter: &Letter) -> bool {
    let base = base(&letter.subject);
    !base.trim().is_empty() && base.len() < letter.subject.trim().len()
}

/// The subject without `Re:` and its like in other languages.
fn base(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((before, after)) = rest.split_once(':') {
        let word = before.split('[').next().unwrap_or_default().trim().to_lowercase();
        if !REPLIES.contains(&word.as_str()) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// What mail programs put before the subject of a reply: English, German, Polish, Czech and Slovak, Scandinavian.
const REPLIES: &[&str] = &["re", "aw", "antw", "odp", "odpověď", "odpoveď", "sv", "vs"];

#[cfg(test)]
mod tests {
    use super::*;
    use mail::parse::parse;

    #[test]
    fn b8_of_a_loop_only_what_stands_behind_it_is_believed() {
        let letter = |id: &str, refs: &str| {
            parse(format!("Message-ID: <{id}>\r\nReferences: {refs}\r\n\r\n").as_bytes())
        };
        let letters = [
            letter("a@x", ""),
            letter("b@x", "<a@x> <c@x>"),
            letter("c@x", "<b@x>"),
            letter("d@x", "<a@x> <b@x>"),
        ];
        assert_eq!(disbelieved(&letters.iter().collect::<Vec<_>>()), [0, 1, 0, 0]);
    }

    #[test]
    fn b8_a_topic_is_one_writers() {
        let letter = |from: &str, subject: &str| {
            parse(format!("From: {from}\r\nSubject: {subject}\r\n\r\n").as_bytes())
        };
        let (one, two) =
            (letter("ann@a.example", "Order: ten"), letter("Ann@a.example", "AW: Re[2]: order: Ten"));
        assert_eq!(topic(&one), topic(&two));
        assert!(is_reply(&two) && !is_reply(&one) && !is_reply(&letter("ann@a.example", "Re: ")));
        assert_ne!(topic(&one), topic(&letter("ben@a.example", "Order: ten")));
    }
}
