//! Guesses the language of a text: what rules ask for, and in which of a template's languages its writer is answered.
//!
//! By words that every text of a language has and its neighbours have not, and by letters that only it has. Words
//! are compared without accents, because many Czechs, Slovaks and Poles write without them; letters decide where they
//! are there. A short or mixed text has no language: guessing wrong is worse than falling back to what is known of
//! the writer.
//!
//! Decided against a crate: those that know Slovak weigh trigrams over seventy languages and are wrong on the three
//! lines of a mail; those that are good on short texts do not know Slovak.

use crate::Letter;
use crate::fold::fold;
use crate::quote::reply_text;

/// The beginning of a text that is looked at, in bytes.
const LOOKED_AT: usize = 8 << 10;
/// The beginning of a letter's text in which its writer's own words are looked for, in bytes.
const SEARCHED: usize = 256 << 10;
/// So many signs make a language.
const ENOUGH: u32 = 3;

/// A language's signs: words, folded, and letters that its neighbours do not have.
struct Signs {
    language: &'static str,
    words: &'static [&'static str],
    letters: &'static [char],
}

#[rustfmt::skip]
const SIGNS: &[Signs] = &[
    Signs {
        language: "cs",
        words: &[
            "jsem", "jsme", "jste", "jsou", "ktery", "ktera", "ktere", "proc", "prosim", "dekuji", "dekujeme", "pozdravem",
            "dobry", "vam", "vas", "nas", "uz", "jeste", "protoze", "nebo", "pri", "pouze", "muze", "muzete", "mohl", "bych",
            "byl", "bylo", "zadost", "potrebuji", "chtel", "chtela", "objednavka", "objednavku", "faktura", "fakturu",
            "mame", "nam", "dotaz", "ze", "kdy", "jak", "aby", "neni", "ani", "take", "zda", "zitra", "dnes", "vubec",
        ],
        letters: &['ř', 'ě', 'ů'],
    },
    Signs {
        language: "sk",
        words: &[
            "som", "sme", "ste", "su", "ktory", "ktora", "ktore", "preco", "prosim", "dakujem", "dakujeme", "pozdravom",
            "dobry", "vam", "vas", "nas", "uz", "este", "pretoze", "alebo", "pri", "iba", "moze", "mozete", "mohol", "by",
            "bol", "bolo", "ziadost", "potrebujem", "chcel", "chcela", "objednavka", "objednavku", "faktura", "fakturu",
            "mame", "nam", "otazka", "ze", "kedy", "ako", "aby", "nie", "ani", "tiez", "ci", "zajtra", "dnes", "vobec",
        ],
        letters: &['ľ', 'ĺ', 'ŕ', 'ô'],
    },
    Signs {
        language: "pl",
        words: &[
            "jestem", "jest", "sa", "ktory", "ktora", "ktore", "dlaczego", "prosze", "dziekuje", "dziekujemy", "pozdrawiam",
            "dzien", "panstwa", "pan", "pani", "juz", "jeszcze", "poniewaz", "lub", "przy", "tylko", "moze", "moge", "czy",
            "byl", "bylo", "prosba", "potrzebuje", "chcialbym", "chcialabym", "zamowienie", "zamowienia", "faktura", "fakture",
            "mamy", "nam", "pytanie", "ze", "kiedy", "jak", "aby", "nie", "ani", "takze", "jutro", "dzisiaj", "sie", "od", "dla",
        ],
        letters: &['ł', 'ą', 'ę', 'ż', 'ś', 'ć', 'ń', 'ź'],
    },
    Signs {
        language: "de",
        words: &[
            "ich", "bin", "ist", "sind", "wir", "sie", "nicht", "und", "oder", "bitte", "danke", "dank", "vielen", "grussen",
            "gruße", "grusse", "freundlichen", "guten", "tag", "sehr", "geehrte", "damen", "herren", "der", "die", "das", "den",
            "dem", "ein", "eine", "einen", "mit", "von", "zu", "auf", "fur", "fuer", "konnen", "koennen", "mochte", "rechnung",
            "bestellung", "frage", "warum", "wann", "wie", "noch", "schon", "auch", "haben", "hat", "ware", "im", "ihnen",
        ],
        letters: &['ß', 'ü'],
    },
    Signs {
        language: "en",
        words: &[
            "i", "am", "is", "are", "we", "you", "not", "and", "or", "please", "thank", "thanks", "many", "regards", "kind",
            "best", "dear", "hello", "hi", "the", "a", "an", "with", "of", "to", "on", "for", "can", "could", "would", "like",
            "invoice", "order", "question", "why", "when", "how", "still", "already", "also", "have", "has", "your", "our", "it",
            "this", "that", "from", "been", "was", "were", "will",
        ],
        letters: &[],
    },
];

