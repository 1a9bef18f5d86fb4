//! Messages as a stream: asked for some ahead where the server takes several commands, and read only as fast as the
//! caller takes them.
//!
//! A message counts only when the line with its single dot was read.

use std::collections::VecDeque;

use crate::pop3::engine::Follows;
use crate::pop3::session::{Body, Session};
use crate::pop3::types::{Refusal, SessionError};

/// Messages asked for ahead. More would only fill the server's buffers.
const AHEAD: usize = 8;

/// One message, complete, or why the server does not give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retrieved {
    /// Its number in this session.
    pub number: u32,
    /// Its bytes as they came; the first [`crate::Limits::message_bytes`] of them if `truncated`.
    pub body: Vec<u8>,
    /// The message was larger than the limit: its full size in bytes.
    pub truncated: Option<u64>,
    /// The server refused to give it; there is no body then.
    pub refused: Option<Refusal>,
}

/// Messages on their way. Dropped before its end it leaves the session unusable: answers are still due.
pub struct Retrieve<'s> {
    session: &'s mut Session,
    ahead: VecDeque<u32>,
    in_flight: VecDeque<u32>,
    at_once: usize,
    /// The message that is on its way, so that [`Retrieve::next`] may be dropped and called again.
    body: Body,
    began: bool,
}

impl Session {
    /// Begins to read messages, in this order. Nothing is sent before the first [`Retrieve::next`].
    pub fn retrieve(&mut self, numbers: impl IntoIterator<Item = u32>) -> Retrieve<'_> {
        let at_once = self.at_once().min(AHEAD);
        let body = Body::new(self.server.limits.message_bytes);
        let ahead = numbers.into_iter().collect();
        Retrieve { session: self, ahead, in_flight: VecDeque::new(), at_once, body, began: false }
    }
}

impl Retrieve<'_> {
    /// The next message; none when all were read.
    ///
    /// # Errors
    /// All end the session.
    pub async fn next(&mut self) -> Result<Option<Retrieved>, SessionError> {
        while self.in_flight.len() < self.at_once
            && let Some(number) = self.ahead.pop_front()
        {
            self.session.send(&format!("RETR {number}"), Follows::Message)?;
            self.in_flight.push_back(number);
        }
        let Some(number) = self.in_flight.front().copied() else { return Ok(None) };
        let refused = match self.read().await {
            Ok(()) => None,
            Err(SessionError::Refused(refusal)) => Some(refusal),
            Err(error) => return Err(error.in_message(number)),
        };
        self.in_flight.pop_front();
        let limit = self.session.server.limits.message_bytes;
        let Body { bytes, total, .. } = std::mem::replace(&mut self.body, Body::new(limit));
        self.began = false;
        let truncated = (total > bytes.len() as u64).then_some(total);
        Ok(Some(Retrieved { number, body: bytes, truncated, refused }))
    }

    async fn read(&mut self) -> Result<(), SessionError> {
        if !self.began {
            self.session.outcome("RETR", &mut self.body).await?;
            self.began = true;
        }
        self.session.until_end(&mut self.body).await
    }
}
