//! What is quoted beneath an answer: a line that says who wrote when, and the text behind `>`.
//!
//! The line is one that every reader of replies knows, `mail::quote` among them, so that it is folded again when the
//! answer comes back.

use model::{Person, Time};

/// Most of a quoted text, in bytes: nobody reads more of it, and threads repeat it with each answer.
const MOST_BYTES: usize = 100_000;

/// The text as it is quoted, in the words of this language.
pub(super) fn quoted(language: &str, from: &Person, at: Time, text: &str) -> String {
    let text = text.trim_end();
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let lines = text[..end].lines().map(|line| match line {
        "" => ">\n".to_owned(),
        line if line.starts_with('>') => format!(">{line}\n"),
        line => format!("> {line}\n"),
    });
    std::iter::once(attribution(language, from, at) + "\n").chain(lines).collect()
}

fn attribution(language: &str, from: &Person, at: Time) -> String {
    let day = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
    let (year, month, date) = (day.year(), day.month(), day.day());
    let who = match from.name.is_empty() {
        true => from.address.clone(),
        false => format!("{} <{}>", from.name, from.address),
    };
    match language {
        "cs" => format!("Dne {date}. {month}. {year} {who} napsal(a):"),
        "sk" => format!("Dňa {date}. {month}. {year} {who} napísal(a):"),
        "pl" => format!("W dniu {date}.{month:02}.{year} {who} pisze:"),
        _ => format!("On {year}-{month:02}-{date:02} {who} wrote:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b10_what_is_quoted_is_recognised_as_quoted_again_in_every_language() {
        let from = Person { name: "Ann Example".into(), address: "ann@firma.example".into() };
        for language in ["en", "cs", "sk", "pl", ""] {
            let quoted = quoted(language, &from, Time(1_772_438_400_000_000), "One\n\n> Two\nThree");
            let whole = format!("My answer.\n\n{quoted}");
            assert_eq!(mail::quote::reply_text(&whole), "My answer.", "{whole}");
            assert!(quoted.ends_with("> One\n>\n>> Two\n> Three\n"), "{quoted}");
        }
    }
}
