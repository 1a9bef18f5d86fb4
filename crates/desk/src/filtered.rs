//! What filters left out of a mailbox, and filing it after all.
//!
//! It is seen by who sees the mailbox's mail: it would be mail of that mailbox. Whose own filter it was is
//! told to that person only.

use crate::mailbox::folders::visible;
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use mail::parse::parse;
use model::{MailboxId, OccurrenceId, RuleId, Time};
use store::changes::{self, Change, ChangeKind};
use store::filtered::{self, Filtered};

/// A message that a filter left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The occurrence.
    pub id: OccurrenceId,
    /// The folder's name.
    pub folder: String,
    /// The filter; `None` where it is somebody else's own.
    pub rule: Option<RuleId>,
    /// Its name; empty where it is gone.
    pub rule_name: String,
    /// The message's subject.
    pub subject: String,
    /// Who wrote it: name, or address where there is none.
    pub from: String,
    /// Its size.
    pub size_bytes: i64,
    /// When it arrived.
    pub at: Time,
}

/// What filters left out of a mailbox, newest first, and how much that is.
pub async fn list(
    desk: &Desk,
    actor: &Actor,
    mailbox: MailboxId,
    offset: u64,
    limit: u32,
) -> Result<(i64, Vec<LeftOut>), Refusal> {
    let mut sql = desk.db.snapshot().await?;
    visible(&mut sql, actor, mailbox).await?;
    let total = filtered::count(&mut sql, mailbox).await?;
    let rows = filtered::page(&mut sql, mailbox, offset, limit).await?;
    Ok((total, rows.into_iter().map(|row| left_out(actor, row)).collect()))
}

fn left_out(actor: &Actor, row: Filtered) -> LeftOut {
    let letter = parse(&row.header);
    let is_hidden = row.user.is_some() && row.user != actor.user;
    let rule = row.rule.filter(|_| !is_hidden);
    let writer = letter.from.into_iter().next().unwrap_or_default();
    LeftOut {
        id: row.id,
        folder: row.folder,
        rule: rule.as_ref().map(|(id, _)| *id),
        rule_name: rule.and_then(|(_, name)| name).unwrap_or_default(),
        subject: letter.subject,
        from: writer.name.filter(|name| !name.is_empty()).unwrap_or(writer.address),
        size_bytes: row.size_bytes,
        at: row.at,
    }
}

/// Has it filed as if there were no filters. The mailbox whose round will do it is returned.
pub async fn file_after_all(desk: &Desk, actor: &Actor, id: OccurrenceId) -> Result<MailboxId, Refusal> {
    actor.may(Verb::ChangeFolders)?;
    let mut tx = desk.db.begin().await?;
    let mailbox = filtered::mailbox_of(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    visible(&mut tx, actor, mailbox).await?;
    if !filtered::file_after_all(&mut tx, id).await? {
        return Err(Refusal::NotFound);
    }
    let change = Change { kind: ChangeKind::Mailbox, entity_id: mailbox.0, thread: None, action: "folders" };
    changes::add(&mut tx, change, desk.clock.now()).await?;
    tx.commit().await?;
    Ok(mailbox)
}
