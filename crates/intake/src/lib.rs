//! The decision: a letter and what the shelf knows become a [`Plan`].
//!
//! Pure: no clock, no database, no randomness, so the same letter and the same knowledge always give
//! the same plan, and a plan can be printed, tested and run dry. What is known is a value
//! ([`plan::Known`]); what to do is a value ([`plan::Plan`]); `desk::receive` asks for the one and
//! carries out the other.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod case;
mod link;
pub mod plan;
pub mod rules;
mod thread;

use mail::Letter;
use plan::{Direction, Known, Origin, Plan, Step};

/// Decides what happens to `letter`.
pub fn decide(letter: &Letter, known: &Known) -> Plan {
    let mut steps = Vec::new();
    if known.seen.is_some() {
        steps.push(Step::new("seen", "copy", known.mailbox.address.clone()));
    }
    let direction = direction(letter, known);
    let thread = thread::choose(letter, known, &mut steps);
    let links = link::find(letter, known, &mut steps);
    let case = case::plan(letter, known, direction, &mut steps);
    Plan {
        seen: known.seen,
        direction,
        thread,
        links,
        suggestions: Vec::new(),
        unverified: None,
        case,
        actions: Vec::new(),
        steps,
    }
}

/// Out if one of our own mailboxes is the writer, or it lies where sent mail does.
fn direction(letter: &Letter, known: &Known) -> Direction {
    if known.origin == Origin::Sent {
        return Direction::Out;
    }
    match letter.from.first() {
        Some(writer) if known.directory.ours.contains(&writer.key()) => Direction::Out,
        _ => Direction::In,
    }
}

#[cfg(test)]
mod tests;
