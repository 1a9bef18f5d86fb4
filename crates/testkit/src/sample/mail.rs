//! A mail as its writer's program sends it: headers, charset, transfer encoding, parts.
//!
//! Nothing of the crate `mail` is used: what reads our samples must not also have written them.

use super::random::Random;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use encoding_rs::{Encoding, ISO_8859_2, UTF_8, WINDOWS_1250};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// Name and address.
pub type Address = (String, String);

/// One mail before it is sent.
#[derive(Clone, Debug)]
pub struct Mail {
    pub at: Timestamp,
    pub from: Address,
    pub to: Vec<Address>,
    pub cc: Vec<Address>,
    pub subject: String,
    /// Without angle brackets; a few senders leave it away.
    pub message_id: Option<String>,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    /// Further header lines, names with values, written as they are.
    pub extra: Vec<(&'static str, String)>,
    pub body: Part,
}

/// A MIME part with its headers.
#[derive(Clone, Debug)]
pub struct Part {
    pub headers: String,
    pub body: Vec<u8>,
}

/// How text is written.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    pub charset: &'static Encoding,
    pub transfer: Transfer,
}

/// Transfer encodings of RFC 2045.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    QuotedPrintable,
    Base64,
    EightBit,
}

impl Writing {
    /// UTF-8 in quoted-printable.
    pub const PLAIN: Writing = Writing { charset: UTF_8, transfer: Transfer::QuotedPrintable };

    /// As programs of the region write: mostly UTF-8, some still in the old charsets.
    pub fn usual(random: &mut Random) -> Self {
        let charset = random.one_of(&[UTF_8, UTF_8, UTF_8, UTF_8, UTF_8, WINDOWS_1250, ISO_8859_2]);
        let transfers =
            [Transfer::QuotedPrintable, Transfer::QuotedPrintable, Transfer::Base64, Transfer::EightBit];
        Self { charset, transfer: random.one_of(&transfers) }
    }

    /// The charset asked for if it has all letters of the text, else UTF-8.
    fn charset_for(self, text: &str) -> &'static Encoding {
        let (_, _, lost) = self.charset.encode(text);
        if lost { UTF_8 } else { self.charset }
    }

    /// A text part. Lines should be below 990 bytes for [`Transfer::EightBit`].
    pub fn text(self, kind: &str, text: &str) -> Part {
        let charset = self.charset_for(text);
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let (bytes, _, _) = charset.encode(&text);
        let (name, body) = match self.transfer {
            Transfer::QuotedPrintable => ("quoted-printable", quoted_printable(&bytes)),
            Transfer::Base64 => ("base64", base64_lines(&bytes)),
            Transfer::EightBit => ("8bit", bytes.into_owned()),
        };
        let charset = charset.name().to_lowercase();
        let headers =
            format!("Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {name}\r\n");
        Part { headers, body }
    }

    /// A header's value as encoded words of RFC 2047, folded.
    pub fn words(self, text: &str) -> String {
        if text.is_ascii() {
            return text.to_owned();
        }
        let charset = self.charset_for(text);
        let mut pieces = vec![String::new()];
        for letter in text.chars() {
            if pieces.last().is_some_and(|piece| piece.len() + letter.len_utf8() > 36) {
                pieces.push(String::new());
            }
            pieces.last_mut().expect("it begins with one").push(letter);
        }
        let word = |piece: &String| {
            let (bytes, _, _) = charset.encode(piece);
            match self.transfer {
                Transfer::QuotedPrintable => format!("=?{}?Q?{}?=", charset.name(), q_word(&bytes)),
                _ => format!("=?{}?B?{}?=", charset.name(), BASE64_STANDARD.encode(&bytes)),
            }
        };
        pieces.iter().map(word).collect::<Vec<_>>().join("\r\n ")
    }
}

/// A file as an attachment. Names outside ASCII are written by RFC 2231.
pub fn attachment(name: &str, content_type: &str, content: &[u8]) -> Part {
    let parameter = match name.is_ascii() {
        true => format!("filename=\"{name}\""),
        false => format!("filename*=UTF-8''{}", percent(name)),
    };
    let headers = format!(
        "Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; {parameter}\r\n"
    );
    Part { headers, body: base64_lines(content) }
}

/// A picture that the HTML beside it shows by its content id.
pub fn inline_png(name: &str, content_id: &str, content: &[u8]) -> Part {
    let headers = format!(
        "Content-Type: image/png; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-ID: <{content_id}>\r\nContent-Disposition: inline; filename=\"{name}\"\r\n"
    );
    Part { headers, body: base64_lines(content) }
}

