//! Signing in (SASL, RFC 4422): what is said to a server's challenges, the same in IMAP, POP3 and SMTP.
//!
//! An [`Exchange`] reads no socket: a challenge goes in, the answer comes out, both in base64 as the protocols
//! write them. The protocol sends the lines, cancels with `*` if an answer cannot be given, and asks
//! [`Exchange::succeeded`] after the server's OK: with SCRAM the server proves that it knows the password as well,
//! and one that cannot is refused.
//!
//! SCRAM with channel binding (`-PLUS`) is left out: TLS 1.3 needs exporters for it that no common server offers yet,
//! and a verified certificate already tells who the server is.

mod scram;

use std::collections::VecDeque;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{ConnectError, ConnectErrorKind as Kind, Stage};
use crate::server::{Credentials, Server};
use scram::Scram;

/// A way to sign in that servers offer by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// RFC 7677.
    ScramSha256,
    /// RFC 5802.
    ScramSha1,
    /// RFC 4616.
    Plain,
    /// Prompts for user name and password (draft-murchison-sasl-login).
    Login,
    /// RFC 2195: the password does not travel, but the server must know it in clear.
    CramMd5,
    /// Google's and Microsoft's way to show an access token.
    XOAuth2,
    /// RFC 7628.
    OAuthBearer,
}

impl Mechanism {
    /// The name servers offer it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// The mechanisms for such credentials, best first. Over TLS the password itself is safer than CRAM-MD5, for
    /// which the server would have to store it readable.
    pub(crate) fn for_credentials(credentials: &Credentials) -> &'static [Mechanism] {
        match credentials {
            Credentials::Password { .. } => {
                &[Self::ScramSha256, Self::ScramSha1, Self::Plain, Self::Login, Self::CramMd5]
            }
            Credentials::Bearer { .. } => &[Self::XOAuth2, Self::OAuthBearer],
        }
    }

    /// Whether the server needs the password stored in a certain form. Where it has another one, it refuses the
    /// right password, and another mechanism may do.
    pub(crate) fn needs_stored_form(self) -> bool {
        matches!(self, Self::ScramSha256 | Self::ScramSha1 | Self::CramMd5)
    }
}

/// Why no answer can be given, or the outcome not be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SaslError {
    /// The server said yes and did not show that it knows the password.
    #[error("the server did not prove that it knows the password")]
    Unproven,
    /// A challenge that the mechanism does not know.
    #[error("the server's challenge does not belong to {0}")]
    Garbled(&'static str),
    /// The server wants the password computed with so few or so many rounds.
    #[error("the server wants {0} rounds of computation, which is not done")]
    Rounds(u32),
    /// The server said why not (SCRAM's `e=`).
    #[error("{0}")]
    Refused(String),
    /// A name or password that the mechanism cannot carry.
    #[error("a user name or password with a NUL in it")]
    Nul,
}

impl SaslError {
    /// The same error for the person who waits for the connection.
    pub(crate) fn at(&self, server: &Server) -> ConnectError {
        let (kind, detail) = match self {
            Self::Unproven => (Kind::ServerUnproven, String::new()),
            Self::Refused(said) => (Kind::WrongPassword, said.clone()),
            Self::Garbled(_) | Self::Rounds(_) => (Kind::Protocol, self.to_string()),
            Self::Nul => (Kind::WrongPassword, self.to_string()),
        };
        ConnectError::new(Stage::Login, kind, server, &detail)
    }
}

/// One signing in. Does not print its secrets.
pub(crate) struct Exchange {
    mechanism: Mechanism,
    state: State,
}

enum State {
    /// Says these, one to a challenge, then `last` to every further one (an error that is explained).
    Say {
        answers: VecDeque<String>,
        last: &'static str,
    },
    CramMd5 {
        user: String,
        password: String,
    },
    Scram(Box<Scram>),
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({})", self.mechanism.name())
    }
}

