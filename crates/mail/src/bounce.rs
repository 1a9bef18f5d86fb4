//! Recognises bounces: reports that a message of ours did or did not reach somebody.
//!
//! [`recognise`] reads `message/delivery-status` (RFC 3464, and RFC 6533 for its international
//! form) where there is one, and the words of the notice where there is none or where it says
//! little: qmail, exim, old Exchange, Domino and many more write for people only. Complaints
//! (RFC 5965) come out as [`Kind::Complaint`]; read receipts ([`crate::receipt`]), vacation replies
//! and ordinary mail as `None`. The header of the message it speaks of is in [`Bounce::original`],
//! wherever the report left it ([`mod@original`]).
//!
//! A notice in words is believed only from a machine (null return path, a mailer daemon as writer,
//! `X-Failed-Recipients`) and only with words of failure; a person who forwards a bounce sends no
//! bounce. Whether the bounce speaks of a message we sent is for the caller to check: anybody can
//! write one.
//!
//! Decided against a module per mail system (as the known bounce parsers do, some eighty of them):
//! the notices differ in wording, but nearly all have the address at the beginning of a line, or
//! after a word such as "to", and an SMTP reply near it.

mod code;
mod notice;
mod notification;
mod original;
mod phrases;
mod report;

pub(crate) use notice::is_from_daemon;
pub(crate) use original::id;
pub(crate) use report::{address as address_of, fields};

use crate::headers::Headers;
use crate::letter::Letter;
use crate::parse::decode;
use crate::part::{self, Part, Tree};

/// Most recipients read from one bounce.
pub const MAX_RECIPIENTS: usize = 1_000;
/// Longest diagnostic kept, in characters.
const MAX_DIAGNOSTIC_CHARS: usize = 1_000;
/// Most bytes of a returned message that are searched for its Message-ID.
const MAX_RETURNED_BYTES: usize = 256 << 10;

/// What a report says as a whole: the worst of its recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// At least one recipient was not reached, and nobody tries any more.
    Failure,
    /// Not delivered yet; the other side goes on trying.
    Delay,
    /// Delivered, relayed or expanded: a receipt.
    Success,
    /// A recipient called the message spam (ARF).
    Complaint,
}

impl Kind {
    /// Stable name, as shown to programs.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Failure => "failure",
            Kind::Delay => "delay",
            Kind::Success => "success",
            Kind::Complaint => "complaint",
        }
    }
}

/// What happened for one recipient (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Not delivered.
    Failed,
    /// Not delivered yet.
    Delayed,
    /// Delivered to the mailbox.
    Delivered,
    /// Handed on to a system that does not report.
    Relayed,
    /// Handed on to several addresses.
    Expanded,
    /// Reported as spam by the recipient.
    Complained,
}

impl Action {
    /// As RFC 3464 section 2.3.3 names it, or `complained`.
    pub fn word(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
            Action::Complained => "complained",
        }
    }
}

/// One recipient of the message that bounced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address the message was sent to, where the report tells it, else the final one.
    pub address: String,
    /// What happened.
    pub action: Action,
    /// Enhanced status code, for example `5.1.1` (RFC 3463).
    pub status: Option<String>,
    /// Whether trying again is useless (class 5), or may help (class 4); unknown without any code
    /// or words for it.
    pub permanent: Option<bool>,
    /// The address itself is wrong (no such user, no such domain): never write to it again. A full
    /// mailbox or a refused text is permanent for the message, not for the address.
    pub dead: bool,
    /// What the other server said, on one line.
    pub diagnostic: Option<String>,
}

/// A recognised report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// What it says as a whole.
    pub kind: Kind,
    /// Whom it speaks of; empty where it does not tell.
    pub recipients: Vec<Recipient>,
    /// Message-ID of the message it speaks of, without angle brackets.
    pub original_message_id: Option<String>,
    /// The header of that message, decoded, as far as the report returned it; at most 200 fields.
    pub original: Headers,
    /// ENVID of that message's transaction (RFC 3461), if the report repeats it.
    pub envelope_id: Option<String>,
    /// Feedback-Type of a complaint (RFC 5965 3.1), lower case: `abuse`, `fraud`, `virus`, ….
    pub feedback_type: Option<String>,
}

impl Bounce {
    fn new(kind: Kind, recipients: Vec<Recipient>) -> Bounce {
        Bounce {
            kind,
            recipients,
            original_message_id: None,
            original: Headers::default(),
            envelope_id: None,
            feedback_type: None,
        }
    }

    /// Subject of the message it speaks of.
    pub fn original_subject(&self) -> Option<&str> {
        self.original.get("Subject")
    }

    /// Whether somebody was not reached for good.
    pub fn is_failure(&self) -> bool {
        self.kind == Kind::Failure
    }
}

