//! What surrounds a text in each language: greetings, closings, and how programs quote.

use super::company::{Language, Mailbox};
use super::random::Random;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// How a program quotes what it replies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// A line that names the writer, then the text behind `>`.
    Marked,
    /// A block of headers, then the text as it was.
    Block,
}

/// How somebody outside addresses a mailbox.
pub fn greeting_to(mailbox: Mailbox, language: Language) -> &'static str {
    match (mailbox, language) {
        (Mailbox::Ben, Language::Czech) => "Ahoj Bene,",
        (Mailbox::Ben, Language::Slovak) => "Ahoj Ben,",
        (Mailbox::Ben, Language::Polish) => "Cześć Ben,",
        (Mailbox::Ben, Language::English) => "Hi Ben,",
        (Mailbox::Carla, Language::Czech) => "Dobrý den, Carlo,",
        (Mailbox::Carla, Language::Slovak) => "Dobrý deň, Carla,",
        (Mailbox::Carla, Language::Polish) => "Dzień dobry, Pani Carlo,",
        (Mailbox::Carla, Language::English) => "Hello Carla,",
        _ => greeting(language),
    }
}

/// How one addresses anybody.
pub fn greeting(language: Language) -> &'static str {
    match language {
        Language::Czech => "Dobrý den,",
        Language::Slovak => "Dobrý deň,",
        Language::Polish => "Dzień dobry,",
        Language::English => "Hello,",
    }
}

/// How one ends.
pub fn closing(language: Language, random: &mut Random) -> &'static str {
    match language {
        Language::Czech => random.one_of(&["S pozdravem", "Děkuji a přeji hezký den", "Hezký den"]),
        Language::Slovak => random.one_of(&["S pozdravom", "Ďakujem a prajem pekný deň", "Pekný deň"]),
        Language::Polish => random.one_of(&["Z poważaniem", "Pozdrawiam", "Z pozdrowieniami"]),
        Language::English => random.one_of(&["Best regards", "Kind regards", "Many thanks"]),
    }
}

/// A weekday that can stand after the preposition the scripts put before it.
pub fn weekday(language: Language, random: &mut Random) -> &'static str {
    match language {
        Language::Czech => random.one_of(&["pondělí", "úterý", "pátek"]),
        Language::Slovak => random.one_of(&["pondelok", "utorok", "piatok"]),
        Language::Polish => random.one_of(&["poniedziałek", "środę", "piątek"]),
        Language::English => random.one_of(&["Monday", "Wednesday", "Thursday", "Friday"]),
    }
}

/// The mark before a reply's subject.
pub fn reply_mark(language: Language, quoting: Quoting) -> &'static str {
    match (language, quoting) {
        (Language::Polish, Quoting::Block) => "Odp: ",
        (_, Quoting::Block) => "RE: ",
        _ => "Re: ",
    }
}

/// The line that names the writer of what is quoted.
pub fn attribution(language: Language, at: Timestamp, name: &str, address: &str) -> String {
    match language {
        Language::Czech => {
            format!("Dne {} v {} {name} napsal(a):", local(at, "%-d. %-m. %Y"), local(at, "%-H:%M"))
        }
        Language::Slovak => {
            format!("Dňa {} o {} {name} napísal(a):", local(at, "%-d. %-m. %Y"), local(at, "%-H:%M"))
        }
        Language::Polish => {
            format!("W dniu {} o {}, {name} pisze:", local(at, "%-d.%m.%Y"), local(at, "%H:%M"))
        }
        Language::English => {
            format!("On {} at {}, {name} <{address}> wrote:", local(at, "%-d %b %Y"), local(at, "%H:%M"))
        }
    }
}

/// The lines of the block of headers over what is quoted, as names and values.
pub fn block(
    language: Language,
    at: Timestamp,
    from: &str,
    to: &str,
    subject: &str,
) -> [(&'static str, String); 4] {
    let [from_is, sent_is, to_is, subject_is] = match language {
        Language::Czech => ["Od", "Odesláno", "Komu", "Předmět"],
        Language::Slovak => ["Od", "Odoslané", "Komu", "Predmet"],
        Language::Polish => ["Od", "Wysłano", "Do", "Temat"],
        Language::English => ["From", "Sent", "To", "Subject"],
    };
    let sent = match language {
        Language::English => local(at, "%A, %B %-d, %Y %-I:%M %p"),
        _ => local(at, "%-d. %-m. %Y %-H:%M"),
    };
    [(from_is, from.into()), (sent_is, sent), (to_is, to.into()), (subject_is, subject.into())]
}

/// The line over such a block.
pub fn block_line(language: Language) -> &'static str {
    match language {
        Language::Czech => "-----Původní zpráva-----",
        Language::Slovak => "-----Pôvodná správa-----",
        Language::Polish => "-----Oryginalna wiadomość-----",
        Language::English => "-----Original Message-----",
    }
}

fn local(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::fixed(Offset::constant(1))).strftime(format).to_string()
}
