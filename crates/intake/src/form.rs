//! What somebody entered into a web form, read from the mail that the form sent (C4).
//!
//! Such mails are lines of label and value, in as many shapes as there are web sites: `Name: Ann`,
//! `E-mail = ann@x.example`, a label on its own line with the value below, cells of a table (which the
//! text of HTML divides by a tab). All of them are understood at once; which labels count says the
//! mapping. Labels are compared folded: case, accents and the marks around them do not matter.

use mail::fold::fold;
use mail::{Address, Letter};
use model::FormMapping;
use std::collections::HashSet;

/// What was entered. Empty where the mail does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The person's name.
    pub name: String,
    /// Their mail address, lower case.
    pub address: String,
    /// Their company.
    pub account: String,
    /// Fields by what they are called in the record; only those with a value.
    pub fields: Vec<(String, String)>,
}

/// Lines that are looked through. A form's mail has tens.
const MOST_LINES: usize = 5000;
/// Longest value of a field, in bytes.
const LONGEST_FIELD: usize = 20_000;
/// Longest name, in characters.
const LONGEST_NAME: usize = 200;
/// A label of more characters or words is a sentence.
const LONGEST_LABEL: usize = 40;
const MOST_LABEL_WORDS: usize = 6;

/// Reads a web form's mail.
pub fn read(letter: &Letter, mapping: &FormMapping) -> Form {
    let form = read_text(letter, &letter.text, mapping);
    // Some forms send a plain part that only says "see the HTML".
    match &letter.html {
        Some(html) if form.address.is_empty() || form.name.is_empty() => {
            fuller(form, read_text(letter, &mail::html::to_text(html), mapping))
        }
        _ => form,
    }
}

/// Whichever reading found more.
fn fuller(plain: Form, html: Form) -> Form {
    let found = |form: &Form| {
        let parts = [&form.name, &form.address, &form.account];
        parts.iter().filter(|part| !part.is_empty()).count() + form.fields.len()
    };
    if found(&html) > found(&plain) { html } else { plain }
}

fn read_text(letter: &Letter, text: &str, mapping: &FormMapping) -> Form {
    let source = Source {
        letter,
        lines: text.lines().take(MOST_LINES).map(Line::of).collect(),
        labels: labels(mapping),
    };
    let names = mapping.name.iter().map(|place| first_line(&source.value(place, Wanted::Name)).to_owned());
    let name = names.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let fields = mapping
        .fields
        .iter()
        .map(|(called, place)| (called.clone(), cut(source.value(place, Wanted::Text), LONGEST_FIELD)));
    Form {
        name: name.chars().take(LONGEST_NAME).collect(),
        address: address_in(&source.value(&mapping.address, Wanted::Address)).unwrap_or_default(),
        account: first_line(&source.value(&mapping.account, Wanted::Name))
            .chars()
            .take(LONGEST_NAME)
            .collect(),
        fields: fields.filter(|(_, value)| !value.is_empty()).collect(),
    }
}

/// Every label of a mapping, folded: where one of them stands, the value before it has ended.
fn labels(mapping: &FormMapping) -> HashSet<String> {
    let fields = mapping.fields.iter().map(|(_, place)| place);
    let all = mapping.name.iter().chain([&mapping.address, &mapping.account]).chain(fields);
    all.filter(|place| !place.starts_with('@')).map(|place| plain(place)).filter(|l| !l.is_empty()).collect()
}

/// Which part of a person in the header is wanted.
#[derive(Clone, Copy)]
enum Wanted {
    Name,
    Address,
    Text,
}

struct Source<'a> {
    letter: &'a Letter,
    lines: Vec<Line<'a>>,
    labels: HashSet<String>,
}

