//! From the greeting to an authenticated session (RFC 9051, sections 6.2 and 7.1).
//!
//! The order is fixed so that nothing said in clear is believed and no secret is said in clear: greeting,
//! STARTTLS, capabilities asked anew, sign in, capabilities asked anew. A PREAUTH greeting on a connection that
//! was to be secured by STARTTLS is refused, because it is how an attacker skips STARTTLS.

use crate::dial;
use crate::error::{ConnectError, ConnectErrorKind as Kind, Stage};
use crate::imap::command::Command;
use crate::imap::engine::Engine;
use crate::imap::response::{Condition, Response};
use crate::imap::session::{BodySink, Session, outcome};
use crate::imap::types::{ProtocolError, SessionError};
use crate::sasl::{Exchange, Mechanism, SaslError};
use crate::server::{Credentials, Tls};

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Mechanism(Mechanism),
    LoginCommand,
}

/// Why signing in failed.
enum LoginError {
    Session(SessionError),
    Sasl(SaslError),
}

impl From<SessionError> for LoginError {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl LoginError {
    /// The server refused, and the session goes on: whether it did not understand (BAD), or said no.
    fn refused_as_bad(&self) -> Option<bool> {
        match self {
            Self::Session(SessionError::Refused(refusal)) => Some(refusal.bad),
            _ => None,
        }
    }
}

impl Session {
    pub(super) async fn greet_and_login(self, credentials: &Credentials) -> Result<Self, ConnectError> {
        let mut session = self;
        let authenticated = session.greeting().await?;
        if session.server.tls == Tls::StartTls {
            if authenticated {
                return Err(session.fail(
                    Stage::Tls,
                    Kind::StartTlsMissing,
                    "it greets as if already signed in",
                ));
            }
            session = session.start_tls().await?;
        } else if session.server.tls == Tls::Implicit {
            session.note("the connection is secured by TLS");
        }
        if session.capabilities().is_empty() {
            session.ask_capabilities(Stage::Greeting).await?;
        }
        // Courier says an ALERT before its greeting; the greeting came with the answer to the first command.
        if !authenticated && !session.preauthenticated {
            session.login(credentials).await?;
        }
        session.introduce().await?;
        session.compress().await
    }

    fn fail(&mut self, stage: Stage, kind: Kind, detail: &str) -> ConnectError {
        self.write_log();
        ConnectError::new(stage, kind, &self.server, detail)
    }

    /// The first line. Says whether we are signed in already.
    async fn greeting(&mut self) -> Result<bool, ConnectError> {
        let said = match self.next(&mut BodySink::default()).await {
            Ok(Response::Said(said)) => said,
            Ok(_) => return Err(self.fail(Stage::Greeting, Kind::NotMailServer, "")),
            Err(SessionError::Bye(text)) => {
                return Err(self.fail(Stage::Greeting, Kind::ServerBye, &text));
            }
            Err(SessionError::Protocol(ProtocolError::NotAResponse(line))) => {
                return Err(self.fail(Stage::Greeting, Kind::NotMailServer, &line));
            }
            Err(error) => return Err(self.fail_at(Stage::Greeting, &error)),
        };
        match said.condition {
            Condition::Ok => Ok(false),
            Condition::PreAuth => Ok(true),
            _ => Err(self.fail(Stage::Greeting, Kind::Unavailable, &said.text)),
        }
    }

    async fn start_tls(mut self) -> Result<Self, ConnectError> {
        match self.run(Command::new("STARTTLS")).await {
            Ok(_) => {}
            Err(SessionError::Refused(r)) => {
                return Err(self.fail(Stage::Tls, Kind::StartTlsMissing, &r.text));
            }
            Err(error) => return Err(self.fail_at(Stage::Tls, &error)),
        }
        // What stands behind the OK was not sent by the server we are about to authenticate (CVE-2011-0411 and kin).
        if !self.link.unread().is_empty() || !self.engine.is_idle() {
            return Err(self.fail(
                Stage::Tls,
                Kind::Protocol,
                "something was slipped in before the encryption began",
            ));
        }
        self.write_log();
        self.link = dial::upgrade(&self.server, self.link).await?;
        self.engine = Engine::new(self.server.limits, self.server.log.is_some());
        self.forget_capabilities();
        // What was said in clear is not believed.
        self.preauthenticated = false;
        self.note("the connection is secured by TLS");
        Ok(self)
    }

    /// COMPRESS=DEFLATE (RFC 4978), only once signed in: what is compressed next to a password can tell of it.
    async fn compress(mut self) -> Result<Self, ConnectError> {
        if !self.offers("COMPRESS=DEFLATE") {
            return Ok(self);
        }
        match self.run(Command::new("COMPRESS").plain("DEFLATE")).await {
            Ok(_) => {
                self.write_log();
                self.link = self.link.deflated();
                self.note("from here on the server's words are compressed");
            }
            // TLS may compress already.
            Err(SessionError::Refused(_)) => {}
            Err(error) => return Err(self.fail_at(Stage::Login, &error)),
        }
        Ok(self)
    }

    async fn ask_capabilities(&mut self, stage: Stage) -> Result<(), ConnectError> {
        let asked = self.run(Command::new("CAPABILITY")).await;
        asked.map(|_| ()).map_err(|e| self.fail_at(stage, &e))
    }

