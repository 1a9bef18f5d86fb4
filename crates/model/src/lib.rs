//! The words everybody speaks: ids and plain types. No IO, no SQL, no clock.
//!
//! Ids are 64-bit integers given out by the database in order of arrival and never reused, so
//! sorting by id is sorting by arrival. Each kind of thing has its own type: a thread's id cannot be
//! passed where a message's is wanted. Times are microseconds since 1970-01-01 UTC ([`Time`]): one
//! integer that both databases store, compare and index alike.

mod flags;
mod ids;
mod mailbox;
mod record;
mod rule;
mod time;

pub use flags::*;
pub use ids::*;
pub use mailbox::*;
pub use record::*;
pub use rule::*;
pub use time::Time;
