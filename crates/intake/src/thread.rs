//! Which thread a letter joins: by the ids it bears and refers to, never by its subject alone.
//!
//! Every id a thread's letters bear or mention belongs to that thread, also of letters that have not
//! arrived, so an answer that comes before its question is joined by it later. A letter that knows
//! ids of two threads proves that they are one (RFC 5256 "REFERENCES", step 1, without its subject
//! gathering, which joins strangers).

use crate::plan::{Known, Step, ThreadPlan, thread_ids};
use mail::Letter;

/// Chooses the thread; the oldest of several takes the others in.
pub fn choose(letter: &Letter, known: &Known, steps: &mut Vec<Step>) -> ThreadPlan {
    if let Some(seen) = known.seen {
        return ThreadPlan::Join(seen.thread);
    }
    let mut ids: Vec<_> = known.threads.iter().map(|thread| thread.id).collect();
    ids.sort();
    match ids.split_first() {
        None => {
            let result = if thread_ids(letter).is_empty() { "new_without_ids" } else { "new" };
            steps.push(Step::new("thread", result, ""));
            ThreadPlan::New
        }
        Some((&id, [])) => {
            steps.push(Step::new("thread", "reply", id.to_string()));
            ThreadPlan::Join(id)
        }
        Some((&into, from)) => {
            steps.push(Step::new("thread", "merged", into.to_string()));
            ThreadPlan::Merge { into, from: from.to_vec() }
        }
    }
}
