//! Folders of a mailbox as on its server: what is in them, and what people do with it.
//!
//! Each verb writes what is to be done on the server as operations, in the transaction that shows the
//! effect here: flags at once, a moved message in its new folder at once, a deleted one no longer. The
//! rounds carry the operations out; until then they win over what the server says. A message that is
//! being moved cannot be moved elsewhere meanwhile: the second wish would have to guess how the first
//! ends.
//!
//! Decided against changing the server first and showing it then: a click would wait for a stranger's
//! server, and without one there would be no inbox.

use crate::may::{Access, Actor, Verb};
use crate::people::invalid;
use crate::{Desk, Refusal, rule};
use model::{
    Flag, FlagChange, Flags, FolderId, MailboxId, MailboxKind, MailboxMode, OccurrenceId, Protocol, Time,
    UserId,
};
use std::collections::BTreeMap;
use store::changes::{self, Change, ChangeKind};
use store::folders::contents::{self, FolderMessage, Item, ListedFolder};
use store::folders::{self, synchronised};
use store::mailboxes::{self, Mailbox};
use store::operations::{self, Act, FailedOperation, NewOperation};
use store::sql::{Sql, Tx};

/// Messages that one request may change.
pub const MOST_AT_ONCE: usize = 1000;
/// The folder deleted messages go to where the server has none for it.
pub const TRASH: &str = "Trash";
/// Messages whose moving to another mailbox is written down in one transaction.
const MOVED_AT_ONCE: i64 = 500;
/// Operations that were given up and are shown.
const MOST_FAILED: i64 = 50;

/// The folders of a mailbox, and how far what was asked for is done.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The folders, by name.
    pub folders: Vec<ListedFolder>,
    /// Operations the server has not done yet.
    pub due: i64,
    /// Operations that were given up, newest first.
    pub failed: Vec<FailedOperation>,
}

/// The folders of a mailbox.
pub async fn tree(desk: &Desk, actor: &Actor, id: MailboxId) -> Result<Tree, Refusal> {
    let mut sql = desk.db.snapshot().await?;
    visible(&mut sql, actor, id).await?;
    let folders = contents::tree(&mut sql, id).await?;
    let (due, failed) = operations::state(&mut sql, id, MOST_FAILED).await?;
    Ok(Tree { folders, due, failed })
}

/// A part of a folder's messages, newest first, and how many there are.
pub async fn messages(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    folder: FolderId,
    part: (i64, i64),
) -> Result<(i64, Vec<FolderMessage>), Refusal> {
    let mut sql = desk.db.snapshot().await?;
    visible(&mut sql, actor, id).await?;
    let all = contents::tree(&mut sql, id).await?;
    let total = all.into_iter().find(|one| one.id == folder).ok_or(Refusal::NotFound)?.total;
    Ok((total, contents::messages(&mut sql, folder, part.0, part.1).await?))
}

/// Whether the actor may see a mailbox's mail.
fn sees(actor: &Actor, id: MailboxId) -> bool {
    match actor.mail_access() {
        Access::All => true,
        Access::Tokens(tokens) => tokens.contains(&format!("m{id}")),
    }
}

/// A mailbox whose mail the actor may see.
pub(crate) async fn visible(sql: &mut impl Sql, actor: &Actor, id: MailboxId) -> Result<Mailbox, Refusal> {
    actor.may(Verb::ReadMail)?;
    match sees(actor, id) {
        true => mailboxes::mailbox(sql, id).await?.ok_or(Refusal::NotFound),
        false => Err(Refusal::NotFound),
    }
}

/// Whether the actor may change what lies on the mailbox's server: its owner, or the people of its teams.
pub fn may_change(actor: &Actor, mailbox: &Mailbox) -> bool {
    match (mailbox.kind, actor.user) {
        (_, None) => true,
        (MailboxKind::Personal, user) => mailbox.owner == user,
        (MailboxKind::Group, _) => {
            actor.team_mailboxes.contains(&mailbox.id) || (mailbox.teams.is_empty() && actor.administrator)
        }
    }
}

/// A synchronised mailbox the actor may change.
async fn changeable(tx: &mut Tx, actor: &Actor, id: MailboxId) -> Result<Mailbox, Refusal> {
    operations::lock(tx, id).await?;
    let mailbox = visible(tx, actor, id).await?;
    actor.may(Verb::ChangeFolders)?;
    if !may_change(actor, &mailbox) {
        return Err(Refusal::Forbidden(
            "Only the mailbox's owner, or the people of its teams, can change what lies in it.",
        ));
    }
    match (mailbox.protocol, mailbox.mode) {
        (Protocol::Imap, MailboxMode::Synchronise) => Ok(mailbox),
        _ => Err(Refusal::conflict(
            "not_synchronised",
            "This mailbox is not synchronised: what is changed here would not change on its server. Its settings \
             can be changed to synchronise.",
        )),
    }
}

