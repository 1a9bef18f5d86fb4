//! Regular expressions in linear time, and in bounded time.
//!
//! An expression runs as a lazy DFA, a step per byte. Some expressions on some texts need a new state of
//! it for nearly every byte (`[ab]*a[ab]{50}c`); then the DFA gives up, and the same expression runs as an
//! NFA, which takes as many steps per byte as it has states. Of those steps a letter has [`MOST_STEPS`] in
//! all: an expression that needs more looks at the beginning of the text only.
//!
//! Word boundaries (`\b`) have no DFA for letters beyond ASCII, which most mail has that is not English. Such
//! a text is first searched without them: where that finds nothing, nor does the whole expression, and only
//! where it finds something the NFA says whether the boundaries hold too.
//!
//! Decided against the crate `regex`, which does the same without saying when it becomes slow: five
//! hundred expressions of a few thousand states each would hold a mailbox up for minutes.

use super::compile::Fault;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{NFA, WhichCaptures};
use regex_automata::util::prefilter::Prefilter;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, Span};
use regex_syntax::hir::{Capture, Hir, HirKind, LookSet, Repetition};
use std::sync::{Mutex, PoisonError};

/// Steps of NFAs that one letter has: about a second.
pub(super) const MOST_STEPS: usize = 100_000_000;
/// Largest automaton of an expression, in bytes.
const NFA_BYTES: usize = 256 << 10;
/// What a lazy DFA may keep of itself, in bytes.
const CACHE_BYTES: usize = 64 << 10;
/// Deepest nesting of an expression.
const DEEPEST: u32 = 50;
/// How often a DFA's states are thrown away before it is asked whether it is worth it.
const CLEARED: usize = 3;

/// A compiled expression.
pub(super) struct Pattern {
    whole: Fast,
    /// Without its word boundaries, if it has any: finds at least what the whole one does.
    loose: Option<Fast>,
    vm: PikeVM,
    /// Finds where a match could begin, faster than anything else.
    begins: Option<Prefilter>,
    states: usize,
}

/// An expression as a lazy DFA.
struct Fast {
    dfa: DFA,
    /// The DFA as far as it was needed; empty while somebody uses it.
    cache: Mutex<Option<Box<Cache>>>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pattern({} states)", self.states)
    }
}

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it and where, or that it is too large.
    pub fn new(text: &str) -> Result<Pattern, Fault> {
        let config = syntax::Config::new().case_insensitive(true).multi_line(true).nest_limit(DEEPEST);
        let hir = syntax::parse_with(text, &config).map_err(|error| fault(&error))?;
        let nfa = nfa_of(&hir)?;
        let states = nfa.states().len().max(1);
        let begins = Prefilter::from_hir_prefix(MatchKind::LeftmostFirst, &hir);
        let has_boundaries = hir.properties().look_set().contains_word_unicode();
        let loose = has_boundaries
            .then(|| Fast::new(nfa_of(&without_boundaries(hir))?, begins.clone()))
            .transpose()?;
        let vm = PikeVM::builder().build_from_nfa(nfa.clone()).map_err(|_| Fault::PatternTooLarge)?;
        Ok(Pattern { whole: Fast::new(nfa, begins.clone())?, loose, vm, begins, states })
    }

    /// Where the first match ends, if there is one.
    pub fn find(&self, text: &str, steps: &std::cell::Cell<usize>) -> Option<usize> {
        if let Some(begins) = &self.begins {
            begins.find(text.as_bytes(), Span { start: 0, end: text.len() })?;
        }
        let found = match &self.loose {
            Some(loose) if !text.is_ascii() => match loose.find(text) {
                Ok(None) => Ok(None),
                _ => Err(GaveUp),
            },
            _ => self.whole.find(text),
        };
        found.unwrap_or_else(|GaveUp| self.find_slow(text, steps))
    }

    fn find_slow(&self, text: &str, steps: &std::cell::Cell<usize>) -> Option<usize> {
        let mut end = text.len().min(steps.get() / self.states);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        steps.set(steps.get() - end * self.states);
        let mut slots = [None; 2];
        let input = Input::new(&text[..end]).earliest(true);
        self.vm.search_slots(&mut self.vm.create_cache(), &input, &mut slots)?;
        Some(slots[1].map_or(0, NonMaxUsize::get))
    }
}

impl Fast {
    fn new(nfa: NFA, begins: Option<Prefilter>) -> Result<Fast, Fault> {
        let config = DFA::config()
            .specialize_start_states(begins.is_some())
            .prefilter(begins)
            .cache_capacity(CACHE_BYTES)
            .skip_cache_capacity_check(true)
            .unicode_word_boundary(true)
            .minimum_cache_clear_count(Some(CLEARED))
            // A new state costs as many steps as the NFA has states.
            .minimum_bytes_per_state(Some(nfa.states().len().max(1)));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(|_| Fault::PatternTooLarge)?;
        Ok(Fast { dfa, cache: Mutex::default() })
    }

    fn find(&self, text: &str) -> Result<Option<usize>, GaveUp> {
        let taken = self.cache.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut cache = taken.unwrap_or_else(|| Box::new(self.dfa.create_cache()));
        let found = self.dfa.try_search_fwd(&mut cache, &Input::new(text));
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Some(cache);
        found.map(|found| found.map(|found| found.offset())).map_err(|_| GaveUp)
    }
}

fn nfa_of(hir: &Hir) -> Result<NFA, Fault> {
    let config = NFA::config().which_captures(WhichCaptures::Implicit).nfa_size_limit(Some(NFA_BYTES));
    NFA::compiler().configure(config).build_from_hir(hir).map_err(|_| Fault::PatternTooLarge)
}

/// The same without word boundaries: matches wherever the whole does, and elsewhere too. No deeper than
/// [`DEEPEST`].
fn without_boundaries(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Look(look) if LookSet::singleton(look).contains_word_unicode() => Hir::empty(),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(part) => {
            let sub = Box::new(without_boundaries(*part.sub));
            Hir::repetition(Repetition { sub, ..part })
        }
        HirKind::Capture(group) => {
            let sub = Box::new(without_boundaries(*group.sub));
            Hir::capture(Capture { sub, ..group })
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(without_boundaries).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(without_boundaries).collect()),
    }
}

/// The DFA gave up.
struct GaveUp;

fn fault(error: &regex_syntax::Error) -> Fault {
    let (span, said) = match error {
        regex_syntax::Error::Parse(error) => (error.span(), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (error.span(), error.kind().to_string()),
        other => return Fault::Pattern { at: 1, said: other.to_string() },
    };
    Fault::Pattern { at: span.start.column, said }
}
