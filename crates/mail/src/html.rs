//! HTML to plain text: what a letter says, for search, previews, rules and reply splitting.
//!
//! One pass over the tokens of html5ever's tokenizer; no tree is built, so the work is linear in
//! the input however deeply it is nested. Paragraphs, lists, tables and `pre` become lines;
//! `blockquote` becomes `> ` so that [`crate::quote`] reads HTML-only mail like plain mail.
//!
//! Decided against `html2text`: it builds a tree (quadratic in nesting depth) and its panics have
//! lost mail in production. Decided against hiding text by colour or font size: newsletters set
//! `font-size:0` on layout cells whose children are perfectly visible.

mod bomb;
mod writer;

use std::cell::RefCell;

use html5ever::Attribute;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

pub(crate) use bomb::has_bomb;
use writer::Writer;

/// Longest text returned, in bytes; what follows is cut at a character boundary.
pub const MAX_TEXT_BYTES: usize = 4 << 20;
/// Longest URL that is worth showing beside its link text, in bytes: longer ones are trackers.
const MAX_SHOWN_URL_BYTES: usize = 300;

/// The readable text of an HTML letter, at most [`MAX_TEXT_BYTES`].
///
/// Lines end in `\n`; there is no leading or trailing blank line. Cells of a table row are
/// separated by a tab. Scripts, styles, comments and elements hidden by `hidden` or by
/// `display:none` (preheaders) are left out, unless the hidden element never ends: then losing the
/// rest of the letter would be worse than showing a preheader.
pub fn to_text(html: &str) -> String {
    if has_bomb(html) {
        let mut text = bomb::strip(html);
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        return text;
    }
    let (text, left_open) = pass(html, Hidden::Skipped);
    if left_open { pass(html, Hidden::Shown).0 } else { text }
}

/// What to do with elements that a reader would not see.
#[derive(Clone, Copy, PartialEq)]
enum Hidden {
    Skipped,
    Shown,
}

fn pass(html: &str, hidden: Hidden) -> (String, bool) {
    let sink = Sink(RefCell::new(State::new(hidden)));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    // The sink never returns Script or EncodingIndicator, so one call consumes everything.
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let state = tokenizer.sink.0.into_inner();
    (state.out.finish(), state.skip.is_some())
}

