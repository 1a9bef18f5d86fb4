//! What happens to a case: the first letter of a thread creates one, each later one leaves a note.
//!
//! A customer who answers opens a closed or waiting case again, and lets one out of sight be seen; machines and
//! letters of doubtful origin wake nobody. After so many days (a setting of the mailbox) a closed case is past: what is
//! written then is new work, so a new case is made, which continues the old one.

use crate::plan::{Case, CaseMaking, CasePlan, Direction, Known, Origin, RuleAction, Step};
use mail::Letter;
use model::{Action, CaseStatus, MailboxKind, Priority, Unverified};

/// Plans what happens to a case (D1, D5), with what rules that matched say of it (C3). Of several threads that turn
/// out to be one, the oldest's case goes on; `desk::receive` closes the others into it.
pub fn plan(
    letter: &Letter,
    known: &Known,
    direction: Direction,
    unverified: Option<Unverified>,
    rules: &[RuleAction],
    steps: &mut Vec<Step>,
) -> CasePlan {
    if known.origin != Origin::Live {
        return CasePlan::None;
    }
    let is_asking = direction == Direction::In && unverified.is_none() && is_by_a_person(letter);
    let mut threads: Vec<_> = known.threads.iter().collect();
    threads.sort_by_key(|thread| thread.id);
    let case = threads.iter().find_map(|thread| thread.case);
    let making = making(known, rules);
    match (case, making) {
        (Some(_), _) if known.seen.is_some() => CasePlan::None,
        (Some(case), Some(making)) if is_asking && case.status == CaseStatus::Closed && case.is_past => {
            steps.push(Step::new("case", "continued", case.number.to_string()));
            CasePlan::Create(CaseMaking { continues: Some(case.id), ..making })
        }
        (Some(case), _) => note(&case, is_asking, unverified, rules, steps),
        (None, None) => CasePlan::None,
        (None, Some(_)) if direction == Direction::Out => {
            steps.push(Step::new("case", "none_own_mail", ""));
            CasePlan::None
        }
        (None, Some(making)) => {
            steps.push(Step::new("case", "created", ""));
            CasePlan::Create(making)
        }
    }
}

/// How a case is made here, if one is: by the mailbox, or by the first rule that says so.
fn making(known: &Known, rules: &[RuleAction]) -> Option<CaseMaking> {
    let rule = rules.iter().find_map(|one| match one.action {
        Action::CreateCase { process, team, priority } => Some((process, team, priority)),
        _ => None,
    });
    let by_mailbox = known.mailbox.kind == MailboxKind::Group && known.mailbox.create_cases;
    if rule.is_none() && !by_mailbox {
        return None;
    }
    let (process, team, priority) = rule.unwrap_or_default();
    Some(CaseMaking {
        process: process.or(known.mailbox.process),
        team: team.or(known.mailbox.team),
        priority: priority.unwrap_or(Priority::Normal),
        continues: None,
    })
}

fn note(
    case: &Case,
    is_asking: bool,
    unverified: Option<Unverified>,
    rules: &[RuleAction],
    steps: &mut Vec<Step>,
) -> CasePlan {
    let reopen = is_asking && case.status != CaseStatus::Open;
    let wake = is_asking && case.snoozed && !reopen;
    let result = match (reopen, wake) {
        (true, _) => "reopened",
        (_, true) => "woken",
        _ => "noted",
    };
    steps.push(Step::new("case", result, case.number.to_string()));
    let (status, priority) = if unverified.is_none() { update(rules) } else { (None, None) };
    CasePlan::Note { case: case.id, reopen, wake, asks: is_asking, status, priority }
}

/// What rules make of the thread's case; of two the later says it.
fn update(rules: &[RuleAction]) -> (Option<CaseStatus>, Option<Priority>) {
    rules.iter().fold((None, None), |(status, priority), one| match one.action {
        Action::UpdateCase { status: new, priority: urgency } => (new.or(status), urgency.or(priority)),
        _ => (status, priority),
    })
}

/// A machine's answer or a bounce is noted and wakes nobody.
fn is_by_a_person(letter: &Letter) -> bool {
    mail::autoreply::reason(letter).is_none() && letter.return_path.as_deref() != Some("")
}
