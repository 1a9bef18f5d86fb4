//! Bytes of strangers, served so that no browser takes them for a page of ours (T05).
//!
//! A download never keeps a type that a browser would run (HTML, SVG, XML): what is not in the short
//! list of inert types is `application/octet-stream`. Pictures inside the text are recognised by their
//! bytes, not by what the sender says.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'self'; sandbox");
/// Access may end, so not for long; pages show the same picture more than once.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=300");

/// Types that are of use to the browser's user and that no browser runs.
const INERT: &[&str] = &[
    "application/gzip",
    "application/msword",
    "application/pdf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/zip",
    "audio/mpeg",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "message/rfc822",
    "text/calendar",
    "text/csv",
    "text/plain",
    "text/vcard",
    "video/mp4",
];

/// A file to be saved.
pub(super) fn download(content_type: &str, name: &str, bytes: Vec<u8>) -> Response {
    let kind = INERT.iter().find(|kind| **kind == content_type);
    let kind = HeaderValue::from_static(kind.unwrap_or(&"application/octet-stream"));
    let mut response = Body::from(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_DISPOSITION, disposition(name));
    careful(response)
}

/// A picture to be shown, if the bytes are one of a kind that cannot carry scripts.
pub(super) fn picture(bytes: Vec<u8>) -> Option<Response> {
    let kind = HeaderValue::from_static(bitmap(&bytes)?);
    let mut response = Body::from(bytes).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Some(careful(response))
}

fn careful(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, CACHE);
    response
}

fn bitmap(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'B', b'M', ..] => Some("image/bmp"),
        _ => None,
    }
}

/// `attachment` with the name twice: plain for old programs, exact in the form of RFC 8187.
fn disposition(name: &str) -> HeaderValue {
    let name = if name.is_empty() { "attachment" } else { name };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            exact.push(char::from(byte));
        } else {
            write!(exact, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}");
    HeaderValue::try_from(text).expect("letters, digits and a few signs are a header's value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t05_active_types_are_served_as_bytes() {
        for active in
            ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/javascript", ""]
        {
            let response = download(active, "x.pdf", Vec::new());
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream", "{active}");
        }
        assert_eq!(download("image/png", "", Vec::new()).headers()[header::CONTENT_TYPE], "image/png");
    }

    #[test]
    fn names_of_strangers_stay_within_their_header() {
        let value = disposition("a\"; x=\r\n\u{202e}gpj.exe č.pdf");
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"a__ x____gpj.exe _.pdf\"; filename*=UTF-8''\
             a%22%3B%20x%3D%0D%0A%E2%80%AEgpj.exe%20%C4%8D.pdf"
        );
    }

    #[test]
    fn only_bitmaps_are_shown() {
        assert!(picture(b"<svg onload=x>".to_vec()).is_none());
        assert!(picture(b"GIF89a".to_vec()).is_some());
        assert!(picture(Vec::new()).is_none());
    }
}
