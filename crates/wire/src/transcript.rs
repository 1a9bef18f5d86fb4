//! The protocol log: every line sent and received, for the wizard's live view and as proof of what was opened.
//!
//! Secrets are masked before a listener sees them, message bodies are shown as their size only.

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// We said it to the server.
    Sent,
    /// The server said it to us.
    Received,
    /// Neither: a remark of ours, such as a finished TLS handshake.
    Note,
}

/// Hears the lines of one connection, in order. Called in the middle of the talk: must not block.
pub trait Log: Send + Sync {
    /// One line without its line end, at most [`LINE_CHARS`] characters.
    fn line(&self, direction: Direction, line: &str);
}

/// Longer lines are cut in the log.
pub const LINE_CHARS: usize = 400;

/// Prints bytes of a server for people: control characters as `?`, cut at `max` characters.
pub(crate) fn printable(bytes: &[u8], max: usize) -> String {
    let shown: String = String::from_utf8_lossy(&bytes[..bytes.len().min(max * 4)])
        .chars()
        .take(max)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if shown.chars().count() < max || bytes.len() <= shown.len() { shown } else { shown + "..." }
}
