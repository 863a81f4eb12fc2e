//! HTTPS: the certificate and its key from PEM files, exchanged while the server runs when the files change.
//!
//! Owns reading them and the TLS settings. Handshakes are `connection`'s matter.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Chains are a few KB; whatever is bigger is not one.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// How often the files are looked at: a renewed certificate is in use that much later at the latest.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own certificate first (PEM).
    pub cert: PathBuf,
    /// The private key of the first certificate: PKCS #8, PKCS #1 or SEC 1 (PEM).
    pub key: PathBuf,
}

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is too large to be what it should be.
    #[error("{} is larger than 1 MiB, so it is not what it should be", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The certificate file has no certificate.
    #[error("{} has no certificate (no `BEGIN CERTIFICATE`)", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key file has no key that is not itself encrypted.
    #[error("{} has no unencrypted private key (no `BEGIN PRIVATE KEY`, `BEGIN RSA PRIVATE KEY` or `BEGIN EC PRIVATE KEY`)", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A file is not PEM.
    #[error("{} is not valid PEM: {reason}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The two don't fit together, or their algorithm is not supported.
    #[error("the key in {} cannot be used with the certificate in {}", key.display(), cert.display())]
    Pair {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The TLS library does not take our settings.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
}

/// Certificate and key in use, and the files that they came from.
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<CurrentKey>,
    /// Held while they are read, so that they are not exchanged meanwhile.
    source: Mutex<Source>,
    provider: Arc<CryptoProvider>,
}

/// Where certificate and key come from.
struct Source {
    files: TlsFiles,
    /// What the files looked like when they were last tried, usable or not, so that each state is tried once.
    tried: Option<Stamp>,
}

/// Certificate and key that were read and can be used.
pub struct TlsPair {
    key: CertifiedKey,
    source: Source,
}

/// Identity and age of both files.
type Stamp = [FileStamp; 2];

#[derive(Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    size_bytes: u64,
    changed: (i64, i64),
}

#[derive(Debug)]
struct CurrentKey(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for CurrentKey {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads certificate and key. Blocks on the disk.
    ///
    /// # Errors
    /// If they cannot be read or don't fit together; see [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let TlsPair { key, source } = TlsPair::read(files, &provider)?;
        let current = Arc::new(CurrentKey(ArcSwap::from_pointee(key)));
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { acceptor, current, source: Mutex::new(source), provider })
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Reads certificate and key from these files, to be used later. Blocks on the disk.
    ///
    /// # Errors
    /// If they cannot be read or don't fit together; see [`TlsError`].
    pub fn read(&self, files: TlsFiles) -> Result<TlsPair, TlsError> {
        TlsPair::read(files, &self.provider)
    }

    /// From now on, connections get this certificate, and its files are looked at.
    pub fn set(&self, pair: TlsPair) {
        let mut source = self.source();
        self.current.0.store(Arc::new(pair.key));
        *source = pair.source;
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        // It is valid between any two statements.
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over certificate and key if a file has changed since the last try; true if they were exchanged.
    ///
    /// Running connections keep what they have. Blocks on the disk.
    ///
    /// # Errors
    /// If the new files cannot be used: then the old certificate stays. The same files are not tried again, so an error
    /// comes once for each change.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let mut source = self.source();
        let now = stamp(&source.files).ok();
        if now == source.tried {
            return Ok(false);
        }
        source.tried = now;
        let pair = read_pair(&source.files, &self.provider)?;
        self.current.0.store(Arc::new(pair));
        Ok(true)
    }

    /// Looks at the files every few seconds, away from the handshakes, and never ends.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let tls = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || tls.reload_if_changed()).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!(cert = %self.source().files.cert.display(), "certificate exchanged"),
                Ok(Err(error)) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the new certificate cannot be used; the old one stays in use");
                }
                Err(error) => tracing::error!(%error, "looking for a new certificate failed"),
            }
        }
    }
}

impl TlsPair {
    fn read(files: TlsFiles, provider: &CryptoProvider) -> Result<Self, TlsError> {
        // The stamp is taken first: a change while reading then shows as a change.
        let tried = stamp(&files).ok();
        Ok(Self { key: read_pair(&files, provider)?, source: Source { files, tried } })
    }
}

