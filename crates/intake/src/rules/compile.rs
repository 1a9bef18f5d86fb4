//! From conditions as people write them to what is quickly asked of a letter, and what is wrong with them.

use super::literals::{Contained, Literals};
use super::pattern::Pattern;
use super::texts::{FIXED, Text, Texts};
use super::{MOST_ON, Rule, cut};
use mail::fold::fold_text;
use mail::nature::Nature;
use model::{Action, Condition, Matching, RuleField, RuleTest, TriedRule};
use std::cell::OnceCell;
use std::fmt;

/// Languages that are told apart.
const LANGUAGES: [&str; 5] = ["cs", "sk", "pl", "de", "en"];
/// What a server says of a sender.
const VERDICTS: [&str; 3] = ["pass", "fail", "none"];
/// Longest name of a header field.
const LONGEST_HEADER: usize = 100;

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The field cannot be compared like this.
    Test(RuleField),
    /// There is nothing to compare with.
    NoValue,
    /// A header field is to be looked at that has no name, or none that a header field can have.
    Header,
    /// The size is no number of bytes.
    Size,
    /// It is none of the words there are.
    Word(&'static [&'static str]),
    /// The regular expression cannot be read.
    Pattern {
        /// The character, counted from 1.
        at: usize,
        /// What is wrong there, in English.
        said: String,
    },
    /// The regular expression becomes too large an automaton: fewer or smaller repetitions.
    PatternTooLarge,
}

impl Fault {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Test(_) => "bad_test",
            Fault::NoValue => "no_value",
            Fault::Header => "bad_header",
            Fault::Size => "bad_size",
            Fault::Word(_) => "bad_word",
            Fault::Pattern { .. } => "bad_pattern",
            Fault::PatternTooLarge => "pattern_too_large",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Test(field) => {
                let tests: Vec<&str> = tests_of(*field).iter().map(|test| test.word()).collect();
                write!(f, "{field} is compared by one of: {}", tests.join(", "))
            }
            Fault::NoValue => f.write_str("say what to compare with"),
            Fault::Header => f.write_str("name the header field, such as List-Id"),
            Fault::Size => f.write_str("a number of bytes, such as 1000000"),
            Fault::Word(words) => write!(f, "one of: {}", words.join(", ")),
            Fault::Pattern { at, said } => write!(f, "at character {at}: {said}"),
            Fault::PatternTooLarge => {
                f.write_str("the expression is too large; repeat less, such as {1,20} instead of {1,1000}")
            }
        }
    }
}

/// The tests that a field can be put to.
pub fn tests_of(field: RuleField) -> &'static [RuleTest] {
    use RuleTest::{
        Begins, Contains, Ends, Equals, Exists, Missing, NotContains, NotEquals, Over, Regex, Under,
    };
    match field {
        RuleField::Size => &[Over, Under],
        RuleField::Auth | RuleField::Nature | RuleField::Language => &[Equals, NotEquals],
        _ => &[Contains, NotContains, Equals, NotEquals, Begins, Ends, Regex, Exists, Missing],
    }
}

/// What is wrong with conditions: the number of the first bad one, counted from 0, and its fault.
pub fn check(conditions: &[Condition]) -> Result<(), (usize, Fault)> {
    let mut literals = Default::default();
    conditions
        .iter()
        .enumerate()
        .try_for_each(|(at, condition)| ask(condition, &mut literals).map(drop).map_err(|fault| (at, fault)))
}

/// An ordered list of rules, compiled.
#[derive(Debug)]
pub struct Place {
    rules: Vec<Compiled>,
    literals: [Literals; FIXED.len()],
}

/// A rule, compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    pub tried: TriedRule,
    pub actions: Vec<Action>,
    matching: Matching,
    /// Cheap ones first.
    asks: Vec<(Ask, Condition)>,
}

/// A condition, compiled.
#[derive(Debug)]
enum Ask {
    Over(u64),
    Under(u64),
    Word {
        field: RuleField,
        word: String,
        is: bool,
    },
    There {
        field: RuleField,
        header: String,
        is: bool,
    },
    Compare {
        field: RuleField,
        header: String,
        how: How,
        with: String,
        is: bool,
    },
    /// A literal of a field whose literals are looked for together.
    Literal {
        fixed: usize,
        id: usize,
        is: bool,
    },
    Pattern {
        field: RuleField,
        header: String,
        pattern: Box<Pattern>,
    },
}

