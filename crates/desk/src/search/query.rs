//! What a person types into the search field, as a tree.
//!
//! ```text
//! question   = { choice }                      all of them
//! choice     = term { "OR" term }              one of them
//! term       = [ "-" ] [ operator ":" ] value
//! value      = word | word "*" | '"' words '"'
//! operator   = from | to | subject | has | in | label | before | after
//! ```
//!
//! Words may be anything: what is no operator is text, and text is folded and cut into words as the
//! index does, so `faktúra` finds `FAKTURA` and an address is found by its parts. `before`, `after`,
//! `in` and `label` bound the whole question and do not stand beside `OR`; of them only `label` stands
//! behind `-`. A label is a whole name, compared folded: it is no word of the index, since it is put on
//! threads and taken off at any time.

use super::LONGEST_QUERY;
use crate::Refusal;
use mail::fold::{fold, fold_text};
use model::Time;
use store::search::{Field, Query};

/// Most terms of a question.
const MOST_TERMS: usize = 32;

/// A question, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// What the index is asked.
    pub tree: Query,
    /// Sent at this moment or later.
    pub after: Option<Time>,
    /// Sent before this moment.
    pub before: Option<Time>,
    /// Mailboxes by address, part before the @, or name; lower case. All of them.
    pub mailboxes: Vec<String>,
    /// Labels by name, folded: all of them.
    pub labelled: Vec<String>,
    /// None of these.
    pub unlabelled: Vec<String>,
    /// Words to mark in the text.
    pub highlights: Vec<Highlight>,
}

/// A word to mark in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Highlight {
    /// The word, folded.
    pub word: String,
    /// It is the beginning of words.
    pub prefix: bool,
}

/// Reads a question. Errors speak of operators; words cannot be wrong.
pub(super) fn parse(typed: &str) -> Result<Parsed, Refusal> {
    if typed.len() > LONGEST_QUERY {
        return Err(wrong(format!("A question has at most {LONGEST_QUERY} bytes.")));
    }
    let mut parsed = Parsed {
        tree: Query::All(Vec::new()),
        after: None,
        before: None,
        mailboxes: Vec::new(),
        labelled: Vec::new(),
        unlabelled: Vec::new(),
        highlights: Vec::new(),
    };
    let mut choices: Vec<Vec<Query>> = Vec::new();
    let mut joined = false;
    let terms = terms(typed);
    if terms.len() > MOST_TERMS {
        return Err(wrong(format!("A question has at most {MOST_TERMS} words.")));
    }
    for (at, term) in terms.iter().enumerate() {
        if term.is_or() {
            joined = !choices.is_empty();
            continue;
        }
        let alone = !joined && !terms.get(at + 1).is_some_and(Term::is_or);
        let Some(query) = parsed.take(term, alone)? else {
            joined = false;
            continue;
        };
        match choices.last_mut().filter(|_| joined) {
            Some(choice) => choice.push(query),
            None => choices.push(vec![query]),
        }
        joined = false;
    }
    let all = choices.into_iter().map(|mut choice| match choice.len() {
        1 => choice.remove(0),
        _ => Query::Any(choice),
    });
    parsed.tree = Query::All(all.collect());
    Ok(parsed)
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::invalid("q", "bad_query", message)
}

/// One term as typed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Term {
    negative: bool,
    operator: Option<String>,
    value: String,
    quoted: bool,
}

impl Term {
    fn is_or(&self) -> bool {
        *self == Term { value: "OR".to_owned(), ..Term::default() }
    }
}

const OPERATORS: [&str; 8] = ["from", "to", "subject", "has", "in", "label", "before", "after"];

fn terms(typed: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = typed.trim_start();
    while !rest.is_empty() {
        let (term, after) = term(rest);
        if !term.value.is_empty() {
            terms.push(term);
        }
        rest = after.trim_start();
    }
    terms
}

