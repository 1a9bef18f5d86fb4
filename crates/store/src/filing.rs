//! What a filing reads before the decision and writes after it.
//!
//! A filing is one transaction over a batch of letters. It reads for the whole batch at once
//! (`seen`, `threads_by_ids`, `directory`), then collects rows per table in [`Writes`] and writes
//! them in one hop per table: with a round trip per statement PostgreSQL files some hundred messages
//! a second, in batches thousands. [`LOCK`] lets one filing run at a time, so that two mails of one
//! thread that arrive in two mailboxes at the same moment cannot both begin it.

mod merge;
mod recall;
mod waiting;
mod writes;

pub use merge::{merge_case, merge_threads};
pub use recall::{
    CaseState, Match, Shelved, ThreadState, by_addresses, by_domains, cases_by_numbers, our_addresses,
    parted, people, record_names, seen, seen_by, sent_by_ids, survivors, thread_states, threads_by_ids,
    users_by_addresses,
};
pub use waiting::{Waiting, begin_attempt, quarantine, still_waiting, waiting};
pub(crate) use writes::waits_for;
pub use writes::{Assign, IndexText, NewAttachment, NewCase, NewMessage, NewSuggestion, Voice, Writes};

/// Name of the lock all filings share.
pub const LOCK: i64 = 0x4c63_0001;

/// First 16 bytes of the BLAKE3 of a Message-ID: what threads are found by.
pub type MidHash = [u8; 16];

/// Shortens a Message-ID to what is indexed; ids of any length cost the same.
pub fn mid_hash(mid: &str) -> MidHash {
    let hash = blake3::hash(mid.as_bytes());
    hash.as_bytes()[..16].try_into().expect("a BLAKE3 hash has 32 bytes")
}