/// Parts as one, such as `mixed` or `alternative`, with further parameters (`; name=value`).
pub fn multipart(kind: &str, parameters: &str, parts: &[Part], random: &mut Random) -> Part {
    let boundary = format!("=_{:016x}", random.next());
    let mut body = Vec::new();
    for part in parts {
        body.extend(format!("--{boundary}\r\n{}\r\n", part.headers).as_bytes());
        body.extend(&part.body);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").as_bytes());
    let headers = format!("Content-Type: multipart/{kind}{parameters};\r\n\tboundary=\"{boundary}\"\r\n");
    Part { headers, body }
}

impl Mail {
    /// The mail as bytes, with the trace lines of its delivery to `delivered_to`, if already delivered.
    pub fn bytes(&self, writing: Writing, delivered_to: Option<&str>, random: &mut Random) -> Vec<u8> {
        let mut head = delivered_to.map(|to| self.trace(to, random)).unwrap_or_default();
        let mut line = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        if let Some(id) = &self.message_id {
            line("Message-ID", &format!("<{id}>"));
        }
        line("Date", &date(self.at));
        line("From", &addresses(writing, std::slice::from_ref(&self.from)));
        line("To", &addresses(writing, &self.to));
        if !self.cc.is_empty() {
            line("Cc", &addresses(writing, &self.cc));
        }
        line("Subject", &writing.words(&self.subject));
        if let Some(id) = &self.in_reply_to {
            line("In-Reply-To", &format!("<{id}>"));
        }
        if !self.references.is_empty() {
            let ids: Vec<_> = self.references.iter().map(|id| format!("<{id}>")).collect();
            line("References", &ids.join("\r\n\t"));
        }
        for (name, value) in &self.extra {
            line(name, value);
        }
        line("MIME-Version", "1.0");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body.headers.as_bytes());
        bytes.extend(b"\r\n");
        bytes.extend(&self.body.body);
        if !bytes.ends_with(b"\r\n") {
            bytes.extend(b"\r\n");
        }
        bytes
    }

    fn trace(&self, to: &str, random: &mut Random) -> String {
        let domain = self.from.1.rsplit('@').next().unwrap_or_default();
        let (queue, arrived) = (random.next() >> 24, date(self.at));
        format!(
            "Return-Path: <{}>\r\nDelivered-To: {to}\r\n\
             Received: from mx.acme.example\r\n\tby store.acme.example with LMTP id {:08x}\r\n\tfor <{to}>; {arrived}\r\n\
             Received: from mail.{domain} (mail.{domain} [192.0.2.{}])\r\n\tby mx.acme.example with ESMTPS id {queue:X}\r\n\tfor <{to}>; {arrived}\r\n",
            self.from.1,
            random.next() >> 32,
            random.between(1, 254),
        )
    }
}

/// A date of RFC 5322, in the winter time of Central Europe.
pub fn date(at: Timestamp) -> String {
    let zoned = at.to_zoned(TimeZone::fixed(Offset::constant(1)));
    jiff::fmt::rfc2822::to_string(&zoned).expect("our years have four digits")
}

fn addresses(writing: Writing, list: &[Address]) -> String {
    let one = |(name, address): &Address| match name.as_str() {
        "" => address.clone(),
        name if name.is_ascii() && name.contains([',', '.', '&']) => format!("\"{name}\" <{address}>"),
        name => format!("{} <{address}>", writing.words(name)),
    };
    list.iter().map(one).collect::<Vec<_>>().join(",\r\n\t")
}

/// RFC 2045 section 6.8.
pub fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let text = BASE64_STANDARD.encode(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(76).collect();
    lines.join(&b"\r\n"[..])
}

/// RFC 2045 section 6.7, of text with CRLF at its line ends.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            out.extend(b"\r\n");
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut width = 0;
        for (index, byte) in line.iter().enumerate() {
            let last = index + 1 == line.len();
            let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (*byte == b' ' && !last);
            let size = if plain { 1 } else { 3 };
            if width + size > 75 {
                out.extend(b"=\r\n");
                width = 0;
            }
            width += size;
            match plain {
                true => out.push(*byte),
                false => out.extend(format!("={byte:02X}").as_bytes()),
            }
        }
    }
    out
}

/// The `Q` encoding of RFC 2047 section 4.2.
fn q_word(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b' ' => "_".to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("={byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

fn percent(name: &str) -> String {
    let one = |byte: u8| match byte {
        b'.' | b'-' | b'_' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().map(one).collect()
}
