//! The state of one IMAP connection without the connection: commands in, bytes out; bytes in, responses out.
//!
//! Several commands may be in flight; a command that has to wait for the server's `+` holds back those behind
//! it. The engine reads no clock and no socket, so that a test can feed it any bytes in any pieces.

use std::collections::VecDeque;

use crate::imap::command::{Command, Part};
use crate::imap::frame::{Framer, Step};
use crate::imap::response::Response;
use crate::imap::types::ProtocolError;
use crate::server::Limits;
use crate::transcript::{LINE_CHARS, printable};

/// Commands in flight at once, as a limit against mistakes of ours.
const MAX_IN_FLIGHT: usize = 64;

/// What the bytes at the head of the input were.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing whole yet.
    Nothing,
    /// A message of this size begins.
    BodyStart(u64),
    /// The used bytes are part of the message.
    Body,
    /// A response, complete.
    Response(Response),
}

/// The tag of a command in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u32);

impl Tag {
    pub(crate) fn text(self) -> String {
        format!("L{}", self.0)
    }
}

#[derive(Debug)]
pub(crate) struct Engine {
    framer: Framer,
    limits: Limits,
    last_tag: u32,
    in_flight: VecDeque<Tag>,
    outgoing: VecDeque<(Option<Tag>, Part)>,
    /// Sent and received lines for the log, if somebody listens.
    transcript: Option<Vec<(bool, String)>>,
    /// The server takes short literals without `+`.
    pub unasked_literals: bool,
    /// Bytes of responses since the last step forward.
    untagged_bytes: u64,
}

impl Engine {
    pub(crate) fn new(limits: Limits, keep_transcript: bool) -> Self {
        Self {
            framer: Framer::new(limits),
            limits,
            last_tag: 0,
            in_flight: VecDeque::new(),
            outgoing: VecDeque::new(),
            transcript: keep_transcript.then(Vec::new),
            unasked_literals: false,
            untagged_bytes: 0,
        }
    }

    /// Queues a command.
    pub(crate) fn send(&mut self, command: Command) -> Tag {
        debug_assert!(self.in_flight.len() < MAX_IN_FLIGHT, "callers wait for answers");
        self.last_tag += 1;
        let tag = Tag(self.last_tag);
        self.note(true, || format!("{} {}", tag.text(), command.shown()));
        let parts = command.parts(&tag.text(), self.unasked_literals);
        self.outgoing.extend(parts.into_iter().map(|p| (Some(tag), p)));
        self.in_flight.push_back(tag);
        self.untagged_bytes = 0;
        tag
    }

    /// Queues a line that is not a command: `DONE`, or an answer to a challenge.
    pub(crate) fn send_line(&mut self, line: &str, shown: &str) {
        self.note(true, || shown.to_owned());
        self.outgoing.push_back((None, Part::Bytes(format!("{line}\r\n").into_bytes())));
    }

    /// Whether the command has been answered.
    pub(crate) fn is_in_flight(&self, tag: Tag) -> bool {
        self.in_flight.contains(&tag)
    }

    /// Whether all commands have been answered and no response is half read.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && !self.framer.is_inside()
    }

    /// The next bytes that may be written now.
    pub(crate) fn take_output(&mut self) -> Option<Vec<u8>> {
        match self.outgoing.front()? {
            (_, Part::AwaitContinue) => None,
            (_, Part::Bytes(_)) => match self.outgoing.pop_front() {
                Some((_, Part::Bytes(bytes))) => Some(bytes),
                _ => None,
            },
        }
    }

    /// Looks at the head of `input`, which must not be empty: how many bytes are used up, and what they were.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<(usize, Event), ProtocolError> {
        let (used, step) = self.framer.step(input)?;
        let event = match step {
            Step::Partial => Event::Nothing,
            Step::BodyStart(size) => Event::BodyStart(size),
            Step::Body => return Ok((used, Event::Body)),
            Step::Done(line) => {
                self.note(false, || line.shown(LINE_CHARS));
                self.response(Response::parse(&line, self.limits.depth)?)?
            }
        };
        self.count(used as u64)?;
        Ok((used, event))
    }

    /// Tells that the talk is going somewhere: a message came whole.
    pub(crate) fn made_progress(&mut self) {
        self.untagged_bytes = 0;
    }

    /// The lines since the last call: whether we sent it, and the line.
    pub(crate) fn take_transcript(&mut self) -> Vec<(bool, String)> {
        self.transcript.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn response(&mut self, response: Response) -> Result<Event, ProtocolError> {
        match &response {
            Response::Continue(_) if matches!(self.outgoing.front(), Some((_, Part::AwaitContinue))) => {
                self.outgoing.pop_front();
                return Ok(Event::Nothing);
            }
            Response::Tagged { tag, .. } => {
                let Some(at) = self.in_flight.iter().position(|t| t.text() == *tag) else {
                    return Err(ProtocolError::NotAResponse(printable(tag.as_bytes(), 80)));
                };
                let tag = self.in_flight[at];
                self.in_flight.remove(at);
                self.untagged_bytes = 0;
                // An answer before the whole command was sent is a refused literal: the rest must not follow.
                self.outgoing.retain(|(of, _)| *of != Some(tag));
            }
            _ => {}
        }
        Ok(Event::Response(response))
    }

    fn count(&mut self, bytes: u64) -> Result<(), ProtocolError> {
        self.untagged_bytes += bytes;
        if self.untagged_bytes > self.limits.untagged_bytes {
            return Err(ProtocolError::TooMuch(self.limits.untagged_bytes));
        }
        Ok(())
    }

    fn note(&mut self, sent: bool, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push((sent, line()));
        }
    }
}

#[cfg(test)]
mod tests;
