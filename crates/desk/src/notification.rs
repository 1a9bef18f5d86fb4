//! Telling people in the interface what they should know of.
//!
//! A notification is a word, what its sentence speaks of, and what it is about. Only its addressee sees
//! it, and only their live connections hear that there is one. Whoever makes one says nothing in it that
//! the addressee could not see by themselves. What is about threads and records goes through [`event()`], which
//! asks that, and is left out of the list for who may not see them any more.

mod event;
mod settings;

pub(crate) use event::events;
pub use event::{Event, Happened, MAIL_PAUSE_S, Subject, Ways, event};
pub use settings::{change, settings};

use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use model::{MailboxId, NotificationId, RecordId, ThreadId, UserId};
use std::collections::BTreeMap;
use store::changes::{self, Change, ChangeKind};
use store::mailboxes::Mailbox;
use store::notifications::{self, New, Notification, Sees};
use store::people;
use store::sql::{Error, Tx};

/// Notifications that are kept of one person; older ones are forgotten.
const MOST: i64 = 1_000;

/// What is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    kind: &'static str,
    mailbox: Option<MailboxId>,
    thread: Option<ThreadId>,
    record: Option<RecordId>,
    data: BTreeMap<&'static str, String>,
}

impl Notice {
    /// A notice of this kind: `mailbox_waiting_for_owner`, `mailbox_silent`, `grant_expired` …
    pub fn new(kind: &'static str) -> Notice {
        Notice { kind, ..Notice::default() }
    }

    /// The same, about a mailbox; speaks of its `name` and `address`.
    #[must_use]
    pub fn about_mailbox(self, mailbox: &Mailbox) -> Notice {
        self.at_mailbox(mailbox.id).with("name", &mailbox.name).with("address", &mailbox.address)
    }

    /// The same, leading to a mailbox.
    #[must_use]
    pub fn at_mailbox(mut self, mailbox: MailboxId) -> Notice {
        self.mailbox = Some(mailbox);
        self
    }

    /// The same, about a thread.
    #[must_use]
    pub fn about_thread(mut self, thread: ThreadId) -> Notice {
        self.thread = Some(thread);
        self
    }

    /// The same, about a record.
    #[must_use]
    pub fn about_record(mut self, record: RecordId) -> Notice {
        self.record = Some(record);
        self
    }

    /// The same, speaking of `value` by this name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Notice {
        self.data.insert(name, value.to_string());
        self
    }
}

/// Tells one person.
pub async fn tell(desk: &Desk, tx: &mut Tx, user: UserId, notice: &Notice) -> Result<(), Error> {
    let data = serde_json::to_string(&notice.data).map_err(|error| Error::Other(error.to_string()))?;
    let new = New {
        user,
        kind: notice.kind,
        mailbox: notice.mailbox,
        thread: notice.thread,
        record: notice.record,
        data,
        count: 1,
        mailed_at: None,
        read_at: None,
        at: desk.clock.now(),
    };
    let id = notifications::add(tx, vec![new]).await?;
    notifications::trim(tx, [user], MOST).await?;
    changed(desk, tx, id, "added").await?;
    crate::sending::notice::queue(desk, tx, user, notice.kind, &notice.data).await
}

/// Tells all who look after a mailbox: its owner, its keeper, and the administrators where it has
/// neither. Each hears of it once.
pub async fn tell_keepers(desk: &Desk, tx: &mut Tx, mailbox: &Mailbox, notice: &Notice) -> Result<(), Error> {
    let mut people: Vec<UserId> = mailbox.owner.into_iter().chain(mailbox.keeper).collect();
    if people.is_empty() {
        people = people::administrators(tx).await?;
    }
    people.sort();
    people.dedup();
    for user in people {
        tell(desk, tx, user, notice).await?;
    }
    Ok(())
}

async fn changed(desk: &Desk, tx: &mut Tx, id: NotificationId, action: &'static str) -> Result<(), Error> {
    changed_many(desk, tx, [id], action).await
}

async fn changed_many(
    desk: &Desk,
    tx: &mut Tx,
    ids: impl IntoIterator<Item = NotificationId>,
    action: &'static str,
) -> Result<(), Error> {
    let change =
        |id: NotificationId| Change { kind: ChangeKind::Notification, entity_id: id.0, thread: None, action };
    changes::add_many(tx, ids.into_iter().map(change).collect(), desk.clock.now()).await.map(drop)
}

/// Somebody's notifications, the newest first; how many there are, and how many are unread.
pub async fn page(
    desk: &Desk,
    actor: &Actor,
    offset: u64,
    limit: u32,
) -> Result<(i64, i64, Vec<Notification>), Refusal> {
    actor.may(Verb::ReadNotifications)?;
    let user = actor.person()?;
    let mut reader = desk.db.snapshot().await?;
    let sees = Sees { user, mail: actor.mail_access(), records: actor.records_heard() };
    let (total, unread) = notifications::counts(&mut reader, &sees).await?;
    Ok((total, unread, notifications::page(&mut reader, &sees, offset, limit).await?))
}

/// Marks those up to `id` as read.
pub async fn read(desk: &Desk, actor: &Actor, up_to: NotificationId) -> Result<(), Refusal> {
    actor.may(Verb::ReadNotifications)?;
    let user = actor.person()?;
    let mut tx = desk.db.begin().await?;
    let newest = notifications::newest(&mut tx, user, up_to).await?;
    if notifications::read(&mut tx, user, up_to, desk.clock.now()).await? > 0
        && let Some(newest) = newest
    {
        changed(desk, &mut tx, newest, "read").await?;
    }
    Ok(tx.commit().await?)
}

/// Marks what somebody was told of a thread as read: they have read the thread.
pub(crate) async fn read_of_thread(
    desk: &Desk,
    tx: &mut Tx,
    user: UserId,
    thread: ThreadId,
) -> Result<(), Error> {
    match notifications::read_of_thread(tx, user, thread, desk.clock.now()).await? {
        Some(newest) => changed(desk, tx, newest, "read").await,
        None => Ok(()),
    }
}
