//! Sends what waits in the outbox, each recipient with an outcome of their own: several mailboxes side by side, the
//! messages of each one after the other.
//!
//! What breaks before the final dot has sent nothing and comes again by itself, later and later, for five days.
//! That the dot is about to be said is committed first; what breaks behind it is ambiguous and waits for a person.
//! A message is sent by one process at a time ([`store::sql::Db::hold`]); whoever finds one in data that nobody
//! holds knows that its sender is dead. At the start all such messages are looked at, later those that are older than
//! any server may take to answer.
//!
//! Decided against several connections to one server: one that is slow should be asked once, and must not delay the
//! others.
//!
//! The copy in the folder of sent mail is asked for when the server has taken the mail, not when it is queued: what was
//! refused never lies there as sent.

use crate::oauth::Network;
use crate::sending::server_of;
use crate::source::credentials;
use desk::Desk;
use desk::sending;
use futures_util::stream::{self, StreamExt};
use model::{GrantId, MailboxId, OperationId, Time};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;
use store::mailboxes;
use store::operations;
use store::outbox::{self, Message, OutboxState, Outcome, Recipient};
use store::point;
use wire::Stage;
use wire::smtp::{Ending, Envelope, Reply, SendError, Session, Transmitted};

/// How often the outbox is looked into even if no change was heard.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Messages that are taken at a look.
const MOST: u32 = 100;
/// Names of messages among what a process can hold.
const SENDING: i64 = 0x6f62_0000_0000_0000;
/// Whoever sends a message holds it; others go on to the next.
const SHORT: Duration = Duration::from_millis(500);
/// Waits between tries, in seconds; the last one for all that follow.
const WAITS_S: [i64; 6] = [60, 300, 900, 3_600, 7_200, 14_400];
/// Mailboxes that send at the same time.
const AT_ONCE: usize = 4;
/// A server has ten minutes to answer the final dot (RFC 5321 section 4.5.3.2.6); after this long, in seconds, whoever
/// waits for it is dead.
const LONGEST_WAIT_S: i64 = 15 * 60;
/// A message older than this, in seconds, is given up: five days (RFC 5321 section 4.5.4.1).
const GIVEN_UP_S: i64 = 5 * 86_400;

