//! One message: what it says, its bytes, its attachments.
//!
//! The text is read from the kept bytes whenever somebody looks, so a better reader shows old mail
//! better. Everything is asked for by message: whether somebody may have an attachment depends on
//! the message it came with, never on the stored part, which other messages may share.

use crate::may::{Access, Actor, Verb};
use crate::{Desk, Refusal, bytes};
use mail::Letter;
use mail::calendar::{self, Invitation};
use mail::sanitize::Images;
use model::{MessageId, OccurrenceId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::messages::{self, Attachment, Message};

/// What was found out about a message when it was filed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// It says that another message could not be delivered.
    pub bounce: bool,
    /// To whom, and why.
    pub failures: Vec<Failure>,
    /// Why it counts as an automatic answer.
    pub auto_reply: Option<String>,
    /// The mailing list it came through.
    pub list_id: Option<String>,
    /// What was wrong with it.
    pub defects: Vec<String>,
    /// What the receiving server said of its sender (Authentication-Results).
    pub authentication: Option<String>,
}

/// What a bounce says of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// Whom it speaks of.
    pub address: String,
    /// What happened: failed, delayed, delivered, relayed, expanded, complained.
    pub kind: String,
    /// Enhanced status code (RFC 3463).
    pub status: Option<String>,
    /// Whether trying again is useless.
    pub permanent: Option<bool>,
    /// What the other server said.
    pub diagnostic: Option<String>,
}

impl Marks {
    /// From the shelf. What cannot be read was not written by this program, and marks nothing.
    pub fn of(message: &Message) -> Marks {
        Marks::read(&message.marks)
    }

    /// From JSON.
    pub fn read(json: &str) -> Marks {
        serde_json::from_str(json).unwrap_or_default()
    }
}

/// One decision of the filing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was decided: seen, thread, link, case.
    pub step: String,
    /// The outcome's word.
    pub result: String,
    /// What it hangs on: an id, an address, a number; may be empty.
    #[serde(default)]
    pub detail: String,
}

/// A message with what it says.
#[derive(Clone, Debug)]
pub struct Page {
    /// What was written of it when it was filed.
    pub message: Message,
    /// What it says, read anew; attachments without their bytes.
    pub letter: Letter,
    /// What its writer added, without quoted history and signature.
    pub reply_text: String,
    /// Events it invites to, changes, answers or calls off.
    pub invitations: Vec<Invitation>,
    /// Why it was filed as it was.
    pub why: Vec<Step>,
}

/// One message.
pub async fn open(desk: &Desk, actor: &Actor, id: MessageId) -> Result<Page, Refusal> {
    let mut sql = desk.db.snapshot().await?;
    let mut message = visible(&mut sql, actor, id).await?;
    keep_places(actor, &mut message);
    let outline = bytes::outline(&mut sql, id).await?;
    drop(sql);
    // A message whose bytes were too large to take has what was filed of it, and no text.
    let outline = outline.unwrap_or_default();
    let read = move || {
        let letter = mail::parse::parse(&outline);
        let reply_text = mail::quote::reply_text(&letter.text);
        let invitations = calendar::of_letter(&outline, &letter);
        (letter, reply_text, invitations)
    };
    let (letter, reply_text, invitations) = apart(read).await?;
    let why = shown(actor, serde_json::from_str(&message.plan).unwrap_or_default());
    Ok(Page { message, letter, reply_text, invitations, why })
}

/// Of the reasons what the actor may read: not which other thread it names, nor what records are called to who does
/// not see them.
fn shown(actor: &Actor, mut why: Vec<Step>) -> Vec<Step> {
    let names_record = |step: &Step| {
        step.step == "link" && ["reply", "token", "contact_of", "several_accounts"].contains(&&*step.result)
    };
    why.retain(|step| actor.sees_records() || !names_record(step));
    if actor.mail_access() != Access::All {
        why.iter_mut().filter(|step| step.result == "merge_not_trusted").for_each(|step| step.detail.clear());
    }
    why
}

/// Messages of a thread whose remote pictures are counted: each has to be read for it.
pub const MOST_COUNTED: usize = 20;

