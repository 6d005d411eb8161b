//! Which certificates connections trust: the public roots, or those of a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

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

/// TLS that trusts the certificates in a PEM file, or else the public roots.
///
/// # Errors
/// [`OutsideError`].
pub(crate) fn tls(ca: Option<&Path>) -> Result<ClientConfig, OutsideError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| OutsideError::Tls(e.to_string()))?;
    Ok(config
        .with_root_certificates(roots(ca)?)
        .with_no_client_auth())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told() {
        for (path, why) in [
            ("/nowhere/ca.pem", "No such file"),
            (env!("CARGO_MANIFEST_PATH"), "it holds none"),
        ] {
            let told = tls(Some(Path::new(path))).unwrap_err();
            let told = told.to_string();
            assert!(told.contains(path) && told.contains(why), "{told}");
        }
        assert!(tls(None).is_ok());
    }
}
