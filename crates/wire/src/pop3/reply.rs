//! The first line of an answer: `+OK`, `-ERR` with its response code (RFC 2449, section 8), or the `+` of a challenge.

use crate::pop3::types::ProtocolError;
use crate::transcript::printable;

/// What the server says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It did it, or what was asked for follows.
    Ok(String),
    /// It refuses.
    Err {
        /// The response code in upper case, such as `IN-USE`.
        code: Option<String>,
        /// Its words.
        text: String,
    },
    /// It wants an answer to this (RFC 5034).
    Challenge(String),
}

/// Longest text of an answer that is handed on.
const TEXT_CHARS: usize = 200;

impl Reply {
    /// Reads a line without its end. Servers of all ages agree on the first word, in any case, and on nothing else.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, ProtocolError> {
        let end = line.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(line.len());
        let rest = line[end..].trim_ascii();
        if line[..end].eq_ignore_ascii_case(b"+OK") {
            return Ok(Self::Ok(printable(rest, TEXT_CHARS)));
        }
        if line[..end].eq_ignore_ascii_case(b"-ERR") {
            let (code, text) = code(rest);
            return Ok(Self::Err { code, text: printable(text, TEXT_CHARS) });
        }
        if &line[..end] == b"+" {
            return Ok(Self::Challenge(String::from_utf8_lossy(rest).into_owned()));
        }
        Err(ProtocolError::NotAReply(printable(line, 80)))
    }
}

/// `[IN-USE] words`. What stands in brackets and is no code is words.
fn code(text: &[u8]) -> (Option<String>, &[u8]) {
    let inside = text.strip_prefix(b"[").and_then(|rest| {
        let end = rest.iter().position(|b| *b == b']')?;
        Some((&rest[..end], rest[end + 1..].trim_ascii()))
    });
    match inside {
        Some((code, words)) if code.iter().all(|b| b.is_ascii_alphanumeric() || b"-/_".contains(b)) => {
            (Some(String::from_utf8_lossy(code).to_ascii_uppercase()), words)
        }
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_begins_with_its_outcome_and_may_name_the_reason() {
        let ok = |text: &str| Ok(Reply::Ok(text.into()));
        let err =
            |code: Option<&str>, text: &str| Ok(Reply::Err { code: code.map(Into::into), text: text.into() });
        let read = |line: &str| Reply::parse(line.as_bytes());
        assert_eq!(read("+OK 2 320"), ok("2 320"));
        assert_eq!(read("+ok"), ok(""));
        assert_eq!(
            read("-ERR [IN-USE] Do you have another POP session running?"),
            err(Some("IN-USE"), "Do you have another POP session running?")
        );
        assert_eq!(read("-err [sys/temp]"), err(Some("SYS/TEMP"), ""));
        assert_eq!(read("-ERR [what is this] no"), err(None, "[what is this] no"));
        assert_eq!(read("-ERR no such message"), err(None, "no such message"));
        assert_eq!(read("+ PDE4OTY="), Ok(Reply::Challenge("PDE4OTY=".into())));
        assert_eq!(read("+"), Ok(Reply::Challenge(String::new())));
        for line in ["", "* OK IMAP", "220 smtp.firma.example ESMTP", "+OKAY", "HTTP/1.1 400 Bad"] {
            assert!(matches!(read(line), Err(ProtocolError::NotAReply(_))), "{line}");
        }
    }
}
