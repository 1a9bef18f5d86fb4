//! What a server answers: a code of three digits, maybe an enhanced code, words (RFC 5321 section 4.2, RFC 3463).

use crate::transcript::printable;
use std::fmt;

/// Characters of the words that are kept.
/// A challenge of SCRAM is longer than any sentence.
const MOST_CHARS: usize = 2000;

/// An answer, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits; the first says how it went.
    pub code: u16,
    /// The enhanced code (RFC 3463), as `5.7.1`, where the server gave one.
    pub enhanced: Option<String>,
    /// The words of all lines, printable.
    pub text: String,
}

impl Reply {
    /// Done.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Not now; later maybe.
    pub fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// The lines of one reply, as they came, without their ends.
    pub(super) fn of(lines: &[Vec<u8>]) -> Option<Reply> {
        let code = parse(lines.last()?)?.code;
        let words: Vec<_> = lines.iter().filter_map(|line| parse(line)).map(|line| line.words).collect();
        let enhanced = words.first().and_then(|first| enhanced(first, code));
        let rest = |words: &[u8]| match &enhanced {
            Some(code) => words.strip_prefix(code.as_bytes()).unwrap_or(words).trim_ascii().to_vec(),
            None => words.trim_ascii().to_vec(),
        };
        let text = words.iter().map(|words| rest(words)).collect::<Vec<_>>().join(&b' ');
        Some(Reply { code, enhanced, text: printable(&text, MOST_CHARS) })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = &self.enhanced {
            write!(f, " {enhanced}")?;
        }
        if !self.text.is_empty() {
            write!(f, " {}", self.text)?;
        }
        Ok(())
    }
}

/// One line of a reply.
pub(super) struct ReplyLine<'a> {
    pub code: u16,
    /// No line follows.
    pub is_last: bool,
    pub words: &'a [u8],
}

/// `250-SIZE 1000`, `250 ok`, `250`. Anything else is no reply.
pub(super) fn parse(line: &[u8]) -> Option<ReplyLine<'_>> {
    let digits = line.get(..3)?;
    if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
        return None;
    }
    let code = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match line.get(3) {
        None => Some(ReplyLine { code, is_last: true, words: b"" }),
        Some(b' ') => Some(ReplyLine { code, is_last: true, words: &line[4..] }),
        Some(b'-') => Some(ReplyLine { code, is_last: false, words: &line[4..] }),
        Some(_) => None,
    }
}

fn enhanced(words: &[u8], code: u16) -> Option<String> {
    let word = std::str::from_utf8(words.split(|byte| *byte == b' ').next()?).ok()?;
    let mut parts = word.split('.');
    let class: u16 = parts.next()?.parse().ok()?;
    let numbers = parts
        .clone()
        .all(|part| !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit()));
    (class == code / 100 && parts.count() == 2 && numbers).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(lines: &[&str]) -> Option<Reply> {
        Reply::of(&lines.iter().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn a_reply_is_its_code_its_enhanced_code_and_the_words_of_all_lines() {
        let refused = reply(&["550-5.7.1 You may not", "550 5.7.1 send as ben"]).unwrap();
        assert_eq!(refused.to_string(), "550 5.7.1 You may not send as ben");
        assert_eq!((refused.is_positive(), refused.is_temporary()), (false, false));
        assert_eq!(reply(&["250"]).unwrap().to_string(), "250");
        // A version number is no enhanced code, nor is one of another class.
        assert_eq!(reply(&["220 2.11 ready"]).unwrap().enhanced, None);
        assert_eq!(reply(&["450 5.7.1 later"]).unwrap().enhanced, None);
    }

    #[test]
    fn what_is_no_reply_is_none() {
        for line in ["", "25", "250x", "999 x", "+OK ready", "* OK ready", "HTTP/1.1 400", "1 2 3", "2 0 x"] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
