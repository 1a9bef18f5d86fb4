//! The letter: one message as its reader understands it, in memory.
//!
//! A [`Letter`] owns everything it holds except the attachments' bytes: those are described (name,
//! type, size, hash) and fetched again with [`crate::parse::attachment`], because a page of letters
//! with their attachments would not fit the memory budget. Nothing here is safe for a browser:
//! `html` is what was sent and goes through [`crate::sanitize`] first.
//!
//! Decided against: a letter that borrows the raw bytes. Intake keeps the letter while the bytes are
//! already on their way into the database, and lifetimes through `intake` and `desk` cost more than
//! the copies of a few short strings.

use crate::headers::Headers;
use std::fmt;

/// A parsed message. Made by [`crate::parse::parse`] or [`crate::open`] for any bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Letter {
    /// First Message-ID, without angle brackets; at most 998 characters.
    pub message_id: Option<String>,
    /// Ids of In-Reply-To, in order, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// Ids of References, oldest first, without angle brackets, each once.
    pub references: Vec<String>,
    /// When the writer says it was written.
    pub date: Option<Date>,
    /// Decoded, unfolded subject; empty where there is none.
    pub subject: String,
    /// Writers. Groups are flattened, here and below.
    pub from: Vec<Address>,
    /// Who pressed the button, if not the writer.
    pub sender: Vec<Address>,
    /// Where answers should go.
    pub reply_to: Vec<Address>,
    /// Recipients.
    pub to: Vec<Address>,
    /// Recipients of a copy.
    pub cc: Vec<Address>,
    /// Recipients of a blind copy (present in sent mail only).
    pub bcc: Vec<Address>,
    /// The whole readable text, line ends LF; made from HTML where there is no plain part.
    pub text: String,
    /// All HTML body parts in order, decoded, **not** sanitised.
    pub html: Option<String>,
    /// Attached files, inline images and attached messages, in order.
    pub attachments: Vec<Attachment>,
    /// Every leaf part in order with the hash of its decoded bytes: what a fingerprint is made of.
    pub leaves: Vec<Leaf>,
    /// Id of the mailing list (List-Id between its angle brackets, else the whole value).
    pub list_id: Option<String>,
    /// Value of Auto-Submitted, lower case, without parameters.
    pub auto_submitted: Option<String>,
    /// Value of Precedence, lower case.
    pub precedence: Option<String>,
    /// Address of the topmost Return-Path; `Some("")` for the null sender `<>`.
    pub return_path: Option<String>,
    /// Authentication-Results as written (unfolded), topmost first.
    pub authentication_results: Vec<String>,
    /// All header fields of the message, decoded, in order, capped.
    pub headers: Headers,
    /// `type/subtype` of the whole message, lower case.
    pub content_type: String,
    /// What was wrong with the message, each kind once.
    pub defects: Vec<Defect>,
}

/// A moment and the zone its writer was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Microseconds since 1970-01-01 UTC.
    pub at: i64,
    /// The header's zone offset in minutes east of UTC.
    pub offset_minutes: i32,
}

impl fmt::Display for Date {
    /// RFC 3339 with the header's own offset.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.at.div_euclid(1_000_000) + i64::from(self.offset_minutes) * 60;
        let (year, month, day) = civil(local.div_euclid(86_400));
        let second = local.rem_euclid(86_400);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        write!(f, "T{:02}:{:02}", second / 3600, second / 60 % 60)?;
        write!(f, ":{:02}", second % 60)?;
        let offset = self.offset_minutes.unsigned_abs();
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", offset / 60, offset % 60)
    }
}

/// Year, month and day of a number of days since 1970-01-01 (proleptic Gregorian calendar, counted
/// in eras of 400 years that begin in March, so that the leap day is the last of its year).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A person or a machine in an address header.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Address {
    /// Display name, decoded and unquoted.
    pub name: Option<String>,
    /// `local@domain` as written; compare it with [`Address::key`].
    pub address: String,
}

impl Address {
    /// The form to compare and to index: lower case. (Local parts are case-sensitive by RFC 5321
    /// §2.4, but no mail service of today keeps two people apart by case.)
    pub fn key(&self) -> String {
        self.address.to_lowercase()
    }
}

/// A file that came with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Name as the sender gave it, control characters and path removed; an attached message is named
    /// by its subject.
    pub name: Option<String>,
    /// `type/subtype`, lower case.
    pub content_type: String,
    /// Content-ID without angle brackets: what `cid:` in the HTML refers to.
    pub content_id: Option<String>,
    /// Size of the decoded bytes.
    pub size_bytes: u64,
    /// BLAKE3-256 of the decoded bytes.
    pub hash: [u8; 32],
    /// Meant to be shown inside the text (an image in `multipart/related`, disposition `inline`).
    pub inline: bool,
}

/// A leaf of the message's tree; an attached message is one leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `type/subtype`, lower case.
    pub content_type: String,
    /// BLAKE3-256 of the decoded bytes.
    pub hash: [u8; 32],
}

macro_rules! defects {
    ($($(#[doc = $doc:literal])+ $variant:ident => $name:literal,)+) => {
        /// Something wrong with a message. Never a reason to refuse it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Defect {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Defect {
            /// Stable name, as shown to programs.
            pub fn name(self) -> &'static str {
                match self {
                    $(Defect::$variant => $name,)+
                }
            }
        }
    };
}

defects! {
    /// There are no bytes at all.
    Empty => "empty",
    /// The bytes do not begin with a header; all of it is taken as text.
    NoHeader => "no_header",
    /// The header does not end with a blank line.
    NoBlankLine => "no_blank_line",
    /// Lines end with bare CR.
    BareCr => "bare_cr",
    /// No usable Message-ID.
    MissingMessageId => "missing_message_id",
    /// No usable Date.
    MissingDate => "missing_date",
    /// No usable From.
    MissingFrom => "missing_from",
    /// A header that may come once comes more often; the first one counts.
    DuplicateHeader => "duplicate_header",
    /// 8-bit bytes in the header that are not UTF-8; their charset was guessed.
    RawHeaderBytes => "raw_header_bytes",
    /// The header is larger or has more fields than is read; the rest is kept raw only.
    HeaderLimit => "header_limit",
    /// More addresses in a header than are read.
    AddressLimit => "address_limit",
    /// More parts, or parts nested deeper, than are read; the rest is kept raw only.
    PartLimit => "part_limit",
    /// A multipart whose boundary never occurs or never closes, or a part cut in its header.
    BrokenStructure => "broken_structure",
    /// base64, quoted-printable or uuencode with invalid content.
    BrokenEncoding => "broken_encoding",
    /// A Content-Transfer-Encoding nobody defined; the part is kept as it is.
    UnknownEncoding => "unknown_encoding",
    /// Text in a charset that is unknown; it was guessed.
    UnknownCharset => "unknown_charset",
    /// Text that is not in the charset it claims; the real one was guessed.
    WrongCharset => "wrong_charset",
    /// Text with bytes that are invalid in every charset that was tried.
    BrokenText => "broken_text",
    /// Text is longer than is read; the rest is kept raw only.
    TextLimit => "text_limit",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_is_shown_with_the_offset_of_its_header() {
        let date = Date { at: 1_709_164_799_000_000, offset_minutes: 60 };
        assert_eq!(date.to_string(), "2024-02-29T00:59:59+01:00");
        let before = Date { at: -1_000_000, offset_minutes: -330 };
        assert_eq!(before.to_string(), "1969-12-31T18:29:59-05:30");
    }
}
