//! Finds tags that would cost more than they say.
//!
//! html5ever compares each attribute with all before it in the tag: 150,000 in one tag take 40
//! seconds. Whether a `<` begins a tag depends on the state of the tokenizer (comment, script,
//! foreign content), which cannot be told from outside, so the attributes are counted after every
//! one that may: a tag that is really read begins at one of them, and from there on its syntax
//! depends on nothing else (HTML 13.2.5.32 to 13.2.5.39).

use memchr::{memchr, memchr_iter};

/// Most attributes in one tag.
const MAX_ATTRIBUTES: usize = 512;
/// Most bytes looked at, as a multiple of the input: beyond it somebody nests quotes on purpose.
const MAX_LOOKS: usize = 8;

/// Whether a tag has more than [`MAX_ATTRIBUTES`] attributes, or may have.
pub(crate) fn has_bomb(html: &str) -> bool {
    let bytes = html.as_bytes();
    let mut budget = bytes.len() * MAX_LOOKS + 4096;
    memchr_iter(b'<', bytes).any(|at| {
        let tag = &bytes[at + 1..];
        let begins = tag.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'/');
        begins && {
            let (attributes, length) = attributes(tag);
            let spent = length > budget;
            budget = budget.saturating_sub(length);
            attributes > MAX_ATTRIBUTES || spent
        }
    })
}

/// How many attributes a tag has, and how many bytes that took to see.
fn attributes(tag: &[u8]) -> (usize, usize) {
    let is_space = |b: &u8| matches!(b, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
    let run = |from: usize, goes_on: &dyn Fn(&u8) -> bool| {
        from + tag[from.min(tag.len())..].iter().take_while(|b| goes_on(b)).count()
    };
    let mut at = run(0, &|b| !is_space(b) && !matches!(b, b'/' | b'>'));
    let mut count = 0;
    while count <= MAX_ATTRIBUTES {
        at = run(at, &|b| is_space(b) || *b == b'/');
        if tag.get(at).is_none_or(|b| *b == b'>') {
            break;
        }
        count += 1;
        // A name may begin with "=".
        at = run(at + 1, &|b| !is_space(b) && !matches!(b, b'/' | b'>' | b'='));
        let value = run(at, &is_space);
        if tag.get(value) == Some(&b'=') {
            at = run(value + 1, &is_space);
            at = match tag.get(at) {
                Some(&quote @ (b'"' | b'\'')) => match memchr(quote, &tag[at + 1..]) {
                    Some(length) => at + length + 2,
                    None => tag.len(),
                },
                _ => run(at, &|b| !is_space(b) && *b != b'>'),
            };
        }
    }
    (count, at)
}

/// Text of HTML with such a tag: what stands outside of `<` and `>`.
pub(super) fn strip(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        out.push_str(text);
        out.push(' ');
        rest = after.split_once('>').map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
