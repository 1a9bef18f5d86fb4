//! What ammonia is told to keep.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};

use super::css;
use super::url::Urls;

#[rustfmt::skip]
pub(super) const TAGS: &[&str] = &[
    "a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote",
    "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn",
    "dir", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "nav",
    "nobr", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span",
    "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "time", "tr", "tt", "u", "ul", "var", "wbr",
];

/// Elements dropped with all they hold; of other unknown elements the content stays.
#[rustfmt::skip]
const DROPPED_WITH_CONTENT: &[&str] = &[
    "applet", "audio", "canvas", "embed", "frameset", "iframe", "math", "noembed", "noframes",
    "object", "plaintext", "script", "style", "svg", "template", "textarea", "title", "video",
    "xmp",
];

/// Attributes of looks, and those the filter decides about: `style` and `background`.
#[rustfmt::skip]
const ATTRIBUTES: &[&str] = &[
    "align", "background", "bgcolor", "border", "dir", "height", "lang", "style", "title",
    "valign", "width",
];

const TAG_ATTRIBUTES: &[(&str, &[&str])] = &[
    ("a", &["href"]),
    ("br", &["clear"]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("font", &["color", "face", "size"]),
    ("hr", &["color", "noshade", "size"]),
    ("img", &["alt", "hspace", "src", "srcset", "vspace"]),
    ("li", &["type", "value"]),
    ("ol", &["reversed", "start", "type"]),
    ("table", &["bordercolor", "cellpadding", "cellspacing", "frame", "rules"]),
    ("td", &["abbr", "bordercolor", "colspan", "headers", "nowrap", "rowspan", "scope"]),
    ("th", &["abbr", "bordercolor", "colspan", "headers", "nowrap", "rowspan", "scope"]),
    ("ul", &["type"]),
];

/// Schemes ammonia lets through; [`Urls`] then decides which of them where.
const SCHEMES: &[&str] = &["http", "https", "mailto", "tel", "cid", "data"];

/// A cleaner for one letter.
pub(super) fn builder(urls: Urls) -> Builder<'static> {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let tag_attributes: HashMap<_, _> =
        TAG_ATTRIBUTES.iter().map(|(tag, names)| (*tag, set(names))).collect();
    let mut builder = Builder::empty();
    builder
        .tags(set(TAGS))
        .clean_content_tags(set(DROPPED_WITH_CONTENT))
        .generic_attributes(set(ATTRIBUTES))
        .tag_attributes(tag_attributes)
        .url_schemes(set(SCHEMES))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true)
        .filter_style_properties(set(css::PROPERTIES))
        .attribute_filter(move |tag, attribute, value| filter(&urls, tag, attribute, value));
    builder
}

fn filter<'v>(urls: &Urls, tag: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match (tag, attribute) {
        ("a", "href") => urls.link(value).map(Cow::Owned),
        ("img", "src") | (_, "background") => urls.picture(value).map(Cow::Owned),
        ("img", "srcset") => {
            urls.drop_srcset(value);
            None
        }
        (_, "style") => css::filter(value, urls).map(Cow::Owned),
        (_, "src" | "href") => None,
        _ => Some(Cow::Borrowed(value)),
    }
}
