//! From the greeting to an open maildrop (RFC 1939, section 4; RFC 2449; RFC 2595, section 4; RFC 5034).
//!
//! Nothing said in clear is believed, and no secret is said in clear: greeting, STLS, capabilities asked anew, sign in,
//! capabilities asked anew. STLS is asked for even where it is not offered, because the list of what is offered is
//! what somebody in between would take it out of; a server without it is an error, never a reason to go on in clear.

use crate::dial;
use crate::error::{ConnectError, ConnectErrorKind as Kind, Stage};
use crate::pop3::engine::{Engine, Event, Follows};
use crate::pop3::reply::Reply;
use crate::pop3::session::Session;
use crate::pop3::types::{Refusal, SessionError};
use crate::sasl::{Exchange, Mechanism, SaslError, md5_hex};
use crate::server::{Credentials, Tls};

/// Challenges of one signing in.
const MAX_CHALLENGES: usize = 20;

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Mechanism(Mechanism),
    UserPass,
    /// With the greeting's timestamp (RFC 1939, section 7). Its MD5 is long broken and the server must know the
    /// password in clear: only where there is no TLS that would protect the password itself.
    Apop(String),
}

impl Way {
    /// As of [`Mechanism::needs_stored_form`].
    fn needs_stored_form(&self) -> bool {
        match self {
            Self::Mechanism(mechanism) => mechanism.needs_stored_form(),
            Self::Apop(_) => true,
            Self::UserPass => false,
        }
    }
}

/// Why signing in failed.
enum LoginError {
    Session(SessionError),
    Sasl(SaslError),
    /// Refused before the server heard any of the password.
    NotUnderstood(Refusal),
}

impl From<SessionError> for LoginError {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl Session {
    pub(super) async fn greet_and_login(mut self, credentials: &Credentials) -> Result<Self, ConnectError> {
        let mut timestamp = self.greeting().await?;
        match self.server.tls {
            Tls::StartTls => {
                self = self.start_tls().await?;
                timestamp = None;
            }
            Tls::Implicit => {
                self.note("the connection is secured by TLS");
                timestamp = None;
            }
            Tls::None => {}
        }
        self.ask_capabilities(Stage::Greeting).await?;
        self.login(credentials, timestamp).await?;
        if !self.capabilities.is_empty() {
            self.ask_capabilities(Stage::Login).await?;
        }
        Ok(self)
    }

    fn fail(&mut self, stage: Stage, kind: Kind, detail: &str) -> ConnectError {
        self.write_log();
        ConnectError::new(stage, kind, &self.server, detail)
    }

    fn fail_at(&mut self, stage: Stage, error: &SessionError) -> ConnectError {
        self.write_log();
        error.at(stage, &self.server)
    }

    /// The first line, and the timestamp in it.
    async fn greeting(&mut self) -> Result<Option<String>, ConnectError> {
        match self.outcome("the greeting", &mut ()).await {
            Ok(text) => Ok(timestamp(&text)),
            Err(SessionError::Refused(refusal)) => {
                Err(self.fail(Stage::Greeting, Kind::Unavailable, &refusal.text))
            }
            Err(error) => Err(self.fail_at(Stage::Greeting, &error)),
        }
    }

    async fn start_tls(mut self) -> Result<Self, ConnectError> {
        match self.run("STLS").await {
            Ok(_) => {}
            Err(SessionError::Refused(refusal)) => {
                return Err(self.fail(Stage::Tls, Kind::StartTlsMissing, &refusal.text));
            }
            Err(error) => return Err(self.fail_at(Stage::Tls, &error)),
        }
        // What stands behind the +OK was not sent by the server we are about to authenticate (CVE-2011-0411 and kin).
        if !self.link.unread().is_empty() || !self.engine.is_idle() {
            let slipped = "something was slipped in before the encryption began";
            return Err(self.fail(Stage::Tls, Kind::Protocol, slipped));
        }
        self.write_log();
        self.link = dial::upgrade(&self.server, self.link).await?;
        self.engine = Engine::without_greeting(self.server.limits, self.server.log.is_some());
        self.note("the connection is secured by TLS");
        Ok(self)
    }

    /// CAPA. A server that does not know it offers nothing by name.
    async fn ask_capabilities(&mut self, stage: Stage) -> Result<(), ConnectError> {
        match self.run_list("CAPA", Follows::Lines).await {
            Ok(lines) => self.learn(lines),
            Err(SessionError::Refused(_)) => self.learn(Vec::new()),
            Err(error) => return Err(self.fail_at(stage, &error)),
        }
        Ok(())
    }

    async fn login(
        &mut self,
        credentials: &Credentials,
        timestamp: Option<String>,
    ) -> Result<(), ConnectError> {
        let ways = self.ways(credentials, timestamp);
        if ways.is_empty() {
            return Err(self.fail(Stage::Login, Kind::LoginUnsupported, ""));
        }
        let Err(error) = self.sign_in_by_one_of(&ways, credentials).await else { return Ok(()) };
        let mut failure = match error {
            LoginError::Session(error) => self.fail_at(Stage::Login, &error),
            LoginError::NotUnderstood(refusal) => self.fail_at(Stage::Login, &SessionError::Refused(refusal)),
            LoginError::Sasl(error) => error.at(&self.server),
        };
        failure.mask(credentials.secret());
        self.write_log();
        Err(failure)
    }