/// A line, and what of it may be a label.
struct Line<'a> {
    text: &'a str,
    /// Folded text before the separator, and what is behind it.
    pair: Option<(String, &'a str)>,
    /// The whole line, folded without marks.
    whole: String,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Line<'a> {
        let text = text.trim();
        let pair = text.char_indices().find(|(_, c)| matches!(c, ':' | '：' | '=' | '\t')).map(|(at, c)| {
            (plain(&text[..at]), text[at + c.len_utf8()..].trim_start_matches([':', '=', '\t', ' ']))
        });
        Line { text, pair, whole: plain(text) }
    }

    /// Whether it looks as if it began another value, mapped or not.
    fn is_label(&self, known: &HashSet<String>) -> bool {
        if known.contains(&self.whole) {
            return true;
        }
        let Some((label, _)) = &self.pair else { return false };
        let letters = label.chars().any(char::is_alphabetic);
        let short = label.chars().count() <= LONGEST_LABEL && label.split(' ').count() <= MOST_LABEL_WORDS;
        letters && short && !label.contains(['.', ',', '!', '?', '(']) && !label.starts_with("http")
    }
}

/// Folded, without the marks that lists and emphasis put around a label.
fn plain(text: &str) -> String {
    fold(text.trim_matches(|c: char| c.is_whitespace() || "*_•·-–>#|:：=\"'[]".contains(c))).trim().to_owned()
}

impl Source<'_> {
    /// The value at a place: a word with `@` of the header, else a label.
    fn value(&self, place: &str, wanted: Wanted) -> String {
        match place {
            "" => String::new(),
            "@from" => person(self.letter.from.first(), wanted),
            "@reply_to" => person(self.letter.reply_to.first(), wanted),
            "@subject" => self.letter.subject.trim().to_owned(),
            "@body" => mail::quote::reply_text(&self.letter.text).trim().to_owned(),
            label => self.labelled(&plain(label)),
        }
    }

    /// Behind the label's separator, else below it; the first place that says something.
    fn labelled(&self, label: &str) -> String {
        for (at, line) in self.lines.iter().enumerate() {
            let value = match &line.pair {
                Some((own, beside)) if own == label => match beside.trim() {
                    "" => self.below(at),
                    beside => self.beside(at, beside),
                },
                None if line.whole == label => self.below(at),
                _ => continue,
            };
            if !value.is_empty() {
                return value;
            }
        }
        String::new()
    }

    /// A value that begins beside its label goes on to the end of its paragraph.
    fn beside(&self, at: usize, first: &str) -> String {
        let more =
            self.lines[at + 1..].iter().take_while(|line| !line.text.is_empty() && !self.ends_at(line));
        let lines: Vec<&str> = std::iter::once(first).chain(more.map(|line| line.text)).collect();
        unmarked(&lines.join("\n"))
    }

    /// A value below its label may have several paragraphs: up to the next label.
    fn below(&self, at: usize) -> String {
        let lines = self.lines[at + 1..].iter().take_while(|line| !self.ends_at(line));
        let lines: Vec<&str> = lines.map(|line| line.text).collect();
        unmarked(lines.join("\n").trim())
    }

    fn ends_at(&self, line: &Line) -> bool {
        line.text == "--" || line.is_label(&self.labels)
    }
}

/// Without the stars that the text of HTML or Markdown puts around bold type.
fn unmarked(text: &str) -> String {
    text.trim().trim_matches('*').trim().to_owned()
}

fn person(person: Option<&Address>, wanted: Wanted) -> String {
    let Some(person) = person else { return String::new() };
    let name = person.name.clone().unwrap_or_default();
    match wanted {
        Wanted::Name => name,
        Wanted::Address => person.address.clone(),
        Wanted::Text if name.is_empty() => person.address.clone(),
        Wanted::Text => format!("{name} <{}>", person.address),
    }
}

/// The first mail address in a text, lower case.
fn address_in(text: &str) -> Option<String> {
    let word = |c: char| c.is_whitespace() || "<>()[]{}\"',;|".contains(c);
    let words = text.split(word).map(|word| {
        let word = word.trim_end_matches(['.', ':', '!', '?']);
        word.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:")).map_or(word, |_| &word[7..])
    });
    let fits = |word: &&str| {
        word.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && word.len() <= 320
        })
    };
    words.into_iter().find(fits).map(str::to_lowercase)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("").trim()
}

fn cut(mut text: String, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests;
