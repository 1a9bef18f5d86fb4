//! Roles of the leaves, and from them text, HTML and attachments.

use super::{Content, Whole, inside};
use crate::charset::{self, Hint};
use crate::letter::{Attachment, Defect, Letter};
use crate::part::{self, Kind, Part, Tree};

/// More text than this is kept raw only.
const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// What a part is for its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A container, or inside an attached message.
    None,
    Plain,
    Html,
    Attachment,
}

impl Role {
    pub fn is_attachment(self) -> bool {
        self == Role::Attachment
    }
}

/// The role of each part; needs no decoding.
pub(super) fn roles(tree: &Tree) -> Vec<Role> {
    let mut in_report = Vec::with_capacity(tree.parts.len());
    let mut roles = Vec::with_capacity(tree.parts.len());
    for part in &tree.parts {
        let up = part.parent.is_some_and(|up| in_report[up]);
        in_report.push(up || part.content_type == "multipart/report");
        roles.push(role(part, tree, up));
    }
    roles
}

fn role(part: &Part, tree: &Tree, in_report: bool) -> Role {
    let named = part.is_attachment() || part.name.is_some();
    match part.kind {
        Kind::Multipart => Role::None,
        _ if part.nesting > 0 && (in_report || !named) => Role::None,
        Kind::Leaf if in_report && !named && is_for_programs(part) => Role::None,
        _ if named || part.kind == Kind::Message => Role::Attachment,
        _ => leaf_role(part, tree),
    }
}

fn is_for_programs(part: &Part) -> bool {
    matches!(
        part.content_type.as_str(),
        "message/delivery-status"
            | "message/disposition-notification"
            | "message/feedback-report"
            | "message/global-delivery-status"
            | "text/rfc822-headers"
            | "message/rfc822-headers"
    )
}

fn leaf_role(part: &Part, tree: &Tree) -> Role {
    match part.content_type.as_str() {
        "text/plain" => Role::Plain,
        "text/html" | "application/xhtml+xml" => Role::Html,
        // The same text once more, for programs that show mail in their own way.
        "text/x-amp-html" | "text/watch-html" => Role::None,
        // A multipart without parts: its boundary never comes. What it holds is text for people.
        broken if broken.starts_with("multipart/") => Role::Plain,
        // The only part: better a text that looks odd than an empty message.
        "text/enriched" | "text/richtext" | "text/markdown" | "text/x-markdown" => Role::Plain,
        other if tree.parts.len() == 1 && other.starts_with("text/") && other != "text/calendar" => {
            Role::Plain
        }
        _ => Role::Attachment,
    }
}

/// Fills text, HTML and attachments of the letter.
pub(super) fn read(whole: &Whole<'_>, hint: Hint<'_>, letter: &mut Letter) {
    let (tree, roles) = (whole.tree, whole.roles);
    let mut texts: Vec<Option<String>> = Vec::with_capacity(roles.len());
    let mut files = Vec::new();
    for (part, role, content) in whole.parts() {
        let content = content.filter(|_| matches!(role, Role::Plain | Role::Html));
        let mut text = content.map(|content| decode(part, role, &content.bytes, hint, &mut letter.defects));
        if let (Some(text), Role::Plain) = (&mut text, role) {
            inside::take_out(text, &mut files);
        }
        texts.push(text);
    }
    letter.html = html(roles, &texts, &mut letter.defects);
    letter.text = text(tree, roles, texts, &mut letter.defects);
    let listed = whole.parts().filter(|(_, role, _)| role.is_attachment());
    letter.attachments =
        listed.filter_map(|(part, _, content)| Some(attachment(whole, part, content?))).collect();
    add_inside(whole, files, letter);
}

/// Lists the files inside other parts: of winmail.dat, then those that were taken out of the texts. The
/// body of a winmail.dat stands in for a missing one.
fn add_inside(whole: &Whole<'_>, from_texts: Vec<inside::File>, letter: &mut Letter) {
    for content in whole
        .parts()
        .filter(|(part, role, _)| inside::is_tnef(part, *role))
        .filter_map(|(.., content)| content)
    {
        let Some(opened) = inside::open(&content.bytes) else { continue };
        letter.html = letter.html.take().or(opened.html);
        if letter.text.trim().is_empty() {
            let from_html = || letter.html.as_deref().map(crate::html::to_text);
            letter.text = opened.text.map(|text| lf(&text)).or_else(from_html).unwrap_or_default();
        }
        letter.attachments.extend(opened.files.iter().map(inside::File::attachment));
    }
    letter.attachments.extend(from_texts.iter().map(inside::File::attachment));
}

