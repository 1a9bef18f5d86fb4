//! Guesses at the servers of an address, for whoever connects a mailbox.

use crate::mailbox::{Rounds, reach_of};
use crate::may::{Actor, Verb};
use crate::people::checked_address;
use crate::{Desk, Refusal};
use model::{ProviderId, Tls};

model::words! {
    /// Where a guess comes from, the most trusted first.
    GuessSource {
        /// The built-in table of providers.
        Provider = "provider",
        /// The domain's own configuration file.
        Autoconfig = "autoconfig",
        /// The domain's SRV records.
        Srv = "srv",
        /// A usual name.
        Common = "common",
    }
}

/// A server and who signs in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The login name.
    pub username: String,
}

/// One guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it comes from.
    pub source: GuessSource,
    /// The provider's name, or the domain.
    pub name: String,
    /// Receiving by IMAP.
    pub imap: Option<Endpoint>,
    /// Receiving by POP3.
    pub pop3: Option<Endpoint>,
    /// Sending.
    pub smtp: Option<Endpoint>,
    /// The OAuth preset of its provider, as `google`.
    pub preset: Option<String>,
    /// The provider of that preset that is set up here.
    pub provider: Option<ProviderId>,
    /// What to know, as a stable word: `app_password`, `switch_on`, `oauth_only`, `other_domain`,
    /// `not_checked`, `unknown_domain`.
    pub note: Option<String>,
}

/// Candidates for an address, the most trusted first; at least one.
pub async fn guess(
    desk: &Desk,
    actor: &Actor,
    rounds: &dyn Rounds,
    address: &str,
) -> Result<Vec<Candidate>, Refusal> {
    actor.may(Verb::AddMailbox)?;
    let address = checked_address("address", address)?;
    let mut candidates = rounds.guess(address, reach_of(actor)).await;
    if candidates.is_empty() {
        return Err(crate::people::invalid("address", "bad_address", "an address like ann@company.example"));
    }
    for candidate in candidates.iter_mut() {
        if let Some(preset) = &candidate.preset {
            candidate.provider = store::grants::provider_of_preset(&mut &desk.db, preset).await?;
        }
    }
    Ok(candidates)
}
