//! SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and it does not travel.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, hmac, pbkdf2};

use super::SaslError;

/// Rounds a server may ask for. RFC 7677, section 4, wants at least 4096: fewer would let somebody who plays the
/// server guess the password from our proof. A million takes half a second.
const ROUNDS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// We bind to no channel and could not (section 6).
const NO_BINDING: &str = "n,,";

/// The functions of one variant.
struct Functions {
    name: &'static str,
    derive: pbkdf2::Algorithm,
    mac: hmac::Algorithm,
    hash: &'static digest::Algorithm,
}

/// One exchange.
pub(super) struct Scram {
    functions: Functions,
    password: String,
    nonce: String,
    /// `client-first-message-bare`; what was said of it is remembered in `step`.
    first_bare: String,
    step: Step,
}

enum Step {
    Unsaid,
    AwaitsSalt,
    AwaitsProof {
        key: hmac::Key,
        text: String,
    },
    Proven,
    /// Nothing more is computed for a server that goes on asking.
    Failed,
}

impl Scram {
    pub(super) fn sha256(user: &str, password: &str, nonce: &str) -> Self {
        let functions = Functions {
            name: "SCRAM-SHA-256",
            derive: pbkdf2::PBKDF2_HMAC_SHA256,
            mac: hmac::HMAC_SHA256,
            hash: &digest::SHA256,
        };
        Self::new(functions, user, password, nonce)
    }

    pub(super) fn sha1(user: &str, password: &str, nonce: &str) -> Self {
        let functions = Functions {
            name: "SCRAM-SHA-1",
            derive: pbkdf2::PBKDF2_HMAC_SHA1,
            mac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            hash: &digest::SHA1_FOR_LEGACY_USE_ONLY,
        };
        Self::new(functions, user, password, nonce)
    }

    fn new(functions: Functions, user: &str, password: &str, nonce: &str) -> Self {
        let first_bare = format!("n={},r={nonce}", escaped(&prepared(user)));
        Self {
            functions,
            password: prepared(password),
            nonce: nonce.to_owned(),
            first_bare,
            step: Step::Unsaid,
        }
    }

    /// The first message, once.
    pub(super) fn first(&mut self) -> Option<String> {
        if !matches!(self.step, Step::Unsaid) {
            return None;
        }
        self.step = Step::AwaitsSalt;
        Some(format!("{NO_BINDING}{}", self.first_bare))
    }

    pub(super) fn answer(&mut self, challenge: &str) -> Result<String, SaslError> {
        match std::mem::replace(&mut self.step, Step::Failed) {
            Step::AwaitsProof { key, text } => {
                check(&key, &text, challenge)?;
                self.step = Step::Proven;
                Ok(String::new())
            }
            Step::Proven | Step::Failed => Err(self.garbled()),
            Step::Unsaid | Step::AwaitsSalt => self.prove(challenge),
        }
    }

    pub(super) fn is_proven(&self) -> bool {
        matches!(self.step, Step::Proven)
    }

    /// `client-final-message` (section 3).
    fn prove(&mut self, challenge: &str) -> Result<String, SaslError> {
        let Functions { derive, mac, hash, .. } = self.functions;
        let Salted { nonce, salt, rounds } = self.salted(challenge)?;
        let mut salted_password = vec![0; hash.output_len()];
        pbkdf2::derive(derive, rounds, &salt, self.password.as_bytes(), &mut salted_password);
        let salted_password = hmac::Key::new(mac, &salted_password);
        let without_proof = format!("c={},r={nonce}", BASE64.encode(NO_BINDING));
        let text = format!("{},{challenge},{without_proof}", self.first_bare);
        let client_key = hmac::sign(&salted_password, b"Client Key");
        let stored_key = digest::digest(hash, client_key.as_ref());
        let signature = hmac::sign(&hmac::Key::new(mac, stored_key.as_ref()), text.as_bytes());
        let proof: Vec<u8> = client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let server_key = hmac::sign(&salted_password, b"Server Key");
        self.step = Step::AwaitsProof { key: hmac::Key::new(mac, server_key.as_ref()), text };
        Ok(format!("{without_proof},p={}", BASE64.encode(proof)))
    }

    /// Reads `server-first-message`.
    fn salted(&self, challenge: &str) -> Result<Salted, SaslError> {
        let garbled = || self.garbled();
        // An extension that must be understood (`m=`) would stand first.
        let mut fields = challenge.split(',');
        let mut field =
            |name: &str| fields.next().and_then(|text| text.strip_prefix(name)).ok_or_else(garbled);
        let (nonce, salt, rounds) = (field("r=")?, field("s=")?, field("i=")?);
        let is_ours = nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce);
        if !is_ours {
            return Err(garbled());
        }
        let rounds: u32 = rounds.parse().map_err(|_| garbled())?;
        let rounds =
            NonZeroU32::new(rounds).filter(|n| ROUNDS.contains(&n.get())).ok_or(SaslError::Rounds(rounds))?;
        let salt = BASE64.decode(salt).map_err(|_| garbled())?;
        Ok(Salted { nonce: nonce.to_owned(), salt, rounds })
    }

    fn garbled(&self) -> SaslError {
        SaslError::Garbled(self.functions.name)
    }
}

struct Salted {
    nonce: String,
    salt: Vec<u8>,
    rounds: NonZeroU32,
}

/// Reads `server-final-message`: the server's own proof, or why it refuses.
fn check(key: &hmac::Key, text: &str, challenge: &str) -> Result<(), SaslError> {
    if let Some(error) = challenge.strip_prefix("e=") {
        let error: String = error.chars().filter(|c| c.is_ascii_graphic()).take(80).collect();
        return Err(SaslError::Refused(error));
    }
    let signature = challenge.strip_prefix("v=").and_then(|text| text.split(',').next());
    let signature = signature.and_then(|text| BASE64.decode(text).ok()).ok_or(SaslError::Unproven)?;
    hmac::verify(key, text.as_bytes(), &signature).map_err(|_| SaslError::Unproven)
}

/// SASLprep (RFC 4013). What it forbids is taken as it is: servers that store such a password did the same.
fn prepared(text: &str) -> String {
    stringprep::saslprep(text).map_or_else(|_| text.to_owned(), |prepared| prepared.into_owned())
}

/// A name inside of a message whose fields end at commas (section 5.1; RFC 5801, section 4).
pub(super) fn escaped(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}
