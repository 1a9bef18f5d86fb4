//! What kind of mail a letter is, in one word; and its language.

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

/// Words that are frequent in one of the languages and rare in the others, folded.
const FREQUENT: [(&str, &[&str]); 5] = [
    (
        "cs",
        &[
            "jsem",
            "jsme",
            "prosím",
            "dobrý",
            "děkuji",
            "děkujeme",
            "nebo",
            "který",
            "která",
            "které",
            "není",
            "jsou",
            "bych",
            "můžete",
            "pozdravem",
            "objednávka",
            "ještě",
            "při",
        ],
    ),
    (
        "sk",
        &[
            "som",
            "sme",
            "prosím",
            "dobrý",
            "ďakujem",
            "ďakujeme",
            "alebo",
            "ktorý",
            "ktorá",
            "ktoré",
            "nie",
            "sú",
            "môžete",
            "pozdravom",
            "objednávka",
            "ešte",
            "pri",
            "tiež",
        ],
    ),
    (
        "pl",
        &[
            "jest",
            "proszę",
            "dzień",
            "dziękuję",
            "lub",
            "który",
            "która",
            "które",
            "nie",
            "są",
            "czy",
            "się",
            "pozdrawiam",
            "zamówienie",
            "państwa",
            "jak",
            "dla",
            "przy",
        ],
    ),
    (
        "de",
        &[
            "ich",
            "wir",
            "bitte",
            "guten",
            "danke",
            "oder",
            "und",
            "nicht",
            "ist",
            "sind",
            "der",
            "die",
            "das",
            "mit",
            "grüßen",
            "bestellung",
            "eine",
            "für",
        ],
    ),
    (
        "en",
        &[
            "the", "and", "please", "hello", "thank", "thanks", "you", "or", "not", "is", "are", "with",
            "regards", "order", "have", "this", "for", "your",
        ],
    ),
];
/// Words of a text that are looked at.
const MOST_WORDS: usize = 400;
/// Fewer frequent words than this say nothing.
const FEWEST: usize = 2;

/// The language a letter is written in, as a word of RFC 5646: cs, sk, pl, de, en. "" if it cannot be told:
/// by frequent words of what its writer wrote, the language with most; of two with as many, none.
pub fn language(letter: &Letter) -> &'static str {
    let own = crate::quote::reply_text(&letter.text);
    let lower = format!("{} {}", letter.subject, own).to_lowercase();
    let mut counts = [0_usize; FREQUENT.len()];
    for word in lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).take(MOST_WORDS) {
        for (count, (_, frequent)) in counts.iter_mut().zip(FREQUENT) {
            *count += usize::from(frequent.contains(&word));
        }
    }
    let most = counts.into_iter().max().unwrap_or(0);
    let mut best = FREQUENT.iter().zip(counts).filter(|(_, count)| *count == most);
    match (best.next(), best.next()) {
        (Some(((language, _), _)), None) if most >= FEWEST => language,
        _ => "",
    }
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

    #[test]
    fn c6_the_language_of_a_letter_is_told_by_its_frequent_words() {
        let language_of = |text: &str| language(&Letter { text: text.to_owned(), ..Letter::default() });
        assert_eq!(language_of("Dobrý den,\nještě jsem nedostala zboží. Můžete mi pomoci? Děkuji"), "cs");
        assert_eq!(language_of("Dobrý deň,\nešte som nedostala tovar. Môžete mi pomôcť? Ďakujem"), "sk");
        assert_eq!(language_of("Dzień dobry,\nczy zamówienie jest już wysłane? Pozdrawiam"), "pl");
        assert_eq!(
            language_of("Guten Tag,\nwir haben die Bestellung nicht bekommen. Mit freundlichen Grüßen"),
            "de"
        );
        assert_eq!(language_of("Hello,\nplease tell me where the order is. Regards"), "en");
        assert_eq!(language_of("12345"), "");
    }
}