/// Sends until it is dropped. `wake` hears of mailboxes whose servers are owed a copy of what was sent.
pub async fn run(desk: &Desk, wake: impl Fn(MailboxId)) -> Infallible {
    if let Err(error) = settle_interrupted(desk).await {
        tracing::error!(%error, "messages that were being sent could not be looked at");
    }
    let mut changes = desk.db.changes_signal();
    loop {
        match send_due(desk).await {
            Ok(owed) => owed.into_iter().for_each(&wake),
            Err(error) => tracing::error!(%error, "the outbox cannot be sent now"),
        }
        let before = desk.clock.now().plus_s(-LONGEST_WAIT_S);
        if let Err(error) = settle(desk, before).await {
            tracing::error!(%error, "messages that nobody answered could not be looked at");
        }
        tokio::select! {
            // An error means that the database is closed; then there is nothing to hear.
            _ = changes.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Marks as ambiguous what somebody was sending who is no more.
pub async fn settle_interrupted(desk: &Desk) -> anyhow::Result<()> {
    settle(desk, Time(i64::MAX)).await
}

/// The same, of what was begun before a moment.
async fn settle(desk: &Desk, before: Time) -> anyhow::Result<()> {
    for id in outbox::in_data(&mut &desk.db, before).await? {
        let Ok(_held) = desk.db.hold(SENDING + id.0, SHORT).await else { continue };
        let recipients = outbox::recipients(&mut &desk.db, id).await?;
        let in_data = recipients.iter().filter(|one| one.state == OutboxState::InData);
        let why = "the program ended before the server answered";
        let outcomes: Vec<_> = in_data.map(|one| outcome(desk, one, OutboxState::Ambiguous, why)).collect();
        if !outcomes.is_empty() {
            sending::noted(desk, id, &outcomes).await?;
        }
    }
    Ok(())
}

/// Tries everything that is due, once. What fails of one mailbox does not keep the others. Gives the mailboxes that
/// something was tried through and whose servers have something to be done.
pub async fn send_due(desk: &Desk) -> anyhow::Result<Vec<MailboxId>> {
    let mut lanes: BTreeMap<Option<MailboxId>, Vec<Message>> = BTreeMap::new();
    for id in outbox::due(&mut &desk.db, desk.clock.now(), MOST).await? {
        if let Some(message) = outbox::message(&mut &desk.db, id).await? {
            lanes.entry(message.mailbox).or_default().push(message);
        }
    }
    let through: Vec<MailboxId> = lanes.keys().flatten().copied().collect();
    let lanes = lanes.into_values().map(|lane| send_lane(desk, lane));
    let ends: Vec<anyhow::Result<()>> = stream::iter(lanes).buffer_unordered(AT_ONCE).collect().await;
    ends.into_iter().collect::<anyhow::Result<()>>()?;
    let mut owed = Vec::new();
    for id in through {
        if !operations::due(&mut &desk.db, id, OperationId(0), 1).await?.is_empty() {
            owed.push(id);
        }
    }
    Ok(owed)
}

/// Sends the messages of one mailbox.
async fn send_lane(desk: &Desk, lane: Vec<Message>) -> anyhow::Result<()> {
    for message in lane {
        let Ok(_held) = desk.db.hold(SENDING + message.id.0, SHORT).await else { continue };
        let now = desk.clock.now();
        let mut due = outbox::recipients(&mut &desk.db, message.id).await?;
        due.retain(|one| one.state == OutboxState::Queued && one.next_at <= now);
        if !due.is_empty() {
            send(desk, &message, &due).await?;
        }
    }
    Ok(())
}

async fn send(desk: &Desk, message: &Message, due: &[Recipient]) -> anyhow::Result<()> {
    let (login, grant) = match sending::login_of(desk, &Network, message.mailbox).await {
        Ok(login) => login,
        Err(why) => return later(desk, message, due, &why).await,
    };
    let server = server_of(&login);
    let account = login.account.as_ref().map(|(user, credential)| credentials(user, credential));
    let mut session = match Session::connect(&server, account.as_ref()).await {
        Ok(session) => session,
        Err(error) => {
            distrust(desk, grant, &error).await?;
            return later(desk, message, due, &error.to_string()).await;
        }
    };
    point::reached("s1_signed_in");
    let raw = outbox::raw(&mut &desk.db, message.id).await?.unwrap_or_default();
    let to: Vec<_> = due.iter().map(|one| one.address.clone()).collect();
    let envelope = Envelope { from: message.envelope_from.clone(), to: to.clone() };
    let refused = match transmit(desk, &mut session, message, envelope, &raw).await? {
        Ok(transmitted) => transmitted.refused,
        Err(SendError::NoRecipient(refused)) => {
            session.quit().await;
            let outcomes: Vec<_> = refused
                .iter()
                .filter_map(|one| Some(said(desk, message, find(due, &one.address)?, &one.reply)))
                .collect();
            return Ok(sending::noted(desk, message.id, &outcomes).await?);
        }
        Err(SendError::Refused { reply, .. }) => {
            session.quit().await;
            return all_said(desk, message, due, &reply).await;
        }
        Err(SendError::Unsendable(why)) => {
            let failed = due.iter().map(|one| outcome(desk, one, OutboxState::Failed, &why.to_string()));
            return Ok(sending::noted(desk, message.id, &failed.collect::<Vec<_>>()).await?);
        }
        Err(error @ SendError::Lost { .. }) => return later(desk, message, due, &error.to_string()).await,
    };
    let outcomes: Vec<_> = refused
        .iter()
        .filter_map(|one| Some(said(desk, message, find(due, &one.address)?, &one.reply)))
        .collect();
    let accepted: Vec<Recipient> =
        due.iter().filter(|one| refused.iter().all(|no| no.address != one.address)).cloned().collect();
    let addresses: Vec<_> = accepted.iter().map(|one| one.address.clone()).collect();
    point::reached("s2_transmitted");
    sending::begun(desk, message.id, &addresses, &outcomes).await?;
    point::reached("s3_in_data");
    match session.end().await {
        Ending::Accepted(reply) => {
            point::reached("s4_taken");
            let sent: Vec<_> = accepted
                .iter()
                .map(|one| outcome(desk, one, OutboxState::Sent, &reply.to_string()))
                .collect();
            sending::noted(desk, message.id, &sent).await?;
            point::reached("s5_noted");
            session.quit().await;
            Ok(())
        }
        Ending::Refused(reply) => all_said(desk, message, &accepted, &reply).await,
        Ending::Ambiguous(why) => {
            let unknown: Vec<_> =
                accepted.iter().map(|one| outcome(desk, one, OutboxState::Ambiguous, &why)).collect();
            Ok(sending::noted(desk, message.id, &unknown).await?)
        }
    }
}

/// Hands a message over but for its end. Some servers let nobody send without a sender: then a mail that should have
/// none, so that a bounce of it comes back to nobody, has its mailbox's; a bounce is not answered there either.
async fn transmit(
    desk: &Desk,
    session: &mut Session,
    message: &Message,
    mut envelope: Envelope,
    raw: &[u8],
) -> anyhow::Result<Result<Transmitted, SendError>> {
    let first = session.transmit(&envelope, raw).await;
    let (true, Some(id)) = (envelope.from.is_empty(), message.mailbox) else { return Ok(first) };
    let Err(SendError::Refused { stage: Stage::Mail, reply }) = &first else { return Ok(first) };
    let mailbox = mailboxes::mailbox(&mut &desk.db, id).await?;
    match mailbox.filter(|_| !reply.is_temporary()) {
        Some(mailbox) => {
            envelope.from = mailbox.address;
            Ok(session.transmit(&envelope, raw).await)
        }
        None => Ok(first),
    }
}

/// A token that the server does not take is renewed before the next try.
async fn distrust(desk: &Desk, grant: Option<GrantId>, error: &wire::ConnectError) -> anyhow::Result<()> {
    match (grant, error.kind) {
        (Some(grant), wire::ConnectErrorKind::WrongPassword) => Ok(desk::grant::distrust(desk, grant).await?),
        _ => Ok(()),
    }
}

fn find<'a>(due: &'a [Recipient], address: &str) -> Option<&'a Recipient> {
    due.iter().find(|one| one.address == address)
}

/// Nothing was sent to anybody: again later.
async fn later(desk: &Desk, message: &Message, due: &[Recipient], why: &str) -> anyhow::Result<()> {
    let outcomes: Vec<_> = due.iter().map(|one| put_off(desk, message, one, why)).collect();
    Ok(sending::noted(desk, message.id, &outcomes).await?)
}

async fn all_said(desk: &Desk, message: &Message, due: &[Recipient], reply: &Reply) -> anyhow::Result<()> {
    let outcomes: Vec<_> = due.iter().map(|one| said(desk, message, one, reply)).collect();
    Ok(sending::noted(desk, message.id, &outcomes).await?)
}

/// What a refusal means for a recipient.
fn said(desk: &Desk, message: &Message, to: &Recipient, reply: &Reply) -> Outcome {
    match reply.is_temporary() {
        true => put_off(desk, message, to, &reply.to_string()),
        false => outcome(desk, to, OutboxState::Failed, &reply.to_string()),
    }
}

fn put_off(desk: &Desk, message: &Message, to: &Recipient, why: &str) -> Outcome {
    let now = desk.clock.now();
    if now >= message.created_at.plus_s(GIVEN_UP_S) {
        return outcome(desk, to, OutboxState::Failed, &format!("given up after five days: {why}"));
    }
    let tries = usize::try_from(to.attempts).unwrap_or(0).min(WAITS_S.len() - 1);
    Outcome { next_at: now.plus_s(WAITS_S[tries]), ..outcome(desk, to, OutboxState::Queued, why) }
}

fn outcome(desk: &Desk, to: &Recipient, state: OutboxState, reply: &str) -> Outcome {
    let next_at: Time = desk.clock.now();
    Outcome { address: to.address.clone(), state, reply: reply.to_owned(), next_at }
}
