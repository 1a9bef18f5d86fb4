//! An open IMAP connection: sends commands, hears what the server says in between, and never waits without limit.
//!
//! A session is used by one task at a time. Dropping it, or the future of any call, is safe: at worst the answers
//! of the dropped call are read and thrown away by the next one.

use std::sync::Arc;
use std::time::Duration;

use crate::dial;
use crate::error::{ConnectError, Stage};
use crate::imap::command::Command;
use crate::imap::engine::{Engine, Event, Tag};
use crate::imap::response::{Code, Condition, Response, Said};
use crate::imap::types::{FolderName, ProtocolError, Refusal, Selected, SessionError};
use crate::link::{Link, LinkError};
use crate::server::{Credentials, Server};
use crate::transcript::Direction;

/// Capabilities that are remembered.
const MAX_CAPABILITIES: usize = 500;

/// An authenticated connection to an IMAP server.
pub struct Session {
    pub(super) link: Link,
    pub(super) engine: Engine,
    pub(super) server: Arc<Server>,
    capabilities: Vec<String>,
    pub(super) view: View,
    /// An IDLE that has not been ended with DONE.
    pub(super) idling: Option<Tag>,
    /// The server tells what left a folder (QRESYNC).
    pub(super) qresync: bool,
    /// Names are UTF-8 (UTF8=ACCEPT).
    pub(super) utf8: bool,
    ended: Option<SessionError>,
    /// The server said PREAUTH.
    pub(super) preauthenticated: bool,
}

/// What we have heard about the opened folder since it was opened.
#[derive(Debug, Default)]
pub(super) struct View {
    pub folder: Option<FolderName>,
    pub exists: u32,
    /// Messages may have come that nobody has searched for yet.
    pub news: bool,
    /// Something in the folder changed: messages came or went, flags changed.
    pub changed: bool,
}

/// A command that was answered with OK.
#[derive(Debug)]
pub(super) struct Done {
    pub code: Option<Code>,
}

/// Where the bytes of a message go. One that nobody began here is thrown away.
#[derive(Debug, Default)]
pub(super) struct BodySink {
    pub bytes: Vec<u8>,
    /// Bytes kept at most.
    pub limit: u64,
    /// A message has begun since the last response, of this size.
    pub announced: Option<u64>,
}

/// A message's memory grows with what comes, not with what is announced, beyond this.
const TRUSTED_BYTES: u64 = 1 << 20;

impl BodySink {
    fn begin(&mut self, size: u64) {
        self.bytes = Vec::with_capacity(size.min(self.limit).min(TRUSTED_BYTES) as usize);
        self.announced = Some(size);
    }

    fn append(&mut self, chunk: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len() as u64);
        if self.announced.is_some() && room > 0 {
            self.bytes.extend_from_slice(&chunk[..room.min(chunk.len() as u64) as usize]);
        }
    }
}

impl Session {
    /// Connects, secures and signs in. Each step has its [`Stage`] in the error.
    pub async fn connect(server: &Server, credentials: &Credentials) -> Result<Self, ConnectError> {
        let link = dial::dial(server).await?;
        let mut session = Self {
            link,
            engine: Engine::new(server.limits, server.log.is_some()),
            server: Arc::new(server.clone()),
            capabilities: Vec::new(),
            view: View::default(),
            idling: None,
            qresync: false,
            utf8: false,
            ended: None,
            preauthenticated: false,
        };
        session = session.greet_and_login(credentials).await?;
        Ok(session)
    }

