//! Guesses of the wire in the words of the desk.

use crate::source::reach;
use desk::guess::{Candidate, Endpoint, GuessSource};
use model::{Reach, Tls};
use wire::guess::{Source, SystemLookup};

/// Looks for the servers of an address.
pub async fn guess(address: &str, by: Reach) -> Vec<Candidate> {
    let found = wire::guess::guess(address, &SystemLookup::new(reach(by))).await;
    found.into_iter().map(candidate).collect()
}

fn candidate(found: wire::guess::Candidate) -> Candidate {
    Candidate {
        source: match found.source {
            Source::Provider => GuessSource::Provider,
            Source::Autoconfig => GuessSource::Autoconfig,
            Source::Srv => GuessSource::Srv,
            Source::Common => GuessSource::Common,
        },
        name: found.name,
        imap: found.imap.map(endpoint),
        pop3: found.pop3.map(endpoint),
        smtp: found.smtp.map(endpoint),
        preset: found.oauth.map(str::to_owned),
        provider: None,
        note: found.note.map(|note| note.name().to_owned()),
    }
}

fn endpoint(server: wire::guess::Endpoint) -> Endpoint {
    let tls = match server.tls {
        wire::Tls::None => Tls::None,
        wire::Tls::StartTls => Tls::StartTls,
        wire::Tls::Implicit => Tls::Implicit,
    };
    Endpoint { host: server.host, port: server.port, tls, username: server.username }
}