/// The items that are meant: those of the occurrences that are still there, each once.
async fn items(tx: &mut Tx, mailbox: MailboxId, ids: &[OccurrenceId]) -> Result<Vec<Item>, Refusal> {
    if ids.is_empty() || ids.len() > MOST_AT_ONCE {
        return Err(
            invalid("occurrence_ids", "one_to_most", "name 1 to 1000 messages").with("most", MOST_AT_ONCE)
        );
    }
    let mut ids = ids.to_vec();
    ids.sort();
    ids.dedup();
    let items = contents::items(tx, mailbox, &ids).await?;
    if items.is_empty() { Err(Refusal::NotFound) } else { Ok(items) }
}

async fn tell(desk: &Desk, tx: &mut Tx, id: MailboxId) -> Result<(), Refusal> {
    let change = Change { kind: ChangeKind::Mailbox, entity_id: id.0, thread: None, action: "folders" };
    changes::add(tx, change, desk.clock.now()).await?;
    Ok(())
}

/// Sets flags of messages and takes others off, here and on the server.
pub async fn flag(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    ids: &[OccurrenceId],
    change: FlagChange,
) -> Result<(), Refusal> {
    if change.add.is_empty() && change.remove.is_empty() {
        return Err(invalid("add", "required", "name a flag to set or to take off"));
    }
    if change.add.iter().any(|flag| change.remove.contains(flag)) {
        return Err(invalid("remove", "also_added", "a flag cannot be set and taken off at once"));
    }
    let mut tx = desk.db.begin().await?;
    changeable(&mut tx, actor, id).await?;
    let items = items(&mut tx, id, ids).await?;
    let changed = |item: &Item| (item.id, change.applied(item.flags));
    synchronised::set_flags(&mut tx, &items.iter().map(changed).collect::<Vec<_>>()).await?;
    let asked = items.iter().map(|item| NewOperation {
        mailbox: id,
        folder: item.folder,
        occurrence: Some(item.id),
        target: None,
        act: Act::Flag(change.clone()),
        raw: None,
        user: actor.user,
    });
    operations::add(&mut tx, &asked.collect::<Vec<_>>(), desk.clock.now()).await?;
    tell(desk, &mut tx, id).await?;
    Ok(tx.commit().await?)
}

/// Moves messages to another folder of the mailbox.
pub async fn move_to(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    ids: &[OccurrenceId],
    target: FolderId,
) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    changeable(&mut tx, actor, id).await?;
    let known = folders::get(&mut tx, target).await?.filter(|folder| folder.mailbox == id);
    known.ok_or_else(|| invalid("folder_id", "unknown", "there is no such folder in this mailbox"))?;
    let items = items(&mut tx, id, ids).await?;
    move_items(desk, &mut tx, actor, id, &items, target).await?;
    tell(desk, &mut tx, id).await?;
    Ok(tx.commit().await?)
}

async fn move_items(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    id: MailboxId,
    items: &[Item],
    target: FolderId,
) -> Result<(), Refusal> {
    stay(tx, items).await?;
    let moves = items.iter().filter(|item| item.folder != target).map(|item| NewOperation {
        mailbox: id,
        folder: item.folder,
        occurrence: Some(item.id),
        target: Some(target),
        act: Act::Move,
        raw: None,
        user: actor.user,
    });
    Ok(operations::add(tx, &moves.collect::<Vec<_>>(), desk.clock.now()).await?)
}

/// Refuses what is on its way elsewhere.
async fn stay(tx: &mut Tx, items: &[Item]) -> Result<(), Refusal> {
    let ids: Vec<OccurrenceId> = items.iter().map(|item| item.id).collect();
    match operations::leaving(tx, &ids).await?.contains(&true) {
        false => Ok(()),
        true => Err(Refusal::conflict(
            "being_moved",
            "A message is being moved on the server at this moment. Try again when it is there.",
        )),
    }
}