/// The report that a message is, if it is one. `letter` is what [`crate::parse::parse`] made of
/// `raw`.
pub fn recognise(raw: &[u8], letter: &Letter) -> Option<Bounce> {
    let body = raw.trim_ascii_start();
    if letter.headers.iter().len() == 0 && body.len() < raw.len() {
        // Saved from a web page, mail begins with blank lines; its header is read all the same.
        return recognise(body, &crate::parse::parse(body));
    }
    if notification::is_from_sns(letter) {
        return notification::read(letter);
    }
    if is_opt_out(letter) {
        return Some(opt_out(letter));
    }
    if !may_be_report(letter) {
        return None;
    }
    let message = Message { raw, tree: part::tree(raw), letter };
    if message.leaf("message/disposition-notification").is_some() {
        return None;
    }
    if let Some(complaint) = complaint(&message) {
        return Some(complaint);
    }
    let notice = notice::Notice::read(&message);
    let report = match message.status_report() {
        Some(text) => report::read(&text),
        None if !notice.is_bounce(&message) => return None,
        // The parts may be lost, by a broken boundary or in a reply, with the report in the text.
        None => report::read(&message.letter.text),
    };
    let bounce = if report.recipients.is_empty() {
        from_notice(&notice, report.envelope_id)
    } else {
        from_report(report, &notice)
    };
    let original = message.original(&notice);
    Some(Bounce { original_message_id: message.original_id(&original, &notice), original, ..bounce })
}

/// A cheap look, so that ordinary mail is not taken apart again.
fn may_be_report(letter: &Letter) -> bool {
    let is_report = |content_type: &str| {
        let kind = content_type.strip_prefix("message/").unwrap_or("");
        matches!(kind, "delivery-status" | "global-delivery-status" | "feedback-report")
    };
    letter.leaves.iter().any(|leaf| is_report(&leaf.content_type))
        || letter.content_type == "multipart/report"
        || notice::is_from_machine(letter)
        || is_hotmail_complaint(letter)
}

fn from_report(report: report::Report, notice: &notice::Notice) -> Bounce {
    let mut recipients = report.recipients;
    let only = recipients.len() == 1;
    for recipient in &mut recipients {
        notice.complete(recipient, only);
    }
    let kind = kind_of(&recipients);
    Bounce { envelope_id: report.envelope_id, ..Bounce::new(kind, recipients) }
}

fn from_notice(notice: &notice::Notice, envelope_id: Option<String>) -> Bounce {
    let recipients = notice.recipients();
    let kind = if notice.is_delay() { Kind::Delay } else { kind_of(&recipients) };
    Bounce { envelope_id, ..Bounce::new(kind, recipients) }
}

fn kind_of(recipients: &[Recipient]) -> Kind {
    let has = |action| recipients.iter().any(|r| r.action == action);
    if recipients.is_empty() || has(Action::Failed) {
        Kind::Failure
    } else if has(Action::Delayed) {
        Kind::Delay
    } else {
        Kind::Success
    }
}

/// A spam complaint: RFC 5965, or the older form of Hotmail's, which only returns the message.
fn complaint(message: &Message<'_>) -> Option<Bounce> {
    let letter = message.letter;
    let report = message.leaf("message/feedback-report").map(|part| message.text(part));
    if report.is_none() && !is_hotmail_complaint(letter) {
        return None;
    }
    let returned = message.returned().unwrap_or_default();
    let mut fields = fields(report.as_deref().unwrap_or(""));
    fields.extend(self::fields(returned.split("\n\n").next().unwrap_or("")));
    fields.extend(letter.headers.iter().map(|(n, v)| (n.to_lowercase(), v.to_owned())));
    let named = |(name, value): &(String, String)| {
        let is =
            matches!(name.as_str(), "original-rcpt-to" | "removal-recipient" | "x-hmxmroriginalrecipient");
        is.then(|| value.trim().trim_matches(['<', '>']).to_owned())
    };
    let mut recipients: Vec<Recipient> = Vec::new();
    for address in fields.iter().filter_map(named) {
        if recipients.len() < MAX_RECIPIENTS && recipients.iter().all(|r| r.address != address) {
            recipients.push(complained(address));
        }
    }
    let feedback_type = fields.iter().find(|(name, _)| name == "feedback-type");
    Some(Bounce {
        original_message_id: message_id(&returned),
        original: original::header_in(&returned),
        feedback_type: feedback_type.map(|(_, value)| value.to_lowercase()),
        ..Bounce::new(Kind::Complaint, recipients)
    })
}

/// Apple Mail asks by a mail of its own to be taken off a list, marked as an automatic reply.
pub(crate) fn is_opt_out(letter: &Letter) -> bool {
    letter.headers.get("X-Apple-Unsubscribe").is_some_and(|v| v.trim().eq_ignore_ascii_case("true"))
}