/// Outlines to be looked through for remote pictures, once no transaction is open any more.
pub(crate) struct Counting(Vec<(MessageId, Vec<u8>)>);

/// Gathers the newest of `messages` (oldest first) that have HTML.
pub(crate) async fn blocked_remote(
    sql: &mut impl store::sql::Sql,
    messages: &[Message],
) -> Result<Counting, Refusal> {
    let newest = messages.iter().rev().filter(|message| message.has_html).take(MOST_COUNTED);
    let newest: Vec<MessageId> = newest.map(|message| message.id).collect();
    let mut outlines = Vec::with_capacity(newest.len());
    for id in newest {
        outlines.extend(bytes::outline(sql, id).await?.map(|outline| (id, outline)));
    }
    Ok(Counting(outlines))
}

impl Counting {
    /// How many remote pictures each has that are kept from loading.
    pub(crate) async fn count(self) -> Result<HashMap<MessageId, u32>, Refusal> {
        let count = |(id, outline): (MessageId, Vec<u8>)| {
            let html = mail::parse::parse(&outline).html.unwrap_or_default();
            (id, mail::sanitize::safe(&html, Images::Blocked { inline: "" }).blocked_remote)
        };
        apart(move || self.0.into_iter().map(count).collect()).await
    }
}

/// The exact bytes of a message: of its first occurrence, or of the one asked for.
pub async fn raw(
    desk: &Desk,
    actor: &Actor,
    id: MessageId,
    occurrence: Option<OccurrenceId>,
) -> Result<Vec<u8>, Refusal> {
    let mut sql = desk.db.snapshot().await?;
    visible(&mut sql, actor, id).await?;
    let found = match occurrence {
        None => bytes::of_message(&mut sql, id).await?,
        Some(occurrence) if messages::has_occurrence(&mut sql, id, occurrence).await? => {
            bytes::of_occurrence(&mut sql, occurrence).await?
        }
        Some(_) => None,
    };
    found.ok_or(Refusal::NotFound)
}

/// An attachment with its bytes, by its place among the message's attachments.
pub async fn attachment(
    desk: &Desk,
    actor: &Actor,
    id: MessageId,
    index: i64,
) -> Result<(Attachment, Vec<u8>), Refusal> {
    part(desk, actor, id, |attachment| attachment.index == index).await
}

/// A part by its Content-ID: what `cid:` in the HTML refers to.
pub async fn inline(
    desk: &Desk,
    actor: &Actor,
    id: MessageId,
    content_id: &str,
) -> Result<(Attachment, Vec<u8>), Refusal> {
    let wanted = |attachment: &Attachment| !content_id.is_empty() && attachment.content_id == content_id;
    part(desk, actor, id, wanted).await
}

async fn part(
    desk: &Desk,
    actor: &Actor,
    id: MessageId,
    wanted: impl Fn(&Attachment) -> bool,
) -> Result<(Attachment, Vec<u8>), Refusal> {
    let mut sql = desk.db.snapshot().await?;
    let message = visible(&mut sql, actor, id).await?;
    let found = message.attachments.into_iter().find(wanted).ok_or(Refusal::NotFound)?;
    let whole = bytes::of_message(&mut sql, id).await?.ok_or(Refusal::NotFound)?;
    drop(sql);
    let index = usize::try_from(found.index).map_err(|_| Refusal::NotFound)?;
    let bytes = apart(move || mail::parse::attachment(&whole, index)).await?;
    Ok((found, bytes.ok_or(Refusal::NotFound)?))
}

pub(crate) async fn visible(
    sql: &mut impl store::sql::Sql,
    actor: &Actor,
    id: MessageId,
) -> Result<Message, Refusal> {
    actor.may(Verb::ReadMail)?;
    messages::message(sql, id, &actor.mail_access()).await?.ok_or(Refusal::NotFound)
}

/// In which folders of other people's mailboxes it lies too is theirs to know.
pub(crate) fn keep_places(actor: &Actor, message: &mut Message) {
    message.places.retain(|place| actor.sees_mailbox(place.mailbox));
}

/// Reading a large message takes a while: not on a thread that answers others.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Refusal::Failed(error.into()))
}