/// Deletes messages: they go to the deleted items. Those that are there already are deleted for good:
/// they are no longer shown here, and are removed from the server if the mailbox says so (A16). The
/// messages stay in the archive.
pub async fn delete(desk: &Desk, actor: &Actor, id: MailboxId, ids: &[OccurrenceId]) -> Result<(), Refusal> {
    let mut tx = desk.db.begin().await?;
    let mailbox = changeable(&mut tx, actor, id).await?;
    let items = items(&mut tx, id, ids).await?;
    let trash = match synchronised::special(&mut tx, id, "trash").await? {
        Some(trash) => trash,
        None => synchronised::named(&mut tx, id, TRASH).await?,
    };
    let (deleted, others): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| item.folder == trash);
    move_items(desk, &mut tx, actor, id, &others, trash).await?;
    stay(&mut tx, &deleted).await?;
    let hidden: Vec<OccurrenceId> = deleted.iter().map(|item| item.id).collect();
    synchronised::hide(&mut tx, &hidden, desk.clock.now()).await?;
    operations::drop_flags(&mut tx, &hidden, desk.clock.now()).await?;
    if mailbox.delete_on_server {
        remove(desk, &mut tx, actor, id, &deleted).await?;
    }
    tell(desk, &mut tx, id).await?;
    Ok(tx.commit().await?)
}

/// Has items removed from the server for good: one operation for each folder and numbering.
async fn remove(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    id: MailboxId,
    items: &[Item],
) -> Result<u64, Refusal> {
    let mut uids: BTreeMap<(FolderId, i64), Vec<String>> = BTreeMap::new();
    for item in items {
        uids.entry((item.folder, item.uidvalidity)).or_default().push(item.uid.to_string());
    }
    let removals = uids.into_iter().map(|((folder, uidvalidity), uids)| NewOperation {
        mailbox: id,
        folder,
        occurrence: None,
        target: None,
        act: Act::Delete { uidvalidity, uids: uids.join(",") },
        raw: None,
        user: actor.user,
    });
    let removals: Vec<NewOperation> = removals.collect();
    operations::add(tx, &removals, desk.clock.now()).await?;
    Ok(removals.len() as u64)
}

/// Has what is cleared here removed from the server too, in the transaction of the clearing: the items
/// are named by folder and UID, so their occurrences may go. Nothing if the mailbox may not delete on
/// its server.
pub async fn clear_on_server(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    mailbox: &Mailbox,
    ids: &[OccurrenceId],
) -> Result<u64, Refusal> {
    if !mailbox.delete_on_server {
        return Ok(0);
    }
    let items = contents::items(tx, mailbox.id, ids).await?;
    remove(desk, tx, actor, mailbox.id, &items).await
}

/// Adds a message to a folder on the server: a draft, for example. It is shown when the server has it.
pub async fn append(
    desk: &Desk,
    actor: &Actor,
    id: MailboxId,
    folder: FolderId,
    message: Vec<u8>,
    flags: Flags,
) -> Result<(), Refusal> {
    if message.is_empty() {
        return Err(invalid("body", "required", "send the message itself, as message/rfc822"));
    }
    let mut tx = desk.db.begin().await?;
    changeable(&mut tx, actor, id).await?;
    let known = folders::get(&mut tx, folder).await?.filter(|known| known.mailbox == id);
    known.ok_or(Refusal::NotFound)?;
    let addition = NewOperation {
        mailbox: id,
        folder,
        occurrence: None,
        target: None,
        act: Act::Append { flags: flags.list(), internal_at: desk.clock.now() },
        raw: Some(with_crlf(message)),
        user: actor.user,
    };
    operations::add(&mut tx, &[addition], desk.clock.now()).await?;
    tell(desk, &mut tx, id).await?;
    Ok(tx.commit().await?)
}

/// Puts a copy of a mail that went out through a mailbox into its folder of sent mail, in the transaction that says so,
/// where the mailbox is synchronised and its server has such a folder. Round and archive know it for a copy.
pub(crate) async fn copy_to_sent(
    desk: &Desk,
    tx: &mut Tx,
    mailbox: &Mailbox,
    user: UserId,
    raw: Vec<u8>,
) -> Result<(), store::sql::Error> {
    let is_synchronised = (mailbox.protocol, mailbox.mode) == (Protocol::Imap, MailboxMode::Synchronise);
    let outgoing = mailbox.outgoing.as_ref().map_or("", |outgoing| &outgoing.host);
    if !is_synchronised || KEEP_WHAT_THEY_SEND.contains(&outgoing) {
        return Ok(());
    }
    let Some(folder) = synchronised::special(tx, mailbox.id, "sent").await? else { return Ok(()) };
    let addition = NewOperation {
        mailbox: mailbox.id,
        folder,
        occurrence: None,
        target: None,
        act: Act::Append { flags: vec![Flag::Seen], internal_at: desk.clock.now() },
        raw: Some(raw),
        user: Some(user),
    };
    operations::add(tx, &[addition], desk.clock.now()).await
}