pub(super) fn decode(
    part: &Part,
    role: Role,
    bytes: &[u8],
    hint: Hint<'_>,
    defects: &mut Vec<Defect>,
) -> String {
    let bytes = match bytes.get(..MAX_TEXT_BYTES) {
        Some(cut) if bytes.len() > MAX_TEXT_BYTES => {
            defects.push(Defect::TextLimit);
            cut
        }
        _ => bytes,
    };
    let label = label(part, role, bytes);
    let (text, defect) = charset::decode(bytes, Hint { label: label.as_deref(), ..hint });
    defects.extend(defect);
    match role {
        Role::Html => text.into_owned(),
        _ => lf(&text),
    }
}

/// The charset a text claims: in its part's header, else in its HTML.
pub(super) fn label(part: &Part, role: Role, bytes: &[u8]) -> Option<String> {
    let in_html = || (role == Role::Html).then(|| charset::html_label(bytes)).flatten();
    part.charset.clone().or_else(in_html)
}

/// Line ends become LF; NULs (no text has them) go.
fn lf(text: &str) -> String {
    if !text.contains(['\r', '\0']) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "")
}

fn html(roles: &[Role], texts: &[Option<String>], defects: &mut Vec<Defect>) -> Option<String> {
    let mut all = texts
        .iter()
        .zip(roles)
        .filter(|(_, role)| **role == Role::Html)
        .filter_map(|(text, _)| text.as_deref());
    let mut html = all.next()?.to_owned();
    for more in all {
        append(&mut html, more, defects);
    }
    Some(html)
}

fn append(out: &mut String, more: &str, defects: &mut Vec<Defect>) {
    if out.len() + more.len() > MAX_TEXT_BYTES {
        defects.push(Defect::TextLimit);
        return;
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(more);
}

/// Plain parts, and HTML parts for which no alternative says the same in plain text (a blank one,
/// as some shops send it, does not count).
fn text(tree: &Tree, roles: &[Role], texts: Vec<Option<String>>, defects: &mut Vec<Defect>) -> String {
    let mut has_plain = vec![false; tree.parts.len()];
    for (index, role) in roles.iter().enumerate() {
        let blank = texts[index].as_deref().unwrap_or_default().trim().is_empty();
        if *role == Role::Plain && !blank {
            alternatives(tree, index).for_each(|around| has_plain[around] = true);
        }
    }
    let mut out = String::new();
    for (index, text) in texts.into_iter().enumerate() {
        let Some(text) = text else { continue };
        let text = match roles[index] {
            Role::Plain => text,
            _ if alternatives(tree, index).any(|around| has_plain[around]) => continue,
            _ => crate::html::to_text(&text),
        };
        if out.trim_start().is_empty() {
            out = text;
        } else if !text.trim().is_empty() {
            append(&mut out, &text, defects);
        }
    }
    out
}

/// The `multipart/alternative`s around a part, innermost first.
fn alternatives(tree: &Tree, index: usize) -> impl Iterator<Item = usize> {
    let up = |index: &usize| tree.parts.get(*index)?.parent;
    std::iter::successors(Some(index), up)
        .skip(1)
        .take(part::MAX_DEPTH)
        .filter(|index| tree.parts[*index].content_type == "multipart/alternative")
}

fn attachment(whole: &Whole<'_>, part: &Part, content: &Content<'_>) -> Attachment {
    let name = match &part.name {
        None if part.is_message() => message_name(&content.bytes),
        name => name.clone(),
    };
    let related = part.parent.is_some_and(|up| whole.tree.parts[up].content_type == "multipart/related");
    let inline = match part.disposition.as_deref() {
        Some(disposition) => disposition == "inline" && !part.is_text(),
        None => {
            related && !part.first || part.content_id.is_some() && part.content_type.starts_with("image/")
        }
    };
    Attachment {
        name,
        content_type: part.content_type.clone(),
        content_id: part.content_id.clone().filter(|id| !id.is_empty()),
        size_bytes: content.bytes.len() as u64,
        hash: content.hash,
        inline,
    }
}

/// An attached message is named by its subject.
fn message_name(inner: &[u8]) -> Option<String> {
    let subject = subject_of(inner)?;
    let name = part::file_name(&subject.replace(['/', '\\', ':'], "-"));
    (!name.is_empty()).then(|| format!("{name}.eml"))
}

fn subject_of(message: &[u8]) -> Option<String> {
    let head = message.get(..64 * 1024).unwrap_or(message);
    let tree = part::header_only(head);
    let field = part::fields(&tree, head).find(|field| field.name.eq_ignore_ascii_case("subject"))?;
    let (text, _) = crate::headers::to_text(field.raw, Default::default());
    Some(crate::headers::decode_text(&text, Hint::default()))
}
