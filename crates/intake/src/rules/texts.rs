//! What rules look at: the texts of a letter, as written and folded, each made once and only when asked for.
//!
//! People are a line each for name, address, and both, so that a whole name can be asked for as well as a
//! whole address. Folding takes line breaks out of everything else, so lines divide nothing but people,
//! files and repeated header fields.

use super::{About, BODY_BYTES, MOST_SHOWN, cut};
use mail::{Address, Letter, fold::fold_text};
use model::RuleField;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// People of one header field that are looked at.
const MOST_PEOPLE: usize = 200;
/// Values of one header field, or names of files, that are looked at.
const MOST_VALUES: usize = 100;
/// Header fields in which the address stands that a message was delivered to.
const DELIVERED: [&str; 4] = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"];
/// Fields with a text of their own that needs no further name.
pub(super) const FIXED: [RuleField; 8] = [
    RuleField::From,
    RuleField::To,
    RuleField::Cc,
    RuleField::Recipient,
    RuleField::ReplyTo,
    RuleField::Subject,
    RuleField::Body,
    RuleField::Attachment,
];

/// A letter's texts.
pub(super) struct Texts<'a> {
    pub about: &'a About<'a>,
    fixed: [OnceCell<Rc<Text<'a>>>; FIXED.len()],
    headers: RefCell<HashMap<String, Rc<Text<'a>>>>,
    language: OnceCell<&'static str>,
    /// Steps that regular expressions may still take where their automaton does not serve.
    pub steps: Cell<usize>,
}

/// One text of a letter.
pub(super) struct Text<'a> {
    pub raw: Cow<'a, str>,
    folded: OnceCell<String>,
    by_lines: bool,
}

impl<'a> Texts<'a> {
    pub fn new(about: &'a About<'a>) -> Texts<'a> {
        Texts {
            about,
            fixed: Default::default(),
            headers: RefCell::default(),
            language: OnceCell::new(),
            steps: Cell::new(super::pattern::MOST_STEPS),
        }
    }

    /// Its language, "" if that is not known.
    pub fn language(&self) -> &'static str {
        self.language.get_or_init(|| mail::language::of_letter(self.about.letter).unwrap_or_default())
    }

    /// The text of a field; `header` is a header field's name, lower case.
    pub fn text(&self, field: RuleField, header: &str) -> Rc<Text<'a>> {
        match FIXED.iter().position(|fixed| *fixed == field) {
            Some(index) => self.fixed[index].get_or_init(|| Rc::new(of(field, self.about.letter))).clone(),
            None => {
                let mut headers = self.headers.borrow_mut();
                if let Some(known) = headers.get(header) {
                    return known.clone();
                }
                let values =
                    self.about.letter.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(header));
                let text = Rc::new(lines(values.map(|(_, value)| Cow::Borrowed(value))));
                headers.insert(header.to_owned(), text.clone());
                text
            }
        }
    }
}

impl Text<'_> {
    /// As it is compared.
    pub fn folded(&self) -> &str {
        self.folded.get_or_init(|| match self.by_lines {
            false => fold_text(&self.raw),
            true => {
                let lines: Vec<String> = self.raw.lines().map(fold_text).collect();
                lines.join("\n")
            }
        })
    }

    /// Whether there is anything but blanks.
    pub fn is_there(&self) -> bool {
        !self.raw.trim().is_empty()
    }

    /// What stands around the place `at` of the folded text, to be shown: of people and the like the line, of
    /// others that are short all of it as it was written.
    pub fn around(&self, at: usize) -> String {
        let folded = self.folded();
        if self.by_lines {
            let line = folded[..at].matches('\n').count();
            return cut(self.raw.lines().nth(line).unwrap_or_default());
        }
        if self.raw.len() <= MOST_SHOWN {
            return self.raw.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        cut(&folded[before(folded, at)..])
    }

    /// The same of the place where something ends in the text as written.
    pub fn up_to(&self, end: usize) -> String {
        let line = self.raw[..end].rfind('\n').map_or(0, |at| at + 1);
        cut(&self.raw[line.max(before(&self.raw, end))..])
    }
}

/// A little before a place, between characters.
fn before(text: &str, at: usize) -> usize {
    let mut start = at.saturating_sub(40);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    start
}

fn of(field: RuleField, letter: &Letter) -> Text<'_> {
    match field {
        RuleField::From => people(letter.from.iter().chain(&letter.sender)),
        RuleField::To => people(letter.to.iter()),
        RuleField::Cc => people(letter.cc.iter()),
        RuleField::ReplyTo => people(letter.reply_to.iter()),
        RuleField::Recipient => recipients(letter),
        RuleField::Attachment => {
            lines(letter.attachments.iter().filter_map(|file| file.name.as_deref()).map(Cow::Borrowed))
        }
        RuleField::Body => whole(beginning(&letter.text)),
        // The others are no texts, and are not asked for here.
        _ => whole(&letter.subject),
    }
}

fn whole(text: &str) -> Text<'_> {
    Text { raw: Cow::Borrowed(text), folded: OnceCell::new(), by_lines: false }
}

fn lines<'a>(values: impl Iterator<Item = Cow<'a, str>>) -> Text<'a> {
    let mut raw = String::new();
    for value in values.take(MOST_VALUES) {
        if raw.len() + value.len() > BODY_BYTES {
            break;
        }
        raw.push_str(&value);
        raw.push('\n');
    }
    Text { raw: Cow::Owned(raw), folded: OnceCell::new(), by_lines: true }
}

fn people<'a>(people: impl Iterator<Item = &'a Address>) -> Text<'a> {
    let mut raw = String::new();
    people.take(MOST_PEOPLE).for_each(|person| add_person(person, &mut raw));
    Text { raw: Cow::Owned(raw), folded: OnceCell::new(), by_lines: true }
}

fn add_person(person: &Address, raw: &mut String) {
    if let Some(name) = person.name.as_deref().filter(|name| !name.is_empty()) {
        raw.extend([name, " <", &person.address, ">\n", name, "\n"]);
    }
    raw.extend([&person.address, "\n"]);
}

fn recipients(letter: &Letter) -> Text<'_> {
    let mut text = people(letter.to.iter().chain(&letter.cc));
    for name in DELIVERED {
        for value in letter.headers.all(name).take(MOST_VALUES) {
            text.raw.to_mut().extend([value.trim().trim_matches(['<', '>']), "\n"]);
        }
    }
    text
}

/// As much of a text as is looked at, ending between characters.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(BODY_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
