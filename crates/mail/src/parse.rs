//! Bytes -> [`Letter`]. Cannot fail: what is wrong with a message is in its defects.
//!
//! The tree comes from [`crate::part`]; here each leaf gets its role (text, HTML, attachment), texts
//! are decoded and the header is read. Every leaf is decoded once; [`crate::open`] shares the result
//! with the storage form.
//!
//! What counts as an attachment: a leaf with a file name or disposition `attachment`, an attached
//! message, and every other leaf that is neither text nor HTML (an inline image without a name, a
//! calendar). Files with a name inside an attached message are listed after it, so that nobody has to
//! open the one to find the other, but not in a delivery report. The parts of a report that are for
//! programs (`message/delivery-status`, `text/rfc822-headers`) are not listed.

mod body;
pub(crate) mod date;
pub(crate) mod decode;
mod header;
mod inside;
pub(crate) mod uuencode;

use crate::charset::Hint;
use crate::letter::{Defect, Leaf, Letter};
use crate::part::{self, Kind, Part, Tree};
use crate::split::{self, Split};
use body::Role;
use decode::Content;

/// Attached messages within each other whose text stands in for a missing one.
const MAX_STAND_INS: usize = 3;

/// Reads any bytes.
pub fn parse(raw: &[u8]) -> Letter {
    parse_within(raw, MAX_STAND_INS)
}

fn parse_within(raw: &[u8], stand_ins: usize) -> Letter {
    let tree = part::tree(raw);
    let roles = body::roles(&tree);
    let contents = contents(raw, &tree, &roles, false);
    build(&Whole { raw, tree: &tree, roles: &roles, contents: &contents }, stand_ins)
}

/// Reads any bytes and takes them apart for storage, each part decoded once: what intake calls for
/// every message.
pub fn open(raw: &[u8]) -> (Split<'_>, Letter) {
    let tree = part::tree(raw);
    let roles = body::roles(&tree);
    let contents = contents(raw, &tree, &roles, true);
    let letter = build(&Whole { raw, tree: &tree, roles: &roles, contents: &contents }, MAX_STAND_INS);
    (split::assemble(raw, &tree, contents), letter)
}

/// The decoded bytes of attachment `index` of [`Letter::attachments`]; only that part is decoded.
pub fn attachment(raw: &[u8], index: usize) -> Option<Vec<u8>> {
    let tree = part::tree(raw);
    let roles = body::roles(&tree);
    let listed = tree.parts.iter().zip(&roles).filter(|(_, role)| role.is_attachment());
    match listed.clone().nth(index) {
        Some((part, _)) => Some(leaf_content(raw, part).bytes.into_owned()),
        None => inside::bytes_of_all(raw, &tree, &roles).nth(index - listed.count()),
    }
}

/// Gives the decoded bytes of every attachment, in the order of [`Letter::attachments`], one at a time.
pub fn each_attachment(raw: &[u8], mut take: impl FnMut(&[u8])) {
    let tree = part::tree(raw);
    let roles = body::roles(&tree);
    for (part, _) in tree.parts.iter().zip(&roles).filter(|(_, role)| role.is_attachment()) {
        take(&leaf_content(raw, part).bytes);
    }
    for bytes in inside::bytes_of_all(raw, &tree, &roles) {
        take(&bytes);
    }
}

/// A message with everything that was found out about its parts; the lists belong together.
struct Whole<'a> {
    raw: &'a [u8],
    tree: &'a Tree,
    roles: &'a [Role],
    contents: &'a [Option<Content<'a>>],
}

impl<'a> Whole<'a> {
    fn parts(&self) -> impl Iterator<Item = (&'a Part, Role, Option<&'a Content<'a>>)> + use<'a> {
        let pairs = self.tree.parts.iter().zip(self.roles).zip(self.contents);
        pairs.map(|((part, role), content)| (part, *role, content.as_ref()))
    }
}

/// Contents of the leaves a reader sees; with `deep` also of those inside attached messages that
/// will be stored on their own.
fn contents<'a>(raw: &'a [u8], tree: &Tree, roles: &[Role], deep: bool) -> Vec<Option<Content<'a>>> {
    let content = |(part, role): (&Part, &Role)| match part.kind {
        Kind::Multipart => None,
        _ if part.nesting == 0 || role.is_attachment() => Some(leaf_content(raw, part)),
        Kind::Leaf if deep => split::worth_decoding(raw, part),
        _ => None,
    };
    tree.parts.iter().zip(roles).map(content).collect()
}

