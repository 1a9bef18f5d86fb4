//! A message's body as a document of its own, for a sandboxed frame (ui.md 1.6).
//!
//! The document brings its own Content-Security-Policy, because a frame filled by `srcdoc` would inherit
//! that of the application. HTML comes from `mail::sanitize` and from nowhere else; plain text is escaped
//! here and its links are made clickable. Quotes and signatures are folded in both, which needs no script:
//! `<details>`.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use mail::Letter;
use mail::quote::{self, Kind};
use mail::sanitize::{self, Images};
use model::MessageId;

/// What becomes of remote pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remote {
    /// They are left out.
    Blocked,
    /// The browser loads them from where they are, by https.
    Shown,
}

const BLOCKED_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'self'; \
     sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox";
const SHOWN_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: https:; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'self'; \
     sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox";

const HTML_STYLE: &str = "html{color-scheme:light;background:#fff;color:#111}\
     body{margin:12px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\
     img{max-width:100%;height:auto}table{max-width:100%}\
     summary{cursor:pointer;color:#666;width:max-content;padding:0 .5em;border-radius:4px;background:#eee;list-style:none}\
     summary::-webkit-details-marker{display:none}";
const TEXT_STYLE: &str = "html{color-scheme:light;background:#fff;color:#111}\
     body{margin:12px;font:15px/1.5 system-ui,sans-serif}\
     div{white-space:pre-wrap;overflow-wrap:anywhere}\
     summary{cursor:pointer;color:#666;width:max-content;padding:0 .5em;border-radius:4px;background:#eee;list-style:none}\
     summary::-webkit-details-marker{display:none}\
     details div{color:#555;border-left:2px solid #ddd;padding-left:10px;margin-top:6px}";

/// The document.
pub(super) fn document(id: MessageId, letter: &Letter, remote: Remote) -> String {
    let inline = format!("/api/v1/messages/{id}/inline/");
    let images = match remote {
        Remote::Blocked => Images::Blocked { inline: &inline },
        Remote::Shown => Images::Direct { inline: &inline },
    };
    let (style, body) = match &letter.html {
        Some(html) => (HTML_STYLE, sanitize::folded(html, images).html),
        None => (TEXT_STYLE, text(&letter.text)),
    };
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><base target=\"_blank\">\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{style}</style></head>\
         <body>{body}</body></html>"
    )
}

/// The document with the headers that keep it harmless.
pub(super) fn response(document: String, remote: Remote) -> Response {
    let policy = match remote {
        Remote::Blocked => BLOCKED_POLICY,
        Remote::Shown => SHOWN_POLICY,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    (headers, document).into_response()
}

/// Plain text as HTML: what its writer added, and the rest folded, as [`sanitize::folded`] does with HTML.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let parts = quote::parts(text);
    let wrote =
        parts.iter().any(|part| part.kind == Kind::Reply && !text[part.range.clone()].trim().is_empty());
    for part in parts {
        let piece = text[part.range].trim_end();
        if piece.trim().is_empty() {
            continue;
        }
        let (before, after) = match part.kind {
            Kind::Reply => ("<div>", "</div>"),
            // What nobody wrote anything to, and what is passed on, is there to be read.
            _ if !wrote || quote::is_forward(piece) => ("<div>", "</div>"),
            Kind::Quote | Kind::Signature => ("<details><summary>•••</summary><div>", "</div></details>"),
        };
        out.push_str(before);
        linked(piece, &mut out);
        out.push_str(after);
    }
    out
}

/// Escapes `text` and makes its web addresses links.
fn linked(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = next_link(rest) {
        let length = link_length(&rest[at..]);
        let link = &rest[at..at + length];
        escape(&rest[..at], out);
        out.push_str("<a href=\"");
        escape(link, out);
        out.push_str("\" rel=\"noopener noreferrer\">");
        escape(link, out);
        out.push_str("</a>");
        rest = &rest[at + length..];
    }
    escape(rest, out);
}

/// Where the next address begins that has at least one character behind its `//`.
fn next_link(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find("://") {
        let end = from + found;
        let scheme = ["https", "http"].iter().find(|scheme| ends_with(&text[..end], scheme));
        if let Some(scheme) = scheme {
            let at = end - scheme.len();
            let alone = !text[..at].ends_with(|c: char| c.is_alphanumeric());
            if alone && link_length(&text[at..]) > scheme.len() + 3 {
                return Some(at);
            }
        }
        from = end + 3;
    }
    None
}

fn ends_with(text: &str, scheme: &str) -> bool {
    let start = text.len().checked_sub(scheme.len());
    start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
}

/// Up to white space or a quote, without the punctuation of the sentence around it. A closing bracket
/// belongs to the address only if it opened there.
fn link_length(text: &str) -> usize {
    let stop =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '“' | '”');
    let mut link = &text[..text.find(stop).unwrap_or(text.len())];
    loop {
        let Some(last) = link.chars().next_back() else { return 0 };
        let opens = |open: char, close: char| link.matches(open).count() >= link.matches(close).count();
        let kept = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' => false,
            ')' => opens('(', ')'),
            ']' => opens('[', ']'),
            '}' => opens('{', '}'),
            _ => true,
        };
        if kept {
            return link.len();
        }
        link = &link[..link.len() - last.len_utf8()];
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        linked(text, &mut out);
        out
    }

    fn a(url: &str) -> String {
        format!("<a href=\"{url}\" rel=\"noopener noreferrer\">{url}</a>")
    }

    #[test]
    fn plain_text_cannot_become_markup() {
        assert_eq!(shown("<b onclick='x'>&\""), "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;");
        let out = shown("http://a.example/\"onmouseover=x <script>");
        assert_eq!(out, format!("{}&quot;onmouseover=x &lt;script&gt;", a("http://a.example/")));
        assert_eq!(shown("javascript://x data://y xhttp://z"), "javascript://x data://y xhttp://z");
    }

    #[test]
    fn addresses_end_where_people_end_them() {
        for (text, url) in [
            ("see https://a.example/x?y=1.", "https://a.example/x?y=1"),
            ("(http://a.example/x_(y))", "http://a.example/x_(y)"),
            ("<HTTPS://a.example>", "HTTPS://a.example"),
            ("„http://a.example/ž“", "http://a.example/ž"),
        ] {
            assert!(shown(text).contains(&a(url)), "{text}: {}", shown(text));
        }
        assert_eq!(shown("http:// and https://."), "http:// and https://.");
        assert_eq!(shown("://://http://"), "://://http://");
    }

    #[test]
    fn quotes_and_signatures_are_folded() {
        let out =
            text("Yes.\n\nOn Mon, 2 Mar 2026, Ann <ann@firm.example> wrote:\n> Shall we?\n\n-- \nBen\n");
        assert!(out.starts_with("<div>Yes.</div><details><summary>"), "{out}");
        assert!(out.contains("&gt; Shall we?") && out.ends_with("</details>"), "{out}");
    }
}