    async fn login(&mut self, credentials: &Credentials) -> Result<(), ConnectError> {
        let ways = self.ways(credentials);
        if ways.is_empty() {
            let locked = self.offers("LOGINDISABLED") && self.server.tls == Tls::None;
            let kind = if locked { Kind::PlainRefused } else { Kind::LoginUnsupported };
            return Err(self.fail(Stage::Login, kind, ""));
        }
        let before = self.capabilities().to_vec();
        if let Err(error) = self.sign_in_by_one_of(&ways, credentials).await {
            return Err(self.login_error(error, credentials));
        }
        // The capabilities change with signing in; what the answer does not tell anew is asked anew.
        if self.capabilities() == before {
            self.forget_capabilities();
        }
        if self.capabilities().is_empty() {
            self.ask_capabilities(Stage::Login).await?;
        }
        Ok(())
    }

    /// What is offered and known, best first.
    fn ways(&self, credentials: &Credentials) -> Vec<Way> {
        let mut ways: Vec<Way> = Mechanism::for_credentials(credentials)
            .iter()
            .filter(|mechanism| self.offers(&format!("AUTH={}", mechanism.name())))
            .map(|mechanism| Way::Mechanism(*mechanism))
            .collect();
        if matches!(credentials, Credentials::Password { .. }) && !self.offers("LOGINDISABLED") {
            let prompts = [Mechanism::Login, Mechanism::CramMd5].map(Way::Mechanism);
            let behind = ways.iter().position(|way| prompts.contains(way)).unwrap_or(ways.len());
            ways.insert(behind, Way::LoginCommand);
        }
        ways
    }

    /// Takes the next way where one is offered and not understood, as with some proxies, or where the right password
    /// may be refused only because the server has it in another form. The password itself is tried once.
    async fn sign_in_by_one_of(&mut self, ways: &[Way], credentials: &Credentials) -> Result<(), LoginError> {
        let mut last = LoginError::Session(SessionError::NotOffered("a way to sign in"));
        let mut refused = false;
        for way in ways {
            let needs_form = matches!(way, Way::Mechanism(mechanism) if mechanism.needs_stored_form());
            if refused && needs_form {
                continue;
            }
            match self.sign_in(*way, credentials).await {
                Ok(()) => return Ok(()),
                Err(error) => match error.refused_as_bad() {
                    Some(true) => last = error,
                    Some(false) if needs_form => (last, refused) = (error, true),
                    _ => return Err(error),
                },
            }
        }
        Err(last)
    }

    async fn sign_in(&mut self, way: Way, credentials: &Credentials) -> Result<(), LoginError> {
        match way {
            Way::Mechanism(mechanism) => {
                let exchange = Exchange::begin(mechanism, credentials).map_err(LoginError::Sasl)?;
                self.authenticate(mechanism, exchange).await
            }
            Way::LoginCommand => {
                let login = Command::new("LOGIN").string(credentials.user().as_bytes())?;
                let login = login.secret(credentials.secret().as_bytes())?;
                Ok(self.run(login).await.map(drop)?)
            }
        }
    }

    /// AUTHENTICATE (RFC 9051, section 6.2.2). What cannot be answered is cancelled.
    async fn authenticate(&mut self, mechanism: Mechanism, mut exchange: Exchange) -> Result<(), LoginError> {
        let mut command = Command::new("AUTHENTICATE").plain(mechanism.name());
        if self.offers("SASL-IR")
            && let Some(first) = exchange.first()
        {
            command = command.hidden(&first);
        }
        self.check()?;
        let tag = self.send(command);
        let mut failed = None;
        for _ in 0..MAX_CHALLENGES {
            match self.next(&mut BodySink::default()).await? {
                Response::Continue(challenge) => match exchange.answer(&challenge) {
                    Ok(answer) => self.engine.send_line(&answer, "****"),
                    Err(error) => {
                        failed.get_or_insert(error);
                        self.engine.send_line("*", "*");
                    }
                },
                Response::Tagged { tag: answered, said } if answered == tag.text() => {
                    if let Some(error) = failed {
                        return Err(LoginError::Sasl(error));
                    }
                    outcome("AUTHENTICATE", said)?;
                    return exchange.succeeded().map_err(LoginError::Sasl);
                }
                _ => {}
            }
        }
        Err(self.end(SessionError::Protocol(ProtocolError::Unexpected("AUTHENTICATE"))).into())
    }

    /// What the server said may repeat what we said.
    fn login_error(&mut self, error: LoginError, credentials: &Credentials) -> ConnectError {
        let mut failure = match error {
            LoginError::Session(error) => self.fail_at(Stage::Login, &error),
            LoginError::Sasl(error) => error.at(&self.server),
        };
        failure.mask(credentials.secret());
        self.write_log();
        failure
    }

    /// ID (RFC 2971) before the first SELECT: 163.com and 126.com refuse SELECT to clients without a name.
    async fn introduce(&mut self) -> Result<(), ConnectError> {
        if self.offers("ID") {
            let id = Command::new("ID").plain("(\"name\" \"Lettercase\")");
            match self.run(id).await {
                Err(error) if error.ends_session() => {
                    return Err(self.fail_at(Stage::Login, &error));
                }
                _ => {}
            }
        }
        self.write_log();
        Ok(())
    }
}

/// Responses between AUTHENTICATE and its outcome.
const MAX_CHALLENGES: usize = 20;
