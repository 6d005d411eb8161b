//! The certificate of the server, and its renewal: its files are read again at a stated pace, and what has
//! changed is taken whole or not at all.
//!
//! A connection keeps the certificate that it began with. Nothing here logs what is in a file.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::Edge;
use super::serve::ServeError;

/// How often the files of a certificate are read again.
pub const TLS_PACE: Duration = Duration::from_secs(10);
/// What is agreed on over TLS, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];
/// HTTP/2 by the name that ALPN has for it.
pub(super) const HTTP2: &[u8] = b"h2";

/// A certificate with its key. Clones share them.
#[derive(Clone)]
pub struct Tls {
    kept: Arc<Kept>,
    pace: Duration,
}

struct Kept {
    cert: PathBuf,
    key: PathBuf,
    /// What the files held when they were last read, and what is used.
    held: RwLock<(Option<Files>, TlsAcceptor)>,
}

/// The bytes of both files.
#[derive(PartialEq, Eq)]
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// What came of looking at the files again.
#[derive(Debug)]
enum Looked {
    Same,
    Taken,
    Refused(ServeError),
}

impl Tls {
    /// Reads a certificate chain and its key from PEM files.
    ///
    /// # Errors
    /// [`ServeError::Tls`].
    pub fn load(cert: &Path, key: &Path) -> Result<Self, ServeError> {
        let files = Files::read(cert, key)?;
        let acceptor = files.acceptor(cert, key)?;
        let kept = Kept {
            cert: cert.to_owned(),
            key: key.to_owned(),
            held: RwLock::new((Some(files), acceptor)),
        };
        Ok(Self {
            kept: Arc::new(kept),
            pace: TLS_PACE,
        })
    }

    /// The same, whose files are read again at another pace than [`TLS_PACE`].
    #[must_use]
    pub fn read_every(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let held = self
            .kept
            .held
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        held.1.clone()
    }

    /// Reads the files again for ever, at their pace.
    pub(super) async fn keep(&self, edge: &Edge) {
        loop {
            tokio::time::sleep(self.pace).await;
            let tls = self.clone();
            let Ok(looked) = tokio::task::spawn_blocking(move || tls.look()).await else {
                // The runtime ends.
                return pending().await;
            };
            match looked {
                Looked::Same => {}
                Looked::Taken => {
                    edge.tls_taken.fetch_add(1, Ordering::Relaxed);
                    tracing::info!("the certificate is taken from its changed files");
                }
                Looked::Refused(why) => {
                    edge.tls_refused.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(%why, "the changed certificate is refused; the one before stays");
                }
            }
        }
    }

    /// Takes what is in the files, if it is not what was in them. What is refused is told once: it is
    /// looked at again when it has changed again.
    fn look(&self) -> Looked {
        let Kept { cert, key, .. } = &*self.kept;
        let read = Files::read(cert, key);
        let mut held = self
            .kept
            .held
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let files = match read {
            Ok(files) => files,
            // A file is missing or cannot be read, as it was before.
            Err(_) if held.0.is_none() => return Looked::Same,
            Err(why) => {
                held.0 = None;
                return Looked::Refused(why);
            }
        };
        if held.0.as_ref() == Some(&files) {
            return Looked::Same;
        }
        let acceptor = files.acceptor(cert, key);
        held.0 = Some(files);
        match acceptor {
            Ok(acceptor) => {
                held.1 = acceptor;
                Looked::Taken
            }
            Err(why) => Looked::Refused(why),
        }
    }
}

fn failed(path: &Path, cause: String) -> ServeError {
    ServeError::Tls {
        path: path.to_owned(),
        cause,
    }
}

impl Files {
    fn read(cert: &Path, key: &Path) -> Result<Self, ServeError> {
        let read = |path: &Path| std::fs::read(path).map_err(|e| failed(path, e.to_string()));
        Ok(Self {
            cert: read(cert)?,
            key: read(key)?,
        })
    }

    fn acceptor(&self, cert: &Path, key: &Path) -> Result<TlsAcceptor, ServeError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.cert).collect();
        let chain = chain.map_err(|e| failed(cert, unread(&e, "certificate")))?;
        if chain.is_empty() {
            let why = unread(&pem::Error::NoItemsFound, "certificate");
            return Err(failed(cert, why));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|e| failed(key, unread(&e, "private key")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|b| b.with_no_client_auth().with_single_cert(chain, private))
            .map_err(|e| match e {
                rustls::Error::InconsistentKeys(_) => failed(
                    key,
                    format!("it is not the key of the certificate in {}", cert.display()),
                ),
                other => failed(cert, other.to_string()),
            })?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// What is wrong with a PEM file.
fn unread(why: &pem::Error, wanted: &str) -> String {
    match why {
        pem::Error::NoItemsFound => format!("it holds no {wanted} in PEM form"),
        pem::Error::Io(why) => why.to_string(),
        other => other.to_string(),
    }
}
