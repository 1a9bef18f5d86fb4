//! Which URLs stay: links people may click, pictures that may be loaded.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ammonia::Url;

use super::Images;

/// Longest link or remote picture URL kept, in bytes.
const MAX_URL_BYTES: usize = 16 << 10;
/// Longest `data:` picture kept, in bytes of its base64 form.
const MAX_DATA_BYTES: usize = 1 << 20;

/// Decides about the URLs of one letter.
#[derive(Clone)]
pub(super) struct Urls {
    inline: String,
    remote: Remote,
    blocked: Arc<AtomicU32>,
}

/// What becomes of remote pictures.
#[derive(Clone)]
enum Remote {
    Blocked,
    Direct,
    /// The proxy's prefix.
    Proxy(String),
}

impl Urls {
    pub(super) fn new(images: Images<'_>, blocked: Arc<AtomicU32>) -> Self {
        let (inline, remote) = match images {
            Images::Blocked { inline } => (inline, Remote::Blocked),
            Images::Direct { inline } => (inline, Remote::Direct),
            Images::Shown { inline, proxy } => (inline, Remote::Proxy(proxy.to_owned())),
        };
        Urls { inline: inline.to_owned(), remote, blocked }
    }

    /// The target of a link, or `None` if it may not be one.
    pub(super) fn link(&self, value: &str) -> Option<String> {
        let url = absolute(value)?;
        let kept = match url.scheme() {
            "http" | "https" => url.has_host(),
            "mailto" | "tel" => true,
            _ => false,
        };
        kept.then(|| url.into())
    }

    /// The source of a picture, or `None` if nothing may be loaded.
    pub(super) fn picture(&self, value: &str) -> Option<String> {
        let value = tidy(value);
        if let Some(rest) = value.get(..5).filter(|s| s.eq_ignore_ascii_case("data:")) {
            return data_picture(&value[rest.len()..]);
        }
        if let Some(id) = value.get(..4).filter(|s| s.eq_ignore_ascii_case("cid:")) {
            return Some(format!("{}{}", self.inline, encode(&decode(&value[id.len()..]))));
        }
        if self.is_ours(&value) {
            return Some(value);
        }
        let remote = absolute(&value).filter(|u| matches!(u.scheme(), "http" | "https"))?;
        match &self.remote {
            Remote::Proxy(proxy) => Some(format!("{proxy}{}", encode(remote.as_str().as_bytes()))),
            Remote::Direct => direct(remote),
            Remote::Blocked => {
                self.count();
                None
            }
        }
    }

    /// Counts the pictures of a `srcset`, which is always dropped: `src` is enough for mail.
    pub(super) fn drop_srcset(&self, value: &str) {
        if matches!(self.remote, Remote::Blocked) && (value.contains("//") || value.contains("http")) {
            self.count();
        }
    }

    fn count(&self) {
        self.blocked.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether an earlier round wrote this; a letter may write it too, and gets no more by it than
    /// by `cid:` or by the remote URL itself.
    fn is_ours(&self, value: &str) -> bool {
        let encoded = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| is_unreserved(b) || b == b'%');
        let after = |prefix: &str| value.strip_prefix(prefix).is_some_and(encoded);
        after(&self.inline) || matches!(&self.remote, Remote::Proxy(proxy) if after(proxy))
    }
}

/// The picture's own URL, by https. The parser has escaped what ends an attribute or a string; the
/// characters that end a `url()` without quotes are escaped here.
fn direct(mut remote: Url) -> Option<String> {
    remote.set_scheme("https").ok()?;
    let text = remote.as_str();
    Some(text.replace('\'', "%27").replace('(', "%28").replace(')', "%29"))
}

/// Parses as a browser in an `https:` page would, absolute URLs only.
fn absolute(value: &str) -> Option<Url> {
    let value = tidy(value);
    if value.len() > MAX_URL_BYTES {
        return None;
    }
    // Browsers read a backslash as a slash in these places.
    let slashes = value.bytes().take(2).filter(|b| matches!(b, b'/' | b'\\')).count();
    if slashes == 2 {
        return Url::parse(&format!("https://{}", &value[2..])).ok();
    }
    Url::parse(&value).ok()
}

/// Removes what URL parsers ignore: white space around, tabs and line ends anywhere.
fn tidy(value: &str) -> String {
    let value = value.trim_matches(|c: char| c <= ' ');
    value.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect()
}

/// A `data:` picture of a bitmap type, base64, not above the size limit. SVG is a document.
fn data_picture(rest: &str) -> Option<String> {
    if rest.len() > MAX_DATA_BYTES {
        return None;
    }
    let (head, body) = rest.split_once(',')?;
    let head: String = head.split_whitespace().collect::<String>().to_ascii_lowercase();
    let kind = head.strip_suffix(";base64")?;
    let kind = kind.split(';').next()?;
    let known = ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"];
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let body: String = body.split_whitespace().collect::<String>().replace("%2B", "+");
    (known.contains(&kind) && body.bytes().all(is_base64)).then(|| format!("data:{kind};base64,{body}"))
}

fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// Percent-encodes all but unreserved characters (RFC 3986 2.3).
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &b in bytes {
        if is_unreserved(b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// Undoes percent-encoding (RFC 2392 2: a `cid:` URL holds the encoded Content-ID).
fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%').then(|| text.get(i + 1..i + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    out
}
