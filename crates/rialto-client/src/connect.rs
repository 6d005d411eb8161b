//! Connections and the certificates they trust. Holds no requests.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pool, Error as Broken};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::ClientError;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// Connections over HTTP or HTTPS, made on first use. Clones share them.
#[derive(Clone, Debug)]
pub struct Connections(Pool<HttpsConnector<HttpConnector>, Body>);

/// An answer on its way, boxed for the reason that [`crate::Asked`] gives.
type Exchanged = Pin<Box<dyn Future<Output = Result<Response<Body>, Broken>> + Send>>;

impl Connections {
    /// Makes one request; the body of its answer is still to be read.
    pub fn request(&self, request: Request<Body>) -> Exchanged {
        let answer = self.0.request(request);
        Box::pin(async move { Ok(answer.await?.map(Body::new)) })
    }
}

/// Connections that trust the certificates in a PEM file, or else the public roots.
///
/// # Errors
/// A usage error when the file cannot be used.
pub fn connections(ca: Option<&Path>) -> Result<Connections, ClientError> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    connector.enforce_http(false);
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| ClientError::Bug(e.to_string()))?
            .with_root_certificates(roots(ca)?)
            .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    Ok(Connections(
        Pool::builder(TokioExecutor::new()).build(connector),
    ))
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, ClientError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let bad = |why: String| {
        ClientError::usage(format!(
            "cannot use the certificates in {}: {why}",
            path.display()
        ))
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

/// A server's address without the slash at its end.
pub(crate) fn base_url(server_url: &str) -> Result<String, ClientError> {
    let bad = |why: &str| ClientError::Usage {
        message: format!("{server_url:?} is not a server's address: {why}"),
        hint: Some("write it as http://127.0.0.1:7600"),
    };
    let uri: Uri = server_url.parse().map_err(|_| bad("it is no URL"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some() => {}
        _ => return Err(bad("it must start with http:// or https://")),
    }
    if uri.query().is_some() {
        return Err(bad("it must not have a query"));
    }
    Ok(server_url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        for (text, want) in [
            ("http://127.0.0.1:7600", Some("http://127.0.0.1:7600")),
            ("https://realm.example/", Some("https://realm.example")),
            ("127.0.0.1:7600", None),
            ("ftp://x", None),
            ("http://", None),
            ("http://a/?q=1", None),
        ] {
            assert_eq!(base_url(text).ok().as_deref(), want, "{text}");
        }
    }
}
