//! An open POP3 connection: sends commands, hears their answers, and never waits without limit.
//!
//! A session is used by one task at a time. It ends with [`Session::quit`]; dropped without, the server removes
//! nothing (RFC 1939, section 6).

use std::sync::Arc;
use std::time::Duration;

use crate::dial;
use crate::error::{ConnectError, ConnectErrorKind, Stage};
use crate::link::{Link, LinkError};
use crate::pop3::engine::{Engine, Event, Follows, Sink};
use crate::pop3::reply::Reply;
use crate::pop3::types::{ProtocolError, Quit, Refusal, SessionError, Stat};
use crate::server::{Credentials, Server};
use crate::transcript::Direction;

/// Capabilities that are remembered.
const MAX_CAPABILITIES: usize = 100;
/// Commands in flight where the server takes several (PIPELINING, RFC 2449, section 6.6).
const IN_FLIGHT: usize = 50;

/// An authenticated connection to a POP3 server.
pub struct Session {
    pub(super) link: Link,
    pub(super) engine: Engine,
    pub(super) server: Arc<Server>,
    /// Each with its parameters; empty if the server knows no CAPA.
    pub(super) capabilities: Vec<String>,
    ended: Option<SessionError>,
}

impl Session {
    /// Connects, secures and signs in. Each step has its [`crate::Stage`] in the error.
    pub async fn connect(server: &Server, credentials: &Credentials) -> Result<Self, ConnectError> {
        let link = dial::dial(server).await?;
        let session = Self {
            link,
            engine: Engine::new(server.limits, server.log.is_some()),
            server: Arc::new(server.clone()),
            capabilities: Vec::new(),
            ended: None,
        };
        session.greet_and_login(credentials).await
    }

    /// Whether the server offers a capability, such as `UIDL`. Servers that know no CAPA may have it all the same.
    pub fn offers(&self, capability: &str) -> bool {
        self.parameters(capability).is_some()
    }

    /// The parameters of a capability, if it is offered.
    pub(super) fn parameters(&self, capability: &str) -> Option<&str> {
        self.capabilities.iter().find_map(|line| {
            let (name, parameters) = line.split_once(' ').unwrap_or((line, ""));
            name.eq_ignore_ascii_case(capability).then_some(parameters)
        })
    }

