//! The literals of a place, looked for together: one pass over a text instead of one for each.
//!
//! Only those that are short enough take part, and only where there are many: an automaton of long texts
//! is many times their size. A text on which nearly everything matches everywhere ("a", "aa", "aaa" …)
//! ends the pass early; what was not found by then is looked for alone.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memmem;
use std::collections::HashMap;

/// From so many literals on a common pass is worth it.
const FEWEST: usize = 12;
/// Longest literal that takes part, in bytes.
const LONGEST: usize = 64;
/// All that take part together, in bytes.
const MOST_BYTES: usize = 64 << 10;
/// Matches after which the pass over one text ends.
const MOST_MATCHES: usize = 100_000;

/// Literals of one field.
#[derive(Debug, Default)]
pub(super) struct Literals {
    all: Vec<String>,
    ids: HashMap<String, usize>,
    /// Finds those of `together`.
    automaton: Option<AhoCorasick>,
    together: Vec<usize>,
}

/// Which of them a text contains, as far as one pass showed.
pub(super) struct Contained {
    seen: Vec<bool>,
    /// Whether what the pass did not see may be there all the same.
    ended_early: bool,
    in_pass: Vec<bool>,
}

impl Literals {
    /// The number of a literal, which is folded.
    pub fn add(&mut self, literal: &str) -> usize {
        if let Some(id) = self.ids.get(literal) {
            return *id;
        }
        self.all.push(literal.to_owned());
        self.ids.insert(literal.to_owned(), self.all.len() - 1);
        self.all.len() - 1
    }

    /// To be called once all are there.
    pub fn build(&mut self) {
        self.ids = HashMap::new();
        let mut bytes = 0;
        for (id, literal) in self.all.iter().enumerate() {
            if literal.len() <= LONGEST && bytes + literal.len() <= MOST_BYTES {
                bytes += literal.len();
                self.together.push(id);
            }
        }
        if self.together.len() >= FEWEST {
            // A failure to build is a size that the limits above rule out; then each is looked for alone.
            self.automaton = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(self.together.iter().map(|id| &self.all[*id]))
                .ok();
        }
    }

    /// One pass over a text.
    pub fn contained(&self, text: &str) -> Contained {
        let mut contained = Contained {
            seen: vec![false; self.all.len()],
            ended_early: false,
            in_pass: vec![false; self.all.len()],
        };
        let Some(automaton) = &self.automaton else { return contained };
        self.together.iter().for_each(|id| contained.in_pass[*id] = true);
        for (matches, found) in automaton.find_overlapping_iter(text).enumerate() {
            contained.seen[self.together[found.pattern().as_usize()]] = true;
            if matches >= MOST_MATCHES {
                contained.ended_early = true;
                break;
            }
        }
        contained
    }

    /// Whether the text, of which one pass showed this, contains a literal.
    pub fn contains(&self, contained: &Contained, id: usize, text: &str) -> bool {
        match contained.seen[id] {
            true => true,
            false if contained.in_pass[id] && !contained.ended_early => false,
            false => memmem::find(text.as_bytes(), self.all[id].as_bytes()).is_some(),
        }
    }

    /// A literal by its number.
    pub fn get(&self, id: usize) -> &str {
        &self.all[id]
    }
}
