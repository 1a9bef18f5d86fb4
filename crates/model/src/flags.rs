//! Flags of an item on a server, as a set: what of RFC 9051, section 2.3.2, people see and change.
//!
//! Keywords are left out: each server and each program has its own, and none of them is shown.

use crate::words;
use serde::{Deserialize, Serialize};

words! {
    /// A flag.
    Flag {
        /// It was answered.
        Answered = "answered",
        /// It is to be removed with the next EXPUNGE.
        Deleted = "deleted",
        /// It is not finished.
        Draft = "draft",
        /// It was marked as important.
        Flagged = "flagged",
        /// It was read.
        Seen = "seen",
    }
}

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// The set of these.
    pub fn of(flags: &[Flag]) -> Flags {
        Flags(flags.iter().fold(0, |set, flag| set | bit(*flag)))
    }

    /// From their words, divided by spaces; unknown words are left out.
    pub fn of_words(words: &str) -> Flags {
        Flags::of(&words.split(' ').filter_map(Flag::of).collect::<Vec<_>>())
    }

    /// From the flags a server names, such as `\Seen`; keywords and `\Recent` are left out.
    pub fn of_imap<T: AsRef<str>>(names: &[T]) -> Flags {
        let known = |name: &T| Flag::of(&name.as_ref().strip_prefix('\\')?.to_ascii_lowercase());
        Flags::of(&names.iter().filter_map(known).collect::<Vec<_>>())
    }

    /// Whether the flag is set.
    pub fn has(self, flag: Flag) -> bool {
        self.0 & bit(flag) != 0
    }

    /// Those that are set, in the order of their words.
    pub fn list(self) -> Vec<Flag> {
        Flag::ALL.iter().copied().filter(|flag| self.has(*flag)).collect()
    }

    /// Their words, divided by spaces.
    pub fn words(self) -> String {
        self.list().iter().map(|flag| flag.word()).collect::<Vec<_>>().join(" ")
    }
}

fn bit(flag: Flag) -> u8 {
    1 << flag as u8
}

impl Flag {
    /// Its name in IMAP.
    pub fn imap(self) -> &'static str {
        match self {
            Flag::Answered => "\\Answered",
            Flag::Deleted => "\\Deleted",
            Flag::Draft => "\\Draft",
            Flag::Flagged => "\\Flagged",
            Flag::Seen => "\\Seen",
        }
    }
}

/// Flags to be set and to be taken off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagChange {
    /// Set.
    pub add: Vec<Flag>,
    /// Taken off.
    pub remove: Vec<Flag>,
}

impl FlagChange {
    /// The flags after the change.
    pub fn applied(&self, flags: Flags) -> Flags {
        Flags((flags.0 | Flags::of(&self.add).0) & !Flags::of(&self.remove).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_words_in_order_and_names_in_imap() {
        let flags = Flags::of_imap(&["\\SEEN", "$Forwarded", "\\Recent", "\\Answered"]);
        assert_eq!(flags.words(), "answered seen");
        assert_eq!(Flags::of_words("seen answered unknown"), flags);
        let change = FlagChange { add: vec![Flag::Flagged], remove: vec![Flag::Seen] };
        assert_eq!(change.applied(flags).words(), "answered flagged");
        assert_eq!(Flags::of_words("").words(), "");
    }
}
