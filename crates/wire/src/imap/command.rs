//! Builds one command. Text from outside enters only through [`Command::string`], which quotes it or sends
//! it as a literal, so that no name or password can end the line and begin another command.

use std::fmt::Display;

use crate::imap::types::SessionError;

/// Longest literal sent without asking first. LITERAL- (RFC 7888, section 5) allows no more, and some servers
/// that promise LITERAL+ stop answering beyond it.
const UNASKED_LITERAL: usize = 4096;

/// A part of a command on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Bytes(Vec<u8>),
    /// The server must say `+` before the rest is sent.
    AwaitContinue,
}

/// A command without its tag.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub name: &'static str,
    words: Vec<Word>,
    shown: String,
}

#[derive(Debug, Clone)]
enum Word {
    Plain(String),
    Literal(Vec<u8>),
}

impl Command {
    /// `name` is the whole fixed beginning, such as `UID FETCH`.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, words: vec![Word::Plain(name.to_owned())], shown: name.to_owned() }
    }

    /// Appends a space and text of our own making: numbers, sets, fixed words.
    pub(crate) fn plain(mut self, word: impl Display) -> Self {
        let word = format!(" {word}");
        self.shown.push_str(&word);
        self.words.push(Word::Plain(word));
        self
    }

    /// Appends a space and text of our own making that must not be seen in the log.
    pub(crate) fn hidden(mut self, word: &str) -> Self {
        // An empty initial response is written as "=" (RFC 4959, section 3).
        self.words.push(Word::Plain(format!(" {}", if word.is_empty() { "=" } else { word })));
        self.shown.push_str(" ****");
        self
    }

    /// Appends a string from outside.
    pub(crate) fn string(self, text: &[u8]) -> Result<Self, SessionError> {
        let shown = format!(" \"{}\"", text.escape_ascii());
        self.outside(text, &shown)
    }

    /// Appends a string from outside that must not be seen in the log.
    pub(crate) fn secret(self, text: &[u8]) -> Result<Self, SessionError> {
        self.outside(text, " ****")
    }

    /// Appends a message.
    pub(crate) fn message(mut self, bytes: Vec<u8>) -> Self {
        self.shown.push_str(&format!(" {{{} bytes}}", bytes.len()));
        self.words.push(Word::Plain(" ".to_owned()));
        self.words.push(Word::Literal(bytes));
        self
    }

    /// Appends a message whose header is UTF-8 (RFC 6855, section 4).
    pub(crate) fn utf8_message(mut self, bytes: Vec<u8>) -> Self {
        self.shown.push_str(&format!(" UTF8 ({{{} bytes}})", bytes.len()));
        self.words.push(Word::Plain(" UTF8 (~".to_owned()));
        self.words.push(Word::Literal(bytes));
        self.words.push(Word::Plain(")".to_owned()));
        self
    }

    fn outside(mut self, text: &[u8], shown: &str) -> Result<Self, SessionError> {
        if text.contains(&0) {
            return Err(SessionError::BadName);
        }
        self.shown.push_str(shown);
        if text.iter().all(|b| matches!(b, b' '..=b'~')) && text.len() <= 1000 {
            let text = String::from_utf8_lossy(text).replace('\\', "\\\\").replace('"', "\\\"");
            self.words.push(Word::Plain(format!(" \"{text}\"")));
        } else {
            self.words.push(Word::Plain(" ".to_owned()));
            self.words.push(Word::Literal(text.to_vec()));
        }
        Ok(self)
    }

    /// The command as the log shows it, without its tag.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The command on the wire. `unasked` says that the server takes short literals without a `+`.
    pub(crate) fn parts(self, tag: &str, unasked: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut now = format!("{tag} ").into_bytes();
        for word in self.words {
            match word {
                Word::Plain(text) => now.extend_from_slice(text.as_bytes()),
                Word::Literal(bytes) if unasked && bytes.len() <= UNASKED_LITERAL => {
                    now.extend_from_slice(format!("{{{}+}}\r\n", bytes.len()).as_bytes());
                    now.extend_from_slice(&bytes);
                }
                Word::Literal(bytes) => {
                    now.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
                    parts.push(Part::Bytes(now));
                    parts.push(Part::AwaitContinue);
                    now = bytes;
                }
            }
        }
        now.extend_from_slice(b"\r\n");
        parts.push(Part::Bytes(now));
        parts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wire(command: Command, unasked: bool) -> String {
        let parts = command.parts("L1", unasked).into_iter();
        parts
            .map(|p| match p {
                Part::Bytes(b) => String::from_utf8(b).unwrap(),
                Part::AwaitContinue => "<+>".into(),
            })
            .collect()
    }

    #[test]
    fn odd_text_is_quoted_or_a_literal() {
        let login = |pw: &str| Command::new("LOGIN").string(b"ann").unwrap().secret(pw.as_bytes()).unwrap();
        assert_eq!(wire(login(r#"a"b\c"#), false), "L1 LOGIN \"ann\" \"a\\\"b\\\\c\"\r\n");
        assert_eq!(wire(login("heslo č"), false), "L1 LOGIN \"ann\" {8}\r\n<+>heslo č\r\n");
        assert_eq!(wire(login("x\r\nL2 LOGOUT"), true), "L1 LOGIN \"ann\" {12+}\r\nx\r\nL2 LOGOUT\r\n");
        assert_eq!(login("hunter2").shown(), "LOGIN \"ann\" ****");
    }

    #[test]
    fn a_nul_is_refused_and_a_long_literal_is_asked_for() {
        assert_eq!(Command::new("SELECT").string(b"a\0b").unwrap_err(), SessionError::BadName);
        assert!(wire(Command::new("APPEND").message(vec![b'x'; 5000]), true).contains("{5000}\r\n<+>"));
    }

    proptest! {
        /// T17: whatever a name holds, outside of literals the command is one line.
        #[test]
        fn no_text_begins_another_command(text in prop::collection::vec(1u8.., 0..40)) {
            let command = Command::new("SELECT").string(&text).unwrap();
            let parts = command.parts("L1", false);
            match parts.as_slice() {
                [Part::Bytes(line)] => prop_assert_eq!(memchr::memchr(b'\n', line), Some(line.len() - 1)),
                [Part::Bytes(line), Part::AwaitContinue, Part::Bytes(rest)] => {
                    let announced = format!("L1 SELECT {{{}}}\r\n", text.len());
                    prop_assert_eq!(line, announced.as_bytes());
                    prop_assert_eq!(rest, &[text.as_slice(), b"\r\n"].concat());
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
