//! Opens winmail.dat: what Outlook and Exchange put around a message for their own kind (TNEF).
//!
//! [`open`] gives the attachments with their real names and the body as text or HTML. RTF bodies are
//! decompressed (MS-OXRTFCP) and turned into the HTML they carry, or into text ([`rtf`]).
//! The stream is a list of attributes (MS-OXTNEF 2.1); newer senders put everything of interest in
//! two of them, which hold MAPI properties ([`props`]), older ones use the attributes themselves.
//!
//! Nothing in the stream is trusted: lengths are checked against what is there, checksums are
//! ignored (senders get them wrong), and what follows a broken attribute is left alone with
//! `damaged` set. An embedded message is a file of type [`EMBEDDED`] that [`open`] opens in turn;
//! how deep to go is for the caller to say.
//!
//! Of meeting requests subject and time are read ([`crate::calendar`]). Not read: the recipient table,
//! the insides of OLE objects.
//! Decided against the existing crates: one knows attachments only, the other binds a GPL library
//! written in C.

mod props;
mod rtf;

use crate::charset::{self, Hint};
use crate::part;
use props::{Properties, Value};

/// First four bytes of every TNEF stream.
const SIGNATURE: u32 = 0x223e_9f78;
/// Type of a file that is a TNEF stream itself.
pub const EMBEDDED: &str = "application/ms-tnef";
/// Most attachments read.
const MAX_FILES: usize = 1_000;

/// An opened winmail.dat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tnef {
    /// Subject of the message inside.
    pub subject: Option<String>,
    /// Its class, for example `IPM.Note` or `IPM.Microsoft Mail.Note`; names meeting requests too.
    pub message_class: Option<String>,
    /// Plain body, line ends LF.
    pub text: Option<String>,
    /// HTML body, **not** sanitised.
    pub html: Option<String>,
    /// Decompressed RTF body, where there is one.
    pub rtf: Option<Vec<u8>>,
    /// When a meeting begins and ends, in microseconds since 1970-01-01 UTC.
    pub start_at: Option<i64>,
    /// See `start_at`.
    pub end_at: Option<i64>,
    /// Attached files in order.
    pub files: Vec<File>,
    /// The stream ended early or broke off; what was read before is here.
    pub damaged: bool,
}

/// A file in a winmail.dat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Name without path and control characters; the long one where there is one.
    pub name: Option<String>,
    /// `type/subtype` as the sender says, lower case.
    pub content_type: Option<String>,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Meant to be shown inside the text.
    pub inline: bool,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Opens a TNEF stream; `None` if the bytes are none.
pub fn open(bytes: &[u8]) -> Option<Tnef> {
    let mut reader = Reader { rest: bytes };
    if reader.u32()? != SIGNATURE {
        return None;
    }
    reader.u16();
    let mut stream = Stream::default();
    while !reader.rest.is_empty() {
        let Some(attribute) = reader.attribute() else {
            stream.tnef.damaged = true;
            break;
        };
        stream.add(&attribute);
    }
    Some(stream.finish())
}

/// One attribute (MS-OXTNEF 2.1.3).
struct Attribute<'a> {
    id: u32,
    data: &'a [u8],
}

/// Ids of the attributes that are read (MS-OXTNEF 2.1.3.2).
mod id {
    pub(super) const OEM_CODEPAGE: u32 = 0x0006_9007;
    pub(super) const MESSAGE_CLASS: u32 = 0x0007_8008;
    pub(super) const SUBJECT: u32 = 0x0001_8004;
    pub(super) const BODY: u32 = 0x0002_800c;
    pub(super) const MESSAGE_PROPS: u32 = 0x0006_9003;
    pub(super) const ATTACH_REND_DATA: u32 = 0x0006_9002;
    pub(super) const ATTACH_TITLE: u32 = 0x0001_8010;
    pub(super) const ATTACH_DATA: u32 = 0x0006_800f;
    pub(super) const ATTACH_PROPS: u32 = 0x0006_9005;
}

