//! Signing in (RFC 4954): the ways that both sides know, best first ([`crate::sasl`]).

use super::reply::Reply;
use super::session::{Broken, Session};
use crate::error::{ConnectError, ConnectErrorKind as Kind, Stage};
use crate::sasl::{Exchange, Mechanism, SaslError};
use crate::server::{Credentials, Tls};

/// Challenges before the outcome.
const MAX_CHALLENGES: usize = 8;

/// Why one way failed.
enum LoginError {
    Broken(Broken),
    Sasl(SaslError),
    Refused(Reply),
}

impl From<Broken> for LoginError {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Session {
    /// Takes the next way where one is offered and not understood, or where the right password may be refused
    /// only because the server has it in another form. The password itself is tried once.
    pub(super) async fn login(&mut self, credentials: &Credentials) -> Result<(), ConnectError> {
        let offered = |mechanism: &&Mechanism| self.offers.mechanism(mechanism.name());
        let ways: Vec<_> = Mechanism::for_credentials(credentials).iter().filter(offered).copied().collect();
        let mut last = None;
        for way in ways {
            match self.sign_in(way, credentials).await {
                Ok(()) => return Ok(()),
                Err(LoginError::Refused(reply))
                    if (500..=504).contains(&reply.code) || way.needs_stored_form() =>
                {
                    last = Some(LoginError::Refused(reply));
                }
                Err(error) => return Err(self.login_error(error, credentials)),
            }
        }
        match last {
            Some(error) => Err(self.login_error(error, credentials)),
            None => {
                let locked = !self.offers.has("AUTH") && self.server.tls == Tls::None;
                let kind = if locked { Kind::PlainRefused } else { Kind::LoginUnsupported };
                Err(self.fail(Stage::Login, kind, ""))
            }
        }
    }

    /// AUTH. What cannot be answered is cancelled.
    async fn sign_in(&mut self, mechanism: Mechanism, credentials: &Credentials) -> Result<(), LoginError> {
        let mut exchange = Exchange::begin(mechanism, credentials).map_err(LoginError::Sasl)?;
        let name = mechanism.name();
        match exchange.first() {
            Some(first) => {
                self.say_hidden(&format!("AUTH {name} {first}"), &format!("AUTH {name} ****")).await?
            }
            None => self.say_hidden(&format!("AUTH {name}"), &format!("AUTH {name}")).await?,
        }
        for _ in 0..MAX_CHALLENGES {
            let reply = self.reply().await?;
            if reply.is_positive() {
                return exchange.succeeded().map_err(LoginError::Sasl);
            }
            if reply.code != 334 {
                return Err(LoginError::Refused(reply));
            }
            match exchange.answer(&reply.text) {
                Ok(answer) => self.say_hidden(&answer, "****").await?,
                Err(error) => {
                    self.say_hidden("*", "*").await?;
                    // That it was cancelled is all it can say.
                    let _ = self.reply().await?;
                    return Err(LoginError::Sasl(error));
                }
            }
        }
        Err(LoginError::Broken(Broken::Garbled("challenges without end".into())))
    }

    fn login_error(&self, error: LoginError, credentials: &Credentials) -> ConnectError {
        match error {
            LoginError::Broken(broken) => self.broken(Stage::Login, &broken),
            LoginError::Sasl(error) => error.at(&self.server),
            LoginError::Refused(reply) => {
                // What the server said may repeat what we said.
                let mut said = reply.to_string();
                if credentials.secret().len() > 3 {
                    said = said.replace(credentials.secret(), "****");
                }
                self.fail(Stage::Login, login_kind(&reply), &said)
            }
        }
    }
}

/// RFC 4954 sections 4 and 6.
fn login_kind(reply: &Reply) -> Kind {
    match reply.code {
        400..=499 => Kind::Unavailable,
        500..=504 | 534 => Kind::LoginUnsupported,
        538 => Kind::PlainRefused,
        _ => Kind::WrongPassword,
    }
}
