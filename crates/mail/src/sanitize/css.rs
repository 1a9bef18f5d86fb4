//! Inline styles: the declarations that change how mail looks and can do nothing else.
//!
//! A value with an escape, a comment, a bracket or an unknown function loses its declaration: mail
//! needs none of them, and every known way past a CSS filter does. `url()` is rewritten where it
//! is a background and taken out elsewhere; the rest of the declaration stays, because a lost
//! background colour makes white text unreadable.

use super::url::Urls;

/// Properties that stay (lower case).
#[rustfmt::skip]
pub(super) const PROPERTIES: &[&str] = &[
    "background", "background-color", "background-image", "background-position",
    "background-repeat", "background-size", "border", "border-bottom", "border-bottom-color",
    "border-bottom-left-radius", "border-bottom-right-radius", "border-bottom-style",
    "border-bottom-width", "border-collapse", "border-color", "border-left", "border-left-color",
    "border-left-style", "border-left-width", "border-radius", "border-right",
    "border-right-color", "border-right-style", "border-right-width", "border-spacing",
    "border-style", "border-top", "border-top-color", "border-top-left-radius",
    "border-top-right-radius", "border-top-style", "border-top-width", "border-width",
    "box-sizing", "caption-side", "clear", "color", "direction", "display", "empty-cells", "float",
    "font", "font-family", "font-size", "font-stretch", "font-style", "font-variant",
    "font-weight", "height", "letter-spacing", "line-height", "list-style",
    "list-style-position", "list-style-type", "margin", "margin-bottom", "margin-left",
    "margin-right", "margin-top", "max-height", "max-width", "min-height", "min-width", "opacity",
    "outline", "overflow", "overflow-wrap", "padding", "padding-bottom", "padding-left",
    "padding-right", "padding-top", "table-layout", "text-align", "text-decoration",
    "text-decoration-color", "text-decoration-line", "text-decoration-style", "text-indent",
    "text-overflow", "text-transform", "unicode-bidi", "vertical-align", "visibility",
    "white-space", "width", "word-break", "word-spacing", "word-wrap",
];

/// Functions a value may use.
const FUNCTIONS: &[&str] = &["rgb", "rgba", "hsl", "hsla", "calc"];

/// The safe declarations of a `style` attribute, `None` if there are none.
pub(super) fn filter(style: &str, urls: &Urls) -> Option<String> {
    let mut out = String::new();
    for declaration in declarations(style) {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let name = name.trim().to_ascii_lowercase();
        if !PROPERTIES.contains(&name.as_str()) {
            if !name.starts_with("--") && has_url(value) {
                // Counted, so that the reader is told that something was kept from loading.
                without_urls(value, |url| drop_url(url, urls));
            }
            continue;
        }
        let background = matches!(name.as_str(), "background" | "background-image");
        let value =
            without_urls(value, |url| if background { rewrite_url(url, urls) } else { drop_url(url, urls) });
        let Some(value) = value else { continue };
        let value = value.trim();
        if !value.is_empty() && is_safe(value) {
            out.push_str(&format!("{name}:{value};"));
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Splits at semicolons outside strings and parentheses.
fn declarations(style: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let mut depth = 0usize;
    style.split(move |c: char| {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ';') => return depth == 0,
            _ => {}
        }
        false
    })
}

fn has_url(value: &str) -> bool {
    find_url(value).is_some()
}

/// Where `url(` begins, in any case.
fn find_url(value: &str) -> Option<usize> {
    value.as_bytes().windows(4).position(|w| w.eq_ignore_ascii_case(b"url("))
}

/// The value with each `url(…)` replaced by what `replace` says; `None` if one does not end.
fn without_urls(value: &str, mut replace: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = find_url(rest) {
        let inside = &rest[start + 4..];
        let Some(end) = end_of_url(inside) else {
            replace(inside);
            return None;
        };
        out.push_str(&rest[..start]);
        let url = inside[..end].trim().trim_matches(['"', '\'']);
        match replace(url) {
            Some(url) => out.push_str(&format!(" url(\"{url}\") ")),
            None => out.push(' '),
        }
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    Some(out)
}

/// Position of the parenthesis that ends a `url(`.
fn end_of_url(inside: &str) -> Option<usize> {
    let start = inside.len() - inside.trim_start().len();
    let quote = inside[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let from = match quote {
        Some(q) => start + 1 + inside[start + 1..].find(q)? + 1,
        None => start,
    };
    Some(from + inside[from..].find(')')?)
}

fn rewrite_url(url: &str, urls: &Urls) -> Option<String> {
    if url.contains('\\') {
        return drop_url(url, urls);
    }
    // A data: picture may hold characters that end a CSS string; backgrounds do without.
    urls.picture(url).filter(|u| !u.starts_with("data:"))
}

fn drop_url(url: &str, urls: &Urls) -> Option<String> {
    urls.drop_srcset(url);
    None
}

/// Whether a value holds only words, numbers, strings and known functions, not nested.
fn is_safe(value: &str) -> bool {
    let mut quote = None;
    let mut depth = 0;
    let mut word = String::new();
    let mut last = ' ';
    for c in value.chars() {
        if c.is_control() || matches!(c, '\\' | '<' | '>' | '{' | '}' | '[' | ']' | '@') {
            return false;
        }
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            // A quote inside the other kind would be written back with an escape.
            (Some(_), '"' | '\'') => return false,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '*') if last == '/' => return false,
            (None, '(') => {
                let known = FUNCTIONS.contains(&word.as_str()) || word == "url";
                if depth > 0 || !known {
                    return false;
                }
                depth += 1;
            }
            (None, ')') if depth == 0 => return false,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii() {
            word.push(c.to_ascii_lowercase());
        } else {
            word.clear();
        }
        last = c;
    }
    quote.is_none() && depth == 0
}
