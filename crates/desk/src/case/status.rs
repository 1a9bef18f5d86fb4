//! A case is closed, waits, or is opened again.
//!
//! People do it on its page and by answering; both come here. What follows from it in the database is said in one place
//! (`store::records::set_status`), which the filing uses too: a rule or a customer's mail has the same consequences.

use super::{tell, tell_everybody};
use crate::Refusal;
use crate::may::Actor;
use model::{CaseStatus, RecordId, Time};
use store::records;
use store::sql::Tx;
use store::stream::StreamKind;

/// A case goes from where it stands to somewhere else: with an entry in its stream, and a change.
pub(crate) async fn set(
    tx: &mut Tx,
    actor: &Actor,
    case: RecordId,
    (from, to): (CaseStatus, CaseStatus),
    now: Time,
) -> Result<(), Refusal> {
    if from != to {
        records::set_status(tx, case, to, now).await?;
        let data = serde_json::json!({ "from": from.word(), "to": to.word() });
        tell(tx, actor, case, None, StreamKind::StatusChanged, data, now).await?;
    }
    tell_everybody(tx, case, now).await
}