/// Servers that put what is sent through them into the folder of sent mail by themselves: Gmail, Microsoft 365.
const KEEP_WHAT_THEY_SEND: [&str; 3] = ["smtp.gmail.com", "smtp.office365.com", "smtp-mail.outlook.com"];

/// The message with the line ends that mail has (RFC 5322, section 2.3).
fn with_crlf(message: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 40);
    for (at, byte) in message.iter().enumerate() {
        if *byte == b'\n' && (at == 0 || message[at - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// Moves all messages of a mailbox into a folder of an IMAP mailbox (A8): each is added there with its
/// original bytes and without flags, and leaves the old mailbox when the server has it. Called again
/// after an interruption it goes on with the rest. Says how many are on their way.
pub async fn move_messages(
    desk: &Desk,
    actor: &Actor,
    from: MailboxId,
    to: MailboxId,
    to_folder: &str,
) -> Result<u64, Refusal> {
    let name = to_folder.trim();
    if name.is_empty() || name.len() > 500 || name.contains(char::is_control) {
        return Err(invalid(
            "to_folder",
            "required",
            "name a folder of the other mailbox; it is made if it is new",
        ));
    }
    let mut tx = desk.db.begin().await?;
    let source = movable(&mut tx, actor, from).await?;
    let target = movable(&mut tx, actor, to).await?;
    if source.id == target.id {
        return Err(invalid("to_mailbox_id", "same_mailbox", "choose another mailbox"));
    }
    if target.protocol != Protocol::Imap {
        return Err(invalid("to_mailbox_id", "not_imap", "messages can be moved into an IMAP mailbox only"));
    }
    check_readers(actor, &source, &target)?;
    let folder = synchronised::named(&mut tx, to, name).await?;
    tx.commit().await?;
    let (mut asked, mut after) = (0, OccurrenceId(0));
    loop {
        let mut tx = desk.db.begin().await?;
        // Asked twice at the same moment, each would be added twice.
        operations::lock(&mut tx, from).await?;
        let left = contents::left_to_move(&mut tx, from, after, MOVED_AT_ONCE).await?;
        let Some((last, _)) = left.last() else { break };
        after = *last;
        let additions = left.iter().map(|(id, at)| addition(actor, to, folder, *id, *at));
        operations::add(&mut tx, &additions.collect::<Vec<_>>(), desk.clock.now()).await?;
        tell(desk, &mut tx, from).await?;
        tx.commit().await?;
        asked += left.len() as u64;
    }
    Ok(asked)
}

fn addition(actor: &Actor, mailbox: MailboxId, folder: FolderId, id: OccurrenceId, at: Time) -> NewOperation {
    NewOperation {
        mailbox,
        folder,
        occurrence: Some(id),
        target: None,
        act: Act::Append { flags: Vec::new(), internal_at: at },
        raw: None,
        user: actor.user,
    }
}

/// A mailbox whose messages the actor may move out or in: an administrator, its owner or its keeper.
async fn movable(tx: &mut Tx, actor: &Actor, id: MailboxId) -> Result<Mailbox, Refusal> {
    let mailbox = mailboxes::mailbox(tx, id).await?.ok_or(Refusal::NotFound)?;
    let is_theirs = actor.user.is_some() && (mailbox.owner == actor.user || mailbox.keeper == actor.user);
    if actor.administrator || is_theirs { Ok(mailbox) } else { Err(Refusal::NotFound) }
}

/// Who may not read the mail may only move it to where the same people read it: keeping a mailbox is no
/// right to read it, and moving its mail into one's own would be one.
fn check_readers(actor: &Actor, from: &Mailbox, to: &Mailbox) -> Result<(), Refusal> {
    let same_people = (from.kind, from.owner, &from.teams) == (to.kind, to.owner, &to.teams);
    match same_people || sees(actor, from.id) {
        true => Ok(()),
        false => Err(Refusal::Forbidden(
            "You may not read this mailbox's mail, so you can move it only to a mailbox of the same owner or teams.",
        )),
    }
}

/// Notes that the folders of a mailbox changed on the server: for those who look at them, and for rules of one.
pub async fn changed_on_server(desk: &Desk, tx: &mut Tx, id: MailboxId) -> Result<(), Refusal> {
    rule::folders_changed(desk, tx, id).await?;
    tell(desk, tx, id).await
}
