//! From a name and a port to a connection that can be trusted: DNS, TCP, TLS; each failure at its stage.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use socket2::TcpKeepalive;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::error::{CertificateProblem, ConnectError, ConnectErrorKind as Kind, Stage};
use crate::link::{Link, Stream};
use crate::server::{Server, Tls, Trust};

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

/// Opens the connection; with TLS around it if it is implicit.
pub(crate) async fn dial(server: &Server) -> Result<Link, ConnectError> {
    let addresses = resolve(server).await?;
    let (stream, peer) = connect(server, &addresses).await?;
    if server.tls == Tls::None && !server.may_talk_plain_to(peer) {
        return Err(ConnectError::new(Stage::Tls, Kind::PlainRefused, server, ""));
    }
    let mut stream: Box<dyn Stream> = Box::new(stream);
    if server.tls == Tls::Implicit {
        stream = secure(server, stream).await?;
    }
    Ok(Link::new(stream, peer, server.timeouts.reply))
}

/// Puts TLS around a connection after STARTTLS.
pub(crate) async fn upgrade(server: &Server, link: Link) -> Result<Link, ConnectError> {
    let peer = link.peer;
    let stream = secure(server, link.into_stream()).await?;
    Ok(Link::new(stream, peer, server.timeouts.reply))
}

async fn resolve(server: &Server) -> Result<Vec<SocketAddr>, ConnectError> {
    let host = server.host.trim().trim_end_matches('.');
    let fail = |kind, detail: &str| ConnectError::new(Stage::Dns, kind, server, detail);
    if host.is_empty() {
        return Err(fail(Kind::UnknownHost, ""));
    }
    let found = timeout(server.timeouts.connect, lookup_host((host, server.port))).await;
    let found = found.map_err(|_| fail(Kind::Timeout, "the name service did not answer"))?;
    let all: Vec<_> = found.map_err(|_| fail(Kind::UnknownHost, ""))?.collect();
    let allowed: Vec<_> =
        all.iter().copied().filter(|a| server.may_dial(a.ip())).take(MAX_ADDRESSES).collect();
    match (all.is_empty(), allowed.is_empty()) {
        (true, _) => Err(fail(Kind::UnknownHost, "")),
        (false, true) => Err(fail(Kind::AddressRefused, "")),
        (false, false) => Ok(allowed),
    }
}

async fn connect(server: &Server, addresses: &[SocketAddr]) -> Result<(TcpStream, IpAddr), ConnectError> {
    let mut last = ConnectError::new(Stage::Tcp, Kind::Unreachable, server, "");
    for address in addresses {
        match timeout(server.timeouts.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Commands are short and wait for answers. A failure here only costs speed.
                stream.set_nodelay(true).ok();
                keep_alive(&stream);
                return Ok((stream, address.ip()));
            }
            Ok(Err(e)) => last = ConnectError::new(Stage::Tcp, tcp_kind(&e), server, ""),
            Err(_) => last = ConnectError::new(Stage::Tcp, Kind::Timeout, server, ""),
        }
    }
    Err(last)
}

/// Lets the system ask the other side now and then whether it is still there: a connection that idles
/// through a router that forgot it would be heard of only by what is sent next.
fn keep_alive(stream: &TcpStream) {
    let often = TcpKeepalive::new().with_time(ASK_AFTER).with_interval(ASK_AGAIN).with_retries(ASK_TIMES);
    // Without it the connection is as good, only found dead later.
    socket2::SockRef::from(stream).set_tcp_keepalive(&often).ok();
}

/// Silence after which the system asks, how often it asks again, and how many questions may go unanswered.
const ASK_AFTER: Duration = Duration::from_secs(120);
const ASK_AGAIN: Duration = Duration::from_secs(30);
const ASK_TIMES: u32 = 4;

fn tcp_kind(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Kind::Refused,
        io::ErrorKind::TimedOut => Kind::Timeout,
        _ => Kind::Unreachable,
    }
}

async fn secure(server: &Server, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, ConnectError> {
    let fail = |kind, detail: &str| ConnectError::new(Stage::Tls, kind, server, detail);
    let config = config(&server.trust)
        .map_err(|e| fail(Kind::Certificate(CertificateProblem::Invalid), &e.to_string()))?;
    let host = server.host.trim().trim_end_matches('.').to_owned();
    let name = ServerName::try_from(host).map_err(|_| fail(Kind::UnknownHost, "not a server name"))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout(server.timeouts.connect, handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(e)) => {
            let (kind, detail) = tls_kind(&e);
            Err(fail(kind, &detail))
        }
        Err(_) => Err(fail(Kind::Timeout, "while securing the connection")),
    }
}

/// The provider is named here and not taken from the process, so that no order of start-up matters.
fn config(trust: &Trust) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(trust, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

fn verifier(
    trust: &Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let provider = Arc::clone(provider);
    Ok(match trust {
        Trust::Platform => Arc::new(Verifier::new(provider)?),
        Trust::PlatformAnd(pem) => Arc::new(Verifier::new_with_extra_roots(certificates(pem)?, provider)?),
        Trust::Only(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(pem)? {
                roots.add(certificate)?;
            }
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
            built.map_err(|e| rustls::Error::General(e.to_string()))?
        }
    })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls::Error> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| rustls::Error::General(format!("the trusted certificates cannot be read: {e}")))
}

fn tls_kind(error: &io::Error) -> (Kind, String) {
    let Some(tls) = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) else {
        let closed =
            error.kind() == io::ErrorKind::UnexpectedEof || error.kind() == io::ErrorKind::ConnectionReset;
        return (if closed { Kind::Closed } else { Kind::Protocol }, "while securing the connection".into());
    };
    use rustls::AlertDescription as Alert;
    match tls {
        rustls::Error::InvalidCertificate(problem) => {
            (Kind::Certificate(certificate_problem(problem)), String::new())
        }
        rustls::Error::InvalidMessage(_) => (Kind::NotTls, String::new()),
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity,
        ) => (Kind::TlsTooOld, String::new()),
        other => (Kind::Protocol, other.to_string()),
    }
}

fn certificate_problem(error: &CertificateError) -> CertificateProblem {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateProblem::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::WrongName
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        CertificateError::Revoked => CertificateProblem::Revoked,
        // A self-signed certificate of the kind openssl makes by default is a CA certificate used as a server's.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            CertificateProblem::UnknownIssuer
        }
        _ => CertificateProblem::Invalid,
    }
}
