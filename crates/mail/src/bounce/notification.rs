//! Notifications of Amazon SES, mailed by SNS: a JSON text instead of a bounce.
//!
//! The topic wraps the event as a string in `Message`, or sends it bare. Lines longer than SMTP
//! allows were cut with `!`, a line end and a blank on the way; they are joined first.

use serde_json::{Deserializer, Value};

use super::{Action, Bounce, Kind, MAX_RECIPIENTS, Recipient, code, kind_of, one_line};
use crate::headers::Headers;
use crate::letter::Letter;

/// Most fields of the original's header.
const MAX_FIELDS: usize = 200;

/// Whether SNS sent the letter.
pub(super) fn is_from_sns(letter: &Letter) -> bool {
    letter.headers.has("x-amz-sns-message-id")
        && letter.from.iter().any(|a| a.key().ends_with("amazonaws.com"))
}

/// The report in a notification's text.
pub(super) fn read(letter: &Letter) -> Option<Bounce> {
    let text = letter.text.replace("!\r\n ", "").replace("!\n ", "");
    let outer = first_value(&text)?;
    let event = match outer["Message"].as_str() {
        Some(message) => first_value(message)?,
        None => outer,
    };
    let kind = event["notificationType"].as_str().or(event["eventType"].as_str())?;
    let recipients: Vec<Recipient> = match kind {
        "Bounce" => each(&event["bounce"]["bouncedRecipients"], bounced(&event)),
        "Delivery" => {
            let said = event["delivery"]["smtpResponse"].as_str().unwrap_or("");
            each(&event["delivery"]["recipients"], move |r| {
                Some(recipient(r.as_str()?, Action::Delivered, code::status(said), said))
            })
        }
        "Complaint" => each(&event["complaint"]["complainedRecipients"], |r| {
            Some(recipient(r["emailAddress"].as_str()?, Action::Complained, None, ""))
        }),
        _ => return None,
    };
    let original = original(&event);
    let kind = if kind == "Complaint" { Kind::Complaint } else { kind_of(&recipients) };
    Some(Bounce {
        original_message_id: original.get("Message-ID").and_then(super::original::id),
        original,
        feedback_type: event["complaint"]["complaintFeedbackType"].as_str().map(str::to_lowercase),
        ..Bounce::new(kind, recipients)
    })
}

/// The header of the message, where the topic is set to repeat it.
fn original(event: &Value) -> Headers {
    let list = event["mail"]["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pair =
        |field: &Value| Some((field["name"].as_str()?.to_owned(), field["value"].as_str()?.to_owned()));
    Headers::new(list.iter().filter_map(pair).take(MAX_FIELDS).collect())
}

fn first_value(text: &str) -> Option<Value> {
    let json = &text[text.find('{')?..];
    Deserializer::from_str(json).into_iter().next()?.ok()
}

fn each(list: &Value, read: impl Fn(&Value) -> Option<Recipient>) -> Vec<Recipient> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().take(MAX_RECIPIENTS).filter_map(read).collect()
}

/// SES says "Transient" where it gave up on a class 4 reply.
fn bounced(event: &Value) -> impl Fn(&Value) -> Option<Recipient> {
    let transient = event["bounce"]["bounceType"] == "Transient";
    move |r| {
        let said = r["diagnosticCode"].as_str().unwrap_or("");
        let status = r["status"].as_str().and_then(code::status).or_else(|| code::status(said));
        let mut bounced = recipient(r["emailAddress"].as_str()?, Action::Failed, status, said);
        let class = bounced.status.as_deref().and_then(code::class);
        bounced.permanent = Some(class.map_or(!transient, |c| c == '5'));
        bounced.dead = bounced.permanent == Some(true) && code::is_dead(bounced.status.as_deref(), said);
        Some(bounced)
    }
}

fn recipient(address: &str, action: Action, status: Option<String>, said: &str) -> Recipient {
    Recipient {
        address: address.to_owned(),
        action,
        status,
        permanent: None,
        dead: false,
        diagnostic: Some(one_line(said)).filter(|d| !d.is_empty()),
    }
}
