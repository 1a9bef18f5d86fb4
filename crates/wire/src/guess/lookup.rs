//! How the outside world is asked: by the system's name service and by connecting, or by a test's own.

use super::dns::{self, DnsError, Kind};
use crate::http::Http;
use crate::server::{Reach, Server, Timeouts, Tls, Trust};
use crate::{dial, smtp};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// For one connection or file.
const PATIENCE: Duration = Duration::from_secs(4);
/// Configuration files are small.
const FILE_BYTES: usize = 64 << 10;
/// Redirects that are followed.
const MAX_REDIRECTS: usize = 3;

/// Why the name service said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    /// There is no such name.
    NoSuchName,
    /// It did not answer.
    NoAnswer,
}

/// What a guess asks of the world. Each call ends by itself within seconds.
pub trait Lookup: Sync {
    /// Who receives the domain's mail, best first.
    fn mx(&self, domain: &str) -> impl Future<Output = Result<Vec<String>, Silent>> + Send;
    /// Host and port of a service, of its best record.
    fn srv(&self, name: &str) -> impl Future<Output = Option<(String, u16)>> + Send;
    /// A file of at most 64 KiB from a public server.
    fn fetch(&self, url: &str) -> impl Future<Output = Option<Vec<u8>>> + Send;
    /// Whether a server with a valid certificate for this name answers there.
    fn answers(&self, host: &str, port: u16, tls: Tls) -> impl Future<Output = bool> + Send;
}

/// The system's name service and the internet.
#[derive(Debug, Clone)]
pub struct SystemLookup {
    servers: Vec<SocketAddr>,
    reach: Reach,
    trust: Trust,
}

impl SystemLookup {
    /// `reach` says whether inner addresses may be connected to.
    pub fn new(reach: Reach) -> SystemLookup {
        SystemLookup { servers: dns::servers(), reach, trust: Trust::Platform }
    }

    /// Another name service and other certificates, for tests.
    #[must_use]
    pub fn with(mut self, servers: Vec<SocketAddr>, trust: Trust) -> SystemLookup {
        (self.servers, self.trust) = (servers, trust);
        self
    }

    async fn ask(&self, name: &str, kind: Kind) -> Result<Vec<dns::Record>, DnsError> {
        dns::ask(&self.servers, name, kind).await
    }

    fn http(&self, reach: Reach) -> Http {
        Http {
            reach,
            trust: self.trust.clone(),
            allow_plain: true,
            patience: PATIENCE,
            most_bytes: FILE_BYTES,
        }
    }
}

impl Lookup for SystemLookup {
    async fn mx(&self, domain: &str) -> Result<Vec<String>, Silent> {
        let records = self.ask(domain, Kind::Mx).await.map_err(|error| match error {
            DnsError::NoSuchName => Silent::NoSuchName,
            DnsError::NoAnswer => Silent::NoAnswer,
        })?;
        Ok(records.into_iter().map(|record| record.target).filter(|target| !target.is_empty()).collect())
    }

    async fn srv(&self, name: &str) -> Option<(String, u16)> {
        let records = self.ask(name, Kind::Srv).await.ok()?;
        let first = records.into_iter().next()?;
        // The target "." says that the service is not there (RFC 6186 section 3.4).
        (!first.target.is_empty() && first.port != 0).then_some((first.target, first.port))
    }

    /// Redirects are followed to public addresses only, whoever asks, and never from https to http.
    async fn fetch(&self, url: &str) -> Option<Vec<u8>> {
        let (mut url, mut reach) = (Url::parse(url).ok()?, self.reach);
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.http(reach).get(url.as_str()).await.ok()?;
            match answer.status {
                200 => return Some(answer.body),
                301 | 302 | 303 | 307 | 308 => {
                    let next = url.join(answer.location.as_deref()?).ok()?;
                    if url.scheme() == "https" && next.scheme() != "https" {
                        return None;
                    }
                    (url, reach) = (next, Reach::PublicOnly);
                }
                _ => return None,
            }
        }
        None
    }

    async fn answers(&self, host: &str, port: u16, tls: Tls) -> bool {
        let mut server = Server::new(host, port, tls);
        server.reach = self.reach;
        server.trust = self.trust.clone();
        server.timeouts = Timeouts { connect: PATIENCE, reply: PATIENCE };
        let tried = async {
            match tls {
                Tls::StartTls => smtp::Session::connect(&server, None).await.is_ok(),
                _ => dial::dial(&server).await.is_ok(),
            }
        };
        tokio::time::timeout(PATIENCE, tried).await.unwrap_or(false)
    }
}
