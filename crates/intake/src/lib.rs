//! The decision: a letter and what the shelf knows become a [`Plan`].
//!
//! Pure: no clock, no database, no randomness, so the same letter and the same knowledge always give
//! the same plan, and a plan can be printed, tested and run dry. What is known is a value
//! ([`plan::Known`]); what to do is a value ([`plan::Plan`]); `desk::receive` asks for the one and
//! carries out the other. First its place is chosen, then what follows from it there.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod archive;
mod case;
pub mod form;
mod freemail;
mod link;
pub mod number;
pub mod plan;
pub mod rules;
mod thread;
mod trust;

use mail::Letter;
use model::{ThreadId, Verdict};
use plan::{Direction, Known, Origin, Plan, Step};

/// Decides what happens to `letter`.
pub fn decide(letter: &Letter, known: &Known) -> Plan {
    let mut steps = Vec::new();
    let place = thread::choose(letter, known, &mut steps);
    follow(letter, &place.known(known), place, steps)
}

/// Decides what would have followed from `letter`, which is in `thread` and was not trusted there, if it had been.
pub fn decide_trusted(letter: &Letter, known: &Known, thread: ThreadId) -> Plan {
    follow(letter, known, thread::Place::trusted(thread), Vec::new())
}

fn follow(letter: &Letter, known: &Known, place: thread::Place, mut steps: Vec<Step>) -> Plan {
    let direction = direction(letter, known);
    let (mut links, mut suggestions) = link::find(letter, known, &place, &mut steps);
    let ruled = rules::tried(letter, known);
    // A link would make a doubtful writer trusted in the thread.
    if place.unverified.is_none() {
        rules::find_links(letter, known, &ruled.actions, &mut links, &mut steps);
        suggestions.retain(|one| links.iter().all(|link| link.record != one.record));
    }
    let case = case::plan(letter, known, direction, place.unverified, &ruled.actions, &mut steps);
    Plan {
        seen: known.seen,
        direction,
        thread: place.plan,
        links,
        suggestions,
        unverified: place.unverified,
        auth: known.auth,
        bounce_of: known.bounced.map(|of| of.message),
        case,
        actions: ruled.actions,
        hits: ruled.hits,
        skip: ruled.skip,
        silenced: ruled.silenced,
        steps,
    }
}

/// Out if one of our own mailboxes is the writer, and nobody says that it is forged, or it lies where sent mail
/// does.
fn direction(letter: &Letter, known: &Known) -> Direction {
    if known.origin == Origin::Sent {
        return Direction::Out;
    }
    match letter.from.first() {
        Some(writer) if known.auth != Verdict::Fail && known.directory.ours.contains(&writer.key()) => {
            Direction::Out
        }
        _ => Direction::In,
    }
}

#[cfg(test)]
mod tests;
