//! What kind of mail a letter is, in one word.

use crate::autoreply;
use crate::bounce::Bounce;
use crate::letter::Letter;

model::words! {
    /// What kind of mail it is: the first of these that is true, but for a person's, which is none of them.
    Nature {
        /// Says that another message could not be delivered.
        Bounce = "bounce",
        /// Feedback or delivery report, for machines or administrators (RFC 6522).
        Report = "report",
        /// A machine's answer (RFC 3834).
        AutoReply = "auto_reply",
        /// Invites to a meeting, changes it, or answers (RFC 5546).
        Invitation = "invitation",
        /// Came through a mailing list, or goes to many alike.
        List = "list",
        /// As a person writes it.
        Person = "person",
    }
}

impl Nature {
    /// All words.
    pub const WORDS: &'static [&'static str] =
        &["bounce", "report", "auto_reply", "invitation", "list", "person"];
}

/// What kind of mail it is, and as what bounce it was recognised.
pub fn nature(letter: &Letter, bounce: Option<&Bounce>) -> Nature {
    match () {
        () if bounce.is_some() => Nature::Bounce,
        () if letter.content_type == "multipart/report" => Nature::Report,
        () if autoreply::reason(letter).is_some() => Nature::AutoReply,
        () if letter.leaves.iter().any(|leaf| leaf.content_type == "text/calendar") => Nature::Invitation,
        () if is_to_many(letter) => Nature::List,
        () => Nature::Person,
    }
}

fn is_to_many(letter: &Letter) -> bool {
    letter.list_id.is_some()
        || letter.headers.has("List-Unsubscribe")
        || matches!(letter.precedence.as_deref(), Some("bulk" | "list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nature_of(header: &str) -> Nature {
        let raw =
            format!("From: Ann <ann@firm.example>\r\nSubject: Hello\r\n{header}\r\nText.\r\n").into_bytes();
        let letter = crate::parse::parse(&raw);
        nature(&letter, crate::bounce::recognise(&raw, &letter).as_ref())
    }

    #[test]
    fn c6_the_nature_of_a_letter_is_one_word() {
        assert_eq!(nature_of(""), Nature::Person);
        assert_eq!(nature_of("Auto-Submitted: auto-replied\r\n"), Nature::AutoReply);
        assert_eq!(nature_of("List-Id: News <news.firm.example>\r\n"), Nature::List);
        assert_eq!(nature_of("List-Unsubscribe: <https://firm.example/u>\r\n"), Nature::List);
        assert_eq!(nature_of("Content-Type: text/calendar; method=REQUEST\r\n"), Nature::Invitation);
        let report = "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n";
        assert_eq!(nature_of(report), Nature::Report);
    }

    #[test]
    fn c6_the_words_are_those_of_the_enum() {
        let words: Vec<&str> = Nature::ALL.iter().map(|nature| nature.word()).collect();
        assert_eq!(words, Nature::WORDS);
    }
}
