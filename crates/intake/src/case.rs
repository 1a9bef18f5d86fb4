//! What happens to a case: the first letter of a thread creates one, each later one leaves a note.

use crate::plan::{CasePlan, Direction, Known, Origin, Step};
use mail::Letter;
use model::{CaseStatus, MailboxKind, Unverified};

/// Plans what happens to a case (D1). Of several threads that turn out to be one, the oldest's case
/// goes on; `desk::receive` closes the others into it.
pub fn plan(
    letter: &Letter,
    known: &Known,
    direction: Direction,
    unverified: Option<Unverified>,
    steps: &mut Vec<Step>,
) -> CasePlan {
    if known.origin != Origin::Live {
        return CasePlan::None;
    }
    let mut threads: Vec<_> = known.threads.iter().collect();
    threads.sort_by_key(|thread| thread.id);
    if let Some(case) = threads.iter().find_map(|thread| thread.case) {
        if known.seen.is_some() {
            return CasePlan::None;
        }
        let is_asked = direction == Direction::In && unverified.is_none() && is_by_a_person(letter);
        let reopen = case.status != CaseStatus::Open && is_asked;
        let result = if reopen { "reopened" } else { "noted" };
        steps.push(Step::new("case", result, case.number.to_string()));
        return CasePlan::Note { case: case.id, reopen };
    }
    if known.mailbox.kind != MailboxKind::Group || !known.mailbox.create_cases {
        return CasePlan::None;
    }
    if direction == Direction::Out {
        steps.push(Step::new("case", "none_own_mail", ""));
        return CasePlan::None;
    }
    steps.push(Step::new("case", "created", ""));
    CasePlan::Create
}

/// A machine's answer or a bounce is noted and wakes nobody.
fn is_by_a_person(letter: &Letter) -> bool {
    mail::autoreply::reason(letter).is_none() && letter.return_path.as_deref() != Some("")
}
