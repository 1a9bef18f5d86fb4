//! One connection: greeting, EHLO, STARTTLS, signing in, messages.
//!
//! The order is fixed so that nothing said in clear is believed and no secret is said in clear: what a server
//! offered before STARTTLS is forgotten, and what stands behind its answer to STARTTLS ends the connection.
//! A session is used by one task at a time, and is over when the future of a call is dropped in the middle.

use std::sync::Arc;
use std::time::Duration;

use super::reply::{Reply, parse};
use super::text::{Unsendable, check_address, header, wire_form};
use crate::dial;
use crate::error::{ConnectError, ConnectErrorKind as Kind, Stage};
use crate::link::{Link, LinkError};
use crate::server::{Credentials, Server, Tls};
use crate::transcript::{Direction, LINE_CHARS, printable};

/// We have no name that everybody could check; servers for submission take this.
const HELLO: &str = "[127.0.0.1]";
/// Lines of one reply.
const MAX_LINES: usize = 100;
/// Servers check a message before they answer the final dot: ten minutes (RFC 5321 section 4.5.3.2.6).
const END: Duration = Duration::from_secs(600);
/// A server that breaks off in the middle of a message may have said why.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Good-bye is a courtesy.
const QUIT: Duration = Duration::from_secs(5);

/// From whom, and to whom; bare addresses.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Where bounces go; empty for the null sender.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
}

/// A recipient the server does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecipient {
    /// Its address.
    pub address: String,
    /// What the server said.
    pub reply: Reply,
}

/// A message of which everything was said but the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmitted {
    /// Recipients it will not reach; at least one other was accepted.
    pub refused: Vec<RefusedRecipient>,
}

/// What came of the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The server has it.
    Accepted(Reply),
    /// The server refused it: nobody gets it.
    Refused(Reply),
    /// The dot was said and no answer came, for this reason. It may have been sent or not.
    Ambiguous(String),
}

/// Why a message was not handed over. In every case the server has accepted nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It cannot be sent as it stands.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// The server refused the sender or the message.
    #[error("the server refused it ({stage}): {reply}")]
    Refused {
        /// What was refused: [`Stage::Mail`] or [`Stage::Data`].
        stage: Stage,
        /// What it said.
        reply: Reply,
    },
    /// The server refused every recipient.
    #[error("the server refused every recipient")]
    NoRecipient(Vec<RefusedRecipient>),
    /// The connection ended; the session is over.
    #[error("the connection broke ({stage}): {reason}")]
    Lost {
        /// How far it came.
        stage: Stage,
        /// Why, with the server's last words if there were any.
        reason: String,
    },
}

impl SendError {
    /// The same, in the words that a failed connection has.
    pub fn told(&self, server: &Server) -> ConnectError {
        let told = |stage, kind, said: &str| ConnectError::new(stage, kind, server, said);
        match self {
            Self::Unsendable(why) => told(Stage::Data, Kind::MessageRefused, &why.to_string()),
            Self::Refused { stage: Stage::Mail, reply } => {
                told(Stage::Mail, Kind::SenderRefused, &reply.to_string())
            }
            Self::Refused { stage, reply } => told(*stage, Kind::MessageRefused, &reply.to_string()),
            Self::NoRecipient(refused) => {
                let said = refused.first().map(|first| first.reply.to_string()).unwrap_or_default();
                told(Stage::Rcpt, Kind::RecipientRefused, &said)
            }
            Self::Lost { stage, reason } => told(*stage, Kind::Closed, reason),
        }
    }
}

/// Why no reply came.
#[derive(Debug)]
pub(super) enum Broken {
    Link(LinkError),
    /// Something that is no reply.
    Garbled(String),
}

impl Broken {
    fn reason(&self) -> String {
        match self {
            Self::Link(LinkError::Closed) => "the server closed it".into(),
            Self::Link(LinkError::Timeout(waited)) => format!("no answer within {} s", waited.as_secs()),
            Self::Link(LinkError::Io(error)) => error.to_string(),
            Self::Garbled(said) => format!("an answer that cannot be understood: {said}"),
        }
    }
}

/// What EHLO listed: words in capitals with their parameters.
#[derive(Debug, Default)]
pub(super) struct Offers(Vec<(String, String)>);

