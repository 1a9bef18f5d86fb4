//! A certificate for localhost and 127.0.0.1, of an authority of its own, for servers of the tests.

use crate::folder::Folder;
use anyhow::Result;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate with its key, ready to serve.
#[derive(Clone)]
pub struct ServerCertificate {
    config: Arc<ServerConfig>,
    /// The authority that signed it, as PEM.
    pub ca_pem: Vec<u8>,
}

impl ServerCertificate {
    /// Makes one, with the program `openssl`.
    ///
    /// # Errors
    /// When `openssl` is missing or fails.
    pub fn for_localhost() -> Result<ServerCertificate> {
        let folder = Folder::new()?;
        let ca_pem = crate::dovecot::certificate::make(folder.path(), false)?;
        let chain = CertificateDer::from_pem_file(folder.path().join("cert.pem"))?;
        let key = PrivateKeyDer::from_pem_file(folder.path().join("key.pem"))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)?;
        Ok(ServerCertificate { config: Arc::new(config), ca_pem })
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}
