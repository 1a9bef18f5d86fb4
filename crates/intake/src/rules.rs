//! Rules and filters: which match a letter, on what, and what they want done.
//!
//! A [`Place`] is one ordered list of rules, compiled; [`Rules`] are the places that are tried on the
//! letters of one folder, in their order: global filters, the owner's filters, the rules of the mailbox.
//! Beside them stand the filters of other people's whole inboxes, which touch nothing but what is unread
//! to that person. [`apply`] is pure and deterministic: the same rules and the same letter give the same
//! outcome, however fast the machine is.
//!
//! **Time is bounded by construction.** Literals of a place are looked for together, in one pass over a
//! text ([`literals`]); regular expressions run in linear time, and where their automaton becomes too
//! large to be worth it, in a number of steps that one letter has in all ([`pattern`]). Of a text
//! [`BODY_BYTES`] are looked at. Texts are folded once per letter, and only those that a rule asks for
//! ([`texts`]).
//!
//! Decided against stopping by the clock: the same mail would be filed differently on a busy day.

mod compile;
mod links;
mod literals;
mod pattern;
mod texts;

pub use compile::{Fault, Place, check, tests_of};
pub use links::{Named, find as find_links, named};

use crate::plan::{Known, Origin, RuleAction};
use mail::Letter;
use mail::nature::Nature;
use model::{Action, Condition, Done, Hit, Matching, RuleId, RuleKind, TriedRule, UserId};
use std::sync::Arc;
use texts::Texts;

/// How much of a text is looked at, in bytes.
pub const BODY_BYTES: usize = 256 << 10;
/// Rules that matched and are written down with a message; more are carried out, but not told of.
pub const MOST_HITS: usize = 30;
/// Conditions that are written down of one of them.
pub const MOST_ON: usize = 10;
/// Longest value written down, in characters.
pub const MOST_SHOWN: usize = 120;
/// Actions that follow from one letter.
pub const MOST_ACTIONS: usize = 100;

/// A rule as it is tried.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which, and what it is called.
    pub tried: TriedRule,
    /// All or any.
    pub matching: Matching,
    /// What is asked; nothing: it matches every letter.
    pub conditions: Vec<Condition>,
    /// What is done.
    pub actions: Vec<Action>,
}

/// The rules of one folder.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    places: Vec<Arc<Place>>,
    silencing: Vec<Arc<Place>>,
    tried: Vec<TriedRule>,
}

/// A letter, and what only others know of it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The letter.
    pub letter: &'a Letter,
    /// Bytes of the whole message.
    pub size_bytes: u64,
    /// What its own server says of the sender: pass, fail, none; "" where nobody trusted says anything.
    pub auth: &'a str,
    /// What kind of mail it is.
    pub nature: Nature,
}

/// The rules that are tried on a letter, and what of it stands only in its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// Bytes of the whole message.
    pub size_bytes: u64,
    /// What kind of mail it is.
    pub nature: Nature,
}

/// What follows from the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The rules that matched, without what became of their actions.
    pub hits: Vec<Hit>,
    /// What they want done, in their order.
    pub actions: Vec<RuleAction>,
    /// The rule that says that it is not to be imported. Then nothing else is done.
    pub skip: Option<RuleId>,
    /// Users who do not want to see it as unread.
    pub silenced: Vec<UserId>,
}

impl Rules {
    /// Rules of a folder: `places` in their order; `silencing` each of one user's whole inbox.
    pub fn new(places: Vec<Arc<Place>>, silencing: Vec<Arc<Place>>) -> Rules {
        let all = places.iter().chain(&silencing);
        let tried = all.flat_map(|place| place.rules().iter().map(|rule| rule.tried.clone())).collect();
        Rules { places, silencing, tried }
    }

    /// The same without filters: for what somebody wants filed after all.
    pub fn without_filters(&self) -> Rules {
        let is_rule = |rule: &compile::Compiled| rule.tried.kind == RuleKind::Rule;
        let places = self.places.iter().filter(|place| place.rules().iter().all(is_rule));
        Rules::new(places.cloned().collect(), Vec::new())
    }

    /// All that are tried, in the order in which [`Hit::tried`] counts.
    pub fn tried(&self) -> &[TriedRule] {
        &self.tried
    }
}

/// Tries the rules of the letter's folder. History and sent mail are linked as rules say, and nothing else
/// follows from them.
pub(crate) fn tried(letter: &Letter, known: &Known) -> Outcome {
    let Some(trial) = &known.trial else { return Outcome::default() };
    let Trial { rules, size_bytes, nature } = *trial;
    let outcome = apply(rules, &About { letter, size_bytes, auth: known.auth.word(), nature });
    if known.origin == Origin::Live {
        return outcome;
    }
    let links =
        |one: &RuleAction| matches!(one.action, Action::LinkContact { .. } | Action::LinkAccount { .. });
    Outcome { actions: outcome.actions.into_iter().filter(links).collect(), ..Outcome::default() }
}

/// Tries the rules on a letter.
pub fn apply(rules: &Rules, about: &About) -> Outcome {
    let mut out = Outcome::default();
    if rules.tried.is_empty() {
        return out;
    }
    let texts = Texts::new(about);
    let mut first = 0;
    let mut goes_on = true;
    for place in &rules.places {
        if goes_on {
            goes_on = try_place(place, first, &texts, &mut out);
        }
        first += place.rules().len();
    }
    if out.skip.is_some() {
        return out;
    }
    for place in &rules.silencing {
        silence(place, first, &texts, &mut out);
        first += place.rules().len();
    }
    out
}

/// Tries the rules of a place, the first of which is the `first` of all; whether further places are tried.
fn try_place(place: &Place, first: usize, texts: &Texts, out: &mut Outcome) -> bool {
    let found = place.found();
    for (index, rule) in place.rules().iter().enumerate() {
        let Some(on) = rule.matches(texts, &found) else { continue };
        hit(first + index, on, out);
        if rule.actions.contains(&Action::Skip) {
            out.skip = Some(rule.tried.id);
            return false;
        }
        for action in &rule.actions {
            if out.actions.len() < MOST_ACTIONS {
                out.actions.push(RuleAction { rule: rule.tried.id, action: action.clone() });
            }
        }
        if rule.actions.contains(&Action::Stop) {
            return false;
        }
    }
    true
}

/// Tries the filters of somebody's whole inbox on mail of a group: what they would skip or move away is not
/// unread to them, and to all others it is as it was.
fn silence(place: &Place, first: usize, texts: &Texts, out: &mut Outcome) {
    let found = place.found();
    for (index, rule) in place.rules().iter().enumerate() {
        let Some(on) = rule.matches(texts, &found) else { continue };
        hit(first + index, on, out);
        let is_unwanted = |action: &Action| matches!(action, Action::Skip | Action::Move { .. });
        if rule.actions.iter().any(is_unwanted) {
            out.silenced.extend(rule.tried.user);
            return;
        }
        if rule.actions.contains(&Action::Stop) {
            return;
        }
    }
}

fn hit(tried: usize, on: Vec<(Condition, String)>, out: &mut Outcome) {
    if out.hits.len() < MOST_HITS {
        out.hits.push(Hit { tried, on, did: Vec::new() });
    }
}

/// What became of an action, as it is written down.
pub fn done(action: &Action, result: &str, detail: &str) -> Done {
    Done { action: action.clone(), result: result.to_owned(), detail: cut(detail) }
}

/// The beginning of a text, as long as is shown.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