#[derive(Clone, Copy, Debug)]
enum How {
    Contains,
    Equals,
    Begins,
    Ends,
}

/// Of one letter, which literals of a place its texts contain.
pub(super) struct Found<'p> {
    place: &'p Place,
    contained: [OnceCell<Contained>; FIXED.len()],
}

impl Place {
    /// Compiles rules. One with a condition that cannot be compiled matches nothing: it was checked when
    /// it was saved, so it is of a later version of the program.
    pub fn new(rules: &[Rule]) -> Place {
        let mut literals: [Literals; FIXED.len()] = Default::default();
        let rules = rules.iter().filter_map(|rule| compiled(rule, &mut literals)).collect();
        literals.iter_mut().for_each(Literals::build);
        Place { rules, literals }
    }

    pub(super) fn rules(&self) -> &[Compiled] {
        &self.rules
    }

    pub(super) fn found(&self) -> Found<'_> {
        Found { place: self, contained: Default::default() }
    }
}

fn compiled(rule: &Rule, literals: &mut [Literals; FIXED.len()]) -> Option<Compiled> {
    let asks =
        rule.conditions.iter().map(|condition| Some((ask(condition, literals).ok()?, condition.clone())));
    let mut asks: Vec<(Ask, Condition)> = asks.collect::<Option<_>>()?;
    asks.sort_by_key(|(ask, _)| ask.cost());
    let (tried, actions) = (rule.tried.clone(), rule.actions.clone());
    Some(Compiled { tried, actions, matching: rule.matching, asks })
}

fn ask(condition: &Condition, literals: &mut [Literals; FIXED.len()]) -> Result<Ask, Fault> {
    let Condition { field, header, test, value } = condition;
    if !tests_of(*field).contains(test) {
        return Err(Fault::Test(*field));
    }
    let header = checked_header(*field, header)?;
    let field = *field;
    let how = match test {
        RuleTest::Over => return Ok(Ask::Over(size(value)?)),
        RuleTest::Under => return Ok(Ask::Under(size(value)?)),
        RuleTest::Exists | RuleTest::Missing => {
            return Ok(Ask::There { field, header, is: *test == RuleTest::Exists });
        }
        RuleTest::Regex if value.is_empty() => return Err(Fault::NoValue),
        RuleTest::Regex => {
            return Ok(Ask::Pattern { field, header, pattern: Box::new(Pattern::new(value)?) });
        }
        RuleTest::Contains | RuleTest::NotContains => How::Contains,
        RuleTest::Equals | RuleTest::NotEquals => How::Equals,
        RuleTest::Begins => How::Begins,
        RuleTest::Ends => How::Ends,
    };
    let is = !matches!(test, RuleTest::NotContains | RuleTest::NotEquals);
    if let Some(words) = words_of(field) {
        let word = words.iter().find(|word| value.trim().eq_ignore_ascii_case(word));
        return Ok(Ask::Word { field, word: (*word.ok_or(Fault::Word(words))?).to_owned(), is });
    }
    let with = fold_text(value);
    match (how, FIXED.iter().position(|fixed| *fixed == field)) {
        _ if with.is_empty() => Err(Fault::NoValue),
        (How::Contains, Some(fixed)) => Ok(Ask::Literal { fixed, id: literals[fixed].add(&with), is }),
        _ => Ok(Ask::Compare { field, header, how, with, is }),
    }
}

/// The words a field can be.
fn words_of(field: RuleField) -> Option<&'static [&'static str]> {
    match field {
        RuleField::Auth => Some(&VERDICTS),
        RuleField::Nature => Some(Nature::WORDS),
        RuleField::Language => Some(&LANGUAGES),
        _ => None,
    }
}

/// A header field's name in lower case; "" for all other fields.
fn checked_header(field: RuleField, header: &str) -> Result<String, Fault> {
    if field != RuleField::Header {
        return Ok(String::new());
    }
    let header = header.trim().trim_end_matches(':');
    // RFC 5322 section 2.2: printable characters but the colon.
    let is_name = (1..=LONGEST_HEADER).contains(&header.len())
        && header.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    if is_name { Ok(header.to_ascii_lowercase()) } else { Err(Fault::Header) }
}

