//! Bytes -> [`Letter`]. Cannot fail: what is wrong with a message is in its defects.
//!
//! The tree comes from [`crate::part`]; here each leaf gets its role (text, HTML, attachment), texts
//! are decoded and the header is read. Every leaf is decoded once; [`crate::open`] shares the result
//! with the storage form.
//!
//! What counts as an attachment: a leaf with a file name or disposition `attachment`, an attached
//! message (whole, its own parts are not listed), and every other leaf that is neither text nor HTML
//! (an inline image without a name, a calendar).

mod body;
pub(crate) mod decode;
mod header;
pub(crate) mod uuencode;

use crate::letter::{Defect, Leaf, Letter};
use crate::part::{self, Kind, Tree};
use crate::split::{self, Split};
use decode::Content;

/// Reads any bytes.
pub fn parse(raw: &[u8]) -> Letter {
    let tree = part::tree(raw);
    let contents = contents(raw, &tree, false);
    build(raw, &tree, &contents)
}

/// Reads any bytes and takes them apart for storage, each part decoded once: what intake calls for
/// every message.
pub fn open(raw: &[u8]) -> (Split<'_>, Letter) {
    let tree = part::tree(raw);
    let contents = contents(raw, &tree, true);
    let letter = build(raw, &tree, &contents);
    (split::assemble(raw, &tree, contents), letter)
}

/// The decoded bytes of attachment `index` of [`Letter::attachments`]; only that part is decoded.
pub fn attachment(raw: &[u8], index: usize) -> Option<Vec<u8>> {
    let tree = part::tree(raw);
    let roles = body::roles(&tree);
    let listed = roles
        .iter()
        .enumerate()
        .filter(|(_, role)| role.is_attachment());
    match listed.map(|(part, _)| part).nth(index) {
        Some(part) => Some(leaf_content(raw, &tree.parts[part]).bytes.into_owned()),
        None => {
            let files_before = roles.iter().filter(|role| role.is_attachment()).count();
            body::text_file(raw, &tree, &roles, index - files_before)
        }
    }
}

/// Contents of the leaves a reader sees; with `deep` also of those inside attached messages that
/// will be stored on their own.
fn contents<'a>(raw: &'a [u8], tree: &Tree, deep: bool) -> Vec<Option<Content<'a>>> {
    let content = |part: &part::Part| match part.kind {
        Kind::Multipart => None,
        _ if part.nesting == 0 => Some(leaf_content(raw, part)),
        Kind::Leaf if deep => split::worth_decoding(raw, part),
        _ => None,
    };
    tree.parts.iter().map(content).collect()
}

fn leaf_content<'a>(raw: &'a [u8], part: &part::Part) -> Content<'a> {
    let encoding = match part.kind {
        // An attached message whose parts were read is not encoded, whatever it says.
        Kind::Message => decode::Encoding::Identity,
        _ => part.encoding,
    };
    decode::content(raw, part.body.clone(), encoding)
}

fn build(raw: &[u8], tree: &Tree, contents: &[Option<Content<'_>>]) -> Letter {
    let mut letter = header::read(raw, tree);
    if raw.is_empty() {
        letter.defects.push(Defect::Empty);
    }
    letter.content_type = tree
        .parts
        .first()
        .map(|part| part.content_type.clone())
        .unwrap_or_default();
    letter.leaves = leaves(tree, contents);
    body::read(raw, tree, contents, &mut letter);
    let problems = contents
        .iter()
        .flatten()
        .filter_map(|content| content.defect);
    letter.defects.extend(problems);
    letter.defects.extend(structure_defects(tree));
    letter.defects.sort_unstable();
    letter.defects.dedup();
    letter
}

fn leaves(tree: &Tree, contents: &[Option<Content<'_>>]) -> Vec<Leaf> {
    let pairs = tree.parts.iter().zip(contents);
    pairs
        .filter(|(part, _)| part.nesting == 0)
        .filter_map(|(part, content)| {
            let hash = content.as_ref()?.hash;
            Some(Leaf {
                content_type: part.content_type.clone(),
                hash,
            })
        })
        .collect()
}

fn structure_defects(tree: &Tree) -> impl Iterator<Item = Defect> {
    let found = [
        (tree.limit_reached, Defect::PartLimit),
        (tree.broken, Defect::BrokenStructure),
        (tree.no_blank_line, Defect::NoBlankLine),
        (tree.bare_cr, Defect::BareCr),
        (tree.header_too_large, Defect::HeaderLimit),
        (tree.fields.is_empty(), Defect::NoHeader),
    ];
    found
        .into_iter()
        .filter_map(|(is, defect)| is.then_some(defect))
}

#[cfg(test)]
mod tests;
