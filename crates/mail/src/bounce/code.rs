//! Codes in what servers say: enhanced status codes (RFC 3463), SMTP replies (RFC 5321 4.2), and
//! the words that tell a dead address where the code does not.

use super::phrases;

/// The enhanced status code in a text: the first that says something, else the first (`5.0.0`).
pub(super) fn status(text: &str) -> Option<String> {
    let mut vague = None;
    let bytes = text.as_bytes();
    for start in memchr::memchr_iter(b'.', bytes) {
        let Some(code) = status_around(text, start) else { continue };
        if !code.ends_with(".0.0") {
            return Some(code.to_owned());
        }
        vague.get_or_insert(code);
    }
    vague.map(str::to_owned)
}

/// The code whose first dot is at `dot`.
fn status_around(text: &str, dot: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let start = dot.checked_sub(1)?;
    let before = start.checked_sub(1).map(|i| bytes[i]);
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b'@');
    if !matches!(bytes[start], b'2' | b'4' | b'5') || before.is_some_and(is_part) {
        return None;
    }
    let subject = digits(bytes, dot + 1);
    let second = dot + 1 + subject;
    let detail = (bytes.get(second) == Some(&b'.')).then(|| digits(bytes, second + 1))?;
    let end = second + 1 + detail;
    let follows = bytes.get(end).copied();
    let goes_on = match follows {
        Some(b'.') => bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
        Some(b) => b.is_ascii_alphanumeric() || matches!(b, b'/' | b'@' | b'_'),
        None => false,
    };
    let fits = (1..=3).contains(&subject) && (1..=3).contains(&detail) && !goes_on;
    fits.then(|| &text[start..end])
}

/// How many digits stand at `from`, at most four.
fn digits(bytes: &[u8], from: usize) -> usize {
    bytes[from.min(bytes.len())..].iter().take(4).take_while(|b| b.is_ascii_digit()).count()
}

/// The class of a status code: `2`, `4` or `5`.
pub(super) fn class(status: &str) -> Option<char> {
    status.chars().next()
}

/// The class of the first SMTP reply of a text, `4` or `5`.
pub(super) fn reply_class(text: &str) -> Option<char> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(2)).find_map(|i| {
        let code = &bytes[i..i + 3];
        let known = matches!(code[0], b'4' | b'5') && matches!(code[1], b'0'..=b'5' | b'7');
        let before = i.checked_sub(1).map(|k| bytes[k]);
        let alone = !before
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'@' | b'/' | b'_'));
        let after = bytes.get(i + 3).copied().unwrap_or(b' ');
        let ended = matches!(
            after,
            b' ' | b'-' | b':' | b'\n' | b'\r' | b'\t' | b'#' | b'"' | b'\'' | b')' | b'>' | b';'
        );
        (known && code[2].is_ascii_digit() && alone && ended).then(|| char::from(code[0]))
    })
}

/// Whether a server gave up after a long time of trying: nothing says that the address is wrong, and
/// another attempt may help.
pub(super) fn tried_long(said: &str) -> bool {
    let lower = said.to_lowercase();
    phrases::TRIED_LONG.iter().any(|p| lower.contains(p))
}

/// Whether a reason will not go away, whatever is said of a delay (OpenSMTPD) or a code.
pub(super) fn lasts(said: &str) -> bool {
    let lower = said.to_lowercase();
    phrases::LASTING.iter().any(|p| lower.contains(p))
}

/// Whether a refusal is one of the moment, whatever its code.
pub(super) fn passes(said: &str) -> bool {
    let lower = said.to_lowercase();
    phrases::PASSING.iter().any(|p| lower.contains(p))
}

/// Whether the address itself is at fault (no such user or domain, takes no mail).
///
/// A code for something else (mailbox, system, policy, the sender) outweighs the words, except the
/// one that Exchange Online gives to unknown users.
pub(super) fn is_dead(status: Option<&str>, said: &str) -> bool {
    let lower = said.to_lowercase().replace('’', "'");
    let says = |table: &[&str]| table.iter().any(|p| lower.contains(p));
    if says(phrases::NOT_THE_ADDRESS) {
        return false;
    }
    match status {
        Some("5.1.1" | "5.1.2" | "5.1.6" | "5.1.10" | "5.4.4") => true,
        Some("5.1.7" | "5.1.8") => false,
        Some(s) if s.starts_with(['2', '4']) || s.starts_with("5.2.") => false,
        Some(s) if s.starts_with("5.3.") => says(phrases::TAKES_NO_MAIL),
        _ => (says(phrases::DEAD) || says(phrases::TAKES_NO_MAIL)) && !says(phrases::ACCOUNT_STATE),
    }
}
