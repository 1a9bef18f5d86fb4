//! Reads what an IMAP client says, as far as the scripted server needs it.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;

use super::output::Output;

/// A command: tag, upper-case name with its `UID`, and words. Lists are one word with their parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub tag: String,
    pub name: String,
    pub words: Vec<Vec<u8>>,
}

impl Command {
    /// The word at `at` as text, empty if there is none.
    pub(super) fn word(&self, at: usize) -> String {
        self.words.get(at).map(|w| String::from_utf8_lossy(w).into_owned()).unwrap_or_default()
    }
}

const MAX_LITERAL: usize = 64 << 20;

/// Reads one command with its literals, saying `+` where the client waits for it. None at the end.
pub(super) async fn read(
    input: &mut BufReader<OwnedReadHalf>,
    output: &mut Output,
) -> io::Result<Option<Command>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    loop {
        let Some(line) = read_line(input).await? else { return Ok(None) };
        let literal = announced(&line);
        let text_len = literal.map_or(line.len(), |(_, _, text_len)| text_len);
        split(&line[..text_len], &mut words);
        let Some((size, asks, _)) = literal else { break };
        if asks {
            output.line("+ go on");
            output.flush().await?;
        }
        let mut bytes = vec![0; size.min(MAX_LITERAL)];
        input.read_exact(&mut bytes).await?;
        words.push(bytes);
    }
    let mut words = words.into_iter();
    let mut upper = || words.next().map(|w| String::from_utf8_lossy(&w).into_owned()).unwrap_or_default();
    let tag = upper();
    let mut name = upper().to_ascii_uppercase();
    if name == "UID" {
        name = format!("UID {}", upper().to_ascii_uppercase());
    }
    Ok(Some(Command { tag, name, words: words.collect() }))
}

/// One line without its end.
pub(super) async fn read_line(input: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if input.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(line))
}

/// Size of a literal, whether the client waits for `+`, and the length of the text before it.
fn announced(line: &[u8]) -> Option<(usize, bool, usize)> {
    let inside = line.strip_suffix(b"}")?;
    let open = inside.iter().rposition(|b| *b == b'{')?;
    let text = std::str::from_utf8(&inside[open + 1..]).ok()?;
    let (digits, asks) = text.strip_suffix('+').map_or((text, true), |digits| (digits, false));
    Some((digits.parse().ok()?, asks, open))
}

fn split(line: &[u8], words: &mut Vec<Vec<u8>>) {
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let (word, used) = match rest[0] {
            b'"' => quoted(rest),
            b'(' => list(rest),
            _ => atom(rest),
        };
        words.push(word);
        rest = rest[used..].trim_ascii_start();
    }
}

fn quoted(text: &[u8]) -> (Vec<u8>, usize) {
    let mut word = Vec::new();
    let mut at = 1;
    while at < text.len() && text[at] != b'"' {
        at += usize::from(text[at] == b'\\' && at + 1 < text.len());
        word.push(text[at]);
        at += 1;
    }
    (word, (at + 1).min(text.len()))
}

fn list(text: &[u8]) -> (Vec<u8>, usize) {
    let end = text.iter().position(|b| *b == b')').map_or(text.len(), |at| at + 1);
    (text[..end].to_vec(), end)
}

fn atom(text: &[u8]) -> (Vec<u8>, usize) {
    let end = text.iter().position(|b| *b == b' ').unwrap_or(text.len());
    (text[..end].to_vec(), end)
}
