//! Two cases that are one piece of work.

use super::{Case, page, tell, tell_everybody, visible};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal, access};
use model::RecordId;
use store::changes::{self, Change, ChangeKind};
use store::filing;
use store::records;
use store::stream::StreamKind;

/// Makes a case part of another, which stays as it is: threads, links, notes and followers go over, answers to the
/// threads land there, and the number of the one that ends leads to it.
pub async fn merge(desk: &Desk, actor: &Actor, id: RecordId, into: RecordId) -> Result<Case, Refusal> {
    actor.may(Verb::ChangeCase)?;
    let now = desk.clock.now();
    let mut tx = desk.begin_filing().await?;
    let id = records::case_survivor(&mut tx, id).await?;
    let into = records::case_survivor(&mut tx, into).await?;
    let (record, part) = visible(&mut tx, actor, id).await?;
    let unknown = |refusal| match refusal {
        Refusal::NotFound => {
            Refusal::invalid("into", "unknown", "There is no such case, or you may not see it.")
        }
        other => other,
    };
    visible(&mut tx, actor, into).await.map_err(unknown)?;
    if id == into {
        return Err(Refusal::invalid("into", "same_case", "A case cannot be merged into itself."));
    }
    filing::merge_case(&mut tx, into, id, now).await?;
    access::refresh_record(&mut tx, into).await?;
    let data = serde_json::json!({ "number": part.number.to_string(), "record": record.name });
    tell(&mut tx, actor, into, None, StreamKind::Merged, data, now).await?;
    let gone = Change { kind: ChangeKind::Case, entity_id: id.0, thread: None, action: "merged" };
    changes::add(&mut tx, gone, now).await?;
    tell_everybody(&mut tx, into, now).await?;
    let case = page(&mut tx, actor, into).await?;
    tx.commit().await?;
    Ok(case)
}