impl Exchange {
    /// Begins.
    ///
    /// # Errors
    /// [`SaslError::Nul`].
    pub(crate) fn begin(mechanism: Mechanism, credentials: &Credentials) -> Result<Self, SaslError> {
        let (user, secret) = (credentials.user(), credentials.secret());
        if user.contains('\0') || secret.contains('\0') {
            return Err(SaslError::Nul);
        }
        let say = |answers: Vec<String>| State::Say { answers: answers.into(), last: "" };
        let state = match mechanism {
            Mechanism::ScramSha256 => State::Scram(Box::new(Scram::sha256(user, secret, &nonce()))),
            Mechanism::ScramSha1 => State::Scram(Box::new(Scram::sha1(user, secret, &nonce()))),
            Mechanism::Plain => say(vec![format!("\0{user}\0{secret}")]),
            Mechanism::Login => say(vec![user.to_owned(), secret.to_owned()]),
            Mechanism::CramMd5 => State::CramMd5 { user: user.to_owned(), password: secret.to_owned() },
            Mechanism::XOAuth2 => say(vec![format!("user={user}\x01auth=Bearer {secret}\x01\x01")]),
            // Section 3.1; an error is answered by ^A (section 3.2.3).
            Mechanism::OAuthBearer => {
                let answer = format!("n,a={},\x01auth=Bearer {secret}\x01\x01", scram::escaped(user));
                State::Say { answers: VecDeque::from([answer]), last: "\x01" }
            }
        };
        Ok(Self { mechanism, state })
    }

    /// What is said before any challenge, for protocols that send it with the command; none where the server begins.
    /// Not asked for, it is the answer to the first (empty) challenge.
    pub(crate) fn first(&mut self) -> Option<String> {
        let first = match &mut self.state {
            _ if self.mechanism == Mechanism::Login => None,
            State::Say { answers, .. } => answers.pop_front(),
            State::CramMd5 { .. } => None,
            State::Scram(scram) => scram.first(),
        };
        first.map(|text| BASE64.encode(text))
    }

    /// The answer to a challenge; both in base64.
    ///
    /// # Errors
    /// The challenge cannot be answered: cancel.
    pub(crate) fn answer(&mut self, challenge: &str) -> Result<String, SaslError> {
        let garbled = SaslError::Garbled(self.mechanism.name());
        let answer = match &mut self.state {
            // What a server prompts with is of no matter.
            State::Say { answers, last } => answers.pop_front().unwrap_or_else(|| (*last).to_owned()),
            State::CramMd5 { user, password } => {
                let challenge = BASE64.decode(challenge.trim()).map_err(|_| garbled)?;
                format!("{user} {}", hmac_md5(password.as_bytes(), &challenge))
            }
            State::Scram(scram) => match scram.first() {
                Some(first) => first,
                None => {
                    let challenge = BASE64.decode(challenge.trim()).ok();
                    let challenge =
                        challenge.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(garbled)?;
                    scram.answer(&challenge)?
                }
            },
        };
        Ok(BASE64.encode(answer))
    }

    /// Whether the server's OK may be believed.
    ///
    /// # Errors
    /// [`SaslError::Unproven`].
    pub(crate) fn succeeded(&self) -> Result<(), SaslError> {
        match &self.state {
            State::Scram(scram) if !scram.is_proven() => Err(SaslError::Unproven),
            _ => Ok(()),
        }
    }
}

/// MD5 of two texts in a row as lower-case hexadecimal: APOP (RFC 1939, section 7).
pub(crate) fn md5_hex(timestamp: &str, password: &str) -> String {
    use md5::Digest as _;
    hex(&Md5::new().chain_update(timestamp).chain_update(password).finalize())
}

fn hmac_md5(key: &[u8], text: &[u8]) -> String {
    let mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes keys of any length");
    hex(&mac.chain_update(text).finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What makes an exchange unlike every other: 24 characters nobody can guess. TLS has its chance from the same place.
fn nonce() -> String {
    let mut bytes = [0; 18];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives random bytes or nothing here is safe");
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests;