fn stamp(files: &TlsFiles) -> io::Result<Stamp> {
    let of = |path: &Path| {
        let metadata = fs::metadata(path)?;
        Ok::<_, io::Error>(FileStamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    };
    Ok([of(&files.cert)?, of(&files.key)?])
}

fn read_pair(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(&files.cert)?;
    let key = read_key(&files.key)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Pair {
        cert: files.cert.clone(),
        key: files.key.clone(),
        source,
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read_file(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(TlsError::NoCertificate { path: path.to_owned() }),
        Ok(chain) => Ok(chain),
        Err(error) => Err(not_pem(path, &error)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read_file(path)?).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { path: path.to_owned() },
        error => not_pem(path, &error),
    })
}

fn not_pem(path: &Path, error: &pem::Error) -> TlsError {
    TlsError::Pem { path: path.to_owned(), reason: error.to_string() }
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(PEM_BYTES_MAX + 1).read_to_end(&mut text))
        .map_err(|source| TlsError::Read { path: path.to_owned(), source })?;
    if text.len() as u64 > PEM_BYTES_MAX {
        return Err(TlsError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A self-signed certificate for `localhost` in files, and in the form that a client trusts.
    pub(in crate::http) fn self_signed(folder: &Path) -> (TlsFiles, CertificateDer<'static>) {
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let files = TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
        // As renewing tools do: beside, then into place.
        for (path, text) in [(&files.cert, pair.cert.pem()), (&files.key, pair.signing_key.serialize_pem())] {
            let beside = path.with_extension("new");
            fs::write(&beside, text).unwrap();
            fs::rename(&beside, path).unwrap();
        }
        (files, pair.cert.der().clone())
    }

    fn in_use(tls: &Tls) -> CertificateDer<'static> {
        tls.current.0.load().cert[0].clone()
    }

    #[test]
    fn a_renewed_certificate_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let (files, first) = self_signed(folder.path());
        let tls = Tls::load(files).unwrap();
        assert_eq!(in_use(&tls), first);
        assert!(!tls.reload_if_changed().unwrap());
        let (_, second) = self_signed(folder.path());
        assert!(tls.reload_if_changed().unwrap());
        assert_eq!(in_use(&tls), second);
        assert!(!tls.reload_if_changed().unwrap());
    }

    #[test]
    fn a_broken_renewal_keeps_the_old_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let (files, first) = self_signed(folder.path());
        let tls = Tls::load(files.clone()).unwrap();
        let other = tempfile::tempdir().unwrap();
        let (other_files, second) = self_signed(other.path());

        fs::copy(&other_files.cert, &files.cert).unwrap();
        assert!(matches!(tls.reload_if_changed(), Err(TlsError::Pair { .. })));
        assert_eq!(in_use(&tls), first);
        assert!(!tls.reload_if_changed().unwrap(), "the same files are not tried again");

        fs::copy(&other_files.key, &files.key).unwrap();
        assert!(tls.reload_if_changed().unwrap());
        assert_eq!(in_use(&tls), second);

        fs::remove_file(&files.key).unwrap();
        assert!(matches!(tls.reload_if_changed(), Err(TlsError::Read { .. })));
        assert_eq!(in_use(&tls), second);
    }

    #[test]
    fn errors_name_the_file_and_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let (files, _) = self_signed(folder.path());
        let write = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        let absent = folder.path().join("absent.pem");
        let huge = write("huge.pem", &vec![b' '; PEM_BYTES_MAX as usize + 1]);
        let broken = write("broken.pem", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
        let open_ended = write("open.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n");
        for (cert, key, expected) in [
            (&absent, &files.key, "cannot read ABSENT"),
            (&files.cert, &absent, "cannot read ABSENT"),
            (&huge, &files.key, "is larger than 1 MiB"),
            (&files.key, &files.key, "key.pem has no certificate"),
            (&files.cert, &files.cert, "cert.pem has no unencrypted private key"),
            (&broken, &files.key, "broken.pem is not valid PEM"),
            (&files.cert, &open_ended, "open.pem is not valid PEM"),
        ] {
            let files = TlsFiles { cert: cert.clone(), key: key.clone() };
            let Err(error) = Tls::load(files) else { panic!("{expected}") };
            let message = error.to_string();
            let expected = expected.replace("ABSENT", &absent.display().to_string());
            assert!(message.contains(&expected), "{message}");
        }
    }
}