struct Sink(RefCell<State>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.start(&tag),
            Token::TagToken(tag) => state.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// An element whose content is dropped, until its end tag.
struct Skip {
    name: String,
    /// Elements of the same name opened inside it.
    inner: usize,
}

struct State {
    out: Writer,
    hidden: Hidden,
    skip: Option<Skip>,
    /// Inside an element whose content is raw text and never shown (script, style, title).
    raw: bool,
    /// Open lists; a number counts the items of an ordered one. Capped, see [`MAX_LISTS`].
    lists: Vec<Option<u32>>,
    link: Option<Link>,
}

/// The open `a` element.
struct Link {
    href: String,
    /// Where its text begins in the output.
    start: usize,
}

/// Deepest list nesting that is counted and indented.
const MAX_LISTS: usize = 32;

impl State {
    fn new(hidden: Hidden) -> Self {
        State { out: Writer::default(), hidden, skip: None, raw: false, lists: Vec::new(), link: None }
    }

    fn text(&mut self, text: &str) {
        if self.skip.is_none() && !self.raw {
            self.out.text(text);
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if let Some(kind) = raw_kind(name) {
            // A textarea's text is shown by browsers; the rest of these is not.
            self.raw = name != "textarea";
            return TokenSinkResult::RawData(kind);
        }
        if let Some(skip) = &mut self.skip {
            skip.inner += usize::from(skip.name == name);
            return TokenSinkResult::Continue;
        }
        if self.hidden == Hidden::Skipped && !is_void(name) && is_hidden(&tag.attrs) {
            self.skip = Some(Skip { name: name.to_owned(), inner: 0 });
            return TokenSinkResult::Continue;
        }
        self.open(name, tag);
        TokenSinkResult::Continue
    }

    fn open(&mut self, name: &str, tag: &Tag) {
        match name {
            "br" => self.out.line_break(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl" => self.out.block(2),
            "ul" | "ol" => self.open_list(name, tag),
            "li" => self.open_item(),
            "blockquote" => self.out.open_quote(),
            "pre" | "listing" | "xmp" => self.out.open_pre(),
            "td" | "th" => self.out.cell(),
            "tr" => self.out.row(),
            "hr" => self.out.rule(),
            "a" => self.open_link(tag),
            _ if is_block(name) => self.out.block(1),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if raw_kind(name).is_some() {
            self.raw = false;
            return;
        }
        if let Some(skip) = &mut self.skip {
            if skip.name == name {
                match skip.inner.checked_sub(1) {
                    Some(inner) => skip.inner = inner,
                    None => self.skip = None,
                }
            }
            return;
        }
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" => self.out.block(2),
            "ul" | "ol" => self.close_list(),
            "blockquote" => self.out.close_quote(),
            "pre" | "listing" => self.out.close_pre(),
            "tr" | "table" => self.out.row(),
            "a" => self.close_link(),
            _ if is_block(name) => self.out.block(1),
            _ => {}
        }
    }

    fn open_list(&mut self, name: &str, tag: &Tag) {
        self.out.block(if self.lists.is_empty() { 2 } else { 1 });
        if self.lists.len() < MAX_LISTS {
            let first = attribute(&tag.attrs, "start").and_then(|n| n.trim().parse().ok());
            self.lists.push((name == "ol").then(|| first.unwrap_or(1)));
        }
    }

    fn close_list(&mut self) {
        self.lists.pop();
        self.out.block(if self.lists.is_empty() { 2 } else { 1 });
    }

    fn open_item(&mut self) {
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{indent}{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            _ => format!("{indent}- "),
        };
        self.out.item(mark);
    }

    fn open_link(&mut self, tag: &Tag) {
        self.link = attribute(&tag.attrs, "href")
            .filter(|href| href.len() <= MAX_SHOWN_URL_BYTES)
            .map(|href| Link { href: href.trim().to_owned(), start: self.out.len() });
    }

    fn close_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        let text = self.out.since(link.start).trim();
        if let Some(shown) = shown_url(&link.href, text) {
            self.out.text(&format!(" <{shown}>"));
        }
    }
}

/// The URL to show after a link's text: one that tells the reader something the text does not.
fn shown_url<'a>(href: &'a str, text: &str) -> Option<&'a str> {
    let lower = href.to_ascii_lowercase();
    let target = if lower.starts_with("mailto:") {
        let address = &href["mailto:".len()..];
        address.split('?').next().filter(|a| !a.is_empty())?
    } else if lower.starts_with("http://") || lower.starts_with("https://") {
        href
    } else {
        return None;
    };
    // Without text it is a linked picture: its URL is noise.
    if text.is_empty() || bare(text).contains(&bare(target)) {
        return None;
    }
    Some(target)
}

/// A URL as people write it in text: no scheme, no `www.`, no closing slash.
fn bare(url: &str) -> String {
    let lower = url.to_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let rest = rest.unwrap_or(&lower);
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    rest.trim_end_matches('/').to_owned()
}

fn attribute<'a>(attrs: &'a [Attribute], name: &str) -> Option<&'a str> {
    attrs.iter().find(|a| &*a.name.local == name).map(|a| &*a.value)
}

/// Whether an element is hidden by itself; style sheets are not read.
fn is_hidden(attrs: &[Attribute]) -> bool {
    if attribute(attrs, "hidden").is_some() {
        return true;
    }
    let Some(style) = attribute(attrs, "style") else {
        return false;
    };
    let style: String = style.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let flat = style.split(';').any(|d| matches!(d, "max-height:0" | "max-height:0px"));
    style.contains("display:none")
        || style.contains("visibility:hidden")
        || (flat && style.contains("overflow:hidden"))
}

/// Elements whose content the tokenizer must not read as markup (HTML 13.2.6.4).
pub(crate) fn raw_kind(name: &str) -> Option<RawKind> {
    Some(match name {
        "script" => RawKind::ScriptData,
        "style" | "iframe" | "noembed" | "noframes" => RawKind::Rawtext,
        "title" | "textarea" => RawKind::Rcdata,
        _ => return None,
    })
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dir"
            | "div"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "header"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "option"
            | "section"
            | "summary"
            | "tbody"
            | "tfoot"
            | "thead"
    )
}

#[cfg(test)]
mod tests;
