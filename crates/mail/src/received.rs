//! When the last server on its way received a letter: the date of the topmost Received line (RFC 5321, section 4.4).
//!
//! Whoever gives a letter without saying when it came (POP3) has written that into it, above anything a sender could
//! write. Lines further down are not asked: they are as old as somebody else says.

use crate::letter::Date;
use crate::parse::date;

/// A header in which the line was not found so far has none.
const MAX_BYTES: usize = 64 << 10;

/// The moment, if the letter says it.
pub fn received_at(raw: &[u8]) -> Option<Date> {
    let mut lines = raw[..raw.len().min(MAX_BYTES)].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.by_ref().take_while(|line| !line.is_empty()).find(|line| is_received(line))?;
    let mut value = String::from_utf8_lossy(first).into_owned();
    for line in lines.take_while(|line| line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'))) {
        value.push_str(&String::from_utf8_lossy(line));
    }
    date::read(value.rsplit_once(';')?.1.trim())
}

fn is_received(line: &[u8]) -> bool {
    line.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"received:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str) -> Option<i64> {
        received_at(raw.as_bytes()).map(|date| date.at / 1_000_000)
    }

    #[test]
    fn the_topmost_line_tells_when_the_last_server_received_it() {
        let raw = "Return-Path: <a@a.example>\r\nRECEIVED: from x (x; y)\r\n by mx.b.example with ESMTP id 1;\r\n\tMon, 2 Nov 2026 09:00:01 +0000\r\n\
                   Received: from z by x; Sun, 1 Nov 2026 09:00:00 +0000\r\nDate: Sat, 1 Jan 2028 00:00:00 +0000\r\n\r\n";
        assert_eq!(at(raw), Some(1_793_610_001));
        assert_eq!(at(&raw.replace("\r\n", "\n")), Some(1_793_610_001));
    }

    #[test]
    fn without_it_or_only_in_the_text_there_is_none() {
        assert_eq!(at(""), None);
        assert_eq!(at("Received: by x\r\n\r\n"), None);
        assert_eq!(at("Received: by x; some day\r\n\r\n"), None);
        assert_eq!(
            at(
                "Date: Mon, 2 Nov 2026 09:00:01 +0000\r\n\r\nReceived: by x; Mon, 2 Nov 2026 09:00:01 +0000\r\n"
            ),
            None
        );
    }
}