    /// How long the server wants to be left alone between two sessions (LOGIN-DELAY, RFC 2449, section 6.5).
    pub fn login_delay(&self) -> Option<Duration> {
        let seconds = self.parameters("LOGIN-DELAY")?.split(' ').next()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// What to say where messages need names and the server has none. A server that offers UIDL and refuses it does
    /// so for now only.
    pub fn without_uidl(&self, refusal: &Refusal) -> ConnectError {
        let is_for_now = self.offers("UIDL") || refusal.code.is_some();
        let kind = if is_for_now { ConnectErrorKind::Unavailable } else { ConnectErrorKind::NoUidl };
        ConnectError::new(Stage::List, kind, &self.server, &refusal.text)
    }

    /// Whether the session is over, and why. Every further call gives the same error.
    pub fn ended(&self) -> Option<&SessionError> {
        self.ended.as_ref()
    }

    /// Messages and bytes of the maildrop.
    pub async fn stat(&mut self) -> Result<Stat, SessionError> {
        let text = self.run("STAT").await?;
        let mut numbers = text.split_ascii_whitespace();
        let stat =
            numbers.next().and_then(|n| n.parse().ok()).zip(numbers.next().and_then(|n| n.parse().ok()));
        match stat {
            Some((messages, bytes)) => Ok(Stat { messages, bytes }),
            None => Err(self.end(SessionError::Protocol(ProtocolError::Unexpected("STAT")))),
        }
    }

    /// The number and unique id of each message, in the order of the server. An id is what stands behind the number,
    /// whatever it is; none if nothing stands there.
    ///
    /// # Errors
    /// `Refused`: the server knows no UIDL.
    pub async fn uidl(&mut self) -> Result<Vec<(u32, Option<String>)>, SessionError> {
        let lines = self.run_list("UIDL", Follows::List).await?;
        self.numbered("UIDL", &lines, |text| Some((!text.is_empty()).then(|| text.to_owned())))
    }

    /// The number and size in bytes of each message. Servers err about the size.
    pub async fn list(&mut self) -> Result<Vec<(u32, u64)>, SessionError> {
        let lines = self.run_list("LIST", Follows::List).await?;
        self.numbered("LIST", &lines, |text| text.split(' ').next()?.parse().ok())
    }

    /// The header of a message and so many lines of its body; the first [`crate::Limits::message_bytes`] of them.
    pub async fn top(&mut self, number: u32, lines: u32) -> Result<Vec<u8>, SessionError> {
        self.send(&format!("TOP {number} {lines}"), Follows::Message)?;
        let mut body = Body::new(self.server.limits.message_bytes);
        self.outcome("TOP", &mut body).await?;
        self.until_end(&mut body).await?;
        Ok(body.bytes)
    }

    /// Marks messages to be removed by [`Session::quit`]. Returns those the server refused, with its last words.
    pub async fn delete(&mut self, numbers: &[u32]) -> Result<Vec<(u32, Refusal)>, SessionError> {
        let mut refused = Vec::new();
        for some in numbers.chunks(self.at_once()) {
            for number in some {
                self.send(&format!("DELE {number}"), Follows::Nothing)?;
            }
            for number in some {
                match self.outcome("DELE", &mut ()).await {
                    Ok(_) => {}
                    Err(SessionError::Refused(refusal)) => refused.push((*number, refusal)),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(refused)
    }

    /// Takes all marks of [`Session::delete`] back.
    pub async fn reset(&mut self) -> Result<(), SessionError> {
        self.run("RSET").await.map(drop)
    }

    /// Asks for nothing.
    pub async fn noop(&mut self) -> Result<(), SessionError> {
        self.run("NOOP").await.map(drop)
    }

    /// Ends the session; now the server removes what was marked.
    pub async fn quit(mut self) -> Quit {
        match self.run("QUIT").await {
            Ok(_) => Quit::Updated,
            Err(SessionError::Refused(refusal)) => Quit::Refused(refusal),
            Err(error) => Quit::Lost(error),
        }
    }

    /// How many commands may be in flight.
    pub(super) fn at_once(&self) -> usize {
        if self.offers("PIPELINING") { IN_FLIGHT } else { 1 }
    }

    /// Runs a command that is answered by one line, and gives its words.
    pub(super) async fn run(&mut self, command: &'static str) -> Result<String, SessionError> {
        self.send(command, Follows::Nothing)?;
        self.outcome(command, &mut ()).await
    }

    /// Runs a command that is answered by lines.
    pub(super) async fn run_list(
        &mut self,
        command: &'static str,
        follows: Follows,
    ) -> Result<Vec<Vec<u8>>, SessionError> {
        self.send(command, follows)?;
        self.outcome(command, &mut ()).await?;
        let mut lines = Vec::new();
        loop {
            match self.next(&mut ()).await? {
                Event::Line(line) => lines.push(line),
                Event::End => return Ok(lines),
                _ => return Err(self.unexpected(command)),
            }
        }
    }

    /// Reads lines that begin with a message's number. One that cannot be read ends the session: passed over, its
    /// message would look as if it were gone.
    fn numbered<T>(
        &mut self,
        command: &'static str,
        lines: &[Vec<u8>],
        rest: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<(u32, T)>, SessionError> {
        let read = |line: &Vec<u8>| {
            let text = String::from_utf8_lossy(line.trim_ascii());
            let (number, text) = text.split_once([' ', '\t']).unwrap_or((&*text, ""));
            Some((number.parse().ok()?, rest(text.trim())?))
        };
        let found: Option<Vec<(u32, T)>> = lines.iter().map(read).collect();
        found.ok_or_else(|| self.unexpected(command))
    }

    /// Queues a command of our own making.
    pub(super) fn send(&mut self, line: &str, follows: Follows) -> Result<(), SessionError> {
        self.send_hidden(line, line, follows)
    }

    /// Queues a command that the log shows as `shown`.
    pub(super) fn send_hidden(
        &mut self,
        line: &str,
        shown: &str,
        follows: Follows,
    ) -> Result<(), SessionError> {
        self.check()?;
        // RFC 1939, section 3: nothing from outside may end the line and begin another command.
        if line.contains(['\r', '\n', '\0']) {
            return Err(SessionError::BadName);
        }
        self.engine.send(line, shown, follows);
        Ok(())
    }

    fn check(&self) -> Result<(), SessionError> {
        self.ended.clone().map_or(Ok(()), Err)
    }

    /// The first line of the next answer, which must not be a challenge. What follows it may already go into `sink`.
    pub(super) async fn outcome(
        &mut self,
        command: &'static str,
        sink: &mut (dyn Sink + Send),
    ) -> Result<String, SessionError> {
        match self.next(sink).await? {
            Event::Reply(Reply::Ok(text)) => Ok(text),
            Event::Reply(Reply::Err { code, text }) => {
                Err(SessionError::Refused(Refusal { command, code, text }))
            }
            _ => Err(self.unexpected(command)),
        }
    }

    /// Reads the message that follows to its end.
    pub(super) async fn until_end(&mut self, sink: &mut (dyn Sink + Send)) -> Result<(), SessionError> {
        match self.next(sink).await? {
            Event::End => Ok(()),
            _ => Err(self.unexpected("RETR")),
        }
    }

    /// The next event that is one.
    pub(super) async fn next(&mut self, sink: &mut (dyn Sink + Send)) -> Result<Event, SessionError> {
        self.check()?;
        self.flush().await?;
        loop {
            while !self.link.unread().is_empty() {
                let step = self.engine.step(self.link.unread(), sink);
                let (used, event) = step.map_err(|e| self.end(SessionError::Protocol(e)))?;
                self.link.consume(used);
                if event != Event::Nothing {
                    if !matches!(event, Event::Line(_)) {
                        self.link.made_progress();
                    }
                    self.write_log();
                    return Ok(event);
                }
            }
            let filled = self.link.fill().await;
            filled.map_err(|e| self.lost(e))?;
        }
    }

    async fn flush(&mut self) -> Result<(), SessionError> {
        let output = self.engine.take_output();
        self.write_log();
        if !output.is_empty() {
            self.link.queue(output);
        }
        let flushed = self.link.flush().await;
        flushed.map_err(|e| self.lost(e))
    }

    pub(super) fn unexpected(&mut self, command: &'static str) -> SessionError {
        self.end(SessionError::Protocol(ProtocolError::Unexpected(command)))
    }

    /// Remembers that the session is over.
    pub(super) fn end(&mut self, error: SessionError) -> SessionError {
        self.write_log();
        self.ended.get_or_insert_with(|| error.clone());
        error
    }

    fn lost(&mut self, error: LinkError) -> SessionError {
        let error = match error {
            LinkError::Closed => SessionError::Lost { reason: "the server closed it".into(), number: None },
            LinkError::Timeout(waited) => SessionError::Timeout { waited, number: None },
            LinkError::Io(e) => SessionError::Lost { reason: e.to_string(), number: None },
        };
        self.end(error)
    }

    pub(super) fn write_log(&mut self) {
        self.server.tell_transcript(self.engine.take_transcript());
    }

    pub(super) fn note(&mut self, remark: &str) {
        self.write_log();
        self.server.tell(Direction::Note, remark);
    }

    pub(super) fn learn(&mut self, lines: Vec<Vec<u8>>) {
        let lines = lines.into_iter().take(MAX_CAPABILITIES);
        self.capabilities = lines.map(|line| String::from_utf8_lossy(&line).trim().to_owned()).collect();
    }
}

/// Keeps the first bytes of a message and counts the rest.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub bytes: Vec<u8>,
    limit: u64,
    /// All that came.
    pub total: u64,
}

impl Body {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, ..Self::default() }
    }
}

impl Sink for Body {
    fn append(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len() as u64).min(bytes.len() as u64);
        self.bytes.extend_from_slice(&bytes[..room as usize]);
        self.total += bytes.len() as u64;
    }
}
