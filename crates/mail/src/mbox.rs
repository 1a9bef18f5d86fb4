//! A file of many messages (mboxo, mboxrd, mboxcl, mboxcl2) -> the messages, one at a time.
//!
//! A message starts at a line `From ` at the beginning or after a blank line; what follows must look
//! like an envelope (an address or a weekday), else the line is text that somebody forgot to quote.
//! Quoted lines (`>From `, `>>From `) lose one `>` as in mboxrd: for an mboxo file this is wrong only for
//! lines whose writer typed `>From ` himself.
//!
//! Decided against: trusting Content-Length (mboxcl). Programs rewrite bodies and leave it stale.

use std::io::{self, BufRead, Read};

/// Longest line that is looked at in one piece; longer ones pass through in pieces.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// One message of the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// Its bytes, without the `From ` line.
    Message(Vec<u8>),
    /// It is larger than the limit; its size in bytes.
    TooLarge(u64),
}

/// Iterates over the messages of an mbox file.
#[derive(Debug)]
pub struct Mbox<R> {
    reader: R,
    max_bytes: usize,
    started: bool,
    ended: bool,
}

impl<R: BufRead> Mbox<R> {
    /// Reads from `reader`; messages of more than `max_bytes` are skipped and reported.
    pub fn new(reader: R, max_bytes: usize) -> Mbox<R> {
        Mbox { reader, max_bytes, started: false, ended: false }
    }

    fn next_message(&mut self) -> io::Result<Option<Entry>> {
        let mut message = Vec::new();
        let mut size = 0u64;
        let mut after_blank = !self.started;
        let mut at_line_start = true;
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = MAX_LINE_BYTES as u64;
            if (&mut self.reader).take(limit).read_until(b'\n', &mut line)? == 0 {
                self.ended = true;
                break;
            }
            if at_line_start && after_blank && is_separator(&line) {
                if self.started {
                    break;
                }
                self.started = true;
                continue;
            }
            self.started = true;
            let kept = if at_line_start { unquote(&line) } else { &line };
            size += kept.len() as u64;
            if message.len() + kept.len() <= self.max_bytes {
                message.extend_from_slice(kept);
            }
            after_blank = at_line_start && matches!(line.as_slice(), b"\n" | b"\r\n");
            at_line_start = line.ends_with(b"\n");
        }
        Ok(self.entry(message, size))
    }

    fn entry(&self, mut message: Vec<u8>, size: u64) -> Option<Entry> {
        if size > message.len() as u64 {
            return Some(Entry::TooLarge(size));
        }
        drop_last_blank_line(&mut message);
        let nothing = message.is_empty() && self.ended;
        (!nothing).then_some(Entry::Message(message))
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_message();
        self.ended |= next.is_err();
        next.transpose()
    }
}

/// The blank line before the next separator belongs to the file, not to the message.
fn drop_last_blank_line(message: &mut Vec<u8>) {
    for end in [&b"\r\n\r\n"[..], b"\n\n"] {
        if message.ends_with(end) {
            message.truncate(message.len() - end.len() / 2);
            return;
        }
    }
}

fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let rest = rest.trim_ascii();
    let day =
        |word: &[u8]| [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].iter().any(|day| word == *day);
    let mut words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    // `From ann@a.example Mon Feb  5 …`, `From MAILER-DAEMON Mon …`, `From - Mon …`, `From ann@a.example`.
    rest.is_empty() || first.contains(&b'@') && !first.ends_with(b",") || words.any(day)
}

fn unquote(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
    if quotes > 0 && line[quotes..].starts_with(b"From ") { &line[1..] } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(file: &str) -> Vec<String> {
        Mbox::new(file.as_bytes(), 1000)
            .map(|entry| match entry.unwrap() {
                Entry::Message(bytes) => String::from_utf8(bytes).unwrap(),
                Entry::TooLarge(size) => format!("too large: {size}"),
            })
            .collect()
    }

    #[test]
    fn messages_are_taken_apart_and_unquoted() {
        let file = "From ann@a.example Mon Feb  5 10:00:00 2024\nSubject: 1\n\n>From here\n>>From there\n\nFrom - Mon Feb  5 10:00:00 2024\r\nSubject: 2\r\n\r\nx\r\n\r\nFrom MAILER-DAEMON Mon Feb  5 10:00:00 2024\nSubject: 3\n\n\n";
        assert_eq!(
            messages(file),
            ["Subject: 1\n\nFrom here\n>From there\n", "Subject: 2\r\n\r\nx\r\n", "Subject: 3\n\n"]
        );
    }

    #[test]
    fn an_unquoted_from_in_the_text_starts_no_message() {
        let file = "From a@a.example Mon Feb 5\nSubject: 1\n\nText\n\nFrom now on we pay.\nFrom a@a.example Mon Feb 5\n";
        assert_eq!(messages(file).len(), 1);
    }

    #[test]
    fn a_single_message_without_separator_is_one() {
        assert_eq!(messages("Subject: 1\n\nText\n"), ["Subject: 1\n\nText\n"]);
        assert!(messages("").is_empty());
    }

    #[test]
    fn a_message_above_the_limit_is_skipped_and_the_next_one_read() {
        let file = format!(
            "From a@a.example\nSubject: 1\n\n{}\n\nFrom a@a.example\nSubject: 2\n\n",
            "x".repeat(2000)
        );
        assert_eq!(messages(&file), ["too large: 2014", "Subject: 2\n"]);
    }
}