    /// What is offered and known, best first. Without CAPA there is no telling: USER is tried, or the token's way.
    fn ways(&self, credentials: &Credentials, timestamp: Option<String>) -> Vec<Way> {
        let offered: Vec<String> = self
            .parameters("SASL")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_ascii_uppercase)
            .collect();
        let knows_capa = !self.capabilities.is_empty();
        let is_offered = |mechanism: &&Mechanism| offered.iter().any(|name| name == mechanism.name());
        let known = Mechanism::for_credentials(credentials).iter();
        let mut ways: Vec<Way> = known.clone().filter(is_offered).copied().map(Way::Mechanism).collect();
        match credentials {
            Credentials::Bearer { .. } if !knows_capa => ways.extend(known.copied().map(Way::Mechanism)),
            Credentials::Bearer { .. } => {}
            Credentials::Password { .. } => {
                let makeshift = [Mechanism::Login, Mechanism::CramMd5].map(Way::Mechanism);
                let behind = ways.iter().position(|way| makeshift.contains(way)).unwrap_or(ways.len());
                // Many servers that take USER do not list it.
                ways.insert(behind, Way::UserPass);
                if let Some(timestamp) = timestamp {
                    let scram = ways.iter().take_while(|way| way.needs_stored_form()).count();
                    ways.insert(scram, Way::Apop(timestamp));
                }
            }
        }
        ways
    }

    /// Takes the next way where one is offered and not understood, or where the right password may be refused only
    /// because the server has it in another form. A password that was heard is not said again: accounts are locked
    /// after some tries.
    async fn sign_in_by_one_of(&mut self, ways: &[Way], credentials: &Credentials) -> Result<(), LoginError> {
        let (mut last, mut refused) = (None, false);
        for way in ways.iter() {
            if refused && way.needs_stored_form() {
                continue;
            }
            match self.sign_in(way, credentials).await {
                Ok(()) => return Ok(()),
                Err(LoginError::NotUnderstood(refusal)) if !is_about_the_maildrop(&refusal) => {
                    last = Some(refusal)
                }
                Err(LoginError::Session(SessionError::Refused(refusal)))
                    if way.needs_stored_form() && !is_about_the_maildrop(&refusal) =>
                {
                    (last, refused) = (Some(refusal), true);
                }
                Err(error) => return Err(error),
            }
        }
        let never = Refusal { command: "AUTH", code: None, text: String::new() };
        Err(LoginError::Session(SessionError::Refused(last.unwrap_or(never))))
    }

    async fn sign_in(&mut self, way: &Way, credentials: &Credentials) -> Result<(), LoginError> {
        let (user, secret) = (credentials.user(), credentials.secret());
        match way {
            Way::Mechanism(mechanism) => {
                let exchange = Exchange::begin(*mechanism, credentials).map_err(LoginError::Sasl)?;
                self.authenticate(*mechanism, exchange).await
            }
            Way::UserPass => {
                self.send(&format!("USER {user}"), Follows::Nothing)?;
                self.outcome("USER", &mut ()).await.map_err(|error| match error {
                    SessionError::Refused(refusal) => LoginError::NotUnderstood(refusal),
                    error => LoginError::Session(error),
                })?;
                self.send_hidden(&format!("PASS {secret}"), "PASS ****", Follows::Nothing)?;
                self.outcome("PASS", &mut ()).await?;
                Ok(())
            }
            Way::Apop(timestamp) => {
                let digest = md5_hex(timestamp, secret);
                self.send_hidden(
                    &format!("APOP {user} {digest}"),
                    &format!("APOP {user} ****"),
                    Follows::Nothing,
                )?;
                self.outcome("APOP", &mut ()).await?;
                Ok(())
            }
        }
    }

    /// AUTH (RFC 5034). Without an initial response: servers that only know RFC 1734 have none, and a long token
    /// would make the line too long. What cannot be answered is cancelled.
    async fn authenticate(&mut self, mechanism: Mechanism, mut exchange: Exchange) -> Result<(), LoginError> {
        self.send(&format!("AUTH {}", mechanism.name()), Follows::Nothing)?;
        let (mut failed, mut understood) = (None, false);
        for _ in 0..MAX_CHALLENGES {
            let reply = match self.next(&mut ()).await? {
                Event::Reply(reply) => reply,
                _ => return Err(self.unexpected("AUTH").into()),
            };
            match reply {
                Reply::Challenge(challenge) => {
                    understood = true;
                    match exchange.answer(&challenge) {
                        Ok(answer) => self.engine.send_answer(&answer, "****"),
                        Err(error) => {
                            failed.get_or_insert(error);
                            self.engine.send_answer("*", "*");
                        }
                    }
                }
                _ if failed.is_some() => break,
                Reply::Ok(_) => return exchange.succeeded().map_err(LoginError::Sasl),
                Reply::Err { code, text } => {
                    let refusal = Refusal { command: "AUTH", code, text };
                    return Err(match understood {
                        true => LoginError::Session(SessionError::Refused(refusal)),
                        false => LoginError::NotUnderstood(refusal),
                    });
                }
            }
        }
        Err(failed.map_or_else(|| self.unexpected("AUTH").into(), LoginError::Sasl))
    }
}

/// Whether it says why nobody can be let in now, however they sign in.
fn is_about_the_maildrop(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_deref(), Some("IN-USE" | "LOGIN-DELAY" | "SYS/TEMP" | "SYS/PERM"))
}

/// `<process.clock@host>` in the greeting: the server takes APOP.
fn timestamp(greeting: &str) -> Option<String> {
    let from = greeting.find('<')?;
    let to = from + greeting[from..].find('>')?;
    let timestamp = &greeting[from..=to];
    (timestamp.contains('@') && timestamp.is_ascii() && !timestamp.contains(' '))
        .then(|| timestamp.to_owned())
}