/// The language of what a letter's writer wrote: [`guess`] without what is quoted or signed.
pub fn of_letter(letter: &Letter) -> Option<&'static str> {
    guess(&reply_text(beginning(&letter.text, SEARCHED)))
}

/// The language of a text as an ISO 639-1 code: cs, sk, pl, de or en; `None` where it is too short or too mixed.
pub fn guess(text: &str) -> Option<&'static str> {
    let text = beginning(text, LOOKED_AT).to_lowercase();
    let folded = fold(&text);
    let words: Vec<&str> =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let score = |signs: &Signs| {
        let words = words.iter().filter(|word| signs.words.contains(word)).count();
        let letters = text.chars().filter(|c| signs.letters.contains(c)).count();
        u32::try_from(words + letters).unwrap_or(u32::MAX)
    };
    let mut scores: Vec<(u32, &'static str)> =
        SIGNS.iter().map(|signs| (score(signs), signs.language)).collect();
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let [(best, language), (second, _), ..] = scores[..] else { return None };
    // Neighbours share words: a fifth more is a difference.
    (best >= ENOUGH && best * 5 >= second * 6).then_some(language)
}

/// The languages of a country, by the last label of a domain in it.
pub fn of_domain(domain: &str) -> Option<&'static str> {
    Some(match domain.rsplit('.').next()?.to_ascii_lowercase().as_str() {
        "cz" => "cs",
        "sk" => "sk",
        "pl" => "pl",
        "de" | "at" => "de",
        "uk" | "us" | "ie" | "au" | "nz" => "en",
        _ => return None,
    })
}

fn beginning(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::{guess, of_domain, of_letter};
    use crate::Letter;

    #[test]
    fn d3_the_language_of_a_mail_is_told_from_its_neighbours_with_and_without_accents() {
        for (text, language) in [
            ("Dobrý den, potřebuji fakturu za říjen. Děkuji, s pozdravem Jana", Some("cs")),
            ("Dobry den, prosim o zaslani faktury, jeste jsem ji nedostala. Dekuji", Some("cs")),
            ("Dobrý deň, potrebujem faktúru za október. Ďakujem, s pozdravom Jana", Some("sk")),
            ("Dobry den, prosim o zaslanie faktury, este som ju nedostala. Dakujem", Some("sk")),
            ("Dzień dobry, proszę o fakturę za październik. Dziękuję, pozdrawiam Anna", Some("pl")),
            ("Dzien dobry, prosze o fakture, jeszcze jej nie mam. Dziekuje, pozdrawiam", Some("pl")),
            (
                "Guten Tag, ich möchte die Rechnung für Oktober. Vielen Dank, mit freundlichen Grüßen",
                Some("de"),
            ),
            ("Hello, could you please send me the invoice for October? Thanks, Ann", Some("en")),
            ("", None),
            ("OK", None),
            ("12345 67890 -- ++", None),
            ("Ann Example, +420 123 456 789", None),
        ] {
            assert_eq!(guess(text), language, "{text}");
        }
    }

    #[test]
    fn d3_a_text_in_two_languages_is_none_of_them() {
        let text = "Hello, could you please help? Dobrý den, prosím, děkuji";
        assert_eq!(guess(text), None);
        let long = "řě".repeat(100_000);
        assert_eq!(guess(&long), Some("cs"));
    }

    #[test]
    fn c6_the_language_of_a_letter_is_that_of_its_own_words() {
        let text = "Dobrý den,\nještě jsem zboží nedostala. Můžete mi pomoci?\n\n\
                    On Monday Ann wrote:\n> Hello, thank you for your order, it is on the way to you.\n";
        assert_eq!(of_letter(&Letter { text: text.to_owned(), ..Letter::default() }), Some("cs"));
        assert_eq!(of_letter(&Letter::default()), None);
    }

    #[test]
    fn d3_a_domain_tells_the_language_of_its_country() {
        let of = ["firma.cz", "a.sk", "b.PL", "c.de", "d.co.uk", "e.com", ""].map(of_domain);
        assert_eq!(of, [Some("cs"), Some("sk"), Some("pl"), Some("de"), Some("en"), None, None]);
    }
}
