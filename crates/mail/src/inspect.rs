//! What is understood of one message, as plain data for programs: the output of `lettercase inspect`.
//!
//! The keys are the product's interface; they change only with a major version.

use crate::bounce::{self, Bounce};
use crate::letter::{self, Letter};
use crate::sanitize::{self, Images};
use crate::{autoreply, parse, quote};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Without angle brackets.
    pub message_id: Option<String>,
    /// First id of In-Reply-To.
    pub in_reply_to: Option<String>,
    /// Oldest first.
    pub references: Vec<String>,
    /// RFC 3339 with the header's own offset.
    pub date: Option<String>,
    /// Decoded; empty where there is none.
    pub subject: String,
    /// Writers.
    pub from: Vec<Person>,
    /// Where answers go, if elsewhere.
    pub reply_to: Vec<Person>,
    /// Recipients.
    pub to: Vec<Person>,
    /// Recipients of a copy.
    pub cc: Vec<Person>,
    /// The whole readable text.
    pub text: String,
    /// Sanitised, remote content blocked.
    pub html: Option<String>,
    /// What its writer added: no quoted history, no signature.
    pub reply_text: String,
    /// Files, in order.
    pub attachments: Vec<File>,
    /// What it reports about the delivery of another message.
    pub bounce: Option<Report>,
    /// Why it is taken for an automatic reply.
    pub auto_reply: Option<&'static str>,
    /// The mailing list it came through.
    pub list_id: Option<String>,
    /// Stable names of what was wrong with it.
    pub defects: Vec<&'static str>,
}

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Display name.
    pub name: Option<String>,
    /// `local@domain`.
    pub address: String,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// As the sender named it.
    pub name: Option<String>,
    /// `type/subtype`.
    pub content_type: String,
    /// Of the decoded bytes.
    pub size_bytes: u64,
    /// Of the decoded bytes, in hex.
    pub sha256: String,
    /// Shown in the text.
    pub inline: bool,
}

/// A report about delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whom it speaks of.
    pub recipients: Vec<Recipient>,
    /// `failure`, `delay`, `success` or `complaint`.
    pub kind: &'static str,
    /// Message-ID of the message it speaks of.
    pub original_message_id: Option<String>,
    /// Subject of that message, where the report returns it.
    pub original_subject: Option<String>,
    /// Feedback-Type of a complaint (RFC 5965).
    pub feedback_type: Option<String>,
}

/// What happened for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// `local@domain`.
    pub address: String,
    /// As RFC 3464 §2.3.3 names it (`failed`, `delayed`, …), or `complained`.
    pub action: &'static str,
    /// Enhanced status code (RFC 3463).
    pub status: Option<String>,
    /// Whether trying again is useless; null where the report does not tell.
    pub permanent: Option<bool>,
    /// Whether the address itself is wrong (no such user or domain): a hard bounce.
    pub hard: bool,
}

/// Inspects any bytes; never fails.
pub fn inspect(raw: &[u8]) -> Inspection {
    let letter = parse::parse(raw);
    Inspection {
        references: letter.references.clone(),
        in_reply_to: letter.in_reply_to.first().cloned(),
        date: letter.date.map(|date| date.to_string()),
        from: people(&letter.from),
        reply_to: people(&letter.reply_to),
        to: people(&letter.to),
        cc: people(&letter.cc),
        html: letter
            .html
            .as_deref()
            .map(|html| sanitize::mail_html(html, Images::Blocked { inline: "cid:" })),
        reply_text: quote::reply_text(&letter.text),
        attachments: files(raw, &letter),
        bounce: bounce::recognise(raw, &letter).map(report),
        auto_reply: autoreply::reason(&letter),
        defects: letter.defects.iter().map(|defect| defect.name()).collect(),
        message_id: letter.message_id,
        subject: letter.subject,
        text: letter.text,
        list_id: letter.list_id,
    }
}

fn report(bounce: Bounce) -> Report {
    let recipient = |one: bounce::Recipient| Recipient {
        address: one.address,
        action: one.action.word(),
        status: one.status,
        permanent: one.permanent,
        hard: one.dead,
    };
    Report {
        kind: bounce.kind.name(),
        original_subject: bounce.original_subject().map(str::to_owned),
        feedback_type: bounce.feedback_type,
        recipients: bounce.recipients.into_iter().map(recipient).collect(),
        original_message_id: bounce.original_message_id,
    }
}

fn people(list: &[letter::Address]) -> Vec<Person> {
    let person = |one: &letter::Address| Person { name: one.name.clone(), address: one.address.clone() };
    list.iter().map(person).collect()
}

fn files(raw: &[u8], letter: &Letter) -> Vec<File> {
    let mut files: Vec<File> = Vec::with_capacity(letter.attachments.len());
    parse::each_attachment(raw, |bytes| {
        let Some(file) = letter.attachments.get(files.len()) else { return };
        files.push(File {
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            size_bytes: file.size_bytes,
            sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            inline: file.inline,
        });
    });
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn inspected(raw: &str) -> Value {
        serde_json::to_value(inspect(raw.as_bytes())).unwrap()
    }

    #[test]
    fn b10_all_keys_are_there_for_any_bytes() {
        let keys = [
            "attachments",
            "auto_reply",
            "bounce",
            "cc",
            "date",
            "defects",
            "from",
            "html",
            "in_reply_to",
            "list_id",
            "message_id",
            "references",
            "reply_text",
            "reply_to",
            "subject",
            "text",
            "to",
        ];
        for raw in ["", "From: a@b.example\n\nx", "\u{0}"] {
            let value = inspected(raw);
            let mut found: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
            found.sort();
            assert_eq!(found, keys);
        }
    }

    #[test]
    fn b10_a_reply_is_shown_with_its_file_and_without_what_it_quotes() {
        let value = inspected(
            "Message-ID: <2@a.example>\nIn-Reply-To: <1@b.example>\nReferences: <0@b.example> <1@b.example>\n\
             Date: Mon, 5 Feb 2024 10:00:00 +0100\nFrom: Ann <ann@a.example>\nTo: ben@b.example\nSubject: Re: x\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\n\nYes.\n\nOn 4 Feb 2024, Ben wrote:\n> Really?\n\
             --b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=a.csv\n\n1;2\n--b--\n",
        );
        assert_eq!(value["from"], json!([{ "name": "Ann", "address": "ann@a.example" }]));
        assert_eq!(value["in_reply_to"], "1@b.example");
        assert_eq!(value["references"], json!(["0@b.example", "1@b.example"]));
        assert_eq!(value["date"], "2024-02-05T10:00:00+01:00");
        assert_eq!(value["reply_text"].as_str().unwrap().trim(), "Yes.");
        let sha256 = Sha256::digest(b"1;2").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let file = json!({ "name": "a.csv", "content_type": "text/csv", "size_bytes": 3, "sha256": sha256, "inline": false });
        assert_eq!(value["attachments"], json!([file]));
        assert_eq!(
            (&value["bounce"], &value["html"], &value["auto_reply"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
    }
}