impl Offers {
    fn of(lines: &[Vec<u8>]) -> Offers {
        let words =
            lines.iter().skip(1).take(MAX_LINES).filter_map(|line| parse(line)).map(|line| line.words);
        let offer = |words: &[u8]| {
            let text = printable(words, LINE_CHARS).to_ascii_uppercase();
            // `AUTH=PLAIN` stands beside `AUTH PLAIN` for clients of 1998; some servers have only that.
            let (word, rest) = text.split_once([' ', '=']).unwrap_or((&text, ""));
            (word.to_owned(), rest.to_owned())
        };
        Offers(words.map(offer).collect())
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|(offered, _)| offered == word)
    }

    /// A way to sign in.
    pub(super) fn mechanism(&self, name: &str) -> bool {
        let auth = self.0.iter().filter(|(word, _)| word == "AUTH");
        auth.flat_map(|(_, names)| names.split_whitespace()).any(|offered| offered == name)
    }

    /// Bytes of the largest message the server takes; None where it does not say.
    fn size(&self) -> Option<u64> {
        let (_, size) = self.0.iter().find(|(word, _)| word == "SIZE")?;
        size.trim().parse().ok().filter(|size| *size > 0)
    }
}

/// A connection to a server that takes messages.
pub struct Session {
    link: Link,
    pub(super) server: Arc<Server>,
    pub(super) offers: Offers,
    end_patience: Duration,
    /// A message was begun and not ended: RSET before the next.
    begun: bool,
}

impl Session {
    /// Connects, secures and signs in; without credentials the server must take mail from anybody here.
    /// Each step has its [`Stage`] in the error.
    pub async fn connect(server: &Server, credentials: Option<&Credentials>) -> Result<Self, ConnectError> {
        let link = dial::dial(server).await?;
        let server = Arc::new(server.clone());
        let mut session = Self { link, server, offers: Offers::default(), end_patience: END, begun: false };
        session.greet().await?;
        session.hello().await?;
        if session.server.tls == Tls::StartTls {
            session = session.start_tls().await?;
        } else if session.server.tls == Tls::Implicit {
            session.note("the connection is secured by TLS");
        }
        if let Some(credentials) = credentials {
            session.login(credentials).await?;
        }
        Ok(session)
    }

    /// How long the answer to the final dot is waited for; ten minutes unless changed here.
    pub fn set_end_patience(&mut self, patience: Duration) {
        self.end_patience = patience;
    }

    /// Says everything of a message but the line with the final dot.
    ///
    /// # Errors
    /// The server has accepted nothing. After [`SendError::Lost`] the session is over.
    pub async fn transmit(&mut self, envelope: &Envelope, message: &[u8]) -> Result<Transmitted, SendError> {
        let parameters = self.parameters(envelope, message)?;
        let text = wire_form(message)?;
        if std::mem::replace(&mut self.begun, true) {
            self.ask("RSET", Stage::Mail).await?;
        }
        let reply = self.ask(&format!("MAIL FROM:<{}>{parameters}", envelope.from), Stage::Mail).await?;
        if !reply.is_positive() {
            return Err(SendError::Refused { stage: Stage::Mail, reply });
        }
        let mut refused = Vec::new();
        for address in &envelope.to {
            let reply = self.ask(&format!("RCPT TO:<{address}>"), Stage::Rcpt).await?;
            if !reply.is_positive() {
                refused.push(RefusedRecipient { address: address.clone(), reply });
            }
        }
        if refused.len() == envelope.to.len() {
            return Err(SendError::NoRecipient(refused));
        }
        let reply = self.ask("DATA", Stage::Data).await?;
        if reply.code != 354 {
            return Err(SendError::Refused { stage: Stage::Data, reply });
        }
        self.log(Direction::Sent, &format!("{{{} bytes}}", text.len()));
        self.link.queue(text);
        match self.link.flush().await {
            Ok(()) => Ok(Transmitted { refused }),
            Err(error) => Err(SendError::Lost { stage: Stage::Data, reason: self.last_words(error).await }),
        }
    }

    /// Says the final dot of what [`Session::transmit`] has said, and waits for the answer.
    pub async fn end(&mut self) -> Ending {
        self.begun = false;
        let reply = match self.say(".").await {
            Ok(()) => self.reply_within(Some(self.end_patience)).await,
            Err(error) => Err(error),
        };
        match reply {
            Ok(reply) if reply.is_positive() => Ending::Accepted(reply),
            Ok(reply) if reply.code >= 400 => Ending::Refused(reply),
            Ok(reply) => Ending::Ambiguous(format!("the server answered the message with {reply}")),
            Err(broken) => Ending::Ambiguous(broken.reason()),
        }
    }

