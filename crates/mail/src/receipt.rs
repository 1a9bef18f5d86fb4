//! Recognises read receipts (RFC 8098): a message was displayed, deleted or answered by a machine.
//!
//! A receipt is neither a bounce nor an answer: what it speaks of did arrive.

use crate::bounce;
use crate::letter::Letter;

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who had the message.
    pub recipient: Option<String>,
    /// Message-ID of the message, without angle brackets.
    pub original_message_id: Option<String>,
    /// What became of it (RFC 8098 3.2.6.2): `displayed`, `deleted`, `dispatched`, `processed`.
    pub disposition: String,
    /// The receipt was sent without its reader's doing.
    pub automatic: bool,
}

/// The receipt that a message is, if it is one. `letter` is what [`crate::parse::parse`] made of `raw`.
pub fn recognise(raw: &[u8], letter: &Letter) -> Option<Receipt> {
    const TYPE: &str = "message/disposition-notification";
    if !letter.leaves.iter().any(|leaf| leaf.content_type == TYPE) {
        return None;
    }
    let text = bounce::leaf_text(raw, letter, TYPE)?;
    let fields = bounce::fields(&text);
    let value = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let disposition = value("disposition")?.to_lowercase();
    let (mode, kind) = disposition.split_once(';').unwrap_or(("", &disposition));
    let kind = kind.trim().split(['/', ',', ' ']).next().unwrap_or_default();
    let recipient = value("original-recipient").or(value("final-recipient"));
    Some(Receipt {
        recipient: recipient.map(bounce::address_of).filter(|address| !address.is_empty()).map(str::to_owned),
        original_message_id: value("original-message-id")
            .and_then(bounce::id)
            .or_else(|| letter.in_reply_to.first().cloned()),
        disposition: kind.to_owned(),
        automatic: mode.contains("automatic"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIPT: &str = "From: ben@b.example\nTo: ann@a.example\nSubject: Read: offer\n\
        Content-Type: multipart/report; report-type=disposition-notification; boundary=x\n\n\
        --x\n\nYour message was read.\n--x\nContent-Type: message/disposition-notification\n\n\
        Reporting-UA: mail.b.example\nOriginal-Recipient: rfc822;ben@b.example\n\
        Final-Recipient: rfc822;ben@inner.b.example\nOriginal-Message-ID: <orig-1@a.example>\n\
        Disposition: manual-action/MDN-sent-manually; displayed\n\n--x--\n";

    #[test]
    fn b9_a_read_receipt_is_no_bounce_and_names_message_and_reader() {
        let letter = crate::parse::parse(RECEIPT.as_bytes());
        let receipt = recognise(RECEIPT.as_bytes(), &letter).unwrap();
        assert_eq!(receipt.recipient.as_deref(), Some("ben@b.example"));
        assert_eq!(receipt.original_message_id.as_deref(), Some("orig-1@a.example"));
        assert_eq!((receipt.disposition.as_str(), receipt.automatic), ("displayed", false));
        assert_eq!(bounce::recognise(RECEIPT.as_bytes(), &letter), None);
        assert_eq!(crate::autoreply::reason(&letter), None);
    }

    #[test]
    fn b9_a_deletion_without_reading_is_told_apart() {
        let raw = RECEIPT.replace(
            "manual-action/MDN-sent-manually; displayed",
            "automatic-action/MDN-sent-automatically; deleted/x",
        );
        let receipt = recognise(raw.as_bytes(), &crate::parse::parse(raw.as_bytes())).unwrap();
        assert_eq!((receipt.disposition.as_str(), receipt.automatic), ("deleted", true));
        let plain = b"From: ann@a.example\n\nDisposition: displayed\n";
        assert_eq!(recognise(plain, &crate::parse::parse(plain)), None);
    }
}