fn leaf_content<'a>(raw: &'a [u8], part: &Part) -> Content<'a> {
    let encoding = match part.kind {
        // An attached message whose parts were read is not encoded, whatever it says.
        Kind::Message => decode::Encoding::Identity,
        _ => part.encoding,
    };
    decode::content(raw, part.body.clone(), encoding)
}

fn build(whole: &Whole<'_>, stand_ins: usize) -> Letter {
    let tree = whole.tree;
    let tld = header::tld(whole.raw, tree);
    let label = tree.parts.iter().find_map(|part| part.charset.as_deref());
    let hint = Hint { label, tld: tld.as_deref(), letter: None };
    let hint = Hint { letter: header::charset(tree, whole.raw, texts(whole), hint), ..hint };
    let mut letter = header::read(whole.raw, tree, hint);
    if whole.raw.is_empty() {
        letter.defects.push(Defect::Empty);
    }
    letter.content_type = tree.parts.first().map(|part| part.content_type.clone()).unwrap_or_default();
    letter.leaves = leaves(whole);
    body::read(whole, hint, &mut letter);
    if letter.text.trim().is_empty() && letter.html.is_none() && stand_ins > 0 {
        stand_in(whole, &mut letter, stand_ins - 1);
    }
    let problems = whole.contents.iter().flatten().filter_map(|content| content.defect);
    letter.defects.extend(problems);
    letter.defects.extend(structure_defects(tree));
    letter.defects.sort_unstable();
    letter.defects.dedup();
    letter
}

/// Beginnings of the texts, with their labels.
fn texts(whole: &Whole<'_>) -> impl Iterator<Item = (Option<String>, Vec<u8>)> {
    whole.parts().filter(|(_, role, _)| matches!(role, Role::Plain | Role::Html)).filter_map(
        |(part, role, content)| {
            let bytes = &content?.bytes;
            let sample = bytes.get(..header::MAX_SAMPLE_BYTES).unwrap_or(bytes);
            Some((body::label(part, role, sample), sample.to_vec()))
        },
    )
}

/// A message forwarded as an attachment with nothing written to it is read by what it forwards.
fn stand_in(whole: &Whole<'_>, letter: &mut Letter, stand_ins: usize) {
    let attached =
        whole.parts().find(|(part, role, _)| role.is_attachment() && part.nesting == 0 && part.is_message());
    if let Some((_, _, Some(content))) = attached {
        let inner = parse_within(&content.bytes, stand_ins);
        letter.text = inner.text;
        letter.html = inner.html;
    }
}

fn leaves(whole: &Whole<'_>) -> Vec<Leaf> {
    whole
        .parts()
        .filter(|(part, ..)| part.nesting == 0)
        .filter_map(|(part, _, content)| {
            let hash = content?.hash;
            Some(Leaf { content_type: part.content_type.clone(), hash })
        })
        .collect()
}

fn structure_defects(tree: &Tree) -> impl Iterator<Item = Defect> {
    let no_boundary = |part: &Part| part.kind == Kind::Leaf && part.content_type.starts_with("multipart/");
    let broken = tree.broken || tree.parts.iter().any(no_boundary);
    let found = [
        (tree.limit_reached, Defect::PartLimit),
        (broken, Defect::BrokenStructure),
        (tree.no_blank_line, Defect::NoBlankLine),
        (tree.bare_cr, Defect::BareCr),
        (tree.header_too_large, Defect::HeaderLimit),
        (tree.fields.is_empty(), Defect::NoHeader),
    ];
    found.into_iter().filter_map(|(is, defect)| is.then_some(defect))
}

#[cfg(test)]
mod tests;
