//! Which letters are the same: by what their writer made, never by the traces of their way.
//!
//! The fingerprint covers From, Date, Subject and every leaf with its type and decoded bytes. Trace
//! headers (Received, Delivered-To, Return-Path, Authentication-Results, X-*) are not in it, so copies
//! fetched from two mailboxes are one message. A server that encodes a part in another way on the
//! way (7-bit gateways) leaves the decoded bytes alone and so the fingerprint; one that changes line
//! ends or adds a footer makes another message: two messages shown are better than one lost.

use crate::letter::Letter;
use blake3::Hasher;

/// BLAKE3-256 of what the writer made.
pub fn fingerprint(letter: &Letter) -> [u8; 32] {
    let mut hasher = Hasher::new_derive_key("lettercase 2026 letter fingerprint v1");
    field(&mut hasher, letter.from.len().to_string().as_bytes());
    for from in &letter.from {
        field(&mut hasher, from.name.as_deref().unwrap_or_default().as_bytes());
        field(&mut hasher, from.address.as_bytes());
    }
    match letter.date {
        Some(date) => field(&mut hasher, &date.at.to_le_bytes()),
        None => field(&mut hasher, letter.headers.get("date").unwrap_or_default().as_bytes()),
    }
    field(&mut hasher, letter.subject.as_bytes());
    for leaf in &letter.leaves {
        field(&mut hasher, leaf.content_type.as_bytes());
        field(&mut hasher, &leaf.hash);
    }
    *hasher.finalize().as_bytes()
}

/// BLAKE3-256 of Message-ID and fingerprint: equal for copies of one mail. The same Message-ID with
/// other written content is another identity; so is the same content with another Message-ID.
pub fn identity(letter: &Letter) -> [u8; 32] {
    let mut hasher = Hasher::new_derive_key("lettercase 2026 letter identity v1");
    field(&mut hasher, letter.message_id.as_deref().unwrap_or_default().as_bytes());
    field(&mut hasher, &fingerprint(letter));
    *hasher.finalize().as_bytes()
}

/// Length first, so that two fields cannot run into each other.
fn field(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;

    const MAIL: &str = "Message-ID: <1@a.example>\r\nFrom: Ann <ann@a.example>\r\nDate: Mon, 5 Feb 2024 10:00:00 +0100\r\nSubject: Order\r\n\r\nTen pieces, please.\r\n";

    fn identity_of(text: &str) -> [u8; 32] {
        identity(&parse(text.as_bytes()))
    }

    #[test]
    fn copies_with_other_trace_headers_are_one() {
        let trace = "Return-Path: <x@y.example>\r\nDelivered-To: ben@b.example\r\nReceived: from c\r\nX-Spam: 1\r\nAuthentication-Results: d; spf=pass\r\n";
        assert_eq!(identity_of(MAIL), identity_of(&format!("{trace}{MAIL}")));
    }

    #[test]
    fn other_content_under_the_same_message_id_is_another() {
        for (old, new) in
            [("Ten", "Six"), ("Order", "Offer"), ("Ann ", "Eve "), ("10:00", "10:01"), ("<1@", "<2@")]
        {
            assert_ne!(identity_of(MAIL), identity_of(&MAIL.replace(old, new)), "{new}");
        }
    }

    #[test]
    fn another_transfer_encoding_of_the_same_bytes_is_the_same() {
        let encoded =
            MAIL.replace("\r\n\r\nTen", "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=54en");
        assert_eq!(identity_of(MAIL), identity_of(&encoded));
    }
}
