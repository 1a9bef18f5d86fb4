//! Which thread a letter joins: by the ids it bears and refers to, never by its subject alone.
//!
//! Every id a thread's letters bear or mention belongs to that thread, also of letters that have not
//! arrived, so an answer that comes before its question is joined by it later. A letter that knows
//! ids of two threads proves that they are one (RFC 5256 "REFERENCES", step 1, without its subject
//! gathering, which joins strangers), if its writer belongs to both ([`crate::trust`]); else it joins
//! the one it is nearest to, and the other is only suggested. A copy of a message lies where that does, as far as
//! the readers of its mailbox may see it there.

use crate::plan::{Known, Origin, Seen, Step, Thread, ThreadPlan, thread_ids};
use crate::trust::{Standing, copy_shows, standing};
use mail::Letter;
use model::{ThreadId, Unverified};

/// Where a letter goes.
pub struct Place {
    /// The thread.
    pub plan: ThreadPlan,
    /// Why its place there is not to be trusted.
    pub unverified: Option<Unverified>,
    /// Threads that it names and does not join.
    pub apart: Vec<Thread>,
}

impl Place {
    fn of(plan: ThreadPlan, unverified: Option<Unverified>, apart: Vec<Thread>) -> Place {
        Place { plan, unverified, apart }
    }

    /// The place in a thread that a person trusts.
    pub fn trusted(thread: ThreadId) -> Place {
        Place::of(ThreadPlan::Join(thread), None, Vec::new())
    }

    /// What is known, without the threads that the letter does not join, and the message it does not count as.
    pub fn known<'a>(&self, known: &Known<'a>) -> Known<'a> {
        if matches!(self.plan, ThreadPlan::Apart(_)) {
            return Known { seen: None, threads: Vec::new(), ..known.clone() };
        }
        let is_apart = |thread: &Thread| self.apart.iter().any(|apart| apart.id == thread.id);
        let threads = known.threads.iter().filter(|thread| !is_apart(thread)).cloned().collect();
        Known { threads, ..known.clone() }
    }
}

/// Chooses the thread; the oldest of several takes the others in.
pub fn choose(letter: &Letter, known: &Known, steps: &mut Vec<Step>) -> Place {
    if let Some(seen) = known.seen {
        return copy(known, seen, steps);
    }
    let stand = |thread: &Thread| standing(letter, known, thread);
    let (open, mut apart): (Vec<_>, Vec<_>) =
        known.threads.iter().cloned().partition(|thread| stand(thread) != Standing::Kept);
    let Some((nearest, others)) = open.split_first() else {
        return begin(letter, known, apart, steps);
    };
    let doubt = match stand(nearest) {
        Standing::Doubtful(why) if known.origin == Origin::Live => Some(why),
        _ => None,
    };
    let is_sure = |thread: &Thread| matches!(stand(thread), Standing::Trusted | Standing::Plain);
    let (joined, refused): (Vec<_>, Vec<_>) = others
        .iter()
        .cloned()
        .partition(|other| is_sure(nearest) && is_sure(other) && !other.is_parted_from(nearest));
    for thread in &refused {
        steps.push(Step::new("thread", "merge_not_trusted", thread.id.to_string()));
    }
    apart.extend(refused);
    let plan = together(nearest, &joined, steps);
    if let Some(why) = doubt {
        steps.push(Step::new("thread", "unverified", why.word()));
    }
    Place::of(plan, doubt, apart)
}

fn copy(known: &Known, seen: Seen, steps: &mut Vec<Step>) -> Place {
    let thread = known.threads.iter().find(|thread| thread.id == seen.thread);
    if thread.is_some_and(|thread| !copy_shows(known, seen, thread)) {
        // That there is a copy elsewhere is not for these readers either.
        steps.push(Step::new("thread", "new", ""));
        return Place::of(ThreadPlan::Apart(seen.thread), None, Vec::new());
    }
    steps.push(Step::new("seen", "copy", known.mailbox.address.clone()));
    Place::of(ThreadPlan::Join(seen.thread), seen.unverified, Vec::new())
}

fn begin(letter: &Letter, known: &Known, apart: Vec<Thread>, steps: &mut Vec<Step>) -> Place {
    if let (Some(thread), Origin::History, true) = (known.gathered, known.origin, apart.is_empty()) {
        steps.push(Step::new("thread", "gathered", thread.to_string()));
        return Place::of(ThreadPlan::Join(thread), None, apart);
    }
    let result = match () {
        () if !apart.is_empty() => "not_trusted",
        () if thread_ids(letter).is_empty() => "new_without_ids",
        () => "new",
    };
    steps.push(Step::new("thread", result, ""));
    Place::of(ThreadPlan::New, None, apart)
}

fn together(nearest: &Thread, joined: &[Thread], steps: &mut Vec<Step>) -> ThreadPlan {
    let mut ids: Vec<ThreadId> = joined.iter().chain([nearest]).map(|thread| thread.id).collect();
    ids.sort();
    match ids.split_first() {
        Some((&into, from)) if !from.is_empty() => {
            steps.push(Step::new("thread", "merged", into.to_string()));
            ThreadPlan::Merge { into, from: from.to_vec() }
        }
        _ => {
            let result = if nearest.is_signed { "token" } else { "reply" };
            steps.push(Step::new("thread", result, nearest.id.to_string()));
            ThreadPlan::Join(nearest.id)
        }
    }
}
