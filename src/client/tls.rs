//! Whom the client trusts on HTTPS: the system's certificate authorities, and one more file of them if asked.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

/// Why HTTPS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The extra file of authorities is of no use.
    #[error("{}: {why}; it must hold certificates in PEM form", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody to trust.
    #[error("this system has no certificate authorities; install the package ca-certificates or give a --ca-file")]
    NoRoots,
    /// The TLS library refused its configuration.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl From<TrustError> for io::Error {
    fn from(error: TrustError) -> Self {
        Self::other(error)
    }
}

/// Makes a connector that trusts the system's authorities and those in `ca_file`. Reads files, so it blocks.
///
/// # Errors
/// [`TrustError`].
pub fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, TrustError> {
    let mut roots = RootCertStore::empty();
    // Single unreadable certificates of the system are no reason to refuse the others.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        for certificate in read_certificates(path).map_err(|why| TrustError::CaFile { path: path.into(), why })? {
            let added = roots.add(certificate);
            added.map_err(|error| TrustError::CaFile { path: path.into(), why: error.to_string() })?;
        }
    }
    if roots.is_empty() {
        return Err(TrustError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| error.to_string())?;
    if certificates.is_empty() { Err("no certificate in it".into()) } else { Ok(certificates) }
}
