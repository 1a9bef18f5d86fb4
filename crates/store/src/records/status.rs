//! Where a case stands, and what follows from it.
//!
//! Whoever closes a case or opens one again (a person, an answer, a rule, a customer's mail, a merge) does it by these
//! statements, at once or in a batch ([`crate::filing::Writes`]), so that it has the same consequences everywhere. A
//! closed case is not out of sight until later, nobody owes its customer an answer, and it waits for nobody of its
//! team; one that is opened again begins anew.

use crate::params;
use crate::sql::{Error, Params, Tx};
use model::{CaseStatus, RecordId, Time};

const OF_CASE: &str = "UPDATE records SET status = $2, \
    closed_at = CASE WHEN $2 = 'closed' THEN COALESCE(closed_at, CAST($3 AS BIGINT)) ELSE NULL END, \
    snoozed_until = CASE WHEN $2 = 'closed' THEN NULL ELSE snoozed_until END, \
    due_at = CASE WHEN $2 = 'closed' THEN NULL ELSE due_at END, \
    overdue_at = CASE WHEN $2 = 'closed' THEN NULL ELSE overdue_at END, \
    waits_for = CASE WHEN $2 = 'closed' THEN '' ELSE waits_for END, \
    updated_at = $3, version = version + 1 WHERE id = $1";
const OF_THREADS: &str = "UPDATE threads SET case_status = $2, \
    snoozed_until = CASE WHEN $2 = 'closed' THEN NULL ELSE snoozed_until END WHERE case_id = $1";
const ANSWERED: &str = "UPDATE records SET due_at = NULL, overdue_at = NULL, \
    first_reply_at = COALESCE(first_reply_at, $2) WHERE id = $1";

/// What writes where a case and its threads stand.
pub(crate) fn standing(case: RecordId, status: CaseStatus, at: Time) -> [(&'static str, Params); 2] {
    let word = status.word();
    [(OF_CASE, params![case, word, at]), (OF_THREADS, params![case, word])]
}

/// What writes that one of us answered a case's customer.
pub(crate) fn answer(case: RecordId, at: Time) -> (&'static str, Params) {
    (ANSWERED, params![case, at])
}

/// Writes where a case stands, with what follows from it.
pub async fn set_status(tx: &mut Tx, case: RecordId, status: CaseStatus, at: Time) -> Result<(), Error> {
    for (text, params) in standing(case, status, at) {
        tx.execute(text, params).await?;
    }
    Ok(())
}
