//! What people write to Acme, by language: conversations as turns, the customer's first.
//!
//! `{model}`, `{order}`, `{count}`, `{amount}` and `{day}` are filled in anew for each conversation, so
//! that sentences need no inflection of what is put in.

mod cs;
mod en;
mod pl;
mod sk;

use super::company::{Language, Mailbox};

/// A conversation. Turns alternate: somebody outside, Acme, outside, …
pub struct Script {
    /// Which of Acme's mailboxes it is with.
    pub with: Mailbox,
    /// Its subject.
    pub subject: &'static str,
    /// What comes with the first turn.
    pub brings: Brings,
    /// The texts, without greeting and signature.
    pub turns: &'static [&'static str],
}

/// What is attached to a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Brings {
    Nothing,
    Order,
    Photo,
    PriceList,
    /// A table in the text itself.
    Table,
    /// A logo in the text.
    Logo,
}

/// The conversations of a language.
pub fn of(language: Language) -> &'static [Script] {
    match language {
        Language::Czech => cs::SCRIPTS,
        Language::Slovak => sk::SCRIPTS,
        Language::Polish => pl::SCRIPTS,
        Language::English => en::SCRIPTS,
    }
}