fn size(value: &str) -> Result<u64, Fault> {
    value.trim().parse().map_err(|_| Fault::Size)
}

impl Ask {
    /// Roughly how dear it is.
    fn cost(&self) -> u8 {
        let of = |field: &RuleField| if *field == RuleField::Body { 4 } else { 1 };
        match self {
            Ask::Over(_) | Ask::Under(_) | Ask::Word { .. } => 0,
            Ask::There { field, .. } | Ask::Compare { field, .. } => of(field),
            Ask::Literal { fixed, .. } => of(&FIXED[*fixed]),
            Ask::Pattern { field, .. } => 1 + of(field),
        }
    }

    /// On what it holds, to be shown; `None` if it does not hold.
    fn holds(&self, texts: &Texts, found: &Found) -> Option<String> {
        let about = texts.about;
        match self {
            Ask::Over(bytes) => (about.size_bytes > *bytes).then(|| about.size_bytes.to_string()),
            Ask::Under(bytes) => (about.size_bytes < *bytes).then(|| about.size_bytes.to_string()),
            Ask::Word { field, word, is } => {
                let word_there = match field {
                    RuleField::Auth => about.auth,
                    RuleField::Language => texts.language(),
                    _ => about.nature.word(),
                };
                ((word_there == word) == *is).then(|| word_there.to_owned())
            }
            Ask::There { field, header, is } => {
                let text = texts.text(*field, header);
                (text.is_there() == *is).then(|| cut(text.raw.lines().next().unwrap_or_default()))
            }
            Ask::Compare { field, header, how, with, is } => {
                let text = texts.text(*field, header);
                shown(how.find(text.folded(), with), &text, *is)
            }
            Ask::Literal { fixed, id, is } => {
                let text = texts.text(FIXED[*fixed], "");
                let literals = &found.place.literals[*fixed];
                let contained = found.contained[*fixed].get_or_init(|| literals.contained(text.folded()));
                match literals.contains(contained, *id, text.folded()) {
                    true if *is => shown(How::Contains.find(text.folded(), literals.get(*id)), &text, true),
                    true => None,
                    false => (!is).then(String::new),
                }
            }
            Ask::Pattern { field, header, pattern } => {
                let text = texts.text(*field, header);
                pattern.find(&text.raw, &texts.steps).map(|end| text.up_to(end))
            }
        }
    }
}

/// What is shown of a comparison that found something there, or nothing.
fn shown(at: Option<usize>, text: &Text, is: bool) -> Option<String> {
    match (at, is) {
        (Some(at), true) => Some(text.around(at)),
        (None, false) => Some(String::new()),
        _ => None,
    }
}

impl How {
    /// Where a folded text is like this: of several lines, one is enough.
    fn find(self, text: &str, with: &str) -> Option<usize> {
        if let How::Contains = self {
            return memchr::memmem::find(text.as_bytes(), with.as_bytes());
        }
        let mut at = 0;
        for line in text.split('\n') {
            let is = match self {
                How::Equals => line == with,
                How::Begins => line.starts_with(with),
                How::Ends => line.ends_with(with),
                How::Contains => false,
            };
            if is {
                return Some(at);
            }
            at += line.len() + 1;
        }
        None
    }
}

impl Compiled {
    /// The conditions that hold and on what, if the rule matches.
    pub fn matches(&self, texts: &Texts, found: &Found) -> Option<Vec<(Condition, String)>> {
        let mut on = Vec::new();
        for (ask, condition) in &self.asks {
            match (ask.holds(texts, found), self.matching) {
                (Some(value), Matching::Any) => return Some(vec![(shortened(condition), value)]),
                (Some(value), Matching::All) if on.len() < MOST_ON => on.push((shortened(condition), value)),
                (Some(_), Matching::All) | (None, Matching::Any) => {}
                (None, Matching::All) => return None,
            }
        }
        let matched = self.asks.is_empty() || self.matching == Matching::All;
        matched.then_some(on)
    }
}

fn shortened(condition: &Condition) -> Condition {
    Condition { value: cut(&condition.value), ..condition.clone() }
}