fn term(text: &str) -> (Term, &str) {
    let mut term = Term::default();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('-').filter(|after| !after.starts_with([' ', '-'])) {
        term.negative = true;
        rest = after;
    }
    let name = rest.split_once(':').map(|(name, _)| name.to_ascii_lowercase());
    if let Some(name) = name.filter(|name| OPERATORS.contains(&name.as_str())) {
        rest = &rest[name.len() + 1..];
        term.operator = Some(name);
    }
    let end = match rest.strip_prefix('"') {
        Some(inner) => {
            term.quoted = true;
            rest = inner;
            inner.find('"').unwrap_or(inner.len())
        }
        None => rest.find(char::is_whitespace).unwrap_or(rest.len()),
    };
    term.value = rest[..end].to_owned();
    rest = &rest[end..];
    (term, rest.strip_prefix('"').filter(|_| end < text.len()).unwrap_or(rest))
}

impl Parsed {
    /// The term's part of the tree; `None` for one that bounds the whole question or asks nothing.
    fn take(&mut self, term: &Term, alone: bool) -> Result<Option<Query>, Refusal> {
        let operator = term.operator.as_deref();
        if let Some(bound @ ("in" | "label" | "before" | "after")) = operator {
            match bound {
                "label" if !alone => return Err(wrong("label: does not stand beside OR.")),
                "label" => self.label(term),
                _ if term.negative || !alone => {
                    return Err(wrong(format!("{bound}: stands neither behind - nor beside OR.")));
                }
                _ => self.bound(bound, &term.value)?,
            }
            return Ok(None);
        }
        let query = match operator {
            Some("from") => self.words(term, Field::From),
            Some("to") => self.words(term, Field::To),
            Some("subject") => self.words(term, Field::Subject),
            Some("has") => match fold(&term.value).as_str() {
                "attachment" | "attachments" => Query::HasAttachment,
                _ => return Err(wrong("has: knows only has:attachment.")),
            },
            _ => self.words(term, Field::Any),
        };
        // Nothing but punctuation asks for nothing.
        if matches!(&query, Query::Words { text, .. } if text.is_empty()) {
            return Ok(None);
        }
        Ok(Some(if term.negative { Query::Not(Box::new(query)) } else { query }))
    }

    fn label(&mut self, term: &Term) {
        let name = fold_text(&term.value);
        match term.negative {
            true => self.unlabelled.push(name),
            false => self.labelled.push(name),
        }
    }

    fn bound(&mut self, operator: &str, value: &str) -> Result<(), Refusal> {
        match operator {
            "in" => self.mailboxes.push(value.to_lowercase()),
            "before" => {
                self.before = Some(self.before.map_or(day(value)?, |t| t.min(day(value).unwrap_or(t))))
            }
            _ => self.after = Some(self.after.map_or(day(value)?, |t| t.max(day(value).unwrap_or(t)))),
        }
        Ok(())
    }

    fn words(&mut self, term: &Term, field: Field) -> Query {
        let (typed, prefix) = match term.value.strip_suffix('*') {
            Some(typed) if !term.quoted => (typed, true),
            _ => (term.value.as_str(), false),
        };
        let text = fold(typed);
        if field == Field::Any && !term.negative {
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            let last = words.len().saturating_sub(1);
            let marked = words
                .iter()
                .enumerate()
                .map(|(at, word)| Highlight { word: (*word).to_owned(), prefix: prefix && at == last });
            self.highlights.extend(marked);
        }
        Query::Words { field, text, prefix }
    }
}