    /// Says good-bye and closes. Whether the server answers does not matter.
    pub async fn quit(mut self) {
        if self.say("QUIT").await.is_ok() {
            // It was said; nothing depends on the answer.
            let _ = self.reply_within(Some(QUIT)).await;
        }
    }

    /// What stands behind MAIL FROM, after everything about the message was checked.
    fn parameters(&self, envelope: &Envelope, message: &[u8]) -> Result<String, Unsendable> {
        let addresses = envelope.to.iter().chain((!envelope.from.is_empty()).then_some(&envelope.from));
        addresses.clone().try_for_each(|address| check_address(address))?;
        if envelope.to.is_empty() {
            return Err(Unsendable::NoRecipient);
        }
        let mut out = String::new();
        let bytes = message.len() as u64;
        if self.offers.has("SIZE") {
            if let Some(most) = self.offers.size().filter(|most| bytes > *most) {
                return Err(Unsendable::TooLarge(bytes, most));
            }
            out += &format!(" SIZE={bytes}");
        }
        let utf8 = !header(message).is_ascii() || addresses.clone().any(|address| !address.is_ascii());
        if utf8 && !self.offers.has("SMTPUTF8") {
            return Err(Unsendable::Utf8);
        }
        if !message.is_ascii() {
            // SMTPUTF8 is only offered together with 8BITMIME (RFC 6531 section 3.1).
            if !self.offers.has("8BITMIME") {
                return Err(Unsendable::EightBit);
            }
            out += " BODY=8BITMIME";
        }
        Ok(out + if utf8 { " SMTPUTF8" } else { "" })
    }

    async fn greet(&mut self) -> Result<(), ConnectError> {
        match self.reply().await {
            Ok(reply) if reply.is_positive() => Ok(()),
            Ok(reply) => Err(self.fail(Stage::Greeting, Kind::Unavailable, &reply.to_string())),
            Err(Broken::Garbled(said)) => Err(self.fail(Stage::Greeting, Kind::NotMailServer, &said)),
            Err(broken) => Err(self.broken(Stage::Greeting, &broken)),
        }
    }

