//! The decision: a letter and what the shelf knows become a [`Plan`].
//!
//! Pure: no clock, no database, no randomness, so the same letter and the same knowledge always give
//! the same plan, and a plan can be printed, tested and run dry. What is known is a value
//! ([`plan::Known`]); what to do is a value ([`plan::Plan`]); `desk::receive` asks for the one and
//! carries out the other.
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
use model::Verdict;
use plan::{Direction, Known, Origin, Plan, Step};

/// Decides what happens to `letter`.
pub fn decide(letter: &Letter, known: &Known) -> Plan {
    let mut steps = Vec::new();
    if known.seen.is_some() {
        steps.push(Step::new("seen", "copy", known.mailbox.address.clone()));
    }
    let direction = direction(letter, known);
    let place = thread::choose(letter, known, &mut steps);
    let known = &place.known(known);
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
