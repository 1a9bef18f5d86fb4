//! Answers that no person wrote (RFC 3834).

use crate::Letter;

/// Why this is an automatic answer, as a stable word; `None` if a person wrote it.
pub fn reason(letter: &Letter) -> Option<&'static str> {
    match letter.auto_submitted.as_deref() {
        Some("auto-replied") => Some("auto_replied"),
        Some("auto-generated") => Some("auto_generated"),
        _ => None,
    }
}