    /// EHLO, or HELO for servers that know nothing else (RFC 5321 section 3.2).
    async fn hello(&mut self) -> Result<(), ConnectError> {
        self.offers = Offers::default();
        for (command, can_offer) in [("EHLO", true), ("HELO", false)] {
            let said = match self.say(&format!("{command} {HELLO}")).await {
                Ok(()) => self.lines(None).await,
                Err(broken) => Err(broken),
            };
            let lines = said.map_err(|broken| self.broken(Stage::Greeting, &broken))?;
            let reply = Reply::of(&lines).filter(|reply| !reply.is_positive());
            match reply {
                None => {
                    self.offers = if can_offer { Offers::of(&lines) } else { Offers::default() };
                    return Ok(());
                }
                Some(reply) if reply.is_temporary() => {
                    return Err(self.fail(Stage::Greeting, Kind::Unavailable, &reply.to_string()));
                }
                Some(reply) if !can_offer => {
                    return Err(self.fail(Stage::Greeting, Kind::CommandRefused, &reply.to_string()));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// STARTTLS (RFC 3207): only where offered, and whatever was said before is forgotten.
    async fn start_tls(mut self) -> Result<Self, ConnectError> {
        if !self.offers.has("STARTTLS") {
            return Err(self.fail(Stage::Tls, Kind::StartTlsMissing, ""));
        }
        let reply = match self.say("STARTTLS").await {
            Ok(()) => self.reply().await,
            Err(broken) => Err(broken),
        };
        match reply {
            Ok(reply) if reply.is_positive() => {}
            Ok(reply) => return Err(self.fail(Stage::Tls, Kind::StartTlsMissing, &reply.to_string())),
            Err(broken) => return Err(self.broken(Stage::Tls, &broken)),
        }
        // What stands behind the answer was not sent by the server we are about to sign in at (CVE-2011-0411).
        if !self.link.unread().is_empty() {
            let slipped = "something was slipped in before the encryption began";
            return Err(self.fail(Stage::Tls, Kind::Protocol, slipped));
        }
        self.link = dial::upgrade(&self.server, self.link).await?;
        self.note("the connection is secured by TLS");
        self.hello().await?;
        Ok(self)
    }

    /// Says a command and hears its answer.
    async fn ask(&mut self, command: &str, stage: Stage) -> Result<Reply, SendError> {
        let reply = match self.say(command).await {
            Ok(()) => self.reply().await,
            Err(broken) => Err(broken),
        };
        match reply {
            // 421: it is about to close, whatever was asked.
            Ok(reply) if reply.code == 421 => Err(SendError::Lost { stage, reason: reply.to_string() }),
            Ok(reply) => Ok(reply),
            Err(broken) => Err(SendError::Lost { stage, reason: broken.reason() }),
        }
    }

    async fn say(&mut self, line: &str) -> Result<(), Broken> {
        self.say_hidden(line, line).await
    }

    /// Says a line that is shown differently in the log.
    pub(super) async fn say_hidden(&mut self, line: &str, shown: &str) -> Result<(), Broken> {
        self.log(Direction::Sent, shown);
        self.link.queue(format!("{line}\r\n").into_bytes());
        self.link.flush().await.map_err(Broken::Link)
    }

    pub(super) async fn reply(&mut self) -> Result<Reply, Broken> {
        self.reply_within(None).await
    }

    async fn reply_within(&mut self, patience: Option<Duration>) -> Result<Reply, Broken> {
        let lines = self.lines(patience).await?;
        Reply::of(&lines).ok_or_else(|| Broken::Garbled(String::new()))
    }

    /// The lines of one reply without their ends, each of them one of a reply.
    async fn lines(&mut self, patience: Option<Duration>) -> Result<Vec<Vec<u8>>, Broken> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        while lines.len() < MAX_LINES {
            let line = self.line(patience, &mut bytes).await?;
            self.log(Direction::Received, &printable(&line, LINE_CHARS));
            let Some(parsed) = parse(&line) else {
                return Err(Broken::Garbled(printable(&line, 80)));
            };
            let is_last = parsed.is_last;
            lines.push(line);
            if is_last {
                self.link.made_progress();
                return Ok(lines);
            }
        }
        Err(Broken::Garbled("a reply without end".into()))
    }

    /// One line without its end. `bytes` counts those of the whole reply.
    async fn line(&mut self, patience: Option<Duration>, bytes: &mut usize) -> Result<Vec<u8>, Broken> {
        let mut line = Vec::new();
        loop {
            let unread = self.link.unread();
            let end = memchr::memchr(b'\n', unread);
            let used = end.map_or(unread.len(), |at| at + 1);
            *bytes += used;
            if *bytes > self.server.limits.response_bytes {
                return Err(Broken::Garbled("a reply without end".into()));
            }
            line.extend_from_slice(&unread[..used]);
            self.link.consume(used);
            if end.is_some() {
                line.pop();
                line.pop_if(|byte| *byte == b'\r');
                return Ok(line);
            }
            self.fill(patience).await?;
        }
    }

    async fn fill(&mut self, patience: Option<Duration>) -> Result<(), Broken> {
        match patience {
            None => self.link.fill().await.map_err(Broken::Link),
            Some(patience) => match self.link.fill_within(patience).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Broken::Link(LinkError::Timeout(patience))),
                Err(error) => Err(Broken::Link(error)),
            },
        }
    }

    /// Why writing failed, with what the server said before it closed.
    async fn last_words(&mut self, error: LinkError) -> String {
        let reason = Broken::Link(error).reason();
        match self.reply_within(Some(LAST_WORDS)).await {
            Ok(reply) => format!("{reply} ({reason})"),
            Err(_) => reason,
        }
    }

    pub(super) fn fail(&self, stage: Stage, kind: Kind, detail: &str) -> ConnectError {
        ConnectError::new(stage, kind, &self.server, detail)
    }

    pub(super) fn broken(&self, stage: Stage, broken: &Broken) -> ConnectError {
        let kind = match broken {
            Broken::Link(LinkError::Timeout(_)) => Kind::Timeout,
            Broken::Link(_) => Kind::Closed,
            Broken::Garbled(_) => Kind::Protocol,
        };
        let detail = match broken {
            Broken::Garbled(said) => said.as_str(),
            Broken::Link(_) => "",
        };
        self.fail(stage, kind, detail)
    }

    fn note(&self, words: &str) {
        self.log(Direction::Note, words);
    }

    fn log(&self, direction: Direction, line: &str) {
        if let Some(log) = &self.server.log {
            log.line(direction, &printable(line.as_bytes(), LINE_CHARS));
        }
    }
}