/// MAPI properties that are read.
mod tag {
    pub(super) const MESSAGE_CLASS: u16 = 0x001a;
    pub(super) const SUBJECT: u16 = 0x0037;
    pub(super) const START_DATE: u16 = 0x0060;
    pub(super) const END_DATE: u16 = 0x0061;
    pub(super) const BODY: u16 = 0x1000;
    pub(super) const RTF_COMPRESSED: u16 = 0x1009;
    pub(super) const HTML: u16 = 0x1013;
    pub(super) const DISPLAY_NAME: u16 = 0x3001;
    pub(super) const ATTACH_DATA: u16 = 0x3701;
    pub(super) const ATTACH_FILENAME: u16 = 0x3704;
    pub(super) const ATTACH_LONG_FILENAME: u16 = 0x3707;
    pub(super) const ATTACH_MIME_TAG: u16 = 0x370e;
    pub(super) const ATTACH_CONTENT_ID: u16 = 0x3712;
    pub(super) const ATTACH_FLAGS: u16 = 0x3714;
    pub(super) const INTERNET_CODEPAGE: u16 = 0x3fde;
    pub(super) const ATTACHMENT_HIDDEN: u16 = 0x7ffe;
}

/// Reads little-endian numbers and slices; `None` at the end of the bytes.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_le_bytes([b[0], b[1]]))
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// A length that is followed by as many bytes.
    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    fn attribute(&mut self) -> Option<Attribute<'a>> {
        // Level 1 is the message, 2 an attachment; the ids tell as much.
        self.take(1).filter(|level| matches!(level[0], 1 | 2))?;
        let id = self.u32()?;
        let length = self.length()?;
        let data = self.take(length)?;
        // A checksum that was cut off is no loss.
        self.u16();
        Some(Attribute { id, data })
    }
}

/// What was read so far. Text is decoded at the end: the code page may come late.
#[derive(Default)]
struct Stream<'a> {
    tnef: Tnef,
    oem_codepage: Option<u32>,
    subject: Option<&'a [u8]>,
    body: Option<&'a [u8]>,
    message: Properties<'a>,
    files: Vec<Parts<'a>>,
}

/// An attachment as it stands in the stream.
#[derive(Default)]
struct Parts<'a> {
    title: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    props: Properties<'a>,
}

impl<'a> Stream<'a> {
    fn add(&mut self, attribute: &Attribute<'a>) {
        let data = attribute.data;
        match attribute.id {
            id::OEM_CODEPAGE => self.oem_codepage = Reader { rest: data }.u32(),
            id::MESSAGE_CLASS => self.tnef.message_class = Some(ascii(data)),
            id::SUBJECT => self.subject = Some(data),
            id::BODY => self.body = Some(data),
            id::MESSAGE_PROPS => self.message = self.properties(data),
            id::ATTACH_REND_DATA if self.files.len() < MAX_FILES => self.files.push(Parts::default()),
            id::ATTACH_TITLE => self.file(|file| file.title = Some(data)),
            id::ATTACH_DATA => self.file(|file| file.data = Some(data)),
            id::ATTACH_PROPS => {
                let props = self.properties(data);
                self.file(|file| file.props = props);
            }
            _ => {}
        }
    }