    /// Whether the server offers a capability, such as `MOVE`.
    pub fn offers(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|c| c.eq_ignore_ascii_case(capability))
    }

    /// All capabilities as the server wrote them.
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// The folder that is open.
    pub fn selected(&self) -> Option<&FolderName> {
        self.view.folder.as_ref()
    }

    /// Number of messages in the open folder, as last heard.
    pub fn exists(&self) -> u32 {
        self.view.exists
    }

    /// Whether the session is over, and why. Every further call gives the same error.
    pub fn ended(&self) -> Option<&SessionError> {
        self.ended.as_ref()
    }

    /// Asks for nothing, and hears what is new (RFC 9051, section 6.1.2). Says whether the open folder
    /// changed since the last search.
    pub async fn noop(&mut self) -> Result<bool, SessionError> {
        self.run(Command::new("NOOP")).await?;
        Ok(self.view.news || std::mem::take(&mut self.view.changed))
    }

    /// Says good-bye and closes. The connection is closed even if the server does not answer.
    pub async fn logout(mut self) -> Result<(), SessionError> {
        let tag = self.send(Command::new("LOGOUT"));
        loop {
            match self.next(&mut BodySink::default()).await {
                Ok(Response::Tagged { tag: answered, .. }) if answered == tag.text() => {
                    return Ok(());
                }
                Ok(_) => {}
                // BYE is what was asked for, and some servers close without the OK.
                Err(SessionError::Bye(_) | SessionError::Lost { .. }) => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    }

    /// Opens a folder; `read_only` uses EXAMINE, which changes nothing, not even `\Recent`.
    pub async fn select(&mut self, folder: &FolderName, read_only: bool) -> Result<Selected, SessionError> {
        let name = if read_only { "EXAMINE" } else { "SELECT" };
        let command = Command::new(name).string(folder.as_bytes())?;
        self.view = View::default();
        let mut opened = Opened::default();
        let done = self.run_each(command, |response| opened.hear(&response)).await?;
        self.view.folder = Some(folder.clone());
        self.view.changed = false;
        // Nothing is known of the folder's content yet: the first search is due.
        self.view.news = true;
        if opened.uid_validity.is_none() {
            opened.uid_validity = self.status(folder).await.ok().and_then(|s| s.uid_validity);
        }
        let uid_validity = opened.uid_validity.ok_or(SessionError::Protocol(ProtocolError::NoUidValidity))?;
        let new_keywords = opened.permanent_flags.iter().any(|f| f == "\\*");
        opened.permanent_flags.retain(|f| f != "\\*");
        Ok(Selected {
            exists: self.view.exists,
            uid_validity,
            uid_next: opened.uid_next,
            highest_mod_seq: opened.highest_mod_seq,
            permanent_flags: opened.permanent_flags,
            new_keywords,
            read_only: read_only || done.code == Some(Code::ReadOnly),
            uid_not_sticky: opened.uid_not_sticky,
        })
    }

    /// Runs one command to its end.
    pub(super) async fn run(&mut self, command: Command) -> Result<Done, SessionError> {
        self.run_each(command, |_| {}).await
    }

    /// Runs one command to its end and shows every other response on the way.
    pub(super) async fn run_each(
        &mut self,
        command: Command,
        mut each: impl FnMut(Response),
    ) -> Result<Done, SessionError> {
        self.check()?;
        let name = command.name;
        let tag = self.send(command);
        loop {
            match self.next(&mut BodySink::default()).await? {
                Response::Tagged { tag: answered, said } if answered == tag.text() => {
                    return outcome(name, said);
                }
                response => each(response),
            }
        }
    }

    /// Queues a command, after ending an IDLE whose caller went away.
    pub(super) fn send(&mut self, command: Command) -> Tag {
        if self.idling.take().is_some() {
            self.engine.send_line("DONE", "DONE");
        }
        self.engine.send(command)
    }

    /// Whether a command may still be sent.
    pub(super) fn check(&self) -> Result<(), SessionError> {
        self.ended.clone().map_or(Ok(()), Err)
    }

    /// The next response. Message bytes before it go into `sink`.
    pub(super) async fn next(&mut self, sink: &mut BodySink) -> Result<Response, SessionError> {
        loop {
            if let Some(response) = self.next_unread(sink)? {
                return Ok(response);
            }
            self.flush().await?;
            let filled = self.link.fill().await;
            filled.map_err(|e| self.lost(e))?;
        }
    }

    /// The next response if it is here already.
    pub(super) fn next_unread(&mut self, sink: &mut BodySink) -> Result<Option<Response>, SessionError> {
        self.check()?;
        loop {
            let input = self.link.unread();
            if input.is_empty() {
                return Ok(None);
            }
            let step = self.engine.step(input);
            let (used, event) = step.map_err(|e| self.end(SessionError::Protocol(e)))?;
            match &event {
                Event::BodyStart(size) => sink.begin(*size),
                Event::Body => sink.append(&self.link.unread()[..used]),
                _ => {}
            }
            self.link.consume(used);
            if let Event::Response(response) = event {
                self.write_log();
                self.observe(&response)?;
                return Ok(Some(response));
            }
        }
    }

    /// Writes what may be written now.
    pub(super) async fn flush(&mut self) -> Result<(), SessionError> {
        while let Some(bytes) = self.engine.take_output() {
            self.link.queue(bytes);
        }
        self.write_log();
        let flushed = self.link.flush().await;
        flushed.map_err(|e| self.lost(e))
    }

    /// Takes note of what concerns the session whatever command it comes with.
    fn observe(&mut self, response: &Response) -> Result<(), SessionError> {
        match response {
            Response::Capability(list) => self.learn(list),
            Response::Exists(n) => {
                self.view.news |= *n > self.view.exists;
                self.view.changed |= *n != self.view.exists;
                self.view.exists = *n;
            }
            Response::Expunge => {
                self.view.exists = self.view.exists.saturating_sub(1);
                self.view.changed = true;
            }
            Response::Vanished { earlier: false, uids } => {
                self.view.exists =
                    self.view.exists.saturating_sub(uids.len().min(u64::from(u32::MAX)) as u32);
                self.view.changed = true;
            }
            Response::Tagged { said, .. } => {
                self.link.made_progress();
                self.hear(said);
            }
            Response::Said(said) => {
                self.hear(said);
                if said.condition == Condition::Bye {
                    return Err(self.end(SessionError::Bye(said.text.clone())));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn hear(&mut self, said: &Said) {
        self.preauthenticated |= said.condition == Condition::PreAuth;
        match &said.code {
            Some(Code::Capability(list)) => self.learn(list),
            Some(Code::Alert) => {
                tracing::warn!(host = %self.server.host, alert = %said.text, "the mail server has a message for its users")
            }
            _ => {}
        }
    }

    pub(super) fn learn(&mut self, list: &[String]) {
        self.capabilities = list.iter().take(MAX_CAPABILITIES).cloned().collect();
        self.engine.unasked_literals = self.offers("LITERAL+") || self.offers("LITERAL-");
    }

    pub(super) fn forget_capabilities(&mut self) {
        self.learn(&[]);
    }

    /// Remembers that the session is over.
    pub(super) fn end(&mut self, error: SessionError) -> SessionError {
        self.write_log();
        self.ended.get_or_insert_with(|| error.clone());
        error
    }

    fn lost(&mut self, error: LinkError) -> SessionError {
        let error = match error {
            LinkError::Closed => SessionError::Lost { reason: "the server closed it".into(), uid: None },
            LinkError::Timeout(waited) => SessionError::Timeout { waited, uid: None },
            LinkError::Io(e) => SessionError::Lost { reason: e.to_string(), uid: None },
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

    /// Reads what comes within `wait`, while nothing is due. Says whether anything came.
    pub(super) async fn fill_within(&mut self, wait: Duration) -> Result<bool, SessionError> {
        let filled = self.link.fill_within(wait).await;
        filled.map_err(|e| self.lost(e))
    }

    pub(super) fn answered(&self, tag: Tag) -> bool {
        !self.engine.is_in_flight(tag)
    }

    pub(super) fn fail_at(&self, stage: Stage, error: &SessionError) -> ConnectError {
        error.at(stage, &self.server)
    }
}

/// What a tagged answer means for the command.
pub(super) fn outcome(command: &'static str, said: Said) -> Result<Done, SessionError> {
    if said.condition == Condition::Ok {
        return Ok(Done { code: said.code });
    }
    let code = said.code.map(|code| match code {
        Code::Other(name) => name,
        Code::Alert => "ALERT".to_owned(),
        Code::ReadOnly => "READ-ONLY".to_owned(),
        other => format!("{other:?}").to_ascii_uppercase(),
    });
    Err(SessionError::Refused(Refusal {
        command,
        code,
        text: said.text,
        bad: said.condition == Condition::Bad,
    }))
}

/// What SELECT tells in between.
#[derive(Default)]
struct Opened {
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    highest_mod_seq: Option<u64>,
    permanent_flags: Vec<String>,
    uid_not_sticky: bool,
}

impl Opened {
    fn hear(&mut self, response: &Response) {
        let Response::Said(said) = response else {
            return;
        };
        match &said.code {
            Some(Code::UidValidity(n)) => self.uid_validity = Some(*n),
            Some(Code::UidNext(n)) => self.uid_next = Some(*n),
            Some(Code::HighestModSeq(n)) => self.highest_mod_seq = Some(*n),
            Some(Code::PermanentFlags(flags)) => self.permanent_flags.clone_from(flags),
            Some(Code::UidNotSticky) => self.uid_not_sticky = true,
            _ => {}
        }
    }
}
