//! One message: its page, its body for the frame, its bytes and files.

mod body;
mod file;
mod invitation;

use crate::App;
use crate::api::threads::MessageEntry;
use crate::extract::{Json, Path, Query, Who};
use crate::problem::Problem;
use crate::shape::Moment;
use axum::extract::State;
use axum::response::Response;
use desk::message::Marks;
use invitation::Invitation;
use mail::sanitize::{self, Images};
use model::{MessageId, OccurrenceId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message with what it says.
#[derive(Serialize, ToSchema)]
pub struct Message {
    #[serde(flatten)]
    entry: MessageEntry,
    /// Message-ID without <>; null if it has none.
    message_id: Option<String>,
    /// Message-IDs of what it answers.
    in_reply_to: Vec<String>,
    /// Message-IDs of what came before, oldest first.
    references: Vec<String>,
    /// When its writer says it was written.
    date: Option<Moment>,
    received_at: Moment,
    size_bytes: i64,
    /// The whole readable text.
    text: String,
    /// What its writer added, without quoted history and signature.
    reply_text: String,
    /// Events that it invites to, changes, answers or calls off.
    invitations: Vec<Invitation>,
    /// What the receiving server said of its sender.
    authentication: Option<String>,
    /// Why it was filed as it was, step by step.
    why: Vec<WhyStep>,
}

/// One decision of the filing.
#[derive(Serialize, ToSchema)]
pub struct WhyStep {
    /// What was decided: seen, thread, link, case.
    step: String,
    /// The outcome's word.
    result: String,
    /// What it hangs on: an id, an address, a number; may be empty.
    detail: String,
}

/// How the body is to be shown.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BodyQuery {
    /// 1: with remote pictures, which the browser loads from where they are. The sender learns of it.
    #[param(minimum = 0, maximum = 1)]
    images: Option<u8>,
}

/// Which bytes.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RawQuery {
    /// An occurrence of the message; default: its first.
    occurrence: Option<i64>,
}

/// One message with its text
#[utoipa::path(get, path = "/api/v1/messages/{id}", params(("id" = i64, Path)), responses((status = 200, body = Message)))]
pub async fn get_message(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
) -> Result<Json<Message>, Problem> {
    let mut page = desk::message::open(&app.desk, &actor, MessageId(id)).await?;
    let html = page.letter.html.take();
    let blocked = tokio::task::spawn_blocking(move || {
        html.map_or(0, |html| sanitize::safe(&html, Images::Blocked { inline: "" }).blocked_remote)
    });
    let blocked = blocked.await.map_err(anyhow::Error::from)?;
    let marks = Marks::of(&page.message);
    let message = page.message;
    Ok(Json(Message {
        message_id: Some(message.mid.clone()).filter(|mid| !mid.is_empty()),
        in_reply_to: ids(&message.in_reply_to),
        references: ids(&message.references),
        date: page.letter.date.map(|date| Moment(Time(date.at))),
        received_at: message.received_at.into(),
        size_bytes: message.size_bytes,
        text: page.letter.text,
        reply_text: page.reply_text,
        invitations: page.invitations.into_iter().map(Invitation::from).collect(),
        authentication: marks.authentication,
        why: page
            .why
            .into_iter()
            .map(|step| WhyStep { step: step.step, result: step.result, detail: step.detail })
            .collect(),
        entry: MessageEntry::of(message, blocked),
    }))
}

fn ids(divided_by_blanks: &str) -> Vec<String> {
    divided_by_blanks.split_whitespace().map(str::to_owned).collect()
}

/// The body of a message for a sandboxed frame
///
/// Sanitised HTML with a policy of its own: nothing runs, and nothing is loaded but the message's own
/// pictures and, with `images=1`, remote pictures by https. There is no image proxy: with `images=1` the
/// sender can learn the reader's network address. Plain text is shown as HTML, with quotes folded.
#[utoipa::path(get, path = "/api/v1/messages/{id}/body.html", params(("id" = i64, Path), BodyQuery), responses((status = 200, body = String, content_type = "text/html")))]
pub async fn get_message_body(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Query(query): Query<BodyQuery>,
) -> Result<Response, Problem> {
    let remote = match query.images {
        None | Some(0) => body::Remote::Blocked,
        Some(1) => body::Remote::Shown,
        Some(_) => return Err(Problem::invalid("images", "bad_value", "0 or 1")),
    };
    let page = desk::message::open(&app.desk, &actor, MessageId(id)).await?;
    let made = tokio::task::spawn_blocking(move || body::document(MessageId(id), &page.letter, remote));
    Ok(body::response(made.await.map_err(anyhow::Error::from)?, remote))
}

/// The exact bytes of a message
#[utoipa::path(get, path = "/api/v1/messages/{id}/raw", params(("id" = i64, Path), RawQuery), responses((status = 200, body = Vec<u8>, content_type = "message/rfc822")))]
pub async fn get_message_raw(
    State(app): State<App>,
    Who(actor): Who,
    Path(id): Path<i64>,
    Query(query): Query<RawQuery>,
) -> Result<Response, Problem> {
    let occurrence = query.occurrence.map(OccurrenceId);
    let bytes = desk::message::raw(&app.desk, &actor, MessageId(id), occurrence).await?;
    Ok(file::download("message/rfc822", &format!("message-{id}.eml"), bytes))
}

/// An attachment
#[utoipa::path(get, path = "/api/v1/messages/{id}/attachments/{index}", params(("id" = i64, Path), ("index" = i64, Path)), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub async fn get_attachment(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, index)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let (file, bytes) = desk::message::attachment(&app.desk, &actor, MessageId(id), index).await?;
    Ok(file::download(&file.content_type, &file.name, bytes))
}

/// A picture that belongs into the text, by its Content-ID
#[utoipa::path(get, path = "/api/v1/messages/{id}/inline/{content_id}", params(("id" = i64, Path), ("content_id" = String, Path)), responses((status = 200, body = Vec<u8>, content_type = "image/*")))]
pub async fn get_inline_picture(
    State(app): State<App>,
    Who(actor): Who,
    Path((id, content_id)): Path<(i64, String)>,
) -> Result<Response, Problem> {
    let (_, bytes) = desk::message::inline(&app.desk, &actor, MessageId(id), &content_id).await?;
    file::picture(bytes).ok_or_else(Problem::not_found)
}