    fn properties(&mut self, data: &'a [u8]) -> Properties<'a> {
        let (props, whole) = props::read(data);
        self.tnef.damaged |= !whole;
        props
    }

    fn file(&mut self, change: impl FnOnce(&mut Parts<'a>)) {
        if let Some(file) = self.files.last_mut() {
            change(file);
        }
    }

    fn finish(mut self) -> Tnef {
        let codepage = self.message.number(tag::INTERNET_CODEPAGE).or(self.oem_codepage).unwrap_or(1252);
        let oem = self.oem_codepage.unwrap_or(codepage);
        let props = &self.message;
        let tnef = &mut self.tnef;
        tnef.subject = props.text(tag::SUBJECT, oem).or(self.subject.map(|s| decode(s, oem)));
        tnef.message_class = props.text(tag::MESSAGE_CLASS, oem).or(tnef.message_class.take());
        (tnef.start_at, tnef.end_at) = (props.moment(tag::START_DATE), props.moment(tag::END_DATE));
        tnef.text = props.text(tag::BODY, oem).or(self.body.map(|b| decode(b, oem))).map(lines);
        tnef.html = html(props, codepage);
        tnef.rtf = props.bytes(tag::RTF_COMPRESSED).and_then(rtf::decompress);
        if let Some(rtf) = &tnef.rtf {
            match rtf::body(rtf) {
                rtf::Body::Html(html) => tnef.html = tnef.html.take().or(Some(html)),
                rtf::Body::Text(text) => tnef.text = tnef.text.take().or(Some(text)),
            }
        }
        tnef.text = tnef.text.take().filter(|t| !t.trim().is_empty());
        tnef.files = self.files.iter().map(|parts| parts.file(oem)).collect();
        self.tnef
    }
}

impl Parts<'_> {
    fn file(&self, codepage: u32) -> File {
        let text = |tag| self.props.text(tag, codepage);
        let name = [tag::ATTACH_LONG_FILENAME, tag::ATTACH_FILENAME]
            .into_iter()
            .find_map(text)
            .or_else(|| self.title.map(|t| decode(t, codepage)))
            .or_else(|| text(tag::DISPLAY_NAME));
        let content_id = text(tag::ATTACH_CONTENT_ID).map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
        let data = self.props.bytes(tag::ATTACH_DATA).or(self.data).unwrap_or_default();
        // Flag 4 says that the HTML body shows it (MS-OXCMSG 2.2.2.18).
        let shown = self.props.number(tag::ATTACH_FLAGS).is_some_and(|flags| flags & 4 != 0);
        let hidden = self.props.number(tag::ATTACHMENT_HIDDEN).is_some_and(|hidden| hidden & 0xff != 0);
        let embedded = data.starts_with(&SIGNATURE.to_le_bytes()).then(|| EMBEDDED.to_owned());
        let said = text(tag::ATTACH_MIME_TAG).map(|t| t.to_lowercase()).filter(|t| t.contains('/'));
        File {
            name: name.map(|name| part::file_name(&name)).filter(|name| !name.is_empty()),
            content_type: embedded.or(said),
            inline: shown || hidden,
            content_id: content_id.filter(|id| !id.is_empty()),
            bytes: data.to_vec(),
        }
    }
}

/// The HTML body: bytes in the message's code page, or a string.
fn html(props: &Properties<'_>, codepage: u32) -> Option<String> {
    match props.value(tag::HTML)? {
        Value::Bytes(bytes) => Some(decode(bytes, codepage)).filter(|html| !html.trim().is_empty()),
        _ => props.text(tag::HTML, codepage),
    }
}

fn ascii(bytes: &[u8]) -> String {
    String::from_utf8_lossy(until_nul(bytes)).into_owned()
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&b| b == 0).next().unwrap_or_default()
}

fn lines(text: String) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Text in a Windows code page, up to the first NUL.
fn decode(bytes: &[u8], codepage: u32) -> String {
    let label = label(codepage);
    charset::decode(until_nul(bytes), Hint { label: Some(&label), ..Hint::default() }).0.into_owned()
}

/// The name that charsets have elsewhere for a Windows code page.
fn label(codepage: u32) -> String {
    let name = match codepage {
        65001 => "utf-8",
        65000 => "utf-7",
        20127 => "us-ascii",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        20866 => "koi8-r",
        21866 => "koi8-u",
        50220..=50222 => "iso-2022-jp",
        51932 => "euc-jp",
        54936 => "gb18030",
        28591..=28606 => return format!("iso-8859-{}", codepage - 28590),
        874 | 1250..=1258 => return format!("windows-{codepage}"),
        _ => return format!("cp{codepage}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
