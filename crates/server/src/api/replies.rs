//! Answers by people: what is proposed, sending one, and how far those of a thread are.

use crate::App;
use crate::extract::{Json, Path, Query, Who};
use crate::problem::Problem;
use crate::shape::{self, Moment, Person, UserName};
use axum::extract::State;
use axum::http::StatusCode;
use desk::reply::{self as verbs, Quote};
use model::{CaseStatus, MailboxId, MessageId, ThreadId};
use serde::{Deserialize, Serialize};
use store::outbox::OutboxState;
use utoipa::ToSchema;

/// What is proposed to somebody who answers.
#[derive(Serialize, ToSchema)]
pub struct ReplyProposal {
    /// The message that is answered.
    message_id: i64,
    /// The mailboxes one may send from, the proposed one first; none: one may not send.
    senders: Vec<ReplySender>,
    /// Where answers to it will go: the group's address; null: to the sender.
    reply_to: Option<Person>,
    to: Vec<Person>,
    cc: Vec<Person>,
    subject: String,
    /// What is quoted beneath.
    quoted: String,
    /// Where the thread's case stands; null: it has none.
    #[schema(value_type = Option<shape::CaseStatus>)]
    case_status: Option<CaseStatus>,
}

/// A mailbox to send from.
#[derive(Serialize, ToSchema)]
pub struct ReplySender {
    id: i64,
    name: String,
    address: String,
}

/// Which message is answered.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReplyQuery {
    /// Without one: the newest that a trusted person outside wrote.
    message: Option<i64>,
}

/// An answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReply {
    /// Plain text.
    body: String,
    /// The message that is answered; without one the proposed one.
    message_id: Option<i64>,
    /// From which mailbox; without one the proposed one.
    mailbox_id: Option<i64>,
    /// To whom; without it the proposed people.
    to: Option<Vec<Recipient>>,
    /// Without it nobody, or with `to` left out the proposed people.
    cc: Option<Vec<Recipient>>,
    /// Without one the proposed one.
    subject: Option<String>,
    /// Whether what is answered is quoted beneath. Default: true.
    quote: Option<bool>,
    /// Where the case stands then. Default: an open one waits.
    #[schema(value_type = Option<shape::CaseStatus>)]
    status: Option<CaseStatus>,
}

/// Somebody to write to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// May be empty.
    #[serde(default)]
    name: String,
    address: String,
}

/// An answer that stands in its thread and waits to be sent.
#[derive(Serialize, ToSchema)]
pub struct ReplySent {
    message_id: i64,
}

/// How far a message that was sent from here is.
#[derive(Serialize, ToSchema)]
pub struct Delivery {
    message_id: i64,
    outbox_id: i64,
    recipients: Vec<DeliveryRecipient>,
}

/// A recipient's copy.
#[derive(Serialize, ToSchema)]
pub struct DeliveryRecipient {
    address: String,
    #[schema(value_type = shape::OutboxState)]
    state: OutboxState,
    attempts: i64,
    /// When it is tried next, while it waits.
    next_at: Option<Moment>,
    /// What the server said last, or why it was not reached.
    reply: Option<String>,
}

/// Who answered a thread last.
#[derive(Serialize, ToSchema)]
pub struct ThreadAnswered {
    at: Moment,
    /// Null: it is not known which of us.
    by: Option<UserName>,
    /// Whether nobody outside has written since.
    is_last: bool,
}

/// What was sent in a thread, and whether it is answered.
#[derive(Serialize, ToSchema)]
pub struct Deliveries {
    /// The newest first.
    messages: Vec<Delivery>,
    /// Null: nobody has answered.
    answered: Option<ThreadAnswered>,
}

fn people(people: Vec<Recipient>) -> Vec<model::Person> {
    people.into_iter().map(|one| model::Person { name: one.name, address: one.address }).collect()
}

/// What is proposed to somebody who answers a thread
#[utoipa::path(get, path = "/api/v1/threads/{id}/reply", params(("id" = i64, Path), ReplyQuery), responses((status = 200, body = ReplyProposal)))]
pub async fn propose_reply(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Query(query): Query<ReplyQuery>,
) -> Result<Json<ReplyProposal>, Problem> {
    let found = verbs::propose(&app.desk, &actor, ThreadId(id), query.message.map(MessageId)).await?;
    let sender =
        |one: store::mailboxes::Mailbox| ReplySender { id: one.id.0, name: one.name, address: one.address };
    Ok(Json(ReplyProposal {
        message_id: found.message.0,
        senders: found.senders.into_iter().map(sender).collect(),
        reply_to: found.reply_to.map(Person::from),
        to: found.to.into_iter().map(Person::from).collect(),
        cc: found.cc.into_iter().map(Person::from).collect(),
        subject: found.subject,
        quoted: found.quoted,
        case_status: found.case,
    }))
}

/// Answer a thread by mail
///
/// The answer stands in the thread at once; how far it is on its way is asked with the deliveries of the thread. Its
/// Reply-To is the group's address, so what is answered to it comes to the group.
#[utoipa::path(post, path = "/api/v1/threads/{id}/reply", params(("id" = i64, Path)), request_body = NewReply, responses((status = 201, body = ReplySent)))]
pub async fn send_reply(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Json(new): Json<NewReply>,
) -> Result<(StatusCode, Json<ReplySent>), Problem> {
    let reply = verbs::NewReply {
        body: new.body,
        message: new.message_id.map(MessageId),
        mailbox: new.mailbox_id.map(MailboxId),
        to: new.to.map(people),
        cc: new.cc.map(people),
        subject: new.subject,
        quote: if new.quote.unwrap_or(true) { Quote::Whole } else { Quote::None },
        status: new.status,
    };
    let message = verbs::send(&app.desk, &actor, ThreadId(id), reply).await?;
    Ok((StatusCode::CREATED, Json(ReplySent { message_id: message.0 })))
}

/// How far what was sent in a thread is, and who answered it
#[utoipa::path(get, path = "/api/v1/threads/{id}/deliveries", params(("id" = i64, Path)), responses((status = 200, body = Deliveries)))]
pub async fn list_deliveries(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Deliveries>, Problem> {
    let (sent, answered) = verbs::deliveries(&app.desk, &actor, ThreadId(id)).await?;
    let recipient = |one: store::outbox::Recipient| DeliveryRecipient {
        address: one.address,
        state: one.state,
        attempts: one.attempts,
        next_at: (one.state == OutboxState::Queued).then_some(Moment(one.next_at)),
        reply: one.reply,
    };
    let messages = sent.into_iter().map(|(message, outbox, recipients)| Delivery {
        message_id: message.0,
        outbox_id: outbox.0,
        recipients: recipients.into_iter().map(recipient).collect(),
    });
    let answered = answered.map(|one| ThreadAnswered {
        at: one.at.into(),
        by: one.by.map(|(id, name)| UserName { id: id.0, name }),
        is_last: one.is_last,
    });
    Ok(Json(Deliveries { messages: messages.collect(), answered }))
}

/// Send again what failed of a message of the thread, or what nobody knows about
#[utoipa::path(post, path = "/api/v1/threads/{id}/deliveries/{outbox}/retry", params(("id" = i64, Path), ("outbox" = i64, Path)), responses((status = 202, description = "It waits to be sent.")))]
pub async fn retry_delivery(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, outbox)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    verbs::again(&app.desk, &actor, ThreadId(id), model::OutboxId(outbox)).await?;
    Ok(StatusCode::ACCEPTED)
}
