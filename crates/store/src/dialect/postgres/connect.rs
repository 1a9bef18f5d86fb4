//! How a PostgreSQL server is reached: address, encryption, pools.
//!
//! `sslmode` means what libpq makes of it: `disable`; `prefer` (the default) and `require` encrypt
//! without knowing to whom, which protects against listeners only; `verify-ca` and `verify-full` check
//! the certificate and the name against the system's roots or those of `sslrootcert` (a PEM file). The
//! driver knows only the first three, so the two words are taken out of the URL here.

use crate::sql::{Error, Options};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long making one connection may take, encryption and password included.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long sent bytes may stay unacknowledged before the connection counts as lost.
const NETWORK_WAIT: Duration = Duration::from_secs(30);
/// Oldest server whose SQL the statements are written for.
const OLDEST_VERSION: i64 = 130_000;
/// Settings of every session. A statement or a lock that takes longer is an error ([`Error::Busy`]);
/// a transaction left idle by a node that hangs is ended by the server.
const SESSION: &str = "-c statement_timeout=300000 -c lock_timeout=60000 \
                       -c idle_in_transaction_session_timeout=300000 -c timezone=UTC";

/// A server and how to speak to it.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl Server {
    /// Reads a `postgres://user:password@host:port/database?sslmode=…` URL.
    pub(super) fn new(url: &str) -> Result<Server, Error> {
        let (url, words) = take_tls_words(url);
        let mut config: Config =
            url.parse().map_err(|e| Error::Other(format!("the address of the PostgreSQL database: {e}")))?;
        let verify = match words.mode.as_deref() {
            None | Some("prefer") => None,
            Some("disable") => Some((SslMode::Disable, false)),
            Some("require") => Some((SslMode::Require, false)),
            Some("verify-ca" | "verify-full") => Some((SslMode::Require, true)),
            Some(other) => return Err(Error::Other(format!("sslmode={other} is not known"))),
        };
        let (mode, verify) = verify.unwrap_or((SslMode::Prefer, false));
        config.ssl_mode(mode).connect_timeout(CONNECT_WAIT).tcp_user_timeout(NETWORK_WAIT);
        config.keepalives_idle(NETWORK_WAIT).application_name("lettercase");
        let tls = client_config(verify, words.root_file.as_deref())
            .map_err(|e| Error::Other(format!("encryption to the PostgreSQL database: {e}")))?;
        Ok(Server { config, tls: MakeRustlsConnect::new(tls) })
    }

    /// A pool of at most `size` connections; they are made when needed.
    pub(super) fn pool(&self, size: usize, options: &Options, read_only: bool) -> Result<Pool, Error> {
        let read_only = if read_only { "-c default_transaction_read_only=on" } else { "" };
        let more = self.config.get_options().unwrap_or_default();
        let mut config = self.config.clone();
        config.options(format!("{SESSION} {read_only} {more}"));
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        Pool::builder(Manager::from_config(config, self.tls.clone(), recycling))
            .max_size(size)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(CONNECT_WAIT))
            .recycle_timeout(Some(CONNECT_WAIT))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async move { client.batch_execute(DURABLE).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|e| Error::Other(e.to_string()))
    }
}

/// An acknowledged commit is on the server's disk (reliability.md, I1), whatever the server's default;
/// stricter settings, for replicas, stay.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
     WHERE current_setting('synchronous_commit') = 'off'";

/// Refuses servers that cannot hold the program's data.
pub(super) async fn inspect(client: &Object) -> Result<(), Error> {
    let sql = "SELECT current_setting('server_version_num'), current_setting('server_encoding')";
    let row = client.query_one(sql, &[]).await.map_err(|e| super::statement::error(&e, sql))?;
    let (version, encoding): (String, String) = (row.get(0), row.get(1));
    if version.parse().unwrap_or(0) < OLDEST_VERSION {
        return Err(Error::Other(format!("PostgreSQL {version} is too old; 13 or newer is needed")));
    }
    if encoding != "UTF8" {
        let hint = "create it with ENCODING 'UTF8'";
        return Err(Error::Other(format!("the database's encoding is {encoding}; {hint}")));
    }
    Ok(())
}

#[derive(Default)]
struct TlsWords {
    mode: Option<String>,
    root_file: Option<String>,
}

/// Takes `sslmode` and `sslrootcert` out of the URL's query.
fn take_tls_words(url: &str) -> (String, TlsWords) {
    let mut words = TlsWords::default();
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_owned(), words);
    };
    let mut others = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => words.mode = Some(mode.to_owned()),
            Some(("sslrootcert", file)) => words.root_file = Some(file.replace("%2F", "/")),
            _ => others.push(pair),
        }
    }
    let question = if others.is_empty() { "" } else { "?" };
    (format!("{base}{question}{}", others.join("&")), words)
}

fn client_config(verify: bool, root_file: Option<&str>) -> Result<ClientConfig, anyhow::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous();
    let verifier: Arc<dyn ServerCertVerifier> = match (verify, root_file) {
        (false, _) => Arc::new(Anybody(provider)),
        (true, None) => Arc::new(Verifier::new(provider)?),
        (true, Some(file)) => {
            let roots = CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>()?;
            Arc::new(Verifier::new_with_extra_roots(roots, provider)?)
        }
    };
    Ok(builder.with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Takes any certificate, but insists that the other side holds its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_for_encryption_are_taken_out_of_the_address() {
        let (url, words) = take_tls_words("postgres://h/d?a=b&sslmode=verify-full&c=d&sslrootcert=/x.pem");
        assert_eq!(url, "postgres://h/d?a=b&c=d");
        assert_eq!(words.mode.as_deref(), Some("verify-full"));
        assert_eq!(words.root_file.as_deref(), Some("/x.pem"));
        assert_eq!(take_tls_words("postgres://h/d?sslmode=require").0, "postgres://h/d");
        assert!(Server::new("postgres://h/d?sslmode=perhaps").is_err());
    }
}
