//! Files that are no parts of their own: uuencoded in a text, or in a winmail.dat.
//!
//! They are listed behind the other attachments and read again from the part they are in; what is
//! stored stays as it was sent. The winmail.dat itself stays in the list: it may hold more than we read.

use super::body::{self, Role};
use super::{leaf_content, uuencode};
use crate::letter::Attachment;
use crate::part::{self, Part, Tree};
use crate::tnef;

/// A file inside another part.
pub(super) struct File {
    name: Option<String>,
    content_type: String,
    content_id: Option<String>,
    inline: bool,
    bytes: Vec<u8>,
}

impl File {
    pub fn attachment(&self) -> Attachment {
        Attachment {
            name: self.name.clone(),
            content_type: self.content_type.clone(),
            content_id: self.content_id.clone(),
            size_bytes: self.bytes.len() as u64,
            hash: *blake3::hash(&self.bytes).as_bytes(),
            inline: self.inline,
        }
    }
}

/// What a winmail.dat holds.
pub(super) struct Opened {
    pub text: Option<String>,
    pub html: Option<String>,
    pub files: Vec<File>,
}

/// Whether a part may be a winmail.dat.
pub(super) fn is_tnef(part: &Part, role: Role) -> bool {
    role.is_attachment() && part.nesting == 0 && part.is_tnef()
}

/// Opens a winmail.dat; the files of messages embedded in it follow the message they are in.
pub(super) fn open(bytes: &[u8]) -> Option<Opened> {
    let opened = tnef::open(bytes)?;
    let mut files = Vec::new();
    list(opened.files, MAX_EMBEDDED, &mut files);
    // A message forwarded with nothing written to it is read by what it forwards.
    let bare = opened.text.is_none() && opened.html.is_none();
    let inner = || {
        files
            .iter()
            .filter(|file: &&File| file.content_type == tnef::EMBEDDED)
            .find_map(|file| tnef::open(&file.bytes))
    };
    let (text, html) = match bare.then(inner).flatten() {
        Some(inner) => (inner.text, inner.html),
        None => (opened.text, opened.html),
    };
    Some(Opened { text, html, files })
}

/// Messages within messages of a winmail.dat whose files are listed.
const MAX_EMBEDDED: usize = 3;
/// Most files listed of one winmail.dat with all that is embedded in it.
const MAX_FILES: usize = 1_000;

fn list(found: Vec<tnef::File>, depth: usize, files: &mut Vec<File>) {
    for file in found {
        if files.len() >= MAX_FILES {
            return;
        }
        let embedded = (file.content_type.as_deref() == Some(tnef::EMBEDDED) && depth > 0)
            .then(|| tnef::open(&file.bytes))
            .flatten();
        let subject = embedded.as_ref().and_then(|message| message.subject.clone());
        files.push(File {
            name: file.name.or(subject).map(|name| part::file_name(&name)).filter(|name| !name.is_empty()),
            content_type: file.content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            content_id: file.content_id,
            inline: file.inline,
            bytes: file.bytes,
        });
        list(
            embedded.map(|message| message.files).unwrap_or_default(),
            depth - usize::from(depth > 0),
            files,
        );
    }
}

/// Takes uuencoded files out of a text.
pub(super) fn take_out(text: &mut String, files: &mut Vec<File>) {
    if !text.contains("begin ") {
        return;
    }
    let mut rest = String::new();
    let mut from = 0;
    while files.len() < uuencode::MAX_BLOCKS {
        let Some(block) = uuencode::find(text.as_bytes(), from) else { break };
        rest.push_str(&text[from..block.span.start]);
        from = block.span.end;
        files.push(File {
            name: Some(part::file_name(&block.name)).filter(|name| !name.is_empty()),
            content_type: "application/octet-stream".to_owned(),
            content_id: None,
            inline: false,
            bytes: block.bytes,
        });
    }
    if from > 0 {
        rest.push_str(&text[from..]);
        *text = rest;
    }
}

/// The bytes of all files inside other parts, in the order of the letter's list.
pub(super) fn bytes_of_all(raw: &[u8], tree: &Tree, roles: &[Role]) -> impl Iterator<Item = Vec<u8>> {
    let mut files = Vec::new();
    for (part, _) in tree.parts.iter().zip(roles).filter(|(part, role)| is_tnef(part, **role)) {
        let opened = open(&leaf_content(raw, part).bytes);
        files.extend(opened.into_iter().flat_map(|opened| opened.files));
    }
    let mut from_texts = Vec::new();
    for (part, _) in tree.parts.iter().zip(roles).filter(|(_, role)| **role == Role::Plain) {
        let content = leaf_content(raw, part);
        if memchr::memmem::find(&content.bytes, b"begin ").is_some() {
            let mut text =
                body::decode(part, Role::Plain, &content.bytes, Default::default(), &mut Vec::new());
            take_out(&mut text, &mut from_texts);
        }
    }
    files.extend(from_texts);
    files.into_iter().map(|file| file.bytes)
}