/// The type is one that RFC 5965 7.3 leaves to practice: the sender wants no more mail.
fn opt_out(letter: &Letter) -> Bounce {
    let recipient = |address: &crate::letter::Address| complained(address.address.clone());
    let recipients = letter.from.iter().take(1).map(recipient).collect();
    let feedback_type = Some("opt-out".to_owned());
    Bounce { feedback_type, ..Bounce::new(Kind::Complaint, recipients) }
}

fn complained(address: String) -> Recipient {
    let (status, permanent, dead, diagnostic) = (None, None, false, None);
    Recipient { address, action: Action::Complained, status, permanent, dead, diagnostic }
}

/// Hotmail's complaints (JMRP) before RFC 5965: the message as it was, with a mark or in a wrapper.
fn is_hotmail_complaint(letter: &Letter) -> bool {
    let wrapped = letter.from.iter().any(|a| a.key() == "staff@hotmail.com")
        && letter.subject.starts_with("complaint about message");
    wrapped || letter.headers.has("X-HmXmrOriginalRecipient")
}

/// The text of the first part of a type.
pub(crate) fn leaf_text(raw: &[u8], letter: &Letter, content_type: &str) -> Option<String> {
    let message = Message { raw, tree: part::tree(raw), letter };
    message.leaf(content_type).map(|part| message.text(part))
}

/// A message being looked at.
struct Message<'a> {
    raw: &'a [u8],
    tree: Tree,
    letter: &'a Letter,
}

impl Message<'_> {
    /// The first part of a type that is not inside an attached message.
    fn leaf(&self, content_type: &str) -> Option<&Part> {
        self.tree.parts.iter().find(|p| p.nesting == 0 && p.content_type == content_type)
    }

    fn text(&self, part: &Part) -> String {
        let content = decode::content(self.raw, part.body.clone(), part.encoding);
        let hint = crate::charset::Hint { label: part.charset.as_deref(), ..Default::default() };
        crate::charset::decode(&content.bytes, hint).0.into_owned()
    }

    fn status_report(&self) -> Option<String> {
        let part =
            self.leaf("message/delivery-status").or_else(|| self.leaf("message/global-delivery-status"))?;
        Some(self.text(part))
    }

    /// The header, at least, of the returned message.
    fn returned(&self) -> Option<String> {
        let part = self.tree.parts.iter().skip(1).find(|p| {
            p.is_message()
                || matches!(
                    p.content_type.as_str(),
                    "text/rfc822-headers"
                        | "message/rfc822-headers"
                        | "message/global-headers"
                        | "message/partial"
                        | "text/rfc822"
                )
        })?;
        let end = part.body.end.min(part.body.start + MAX_RETURNED_BYTES);
        let content = decode::content(self.raw, part.body.start..end, part.encoding);
        Some(crate::charset::unlabelled(&content.bytes, None).0.into_owned())
    }

    /// The header of the returned message: of its part, of the copy in the notice, or of whatever in
    /// the body looks like one.
    fn original(&self, notice: &notice::Notice) -> Headers {
        let found = |text: &str| Some(original::header_in(text)).filter(|h| h.iter().len() > 0);
        let copied = || found(notice.copy()).or_else(|| found(&self.letter.text));
        self.returned().and_then(|head| found(&head)).or_else(copied).unwrap_or_default()
    }

    fn original_id(&self, original: &Headers, notice: &notice::Notice) -> Option<String> {
        let body = self.raw.get(self.tree.header_end..).unwrap_or_default();
        let body = &body[..body.len().min(MAX_RETURNED_BYTES)];
        let of_header = original.get("Message-ID").and_then(id);
        of_header
            .or_else(|| self.returned().and_then(|head| message_id(&head)))
            .or_else(|| message_id(notice.copy()))
            .or_else(|| message_id(&String::from_utf8_lossy(body)))
            .or_else(|| self.letter.in_reply_to.first().cloned())
            .or_else(|| self.letter.references.last().cloned())
    }
}

/// The id in the first Message-ID line of a text.
fn message_id(text: &str) -> Option<String> {
    // Notices indent or quote the returned header.
    let mut lines = text.lines().map(|line| line.trim_start_matches(['>', ' ', '\t']));
    while let Some(line) = lines.next() {
        let Some(name) = line.get(..11) else { continue };
        if !name.eq_ignore_ascii_case("message-id:") {
            continue;
        }
        // The id may stand on the next line (folded).
        let value = if line[11..].trim().is_empty() { lines.next()? } else { &line[11..] };
        return id(value);
    }
    None
}

/// White space collapsed, cut to what is worth keeping.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_DIAGNOSTIC_CHARS).collect()
}

#[cfg(test)]
mod tests;
