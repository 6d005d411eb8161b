//! The realm's secrets: its signing key, and the root from which keys in its custody are derived.
//!
//! They are in one file beside the log, readable by its owner only, and never enter the log, an
//! answer, an error or a plain backup. The file has one `name hex` line each.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer, SigningKey};
use rialto_core::hash::{Hash, Short, Signature};
use rialto_journal::private;
use rialto_outside::{SecretError, Vault};
use thiserror::Error;

use super::clock::Chance;

/// Why the secrets are not available.
#[derive(Debug, Error)]
pub enum SecretsError {
    /// The file cannot be read or written.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The vault cannot be opened.
    #[error(transparent)]
    Vault(#[from] SecretError),
    /// The file holds another realm's key.
    #[error("{path} is not this realm's key: restore it from your copy", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is not of the expected form.
    #[error("{path} is not a realm key file: restore it from your copy", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// The realm's secrets.
#[derive(Clone)]
pub struct RealmSecrets {
    signing: SigningKey,
    custody: [u8; 32],
}

impl RealmSecrets {
    /// New secrets.
    #[must_use]
    pub fn fresh(chance: &dyn Chance) -> Self {
        Self {
            signing: SigningKey::from_bytes(&chance.bytes()),
            custody: chance.bytes(),
        }
    }

    /// The same custody root with a new signing key.
    #[must_use]
    pub fn rotated(&self, chance: &dyn Chance) -> Self {
        Self {
            signing: SigningKey::from_bytes(&chance.bytes()),
            custody: self.custody,
        }
    }

    /// The realm's public key.
    #[must_use]
    pub fn public_key(&self) -> Hash {
        Hash::from(self.signing.verifying_key().to_bytes())
    }

    /// Signs on behalf of the realm.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// The public half of a key in the realm's custody.
    #[must_use]
    pub fn custody_public(&self, nonce: Short) -> Hash {
        Hash::from(self.custody_key(nonce).verifying_key().to_bytes())
    }

    /// Signs on behalf of an agent whose key is in the realm's custody.
    #[must_use]
    pub fn custody_sign(&self, nonce: Short, message: &[u8]) -> Signature {
        Signature(self.custody_key(nonce).sign(message).to_bytes().into())
    }

    /// The key from which the secrets of access keys for signed requests are derived.
    pub(crate) fn access_key_root(&self) -> [u8; 32] {
        *blake3::keyed_hash(&self.custody, b"rialto access keys").as_bytes()
    }

    /// The mark of a text: the same for the same text, whatever its salt, and nothing that a guess
    /// could be held against without the realm's secret.
    #[must_use]
    pub fn text_mark(&self, bytes: &[u8]) -> Short {
        let mut hasher = blake3::Hasher::new_keyed(&self.custody);
        hasher.update(b"rialto text mark");
        hasher.update(bytes);
        Hash::from(*hasher.finalize().as_bytes()).short()
    }

    /// The vault in a realm's data folder, under a key that derives from the custody root: it stays readable when
    /// the signing key is replaced.
    ///
    /// # Errors
    /// [`SecretError`].
    fn vault(&self, data: &Path) -> Result<Vault, SecretError> {
        let key = blake3::keyed_hash(&self.custody, b"rialto vault key");
        Vault::open(data.join("secrets"), *key.as_bytes())
    }

    fn custody_key(&self, nonce: Short) -> SigningKey {
        let mut hasher = blake3::Hasher::new_keyed(&self.custody);
        hasher.update(b"rialto custody key");
        hasher.update(nonce.0.as_slice());
        SigningKey::from_bytes(hasher.finalize().as_bytes())
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`SecretsError`] when it is missing, unreadable or malformed.
    pub fn load(path: &Path) -> Result<Self, SecretsError> {
        let text = fs::read_to_string(path).map_err(|source| SecretsError::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        })?;
        let field = |name: &str| -> Option<[u8; 32]> {
            let line = text
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(' '))?;
            line.trim().parse::<Hash>().ok().map(|h| *h.bytes())
        };
        match (field("signing"), field("custody")) {
            (Some(signing), Some(custody)) => Ok(Self {
                signing: SigningKey::from_bytes(&signing),
                custody,
            }),
            _ => Err(SecretsError::Malformed {
                path: path.to_owned(),
            }),
        }
    }

    /// Writes the file, readable by its owner only, in one step.
    ///
    /// # Errors
    /// [`SecretsError::Io`].
    pub fn store(&self, path: &Path) -> Result<(), SecretsError> {
        let signing = Hash::from(self.signing.to_bytes());
        let custody = Hash::from(self.custody);
        write_private(path, &format!("signing {signing}\ncustody {custody}\n"))
    }
}

/// The vault of a realm in a data folder.
///
/// # Errors
/// [`SecretsError`] when the realm's key cannot be read.
pub fn vault(folder: &Path) -> Result<Vault, SecretsError> {
    let secrets = RealmSecrets::load(&folder.join("realm.key"))?;
    Ok(secrets.vault(folder)?)
}

/// The secret for reading the metrics, made on the first start. A collector, which is not the
/// operator, reads it from the data folder's `metrics.token`.
///
/// # Errors
/// [`SecretsError::Io`].
pub fn metrics_secret(folder: &Path, chance: &dyn Chance) -> Result<String, SecretsError> {
    let path = folder.join("metrics.token");
    match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(SecretsError::Io {
                doing: "read",
                path,
                source,
            });
        }
        _ => {}
    }
    let secret = format!("rlm_{}", Hash::from(chance.bytes()));
    write_private(&path, &format!("{secret}\n"))?;
    Ok(secret)
}

/// Writes a file that only its owner can read, in one step: a crash leaves the old or the new.
///
/// # Errors
/// [`SecretsError::Io`].
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), SecretsError> {
    let failed = |doing, source| SecretsError::Io {
        doing,
        path: path.to_owned(),
        source,
    };
    let new = path.with_extension("new");
    // One that a crash left may be open to others; a new one never is.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed("remove", error));
        }
        _ => {}
    }
    let mut file = private::create_new(&new).map_err(|e| failed("create", e))?;
    file.write_all(text.as_bytes())
        .map_err(|e| failed("write", e))?;
    file.sync_all().map_err(|e| failed("sync", e))?;
    fs::rename(&new, path).map_err(|e| failed("rename", e))
}
