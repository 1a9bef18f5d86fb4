//! Makes the HTML of a letter safe to show: the only way from a letter's HTML to a browser.
//!
//! [`safe`] gates the input (size, depth, nodes), cleans it with ammonia and an attribute filter of
//! our own (links, images, `style`), and repeats until the output parses back to itself. So the
//! result is a fixed point: `safe(safe(x)) == safe(x)`, and what the browser builds from it is what
//! was checked (no mutation XSS). Input beyond the limits, or that finds no fixed point, is shown
//! as its plain text.
//!
//! Kept is what mail looks like: tables, colours, fonts, widths, inline styles. Dropped are style
//! sheets (their selectors would need a full CSS filter), scripts, forms, frames, SVG, MathML, ids
//! and classes. Nothing that is left loads anything: images are `data:`, the letter's own parts
//! (`cid:`) or, when the reader asked for them, the image proxy. Serve it with a doctype: the tree
//! is checked in no-quirks mode.
//!
//! Decided against writing a sanitiser: ammonia tracks the parser differentials (its changelog is a
//! list of them) and is updated with each release. Its style filter alone was not enough: it keeps
//! `url()` inside other functions and drops `COLOR` in capitals, so [`css`] runs before it.

mod css;
mod fold;
mod policy;
mod tree;
mod url;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use tree::{Limits, Tree};
use url::Urls;

/// Largest HTML that is cleaned, in bytes, and largest result; beyond it the text is shown.
pub const MAX_HTML_BYTES: usize = 2 << 20;
/// Deepest nesting that is cleaned.
pub const MAX_DEPTH: usize = 512;

const LIMITS: Limits =
    Limits { depth: MAX_DEPTH + 1, nodes: 400_000, walks: 20_000_000, escapes: 10_000_000_000 };
/// Rounds of cleaning until the output must stand still; ordinary mail needs two.
const MAX_ROUNDS: usize = 6;

/// Where pictures may come from.
///
/// `inline` is the path prefix of the letter's own parts, for example
/// `/api/v1/messages/7/inline/`; the Content-ID follows, percent-encoded. `proxy` is the prefix of
/// the image proxy, for example `/api/v1/images?url=`; the remote URL follows, percent-encoded.
/// Both must consist of URL characters that need no escaping in HTML or CSS.
#[derive(Clone, Copy, Debug)]
pub enum Images<'a> {
    /// Nothing remote is left in the HTML.
    Blocked {
        /// Prefix of the letter's own parts.
        inline: &'a str,
    },
    /// Remote pictures are loaded by the browser from where they are, by https: the sender learns the
    /// reader's address and that the mail was opened. `http:` becomes `https:`.
    Direct {
        /// Prefix of the letter's own parts.
        inline: &'a str,
    },
    /// Remote pictures come through the proxy.
    Shown {
        /// Prefix of the letter's own parts.
        inline: &'a str,
        /// Prefix of the image proxy.
        proxy: &'a str,
    },
}

/// HTML that may be shown, and what was kept from loading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safe {
    /// The HTML, to be put in the body of a document with a doctype.
    pub html: String,
    /// Remote pictures that were taken out.
    pub blocked_remote: u32,
}

/// The safe HTML of a letter's HTML.
pub fn mail_html(html: &str, images: Images<'_>) -> String {
    safe(html, images).html
}

/// The safe HTML of a letter's HTML, and how many remote pictures were blocked.
pub fn safe(html: &str, images: Images<'_>) -> Safe {
    let blocked = Arc::new(AtomicU32::new(0));
    let clean = clean_until_stable(html, images, &blocked);
    Safe { html: clean.unwrap_or_else(|| as_text(html)), blocked_remote: blocked.load(Ordering::Relaxed) }
}

