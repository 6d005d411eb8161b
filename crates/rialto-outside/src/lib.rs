//! Outgoing calls: pooled HTTP connections and the certificates they trust.
//!
//! Holds connections and the one request over them. It decides nothing, retries nothing, knows nothing of
//! the protocols spoken over it, and never logs what it sends.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// How long it may take to open a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Why connections cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The file of certificates to trust cannot be used.
    #[error("cannot use the certificates in {}: {why}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The library for TLS refused its own settings: a defect.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Why a request had no answer: the innermost cause, which tells a person what to fix ("connection
/// refused").
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

/// An answer that is awaited. Boxed, so that this crate alone holds the code of the connections: what an
/// `async fn` does is compiled again in every crate that awaits it.
pub type Exchange = Pin<Box<dyn Future<Output = Result<Response<Body>, Broken>> + Send>>;

/// Connections over HTTP or HTTPS, made on first use. Clones share them.
#[derive(Clone, Debug)]
pub struct Connections(Pool<HttpsConnector<HttpConnector>, Body>);

impl Connections {
    /// Connections that trust the certificates in a PEM file, or else the public roots.
    ///
    /// # Errors
    /// [`OutsideError::Certificates`] when the file cannot be used.
    pub fn trusting(ca: Option<&Path>) -> Result<Self, OutsideError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        connector.enforce_http(false);
        let tls =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|e| OutsideError::Tls(e.to_string()))?
                .with_root_certificates(roots(ca)?)
                .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        Ok(Self(pool))
    }

    /// Makes one request; the body of its answer is still to be read. The only time limit is that for
    /// opening the connection, 5 s.
    pub fn request(&self, request: Request<Body>) -> Exchange {
        let answer = self.0.request(request);
        Box::pin(async move {
            let answer = answer.await.map_err(|e| Broken(root_cause(&e)))?;
            Ok(answer.map(Body::new))
        })
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, OutsideError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let bad = |why: String| OutsideError::Certificates {
        path: path.to_owned(),
        why,
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
    }
    if roots.is_empty() {
        Err(bad("it holds none".to_owned()))
    } else {
        Ok(roots)
    }
}

/// The innermost cause of an error, in its own words.
#[must_use]
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told() {
        for (path, why) in [
            ("/nowhere/ca.pem", "No such file"),
            (env!("CARGO_MANIFEST_PATH"), "it holds none"),
        ] {
            let told = Connections::trusting(Some(Path::new(path))).unwrap_err();
            let told = told.to_string();
            assert!(told.contains(path) && told.contains(why), "{told}");
        }
        assert!(Connections::trusting(None).is_ok());
    }

    #[test]
    fn the_innermost_cause_is_told() {
        let outer = OutsideError::Tls("no provider".to_owned());
        assert_eq!(root_cause(&outer), "TLS cannot be set up: no provider");
        let io = std::io::Error::other(outer);
        assert_eq!(root_cause(&io), "TLS cannot be set up: no provider");
    }
}