/// The beginning of a day, UTC.
fn day(value: &str) -> Result<Time, Refusal> {
    let date = value.parse::<jiff::civil::Date>().ok();
    let midnight = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let midnight = midnight.ok_or_else(|| wrong("Write days as 2026-01-31."))?;
    Ok(Time(midnight.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(typed: &str, expected: Expect) {
        let printed = match parse(typed) {
            Ok(parsed) => print(&parsed),
            Err(refusal) => format!("! {refusal}"),
        };
        expected.assert_eq(&printed);
    }

    fn print(parsed: &Parsed) -> String {
        let mut out = tree(&parsed.tree);
        for (word, time) in [("after", parsed.after), ("before", parsed.before)] {
            if let Some(time) = time {
                out.push_str(&format!(" {word} {}", time.0 / 1_000_000));
            }
        }
        for mailbox in &parsed.mailboxes {
            out.push_str(&format!(" in {mailbox}"));
        }
        for (word, labels) in [("label", &parsed.labelled), ("no label", &parsed.unlabelled)] {
            for label in labels {
                out.push_str(&format!(" {word} {label}"));
            }
        }
        out
    }

    fn tree(query: &Query) -> String {
        let list =
            |parts: &[Query], by: &str| format!("({})", parts.iter().map(tree).collect::<Vec<_>>().join(by));
        match query {
            Query::All(parts) => list(parts, " & "),
            Query::Any(parts) => list(parts, " | "),
            Query::Not(inner) => format!("!{}", tree(inner)),
            Query::HasAttachment => "attachment".to_owned(),
            Query::Words { field, text, prefix } => {
                let star = if *prefix { "*" } else { "" };
                format!("{field:?}[{text}]{star}")
            }
        }
    }

    #[test]
    fn h3_words_phrases_prefixes_and_exclusions() {
        check("Faktúra łódź", expect!["(Any[faktura] & Any[lodz])"]);
        check(
            "\"nezaplacená  faktura\" fak* -spam",
            expect!["(Any[nezaplacena faktura] & Any[fak]* & !Any[spam])"],
        );
        check("ann@acme.example", expect!["(Any[ann acme example])"]);
        check("", expect!["()"]);
        check("  \"  ", expect!["()"]);
        check("a - b --c http://x.example", expect!["(Any[a] & Any[b] & Any[c] & Any[http x example])"]);
    }

    #[test]
    fn h3_or_binds_its_neighbours() {
        check("a OR b c", expect!["((Any[a] | Any[b]) & Any[c])"]);
        check("a b OR c OR -d", expect!["(Any[a] & (Any[b] | Any[c] | !Any[d]))"]);
        check("OR a OR", expect!["(Any[a])"]);
        check("a or b", expect!["(Any[a] & Any[or] & Any[b])"]);
        check("a OR , OR b", expect!["((Any[a] | Any[b]))"]);
        check("\"OR\" b", expect!["(Any[or] & Any[b])"]);
    }

    #[test]
    fn h3_operators() {
        check(
            "from:ann TO:\"Ben Novák\" subject:smlouva* has:attachment -from:x",
            expect!["(From[ann] & To[ben novak] & Subject[smlouva]* & attachment & !From[x])"],
        );
        check(
            "in:Helpdesk@acme.example after:2026-01-31 before:2026-02-01 x",
            expect!["(Any[x]) after 1769817600 before 1769904000 in helpdesk@acme.example"],
        );
        check(
            "label:Hot -LABEL:\"Nabídky 2026\" offer label:x",
            expect!["(Any[offer]) label hot label x no label nabidky 2026"],
        );
        check("after:2026-01-01 after:2026-02-01", expect!["() after 1769904000"]);
        check("what:ever from: x", expect!["(Any[what ever] & Any[x])"]);
    }

    #[test]
    fn operators_with_values_that_mean_nothing_are_named() {
        check("before:tomorrow", expect!["! q: Write days as 2026-01-31."]);
        check("has:wings", expect!["! q: has: knows only has:attachment."]);
        check("-in:x", expect!["! q: in: stands neither behind - nor beside OR."]);
        check("a OR before:2026-01-01", expect!["! q: before: stands neither behind - nor beside OR."]);
        check("a OR label:x", expect!["! q: label: does not stand beside OR."]);
        check("-label:x OR a", expect!["! q: label: does not stand beside OR."]);
        check(&"a ".repeat(33), expect!["! q: A question has at most 32 words."]);
        assert!(parse(&"a".repeat(1001)).is_err());
    }

    #[test]
    fn any_text_is_a_question() {
        for typed in
            ["\"", "-\"", "from:\"", "-from:\"a\"b", "a\"b\"c", "-", "--", ":", "from::", "é\"ß", "* -*"]
        {
            assert!(parse(typed).is_ok(), "{typed}");
        }
    }
}