/// The same with quoted history and signatures folded: `<details>` around them, with nothing cut.
///
/// Folding must leave what was made safe as it is: HTML that cleaning would change is shown unfolded.
pub fn folded(html: &str, images: Images<'_>) -> Safe {
    let safe = safe(html, images);
    let clean = |html: &str| policy::builder(Urls::new(images, Arc::default())).clean(html).to_string();
    let stands = |folded: &String| gate(folded).is_some() && clean(folded) == *folded;
    match fold::fold(&safe.html).filter(stands) {
        Some(html) => Safe { html, ..safe },
        None => safe,
    }
}

/// `None` when a limit is passed or no fixed point is found.
fn clean_until_stable(html: &str, images: Images<'_>, blocked: &Arc<AtomicU32>) -> Option<String> {
    gate(html)?;
    let counting = policy::builder(Urls::new(images, Arc::clone(blocked)));
    let wrapped = with_body_colours(html);
    let mut before = counting.clean(wrapped.as_deref().unwrap_or(html)).to_string();
    // What the first round blocked must not be counted again.
    let silent = policy::builder(Urls::new(images, Arc::default()));
    for _ in 0..MAX_ROUNDS {
        gate(&before)?;
        let after = silent.clean(&before).to_string();
        if after == before {
            return Some(after);
        }
        before = after;
    }
    None
}

fn gate(html: &str) -> Option<Tree> {
    if html.len() > MAX_HTML_BYTES || crate::html::has_bomb(html) {
        return None;
    }
    Tree::parse(html, LIMITS)
}

/// The letter as escaped plain text, in a form that cleaning leaves alone.
fn as_text(html: &str) -> String {
    // `pre`, so that the lines are read back as lines when even this is too costly to clean.
    const BEFORE: &str = "<pre style=\"white-space:pre-wrap;font-family:sans-serif\">";
    const AFTER: &str = "</pre>";
    let room = MAX_HTML_BYTES - BEFORE.len() - AFTER.len();
    let mut out = String::from(BEFORE);
    for c in crate::html::to_text(html).chars() {
        if out.len() >= room {
            break;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out.push_str(AFTER);
    out
}

/// Colours of `<body>` moved to a `div` around the letter: a fragment has no body.
fn with_body_colours(html: &str) -> Option<String> {
    let tokenizer = Tokenizer::new(Body::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let style = tokenizer.sink.0.into_inner()?;
    // The style is filtered with all others; only the attribute's end must not be escaped from.
    let style = style.replace('&', "&amp;").replace('"', "&quot;");
    Some(format!("<div style=\"{style}\">{html}</div>"))
}

/// The style of the first `body` tag that has one.
#[derive(Default)]
struct Body(std::cell::RefCell<Option<String>>);

impl TokenSink for Body {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else {
            return TokenSinkResult::Continue;
        };
        if tag.kind == TagKind::StartTag {
            if let Some(kind) = crate::html::raw_kind(&tag.name) {
                return TokenSinkResult::RawData(kind);
            }
            if &*tag.name == "body" && self.0.borrow().is_none() {
                self.0.replace(body_style(&tag));
            }
        }
        TokenSinkResult::Continue
    }
}

fn body_style(tag: &Tag) -> Option<String> {
    let mut style = String::new();
    for attr in &tag.attrs {
        match &*attr.name.local {
            "bgcolor" => style.push_str(&format!("background-color:{};", colour(&attr.value)?)),
            "text" => style.push_str(&format!("color:{};", colour(&attr.value)?)),
            "style" => style.push_str(&format!("{};", attr.value)),
            _ => {}
        }
    }
    (!style.is_empty()).then_some(style)
}

/// A colour of an HTML attribute, as CSS writes it.
fn colour(value: &str) -> Option<String> {
    let value = value.trim();
    let plain = value.strip_prefix('#').unwrap_or(value);
    let hex = plain.len() == 6 && plain.bytes().all(|b| b.is_ascii_hexdigit());
    if hex {
        return Some(format!("#{plain}"));
    }
    (!plain.is_empty() && plain.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| value.to_owned())
}

#[cfg(test)]
mod tests;
