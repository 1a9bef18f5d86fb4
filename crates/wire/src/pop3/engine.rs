//! The state of one POP3 connection without the connection: commands in, bytes out; bytes in, answers out.
//!
//! Answers come in the order of the commands, and each command knows whether lines or a message follow its `+OK`.
//! Lines end with CRLF; lines of a server that ends them with LF alone are understood. In a message that matters: only
//! where the `+OK` before it ended so does a bare LF end a line. Otherwise it is part of the message, and a lone dot
//! behind it is not the message's end.

use std::collections::VecDeque;

use crate::pop3::reply::Reply;
use crate::pop3::types::ProtocolError;
use crate::server::Limits;
use crate::transcript::{LINE_CHARS, printable};

/// A message may be so many times as large as what is kept of it, before it is taken to be endless.
const ENDLESS: u64 = 20;

/// What follows a `+OK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    Nothing,
    Lines,
    /// Lines, one for each message of the maildrop.
    List,
    Message,
}

/// What the bytes at the head of the input were.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing whole yet.
    Nothing,
    /// The first line of an answer.
    Reply(Reply),
    /// A line of a list, without its end.
    Line(Vec<u8>),
    /// The list or message is complete.
    End,
}

/// Takes the bytes of a message.
pub(crate) trait Sink {
    /// Some bytes of the message, dots at the beginning of lines already undone.
    fn append(&mut self, bytes: &[u8]);
}

/// Throws a message away.
impl Sink for () {
    fn append(&mut self, _: &[u8]) {}
}

#[derive(Debug)]
pub(crate) struct Engine {
    limits: Limits,
    awaited: VecDeque<Follows>,
    state: State,
    /// The line being read.
    line: Vec<u8>,
    /// The last answer's first line ended with LF alone.
    bare_lf: bool,
    /// Bytes of the present list or message.
    size: u64,
    outgoing: Vec<u8>,
    /// Sent and received lines for the log, if somebody listens.
    transcript: Option<Vec<(bool, String)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before or in the first line of an answer.
    Reply,
    Lines(Follows),
    Message(At),
}

/// Where in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    LineStart,
    /// Behind a dot at the beginning of a line.
    Dot,
    /// Behind such a dot and CR: the end, if LF follows.
    DotCr,
    Inside,
    /// Behind a CR.
    Cr,
}

impl Engine {
    /// For a connection whose first line is a greeting.
    pub(crate) fn new(limits: Limits, keep_transcript: bool) -> Self {
        let mut engine = Self::without_greeting(limits, keep_transcript);
        engine.awaited.push_back(Follows::Nothing);
        engine
    }

    /// For a connection that goes on inside of TLS.
    pub(crate) fn without_greeting(limits: Limits, keep_transcript: bool) -> Self {
        Self {
            limits,
            awaited: VecDeque::new(),
            state: State::Reply,
            line: Vec::new(),
            bare_lf: false,
            size: 0,
            outgoing: Vec::new(),
            transcript: keep_transcript.then(Vec::new),
        }
    }

    /// Queues a command, in the log as `shown`. `line` is ours, or has been looked through for line ends.
    pub(crate) fn send(&mut self, line: &str, shown: &str, follows: Follows) {
        self.awaited.push_back(follows);
        self.send_answer(line, shown);
    }

    /// Queues an answer to a challenge.
    pub(crate) fn send_answer(&mut self, line: &str, shown: &str) {
        self.note(true, || shown.to_owned());
        self.outgoing.extend_from_slice(line.as_bytes());
        self.outgoing.extend_from_slice(b"\r\n");
    }

    /// The bytes that may be written now.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    /// Commands that are not answered to their end.
    pub(crate) fn in_flight(&self) -> usize {
        self.awaited.len() + usize::from(self.state != State::Reply)
    }

