//! From the greeting to an authenticated session (RFC 9051, sections 6.2 and 7.1).
//!
//! The order is fixed so that nothing said in clear is believed and no secret is said in clear: greeting,
//! STARTTLS, capabilities asked anew, sign in, capabilities asked anew. A PREAUTH greeting on a connection that
//! was to be secured by STARTTLS is refused, because it is how an attacker skips STARTTLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::dial;
use crate::error::{ConnectError, ConnectErrorKind as Kind, Stage};
use crate::imap::command::Command;
use crate::imap::engine::Engine;
use crate::imap::response::{Condition, Response};
use crate::imap::session::{BodySink, Session, outcome};
use crate::imap::types::{ProtocolError, SessionError};
use crate::server::{Credentials, Tls};

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    LoginMechanism,
    LoginCommand,
    XOAuth2,
    OAuthBearer,
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
        if !authenticated {
            session.login(credentials).await?;
        }
        session.introduce().await?;
        Ok(session)
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
        self.note("the connection is secured by TLS");
        Ok(self)
    }

    async fn ask_capabilities(&mut self, stage: Stage) -> Result<(), ConnectError> {
        let asked = self.run(Command::new("CAPABILITY")).await;
        asked.map(|_| ()).map_err(|e| self.fail_at(stage, &e))
    }

    async fn login(&mut self, credentials: &Credentials) -> Result<(), ConnectError> {
        let Some(way) = self.choose(credentials) else {
            let locked = self.offers("LOGINDISABLED") && self.server.tls == Tls::None;
            let kind = if locked { Kind::PlainRefused } else { Kind::LoginUnsupported };
            return Err(self.fail(Stage::Login, kind, ""));
        };
        self.forget_capabilities_after_login(way, credentials)
            .await
            .map_err(|error| self.login_error(&error, credentials))?;
        if self.capabilities().is_empty() {
            self.ask_capabilities(Stage::Login).await?;
        }
        Ok(())
    }

    /// The capabilities change with signing in; what the answer does not tell anew is asked anew.
    async fn forget_capabilities_after_login(
        &mut self,
        way: Way,
        credentials: &Credentials,
    ) -> Result<(), SessionError> {
        let before = self.capabilities().to_vec();
        let ir = self.offers("SASL-IR");
        let tried = self.sign_in(way, credentials, ir).await;
        let refused_mechanism = matches!(&tried, Err(SessionError::Refused(r)) if r.bad) && way == Way::Plain;
        if refused_mechanism && !self.offers("LOGINDISABLED") {
            // Offered and not understood, as some proxies do: the older command may work.
            self.sign_in(Way::LoginCommand, credentials, ir).await?;
        } else {
            tried?;
        }
        if self.capabilities() == before {
            self.forget_capabilities();
        }
        Ok(())
    }

    fn choose(&self, credentials: &Credentials) -> Option<Way> {
        let ways: &[(Way, bool)] = match credentials {
            Credentials::Password { .. } => &[
                (Way::Plain, self.offers("AUTH=PLAIN")),
                (Way::LoginCommand, !self.offers("LOGINDISABLED")),
                (Way::LoginMechanism, self.offers("AUTH=LOGIN")),
            ],
            Credentials::Bearer { .. } => &[
                (Way::XOAuth2, self.offers("AUTH=XOAUTH2")),
                (Way::OAuthBearer, self.offers("AUTH=OAUTHBEARER")),
            ],
        };
        ways.iter().find(|(_, offered)| *offered).map(|(way, _)| *way)
    }

    async fn sign_in(&mut self, way: Way, credentials: &Credentials, ir: bool) -> Result<(), SessionError> {
        let (user, secret) = (credentials.user(), credentials.secret());
        match way {
            Way::LoginCommand => {
                let login = Command::new("LOGIN").string(user.as_bytes())?.secret(secret.as_bytes())?;
                self.run(login).await.map(|_| ())
            }
            Way::Plain => self.authenticate("PLAIN", ir, &[format!("\0{user}\0{secret}")]).await,
            Way::LoginMechanism => {
                self.authenticate("LOGIN", false, &[user.to_owned(), secret.to_owned()]).await
            }
            Way::XOAuth2 => {
                self.authenticate("XOAUTH2", ir, &[format!("user={user}\x01auth=Bearer {secret}\x01\x01")])
                    .await
            }
            // RFC 7628, section 3.1; commas and equal signs in the name are escaped (RFC 5801, section 4).
            Way::OAuthBearer => {
                let name = user.replace('=', "=3D").replace(',', "=2C");
                self.authenticate(
                    "OAUTHBEARER",
                    ir,
                    &[format!("n,a={name},\x01auth=Bearer {secret}\x01\x01")],
                )
                .await
            }
        }
    }

    /// AUTHENTICATE (RFC 9051, section 6.2.2): one answer to each challenge, then empty ones, so that a server
    /// can tell why it refused (XOAUTH2 sends its error as one more challenge).
    async fn authenticate(
        &mut self,
        mechanism: &str,
        ir: bool,
        answers: &[String],
    ) -> Result<(), SessionError> {
        let mut answers = answers.iter().map(|a| BASE64.encode(a));
        let mut command = Command::new("AUTHENTICATE").plain(mechanism);
        if ir {
            let first = answers.next().unwrap_or_default();
            command = command.hidden(&first);
        }
        self.check()?;
        let tag = self.send(command);
        for _ in 0..MAX_CHALLENGES {
            match self.next(&mut BodySink::default()).await? {
                Response::Continue(_) => {
                    let answer = answers.next().unwrap_or_default();
                    self.engine.send_line(&answer, "****");
                }
                Response::Tagged { tag: answered, said } if answered == tag.text() => {
                    return outcome("AUTHENTICATE", said).map(|_| ());
                }
                _ => {}
            }
        }
        Err(self.end(SessionError::Protocol(ProtocolError::Unexpected("AUTHENTICATE"))))
    }

    /// What the server said may repeat what we said.
    fn login_error(&mut self, error: &SessionError, credentials: &Credentials) -> ConnectError {
        let mut failure = self.fail_at(Stage::Login, error);
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
