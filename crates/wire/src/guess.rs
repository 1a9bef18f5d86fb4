//! Guesses the servers of an address: from a table of providers, from what its domain publishes, from usual names.
//!
//! Four sources, in order of trust: the built-in table ([`provider`]), found by the domain or by who receives its
//! mail (MX); the domain's own configuration file (Thunderbird's autoconfig, [`autoconfig`]); SRV records (RFC 6186,
//! RFC 8314); usual names like imap.DOMAIN, tried by connecting. All are asked at the same time and together have
//! [`AT_MOST`]; what is late is left out. Nothing here is signed in to: the receiving test that follows proves or
//! refutes a guess, and a server must prove its name by certificate.
//!
//! Decided against Mozilla's central database: it would be told the domain of every address that is typed in.

mod autoconfig;
mod dns;
mod lookup;
mod provider;

pub use lookup::{Lookup, SystemLookup};

use crate::server::Tls;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// All sources together have so long.
pub const AT_MOST: Duration = Duration::from_secs(8);
/// Candidates that are given.
const MOST: usize = 6;

/// Where a guess comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The built-in table.
    Provider,
    /// The domain's configuration file.
    Autoconfig,
    /// The domain's SRV records.
    Srv,
    /// A usual name.
    Common,
}

/// A server and who signs in there.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What to know before using a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The provider wants an app password, made in its settings.
    AppPassword,
    /// IMAP or POP3 must first be switched on in the provider's settings.
    SwitchOn,
    /// Only a token opens the door: sign in at the provider.
    OAuthOnly,
    /// The servers belong to another domain, and only an unverified answer says that they are right.
    OtherDomain,
    /// Nothing answered there; the name is merely usual.
    NotChecked,
    /// The name service knows no such domain.
    UnknownDomain,
}

impl Note {
    /// A stable word.
    pub fn name(self) -> &'static str {
        match self {
            Self::AppPassword => "app_password",
            Self::SwitchOn => "switch_on",
            Self::OAuthOnly => "oauth_only",
            Self::OtherDomain => "other_domain",
            Self::NotChecked => "not_checked",
            Self::UnknownDomain => "unknown_domain",
        }
    }
}

/// One guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it comes from.
    pub source: Source,
    /// The provider's name, or the domain.
    pub name: String,
    /// Receiving by IMAP.
    pub imap: Option<Endpoint>,
    /// Receiving by POP3.
    pub pop3: Option<Endpoint>,
    /// Sending.
    pub smtp: Option<Endpoint>,
    /// The OAuth preset of its provider: `google` or `microsoft`.
    pub oauth: Option<&'static str>,
    /// What to know.
    pub note: Option<Note>,
}

/// An address in its parts; the domain as it stands in the name service (IDNA).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub whole: String,
    pub local: String,
    pub domain: String,
}

impl Address {
    fn of(text: &str) -> Option<Address> {
        let whole = text.trim();
        let (local, domain) = whole.rsplit_once('@')?;
        let url::Host::Domain(domain) = url::Host::parse(domain.trim_end_matches('.')).ok()? else {
            return None;
        };
        let sound = !local.is_empty() && !local.contains(|c: char| c.is_control() || c.is_whitespace());
        let plain = domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() < 64
                && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        });
        (sound && plain && whole.len() < 255 && domain.len() < 200 && domain.contains('.')).then(|| Address {
            whole: whole.to_owned(),
            local: local.to_owned(),
            domain,
        })
    }

    fn endpoint(&self, host: &str, port: u16, tls: Tls) -> Endpoint {
        Endpoint { host: host.to_owned(), port, tls, username: self.whole.clone() }
    }
}

/// Candidates for an address, the most trusted first; none only if the address is none.
pub async fn guess(address: &str, lookup: &impl Lookup) -> Vec<Candidate> {
    within(AT_MOST, address, lookup).await
}