    /// Whether nothing is awaited and nothing half read.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight() == 0 && self.line.is_empty()
    }

    /// The lines since the last call: whether we sent it, and the line.
    pub(crate) fn take_transcript(&mut self) -> Vec<(bool, String)> {
        self.transcript.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Looks at the head of `input`, which must not be empty: how many bytes are used up, and what they were.
    /// Bytes of a message go into `sink`.
    pub(crate) fn step(
        &mut self,
        input: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<(usize, Event), ProtocolError> {
        if let State::Message(at) = self.state {
            return self.message(at, input, sink);
        }
        if self.state == State::Reply && self.awaited.is_empty() {
            return Err(ProtocolError::Unasked);
        }
        let end = memchr::memchr(b'\n', input);
        let used = end.map_or(input.len(), |at| at + 1);
        self.hold(&input[..used])?;
        if end.is_none() {
            return Ok((used, Event::Nothing));
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        let bare_lf = line.pop_if(|last| *last == b'\r').is_none();
        let event = match self.state {
            State::Lines(_) => self.list_line(line),
            _ => Event::Reply(self.reply(&line, bare_lf)?),
        };
        Ok((used, event))
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.line.extend_from_slice(bytes);
        self.size += bytes.len() as u64;
        let list = match self.state {
            State::Lines(Follows::List) => self.limits.search_bytes,
            _ => self.limits.response_bytes,
        };
        if self.line.len() > self.limits.response_bytes {
            return Err(ProtocolError::TooLong(self.limits.response_bytes));
        }
        if self.size > list as u64 {
            return Err(ProtocolError::TooLong(list));
        }
        Ok(())
    }

    fn reply(&mut self, line: &[u8], bare_lf: bool) -> Result<Reply, ProtocolError> {
        (self.bare_lf, self.size) = (bare_lf, 0);
        let reply = Reply::parse(line)?;
        self.note(false, || printable(line, LINE_CHARS));
        if matches!(reply, Reply::Challenge(_)) {
            return Ok(reply);
        }
        let follows = self.awaited.pop_front().unwrap_or(Follows::Nothing);
        if matches!(reply, Reply::Ok(_)) {
            self.state = match follows {
                Follows::Nothing => State::Reply,
                Follows::Lines | Follows::List => State::Lines(follows),
                Follows::Message => State::Message(At::LineStart),
            };
        }
        Ok(reply)
    }

    fn list_line(&mut self, mut line: Vec<u8>) -> Event {
        if line == b"." {
            self.end();
            return Event::End;
        }
        if line.starts_with(b".") {
            line.remove(0);
        }
        self.note(false, || printable(&line, LINE_CHARS));
        Event::Line(line)
    }

    fn end(&mut self) {
        self.state = State::Reply;
        self.size = 0;
    }

    /// One step through a message: a dot, the bytes of a line, or its end.
    fn message(
        &mut self,
        at: At,
        input: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<(usize, Event), ProtocolError> {
        let bare_lf = self.bare_lf;
        let (used, next) = match (at, input[0]) {
            (At::LineStart, b'.') => (1, At::Dot),
            (At::Dot, b'\r') => (1, At::DotCr),
            (At::Dot, b'\n') if bare_lf => return Ok((1, self.message_end())),
            (At::DotCr, b'\n') => return Ok((1, self.message_end())),
            // The dot was doubled after all, and the CR is the message's own.
            (At::DotCr, _) => (0, At::Cr),
            (At::Cr, b'\n') => (1, At::LineStart),
            _ => inside(input, bare_lf),
        };
        let bytes = match (at, next) {
            (_, At::Dot | At::DotCr) => &b""[..],
            (At::DotCr, _) => b"\r",
            _ => &input[..used],
        };
        sink.append(bytes);
        self.size += bytes.len() as u64;
        if self.size > self.limits.message_bytes.saturating_mul(ENDLESS) {
            return Err(ProtocolError::Endless(self.limits.message_bytes.saturating_mul(ENDLESS)));
        }
        self.state = State::Message(next);
        Ok((used, Event::Nothing))
    }

    fn message_end(&mut self) -> Event {
        let size = self.size;
        self.note(false, || format!("({size} bytes)"));
        self.end();
        Event::End
    }

    fn note(&mut self, sent: bool, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push((sent, line()));
        }
    }
}

/// The bytes of a message up to the next place where a line may end.
fn inside(input: &[u8], bare_lf: bool) -> (usize, At) {
    if bare_lf {
        return memchr::memchr(b'\n', input).map_or((input.len(), At::Inside), |at| (at + 1, At::LineStart));
    }
    let mut from = 0;
    // One call for many lines: a call for each was a third of the reading.
    while let Some(found) = memchr::memchr(b'\r', &input[from..]) {
        let cr = from + found;
        match input.get(cr + 1) {
            None => return (cr + 1, At::Cr),
            Some(b'\n') => match input.get(cr + 2) {
                None | Some(b'.') => return (cr + 2, At::LineStart),
                Some(_) => from = cr + 2,
            },
            Some(_) => from = cr + 1,
        }
    }
    (input.len(), At::Inside)
}

#[cfg(test)]
mod tests;