async fn within(at_most: Duration, address: &str, lookup: &impl Lookup) -> Vec<Candidate> {
    let Some(address) = Address::of(address) else { return Vec::new() };
    if let Some(provider) = provider::of_domain(&address.domain) {
        return vec![provider.candidate(&address)];
    }
    let deadline = Instant::now() + at_most;
    let (mx, file, srv, common) = tokio::join!(
        in_time(deadline, lookup.mx(&address.domain)),
        in_time(deadline, autoconfig::ask(&address, lookup)),
        in_time(deadline, by_srv(&address, lookup)),
        in_time(deadline, by_usual_names(&address, lookup)),
    );
    let mx = mx.unwrap_or(Err(lookup::Silent::NoAnswer));
    let provider = mx.as_deref().unwrap_or_default().iter().find_map(|host| provider::of_mx(host));
    let found = [
        provider.map(|provider| provider.candidate(&address)),
        file.flatten(),
        srv.flatten(),
        common.flatten(),
    ];
    let mut candidates: Vec<Candidate> = Vec::new();
    for one in found.into_iter().flatten() {
        let same =
            |other: &Candidate| (&other.imap, &other.pop3, &other.smtp) == (&one.imap, &one.pop3, &one.smtp);
        if !candidates.iter().any(same) {
            candidates.push(one);
        }
    }
    if candidates.is_empty() {
        let note = if mx == Err(lookup::Silent::NoSuchName) { Note::UnknownDomain } else { Note::NotChecked };
        candidates.push(unchecked(&address, note));
    }
    candidates.truncate(MOST);
    candidates
}

async fn in_time<T>(deadline: Instant, asked: impl Future<Output = T>) -> Option<T> {
    timeout_at(deadline, asked).await.ok()
}

/// SRV records (RFC 6186, and RFC 8314 section 5.1 for `_submissions`): implicit TLS before STARTTLS.
async fn by_srv(address: &Address, lookup: &impl Lookup) -> Option<Candidate> {
    let domain = &address.domain;
    let one = async |service: &str, tls| {
        let found = lookup.srv(&format!("{service}._tcp.{domain}")).await?;
        Some(address.endpoint(&found.0, found.1, tls))
    };
    let (imaps, imap, pop3s, submissions, submission) = tokio::join!(
        one("_imaps", Tls::Implicit),
        one("_imap", Tls::StartTls),
        one("_pop3s", Tls::Implicit),
        one("_submissions", Tls::Implicit),
        one("_submission", Tls::StartTls),
    );
    found(address, Source::Srv, imaps.or(imap), pop3s, submissions.or(submission))
}

/// Usual names that answer.
async fn by_usual_names(address: &Address, lookup: &impl Lookup) -> Option<Candidate> {
    let domain = &address.domain;
    let first = async |names: &[(&str, u16, Tls)]| {
        let tried = names.iter().map(|(name, port, tls)| async move {
            let host = format!("{name}.{domain}");
            lookup.answers(&host, *port, *tls).await.then_some((host, *port, *tls))
        });
        let answered = futures(tried).await;
        let (host, port, tls) = answered.into_iter().flatten().next()?;
        Some(address.endpoint(&host, port, tls))
    };
    let (imap, pop3, smtp) = tokio::join!(
        first(&[("imap", 993, Tls::Implicit), ("mail", 993, Tls::Implicit)]),
        first(&[("pop3", 995, Tls::Implicit), ("pop", 995, Tls::Implicit), ("mail", 995, Tls::Implicit)]),
        first(&[
            ("smtp", 465, Tls::Implicit),
            ("mail", 465, Tls::Implicit),
            ("smtp", 587, Tls::StartTls),
            ("mail", 587, Tls::StartTls),
        ]),
    );
    found(address, Source::Common, imap, pop3, smtp)
}

/// All at the same time, in their order.
async fn futures<T>(tasks: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut tasks: Vec<_> = tasks.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (task, done) in tasks.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = task.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

fn found(
    address: &Address,
    source: Source,
    imap: Option<Endpoint>,
    pop3: Option<Endpoint>,
    smtp: Option<Endpoint>,
) -> Option<Candidate> {
    let servers = || [&imap, &pop3, &smtp].into_iter().flatten();
    imap.as_ref().or(pop3.as_ref())?;
    let elsewhere = servers().any(|server| !is_within(&server.host, &address.domain));
    let note = elsewhere.then_some(Note::OtherDomain);
    Some(Candidate { source, name: address.domain.clone(), imap, pop3, smtp, oauth: None, note })
}

/// Whether a host is the domain or below it.
fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|head| head.ends_with('.'))
}

fn unchecked(address: &Address, note: Note) -> Candidate {
    let at =
        |name: &str, port| Some(address.endpoint(&format!("{name}.{}", address.domain), port, Tls::Implicit));
    Candidate {
        source: Source::Common,
        name: address.domain.clone(),
        imap: at("imap", 993),
        pop3: None,
        smtp: at("smtp", 465),
        oauth: None,
        note: Some(note),
    }
}

#[cfg(test)]
mod tests;
